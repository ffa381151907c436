//! Weights for a model that has layers of its own.

use crate::{Beside, Network, ParamShape, Tensor, Unfit, safetensors, torch::Matched};
#[cfg(feature = "all")]
use crate::{Imported, container::Container, guitarml, json, open, torch, zip};

/// What a file has for a model with layers of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// The tensors of the file; PyTorch's under the names of the model's parameters.
    pub tensors: Vec<Tensor>,
    /// What a user should know: which module is which layer, what was left out, what the file does not say.
    pub notes: Vec<String>,
    /// The file's own layers, if it has any: [`differences`](crate::differences) compares them with the model's.
    pub network: Option<Network>,
}

impl From<Matched> for Weights {
    fn from(matched: Matched) -> Self {
        Weights {
            tensors: matched.tensors,
            notes: matched.notes,
            network: None,
        }
    }
}

/// The weights in a file for a model with the parameters `wanted`. [`fit`](crate::fit) says whether they are the model's.
///
/// ```
/// use rnn_formats::{ParamShape, weights};
///
/// let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
/// let file = r#"{"in_shape": [null, null, 1], "layers": [
///     {"type": "dense", "activation": "tanh", "shape": [null, null, 1], "weights": [[[0.5]], [0.25]]}
/// ]}"#;
/// let wanted = [ParamShape { name: "dense/kernel", shape: &[1, 1] }, ParamShape { name: "dense/bias", shape: &[1] }];
/// let weights = weights(file.as_bytes(), &mut none, &wanted).unwrap();
/// assert_eq!(weights.tensors[0].values, [0.5]);
/// assert_eq!(weights.network.unwrap().layers[0].class, "Dense");
/// ```
///
/// # Errors
/// [`Unfit`].
#[cfg(feature = "all")]
pub fn weights(
    bytes: &[u8],
    beside: Beside<'_>,
    wanted: &[ParamShape<'_>],
) -> Result<Weights, Unfit> {
    let whole = |imported: Imported| Weights {
        tensors: imported.tensors,
        notes: imported.notes,
        network: imported.network,
    };
    let dict = match Container::of(bytes) {
        Container::Safetensors => return named(bytes, wanted),
        Container::Zip if zip::Archive::open(bytes)?.contains("config.json") => None,
        Container::Zip | Container::Pickle => Some(torch::state_dict(bytes)?),
        // A state dict as JSON; a whole model has names of its own.
        Container::Json => {
            let file = json::parse(bytes)?;
            let keys = ["architecture", "layers", "model_data"];
            match keys.iter().any(|key| file.get(key).is_some()) {
                true => return Ok(whole(open::of_json(&file)?)),
                false => Some(guitarml::dict(&file)?),
            }
        }
        _ => None,
    };
    match dict {
        Some(dict) => Ok(torch::matched(&dict, &owned(wanted))?.into()),
        None => Ok(whole(open::read(bytes, beside)?)),
    }
}

/// The weights in a file of safetensors for a model with the parameters `wanted`.
///
/// # Errors
/// [`Unfit`]; other formats are named.
#[cfg(not(feature = "all"))]
pub fn weights(bytes: &[u8], _: Beside<'_>, wanted: &[ParamShape<'_>]) -> Result<Weights, Unfit> {
    crate::open::only_safetensors(bytes)?;
    named(bytes, wanted)
}

fn named(bytes: &[u8], wanted: &[ParamShape<'_>]) -> Result<Weights, Unfit> {
    Ok(safetensors::weights_for(bytes, &owned(wanted))?)
}

fn owned(wanted: &[ParamShape<'_>]) -> Vec<(String, Vec<usize>)> {
    let one = |w: &ParamShape<'_>| (w.name.to_owned(), w.shape.to_vec());
    wanted.iter().map(one).collect()
}
