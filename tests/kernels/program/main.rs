//! What the runtime makes of a program: batches, blocks, threads, streams, training and states
//! that stay, against plain loops.

mod cell;
mod penalised;
mod tiny;

use ndarray::{Array2, Array3, Axis, s};
use penalised::{LEFT, Penalised, WIDTH};
use rnn_runtime::{
    Error,
    learner::{InputView, Learner, StepSeed, Values},
    model::{LayerState, Model},
};
use tiny::{OrOnlyInfers, Tiny, plain};

/// Numbers in -1..1 that look like nothing.
fn number(i: usize, seed: usize) -> f32 {
    let mut x = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (seed as u64) << 40;
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

struct Data {
    x: Array3<f32>,
    real: Array2<bool>,
    from: Array2<f32>,
}

/// Rows with masks of all sorts: full, padded left and right, with holes, empty.
fn data(batch: usize, time: usize) -> Data {
    let features = |b: usize, t: usize, i: usize| number((b * time + t) * 3 + i, 1);
    Data {
        x: Array3::from_shape_fn((batch, time, 3), |(b, t, i)| features(b, t, i)),
        real: Array2::from_shape_fn((batch, time), |(b, t)| match b % 5 {
            0 => true,
            1 => t >= time / 3,
            2 => t < time / 2,
            3 => (t * 7 + b) % 3 != 0,
            _ => false,
        }),
        from: Array2::from_shape_fn((batch, 2), |(b, i)| number(b * 2 + i, 2)),
    }
}

/// A model that forgets: rounding does not add up over hundreds of steps.
fn forgetful<const STATEFUL: bool>(seed: u64) -> Tiny<STATEFUL> {
    let mut model = Tiny::with_seed(seed);
    if let Some((_, u)) = model.param_mut("tiny/recurrent_kernel") {
        u.iter_mut().for_each(|u| *u *= 0.8);
    }
    model
}

fn wide(x: impl IntoIterator<Item = f32>) -> Vec<f64> {
    x.into_iter().map(f64::from).collect()
}

/// Outputs of all rows by plain loops.
fn expected(w: &[f64], d: &Data) -> (Vec<f64>, Vec<f64>) {
    let (mut y, mut end) = (vec![], vec![]);
    for b in 0..d.x.len_of(Axis(0)) {
        let x = wide(d.x.index_axis(Axis(0), b).iter().copied());
        let real = d.real.row(b).to_vec();
        let (yb, eb) = plain(w, &x, &real, &wide(d.from.row(b).iter().copied()));
        y.extend(yb);
        end.extend(eb);
    }
    (y, end)
}

fn close<'a>(what: &str, a: impl IntoIterator<Item = &'a f32>, b: &[f64], tolerance: f64) {
    let a: Vec<f32> = a.into_iter().copied().collect();
    assert_eq!(a.len(), b.len(), "{what}");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        let off = (f64::from(*a) - b).abs();
        assert!(
            off <= tolerance * (1.0 + b.abs()),
            "{what} {i}: {a} and {b}"
        );
    }
}

#[test]
fn a_masked_batch_of_every_size_and_in_blocks() {
    let model = forgetful::<false>(3);
    let w = wide(Learner::weights(&model).to_vec());
    for (batch, time) in [
        (1, 1),
        (1, 9),
        (5, 1),
        (5, 12),
        (13, 31),
        (5, 700),
        (64, 300),
    ] {
        let d = data(batch, time);
        let (y, end) = model.predict((&d.x, &d.real, &d.from)).unwrap();
        let (y_plain, end_plain) = expected(&w, &d);
        close("y", &y, &y_plain, 1e-5);
        close("end", &end, &end_plain, 1e-5);
    }
}

fn pool(threads: usize) -> rayon::ThreadPool {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap()
}

