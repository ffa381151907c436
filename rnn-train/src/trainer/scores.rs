//! The choice of losses and metrics.

use crate::{data::LossTargets, losses::Loss, metrics::Metric};
use rnn_runtime::{
    error::Error,
    learner::{OutputRange, ValueSpec},
    trainable::Trainable,
};

/// One output of a model, by its name or its index. `loss_for` and similar methods take it.
///
/// ```
/// use rnn_train::Output;
///
/// assert_eq!(Output::from("logits"), Output::Name("logits".to_owned()));
/// assert_eq!(Output::from(1), Output::Index(1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The output of that name.
    Name(String),
    /// The output with this index, from 0.
    Index(usize),
}

impl From<&str> for Output {
    fn from(name: &str) -> Output {
        Output::Name(name.to_owned())
    }
}

impl From<String> for Output {
    fn from(name: String) -> Output {
        Output::Name(name)
    }
}

impl From<usize> for Output {
    fn from(index: usize) -> Output {
        Output::Index(index)
    }
}

impl Output {
    /// Number of the output among those of the model.
    fn index(&self, outputs: &[ValueSpec]) -> Result<usize, Error> {
        let names = || {
            let names: Vec<_> = outputs.iter().map(|spec| spec.name).collect();
            names.join(", ")
        };
        let (index, own) = match self {
            Output::Name(name) => (outputs.iter().position(|spec| spec.name == name), name),
            Output::Index(index) => (
                (*index < outputs.len()).then_some(*index),
                &format!("number {index}"),
            ),
        };
        index.ok_or_else(|| {
            Error::Argument(format!("the model has no output {own}, but {}", names()))
        })
    }
}

/// Losses and metrics: what Keras's `compile` takes besides the optimizer.
///
/// A [`Trainer`](super::Trainer) has one, with methods of the same names; to look at a model
/// without one see [`Evaluate`](super::Evaluate).
///
/// ```
/// use rnn_train::{Scores, losses::*, metrics::Accuracy};
///
/// let scores = Scores::new()
///     .loss_for("logits", SparseCategoricalCrossentropy::from_logits())
///     .metric_for("logits", Accuracy)
///     .loss_for("pitch", MeanSquaredError)
///     .loss_weight_for("pitch", 0.5)
///     .metric_for("pitch", MeanAbsoluteError);
/// ```
#[derive(Default)]
pub struct Scores {
    /// `None`: all outputs that have none of their own.
    losses: Vec<(Option<Output>, Box<dyn Loss>)>,
    loss_weights: Vec<(Output, f64)>,
    untrained: Vec<Output>,
    metrics: Vec<OutputMetric>,
    insists: bool,
}

pub(super) struct OutputMetric {
    /// `None`: the only output.
    output: Option<Output>,
    pub metric: Box<dyn Metric>,
    pub weighted: bool,
}

impl Scores {
    /// No loss and no metric.
    pub fn new() -> Scores {
        Scores::default()
    }

    /// The loss of all outputs that have none of their own.
    pub fn loss(mut self, loss: impl Loss + 'static) -> Self {
        self.set_loss(None, Box::new(loss));
        self
    }

    /// The loss of one output. Training minimises the sum over all outputs.
    pub fn loss_for(mut self, output: impl Into<Output>, loss: impl Loss + 'static) -> Self {
        self.set_loss(Some(output.into()), Box::new(loss));
        self
    }

    /// How much the loss of one output counts in the sum: Keras's `loss_weights`. 1 by default.
    pub fn loss_weight_for(mut self, output: impl Into<Output>, weight: f64) -> Self {
        self.loss_weights.push((output.into(), weight));
        self
    }

    /// One output has no loss, and the data set has no target for it, like `None` among Keras's losses: a
    /// state that a model returns, for example.
    pub fn no_loss_for(mut self, output: impl Into<Output>) -> Self {
        self.untrained.push(output.into());
        self
    }

    /// A metric of a model with one output. Like Keras's `metrics` it respects masks, but not sample and
    /// class weights.
    pub fn metric(self, metric: impl Metric + 'static) -> Self {
        self.add(None, Box::new(metric), false)
    }

    /// A metric that counts every row by its sample and class weight, as Keras's
    /// `weighted_metrics`.
    pub fn weighted_metric(self, metric: impl Metric + 'static) -> Self {
        self.add(None, Box::new(metric), true)
    }

