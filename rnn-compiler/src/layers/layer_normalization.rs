//! `LayerNormalization` (Ba, Kiros and Hinton 2016), as `keras.layers.LayerNormalization` computes
//! it over the last axis.

use crate::ir::LayerKind;
use crate::layer::{self, Argument, Built, Kind, LayerDef};

/// The variance is that of the population, as in Keras. With `rms_scaling` Keras divides by this
/// variance, too, rather than by the mean square.
const CELL: &str = "
cell LayerNormalizationCell(
    epsilon = 0.001,
    center = true,
    scale = true,
    rms_scaling = false,
    beta_initializer = zeros,
    gamma_initializer = ones,
) {
    if scale || rms_scaling {
        param gamma: [input] = gamma_initializer;
    }
    if center && !rms_scaling {
        param beta: [input] = beta_initializer;
    }
    let centred = x - mean(x);
    let deviation = rsqrt(mean(centred * centred) + epsilon);
    let y = if rms_scaling { x * deviation } else { centred * deviation };
    let y = if scale || rms_scaling { y * gamma } else { y };
    output if center && !rms_scaling { y + beta } else { y };
}";

pub(super) const LAYER_NORMALIZATION: LayerDef = LayerDef {
    class: "LayerNormalization",
    stem: "layer_normalization",
    arguments: &[
        Argument::optional("axis", Kind::Number),
        Argument::optional("epsilon", Kind::Positive),
        Argument::optional("center", Kind::Flag),
        Argument::optional("scale", Kind::Flag),
        Argument::optional("rms_scaling", Kind::Flag),
        Argument::optional("beta_initializer", Kind::Initializer),
        Argument::optional("gamma_initializer", Kind::Initializer),
        Argument::optional("beta_regularizer", Kind::Regularizer),
        Argument::optional("gamma_regularizer", Kind::Regularizer),
        Argument::optional("beta_constraint", Kind::Constraint),
        Argument::optional("gamma_constraint", Kind::Constraint),
    ],
    build: |given, context, found| {
        if !layer::last_axis(given, context, "works on features, the last axis", found) {
            return Built::failed(context.input().cloned());
        }
        layer::pointwise(given, context, CELL, None, found, |cell| {
            LayerKind::Pointwise { cell }
        })
    },
    ..LayerDef::ORDINARY
};
