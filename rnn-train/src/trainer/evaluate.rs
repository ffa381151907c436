//! Evaluation of a model without a trainer.

use super::{
    BATCH_SIZE,
    run::{dry_run, evaluate},
    score::Score,
    scores::Scores,
    stateful,
};
use crate::{
    data::{Batch, Dataset, Prepared},
    logs::Logs,
};
use rnn_runtime::{error::Error, trainable::Trainable};

/// `model.evaluate(…)`: Keras's, for every model, wherever its numbers are.
///
/// Example: [`Evaluate::evaluate`].
pub trait Evaluate: Trainable {
    /// Loss and metrics of the model in inference, in batches of 32, or of the size for which
    /// [`Dataset::continuing`] cut the data. States are zero at the start and afterwards.
    ///
    /// # Errors
    /// [`Error::Argument`] or [`Error::Shape`] if the losses, the metrics or the data do not suit
    /// the model.
    ///
    /// ```no_run
    /// use recurrent::{Error, learner::Learner};
    /// use recurrent::train::{Dataset, Evaluate, Scores, losses::*, metrics::Accuracy};
    ///
    /// fn accuracy<L: Learner>(model: &mut L, test: &Dataset) -> Result<Option<f64>, Error> {
    ///     let scores = Scores::new().loss(SparseCategoricalCrossentropy::default()).metric(Accuracy);
    ///     Ok(model.evaluate(test, &scores)?.get("accuracy"))
    /// }
    /// ```
    fn evaluate(&mut self, data: &Dataset, scores: &Scores) -> Result<Logs, Error>
    where
        Self: Sized,
    {
        self.evaluate_in(data.batch_size().unwrap_or(BATCH_SIZE), data, scores)
    }

    /// [`Evaluate::evaluate`] in batches of another size. It matters for speed and memory, and for
    /// a stateful model, which needs all batches to be of one size.
    ///
    /// # Errors
    /// As [`Evaluate::evaluate`]; [`Error::Argument`] if `batch_size` is 0.
    fn evaluate_in(
        &mut self,
        batch_size: usize,
        data: &Dataset,
        scores: &Scores,
    ) -> Result<Logs, Error>
    where
        Self: Sized,
    {
        evaluate_in(self, batch_size, data, scores)
    }
}

impl<T: Trainable> Evaluate for T {}

/// [`Evaluate::evaluate_in`], of any model.
pub(super) fn evaluate_in(
    model: &mut dyn Trainable,
    batch_size: usize,
    data: &Dataset,
    scores: &Scores,
) -> Result<Logs, Error> {
    if batch_size == 0 {
        let message = "batch_size must be at least 1, found 0";
        return Err(Error::Argument(message.to_owned()));
    }
    let outputs = model.outputs();
    let kinds = scores.check(model)?;
    if model.is_stateful() {
        stateful::check_size("data", data, batch_size)?;
    }
    let data = Prepared::new("data", data, model.inputs(), outputs, &kinds, None)?;
    data.check_ids("data", model.inputs(), model.vocabulary())?;
    let mut score = Score::new(scores, model, &kinds)?;
    dry_run("data", model, &data, true)?;
    let mut batch = Batch::new(&data, batch_size.min(data.order.len()));
    evaluate(model, &data, &mut batch, batch_size, &mut score)?;
    let mut logs = Logs::default();
    score.write("", &mut logs);
    Ok(logs)
}
