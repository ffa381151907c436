//! Instructions that reach memory, and those on matrices.

use super::{body::Body, statement::Statement, text::literal};
use crate::program::{Instruction, Operation, Order, Space, Type};

/// Decodes the statement if it is one of these.
pub fn decode(
    body: &mut Body<'_>,
    statement: &Statement<'_>,
    instruction: &mut Instruction,
) -> Result<bool, String> {
    let opcode = &statement.opcode;
    let ty = instruction.ty;
    let number = |text: &str| literal(text, Type::U32).ok_or_else(|| format!("`{text}`"));
    match opcode.stem {
        "ld" | "ldu" => {
            instruction.operation = Operation::Load;
            instruction.list = body.operands(statement.operand(0)?, ty)?.into();
            address(body, instruction, statement.operand(1)?)?;
        }
        "st" => {
            instruction.operation = Operation::Store;
            instruction.list = body.operands(statement.operand(1)?, ty)?.into();
            address(body, instruction, statement.operand(0)?)?;
        }
        "atom" | "red" => {
            let operation = opcode.atomic().ok_or_else(|| statement.unknown())?;
            instruction.operation = Operation::Atomic(operation);
            let mut next = 0;
            if opcode.stem == "atom" {
                instruction.destination = body.operand(statement.operand(0)?, ty)?;
                next = 1;
            }
            address(body, instruction, statement.operand(next)?)?;
            instruction.sources[1] = body.operand(statement.operand(next + 1)?, ty)?;
            if statement.operands.len() > next + 2 {
                instruction.sources[2] = body.operand(statement.operand(next + 2)?, ty)?;
            }
            if instruction.order == Order::Weak {
                instruction.order = Order::Relaxed;
            }
        }
        "cp" if opcode.has("bulk") || !opcode.has("async") => return Ok(false),
        "cp" if opcode.has("mbarrier") => return Ok(false),
        "cp" if opcode.has("commit_group") => instruction.operation = Operation::CopyCommit,
        "cp" if opcode.has("wait_group") => {
            let pending = number(statement.operand(0)?)? as u32;
            instruction.operation = Operation::CopyWait { pending };
        }
        "cp" if opcode.has("wait_all") => {
            instruction.operation = Operation::CopyWait { pending: 0 };
            // It waits for copies that belong to no group as well.
            instruction.negated = true;
        }
        "cp" => {
            address(body, instruction, statement.operand(0)?)?;
            let (source, source_offset, _) = body.address(statement.operand(1)?)?;
            instruction.sources[1] = source;
            instruction.operation = Operation::CopyAsync {
                bytes: number(statement.operand(2)?)? as u8,
                source_offset,
            };
            if let Some(bytes) = statement.operands.get(3) {
                instruction.sources[2] = body.operand(bytes, Type::U32)?;
            }
        }
        "ldmatrix" => {
            instruction.operation = Operation::LoadMatrix {
                transposed: opcode.has("trans"),
            };
            instruction.list = body.operands(statement.operand(0)?, Type::U32)?.into();
            address(body, instruction, statement.operand(1)?)?;
        }
        "mma" => matrix_multiply(body, statement, instruction)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn address(body: &Body<'_>, instruction: &mut Instruction, text: &str) -> Result<(), String> {
    let (base, offset, local) = body.address(text)?;
    instruction.sources[0] = base;
    instruction.offset = offset;
    // Parameters of a call lie in local memory.
    if local && instruction.space == Space::Parameter {
        instruction.space = Space::Local;
    }
    Ok(())
}

fn matrix_multiply(
    body: &mut Body<'_>,
    statement: &Statement<'_>,
    instruction: &mut Instruction,
) -> Result<(), String> {
    let opcode = &statement.opcode;
    let depth = match () {
        _ if opcode.has("m16n8k16") => 16,
        _ if opcode.has("m16n8k8") => 8,
        _ if opcode.has("m16n8k4") => 4,
        _ => return Err(statement.unknown()),
    };
    let operand = *opcode.types.get(1).ok_or_else(|| statement.unknown())?;
    let known = match operand {
        Type::BF16 | Type::F16 => depth >= 8,
        Type::TF32 => depth <= 8,
        _ => false,
    };
    if !known || opcode.types.first() != Some(&Type::F32) || opcode.types.last() != Some(&Type::F32)
    {
        return Err(statement.unknown());
    }
    instruction.operation = Operation::MatrixMultiply { depth };
    instruction.source_type = operand;
    let mut list = Vec::new();
    for index in 0..4 {
        list.extend(body.operands(statement.operand(index)?, Type::U32)?);
    }
    instruction.list = list.into();
    Ok(())
}
