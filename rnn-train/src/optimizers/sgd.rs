//! Gradient descent.

use super::{Optimizer, Options, Slot, Step, check_share, optimizer};
use rnn_runtime::{error::Error, update::Rule};

optimizer! {
    /// Gradient descent, with momentum if wanted.
    ///
    /// Without momentum `w -= rate * g`; with it `m = momentum * m - rate * g` and `w += m`, or
    /// with Nesterov's look ahead `w += momentum * m - rate * g` (Sutskever et al., 2013).
    ///
    /// ```
    /// use recurrent::train::optimizers::SGD;
    ///
    /// let sgd = SGD::new(0.1).momentum(0.9).nesterov(true);
    /// assert!(sgd.nesterov && sgd.weight_decay.is_none());
    /// ```
    SGD(learning_rate = 0.01, weight_decay = None) {
        /// Share of the last step that goes into this one; in 0..=1.
        momentum: f64 = 0.0,
        /// Take the gradient's step ahead of the momentum's.
        nesterov: bool = false,
    }
}

impl SGD {
    fn formula(&self) -> Rule {
        Rule::Sgd {
            momentum: self.momentum,
            nesterov: self.nesterov,
        }
    }
}

impl Optimizer for SGD {
    fn name(&self) -> &str {
        "SGD"
    }

    fn options(&self) -> Options {
        self.common()
    }

    fn check(&self) -> Result<(), Error> {
        check_share("SGD: momentum", self.momentum)
    }

    fn slots(&self) -> Vec<Slot> {
        let momentum = Slot {
            name: "momentum",
            initial: 0.0,
        };
        if self.momentum == 0.0 {
            Vec::new()
        } else {
            vec![momentum]
        }
    }

    fn rule(&self) -> Option<Rule> {
        Some(self.formula())
    }

    fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], slots: &mut [&mut [f32]]) {
        self.formula().update(step, weights, gradients, slots);
    }
}
