//! A warp: its registers, and its groups of lanes that stand at the same instruction.

use crate::{
    program::{Instruction, Kernel, Slot},
    simd::{Line, WideLine},
};

/// Lanes that stand at the same instruction.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    pub at: u32,
    pub lanes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Running,
    /// Waits at a barrier of its block until the barrier has opened more often than so.
    AtBarrier {
        number: u32,
        opened: u32,
    },
    AtClusterBarrier,
    Done,
}

/// A `cp.async` that has begun.
#[derive(Clone, Copy, Debug)]
pub enum PendingCopy {
    Copy {
        lane: u8,
        to: u32,
        from: u64,
        /// Bytes that are read; the others become zero.
        read: u8,
        bytes: u8,
    },
    /// `cp.async.commit_group`.
    EndOfGroup,
}

#[derive(Debug)]
pub struct Warp {
    /// The register file: a line of 32 words for each register.
    lines: Vec<Line>,
    pub predicates: Vec<u32>,
    /// The carry of each lane.
    pub carry: u32,
    /// The group that runs is the last.
    pub groups: Vec<Group>,
    /// Lanes that have not ended.
    pub live: u32,
    /// The block among those that are resident.
    pub block: usize,
    /// Its number in the block.
    pub number: u32,
    /// Its number among all resident warps.
    pub index: usize,
    pub status: Status,
    /// What it knows of every resident warp, and of earlier blocks.
    pub clocks: Vec<u32>,
    /// What a fence turns into knowledge.
    pub observed: Vec<u32>,
    /// What a fence has made ready to be published.
    pub fenced: Vec<u32>,
    /// How often the cluster's barrier had opened when the warp arrived.
    pub cluster_opened: u32,
    pub has_arrived: bool,
    pub local: Vec<u8>,
    pub copies: Vec<PendingCopy>,
    pub backward_branches: u32,
    /// What a reducing barrier has gathered for this warp.
    pub reduction: Option<(Slot, u32)>,
}

impl Warp {
    pub fn new(kernel: &Kernel, live: u32, block: usize, number: u32, index: usize) -> Warp {
        Warp {
            lines: vec![[0xcbcb_cbcb; 32]; kernel.lines],
            predicates: vec![0; kernel.predicates],
            carry: 0,
            groups: vec![Group { at: 0, lanes: live }],
            live,
            block,
            number,
            index,
            status: Status::Running,
            clocks: Vec::new(),
            observed: Vec::new(),
            fenced: Vec::new(),
            cluster_opened: 0,
            has_arrived: false,
            local: vec![0; 32 * kernel.local],
            copies: Vec::new(),
            backward_branches: 0,
            reduction: None,
        }
    }

    /// The bits of an operand in a lane; zero where there is no operand.
    #[inline(always)]
    pub fn get(&self, slot: Slot, lane: usize) -> u64 {
        if slot.is_none() {
            0
        } else if slot.is_predicate() {
            u64::from(self.predicates[slot.index()] >> lane & 1)
        } else if slot.is_wide() {
            let low = u64::from(self.lines[slot.index()][lane]);
            low | u64::from(self.lines[slot.index() + 1][lane]) << 32
        } else {
            u64::from(self.lines[slot.index()][lane])
        }
    }

    #[inline(always)]
    pub fn set(&mut self, slot: Slot, lane: usize, value: u64) {
        if slot.is_none() {
            return;
        }
        if slot.is_predicate() {
            let mask = &mut self.predicates[slot.index()];
            *mask = *mask & !(1 << lane) | ((value & 1) as u32) << lane;
            return;
        }
        self.lines[slot.index()][lane] = value as u32;
        if slot.is_wide() {
            self.lines[slot.index() + 1][lane] = (value >> 32) as u32;
        }
    }

    /// A narrow register.
    #[inline(always)]
    pub fn line(&self, slot: Slot) -> &Line {
        &self.lines[slot.index()]
    }

    #[inline(always)]
    pub fn line_mut(&mut self, slot: Slot) -> &mut Line {
        &mut self.lines[slot.index()]
    }

    /// A register of either width as double words.
    #[inline(always)]
    pub fn wide_line(&self, slot: Slot) -> WideLine {
        let mut result = [0; 32];
        let low = &self.lines[slot.index()];
        if slot.is_wide() {
            let high = &self.lines[slot.index() + 1];
            for lane in 0..32 {
                result[lane] = u64::from(low[lane]) | u64::from(high[lane]) << 32;
            }
        } else {
            for lane in 0..32 {
                result[lane] = u64::from(low[lane]);
            }
        }
        result
    }

    #[inline(always)]
    pub fn set_line(&mut self, slot: Slot, lanes: u32, values: &Line) {
        write(&mut self.lines[slot.index()], lanes, values);
    }

    #[inline(always)]
    pub fn set_wide_line(&mut self, slot: Slot, lanes: u32, values: &WideLine) {
        let (mut low, mut high) = ([0; 32], [0; 32]);
        for lane in 0..32 {
            low[lane] = values[lane] as u32;
            high[lane] = (values[lane] >> 32) as u32;
        }
        write(&mut self.lines[slot.index()], lanes, &low);
        if slot.is_wide() {
            write(&mut self.lines[slot.index() + 1], lanes, &high);
        }
    }

    /// Writes `values` into a predicate for `lanes`.
    #[inline(always)]
    pub fn set_predicate(&mut self, slot: Slot, lanes: u32, values: u32) {
        if slot.is_none() {
            return;
        }
        let mask = &mut self.predicates[slot.index()];
        *mask = *mask & !lanes | values & lanes;
    }

    /// A predicate as a mask; a number is true where it is not zero.
    pub fn mask(&self, slot: Slot, negated: bool) -> u32 {
        let mask = match slot.is_predicate() {
            true => self.predicates[slot.index()],
            false => (0..32)
                .filter(|lane| self.get(slot, *lane) != 0)
                .fold(0, |mask, lane| mask | 1 << lane),
        };
        if negated { !mask } else { mask }
    }

    /// The address of a memory operand in a lane.
    #[inline(always)]
    pub fn address(&self, instruction: &Instruction, lane: usize) -> u64 {
        let base = instruction.sources[0];
        if base.is_none() {
            return instruction.offset as u64;
        }
        let value = self.get(base, lane);
        match base.is_wide() {
            true => value.wrapping_add(instruction.offset as u64),
            false => u64::from((value as u32).wrapping_add(instruction.offset as u32)),
        }
    }

    /// Sorts groups so that the one with the lowest place runs next, and joins those that have met.
    pub fn merge(&mut self) {
        self.groups.sort_by_key(|group| std::cmp::Reverse(group.at));
        self.groups.dedup_by(|next, kept| {
            let same = next.at == kept.at;
            if same {
                kept.lanes |= next.lanes;
            }
            same
        });
    }

    /// Begins a new time: what follows is not ordered with what others know by now.
    pub fn tick(&mut self) {
        if let Some(clock) = self.clocks.get_mut(self.index) {
            *clock += 1;
        }
    }
}

#[inline(always)]
fn write(line: &mut Line, lanes: u32, values: &Line) {
    if lanes == u32::MAX {
        *line = *values;
        return;
    }
    for lane in 0..32 {
        let keep = lanes >> lane & 1 == 0;
        line[lane] = if keep { line[lane] } else { values[lane] };
    }
}

/// The numbers of the lanes of a mask.
#[inline(always)]
pub fn lanes_of(mask: u32) -> impl Iterator<Item = usize> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        let lane = rest.trailing_zeros() as usize;
        rest &= rest.wrapping_sub(1);
        (lane < 32).then_some(lane)
    })
}
