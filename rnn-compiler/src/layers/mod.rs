//! The layers: one file, one [`LayerDef`], one line in [`LAYERS`].
//!
//! A definition lists the arguments of Keras's layer in Keras's order. Its `build` turns these arguments
//! and the shape before the layer into what the layer computes and the shape after it.

mod activation;
mod activity_regularization;
mod add;
mod alpha_dropout;
mod average;
mod batch_normalization;
mod bidirectional;
mod concatenate;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod gaussian_dropout;
mod gaussian_noise;
mod global_average_pooling1d;
mod global_max_pooling1d;
mod gru;
mod input;
mod layer_normalization;
mod lstm;
mod masking;
mod maximum;
mod minimum;
mod multiply;
mod permute;
mod repeat_vector;
mod reshape;
mod rnn;
mod simple_rnn;
mod spatial_dropout1d;
mod subtract;
mod time_distributed;

use crate::{layer::LayerDef, syntax::Class};

pub use input::INPUT;

/// Every layer, in the order in which messages list them.
pub const LAYERS: &[&LayerDef] = &[
    &INPUT,
    &embedding::EMBEDDING,
    &simple_rnn::SIMPLE_RNN,
    &gru::GRU,
    &lstm::LSTM,
    &rnn::RNN,
    &bidirectional::BIDIRECTIONAL,
    &time_distributed::TIME_DISTRIBUTED,
    &dense::DENSE,
    &activation::ACTIVATION,
    &batch_normalization::BATCH_NORMALIZATION,
    &layer_normalization::LAYER_NORMALIZATION,
    &masking::MASKING,
    &dropout::DROPOUT,
    &spatial_dropout1d::SPATIAL_DROPOUT1D,
    &gaussian_noise::GAUSSIAN_NOISE,
    &gaussian_dropout::GAUSSIAN_DROPOUT,
    &alpha_dropout::ALPHA_DROPOUT,
    &activity_regularization::ACTIVITY_REGULARIZATION,
    &global_max_pooling1d::GLOBAL_MAX_POOLING1D,
    &global_average_pooling1d::GLOBAL_AVERAGE_POOLING1D,
    &flatten::FLATTEN,
    &reshape::RESHAPE,
    &permute::PERMUTE,
    &repeat_vector::REPEAT_VECTOR,
    &add::ADD,
    &subtract::SUBTRACT,
    &multiply::MULTIPLY,
    &average::AVERAGE,
    &maximum::MAXIMUM,
    &minimum::MINIMUM,
    &concatenate::CONCATENATE,
];

/// The layer of that name.
pub fn find(class: &str) -> Option<&'static LayerDef> {
    LAYERS.iter().copied().find(|l| l.class == class)
}

/// The classes of the layers, for the parser.
pub fn classes() -> Vec<Class> {
    LAYERS.iter().map(|l| l.as_class()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        diagnostics::Diagnostics,
        layer,
        syntax::{foreign_names, foreign_targets},
    };

    #[test]
    fn names_are_unique() {
        let mut seen = BTreeSet::new();
        for layer in LAYERS {
            assert!(!layer.class.is_empty() && !layer.stem.is_empty());
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
    fn foreign_names_are_not_here_and_what_stands_for_them_is() {
        let names: Vec<_> = foreign_names().collect();
        assert!(names.is_sorted(), "{names:?}");
        for name in names {
            // PyTorch's `RNN` takes sizes, and Keras's a cell.
            assert!(find(name).is_none() || name == "RNN", "{name}");
        }
        for (name, class) in foreign_targets() {
            assert!(find(class).is_some(), "{class} for {name}");
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
