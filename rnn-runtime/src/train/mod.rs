//! The training loop, with Keras's names and defaults.
//!
//! A [`Dataset`] goes into a [`Trainer`], which moves the weights of a
//! [`Learner`](crate::learner::Learner) and gives a [`History`] back.

pub mod callbacks;
pub mod losses;
pub mod metrics;
pub mod optimizers;

mod data;
mod history;
mod logs;
mod regularize;
mod scored;
#[cfg(test)]
mod testing;
mod trainer;

pub use data::{Column, Dataset, IntoColumn, IntoColumns, Number, Windows};
pub use history::History;
pub use logs::Logs;
pub use scored::{Scored, Target, TargetKind, TargetView};
pub use trainer::{Evaluate, Fit, Output, Scores, Trainer, Verbose};
