//! A launch: which blocks are resident, and which warp runs next.

use std::collections::HashMap;

use super::{
    Checks, Counters, Fault,
    block::{Barrier, Block, Cluster},
    codes,
    warp::{Group, Status, Warp},
};
use crate::{
    memory::{Memory, POISON, UNWRITTEN},
    program::{Kernel, Operation},
    races::{Access, Conflict, Shadow},
};

/// Messages of one kind that a launch keeps.
const MOST_MESSAGES: usize = 8;
/// Instructions of a warp before another one runs, in the plain order.
const TURN: u32 = 10_000;

/// What is launched.
#[derive(Debug)]
pub struct Launch<'a> {
    pub kernel: &'a Kernel,
    pub grid: [u32; 3],
    pub block: [u32; 3],
    pub dynamic_shared: usize,
    pub parameters: &'a [u8],
    /// All blocks are resident together.
    pub is_cooperative: bool,
    /// Blocks of a cluster along each axis.
    pub cluster: Option<[u32; 3]>,
}

/// What a launch has to say.
#[derive(Debug, Default)]
pub struct Report {
    pub races: u64,
    pub messages: Vec<String>,
}

impl Report {
    #[allow(clippy::too_many_arguments)]
    #[cold]
    pub(super) fn race(
        &mut self,
        kernel: &Kernel,
        at: usize,
        what: &str,
        place: usize,
        now: Access,
        is_write: bool,
        conflict: &Conflict,
    ) {
        self.races += 1;
        if self.messages.len() >= MOST_MESSAGES {
            return;
        }
        let verb = |is_write: bool| if is_write { "write" } else { "read" };
        self.messages.push(format!(
            "race: {} of {what} memory at offset {place} by warp {} lane {} against a {} by warp {} lane {} [kernel {}, PTX line {}: {}]",
            verb(is_write),
            now.warp,
            now.lane,
            verb(conflict.past_is_write),
            conflict.past.warp,
            conflict.past.lane,
            kernel.name,
            kernel.code[at].line,
            kernel.texts[at],
        ));
    }

    #[cold]
    pub(super) fn warning(&mut self, message: String) {
        let message = format!("warning: {message}");
        if self.messages.len() < MOST_MESSAGES && !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }
}

/// What came of a launch.
#[derive(Debug)]
pub struct Outcome {
    pub counters: Counters,
    /// Races and warnings.
    pub messages: Vec<String>,
    pub result: Result<(), Fault>,
}

pub(super) struct Machine<'a> {
    pub launch: &'a Launch<'a>,
    pub memory: &'a mut Memory,
    pub checks: &'a Checks,
    pub blocks: Vec<Block>,
    pub clusters: Vec<Cluster>,
    /// What releases of an address have told.
    pub published: HashMap<u64, Vec<u32>>,
    pub counters: Counters,
    pub report: Report,
    /// For each instruction the allocation that it touched last.
    pub hints: Vec<usize>,
    pub shared_bytes: usize,
    /// The clock at which the resident blocks started.
    pub start: u32,
    random: u32,
}

/// Runs a launch to its end.
pub fn run(launch: &Launch<'_>, memory: &mut Memory, checks: &Checks) -> Outcome {
    let kernel = launch.kernel;
    let began = std::time::Instant::now();
    let launch_start = memory.clock;
    let mut machine = Machine {
        launch,
        memory,
        checks,
        blocks: Vec::new(),
        clusters: Vec::new(),
        published: HashMap::new(),
        counters: Counters::default(),
        report: Report::default(),
        hints: vec![usize::MAX; kernel.code.len()],
        shared_bytes: kernel.static_shared.next_multiple_of(16) + launch.dynamic_shared,
        start: launch_start,
        random: checks.seed.wrapping_mul(2_654_435_761).wrapping_add(1),
    };
    let mut result = machine.all_blocks(launch_start);
    let Report { races, messages } = machine.report;
    let mut counters = machine.counters;
    counters.launches = 1;
    counters.races = races;
    counters.nanoseconds = began.elapsed().as_nanos() as u64;
    if result.is_ok() && races > 0 {
        let first = messages.first().map_or("", String::as_str);
        result = Err(Fault::failed(format!("{races} races; {first}")));
    }
    Outcome {
        counters,
        messages,
        result,
    }
}

