//! What a decoded program is made of.

mod instruction;
mod module;
mod operations;
mod types;

pub use instruction::{Instruction, Slot};
pub use module::{GlobalVariable, Kernel, Module, Parameter};
pub use operations::{
    AtomicOperation, BarrierKind, CarryOperation, LaneOperation, Operation, Order, Property,
    Shuffle, Vote,
};
pub use types::{Combine, Comparison, Rounding, Space, Type};
