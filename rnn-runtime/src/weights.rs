//! Weights in files: [safetensors](https://github.com/huggingface/safetensors) under Keras's
//! names, such as `lstm/kernel`, every tensor `F32` in Keras's shape.
//!
//! What Keras itself calls its variables is read, too: the file that
//! `save_file({v.path: v.numpy() for v in model.variables}, "model.safetensors")` writes in Python has
//! `sequential/lstm/lstm_cell/kernel`. Models around a layer, cells and layers inside of others are left out of the name;
//! seeds and what belongs to an optimizer are no weights. Layers that Keras has counted (`lstm_3`, `lstm_4`, since a
//! script made others before) are taken in the order of their numbers. What could be two things is an error.
//!
//! A save is atomic: a program that dies in the middle leaves the old file complete. A load checks
//! everything first and reports all problems together; if there is one, it changes nothing.
//!
//! A model has the same as methods: `Model::save`, `load` and `load_matching`. The functions here also take bytes,
//! such as those of `include_bytes!`, and any list of parameters.

mod atomic;
mod names;

use std::{collections::HashMap, fs, path::Path};

use safetensors::{
    SafeTensors,
    tensor::{Dtype, TensorView},
};

use crate::{
    error::Error,
    params::{ParamSpec, distance},
};
use names::{Assigned, Assignment};

