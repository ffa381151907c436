//! Kernels, weights and the training loop behind the [`recurrent`](https://docs.rs/recurrent) crate.
//!
//! Users name `recurrent` only; this crate is what generated code links against.
//! Importing runs one way: `error ← params ← init ← weights ← learner ← cpu ← model ← train ←
//! code`.

#[doc(hidden)]
pub mod code;
pub mod cpu;
pub mod error;
pub mod init;
pub mod learner;
pub mod model;
pub mod params;
pub mod train;
#[cfg(feature = "weights")]
pub mod weights;

pub use error::Error;
