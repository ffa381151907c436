//! Weights in files: [safetensors](https://github.com/huggingface/safetensors) under Keras's
//! names, such as `lstm/kernel`, every tensor `F32` in Keras's shape.
//!
//! A save is atomic: a program that dies in the middle leaves the old file whole. A load checks
//! everything first, reports all problems together and changes nothing if there is one.

mod atomic;

use std::{collections::HashMap, fmt::Write as _, fs, path::Path};

use safetensors::{
    SafeTensors,
    tensor::{Dtype, TensorView},
};

use crate::{error::Error, params::ParamSpec};

pub(crate) use atomic::write_atomically;

/// Writes `weights`, laid out as in [`Learner::weights`](crate::learner::Learner::weights), to the
/// safetensors file `path`. An existing file is replaced in one step, when the new one is complete
/// and on the disk.
///
/// # Errors
/// [`Error::Shape`] if `weights` is not as long as `specs` say, [`Error::Io`] if the file cannot
/// be written. An existing file is then as it was.
///
/// ```
/// use rnn_runtime::{params::{Init, ParamSpec}, weights::{load, save}};
///
/// let specs = [ParamSpec::new("dense/bias", &[2], Init::Zeros)];
/// let path = std::env::temp_dir().join(format!("doc-save-{}.safetensors", std::process::id()));
/// save(&path, &specs, &[1.0, 2.0])?;
///
/// let mut weights = [0.0; 2];
/// load(&path, &specs, &mut weights)?;
/// assert_eq!(weights, [1.0, 2.0]);
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), rnn_runtime::Error>(())
/// ```
pub fn save(path: impl AsRef<Path>, specs: &[ParamSpec], weights: &[f32]) -> Result<(), Error> {
    let path = path.as_ref();
    let bytes = to_bytes(specs, weights)?;
    write_atomically(path, &bytes).map_err(|source| io(path, source))
}

/// The bytes that [`save`] writes.
///
/// # Errors
/// [`Error::Shape`] if `weights` is not as long as `specs` say.
pub fn to_bytes(specs: &[ParamSpec], weights: &[f32]) -> Result<Vec<u8>, Error> {
    check_length(specs, weights.len())?;
    let bytes: Vec<u8> = weights.iter().flat_map(|w| w.to_le_bytes()).collect();
    let mut tensors = Vec::with_capacity(specs.len());
    let mut rest = bytes.as_slice();
    for spec in specs {
        let (data, tail) = rest.split_at(4 * spec.len());
        rest = tail;
        let view = TensorView::new(Dtype::F32, spec.shape.to_vec(), data);
        tensors.push((
            spec.name,
            view.map_err(|e| Error::Argument(format!("{}: {e}", spec.name)))?,
        ));
    }
    let metadata = HashMap::from([("format".to_owned(), "keras".to_owned())]);
    safetensors::serialize(tensors, Some(metadata)).map_err(|e| Error::Argument(e.to_string()))
}

/// Reads the safetensors file `path` into `weights`.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Weights`] with one line for every parameter
/// that is missing, tensor that the model does not have, shape or type that differs, and tensor
/// with a number that is not finite, or one line if it is not a safetensors file at all.
/// `weights` is then as it was.
///
/// ```
/// use rnn_runtime::{Error, params::{Init, ParamSpec}, weights::{load_bytes, to_bytes}};
///
/// let saved = [ParamSpec::new("dense/bias", &[2], Init::Zeros)];
/// let bytes = to_bytes(&saved, &[1.0, 2.0])?;
///
/// let wanted = [ParamSpec::new("dense/bias", &[3], Init::Zeros)];
/// let error = load_bytes("a file", &bytes, &wanted, &mut [0.0; 3]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "a file does not fit the model:\n  dense/bias: expected shape [3], found [2]",
/// );
/// # Ok::<(), Error>(())
/// ```
pub fn load(path: impl AsRef<Path>, specs: &[ParamSpec], weights: &mut [f32]) -> Result<(), Error> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|source| io(path, source))?;
    load_bytes(&path.display().to_string(), &bytes, specs, weights)
}

/// [`load`] from bytes, such as those of `include_bytes!`. `name` is what errors call them.
///
/// # Errors
/// As [`load`], without those of the file system.
pub fn load_bytes(
    name: &str,
    bytes: &[u8],
    specs: &[ParamSpec],
    weights: &mut [f32],
) -> Result<(), Error> {
    check_length(specs, weights.len())?;
    let problem = |problems| Error::Weights {
        file: name.to_owned(),
        problems,
    };
    let file = SafeTensors::deserialize(bytes).map_err(|e| {
        problem(vec![format!(
            "not a safetensors file, or a damaged one: {e}"
        )])
    })?;
    let problems = problems(&file, specs);
    if !problems.is_empty() {
        return Err(problem(problems));
    }
    let mut rest = weights;
    for spec in specs {
        let (values, tail) = rest.split_at_mut(spec.len());
        rest = tail;
        // Cannot fail: `problems` has found all of them.
        let tensor = file
            .tensor(spec.name)
            .map_err(|e| problem(vec![e.to_string()]))?;
        for (value, bytes) in values.iter_mut().zip(floats(tensor.data())) {
            *value = bytes;
        }
    }
    Ok(())
}

/// Everything that keeps `file` from being the weights of `specs`, in the order of the
/// parameters, then what the model does not have by name.
fn problems(file: &SafeTensors<'_>, specs: &[ParamSpec]) -> Vec<String> {
    let mut problems = Vec::new();
    for spec in specs {
        let name = spec.name;
        let Ok(tensor) = file.tensor(name) else {
            problems.push(format!("{name}: missing, expected shape {:?}", spec.shape));
            continue;
        };
        let mut differs = false;
        if tensor.shape() != spec.shape {
            let found = tensor.shape();
            problems.push(format!(
                "{name}: expected shape {:?}, found {found:?}",
                spec.shape
            ));
            differs = true;
        }
        if tensor.dtype() != Dtype::F32 {
            problems.push(format!(
                "{name}: expected type F32, found {}",
                tensor.dtype()
            ));
            differs = true;
        }
        if differs {
            continue;
        }
        let bad: Vec<usize> = floats(tensor.data())
            .enumerate()
            .filter_map(|(index, value)| (!value.is_finite()).then_some(index))
            .collect();
        if let Some(first) = bad.first() {
            let mut line = format!("{name}: {} of {} numbers not finite", bad.len(), spec.len());
            let _ = write!(line, ", the first at index {first}");
            problems.push(line);
        }
    }
    let mut extra: Vec<String> = file
        .iter()
        .filter(|(name, _)| !specs.iter().any(|spec| spec.name == *name))
        .map(|(name, tensor)| {
            format!(
                "{}: not in the model, shape {:?}",
                printable(name),
                tensor.shape()
            )
        })
        .collect();
    extra.sort();
    problems.append(&mut extra);
    problems
}

/// A name from a file, harmless on a terminal.
fn printable(name: &str) -> String {
    name.escape_debug().to_string()
}

/// The little-endian floats of a tensor.
fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
}

/// `length` floats for `specs`, or an error.
fn check_length(specs: &[ParamSpec], length: usize) -> Result<(), Error> {
    let expected: usize = specs.iter().map(ParamSpec::len).sum();
    if length == expected {
        return Ok(());
    }
    Err(Error::Shape {
        what: "weights".to_owned(),
        expected: format!("[{expected}]"),
        found: format!("[{length}]"),
    })
}

pub(crate) fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests;
