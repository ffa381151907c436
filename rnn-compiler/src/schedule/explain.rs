//! The text of `Model::plan()`: what was decided, and why.

use std::fmt::Write as _;

use super::{Kernels, Plan, PlannedKernel};
use crate::ir::{Op, OpKind, Time};

/// One paragraph an operation.
pub(super) fn explain(plan: &Plan) -> String {
    let mut text = String::new();
    for (op, cell) in plan.graph.ops.iter().zip(&plan.cells) {
        let words = match &op.kind {
            OpKind::Op(def) => def.explain(),
            _ => Some(String::new()),
        };
        let Some(words) = words else { continue };
        // A parameter that a state starts with: said where the state is.
        if op.is_parameter_alone() {
            continue;
        }
        let _ = write!(text, "{}: ", op.title());
        let _ = match (&op.kind, cell) {
            (_, Some(cell)) => {
                let asked = match &op.kind {
                    OpKind::Cell(c) => c.unroll,
                    _ => None,
                };
                let form = match (cell.unroll, asked) {
                    (Some(n), _) => {
                        format!(
                            "unrolled because it was asked for: {n} steps of straight-line code in inference"
                        )
                    }
                    _ if cell.inference_states.is_empty() => "all steps at once".to_owned(),
                    (None, Some(true)) => {
                        format!("a loop over the steps: {}", not_unrolled(plan, op))
                    }
                    (None, _) => "a loop over the steps: in every size measured, straight-line \
                                  code was no faster"
                        .to_owned(),
                };
                let masked = match &op.kind {
                    OpKind::Cell(c) if c.mask.is_some() => "; masked steps are skipped",
                    _ => "",
                };
                let starts = match &op.kind {
                    OpKind::Cell(c) if c.cell.states.iter().any(|s| s.start.is_some()) => {
                        "; its states start with parameters"
                    }
                    _ => "",
                };
                let directions = match op.half {
                    Some(_) => "; both directions at once where rows are fewer than threads",
                    None => "",
                };
                let _ = writeln!(text, "{form}{masked}{starts}{directions}");
                let _ = writeln!(text, "  stream:    {}", counts(&cell.stream));
                let _ = writeln!(text, "  inference: {}", counts(&cell.inference));
                let _ = writeln!(text, "  forward:   {}", counts(&cell.forward));
                writeln!(text, "  backward:  {}", counts(&cell.backward))
            }
            (_, None) => writeln!(text, "{words}"),
        };
    }
    if let Some(whole) = &plan.needs_whole_sequence {
        let _ = writeln!(text, "no stream: {}", whole.why);
    }
    text
}

/// Why a scan is a loop although straight-line code was asked for.
fn not_unrolled(plan: &Plan, op: &Op) -> String {
    let masked = matches!(&op.kind, OpKind::Cell(c) if c.mask.is_some());
    let steps = op.axis.map(|axis| &plan.graph.axes[axis]);
    match steps {
        _ if masked => "which of them are valid is only known when the program runs, so a masked \
                        layer is not unrolled"
            .to_owned(),
        Some(Time::Steps(steps)) => match steps.value() {
            Some(n) => format!(
                "at most {} are unrolled, and there are {n}",
                super::cost::MOST_STEPS
            ),
            None => format!(
                "the value of `{steps}` is not known when the model is expanded; a number in its \
                 place is unrolled"
            ),
        },
        _ => "their number is open".to_owned(),
    }
}

/// `1 kernel before the scan (4 gates), 1 a step (4 gates)`
fn counts(p: &Kernels) -> String {
    let part = |kernels: &[PlannedKernel], what: &str| {
        (!kernels.is_empty()).then(|| {
            let gates: Vec<String> = kernels
                .iter()
                .map(|k| {
                    let segments = k.tables.products.iter().flatten();
                    let n: usize = segments.map(|s| s.gates).sum();
                    match n {
                        0 => "maths only".to_owned(),
                        1 => "1 product".to_owned(),
                        n => format!("{n} products"),
                    }
                })
                .collect();
            format!("{what}: {}", gates.join(", then "))
        })
    };
    let parts: Vec<String> = [
        part(&p.weight_time, "with the weights"),
        part(&p.prologue, "hoisted out of the scan"),
        part(&p.step, "at every step"),
        part(&p.post_loop, "after the scan"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        "by the runtime".to_owned()
    } else {
        parts.join("; ")
    }
}
