//! Training on the host: every [`Learner`](crate::learner::Learner) is
//! [`Trainable`](crate::trainable::Trainable), and what a device leaves to the host.

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
