//! Cells from the literature, for `RNN(…)` in [`rnn_model!`](crate::rnn_model).
//!
//! ```
//! use recurrent::{cells::LayerNormLstm, prelude::*};
//! let model = rnn_model!(Input(_, 3) -> RNN(LayerNormLstm(32), return_sequences) -> Dense(2));
//! # let _ = model;
//! ```
//! `RNN(recurrent::cells::LayerNormLstm(32))` works as well. Every option of `RNN` does: states,
//! masks, `Bidirectional`, stacks, streams. Each trained weight has a regulariser and a constraint named
//! after it: `LayerNormLstm(32, kernel_regularizer = l2(0.01))`.
//!
//! All are written in the cell language, like a program's own cells (see
//! [`rnn_cell!`](crate::rnn_cell)). The compiler has no special case for them: it derives what they compute,
//! including gradients, from their text. Tests compare outputs, states and gradients of each with its
//! paper's formulas in double precision, on every instruction set.
//!
//! | cell | what it is for | states |
//! |---|---|---|
//! | [`LayerNormLstm`] | an LSTM that trains more easily | h, c |
//! | [`PeepholeLstm`] | timing and counting | h, c |
//! | [`MinimalGatedUnit`] | two thirds of a GRU | h |
//! | [`LiGru`] | speech | h |
//! | [`IndRnn`] | very long sequences, deep stacks | h |
//! | [`Sru`] | speed: no product in the loop | c |
//! | [`Janet`] | long memory, half of an LSTM | h |
//! | [`SLstm`] | revising what is stored | h, c, n, m |
//! | [`LiquidTimeConstant`] | continuous processes | h |
//! | [`EchoState`] | training only what reads it | h |

mod echo_state;
mod ind_rnn;
mod janet;
mod layer_norm_lstm;
mod li_gru;
mod liquid_time_constant;
mod minimal_gated_unit;
mod peephole_lstm;
mod slstm;
mod sru;

pub use echo_state::EchoState;
pub use ind_rnn::IndRnn;
pub use janet::Janet;
pub use layer_norm_lstm::LayerNormLstm;
pub use li_gru::LiGru;
pub use liquid_time_constant::LiquidTimeConstant;
pub use minimal_gated_unit::MinimalGatedUnit;
pub use peephole_lstm::PeepholeLstm;
pub use slstm::SLstm;
pub use sru::Sru;
