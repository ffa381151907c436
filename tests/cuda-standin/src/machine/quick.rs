//! The usual loads and stores, all lanes at once.

use super::{
    launch::Machine,
    warp::{Warp, lanes_of},
};
use crate::{
    memory::{IN_FLIGHT, WRITTEN},
    numbers::sign_extend,
    program::{Instruction, Operation, Slot, Space, Type},
    races::{Access, AccessKind, Knowledge, Shadow},
};

/// A piece of memory that an instruction reaches.
struct Region<'a> {
    base: u64,
    bytes: &'a mut [u8],
    states: &'a mut [u8],
    shadow: &'a mut Shadow,
    name: &'static str,
}

/// How the places of all 32 lanes lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pattern {
    /// All the same.
    Uniform,
    /// One after another.
    Row,
    /// Anything else, or some lanes only.
    Scattered,
}

impl Machine<'_> {
    /// Accesses that all fall, aligned and written before, into one allocation or the block's own shared memory. Returns
    /// false, with nothing done, where one of them does not: `touch` then finds what is wrong.
    #[inline]
    pub(super) fn quick(
        &mut self,
        warp: &mut Warp,
        instruction: &Instruction,
        at: usize,
        lanes: u32,
    ) -> bool {
        let list = &*instruction.list;
        if list
            .iter()
            .any(|slot| slot.is_predicate() || slot.is_none())
        {
            return false;
        }
        let region = match instruction.space {
            Space::Shared => {
                let block = &mut self.blocks[warp.block];
                Region {
                    base: 0,
                    bytes: &mut block.bytes,
                    states: &mut block.states,
                    shadow: &mut block.shadow,
                    name: "shared",
                }
            }
            Space::Global | Space::Generic => {
                match self.memory.allocations.get_mut(self.hints[at]) {
                    Some(memory) if !memory.is_freed => {
                        if self.checks.races && memory.shadow.is_empty() {
                            memory.shadow = Shadow::new(memory.length);
                        }
                        Region {
                            base: memory.base,
                            bytes: &mut memory.bytes,
                            states: &mut memory.states,
                            shadow: &mut memory.shadow,
                            name: "global",
                        }
                    }
                    _ => return false,
                }
            }
            Space::Parameter if instruction.sources[0].is_none() => {
                return quick_parameter(self.launch.parameters, warp, instruction, lanes);
            }
            _ => return false,
        };
        let each = instruction.bytes();
        let Some((places, pattern)) = places(warp, instruction, &region, each, lanes) else {
            return false;
        };
        let is_store = instruction.operation == Operation::Store;
        let allowed = match is_store {
            true => lanes_of(lanes).all(|lane| {
                let states = &region.states[places[lane]..places[lane] + each];
                states.iter().all(|state| *state != IN_FLIGHT)
            }),
            false if !self.checks.uninitialised => true,
            false => match pattern {
                Pattern::Uniform => all_written(region.states, places[0], each),
                Pattern::Row => {
                    let row = &region.states[places[0]..places[0] + 32 * each];
                    row.chunks_exact(32).all(|part| *part == [WRITTEN; 32])
                }
                Pattern::Scattered => {
                    lanes_of(lanes).all(|lane| all_written(region.states, places[lane], each))
                }
            },
        };
        if !allowed {
            return false;
        }
        if self.checks.races {
            let knowledge = Knowledge {
                clocks: &warp.clocks,
                start: self.start,
            };
            let mut now = Access {
                clock: warp.clocks[warp.index],
                warp: warp.index as u16,
                lane: 0,
                kind: AccessKind::Plain,
            };
            for lane in lanes_of(lanes) {
                now.lane = lane as u8;
                let place = places[lane];
                let conflict = region.shadow.record(place, each, now, is_store, &knowledge);
                if let Some(conflict) = conflict {
                    let kernel = self.launch.kernel;
                    let name = region.name;
                    self.report
                        .race(kernel, at, name, place, now, is_store, &conflict);
                }
            }
        }
        let ty = instruction.ty;
        for (part, slot) in list.iter().enumerate() {
            let skip = part * ty.size();
            match is_store {
                true => store(warp, *slot, ty, region.bytes, &places, skip, lanes),
                false => load(warp, *slot, ty, region.bytes, &places, skip, lanes, pattern),
            }
        }
        if is_store {
            match pattern {
                Pattern::Row => region.states[places[0]..places[0] + 32 * each].fill(WRITTEN),
                _ => {
                    for lane in lanes_of(lanes) {
                        region.states[places[lane]..places[lane] + each].fill(WRITTEN);
                    }
                }
            }
        }
        true
    }
}

