//! Model, loss, optimizer, metrics and callbacks together.

mod fit;
mod progress;
mod run;
mod score;

use crate::{
    error::Error,
    learner::Learner,
    train::{
        callbacks::Callback,
        data::{Batch, Dataset, Prepared},
        history::History,
        logs::Logs,
        losses::Loss,
        metrics::Metric,
        optimizers::{Optimizer, OptimizerState, RMSprop, Stepper},
    },
};

pub use fit::{Fit, Verbose};
use run::{dry_run, evaluate};
use score::{Plan, Score};

/// Batch size where none is given, as in Keras.
const BATCH_SIZE: usize = 32;

/// Trains a model: the loss is needed, all else has Keras's defaults.
///
/// ```no_run
/// use rnn_runtime::{Error, learner::Learner};
/// use rnn_runtime::train::{Dataset, Fit, Trainer, callbacks::EarlyStopping};
/// use rnn_runtime::train::{losses::SparseCategoricalCrossentropy, metrics::Accuracy, optimizers::Adam};
///
/// fn train<L: Learner>(model: &mut L, train: &Dataset, test: &Dataset) -> Result<(), Error> {
///     let history = Trainer::new(model)
///         .optimizer(Adam::default())
///         .loss(SparseCategoricalCrossentropy::from_logits())
///         .metric(Accuracy)
///         .callback(EarlyStopping { patience: 3, ..EarlyStopping::new("val_accuracy") })
///         .fit(train, Fit { epochs: 10, batch_size: 64, validation: Some(test), ..Fit::default() })?;
///     println!("{:?}", history.last("val_accuracy"));
///     Ok(())
/// }
/// ```
///
/// The same data, options and seed give the same weights bit for bit. Nothing is changed by a
/// call that finds an argument or the data wrong. A loss that becomes NaN does not end training,
/// as in Keras; [`TerminateOnNaN`](crate::train::callbacks::TerminateOnNaN) does that.
pub struct Trainer<'m, 'c, L: Learner> {
    learner: &'m mut L,
    /// Until the first `fit`; at work in `stepper` from then on.
    optimizer: Option<Box<dyn Optimizer>>,
    stepper: Option<Stepper>,
    plan: Plan,
    callbacks: Vec<Box<dyn Callback + 'c>>,
}

impl<'m, 'c, L: Learner> Trainer<'m, 'c, L> {
    /// Trains `learner`, with [`RMSprop`] unless another optimizer is given, as in Keras.
    pub fn new(learner: &'m mut L) -> Self {
        Trainer {
            learner,
            optimizer: None,
            stepper: None,
            plan: Plan::default(),
            callbacks: Vec::new(),
        }
    }

    /// How the weights follow their gradients. Replaces an earlier one, and forgets all that it
    /// remembered.
    pub fn optimizer(mut self, optimizer: impl Optimizer + 'static) -> Self {
        self.optimizer = Some(Box::new(optimizer));
        self.stepper = None;
        self
    }

    /// What is to become small, of a model with one output.
    pub fn loss(mut self, loss: impl Loss + 'static) -> Self {
        self.plan.set_loss(None, Box::new(loss));
        self
    }

    /// What is to become small for one output of several. The sum over all of them is what
    /// training looks at.
    pub fn loss_for(mut self, output: &str, loss: impl Loss + 'static) -> Self {
        self.plan.set_loss(Some(output.to_owned()), Box::new(loss));
        self
    }

    /// Watches a metric, too, of a model with one output. As Keras's `metrics` it does not look
    /// at sample and class weights.
    pub fn metric(mut self, metric: impl Metric + 'static) -> Self {
        self.plan.add_metric(None, Box::new(metric), false);
        self
    }

    /// A metric that counts every row by its sample and class weight, as Keras's
    /// `weighted_metrics`.
    pub fn weighted_metric(mut self, metric: impl Metric + 'static) -> Self {
        self.plan.add_metric(None, Box::new(metric), true);
        self
    }

    /// A metric of one output of several.
    pub fn metric_for(mut self, output: &str, metric: impl Metric + 'static) -> Self {
        self.plan
            .add_metric(Some(output.to_owned()), Box::new(metric), false);
        self
    }

