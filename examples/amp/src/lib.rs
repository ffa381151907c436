//! A WAV file through an amplifier, block by block, as a plug-in gets its sound.
//!
//! The amplifier is a network that was trained in PyTorch. Its weights are a part of this program.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod blocks;
pub mod options;
pub mod report;
pub mod sound;

use recurrent::prelude::*;

rnn_model!(
    /// The amplifier. GuitarML's file says which layers it has; `cargo doc --open` shows what was read.
    pub struct Amp = import("models/amp.json")
);
