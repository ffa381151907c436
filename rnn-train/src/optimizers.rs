//! Keras's optimizers, by Keras's names, with Keras's defaults and formulas
//! ([`keras.optimizers`](https://keras.io/api/optimizers/)).
//!
//! An optimizer is a formula with its options. A [`Stepper`] keeps its slots (the numbers that it
//! remembers for every weight), clips the gradients and applies weight decay.
//!
//! ```
//! use recurrent::train::optimizers::{Adam, CosineDecay};
//!
//! // Builder style …
//! let adam = Adam::new(3e-4).clipnorm(1.0);
//! // … or as a struct, with a learning rate that changes from step to step.
//! let adam = Adam { beta_1: 0.95, learning_rate: CosineDecay::new(1e-3, 10_000).into(), ..adam };
//! assert_eq!(adam.clipnorm, Some(1.0));
//! ```

mod adagrad;
mod adam;
mod rmsprop;
mod schedules;
mod sgd;
mod stepper;

use rnn_runtime::{
    error::Error,
    update::{Clip, Rule},
};

pub use rnn_runtime::update::{Slot, Step};

pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use rmsprop::RMSprop;
pub use schedules::{
    CosineDecay, ExponentialDecay, InverseTimeDecay, LearningRate, PiecewiseConstantDecay,
    PolynomialDecay, Schedule,
};
pub use sgd::SGD;
pub use stepper::{OptimizerState, Stepper};

/// What all optimizers have in common.
///
/// Example: [`Optimizer`].
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The learning rate.
    pub learning_rate: LearningRate,
    /// Before every step each weight loses this share of itself, times the learning rate
    /// (decoupled weight decay: Loshchilov and Hutter, 2019).
    pub weight_decay: Option<f64>,
    /// The gradient of every parameter is scaled down to this norm, each on its own.
    pub clipnorm: Option<f64>,
    /// Every number of a gradient is kept within plus and minus this.
    pub clipvalue: Option<f64>,
    /// All gradients together are scaled down to this norm.
    pub global_clipnorm: Option<f64>,
}

impl Options {
    /// How gradients are clipped. A bound of 0 is an error: Keras accepts it and clips nothing, which no
    /// user can mean.
    fn clip(&self) -> Result<Clip, Error> {
        let chosen = [
            ("clipnorm", self.clipnorm),
            ("clipvalue", self.clipvalue),
            ("global_clipnorm", self.global_clipnorm),
        ];
        for (name, bound) in chosen {
            check_not_negative(name, bound.unwrap_or(0.0))?;
            if bound == Some(0.0) {
                return Err(Error::Argument(format!(
                    "{name} must be above 0, found 0; leave it out to clip nothing"
                )));
            }
        }
        let names: Vec<_> = chosen
            .iter()
            .filter(|(_, b)| b.is_some())
            .map(|(n, _)| *n)
            .collect();
        if names.len() > 1 {
            return Err(Error::Argument(format!(
                "only one of clipnorm, clipvalue and global_clipnorm can be set, found {}",
                names.join(" and ")
            )));
        }
        Ok(match chosen.map(|(_, bound)| bound) {
            [Some(norm), _, _] => Clip::Norm(norm),
            [_, Some(value), _] => Clip::Value(value as f32),
            [_, _, Some(norm)] => Clip::GlobalNorm(norm),
            _ => Clip::None,
        })
    }
}

/// A formula that moves weights. Your own optimizer:
///
/// ```
/// use recurrent::train::optimizers::{Optimizer, Options, Slot, Step};
///
/// /// Moves every weight by the same amount, against its gradient (signSGD, Bernstein et al., 2018).
/// struct SignSgd;
///
/// impl Optimizer for SignSgd {
///     fn name(&self) -> &str {
///         "sign_sgd"
///     }
///     fn options(&self) -> Options {
///         Options { learning_rate: 1e-3.into(), ..Options::default() }
///     }
///     fn slots(&self) -> Vec<Slot> {
///         Vec::new()
///     }
///     fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], _: &mut [&mut [f32]]) {
///         let rate = step.learning_rate as f32;
///         for (w, g) in weights.iter_mut().zip(gradients) {
///             *w -= rate * g.signum();
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no optimizer",
    label = "not an optimizer",
    note = "an optimizer is a value, not its name: write `Adam::default()`, `Adam::new(0.01)` or `SGD::default()`; in a struct a learning rate is `0.01.into()`"
)]
pub trait Optimizer: Send {
    /// Keras's name, such as `adam`.
    fn name(&self) -> &str;

    /// The options that all optimizers have.
    fn options(&self) -> Options;

    /// Checks that its own options make sense.
    ///
    /// # Errors
    /// [`Error::Argument`] that says what does not.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// The numbers that it remembers for every weight.
    fn slots(&self) -> Vec<Slot>;

    /// The formula as data, if it is one of Keras's: a model on a device then moves its weights by
    /// itself. Without it, [`Optimizer::update`] runs on the host, and a model on a device copies
    /// weights, gradients and slots to the host and back at every step.
    fn rule(&self) -> Option<Rule> {
        None
    }

    /// Moves `weights` against `gradients`, which are clipped already. All slices are of the same
    /// length; `slots` are in the order of [`Optimizer::slots`], as the last step left them.
    fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], slots: &mut [&mut [f32]]);
}

