//! Any file: its format is told from its content.

use crate::{Beside, Error, ParamShape, Tensor, safetensors};
#[cfg(feature = "all")]
use crate::{Imported, guitarml, keras, nam, onnx, rtneural, torch, zip};

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Safetensors,
    Hdf5,
    Zip,
    Pickle,
    Json,
    /// None of the others: ONNX has no sign of its own.
    Other,
}

impl Container {
    fn of(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // Eight bytes of length, then JSON.
        let header = bytes.first_chunk().map(|n| u64::from_le_bytes(*n));
        let fits = header.is_some_and(|n| n <= bytes.len() as u64);
        match bytes {
            _ if fits && bytes.get(8) == Some(&b'{') => Container::Safetensors,
            _ if bytes.starts_with(b"\x89HDF\r\n\x1a\n") => Container::Hdf5,
            _ if bytes.starts_with(b"PK\x03\x04") => Container::Zip,
            _ if bytes.starts_with(b"\x80") => Container::Pickle,
            _ if matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) => Container::Json,
            _ => Container::Other,
        }
    }
}

/// Reads a file of any format. `beside` reads the files that it names.
///
/// # Errors
/// [`Error`]: what is damaged, or all that is not understood.
#[cfg(feature = "all")]
pub fn read(bytes: &[u8], beside: Beside<'_>) -> Result<Imported, Error> {
    match Container::of(bytes) {
        Container::Safetensors => safetensors::read(bytes),
        Container::Hdf5 => keras::read(bytes),
        Container::Zip if zip::Archive::open(bytes)?.contains("config.json") => keras::read(bytes),
        Container::Zip | Container::Pickle => torch::read(bytes),
        Container::Json => json(bytes),
        Container::Other if bytes.is_empty() => Err(Error::Unknown("the file is empty".into())),
        Container::Other => onnx::read(bytes, beside),
    }
}

#[cfg(feature = "all")]
fn json(bytes: &[u8]) -> Result<Imported, Error> {
    let value: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|e| Error::Unknown(format!("JSON that cannot be read: {e}")))?;
    let has = |key: &str| value.get(key).is_some();
    if has("architecture") {
        nam::read(bytes)
    } else if has("layers") && !has("state_dict") {
        rtneural::read(bytes)
    } else {
        // With `model_data`, or a state dict alone.
        guitarml::read(bytes)
    }
}

/// Why weights cannot be had of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It cannot be read.
    Unread(Error),
    /// It does not fit the model: one line for each difference.
    Differs(Vec<String>),
}

impl From<Error> for Unfit {
    fn from(e: Error) -> Self {
        match e {
            // What a state dict has and the model has not.
            Error::NotUnderstood(lines) => Unfit::Differs(lines),
            e => Unfit::Unread(e),
        }
    }
}

/// The tensors of a file. PyTorch's files have modules and no layers: their tensors get the names of the parameters `wanted`,
/// or are counted (`lstm`, `lstm_1`) if it is `None`.
///
/// # Errors
/// [`Unfit`].
#[cfg(feature = "all")]
pub fn tensors(
    bytes: &[u8],
    beside: Beside<'_>,
    wanted: Option<&[ParamShape<'_>]>,
) -> Result<Vec<Tensor>, Unfit> {
    let container = Container::of(bytes);
    let dict = match container {
        Container::Safetensors => return named(bytes, wanted),
        Container::Zip if zip::Archive::open(bytes)?.contains("config.json") => None,
        Container::Zip | Container::Pickle => Some(torch::state_dict(bytes)?),
        // A state dict as JSON; a whole model has names of its own.
        Container::Json => read(bytes, beside)?
            .network
            .is_none()
            .then(|| guitarml::state_dict(bytes))
            .transpose()?,
        _ => None,
    };
    match (wanted, dict) {
        (Some(wanted), Some(dict)) => Ok(torch::tensors_for(&dict, &owned(wanted))?),
        _ => Ok(read(bytes, beside)?.tensors),
    }
}

/// The tensors of a safetensors file. PyTorch's names become those of the parameters `wanted`, or are counted (`lstm`,
/// `lstm_1`) if it is `None`.
///
/// # Errors
/// [`Unfit`]; other formats are named.
#[cfg(not(feature = "all"))]
pub fn tensors(
    bytes: &[u8],
    _: Beside<'_>,
    wanted: Option<&[ParamShape<'_>]>,
) -> Result<Vec<Tensor>, Unfit> {
    let other = match Container::of(bytes) {
        Container::Safetensors | Container::Other => return named(bytes, wanted),
        Container::Hdf5 => "an HDF5 file, as Keras writes `.h5`",
        Container::Zip => "a zip archive, as Keras writes `.keras` and PyTorch `.pt`",
        Container::Pickle => "a pickle, as PyTorch writes `.pt`",
        Container::Json => "JSON, as RTNeural and Neural Amp Modeler read",
    };
    Err(Unfit::Unread(Error::Unknown(format!(
        "it is {other}; reading it is the feature `import` of recurrent"
    ))))
}

fn named(bytes: &[u8], wanted: Option<&[ParamShape<'_>]>) -> Result<Vec<Tensor>, Unfit> {
    Ok(match wanted {
        Some(wanted) => safetensors::tensors_for(bytes, &owned(wanted))?,
        None => safetensors::read(bytes)?.tensors,
    })
}

fn owned(wanted: &[ParamShape<'_>]) -> Vec<(String, Vec<usize>)> {
    let one = |w: &ParamShape<'_>| (w.name.to_owned(), w.shape.to_vec());
    wanted.iter().map(one).collect()
}
