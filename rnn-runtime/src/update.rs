//! One step of an optimizer as data.
//!
//! A trainer describes the step by an [`Update`]; a [`Trainable`](crate::trainable::Trainable) carries it
//! out where its weights are.

use std::any::Any;

use crate::error::Error;

/// One step of an optimizer, in this order: adds the derivatives of penalties to the gradients, clips the
/// gradients, applies weight decay, moves the weights by the rule, and projects them onto their
/// constraints. Parameters that are not trainable do not change.
///
/// The model's [`ParamSpec`](crate::params::ParamSpec)s say which parameters are trained and have penalties
/// and constraints.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy)]
pub struct Update<'a> {
    /// The number of the step and its learning rate.
    pub step: Step,
    /// How the weights move.
    pub rule: UpdateRule<'a>,
    /// Each weight first loses this share of itself, times the learning rate.
    pub weight_decay: Option<f64>,
    /// How the gradients are clipped.
    pub clip: Clip,
    /// Whether the derivatives of the parameters' regularizers are added to the gradients.
    pub penalties: bool,
}

/// Where training stands.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Counts from 1.
    pub number: u64,
    /// The learning rate of this step.
    pub learning_rate: f64,
}

/// A number that an optimizer remembers for every weight.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// Keras's name, such as `momentum`.
    pub name: &'static str,
    /// Its value before the first step.
    pub initial: f32,
}

/// How gradients are clipped before a step. As in Keras, only one way at a time.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// Nothing.
    None,
    /// Every parameter's gradient is scaled down to this norm, each on its own.
    Norm(f64),
    /// Every number is kept within plus and minus this.
    Value(f32),
    /// All gradients together are scaled down to this norm.
    GlobalNorm(f64),
}

/// How the weights move.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy)]
pub enum UpdateRule<'a> {
    /// By one of Keras's formulas.
    Keras(Rule),
    /// By a function of the user's own, which exists as host code only. A model whose weights are on
    /// a device has to copy weights, gradients and slots to the host, and weights and slots back, at
    /// every step: [`UpdateTables`](crate::host::UpdateTables) does the rest.
    Own(&'a dyn HostRule),
}

/// Keras's formulas. The slots of each rule are in the order in which the optimizer creates them.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// Slot: `momentum`, unless the momentum is 0.
    Sgd {
        /// Share of the last step that goes into this one.
        momentum: f64,
        /// Takes the gradient's step ahead of the momentum's.
        nesterov: bool,
    },
    /// Slots: `velocity`, then `momentum` if there is any, then `average_gradient` if centered.
    RmsProp {
        /// How much of the averages is kept from step to step.
        rho: f64,
        /// Share of the last step that goes into this one.
        momentum: f64,
        /// Added under the root.
        epsilon: f64,
        /// Divides by the variance of the gradient, not by its mean square.
        centered: bool,
    },
    /// Slots: `momentum`, `velocity`, and a third one, `velocity_hat`, with `amsgrad`.
    Adam {
        /// How much of the mean gradient is kept from step to step.
        beta_1: f64,
        /// How much of the mean square is kept from step to step.
        beta_2: f64,
        /// Added to the root.
        epsilon: f64,
    },
    /// Slot: `accumulator`.
    Adagrad {
        /// Added under the root.
        epsilon: f64,
    },
}

/// A rule as a function of host slices.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
pub trait HostRule {
    /// Moves `weights` against `gradients`, which are clipped already. All slices have the same
    /// length; `slots` hold what the last step left in them.
    fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], slots: &mut [&mut [f32]]);
}

/// The state of a training, kept where the model's weights are: the gradients, and the slots of the
/// optimizer.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
pub trait TrainState: Any + Send {
    /// A copy of slot number `index`, one number for every weight.
    fn slot(&self, index: usize) -> Vec<f32>;

    /// Replaces slot number `index`.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is no such slot, or not one number for every weight.
    fn set_slot(&mut self, index: usize, values: &[f32]) -> Result<(), Error>;

    /// Whether all copies that [`TrainState::slot`] gave since the last check are what the device has.
    ///
    /// # Errors
    /// What went wrong, once.
    fn take_error(&self) -> Result<(), Error> {
        Ok(())
    }
}
