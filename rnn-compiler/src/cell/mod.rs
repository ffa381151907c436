//! The cell language: the maths of one step, and what can be known about it.
//!
//! `tokens → CellAst → Cell` (a graph of vector operations for given sizes).
//!
//! # Statements
//!
//! | statement | meaning |
//! |---|---|
//! | `input a: [n]; input b: [n, 3];` | an input of a step; first in the cell. A new name takes the size found, a known one must agree. Without `input` statements there is the vector `x` of `input` features |
//! | `param k: [input, units] = init;` | a trained parameter, of any rank |
//! | `frozen param k: [units] = init;` | one that an optimizer leaves alone |
//! | `state h: [units];` | a state, zero before the first step, of any rank |
//! | `let z = …;` | a name for a value; a later `let` of the same name replaces it |
//! | `let [a, b] = split(v);` | equal parts of a vector, or of a matrix's columns |
//! | `next h = …;` | the state after the step; `h` is the new value from here on |
//! | `output h;` `output a, b;` `output y = a, z = b;` | what the cell gives; once |
//! | `if flag { … } else { … }` | decided when the model is compiled: flags, and comparisons of numbers (`rate > 0`), with `!`, `&&`, `\|\|`. Also as a value: `if flag { a } else { b }` |
//!
//! # Values
//!
//! A value is a number, a row scalar (one for each row of the batch, such as `sum(x)`), or has
//! a shape and is a row-major vector of its floats. Lane-by-lane maths takes values of one shape;
//! numbers, and row scalars, go with all. Shapes: sizes are whole numbers, arguments, names of
//! `const`s, and their sums and products. A row scalar that is an output has one unit; as
//! `next h` it is in all units of `h`.
//!
//! # Operators and functions
//!
//! | written | meaning |
//! |---|---|
//! | `a + b` `a - b` `a * b` `a / b` `-a` | lane by lane |
//! | `v @ k` | vector times matrix parameter; the last axis of a value with several |
//! | `k[0]` | a part of a parameter by its first axis: a row of a matrix, a matrix of three axes |
//! | `einsum("bij,ijkl->bkl", a, k)` | sums of products over letters; the first letter of data is the batch. Letters that are no rows or columns of a matrix are looped over, at most 256 times |
//! | `dropout(v, rate)` | in training `v` times a mask that is drawn once a batch and is the same at all steps, one for each call: 0, or `1 / (1 - rate)`; in inference `v` |
//! | `split(v)` | only after `let [a, b] =` |
//! | `concat(a, b, …)` | vectors side by side |
//! | `flatten(v)` | the vector of all floats |
//! | `select(a < b, x, y)` | `x` where the comparison holds, `y` elsewhere; also `<=` `>` `>=` `==` `!=` |
//! | `min(a, b)` `max(a, b)` `pow(a, b)` | lane by lane |
//! | `sum` `mean` `variance` `max_of` `min_of` | over all floats of a value: a row scalar |
//! | `softmax(v)` `log_softmax(v)` | over the units of a vector |
//! | `exp` `expm1` `log` `log1p` `sqrt` `rsqrt` `abs` `sign` `sin` `cos` `erf` | lane by lane |
//! | `tanh` `sigmoid` `relu` `relu6` `leaky_relu` `elu` `selu` `gelu` `silu` `softplus` `softsign` `mish` … | Keras's activations, lane by lane; an argument such as `activation` is called like them |
//! | `stop_gradient(v)` | `v`, through which no gradient flows |
//!
//! Initialisers have Keras's names; `ones_in(from, to, rest)` is ones in some columns of the last
//! axis and `rest` in the others. `MATRIX` or `matrices::legendre`, a `const` of the program or a function, gives
//! numbers of one's own.

pub mod graph;
pub mod size;

mod ast;
mod build;
mod cell_constant;
mod functions;
mod gradient;
mod optimize;
mod own_numbers;
mod parse;
mod parse_expr;
mod parse_items;
mod parse_value;
mod sums;
mod value;

pub use ast::{CellArgument, CellAst, Expr, ExprKind, Item};
pub use build::{Cell, CellInput, CellOutput, CellUse, DropoutMask, Param, State};
pub use cell_constant::CellConstant;
pub(crate) use functions::activations;
pub use functions::is_activation;
pub use gradient::{Backward, MatrixPartGradient, NoGradient, Part, VectorPartGradient};
pub(crate) use parse::deep_message;
pub(crate) use parse_value::{MAX_SIZE, Number, is_const, number, path, single};
pub use value::{INITIALIZERS, Initializer, Value, choices_of, initializer_of, numbers_of};
pub(crate) use value::{initializer_elsewhere, initializer_not_here, snake};
