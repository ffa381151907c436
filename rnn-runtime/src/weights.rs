//! Weights in files: [safetensors](https://github.com/huggingface/safetensors) under Keras's
//! names, such as `lstm/kernel`, every tensor `F32` in Keras's shape. With the feature `import` a load reads what others
//! write, too: Keras's `.keras`, `.weights.h5` and `.h5`, PyTorch's state dicts, ONNX, RTNeural's and GuitarML's JSON, `.nam`.
//! The format is told from the content.
//!
//! What Keras itself calls its variables is read: the file that
//! `save_file({v.path: v.numpy() for v in model.variables}, "model.safetensors")` writes in Python has
//! `sequential/lstm/lstm_cell/kernel`. Models around a layer, cells and layers inside of others are left out of the name;
//! seeds and what belongs to an optimizer are no weights. Layers that Keras has counted (`lstm_3`, `lstm_4`, since a
//! script made others before) are taken in the order of their numbers. What could be two things is an error. PyTorch's
//! modules are those with the names of layers; others are taken in the order of the file, each for the first layer that it
//! fits. Safetensors are sorted by names: several modules of one shape need numbers (`fc1`, `fc2`) or layers of their names.
//!
//! A save is atomic: a program that dies in the middle leaves the old file complete. A load checks
//! everything first and reports all problems together; if there is one, it changes nothing.
//!
//! A model has the same as methods: `Model::save`, `load` and `load_matching`. The functions here also take bytes,
//! such as those of `include_bytes!`, and any list of parameters.

mod atomic;

use std::{
    borrow::Cow,
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use rnn_formats::{ParamShape, Tensor, Unfit, Written, fit, fit_matching, layers_of, near_beside};
use safetensors::tensor::{Dtype, TensorView};

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
        if let Some(line) = not_finite(spec, values) {
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

/// Reads the weights in the file `path` into `weights`: safetensors with the names that [`save`] writes, Keras's own or
/// PyTorch's, and other formats with the feature `import`. A file that is not there costs a look at the names in its folder, for
/// the error says which of them may be meant.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Format`] if it is of no known format, or damaged; [`Error::Weights`] with
/// one line for every parameter that is missing (and what
/// is nearest to it in the file) or could be several tensors, tensor that the model does not have, shape
/// that differs, and tensor with a number that is not finite. `weights` is then as it was.
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
    File::read(path.as_ref())?.load(specs, None, weights)
}

/// [`load`] for a model with these layers, names and texts. A file that has layers of its own, which compute something else, is
/// an error.
pub(crate) fn load_as(
    path: impl AsRef<Path>,
    specs: &[ParamSpec],
    layers: &[(&str, &str)],
    weights: &mut [f32],
) -> Result<(), Error> {
    File::read(path.as_ref())?.load(specs, Some(layers), weights)
}

/// [`load`] from bytes, such as those of `include_bytes!`. `name` is what errors call them. Files that they name are not
/// read: ONNX with its tensors in another file is an error.
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
    let file = File {
        name: name.to_owned(),
        bytes: Cow::Borrowed(bytes),
        folder: None,
    };
    file.load(specs, None, weights)
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
    check_length(specs, weights.len())?;
    let file = File::read(path.as_ref())?;
    let tensors = file.tensors()?;
    let found = fit_matching(&tensors, &wanted(specs)).map_err(|p| file.differs(p))?;
    let mut rest = weights;
    let mut names = Vec::new();
    for (spec, tensor) in specs.iter().zip(found) {
        let (values, tail) = rest.split_at_mut(spec.len());
        rest = tail;
        if let Some(tensor) = tensor {
            values.copy_from_slice(&tensor.values);
            names.push(spec.name);
        }
    }
    Ok(names)
}

/// A file, in whichever format.
struct File<'b> {
    name: String,
    bytes: Cow<'b, [u8]>,
    /// Where the files are that it names.
    folder: Option<PathBuf>,
}

impl File<'_> {
    fn read(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(|source| {
            let near = match source.kind() {
                // One folder: a program may try files that are not there.
                std::io::ErrorKind::NotFound => {
                    near_beside(Path::new("."), &path.to_string_lossy())
                }
                _ => None,
            };
            Error::Io {
                path: path.display().to_string(),
                near,
                source,
            }
        })?;
        Ok(File {
            name: path.display().to_string(),
            bytes: Cow::Owned(bytes),
            folder: path.parent().map(Path::to_owned),
        })
    }

    fn load(
        &self,
        specs: &[ParamSpec],
        layers: Option<&[(&str, &str)]>,
        weights: &mut [f32],
    ) -> Result<(), Error> {
        check_length(specs, weights.len())?;
        let wanted = wanted(specs);
        let own = rnn_formats::weights(&self.bytes, &mut self.beside(), &wanted);
        // Who has written layers is told those of the file.
        let other = |mut problems: Vec<String>, mends: bool| {
            if layers.is_some() && mends {
                problems.extend(layers_of(&self.bytes, &mut self.beside()));
            }
            self.differs(problems)
        };
        let own = own.map_err(|e| match e {
            Unfit::Differs(problems) => other(problems, true),
            e => self.unfit(e),
        })?;
        let found =
            fit(&own.tensors, &wanted).map_err(|misfit| other(misfit.lines, misfit.layers))?;
        if let Some(layers) = layers {
            let written = layers.iter().map(|&(name, text)| Written { name, text });
            let mut lines = own.differences(&written.collect::<Vec<_>>()).lines;
            if !lines.is_empty() {
                if own.network.is_some() {
                    lines.push(format!(
                        "`recurrent convert {} weights.safetensors` gives weights that go with any layers",
                        self.name
                    ));
                }
                return Err(self.differs(lines));
            }
        }
        let mut rest = weights;
        for tensor in found {
            let (values, tail) = rest.split_at_mut(tensor.values.len());
            rest = tail;
            values.copy_from_slice(&tensor.values);
        }
        Ok(())
    }

    /// The tensors under the names of the file.
    fn tensors(&self) -> Result<Vec<Tensor>, Error> {
        let tensors = rnn_formats::tensors(&self.bytes, &mut self.beside(), None);
        tensors.map_err(|e| self.unfit(e))
    }

    /// How a file is read that this one names.
    fn beside(&self) -> impl FnMut(&str) -> std::io::Result<Vec<u8>> + '_ {
        |name| match &self.folder {
            Some(folder) => fs::read(folder.join(name)),
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    fn unfit(&self, e: Unfit) -> Error {
        match e {
            Unfit::Unread(e) => Error::Format {
                file: self.name.clone(),
                problem: e.to_string(),
            },
            Unfit::Differs(problems) => self.differs(problems),
        }
    }

    fn differs(&self, problems: Vec<String>) -> Error {
        Error::Weights {
            file: self.name.clone(),
            problems,
        }
    }
}

fn wanted(specs: &[ParamSpec]) -> Vec<ParamShape<'_>> {
    let one = |spec: &'_ ParamSpec| ParamShape {
        name: spec.name,
        shape: spec.shape,
    };
    specs.iter().map(one).collect()
}

/// The problem of a parameter with numbers that are not finite.
fn not_finite(spec: &ParamSpec, values: &[f32]) -> Option<String> {
    let first = values.iter().position(|v| !v.is_finite())?;
    let bad = values.iter().filter(|v| !v.is_finite()).count();
    Some(format!(
        "{}: {bad} of {} numbers not finite, the first at index {first}",
        spec.name,
        spec.len()
    ))
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
        near: None,
        source,
    }
}

#[cfg(test)]
mod tests;
