//! Learning rates that change from step to step
//! ([`keras.optimizers.schedules`](https://keras.io/api/optimizers/learning_rate_schedules/)).

use std::{f64::consts::PI, fmt, sync::Arc};

use super::check_not_negative;
use rnn_runtime::error::Error;

/// A learning rate for every step.
///
/// ```
/// use recurrent::prelude::*;
///
/// /// A tenth after every thousand steps.
/// #[derive(Debug)]
/// struct Stairs;
///
/// impl Schedule for Stairs {
///     fn at(&self, step: u64) -> f64 {
///         0.01 * 0.1f64.powi((step / 1000) as i32)
///     }
/// }
///
/// let optimizer = Adam::new(LearningRate::Schedule(std::sync::Arc::new(Stairs)));
/// ```
pub trait Schedule: fmt::Debug + Send + Sync {
    /// The rate of the next step after `step` steps: `at(0)` is that of the first step.
    fn at(&self, step: u64) -> f64;

    /// Whether the options make sense.
    ///
    /// # Errors
    /// [`Error::Argument`] that says what does not.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// An optimizer's learning rate: a number or a [`Schedule`]; `.into()` makes it from either.
///
/// ```
/// use recurrent::prelude::*;
///
/// let constant = Adam { learning_rate: 0.01.into(), ..Adam::default() };
/// let falling = Adam { learning_rate: CosineDecay::new(0.01, 1000).into(), ..Adam::default() };
/// assert_eq!((constant.learning_rate.at(500), falling.learning_rate.at(1000)), (0.01, 0.0));
/// ```
#[derive(Clone, Debug)]
pub enum LearningRate {
    /// The same for all steps; callbacks may change it.
    Constant(f64),
    /// By the number of steps done.
    Schedule(Arc<dyn Schedule>),
}

impl Default for LearningRate {
    /// Keras's most common one, 0.001.
    fn default() -> Self {
        LearningRate::Constant(1e-3)
    }
}

impl LearningRate {
    /// The rate after `step` steps.
    pub fn at(&self, step: u64) -> f64 {
        match self {
            LearningRate::Constant(rate) => *rate,
            LearningRate::Schedule(schedule) => schedule.at(step),
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        match self {
            LearningRate::Constant(rate) => check_not_negative("learning_rate", *rate),
            LearningRate::Schedule(schedule) => schedule.check(),
        }
    }
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        LearningRate::Constant(rate)
    }
}

/// The number that the f32 is: `Adam::new(1e-3_f32)`.
impl From<f32> for LearningRate {
    fn from(rate: f32) -> Self {
        LearningRate::Constant(rate.into())
    }
}

impl<S: Schedule + 'static> From<S> for LearningRate {
    fn from(schedule: S) -> Self {
        LearningRate::Schedule(Arc::new(schedule))
    }
}

/// `initial * decay_rate ^ (step / decay_steps)`.
///
/// ```
/// use recurrent::train::optimizers::{ExponentialDecay, Schedule};
///
/// let schedule = ExponentialDecay { staircase: true, ..ExponentialDecay::new(0.8, 10, 0.5) };
/// assert_eq!([0, 9, 10, 25].map(|step| schedule.at(step)), [0.8, 0.8, 0.4, 0.2]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ExponentialDecay {
    /// The first rate.
    pub initial_learning_rate: f64,
    /// The number of steps in which the rate changes by the factor `decay_rate`.
    pub decay_steps: u64,
    /// Factor.
    pub decay_rate: f64,
    /// Change every `decay_steps` steps rather than at each.
    pub staircase: bool,
}

impl ExponentialDecay {
    /// Smooth, not in stairs.
    pub fn new(initial_learning_rate: f64, decay_steps: u64, decay_rate: f64) -> Self {
        ExponentialDecay {
            initial_learning_rate,
            decay_steps,
            decay_rate,
            staircase: false,
        }
    }
}

impl Schedule for ExponentialDecay {
    fn at(&self, step: u64) -> f64 {
        let periods = periods(step, self.decay_steps, self.staircase);
        self.initial_learning_rate * self.decay_rate.powf(periods)
    }

