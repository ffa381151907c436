//! The training loop of the [`recurrent`](https://docs.rs/recurrent) crate, with Keras's names and
//! defaults.
//!
//! Users name `recurrent::train` only. A [`Dataset`] goes into a [`Trainer`], which moves the weights of a
//! [`Trainable`](rnn_runtime::trainable::Trainable) model and gives a [`History`] back.
//! Importing runs one way: `logs ← predictions ← tally ← history ← losses ← metrics ←
//! optimizers ← data ← callbacks ← trainer`.

// Tests slice arrays with `ndarray::s!`, which allows itself a block of its own.
#![cfg_attr(not(test), forbid(unsafe_code))]

pub mod callbacks;
pub mod losses;
pub mod metrics;
pub mod optimizers;

mod by_name;
mod classification;
mod data;
mod history;
mod logs;
mod predictions;
mod tally;
#[cfg(test)]
mod tests;
mod trainer;

pub use classification::{ClassScores, ClassificationReport, ConfusionMatrix};
pub use data::{
    ArrayNumber, Column, Dataset, IntoColumn, IntoColumns, Normalization, Number, Pad, Padding,
    Windows, pad_sequences, read_npy,
};
#[cfg(feature = "csv")]
pub use data::{Csv, Table};
pub use history::History;
pub use logs::Logs;
pub use predictions::{Predictions, Target, TargetKind, TargetView};
pub use trainer::{Evaluate, Fit, Output, Scores, Trainer, Verbose};

/// The older name of [`ArrayNumber`].
#[doc(hidden)]
pub use data::ArrayNumber as NpyNumber;

/// The older name of [`Predictions`].
#[deprecated(note = "it is called `Predictions` now")]
pub type Scored<'a> = Predictions<'a>;
