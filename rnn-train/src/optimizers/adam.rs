//! Adam, with coupled and decoupled names for its weight decay.

use super::{Optimizer, Options, Slot, Step, check_not_negative, check_share, optimizer};
use rnn_runtime::error::Error;

optimizer! {
    /// Divides a moving average of the gradient by the root of one of its square (Kingma and
    /// Ba, 2015).
    ///
    /// `m += (1 - beta_1) * (g - m)`, `v += (1 - beta_2) * (g² - v)`,
    /// `alpha = rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)`, `w -= alpha * m / (sqrt(v) + epsilon)`:
    /// this is the paper's "epsilon hat", which is not scaled by the correction of `v`.
    ///
    /// ```
    /// use rnn_train::optimizers::Adam;
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
    /// use rnn_train::optimizers::AdamW;
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

/// What the two share.
struct Rule {
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    amsgrad: bool,
}

impl Rule {
    fn check(&self, name: &str) -> Result<(), Error> {
        check_share(&format!("{name}: beta_1"), self.beta_1)?;
        check_share(&format!("{name}: beta_2"), self.beta_2)?;
        check_not_negative(&format!("{name}: epsilon"), self.epsilon)
    }

    fn slots(&self) -> Vec<Slot> {
        let slot = |name| Slot { name, initial: 0.0 };
        let mut slots = vec![slot("momentum"), slot("velocity")];
        if self.amsgrad {
            slots.push(slot("velocity_hat"));
        }
        slots
    }

    fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], slots: &mut [&mut [f32]]) {
        let t = step.number as f64;
        // In f64: 1 - 0.999^t has lost four digits in f32.
        let correction = (1.0 - self.beta_2.powf(t)).sqrt() / (1.0 - self.beta_1.powf(t));
        let alpha = (step.learning_rate * correction) as f32;
        let (rest_1, rest_2) = ((1.0 - self.beta_1) as f32, (1.0 - self.beta_2) as f32);
        let epsilon = self.epsilon as f32;
        let average = |m: &mut f32, v: &mut f32, g: f32| {
            *m += (g - *m) * rest_1;
            *v += (g * g - *v) * rest_2;
        };
        let each = weights.iter_mut().zip(gradients);
        match slots {
            [momentum, velocity, hat] => {
                let slots = momentum
                    .iter_mut()
                    .zip(velocity.iter_mut())
                    .zip(hat.iter_mut());
                for ((w, &g), ((m, v), hat)) in each.zip(slots) {
                    average(m, v, g);
                    *hat = hat.max(*v);
                    *w -= *m * alpha / (hat.sqrt() + epsilon);
                }
            }
            [momentum, velocity] => {
                let slots = momentum.iter_mut().zip(velocity.iter_mut());
                for ((w, &g), (m, v)) in each.zip(slots) {
                    average(m, v, g);
                    *w -= *m * alpha / (v.sqrt() + epsilon);
                }
            }
            _ => {}
        }
    }
}

/// [`Optimizer`] through [`Rule`].
macro_rules! by_rule {
    ($type:ident, $name:literal) => {
        impl $type {
            fn rule(&self) -> Rule {
                let $type {
                    beta_1,
                    beta_2,
                    epsilon,
                    amsgrad,
                    ..
                } = *self;
                Rule {
                    beta_1,
                    beta_2,
                    epsilon,
                    amsgrad,
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
                self.rule().check(stringify!($type))
            }

            fn slots(&self) -> Vec<Slot> {
                self.rule().slots()
            }

            fn update(
                &self,
                step: Step,
                weights: &mut [f32],
                gradients: &[f32],
                slots: &mut [&mut [f32]],
            ) {
                self.rule().update(step, weights, gradients, slots);
            }
        }
    };
}

by_rule!(Adam, "adam");
by_rule!(AdamW, "adamw");
