//! The loops over epochs and batches.

use super::{
    fit::Fit,
    progress::Progress,
    score::{OutputGradients, Score},
    scores::features,
};
use crate::{
    callbacks::{Callback, HostWeights, Training},
    data::{Batch, Prepared, permute},
    history::History,
    logs::Logs,
    metrics::Direction,
    optimizers::Stepper,
};
use rnn_runtime::{
    error::Error,
    learner::{InputView, StepSeed},
    trainable::Trainable,
};

/// A training under way.
pub(super) struct Run<'r, 'c> {
    pub model: &'r mut dyn Trainable,
    pub stepper: &'r mut Stepper,
    pub callbacks: &'r mut Vec<Box<dyn Callback + 'c>>,
    pub directions: Vec<(String, Direction)>,
    /// Options that the result of training depends on, by name.
    pub setup: Vec<(&'static str, String)>,
    pub fit: &'r Fit<'r>,
}

/// What changes from batch to batch.
struct Moment {
    epoch: usize,
    batch: usize,
    logs: Logs,
    stop: bool,
    /// No epoch has begun yet.
    beginning: bool,
}

/// Buffers of the training steps.
struct Buffers {
    batch: Batch,
    gradients: OutputGradients,
}

impl Run<'_, '_> {
    /// All epochs.
    pub fn epochs(
        &mut self,
        train: &Prepared<'_>,
        validation: Option<&Prepared<'_>>,
        score: &mut Score<'_>,
    ) -> Result<History, Error> {
        let fit = self.fit;
        let validation_size = fit.validation_batch_size.unwrap_or(fit.batch_size);
        let mut buffers = Buffers {
            batch: Batch::new(train, fit.batch_size.min(train.order.len())),
            gradients: OutputGradients::new(self.model.outputs().len()),
        };
        let mut validation = validation.map(|data| {
            (
                data,
                Batch::new(data, validation_size.min(data.order.len())),
            )
        });
        let mut moment = Moment {
            epoch: fit.initial_epoch,
            batch: 0,
            logs: Logs::default(),
            stop: false,
            beginning: true,
        };
        let mut progress = Progress::new(fit.verbose, fit.epochs);
        let mut history = History::new(&self.directions);
        self.call(&mut moment, |c, training| c.on_train_begin(training))?;
        for epoch in moment.epoch..fit.epochs {
            moment = Moment {
                epoch,
                batch: 0,
                logs: Logs::default(),
                stop: moment.stop,
                beginning: false,
            };
            self.call(&mut moment, |c, training| c.on_epoch_begin(training))?;
            self.epoch(train, score, &mut buffers, &mut moment, &mut progress)?;
            if let Some((data, batch)) = &mut validation
                && (epoch + 1) % fit.validation_freq == 0
            {
                score.reset();
                // The options have been checked: no states that go on are lost here.
                evaluate(self.model, data, batch, validation_size, score)?;
                score.write("val_", &mut moment.logs);
            }
            self.call(&mut moment, |c, training| c.on_epoch_end(training))?;
            self.call(&mut moment, |c, training| c.on_epoch_done(training))?;
            progress.end_epoch(&moment.logs);
            history.push(epoch, moment.logs.clone());
            if moment.stop {
                break;
            }
        }
        if fit.reset_states {
            self.model.reset_states();
        }
        self.call(&mut moment, |c, training| c.on_train_end(training))?;
        Ok(history)
    }

    /// One epoch over the training data.
    fn epoch(
        &mut self,
        train: &Prepared<'_>,
        score: &mut Score<'_>,
        buffers: &mut Buffers,
        moment: &mut Moment,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        let mut order = train.order.clone();
        if self.fit.shuffle {
            permute(&mut order, self.fit.seed, moment.epoch as u64);
        }
        score.reset();
        if self.fit.reset_states {
            self.model.reset_states();
        }
        progress.begin_epoch(moment.epoch, order.len().div_ceil(self.fit.batch_size));
        for (index, samples) in order.chunks(self.fit.batch_size).enumerate() {
            moment.batch = index;
            buffers.batch.gather(train, samples);
            self.step(score, buffers)?;
            if self.callbacks.iter().any(|c| c.reads_batches()) {
                score.settle(self.model)?;
                score.write("", &mut moment.logs);
            }
            self.call(moment, |c, training| c.on_batch_end(training))?;
            progress.step(|| {
                let mut logs = Logs::default();
                score.settle(self.model)?;
                score.write("", &mut logs);
                Ok(logs)
            })?;
            if moment.stop {
                break;
            }
        }
        score.settle(self.model)?;
        score.write("", &mut moment.logs);
        Ok(())
    }

