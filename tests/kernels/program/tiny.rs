//! A model as the compiler writes it, by hand: `h' = x W + b + h U` under a mask, its states given
//! by an input or kept from batch to batch. What does not depend on each other runs in `both`.

use std::marker::PhantomData;

use ndarray::{Array2, Array3};
use rnn_runtime::code::*;

use crate::cell::*;

/// The model; `STATEFUL`: stateful. Inputs: `x`, `real` (a mask), `from` (the first state). Outputs:
/// the sequence of states, and the last.
pub type Tiny<const STATEFUL: bool> = OrOnlyInfers<STATEFUL, true>;

/// The same; without `TRAINS` a program that names the kernels of training does not compile.
pub struct OrOnlyInfers<const STATEFUL: bool, const TRAINS: bool>(ModelData);

const fn part(param: usize) -> MatrixSlice {
    MatrixSlice {
        param: WeightOffset(param),
        columns: UNITS,
        row: 0,
        column: 0,
    }
}

const fn matrix(param: usize, k: usize, width: usize, to: usize, transposed: bool) -> PackedGate {
    PackedGate {
        from: part(param),
        k,
        width,
        transposed,
        to: PackedOffset(to),
        gate: 0,
        gates: 1,
    }
}

const fn value(
    name: &'static str,
    time: Option<Option<usize>>,
    features: &'static [usize],
) -> ValueSpec {
    ValueSpec {
        name,
        ids: false,
        time,
        features,
    }
}

const KEPT_STATES: &[StateSpec] = &[StateSpec {
    layer: "tiny",
    name: "h",
    shape: &[UNITS],
    input: at(KEPT),
    training_input: at(KEPT),
    output: at(END),
    training_output: at(END),
}];

impl<const STATEFUL: bool, const TRAINS: bool> StreamProgram for OrOnlyInfers<STATEFUL, TRAINS> {
    const STREAM: StreamInfo = StreamInfo {
        weights: B + UNITS,
        reads_tables: false,
        starts: false,
        packed: PWT,
        matrices: &[
            matrix(W, IN, UNITS, PW, false),
            matrix(U, UNITS, UNITS, PU, false),
        ],
        vectors: &[PackedVector {
            from: VectorSlice {
                param: WeightOffset(B),
                offset: 0,
            },
            width: UNITS,
            to: PackedOffset(PB),
        }],
        computed: (0, 0),
        buffers: &STREAM,
        len: STREAM[Y].offset() + STREAM[Y].len(),
        outputs: &[(STREAM[Y].offset(), UNITS)],
        states: &[StreamState {
            layer: "tiny",
            name: "h",
            shape: &[UNITS],
            buf: at(H),
        }],
    };
    type Values = Inline<8>;
    type StepInput = ([f32; IN], bool);
    type StepOutput<'s> = &'s [f32; UNITS];
    type Computed = Nothing;

