//! Branches, ends and barriers: what changes which lanes and warps run.

use super::{
    Fault,
    launch::Machine,
    warp::{Group, Status, Warp, lanes_of},
};
use crate::{
    program::{BarrierKind, Instruction, Operation, Order, Vote},
    races::join,
};

impl Machine<'_> {
    /// The lanes that have to come to `instruction` together; none if it needs no others.
    pub(super) fn partners(warp: &Warp, instruction: &Instruction, lanes: u32) -> Option<u32> {
        let mask = |index: usize| {
            let lane = lanes.trailing_zeros() as usize;
            warp.get(instruction.sources[index], lane) as u32
        };
        Some(match instruction.operation {
            Operation::Barrier(_)
            | Operation::ClusterArrive
            | Operation::ClusterWait
            | Operation::MatrixMultiply { .. }
            | Operation::LoadMatrix { .. } => u32::MAX,
            Operation::Shuffle(_) => mask(3),
            Operation::WarpBarrier => mask(0),
            Operation::Vote(_)
            | Operation::Reduce(_)
            | Operation::Match { .. }
            | Operation::Elect => mask(1),
            _ => return None,
        })
    }

    pub(super) fn branch(
        &self,
        warp: &mut Warp,
        instruction: &Instruction,
        group: Group,
        lanes: u32,
    ) {
        let rest = group.lanes & !lanes;
        warp.groups.pop();
        if rest != 0 {
            warp.groups.push(Group {
                at: group.at + 1,
                lanes: rest,
            });
        }
        let mut backward = false;
        match instruction.operation {
            Operation::BranchIndexed => {
                for lane in lanes_of(lanes) {
                    let index = warp.get(instruction.sources[0], lane) as usize;
                    let last = instruction.targets.len().saturating_sub(1);
                    let at = instruction.targets[index.min(last)];
                    warp.groups.push(Group {
                        at,
                        lanes: 1 << lane,
                    });
                }
            }
            _ if lanes != 0 => {
                let at = instruction.targets[0];
                backward = at <= group.at;
                warp.groups.push(Group { at, lanes });
            }
            _ => {}
        }
        if warp.groups.len() > 1 {
            warp.merge();
            // Lanes that spin let the others run now and then.
            if backward {
                warp.backward_branches += 1;
                if warp.backward_branches.is_multiple_of(64) {
                    warp.groups.rotate_left(1);
                }
            }
        }
    }

    pub(super) fn exit(&self, warp: &mut Warp, group: Group, lanes: u32) {
        warp.live &= !lanes;
        warp.groups.pop();
        if group.lanes & !lanes != 0 {
            warp.groups.push(Group {
                at: group.at + 1,
                lanes: group.lanes & !lanes,
            });
        }
        if warp.groups.len() > 1 {
            warp.merge();
        }
        if warp.groups.is_empty() {
            warp.status = Status::Done;
        }
    }

    /// A warp comes to a barrier of its block.
    pub(super) fn barrier(
        &mut self,
        warps: &mut [Warp],
        index: usize,
        instruction: &Instruction,
        kind: BarrierKind,
        lanes: u32,
    ) -> Result<(), Fault> {
        let warp = &mut warps[index];
        if lanes != warp.live {
            return Err(Fault::failed(format!(
                "divergent barrier: lanes {lanes:#010x} of {:#010x}",
                warp.live
            )));
        }
        self.counters.barriers += 1;
        let lane = lanes.trailing_zeros() as usize;
        let number = warp.get(instruction.sources[0], lane) as usize;
        let block = &mut self.blocks[warp.block];
        let Some(barrier) = block.barriers.get_mut(number) else {
            return Err(Fault::failed(format!("barrier {number}: a block has 16")));
        };
        barrier.arrived += 1;
        barrier.threads += lanes.count_ones();
        if self.checks.races {
            join(&mut block.arriving[number], &warp.clocks);
        }
        if matches!(kind, BarrierKind::Reduce(_) | BarrierKind::Count) {
            let holds = warp.mask(instruction.sources[2], instruction.negated) & lanes;
            barrier.holds += holds.count_ones();
            warp.reduction = Some((instruction.destination, lanes));
        }
        let opened = barrier.opened;
        let threads = match instruction.sources[1].is_none() {
            true => None,
            false => Some(warp.get(instruction.sources[1], lane) as u32),
        };
        match kind {
            BarrierKind::Arrive => warp.tick(),
            _ => {
                warp.status = Status::AtBarrier {
                    number: number as u32,
                    opened,
                }
            }
        }
        let block_index = warp.block;
        let needed = match threads {
            Some(threads) => threads.div_ceil(32),
            None => self.blocks[block_index].left,
        };
        if self.blocks[block_index].barriers[number].arrived >= needed {
            self.open(warps, block_index, number, kind);
        }
        Ok(())
    }

    /// Lets all warps go on that wait at a barrier.
    fn open(&mut self, warps: &mut [Warp], block: usize, number: usize, kind: BarrierKind) {
        let block = &mut self.blocks[block];
        let barrier = &mut block.barriers[number];
        let (holds, threads) = (barrier.holds, barrier.threads);
        let opened = barrier.opened;
        barrier.arrived = 0;
        barrier.holds = 0;
        barrier.threads = 0;
        barrier.opened += 1;
        let known = std::mem::take(&mut block.arriving[number]);
        let waiting = Status::AtBarrier {
            number: number as u32,
            opened,
        };
        for warp in &mut warps[block.warps.clone()] {
            if warp.status != waiting {
                continue;
            }
            warp.status = Status::Running;
            if self.checks.races {
                join(&mut warp.clocks, &known);
                warp.tick();
            }
            if let Some((slot, lanes)) = warp.reduction.take() {
                let value = match kind {
                    BarrierKind::Reduce(Vote::All) => u32::from(holds == threads),
                    BarrierKind::Reduce(_) => u32::from(holds != 0),
                    _ => holds,
                };
                for lane in lanes_of(lanes) {
                    warp.set(slot, lane, u64::from(value));
                }
            }
        }
    }

    /// A warp has ended: barriers no longer wait for it.
    pub(super) fn warp_ended(&mut self, warps: &mut [Warp], index: usize) -> Result<(), Fault> {
        let block = warps[index].block;
        self.blocks[block].left -= 1;
        if !warps[index]
            .copies
            .iter()
            .all(|copy| matches!(copy, super::warp::PendingCopy::EndOfGroup))
        {
            self.report.warning(format!(
                "kernel {}: a warp ends while copies of cp.async are in flight",
                self.launch.kernel.name
            ));
        }
        let left = self.blocks[block].left;
        for number in 0..16 {
            let barrier = self.blocks[block].barriers[number];
            let waiting = warps[self.blocks[block].warps.clone()]
                .iter()
                .filter(|warp| {
                    warp.status
                        == Status::AtBarrier {
                            number: number as u32,
                            opened: barrier.opened,
                        }
                });
            if left > 0 && waiting.count() as u32 == left && barrier.arrived >= left {
                self.report.warning(format!(
                    "kernel {}: barrier {number} opens because the warps that did not come to it have ended",
                    self.launch.kernel.name
                ));
                self.open(warps, block, number, BarrierKind::Sync);
            }
        }
        let cluster = self.blocks[block].cluster;
        self.open_cluster(warps, cluster);
        Ok(())
    }

    pub(super) fn cluster_arrive(
        &mut self,
        warps: &mut [Warp],
        index: usize,
        instruction: &Instruction,
        lanes: u32,
    ) -> Result<(), Fault> {
        let warp = &mut warps[index];
        if lanes != warp.live {
            return Err(Fault::failed("divergent cluster barrier"));
        }
        if warp.has_arrived {
            return Err(Fault::failed("barrier.cluster.arrive twice without a wait"));
        }
        let cluster = self.blocks[warp.block].cluster;
        warp.has_arrived = true;
        warp.cluster_opened = self.clusters[cluster].opened;
        if self.checks.races {
            if instruction.order != Order::Relaxed {
                join(&mut self.clusters[cluster].arriving, &warp.clocks);
            }
            warp.tick();
        }
        self.open_cluster(warps, cluster);
        Ok(())
    }

    pub(super) fn cluster_wait(&mut self, warps: &mut [Warp], index: usize) -> Result<(), Fault> {
        let warp = &mut warps[index];
        if !warp.has_arrived {
            return Err(Fault::failed("barrier.cluster.wait without an arrive"));
        }
        let cluster = &self.clusters[self.blocks[warp.block].cluster];
        if cluster.opened == warp.cluster_opened {
            warp.status = Status::AtClusterBarrier;
            return Ok(());
        }
        warp.has_arrived = false;
        if self.checks.races {
            join(&mut warp.clocks, &cluster.known);
            warp.tick();
        }
        Ok(())
    }

    /// Opens the cluster's barrier if every warp that has not ended has arrived.
    fn open_cluster(&mut self, warps: &mut [Warp], cluster: usize) {
        let blocks = self.clusters[cluster].blocks.clone();
        let first = self.blocks[blocks.start].warps.start;
        let end = self.blocks[blocks.end - 1].warps.end;
        let opened = self.clusters[cluster].opened;
        let members = &mut warps[first..end];
        let here = |warp: &Warp| {
            warp.status == Status::Done || warp.has_arrived && warp.cluster_opened == opened
        };
        let someone = members
            .iter()
            .any(|warp| warp.has_arrived && warp.status != Status::Done);
        if !someone || !members.iter().all(here) {
            return;
        }
        let cluster = &mut self.clusters[cluster];
        cluster.opened += 1;
        cluster.known = std::mem::take(&mut cluster.arriving);
        for warp in members {
            if warp.status == Status::AtClusterBarrier {
                warp.status = Status::Running;
                warp.has_arrived = false;
                if self.checks.races {
                    join(&mut warp.clocks, &cluster.known);
                    warp.tick();
                }
            }
        }
    }
}
