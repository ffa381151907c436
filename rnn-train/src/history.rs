//! The figures of all epochs.

#[cfg(feature = "plot")]
mod plot;

use super::{logs::Logs, tally::Direction};
use std::{collections::BTreeMap, ops::Index};

/// Loss and metrics of every epoch of a training.
///
/// ```
/// use recurrent::train::{History, Logs};
///
/// fn look(history: &History) {
///     // One figure over all epochs, its last and its best value.
///     let losses: Vec<f64> = history.get("val_loss");
///     let (last, best) = (history.last("accuracy"), history.best("val_accuracy"));
///     println!("{losses:?} {last:?} {best:?}");
///     // All figures of every epoch; `epochs()` are the numbers of the epochs.
///     for (epoch, logs) in history.epochs().iter().zip(history.logs()) {
///         println!("{epoch}: {logs}");
///         for (name, value) in logs.iter() {
///             println!("{name} = {value}");
///         }
///     }
/// }
///
/// let history = History::default();
/// look(&history);
/// assert_eq!(history.last("loss"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    epochs: Vec<usize>,
    logs: Vec<Logs>,
    directions: Vec<(String, Direction)>,
    /// The figures of each name over all epochs that have it.
    curves: BTreeMap<String, Vec<f64>>,
}

impl History {
    pub(super) fn new(directions: &[(String, Direction)]) -> History {
        History {
            directions: directions.to_vec(),
            ..History::default()
        }
    }

    pub(super) fn push(&mut self, epoch: usize, logs: Logs) {
        self.epochs.push(epoch);
        for (name, value) in logs.iter() {
            self.curves.entry(name.to_owned()).or_default().push(value);
        }
        self.logs.push(logs);
    }

    /// The numbers of the epochs that were trained, from 0. The figures are [`History::logs`].
    pub fn epochs(&self) -> &[usize] {
        &self.epochs
    }

    /// The figures of every epoch, in the order of [`History::epochs`].
    pub fn logs(&self) -> &[Logs] {
        &self.logs
    }

    /// The figures of that name, such as `val_loss`, of all epochs that have it: none if no epoch has it. Without a copy they
    /// are `history["val_loss"]`.
    pub fn get(&self, name: &str) -> Vec<f64> {
        self[name].to_vec()
    }

    /// The figures of all names over the epochs, as Keras's `history.history` has them.
    ///
    /// ```
    /// use recurrent::train::History;
    ///
    /// fn print(history: &History) {
    ///     for (name, values) in history.history() {
    ///         println!("{name}: {values:?}");
    ///     }
    /// }
    /// # print(&History::default());
    /// ```
    pub fn history(&self) -> &BTreeMap<String, Vec<f64>> {
        &self.curves
    }

    /// The figure of that name after the last epoch that has it.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.logs.iter().rev().find_map(|logs| logs.get(name))
    }

    /// The best figure of that name, and its epoch (from 0): the largest of an accuracy, the
    /// smallest of a loss. NaN is never the best.
    pub fn best(&self, name: &str) -> Option<(f64, usize)> {
        let (_, direction) = self.directions.iter().find(|(own, _)| own == name)?;
        let mut best: Option<(f64, usize)> = None;
        for (&epoch, logs) in self.epochs.iter().zip(&self.logs) {
            let Some(value) = logs.get(name).filter(|value| !value.is_nan()) else {
                continue;
            };
            let better = best.is_none_or(|(best, _)| match direction {
                Direction::Up => value > best,
                Direction::Down => value < best,
            });
            if better {
                best = Some((value, epoch));
            }
        }
        best
    }

    /// All names, in the order in which they were first logged.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.logs.iter().flat_map(Logs::iter) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

/// `history["loss"]`: the figures of that name of all epochs that have it, none if no epoch has it, as [`History::get`].
///
/// ```
/// use recurrent::train::History;
///
/// assert!(History::default()["loss"].is_empty());
/// ```
impl Index<&str> for History {
    type Output = [f64];

    fn index(&self, name: &str) -> &[f64] {
        self.curves.get(name).map_or(&[], Vec::as_slice)
    }
}
