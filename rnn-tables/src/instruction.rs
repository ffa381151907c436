//! What a model does, one instruction after another.

use crate::{BufferRef, Fixed, MatrixGradient, Slice, Stage, VectorGradient};

/// The time axis that an instruction runs over, an index into the model's axes; `None`: once.
pub type Axis = Option<usize>;

/// Whether a gradient is always computed, or only if the gradients of the model's inputs are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradientCondition {
    /// A trained parameter depends on it.
    Always,
    /// Only the gradients of the model's inputs depend on it.
    IfInputGradient,
}

/// A form of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One step of a stream.
    Stream,
    /// A batch in inference.
    Inference,
    /// The forward pass of training.
    Forward,
    /// The backward pass of training, last step first.
    Backward,
}

/// What a masked step carries over instead of computing it.
#[derive(Clone, Debug, PartialEq)]
pub struct CarryOver<S: Stage = Fixed> {
    /// A sequence of width 1: 0 where a step is padding.
    pub mask: BufferRef<S>,
    /// States before the step; backwards their gradients.
    pub states: S::List<Slice<S>>,
    /// Outputs, which keep their values of the step before; backwards their gradients.
    pub outputs: S::List<Slice<S>>,
    /// Backwards: gradients of the inputs, which are zero at a masked step. Empty forwards.
    pub inputs: S::List<Slice<S>>,
    /// Keras's `zero_output_for_mask`: outputs of masked steps are zero.
    pub zero_output: bool,
}

/// How a layer changes its values at random in training: `y = x · scale + offset`, where both depend
/// on a number that is drawn for `x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Perturbation {
    /// With probability `rate` the value becomes `dropped`; otherwise `x · scale + offset`.
    Bernoulli {
        /// In `0..1`.
        rate: f32,
        /// The factor of values that stay.
        scale: f32,
        /// Added to values that stay.
        offset: f32,
        /// What the other values become.
        dropped: f32,
    },
    /// `x + stddev · n`, where `n` is drawn from a standard normal distribution.
    Additive {
        /// The standard deviation.
        stddev: f32,
    },
    /// `x · (1 + stddev · n)`, where `n` is drawn from a standard normal distribution.
    Multiplicative {
        /// The standard deviation.
        stddev: f32,
    },
}

/// `BatchNormalization` in training.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalize<S: Stage = Fixed> {
    /// Its input.
    pub input: BufferRef<S>,
    /// Its output.
    pub output: BufferRef<S>,
    /// The gradient of its output.
    pub d_output: BufferRef<S>,
    /// The gradient of its input.
    pub d_input: BufferRef<S>,
    /// Two rows that the forward pass saves for the backward pass: the mean, and the inverse of the
    /// deviation.
    pub saved: BufferRef<S>,
    /// Which steps count: a sequence of width 1.
    pub mask: Option<BufferRef<S>>,
    /// Units.
    pub width: S::Size,
    /// The scale after it, if it has one.
    pub gamma: Option<S::Weight>,
    /// The offset after it, if it has one.
    pub beta: Option<S::Weight>,
    /// The mean of inference.
    pub moving_mean: S::Weight,
    /// The variance of inference.
    pub moving_variance: S::Weight,
    /// Weight of the old moving statistics.
    pub momentum: f32,
    /// Added to the variance.
    pub epsilon: f32,
}

