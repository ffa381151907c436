//! `Concatenate`: the features of several values side by side.

use crate::layer::{self, Argument, Built, Kind, LayerDef};
use crate::{
    cell::Value,
    diagnostics::Diagnostic,
    ir::{LayerKind, Shape},
};

pub(super) const CONCATENATE: LayerDef = LayerDef {
    class: "Concatenate",
    stem: "concatenate",
    arguments: &[Argument::optional("axis", Kind::Number)],
    cell: None,
    many: true,
    build: |given, context, found| {
        let n = context.inputs.len();
        let Some(first) = context.floats(given, found) else {
            return Built::failed(None);
        };
        let last = if first.is_sequence() { 2.0 } else { 1.0 };
        if let Some((Value::Number(axis), span)) = given.get("axis")
            && *axis != -1.0
            && *axis != last
        {
            found.push(
                Diagnostic::new("RNN0159", span, format!("{} joins features, the last axis", given.text))
                    .note("values are joined step by step, so that a model can stream")
                    .help("leave `axis` out"),
            );
            return Built::failed(None);
        }
        let axes: Option<Vec<_>> = context
            .inputs
            .iter()
            .map(|i| i.shape().map(|s| s.axes.clone()))
            .collect();
        let Some(axes) = axes else {
            return Built::failed(None);
        };
        // A cell that puts its inputs side by side; `merge` wants one shape, this one does not.
        let names: Vec<String> = (0..n).map(|i| format!("x{i}")).collect();
        let inputs: String = (0..n).map(|i| format!("input x{i}: [n{i}]; ")).collect();
        let text = format!(
            "cell Concatenate() {{ {inputs} output concat({}); }}",
            names.join(", ")
        );
        layer::side_by_side(given, context, &axes, &text, found, |cell, width| {
            Built::new(
                LayerKind::Pointwise { cell },
                Shape::vector(first.time.clone(), width),
            )
        })
    },
};
