//! `Concatenate`: the features of several values side by side.

use crate::ir::{LayerKind, Shape};
use crate::layer::{self, Argument, Built, Kind, LayerDef, Reads};

pub(super) const CONCATENATE: LayerDef = LayerDef {
    class: "Concatenate",
    stem: "concatenate",
    arguments: &[Argument::optional("axis", Kind::Number)],
    reads: Reads::Several,
    build: |given, context, found| {
        let n = context.inputs.len();
        let Some(first) = context.floats(given, found) else {
            return Built::failed(None);
        };
        if !layer::last_axis(given, context, "joins features, the last axis", found) {
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
        // Unlike `merge`, the values may have different shapes.
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
    ..LayerDef::ORDINARY
};
