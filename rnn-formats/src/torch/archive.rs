//! Files of `torch.save`: a zip archive with a pickle and the numbers beside it, or (before PyTorch 1.6) pickles in a row.

use std::collections::BTreeMap;

use super::{
    StateDict, imported, legacy,
    storages::{SAVE, Storages, found, unpickled},
};
use crate::{Bytes, Error, Format, Imported, zip::Archive};

/// A state dict as tensors under names here.
///
/// # Errors
/// As [`state_dict`], and [`Error::NotUnderstood`] with all parameters that are none of a known module.
pub fn read(bytes: &[u8]) -> Result<Imported, Error> {
    imported(state_dict(bytes)?, Format::Torch)
}

/// The state dict of a file, also if it is a part of a checkpoint.
///
/// # Errors
/// [`Error::Damaged`] if the file is, [`Error::NotUnderstood`] if it has pickled objects other than tensors (with each
/// class's name and place), several state dicts, or tensors that are no floats, [`Error::Unknown`] if it is no file of
/// `torch.save`.
pub fn state_dict(bytes: &[u8]) -> Result<StateDict, Error> {
    if bytes.starts_with(b"PK") {
        of_zip(bytes)
    } else if legacy::is(bytes) {
        legacy::read(bytes)
    } else {
        Err(Error::Unknown(format!(
            "expected a file of PyTorch: a zip archive, or the pickles that PyTorch wrote before 1.6; save it again: `{SAVE}`"
        )))
    }
}

fn of_zip(bytes: &[u8]) -> Result<StateDict, Error> {
    let archive = Archive::open(bytes)?;
    let pickles: Vec<&str> = archive
        .names()
        .filter(|name| *name == "data.pkl" || name.ends_with("/data.pkl"))
        .collect();
    let [name] = pickles[..] else {
        return Err(Error::Unknown(format!(
            "expected one `data.pkl` in a zip archive of PyTorch, found {}: {}",
            pickles.len(),
            archive.names().take(8).collect::<Vec<_>>().join(", ")
        )));
    };
    let folder = name.strip_suffix("data.pkl").unwrap_or_default();
    if archive.contains(&format!("{folder}constants.pkl")) {
        return Err(Error::not_understood(
            "an archive of TorchScript has a program, which is not read; save its parameters: \
             `torch.save(torch.jit.load(\"model.pt\").state_dict(), \"weights.pt\")`",
        ));
    }
    let big = match archive.contains(&format!("{folder}byteorder")) {
        false => false,
        true => match &archive.read(&format!("{folder}byteorder"))?[..] {
            b"little" => false,
            b"big" => true,
            other => {
                let found = String::from_utf8_lossy(other.get(..16).unwrap_or(other));
                return Err(Error::damaged(0, "`little` or `big`", found)
                    .within(&format!("{folder}byteorder")));
            }
        },
    };
    // Each byte of a pickle may become an object, which takes a hundred. PyTorch does not compress, so that a pickle is smaller
    // than its archive; one that others have compressed may be a little larger.
    let size = archive.size(name).unwrap_or_default();
    let most = (bytes.len() as u64)
        .saturating_mul(4)
        .saturating_add(1 << 16);
    if size > most {
        let expected = format!(
            "a pickle of at most {most} bytes in an archive of {}",
            bytes.len()
        );
        return Err(Error::damaged_somewhere(expected, size.to_string()).within(name));
    }
    let data = archive.read(name)?;
    let pickle = unpickled(Bytes::new(&data)).map_err(|e| e.within(name))?;
    let mut storages = Storages {
        pickle: &pickle,
        files: Some((name, &format!("{folder}data/"))),
        big,
        left: bytes.len(),
        read: BTreeMap::new(),
        fetch: &mut |key: &str| archive.read(&format!("{folder}data/{key}")),
    };
    found(&pickle, &mut storages)
}