/// How many tensors are compared with a missing parameter, to find the nearest.
const MAX_COMPARED: usize = 1000;

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
/// use recurrent::{params::{Init, ParamSpec}, weights::{load, save}};
///
/// let specs = [ParamSpec::new("dense/bias", &[2], Init::Zeros)];
/// let path = std::env::temp_dir().join(format!("doc-save-{}.safetensors", std::process::id()));
/// save(&path, &specs, &[1.0, 2.0])?;
///
/// let mut weights = [0.0; 2];
/// load(&path, &specs, &mut weights)?;
/// assert_eq!(weights, [1.0, 2.0]);
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), recurrent::Error>(())
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
///
/// Example: [`save`].
pub fn to_bytes(specs: &[ParamSpec], weights: &[f32]) -> Result<Vec<u8>, Error> {
    check_length(specs, weights.len())?;
    let mut at = 0;
    for spec in specs {
        let values = &weights[at..at + spec.len()];
        if let Some(line) = not_finite(spec.name, spec, values.iter().copied()) {
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

/// Reads the safetensors file `path`, with the names that [`save`] writes or Keras's own, into `weights`.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Format`] if it is not a safetensors file, a
/// damaged one, or one of PyTorch's names; [`Error::Weights`] with one line for every parameter that is missing (and what
/// is nearest to it in the file) or could be several tensors, tensor that the model does not have, shape or type that
/// differs, and tensor with a number that is not finite. `weights` is then as it was.
///
/// ```
/// use recurrent::{Error, params::{Init, ParamSpec}, weights::{load_bytes, to_bytes}};
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
///
/// Example: [`load`].
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
    let file = read(name, bytes)?;
    let names = names_of(name, &file)?;
    let assignment = names::assign(&names, specs, true);
    let problems = problems(&file, specs, &assignment);
    if !problems.is_empty() {
        return Err(problem(problems));
    }
    let mut rest = weights;
    for (spec, assigned) in specs.iter().zip(&assignment.of) {
        let (values, tail) = rest.split_at_mut(spec.len());
        rest = tail;
        let Assigned::Tensor(name) = assigned else {
            continue;
        };
        // Cannot fail: `problems` has found all tensors.
        let tensor = file
            .tensor(name)
            .map_err(|e| problem(vec![e.to_string()]))?;
        for (value, bytes) in values.iter_mut().zip(floats(tensor.data())) {
            *value = bytes;
        }
    }
    Ok(())
}

/// Reads every tensor of the file that has the name and the shape of a parameter. Other parameters do not
/// change; other tensors are ignored. The names are those that [`save`] writes or Keras's own.
///
/// Returns the names of the parameters that were read.
///
/// # Errors
/// As [`load`]; [`Error::Weights`] only for problems of matching tensors, for parameters that could be several of them,
/// or if none matches.
///
/// Example: `model.load_matching(path)`, in [`Model`](https://docs.rs/recurrent/latest/recurrent/model/trait.Model.html).
pub fn load_matching(
    path: impl AsRef<Path>,
    specs: &[ParamSpec],
    weights: &mut [f32],
) -> Result<Vec<&'static str>, Error> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|source| io(path, source))?;
    let name = path.display().to_string();
    check_length(specs, weights.len())?;
    let file = read(&name, &bytes)?;
    let names = names_of(&name, &file)?;
    let assignment = names::assign(&names, specs, false);
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut at = 0;
    for (spec, assigned) in specs.iter().zip(&assignment.of) {
        if let Assigned::Tensor(name) = assigned
            && let Ok(tensor) = file.tensor(name)
            && tensor.shape() == spec.shape
        {
            problems.extend(match tensor.dtype() {
                Dtype::F32 => not_finite(&label(spec, name), spec, floats(tensor.data())),
                other => Some(wrong_type(&label(spec, name), other)),
            });
            found.push((*spec, at, tensor));
        }
        if let Assigned::OneOf(paths) = assigned {
            problems.push(one_of(spec, paths));
        }
        at += spec.len();
    }
    if found.is_empty() {
        problems = self::problems(&file, specs, &assignment);
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
fn read<'b>(name: &str, bytes: &'b [u8]) -> Result<SafeTensors<'b>, Error> {
    SafeTensors::deserialize(bytes).map_err(|e| {
        let other = |what: &str| {
            format!(
                "it is {what}; weights come as safetensors: in Keras \
                 `safetensors.numpy.save_file({{v.path: v.numpy() for v in model.variables}}, \
                 \"model.safetensors\")`, and from PyTorch as {FROM_PYTORCH} says"
            )
        };
        let problem = if bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
            other("an HDF5 file, as Keras writes `.h5`")
        } else if bytes.starts_with(b"PK\x03\x04") {
            other("a zip archive, as Keras writes `.keras` and PyTorch `.pt`")
        } else if matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
            format!(
                "it is JSON, as RTNeural reads; weights come as safetensors: {FROM_RTNEURAL} has the script that makes them of it"
            )
        } else {
            format!("not a safetensors file, or a damaged one: {e}")
        };
        Error::Format {
            file: name.to_owned(),
            problem,
        }
    })
}

/// Where the way from RTNeural is described.
const FROM_RTNEURAL: &str = "docs/src/weights.md#from-rtneural";

/// Where the way from PyTorch is described.
const FROM_PYTORCH: &str = "docs/src/weights.md#from-pytorch";

/// The names of the tensors of a file, or an error if they are PyTorch's.
fn names_of<'f>(name: &str, file: &'f SafeTensors<'_>) -> Result<Vec<&'f str>, Error> {
    let mut names: Vec<&str> = file.names();
    names.sort_unstable();
    if !names::are_pytorch(&names) {
        return Ok(names);
    }
    let shown: Vec<String> = names.iter().take(3).map(|n| printable(n)).collect();
    let more = if names.len() > shown.len() {
        ", …"
    } else {
        ""
    };
    Err(Error::Format {
        file: name.to_owned(),
        problem: format!(
            "its names are PyTorch's ({}{more}); PyTorch has its matrices the other way round and other gates, so they \
             have to be turned: {FROM_PYTORCH} has the Python for it",
            shown.join(", ")
        ),
    })
}