    #[inline(always)]
    fn step<S: Simd, W: PanelFormat>(
        s: S,
        m: &mut StepMemory<'_, Self, W>,
        _: Tables<'_>,
        x: &Self::StepInput,
    ) {
        m.set(const { StreamSlice::<Self, IN>::new(&at(X)) }, &x.0);
        let real = const { StreamSlice::<Self, 1>::new(&at(REAL)) };
        m.set(real, &[f32::from(x.1)]);
        if m.is_padding(real) {
            m.copy(
                const { StreamSlice::<Self, UNITS>::new(&at(H)) },
                const { StreamSlice::<Self, UNITS>::new(&after(H)) },
            );
            m.hold_output(const { StreamSlice::<Self, UNITS>::new(&at(Y)) });
        } else {
            run_step::<S, W, StreamPre<Self>>(s, m);
            run_step::<S, W, StreamStep<Self>>(s, m);
        }
    }
    fn step_output(values: StepResults<'_, Self>) -> Self::StepOutput<'_> {
        values.array(const { StreamSlice::<Self, UNITS>::output(&at(Y)) })
    }
}

struct StreamPre<P>(PhantomData<P>);
impl<P: StreamProgram> StreamBody for StreamPre<P> {
    type Program = P;
    const KERNEL: Kernel = PRE;
    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat>(s: S, k: &StepTile<'_, Self, S, W>) {
        let p = k.zeros::<1>();
        let p = k.segment::<0, 0, 1>(p);
        k.store::<0>(s.add(p[0], k.vector::<0>()));
    }
}

struct StreamStep<P>(PhantomData<P>);
impl<P: StreamProgram> StreamBody for StreamStep<P> {
    type Program = P;
    const KERNEL: Kernel = STEP;
    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat>(s: S, k: &StepTile<'_, Self, S, W>) {
        let p = k.zeros::<1>();
        let p = k.segment::<0, 0, 1>(p);
        let h = s.add(p[0], k.load::<0>());
        k.store::<0>(h);
        k.store::<1>(h);
    }
}

// Where the workspace is built with the feature `cuda`, a program has kernels for devices; nobody moves this one to one.
with_cuda! {
    impl<const STATEFUL: bool, const TRAINS: bool> CudaProgram for OrOnlyInfers<STATEFUL, TRAINS> {
        const CUDA: CudaCode = CudaCode { computed: &[], forms: &[] };
    }
}

impl<const STATEFUL: bool, const TRAINS: bool> Program for OrOnlyInfers<STATEFUL, TRAINS> {
    const INFO: ModelInfo = ModelInfo {
        name: "Tiny",
        params: &[
            ParamSpec::new("tiny/kernel", &[IN, UNITS], Init::GlorotUniform),
            ParamSpec::new(
                "tiny/recurrent_kernel",
                &[UNITS, UNITS],
                Init::Orthogonal { gain: 1.0 },
            ),
            ParamSpec::new(
                "tiny/bias",
                &[UNITS],
                Init::RandomNormal {
                    mean: 0.0,
                    stddev: 0.05,
                },
            ),
        ],
        inputs: &[
            value("x", Some(None), &[IN]),
            value("real", Some(None), &[]),
            value("from", None, &[UNITS]),
        ],
        input_axes: &[Some(0), Some(0), None],
        outputs: &[
            value("y", Some(None), &[UNITS]),
            value("end", None, &[UNITS]),
        ],
        output_ranges: &[],
        output_axes: &[Some(0), None],
        axes: &[AxisSpec::Input(0)],
        states: if STATEFUL { KEPT_STATES } else { &[] },
        layers: &[
            LayerRow {
                name: "x",
                class: "Input",
                text: "",
                shapes: &[&[None, Some(3)]],
                prefix: "x",
                inputs: &[],
            },
            LayerRow {
                name: "tiny \"one\"",
                class: "RNN",
                text: "RNN(Tiny(2))",
                shapes: &[&[None, Some(2)]],
                prefix: "tiny",
                inputs: &[(0, Role::Value), (0, Role::Mask), (0, Role::InitialState)],
            },
        ],
        output_layers: &[1, 1],
        plan: "",
        vocabulary: &[],
        input_masks: &[InputMask {
            input: 1,
            rule: MaskRule::Given,
        }],
        packed_training: PACKED,
        matrices_training: &[
            matrix(W, UNITS, IN, PWT, true),
            matrix(U, UNITS, UNITS, PUT, true),
        ],
        vectors_training: &[],
        inference: INFERENCE,
        training: TRAINING,
        inference_outputs: &[at(Y), at(END)],
        training_outputs: &[at(Y), at(END)],
        output_gradients: &[at(DY), at(D_END)],
        input_gradients: &[Some(at(DX)), None, Some(at(D_FROM))],
        output_masks: &[Some(at(REAL)), None],
        training_masks: &[Some(at(REAL)), None],
        schedules: Schedules {
            inference: &forwards::<STATEFUL>(Form::Inference, 0),
            forward: &forwards::<STATEFUL>(Form::Forward, usize::MAX),
            backward: &BACKWARD,
        },
        blocks: true,
        cost: 4000,
    };
    type Input = (Sequence, Masks, Rows);
    type Output = (Array3<f32>, Array2<f32>);

