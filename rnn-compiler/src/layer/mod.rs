//! What all layers share: how arguments are declared and bound, what a layer is told and answers,
//! how a cell becomes a layer. The layers themselves are in `layers/`.

mod arguments;
mod bind;
mod cell_argument;
mod cells;
mod context;
mod mask_argument;
mod names;
mod nested;
mod of_params;
mod options;
mod own_cell;
mod state_argument;
mod values;

pub use arguments::{Argument, Given, Kind};
pub use bind::bind;
pub use cell_argument::wanted;
pub use context::{Before, Built, Context, Incoming, OutMask, Scope};
pub use names::Names;
pub(crate) use {
    cell_argument::{cells_of, without},
    cells::{
        Merged, fits, fold_real, last_axis, merge, parse, pointwise, reads, recurrent, side_by_side,
    },
    context::STEP,
    nested::inner,
};

use crate::diagnostics::Diagnostics;

/// What a layer is.
#[derive(Debug)]
pub struct LayerDef {
    /// Keras's class: `LSTM`.
    pub class: &'static str,
    /// The stem of Keras's automatic names: `lstm`, `lstm_1`.
    pub stem: &'static str,
    /// All arguments of Keras's layer, in Keras's order.
    pub arguments: &'static [Argument],
    /// The class and the text of the cell that it sweeps over time: what `RNN(LSTMCell(64))` finds.
    pub cell: Option<(&'static str, &'static str)>,
    /// It reads several values; else one.
    pub many: bool,
    /// From arguments and the shape before to the layer and the shape behind.
    pub build: fn(&Given<'_>, &Context<'_>, &mut Diagnostics) -> Built,
}

impl LayerDef {
    /// Whether this is the class of its cell.
    pub fn is_cell(&self, class: &str) -> bool {
        self.cell.is_some_and(|(cell, _)| cell == class)
    }
}
