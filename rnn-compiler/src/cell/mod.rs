//! The cell language: the maths of one step, and what can be known about it.
//!
//! `tokens → CellAst → Cell` (a graph of vector operations for given sizes) `→ phases`.

pub mod size;

mod ast;
mod parse;
mod parse_expr;
mod parse_items;
mod parse_value;
mod value;

pub use ast::{Argument, CellAst, Expr, ExprKind, Item};
pub use value::{INITIALIZERS, Initializer, Value};
