//! Checks a data set against a model, before training starts.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Column, Dataset, remedy::remedy};
use crate::predictions::{TargetKind, argmax};
use rnn_runtime::{error::Error, learner::ValueSpec};

/// Borrowed or converted numbers of one column.
pub(super) enum Numbers<'a> {
    Floats(Cow<'a, [f32]>),
    Integers(Cow<'a, [u32]>),
}

/// One column as the model or the loss takes it.
pub(super) struct Ready<'a> {
    pub numbers: Numbers<'a>,
    /// Numbers in a sample.
    pub stride: usize,
    /// Steps of the time axis; 1 without one.
    pub time: usize,
    /// Steps of an input; rows of a sample's target, see [`Predictions`](crate::Predictions).
    pub steps: usize,
}

/// What the loss of an output takes as targets.
#[derive(Clone, Debug)]
pub(crate) struct LossTargets {
    pub kind: TargetKind,
    /// Keras's name of the loss.
    pub loss: String,
    /// Whether the targets stand for classes.
    pub classes: bool,
}

/// A [`Dataset`] that was found to suit a model and its losses.
pub(crate) struct Prepared<'a> {
    pub(super) inputs: Vec<Ready<'a>>,
    /// For every output, if it has a loss.
    pub(super) targets: Vec<Option<Ready<'a>>>,
    /// For every output, if its rows have weights: `[n, steps]`.
    pub(super) weights: Vec<Option<Vec<f32>>>,
    /// Rows of the columns, in the order of the data set.
    pub order: Vec<usize>,
}

impl<'a> Prepared<'a> {
    /// Checks `data` against the model's inputs and outputs and the targets that the loss of each
    /// output takes, if it has one. Every row of class `c` weighs `class_weight[c]` times as much.
    pub fn new(
        what: &str,
        data: &'a Dataset,
        inputs: &[ValueSpec],
        outputs: &[ValueSpec],
        kinds: &[Option<LossTargets>],
        class_weight: Option<&BTreeMap<u32, f32>>,
    ) -> Result<Prepared<'a>, Error> {
        if data.is_empty() {
            return Err(Error::Argument(format!("{what}: there is no sample")));
        }
        let columns = &data.columns;
        let trained = outputs
            .iter()
            .zip(kinds)
            .filter_map(|(o, kind)| kind.as_ref().map(|_| o));
        let trained: Vec<&ValueSpec> = trained.collect();
        check_count(
            what,
            "input",
            &inputs.iter().collect::<Vec<_>>(),
            &columns.inputs,
        )?;
        check_count(what, "target", &trained, &columns.targets)?;
        let inputs: Vec<_> = inputs
            .iter()
            .zip(&columns.inputs)
            .map(|(spec, column)| input(&format!("{what}, {}", spec.name), spec, column))
            .collect::<Result<_, _>>()?;
        let mut targets = Vec::new();
        let mut weights = Vec::new();
        let mut given = columns.targets.iter().zip(&columns.sample_weights);
        for (spec, kind) in outputs.iter().zip(kinds) {
            let column = kind
                .as_ref()
                .and_then(|kind| given.next().map(|given| (kind, given)));
            let Some((kind, (column, sample_weight))) = column else {
                targets.push(None);
                weights.push(None);
                continue;
            };
            let what = format!("{what}, target of {}", spec.name);
            let target = target(&what, spec, kind, column)?;
            weights.push(self::weights(
                &what,
                &target,
                sample_weight.as_ref(),
                class_weight,
            )?);
            targets.push(Some(target));
        }
        Ok(Prepared {
            inputs,
            targets,
            weights,
            order: data.order.clone(),
        })
    }

    /// Checks that all ids are in the vocabulary of all layers that read them
    /// ([`Learner::vocabulary`](rnn_runtime::learner::Learner)). If the model refused a batch in the middle
    /// of training, the weights would have changed already.
    pub fn check_ids(
        &self,
        what: &str,
        inputs: &[ValueSpec],
        vocabulary: &[(usize, &str, usize)],
    ) -> Result<(), Error> {
        for &(index, layer, size) in vocabulary {
            let Some((column, spec)) = self.inputs.get(index).zip(inputs.get(index)) else {
                continue;
            };
            let Numbers::Integers(ids) = &column.numbers else {
                continue;
            };
            // Only the samples of this data set: others are never looked up.
            for &sample in &self.order {
                let ids = &ids[sample * column.stride..(sample + 1) * column.stride];
                if let Some(step) = ids.iter().position(|&id| id as usize >= size) {
                    let position = match spec.time {
                        Some(_) => format!("sample {sample}, step {step}"),
                        None => format!("sample {sample}"),
                    };
                    return Err(Error::Argument(format!(
                        "{what}, {}: id {} in {position} is outside of the vocabulary 0..{size} of \
                         {layer}",
                        spec.name, ids[step]
                    )));
                }
            }
        }
        Ok(())
    }

    /// Rows of one sample for output number `output`: its steps, if it is a sequence. `None` without
    /// targets.
    pub fn steps(&self, output: usize) -> Option<usize> {
        self.targets[output].as_ref().map(|target| target.steps)
    }
}

