//! Kernels and weights of the [`recurrent`](https://docs.rs/recurrent) crate.
//!
//! Users name `recurrent` only; this crate is what generated code links against.
//! Importing runs one way: `error ← precision ← params ← init ← weights ← update ← loss ← on_device ←
//! learner ← trainable ← executor ← cpu ← stream ← host ← cuda ← device ← model ← code`.
//!
//! Streams (`cpu::{kernel, math, simd}`, `stream`) need neither std nor an allocator; all else is there
//! with the feature `std`.
#![cfg_attr(not(feature = "std"), no_std)]

#[doc(hidden)]
pub mod code;
pub mod cpu;
#[cfg(feature = "cuda")]
#[doc(hidden)]
pub mod cuda;
#[cfg(feature = "std")]
pub mod device;
pub mod error;
#[cfg(feature = "std")]
pub mod executor;
#[cfg(feature = "std")]
pub mod host;
#[cfg(feature = "std")]
pub mod init;
#[cfg(feature = "std")]
pub mod learner;
#[cfg(feature = "std")]
pub mod loss;
#[cfg(feature = "std")]
pub mod model;
#[cfg(feature = "std")]
#[doc(hidden)]
pub mod on_device;
#[cfg(feature = "std")]
pub mod params;
#[cfg(feature = "std")]
pub mod precision;
pub mod stream;
#[cfg(feature = "std")]
pub mod trainable;
#[cfg(feature = "std")]
pub mod update;
#[cfg(feature = "weights")]
pub mod weights;

pub use error::Error;
