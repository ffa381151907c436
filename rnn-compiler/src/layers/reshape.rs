//! `Reshape`: the same numbers of a row, cut into other axes.

use std::rc::Rc;

use proc_macro2::Span;

use crate::layer::{Argument, Built, DropsTime, Kind, LayerDef};
use crate::ops;
use crate::{
    cell::{Value, size::Size},
    diagnostics::Diagnostic,
    ir::{LayerKind, Shape, Time},
    syntax::ValueKind,
};

pub(super) const RESHAPE: LayerDef = LayerDef {
    class: "Reshape",
    stem: "reshape",
    arguments: &[Argument::required("target_shape", Kind::Sizes).like("7, 4")],
    drops_time: Some(DropsTime::JOINED),
    build: |given, context, found| {
        let Some(shape) = context.floats(given, found) else {
            return Built::failed(None);
        };
        if !given.complete {
            return Built::failed(None);
        }
        let total = match &shape.time {
            Time::None => shape.width(),
            Time::Steps(t) => t * &shape.width(),
            Time::Any(_) => {
                found.push(
                    Diagnostic::new(
                        "RNN0162",
                        given.span,
                        format!(
                            "{} needs a known number of steps, found {shape}",
                            given.text
                        ),
                    )
                    .help("give the input a length: Input(28, …)"),
                );
                return Built::failed(None);
            }
        };
        let target = given.sizes("target_shape");
        let open = |(name, value, _): &&(&str, Value, Span)| {
            *name == "target_shape" && *value == Value::Number(-1.0)
        };
        if let Some((.., span)) = given.values.iter().find(open) {
            let others: Option<usize> = target.iter().map(Size::value).product();
            let own = total.value().zip(others).filter(|(t, n)| t % n == 0);
            let written = given
                .written
                .arguments
                .iter()
                .map(|a| match (&a.value.kind, own) {
                    (ValueKind::Number(-1.0), Some((t, n))) => (t / n).to_string(),
                    _ => a.value.to_string(),
                });
            let written: Vec<String> = written.collect();
            let words = format!("sizes are not inferred, found `-1` in {}", given.text);
            let d = Diagnostic::new("RNN0162", *span, words);
            found.push(d.help(match own {
                Some(_) => format!("write `Reshape({})`", written.join(", ")),
                None => format!("write sizes whose product is {total}: `Reshape({total})`"),
            }));
            return Built::failed(None);
        }
        let product = target.iter().fold(Size::known(1), |n, s| &n * s);
        if product != total {
            found.push(
                Diagnostic::new(
                    "RNN0162",
                    given.span,
                    format!(
                        "{} has {product} numbers, found {shape} with {total}",
                        given.text
                    ),
                )
                .help(match total.value() {
                    Some(total) => factors(&target, total),
                    None => format!("write `Reshape({total})`"),
                }),
            );
            return Built::failed(None);
        }
        // Two axes are steps of features; of more axes, the first are steps.
        let after = match target.as_slice() {
            [features] => Shape::vector(Time::None, features.clone()),
            [steps, axes @ ..] => Shape {
                time: Time::Steps(steps.clone()),
                axes: axes.to_vec(),
                ..shape.clone()
            },
            [] => return Built::failed(None),
        };
        Built::new(LayerKind::Op(Rc::new(ops::Reshape)), after).without_mask()
    },
    ..LayerDef::ORDINARY
};

/// Shapes of as many axes as `target` with `total` numbers: one that keeps its first sizes, and the others with the
/// steps nearest to those that were written.
fn factors(target: &[Size], total: usize) -> String {
    let known: Vec<usize> = target.iter().filter_map(Size::value).collect();
    let (Some((_, first)), 2..) = (known.split_last(), known.len()) else {
        return format!("write `Reshape({total})`");
    };
    let kept = first
        .iter()
        .try_fold(1, |all: usize, n| all.checked_mul(*n));
    let list = |sizes: &[usize]| {
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        format!("`Reshape({})`", sizes.join(", "))
    };
    if let Some(kept) = kept.filter(|kept| *kept > 0 && total.is_multiple_of(*kept)) {
        return format!("write {}", list(&[first, &[total / kept]].concat()));
    }
    // One of two factors is below 2^16, unless both are sizes that nobody writes.
    let small = (2..total.min(1 << 16)).filter(|n| total.is_multiple_of(*n));
    let mut steps: Vec<usize> = small
        .flat_map(|n| [n, total / n])
        .filter(|n| *n < total)
        .collect();
    steps.sort_unstable();
    steps.dedup();
    steps.sort_by_key(|n| n.abs_diff(known[0]));
    let shapes: Vec<String> = steps
        .iter()
        .take(3)
        .map(|n| list(&[*n, total / n]))
        .collect();
    match shapes.as_slice() {
        [] => format!("write `Reshape({total})`: {total} has no small factors"),
        all => format!("{total} numbers are {}", all.join(", ")),
    }
}
