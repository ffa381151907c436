//! One instruction of one warp.

use super::{
    Fault, arithmetic,
    launch::Machine,
    warp::{Warp, lanes_of},
};
use crate::{
    numbers::zero_extend,
    program::{CarryOperation, Combine, Instruction, LaneOperation, Operation, Slot, Type},
    simd::{self, Vector},
};

impl Machine<'_> {
    /// Executes an instruction that neither branches nor waits.
    #[inline]
    pub(super) fn execute(
        &mut self,
        warp: &mut Warp,
        instruction: &Instruction,
        at: usize,
        lanes: u32,
    ) -> Result<(), Fault> {
        match instruction.operation {
            Operation::Lane(operation) => self.lane(warp, instruction, operation, lanes),
            Operation::Compare {
                comparison,
                combine,
            } => {
                let [a, b, ..] = instruction.sources;
                let holds = match instruction.vector {
                    Some(Vector::Compare(function)) => {
                        simd::compare(function, warp.line(a), warp.line(b))
                    }
                    _ => lanes_of(lanes)
                        .filter(|lane| {
                            let (a, b) = (warp.get(a, *lane), warp.get(b, *lane));
                            arithmetic::holds(instruction, instruction.ty, comparison, a, b)
                        })
                        .fold(0, |mask, lane| mask | 1 << lane),
                };
                combine_into(warp, instruction, combine, lanes, holds);
                Ok(())
            }
            Operation::Load | Operation::Store => self.load_or_store(warp, instruction, at, lanes),
            Operation::Atomic(operation) => self.atomic(warp, instruction, operation, at, lanes),
            Operation::Fence => {
                self.fence(warp);
                Ok(())
            }
            Operation::CopyAsync {
                bytes,
                source_offset,
            } => self.copy_async(warp, instruction, at, lanes, bytes, source_offset),
            Operation::CopyCommit => {
                warp.copies.push(super::warp::PendingCopy::EndOfGroup);
                Ok(())
            }
            Operation::CopyWait { pending } => {
                self.copy_wait(warp, at, lanes, pending, instruction.negated)
            }
            Operation::LoadMatrix { transposed } => {
                self.load_matrix(warp, instruction, at, lanes, transposed)
            }
            Operation::MatrixMultiply { depth } => {
                self.matrix_multiply(warp, instruction, lanes, usize::from(depth))
            }
            Operation::Shuffle(_)
            | Operation::Vote(_)
            | Operation::Match { .. }
            | Operation::Reduce(_)
            | Operation::ActiveMask
            | Operation::Elect => self.exchange(warp, instruction, lanes),
            Operation::WarpBarrier => {
                warp.tick();
                Ok(())
            }
            Operation::Pack => {
                let width = 8 * instruction.source_type.size();
                for lane in lanes_of(lanes) {
                    let parts = instruction.list.iter().enumerate();
                    let value = parts.fold(0, |value, (place, slot)| {
                        let part = zero_extend(warp.get(*slot, lane), instruction.source_type);
                        value | part << (width * place)
                    });
                    warp.set(instruction.destination, lane, value);
                }
                Ok(())
            }
            Operation::Unpack => {
                let width = 8 * instruction.source_type.size();
                for lane in lanes_of(lanes) {
                    let value = warp.get(instruction.sources[0], lane);
                    for (place, slot) in instruction.list.iter().enumerate() {
                        let part = zero_extend(value >> (width * place), instruction.source_type);
                        warp.set(*slot, lane, part);
                    }
                }
                Ok(())
            }
            Operation::Carry {
                operation,
                reads,
                writes,
            } => {
                carry(warp, instruction, lanes, operation, reads, writes);
                Ok(())
            }
            Operation::Trap => Err(Fault::failed("trap")),
            Operation::AssertionFailed => Err(self.assertion(warp, instruction, lanes)),
            _ => Ok(()),
        }
    }

    #[inline]
    fn lane(
        &mut self,
        warp: &mut Warp,
        instruction: &Instruction,
        operation: LaneOperation,
        lanes: u32,
    ) -> Result<(), Fault> {
        if instruction.approximate {
            self.counters.special_functions += 1;
        }
        let perturb = self.checks.perturb;
        let exact = perturb == 0 || !instruction.approximate;
        let [a, b, c, d] = instruction.sources;
        match instruction.vector {
            Some(Vector::Narrow(function)) if exact => {
                let or_first = |slot: Slot| if slot.is_none() { a } else { slot };
                let (x, y, z) = (warp.line(a), warp.line(or_first(b)), warp.line(or_first(c)));
                let result = simd::narrow(function, x, y, z);
                warp.set_line(instruction.destination, lanes, &result);
                return Ok(());
            }
            Some(Vector::Wide(function)) if exact => {
                let or_first = |slot: Slot| if slot.is_none() { a } else { slot };
                let x = warp.wide_line(a);
                let y = warp.wide_line(or_first(b));
                let z = match c.is_none() {
                    true => x,
                    false => warp.wide_line(c),
                };
                let result = simd::wide(function, &x, &y, &z);
                warp.set_wide_line(instruction.destination, lanes, &result);
                return Ok(());
            }
            _ => {}
        }
        if instruction.ty == Type::Predicate && instruction.destination.is_predicate() {
            predicate(warp, instruction, operation, lanes);
            return Ok(());
        }
        if operation == LaneOperation::Select
            && instruction.destination.is_narrow()
            && a.is_narrow()
            && b.is_narrow()
        {
            let chosen = warp.mask(c, false);
            let (x, y) = (*warp.line(a), *warp.line(b));
            let mut result = [0; 32];
            for lane in 0..32 {
                result[lane] = if chosen >> lane & 1 != 0 {
                    x[lane]
                } else {
                    y[lane]
                };
            }
            warp.set_line(instruction.destination, lanes, &result);
            return Ok(());
        }
        if operation == LaneOperation::BlockOfAddress {
            let own = u64::from(self.blocks[warp.block].rank);
            for lane in lanes_of(lanes) {
                let rank = warp.get(a, lane) >> arithmetic::RANK_SHIFT & 0xff;
                let rank = if rank == 0 { own } else { rank - 1 };
                warp.set(instruction.destination, lane, rank);
            }
            return Ok(());
        }
        for lane in lanes_of(lanes) {
            let sources = [a, b, c, d].map(|slot| warp.get(slot, lane));
            let value = arithmetic::evaluate(instruction, operation, sources, perturb)
                .map_err(Fault::failed)?;
            warp.set(instruction.destination, lane, value);
        }
        Ok(())
    }

    /// The message of a failed `assert`, whose texts lie in global memory.
    fn assertion(&self, warp: &Warp, instruction: &Instruction, lanes: u32) -> Fault {
        let lane = lanes.trailing_zeros() as usize;
        let local = warp.local.len() / 32;
        let parameter = |index: usize, bytes: usize| {
            let place = warp.get(*instruction.list.get(index)?, lane) as usize;
            let start = lane * local + place;
            let slice = warp.local.get(start..start + bytes)?;
            let mut value = [0; 8];
            value[..bytes].copy_from_slice(slice);
            Some(u64::from_le_bytes(value))
        };
        let text = |index: usize| {
            let text = parameter(index, 8).and_then(|address| self.memory.text(address));
            text.unwrap_or_default()
        };
        let line = parameter(2, 4).unwrap_or(0);
        Fault::new(
            super::codes::ASSERT,
            format!("assertion `{}` failed at {}:{line}", text(0), text(1)),
        )
    }
}

