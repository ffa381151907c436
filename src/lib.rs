//! Recurrent neural networks compiled into Rust programs.

mod macros;

#[doc(hidden)]
pub use macros::{__rnn_cell, __rnn_model};
#[doc(hidden)]
pub use rnn_runtime as rt;

pub use rnn_runtime::{
    Error, init, learner, model, params,
    train::{self, callbacks, losses, metrics, optimizers},
};

/// Everything that a program with models usually names.
pub mod prelude {
    pub use crate::{rnn_cell, rnn_model};
    pub use rnn_runtime::{
        Error,
        model::{Id, Model, Stream},
        train::{
            Column, Dataset, Evaluate, Fit, History, Logs, Scores, Trainer, Verbose, Windows,
            callbacks::*, losses::*, metrics::Accuracy, optimizers::*,
        },
    };
}

/// The examples of the README run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
