//! Model, loss, optimizer, metrics and callbacks together.

mod evaluate;
mod fit;
mod progress;
mod run;
mod score;
mod scores;
mod stateful;

use crate::{
    callbacks::Callback,
    data::{Dataset, Prepared},
    history::History,
    logs::Logs,
    losses::Loss,
    metrics::Metric,
    optimizers::{Optimizer, OptimizerState, RMSprop, Stepper},
};
use rnn_runtime::{error::Error, trainable};

pub use evaluate::Evaluate;
pub use fit::{Fit, Verbose};
pub use scores::{Output, Scores};

use run::dry_run;
use score::Score;

/// Batch size where none is given, as in Keras.
const BATCH_SIZE: usize = 32;

/// Trains a model. A loss is required; all other options have Keras's defaults.
///
/// ```no_run
/// use recurrent::{Error, learner::Learner};
/// use recurrent::train::{Dataset, Fit, Trainer, callbacks::EarlyStopping};
/// use recurrent::train::{losses::SparseCategoricalCrossentropy, metrics::Accuracy, optimizers::Adam};
///
/// fn train<L: Learner>(model: &mut L, train: &Dataset, test: &Dataset) -> Result<(), Error> {
///     let history = Trainer::new(model)
///         .optimizer(Adam::default())
///         .loss(SparseCategoricalCrossentropy::from_logits())
///         .metric(Accuracy)
///         .callback(EarlyStopping { patience: 3, ..EarlyStopping::new("val_accuracy") })
///         .fit(train, Fit { epochs: 10, batch_size: 64, validation_data: Some(test), ..Fit::default() })?;
///     println!("{:?}", history.last("val_accuracy"));
///     Ok(())
/// }
/// ```
///
/// The same data, options and seed give the same weights bit for bit. A call that returns an error about
/// its arguments or data changes nothing. As in Keras, a loss that becomes NaN does not end training;
/// [`TerminateOnNaN`](crate::callbacks::TerminateOnNaN) does that.
///
/// As in Keras, the loss that is logged is the loss of the outputs plus the penalties of weights and
/// activities.
///
/// # Stateful models
/// Each batch continues the one before ([`Dataset::continuing`] cuts data this way). States are zero at
/// the start of each epoch, and before and after an evaluation. Validation comes after an epoch, so it
/// disturbs no states of training. (Keras never resets states by itself, and validates with the states
/// that training has left.) See [`Fit::reset_states`].
///
/// # Devices
/// Everything that happens to weights, gradients and optimizer state goes through
/// [`Trainable`](rnn_runtime::trainable::Trainable), which says what is copied to the host and when.
pub struct Trainer<'m, 'c, M> {
    model: &'m mut M,
    /// The optimizer until the first `fit`, which moves it into `stepper`.
    optimizer: Option<Box<dyn Optimizer>>,
    stepper: Option<Stepper>,
    scores: Scores,
    callbacks: Vec<Box<dyn Callback + 'c>>,
}

impl<'m, 'c, M: trainable::Trainable> Trainer<'m, 'c, M> {
    /// Trains `model`, with [`RMSprop`] unless another optimizer is given, as in Keras.
    pub fn new(model: &'m mut M) -> Self {
        Trainer {
            model,
            optimizer: None,
            stepper: None,
            scores: Scores::default(),
            callbacks: Vec::new(),
        }
    }

    /// The optimizer. Replaces an earlier one with its state.
    pub fn optimizer(mut self, optimizer: impl Optimizer + 'static) -> Self {
        self.optimizer = Some(Box::new(optimizer));
        self.stepper = None;
        self
    }

    /// All losses and metrics at once. Replaces those given before.
    pub fn scores(mut self, scores: Scores) -> Self {
        self.scores = scores;
        self
    }

    /// The loss of all outputs that have none of their own.
    pub fn loss(mut self, loss: impl Loss + 'static) -> Self {
        self.scores = self.scores.loss(loss);
        self
    }

    /// The loss of one output of several, given by its name or number. Training minimises the sum of all.
    pub fn loss_for(mut self, output: impl Into<Output>, loss: impl Loss + 'static) -> Self {
        self.scores = self.scores.loss_for(output, loss);
        self
    }

