//! Stages to tokens.

mod cell;
mod cells;
mod model;
mod packing;
mod phase;
mod stub;

pub use cell::{broken_cell, cell, fetch};
pub use model::generate;
pub use stub::stub;