    /// Adds a callback. To look at it afterwards, give a `&mut` of it.
    pub fn callback(mut self, callback: impl Callback + 'c) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Trains. A second call goes on with the optimizer as it is.
    ///
    /// # Errors
    /// [`Error::Argument`] or [`Error::Shape`] if an option, the data, or what they have to do
    /// with each other is wrong: nothing has changed then. Later on, any error of the model or of
    /// a callback.
    pub fn fit(&mut self, train: &Dataset, fit: Fit<'_>) -> Result<History, Error> {
        fit.check()?;
        let (kinds, outputs) = (
            self.plan.check(self.learner.outputs())?,
            self.learner.outputs(),
        );
        let inputs = self.learner.inputs();
        let parts = match fit.validation {
            None if fit.validation_split > 0.0 => Some(train.split(fit.validation_split)?),
            _ => None,
        };
        let (train, validation) = match &parts {
            Some((train, validation)) => (train, Some(validation)),
            None => (train, fit.validation),
        };
        let classes = fit.class_weight.as_ref();
        let train = Prepared::new("training data", train, inputs, outputs, &kinds, classes)?;
        let validation = validation
            .map(|data| Prepared::new("validation data", data, inputs, outputs, &kinds, None))
            .transpose()?;
        let mut scores = Score::new(&self.plan, outputs, &kinds)?;
        for data in [Some(&train), validation.as_ref()].into_iter().flatten() {
            dry_run(self.learner, data)?;
        }
        let stepper = start(&mut self.optimizer, &mut self.stepper, self.learner)?;
        let mut run = run::Run {
            learner: self.learner,
            stepper,
            callbacks: &mut self.callbacks,
            directions: scores.directions(validation.is_some()),
            fit: &fit,
        };
        // All of it on a thread of the pool: from outside, every product that is divided among
        // threads would wait for one of them to wake up, several times a step.
        rayon::scope(|_| run.epochs(&train, validation.as_ref(), &mut scores))
    }

    /// Loss and metrics of the model in inference, in batches of 32.
    ///
    /// # Errors
    /// As [`Trainer::fit`].
    pub fn evaluate(&mut self, data: &Dataset) -> Result<Logs, Error> {
        let outputs = self.learner.outputs();
        let kinds = self.plan.check(outputs)?;
        let data = Prepared::new("data", data, self.learner.inputs(), outputs, &kinds, None)?;
        let mut score = Score::new(&self.plan, outputs, &kinds)?;
        dry_run(self.learner, &data)?;
        let mut batch = Batch::new(&data, BATCH_SIZE);
        evaluate(self.learner, &data, &mut batch, BATCH_SIZE, &mut score)?;
        let mut logs = Logs::default();
        score.write("", &mut logs);
        Ok(logs)
    }

    /// What the optimizer remembers, for a checkpoint; `None` before the first `fit`.
    pub fn optimizer_state(&self) -> Option<OptimizerState> {
        self.stepper.as_ref().map(Stepper::state)
    }

    /// Goes on from where `state` was taken. With the weights of that moment, and `initial_epoch`
    /// in [`Fit`], training ends as if it had never been interrupted.
    ///
    /// # Errors
    /// [`Error::Argument`] if the state is of another optimizer or model.
    pub fn restore_optimizer(&mut self, state: &OptimizerState) -> Result<(), Error> {
        start(&mut self.optimizer, &mut self.stepper, self.learner)?.restore(state)
    }
}

/// The optimizer at work, put to it if it is not yet.
fn start<'s>(
    optimizer: &mut Option<Box<dyn Optimizer>>,
    stepper: &'s mut Option<Stepper>,
    learner: &impl Learner,
) -> Result<&'s mut Stepper, Error> {
    // Twice looked up: the borrow checker does not see that the early return ends the first.
    if stepper.is_none() {
        if let Some(optimizer) = optimizer {
            Stepper::check(optimizer.as_ref())?;
        }
        let optimizer = optimizer
            .take()
            .unwrap_or_else(|| Box::new(RMSprop::default()));
        *stepper = Some(Stepper::new(optimizer, learner.specs())?);
    }
    stepper
        .as_mut()
        .ok_or_else(|| Error::Argument("there is no optimizer".to_owned()))
}

#[cfg(test)]
mod tests;
