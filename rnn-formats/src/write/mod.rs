//! Models in the files of others: what an import gives, or a user's model, written.
//!
//! Each function takes a network and its tensors under the names here. What a format cannot hold is an error with a line for
//! each layer, so that nothing is written that computes something else.

mod archive;
mod hdf5;
mod keras;
mod layer;
mod model;
mod onnx;
mod rtneural;
mod safetensors;
mod words;

pub use keras::keras;
pub use onnx::onnx;
pub use rtneural::rtneural;
pub use safetensors::{pytorch, safetensors};

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What a user should know: what was left out, what the other side has to be told.
    pub notes: Vec<String>,
}
