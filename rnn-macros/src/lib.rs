//! Procedural macros of `recurrent`.
