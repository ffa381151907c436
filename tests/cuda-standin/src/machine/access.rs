//! Loads, stores and asynchronous copies, with the checks of each access.

use super::{
    Fault, arithmetic, codes,
    launch::Machine,
    warp::{PendingCopy, Warp, lanes_of},
};
use crate::{
    memory::{IN_FLIGHT, UNWRITTEN, WRITTEN},
    numbers::sign_extend,
    program::{Instruction, Operation, Order, Space},
    races::{Access, AccessKind, Knowledge, Shadow},
};

/// What one lane does at one place.
#[derive(Clone, Copy)]
pub(super) struct Touch {
    pub space: Space,
    pub address: u64,
    pub lane: usize,
    /// The instruction, for messages and the hint of where its memory lies.
    pub at: usize,
    pub is_store: bool,
    pub kind: AccessKind,
}

impl Machine<'_> {
    pub(super) fn load_or_store(
        &mut self,
        warp: &mut Warp,
        instruction: &Instruction,
        at: usize,
        lanes: u32,
    ) -> Result<(), Fault> {
        self.counters.memory_accesses += 1;
        let bytes = instruction.bytes();
        if self.checks.profile {
            self.count_wavefronts(warp, instruction, lanes, bytes);
        }
        if instruction.order == Order::Weak && self.quick(warp, instruction, at, lanes) {
            return Ok(());
        }
        let is_store = instruction.operation == Operation::Store;
        let size = instruction.ty.size();
        for lane in lanes_of(lanes) {
            let address = warp.address(instruction, lane);
            if !address.is_multiple_of(bytes as u64) && instruction.space != Space::Parameter {
                return Err(Fault::new(
                    codes::MISALIGNED_ADDRESS,
                    format!("misaligned access of {bytes} bytes at {address:#x}, lane {lane}"),
                ));
            }
            let mut buffer = [0; 32];
            let Some(buffer) = buffer.get_mut(..bytes) else {
                return Err(Fault::failed("a vector of more than 32 bytes"));
            };
            if is_store {
                for (slot, part) in instruction.list.iter().zip(buffer.chunks_mut(size)) {
                    part.copy_from_slice(&warp.get(*slot, lane).to_le_bytes()[..size]);
                }
                match instruction.order {
                    Order::Release | Order::AcquireRelease => self.release(warp, address),
                    Order::Relaxed => self.publish(warp, address),
                    _ => {}
                }
            }
            let kind = match instruction.order {
                Order::Weak => AccessKind::Plain,
                _ => AccessKind::Atomic,
            };
            let touch = Touch {
                space: instruction.space,
                address,
                lane,
                at,
                is_store,
                kind,
            };
            self.touch(warp, touch, buffer)?;
            if is_store {
                continue;
            }
            match instruction.order {
                Order::Acquire => self.acquire(warp, address),
                Order::Relaxed => self.observe(warp, address),
                _ => {}
            }
            for (slot, part) in instruction.list.iter().zip(buffer.chunks(size)) {
                let mut value = [0; 8];
                value[..size].copy_from_slice(part);
                let value = u64::from_le_bytes(value);
                let value = match instruction.ty.is_signed() {
                    true => sign_extend(value, instruction.ty) as u64,
                    false => value,
                };
                warp.set(*slot, lane, value);
            }
        }
        Ok(())
    }

    /// One access of one lane, with all checks.
    pub(super) fn touch(
        &mut self,
        warp: &mut Warp,
        touch: Touch,
        buffer: &mut [u8],
    ) -> Result<(), Fault> {
        let Touch { lane, at, .. } = touch;
        let bytes = buffer.len();
        let (space, address) = resolve(touch.space, touch.address);
        let (known, states, shadow, place, what) = match space {
            Space::Parameter => {
                let start = address as usize;
                let parameters = &self.launch.parameters;
                let Some(source) = parameters.get(start..start + bytes) else {
                    return Err(Fault::illegal("a kernel parameter that does not exist"));
                };
                buffer.copy_from_slice(source);
                return Ok(());
            }
            Space::Local => {
                let local = self.launch.kernel.local;
                if address as usize + bytes > local {
                    return Err(Fault::illegal(format!(
                        "local memory: {bytes} bytes at {address}, a thread has {local}; lane {lane}"
                    )));
                }
                let start = lane * local + address as usize;
                let place = &mut warp.local[start..start + bytes];
                match touch.is_store {
                    true => place.copy_from_slice(buffer),
                    false => buffer.copy_from_slice(place),
                }
                return Ok(());
            }
            Space::Shared | Space::Cluster => {
                let (block, place) = self.shared_place(warp, space, address, bytes, lane)?;
                let block = &mut self.blocks[block];
                (
                    &mut block.bytes,
                    &mut block.states,
                    &mut block.shadow,
                    place,
                    "shared",
                )
            }
            _ => {
                let found = self.memory.find(address, bytes, &mut self.hints[at]);
                let (index, place) = found.map_err(|error| {
                    Fault::illegal(format!("global memory: {error}; lane {lane}"))
                })?;
                let memory = &mut self.memory.allocations[index];
                if self.checks.races && memory.shadow.is_empty() {
                    memory.shadow = Shadow::new(memory.length);
                }
                (
                    &mut memory.bytes,
                    &mut memory.states,
                    &mut memory.shadow,
                    place,
                    "global",
                )
            }
        };
        let states = &mut states[place..place + bytes];
        if states.contains(&IN_FLIGHT) {
            let action = if touch.is_store { "write" } else { "read" };
            return Err(Fault::failed(format!(
                "{action} of {what} memory at offset {place} while a cp.async to it is in flight, lane {lane}"
            )));
        }
        if touch.is_store {
            known[place..place + bytes].copy_from_slice(buffer);
            states.fill(WRITTEN);
        } else {
            if self.checks.uninitialised && states.contains(&UNWRITTEN) {
                return Err(Fault::failed(format!(
                    "read of uninitialised {what} memory: {bytes} bytes at offset {place}, lane {lane}"
                )));
            }
            buffer.copy_from_slice(&known[place..place + bytes]);
        }
        if self.checks.races {
            let now = Access {
                clock: warp.clocks[warp.index],
                warp: warp.index as u16,
                lane: lane as u8,
                kind: touch.kind,
            };
            let knowledge = Knowledge {
                clocks: &warp.clocks,
                start: self.start,
            };
            let conflict = shadow.record(place, bytes, now, touch.is_store, &knowledge);
            if let Some(conflict) = conflict {
                let kernel = self.launch.kernel;
                self.report
                    .race(kernel, at, what, place, now, touch.is_store, &conflict);
            }
        }
        Ok(())
    }

    /// The block and the place in its shared memory.
    fn shared_place(
        &self,
        warp: &Warp,
        space: Space,
        address: u64,
        bytes: usize,
        lane: usize,
    ) -> Result<(usize, usize), Fault> {
        let rank = (address >> arithmetic::RANK_SHIFT) as usize;
        let place = (address & ((1 << arithmetic::RANK_SHIFT) - 1)) as usize;
        let own = self.blocks[warp.block].rank as usize;
        let block = match rank {
            0 => warp.block,
            rank => warp.block - own + rank - 1,
        };
        if space == Space::Shared && rank != 0 && rank - 1 != own {
            return Err(Fault::illegal(
                "a peer's address used as one of the own block",
            ));
        }
        let size = self.shared_bytes;
        if place + bytes > size {
            return Err(Fault::illegal(format!(
                "shared memory: {bytes} bytes at {place}, the block has {size}; lane {lane}"
            )));
        }
        let cluster = &self.clusters[self.blocks[warp.block].cluster];
        if !cluster.blocks.contains(&block) {
            return Err(Fault::illegal(format!(
                "block {} of a cluster of {}",
                rank - 1,
                cluster.blocks.len()
            )));
        }
        if block != warp.block {
            if self.blocks[block].left == 0 {
                return Err(Fault::illegal(format!(
                    "shared memory of block {} of the cluster, which has ended; lane {lane}",
                    rank - 1
                )));
            }
            if cluster.opened == 0 {
                return Err(Fault::illegal(
                    "shared memory of a peer before the cluster's first barrier: it may not have started",
                ));
            }
        }
        Ok((block, place))
    }

    pub(super) fn copy_async(
        &mut self,
        warp: &mut Warp,
        instruction: &Instruction,
        at: usize,
        lanes: u32,
        bytes: u8,
        source_offset: i64,
    ) -> Result<(), Fault> {
        for lane in lanes_of(lanes) {
            let to = warp.address(instruction, lane) & !arithmetic::SHARED_BASE;
            let from = warp.get(instruction.sources[1], lane);
            let from = from.wrapping_add(source_offset as u64);
            let read = match instruction.sources[2].is_none() {
                true => bytes,
                false => (warp.get(instruction.sources[2], lane) as u8).min(bytes),
            };
            if !to.is_multiple_of(u64::from(bytes)) || !from.is_multiple_of(u64::from(bytes)) {
                return Err(Fault::new(
                    codes::MISALIGNED_ADDRESS,
                    format!("misaligned cp.async from {from:#x} to {to:#x}, lane {lane}"),
                ));
            }
            let mut buffer = [0; 16];
            let touch = Touch {
                space: Space::Global,
                address: from,
                lane,
                at,
                is_store: false,
                kind: AccessKind::Plain,
            };
            self.touch(warp, touch, &mut buffer[..usize::from(read)])?;
            let width = usize::from(bytes);
            let (block, place) = self.shared_place(warp, Space::Shared, to, width, lane)?;
            self.blocks[block].states[place..place + width].fill(IN_FLIGHT);
            warp.copies.push(PendingCopy::Copy {
                lane: lane as u8,
                to: to as u32,
                from,
                read,
                bytes,
            });
        }
        Ok(())
    }

    /// Completes all copies but those of the last `pending` groups. The bytes arrive only here, so that a missing wait
    /// is always seen.
    pub(super) fn copy_wait(
        &mut self,
        warp: &mut Warp,
        at: usize,
        lanes: u32,
        pending: u32,
        all: bool,
    ) -> Result<(), Fault> {
        let groups = |copies: &[PendingCopy]| {
            let ends = copies
                .iter()
                .filter(|copy| matches!(copy, PendingCopy::EndOfGroup));
            ends.count()
        };
        let mut left = groups(&warp.copies).saturating_sub(pending as usize);
        let copies = std::mem::take(&mut warp.copies);
        for copy in copies {
            let PendingCopy::Copy {
                lane,
                to,
                from,
                read,
                bytes,
            } = copy
            else {
                if left > 0 {
                    left -= 1;
                } else {
                    warp.copies.push(copy);
                }
                continue;
            };
            let lane = usize::from(lane);
            if left == 0 && !all || lanes >> lane & 1 == 0 {
                warp.copies.push(copy);
                continue;
            }
            let mut buffer = [0; 16];
            let mut touch = Touch {
                space: Space::Global,
                address: from,
                lane,
                at,
                is_store: false,
                kind: AccessKind::Plain,
            };
            self.touch(warp, touch, &mut buffer[..usize::from(read)])?;
            touch.space = Space::Shared;
            touch.address = u64::from(to);
            touch.is_store = true;
            let width = usize::from(bytes);
            let (block, place) =
                self.shared_place(warp, Space::Shared, touch.address, width, lane)?;
            self.blocks[block].states[place..place + width].fill(UNWRITTEN);
            self.touch(warp, touch, &mut buffer[..width])?;
        }
        Ok(())
    }

    /// Counts how often the banks of shared memory are asked, and the sectors of global memory.
    fn count_wavefronts(
        &mut self,
        warp: &Warp,
        instruction: &Instruction,
        lanes: u32,
        bytes: usize,
    ) {
        match instruction.space {
            Space::Shared | Space::Cluster => {
                // 128 bytes a wavefront at most.
                let together = (128 / bytes.max(4)).min(32);
                self.counters.shared_requests += 1;
                for first in (0..32).step_by(together) {
                    let group = (first..first + together).filter(|lane| lanes >> lane & 1 != 0);
                    let mut words: Vec<u64> = group
                        .flat_map(|lane| {
                            let word = (warp.address(instruction, lane) & 0xff_ffff) / 4;
                            word..word + bytes.div_ceil(4) as u64
                        })
                        .collect();
                    words.sort_unstable();
                    words.dedup();
                    let mut banks = [0; 32];
                    for word in words {
                        banks[(word & 31) as usize] += 1;
                    }
                    self.counters.shared_wavefronts += banks.iter().max().copied().unwrap_or(0);
                }
            }
            Space::Global | Space::Generic => {
                let mut sectors: Vec<u64> = lanes_of(lanes)
                    .flat_map(|lane| {
                        let address = warp.address(instruction, lane);
                        address / 32..=(address + bytes as u64 - 1) / 32
                    })
                    .collect();
                sectors.sort_unstable();
                sectors.dedup();
                self.counters.global_requests += 1;
                self.counters.global_sectors += sectors.len() as u64;
            }
            _ => {}
        }
    }
}

/// The space of a generic address.
fn resolve(space: Space, address: u64) -> (Space, u64) {
    let within = |base: u64| (base..base + arithmetic::WINDOW).contains(&address);
    match space {
        Space::Generic if within(arithmetic::SHARED_BASE) => {
            (Space::Cluster, address - arithmetic::SHARED_BASE)
        }
        Space::Generic if within(arithmetic::LOCAL_BASE) => {
            (Space::Local, address - arithmetic::LOCAL_BASE)
        }
        Space::Generic => (Space::Global, address),
        // `mapa` of a generic address gives a generic one.
        Space::Cluster if within(arithmetic::SHARED_BASE) => {
            (Space::Cluster, address - arithmetic::SHARED_BASE)
        }
        space => (space, address),
    }
}