    fn check(&self) -> Result<(), Error> {
        check_not_negative("initial_learning_rate", self.initial_learning_rate)?;
        check_not_negative("decay_rate", self.decay_rate)?;
        check_steps(self.decay_steps)
    }
}

/// `initial / (1 + decay_rate * step / decay_steps)`.
///
/// ```
/// use recurrent::train::optimizers::{InverseTimeDecay, Schedule};
///
/// assert_eq!(InverseTimeDecay::new(0.9, 10, 0.5).at(40), 0.3);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InverseTimeDecay {
    /// The first rate.
    pub initial_learning_rate: f64,
    /// How long a period is, in steps.
    pub decay_steps: u64,
    /// What each period adds to the divisor.
    pub decay_rate: f64,
    /// Change every `decay_steps` steps rather than at each.
    pub staircase: bool,
}

impl InverseTimeDecay {
    /// Smooth, not in stairs.
    pub fn new(initial_learning_rate: f64, decay_steps: u64, decay_rate: f64) -> Self {
        InverseTimeDecay {
            initial_learning_rate,
            decay_steps,
            decay_rate,
            staircase: false,
        }
    }
}

impl Schedule for InverseTimeDecay {
    fn at(&self, step: u64) -> f64 {
        let periods = periods(step, self.decay_steps, self.staircase);
        self.initial_learning_rate / (1.0 + self.decay_rate * periods)
    }

    fn check(&self) -> Result<(), Error> {
        check_not_negative("initial_learning_rate", self.initial_learning_rate)?;
        check_not_negative("decay_rate", self.decay_rate)?;
        check_steps(self.decay_steps)
    }
}

/// From `initial` to `end` along a power of the steps left.
///
/// ```
/// use recurrent::train::optimizers::{PolynomialDecay, Schedule};
///
/// let schedule = PolynomialDecay { end_learning_rate: 0.0, ..PolynomialDecay::new(1.0, 10) };
/// assert_eq!([0, 5, 10, 99].map(|step| schedule.at(step)), [1.0, 0.5, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PolynomialDecay {
    /// The first rate.
    pub initial_learning_rate: f64,
    /// Steps until the end.
    pub decay_steps: u64,
    /// The last rate; 0.0001 by default.
    pub end_learning_rate: f64,
    /// 1, the default, is a straight line.
    pub power: f64,
    /// Start again beyond the end, with twice the steps, then three times, …
    pub cycle: bool,
}

impl PolynomialDecay {
    /// A straight line down to 0.0001.
    pub fn new(initial_learning_rate: f64, decay_steps: u64) -> Self {
        let (end_learning_rate, power, cycle) = (1e-4, 1.0, false);
        PolynomialDecay {
            initial_learning_rate,
            decay_steps,
            end_learning_rate,
            power,
            cycle,
        }
    }
}

impl Schedule for PolynomialDecay {
    fn at(&self, step: u64) -> f64 {
        let (mut step, mut steps) = (step as f64, self.decay_steps as f64);
        if self.cycle {
            steps *= (step / steps).ceil().max(1.0);
        } else {
            step = step.min(steps);
        }
        let left = (1.0 - step / steps).powf(self.power);
        (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate
    }

    fn check(&self) -> Result<(), Error> {
        check_not_negative("initial_learning_rate", self.initial_learning_rate)?;
        check_not_negative("end_learning_rate", self.end_learning_rate)?;
        check_not_negative("power", self.power)?;
        check_steps(self.decay_steps)
    }
}

/// Half a cosine from `initial` (or, after a warm-up, from `warmup_target`) down to `alpha` times
/// that (Loshchilov and Hutter, 2017).
///
/// ```
/// use recurrent::train::optimizers::{CosineDecay, Schedule};
///
/// let schedule = CosineDecay { warmup_target: Some(1.0), warmup_steps: 10, ..CosineDecay::new(0.0, 100) };
/// assert_eq!([0, 5, 10, 110, 999].map(|step| schedule.at(step)), [0.0, 0.5, 1.0, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CosineDecay {
    /// The first rate.
    pub initial_learning_rate: f64,
    /// Steps of the cosine, the warm-up not counted.
    pub decay_steps: u64,
    /// The last rate as a share of the highest; 0 by default.
    pub alpha: f64,
    /// Rise to this rate first, in a straight line.
    pub warmup_target: Option<f64>,
    /// Steps of the rise.
    pub warmup_steps: u64,
}

