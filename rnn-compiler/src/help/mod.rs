//! What messages propose: the user's own code, edited as a tree and printed by the printer of
//! `syntax`.
//!
//! Each proposal is fed back to the compiler by `tests/proposals.rs` and its neighbours.

mod edit;
mod graph;
mod inside;

pub use graph::{with_initial_state, with_mask};
pub use inside::Inside;