#[test]
fn blocks_and_threads_do_not_change_a_bit() {
    let model = forgetful::<false>(4);
    let d = data(61, 700);
    let run = |threads| pool(threads).install(|| model.predict((&d.x, &d.real, &d.from)).unwrap());
    let (one, three) = (run(1), run(3));
    assert_eq!(one, three);
    // More threads than rows: the parts of a row run at once.
    assert_eq!(one, run(100));
    for b in [0, 1, 3, 33, 60] {
        let row = s![b..b + 1, .., ..];
        let flat = s![b..b + 1, ..];
        let (x, real, from) = (d.x.slice(row), d.real.slice(flat), d.from.slice(flat));
        let (y, end) = model.predict((x, real, from)).unwrap();
        assert_eq!(y, one.0.slice(row));
        assert_eq!(end, one.1.slice(flat));
    }
}

#[test]
fn a_stream_holds_masked_steps_and_gives_its_states() {
    let model = forgetful::<false>(5);
    let d = data(4, 11);
    let (y, end) = model.predict((&d.x, &d.real, &d.from)).unwrap();
    let mut stream = model.stream().unwrap();
    for b in 0..4 {
        stream.reset();
        let from = d.from.row(b).to_owned().insert_axis(Axis(0)).into_dyn();
        let state = |value| LayerState {
            layer: "tiny".into(),
            name: "h".into(),
            value,
        };
        stream.set_states(&[state(from)]).unwrap();
        for t in 0..11 {
            let x = std::array::from_fn(|i| d.x[[b, t, i]]);
            let out = stream.step(&(x, d.real[[b, t]]));
            assert_eq!(
                out,
                y.slice(s![b, t, ..]).as_slice().unwrap(),
                "row {b}, step {t}"
            );
        }
        let states = stream.states();
        assert_eq!(states.len(), 1);
        assert_eq!(
            states[0],
            state(end.slice(s![b..b + 1, ..]).to_owned().into_dyn())
        );
    }
    let other = LayerState {
        layer: "tiny".into(),
        name: "c".into(),
        value: Array2::zeros((1, 2)).into_dyn(),
    };
    assert!(matches!(
        stream.set_states(&[other]),
        Err(Error::Argument(_))
    ));
}

