//! All items that generated code names. Not for use by hand.

pub use rnn_tables::{
    Buffer, BufferRef, CarryOver, Extent, Form, GradientCondition, InputMask, Instruction, Kernel,
    MaskRule, MatrixGradient, MatrixSlice, Normalize, OutputRange, PackedGate, PackedOffset,
    PackedVector, Perturbation, Segment, Slice, VectorGradient, VectorSlice, WeightOffset,
};

pub use crate::{
    cpu::{
        arena::{Aligned, Inline, lines},
        kernel::{
            AllPositions, Body, Buf, Memory, PanelFormat, Panels, READ_PAST, StepMemory,
            StepResults, StepTile, StreamBody, StreamSlice, StridedPointers, Tile, all_at,
            packed_len, packed_start, padded, run_all, run_step, small_panel, step_at,
            stream_layout, stream_len,
        },
        math,
        simd::Simd,
    },
    error::Error,
    stream::{
        CallWith, Computed, Id, Nothing, ProgramModel, ProgramStream, ProgramWeights, StreamInfo,
        StreamOver, StreamProgram, StreamState, Streamable, Tables,
    },
};

#[cfg(feature = "std")]
pub use with_std::*;

#[cfg(feature = "cuda")]
pub use crate::cuda::{CudaCode, CudaForm, CudaKernel, CudaProgram, CudaScan};

#[cfg(feature = "std")]
mod with_std {
    pub use std::vec::Vec;

    pub use ndarray::{
        Array, Array1, Array2, Array3, Array4, ArrayD, ArrayView2, ArrayView3, ArrayView4,
        ArrayView5, Ix2, Ix3, Ix4,
    };

    pub use crate::{
        cpu::{
            kernel::{Positions, ValidPositions},
            ops::{Scan, Times},
            run::{CpuProgram, ScanCall},
        },
        executor::{Concurrent, Executor, execute},
        learner::ValueSpec,
        model::{
            AxisSpec, Batch, FromNumbers, Ids, IntoInput, Kind, LayerRow, LayerState, Masks, Model,
            ModelData, ModelInfo, Outputs, Program, Role, Rows, Rows2, Rows3, Schedules, Sequence,
            Sequence2, Sequence3, StateSpec, Token, TrainedModel,
        },
        params::{
            Constraint, Distribution, FanMode, Init, OwnInit, ParamSpec, Regularizer, axes_of,
            write_own,
        },
    };
}

/// Without std a model is only a type: the weights that its streams read are kept elsewhere.
#[cfg(not(feature = "std"))]
#[derive(Clone, Copy, Debug)]
pub enum ModelData {}

/// Items that need std; expands to nothing if the feature is off. Only the runtime knows its features, the
/// crate that contains a model does not.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_std {
    ($($items:tt)*) => { $($items)* };
}
#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_std {
    ($($items:tt)*) => {};
}

/// The kernels for CUDA devices; expands to nothing if the feature `cuda` is off.
#[cfg(feature = "cuda")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_cuda {
    ($($items:tt)*) => { $($items)* };
}
#[cfg(not(feature = "cuda"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_cuda {
    ($($items:tt)*) => {};
}

/// The value of a model that has no name.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! __new_model {
    ($model:ident) => {
        <$model as $crate::code::Model>::new()
    };
}
#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __new_model {
    ($model:ident) => {
        compile_error!("without the feature `std` a model is a type: give it a name, `rnn_model! { struct Name = … }`, and stream it over `PackedWeights::<Name>`")
    };
}
pub use crate::{__new_model as new_model, __with_cuda as with_cuda, __with_std as with_std};
