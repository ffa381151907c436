//! `GlobalMaxPooling1D`: the largest value of each feature over all steps.

use crate::layer::{self, DropsTime, LayerDef, Reads};

/// `seen` is 0 before the first valid step, when there is no value to compare with. As in Keras, NaN stays.
/// Of equal values the first one counts and gets the gradient.
const CELL: &str = "
cell GlobalMaxPooling1DCell() {
    state most: [input];
    state seen: [input];
    let larger = select(x > most, x, most);
    let larger = select(x != x, x, larger);
    next most = select(seen == 0, x, larger);
    next seen = 1;
    output most;
}";

pub(super) const GLOBAL_MAX_POOLING1D: LayerDef = LayerDef {
    class: "GlobalMaxPooling1D",
    stem: "global_max_pooling1d",
    arguments: layer::POOLING,
    reads: Reads::Sequence,
    drops_time: Some(DropsTime::POOLED),
    build: |given, context, found| layer::pooling(given, context, CELL, found),
    ..LayerDef::ORDINARY
};
