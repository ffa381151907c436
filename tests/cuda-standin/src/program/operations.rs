//! What instructions do.

use super::types::{Combine, Comparison};

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