/// One instruction of a schedule.
///
/// A schedule is a flat list. `axis` says which steps an instruction runs for. Instructions that
/// govern others ([`Instruction::IfInputGradient`], [`Instruction::Concurrent`]) stand before them and
/// have their number.
#[derive(Clone, Debug, PartialEq)]
pub enum Instruction<S: Stage = Fixed> {
    /// Copies floats, or a mask's 1 and 0, of one of the model's inputs.
    Input {
        /// Which input.
        input: usize,
        /// Where they go.
        to: BufferRef<S>,
        /// Floats of a step.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// Copies rows of a table by the ids of an input.
    Gather {
        /// Which input.
        input: usize,
        /// The table, `[vocabulary, width]`.
        table: S::Weight,
        /// Rows of the table.
        vocabulary: S::Size,
        /// Where they go.
        to: BufferRef<S>,
        /// Floats of a row.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// Adds the gradient of the rows that [`Instruction::Gather`] copied to the gradient of the table.
    Scatter {
        /// Which input.
        input: usize,
        /// The table.
        table: S::Weight,
        /// The gradient of the copied rows.
        gradient: BufferRef<S>,
        /// Floats of a row.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// 1 where the id of an input is not 0, else 0.
    MaskIds {
        /// Which input.
        input: usize,
        /// Where the mask goes.
        to: BufferRef<S>,
        /// The steps.
        axis: Axis,
    },
    /// The numbers of each row, cut into other steps.
    Reshape {
        /// From here,
        from: BufferRef<S>,
        /// in steps of so many floats,
        from_width: S::Size,
        /// at these steps,
        from_axis: Axis,
        /// to here,
        to: BufferRef<S>,
        /// in steps of so many floats,
        to_width: S::Size,
        /// at these steps.
        to_axis: Axis,
    },
    /// `[time, width]` to `[width, time]`.
    Permute {
        /// From here.
        from: BufferRef<S>,
        /// Floats of a step there.
        width: S::Size,
        /// The steps there.
        axis: Axis,
        /// To here.
        to: BufferRef<S>,
    },
    /// The steps last to first.
    Reverse {
        /// From here.
        from: BufferRef<S>,
        /// To here.
        to: BufferRef<S>,
        /// Floats of a step.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// A value without time at every step.
    Repeat {
        /// The value.
        from: BufferRef<S>,
        /// The sequence.
        to: BufferRef<S>,
        /// Floats.
        width: S::Size,
        /// The steps of the sequence.
        axis: Axis,
    },
    /// The sum over time: the gradient of [`Instruction::Repeat`].
    SumOverTime {
        /// The sequence.
        from: BufferRef<S>,
        /// The sum.
        to: BufferRef<S>,
        /// Floats.
        width: S::Size,
        /// The steps of the sequence.
        axis: Axis,
    },
    /// The sum of several values: the gradient of one that is read several times.
    Sum {
        /// The values.
        from: S::List<BufferRef<S>>,
        /// Their sum.
        to: BufferRef<S>,
        /// Floats.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// Zeros.
    Clear {
        /// What becomes zero.
        to: BufferRef<S>,
        /// Floats.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// Changes values at random.
    Perturb {
        /// How.
        how: Perturbation,
        /// The values.
        from: BufferRef<S>,
        /// What they become.
        to: BufferRef<S>,
        /// Floats of a step.
        width: S::Size,
        /// Numbers are drawn for every step; else one row is drawn for all steps.
        every_step: bool,
        /// Tells the numbers of this layer from those of others.
        stream: u64,
        /// The steps.
        axis: Axis,
    },
    /// The gradient of [`Instruction::Perturb`], with the same numbers.
    PerturbBackward {
        /// How.
        how: Perturbation,
        /// The gradient of what they became.
        from: BufferRef<S>,
        /// The gradient of the values.
        to: BufferRef<S>,
        /// Floats of a step.
        width: S::Size,
        /// As forwards.
        every_step: bool,
        /// As forwards.
        stream: u64,
        /// The steps.
        axis: Axis,
    },
    /// Draws the mask of `dropout(v, rate)` in a cell, one for all steps: 0 or `1 / (1 - rate)`.
    DropoutMask {
        /// Where it goes.
        to: BufferRef<S>,
        /// Floats.
        width: S::Size,
        /// In `0..1`.
        rate: f32,
        /// Tells the numbers of this mask from those of others.
        stream: u64,
    },
    /// Adds a penalty on the size of a value to the loss.
    Penalty {
        /// The value.
        value: BufferRef<S>,
        /// Floats of a step.
        width: S::Size,
        /// Times the sum of absolute values.
        l1: f32,
        /// Times the sum of squares.
        l2: f32,
        /// The steps.
        axis: Axis,
    },
    /// Adds the gradient of [`Instruction::Penalty`].
    PenaltyBackward {
        /// The value.
        value: BufferRef<S>,
        /// Its gradient.
        gradient: BufferRef<S>,
        /// Floats of a step.
        width: S::Size,
        /// As forwards.
        l1: f32,
        /// As forwards.
        l2: f32,
        /// The steps.
        axis: Axis,
    },
    /// `BatchNormalization` by the statistics of the batch; updates the moving statistics.
    Normalize {
        /// What.
        layer: Normalize<S>,
        /// The steps.
        axis: Axis,
    },
    /// Its gradients: of `gamma`, `beta` and the input.
    NormalizeBackward {
        /// What.
        layer: Normalize<S>,
        /// The steps.
        axis: Axis,
        /// When the gradient of its input is computed.
        input_gradient: GradientCondition,
    },
    /// A state before the first step becomes zero.
    StartState {
        /// The state.
        state: BufferRef<S>,
        /// Floats.
        width: S::Size,
    },
    /// A state before the first step becomes a value.
    StartStateFrom {
        /// The state.
        state: BufferRef<S>,
        /// The value.
        value: BufferRef<S>,
        /// Floats.
        width: S::Size,
    },
    /// A value becomes the state after the last step.
    FinishState {
        /// The value.
        value: BufferRef<S>,
        /// The state.
        state: BufferRef<S>,
        /// Floats.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// The gradient of a state after the last step becomes zero.
    EndGradient {
        /// The gradient of the state.
        state: BufferRef<S>,
        /// Floats.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// The gradient of a state after the last step becomes that of the value that the state became.
    EndGradientFrom {
        /// The gradient of the state.
        state: BufferRef<S>,
        /// The gradient of the value.
        value: BufferRef<S>,
        /// Floats.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// The gradient of the value that a state started from becomes that of the state.
    StartGradient {
        /// The gradient of the value.
        value: BufferRef<S>,
        /// The gradient of the state.
        state: BufferRef<S>,
        /// Floats.
        width: S::Size,
    },
    /// The gradient of an output of which only the last step counts: zero at all other steps.
    OnlyLastGradient {
        /// The gradient, in a buffer of [`Extent::Last`](crate::Extent::Last).
        gradient: BufferRef<S>,
        /// Floats.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// The same for a masked layer, where each row's last valid step differs: a gradient at all steps.
    BroadcastLastGradient {
        /// The gradient at all steps.
        to: BufferRef<S>,
        /// The gradient of the output.
        from: BufferRef<S>,
        /// Floats.
        width: S::Size,
        /// The steps.
        axis: Axis,
    },
    /// A row without time becomes zero: an accumulator over the steps of each row.
    ClearAccumulator {
        /// The accumulator.
        to: BufferRef<S>,
        /// Floats.
        width: S::Size,
    },
    /// Runs a cell over time, or once.
    Scan {
        /// Which of the model's cells.
        cell: usize,
        /// In which form.
        form: Form,
        /// The steps.
        axis: Axis,
        /// What masked steps carry over; `None`: no step is masked.
        carry: Option<CarryOver<S>>,
        /// Backwards: when the gradient of its input is computed.
        input_gradient: GradientCondition,
        /// Multiplications for one row and one step, about.
        cost: S::Size,
    },
    /// The gradients of a cell's weights, one product over all rows and steps each.
    WeightGradients {
        /// Of matrices.
        matrices: S::List<MatrixGradient<S>>,
        /// Of vectors.
        vectors: S::List<VectorGradient<S>>,
        /// The steps.
        axis: Axis,
        /// Which steps count: a sequence of width 1.
        mask: Option<BufferRef<S>>,
    },
    /// The next `instructions` run only if the gradients of the model's inputs are asked for.
    IfInputGradient {
        /// How many.
        instructions: usize,
    },
    /// The next `first` instructions and the `second` ones after them share no buffer that either
    /// writes, and neither touches weights: they may run at once.
    Concurrent {
        /// How many instructions the first part has.
        first: usize,
        /// How many the second part has.
        second: usize,
        /// The buffers of the second part; the first part has all others.
        buffers: S::List<usize>,
        /// The steps.
        axis: Axis,
        /// Multiplications for one row and one step of both parts, about.
        cost: S::Size,
    },
    /// If a long sequence runs block by block, the rest of the schedule runs after the last block only.
    AfterLastBlock,
}

impl<S: Stage> Instruction<S> {
    /// How many of the instructions after it it governs: whether and how they run depends on it.
    pub fn governs(&self) -> usize {
        match self {
            Instruction::IfInputGradient { instructions } => *instructions,
            Instruction::Concurrent { first, second, .. } => first.saturating_add(*second),
            _ => 0,
        }
    }
}

impl Copy for CarryOver<Fixed> {}
impl Copy for Normalize<Fixed> {}
