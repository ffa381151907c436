//! A model of nothing but penalties: two that cancel each other, and a small one that is left over. In
//! what is left one sees the last bits of the large ones.

use ndarray::Array3;
use rnn_runtime::code::*;

use crate::cell::{at, buf};

/// So many that the length of a block depends on how many rows a thread has.
pub const WIDTH: usize = 512;
/// What the small one counts.
pub const LEFT: f32 = 1.0 / (1u64 << 40) as f32;

const X: usize = 0;
const BUFS: &[Buffer] = &[buf(WIDTH, Extent::All), buf(WIDTH, Extent::All)];
const VALUE: ValueSpec = ValueSpec {
    name: "x",
    ids: false,
    time: Some(None),
    features: &[WIDTH],
};

pub struct Penalised(ModelData);

impl StreamProgram for Penalised {
    const STREAM: StreamInfo = StreamInfo {
        weights: 0,
        reads_tables: false,
        starts: false,
        packed: 0,
        matrices: &[],
        vectors: &[],
        computed: (0, 0),
        buffers: &[],
        len: 0,
        outputs: &[],
        states: &[],
    };
    type Values = Inline<8>;
    type StepInput = [f32; WIDTH];
    type StepOutput<'s> = &'s [f32; WIDTH];
    type Computed = Nothing;

    fn step<S: Simd, W: PanelFormat>(
        _: S,
        _: &mut StepMemory<'_, Self, W>,
        _: Tables<'_>,
        _: &Self::StepInput,
    ) {
    }
    fn step_output(_: StepResults<'_, Self>) -> Self::StepOutput<'_> {
        &[0.0; WIDTH]
    }
}

// Where the workspace is built with the feature `cuda`, a program has kernels for devices; nobody moves this one to one.
with_cuda! {
    impl CudaProgram for Penalised {
        const CUDA: CudaCode = CudaCode { computed: &[], forms: &[] };
    }
}

impl Program for Penalised {
    const INFO: ModelInfo = ModelInfo {
        name: "Penalised",
        params: &[],
        inputs: &[VALUE],
        input_axes: &[Some(0)],
        outputs: &[VALUE],
        output_ranges: &[],
        output_axes: &[Some(0)],
        axes: &[AxisSpec::Input(0)],
        states: &[],
        layers: &[],
        output_layers: &[],
        plan: "",
        vocabulary: &[],
        input_masks: &[],
        packed_training: 0,
        matrices_training: &[],
        vectors_training: &[],
        inference: BUFS,
        training: BUFS,
        inference_outputs: &[at(X)],
        training_outputs: &[at(X)],
        output_gradients: &[at(X + 1)],
        input_gradients: &[None],
        output_masks: &[None],
        training_masks: &[None],
        schedules: Schedules {
            inference: FORWARDS,
            forward: FORWARDS,
            backward: &[],
        },
        blocks: true,
        // So much that rows are divided among threads.
        cost: 100_000,
    };
    type Input = Sequence;
    type Output = Array3<f32>;

    fn data(&self) -> &ModelData {
        &self.0
    }
    fn data_mut(&mut self) -> &mut ModelData {
        &mut self.0
    }
    fn from_data(data: ModelData) -> Self {
        Penalised(data)
    }
}

impl CpuProgram for Penalised {
    fn scan(call: ScanCall<'_, '_>) {
        call.unknown();
    }
    fn scan_training(call: ScanCall<'_, '_>) {
        call.unknown();
    }
}

const fn cost(l1: f32, l2: f32) -> Instruction {
    Instruction::Penalty {
        value: at(X),
        width: WIDTH,
        l1,
        l2,
        axis: Some(0),
    }
}

const FORWARDS: &[Instruction] = &[
    Instruction::Input {
        input: 0,
        to: at(X),
        width: WIDTH,
        axis: Some(0),
    },
    cost(1.0, 0.0),
    cost(-1.0, 0.0),
    cost(0.0, LEFT),
];
