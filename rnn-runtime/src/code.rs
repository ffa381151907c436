//! Everything that generated code names, in one place. Not for use by hand.

pub use std::vec::Vec;

pub use ndarray::{
    Array, Array1, Array2, Array3, Array4, ArrayD, ArrayView2, ArrayView3, ArrayView4, ArrayView5,
    Ix2, Ix3, Ix4,
};

pub use rnn_tables::{
    Buffer, BufferRef, CarryOver, Direction, Extent, Instruction, Kernel, MatrixGradient,
    MatrixSlice, Normalize, PackedMatrix, PackedOffset, PackedVector, Perturbation, Segment, Slice,
    VectorGradient, VectorSlice, Wanted, WeightOffset,
};

pub use crate::{
    cpu::{
        math,
        ops::{Sweep, Times},
        phase::{
            Active, Body, Buf, Columns, Every, Memory, Places, Tile, all_at, array, packed_len,
            padded, run_all, run_rows, step_at, stream_layout, stream_len,
        },
        run::{CpuProgram, ScanCall},
        simd::Simd,
    },
    error::Error,
    executor::{Concurrent, Executor, execute},
    learner::ValueSpec,
    model::{
        AxisSpec, Batch, Computed, Core, Id, Ids, IntoInput, Kind, LayerRow, LayerState, MaskRule,
        Masks, Model, Nothing, Outputs, Program, Role, Rows, Rows2, Rows3, Schedules, Sequence,
        Sequence2, Sequence3, Spec, StateSpec, StreamState, Streamable, Token,
    },
    params::{Constraint, Distribution, FanMode, Init, ParamSpec, Regularizer},
};
