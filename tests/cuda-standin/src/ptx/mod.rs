//! PTX text to a decoded program.

mod body;
mod choose;
mod decode;
mod memory_instructions;
mod module;
mod opcode;
mod statement;
mod statements;
mod text;

pub use module::parse;
