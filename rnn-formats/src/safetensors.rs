//! Safetensors, with the names of Keras or PyTorch.

use std::collections::BTreeSet;

use ::safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::{
    Error, Format, Imported, Tensor, Weights,
    fit::optimizers,
    floats::{Kind, floats},
    listed::{MOST_NAMED, listed},
    told,
    torch::{self, Parameter, StateDict},
};

/// The tensors of a file as floats. Names with slashes are Keras's and stay; others are PyTorch's, whose modules become
/// layers under names that are counted here.
///
/// # Errors
/// [`Error::Damaged`] if the file is, [`Error::NotUnderstood`] with all tensors that are neither floats nor integers, that
/// are not finite, or that are none of a known module of PyTorch.
pub fn read(bytes: &[u8]) -> Result<Imported, Error> {
    let file = File::open(bytes)?;
    match file.has_names_of_keras() {
        true => file.of_keras(),
        false => torch::imported(file.into_state_dict()?, Format::Safetensors),
    }
}

/// The tensors of a file with PyTorch's names.
///
/// # Errors
/// As [`read`].
pub fn state_dict(bytes: &[u8]) -> Result<StateDict, Error> {
    File::open(bytes)?.into_state_dict()
}

/// The tensors of a file; PyTorch's under counted names (`lstm`, `lstm_1`).
///
/// # Errors
/// As [`read`], and if modules that are sorted by their names cannot be counted.
pub(crate) fn counted(bytes: &[u8]) -> Result<Vec<Tensor>, Error> {
    let file = File::open(bytes)?;
    if file.has_names_of_keras() {
        return Ok(file.of_keras()?.tensors);
    }
    let dict = file.into_state_dict()?;
    torch::countable(&dict)?;
    Ok(torch::imported(dict, Format::Safetensors)?.tensors)
}

/// The weights of a file; PyTorch's under the names of the parameters `wanted`, each with its shape.
///
/// # Errors
/// As [`read`], and as [`torch::tensors_for`].
pub(crate) fn weights_for(bytes: &[u8], wanted: &[(String, Vec<usize>)]) -> Result<Weights, Error> {
    let file = File::open(bytes)?;
    match file.has_names_of_keras() {
        true => {
            let imported = file.of_keras()?;
            Ok(Weights {
                tensors: imported.tensors,
                notes: imported.notes,
                network: None,
                modules: Vec::new(),
            })
        }
        false => Ok(torch::matched(&file.into_state_dict()?, wanted)?.into()),
    }
}

/// Bytes before the header, which say how long it is.
const LENGTH: usize = 8;

struct File {
    /// In the order of their numbers in the file.
    parameters: Vec<Parameter>,
    metadata: Vec<(String, String)>,
}

impl File {
    fn open(bytes: &[u8]) -> Result<File, Error> {
        let damaged = |e: SafeTensorError| {
            let expected = "the header of a file of safetensors";
            match e {
                // The container was told by the start of the header.
                SafeTensorError::InvalidHeaderLength => Error::cut_off(bytes.len(), expected),
                SafeTensorError::MetadataIncompleteBuffer => Error::damaged_somewhere(
                    "as many numbers as the header of a file of safetensors says",
                    format!(
                        "{} bytes in all, which is another size: the file is cut off, or something was put after its end",
                        bytes.len()
                    ),
                ),
                SafeTensorError::HeaderTooSmall | SafeTensorError::HeaderTooLarge => {
                    Error::damaged(0, format!("the length of {expected}"), e.to_string())
                }
                _ => Error::damaged_somewhere(expected, e.to_string()),
            }
        };
        // The header is parsed here and nowhere else: of a model with many small tensors it is most of the work.
        let (length, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let cut = || Error::cut_off(bytes.len(), "numbers of a file of safetensors");
        let data = length.checked_add(LENGTH).and_then(|at| bytes.get(at..));
        let data = data.ok_or_else(cut)?;
        let (mut parameters, mut refused) = (Vec::new(), Vec::new());
        for name in header.offset_keys() {
            let tensor = header.info(&name).ok_or_else(cut)?;
            let (from, to) = tensor.data_offsets;
            let numbers = data.get(from..to).ok_or_else(cut)?;
            let Some(kind) = kind(tensor.dtype) else {
                refused.push(format!(
                    "`{name}` {:?}: expected floats, found {:?}",
                    tensor.shape, tensor.dtype
                ));
                continue;
            };
            parameters.push(Parameter {
                shape: tensor.shape.clone(),
                values: floats(numbers, kind, false),
                integers: !kind.is_float(),
                name,
            });
        }
        if !refused.is_empty() {
            return Err(Error::NotUnderstood(refused));
        }
        let metadata = header.metadata().iter().flatten();
        let mut metadata: Vec<(String, String)> =
            metadata.map(|(k, v)| (k.clone(), v.clone())).collect();
        metadata.sort();
        Ok(File {
            parameters,
            metadata,
        })
    }

    /// Keras's names have slashes, PyTorch's have dots.
    fn has_names_of_keras(&self) -> bool {
        self.parameters.iter().any(|p| p.name.contains('/'))
    }

    fn of_keras(self) -> Result<Imported, Error> {
        let (mut tensors, mut integers, mut of_optimizers) = (Vec::new(), Vec::new(), 0);
        let optimizers: BTreeSet<String> = {
            let names: Vec<&str> = self.parameters.iter().map(|p| p.name.as_str()).collect();
            optimizers(&names).into_iter().map(str::to_owned).collect()
        };
        for parameter in self.parameters {
            let Parameter {
                name,
                shape,
                values,
                ..
            } = parameter;
            if name
                .split('/')
                .next()
                .is_some_and(|first| optimizers.contains(first))
            {
                of_optimizers += 1;
                continue;
            }
            if parameter.integers {
                integers.push(format!("`{name}`"));
                continue;
            }
            // Whether all are finite, `fit` says with everything else that is wrong.
            tensors.push(Tensor::new(name, shape, values)?);
        }
        let mut notes = Vec::new();
        if of_optimizers > 0 {
            notes.push(format!(
                "left out, since they belong to an optimizer: {of_optimizers} tensors"
            ));
        }
        if !integers.is_empty() {
            notes.push(format!(
                "left out, since they are integers, which no layer has as weights: {}",
                listed(integers, ", ", MOST_NAMED)
            ));
        }
        Ok(Imported {
            format: Format::Safetensors,
            network: None,
            proposal: told::proposal(&tensors, false),
            tensors,
            metadata: self.metadata,
            notes,
            states_come_in: false,
        })
    }

    /// Safetensors are written sorted by their names, so that the order of the modules is lost.
    fn into_state_dict(self) -> Result<StateDict, Error> {
        let mut dict = StateDict::new(self.parameters)?;
        dict.sort();
        dict.metadata = self.metadata;
        Ok(dict)
    }
}

fn kind(dtype: Dtype) -> Option<Kind> {
    Some(match dtype {
        Dtype::F64 => Kind::F64,
        Dtype::F32 => Kind::F32,
        Dtype::F16 => Kind::F16,
        Dtype::BF16 => Kind::Bf16,
        Dtype::I64 => Kind::I64,
        Dtype::I32 => Kind::I32,
        Dtype::I16 => Kind::I16,
        Dtype::I8 => Kind::I8,
        Dtype::U8 => Kind::U8,
        Dtype::BOOL => Kind::Bool,
        // Counters and seeds, which are left out.
        Dtype::U64 => Kind::I64,
        Dtype::U32 => Kind::I32,
        Dtype::U16 => Kind::I16,
        _ => return None,
    })
}