    /// Forward, loss, backward and the optimizer, on the samples in the buffers.
    fn step(&mut self, score: &mut Score<'_>, buffers: &mut Buffers) -> Result<(), Error> {
        let Buffers { batch, gradients } = buffers;
        let inputs: Vec<InputView<'_>> = batch.inputs().collect();
        let seed = StepSeed {
            seed: self.fit.seed,
            step: self.stepper.iterations(),
        };
        self.model.forward(&inputs, seed)?;
        score.add(self.model, batch, Some(gradients))?;
        self.stepper.learn(self.model, &gradients.all())
    }

    /// Calls all callbacks in order.
    fn call(
        &mut self,
        moment: &mut Moment,
        event: fn(&mut dyn Callback, &mut Training<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut epoch = moment.epoch;
        for callback in self.callbacks.iter_mut() {
            let mut training = Training {
                weights: HostWeights::new(self.model),
                stepper: self.stepper,
                logs: &mut moment.logs,
                directions: &self.directions,
                setup: &self.setup,
                stop: &mut moment.stop,
                epoch: &mut epoch,
                batch: moment.batch,
                beginning: moment.beginning,
            };
            event(callback.as_mut(), &mut training)?;
            // What the callback has kept, and will perhaps restore, is no NaN that stands for something else.
            training.take_error()?;
            training.weights.write_back()?;
        }
        moment.epoch = epoch;
        Ok(())
    }
}

/// Adds all of `data` to `score`, in inference. States are zero at the start and afterwards, so that no
/// state goes from `data` into training or the other way round.
pub(super) fn evaluate(
    model: &mut dyn Trainable,
    data: &Prepared<'_>,
    batch: &mut Batch,
    batch_size: usize,
    score: &mut Score<'_>,
) -> Result<(), Error> {
    model.reset_states();
    let mut run = || {
        for samples in data.order.chunks(batch_size) {
            batch.gather(data, samples);
            let inputs: Vec<InputView<'_>> = batch.inputs().collect();
            model.predict(&inputs)?;
            score.add(model, batch, None)?;
        }
        score.settle(model)
    };
    let result = run();
    model.reset_states();
    result
}

/// Runs inference on the first sample, so that errors of the model, and targets of another length than
/// the output, come before anything has changed. States that are to go on are restored.
pub(super) fn dry_run(
    what: &str,
    model: &mut dyn Trainable,
    data: &Prepared<'_>,
    reset_states: bool,
) -> Result<(), Error> {
    let mut batch = Batch::new(data, 1);
    batch.gather(data, &data.order[..1]);
    let inputs: Vec<InputView<'_>> = batch.inputs().collect();
    let kept = match reset_states {
        true => Vec::new(),
        false => model.states(),
    };
    model.take_error()?;
    // The states are those of whole batches, but this is a batch of one.
    model.reset_states();
    let inferred = model.predict(&inputs);
    if kept.is_empty() {
        model.reset_states();
    } else {
        model.set_states(&kept)?;
    }
    inferred.map_err(|error| in_data(what, error))?;
    for (index, spec) in model.outputs().iter().enumerate() {
        let Some(rows) = data.steps(index) else {
            continue;
        };
        let found = model.output(index).len();
        if found != rows * features(spec) {
            // Only the number of steps can still be wrong.
            return Err(Error::Shape {
                what: format!("{what}, target of {}", spec.name),
                expected: format!(
                    "[n, {}, …], a target for every step of the output",
                    found / features(spec)
                ),
                found: format!("[n, {rows}, …]"),
            });
        }
    }
    Ok(())
}

/// Adds the name of the data to a model's error about one of its inputs.
fn in_data(data: &str, error: Error) -> Error {
    match error {
        Error::Shape {
            what,
            expected,
            found,
        } => Error::Shape {
            what: format!("{data}, {what}"),
            expected,
            found,
        },
        error => error,
    }
}
