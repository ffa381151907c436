//! One step of an optimizer, done where the weights are.

mod constrain;

pub use constrain::Constraints;
