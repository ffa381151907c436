//! The macros by the names that users write.

/// The compiler behind [`rnn_model!`](crate::rnn_model); the cells' macros call it, too.
#[doc(hidden)]
pub use rnn_macros::{__rnn_cell, __rnn_model};

/// Compiles a model of recurrent layers.
///
/// The layers, their arguments and the defaults are Keras's, by Keras's names; arguments are
/// positional or named, and a flag without a value is true. Sizes are numbers or the names of
/// `const`s. Shapes are checked while the program is compiled.
///
/// Three forms:
/// - `rnn_model!(Embedding(1000, 64) -> LSTM(128) -> Dense(10))` is an expression: a freshly
///   initialised model.
/// - `rnn_model!(< Embedding(1000, 64) -> LSTM(128) -> Dense(10) >)` is the same.
/// - `rnn_model! { pub struct Rows = Input(28, 28) -> LSTM(64) -> Dense(10); }` is a type, with its
///   attributes, visibility and documentation.
///
/// `Input(28, 28)` is 28 steps of 28 features, `Input(_, 28)` any number of steps, `Input(28)` one
/// vector. A model that starts with an `Embedding` reads class ids, `[batch, time]`; `Input(20)`
/// before it gives them a length.
///
/// # Layers
/// `Input`, `Embedding`, `SimpleRNN`, `GRU`, `LSTM`, `RNN(cell)`, `Dense`, `BatchNormalization`,
/// `Dropout`, `Activation`, `Flatten`. Every layer takes `name = "…"`.
///
/// # Errors
/// Every mistake in a model is shown in one build, each with a code, a reason and what to write
/// instead.
#[macro_export]
macro_rules! rnn_model {
    ($($tokens:tt)*) => { $crate::__rnn_model! { @krate($crate) $($tokens)* } };
}

/// Defines a cell: the maths of one step of a recurrent layer, to be used as `RNN(MyCell(32))` in
/// [`rnn_model!`](crate::rnn_model), from any module or crate, at the speed of the built-in ones.
///
/// ```
/// recurrent::rnn_cell! {
///     /// A gated recurrent unit with one gate.
///     pub cell MinimalGru(units) {
///         param kernel: [input, 2 * units] = glorot_uniform;
///         param recurrent_kernel: [units, 2 * units] = orthogonal;
///         state h: [units];
///         let [f, g] = split(x @ kernel);
///         let [uf, ug] = split(h @ recurrent_kernel);
///         let f = sigmoid(f + uf);
///         next h = f * h + (1 - f) * tanh(g + f * ug);
///         output h;
///     }
/// }
/// ```
///
/// `x` is the input of the step and `input` its size. Statements: `param` (with an initialiser, with
/// `frozen` in front for one that is not trained), `state`, `let`, `next`, `output`, `if` on the
/// cell's flags. Operators: `+ - * /` and `@`, the product with a matrix. Behind `next c = …` the
/// name `c` is the new value.
#[macro_export]
macro_rules! rnn_cell {
    ($($tokens:tt)*) => { $crate::__rnn_cell! { @krate($crate) $($tokens)* } };
}