    /// How much the loss of one output counts in the sum, as Keras's `loss_weights`.
    pub fn loss_weight_for(mut self, output: impl Into<Output>, weight: f64) -> Self {
        self.scores = self.scores.loss_weight_for(output, weight);
        self
    }

    /// One output has no loss; the data sets have no target for it.
    pub fn no_loss_for(mut self, output: impl Into<Output>) -> Self {
        self.scores = self.scores.no_loss_for(output);
        self
    }

    /// Adds a metric of a model with one output. Like Keras's `metrics` it respects masks, but not sample
    /// and class weights.
    pub fn metric(mut self, metric: impl Metric + 'static) -> Self {
        self.scores = self.scores.metric(metric);
        self
    }

    /// Adds a metric in which every row counts by its sample and class weight, like Keras's
    /// `weighted_metrics`.
    pub fn weighted_metric(mut self, metric: impl Metric + 'static) -> Self {
        self.scores = self.scores.weighted_metric(metric);
        self
    }

    /// A metric of one output of several.
    pub fn metric_for(mut self, output: impl Into<Output>, metric: impl Metric + 'static) -> Self {
        self.scores = self.scores.metric_for(output, metric);
        self
    }

    /// A metric of one output of several that counts every row by its weight.
    pub fn weighted_metric_for(
        mut self,
        output: impl Into<Output>,
        metric: impl Metric + 'static,
    ) -> Self {
        self.scores = self.scores.weighted_metric_for(output, metric);
        self
    }

    /// Takes a loss that does not suit what the model's last layer gives: a cross-entropy of logits after a softmax or
    /// sigmoid, or one of probabilities without. Without this [`Trainer::fit`] returns an error that says what to write,
    /// since such a model trains without a word, and badly.
    ///
    /// ```
    /// use recurrent::{Error, learner::Learner};
    /// use recurrent::train::{Dataset, Fit, Trainer, losses::BinaryCrossentropy};
    ///
    /// /// The model ends in a sigmoid, and the loss applies another one.
    /// fn squashed_twice<L: Learner>(model: &mut L, data: &Dataset) -> Result<(), Error> {
    ///     let mut trainer = Trainer::new(model).loss(BinaryCrossentropy::from_logits()).insist();
    ///     trainer.fit(data, Fit::default()).map(drop)
    /// }
    /// ```
    pub fn insist(mut self) -> Self {
        self.scores = self.scores.insist();
        self
    }

