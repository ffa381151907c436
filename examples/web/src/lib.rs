//! A network that reads a drawn digit row by row, for a page: the drawing, the picture of 8 × 8 that the network has learned to
//! read, and the guess after each row. Neither std nor an allocator is needed.

#![cfg_attr(target_arch = "wasm32", no_std)]
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod drawing;
#[cfg(target_arch = "wasm32")]
mod exports;
pub mod page;

use recurrent::prelude::*;

rnn_model!(
    /// The model of `cargo run --release --example digits`, with the weights that it has written.
    pub struct Digits = Input(8, 8) -> LSTM(64) -> BatchNormalization -> Dense(10, softmax),
    weights = "model/digits.safetensors"
);
