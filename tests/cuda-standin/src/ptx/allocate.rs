//! Puts registers that are never live together into the same line of the register file. NVRTC gives every value a register
//! of its own, so that an unrolled kernel has thousands; few are live at a time, and those stay in the cache.

use std::collections::BTreeMap;

use crate::program::{Instruction, Kernel, Operation, Slot};

/// A set of registers.
#[derive(Clone, PartialEq)]
struct Set(Vec<u64>);

impl Set {
    fn new(registers: usize) -> Set {
        Set(vec![0; registers.div_ceil(64)])
    }

    fn insert(&mut self, register: usize) {
        self.0[register / 64] |= 1 << (register % 64);
    }

    fn contains(&self, register: usize) -> bool {
        self.0[register / 64] >> (register % 64) & 1 != 0
    }
}

/// Instructions that run one after another.
struct Block {
    start: usize,
    end: usize,
    next: Vec<usize>,
    /// Registers that it reads before it writes them.
    reads: Set,
    /// Registers that it writes in every lane that comes here.
    writes: Set,
    live_in: Set,
    live_out: Set,
}

/// Gives each register of a kernel its line.
pub fn allocate(kernel: &mut Kernel) {
    // Constants and special registers keep lines of their own, as they are written once for all.
    let pinned = kernel.constants.iter().map(|(slot, _)| *slot);
    let pinned: Vec<Slot> = pinned
        .chain(kernel.specials.iter().map(|(slot, _)| *slot))
        .collect();
    let mut lines = BTreeMap::new();
    let mut next = 0;
    for slot in &pinned {
        lines.insert(slot.index(), next);
        next += if slot.is_wide() { 2 } else { 1 };
    }
    let mut registers: Vec<Slot> = Vec::new();
    let mut numbers = BTreeMap::new();
    for instruction in &kernel.code {
        visit(instruction, |slot, _| {
            if !lines.contains_key(&slot.index()) && !numbers.contains_key(&slot.index()) {
                numbers.insert(slot.index(), registers.len());
                registers.push(slot);
            }
        });
    }
    let ranges = live_ranges(kernel, &numbers, registers.len());
    let mut order: Vec<usize> = (0..registers.len()).collect();
    order.sort_by_key(|register| ranges[*register].0);
    // Lines by the place at which they become free, for either width.
    let mut taken: [Vec<(usize, usize)>; 2] = Default::default();
    for register in order {
        let (start, end) = ranges[register];
        let wide = registers[register].is_wide();
        let pool = &mut taken[usize::from(wide)];
        // The last use of one register and the first write of another may be the same instruction.
        let line = match pool.iter_mut().find(|(free, _)| *free <= start) {
            Some((free, line)) => {
                *free = end;
                *line
            }
            None => {
                let line = next;
                next += if wide { 2 } else { 1 };
                pool.push((end, line));
                line
            }
        };
        lines.insert(registers[register].index(), line);
    }
    let moved = |slot: &mut Slot| {
        if !slot.is_none() && !slot.is_predicate() {
            let line = lines.get(&slot.index()).copied().unwrap_or(0);
            *slot = Slot::register(line, slot.is_wide());
        }
    };
    for instruction in &mut kernel.code {
        moved(&mut instruction.destination);
        instruction.sources.iter_mut().for_each(moved);
        instruction.list.iter_mut().for_each(moved);
    }
    kernel
        .constants
        .iter_mut()
        .for_each(|(slot, _)| moved(slot));
    kernel.specials.iter_mut().for_each(|(slot, _)| moved(slot));
    kernel.lines = next.max(1);
}

