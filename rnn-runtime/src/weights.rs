//! Weights in files: [safetensors](https://github.com/huggingface/safetensors) under Keras's
//! names, such as `lstm/kernel`, every tensor `F32` in Keras's shape.
//!
//! A save is atomic: a program that dies in the middle leaves the old file complete. A load checks
//! everything first and reports all problems together; if there is one, it changes nothing.
//!
//! A model has the same as methods: `Model::save`, `load` and `load_matching`. The functions here also take bytes,
//! such as those of `include_bytes!`, and any list of parameters.

mod atomic;

use std::{collections::HashMap, fs, path::Path};

use safetensors::{
    SafeTensors,
    tensor::{Dtype, TensorView},
};

use crate::{error::Error, params::ParamSpec};

#[doc(hidden)]
pub use atomic::{make_folder, write_atomically};

/// Writes `weights`, laid out as in [`Learner::weights`](crate::learner::Learner::weights), to the
/// safetensors file `path`. An existing file is replaced in one step, when the new one is complete
/// and on the disk.
///
/// # Errors
/// [`Error::Shape`] if `weights` is not as long as `specs` say, [`Error::Argument`] if a weight is
/// not finite, which [`load`] would refuse, [`Error::Io`] if the file cannot be written. An existing
/// file is then as it was.
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
    let bytes = to_bytes(specs, weights).map_err(|e| match e {
        Error::Argument(why) => {
            Error::Argument(format!("{} is not written: {why}", path.display()))
        }
        e => e,
    })?;
    write_atomically(path, &bytes).map_err(|source| io(path, source))
}

/// The bytes that [`save`] writes.
///
/// # Errors
/// [`Error::Shape`] if `weights` is not as long as `specs` say, [`Error::Argument`] if a weight is
/// not finite.
pub fn to_bytes(specs: &[ParamSpec], weights: &[f32]) -> Result<Vec<u8>, Error> {
    check_length(specs, weights.len())?;
    let mut at = 0;
    for spec in specs {
        let values = &weights[at..at + spec.len()];
        if let Some(line) = not_finite(spec, values.iter().copied()) {
            return Err(Error::Argument(line));
        }
        at += spec.len();
    }
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
/// [`Error::Io`] if the file cannot be read; [`Error::Format`] if it is not a safetensors file or a
/// damaged one; [`Error::Weights`] with one line for every parameter that is missing, tensor that
/// the model does not have, shape or type that differs, and tensor with a number that is not finite.
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
    let file = read(name, bytes, specs)?;
    let problems = problems(&file, specs);
    if !problems.is_empty() {
        return Err(problem(problems));
    }
    let mut rest = weights;
    for spec in specs {
        let (values, tail) = rest.split_at_mut(spec.len());
        rest = tail;
        // Cannot fail: `problems` has found all tensors.
        let tensor = file
            .tensor(spec.name)
            .map_err(|e| problem(vec![e.to_string()]))?;
        for (value, bytes) in values.iter_mut().zip(floats(tensor.data())) {
            *value = bytes;
        }
    }
    Ok(())
}

/// Reads every tensor of the file that has the name and the shape of a parameter. Other parameters do not
/// change; other tensors are ignored.
///
/// Returns the names of the parameters that were read.
///
/// # Errors
/// As [`load`]; [`Error::Weights`] only for problems of matching tensors, or if none matches.
pub fn load_matching(
    path: impl AsRef<Path>,
    specs: &[ParamSpec],
    weights: &mut [f32],
) -> Result<Vec<&'static str>, Error> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|source| io(path, source))?;
    let name = path.display().to_string();
    check_length(specs, weights.len())?;
    let file = read(&name, &bytes, specs)?;
    let mut found = Vec::new();
    let mut at = 0;
    for spec in specs {
        if let Ok(tensor) = file.tensor(spec.name)
            && tensor.shape() == spec.shape
        {
            found.push((*spec, at, tensor));
        }
        at += spec.len();
    }
    let mut problems: Vec<String> = found
        .iter()
        .filter_map(|(spec, _, tensor)| match tensor.dtype() {
            Dtype::F32 => not_finite(spec, floats(tensor.data())),
            other => Some(format!("{}: expected type F32, found {other}", spec.name)),
        })
        .collect();
    if found.is_empty() {
        problems = self::problems(&file, specs);
    }
    if !problems.is_empty() {
        return Err(Error::Weights {
            file: name,
            problems,
        });
    }
    for (spec, at, tensor) in &found {
        let to = &mut weights[*at..*at + spec.len()];
        for (to, value) in to.iter_mut().zip(floats(tensor.data())) {
            *to = value;
        }
    }
    Ok(found.iter().map(|(spec, ..)| spec.name).collect())
}

/// The tensors of a file, or an error that says what it is instead of safetensors.
fn read<'b>(name: &str, bytes: &'b [u8], specs: &[ParamSpec]) -> Result<SafeTensors<'b>, Error> {
    SafeTensors::deserialize(bytes).map_err(|e| {
        let from_keras = |what: &str| {
            let names: Vec<String> = specs
                .iter()
                .take(2)
                .map(|s| format!("{:?}: {:?}", s.name, s.shape))
                .collect();
            format!(
                "it is {what}; weights come as safetensors: in Python, \
                 `safetensors.numpy.save_file({{name: array, …}}, \"model.safetensors\")` with the \
                 names and shapes of this model ({}, …)",
                names.join(", ")
            )
        };
        let problem = if bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
            from_keras("an HDF5 file, as Keras writes `.h5`")
        } else if bytes.starts_with(b"PK\x03\x04") {
            from_keras("a zip archive, as Keras writes `.keras` and PyTorch `.pt`")
        } else {
            format!("not a safetensors file, or a damaged one: {e}")
        };
        Error::Format {
            file: name.to_owned(),
            problem,
        }
    })
}

/// The problem of a parameter with numbers that are not finite.
fn not_finite(spec: &ParamSpec, values: impl Iterator<Item = f32>) -> Option<String> {
    let bad: Vec<usize> = values
        .enumerate()
        .filter_map(|(index, value)| (!value.is_finite()).then_some(index))
        .collect();
    let first = bad.first()?;
    Some(format!(
        "{}: {} of {} numbers not finite, the first at index {first}",
        spec.name,
        bad.len(),
        spec.len()
    ))
}

/// All reasons why `file` cannot be the weights of `specs`, in the order of the parameters; then the
/// tensors that the model does not have, by name.
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
        problems.extend(not_finite(spec, floats(tensor.data())));
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
