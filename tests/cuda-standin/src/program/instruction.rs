//! An instruction and its operands.

use super::{
    operations::{Operation, Order},
    types::{Rounding, Space, Type},
};
use crate::simd::Vector;

/// Where a value lies in the register file of a warp. Registers, immediates and special registers all become slots, so
/// that the interpreter sees nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Slot(u32);

impl Slot {
    /// No operand.
    pub const NONE: Slot = Slot(u32::MAX);
    const WIDE: u32 = 1 << 31;
    const PREDICATE: u32 = 1 << 30;

    /// A line of 32 words, a word for each lane; a wide one has its high words in the next line.
    pub fn register(line: usize, wide: bool) -> Slot {
        Slot(line as u32 | if wide { Self::WIDE } else { 0 })
    }

    pub fn predicate(index: usize) -> Slot {
        Slot(index as u32 | Self::PREDICATE)
    }

    #[inline(always)]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    #[inline(always)]
    pub fn is_predicate(self) -> bool {
        !self.is_none() && self.0 & Self::PREDICATE != 0
    }

    #[inline(always)]
    pub fn is_wide(self) -> bool {
        !self.is_none() && self.0 & Self::WIDE != 0
    }

    /// A register of 32 bits.
    #[inline(always)]
    pub fn is_narrow(self) -> bool {
        self.0 & (Self::WIDE | Self::PREDICATE) == 0
    }

    #[inline(always)]
    pub fn index(self) -> usize {
        (self.0 & !(Self::WIDE | Self::PREDICATE)) as usize
    }
}

#[derive(Clone, Debug)]
pub struct Instruction {
    pub operation: Operation,
    /// The type of the result, or of the value that is stored.
    pub ty: Type,
    /// The type of the operands where it is another one (`cvt`, `mma`), or of the parts of a packed value.
    pub source_type: Type,
    pub space: Space,
    pub rounding: Rounding,
    /// `.ftz`: denormal numbers count as zero.
    pub flush: bool,
    pub saturate: bool,
    /// `.relu`: negative results become zero.
    pub relu: bool,
    /// `.NaN`: a minimum or maximum with a NaN is NaN.
    pub propagate_nan: bool,
    /// Rounds to an integral value (`.rni`, `.rzi` …).
    pub integral: bool,
    /// `.approx`: the hardware's last bits are its own.
    pub approximate: bool,
    pub order: Order,
    /// The predicate that decides which lanes execute.
    pub guard: Slot,
    pub guard_negated: bool,
    pub destination: Slot,
    pub sources: [Slot; 4],
    /// Negates a predicate operand; `.clamp` of a funnel shift; `.shiftamt` of `bfind`.
    pub negated: bool,
    /// Added to the address.
    pub offset: i64,
    /// The registers of a vector, a matrix fragment or a second result.
    pub list: Box<[Slot]>,
    /// Where a branch goes.
    pub targets: Box<[u32]>,
    /// The line in the PTX.
    pub line: u32,
    /// All lanes at once, where there is a function for it.
    pub vector: Option<Vector>,
}

impl Instruction {
    pub fn new(operation: Operation, ty: Type, line: u32) -> Instruction {
        Instruction {
            operation,
            ty,
            source_type: ty,
            space: Space::Generic,
            rounding: Rounding::Nearest,
            flush: false,
            saturate: false,
            relu: false,
            propagate_nan: false,
            integral: false,
            approximate: false,
            order: Order::Weak,
            guard: Slot::NONE,
            guard_negated: false,
            destination: Slot::NONE,
            sources: [Slot::NONE; 4],
            negated: false,
            offset: 0,
            list: Box::default(),
            targets: Box::default(),
            line,
            vector: None,
        }
    }

    /// Bytes that one lane loads or stores.
    pub fn bytes(&self) -> usize {
        self.ty.size() * self.list.len()
    }
}
