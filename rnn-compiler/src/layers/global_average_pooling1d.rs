//! `GlobalAveragePooling1D`: the mean of each feature over all steps.

use crate::layer::{self, DropsTime, LayerDef, Reads};

/// The state is the mean so far. A sum would grow with the stream, and lose the digits of the numbers
/// added to it. The count of steps is a float: from 2²⁴ steps on it stays, and the mean forgets as slowly.
const CELL: &str = "
cell GlobalAveragePooling1DCell() {
    state average: [input];
    state steps: [input];
    let n = stop_gradient(steps + 1);
    next average = average + (x - average) / n;
    next steps = n;
    output average;
}";

pub(super) const GLOBAL_AVERAGE_POOLING1D: LayerDef = LayerDef {
    class: "GlobalAveragePooling1D",
    stem: "global_average_pooling1d",
    arguments: layer::POOLING,
    reads: Reads::Sequence,
    drops_time: Some(DropsTime::POOLED),
    build: |given, context, found| layer::pooling(given, context, CELL, found),
    ..LayerDef::ORDINARY
};