/// Writes the result of a comparison, and its opposite where the instruction has two results.
fn combine_into(
    warp: &mut Warp,
    instruction: &Instruction,
    combine: Combine,
    lanes: u32,
    holds: u32,
) {
    let other = match combine {
        Combine::None => 0,
        _ => warp.mask(instruction.sources[2], instruction.negated),
    };
    let combined = |mask: u32| match combine {
        Combine::None => mask,
        Combine::And => mask & other,
        Combine::Or => mask | other,
        Combine::Xor => mask ^ other,
    };
    warp.set_predicate(instruction.destination, lanes, combined(holds));
    if let Some(second) = instruction.list.first() {
        warp.set_predicate(*second, lanes, combined(!holds));
    }
}

/// Logic on predicates.
fn predicate(warp: &mut Warp, instruction: &Instruction, operation: LaneOperation, lanes: u32) {
    let [a, b, c, _] = instruction.sources;
    let source = |slot: Slot| match slot.is_none() {
        true => 0,
        false => warp.mask(slot, false),
    };
    let (x, y) = (source(a), source(b));
    let value = match operation {
        LaneOperation::And => x & y,
        LaneOperation::Or => x | y,
        LaneOperation::Xor => x ^ y,
        LaneOperation::Not => !x,
        LaneOperation::Select => {
            let chosen = source(c);
            x & chosen | y & !chosen
        }
        _ => x,
    };
    warp.set_predicate(instruction.destination, lanes, value);
}

/// Arithmetic with a carry, of 32 or 64 bits.
fn carry(
    warp: &mut Warp,
    instruction: &Instruction,
    lanes: u32,
    operation: CarryOperation,
    reads: bool,
    writes: bool,
) {
    let width = 8 * instruction.ty.size();
    let mask = (1_u128 << width) - 1;
    for lane in lanes_of(lanes) {
        let source = |index: usize| {
            u128::from(zero_extend(
                warp.get(instruction.sources[index], lane),
                instruction.ty,
            ))
        };
        let carried = u128::from(reads && warp.carry >> lane & 1 != 0);
        let product = |high: bool| {
            let product = match instruction.ty.is_signed() && high {
                true => {
                    let sign = |value: u128| (value << (128 - width)) as i128 >> (128 - width);
                    (sign(source(0)) * sign(source(1))) as u128
                }
                false => source(0) * source(1),
            };
            (if high { product >> width } else { product }) & mask
        };
        let value = match operation {
            CarryOperation::Add => source(0) + source(1) + carried,
            // A carry of a subtraction is a borrow.
            CarryOperation::Subtract => source(0).wrapping_sub(source(1)).wrapping_sub(carried),
            CarryOperation::MultiplyAddLow => product(false) + source(2) + carried,
            CarryOperation::MultiplyAddHigh => product(true) + source(2) + carried,
        };
        if writes {
            let over = u32::from(value & !mask != 0);
            warp.carry = warp.carry & !(1 << lane) | over << lane;
        }
        warp.set(instruction.destination, lane, (value & mask) as u64);
    }
}
