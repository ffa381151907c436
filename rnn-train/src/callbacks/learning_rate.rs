//! Learning rates that change from epoch to epoch.

use super::{Callback, Mode, Training, monitor::Monitor};
use rnn_runtime::error::Error;

/// Sets the learning rate at the beginning of every epoch, by a function of the epoch (from 0)
/// and the rate so far. For a rate that changes with every step give the optimizer a
/// [`Schedule`](crate::optimizers::Schedule).
///
/// ```
/// use recurrent::train::callbacks::LearningRateScheduler;
///
/// let halve_from_ten_on =
///     LearningRateScheduler::new(|epoch, rate| if epoch < 10 { rate } else { 0.5 * rate });
/// ```
pub struct LearningRateScheduler<F>(F);

impl<F: FnMut(usize, f64) -> f64 + Send> LearningRateScheduler<F> {
    /// By this function.
    pub fn new(schedule: F) -> Self {
        LearningRateScheduler(schedule)
    }
}

impl<F: FnMut(usize, f64) -> f64 + Send> Callback for LearningRateScheduler<F> {
    fn reads_batches(&self) -> bool {
        false
    }

    fn on_epoch_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let rate = (self.0)(training.epoch(), training.learning_rate());
        training.set_learning_rate(rate)
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let rate = training.learning_rate();
        training.logs_mut().set("learning_rate", rate);
        Ok(())
    }
}

/// Lowers the learning rate when a number has not improved for some epochs.
///
/// ```
/// use recurrent::train::callbacks::ReduceLROnPlateau;
///
/// let reduce = ReduceLROnPlateau { factor: 0.5, patience: 3, ..ReduceLROnPlateau::new("val_loss") };
/// assert_eq!(reduce.min_delta, 1e-4);
/// ```
#[derive(Clone, Debug)]
pub struct ReduceLROnPlateau {
    /// The number to watch; `val_loss` by default.
    pub monitor: String,
    /// The rate is multiplied by this, below 1; 0.1 by default.
    pub factor: f64,
    /// Epochs without an improvement after which the rate is lowered; 10 by default.
    pub patience: usize,
    /// Which way the number gets better.
    pub mode: Mode,
    /// A smaller improvement does not count; 1e-4 by default.
    pub min_delta: f64,
    /// Epochs to wait after the rate was lowered.
    pub cooldown: usize,
    /// The rate is not lowered below this.
    pub min_lr: f64,
    /// What has happened so far; start with the default.
    pub state: ReduceLROnPlateauState,
}

/// What [`ReduceLROnPlateau`] has seen.
///
/// Nothing of it has to be written: [`ReduceLROnPlateau::new`] starts with the default.
#[derive(Clone, Debug, Default)]
pub struct ReduceLROnPlateauState {
    monitor: Option<Monitor>,
    wait: usize,
    best: Option<f64>,
    cooldown: usize,
}

impl Default for ReduceLROnPlateau {
    fn default() -> Self {
        ReduceLROnPlateau {
            monitor: "val_loss".to_owned(),
            factor: 0.1,
            patience: 10,
            mode: Mode::Auto,
            min_delta: 1e-4,
            cooldown: 0,
            min_lr: 0.0,
            state: ReduceLROnPlateauState::default(),
        }
    }
}

impl ReduceLROnPlateau {
    /// Watches this number.
    pub fn new(monitor: &str) -> Self {
        ReduceLROnPlateau {
            monitor: monitor.to_owned(),
            ..ReduceLROnPlateau::default()
        }
    }
}

impl Callback for ReduceLROnPlateau {
    fn reads_batches(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        if !(0.0..1.0).contains(&self.factor) {
            return Err(Error::Argument(format!(
                "ReduceLROnPlateau: factor must be in 0..1, found {}",
                self.factor
            )));
        }
        // Fails now, rather than after `patience` epochs, if the rate cannot be set.
        training.set_learning_rate(training.learning_rate())?;
        let name = "ReduceLROnPlateau";
        let monitor = Monitor::new(name, &self.monitor, self.mode, self.min_delta, training)?;
        self.state = ReduceLROnPlateauState {
            monitor: Some(monitor),
            ..Default::default()
        };
        Ok(())
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let rate = training.learning_rate();
        training.logs_mut().set("learning_rate", rate);
        let state = &mut self.state;
        let Some(monitor) = &state.monitor else {
            return Ok(());
        };
        let Some(current) = monitor.current(training)? else {
            return Ok(());
        };
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.wait = 0;
        }
        if monitor.improved(current, state.best) {
            state.best = Some(current);
            state.wait = 0;
        } else if state.cooldown == 0 {
            state.wait += 1;
            if state.wait >= self.patience && rate > self.min_lr {
                training.set_learning_rate((rate * self.factor).max(self.min_lr))?;
                state.cooldown = self.cooldown;
                state.wait = 0;
            }
        }
        Ok(())
    }
}
