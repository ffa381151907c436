//! `LayerNormalization` (Ba, Kiros and Hinton 2016), as `keras.layers.LayerNormalization` computes
//! it over the last axis.

use crate::ir::LayerKind;
use crate::layer::{self, Argument, Built, Kind, LayerDef};
use crate::{cell::Value, diagnostics::Diagnostic};

/// The variance is that of the population, as in Keras, which also divides by it, not by the mean
/// square, with `rms_scaling`.
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
    cell: None,
    many: false,
    build: |given, context, found| {
        let last = context.input().map_or(-1.0, |s| if s.is_sequence() { 2.0 } else { 1.0 });
        if let Some((Value::Number(axis), span)) = given.get("axis")
            && *axis != -1.0
            && *axis != last
        {
            found.push(
                Diagnostic::new("RNN0159", span, format!("{} works on features, the last axis", given.text))
                    .note("steps are normalised one by one, so that a model can stream")
                    .help("leave `axis` out"),
            );
            return Built::failed(context.input().cloned());
        }
        layer::pointwise(given, context, CELL, None, found, |cell| LayerKind::Pointwise { cell })
    },
};
