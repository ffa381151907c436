//! Watching one number get better.

use super::Training;
use crate::metrics::Direction;
use rnn_runtime::error::Error;

/// Which way the number that a callback watches gets better.
///
/// ```
/// use recurrent::prelude::*;
///
/// // A number of one's own, of which the trainer does not know which way is better.
/// let stopping = EarlyStopping { mode: Mode::Max, patience: 3, ..EarlyStopping::new("sharpe_ratio") };
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As the loss or metric of that name does.
    #[default]
    Auto,
    /// Downwards.
    Min,
    /// Upwards.
    Max,
}

/// A number of the logs, and whether it improves.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    callback: &'static str,
    name: String,
    min_delta: f64,
    direction: Direction,
}

impl Monitor {
    /// Watches `name`, for the callback of that name.
    ///
    /// # Errors
    /// [`Error::Argument`] if training does not log it, and `mode` does not say its direction.
    pub fn new(
        callback: &'static str,
        name: &str,
        mode: Mode,
        min_delta: f64,
        training: &Training<'_>,
    ) -> Result<Monitor, Error> {
        let known = training.directions().iter().find(|(own, _)| own == name);
        let direction = match (mode, known) {
            (Mode::Min, _) => Direction::Down,
            (Mode::Max, _) => Direction::Up,
            (Mode::Auto, Some((_, direction))) => *direction,
            (Mode::Auto, None) => return Err(missing(callback, name, training)),
        };
        let min_delta = min_delta.abs();
        Ok(Monitor {
            callback,
            name: name.to_owned(),
            min_delta,
            direction,
        })
    }

    /// The number after this epoch; `None` for a number of validation after an epoch without one.
    ///
    /// # Errors
    /// [`Error::Argument`] if training does not log it.
    pub fn current(&self, training: &Training<'_>) -> Result<Option<f64>, Error> {
        let current = training.logs().get(&self.name);
        let known = training
            .directions()
            .iter()
            .any(|(own, _)| *own == self.name);
        if current.is_none() && !known {
            return Err(missing(self.callback, &self.name, training));
        }
        Ok(current)
    }

    /// Whether `current` is better than `best` by more than `min_delta`, or `best` is `None`.
    pub fn improved(&self, current: f64, best: Option<f64>) -> bool {
        match (best, self.direction) {
            (None, _) => true,
            (Some(best), Direction::Down) => current + self.min_delta < best,
            (Some(best), Direction::Up) => current - self.min_delta > best,
        }
    }
}

fn missing(callback: &str, name: &str, training: &Training<'_>) -> Error {
    Error::Argument(format!(
        "{callback} watches {name}, which is not logged; there are {}",
        logged(name, training)
    ))
}

/// Help for a `name` that is not logged: the names that are, and how it could be.
pub(super) fn logged(name: &str, training: &Training<'_>) -> String {
    let names: Vec<_> = training
        .directions()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let hint = if name.starts_with("val_") && !names.iter().any(|n| n.starts_with("val_")) {
        "; for val_ ones give `Fit` validation data"
    } else {
        ""
    };
    format!("{}{hint}", names.join(", "))
}
