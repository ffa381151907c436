//! The machine code of a kernel: how many instructions it has, and how many of them stand in loops.
//!
//! GPUs from sm_70 to sm_90 have instructions of 16 bytes, whose lowest bits say what they are. Only what branches, ends or
//! waits is told apart here. It was compared once with `nvdisasm` 13.5 (the wheel `nvidia-cuda-nvdisasm`), for every kernel of
//! resources.txt on both GPUs: the same instructions, the same targets of branches and calls.

/// Bytes of an instruction.
const SIZE: usize = 16;

/// Lowest nine bits of an instruction; the three above say where its operands are.
mod opcodes {
    pub const BARRIER: u64 = 0x11d;
    pub const CALL: u64 = 0x144;
    pub const BRANCH: u64 = 0x147;
    pub const EXIT: u64 = 0x14d;
    /// The end of a function that is called, such as that of a division of large numbers.
    pub const RETURN: u64 = 0x150;
    /// A jump to an address of a table.
    pub const TABLE: u64 = 0x149;
    /// Calls and jumps to absolute addresses: no kernel has any.
    pub const FAR: [u64; 3] = [0x143, 0x14a, 0x14c];
}

/// Instructions of a kernel: each is an issue slot whenever a warp comes to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// All that can be reached, so no padding.
    pub all: usize,
    /// Those in loops.
    pub looped: usize,
    /// Those in loops without a loop inside.
    pub innermost: usize,
    /// Those in loops that wait at barriers, as the loop over the steps of a persistent kernel does.
    pub stepped: usize,
}

/// An instruction: what it is, and which instructions may be next.
struct Instruction {
    opcode: u64,
    next: Vec<usize>,
}

/// Where a branch or call goes, in bytes after the instruction that follows it.
fn distance(low: u64, high: u64, architecture: u32) -> i64 {
    // 48 bits from bit 34 on, in units of four bytes; sm_90 has eight more below them.
    let field = (low >> 34) | (high & 0x3_ffff) << 30;
    let signed = (field << 16) as i64 >> 16;
    match architecture {
        ..90 => 4 * signed,
        _ => 4 * (signed << 8 | (low >> 16 & 0xff) as i64),
    }
}

