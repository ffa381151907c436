//! PTX text to a decoded program.

mod body;
mod decode;
mod memory_instructions;
mod module;
mod opcode;
pub(crate) mod text;
pub mod types;
pub mod vector;

pub use module::parse;
