//! Weights for a model that has layers of its own.

#[cfg(not(feature = "all"))]
use crate::container::seen;
use crate::{
    Beside, Body, Differences, Error, Imported, Network, ParamShape, Tensor, Written,
    compare::{differences, of_modules},
    container::Container,
    safetensors,
    torch::Matched,
};
#[cfg(feature = "all")]
use crate::{guitarml, json, open, torch, zip};

/// What a file has for a model with layers of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// The tensors of the file; PyTorch's under the names of the model's parameters.
    pub tensors: Vec<Tensor>,
    /// What a user should know: which module is which layer, what was left out, what the file does not say.
    pub notes: Vec<String>,
    /// The file's own layers, if it has any.
    pub network: Option<Network>,
    /// PyTorch's modules, whose maths is known though the file does not say it.
    pub modules: Vec<Module>,
}

/// A module of PyTorch that a layer of a model has its weights from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// What the layer's parameters are called up to the last slash: `lstm`, `bidirectional/forward_lstm`.
    pub layer: String,
    /// What it is: ``the LSTM `encoder.rnn` ``.
    pub title: String,
}

impl Weights {
    /// What the layers of a model compute otherwise than those of the file: [`differences`](crate::differences) of its
    /// network, and activations that PyTorch's recurrent modules do not have.
    ///
    /// ```
    /// use rnn_formats::{Module, Weights, Written};
    ///
    /// let weights = Weights {
    ///     tensors: vec![],
    ///     notes: vec![],
    ///     network: None,
    ///     modules: vec![Module { layer: "lstm".into(), title: "the LSTM `rec`".into() }],
    /// };
    /// let same = Written { name: "lstm", text: "LSTM(4, activation = tanh)" };
    /// assert!(weights.differences(&[same]).lines.is_empty());
    ///
    /// let other = Written { name: "lstm", text: "LSTM(4, activation = relu)" };
    /// assert_eq!(
    ///     weights.differences(&[other]).lines,
    ///     [
    ///         "`lstm`: the LSTM `rec` of the file is PyTorch's, which computes `activation = tanh`, and `LSTM(4, activation = \
    ///          relu)` here has `relu`: write `activation = tanh`"
    ///     ],
    /// );
    /// ```
    pub fn differences(&self, written: &[Written<'_>]) -> Differences {
        match &self.network {
            Some(network) => differences(network, written),
            None => of_modules(&self.modules, written),
        }
    }
}

impl From<Matched> for Weights {
    fn from(matched: Matched) -> Self {
        Weights {
            tensors: matched.tensors,
            notes: matched.notes,
            network: None,
            modules: matched.modules,
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
        modules: Vec::new(),
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
    only_safetensors(bytes)?;
    named(bytes, wanted)
}

/// What the layers of a file are, for whoever has written others: a sentence, or `None` if the file does not tell.
///
/// ```
/// # #[cfg(feature = "all")]
/// # fn main() {
/// use rnn_formats::layers_of;
///
/// let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
/// let file = r#"{"in_shape": [null, null, 1], "layers": [
///     {"type": "dense", "activation": "tanh", "shape": [null, null, 1], "weights": [[[0.5]], [0.25]]}
/// ]}"#;
/// let layers = layers_of(file.as_bytes(), &mut none);
/// assert_eq!(layers.unwrap(), "the file's layers are `Input(_, 1) -> Dense(1, activation = tanh)`");
/// # }
/// # #[cfg(not(feature = "all"))]
/// # fn main() {}
/// ```
pub fn layers_of(bytes: &[u8], beside: Beside<'_>) -> Option<String> {
    #[cfg(feature = "all")]
    let read = open::read(bytes, beside);
    #[cfg(not(feature = "all"))]
    let read = {
        let _ = beside;
        match Container::of(bytes) {
            Container::Safetensors => safetensors::read(bytes),
            _ => return None,
        }
    };
    let text = said(&read.ok()?)?;
    (text.len() <= MOST_OF_LAYERS).then_some(text)
}

/// The longest text of layers that a message has.
const MOST_OF_LAYERS: usize = 2000;

fn said(imported: &Imported) -> Option<String> {
    if let Some(network) = &imported.network {
        let (Body::Chain(text) | Body::Graph(text)) = network.body();
        return Some(format!(
            "the file's layers are `{}`",
            text.trim().replace('\n', " ")
        ));
    }
    let proposal = imported.proposal.as_ref()?;
    Some(match (&proposal.layers, &proposal.doubt) {
        (Some(layers), None) => format!("the file's weights fit the layers `{layers}`"),
        (Some(layers), Some(doubt)) => {
            format!("the file's weights fit the layers `{layers}`; {doubt}")
        }
        (None, _) => proposal.note.clone(),
    })
}

fn named(bytes: &[u8], wanted: &[ParamShape<'_>]) -> Result<Weights, Unfit> {
    Ok(safetensors::weights_for(bytes, &owned(wanted))?)
}

fn owned(wanted: &[ParamShape<'_>]) -> Vec<(String, Vec<usize>)> {
    let one = |w: &ParamShape<'_>| (w.name.to_owned(), w.shape.to_vec());
    wanted.iter().map(one).collect()
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
        _ => Ok(open::read(bytes, beside)?.tensors),
    }
}

#[cfg(not(feature = "all"))]
fn counted(bytes: &[u8], _: Beside<'_>) -> Result<Vec<Tensor>, Unfit> {
    only_safetensors(bytes)?;
    Ok(safetensors::counted(bytes)?)
}

/// Names other formats.
#[cfg(not(feature = "all"))]
fn only_safetensors(bytes: &[u8]) -> Result<(), Unfit> {
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
