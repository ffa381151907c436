//! What the compiler knows of an operator that is no cell. Each stands in a file of its own in `ops/`.

use std::fmt::Debug;

use rnn_tables::Perturbation;

use super::{AxisId, BufferRef, Instruction, ParamId, Shape};
use crate::{cell::size::Size, diagnostics::Sound};

/// An operator that is no cell: where its values lie, what runs, how it is explained.
pub trait OpDef: Debug {
    /// Where its result, or a gradient, equals what it reads and can share its buffer.
    fn shares(&self) -> Shares {
        Shares::default()
    }

    /// Why it cannot run in a stream, if it needs several steps: "its steps are features of all steps".
    fn needs_all(&self) -> Option<&'static str> {
        None
    }

    /// How it works inside `TimeDistributed`.
    fn per_step(&self) -> PerStep {
        PerStep::Never
    }

    /// Whether it does nothing between these shapes.
    fn is_identity(&self, from: &Shape, to: &Shape) -> bool {
        let _ = (from, to);
        false
    }

    /// Whether every number of its result is one that it reads, in inference.
    fn keeps_numbers(&self) -> bool {
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

    /// Whether the two directions of `Bidirectional` can run at once although it stands between them.
    fn between_directions(&self) -> Between {
        Between::Never
    }

    /// What `Model::plan()` says about it; `None` for operators that users did not write.
    fn explain(&self) -> Option<String>;

    /// What runs forwards, if anything does.
    ///
    /// # Errors
    /// If `call` does not fit the operator, which is a mistake of the compiler.
    fn forward(&self, call: &OpCall, pass: Pass) -> Sound<Option<Instruction>>;

    /// What runs backwards, if anything does.
    ///
    /// # Errors
    /// As [`OpDef::forward`].
    fn backward(&self, call: &OpCall) -> Sound<Option<Instruction>>;

    /// Its result in float64, for tests: a plain formula that shares nothing with the instructions.
    fn reference(&self, x: &Reference<'_>) -> Vec<f64>;
}

/// Whether the result of an operator equals what it reads, so that both can share a buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// In streams and in inference.
    pub inference: bool,
    /// In the forward pass of training.
    pub training: bool,
    /// The gradient of what it reads is that of its result.
    pub gradient: bool,
}

/// Which forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// A stream, or inference over a batch.
    Inference,
    /// The forward pass of training.
    Training,
}

/// How an operator works inside `TimeDistributed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerStep {
    /// It cannot stand there.
    Never,
    /// It works on a sequence as it does on a step.
    Same,
    /// It only changes the shape in which the numbers of a step are seen.
    View,
}

/// What an operator between two directions does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// Something that keeps the directions from running at once.
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
    /// It draws for every step; otherwise once for all steps.
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
    /// In training, the numbers drawn: `[rows][steps or 1][width]`. Either 1 for a value that stays and 0
    /// for a value that is dropped, or standard normal numbers.
    pub drawn: Option<&'a [f64]>,
}
