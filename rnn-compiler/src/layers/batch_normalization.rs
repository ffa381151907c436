//! `BatchNormalization` (Ioffe and Szegedy 2015), as `keras.layers.BatchNormalization` computes it.

use crate::ir::LayerKind;
use crate::layer::{self, Argument, Kind, LayerDef};

/// The formula of inference, which uses the moving statistics. In training the runtime normalises by
/// the statistics of the batch.
const CELL: &str = "
cell BatchNormalizationCell(
    epsilon = 0.001,
    center = true,
    scale = true,
    beta_initializer = zeros,
    gamma_initializer = ones,
    moving_mean_initializer = zeros,
    moving_variance_initializer = ones,
) {
    if scale {
        param gamma: [input] = gamma_initializer;
    }
    if center {
        param beta: [input] = beta_initializer;
    }
    frozen param moving_mean: [input] = moving_mean_initializer;
    frozen param moving_variance: [input] = moving_variance_initializer;
    let factor = rsqrt(moving_variance + epsilon);
    let factor = if scale { factor * gamma } else { factor };
    let offset = -moving_mean * factor;
    let offset = if center { offset + beta } else { offset };
    output x * factor + offset;
}";

pub(super) const BATCH_NORMALIZATION: LayerDef = LayerDef {
    class: "BatchNormalization",
    stem: "batch_normalization",
    arguments: &[
        Argument::optional("axis", Kind::Number),
        Argument::optional("momentum", Kind::Rate),
        Argument::optional("epsilon", Kind::Positive),
        Argument::optional("center", Kind::Flag),
        Argument::optional("scale", Kind::Flag),
        Argument::optional("beta_initializer", Kind::Initializer),
        Argument::optional("gamma_initializer", Kind::Initializer),
        Argument::optional("moving_mean_initializer", Kind::Initializer),
        Argument::optional("moving_variance_initializer", Kind::Initializer),
        Argument::optional("beta_regularizer", Kind::Regularizer),
        Argument::optional("gamma_regularizer", Kind::Regularizer),
        Argument::optional("beta_constraint", Kind::Constraint),
        Argument::optional("gamma_constraint", Kind::Constraint),
        Argument::instead("renorm", "leave it out: Keras 3 has it no more"),
        Argument::instead("renorm_clipping", "leave it out: Keras 3 has it no more"),
        Argument::instead("renorm_momentum", "leave it out: Keras 3 has it no more"),
        Argument::instead(
            "synchronized",
            "leave it out: a model is trained by one process",
        ),
    ],
    build: |given, context, found| {
        if !layer::last_axis(given, context, "works on features, the last axis", found) {
            return layer::Built::failed(context.input().cloned());
        }
        let (momentum, epsilon) = (
            given.number("momentum", 0.99),
            given.number("epsilon", 1e-3),
        );
        layer::pointwise(given, context, CELL, None, found, |cell| {
            LayerKind::BatchNormalization {
                cell,
                momentum,
                epsilon,
            }
        })
    },
    ..LayerDef::ORDINARY
};