/// Where each lane's bytes begin; none if one of them is misaligned or outside.
#[inline(always)]
fn places(
    warp: &Warp,
    instruction: &Instruction,
    region: &Region<'_>,
    each: usize,
    lanes: u32,
) -> Option<([usize; 32], Pattern)> {
    let last = (region.bytes.len() as u64).checked_sub(each as u64)?;
    let base = instruction.sources[0];
    let offset = instruction.offset as u64;
    let mut places = [0_u64; 32];
    if base.is_none() {
        places.fill(offset.wrapping_sub(region.base));
    } else if base.is_wide() {
        let offset = offset.wrapping_sub(region.base);
        for (place, address) in places.iter_mut().zip(&warp.wide_line(base)) {
            *place = address.wrapping_add(offset);
        }
    } else {
        for (place, address) in places.iter_mut().zip(warp.line(base)) {
            let address = address.wrapping_add(offset as u32);
            *place = u64::from(address).wrapping_sub(region.base);
        }
    }
    let align = each as u64 - 1;
    let mut bad = 0_u32;
    for (lane, place) in places.iter().enumerate() {
        bad |= u32::from(*place > last || place & align != 0) << lane;
    }
    if bad & lanes != 0 {
        return None;
    }
    let pattern = match lanes {
        u32::MAX => {
            let (mut uniform, mut row) = (true, true);
            for (lane, place) in places.iter().enumerate() {
                uniform &= *place == places[0];
                row &= *place == places[0] + (lane * each) as u64;
            }
            match (uniform, row) {
                (true, _) => Pattern::Uniform,
                (_, true) => Pattern::Row,
                _ => Pattern::Scattered,
            }
        }
        _ => Pattern::Scattered,
    };
    let mut result = [0; 32];
    for (result, place) in result.iter_mut().zip(&places) {
        *result = *place as usize;
    }
    Some((result, pattern))
}

#[inline(always)]
fn all_written(states: &[u8], place: usize, bytes: usize) -> bool {
    let states = &states[place..place + bytes];
    match bytes {
        4 => *states == [WRITTEN; 4],
        8 => *states == [WRITTEN; 8],
        16 => *states == [WRITTEN; 16],
        _ => states.iter().all(|state| *state == WRITTEN),
    }
}

/// Loads one register.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn load(
    warp: &mut Warp,
    slot: Slot,
    ty: Type,
    bytes: &[u8],
    places: &[usize; 32],
    skip: usize,
    lanes: u32,
    pattern: Pattern,
) {
    let word = |lane: usize| {
        let start = places[lane] + skip;
        let word = bytes[start..start + 4].try_into();
        word.map_or(0, u32::from_le_bytes)
    };
    if ty.size() == 4 && slot.is_narrow() {
        let line = warp.line_mut(slot);
        match pattern {
            Pattern::Uniform => line.fill(word(0)),
            _ if lanes == u32::MAX => {
                for (lane, value) in line.iter_mut().enumerate() {
                    *value = word(lane);
                }
            }
            _ => {
                for lane in lanes_of(lanes) {
                    line[lane] = word(lane);
                }
            }
        }
        return;
    }
    for lane in lanes_of(lanes) {
        let start = places[lane] + skip;
        warp.set(slot, lane, value(ty, &bytes[start..start + ty.size()]));
    }
}

/// Stores one register.
#[inline(always)]
fn store(
    warp: &Warp,
    slot: Slot,
    ty: Type,
    bytes: &mut [u8],
    places: &[usize; 32],
    skip: usize,
    lanes: u32,
) {
    if ty.size() == 4 && slot.is_narrow() {
        let line = warp.line(slot);
        for lane in lanes_of(lanes) {
            let start = places[lane] + skip;
            bytes[start..start + 4].copy_from_slice(&line[lane].to_le_bytes());
        }
        return;
    }
    for lane in lanes_of(lanes) {
        let start = places[lane] + skip;
        let value = warp.get(slot, lane).to_le_bytes();
        bytes[start..start + ty.size()].copy_from_slice(&value[..ty.size()]);
    }
}

/// The register's bits of a value in memory.
fn value(ty: Type, bytes: &[u8]) -> u64 {
    let mut value = [0; 8];
    value[..bytes.len()].copy_from_slice(bytes);
    let value = u64::from_le_bytes(value);
    match ty.is_signed() {
        true => sign_extend(value, ty) as u64,
        false => value,
    }
}

/// A parameter of the kernel, which is the same in all lanes.
fn quick_parameter(
    parameters: &[u8],
    warp: &mut Warp,
    instruction: &Instruction,
    lanes: u32,
) -> bool {
    let start = instruction.offset as usize;
    let Some(bytes) = parameters.get(start..start + instruction.bytes()) else {
        return false;
    };
    let size = instruction.ty.size();
    for (slot, part) in instruction.list.iter().zip(bytes.chunks(size)) {
        let value = value(instruction.ty, part);
        for lane in lanes_of(lanes) {
            warp.set(*slot, lane, value);
        }
    }
    true
}