/// Calls `with` for each register of an instruction, and whether it is written: reads come first.
fn visit(instruction: &Instruction, mut with: impl FnMut(Slot, bool)) {
    let mut one = |slot: Slot, is_write: bool| {
        if !slot.is_none() && !slot.is_predicate() {
            with(slot, is_write);
        }
    };
    let list = &instruction.list;
    // How many of the list are written.
    let written = match instruction.operation {
        Operation::Store | Operation::Pack | Operation::AssertionFailed => 0,
        Operation::MatrixMultiply { .. } => 4.min(list.len()),
        Operation::StoreMatrix { .. } => 0,
        _ => list.len(),
    };
    instruction
        .sources
        .iter()
        .for_each(|slot| one(*slot, false));
    list[written..].iter().for_each(|slot| one(*slot, false));
    list[..written].iter().for_each(|slot| one(*slot, true));
    one(instruction.destination, true);
}

/// The first and the last instruction at which each register is live.
fn live_ranges(
    kernel: &Kernel,
    numbers: &BTreeMap<usize, usize>,
    registers: usize,
) -> Vec<(usize, usize)> {
    let mut blocks = blocks(kernel, numbers, registers);
    loop {
        let mut changed = false;
        for index in (0..blocks.len()).rev() {
            let mut out = Set::new(registers);
            for next in &blocks[index].next {
                for (word, live) in out.0.iter_mut().zip(&blocks[*next].live_in.0) {
                    *word |= live;
                }
            }
            let block = &mut blocks[index];
            let mut live = block.reads.clone();
            for (at, word) in live.0.iter_mut().enumerate() {
                *word |= out.0[at] & !block.writes.0[at];
            }
            changed |= live != block.live_in;
            block.live_in = live;
            block.live_out = out;
        }
        if !changed {
            break;
        }
    }
    let mut ranges = vec![(usize::MAX, 0); registers];
    let mut reach = |register: usize, at: usize| {
        let (start, end) = &mut ranges[register];
        *start = (*start).min(at);
        *end = (*end).max(at);
    };
    for block in &blocks {
        for register in 0..registers {
            if block.live_in.contains(register) {
                reach(register, block.start);
            }
            // It is live up to the place where the next block begins.
            if block.live_out.contains(register) {
                reach(register, block.end);
            }
        }
        for at in block.start..block.end {
            visit(&kernel.code[at], |slot, _| {
                if let Some(register) = numbers.get(&slot.index()) {
                    reach(*register, at);
                }
            });
        }
    }
    ranges
}

fn blocks(kernel: &Kernel, numbers: &BTreeMap<usize, usize>, registers: usize) -> Vec<Block> {
    let code = &kernel.code;
    let mut starts = vec![false; code.len() + 1];
    starts[0] = true;
    for (at, instruction) in code.iter().enumerate() {
        let ends = matches!(
            instruction.operation,
            Operation::Branch | Operation::BranchIndexed | Operation::Exit
        );
        starts[at + 1] |= ends;
        for target in &instruction.targets {
            starts[*target as usize] = true;
        }
    }
    let starts: Vec<usize> = (0..code.len()).filter(|at| starts[*at]).collect();
    let block_at = |at: usize| starts.binary_search(&at).ok();
    let block = |(index, start): (usize, &usize)| {
        let end = starts.get(index + 1).copied().unwrap_or(code.len());
        let last = &code[end - 1];
        let always = last.guard.is_none();
        let falls = match last.operation {
            Operation::Branch | Operation::BranchIndexed | Operation::Exit => !always,
            _ => true,
        };
        let targets = last.targets.iter().map(|target| *target as usize);
        let next = targets.chain(falls.then_some(end)).filter_map(block_at);
        let mut block = Block {
            start: *start,
            end,
            next: next.collect(),
            reads: Set::new(registers),
            writes: Set::new(registers),
            live_in: Set::new(registers),
            live_out: Set::new(registers),
        };
        for instruction in &code[*start..end] {
            visit(instruction, |slot, is_write| {
                let Some(register) = numbers.get(&slot.index()).copied() else {
                    return;
                };
                // A guarded write leaves the value of other lanes as it was.
                match is_write && instruction.guard.is_none() {
                    true => block.writes.insert(register),
                    false if block.writes.contains(register) => {}
                    false => block.reads.insert(register),
                }
            });
        }
        block
    };
    starts.iter().enumerate().map(block).collect()
}
