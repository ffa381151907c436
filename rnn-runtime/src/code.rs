//! Everything that generated code names, in one place. Not for use by hand.

pub use ndarray::{Ix2, Ix3};

pub use crate::{
    cpu::{
        math,
        ops::{MatrixGradient, Normalize, Sweep, Times, VectorGradient},
        phase::{
            Body, Buf, Matrix, Memory, Phase, Ref, Segment, Steps, Tile, Vector, array, packed_len,
            padded, run_all, run_rows,
        },
        simd::Simd,
    },
    learner::ValueSpec,
    model::{
        BufSpec, Computed, Core, Extent, Id, Ids, Inference, LayerRow, Model, Nothing, Program,
        Rows, Sequence, Spec, Streamable, Training,
    },
    params::{Init, ParamSpec},
};
