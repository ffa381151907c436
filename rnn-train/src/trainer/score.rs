//! Loss and metrics being summed up over the batches of an epoch.

use super::scores::{Scores, features};
use crate::{
    data::{Batch, LossTargets},
    logs::Logs,
    losses::Loss,
    metrics::{Direction, Tally},
    predictions::Predictions,
};
use rnn_runtime::{
    error::Error,
    loss::{Figure, LossTask, MetricTask},
    trainable::{OutputGradient, Trainable},
};

/// The gradients of the loss with respect to all outputs.
pub(super) struct OutputGradients(Vec<OwnGradient>);

/// The gradient of one output.
struct OwnGradient {
    at: At,
    values: Vec<f32>,
}

/// Where the gradient of an output is.
enum At {
    /// It is zero: the output has no loss.
    Nowhere,
    /// The model has computed and kept it.
    Model,
    /// In `values`.
    Host,
}

impl OutputGradients {
    /// For this number of outputs.
    pub fn new(outputs: usize) -> OutputGradients {
        let own = |_| OwnGradient {
            at: At::Nowhere,
            values: Vec::new(),
        };
        OutputGradients((0..outputs).map(own).collect())
    }

    /// As [`Trainable::backward`] takes them.
    pub fn all(&self) -> Vec<OutputGradient<'_>> {
        let each = self.0.iter().map(|gradient| match gradient.at {
            At::Nowhere => OutputGradient::Zero,
            At::Model => OutputGradient::Kept,
            At::Host => OutputGradient::Host(&gradient.values),
        });
        each.collect()
    }
}

/// Loss and metrics of all outputs, and the penalties of weights and activities.
pub(super) struct Score<'p> {
    outputs: Vec<Scoring<'p>>,
    /// Sum over all samples of the loss of their batch.
    total: f64,
    samples: f64,
    /// Batches of which a device still has the figures.
    pending: Vec<BatchFigures>,
}

/// What a batch adds to the sums.
struct BatchFigures {
    samples: f64,
    /// Of activities and of weights.
    penalties: [Figure; 2],
    /// Of each output with a loss.
    outputs: Vec<OutputFigures>,
}

/// What an output of a batch adds to the sums.
struct OutputFigures {
    index: usize,
    loss: Figure,
    /// Sums of the metrics that the model has computed, with their indices.
    metrics: Vec<(usize, [Figure; 2])>,
}

impl BatchFigures {
    /// Whether a device still has some of the figures.
    fn is_pending(&self) -> bool {
        let kept = |f: &Figure| matches!(f, Figure::Kept(_));
        let output = |o: &OutputFigures| {
            kept(&o.loss) || o.metrics.iter().any(|(_, sums)| sums.iter().any(kept))
        };
        self.penalties.iter().any(kept) || self.outputs.iter().any(output)
    }
}

/// One output.
struct Scoring<'p> {
    name: &'static str,
    features: usize,
    loss: Option<&'p dyn Loss>,
    loss_weight: f64,
    total: f64,
    metrics: Vec<Watched>,
    /// The metrics that are data, for a model that computes them by itself.
    tasks: Vec<MetricTask>,
    /// The mask of the last batch, one number a row.
    mask: Vec<f32>,
}

struct Watched {
    name: String,
    direction: Direction,
    tally: Box<dyn Tally>,
    weighted: bool,
    /// Its index in [`Scoring::tasks`].
    task: Option<usize>,
}