/// # Panics
/// If an instruction goes to where this file cannot see.
fn decode(code: &[u8], jumps: &[(usize, Vec<usize>)], architecture: u32) -> Vec<Instruction> {
    assert_eq!(code.len() % SIZE, 0, "an instruction has {SIZE} bytes");
    let word = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&code[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    let one = |index: usize| {
        let (low, high) = (word(SIZE * index), word(SIZE * index + 8));
        let opcode = low & 0x1ff;
        assert!(!opcodes::FAR.contains(&opcode), "a far jump at {index}");
        // Predicate 7 is true. A branch has another one besides that of every instruction, and may be for divergent lanes
        // alone.
        let always = low >> 12 & 0xf == 7;
        let mut next = Vec::new();
        if matches!(opcode, opcodes::BRANCH | opcodes::CALL) {
            let at = (SIZE * (index + 1)) as i64 + distance(low, high, architecture);
            let inside = at >= 0 && at % SIZE as i64 == 0 && (at as usize) < code.len();
            assert!(inside, "the branch at {index} goes to {at}");
            next.push(at as usize / SIZE);
        }
        if opcode == opcodes::TABLE {
            let jump = jumps.iter().find(|jump| jump.0 == SIZE * index);
            let (_, targets) = jump.unwrap_or_else(|| panic!("no table for {index}"));
            next.extend(targets.iter().map(|at| at / SIZE));
        }
        let ends = match opcode {
            opcodes::EXIT | opcodes::RETURN | opcodes::TABLE => always,
            opcodes::BRANCH => always && high >> 23 & 0x1f == 7,
            _ => false,
        };
        if !ends && SIZE * (index + 1) < code.len() {
            next.push(index + 1);
        }
        Instruction { opcode, next }
    };
    (0..code.len() / SIZE).map(one).collect()
}

/// Walks from `start` over edges among instructions that `open` has, closes what it reaches, and gives it in the order in
/// which the walk has left it.
fn walk(start: usize, open: &mut [bool], edges: &[Vec<usize>]) -> Vec<usize> {
    let mut left = Vec::new();
    if !std::mem::replace(&mut open[start], false) {
        return left;
    }
    let mut path = vec![(start, 0)];
    while let Some((at, edge)) = path.pop() {
        match edges[at].get(edge) {
            Some(&to) => {
                path.push((at, edge + 1));
                if std::mem::replace(&mut open[to], false) {
                    path.push((to, 0));
                }
            }
            None => left.push(at),
        }
    }
    left
}

/// The loops among some instructions that are in no other loop: sets in which every instruction leads to every other.
fn loops(among: &[usize], next: &[Vec<usize>], before: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let all = || {
        let mut open = vec![false; next.len()];
        for &i in among {
            open[i] = true;
        }
        open
    };
    let mut open = all();
    let order: Vec<usize> = among
        .iter()
        .flat_map(|i| walk(*i, &mut open, next))
        .collect();
    let mut open = all();
    let sets = order.iter().rev().map(|i| walk(*i, &mut open, before));
    sets.filter(|set| set.len() > 1 || set.iter().any(|i| next[*i].contains(i)))
        .collect()
}

/// Counts the instructions of a kernel, whose jumps over tables lead where `jumps` says.
///
/// # Panics
/// If there is an instruction whose next one is not known.
pub fn slots(code: &[u8], jumps: &[(usize, Vec<usize>)], architecture: u32) -> Slots {
    let code = decode(code, jumps, architecture);
    let next: Vec<Vec<usize>> = code.iter().map(|i| i.next.clone()).collect();
    let mut before = vec![Vec::new(); next.len()];
    for (from, to) in next.iter().enumerate() {
        for &to in to {
            before[to].push(from);
        }
    }
    let reached = walk(0, &mut vec![true; next.len()], &next);
    let mut slots = Slots {
        all: reached.len(),
        ..Slots::default()
    };
    let outer = loops(&reached, &next, &before);
    for one in &outer {
        slots.looped += one.len();
        if one.iter().any(|i| code[*i].opcode == opcodes::BARRIER) {
            slots.stepped += one.len();
        }
    }
    let mut waiting = outer;
    while let Some(one) = waiting.pop() {
        // Without its entry a loop falls apart into those inside it.
        let mut inside = vec![false; next.len()];
        one.iter().for_each(|i| inside[*i] = true);
        let entered = |i: &usize| *i == 0 || before[*i].iter().any(|from| !inside[*from]);
        let entry = one.iter().position(entered).unwrap_or(0);
        let mut rest = one.clone();
        rest.swap_remove(entry);
        let inner = loops(&rest, &next, &before);
        if inner.is_empty() {
            slots.innermost += one.len();
        }
        waiting.extend(inner);
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALWAYS: u64 = 7 << 12;

    /// Code for sm_80, whose branches count bytes from bit 32 on.
    fn assemble(instructions: &[(u64, Option<i64>)]) -> Vec<u8> {
        let mut code = Vec::new();
        for &(low, distance) in instructions {
            let distance = distance.unwrap_or(0) * SIZE as i64;
            let high = (distance >> 32) as u64 & 0x3_ffff | 7 << 23;
            code.extend((low | (distance as u64) << 32).to_le_bytes());
            code.extend(high.to_le_bytes());
        }
        code
    }

    #[test]
    fn loops_are_counted_with_those_inside_and_without_padding() {
        let (other, conditional, always) = (0x221 | ALWAYS, 0x947, 0x947 | ALWAYS);
        let code = assemble(&[
            (other, None),
            (other, None), // the outer loop
            (other, None), // the inner one
            (conditional, Some(-2)),
            (0xb1d | ALWAYS, None),
            (conditional, Some(-5)),
            (other, None), // a loop without a barrier
            (conditional, Some(-2)),
            (0x94d | ALWAYS, None),
            (always, Some(-1)),
            (0x918 | ALWAYS, None),
        ]);
        let expected = Slots {
            all: 9,
            looped: 7,
            innermost: 4,
            stepped: 5,
        };
        assert_eq!(slots(&code, &[], 80), expected);
    }

    #[test]
    fn a_function_that_is_called_in_a_loop_is_counted_once_and_outside() {
        let code = assemble(&[
            (0x944 | ALWAYS, Some(2)),
            (0x947, Some(-2)),
            (0x94d | ALWAYS, None),
            (0x221 | ALWAYS, None),
            (0x950 | ALWAYS, None),
        ]);
        let expected = Slots {
            all: 5,
            looped: 2,
            innermost: 2,
            stepped: 0,
        };
        assert_eq!(slots(&code, &[], 80), expected);
    }

    #[test]
    fn a_jump_over_a_table_leads_where_the_table_says() {
        let code = assemble(&[
            (0x221 | ALWAYS, None),
            (0x949 | ALWAYS, None),
            (0x94d | ALWAYS, None),
            (0x947 | ALWAYS, Some(-4)),
            (0x221 | ALWAYS, None),
        ]);
        let jumps = [(SIZE, vec![2 * SIZE, 3 * SIZE])];
        let found = slots(&code, &jumps, 80);
        assert_eq!((found.all, found.looped), (4, 3));
    }

    /// Taken from a CUBIN, with the targets that `nvdisasm` shows: a branch from 0x40 to 0xd80, a call from 0x440 to 0xdc0.
    #[test]
    fn sm_90_has_longer_branches() {
        let bytes = |from: i64, low| from + SIZE as i64 + distance(low, 0x000f_ea00_0380_0000, 90);
        assert_eq!(bytes(0x40, 0x0000_000c_004c_8947), 0xd80);
    }
}
