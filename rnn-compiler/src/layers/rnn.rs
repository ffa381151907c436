//! `RNN(cell)`: any cell over time, built in or made by `rnn_cell!`.

use crate::layer::{self, Argument, DropsTime, Kind, LayerDef, Reads};

pub(super) const RNN: LayerDef = LayerDef {
    class: "RNN",
    stem: "rnn",
    arguments: &[
        Argument::required("cell", Kind::Cell),
        Argument::optional("return_sequences", Kind::Flag),
        Argument::optional("return_state", Kind::Flag),
        Argument::optional("go_backwards", Kind::Flag),
        Argument::optional("stateful", Kind::Flag),
        Argument::optional("unroll", Kind::Flag),
        Argument::optional("zero_output_for_mask", Kind::Flag),
        Argument::optional("initial_state", Kind::Values),
        Argument::optional("mask", Kind::Values),
    ],
    reads: Reads::Sequences,
    drops_time: Some(DropsTime::LAST),
    stack: Some("StackedRNNCells"),
    build: |given, context, found| {
        let (cells, units) = layer::cells_of(given, context, found).unzip();
        layer::recurrent(given, context, cells, units.flatten().as_ref(), found)
    },
    ..LayerDef::ORDINARY
};
