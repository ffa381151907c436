//! Every check of the repository in one command: `cargo xtask check`.
fn main() {}
