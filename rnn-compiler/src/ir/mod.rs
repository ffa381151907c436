//! The typed stages between syntax and code: `LayerGraph → OpGraph → Plan`.

mod layer_graph;
mod op_graph;
pub mod plan;

pub use layer_graph::*;
pub use op_graph::*;
pub use plan::Plan;
