//! The typed stages between syntax and schedule: `LayerGraph → OpGraph`.

mod layer_graph;
mod op_def;
mod op_graph;
mod stage;

pub use layer_graph::*;
pub use op_def::{Between, Draws, OpCall, OpDef, OpValue, Pass, PerStep, Reference, Shares};
pub use op_graph::*;
pub use stage::{BufferRef, Instruction, Packed, ParamId, Symbolic};
