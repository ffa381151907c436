//! What the compiler knows of an operator that is no cell. Each stands in a file of its own in `ops/`.

use std::fmt::Debug;

use rnn_tables::Perturbation;

use super::{AxisId, BufferRef, Instruction, ParamId, Shape};
use crate::{cell::size::Size, diagnostics::Sound};

/// An operator that is no cell: where its values lie, what runs, how it is explained.
pub trait OpDef: Debug {
    /// Where its result, or a gradient, is what it reads.
    fn shares(&self) -> Shares {
        Shares::default()
    }

    /// Why a stream cannot have it, if it needs several steps: "its steps are features of all steps".
    fn needs_all(&self) -> Option<&'static str> {
        None
    }

    /// What becomes of it inside of `TimeDistributed`.
    fn per_step(&self) -> PerStep {
        PerStep::Never
    }

    /// Whether nothing has to be done between these shapes.
    fn is_identity(&self, from: &Shape, to: &Shape) -> bool {
        let _ = (from, to);
        false
    }

    /// What it draws at random in training.
    fn draws(&self) -> Option<Draws> {
        None
    }

    /// The parameter that it reads, and whether that is trained.
    fn param(&self) -> Option<(ParamId, bool)> {
        None
    }

    /// What it may do between the two directions of `Bidirectional` without keeping them from running
    /// at once.
    fn between_directions(&self) -> Between {
        Between::Never
    }

    /// What `Model::plan()` says of it; `None`: nothing, since users did not write it.
    fn explain(&self) -> Option<String>;

    /// What runs forwards, if anything does.
    ///
    /// # Errors
    /// If it was given other values than it reads, which is a mistake of the compiler.
    fn forward(&self, call: &OpCall, pass: Pass) -> Sound<Option<Instruction>>;

    /// What runs backwards, if anything does.
    ///
    /// # Errors
    /// As [`OpDef::forward`].
    fn backward(&self, call: &OpCall) -> Sound<Option<Instruction>>;

    /// Its result in float64, for tests: a plain formula that shares nothing with the instructions.
    fn reference(&self, x: &Reference<'_>) -> Vec<f64>;
}

/// Whether the result of an operator is what it reads, so that it needs no buffer of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// In streams and in inference.
    pub inference: bool,
    /// In the forward pass of training.
    pub training: bool,
    /// The gradient of what it reads is that of its result.
    pub gradient: bool,
}

/// A pass forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// A stream, or inference over a batch.
    Inference,
    /// The forward pass of training.
    Training,
}

/// What becomes of an operator inside of `TimeDistributed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerStep {
    /// It cannot stand there.
    Never,
    /// It does the same to a sequence.
    Same,
    /// It only sees the numbers of a step in another shape.
    View,
}

/// What an operator may do between two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// It keeps them from running at once.
    Never,
    /// It moves what the second direction reads.
    Moves,
    /// It hands a value to several readers: backwards it sums their gradients.
    FansOut,
}

/// What an operator draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draws {
    /// How it changes values.
    pub how: Perturbation,
    /// For every step, else once for all.
    pub every_step: bool,
    /// The layer's `seed`.
    pub seed: Option<u64>,
}

/// The values of one use of an operator.
#[derive(Clone, Debug)]
pub struct OpCall {
    /// What it reads.
    pub inputs: Vec<OpValue>,
    /// What it gives.
    pub outputs: Vec<OpValue>,
    /// Tells its random numbers from those of others.
    pub stream: u64,
}

/// A value of an operator.
#[derive(Clone, Debug)]
pub struct OpValue {
    /// Where it lies.
    pub at: BufferRef,
    /// Where its gradient lies, in training.
    pub gradient: BufferRef,
    /// Its value in training, which gradients may need.
    pub trained: BufferRef,
    /// Units.
    pub width: Size,
    /// Its time axis.
    pub axis: Option<AxisId>,
}

/// What [`OpDef::reference`] is given: `[rows][steps][width]` numbers.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// Rows.
    pub rows: usize,
    /// Steps; 1 of a value without time.
    pub steps: usize,
    /// Numbers of a step.
    pub width: usize,
    /// The numbers.
    pub data: &'a [f64],
    /// Steps of the result.
    pub to_steps: usize,
    /// Numbers of a step of the result.
    pub to_width: usize,
    /// In training: what was drawn, `[rows][steps or 1][width]`. 1 where a value stays and 0 where it
    /// is dropped, or standard normal numbers.
    pub drawn: Option<&'a [f64]>,
}