/// Declares an optimizer: its own options with their defaults, then those of [`Options`] as
/// fields of the same struct, so that `Adam { beta_1: 0.95, clipnorm: Some(1.0), ..Adam::default() }`
/// reads like Keras; and a builder method for every field.
macro_rules! optimizer {
    (
        $(#[$doc:meta])*
        $name:ident(learning_rate = $learning_rate:expr, weight_decay = $weight_decay:expr) {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            /// The learning rate: a number or a schedule.
            pub learning_rate: $crate::optimizers::LearningRate,
            $($(#[$field_doc])* pub $field: $type,)*
            /// Before every step each weight loses this share of itself, times the learning rate.
            pub weight_decay: Option<f64>,
            /// The gradient of every parameter is scaled down to this norm, each on its own.
            pub clipnorm: Option<f64>,
            /// Every number of a gradient is kept within plus and minus this.
            pub clipvalue: Option<f64>,
            /// All gradients together are scaled down to this norm.
            pub global_clipnorm: Option<f64>,
        }

        impl Default for $name {
            fn default() -> Self {
                $name {
                    learning_rate: $crate::optimizers::LearningRate::from($learning_rate),
                    $($field: $default,)*
                    weight_decay: $weight_decay,
                    clipnorm: None,
                    clipvalue: None,
                    global_clipnorm: None,
                }
            }
        }

        impl $name {
            /// With this learning rate (an f32, an f64 or a schedule), and Keras's defaults otherwise.
            pub fn new(
                learning_rate: impl Into<$crate::optimizers::LearningRate>,
            ) -> Self {
                $name { learning_rate: learning_rate.into(), ..$name::default() }
            }

            /// Sets [`learning_rate`](Self#structfield.learning_rate).
            pub fn learning_rate(
                self,
                learning_rate: impl Into<$crate::optimizers::LearningRate>,
            ) -> Self {
                $name { learning_rate: learning_rate.into(), ..self }
            }

            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                pub fn $field(self, $field: $type) -> Self {
                    $name { $field, ..self }
                }
            )*

            /// Sets [`weight_decay`](Self#structfield.weight_decay).
            pub fn weight_decay(self, weight_decay: f64) -> Self {
                $name { weight_decay: Some(weight_decay), ..self }
            }

            /// Sets [`clipnorm`](Self#structfield.clipnorm). Only one of the three ways to clip
            /// can be chosen.
            pub fn clipnorm(self, clipnorm: f64) -> Self {
                $name { clipnorm: Some(clipnorm), ..self }
            }

            /// Sets [`clipvalue`](Self#structfield.clipvalue). Only one of the three ways to clip
            /// can be chosen.
            pub fn clipvalue(self, clipvalue: f64) -> Self {
                $name { clipvalue: Some(clipvalue), ..self }
            }

            /// Sets [`global_clipnorm`](Self#structfield.global_clipnorm). Only one of the three
            /// ways to clip can be chosen.
            pub fn global_clipnorm(self, global_clipnorm: f64) -> Self {
                $name { global_clipnorm: Some(global_clipnorm), ..self }
            }

            fn common(&self) -> $crate::optimizers::Options {
                $crate::optimizers::Options {
                    learning_rate: self.learning_rate.clone(),
                    weight_decay: self.weight_decay,
                    clipnorm: self.clipnorm,
                    clipvalue: self.clipvalue,
                    global_clipnorm: self.global_clipnorm,
                }
            }
        }
    };
}
use optimizer;

/// An error unless `value` is in `0..=1`.
fn check_share(what: &str, value: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::Argument(format!(
        "{what} must be in 0..=1, found {value}"
    )))
}

/// An error unless `value` is finite and not negative.
fn check_not_negative(what: &str, value: f64) -> Result<(), Error> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::Argument(if value.is_finite() {
        format!("{what} must not be negative, found {value}")
    } else {
        format!("{what} must be a finite number, found {value}")
    }))
}

crate::by_name::by_name! {
    Optimizer "an optimizer is a value of its type, found the name of the type" {
        fn name(&self) -> &str {
            ""
        }
        fn options(&self) -> Options {
            Options::default()
        }
        fn slots(&self) -> Vec<Slot> {
            Vec::new()
        }
        fn update(&self, _: Step, _: &mut [f32], _: &[f32], _: &mut [&mut [f32]]) {}
    }
    Adagrad WriteAdagradNewOrDefault AdagradIsAType:
        "write `Adagrad::new(0.001)` with your learning rate, or `Adagrad::default()` with Keras's";
    Adam WriteAdamNewOrDefault AdamIsAType:
        "write `Adam::new(0.001)` with your learning rate, or `Adam::default()` with Keras's";
    AdamW WriteAdamWNewOrDefault AdamWIsAType:
        "write `AdamW::new(0.001)` with your learning rate, or `AdamW::default()` with Keras's";
    RMSprop WriteRMSpropNewOrDefault RMSpropIsAType:
        "write `RMSprop::new(0.001)` with your learning rate, or `RMSprop::default()` with Keras's";
    SGD WriteSGDNewOrDefault SGDIsAType:
        "write `SGD::new(0.01)` with your learning rate, or `SGD::default()` with Keras's";
}

#[cfg(test)]
mod tests;
