//! Any file: its format is told from its content.

use crate::{
    Beside, Error, Imported,
    container::{Container, seen},
    guitarml, json, keras, nam,
    onnx::{self, States},
    rtneural, safetensors, torch, zip,
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
