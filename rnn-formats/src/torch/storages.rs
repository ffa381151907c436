//! Tensors in a pickle, which are views of storages beside it, and the state dict that they make.

use std::collections::{BTreeMap, BTreeSet};

use super::{Parameter, StateDict, without_compiled};
use crate::{
    Bytes, Error, elements,
    floats::{Kind, floats},
    listed::{MOST_NAMED, listed},
    pickle::{self, Object, ObjectId, Pickle, Refusal},
};

/// PyTorch's own limit. A row of axes may be named by many tensors, and is copied for each.
const MOST_AXES: usize = 64;
/// Parts of a module's name.
const MOST_PARTS: usize = 64;
/// Bytes of a text that goes into the metadata: a text may stand under many names.
const MOST_TEXT: usize = 256;

/// How a state dict is saved.
pub(super) const SAVE: &str = "torch.save(model.state_dict(), \"model.pt\")";

/// A pickle in which there are tensors and nothing else.
pub(super) fn unpickled(bytes: Bytes<'_>) -> Result<Pickle<'_>, Error> {
    match pickle::read(bytes, &allowed)? {
        pickle::Unpickled::Whole(pickle) => Ok(pickle),
        pickle::Unpickled::Refused(all) => Err(refusal(&all)),
    }
}

/// One line, so that what to do stands beside what is wrong.
fn refusal(all: &[Refusal<'_>]) -> Error {
    let line = |r: &Refusal<'_>| {
        format!(
            "the class `{}.{}`, named at byte {} of the pickle",
            r.module, r.name, r.at
        )
    };
    let mut classes: Vec<String> = all.iter().take(MOST_CLASSES).map(line).collect();
    if let Some(more) = all.len().checked_sub(MOST_CLASSES).filter(|n| *n > 0) {
        classes.push(format!("{more} more"));
    }
    let is = match all.len() {
        1 => "is no tensor",
        _ => "are no tensors",
    };
    let module = |r: &Refusal<'_>| r.module.starts_with("torch.nn.") || r.module == "__main__";
    let (what, which) = match all.iter().any(module) {
        true => (
            "a whole module is pickled in the file, as `torch.save(model, …)` does",
            "its parameters",
        ),
        false => ("the pickle has more than tensors", "the parameters alone"),
    };
    Error::not_understood(format!(
        "{what}: {} {is}, and nothing in a file is run; save {which}: `{SAVE}`",
        classes.join(", ")
    ))
}

/// How many classes are named.
const MOST_CLASSES: usize = 8;

/// The classes that a file of tensors names.
fn allowed(module: &str, name: &str) -> bool {
    match module {
        "collections" => name == "OrderedDict",
        "torch._utils" => REBUILD.contains(&name) || name.starts_with("_rebuild_parameter"),
        "torch" => {
            ["Size", "device"].contains(&name)
                || name.ends_with("Storage")
                || DTYPES.iter().any(|(dtype, _)| *dtype == name)
        }
        "torch.storage" => ["UntypedStorage", "TypedStorage", "_TypedStorage"].contains(&name),
        "builtins" | "__builtin__" => ["set", "frozenset"].contains(&name),
        _ => false,
    }
}

const REBUILD: [&str; 3] = [
    "_rebuild_tensor",
    "_rebuild_tensor_v2",
    "_rebuild_tensor_v3",
];

const DTYPES: [(&str, Kind); 10] = [
    ("float32", Kind::F32),
    ("float64", Kind::F64),
    ("float16", Kind::F16),
    ("bfloat16", Kind::Bf16),
    ("int64", Kind::I64),
    ("int32", Kind::I32),
    ("int16", Kind::I16),
    ("int8", Kind::I8),
    ("uint8", Kind::U8),
    ("bool", Kind::Bool),
];

/// What the numbers of a storage are. `None`: bytes, of which the tensor says what they are.
pub(super) fn kind(storage: &str) -> Option<Kind> {
    Some(match storage {
        "FloatStorage" => Kind::F32,
        "DoubleStorage" => Kind::F64,
        "HalfStorage" => Kind::F16,
        "BFloat16Storage" => Kind::Bf16,
        "LongStorage" => Kind::I64,
        "IntStorage" => Kind::I32,
        "ShortStorage" => Kind::I16,
        "CharStorage" => Kind::I8,
        "ByteStorage" => Kind::U8,
        "BoolStorage" => Kind::Bool,
        _ => return None,
    })
}

/// Gives the bytes of a storage by its key.
type Fetch<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<u8>, Error>;

/// The numbers that tensors are views of.
pub(super) struct Storages<'p, 'f, 'a> {
    pub pickle: &'p Pickle<'f>,
    /// The pickle's file in an archive, and what stands before the key in the name of a storage's.
    pub files: Option<(&'p str, &'p str)>,
    /// Whether numbers are big-endian.
    pub big: bool,
    /// How many numbers may still be taken: tensors that share a storage could be many times larger than the file.
    pub left: usize,
    /// Storages that were read, by their keys.
    pub read: BTreeMap<&'f str, Vec<u8>>,
    pub fetch: Fetch<'a>,
}