impl Machine<'_> {
    fn random(&mut self) -> usize {
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.random >> 8) as usize
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            let other = self.random() % (last + 1);
            order.swap(last, other);
        }
    }

    /// Runs all blocks: those of a cooperative launch together, otherwise one cluster after another, so that a kernel
    /// that needs more than that is caught.
    fn all_blocks(&mut self, launch_start: u32) -> Result<(), Fault> {
        let cluster = self.launch.cluster.unwrap_or([1; 3]);
        let size = cluster.iter().product::<u32>() as usize;
        let clusters = self.launch.grid.iter().product::<u32>() as usize / size;
        let mut order: Vec<usize> = (0..clusters).collect();
        if self.checks.seed != 0 {
            self.shuffle(&mut order);
        }
        let together = if self.launch.is_cooperative {
            clusters
        } else {
            1
        };
        let mut warps = Vec::new();
        for numbers in order.chunks(together.max(1)) {
            self.place(&mut warps, numbers, cluster, launch_start)?;
            self.schedule(&mut warps)?;
            self.end_of_blocks(&warps);
        }
        Ok(())
    }

    /// Makes the clusters `numbers` resident.
    fn place(
        &mut self,
        warps: &mut Vec<Warp>,
        numbers: &[usize],
        cluster: [u32; 3],
        launch_start: u32,
    ) -> Result<(), Fault> {
        let threads: u32 = self.launch.block.iter().product();
        let warps_of_block = threads.div_ceil(32) as usize;
        let size = cluster.iter().product::<u32>() as usize;
        let resident = numbers.len() * size;
        let total = resident * warps_of_block;
        self.start = self.memory.clock + 1;
        self.blocks.truncate(resident);
        self.clusters.clear();
        warps.truncate(total);
        for (index, number) in numbers.iter().enumerate() {
            self.clusters.push(Cluster {
                opened: 0,
                known: Vec::new(),
                arriving: Vec::new(),
                blocks: index * size..(index + 1) * size,
            });
            for rank in 0..size {
                let block = index * size + rank;
                self.place_block(block, *number, rank, warps_of_block, index);
                for in_block in 0..warps_of_block {
                    let index = block * warps_of_block + in_block;
                    if warps.len() == index {
                        let warp = Warp::new(self.launch.kernel, 0, block, in_block as u32, index);
                        warps.push(warp);
                        self.constants(&mut warps[index]);
                    }
                    let rest = threads - 32 * in_block as u32;
                    let live = if rest >= 32 {
                        u32::MAX
                    } else {
                        (1 << rest) - 1
                    };
                    let warp = &mut warps[index];
                    reset(warp, live);
                    if self.checks.races {
                        // It knows nothing of warps beside it, and all that was before the launch.
                        warp.clocks = vec![self.start - 1; total];
                        warp.clocks[index] = self.start;
                        warp.clocks.push(launch_start);
                    }
                    self.specials(warp, *number, rank, cluster)?;
                }
            }
        }
        Ok(())
    }

    fn place_block(
        &mut self,
        index: usize,
        cluster_number: usize,
        rank: usize,
        warps: usize,
        cluster: usize,
    ) {
        if self.blocks.len() == index {
            let cells = if self.checks.races {
                self.shared_bytes
            } else {
                0
            };
            self.blocks.push(Block {
                bytes: vec![POISON; self.shared_bytes],
                states: vec![UNWRITTEN; self.shared_bytes],
                shadow: Shadow::new(cells),
                barriers: [Barrier::default(); 16],
                arriving: Default::default(),
                warps: index * warps..(index + 1) * warps,
                cluster,
                rank: rank as u32,
                left: warps as u32,
                number: 0,
            });
        }
        let block = &mut self.blocks[index];
        block.bytes.fill(POISON);
        block.states.fill(UNWRITTEN);
        block.shadow.clear();
        block.barriers = [Barrier::default(); 16];
        block.arriving = Default::default();
        block.left = warps as u32;
        let size = self.launch.cluster.map_or(1, |c| c.iter().product::<u32>());
        block.number = cluster_number as u32 * size + rank as u32;
    }

    fn constants(&self, warp: &mut Warp) {
        for (slot, value) in &self.launch.kernel.constants {
            for lane in 0..32 {
                warp.set(*slot, lane, *value);
            }
        }
    }

    fn specials(
        &self,
        warp: &mut Warp,
        cluster_number: usize,
        rank: usize,
        cluster: [u32; 3],
    ) -> Result<(), Fault> {
        let (grid, block) = (self.launch.grid, self.launch.block);
        let clusters = [0, 1, 2].map(|axis| grid[axis] / cluster[axis]);
        let cluster_at = coordinates(cluster_number as u32, clusters);
        let in_cluster = coordinates(rank as u32, cluster);
        let block_at = [0, 1, 2].map(|axis| cluster_at[axis] * cluster[axis] + in_cluster[axis]);
        for (slot, name) in &self.launch.kernel.specials {
            let (base, axis) = match name.rsplit_once('.') {
                Some((base, "x")) => (base, 0),
                Some((base, "y")) => (base, 1),
                Some((base, "z")) => (base, 2),
                _ => (name.as_str(), 0),
            };
            for lane in 0..32_u32 {
                let thread = warp.number * 32 + lane;
                let below = (1_u64 << lane) - 1;
                let value = match base {
                    "%tid" => coordinates(thread, block)[axis],
                    "%ntid" => block[axis],
                    "%ctaid" => block_at[axis],
                    "%nctaid" => grid[axis],
                    "%laneid" => lane,
                    "%warpid" => warp.number,
                    "%nwarpid" => 64,
                    "%cluster_ctarank" => rank as u32,
                    "%cluster_nctarank" => cluster.iter().product(),
                    "%cluster_ctaid" => in_cluster[axis],
                    "%cluster_nctaid" => cluster[axis],
                    "%clusterid" => cluster_at[axis],
                    "%nclusterid" => clusters[axis],
                    "%is_explicit_cluster" => u32::from(self.launch.cluster.is_some()),
                    "%lanemask_lt" => below as u32,
                    "%lanemask_le" => (below << 1 | 1) as u32,
                    "%lanemask_eq" => 1 << lane,
                    "%lanemask_gt" => !(below << 1 | 1) as u32,
                    "%lanemask_ge" => !below as u32,
                    "%dynamic_smem_size" => self.launch.dynamic_shared as u32,
                    "%total_smem_size" | "%aggr_smem_size" => self.shared_bytes as u32,
                    "%smid" => self.blocks[warp.block].number,
                    "%clock" | "%clock_hi" | "%clock64" | "%globaltimer" | "%globaltimer_lo"
                    | "%gridid" | "%nsmid" => 0,
                    _ => {
                        return Err(Fault::failed(format!(
                            "the stand-in does not know the register {name}"
                        )));
                    }
                };
                warp.set(*slot, lane as usize, u64::from(value));
            }
        }
        Ok(())
    }

    /// Runs all resident warps to their end.
    fn schedule(&mut self, warps: &mut [Warp]) -> Result<(), Fault> {
        let mut left = warps.len();
        let mut order: Vec<usize> = (0..left).collect();
        let mut starved = Starved::default();
        while left > 0 {
            if self.checks.seed != 0 {
                self.shuffle(&mut order);
            }
            if self.checks.starve {
                self.starve(&mut starved, warps.len());
            }
            let (mut progress, mut waits) = (false, false);
            for &index in &order {
                let warp = &warps[index];
                if warp.status != Status::Running {
                    continue;
                }
                if starved.holds(warp) {
                    waits = true;
                    continue;
                }
                progress = true;
                let turn = match self.checks.seed {
                    0 => TURN,
                    _ => 1 + self.random() as u32 % 200,
                };
                for _ in 0..turn {
                    self.step(warps, index)?;
                    if warps[index].status != Status::Running {
                        break;
                    }
                }
                if warps[index].status == Status::Done {
                    left -= 1;
                    self.warp_ended(warps, index)?;
                }
                if self.counters.warp_instructions > self.checks.budget {
                    return Err(self.budget_spent(&warps[index]));
                }
            }
            if !progress && !waits {
                return Err(self.deadlock(warps));
            }
            if !progress {
                starved = Starved::default();
            }
        }
        Ok(())
    }

    /// Chooses now and then a block or a warp that does not run for a while.
    fn starve(&mut self, starved: &mut Starved, warps: usize) {
        if starved.rounds > 0 {
            starved.rounds -= 1;
            return;
        }
        let blocks = self.blocks.len();
        let by_block = blocks > 1 && self.random().is_multiple_of(2);
        *starved = Starved {
            block: by_block.then(|| self.random() % blocks),
            warp: (!by_block && warps > 1).then(|| self.random() % warps),
            rounds: self.random() % 48,
        };
    }

    /// One instruction of a warp.
    fn step(&mut self, warps: &mut [Warp], index: usize) -> Result<(), Fault> {
        let warp = &mut warps[index];
        let Some(&group) = warp.groups.last() else {
            warp.status = Status::Done;
            return Ok(());
        };
        let kernel = self.launch.kernel;
        let instruction = &kernel.code[group.at as usize];
        let lanes = match instruction.guard.is_none() {
            true => group.lanes,
            false => {
                let mask = warp.predicates[instruction.guard.index()];
                group.lanes
                    & if instruction.guard_negated {
                        !mask
                    } else {
                        mask
                    }
            }
        };
        self.counters.warp_instructions += 1;
        self.counters.lane_instructions += u64::from(lanes.count_ones());
        // Instructions for a converged warp wait for its other lanes, as the hardware's convergence barriers do.
        if warp.groups.len() > 1
            && lanes != 0
            && let Some(partners) = Self::partners(warp, instruction, lanes)
            && lanes & partners != partners & warp.live
        {
            let stuck = |group: &Group| {
                let instruction = &kernel.code[group.at as usize];
                Self::partners(warp, instruction, group.lanes).is_some()
            };
            if warp.groups.iter().all(stuck) {
                let fault = Fault::failed(format!(
                    "divergent {:?}: lanes {lanes:#010x} of {:#010x}; the others wait elsewhere",
                    instruction.operation,
                    partners & warp.live
                ));
                return Err(self.locate(fault, warp, group.at as usize));
            }
            warp.groups.rotate_right(1);
            return Ok(());
        }
        let at = group.at as usize;
        let advance = |warp: &mut Warp| {
            if let Some(last) = warp.groups.last_mut() {
                last.at += 1;
            }
        };
        let result = match instruction.operation {
            Operation::Branch | Operation::BranchIndexed => {
                self.branch(warp, instruction, group, lanes);
                return Ok(());
            }
            Operation::Exit => {
                self.exit(warp, group, lanes);
                return Ok(());
            }
            _ if lanes == 0 => Ok(()),
            Operation::Barrier(kind) => {
                advance(warp);
                let result = self.barrier(warps, index, instruction, kind, lanes);
                return result.map_err(|fault| self.locate(fault, &warps[index], at));
            }
            Operation::ClusterArrive => {
                advance(warp);
                let result = self.cluster_arrive(warps, index, instruction, lanes);
                return result.map_err(|fault| self.locate(fault, &warps[index], at));
            }
            Operation::ClusterWait => {
                advance(warp);
                let result = self.cluster_wait(warps, index);
                return result.map_err(|fault| self.locate(fault, &warps[index], at));
            }
            _ => self.execute(warp, instruction, at, lanes),
        };
        let warp = &mut warps[index];
        result.map_err(|fault| self.locate(fault, warp, at))?;
        advance(warp);
        if warp.groups.len() > 1 {
            warp.merge();
        }
        Ok(())
    }

    /// Says where a fault happened.
    #[cold]
    fn locate(&self, fault: Fault, warp: &Warp, at: usize) -> Fault {
        let kernel = self.launch.kernel;
        let message = format!(
            "{} [kernel {}, block {}, warp {}, PTX line {}: {}]",
            fault.message,
            kernel.name,
            self.blocks[warp.block].number,
            warp.number,
            kernel.code[at].line,
            kernel.texts[at],
        );
        Fault::new(fault.code, message)
    }

    #[cold]
    fn budget_spent(&self, warp: &Warp) -> Fault {
        let at = warp.groups.last().map_or(0, |group| group.at as usize);
        let fault = Fault::new(
            codes::LAUNCH_TIMEOUT,
            "the budget of instructions is spent: an endless loop, or a barrier among blocks in a launch that is not cooperative",
        );
        self.locate(fault, warp, at)
    }

    #[cold]
    fn deadlock(&self, warps: &[Warp]) -> Fault {
        let Some(warp) = warps.iter().find(|warp| warp.status != Status::Done) else {
            return Fault::failed("deadlock");
        };
        let at = warp.groups.last().map_or(0, |group| group.at as usize);
        let fault = Fault::failed("deadlock: a warp waits for ever");
        self.locate(fault, warp, at.saturating_sub(1))
    }

    /// Blocks have ended: what they know is knowledge of the past from now on.
    fn end_of_blocks(&mut self, warps: &[Warp]) {
        if !self.checks.races {
            return;
        }
        let clocks = warps.iter().map(|warp| warp.clocks[warp.index]);
        self.memory.clock = clocks.max().unwrap_or(self.start) + 1;
        for known in self.published.values_mut() {
            let latest = known.iter().max().copied().unwrap_or(0);
            known.fill(0);
            if let Some(last) = known.last_mut() {
                *last = latest;
            }
        }
    }
}

/// What does not run for a while.
#[derive(Default)]
struct Starved {
    block: Option<usize>,
    warp: Option<usize>,
    rounds: usize,
}

impl Starved {
    fn holds(&self, warp: &Warp) -> bool {
        self.block == Some(warp.block) || self.warp == Some(warp.index)
    }
}

/// Makes a warp that has run ready for another block.
fn reset(warp: &mut Warp, live: u32) {
    warp.groups.clear();
    warp.groups.push(Group { at: 0, lanes: live });
    warp.live = live;
    warp.status = Status::Running;
    warp.observed.clear();
    warp.fenced.clear();
    warp.copies.clear();
    warp.has_arrived = false;
    warp.reduction = None;
    warp.carry = 0;
    warp.local.fill(0);
}

/// A number as coordinates of a box of `sizes`, x first.
fn coordinates(number: u32, sizes: [u32; 3]) -> [u32; 3] {
    let [x, y, _] = sizes;
    [number % x, number / x % y, number / x / y]
}