    fn data(&self) -> &ModelData {
        &self.0
    }
    fn data_mut(&mut self) -> &mut ModelData {
        &mut self.0
    }
    fn from_data(data: ModelData) -> Self {
        Self(data)
    }
}

impl<const STATEFUL: bool, const TRAINS: bool> CpuProgram for OrOnlyInfers<STATEFUL, TRAINS> {
    fn scan(call: ScanCall<'_, '_>) {
        call.forward_masked::<Forward>();
    }
    fn scan_training(call: ScanCall<'_, '_>) {
        const {
            assert!(
                TRAINS,
                "a program that only infers compiles the kernels of training"
            )
        };
        match call.form() {
            Form::Backward => call.backward_masked::<Backward>(),
            _ => call.forward_masked::<Forward>(),
        }
    }
}

const fn input(input: usize, to: usize, width: usize, axis: Option<usize>) -> Instruction {
    Instruction::Input {
        input,
        to: at(to),
        width,
        axis,
    }
}

const fn at_once(
    first: usize,
    second: usize,
    buffers: &'static [usize],
    cost: usize,
) -> Instruction {
    Instruction::Concurrent {
        first,
        second,
        buffers,
        axis: Some(0),
        cost,
    }
}

const fn scan(form: Form, carry: CarryOver) -> Instruction {
    Instruction::Scan {
        cell: 0,
        form,
        axis: Some(0),
        carry: Some(carry),
        input_gradient: GradientCondition::IfInputGradient,
        // So much that rows are divided among threads.
        cost: 100_000,
    }
}

/// Inference and the forward pass are the same: `cost` is what the concurrent parts cost.
const fn forwards<const STATEFUL: bool>(form: Form, cost: usize) -> [Instruction; 9] {
    [
        at_once(3, 1, &[X], cost),
        input(1, REAL, 1, Some(0)),
        input(2, FROM, UNITS, None),
        Instruction::StartStateFrom {
            state: at(H),
            value: at(if STATEFUL { KEPT } else { FROM }),
            width: UNITS,
        },
        input(0, X, IN, Some(0)),
        scan(form, CARRY),
        at_once(1, 1, &[Y], cost),
        Instruction::FinishState {
            value: at(END),
            state: at(H),
            width: UNITS,
            axis: Some(0),
        },
        Instruction::Penalty {
            value: at(Y),
            width: UNITS,
            l1: 0.0,
            l2: 0.5,
            axis: Some(0),
        },
    ]
}

const fn gradient(operand: usize, k: usize, param: usize) -> MatrixGradient {
    MatrixGradient {
        operand: at(operand),
        k,
        gradient: at(DZ),
        width: UNITS,
        to: MatrixSlice {
            param: WeightOffset(param),
            columns: UNITS,
            row: 0,
            column: 0,
        },
    }
}

const BACKWARD: [Instruction; 6] = [
    at_once(1, 1, &[Y, DY], usize::MAX),
    Instruction::EndGradientFrom {
        state: at(DH),
        value: at(D_END),
        width: UNITS,
        axis: Some(0),
    },
    Instruction::PenaltyBackward {
        value: at(Y),
        gradient: at(DY),
        width: UNITS,
        l1: 0.0,
        l2: 0.5,
        axis: Some(0),
    },
    scan(Form::Backward, CARRY_BACKWARD),
    Instruction::StartGradient {
        value: at(D_FROM),
        state: at(DH),
        width: UNITS,
    },
    Instruction::WeightGradients {
        matrices: &[gradient(X, IN, W), gradient(H, UNITS, U)],
        vectors: &[VectorGradient {
            gradient: at(DZ),
            width: UNITS,
            accumulated: false,
            to: VectorSlice {
                param: WeightOffset(B),
                offset: 0,
            },
        }],
        axis: Some(0),
        mask: Some(at(REAL)),
    },
];

const STREAM: [Buf; 6] = [
    Buf::new(0, 16, 1, 1, Extent::One),
    Buf::new(16, 16, 1, 1, Extent::One),
    Buf::new(32, 16, 1, 1, Extent::One),
    Buf::new(48, 16, 1, 1, Extent::One),
    Buf::new(64, 16, 1, 2, Extent::Ring),
    Buf::new(96, 16, 1, 1, Extent::One),
];

impl<const STATEFUL: bool, const TRAINS: bool> Streamable for OrOnlyInfers<STATEFUL, TRAINS> {}

/// The model in plain loops: the sequence of outputs and the last state, of one row.
pub fn plain(w: &[f64], x: &[f64], real: &[bool], from: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut h, mut y) = (from.to_vec(), Vec::new());
    let mut out = vec![0.0; UNITS];
    for (t, &real) in real.iter().enumerate() {
        if real {
            let next = |j: usize| {
                let x = &x[t * IN..(t + 1) * IN];
                let from_x = (0..IN).map(|i| x[i] * w[W + i * UNITS + j]);
                let from_h = (0..UNITS).map(|i| h[i] * w[U + i * UNITS + j]);
                from_x.chain(from_h).sum::<f64>() + w[B + j]
            };
            h = (0..UNITS).map(next).collect();
            out = h.clone();
        }
        y.extend(&out);
    }
    (y, h)
}
