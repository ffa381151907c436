//! `Dense`: a matrix product, a bias and an activation, on the last axis.

use crate::ir::LayerKind;
use crate::layer::{self, Argument, Kind, LayerDef};

const CELL: &str = "
cell DenseCell(
    units,
    activation = linear,
    use_bias = true,
    kernel_initializer = glorot_uniform,
    bias_initializer = zeros,
) {
    param kernel: [input, units] = kernel_initializer;
    let z = x @ kernel;
    if use_bias {
        param bias: [units] = bias_initializer;
        let z = z + bias;
    }
    output activation(z);
}";

pub(super) const DENSE: LayerDef = LayerDef {
    class: "Dense",
    stem: "dense",
    arguments: &[
        Argument::required("units", Kind::Size),
        Argument::optional("activation", Kind::Activation),
        Argument::optional("use_bias", Kind::Flag),
        Argument::optional("kernel_initializer", Kind::Initializer),
        Argument::optional("bias_initializer", Kind::Initializer),
        Argument::optional("kernel_regularizer", Kind::Regularizer),
        Argument::optional("bias_regularizer", Kind::Regularizer),
        Argument::optional("kernel_constraint", Kind::Constraint),
        Argument::optional("bias_constraint", Kind::Constraint),
        Argument::not_yet("lora_rank"),
        Argument::not_yet("lora_alpha"),
        Argument::not_yet("quantization_config"),
    ],
    build: |given, context, found| {
        layer::pointwise(given, context, CELL, given.size("units"), found, |cell| {
            LayerKind::Pointwise { cell }
        })
    },
    ..LayerDef::ORDINARY
};
