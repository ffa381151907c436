//! Atomic operations, and what releases and acquires tell the race check.

use super::{
    Fault,
    access::Touch,
    codes,
    launch::Machine,
    warp::{Warp, lanes_of},
};
use crate::{
    numbers::{half, sign_extend, to_f64, zero_extend},
    program::{AtomicOperation, Instruction, Order, Rounding, Type},
    races::{AccessKind, join},
};

impl Machine<'_> {
    pub(super) fn atomic(
        &mut self,
        warp: &mut Warp,
        instruction: &Instruction,
        operation: AtomicOperation,
        at: usize,
        lanes: u32,
    ) -> Result<(), Fault> {
        self.counters.memory_accesses += 1;
        let bytes = instruction.ty.size();
        for lane in lanes_of(lanes) {
            let address = warp.address(instruction, lane);
            if !address.is_multiple_of(bytes as u64) {
                return Err(Fault::new(
                    codes::MISALIGNED_ADDRESS,
                    format!("misaligned atomic at {address:#x}, lane {lane}"),
                ));
            }
            match instruction.order {
                Order::Release | Order::AcquireRelease => self.release(warp, address),
                _ => self.publish(warp, address),
            }
            let mut touch = Touch {
                space: instruction.space,
                address,
                lane,
                at,
                is_store: false,
                kind: AccessKind::Atomic,
            };
            let mut buffer = [0; 8];
            self.touch(warp, touch, &mut buffer[..bytes])?;
            let old = u64::from_le_bytes(buffer);
            let operand = warp.get(instruction.sources[1], lane);
            let other = warp.get(instruction.sources[2], lane);
            let new = update(instruction.ty, operation, old, operand, other);
            touch.is_store = true;
            let mut buffer = new.to_le_bytes();
            self.touch(warp, touch, &mut buffer[..bytes])?;
            match instruction.order {
                Order::Acquire | Order::AcquireRelease => self.acquire(warp, address),
                _ => self.observe(warp, address),
            }
            warp.set(instruction.destination, lane, old);
        }
        Ok(())
    }

    /// Tells those who acquire `address` all that the warp knows.
    pub(super) fn release(&mut self, warp: &mut Warp, address: u64) {
        if self.checks.races {
            join(self.published.entry(address).or_default(), &warp.clocks);
            warp.tick();
        }
    }

    pub(super) fn acquire(&mut self, warp: &mut Warp, address: u64) {
        if self.checks.races
            && let Some(known) = self.published.get(&address)
        {
            join(&mut warp.clocks, known);
        }
    }

    /// A relaxed write tells what the last fence has made ready.
    pub(super) fn publish(&mut self, warp: &mut Warp, address: u64) {
        if self.checks.races && !warp.fenced.is_empty() {
            join(self.published.entry(address).or_default(), &warp.fenced);
        }
    }

    /// What a relaxed read sees becomes knowledge at the next fence.
    pub(super) fn observe(&mut self, warp: &mut Warp, address: u64) {
        if self.checks.races
            && let Some(known) = self.published.get(&address)
        {
            join(&mut warp.observed, known);
        }
    }

    pub(super) fn fence(&mut self, warp: &mut Warp) {
        if self.checks.races {
            let observed = std::mem::take(&mut warp.observed);
            join(&mut warp.clocks, &observed);
            warp.fenced.clone_from(&warp.clocks);
            warp.tick();
        }
    }
}

/// The value that an atomic operation leaves.
fn update(ty: Type, operation: AtomicOperation, old: u64, operand: u64, other: u64) -> u64 {
    let signed = ty.is_signed();
    if let Some(part) = ty.half() {
        let low = update(part, operation, old & 0xffff, operand & 0xffff, 0);
        let high = update(
            part,
            operation,
            old >> 16 & 0xffff,
            operand >> 16 & 0xffff,
            0,
        );
        return low & 0xffff | high << 16;
    }
    match operation {
        AtomicOperation::Exchange => operand,
        AtomicOperation::CompareAndSwap => match old == zero_extend(operand, ty) {
            true => other,
            false => old,
        },
        AtomicOperation::Increment => match zero_extend(old, ty) >= zero_extend(operand, ty) {
            true => 0,
            false => old + 1,
        },
        AtomicOperation::Decrement => {
            let old = zero_extend(old, ty);
            match old == 0 || old > zero_extend(operand, ty) {
                true => operand,
                false => old - 1,
            }
        }
        AtomicOperation::Add => match ty {
            Type::F32 => {
                let sum = f32::from_bits(old as u32) + f32::from_bits(operand as u32);
                u64::from(sum.to_bits())
            }
            Type::F64 => (f64::from_bits(old) + f64::from_bits(operand)).to_bits(),
            Type::F16 | Type::BF16 => {
                let sum = to_f64(old, ty) + to_f64(operand, ty);
                u64::from(half(sum, ty, Rounding::Nearest))
            }
            _ => old.wrapping_add(operand),
        },
        AtomicOperation::And => old & operand,
        AtomicOperation::Or => old | operand,
        AtomicOperation::Xor => old ^ operand,
        AtomicOperation::Minimum if signed => {
            sign_extend(old, ty).min(sign_extend(operand, ty)) as u64
        }
        AtomicOperation::Maximum if signed => {
            sign_extend(old, ty).max(sign_extend(operand, ty)) as u64
        }
        AtomicOperation::Minimum => zero_extend(old, ty).min(zero_extend(operand, ty)),
        AtomicOperation::Maximum => zero_extend(old, ty).max(zero_extend(operand, ty)),
    }
}
