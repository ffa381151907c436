//! Programs with many models, in `tests/`: a package of their own, so that `cargo test` of the facade stays
//! quick.
