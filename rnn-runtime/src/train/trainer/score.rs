//! Loss and metrics of all outputs.

use crate::{
    error::Error,
    learner::{Learner, ValueSpec},
    train::{
        data::Batch,
        logs::Logs,
        losses::Loss,
        metrics::{Direction, Metric, Tally},
        scored::{Scored, TargetKind},
    },
};

/// The losses and metrics that were asked for.
#[derive(Default)]
pub(super) struct Plan {
    losses: Vec<(Option<String>, Box<dyn Loss>)>,
    metrics: Vec<Wanted>,
}

struct Wanted {
    /// `None`: the only output.
    output: Option<String>,
    metric: Box<dyn Metric>,
    weighted: bool,
}

impl Plan {
    /// Replaces the loss of that output.
    pub fn set_loss(&mut self, output: Option<String>, loss: Box<dyn Loss>) {
        self.losses.retain(|(own, _)| *own != output);
        self.losses.push((output, loss));
    }

    pub fn add_metric(&mut self, output: Option<String>, metric: Box<dyn Metric>, weighted: bool) {
        self.metrics.push(Wanted {
            output,
            metric,
            weighted,
        });
    }

    /// The targets that the loss of every output takes, when all fits together.
    pub fn check(&self, outputs: &[ValueSpec]) -> Result<Vec<TargetKind>, Error> {
        let given = self.losses.iter().map(|(output, _)| output);
        for output in given.chain(self.metrics.iter().map(|wanted| &wanted.output)) {
            place(output.as_deref(), outputs)?;
        }
        let losses = outputs.iter().enumerate().map(|(index, spec)| {
            let loss = self.loss_of(index, outputs)?;
            loss.check(features(spec))?;
            Ok(loss.targets())
        });
        losses.collect()
    }

    fn loss_of(&self, index: usize, outputs: &[ValueSpec]) -> Result<&dyn Loss, Error> {
        let found = self
            .losses
            .iter()
            .find(|(output, _)| place(output.as_deref(), outputs).ok() == Some(index));
        let missing = || {
            let message = if outputs.len() == 1 {
                "there is no loss; give the trainer one with `loss`".to_owned()
            } else {
                let name = outputs[index].name;
                format!(
                    "output {name} has no loss; give the trainer one with `loss_for({name:?}, …)`"
                )
            };
            Error::Argument(message)
        };
        found.map(|(_, loss)| loss.as_ref()).ok_or_else(missing)
    }
}

/// Number of the output of that name.
fn place(name: Option<&str>, outputs: &[ValueSpec]) -> Result<usize, Error> {
    let names = || {
        outputs
            .iter()
            .map(|spec| spec.name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let message = match name {
        None if outputs.len() == 1 => return Ok(0),
        None => format!(
            "the model has the outputs {}: say which one, with `loss_for` and `metric_for`",
            names()
        ),
        Some(name) => match outputs.iter().position(|spec| spec.name == name) {
            Some(index) => return Ok(index),
            None => format!("the model has no output {name}, but {}", names()),
        },
    };
    Err(Error::Argument(message))
}

/// Numbers in a row of an output: its last axis.
pub(super) fn features(spec: &ValueSpec) -> usize {
    spec.features.last().copied().unwrap_or(1)
}

/// Loss and metrics being summed up over the batches of an epoch.
pub(super) struct Score<'p> {
    outputs: Vec<Output<'p>>,
    /// Sum over all samples of the loss of their batch.
    total: f64,
    samples: f64,
}

struct Output<'p> {
    name: &'static str,
    features: usize,
    loss: &'p dyn Loss,
    total: f64,
    metrics: Vec<Watched>,
}

struct Watched {
    name: String,
    direction: Direction,
    tally: Box<dyn Tally>,
    weighted: bool,
}