fn views(d: &Data, real: &[f32], f: impl FnOnce(&[InputView<'_>])) {
    let (batch, time, _) = d.x.dim();
    let view = |time, x| InputView {
        batch,
        time,
        values: Values::Floats(x),
    };
    f(&[
        view(time, d.x.as_slice().unwrap()),
        view(time, real),
        view(1, d.from.as_slice().unwrap()),
    ]);
}

fn floats(real: &Array2<bool>) -> Vec<f32> {
    real.iter().map(|&r| f32::from(r)).collect()
}

#[test]
fn gradients_of_weights_and_inputs_under_a_mask() {
    pool(1).install(gradients);
    // More threads than rows.
    pool(16).install(gradients);
}

fn gradients() {
    let mut model = forgetful::<false>(6);
    let d = data(7, 9);
    let w = wide(Learner::weights(&model).to_vec());
    let n = 7 * 9 * 2;
    let dy: Vec<f32> = (0..n).map(|i| number(i, 8)).collect();
    let de: Vec<f32> = (0..14).map(|i| number(i, 9)).collect();
    // The loss, the regulariser 0.5 Σ y² / 7 included.
    let loss = |w: &[f64], d: &Data| -> f64 {
        let (y, end) = expected(w, d);
        let dot =
            |a: &[f64], b: &[f32]| a.iter().zip(b).map(|(a, &b)| a * f64::from(b)).sum::<f64>();
        dot(&y, &dy) + dot(&end, &de) + 0.5 * y.iter().map(|y| y * y).sum::<f64>() / 7.0
    };
    let mut g = vec![0.0; w.len()];
    model.want_input_gradient(true);
    let real = floats(&d.real);
    views(&d, &real, |x| {
        model.forward(x, StepSeed::default()).unwrap()
    });
    let (y, end) = expected(&w, &d);
    close("y", model.output(0), &y, 1e-5);
    close("end", model.output(1), &end, 1e-5);
    assert_eq!(model.output_mask(0), Some(&real[..]));
    assert_eq!(model.output_mask(1), None);
    let penalty = 0.5 * y.iter().map(|y| y * y).sum::<f64>() / 7.0;
    close("penalty", &[model.penalty()], &[penalty], 1e-6);
    model.backward(&[&dy, &de], &mut g).unwrap();

    let h = 1e-5;
    let slopes: Vec<f64> = (0..w.len())
        .map(|i| {
            let moved = |h: f64| {
                let mut w = w.clone();
                w[i] += h;
                loss(&w, &d)
            };
            (moved(h) - moved(-h)) / (2.0 * h)
        })
        .collect();
    close("gradient", &g, &slopes, 1e-4);
    let h = 0.5f32.powi(10);
    let slope = |change: &dyn Fn(&mut Data, f32)| {
        let moved = |h: f32| {
            let mut d = data(7, 9);
            change(&mut d, h);
            loss(&w, &d)
        };
        (moved(h) - moved(-h)) / (2.0 * f64::from(h))
    };
    let dx: Vec<f64> = (0..7 * 9 * 3)
        .map(|i| slope(&|d, h| d.x.as_slice_mut().unwrap()[i] += h))
        .collect();
    close("gradient of x", model.input_gradient(0).unwrap(), &dx, 1e-3);
    assert_eq!(model.input_gradient(1), None);
    let df: Vec<f64> = (0..14)
        .map(|i| slope(&|d, h| d.from.as_slice_mut().unwrap()[i] += h))
        .collect();
    close(
        "gradient of from",
        model.input_gradient(2).unwrap(),
        &df,
        1e-3,
    );
}

#[test]
fn inference_of_training_has_masks_and_penalties() {
    let mut model = forgetful::<false>(7);
    let d = data(6, 300);
    let real = floats(&d.real);
    views(&d, &real, |x| model.infer(x).unwrap());
    let (y, _) = expected(&wide(Learner::weights(&model).to_vec()), &d);
    close("y", model.output(0), &y, 1e-5);
    assert_eq!(model.output_mask(0), Some(&real[..]));
    let penalty = 0.5 * y.iter().map(|y| y * y).sum::<f64>() / 6.0;
    close("penalty", &[model.penalty()], &[penalty], 1e-5);
    let mut g = vec![0.0; 12];
    assert!(model.backward(&[&[], &[]], &mut g).is_err());
    // What is refused is named.
    views(&d, &real, |x| {
        model.forward(x, StepSeed::default()).unwrap()
    });
    let (y, end) = (vec![0.0; 6 * 300 * 2], vec![0.0; 6 * 2]);
    let mut words = |y: &[f32], end: &[f32], g: usize| {
        let result = model.backward(&[y, end], &mut vec![0.0; g]);
        result.map_err(|e| e.to_string())
    };
    assert_eq!(words(&y, &end, 12), Ok(()));
    assert_eq!(
        words(&y, &end[1..], 12).unwrap_err(),
        "gradient of end: expected shape [12], found [11]"
    );
    assert_eq!(
        words(&y, &end, 11).unwrap_err(),
        "gradients of the weights: expected shape [12], found [11]"
    );
}

/// A block is as long as fits the rows of a thread: the sums must not show it.
#[test]
fn penalties_are_the_same_on_any_number_of_threads() {
    const TIME: usize = 300;
    let x: Vec<f32> = (0..4 * TIME * WIDTH).map(|i| number(i, 3)).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let mut model = Penalised::new();
            let view = InputView {
                batch: 4,
                time: TIME,
                values: Values::Floats(&x),
            };
            model.infer(&[view]).unwrap();
            let inferred = model.penalty();
            model.forward(&[view], StepSeed::default()).unwrap();
            [inferred, model.penalty()]
        })
    };
    let one = run(1);
    let squares = x.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
    let left = f64::from(LEFT) * squares / 4.0;
    // What is left of the large sums is known to a few bits only.
    for found in one {
        close("penalty", &[found], &[left], 1e-3 * left);
    }
    for threads in [2, 3, 4] {
        assert_eq!(
            run(threads).map(f32::to_bits),
            one.map(f32::to_bits),
            "{threads} threads"
        );
    }
}

