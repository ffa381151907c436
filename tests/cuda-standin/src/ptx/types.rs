//! What a decoded program is made of.

use std::{collections::HashMap, sync::Arc};

use super::vector::Vector;

/// The type of an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Type {
    U8,
    S8,
    U16,
    S16,
    U32,
    S32,
    U64,
    S64,
    F16,
    BF16,
    F16x2,
    BF16x2,
    TF32,
    F32,
    F64,
    Predicate,
}

impl Type {
    /// The type that PTX calls `name`. An untyped size counts as unsigned.
    pub fn parse(name: &str) -> Option<Type> {
        Some(match name {
            "u8" | "b8" => Type::U8,
            "s8" => Type::S8,
            "u16" | "b16" => Type::U16,
            "s16" => Type::S16,
            "u32" | "b32" => Type::U32,
            "s32" => Type::S32,
            "u64" | "b64" => Type::U64,
            "s64" => Type::S64,
            "f16" => Type::F16,
            "bf16" => Type::BF16,
            "f16x2" => Type::F16x2,
            "bf16x2" => Type::BF16x2,
            "tf32" => Type::TF32,
            "f32" => Type::F32,
            "f64" => Type::F64,
            "pred" => Type::Predicate,
            _ => return None,
        })
    }

    /// Bytes of a value in memory.
    pub fn size(self) -> usize {
        match self {
            Type::U8 | Type::S8 => 1,
            Type::U16 | Type::S16 | Type::F16 | Type::BF16 => 2,
            Type::U64 | Type::S64 | Type::F64 => 8,
            _ => 4,
        }
    }

    pub fn is_signed(self) -> bool {
        matches!(self, Type::S8 | Type::S16 | Type::S32 | Type::S64)
    }

    /// Whether a value is one floating-point number.
    pub fn is_float(self) -> bool {
        matches!(
            self,
            Type::F16 | Type::BF16 | Type::TF32 | Type::F32 | Type::F64
        )
    }

    /// The type of each half of a pair.
    pub fn half(self) -> Option<Type> {
        match self {
            Type::F16x2 => Some(Type::F16),
            Type::BF16x2 => Some(Type::BF16),
            _ => None,
        }
    }
}

/// Where an address points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Space {
    Generic,
    Global,
    /// The block's own shared memory.
    Shared,
    /// Shared memory of any block of the cluster.
    Cluster,
    Local,
    /// The kernel's parameters.
    Parameter,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    EqualUnordered,
    NotEqualUnordered,
    LessUnordered,
    LessEqualUnordered,
    GreaterUnordered,
    GreaterEqualUnordered,
    Ordered,
    Unordered,
}

/// How a comparison is combined with a predicate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Combine {
    None,
    And,
    Or,
    Xor,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    Nearest,
    Zero,
    Down,
    Up,
    /// Ties away from zero, for TF32.
    NearestAway,
}

/// An operation on each lane by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LaneOperation {
    Move,
    Add,
    Subtract,
    Multiply,
    MultiplyHigh,
    MultiplyWide,
    Multiply24,
    MultiplyAdd,
    MultiplyAddHigh,
    MultiplyAddWide,
    MultiplyAdd24,
    FusedMultiplyAdd,
    Divide,
    Remainder,
    Minimum,
    Maximum,
    Negate,
    Absolute,
    AbsoluteDifference,
    And,
    Or,
    Xor,
    Not,
    LogicalNot,
    ShiftLeft,
    ShiftRight,
    InsertBits,
    ExtractBits,
    CountOnes,
    LeadingZeros,
    FindLeadingBit,
    ReverseBits,
    PermuteBytes,
    FunnelLeft,
    FunnelRight,
    Logic3,
    DotProduct4,
    Select,
    SelectBySign,
    Set(Comparison),
    Convert,
    CopySign,
    Exp2,
    Log2,
    Reciprocal,
    SquareRoot,
    ReciprocalSquareRoot,
    Sine,
    Cosine,
    Tanh,
    TestProperty(Property),
    ToGeneric,
    FromGeneric,
    IsInSpace,
    MapToBlock,
    BlockOfAddress,
}