    /// A metric of one output of several.
    pub fn metric_for(self, output: impl Into<Output>, metric: impl Metric + 'static) -> Self {
        self.add(Some(output.into()), Box::new(metric), false)
    }

    /// A metric of one output of several that counts every row by its weight.
    pub fn weighted_metric_for(
        self,
        output: impl Into<Output>,
        metric: impl Metric + 'static,
    ) -> Self {
        self.add(Some(output.into()), Box::new(metric), true)
    }

    /// Takes losses that do not suit what the model's last layer gives; see
    /// [`Trainer::insist`](super::Trainer::insist).
    pub fn insist(mut self) -> Self {
        self.insists = true;
        self
    }

    /// Replaces the loss of that output.
    fn set_loss(&mut self, output: Option<Output>, loss: Box<dyn Loss>) {
        self.losses.retain(|(own, _)| *own != output);
        self.losses.push((output, loss));
    }

    fn add(mut self, output: Option<Output>, metric: Box<dyn Metric>, weighted: bool) -> Self {
        self.metrics.push(OutputMetric {
            output,
            metric,
            weighted,
        });
        self
    }

    /// Checks that losses, metrics and outputs fit together. Gives the targets that the loss of every output
    /// takes; `None` for an output without a loss.
    pub(super) fn check(&self, model: &dyn Trainable) -> Result<Vec<Option<LossTargets>>, Error> {
        let (outputs, ranges) = (model.outputs(), model.output_ranges());
        let named = self.losses.iter().filter_map(|(output, _)| output.as_ref());
        for output in named.chain(&self.untrained) {
            output.index(outputs)?;
        }
        let kinds: Vec<Option<LossTargets>> = outputs
            .iter()
            .enumerate()
            .map(|(index, spec)| {
                let Some(loss) = self.loss_of(index, outputs)? else {
                    return Ok(None);
                };
                loss.check(features(spec))?;
                if !self.insists {
                    let range = ranges.get(index).copied().unwrap_or_default();
                    suits(loss, spec, range, outputs.len() > 1)?;
                }
                Ok(Some(LossTargets {
                    kind: loss.targets(),
                    loss: loss.name().to_owned(),
                    classes: loss.has_classes(),
                }))
            })
            .collect::<Result<_, Error>>()?;
        if kinds.iter().all(Option::is_none) {
            return Err(Error::Argument("no output has a loss".to_owned()));
        }
        for (output, weight) in &self.loss_weights {
            let name = outputs[output.index(outputs)?].name;
            if kinds[output.index(outputs)?].is_none() {
                let message = format!("output {name} has a loss weight, but no loss");
                return Err(Error::Argument(message));
            }
            if !weight.is_finite() {
                let message = format!("the loss weight of output {name} is {weight}");
                return Err(Error::Argument(message));
            }
        }
        for wanted in &self.metrics {
            let index = wanted.index(outputs)?;
            if kinds[index].is_none() {
                return Err(Error::Argument(format!(
                    "metric {} is for output {}, which has no loss and so no targets",
                    wanted.metric.name(),
                    outputs[index].name
                )));
            }
        }
        Ok(kinds)
    }

    /// The loss of output number `index`, if it has one.
    pub(super) fn loss_of(
        &self,
        index: usize,
        outputs: &[ValueSpec],
    ) -> Result<Option<&dyn Loss>, Error> {
        let is = |output: &Output| output.index(outputs).ok() == Some(index);
        if self.untrained.iter().any(is) {
            return Ok(None);
        }
        // The latest one counts: an output can be given twice, by name and by number.
        let own = |(output, _): &&(Option<Output>, _)| output.as_ref().is_some_and(is);
        let shared = |(output, _): &&(Option<Output>, _)| output.is_none();
        let found = self.losses.iter().rev().find(own);
        let found = found.or_else(|| self.losses.iter().find(shared));
        if let Some((_, loss)) = found {
            return Ok(Some(loss.as_ref()));
        }
        let name = outputs[index].name;
        Err(Error::Argument(if outputs.len() == 1 {
            "there is no loss; give the trainer one with `loss`".to_owned()
        } else {
            format!(
                "output {name} has no loss; give the trainer one with `loss_for({name:?}, …)`, or \
                 say `no_loss_for({name:?})`"
            )
        }))
    }

    /// How much the loss of output number `index` counts.
    pub(super) fn loss_weight_of(&self, index: usize, outputs: &[ValueSpec]) -> f64 {
        let own = |(output, _): &&(Output, _)| output.index(outputs).ok() == Some(index);
        let found = self.loss_weights.iter().rev().find(own);
        found.map_or(1.0, |(_, weight)| *weight)
    }

