//! Adagrad.

use super::{Optimizer, Options, Slot, Step, check_not_negative, optimizer};
use rnn_runtime::{error::Error, update::Rule};

optimizer! {
    /// Divides the gradient by the root of the sum of all its squares so far (Duchi et al., 2011).
    ///
    /// `s += g²`, `w -= rate * g / sqrt(s + epsilon)`.
    ///
    /// ```
    /// use recurrent::train::optimizers::Adagrad;
    ///
    /// assert_eq!(Adagrad::new(0.01).initial_accumulator_value, 0.1);
    /// ```
    Adagrad(learning_rate = 0.001, weight_decay = None) {
        /// What the sum of squares starts with.
        initial_accumulator_value: f64 = 0.1,
        /// Added under the root.
        epsilon: f64 = 1e-7,
    }
}

impl Adagrad {
    fn formula(&self) -> Rule {
        Rule::Adagrad {
            epsilon: self.epsilon,
        }
    }
}

impl Optimizer for Adagrad {
    fn name(&self) -> &str {
        "adagrad"
    }

    fn options(&self) -> Options {
        self.common()
    }

    fn check(&self) -> Result<(), Error> {
        let initial = self.initial_accumulator_value;
        check_not_negative("Adagrad: initial_accumulator_value", initial)?;
        check_not_negative("Adagrad: epsilon", self.epsilon)
    }

    fn slots(&self) -> Vec<Slot> {
        vec![Slot {
            name: "accumulator",
            initial: self.initial_accumulator_value as f32,
        }]
    }

    fn rule(&self) -> Option<Rule> {
        Some(self.formula())
    }

    fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], slots: &mut [&mut [f32]]) {
        self.formula().update(step, weights, gradients, slots);
    }
}