impl CosineDecay {
    /// Down to 0, without a warm-up.
    pub fn new(initial_learning_rate: f64, decay_steps: u64) -> Self {
        let (alpha, warmup_target, warmup_steps) = (0.0, None, 0);
        CosineDecay {
            initial_learning_rate,
            decay_steps,
            alpha,
            warmup_target,
            warmup_steps,
        }
    }
}

impl Schedule for CosineDecay {
    fn at(&self, step: u64) -> f64 {
        let initial = self.initial_learning_rate;
        let (from, step) = match self.warmup_target {
            Some(target) if step < self.warmup_steps => {
                let done = step as f64 / self.warmup_steps as f64;
                return (target - initial) * done + initial;
            }
            Some(target) => (target, step - self.warmup_steps),
            None => (initial, step),
        };
        let done = step.min(self.decay_steps) as f64 / self.decay_steps as f64;
        let cosine = 0.5 * (1.0 + (PI * done).cos());
        from * ((1.0 - self.alpha) * cosine + self.alpha)
    }

    fn check(&self) -> Result<(), Error> {
        check_not_negative("initial_learning_rate", self.initial_learning_rate)?;
        check_not_negative("warmup_target", self.warmup_target.unwrap_or(0.0))?;
        check_not_negative("alpha", self.alpha)?;
        check_steps(self.decay_steps)
    }
}

/// A number for every stretch of steps: `values[i]` up to and with step `boundaries[i]`, the last
/// value after that.
///
/// ```
/// use recurrent::train::optimizers::{PiecewiseConstantDecay, Schedule};
///
/// let schedule = PiecewiseConstantDecay { boundaries: vec![10, 20], values: vec![1.0, 0.5, 0.1] };
/// assert_eq!([0, 10, 11, 20, 21].map(|step| schedule.at(step)), [1.0, 1.0, 0.5, 0.5, 0.1]);
/// ```
#[derive(Clone, Debug)]
pub struct PiecewiseConstantDecay {
    /// The last step of every stretch but the last; rising.
    pub boundaries: Vec<u64>,
    /// One more than boundaries.
    pub values: Vec<f64>,
}

impl Schedule for PiecewiseConstantDecay {
    fn at(&self, step: u64) -> f64 {
        let stretch = self.boundaries.partition_point(|&boundary| boundary < step);
        // `check` makes sure that there is one.
        self.values.get(stretch).copied().unwrap_or(0.0)
    }

    fn check(&self) -> Result<(), Error> {
        if self.values.len() != self.boundaries.len() + 1 {
            return Err(Error::Argument(format!(
                "PiecewiseConstantDecay: {} boundaries need {} values, found {}",
                self.boundaries.len(),
                self.boundaries.len() + 1,
                self.values.len()
            )));
        }
        if !self.boundaries.is_sorted() {
            let message = "PiecewiseConstantDecay: boundaries must rise";
            return Err(Error::Argument(message.to_owned()));
        }
        self.values
            .iter()
            .try_for_each(|&value| check_not_negative("values", value))
    }
}

fn periods(step: u64, decay_steps: u64, staircase: bool) -> f64 {
    let periods = step as f64 / decay_steps as f64;
    if staircase { periods.floor() } else { periods }
}

fn check_steps(decay_steps: u64) -> Result<(), Error> {
    if decay_steps > 0 {
        return Ok(());
    }
    Err(Error::Argument(
        "decay_steps must be positive, found 0".to_owned(),
    ))
}