/// Checks that there are as many columns as the model takes.
fn check_count(
    what: &str,
    kind: &str,
    specs: &[&ValueSpec],
    columns: &[Column],
) -> Result<(), Error> {
    if specs.len() == columns.len() {
        return Ok(());
    }
    let names: Vec<_> = specs.iter().map(|spec| spec.name).collect();
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    Err(Error::Argument(format!(
        "{what}: the model takes {} ({}), the data set has {}",
        count(specs.len(), kind),
        names.join(", "),
        count(columns.len(), kind),
    )))
}

fn input<'a>(what: &str, spec: &ValueSpec, column: &'a Column) -> Result<Ready<'a>, Error> {
    let shape = &column.shape()[1..];
    let (steps, features) = match (spec.time, shape) {
        (None, features) => (1, features),
        (Some(_), []) => (0, shape),
        (Some(_), [time, features @ ..]) => (*time, features),
    };
    let fits_time = match spec.time {
        Some(Some(time)) => steps == time,
        _ => steps > 0,
    };
    let wanted: &[usize] = if spec.ids { &[] } else { spec.features };
    // As in Keras, an axis of one feature may be left out.
    let fits = features == wanted
        || (features.is_empty() && wanted == [1])
        || (features == [1] && wanted.is_empty());
    if !fits_time || !fits {
        return Err(wrong_shape(what, spec, wanted, column));
    }
    let numbers = match (spec.ids, column.as_floats(), column.as_integers()) {
        (true, _, Some(ids)) => Numbers::Integers(ids.into()),
        (true, ..) => {
            let message =
                format!("{what}: ids are whole numbers from 0 on, found floats or negative ones");
            return Err(Error::Argument(message));
        }
        (false, Some(floats), _) => Numbers::Floats(floats.into()),
        (false, None, _) => Numbers::Floats(column.to_floats().into()),
    };
    check_finite(what, &numbers, column.stride())?;
    if spec.is_mask() {
        check_mask(what, &numbers, steps)?;
    }
    Ok(Ready {
        numbers,
        stride: column.stride(),
        time: steps,
        steps,
    })
}

fn target<'a>(
    what: &str,
    spec: &ValueSpec,
    takes: &LossTargets,
    column: &'a Column,
) -> Result<Ready<'a>, Error> {
    let kind = takes.kind;
    // The last axis is a row; the other feature axes count as steps.
    let (&classes, outer) = spec.features.split_last().unwrap_or((&1, &[]));
    let shape = &column.shape()[1..];
    let (time, rest) = match (spec.time, shape) {
        (None, rest) => (Some(1), rest),
        (Some(_), []) => (None, shape),
        (Some(Some(fixed)), [time, rest @ ..]) => ((*time == fixed).then_some(*time), rest),
        (Some(None), [time, rest @ ..]) => ((*time > 0).then_some(*time), rest),
    };
    // Keras takes [n] for [n, 1], and [n, 1] for class numbers [n].
    let without_last = rest == outer;
    let with_last = rest.split_last().is_some_and(|(&last, rest)| {
        rest == outer
            && last
                == if kind == TargetKind::Labels {
                    1
                } else {
                    classes
                }
    });
    let fits = with_last || (without_last && (kind == TargetKind::Labels || classes == 1));
    let (Some(time), true) = (time, fits) else {
        let mut wanted = spec.features.to_vec();
        if kind == TargetKind::Labels {
            wanted.pop();
        }
        let mut error = wrong_shape(what, spec, &wanted, column);
        if let Error::Shape { found, .. } = &mut error {
            found.push_str("; ");
            found.push_str(&remedy(takes, spec, column.shape()));
        }
        return Err(error);
    };
    let numbers = match kind {
        TargetKind::Labels => labels(what, takes, column, classes)?,
        TargetKind::Floats => match column.as_floats() {
            Some(floats) => Numbers::Floats(floats.into()),
            None => Numbers::Floats(column.to_floats().into()),
        },
    };
    check_finite(what, &numbers, column.stride())?;
    Ok(Ready {
        numbers,
        stride: column.stride(),
        time,
        steps: time * outer.iter().product::<usize>(),
    })
}

