//! A model as the compiler writes it, by hand: `h' = x W + b + h U` under a mask, its states given
//! by an input or kept from batch to batch. What does not depend on each other runs in `both`.

use ndarray::{Array2, Array3};
use rnn_runtime::code::*;

use crate::cell::*;

/// The model; `KEEPS`: stateful. Inputs: `x`, `real` (a mask), `from` (the first state). Outputs:
/// the sequence of states, and the last.
pub struct Tiny<const KEEPS: bool>(Core);

const fn part(param: usize) -> MatrixSlice {
    MatrixSlice {
        param: WeightOffset(param),
        columns: UNITS,
        row: 0,
        column: 0,
    }
}

const fn matrix(param: usize, k: usize, width: usize, to: usize, transposed: bool) -> PackedMatrix {
    PackedMatrix {
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

impl<const KEEPS: bool> Program for Tiny<KEEPS> {
    const SPEC: Spec = Spec {
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
        output_axes: &[Some(0), None],
        axes: &[AxisSpec::Input(0)],
        states: if KEEPS { KEPT_STATES } else { &[] },
        layers: &[
            LayerRow {
                name: "x",
                class: "Input",
                shapes: &[&[None, Some(3)]],
                prefix: "x",
                inputs: &[],
            },
            LayerRow {
                name: "tiny \"one\"",
                class: "RNN",
                shapes: &[&[None, Some(2)]],
                prefix: "tiny",
                inputs: &[(0, Role::Value), (0, Role::Mask), (0, Role::InitialState)],
            },
        ],
        output_layers: &[1, 1],
        plan: "",
        vocabulary: &[],
        mask_rules: &[MaskRule::Given(1)],
        packed: PWT,
        packed_training: PACKED,
        matrices: &[
            matrix(W, IN, UNITS, PW, false),
            matrix(U, UNITS, UNITS, PU, false),
        ],
        matrices_training: &[
            matrix(W, UNITS, IN, PWT, true),
            matrix(U, UNITS, UNITS, PUT, true),
        ],
        vectors: &[PackedVector {
            from: VectorSlice {
                param: WeightOffset(B),
                offset: 0,
            },
            width: UNITS,
            to: PackedOffset(PB),
        }],
        vectors_training: &[],
        computed: (0, 0),
        stream: &STREAM,
        stream_len: STREAM[Y].offset() + STREAM[Y].len(),
        stream_states: &[StreamState {
            layer: "tiny",
            name: "h",
            shape: &[UNITS],
            buf: at(H),
        }],
        inference: INFERENCE,
        training: TRAINING,
        inference_outputs: &[at(Y), at(END)],
        training_outputs: &[at(Y), at(END)],
        output_gradients: &[at(DY), at(D_END)],
        input_gradients: &[Some(at(DX)), None, Some(at(D_FROM))],
        output_masks: &[Some(at(REAL)), None],
        training_masks: &[Some(at(REAL)), None],
        blocks: true,
        cost: 4000,
    };
    type Input = (Sequence, Masks, Rows);
    type Output = (Array3<f32>, Array2<f32>);
    type StepInput = ([f32; IN], bool);
    type StepOutput<'s> = &'s [f32; UNITS];
    type Computed = Nothing;

    fn core(&self) -> &Core {
        &self.0
    }
    fn core_mut(&mut self) -> &mut Core {
        &mut self.0
    }
    fn from_core(core: Core) -> Self {
        Tiny(core)
    }
    #[inline(always)]
    fn step<S: Simd>(s: S, m: &mut Memory<'_>, _: &[f32], t: usize, x: &Self::StepInput) {
        m.set(&at(X), &x.0);
        m.set(&at(REAL), &[f32::from(x.1)]);
        if !m.held(&HELD, t) {
            run_rows::<S, Pre>(s, m, &PRE, t);
            run_rows::<S, Step>(s, m, &STEP, t);
        }
    }
    fn step_output(values: &[f32]) -> Self::StepOutput<'_> {
        array(values, STREAM[Y].offset())
    }
    fn infer(c: &mut Inference<'_>) {
        let times = c.axis(0);
        c.both(
            &[X],
            |c| {
                c.input(1, &at(REAL), 1, times);
                c.input(2, &at(FROM), UNITS, c.one());
                c.start_from(&at(H), &at(if KEEPS { KEPT } else { FROM }), UNITS);
            },
            |c| c.input(0, &at(X), IN, times),
        );
        c.sweep_masked::<Forward>(times, &HELD);
        c.both(
            &[Y],
            |c| c.finish(&at(END), &at(H), UNITS, times),
            |c| c.penalty(&at(Y), UNITS, 0.0, 0.5, times),
        );
    }
    fn forward(c: &mut Training<'_>) {
        let times = c.axis(0);
        c.both(
            &[X],
            usize::MAX,
            times,
            |c| {
                c.input(1, &at(REAL), 1, times);
                c.input(2, &at(FROM), UNITS, c.one());
                c.start_from(&at(H), &at(if KEEPS { KEPT } else { FROM }), UNITS);
            },
            |c| c.input(0, &at(X), IN, times),
        );
        c.forward_masked::<Forward>(times, &HELD);
        c.both(
            &[Y],
            usize::MAX,
            times,
            |c| c.finish(&at(END), &at(H), UNITS, times),
            |c| c.penalty(&at(Y), UNITS, 0.0, 0.5, times),
        );
    }
    fn backward(c: &mut Training<'_>) {
        let times = c.axis(0);
        c.both(
            &[Y, DY],
            usize::MAX,
            times,
            |c| c.end_from(&at(DH), &at(D_END), UNITS, times),
            |c| c.penalty_gradient(&at(Y), &at(DY), UNITS, 0.0, 0.5, times),
        );
        let wanted = c.wants_input_gradient();
        c.backward_masked::<Backward>(times, wanted, &HELD_BACK);
        c.start_gradient(&at(D_FROM), &at(DH), UNITS);
        let gradient = |operand, k, param| MatrixGradient {
            operand,
            k,
            gradient: at(DZ),
            width: UNITS,
            to: part(param),
        };
        let matrices = [gradient(at(X), IN, W), gradient(at(H), UNITS, U)];
        let vectors = [VectorGradient {
            gradient: at(DZ),
            width: UNITS,
            accumulated: false,
            to: VectorSlice {
                param: WeightOffset(B),
                offset: 0,
            },
        }];
        c.weights_masked(&matrices, &vectors, times, &at(REAL));
    }
}

const STREAM: [Buf; 6] = [
    Buf::new(0, 16, 1, 1, Extent::One),
    Buf::new(16, 16, 1, 1, Extent::One),
    Buf::new(32, 16, 1, 1, Extent::One),
    Buf::new(48, 16, 1, 1, Extent::One),
    Buf::new(64, 16, 1, 2, Extent::Ring),
    Buf::new(96, 16, 1, 1, Extent::One),
];

impl<const KEEPS: bool> Streamable for Tiny<KEEPS> {}

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
