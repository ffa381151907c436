//! Any file: its format is told from its content.

use crate::{
    Beside, Error, ParamShape, Tensor,
    container::{Container, seen},
    safetensors, weights,
};
#[cfg(feature = "all")]
use crate::{
    Imported, guitarml, json, keras, nam,
    onnx::{self, States},
    rtneural, torch, zip,
};

/// Reads a file of any format. `beside` reads the files that it names.
///
/// ```
/// let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
/// let file = r#"{"in_shape": [null, null, 1], "layers": [
///     {"type": "dense", "activation": "tanh", "shape": [null, null, 1], "weights": [[[0.5]], [0.25]]}
/// ]}"#;
/// let imported = rnn_formats::read(file.as_bytes(), &mut none)?;
/// assert_eq!(imported.format, rnn_formats::Format::RtNeural);
/// assert_eq!(imported.tensors[0].values, [0.5]);
/// # Ok::<(), rnn_formats::Error>(())
/// ```
///
/// # Errors
/// [`Error`]: what is damaged, or all that is not understood.
#[cfg(feature = "all")]
pub fn read(bytes: &[u8], beside: Beside<'_>) -> Result<Imported, Error> {
    read_with(bytes, beside, States::InAndOut)
}

/// Reads a file of any format, and says what becomes of states that an ONNX graph takes and gives.
///
/// ```
/// use rnn_formats::onnx::States;
///
/// let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
/// let error = rnn_formats::read_with(b"{\"layers\": []}", &mut none, States::Stream).unwrap_err();
/// assert!(error.to_string().contains("leave `states` out"));
/// ```
///
/// # Errors
/// As [`read`], and [`Error::NotUnderstood`] with [`States::Stream`] for a file that is no ONNX, and for states that are
/// anything but inputs which come back as outputs.
#[cfg(feature = "all")]
pub fn read_with(bytes: &[u8], beside: Beside<'_>, states: States) -> Result<Imported, Error> {
    let container = Container::of(bytes);
    if states == States::Stream && !matches!(container, Container::Onnx | Container::Other) {
        return Err(Error::not_understood(
            "only ONNX graphs have states that come in and go out, and this is no ONNX: leave `states` out",
        ));
    }
    match container {
        Container::Safetensors => safetensors::read(bytes),
        Container::Hdf5 => keras::read(bytes),
        Container::Zip if zip::Archive::open(bytes)?.contains("config.json") => keras::read(bytes),
        Container::Zip | Container::Pickle => torch::read(bytes),
        Container::Json => of_json(&json::parse(bytes)?),
        Container::Onnx => onnx::read_with(bytes, beside, states),
        Container::Other => Err(Error::Unknown(seen(bytes))),
    }
}

#[cfg(feature = "all")]
pub(crate) fn of_json(file: &serde_json::Value) -> Result<Imported, Error> {
    let has = |key: &str| file.get(key).is_some();
    if has("architecture") {
        nam::of(file)
    } else if has("layers") && !has("state_dict") {
        rtneural::of(file)
    } else {
        // With `model_data`, or a state dict alone.
        guitarml::of(file)
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
/// ```
/// # #[cfg(feature = "all")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rnn_formats::{ParamShape, tensors};
///
/// // A state dict as JSON. Its module has a name that no layer has.
/// let file = br#"{"state_dict": {"head.weight": [[0.5, 2.0]], "head.bias": [1.0]}}"#;
/// let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
/// let wanted = [ParamShape { name: "dense/kernel", shape: &[2, 1] }, ParamShape { name: "dense/bias", shape: &[1] }];
/// let found = tensors(file, &mut none, Some(&wanted)).map_err(|unfit| format!("{unfit:?}"))?;
/// assert_eq!(found[0].name, "dense/kernel");
/// assert_eq!(found[0].values, [0.5, 2.0]);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "all"))]
/// # fn main() {}
/// ```
///
/// # Errors
/// [`Unfit`].
pub fn tensors(
    bytes: &[u8],
    beside: Beside<'_>,
    wanted: Option<&[ParamShape<'_>]>,
) -> Result<Vec<Tensor>, Unfit> {
    match wanted {
        Some(wanted) => Ok(weights(bytes, beside, wanted)?.tensors),
        None => counted(bytes, beside),
    }
}

#[cfg(feature = "all")]
fn counted(bytes: &[u8], beside: Beside<'_>) -> Result<Vec<Tensor>, Unfit> {
    match Container::of(bytes) {
        Container::Safetensors => Ok(safetensors::counted(bytes)?),
        _ => Ok(read(bytes, beside)?.tensors),
    }
}

#[cfg(not(feature = "all"))]
fn counted(bytes: &[u8], _: Beside<'_>) -> Result<Vec<Tensor>, Unfit> {
    only_safetensors(bytes)?;
    Ok(safetensors::counted(bytes)?)
}

/// Names other formats.
#[cfg(not(feature = "all"))]
pub(crate) fn only_safetensors(bytes: &[u8]) -> Result<(), Unfit> {
    let other = match Container::of(bytes) {
        Container::Safetensors => return Ok(()),
        Container::Other => return Err(Unfit::Unread(Error::Unknown(seen(bytes)))),
        Container::Onnx => "a model of ONNX",
        Container::Hdf5 => "an HDF5 file, as Keras writes `.h5`",
        Container::Zip => "a zip archive, as Keras writes `.keras` and PyTorch `.pt`",
        Container::Pickle => "a pickle, as PyTorch writes `.pt`",
        Container::Json => "JSON, as RTNeural and Neural Amp Modeler read",
    };
    Err(Unfit::Unread(Error::Unknown(format!(
        "it is {other}; reading it is the feature `import` of recurrent"
    ))))
}
