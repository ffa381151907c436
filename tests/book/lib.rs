//! Every example of `README.md` and of the book in `docs/` compiles and runs: `cargo test -p
//! recurrent-test-book`.
//!
//! rustdoc puts the examples into one program, which rustc needs gigabytes for. The largest are marked
//! `standalone_crate`, so that each of them is a program of its own.

/// One file, whose examples become documentation tests.
macro_rules! examples {
    ($($name:ident: $file:literal;)*) => {
        $(#[cfg(doctest)]
        #[doc = include_str!($file)]
        pub struct $name;)*
    };
}

examples! {
    Readme: "../../README.md";
    Tour: "../../docs/src/tour.md";
    Layers: "../../docs/src/layers.md";
    Graphs: "../../docs/src/graphs.md";
    Cells: "../../docs/src/cells.md";
    Training: "../../docs/src/training.md";
    Streams: "../../docs/src/streams.md";
    Weights: "../../docs/src/weights.md";
    Performance: "../../docs/src/performance.md";
    Internals: "../../docs/src/internals.md";
}