#[test]
fn parameters_are_listed_in_the_order_of_the_weights() {
    let model = Tiny::<false>::new();
    let listed: Vec<_> = model.params().iter().map(|p| (p.name, p.shape)).collect();
    let expected: [(&str, &[usize]); 3] = [
        ("tiny/kernel", &[3, 2]),
        ("tiny/recurrent_kernel", &[2, 2]),
        ("tiny/bias", &[2]),
    ];
    assert_eq!(listed, expected);
    assert!(model.params().iter().all(|p| p.trainable));
    for p in model.params() {
        assert_eq!(model.param(p.name).unwrap().1.len(), p.len());
    }
}

#[test]
fn inference_names_no_kernel_of_training() {
    let model = OrOnlyInfers::<false, false>::with_seed(3);
    let x = data(2, 3);
    let y = model.predict((&x.x, &x.real, &x.from)).unwrap();
    let trains = Tiny::<false>::with_seed(3);
    assert_eq!(y, trains.predict((&x.x, &x.real, &x.from)).unwrap());
    assert_eq!(
        model.stream().unwrap().step(&([0.1, 0.2, 0.3], true)),
        trains.stream().unwrap().step(&([0.1, 0.2, 0.3], true))
    );
}

#[test]
fn states_of_one_row_are_of_one_row() {
    let model = forgetful::<true>(8);
    let (one, two) = (data(1, 3), data(2, 3));
    model.predict((&one.x, &one.real, &one.from)).unwrap();
    let error = model.predict((&two.x, &two.real, &two.from)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x: expected shape a batch of 1 row, as many as the states of the stateful layers have \
         (`reset_states()` forgets them), found a batch of 2"
    );
}

#[test]
fn states_stay_until_they_are_reset() {
    let model = forgetful::<true>(8);
    let d = data(5, 20);
    assert!(model.is_stateful() && !Tiny::<false>::new().is_stateful());
    assert!(model.states().is_empty());
    let (whole, end) = model.predict((&d.x, &d.real, &d.from)).unwrap();
    let kept = model.states();
    assert_eq!(kept.len(), 1);
    assert_eq!((&*kept[0].layer, &*kept[0].name), ("tiny", "h"));
    assert_eq!(kept[0].value, end.clone().into_dyn());
    // All rows are valid: an output before the first valid step of a part is zero.
    let real = Array2::from_elem((5, 20), true);
    model.reset_states();
    let (whole_real, end_real) = model.predict((&d.x, &real, &d.from)).unwrap();
    model.reset_states();
    let mut parts = vec![];
    for (a, b) in [(0, 7), (7, 8), (8, 20)] {
        let (x, real) = (d.x.slice(s![.., a..b, ..]), real.slice(s![.., a..b]));
        let (y, _) = model.predict((x, real, &d.from)).unwrap();
        parts.push(y);
    }
    let parts: Vec<_> = parts.iter().map(|p| p.view()).collect();
    assert_eq!(ndarray::concatenate(Axis(1), &parts).unwrap(), whole_real);
    assert_eq!(model.states()[0].value, end_real.into_dyn());

    // Another number of rows is refused, and changes nothing.
    let small = data(2, 3);
    let before = model.states();
    let error = model
        .predict((&small.x, &small.real, &small.from))
        .unwrap_err();
    assert!(error.to_string().contains("reset_states"), "{error}");
    assert_eq!(model.states(), before);
    let wrong = LayerState {
        value: Array2::zeros((2, 3)).into_dyn(),
        ..before[0].clone()
    };
    assert!(matches!(
        model.set_states(&[wrong]),
        Err(Error::Shape { .. })
    ));
    assert_eq!(model.states(), before);
    model.set_states(&kept).unwrap();
    assert_eq!(model.states(), kept);
    model.reset_states();
    let (again, _) = model.predict((&d.x, &d.real, &d.from)).unwrap();
    assert_eq!(again, whole);
}

