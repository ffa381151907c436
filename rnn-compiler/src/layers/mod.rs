//! The layers: one file, one [`LayerDef`], one line in [`LAYERS`].
//!
//! A definition says which arguments Keras's layer has, in Keras's order, and how to get from the
//! arguments and the shape before the layer to what the layer computes and the shape behind it.

mod activation;
mod arguments;
mod batch_normalization;
mod bind;
mod cells;
mod context;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod gru;
mod input;
mod lstm;
mod own_cell;
mod rnn;
mod simple_rnn;
mod values;

pub use arguments::{Argument, Given, Kind};
pub use bind::bind;
pub use cells::{is_builtin as is_builtin_cell, wanted};
pub use context::{Before, Built, Context};

use crate::diagnostics::Diagnostics;

/// Every layer, in the order in which messages list them.
pub const LAYERS: &[&LayerDef] = &[
    &input::INPUT,
    &embedding::EMBEDDING,
    &simple_rnn::SIMPLE_RNN,
    &gru::GRU,
    &lstm::LSTM,
    &rnn::RNN,
    &dense::DENSE,
    &batch_normalization::BATCH_NORMALIZATION,
    &dropout::DROPOUT,
    &activation::ACTIVATION,
    &flatten::FLATTEN,
];

/// What a layer is.
pub struct LayerDef {
    /// Keras's class: `LSTM`.
    pub class: &'static str,
    /// The stem of Keras's automatic names: `lstm`, `lstm_1`.
    pub stem: &'static str,
    /// All arguments of Keras's layer, in Keras's order.
    pub arguments: &'static [Argument],
    /// From arguments and the shape before to the layer and the shape behind.
    pub build: fn(&Given<'_>, &Context<'_>, &mut Diagnostics) -> Built,
}

/// The layer of that name.
pub fn find(class: &str) -> Option<&'static LayerDef> {
    LAYERS.iter().copied().find(|l| l.class == class)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let mut seen = BTreeSet::new();
        for layer in LAYERS {
            assert!(
                seen.insert(layer.class) && seen.insert(layer.stem),
                "{}",
                layer.class
            );
            let mut arguments = BTreeSet::new();
            for a in layer.arguments {
                assert!(arguments.insert(a.name), "{} of {}", a.name, layer.class);
            }
        }
    }
}
