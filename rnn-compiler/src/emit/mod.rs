//! Prints a plan as tokens.

mod cell;
mod cells;
mod cuda;
mod info;
mod io;
mod kernel;
mod model;
mod names;
mod packing;
mod program_weights;
mod stream;
mod stub;
mod tables;
mod target;

pub use cell::{broken_cell, cell, fetch};
pub use model::generate;
pub use program_weights::{KnownWeights, ToStream};
pub use stub::stub;
pub use target::CPU;
