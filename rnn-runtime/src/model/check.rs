//! Inputs against what a model was compiled for.

use super::ModelInfo;
use crate::{
    error::Error,
    learner::{InputView, ValueSpec, Values},
};

/// Checks all inputs of a batch; returns its rows.
pub(super) fn check(spec: &ModelInfo, x: &[InputView<'_>]) -> Result<usize, Error> {
    if x.len() != spec.inputs.len() {
        return Err(Error::Argument(format!(
            "this model has {}, found {}",
            count(spec.inputs.len(), "input"),
            x.len()
        )));
    }
    for (x, input) in x.iter().zip(spec.inputs) {
        one(x, input)?;
    }
    let batch = x.first().map_or(1, |x| x.batch);
    for (i, (view, input)) in x.iter().zip(spec.inputs).enumerate() {
        if view.batch != batch {
            return Err(Error::Shape {
                what: input.name.to_owned(),
                expected: format!("a batch of {batch}, as `{}` has", spec.inputs[0].name),
                found: format!("a batch of {}", view.batch),
            });
        }
        // The first input on the same axis says how long it is.
        let same =
            |j: &usize| spec.input_axes[i].is_some() && spec.input_axes[*j] == spec.input_axes[i];
        if let Some(j) = (0..i).find(same)
            && x[j].time != view.time
        {
            return Err(Error::Shape {
                what: input.name.to_owned(),
                expected: format!("{} steps, as `{}` has", x[j].time, spec.inputs[j].name),
                found: format!("{} steps", view.time),
            });
        }
    }
    for &(input, layer, vocabulary) in spec.vocabulary {
        if let Values::Ids(ids) = x[input].values
            && let Some(at) = ids.iter().position(|&id| id as usize >= vocabulary)
        {
            return Err(Error::Id {
                layer: layer.to_owned(),
                id: i64::from(ids[at]),
                row: at / x[input].time,
                step: at % x[input].time,
                vocabulary,
            });
        }
    }
    Ok(batch)
}

/// `1 input`, `2 inputs`
pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// One input: its kind, its steps, and as many numbers as its shape says.
fn one(x: &InputView<'_>, spec: &ValueSpec) -> Result<(), Error> {
    let width: usize = spec.features.iter().product();
    let numbers = |width| {
        x.batch
            .checked_mul(x.time)
            .and_then(|n: usize| n.checked_mul(width))
    };
    let len = match x.values {
        Values::Floats(f) => !spec.ids && numbers(width) == Some(f.len()),
        Values::Ids(i) => spec.ids && numbers(1) == Some(i.len()),
    };
    let steps = match spec.time {
        None => x.time == 1,
        Some(Some(t)) => x.time == t,
        Some(None) => x.time > 0,
    };
    if len && steps && x.batch > 0 {
        return zeros_and_ones(x, spec);
    }
    Err(Error::Shape {
        what: spec.name.to_owned(),
        expected: match (x.batch, x.time) {
            (0, _) => format!("{} with at least one row", shape_text(spec)),
            (_, 0) => format!("{} with at least one step", shape_text(spec)),
            _ => shape_text(spec),
        },
        found: found(x, spec, len),
    })
}

/// A mask holds 1 and 0 only. Some kernels compare with 0 and others multiply: only for these two numbers do both agree.
fn zeros_and_ones(x: &InputView<'_>, spec: &ValueSpec) -> Result<(), Error> {
    let Values::Floats(mask) = x.values else {
        return Ok(());
    };
    if !spec.is_mask() {
        return Ok(());
    }
    match mask.iter().position(|&v| v != 0.0 && v != 1.0) {
        Some(at) => Err(Error::Argument(format!(
            "{}: a mask is 1 where a step is valid and 0 where it is padding, found {} in row {}, step {}",
            spec.name,
            mask[at],
            at / x.time,
            at % x.time
        ))),
        None => Ok(()),
    }
}

/// The shape of an input. It is `known` if the number of values fits it.
fn found(x: &InputView<'_>, spec: &ValueSpec, known: bool) -> String {
    let mut axes = vec![x.batch.to_string()];
    if spec.ids || spec.time.is_some() {
        axes.push(x.time.to_string());
    }
    match known {
        true => axes.extend(spec.features.iter().map(usize::to_string)),
        false if spec.ids => {}
        false => axes.push("…".to_owned()),
    }
    format!("[{}]", axes.join(", "))
}

/// `[batch, 28, 28]`
pub(super) fn shape_text(spec: &ValueSpec) -> String {
    let mut text = String::from("[batch");
    match spec.time {
        None => {}
        Some(None) => text += ", time",
        Some(Some(t)) => text += &format!(", {t}"),
    }
    if !spec.ids {
        for f in spec.features {
            text += &format!(", {f}");
        }
    }
    text + "]"
}
