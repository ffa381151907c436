//! The layers: one file, one [`LayerDef`], one line in [`LAYERS`].
//!
//! A definition says which arguments Keras's layer has, in Keras's order, and how to get from the
//! arguments and the shape before the layer to what the layer computes and the shape behind it.

mod activation;
mod batch_normalization;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod gru;
mod input;
mod lstm;
mod rnn;
mod simple_rnn;

use crate::layer::LayerDef;

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

/// The layer of that name.
pub fn find(class: &str) -> Option<&'static LayerDef> {
    LAYERS.iter().copied().find(|l| l.class == class)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{diagnostics::Diagnostics, layer};

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

    #[test]
    fn the_cells_parse_and_take_their_layers_arguments() {
        let mut found = Diagnostics::new();
        let cells = LAYERS.iter().filter_map(|l| l.cell.map(|cell| (l, cell)));
        for (of, (name, text)) in cells {
            let cell = layer::parse(text, &mut found).unwrap();
            assert_eq!(cell.name, name);
            for a in &cell.arguments {
                assert!(
                    of.arguments.iter().any(|b| a.name == b.name),
                    "{} of {name}",
                    a.name
                );
            }
        }
        assert!(found.take().is_empty());
    }
}
