//! The cell language: the maths of one step, and what can be known about it.
//!
//! `tokens → CellAst → Cell` (a graph of vector operations for given sizes) `→ phases`.

pub mod graph;
pub mod size;

mod ast;
mod build;
pub mod forms;
mod functions;
mod gradient;
mod optimize;
mod parse;
mod parse_expr;
mod parse_items;
mod parse_value;
pub mod stages;
mod value;

pub use ast::{Argument, CellAst, Expr, ExprKind, Item};
pub use build::{Cell, CellInput, CellOutput, CellUse, Noise, Param, State};
pub use functions::is_activation;
pub use gradient::{Backward, MatrixGradient, Part, VectorGradient};
pub(crate) use parse::deep_message;
pub(crate) use parse_value::{MAX_SIZE, Number, is_const, number, path, single};
pub use value::{INITIALIZERS, Initializer, Value, choices_of, numbers_of};