    /// Adds a callback. To look at it afterwards, give a `&mut` of it.
    pub fn callback(mut self, callback: impl Callback + 'c) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Trains. A second call continues with the state of the optimizer.
    ///
    /// # Errors
    /// [`Error::Argument`] or [`Error::Shape`] if an option or the data is wrong, or they do not fit each
    /// other: nothing has changed then. Later on, any error of the model or of a callback.
    pub fn fit(&mut self, train: &Dataset, fit: Fit<'_>) -> Result<History, Error> {
        fit.check()?;
        let (inputs, outputs) = (self.model.inputs(), self.model.outputs());
        let kinds = self.scores.check(self.model)?;
        let parts = match fit.validation_data() {
            None if fit.validation_split > 0.0 => Some(train.split(fit.validation_split)?),
            _ => None,
        };
        let (train, validation) = match &parts {
            Some((train, validation)) => (train, Some(validation)),
            None => (train, fit.validation_data()),
        };
        if self.model.is_stateful() {
            stateful::check(&fit, train, validation)?;
        }
        let classes = fit.class_weight.as_ref();
        if classes.is_some() && kinds.iter().flatten().count() > 1 {
            let message = "Fit: class_weight is for a model with one output, as in Keras; give the \
                           data set a `sample_weight_for` each";
            return Err(Error::Argument(message.to_owned()));
        }
        if let (true, Some(takes)) = (
            classes.is_some(),
            kinds.iter().flatten().find(|t| !t.classes),
        ) {
            return Err(Error::Argument(format!(
                "Fit: class_weight is for classes, and {} compares numbers; give the data set \
                 sample weights",
                takes.loss
            )));
        }
        let train = Prepared::new("training data", train, inputs, outputs, &kinds, classes)?;
        let validation = validation
            .map(|data| Prepared::new("validation data", data, inputs, outputs, &kinds, None))
            .transpose()?;
        let vocabulary = self.model.vocabulary();
        train.check_ids("training data", inputs, vocabulary)?;
        if let Some(validation) = &validation {
            validation.check_ids("validation data", inputs, vocabulary)?;
        }
        let mut scores = Score::new(&self.scores, self.model, &kinds)?;
        dry_run("training data", self.model, &train, fit.reset_states)?;
        if let Some(validation) = &validation {
            dry_run("validation data", self.model, validation, fit.reset_states)?;
        }
        let stepper = start(&mut self.optimizer, &mut self.stepper, self.model)?;
        let mut run = run::Run {
            model: self.model,
            stepper,
            callbacks: &mut self.callbacks,
            directions: scores.directions(validation.is_some()),
            setup: fit.setup(self.scores.losses(outputs, &kinds)),
            fit: &fit,
        };
        // Runs on a thread of the pool. From outside, every product that is divided among threads would
        // wait for a thread to wake up, several times a step.
        rayon::scope(|_| run.epochs(&train, validation.as_ref(), &mut scores))
    }

    /// Loss and metrics of the model in inference, in batches of 32, or of the size for which
    /// [`Dataset::continuing`] cut the data. States are zero at the start and afterwards.
    ///
    /// # Errors
    /// As [`Trainer::fit`].
    pub fn evaluate(&mut self, data: &Dataset) -> Result<Logs, Error> {
        let batch_size = data.batch_size().unwrap_or(BATCH_SIZE);
        evaluate::evaluate_in(self.model, batch_size, data, &self.scores)
    }

    /// [`Trainer::evaluate`] in batches of another size.
    ///
    /// # Errors
    /// As [`Trainer::fit`].
    pub fn evaluate_in(&mut self, batch_size: usize, data: &Dataset) -> Result<Logs, Error> {
        evaluate::evaluate_in(self.model, batch_size, data, &self.scores)
    }

    /// The model, between two calls: to predict with it, or to save it. A trainer that is kept in a variable
    /// trains, evaluates and hands out its model as often as you like:
    ///
    /// ```
    /// use recurrent::prelude::*;
    /// use ndarray::{Array2, Array3};
    ///
    /// let mut model = rnn_model!(Input(_, 1) -> GRU(4) -> Dense(1));
    /// let (x, y) = (Array3::<f32>::ones((8, 5, 1)), Array2::<f32>::ones((8, 1)));
    /// let (train, test) = Dataset::new(&x, &y)?.split(0.25)?;
    /// let mut trainer = Trainer::new(&mut model).loss(MeanSquaredError).optimizer(Adam::new(0.01));
    /// trainer.fit(&train, Fit { epochs: 2, ..Fit::default() })?;
    /// let logs = trainer.evaluate(&test)?;
    /// assert!(logs.get("loss").is_some());
    /// assert_eq!(trainer.model().predict(&x)?.dim(), (8, 1));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn model(&self) -> &M {
        self.model
    }

    /// The optimizer's state, for a checkpoint; `None` before the first `fit`.
    pub fn optimizer_state(&self) -> Option<OptimizerState> {
        self.stepper.as_ref().map(Stepper::state)
    }

    /// Restores the optimizer's state. With the weights of that moment, and `initial_epoch` in [`Fit`],
    /// training ends as if it had never been interrupted.
    ///
    /// # Errors
    /// [`Error::Argument`] if the state is of another optimizer or model.
    pub fn restore_optimizer(&mut self, state: &OptimizerState) -> Result<(), Error> {
        start(&mut self.optimizer, &mut self.stepper, self.model)?.restore(state)
    }
}

/// The running optimizer; started if it is not running yet.
fn start<'s>(
    optimizer: &mut Option<Box<dyn Optimizer>>,
    stepper: &'s mut Option<Stepper>,
    model: &dyn trainable::Trainable,
) -> Result<&'s mut Stepper, Error> {
    // Twice looked up: the borrow checker does not see that the early return ends the first.
    if stepper.is_none() {
        if let Some(optimizer) = optimizer {
            Stepper::check_optimizer(optimizer.as_ref())?;
        }
        let optimizer = optimizer
            .take()
            .unwrap_or_else(|| Box::new(RMSprop::default()));
        *stepper = Some(Stepper::for_model(optimizer, model)?);
    }
    stepper
        .as_mut()
        .ok_or_else(|| Error::Argument("there is no optimizer".to_owned()))
}

#[cfg(test)]
mod tests;
