//! Model files of others, read as the text of an `rnn_model!` and tensors under Keras's names.
//!
//! A file becomes an [`Imported`]: what the compiler reads as if a user had written it, so nothing in the compiler
//! knows where a model comes from. Files are not trusted: every read is bounded, memory is in proportion to the size of the
//! file, nothing in a file is executed, and nothing panics.
#![forbid(unsafe_code)]

mod bytes;
mod chain;
mod compare;
mod container;
mod error;
mod fit;
mod floats;
#[cfg(feature = "all")]
pub mod guitarml;
#[cfg(feature = "all")]
pub mod hdf5;
#[cfg(feature = "all")]
mod json;
#[cfg(feature = "all")]
pub mod keras;
mod listed;
#[cfg(feature = "all")]
pub mod nam;
mod near;
mod network;
#[cfg(feature = "all")]
mod open;
#[cfg(feature = "all")]
pub mod pickle;
#[cfg(feature = "all")]
mod row;
#[cfg(feature = "all")]
pub mod rtneural;
pub mod safetensors;
mod tensor;
mod told;
pub mod torch;
mod weights;
#[cfg(feature = "all")]
pub mod write;
#[cfg(feature = "all")]
pub mod zip;

#[cfg(feature = "all")]
pub mod onnx;

pub use bytes::Bytes;
pub use chain::Proposal;
pub use compare::{Differences, Written, differences};
pub use error::Error;
pub use fit::{Misfit, ParamShape, are_pytorch, fit, fit_matching};
pub use near::{near_beside, near_file};
pub use network::{Body, FLAGS, Network, NetworkInput, NetworkLayer, Value, rust_name};
#[cfg(feature = "all")]
pub use open::{read, read_with};
pub use tensor::{Tensor, elements};
pub use weights::{Module, Unfit, Weights, layers_of, tensors, weights};

/// Formats, told from the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.keras`, and `.h5` of a whole model.
    Keras,
    /// `.weights.h5`, and `.h5` of weights alone.
    KerasWeights,
    /// `.safetensors`, with the names of Keras or PyTorch.
    Safetensors,
    /// A state dict of PyTorch: `.pt`, `.pth`.
    Torch,
    /// JSON of RTNeural, of a Keras model.
    RtNeural,
    /// JSON of a PyTorch model as GuitarML, AIDA-X and others write it: `model_data` and `state_dict`.
    GuitarMl,
    /// `.nam`, Neural Amp Modeler.
    Nam,
    /// `.onnx`.
    Onnx,
}

/// What a file has.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Its format.
    pub format: Format,
    /// The model. `None`: the file has weights alone.
    pub network: Option<Network>,
    /// Its weights, under the names that the model gives its parameters.
    pub tensors: Vec<Tensor>,
    /// What the file says of itself: versions, authors, sample rates.
    pub metadata: Vec<(String, String)>,
    /// What a user should know: what was left out since inference does not need it, what was renamed, what was guessed.
    pub notes: Vec<String>,
    /// Of a file without layers: a chain that its weights fit. `None` if it has layers, or weights that do not tell theirs.
    pub proposal: Option<Proposal>,
    /// Whether inputs of an ONNX graph start states of its layers: what `onnx::States::Stream` leaves to a stream.
    pub states_come_in: bool,
}

/// How a file that another one names is read: ONNX keeps large tensors beside the model. It is given the name in the file,
/// which is a relative path without `..`.
pub type Beside<'a> = &'a mut dyn FnMut(&str) -> std::io::Result<Vec<u8>>;
