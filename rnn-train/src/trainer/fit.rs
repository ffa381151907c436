//! Options of a training.

use std::collections::BTreeMap;

use super::BATCH_SIZE;
use crate::data::Dataset;
use rnn_runtime::error::Error;

/// What [`Trainer::fit`](super::Trainer::fit) shows on standard error.
///
/// ```
/// use recurrent::prelude::*;
///
/// let fit = Fit { epochs: 20, verbose: Verbose::Lines, ..Fit::default() };
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbose {
    /// [`Verbose::Progress`] on a terminal, nothing otherwise.
    #[default]
    Auto,
    /// Nothing.
    Silent,
    /// A bar for every epoch, with steps a second and the time left; nothing where standard error
    /// is not a terminal. Without the feature `progress` it is [`Verbose::Lines`].
    Progress,
    /// A line for every epoch.
    Lines,
}

/// Options of [`Trainer::fit`](super::Trainer::fit), by Keras's names and with its defaults.
///
/// ```
/// use std::collections::BTreeMap;
/// use recurrent::train::Fit;
///
/// let fit = Fit { epochs: 20, class_weight: Some(BTreeMap::from([(0, 1.0), (1, 5.0)])), ..Fit::default() };
/// assert_eq!(fit.batch_size, 32);
/// ```
#[derive(Clone, Debug)]
pub struct Fit<'a> {
    /// The epoch to end with: with `initial_epoch` 10 and `epochs` 30, twenty are trained. 1 by
    /// default.
    pub epochs: usize,
    /// Samples of a step; the last batch of an epoch holds what is left. 32 by default.
    pub batch_size: usize,
    /// Data for validation after each epoch; it is not trained on.
    pub validation_data: Option<&'a Dataset>,
    /// `validation_data` by the name that it had before. It is an error to give both.
    pub validation: Option<&'a Dataset>,
    /// Share of the training data, from its end, that is held out as `validation_data` if none is given.
    pub validation_split: f64,
    /// Samples of a batch of validation; `batch_size` if `None`.
    pub validation_batch_size: Option<usize>,
    /// Validates after every `validation_freq` epochs; 1 by default.
    pub validation_freq: usize,
    /// Shuffle the samples before each epoch; true by default. A stateful model needs false, since its
    /// batches continue each other.
    pub shuffle: bool,
    /// Set the states of stateful layers to zero before every epoch and at the end; true by default. If
    /// false, states go on from epoch to epoch and from one `fit` to the next, as in Keras unless a callback
    /// resets them.
    pub reset_states: bool,
    /// Draws the orders, and the masks of dropout.
    pub seed: u64,
    /// How much a row counts in the loss, by its class; 1 for classes that are not mentioned. Unlike in
    /// Keras, it can be combined with sample weights: both are multiplied. Only for a model with one output.
    pub class_weight: Option<BTreeMap<u32, f32>>,
    /// The first epoch, from 0, to resume a training.
    pub initial_epoch: usize,
    /// What to show.
    pub verbose: Verbose,
}

impl Default for Fit<'_> {
    fn default() -> Self {
        Fit {
            epochs: 1,
            batch_size: BATCH_SIZE,
            validation_data: None,
            validation: None,
            validation_split: 0.0,
            validation_batch_size: None,
            validation_freq: 1,
            shuffle: true,
            reset_states: true,
            seed: 0,
            class_weight: None,
            initial_epoch: 0,
            verbose: Verbose::Auto,
        }
    }
}

impl Fit<'_> {
    /// The options that the result of training depends on, besides model, data, optimizer and the numbers
    /// of a loss. The number of epochs is not among them: a resumed training may have more.
    pub(super) fn setup(&self, loss: String) -> Vec<(&'static str, String)> {
        vec![
            ("loss", loss),
            ("seed", self.seed.to_string()),
            ("batch_size", self.batch_size.to_string()),
            ("shuffle", self.shuffle.to_string()),
            ("reset_states", self.reset_states.to_string()),
            ("class_weight", self.weights_in_words()),
        ]
    }

    /// The data for validation, by either name.
    pub(super) fn validation_data(&self) -> Option<&Dataset> {
        self.validation_data.or(self.validation)
    }

    /// The weights of classes for a comparison: `0: 1, 1: 5`, or `none`.
    fn weights_in_words(&self) -> String {
        let Some(weights) = &self.class_weight else {
            return "none".to_owned();
        };
        let words = weights.iter().map(|(class, w)| format!("{class}: {w}"));
        words.collect::<Vec<_>>().join(", ")
    }

    /// Checks the options that do not depend on model and data.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |message: String| Err(Error::Argument(message));
        let (epochs, from) = (self.epochs, self.initial_epoch);
        if epochs == 0 {
            return wrong("Fit: epochs must be at least 1, found 0".to_owned());
        }
        if from >= epochs {
            return wrong(format!(
                "Fit: nothing is left to train: training starts with initial_epoch {from} and ends \
                 before epochs {epochs}; `epochs` is where to end, not how many to add"
            ));
        }
        if self.batch_size == 0 {
            return wrong("Fit: batch_size must be at least 1, found 0".to_owned());
        }
        if self.validation_data.is_some() && self.validation.is_some() {
            return wrong(
                "Fit: validation_data is given twice; `validation` is its old name".to_owned(),
            );
        }
        if self.validation_batch_size == Some(0) {
            return wrong(
                "Fit: validation_batch_size must be at least 1, found 0; with None it is batch_size"
                    .to_owned(),
            );
        }
        if self.validation_freq == 0 {
            return wrong("Fit: validation_freq must be at least 1, found 0".to_owned());
        }
        if !(0.0..1.0).contains(&self.validation_split) {
            let split = self.validation_split;
            return wrong(format!(
                "Fit: validation_split must be in 0..1, found {split}"
            ));
        }
        let weights = self.class_weight.iter().flatten();
        match weights
            .into_iter()
            .find(|(_, w)| !(w.is_finite() && **w >= 0.0))
        {
            Some((class, weight)) => wrong(format!(
                "Fit: class_weight of class {class} must not be negative, found {weight}"
            )),
            None => Ok(()),
        }
    }
}
