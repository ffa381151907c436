//! Training on the host: makes every [`Learner`](crate::learner::Learner)
//! [`Trainable`](crate::trainable::Trainable), and has the formulas that a device may leave to the host.

mod clip;
mod constrain;
mod learner;
mod losses;
pub mod penalize;
mod rules;
mod tables;

pub use learner::HostState;
pub use losses::{largest, loss_row};
pub use tables::UpdateTables;