/// The problem of a parameter with numbers that are not finite.
fn not_finite(label: &str, spec: &ParamSpec, values: impl Iterator<Item = f32>) -> Option<String> {
    let bad: Vec<usize> = values
        .enumerate()
        .filter_map(|(index, value)| (!value.is_finite()).then_some(index))
        .collect();
    let first = bad.first()?;
    Some(format!(
        "{label}: {} of {} numbers not finite, the first at index {first}",
        bad.len(),
        spec.len()
    ))
}

fn wrong_type(label: &str, found: Dtype) -> String {
    format!("{label}: expected type F32, found {found}")
}

/// A parameter, and what the file calls it if that is another name.
fn label(spec: &ParamSpec, tensor: &str) -> String {
    match spec.name == tensor {
        true => spec.name.to_owned(),
        false => format!("{} (`{}` of the file)", spec.name, printable(tensor)),
    }
}

/// The problem of a parameter that could be several tensors.
fn one_of(spec: &ParamSpec, paths: &[&str]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|p| format!("`{}`", printable(p)))
        .collect();
    format!(
        "{}: could be in {}; give the layers the same names in Keras and here",
        spec.name,
        paths.join(" or ")
    )
}

/// All reasons why `file` cannot be the weights of `specs`, in the order of the parameters; then the
/// tensors that the model does not have, by name.
fn problems(
    file: &SafeTensors<'_>,
    specs: &[ParamSpec],
    assignment: &Assignment<'_>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let shape = |name: &str| file.tensor(name).map_or(Vec::new(), |t| t.shape().to_vec());
    for (spec, assigned) in specs.iter().zip(&assignment.of) {
        let name = match assigned {
            Assigned::Tensor(name) => *name,
            Assigned::Missing => {
                let near = nearest(spec, &assignment.left, &shape);
                let near = near.map(|n| {
                    let (name, shape) = (printable(n), shape(n));
                    format!("; the nearest in the file is `{name}` {shape:?}")
                });
                problems.push(format!(
                    "{}: missing, expected shape {:?}{}",
                    spec.name,
                    spec.shape,
                    near.unwrap_or_default()
                ));
                continue;
            }
            Assigned::OneOf(paths) => {
                problems.push(one_of(spec, paths));
                continue;
            }
        };
        let Ok(tensor) = file.tensor(name) else {
            continue;
        };
        let label = label(spec, name);
        let mut differs = false;
        if tensor.shape() != spec.shape {
            let found = tensor.shape();
            problems.push(format!(
                "{label}: expected shape {:?}, found {found:?}",
                spec.shape
            ));
            differs = true;
        }
        if tensor.dtype() != Dtype::F32 {
            problems.push(wrong_type(&label, tensor.dtype()));
            differs = true;
        }
        if differs {
            continue;
        }
        problems.extend(not_finite(&label, spec, floats(tensor.data())));
    }
    let extra = assignment.left.iter();
    problems.extend(extra.map(|name| {
        format!(
            "{}: not in the model, shape {:?}",
            printable(name),
            shape(name)
        )
    }));
    problems
}

/// The tensor of `left` that a missing parameter may be: one of its shape with the same last part, or else one of nearly
/// its name.
fn nearest<'f>(
    spec: &ParamSpec,
    left: &[&'f str],
    shape: &impl Fn(&str) -> Vec<usize>,
) -> Option<&'f str> {
    let (layer, own) = spec.name.split_once('/').unwrap_or(("", spec.name));
    let last = |name: &str| name.rsplit('/').next() == own.rsplit('/').next();
    let apart = |name: &str| {
        let of_layer = |part: &str| distance(layer, part);
        name.split('/').map(of_layer).min().unwrap_or(usize::MAX)
    };
    let compared = left.iter().take(MAX_COMPARED);
    let (other, _, name) = compared
        .map(|name| {
            let same = last(name) && shape(name) == spec.shape;
            (!same, apart(name).min(distance(spec.name, name)), *name)
        })
        .min()?;
    let near = !other || distance(spec.name, name) <= spec.name.len() / 3;
    near.then_some(name)
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
