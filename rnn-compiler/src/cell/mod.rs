//! The cell language: the maths of one step, and what can be known about it.
//!
//! `tokens → CellAst → Cell` (a graph of vector operations for given sizes) `→ phases`.

pub mod size;

mod ast;
mod value;

pub use ast::{Argument, CellAst};
pub use value::{Initializer, Value};
