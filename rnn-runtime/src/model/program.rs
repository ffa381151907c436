//! What the compiler says about a model, and the code that it generates for it.

use super::{FromNumbers, ModelData, Outputs};
use crate::{
    cpu::run::CpuProgram,
    learner::ValueSpec,
    params::ParamSpec,
    stream::{ProgramWeights, StreamInfo, StreamProgram},
};
use rnn_tables::{
    Buffer, BufferRef, InputMask, Instruction, OutputRange, PORTABLE_UNITS, PackedGate,
    PackedVector, unpack_matrix, unpack_vector,
};

/// How long an axis of time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisSpec {
    /// As long as the input of this number.
    Input(usize),
    /// Always so many steps.
    Fixed(usize),
}

/// A state that a stateful layer keeps from one batch to the next: a hidden input and a hidden
/// output, both without a time axis.
#[derive(Clone, Copy, Debug)]
pub struct StateSpec {
    /// The layer's name.
    pub layer: &'static str,
    /// The state's name in its cell.
    pub name: &'static str,
    /// Its axes after that of the batch.
    pub shape: &'static [usize],
    /// Where inference reads it from.
    pub input: BufferRef,
    /// Where training reads it from.
    pub training_input: BufferRef,
    /// Where inference leaves it.
    pub output: BufferRef,
    /// Where training leaves it.
    pub training_output: BufferRef,
}

impl StateSpec {
    /// Floats of one row.
    pub(super) fn width(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A line of the summary.
#[derive(Clone, Copy, Debug)]
pub struct LayerRow {
    /// The layer's name.
    pub name: &'static str,
    /// Keras's class.
    pub class: &'static str,
    /// As the model has it: `LSTM(16, return_sequences)`. Nothing of an input.
    pub text: &'static str,
    /// The shapes of what it gives, without the batch; `None` is an open length.
    pub shapes: &'static [&'static [Option<usize>]],
    /// Names of its parameters start with this.
    pub prefix: &'static str,
    /// The rows that its inputs come from, indices into [`ModelInfo::layers`], one an edge, and as what.
    pub inputs: &'static [(usize, Role)],
}

/// What a layer does with something that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A value.
    Value,
    /// Its states before the first step.
    InitialState,
    /// The mask that says which steps are real.
    Mask,
}

