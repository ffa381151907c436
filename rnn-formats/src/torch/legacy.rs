//! What `torch.save` wrote before PyTorch 1.6: five pickles in a row, then the numbers.

use std::collections::BTreeMap;

use super::{
    StateDict,
    storages::{SAVE, Storages, found, kind, unpickled},
};
use crate::{
    Bytes, Error,
    pickle::{Object, Pickle},
};

/// The first pickle: a number of ten bytes.
const MAGIC: &[u8] = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";

/// Whether a file begins as these do.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The state dict of such a file.
///
/// # Errors
/// As [`super::state_dict`].
pub(super) fn read(bytes: &[u8]) -> Result<StateDict, Error> {
    let mut at = Bytes::new(bytes);
    at.take(MAGIC.len() as u64, "the file's first pickle")?;
    let mut next = || -> Result<(Pickle<'_>, usize), Error> {
        let start = at.at();
        let pickle = unpickled(at)?;
        at = at.seek(pickle.end() as u64, "the next pickle")?;
        Ok((pickle, start))
    };
    let (protocol, start) = next()?;
    if protocol.int(protocol.top()) != Some(1001) {
        return Err(Error::damaged(
            start,
            "the protocol 1001",
            format!("another one; save the file again: `{SAVE}`"),
        ));
    }
    let (system, start) = next()?;
    let entries = system.entries(system.top()).unwrap_or_default();
    let little = entries.iter().find(|(key, _)| *key == "little_endian");
    let big = match little.map(|(_, id)| system.get(*id)) {
        Some(Object::Bool(little)) => !little,
        _ => return Err(Error::damaged(start, "`little_endian`", "none")),
    };
    let (pickle, _) = next()?;
    let (keys, start) = next()?;
    let Some(keys) = keys.row(keys.top()).and_then(|row| {
        row.iter()
            .map(|id| keys.text(*id))
            .collect::<Option<Vec<_>>>()
    }) else {
        return Err(Error::damaged(
            start,
            "the keys of storages",
            "another object",
        ));
    };
    let sizes = sizes(&pickle);
    let mut numbers = BTreeMap::new();
    for key in keys {
        let mut length = at.take(8, "the length of a storage")?.to_vec();
        if big {
            length.reverse();
        }
        let length = length
            .iter()
            .rev()
            .fold(0, |n, byte| n << 8 | u64::from(*byte));
        let Some(size) = sizes.get(key) else {
            return Err(Error::damaged(
                at.at(),
                "a storage that a tensor names",
                format!("the storage {key:?}"),
            ));
        };
        let bytes = length.saturating_mul(*size);
        numbers.insert(key, at.take(bytes, "numbers")?);
    }
    let mut storages = Storages {
        pickle: &pickle,
        files: None,
        big,
        left: bytes.len(),
        read: BTreeMap::new(),
        fetch: &mut |key: &str| match numbers.get(key) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => Err(Error::damaged(
                at.at(),
                format!("the storage {key:?}"),
                "none",
            )),
        },
    };
    found(&pickle, &mut storages)
}

/// Bytes of a number, by the keys of storages.
fn sizes<'f>(pickle: &Pickle<'f>) -> BTreeMap<&'f str, u64> {
    let of = |object: &Object<'f>| {
        let Object::Persistent(row) = object else {
            return None;
        };
        let [_, class, key, ..] = pickle.row(*row)? else {
            return None;
        };
        match pickle.get(*class) {
            Object::Global(_, class) => Some((pickle.text(*key)?, kind(class)?.size() as u64)),
            _ => None,
        }
    };
    pickle.objects().filter_map(of).collect()
}
