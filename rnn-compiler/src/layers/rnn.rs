//! `RNN(cell)`: any cell over time, built in or made by `rnn_cell!`.

use crate::layer::{self, Argument, Kind, LayerDef};

pub(super) const RNN: LayerDef = LayerDef {
    class: "RNN",
    stem: "rnn",
    arguments: &[
        Argument::required("cell", Kind::Cell),
        Argument::optional("return_sequences", Kind::Flag),
        Argument::not_yet("return_state"),
        Argument::optional("go_backwards", Kind::Flag),
        Argument::not_yet("stateful"),
        Argument::optional("unroll", Kind::Flag),
        Argument::not_yet("zero_output_for_mask"),
    ],
    cell: None,
    build: |given, context, found| {
        let (cell, units) = layer::cell_of(given, context, found).unzip();
        layer::recurrent(given, context, cell, units.flatten().as_ref(), found)
    },
};