impl<'p> Score<'p> {
    /// Empty; `kinds` is what [`Scores::check`] gave.
    pub fn new(
        scores: &'p Scores,
        model: &dyn Trainable,
        kinds: &[Option<LossTargets>],
    ) -> Result<Score<'p>, Error> {
        let specs = model.outputs();
        let mut outputs = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            outputs.push(Scoring {
                name: spec.name,
                features: features(spec),
                loss: scores.loss_of(index, specs)?,
                loss_weight: scores.loss_weight_of(index, specs),
                total: 0.0,
                metrics: Vec::new(),
                tasks: Vec::new(),
                mask: Vec::new(),
            });
        }
        for (index, name, wanted) in scores.metrics(specs)? {
            let Some(takes) = &kinds[index] else {
                continue;
            };
            let (features, weighted) = (features(&specs[index]), wanted.weighted);
            let output = &mut outputs[index];
            let tally = wanted.metric.start(features, takes.kind)?;
            let task = wanted.metric.metric_rule(features, takes.kind).map(|rule| {
                output.tasks.push(MetricTask { rule, weighted });
                output.tasks.len() - 1
            });
            output.metrics.push(Watched {
                name,
                direction: wanted.metric.direction(),
                tally,
                weighted,
                task,
            });
        }
        Ok(Score {
            outputs,
            total: 0.0,
            samples: 0.0,
            pending: Vec::new(),
        })
    }

    /// Name and direction of all that is logged, with validation data also with `val_`.
    pub fn directions(&self, validation: bool) -> Vec<(String, Direction)> {
        let mut all = vec![("loss".to_owned(), Direction::Down)];
        for output in &self.outputs {
            if self.names_losses() && output.loss.is_some() {
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

    /// Whether the outputs' own losses are logged: if there are several, as in Keras.
    fn names_losses(&self) -> bool {
        self.outputs.iter().filter(|o| o.loss.is_some()).count() > 1
    }

    /// Forgets all batches.
    pub fn reset(&mut self) {
        (self.total, self.samples) = (0.0, 0.0);
        self.pending.clear();
        for output in &mut self.outputs {
            output.total = 0.0;
            output
                .metrics
                .iter_mut()
                .for_each(|metric| metric.tally.reset());
        }
    }

    /// Adds the outputs that `model` just computed for `batch`. If there are `gradients`, they get the
    /// gradient of every output.
    ///
    /// As in Keras, the whole loss is the sum of the outputs' losses, each times its weight, plus the
    /// penalties of the current weights and of the activities.
    pub fn add(
        &mut self,
        model: &mut dyn Trainable,
        batch: &Batch,
        mut gradients: Option<&mut OutputGradients>,
    ) -> Result<(), Error> {
        let mut batch_figures = BatchFigures {
            samples: batch.samples() as f64,
            penalties: [model.activity_penalty(), model.weight_penalty()],
            outputs: Vec::with_capacity(self.outputs.len()),
        };
        for (index, output) in self.outputs.iter_mut().enumerate() {
            let gradient = gradients.as_deref_mut().and_then(|g| g.0.get_mut(index));
            batch_figures
                .outputs
                .extend(output.add(index, model, batch, gradient)?);
        }
        match batch_figures.is_pending() {
            true => self.pending.push(batch_figures),
            false => self.count(&batch_figures, &[])?,
        }
        Ok(())
    }

    /// Fetches what the model still has, if it is on a device.
    pub fn settle(&mut self, model: &mut dyn Trainable) -> Result<(), Error> {
        if self.pending.is_empty() {
            // What was computed on the host had outputs that could be copied.
            return model.take_error();
        }
        let figures = model.figures()?;
        for batch_figures in std::mem::take(&mut self.pending) {
            self.count(&batch_figures, &figures)?;
        }
        Ok(())
    }

    /// Adds a batch to the sums.
    fn count(&mut self, batch_figures: &BatchFigures, figures: &[f64]) -> Result<(), Error> {
        let value = |figure| match figure {
            Figure::Known(value) => Ok(value),
            Figure::Kept(index) => figures.get(index).copied().ok_or_else(|| {
                let found = figures.len();
                Error::Device(format!(
                    "the model gave {found} figures, number {index} is missing"
                ))
            }),
        };
        let [activities, weights] = batch_figures.penalties;
        let mut total = value(activities)? + value(weights)?;
        for one in &batch_figures.outputs {
            let output = &mut self.outputs[one.index];
            let loss = value(one.loss)?;
            output.total += batch_figures.samples * loss;
            total += output.loss_weight * loss;
            for &(index, [sum, weight]) in &one.metrics {
                let tally = &mut output.metrics[index].tally;
                tally.add_sums(value(sum)?, value(weight)?);
            }
        }
        self.total += batch_figures.samples * total;
        self.samples += batch_figures.samples;
        Ok(())
    }

    /// Writes all figures that [`Score::settle`] has fetched, with `prefix` in front of their names.
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
            if self.names_losses() && output.loss.is_some() {
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

impl Scoring<'_> {
    /// Loss and metrics of output number `index`; `None` if it has no loss. The model computes them if it can;
    /// for all else the host reads the output, and its metrics are added here.
    fn add(
        &mut self,
        index: usize,
        model: &mut dyn Trainable,
        batch: &Batch,
        gradient: Option<&mut OwnGradient>,
    ) -> Result<Option<OutputFigures>, Error> {
        let (Some(loss), Some(targets)) = (self.loss, batch.targets(index)) else {
            if let Some(gradient) = gradient {
                gradient.at = At::Nowhere;
            }
            return Ok(None);
        };
        let kept = match loss.rule() {
            Some(rule) => {
                let task = LossTask {
                    rule,
                    features: self.features,
                    targets,
                    weights: batch.weights(index),
                    share: self.loss_weight,
                    metrics: &self.tasks,
                };
                model.loss(index, &task, gradient.is_some())?
            }
            None => None,
        };
        // The sums of each metric that the model has computed.
        let sums: Vec<Option<[Figure; 2]>> = self
            .metrics
            .iter()
            .map(|metric| {
                let all = &kept.as_ref()?.metrics;
                all.get(metric.task?).copied().flatten()
            })
            .collect();
        let far = sums.iter().enumerate();
        let metrics = far
            .filter_map(|(index, sums)| Some((index, (*sums)?)))
            .collect();
        if let Some(kept) = &kept
            && sums.iter().all(Option::is_some)
        {
            if let Some(gradient) = gradient {
                gradient.at = At::Model;
            }
            return Ok(Some(OutputFigures {
                index,
                loss: kept.loss,
                metrics,
            }));
        }
        let predictions = model.output(index);
        let rows = predictions.len() / self.features;
        let masked = self.broadcast(model.output_mask(index).as_deref(), rows)?;
        let with_targets = |weights| {
            let all = Predictions::new(&predictions, self.features, targets, weights)?;
            match masked {
                true => all.masked(&self.mask),
                false => Ok(all),
            }
        };
        let (weighted, plain) = (with_targets(batch.weights(index))?, with_targets(None)?);
        let value = match (kept, gradient) {
            (Some(kept), gradient) => {
                if let Some(gradient) = gradient {
                    gradient.at = At::Model;
                }
                kept.loss
            }
            (None, Some(OwnGradient { at, values })) => {
                *at = At::Host;
                values.resize(predictions.len(), 0.0);
                let value = loss.mean(&weighted, Some(values))?;
                if self.loss_weight != 1.0 {
                    let share = self.loss_weight as f32;
                    values.iter_mut().for_each(|g| *g *= share);
                }
                Figure::Known(value)
            }
            (None, None) => Figure::Known(loss.mean(&weighted, None)?),
        };
        let near = self.metrics.iter_mut().zip(&sums);
        for (metric, _) in near.filter(|(_, sums)| sums.is_none()) {
            metric
                .tally
                .add(if metric.weighted { &weighted } else { &plain });
        }
        Ok(Some(OutputFigures {
            index,
            loss: value,
            metrics,
        }))
    }

    /// Broadcasts the mask of the steps, `[batch, time]`, to the rows: an output with several axes of
    /// features has several rows a step. `false` if there is no mask.
    fn broadcast(&mut self, mask: Option<&[f32]>, rows: usize) -> Result<bool, Error> {
        let Some(mask) = mask else { return Ok(false) };
        if mask.is_empty() || !rows.is_multiple_of(mask.len()) {
            return Err(Error::Shape {
                what: format!("mask of {}", self.name),
                expected: format!("a divisor of {rows} rows"),
                found: format!("[{}]", mask.len()),
            });
        }
        let each = rows / mask.len();
        self.mask.clear();
        let rows_of_mask = mask
            .iter()
            .flat_map(|&valid| std::iter::repeat_n(valid, each));
        self.mask.extend(rows_of_mask);
        Ok(true)
    }
}
