//! Recurrent neural networks compiled into Rust programs.