/// What `testp` asks of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Property {
    Finite,
    Infinite,
    Number,
    NotANumber,
    Normal,
    Subnormal,
}

/// An operation that reads or writes the carry of its lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CarryOperation {
    Add,
    Subtract,
    MultiplyAddLow,
    MultiplyAddHigh,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtomicOperation {
    Add,
    Minimum,
    Maximum,
    And,
    Or,
    Xor,
    Exchange,
    CompareAndSwap,
    Increment,
    Decrement,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Weak,
    Relaxed,
    Acquire,
    Release,
    AcquireRelease,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shuffle {
    Down,
    Up,
    Butterfly,
    Index,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Vote {
    All,
    Any,
    Uniform,
    Ballot,
}

/// Whom `barrier` lets through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BarrierKind {
    /// Arrives and waits.
    Sync,
    /// Arrives only.
    Arrive,
    /// Arrives, waits and reduces a predicate over all threads.
    Reduce(Vote),
    /// Arrives, waits and counts threads with a predicate.
    Count,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Lane(LaneOperation),
    Carry {
        operation: CarryOperation,
        reads: bool,
        writes: bool,
    },
    Compare {
        comparison: Comparison,
        combine: Combine,
    },
    Branch,
    BranchIndexed,
    Exit,
    Trap,
    /// `assert` in a kernel has failed.
    AssertionFailed,
    Nothing,
    Load,
    Store,
    Atomic(AtomicOperation),
    CopyAsync {
        bytes: u8,
        source_offset: i64,
    },
    CopyCommit,
    CopyWait {
        /// Groups that may still be in flight.
        pending: u32,
    },
    LoadMatrix {
        transposed: bool,
    },
    MatrixMultiply {
        depth: u8,
    },
    Shuffle(Shuffle),
    Vote(Vote),
    Match {
        all: bool,
    },
    Reduce(AtomicOperation),
    WarpBarrier,
    Barrier(BarrierKind),
    ClusterArrive,
    ClusterWait,
    Fence,
    Pack,
    Unpack,
    ActiveMask,
    Elect,
}

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

/// A parameter of a kernel: where it lies among the parameters, and its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub offset: usize,
    pub size: usize,
}

/// One kernel, decoded.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub code: Vec<Instruction>,
    /// The text of each instruction, for messages.
    pub texts: Vec<String>,
    /// Lines of the register file.
    pub lines: usize,
    pub predicates: usize,
    pub constants: Vec<(Slot, u64)>,
    pub specials: Vec<(Slot, String)>,
    /// Bytes of shared memory that the kernel declares.
    pub static_shared: usize,
    /// Bytes of local memory of a thread.
    pub local: usize,
    /// `__cluster_dims__`.
    pub cluster: Option<[u32; 3]>,
    /// `__launch_bounds__`, or the most that any block may have.
    pub most_threads: u32,
}

impl Kernel {
    /// Bytes of all parameters.
    pub fn parameter_bytes(&self) -> usize {
        self.parameters
            .last()
            .map_or(0, |last| last.offset + last.size)
    }
}

/// A variable of a module in global or constant memory.
#[derive(Clone, Debug, Default)]
pub struct GlobalVariable {
    pub name: String,
    pub size: usize,
    pub initial: Vec<u8>,
    pub address: u64,
}

/// A PTX text, decoded.
#[derive(Clone, Debug, Default)]
pub struct Module {
    pub kernels: HashMap<String, Arc<Kernel>>,
    pub globals: Vec<GlobalVariable>,
    /// 90 for `sm_90`.
    pub target: u32,
    /// 805 for PTX 8.5.
    pub version: u32,
}