/// The names under which checkpoints have a state dict.
const INNER: [&str; 4] = ["state_dict", "model_state_dict", "model_state", "model"];

/// The state dict at the top of a pickle, or in a checkpoint.
pub(super) fn found<'f>(
    pickle: &Pickle<'f>,
    storages: &mut Storages<'_, 'f, '_>,
) -> Result<StateDict, Error> {
    let Some(top) = pickle.entries(pickle.top()) else {
        return Err(Error::not_understood(format!(
            "expected a state dict, found another object; save `{SAVE}`"
        )));
    };
    let tensors = |id: ObjectId| {
        let entries = pickle.entries(id).unwrap_or_default();
        entries.iter().any(|(_, value)| storages.is_tensor(*value))
    };
    let inner = INNER
        .iter()
        .find_map(|key| top.iter().find(|(name, id)| name == key && tensors(*id)));
    let (dict, entries, beside) = match inner {
        Some((key, id)) => {
            let others: Vec<_> = top
                .iter()
                .filter(|(name, _)| name != key)
                .copied()
                .collect();
            (*id, pickle.entries(*id).unwrap_or_default(), others)
        }
        None if tensors(pickle.top()) => {
            let (own, others) = top.iter().partition(|(_, id)| storages.is_tensor(*id));
            (pickle.top(), own, others)
        }
        None => {
            let keys: Vec<&str> = top.iter().take(20).map(|(key, _)| *key).collect();
            return Err(Error::not_understood(format!(
                "expected a state dict, or one under {INNER:?}, found a dictionary with {keys:?}; save the one that is wanted: \
                 `{SAVE}`"
            )));
        }
    };
    let (mut parameters, mut wrong, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for (name, id) in entries {
        match storages.tensor(name, id) {
            Ok(Some(parameter)) => parameters.push(parameter),
            Ok(None) => notes.push(format!("left out, since it is no tensor: `{name}`")),
            Err(Error::NotUnderstood(lines)) => wrong.extend(lines),
            Err(error) => return Err(error),
        }
    }
    if !wrong.is_empty() {
        return Err(Error::NotUnderstood(wrong));
    }
    let mut found = StateDict::new(parameters)?;
    found.silent = silent(pickle, dict, &found);
    found.notes.extend(notes);
    let mut left = Vec::new();
    for (name, id) in beside {
        match scalar(pickle, id) {
            Some(value) => found.metadata.push((name.to_string(), value)),
            None => left.push(format!("`{name}`")),
        }
    }
    if !left.is_empty() {
        found.notes.push(format!(
            "left out of the checkpoint, since it is no state dict of the model: {}",
            listed(left, ", ", MOST_NAMED)
        ));
    }
    Ok(found)
}

/// A number or a text.
fn scalar(pickle: &Pickle<'_>, id: ObjectId) -> Option<String> {
    Some(match pickle.get(id) {
        Object::None => "none".to_string(),
        Object::Bool(value) => value.to_string(),
        Object::Int(value) => value.to_string(),
        Object::Float(value) => value.to_string(),
        Object::Text(value) if value.len() <= MOST_TEXT => value.to_string(),
        _ => return None,
    })
}

/// Modules in the metadata of a state dict that have no parameters, neither themselves nor within.
fn silent(pickle: &Pickle<'_>, dict: ObjectId, found: &StateDict) -> Vec<String> {
    let Object::Dict {
        state: Some(state), ..
    } = pickle.get(dict)
    else {
        return Vec::new();
    };
    let versions = pickle.entries(*state).unwrap_or_default();
    let versions = versions.iter().find(|(key, _)| *key == "_metadata");
    let names = versions.and_then(|(_, id)| pickle.entries(*id));
    let mut owners = BTreeSet::new();
    for parameter in &found.parameters {
        let dots = parameter.name.match_indices('.').take(MOST_PARTS);
        owners.extend(dots.filter_map(|(at, _)| parameter.name.get(..at)));
    }
    let names = names.unwrap_or_default().into_iter();
    let names = names.map(|(name, _)| without_compiled(name));
    names
        .filter(|name| !name.is_empty() && name != "module" && !owners.contains(name.as_str()))
        .filter(|name| {
            let name = name.strip_prefix("module.").unwrap_or(name);
            !owners.contains(name)
        })
        .collect()
}

impl<'f> Storages<'_, 'f, '_> {
    /// A call of one of PyTorch's functions with its arguments.
    fn called(&self, id: ObjectId) -> Option<(&'f str, &[ObjectId])> {
        let Object::Call {
            function,
            arguments,
        } = self.pickle.get(id)
        else {
            return None;
        };
        match self.pickle.get(*function) {
            Object::Global(_, name) => Some((name, self.pickle.row(*arguments)?)),
            _ => None,
        }
    }

    /// What is within a parameter.
    fn unwrapped(&self, id: ObjectId) -> ObjectId {
        let mut id = id;
        for _ in 0..4 {
            match self.called(id) {
                Some((name, [inner, ..])) if name.starts_with("_rebuild_parameter") => id = *inner,
                _ => break,
            }
        }
        id
    }

    fn is_tensor(&self, id: ObjectId) -> bool {
        let called = self.called(self.unwrapped(id));
        called.is_some_and(|(name, _)| REBUILD.contains(&name))
    }

    /// The sizes of a tuple or a `torch.Size`.
    fn sizes(&self, id: ObjectId) -> Option<Vec<usize>> {
        let row = match self.called(id) {
            Some(("Size", [row])) => *row,
            _ => id,
        };
        let sizes = self.pickle.row(row)?;
        let sizes = Some(sizes).filter(|all| all.len() <= MOST_AXES)?;
        sizes
            .iter()
            .map(|id| usize::try_from(self.pickle.int(*id)?).ok())
            .collect()
    }

    fn in_pickle(&self, error: Error) -> Error {
        match self.files {
            Some((pickle, _)) => error.within(pickle),
            None => error,
        }
    }

    fn in_storage(&self, key: &str, error: Error) -> Error {
        match self.files {
            Some((_, folder)) => error.within(&format!("{folder}{key}")),
            None => error,
        }
    }

    /// A tensor, if it is one.
    fn tensor(&mut self, name: &str, id: ObjectId) -> Result<Option<Parameter>, Error> {
        let Some((function, arguments)) = self.called(self.unwrapped(id)) else {
            return Ok(None);
        };
        if !REBUILD.contains(&function) {
            return Ok(None);
        }
        let wrong = |expected: &str| {
            let expected = format!("{expected} of the tensor `{name}` in the pickle");
            self.in_pickle(Error::damaged_somewhere(expected, "another object"))
        };
        let [storage, offset, size, stride, rest @ ..] = arguments else {
            return Err(wrong("a storage, a place, sizes and strides"));
        };
        let offset = self.pickle.int(*offset);
        let offset = offset.and_then(|n| usize::try_from(n).ok());
        let (Some(offset), Some(shape), Some(strides)) =
            (offset, self.sizes(*size), self.sizes(*stride))
        else {
            return Err(wrong("a place, sizes and strides"));
        };
        let Object::Persistent(row) = self.pickle.get(*storage) else {
            return Err(wrong("a storage"));
        };
        let Some([_, class, key, ..]) = self.pickle.row(*row) else {
            return Err(wrong("a storage's class and key"));
        };
        let (Object::Global(_, class), Some(key)) =
            (self.pickle.get(*class), self.pickle.text(*key))
        else {
            return Err(wrong("a storage's class and key"));
        };
        // The third version says what the bytes are after `requires_grad` and the hooks.
        let dtype = match (function, rest) {
            ("_rebuild_tensor_v3", [_, _, dtype, ..]) => match self.pickle.get(*dtype) {
                Object::Global(_, dtype) => {
                    let known = DTYPES.iter().find(|(name, _)| name == dtype);
                    known.map(|(_, kind)| *kind)
                }
                _ => None,
            },
            _ => None,
        };
        let Some(kind) = dtype.or_else(|| kind(class)) else {
            return Err(Error::not_understood(format!(
                "`{name}` {shape:?}: its numbers are of `{class}`, which is not read"
            )));
        };
        let elements = elements(&shape).filter(|n| *n <= self.left);
        let Some(elements) = elements.filter(|_| shape.len() == strides.len()) else {
            return Err(self.in_pickle(Error::damaged_somewhere(
                format!(
                    "a tensor `{name}` of at most {} numbers and as many strides as axes",
                    self.left
                ),
                format!("the shape {shape:?}, the strides {strides:?}"),
            )));
        };
        self.left -= elements;
        if !self.read.contains_key(key) {
            let bytes = (self.fetch)(key)?;
            self.read.insert(key, bytes);
        }
        let bytes = self.read.get(key).map(Vec::as_slice).unwrap_or_default();
        let values = view(bytes, kind, self.big, offset, &shape, &strides).ok_or_else(|| {
            self.in_storage(
                key,
                Error::damaged_somewhere(
                    format!("{elements} numbers of {kind:?} for `{name}` from number {offset} of the storage {key:?} on"),
                    format!("{} bytes", bytes.len()),
                ),
            )
        })?;
        Ok(Some(Parameter {
            name: name.to_string(),
            shape,
            values,
            integers: !kind.is_float(),
        }))
    }
}

/// A view of a storage, rows after rows.
fn view(
    bytes: &[u8],
    kind: Kind,
    big: bool,
    offset: usize,
    shape: &[usize],
    strides: &[usize],
) -> Option<Vec<f32>> {
    let count = elements(shape)?;
    if count == 0 {
        return Some(Vec::new());
    }
    // One more than the last number's place.
    let mut end = offset.checked_add(1)?;
    for (size, stride) in shape.iter().zip(strides) {
        end = end.checked_add((size - 1).checked_mul(*stride)?)?;
    }
    let part = bytes.get(offset.checked_mul(kind.size())?..end.checked_mul(kind.size())?)?;
    let mut row = 1_usize;
    let mut whole = true;
    for (size, stride) in shape.iter().zip(strides).rev() {
        whole &= *size == 1 || *stride == row;
        row = row.checked_mul(*size)?;
    }
    if whole {
        return Some(floats(part, kind, big));
    }
    let mut values = Vec::with_capacity(count);
    let mut place = vec![0_usize; shape.len()];
    for _ in 0..count {
        let at: usize = place
            .iter()
            .zip(strides)
            .map(|(n, stride)| n * stride)
            .sum();
        let number = part.get(at * kind.size()..(at + 1) * kind.size())?;
        values.extend(floats(number, kind, big));
        for (n, size) in place.iter_mut().zip(shape).rev() {
            *n += 1;
            if *n < *size {
                break;
            }
            *n = 0;
        }
    }
    Some(values)
}
