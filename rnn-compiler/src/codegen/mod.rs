//! Stages to tokens.

mod both;
mod cell;
mod cells;
mod io;
mod model;
mod names;
mod packing;
mod phase;
mod run;
mod spec;
mod stub;
mod target;

pub use cell::{broken_cell, cell, fetch};
pub use model::generate;
pub use stub::stub;
pub use target::CPU;