#[test]
fn training_keeps_states_too() {
    let mut model = forgetful::<true>(9);
    let d = data(5, 6);
    let real = floats(&d.real);
    model.predict((&d.x, &d.real, &d.from)).unwrap();
    let (second, end) = model.predict((&d.x, &d.real, &d.from)).unwrap();
    Learner::reset_states(&mut model);
    for _ in 0..2 {
        views(&d, &real, |x| {
            model.forward(x, StepSeed::default()).unwrap()
        });
    }
    assert_eq!(model.output(0), second.as_slice().unwrap());
    assert_eq!(model.states()[0].value, end.into_dyn());
}

#[test]
fn inputs_must_fit_each_other() {
    let model = Tiny::<false>::new();
    let (d, longer, more) = (data(3, 4), data(3, 5), data(4, 4));
    let text = |r: Result<_, Error>| {
        r.map(|_: (Array3<f32>, Array2<f32>)| ())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        text(model.predict((&d.x, &longer.real, &d.from))),
        "real: expected shape 4 steps, as `x` has, found 5 steps"
    );
    assert_eq!(
        text(model.predict((&d.x, &d.real, &more.from))),
        "from: expected shape a batch of 3, as `x` has, found a batch of 4"
    );
    let mut model = model;
    let one = InputView {
        batch: 1,
        time: 1,
        values: Values::Floats(&[0.0; 3]),
    };
    assert_eq!(
        model.infer(&[one]).unwrap_err().to_string(),
        "this model has 3 inputs, found 1"
    );
}

/// Whoever asks whether a step is valid asks in his own way: there is nothing between 0 and 1.
#[test]
fn a_mask_is_zeros_and_ones() {
    let mut model = Tiny::<false>::new();
    let d = data(5, 4);
    for wrong in [0.5, -1.0, 2.0, f32::NAN, 1e-30] {
        let mut real = floats(&d.real);
        real[2 * 4 + 3] = wrong;
        let expected = format!(
            "real: a mask is 1 where a step is valid and 0 where it is padding, found {wrong} in row 2, \
             step 3"
        );
        views(&d, &real, |x| {
            let seed = StepSeed::default();
            assert_eq!(model.infer(x).unwrap_err().to_string(), expected);
            assert_eq!(model.forward(x, seed).unwrap_err().to_string(), expected);
        });
    }
    let mut real = floats(&d.real);
    real[0] = -0.0;
    views(&d, &real, |x| model.infer(x).unwrap());
}

#[test]
fn drawings_name_every_layer_and_edge() {
    assert_eq!(
        Tiny::<false>::diagram(),
        "flowchart TD
    n0[\"x<br/>Input<br/>(None, None, 3)\"]
    n1[\"tiny #34;one#34;<br/>RNN<br/>(None, None, 2)\"]
    out0([\"y\"])
    out1([\"end\"])
    n0 --> n1
    n0 -.->|mask| n1
    n0 -->|initial_state| n1
    n1 --> out0
    n1 --> out1
"
    );
    assert_eq!(
        Tiny::<false>::graphviz(),
        "digraph \"Tiny\" {
    node [shape=box];
    n0 [label=\"x\\nInput\\n(None, None, 3)\"];
    n1 [label=\"tiny \\\"one\\\"\\nRNN\\n(None, None, 2)\"];
    out0 [label=\"y\", shape=ellipse];
    out1 [label=\"end\", shape=ellipse];
    n0 -> n1;
    n0 -> n1 [label=\"mask\", style=dashed];
    n0 -> n1 [label=\"initial_state\"];
    n1 -> out0;
    n1 -> out1;
}
"
    );
}