impl LayerRow {
    /// What it gives, as Keras writes it: `(None, 64)`, or `[(None, 64), (None, 64)]`.
    pub(super) fn shape(&self) -> String {
        let one = |axes: &&[Option<usize>]| {
            let axes = axes.iter();
            let axes: String = axes
                .map(|a| a.map_or(", None".to_owned(), |n| format!(", {n}")))
                .collect();
            format!("(None{axes})")
        };
        match self.shapes {
            [shape] => one(shape),
            all => format!("[{}]", all.iter().map(one).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// What the compiler says about a model.
#[derive(Clone, Copy, Debug)]
pub struct ModelInfo {
    /// The model's name.
    pub name: &'static str,
    /// Its parameters, in storage order.
    pub params: &'static [ParamSpec],
    /// Its inputs.
    pub inputs: &'static [ValueSpec],
    /// The axis of each input; `None` without a time axis.
    pub input_axes: &'static [Option<usize>],
    /// Its outputs.
    pub outputs: &'static [ValueSpec],
    /// What numbers each of them can be.
    pub output_ranges: &'static [OutputRange],
    /// The axis of each output; `None` without a time axis.
    pub output_axes: &'static [Option<usize>],
    /// The axes of time.
    pub axes: &'static [AxisSpec],
    /// The states of stateful layers.
    pub states: &'static [StateSpec],
    /// Its layers.
    pub layers: &'static [LayerRow],
    /// The row of the layer that each output comes from.
    pub output_layers: &'static [usize],
    /// What the compiler decided, and why.
    pub plan: &'static str,
    /// For each layer that takes ids: the input that they come from, the layer's name, and the size
    /// of its vocabulary.
    pub vocabulary: &'static [(usize, &'static str, usize)],
    /// The masks that can be told from the inputs alone, before a layer has run.
    pub input_masks: &'static [InputMask],
    /// Elements of the packed weights of training, those of inference included.
    pub packed_training: usize,
    /// Matrices that only training packs.
    pub matrices_training: &'static [PackedGate],
    /// Vectors that only training packs.
    pub vectors_training: &'static [PackedVector],
    /// Buffers of inference over a batch.
    pub inference: &'static [Buffer],
    /// Buffers of training.
    pub training: &'static [Buffer],
    /// The outputs in inference.
    pub inference_outputs: &'static [BufferRef],
    /// The outputs in training.
    pub training_outputs: &'static [BufferRef],
    /// The gradients of the outputs.
    pub output_gradients: &'static [BufferRef],
    /// The gradients of the inputs; `None` for ids and masks.
    pub input_gradients: &'static [Option<BufferRef>],
    /// The mask of each output in inference: a sequence of width 1 on the output's axis, 1 where
    /// a step is real.
    pub output_masks: &'static [Option<BufferRef>],
    /// The mask of each output in training.
    pub training_masks: &'static [Option<BufferRef>],
    /// What runs over a batch.
    pub schedules: Schedules,
    /// Long sequences can run block by block: no layer needs the last step first, and there is one
    /// axis only.
    pub blocks: bool,
    /// Multiplications for one row and one step, about.
    pub cost: usize,
}

impl ModelInfo {
    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.params.iter().map(ParamSpec::len).sum()
    }
}

/// The instructions of each run over a batch. A stream's are code.
#[derive(Clone, Copy, Debug)]
pub struct Schedules {
    /// A batch, or a block of its steps.
    pub inference: &'static [Instruction],
    /// The forward pass of training.
    pub forward: &'static [Instruction],
    /// The backward pass of training.
    pub backward: &'static [Instruction],
}

/// The weights of a model in a program, as [`Model`](super::Model) needs them.
#[derive(Clone, Copy, Debug)]
pub struct TrainedModel {
    /// What streams read.
    pub weights: ProgramWeights,
    /// What is neither in a table nor packed as it is: runs of weights, with the number of the first.
    pub others: &'static [(usize, &'static [f32])],
    /// The file that they were read from, and what it says of itself.
    pub read_from: &'static str,
}

impl TrainedModel {
    /// The weights in the order of the parameters.
    pub(super) fn weights(&self, stream: &StreamInfo) -> Vec<f32> {
        let mut weights = vec![0.0; stream.weights];
        for m in stream.matrices {
            unpack_matrix(PORTABLE_UNITS, m, self.weights.packed, &mut weights);
        }
        for v in stream.vectors {
            unpack_vector(v, self.weights.packed, &mut weights);
        }
        let (first, tables) = (self.weights.tables.first(), self.weights.tables.floats());
        for &(at, values) in [(first, tables)].iter().chain(self.others) {
            weights[at..at + values.len()].copy_from_slice(values);
        }
        weights
    }
}

/// The code of a model. Generated; nothing in it is meant to be called by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no model",
    label = "not a model itself",
    note = "a model is what `rnn_model!` makes"
)]
pub trait Program: StreamProgram<StepInput: FromNumbers> + CpuProgram + DeviceProgram {
    /// What is known about the model.
    const INFO: ModelInfo;
    /// Its weights, if the program has them.
    const TRAINED: Option<TrainedModel> = None;
    /// The kind of the input ([`super::Sequence`], [`super::Rows`], [`super::Ids`], …), or a tuple
    /// of the kinds of several.
    type Input;
    /// The output of a batch: an [`ndarray::Array`], or what generated code makes of several.
    type Output: Outputs;
    /// The model's data.
    fn data(&self) -> &ModelData;
    /// The model's data, to change.
    fn data_mut(&mut self) -> &mut ModelData;
    /// A model with this data.
    fn from_data(data: ModelData) -> Self;
}

/// The kernels of a model for other devices than the CPU.
#[cfg(feature = "cuda")]
pub trait DeviceProgram: crate::cuda::CudaProgram {}
#[cfg(feature = "cuda")]
impl<P: crate::cuda::CudaProgram> DeviceProgram for P {}

/// The kernels of a model for other devices than the CPU: there are none.
#[cfg(not(feature = "cuda"))]
pub trait DeviceProgram {}
#[cfg(not(feature = "cuda"))]
impl<P> DeviceProgram for P {}
