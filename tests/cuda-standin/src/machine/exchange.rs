//! Instructions by which the lanes of a warp exchange values.

use super::{
    Fault,
    launch::Machine,
    warp::{Warp, lanes_of},
};
use crate::{
    numbers::{sign_extend, zero_extend},
    program::{AtomicOperation, Instruction, Operation, Shuffle, Vote},
};

impl Machine<'_> {
    pub(super) fn exchange(
        &mut self,
        warp: &mut Warp,
        instruction: &Instruction,
        lanes: u32,
    ) -> Result<(), Fault> {
        match instruction.operation {
            Operation::Shuffle(shuffle) => {
                return exchange_words(warp, instruction, shuffle, lanes);
            }
            Operation::Vote(vote) => {
                let holds = warp.mask(instruction.sources[0], instruction.negated) & lanes;
                let value = match vote {
                    Vote::All => u32::from(holds == lanes),
                    Vote::Any => u32::from(holds != 0),
                    Vote::Uniform => u32::from(holds == lanes || holds == 0),
                    Vote::Ballot => holds,
                };
                set_all(warp, instruction, lanes, u64::from(value));
            }
            Operation::Match { all } => matching(warp, instruction, lanes, all),
            Operation::Reduce(operation) => {
                let mut values = lanes_of(lanes).map(|lane| warp.get(instruction.sources[0], lane));
                let first = values.next().unwrap_or(0);
                let value = values.fold(first, |a, b| reduce(instruction, operation, a, b));
                set_all(warp, instruction, lanes, value);
            }
            Operation::ActiveMask => set_all(warp, instruction, lanes, u64::from(lanes)),
            _ => {
                let leader = lanes.trailing_zeros();
                set_all(warp, instruction, lanes, u64::from(leader));
                if let Some(predicate) = instruction.list.first() {
                    warp.set_predicate(*predicate, lanes, 1 << leader);
                }
            }
        }
        Ok(())
    }
}

fn set_all(warp: &mut Warp, instruction: &Instruction, lanes: u32, value: u64) {
    for lane in lanes_of(lanes) {
        warp.set(instruction.destination, lane, value);
    }
}

fn reduce(instruction: &Instruction, operation: AtomicOperation, a: u64, b: u64) -> u64 {
    let ty = instruction.ty;
    let signed = ty.is_signed();
    let value = match operation {
        AtomicOperation::Minimum if signed => sign_extend(a, ty).min(sign_extend(b, ty)) as u64,
        AtomicOperation::Maximum if signed => sign_extend(a, ty).max(sign_extend(b, ty)) as u64,
        AtomicOperation::Minimum => a.min(b),
        AtomicOperation::Maximum => a.max(b),
        AtomicOperation::And => a & b,
        AtomicOperation::Or => a | b,
        AtomicOperation::Xor => a ^ b,
        _ => a.wrapping_add(b),
    };
    zero_extend(value, ty)
}

fn exchange_words(
    warp: &mut Warp,
    instruction: &Instruction,
    shuffle: Shuffle,
    lanes: u32,
) -> Result<(), Fault> {
    let [value, offset, limits, members] = instruction.sources;
    let source = *warp.line(value);
    let mut result = [0; 32];
    let mut inside = 0;
    for lane in lanes_of(lanes) {
        let (offset, limits) = (warp.get(offset, lane) as u32, warp.get(limits, lane) as u32);
        let members = warp.get(members, lane) as u32;
        if members >> lane & 1 == 0 || members & warp.live & !lanes != 0 {
            return Err(Fault::failed(format!(
                "shfl.sync of the lanes {members:#010x}, executed by {lanes:#010x}"
            )));
        }
        let (clamp, segment, offset) = (limits & 31, (limits >> 8) & 31, offset & 31);
        let lane_number = lane as u32;
        let most = (lane_number & segment) | (clamp & !segment);
        let (from, valid) = match shuffle {
            Shuffle::Down => (lane_number + offset, lane_number + offset <= most),
            Shuffle::Up => (
                lane_number.wrapping_sub(offset),
                lane_number as i32 - offset as i32 >= most as i32,
            ),
            Shuffle::Butterfly => (lane_number ^ offset, lane_number ^ offset <= most),
            Shuffle::Index => {
                let from = (lane_number & segment) | (offset & !segment);
                (from, from <= most)
            }
        };
        let from = if valid { from & 31 } else { lane_number };
        result[lane] = source[from as usize];
        if valid && members >> from & 1 == 0 {
            return Err(Fault::failed(format!(
                "shfl.sync reads lane {from}, which is not among the lanes {members:#010x}"
            )));
        }
        inside |= u32::from(valid) << lane;
    }
    if !instruction.destination.is_none() {
        warp.set_line(instruction.destination, lanes, &result);
    }
    if let Some(predicate) = instruction.list.first() {
        warp.set_predicate(*predicate, lanes, inside);
    }
    Ok(())
}

fn matching(warp: &mut Warp, instruction: &Instruction, lanes: u32, all: bool) {
    let value = |warp: &Warp, lane: usize| {
        zero_extend(warp.get(instruction.sources[0], lane), instruction.ty)
    };
    let values: Vec<u64> = (0..32).map(|lane| value(warp, lane)).collect();
    let same = |lane: usize| {
        lanes_of(lanes)
            .filter(|other| values[*other] == values[lane])
            .fold(0, |mask, other| mask | 1 << other)
    };
    for lane in lanes_of(lanes) {
        let mask: u32 = same(lane);
        let mask = if all && mask != lanes { 0 } else { mask };
        warp.set(instruction.destination, lane, u64::from(mask));
        if let Some(predicate) = instruction.list.first() {
            warp.set(*predicate, lane, u64::from(mask == lanes));
        }
    }
}
