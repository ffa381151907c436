//! Adam, with coupled and decoupled names for its weight decay.

use super::{Optimizer, Options, Slot, Step, check_not_negative, check_share, optimizer};
use rnn_runtime::{error::Error, update::Rule};

optimizer! {
    /// Divides a moving average of the gradient by the root of a moving average of its square (Kingma and
    /// Ba, 2015).
    ///
    /// `m += (1 - beta_1) * (g - m)`, `v += (1 - beta_2) * (g² - v)`,
    /// `alpha = rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)`, `w -= alpha * m / (sqrt(v) + epsilon)`:
    /// this is the paper's "epsilon hat", which is not scaled by the correction of `v`.
    ///
    /// ```
    /// use recurrent::train::optimizers::Adam;
    ///
    /// let adam = Adam { amsgrad: true, ..Adam::default() };
    /// assert_eq!((adam.beta_1, adam.beta_2, adam.epsilon), (0.9, 0.999, 1e-7));
    /// ```
    Adam(learning_rate = 0.001, weight_decay = None) {
        /// How much of the mean gradient is kept from step to step; in 0..=1.
        beta_1: f64 = 0.9,
        /// How much of the mean square is kept from step to step; in 0..=1.
        beta_2: f64 = 0.999,
        /// Added to the root.
        epsilon: f64 = 1e-7,
        /// Divide by the largest mean square so far (Reddi et al., 2018).
        amsgrad: bool = false,
    }
}

optimizer! {
    /// [`Adam`] with a weight decay of 0.004 by default (Loshchilov and Hutter, 2019).
    ///
    /// ```
    /// use recurrent::train::optimizers::AdamW;
    ///
    /// assert_eq!(AdamW::default().weight_decay, Some(0.004));
    /// ```
    AdamW(learning_rate = 0.001, weight_decay = Some(0.004)) {
        /// How much of the mean gradient is kept from step to step; in 0..=1.
        beta_1: f64 = 0.9,
        /// How much of the mean square is kept from step to step; in 0..=1.
        beta_2: f64 = 0.999,
        /// Added to the root.
        epsilon: f64 = 1e-7,
        /// Divide by the largest mean square so far (Reddi et al., 2018).
        amsgrad: bool = false,
    }
}

/// Checks the options that both share.
fn check(name: &str, beta_1: f64, beta_2: f64, epsilon: f64) -> Result<(), Error> {
    check_share(&format!("{name}: beta_1"), beta_1)?;
    check_share(&format!("{name}: beta_2"), beta_2)?;
    check_not_negative(&format!("{name}: epsilon"), epsilon)
}

fn slots(amsgrad: bool) -> Vec<Slot> {
    let slot = |name| Slot { name, initial: 0.0 };
    let mut slots = vec![slot("momentum"), slot("velocity")];
    if amsgrad {
        slots.push(slot("velocity_hat"));
    }
    slots
}

/// Implements [`Optimizer`] by the formula that both share.
macro_rules! adam {
    ($type:ident, $name:literal) => {
        impl $type {
            fn formula(&self) -> Rule {
                Rule::Adam {
                    beta_1: self.beta_1,
                    beta_2: self.beta_2,
                    epsilon: self.epsilon,
                }
            }
        }

        impl Optimizer for $type {
            fn name(&self) -> &str {
                $name
            }

            fn options(&self) -> Options {
                self.common()
            }

            fn check(&self) -> Result<(), Error> {
                check(stringify!($type), self.beta_1, self.beta_2, self.epsilon)
            }

            fn slots(&self) -> Vec<Slot> {
                slots(self.amsgrad)
            }

            fn rule(&self) -> Option<Rule> {
                Some(self.formula())
            }

            fn update(
                &self,
                step: Step,
                weights: &mut [f32],
                gradients: &[f32],
                slots: &mut [&mut [f32]],
            ) {
                self.formula().update(step, weights, gradients, slots);
            }
        }
    };
}

adam!(Adam, "adam");
adam!(AdamW, "adamw");
