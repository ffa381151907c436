//! The typed stages between syntax and code: `LayerGraph → OpGraph → Plan`.

mod layer_graph;

pub use layer_graph::*;
