//! The programs of this folder are compiled by `tests/ui.rs`, which compares what is said of them.
