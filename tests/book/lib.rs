//! Every example of `README.md` and of the book in `docs/` compiles and runs: `cargo test -p
//! recurrent-test-book --features all`; without the feature, those of README and tour.
//!
//! rustdoc puts the examples into one program, which rustc needs gigabytes for. The largest are marked
//! `standalone_crate`, so that each of them is a program of its own.

/// Files, whose examples become documentation tests.
macro_rules! examples {
    ($condition:meta; $($name:ident: $file:literal;)*) => {
        $(#[cfg(all(doctest, $condition))]
        #[doc = include_str!($file)]
        pub struct $name;)*
    };
}

examples! {
    doctest;
    Readme: "../../README.md";
    Tour: "../../docs/src/tour.md";
}

examples! {
    feature = "all";
    Layers: "../../docs/src/layers.md";
    Graphs: "../../docs/src/graphs.md";
    Cells: "../../docs/src/cells.md";
    Training: "../../docs/src/training.md";
    Streams: "../../docs/src/streams.md";
    Devices: "../../docs/src/devices.md";
    Weights: "../../docs/src/weights.md";
    Performance: "../../docs/src/performance.md";
    Internals: "../../docs/src/internals.md";
}
