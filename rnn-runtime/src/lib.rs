//! Kernels and weights behind the [`recurrent`](https://docs.rs/recurrent) crate.
//!
//! Users name `recurrent` only; this crate is what generated code links against.
//! Importing runs one way: `error ← params ← init ← weights ← update ← loss ← learner ←
//! trainable ← executor ← cpu ← host ← model ← code`.

#[doc(hidden)]
pub mod code;
pub mod cpu;
pub mod error;
pub mod executor;
pub mod host;
pub mod init;
pub mod learner;
pub mod loss;
pub mod model;
pub mod params;
pub mod trainable;
pub mod update;
#[cfg(feature = "weights")]
pub mod weights;

pub use error::Error;
