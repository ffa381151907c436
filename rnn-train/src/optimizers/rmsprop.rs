//! RMSprop.

use super::{Optimizer, Options, Slot, Step, check_not_negative, check_share, optimizer};
use rnn_runtime::{error::Error, update::Rule};

optimizer! {
    /// Divides the gradient by the root of a moving average of its square (Hinton, 2012).
    ///
    /// `v = rho * v + (1 - rho) * g²`, `w -= rate * g / sqrt(v + epsilon)`; centered, the square
    /// of the mean gradient is subtracted from `v` under the root. Note that epsilon is under the root.
    ///
    /// ```
    /// use recurrent::train::optimizers::RMSprop;
    ///
    /// assert_eq!(RMSprop::default().centered(true).rho, 0.9);
    /// ```
    RMSprop(learning_rate = 0.001, weight_decay = None) {
        /// How much of the average is kept from step to step; in 0..=1.
        rho: f64 = 0.9,
        /// Share of the last step that goes into this one; in 0..=1.
        momentum: f64 = 0.0,
        /// Added under the root.
        epsilon: f64 = 1e-7,
        /// Estimate the variance of the gradient rather than its mean square.
        centered: bool = false,
    }
}

impl RMSprop {
    fn formula(&self) -> Rule {
        Rule::RmsProp {
            rho: self.rho,
            momentum: self.momentum,
            epsilon: self.epsilon,
            centered: self.centered,
        }
    }
}

impl Optimizer for RMSprop {
    fn name(&self) -> &str {
        "rmsprop"
    }

    fn options(&self) -> Options {
        self.common()
    }

    fn check(&self) -> Result<(), Error> {
        check_share("RMSprop: rho", self.rho)?;
        check_share("RMSprop: momentum", self.momentum)?;
        check_not_negative("RMSprop: epsilon", self.epsilon)
    }

    fn slots(&self) -> Vec<Slot> {
        let slot = |name| Slot { name, initial: 0.0 };
        let mut slots = vec![slot("velocity")];
        if self.momentum > 0.0 {
            slots.push(slot("momentum"));
        }
        if self.centered {
            slots.push(slot("average_gradient"));
        }
        slots
    }

    fn rule(&self) -> Option<Rule> {
        Some(self.formula())
    }

    fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], slots: &mut [&mut [f32]]) {
        self.formula().update(step, weights, gradients, slots);
    }
}