impl<'p> Score<'p> {
    /// Empty; `kinds` is what [`Plan::check`] gave.
    pub fn new(
        plan: &'p Plan,
        outputs: &[ValueSpec],
        kinds: &[TargetKind],
    ) -> Result<Score<'p>, Error> {
        let several = outputs.len() > 1;
        let each = outputs
            .iter()
            .zip(kinds)
            .enumerate()
            .map(|(index, (spec, &kind))| {
                let features = features(spec);
                let mut metrics: Vec<Watched> = Vec::new();
                for wanted in &plan.metrics {
                    if place(wanted.output.as_deref(), outputs)? != index {
                        continue;
                    }
                    let mut name = wanted.metric.name().to_owned();
                    if several {
                        name = format!("{}_{name}", spec.name);
                    }
                    if metrics.iter().any(|watched| watched.name == name) {
                        return Err(Error::Argument(format!("metric {name} is given twice")));
                    }
                    let direction = wanted.metric.direction();
                    let tally = wanted.metric.start(features, kind)?;
                    metrics.push(Watched {
                        name,
                        direction,
                        tally,
                        weighted: wanted.weighted,
                    });
                }
                let loss = plan.loss_of(index, outputs)?;
                Ok(Output {
                    name: spec.name,
                    features,
                    loss,
                    total: 0.0,
                    metrics,
                })
            });
        Ok(Score {
            outputs: each.collect::<Result<_, Error>>()?,
            total: 0.0,
            samples: 0.0,
        })
    }

    /// Name and direction of all that is logged, with validation data also with `val_`.
    pub fn directions(&self, validation: bool) -> Vec<(String, Direction)> {
        let mut all = vec![("loss".to_owned(), Direction::Down)];
        for output in &self.outputs {
            if self.outputs.len() > 1 {
                all.push((format!("{}_loss", output.name), Direction::Down));
            }
            all.extend(output.metrics.iter().map(|m| (m.name.clone(), m.direction)));
        }
        if validation {
            let with_val: Vec<_> = all.iter().map(|(n, d)| (format!("val_{n}"), *d)).collect();
            all.extend(with_val);
        }
        all
    }

    /// Forgets all batches.
    pub fn reset(&mut self) {
        (self.total, self.samples) = (0.0, 0.0);
        for output in &mut self.outputs {
            output.total = 0.0;
            output
                .metrics
                .iter_mut()
                .for_each(|metric| metric.tally.reset());
        }
    }

    /// Adds what `learner` just made of `batch`. If `gradients` are given, those of output `i`
    /// are written to `gradients[i]`.
    pub fn add(
        &mut self,
        learner: &impl Learner,
        batch: &Batch,
        mut gradients: Option<&mut [Vec<f32>]>,
    ) -> Result<(), Error> {
        let samples = batch.samples() as f64;
        for (index, output) in self.outputs.iter_mut().enumerate() {
            let predictions = learner.output(index);
            let (targets, weights) = (batch.targets(index), batch.weights(index));
            let scored = Scored::new(predictions, output.features, targets, weights)?;
            let gradient =
                gradients
                    .as_deref_mut()
                    .and_then(|g| g.get_mut(index))
                    .map(|gradient| {
                        gradient.resize(predictions.len(), 0.0);
                        gradient.as_mut_slice()
                    });
            let loss = output.loss.mean(&scored, gradient)?;
            output.total += samples * loss;
            self.total += samples * loss;
            let plain = Scored::new(predictions, output.features, targets, None)?;
            for metric in &mut output.metrics {
                metric
                    .tally
                    .add(if metric.weighted { &scored } else { &plain });
            }
        }
        self.samples += samples;
        Ok(())
    }

    /// Writes all figures, with `prefix` in front of their names.
    pub fn write(&self, prefix: &str, logs: &mut Logs) {
        let mut set = |name: &str, value| {
            if prefix.is_empty() {
                logs.set(name, value)
            } else {
                logs.set(&format!("{prefix}{name}"), value)
            }
        };
        set("loss", self.total / self.samples);
        for output in &self.outputs {
            if self.outputs.len() > 1 {
                set(
                    &format!("{}_loss", output.name),
                    output.total / self.samples,
                );
            }
            output
                .metrics
                .iter()
                .for_each(|metric| set(&metric.name, metric.tally.result()));
        }
    }
}
