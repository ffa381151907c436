//! Stopping when nothing gets better any more.

use super::{Callback, Mode, Training, monitor::Monitor};
use rnn_runtime::error::Error;

/// Ends training when a number has not improved for some epochs (Prechelt, 1998).
///
/// ```
/// use recurrent::train::callbacks::EarlyStopping;
///
/// let stopping = EarlyStopping { patience: 3, restore_best_weights: true, ..EarlyStopping::new("val_loss") };
/// assert_eq!(stopping.min_delta, 0.0);
/// ```
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    /// The number to watch; `val_loss` by default.
    pub monitor: String,
    /// A smaller improvement does not count.
    pub min_delta: f64,
    /// Epochs without an improvement after which training ends.
    pub patience: usize,
    /// Which way the number gets better.
    pub mode: Mode,
    /// The number must also get better than this for the patience to start anew.
    pub baseline: Option<f64>,
    /// At the end, give the model the weights of its best epoch.
    pub restore_best_weights: bool,
    /// The first epoch to look at, from 0.
    pub start_from_epoch: usize,
    /// What has happened so far; start with the default.
    pub state: EarlyStoppingState,
}

/// What [`EarlyStopping`] has seen.
///
/// Nothing of it has to be written: [`EarlyStopping::new`] starts with the default.
#[derive(Clone, Debug, Default)]
pub struct EarlyStoppingState {
    monitor: Option<Monitor>,
    wait: usize,
    best: Option<f64>,
    best_epoch: usize,
    best_weights: Option<Vec<f32>>,
    stopped_epoch: Option<usize>,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        EarlyStopping {
            monitor: "val_loss".to_owned(),
            min_delta: 0.0,
            patience: 0,
            mode: Mode::Auto,
            baseline: None,
            restore_best_weights: false,
            start_from_epoch: 0,
            state: EarlyStoppingState::default(),
        }
    }
}

impl EarlyStopping {
    /// Watches this number.
    pub fn new(monitor: &str) -> Self {
        EarlyStopping {
            monitor: monitor.to_owned(),
            ..EarlyStopping::default()
        }
    }

    /// The epoch (from 0) after which training was ended, if it was.
    pub fn stopped_epoch(&self) -> Option<usize> {
        self.state.stopped_epoch
    }

    /// The best number seen, and its epoch (from 0).
    pub fn best(&self) -> Option<(f64, usize)> {
        self.state.best.map(|best| (best, self.state.best_epoch))
    }
}

impl Callback for EarlyStopping {
    fn reads_batches(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let monitor = Monitor::new(
            "EarlyStopping",
            &self.monitor,
            self.mode,
            self.min_delta,
            training,
        )?;
        self.state = EarlyStoppingState {
            monitor: Some(monitor),
            ..EarlyStoppingState::default()
        };
        Ok(())
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let state = &mut self.state;
        let Some(monitor) = &state.monitor else {
            return Ok(());
        };
        let epoch = training.epoch();
        let Some(current) = monitor.current(training)? else {
            return Ok(());
        };
        if epoch < self.start_from_epoch {
            return Ok(());
        }
        if self.restore_best_weights && state.best_weights.is_none() {
            // If nothing ever counts as an improvement, such as NaN, these are the best.
            state.best_weights = Some(training.weights().to_vec());
            state.best_epoch = epoch;
        }
        state.wait += 1;
        if monitor.improved(current, state.best) {
            state.best = Some(current);
            state.best_epoch = epoch;
            if let Some(weights) = &mut state.best_weights {
                weights.copy_from_slice(training.weights());
            }
            if self.baseline.is_none() || monitor.improved(current, self.baseline) {
                state.wait = 0;
            }
            return Ok(());
        }
        if state.wait >= self.patience && epoch > 0 {
            state.stopped_epoch = Some(epoch);
            training.stop();
        }
        Ok(())
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        if let Some(weights) = &self.state.best_weights {
            training.set_weights(weights)?;
        }
        Ok(())
    }
}
