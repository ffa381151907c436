//! One statement to one instruction.

use super::{
    body::Body,
    choose::{choose, choose_comparison},
    memory_instructions,
    opcode::Opcode,
    statement::Statement,
    text::split_list,
};
use crate::program::{
    BarrierKind, CarryOperation, Combine, Instruction, LaneOperation, Operation, Property, Shuffle,
    Slot, Type,
};

/// What came of a statement.
pub enum Decoded {
    /// The body has it.
    Instruction,
    /// A call, with an instruction that has its guard.
    Call(Instruction, Call),
}

/// `call (results), name, (arguments)`.
pub struct Call {
    pub name: String,
    pub results: Vec<String>,
    pub arguments: Vec<String>,
}

/// Decodes `text` and appends it to `body`.
pub fn instruction(body: &mut Body<'_>, text: &str, line: u32) -> Result<Decoded, String> {
    let mut instruction = Instruction::new(Operation::Nothing, Type::U32, line);
    let mut rest = text;
    if let Some(guarded) = text.strip_prefix('@') {
        let (guard, after) = guarded
            .split_once(char::is_whitespace)
            .ok_or("a guard without an instruction")?;
        instruction.guard_negated = guard.starts_with('!');
        instruction.guard = body.operand(guard.trim_start_matches('!'), Type::Predicate)?;
        rest = after.trim();
    }
    let (opcode, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let opcode = Opcode::parse(opcode);
    let ty = opcode.ty();
    instruction.ty = ty;
    instruction.source_type = *opcode.types.get(1).unwrap_or(&ty);
    instruction.space = opcode.space();
    instruction.order = opcode.order();
    instruction.rounding = opcode.rounding();
    instruction.flush = opcode.has("ftz");
    instruction.saturate = opcode.has("sat");
    instruction.relu = opcode.has("relu");
    instruction.propagate_nan = opcode.has("NaN");
    instruction.integral = ["rni", "rzi", "rmi", "rpi"]
        .iter()
        .any(|name| opcode.has(name));
    instruction.approximate = opcode.has("approx") || opcode.has("full");
    let statement = Statement {
        opcode,
        operands: split_list(arguments),
    };
    match statement.opcode.stem {
        "bra" => {
            instruction.operation = Operation::Branch;
            let label = body.label(statement.operand(0)?);
            body.push_branch(instruction, vec![label], text);
            return Ok(Decoded::Instruction);
        }
        "brx" => {
            instruction.operation = Operation::BranchIndexed;
            instruction.sources[0] = body.operand(statement.operand(0)?, Type::U32)?;
            let labels = body.branch_table(statement.operand(1)?)?;
            body.push_branch(instruction, labels, text);
            return Ok(Decoded::Instruction);
        }
        "ret" | "exit" => {
            if let Some(end) = body.end_label().filter(|_| statement.opcode.stem == "ret") {
                instruction.operation = Operation::Branch;
                body.push_branch(instruction, vec![end], text);
                return Ok(Decoded::Instruction);
            }
            instruction.operation = Operation::Exit;
        }
        "call" => return Ok(Decoded::Call(instruction, call(&statement))),
        "trap" | "brkpt" => instruction.operation = Operation::Trap,
        "mov" if statement.operand(1)?.starts_with('{') => {
            pack(body, &statement, &mut instruction, 1, 0)?;
            instruction.operation = Operation::Pack;
        }
        "mov" if statement.operand(0)?.starts_with('{') => {
            pack(body, &statement, &mut instruction, 0, 1)?;
            instruction.operation = Operation::Unpack;
        }
        "setp" => compare(body, &statement, &mut instruction)?,
        "shfl" => shuffle(body, &statement, &mut instruction)?,
        "vote" => vote(body, &statement, &mut instruction)?,
        "match" => {
            let all = statement.opcode.has("all");
            instruction.operation = Operation::Match { all };
            results(body, &statement, &mut instruction, Type::U32)?;
            instruction.sources[0] = body.operand(statement.operand(1)?, ty)?;
            instruction.sources[1] = body.operand(statement.operand(2)?, Type::U32)?;
        }
        "redux" => {
            let operation = statement
                .opcode
                .atomic()
                .ok_or_else(|| statement.unknown())?;
            instruction.operation = Operation::Reduce(operation);
            instruction.destination = body.operand(statement.operand(0)?, ty)?;
            instruction.sources[0] = body.operand(statement.operand(1)?, ty)?;
            instruction.sources[1] = body.operand(statement.operand(2)?, Type::U32)?;
        }
        "activemask" => {
            instruction.operation = Operation::ActiveMask;
            instruction.destination = body.operand(statement.operand(0)?, Type::U32)?;
        }
        "elect" => {
            instruction.operation = Operation::Elect;
            results(body, &statement, &mut instruction, Type::U32)?;
            instruction.sources[1] = body.operand(statement.operand(1)?, Type::U32)?;
        }
        "bar" | "barrier" => barrier(body, &statement, &mut instruction)?,
        "fence" | "membar" => instruction.operation = Operation::Fence,
        "prefetch" | "prefetchu" | "nanosleep" | "discard" | "applypriority" | "griddepcontrol"
        | "setmaxnreg" | "createpolicy" | "pmevent" => {}
        _ => {
            if !memory_instructions::decode(body, &statement, &mut instruction)? {
                lane(body, &statement, &mut instruction)?;
                instruction.vector = choose(&instruction);
            }
        }
    }
    body.push(instruction, text);
    Ok(Decoded::Instruction)
}

/// `d|p` as a destination and a second result.
fn results(
    body: &mut Body<'_>,
    statement: &Statement<'_>,
    instruction: &mut Instruction,
    ty: Type,
) -> Result<(), String> {
    let mut parts = statement.operand(0)?.split('|');
    instruction.destination = body.operand(parts.next().unwrap_or("_"), ty)?;
    if let Some(second) = parts.next() {
        instruction.list = [body.operand(second, ty)?].into();
    }
    Ok(())
}

/// `mov.b64 %rd1, {%r1, %r2}` and the other way round.
fn pack(
    body: &mut Body<'_>,
    statement: &Statement<'_>,
    instruction: &mut Instruction,
    list: usize,
    single: usize,
) -> Result<(), String> {
    let parts = statement.operand(list)?.split(',').count();
    let part = match instruction.ty.size() / parts {
        1 => Type::U8,
        2 => Type::U16,
        _ => Type::U32,
    };
    instruction.source_type = part;
    instruction.list = body.operands(statement.operand(list)?, part)?.into();
    let slot = body.operand(statement.operand(single)?, instruction.ty)?;
    match single {
        0 => instruction.destination = slot,
        _ => instruction.sources[0] = slot,
    }
    Ok(())
}

fn compare(
    body: &mut Body<'_>,
    statement: &Statement<'_>,
    instruction: &mut Instruction,
) -> Result<(), String> {
    let opcode = &statement.opcode;
    let comparison = opcode.comparison().ok_or_else(|| statement.unknown())?;
    let combine = match () {
        _ if opcode.has("and") => Combine::And,
        _ if opcode.has("or") => Combine::Or,
        _ if opcode.has("xor") => Combine::Xor,
        _ => Combine::None,
    };
    instruction.operation = Operation::Compare {
        comparison,
        combine,
    };
    let ty = instruction.ty;
    results(body, statement, instruction, Type::Predicate)?;
    instruction.sources[0] = body.operand(statement.operand(1)?, ty)?;
    instruction.sources[1] = body.operand(statement.operand(2)?, ty)?;
    instruction.vector = choose_comparison(ty, instruction.flush, comparison, &instruction.sources);
    if combine != Combine::None {
        let predicate = statement.operand(3)?;
        instruction.negated = predicate.starts_with('!');
        instruction.sources[2] =
            body.operand(predicate.trim_start_matches('!'), Type::Predicate)?;
    }
    Ok(())
}

fn shuffle(
    body: &mut Body<'_>,
    statement: &Statement<'_>,
    instruction: &mut Instruction,
) -> Result<(), String> {
    let opcode = &statement.opcode;
    instruction.operation = Operation::Shuffle(match () {
        _ if opcode.has("down") => Shuffle::Down,
        _ if opcode.has("up") => Shuffle::Up,
        _ if opcode.has("bfly") => Shuffle::Butterfly,
        _ if opcode.has("idx") => Shuffle::Index,
        _ => return Err(statement.unknown()),
    });
    results(body, statement, instruction, Type::U32)?;
    for index in 0..4 {
        instruction.sources[index] = body.operand(statement.operand(index + 1)?, Type::U32)?;
    }
    Ok(())
}

fn vote(
    body: &mut Body<'_>,
    statement: &Statement<'_>,
    instruction: &mut Instruction,
) -> Result<(), String> {
    let vote = statement.opcode.vote().ok_or_else(|| statement.unknown())?;
    instruction.operation = Operation::Vote(vote);
    instruction.destination = body.operand(statement.operand(0)?, Type::U32)?;
    let predicate = statement.operand(1)?;
    instruction.negated = predicate.starts_with('!');
    instruction.sources[0] = body.operand(predicate.trim_start_matches('!'), Type::Predicate)?;
    instruction.sources[1] = body.operand(statement.operand(2)?, Type::U32)?;
    Ok(())
}

/// Barriers of a warp, a block, a cluster.
fn barrier(
    body: &mut Body<'_>,
    statement: &Statement<'_>,
    instruction: &mut Instruction,
) -> Result<(), String> {
    let opcode = &statement.opcode;
    if opcode.has("warp") {
        instruction.operation = Operation::WarpBarrier;
        instruction.sources[0] = body.operand(statement.operand(0)?, Type::U32)?;
        return Ok(());
    }
    if opcode.has("cluster") {
        instruction.operation = match opcode.has("arrive") {
            true => Operation::ClusterArrive,
            false => Operation::ClusterWait,
        };
        return Ok(());
    }
    let mut next = 0;
    let kind = match () {
        _ if opcode.has("red") => {
            next = 1;
            match opcode.has("popc") {
                true => BarrierKind::Count,
                false => BarrierKind::Reduce(opcode.vote().ok_or_else(|| statement.unknown())?),
            }
        }
        _ if opcode.has("arrive") => BarrierKind::Arrive,
        _ if opcode.has("sync") => BarrierKind::Sync,
        _ => return Err(statement.unknown()),
    };
    instruction.operation = Operation::Barrier(kind);
    if next == 1 {
        instruction.destination = body.operand(statement.operand(0)?, Type::U32)?;
    }
    instruction.sources[0] = body.operand(statement.operand(next)?, Type::U32)?;
    let operands = statement.operands.len();
    let predicate = next == 1;
    if operands > next + 1 + usize::from(predicate) {
        instruction.sources[1] = body.operand(statement.operand(next + 1)?, Type::U32)?;
    }
    if predicate {
        let text = statement.operand(operands - 1)?;
        instruction.negated = text.starts_with('!');
        instruction.sources[2] = body.operand(text.trim_start_matches('!'), Type::Predicate)?;
    }
    Ok(())
}

fn call(statement: &Statement<'_>) -> Call {
    let list = |text: &str| -> Vec<String> {
        let inside = text.trim_start_matches('(').trim_end_matches(')');
        split_list(inside).into_iter().map(String::from).collect()
    };
    let mut operands = statement.operands.iter().copied();
    let mut name = operands.next().unwrap_or("");
    let mut results = Vec::new();
    if name.starts_with('(') {
        results = list(name);
        name = operands.next().unwrap_or("");
    }
    Call {
        name: name.into(),
        results,
        arguments: operands.next().map_or(Vec::new(), list),
    }
}

/// A call of what the module does not define.
pub fn outside(
    body: &mut Body<'_>,
    call: &Call,
    mut instruction: Instruction,
    text: &str,
) -> Result<(), String> {
    match call.name.as_str() {
        "__assertfail" => {
            instruction.operation = Operation::AssertionFailed;
            // A branch goes around it already.
            instruction.guard = Slot::NONE;
            let addresses = call.arguments.iter().map(|name| body.address(name));
            let addresses: Result<Vec<_>, String> = addresses.collect();
            let places = addresses?.into_iter().map(|(_, offset, _)| offset as u64);
            let places: Vec<Slot> = places.map(|place| body.constant(place, true)).collect();
            instruction.list = places.into();
        }
        // What a kernel prints is not shown, and nobody asks how much it was.
        "vprintf" => return Ok(()),
        name => return Err(format!("nothing is called `{name}`")),
    }
    body.push(instruction, text);
    Ok(())
}

/// Everything that works on each lane by itself.
fn lane(
    body: &mut Body<'_>,
    statement: &Statement<'_>,
    instruction: &mut Instruction,
) -> Result<(), String> {
    let opcode = &statement.opcode;
    let ty = instruction.ty;
    let carries = opcode.has("cc") || matches!(opcode.stem, "addc" | "subc" | "madc");
    if carries {
        instruction.operation = Operation::Carry {
            operation: match (opcode.stem, opcode.has("hi")) {
                ("add" | "addc", _) => CarryOperation::Add,
                ("sub" | "subc", _) => CarryOperation::Subtract,
                (_, true) => CarryOperation::MultiplyAddHigh,
                _ => CarryOperation::MultiplyAddLow,
            },
            reads: matches!(opcode.stem, "addc" | "subc" | "madc"),
            writes: opcode.has("cc"),
        };
    } else {
        let operation = lane_operation(opcode, ty).ok_or_else(|| statement.unknown())?;
        instruction.operation = Operation::Lane(operation);
    }
    instruction.negated = opcode.has("clamp") || opcode.has("shiftamt");
    // The result of `testp` and `isspacep` is a predicate whatever the type.
    instruction.destination = body.operand(statement.operand(0)?, ty)?;
    let stem = opcode.stem;
    let source = match stem {
        "cvt" | "set" => instruction.source_type,
        "isspacep" => Type::U64,
        _ => ty,
    };
    for index in 0..(statement.operands.len() - 1).min(4) {
        let counts = matches!(stem, "bfi" | "bfe" | "shl" | "shr" | "mapa" | "shf");
        let operand = match stem {
            _ if counts && index >= 1 => Type::U32,
            "bfi" if index == 1 => ty,
            "mad" if opcode.has("wide") && index == 2 => match ty.is_signed() {
                true => Type::S64,
                false => Type::U64,
            },
            "selp" if index == 2 => Type::Predicate,
            "slct" if index == 2 => instruction.source_type,
            _ => source,
        };
        // `bfi` inserts into its second operand, whose type is the instruction's.
        let operand = if stem == "bfi" && index == 1 {
            ty
        } else {
            operand
        };
        let operand = if stem == "shf" && index <= 1 {
            ty
        } else {
            operand
        };
        let text = statement.operand(index + 1)?;
        instruction.sources[index] = body.operand(text.trim_start_matches('!'), operand)?;
    }
    Ok(())
}

fn lane_operation(opcode: &Opcode<'_>, ty: Type) -> Option<LaneOperation> {
    let has = |name: &str| opcode.has(name);
    let float = ty.is_float() || ty.half().is_some();
    Some(match opcode.stem {
        "mov" => LaneOperation::Move,
        "add" => LaneOperation::Add,
        "sub" => LaneOperation::Subtract,
        "mul" if has("hi") => LaneOperation::MultiplyHigh,
        "mul" if has("wide") => LaneOperation::MultiplyWide,
        "mul" => LaneOperation::Multiply,
        "mul24" => LaneOperation::Multiply24,
        "mad" if has("hi") => LaneOperation::MultiplyAddHigh,
        "mad" if has("wide") => LaneOperation::MultiplyAddWide,
        "mad" if float => LaneOperation::FusedMultiplyAdd,
        "mad" => LaneOperation::MultiplyAdd,
        "mad24" => LaneOperation::MultiplyAdd24,
        "fma" => LaneOperation::FusedMultiplyAdd,
        "div" => LaneOperation::Divide,
        "rem" => LaneOperation::Remainder,
        "min" => LaneOperation::Minimum,
        "max" => LaneOperation::Maximum,
        "neg" => LaneOperation::Negate,
        "abs" => LaneOperation::Absolute,
        "sad" => LaneOperation::AbsoluteDifference,
        "and" => LaneOperation::And,
        "or" => LaneOperation::Or,
        "xor" => LaneOperation::Xor,
        "not" => LaneOperation::Not,
        "cnot" => LaneOperation::LogicalNot,
        "shl" => LaneOperation::ShiftLeft,
        "shr" => LaneOperation::ShiftRight,
        "bfi" => LaneOperation::InsertBits,
        "bfe" => LaneOperation::ExtractBits,
        "bfind" => LaneOperation::FindLeadingBit,
        "popc" => LaneOperation::CountOnes,
        "clz" => LaneOperation::LeadingZeros,
        "brev" => LaneOperation::ReverseBits,
        "prmt" => LaneOperation::PermuteBytes,
        "shf" if has("l") => LaneOperation::FunnelLeft,
        "shf" => LaneOperation::FunnelRight,
        "lop3" => LaneOperation::Logic3,
        "dp4a" => LaneOperation::DotProduct4,
        "selp" => LaneOperation::Select,
        "slct" => LaneOperation::SelectBySign,
        "set" => LaneOperation::Set(opcode.comparison()?),
        "cvt" => LaneOperation::Convert,
        "copysign" => LaneOperation::CopySign,
        "ex2" => LaneOperation::Exp2,
        "lg2" => LaneOperation::Log2,
        "rcp" => LaneOperation::Reciprocal,
        "sqrt" => LaneOperation::SquareRoot,
        "rsqrt" => LaneOperation::ReciprocalSquareRoot,
        "sin" => LaneOperation::Sine,
        "cos" => LaneOperation::Cosine,
        "tanh" => LaneOperation::Tanh,
        "testp" => LaneOperation::TestProperty(match () {
            _ if has("finite") => Property::Finite,
            _ if has("infinite") => Property::Infinite,
            _ if has("number") => Property::Number,
            _ if has("notanumber") => Property::NotANumber,
            _ if has("normal") => Property::Normal,
            _ if has("subnormal") => Property::Subnormal,
            _ => return None,
        }),
        "cvta" if has("to") => LaneOperation::FromGeneric,
        "cvta" => LaneOperation::ToGeneric,
        "isspacep" => LaneOperation::IsInSpace,
        "mapa" => LaneOperation::MapToBlock,
        "getctarank" => LaneOperation::BlockOfAddress,
        _ => return None,
    })
}