    /// The losses of all outputs in words, for a comparison: `a: mean_squared_error * 0.5, b: huber`.
    pub(super) fn losses(&self, outputs: &[ValueSpec], kinds: &[Option<LossTargets>]) -> String {
        let with_loss = outputs.iter().zip(kinds).enumerate();
        let words = with_loss.filter_map(|(index, (output, takes))| {
            let (loss, weight) = (&takes.as_ref()?.loss, self.loss_weight_of(index, outputs));
            let times = match weight {
                1.0 => String::new(),
                weight => format!(" * {weight}"),
            };
            Some(format!("{}: {loss}{times}", output.name))
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// All metrics in the order in which Keras names them, each with the number of its output and
    /// its name in the logs.
    ///
    /// A name that exists already gets a number after it, or `weighted_` in front of it.
    pub(super) fn metrics(
        &self,
        outputs: &[ValueSpec],
    ) -> Result<Vec<(usize, String, &OutputMetric)>, Error> {
        let mut named: Vec<(usize, String, &OutputMetric)> = Vec::new();
        let (plain, weighted): (Vec<_>, Vec<_>) = self.metrics.iter().partition(|m| !m.weighted);
        for wanted in plain.into_iter().chain(weighted) {
            let index = wanted.index(outputs)?;
            let prefix = match outputs {
                [_] => String::new(),
                _ => format!("{}_", outputs[index].name),
            };
            let taken = |name: &str| named.iter().any(|(_, own, _)| own == name);
            let mut name = format!("{prefix}{}", wanted.metric.name());
            if wanted.weighted && taken(&name) {
                name = format!("{prefix}weighted_{}", wanted.metric.name());
            }
            if taken(&name) {
                let mut number = 1;
                while taken(&format!("{name}_{number}")) {
                    number += 1;
                }
                name = format!("{name}_{number}");
            }
            named.push((index, name, wanted));
        }
        Ok(named)
    }
}

impl OutputMetric {
    /// Number of its output.
    fn index(&self, outputs: &[ValueSpec]) -> Result<usize, Error> {
        match &self.output {
            Some(output) => output.index(outputs),
            None if outputs.len() == 1 => Ok(0),
            None => {
                let names: Vec<_> = outputs.iter().map(|spec| spec.name).collect();
                Err(Error::Argument(format!(
                    "the model has the outputs {}: say with `metric_for` which of them metric {} \
                     is for",
                    names.join(", "),
                    self.metric.name()
                )))
            }
        }
    }
}

/// Whether a loss is for the numbers that an output gives. The wrong one trains without a word, and badly.
fn suits(
    loss: &dyn Loss,
    spec: &ValueSpec,
    range: OutputRange,
    several: bool,
) -> Result<(), Error> {
    let name = class(loss.name());
    let activation = match features(spec) == 1 || loss.name().starts_with("binary") {
        true => "sigmoid",
        false => "softmax",
    };
    let (found, write) = match (loss.expects(), range) {
        (OutputRange::Probabilities, OutputRange::Logits) => (
            format!(
                "ends without a {activation}, so that it gives logits, and this loss is for probabilities"
            ),
            format!(
                "write {name}::from_logits(), or give the last layer `activation = {activation}`"
            ),
        ),
        (OutputRange::Probabilities, OutputRange::Signed) => (
            "ends in a tanh, whose numbers may be negative, and this loss is for probabilities"
                .to_owned(),
            format!("give the last layer `activation = {activation}`"),
        ),
        (OutputRange::Logits, OutputRange::Probabilities) => (
            format!(
                "ends in a sigmoid or softmax, so that it gives probabilities, and {name}::from_logits() is for logits"
            ),
            format!("write {name}::default(), or leave the last layer without an activation"),
        ),
        _ => return Ok(()),
    };
    let what = match several {
        true => format!("output {}", spec.name),
        false => "the model".to_owned(),
    };
    Err(Error::Argument(format!(
        "{}: {what} {found}: {write}; `insist()` trains it as it is",
        loss.name()
    )))
}

/// `binary_crossentropy` as `BinaryCrossentropy`.
fn class(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split('_').map(word).collect()
}

/// Numbers in a row of an output: its last axis.
pub(super) fn features(spec: &ValueSpec) -> usize {
    spec.features.last().copied().unwrap_or(1)
}
