//! The device's memory: allocations with guard zones between them. An address is never given out twice, so that a use
//! after a free is always seen.

use crate::races::Shadow;

/// The first address.
const BASE: u64 = 0x7000_0000_0000;
/// What unwritten memory holds.
pub const POISON: u8 = 0xcb;
/// Bytes that lie between allocations.
const GUARD: u64 = 4096;

/// What is known of a byte.
pub const UNWRITTEN: u8 = 0;
pub const WRITTEN: u8 = 1;
/// A `cp.async` to it has begun and nobody has waited for it.
pub const IN_FLIGHT: u8 = 2;

#[derive(Debug)]
pub struct Allocation {
    pub base: u64,
    pub length: usize,
    pub bytes: Vec<u8>,
    /// For each byte whether it was written.
    pub states: Vec<u8>,
    pub shadow: Shadow,
    pub is_freed: bool,
    /// A variable of a module, which is no leak.
    pub is_variable: bool,
}

#[derive(Debug)]
pub struct Memory {
    pub allocations: Vec<Allocation>,
    next: u64,
    pub used: usize,
    pub limit: usize,
    pub peak: usize,
    /// The clock of the race check, which goes on from launch to launch.
    pub clock: u32,
    /// The allocation that fails, counted from one; none if it is zero.
    pub fail_at: u64,
    pub count: u64,
    /// Where counting began.
    mark: usize,
}

/// Where bytes lie: the number of the allocation, and the place in it.
pub type Place = (usize, usize);

impl Memory {
    pub fn new(limit: usize) -> Memory {
        Memory {
            allocations: Vec::new(),
            next: BASE,
            used: 0,
            limit,
            peak: 0,
            clock: 1,
            fail_at: 0,
            count: 0,
            mark: 0,
        }
    }

    /// Whether `bytes` more would be too many.
    pub fn is_full(&self, bytes: usize) -> bool {
        self.used.saturating_add(bytes) > self.limit
    }

    /// The address of new memory; none if there is none left, or this allocation is to fail.
    pub fn allocate(&mut self, bytes: usize) -> Option<u64> {
        self.count += 1;
        if self.count == self.fail_at || self.is_full(bytes) {
            return None;
        }
        Some(self.place(bytes, false))
    }

    /// The address of a variable of a module.
    pub fn allocate_variable(&mut self, initial: &[u8]) -> u64 {
        let address = self.place(initial.len().max(1), true);
        if let Some(last) = self.allocations.last_mut() {
            last.bytes[..initial.len()].copy_from_slice(initial);
            last.states.fill(WRITTEN);
        }
        address
    }

    fn place(&mut self, bytes: usize, is_variable: bool) -> u64 {
        let base = self.next;
        self.next += (bytes as u64).next_multiple_of(512) + GUARD;
        self.used += bytes;
        self.peak = self.peak.max(self.used);
        self.allocations.push(Allocation {
            base,
            length: bytes,
            bytes: vec![POISON; bytes],
            states: vec![UNWRITTEN; bytes],
            shadow: Shadow::default(),
            is_freed: false,
            is_variable,
        });
        base
    }

    /// Frees the allocation at `address`.
    pub fn free(&mut self, address: u64) -> Result<(), String> {
        let known = self
            .allocations
            .binary_search_by_key(&address, |allocation| allocation.base);
        let Ok(index) = known else {
            return Err(format!("free of {address:#x}, where no allocation begins"));
        };
        let allocation = &mut self.allocations[index];
        if allocation.is_freed {
            return Err(format!("double free of {address:#x}"));
        }
        allocation.is_freed = true;
        allocation.bytes = Vec::new();
        allocation.states = Vec::new();
        allocation.shadow = Shadow::default();
        self.used -= allocation.length;
        Ok(())
    }

    /// Allocations since the mark that are not freed, variables of modules aside.
    pub fn live(&self) -> usize {
        let live = |allocation: &&Allocation| !allocation.is_freed && !allocation.is_variable;
        self.allocations[self.mark..].iter().filter(live).count()
    }

    /// Begins to count anew. Nothing is freed: a program may still hold what it has.
    pub fn mark(&mut self) {
        self.mark = self.allocations.len();
        self.count = 0;
        self.fail_at = 0;
        self.peak = self.used;
    }

    /// Where `bytes` bytes at `address` lie. `hint` is the allocation to try first.
    #[inline]
    pub fn find(&self, address: u64, bytes: usize, hint: &mut usize) -> Result<Place, String> {
        if let Some(allocation) = self.allocations.get(*hint)
            && !allocation.is_freed
            && address >= allocation.base
            && address + bytes as u64 <= allocation.base + allocation.length as u64
        {
            return Ok((*hint, (address - allocation.base) as usize));
        }
        self.search(address, bytes, hint)
    }

    fn search(&self, address: u64, bytes: usize, hint: &mut usize) -> Result<Place, String> {
        let known = self
            .allocations
            .binary_search_by_key(&address, |allocation| allocation.base);
        let index = match known {
            Ok(index) => index,
            Err(0) => return Err(format!("address {address:#x} is outside every allocation")),
            Err(index) => index - 1,
        };
        let allocation = &self.allocations[index];
        let (base, length) = (allocation.base, allocation.length);
        if allocation.is_freed {
            return Err(format!(
                "address {address:#x} lies in freed memory ({length} bytes at {base:#x})"
            ));
        }
        let end = base + length as u64;
        if address + bytes as u64 > end {
            return Err(format!(
                "{bytes} bytes at {address:#x} end {} bytes after an allocation of {length} bytes at {base:#x}",
                address + bytes as u64 - end
            ));
        }
        *hint = index;
        Ok((index, (address - base) as usize))
    }

    /// The bytes at `address`, and whether each was written.
    pub fn read(&self, address: u64, bytes: usize) -> Result<(&[u8], &[u8]), String> {
        let (index, at) = self.find(address, bytes, &mut usize::MAX.clone())?;
        let allocation = &self.allocations[index];
        Ok((
            &allocation.bytes[at..at + bytes],
            &allocation.states[at..at + bytes],
        ))
    }

    /// The bytes at `address` to be written, with their states.
    pub fn write(&mut self, address: u64, bytes: usize) -> Result<(&mut [u8], &mut [u8]), String> {
        let (index, at) = self.find(address, bytes, &mut usize::MAX.clone())?;
        let allocation = &mut self.allocations[index];
        Ok((
            &mut allocation.bytes[at..at + bytes],
            &mut allocation.states[at..at + bytes],
        ))
    }

    /// The text at `address` up to its zero byte, for messages.
    pub fn text(&self, address: u64) -> Option<String> {
        let (index, at) = self.find(address, 1, &mut usize::MAX.clone()).ok()?;
        let bytes = &self.allocations[index].bytes[at..];
        let end = bytes.iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }
}