/// Class numbers below `classes`; floats are taken if they are whole, as Keras does.
fn labels<'a>(
    what: &str,
    takes: &LossTargets,
    column: &'a Column,
    classes: usize,
) -> Result<Numbers<'a>, Error> {
    let stride = column.stride().max(1);
    let wrong = |index: usize, label: String| {
        let (row, loss) = (index / stride, &takes.loss);
        let remedy = if classes == 1 {
            format!(
                "; {loss} chooses among as many classes as the output has numbers, and it has 1: \
                 use BinaryCrossentropy for yes or no, MeanSquaredError for a number"
            )
        } else if label.parse::<u32>().is_err() {
            format!("; {loss} takes class numbers: use MeanSquaredError for numbers of any kind")
        } else {
            String::new()
        };
        Error::Argument(format!(
            "{what}: label {label} of sample {row} is not a class in 0..{classes}{remedy}"
        ))
    };
    let good = |label: f32| label >= 0.0 && label.fract() == 0.0 && (label as usize) < classes;
    if let Some(floats) = column.as_floats() {
        if let Some((index, label)) = floats.iter().enumerate().find(|(_, label)| !good(**label)) {
            return Err(wrong(index, label.to_string()));
        }
        return Ok(Numbers::Integers(
            floats.iter().map(|&label| label as u32).collect(),
        ));
    }
    let labels = column.as_integers().unwrap_or_default();
    match labels
        .iter()
        .enumerate()
        .find(|(_, label)| **label as usize >= classes)
    {
        Some((index, label)) => Err(wrong(index, label.to_string())),
        None => Ok(Numbers::Integers(labels.into())),
    }
}

fn check_finite(what: &str, numbers: &Numbers<'_>, stride: usize) -> Result<(), Error> {
    let Numbers::Floats(floats) = numbers else {
        return Ok(());
    };
    match floats.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some((index, value)) => {
            let sample = index / stride.max(1);
            Err(Error::Argument(format!(
                "{what}: {value} in sample {sample}"
            )))
        }
    }
}

/// A mask is 1 where a step is valid and 0 where it is padding.
fn check_mask(what: &str, numbers: &Numbers<'_>, steps: usize) -> Result<(), Error> {
    let Numbers::Floats(mask) = numbers else {
        return Ok(());
    };
    match mask.iter().position(|&v| v != 0.0 && v != 1.0) {
        None => Ok(()),
        Some(at) => Err(Error::Argument(format!(
            "{what}: a mask is 1 where a step is valid and 0 where it is padding, found {} in sample {}, \
             step {}",
            mask[at],
            at / steps,
            at % steps
        ))),
    }
}

fn wrong_shape(what: &str, spec: &ValueSpec, features: &[usize], found: &Column) -> Error {
    let mut axes = vec!["n".to_owned()];
    match spec.time {
        None => {}
        Some(None) => axes.push("time".to_owned()),
        Some(Some(time)) => axes.push(time.to_string()),
    }
    axes.extend(features.iter().map(usize::to_string));
    // As in `predict`, an open number of steps may be 0.
    let empty = spec.time == Some(None) && found.shape().get(1) == Some(&0);
    let least = if empty { " with at least one step" } else { "" };
    Error::Shape {
        what: what.to_owned(),
        expected: format!("[{}]{least}", axes.join(", ")),
        found: format!("{:?}", found.shape()),
    }
}

/// Weights of all rows of a target: those of the samples or of their steps, broadcast to the rows (an
/// output with several axes of features has several rows a step), times those of their classes.
fn weights(
    what: &str,
    target: &Ready<'_>,
    sample: Option<&Column>,
    class: Option<&BTreeMap<u32, f32>>,
) -> Result<Option<Vec<f32>>, Error> {
    if sample.is_none() && class.is_none() {
        return Ok(None);
    }
    let (numbers, steps) = (&target.numbers, target.steps);
    let rows = match numbers {
        Numbers::Floats(floats) => floats.len() / target.stride.max(1) * steps,
        Numbers::Integers(labels) => labels.len(),
    };
    let mut weights = vec![1.0; rows];
    if let Some(sample) = sample {
        let stride = sample.stride();
        if ![1, target.time, steps].contains(&stride) {
            let mut wanted = vec!["[n]".to_owned(), format!("[n, {}]", target.time)];
            if steps != target.time {
                wanted.push(format!("[n, {steps}]"));
            }
            return Err(Error::Shape {
                what: format!("{what}, sample weights"),
                expected: wanted.join(" or "),
                found: format!("{:?}", sample.shape()),
            });
        }
        let values = sample.to_floats();
        let each = steps / stride;
        for (row, weight) in weights.iter_mut().enumerate() {
            *weight = values[row / each];
        }
    }
    if let Some(class) = class {
        let of = |label: usize| {
            u32::try_from(label)
                .ok()
                .and_then(|l| class.get(&l))
                .copied()
        };
        let width = target.stride / steps.max(1);
        for (row, weight) in weights.iter_mut().enumerate() {
            let label = match numbers {
                Numbers::Integers(labels) => labels[row] as usize,
                Numbers::Floats(floats) if width == 1 => floats[row].round() as usize,
                Numbers::Floats(floats) => argmax(&floats[row * width..(row + 1) * width]),
            };
            *weight *= of(label).unwrap_or(1.0);
        }
    }
    Ok(Some(weights))
}
