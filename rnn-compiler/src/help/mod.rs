//! Proposals in messages: the user's own code, edited as a tree and printed by the printer of `syntax`.
//!
//! `tests/proposals.rs` and its neighbours compile each proposal.

mod edit;
mod graph;
mod inside;

pub use graph::{with_initial_state, with_mask};
pub use inside::Inside;
