//! Graphs of several inputs, calls of one layer and tables at run time, against what is known by
//! hand.

use ndarray::{Array2, Array3, Array4, Array5};
use recurrent::{
    learner::{InputView, Learner, StepSeed, Values},
    model::{Id, LayerState},
    prelude::*,
};

/// Some numbers, none of them 0.
fn number(i: usize) -> f32 {
    (i as f32 * 0.7 + 0.1).sin()
}

fn view(x: &[f32], batch: usize, time: usize) -> InputView<'_> {
    InputView {
        batch,
        time,
        values: Values::Floats(x),
    }
}

#[test]
fn both_calls_of_a_shared_layer_have_states_in_a_stream() {
    let model = rnn_model! {
        input x: [_, 4];
        layer cell = LSTM(4, return_sequences);
        let once = x -> cell;
        output y = once -> cell;
    };
    let x = |t: usize| std::array::from_fn(|i| number(4 * t + i));
    let mut first = model.stream().unwrap();
    for t in 0..3 {
        first.step(&x(t));
    }
    let states = first.states();
    let names: Vec<_> = states.iter().map(|s| (&*s.layer, &*s.name)).collect();
    let one = [("cell", "h"), ("cell", "c")];
    assert_eq!(names, [one, one].concat());
    assert_ne!(states[0].value, states[2].value);

    let mut second = model.stream().unwrap();
    second.set_states(&states).unwrap();
    assert_eq!(second.states(), states);
    for t in 3..6 {
        assert_eq!(first.step(&x(t)), second.step(&x(t)));
    }
    // One more than there are.
    let before = second.states();
    let more = [&states[..], &states[..1]].concat();
    let error = second.set_states(&more).unwrap_err().to_string();
    assert_eq!(error, "layer `cell` keeps 2 states `h`, and more are given");
    assert_eq!(second.states(), before);
}

#[test]
fn a_state_that_is_given_twice_does_not_stand_for_another() {
    let model = rnn_model!(Input(_, 3) -> LSTM(2, stateful, return_sequences) -> GRU(2, stateful));
    model.predict(&Array3::from_elem((2, 4, 3), 0.5)).unwrap();
    let states = model.states();
    assert_eq!(states.len(), 3);
    // As many as the model has, of another batch: they are not all of them.
    let other = LayerState {
        value: Array2::ones((5, 2)).into_dyn(),
        ..states[0].clone()
    };
    let error = model.set_states(&vec![other; 3]).unwrap_err().to_string();
    assert_eq!(error, "the state `h` of layer `lstm` is given twice");
    assert_eq!(model.states(), states);
    // All of them are replaced, whatever the batch was before.
    let all: Vec<_> = states.iter().rev().cloned().collect();
    let all = all.into_iter().map(|s| LayerState {
        value: Array2::ones((5, 2)).into_dyn(),
        ..s
    });
    model.set_states(&all.collect::<Vec<_>>()).unwrap();
    assert!(
        model
            .states()
            .iter()
            .all(|s| s.value == Array2::<f32>::ones((5, 2)).into_dyn())
    );
}

const MANY: usize = 9;
const FEW: usize = 3;

#[test]
fn the_smallest_of_several_tables_says_which_ids_there_are() {
    let model = rnn_model! {
        input words: ids;
        let a = words -> Embedding(MANY, 2);
        let b = words -> Embedding(5, 2);
        let c = words -> Embedding(FEW, 2);
        output y = (a, b, c) -> Concatenate -> GRU(4);
    };
    let mut stream = model.stream().unwrap();
    let y = *stream.step(&Id::<FEW>::new(2).unwrap());
    let batch = model.predict(&Array2::from_elem((1, 1), 2_u32)).unwrap();
    assert_eq!(batch.as_slice().unwrap(), y);
    assert!(model.predict(&Array2::from_elem((1, 1), 3_u32)).is_err());
}

#[test]
fn inputs_of_three_axes() {
    let number = |i: usize| number(i % 1000);
    let flat = rnn_model!(Input(_, 24) -> LSTM(3));
    let x = Array3::from_shape_fn((2, 5, 24), |(b, t, i)| number(b * 120 + t * 24 + i));
    let y = flat.predict(&x).unwrap();
    let steps: Array5<f32> = x.to_shape((2, 5, 2, 3, 4)).unwrap().into_owned();
    let model = rnn_model!(Input(_, 2, 3, 4) -> TimeDistributed(Flatten) -> LSTM(3));
    assert_eq!(model.predict(&steps).unwrap(), y);
    let model = rnn_model! {
        input x: [5, 2, 3, 4];
        output y = x -> TimeDistributed(Flatten) -> LSTM(3);
    };
    assert_eq!(model.predict(&steps).unwrap(), y);
    assert_eq!(
        model
            .predict(&Array5::zeros((2, 5, 2, 4, 3)))
            .unwrap_err()
            .to_string(),
        "x: expected shape [batch, 5, 2, 3, 4], found [2, 5, 2, 4, 3]",
    );
    // Two axes, and time.
    let model = rnn_model! {
        input x: [2, 3, 4];
        output y = x -> TimeDistributed(Flatten) -> LSTM(3);
    };
    let flat = rnn_model!(Input(_, 12) -> LSTM(3));
    let x = Array3::from_shape_fn((2, 2, 12), |(b, t, i)| number(b * 24 + t * 12 + i));
    let steps: Array4<f32> = x.to_shape((2, 2, 3, 4)).unwrap().into_owned();
    assert_eq!(model.predict(&steps).unwrap(), flat.predict(&x).unwrap());
    // No time at all.
    let model = rnn_model!(Input({ image: [2, 3, 4] }) -> Flatten -> Dense(2));
    let flat = rnn_model!(Input(24) -> Dense(2));
    let x = Array2::from_shape_fn((3, 24), |(b, i)| number(b * 24 + i));
    let rows: Array4<f32> = x.to_shape((3, 2, 3, 4)).unwrap().into_owned();
    assert_eq!(model.predict(&rows).unwrap(), flat.predict(&x).unwrap());
}

/// As Keras's `summary()` writes it; a `const` is its value.
#[test]
fn a_summary_has_every_output_of_a_layer() {
    const UNITS: usize = 4;
    let model = rnn_model! {
        input x: [_, 3];
        let (y, states) = x -> Bidirectional(LSTM(UNITS, return_sequences, return_state));
        let (z, _c) = states -> Concatenate -> RepeatVector(6) -> GRU(UNITS, return_state);
        output end = y -> LSTM(8);
        output other = z -> Dense(1);
    };
    let text = model.summary();
    for (layer, shape) in [
        ("x (InputLayer)", "(None, None, 3)"),
        (
            "bidirectional (Bidirectional)",
            "[(None, None, 8), (None, 4), (None, 4), (None, 4), (None, 4)]",
        ),
        ("repeat_vector (RepeatVector)", "(None, 6, 16)"),
        ("gru (GRU)", "[(None, 4), (None, 4)]"),
        ("lstm (LSTM)", "(None, 8)"),
    ] {
        let row = text.lines().find(|l| l.contains(layer)).unwrap();
        assert!(row.contains(&format!("│ {shape} ")), "{text}");
    }
}

/// As many as a model may have.
#[test]
fn sixteen_inputs_and_outputs() {
    rnn_model! {
        struct Many {
            input a: [2]; input b: [2]; input c: [2]; input d: [2]; input e: [2]; input f: [2];
            input g: [2]; input h: [2]; input i: [2]; input j: [2]; input k: [2]; input l: [2];
            input m: [2]; input n: [2]; input o: [2]; input p: [2];
            let s = (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) -> Add;
            output y0 = s -> Dense(1); output y1 = s -> Dense(1); output y2 = s -> Dense(1);
            output y3 = s -> Dense(1); output y4 = s -> Dense(1); output y5 = s -> Dense(1);
            output y6 = s -> Dense(1); output y7 = s -> Dense(1); output y8 = s -> Dense(1);
            output y9 = s -> Dense(1); output y10 = s -> Dense(1); output y11 = s -> Dense(1);
            output y12 = s -> Dense(1); output y13 = s -> Dense(1); output y14 = s -> Dense(1);
            output y15 = s -> Activation(linear);
        }
    }
    let x = Array2::from_elem((1, 2), 0.5);
    let v = x.view();
    let y = Many::new()
        .predict((v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v))
        .unwrap();
    assert_eq!(y.y15, Array2::from_elem((1, 2), 8.0));
}

rnn_cell! {
    cell Pair(units) {
        input a: [n];
        input b: [m];
        param kernel: [n, units] = ones;
        state h: [units];
        let y = h + a @ kernel + b;
        next h = y;
        output y;
    }
}

/// Keras's `RNN.compute_mask` hands on `tree.flatten(mask)[0]`: the mask that the layer reads, and
/// not that of a merge.
#[test]
fn a_layer_of_several_inputs_hands_on_the_mask_of_the_first() {
    let (a, b) = ([1.0, 0.0, 2.0, 0.0], [0.0, 10.0, 20.0, 0.0]);
    let inputs = [view(&a, 1, 4), view(&b, 1, 4)];
    let mut first = rnn_model! {
        input a: [time, 1];
        input b: [time, 1];
        let real = a -> Masking;
        output y = (real, b) -> RNN(Pair(1), return_sequences);
    };
    first.infer(&inputs).unwrap();
    assert_eq!(first.output(0), [1.0, 1.0, 23.0, 23.0]);
    assert_eq!(first.output_mask(0), Some(&[1.0, 0.0, 1.0, 0.0][..]));

    let mut second = rnn_model! {
        input a: [time, 1];
        input b: [time, 1];
        let real = b -> Masking;
        output y = (a, real) -> RNN(Pair(1), return_sequences);
    };
    second.infer(&inputs).unwrap();
    assert_eq!(second.output(0), [1.0, 11.0, 33.0, 33.0]);
    assert_eq!(second.output_mask(0), None);

    let mut both = rnn_model! {
        input a: [time, 1];
        input b: [time, 1];
        let real_a = a -> Masking;
        let real_b = b -> Masking;
        output y = (real_a, real_b) -> RNN(Pair(1), return_sequences);
        output sum = (real_a, real_b) -> Add;
    };
    both.infer(&inputs).unwrap();
    assert_eq!(both.output(0), [1.0, 1.0, 23.0, 23.0]);
    assert_eq!(both.output_mask(0), Some(&[1.0, 0.0, 1.0, 0.0][..]));
    // A merge is valid where any of its inputs is.
    assert_eq!(both.output_mask(1), Some(&[1.0, 1.0, 1.0, 0.0][..]));
}

/// A noise layer and another layer read one value, so it is fanned out, and their gradients are summed.
#[test]
fn noise_on_a_value_with_several_readers() {
    let mut noisy = rnn_model! {
        input x: [6, 4];
        let w = x -> Dense(3);
        let a = w -> GaussianNoise(1e-30) -> SimpleRNN(3, name = "a");
        let b = w -> SimpleRNN(3, name = "b");
        output y = (a, b) -> Add;
    };
    let mut plain = rnn_model! {
        input x: [6, 4];
        let w = x -> Dense(3);
        let a = w -> SimpleRNN(3, name = "a");
        let b = w -> SimpleRNN(3, name = "b");
        output y = (a, b) -> Add;
    };
    let x: Vec<f32> = (0..48).map(number).collect();
    let x = [view(&x, 2, 6)];
    let mut found = vec![0.0; noisy.weights().len()];
    noisy.forward(&x, StepSeed::default()).unwrap();
    noisy.backward(&[&[1.0; 6]], &mut found).unwrap();
    let mut expected = vec![0.0; plain.weights().len()];
    plain.forward(&x, StepSeed::default()).unwrap();
    plain.backward(&[&[1.0; 6]], &mut expected).unwrap();
    assert_eq!(noisy.output(0), plain.output(0));
    assert_eq!(found, expected);
    assert!(found.iter().any(|&g| g != 0.0));
}

rnn_cell! {
    cell Doubling(rows, columns) {
        state s: [rows, columns];
        next s = 2 * s + sum(x);
        output s;
    }
}

#[test]
fn a_state_of_two_axes_is_an_input() {
    let mut model = rnn_model! {
        input x: [_, 1];
        input s: [2, 3];
        output y = x -> RNN(Doubling(2, 3), initial_state = s);
    };
    // The second row starts elsewhere.
    let s: Vec<f32> = (0..12).map(|i| i as f32).collect();
    let x = [view(&[1.0, 10.0, 0.0, 0.0], 2, 2), view(&s, 2, 2)];
    let expected: Vec<f32> = (0..12)
        .map(|i| 4.0 * i as f32 + if i < 6 { 12.0 } else { 0.0 })
        .collect();
    model.infer(&x).unwrap();
    assert_eq!(model.output(0), expected);
    model.want_input_gradient(true);
    model.forward(&x, StepSeed::default()).unwrap();
    assert_eq!(model.output(0), expected);
    let d: Vec<f32> = (0..12).map(number).collect();
    model.backward(&[&d], &mut []).unwrap();
    let four: Vec<f32> = d.iter().map(|d| 4.0 * d).collect();
    assert_eq!(model.input_gradient(1).unwrap(), four);
    // An axis is known, so another number of steps is another shape.
    let wrong = [view(&[0.0; 4], 2, 2), view(&s, 4, 1)];
    assert!(model.infer(&wrong).is_err());
}

/// Two calls of one layer, each with its own start, its own mask and its own length: what two layers
/// of the same weights give.
#[test]
fn calls_of_a_shared_layer_have_starts_and_masks_of_their_own() {
    let mut both = rnn_model! {
        input a: [ta, 2];
        input b: [tb, 2];
        input ma: mask[ta];
        input mb: mask[tb];
        input h: [3];
        input c: [3];
        layer l = LSTM(3);
        output p = a -> l(initial_state = [h, c], mask = ma);
        output q = b -> l(mask = mb, initial_state = [c, h]);
        output r = b -> l;
    };
    let mut one = rnn_model! {
        input x: [time, 2];
        input m: mask[time];
        input h: [3];
        input c: [3];
        output y = x -> LSTM(3, initial_state = [h, c], mask = m);
    };
    let mut plain = rnn_model!(Input(_, 2) -> LSTM(3));
    let w: Vec<f32> = (0..both.weights().len()).map(number).collect();
    for weights in [both.weights_mut(), one.weights_mut(), plain.weights_mut()] {
        weights.copy_from_slice(&w);
    }
    let numbers = |n: usize, from: usize| (from..from + n).map(number).collect::<Vec<_>>();
    let (a, b) = (numbers(2 * 4 * 2, 0), numbers(2 * 3 * 2, 50));
    let (h, c) = (numbers(6, 100), numbers(6, 200));
    let ma = [1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let mb = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0];
    let (a, b) = (view(&a, 2, 4), view(&b, 2, 3));
    let (ma, mb) = (view(&ma, 2, 4), view(&mb, 2, 3));
    let (h, c) = (view(&h, 2, 1), view(&c, 2, 1));
    let (dp, dq, dr) = (numbers(6, 300), numbers(6, 400), numbers(6, 500));

    let all = [a, b, ma, mb, h, c];
    both.forward(&all, StepSeed::default()).unwrap();
    let mut found = vec![0.0; w.len()];
    both.backward(&[&dp, &dq, &dr], &mut found).unwrap();
    both.infer(&all).unwrap();

    let mut expected = vec![0.0; w.len()];
    let mut sum = |model: &mut dyn Learner, x: &[InputView<'_>], d: &[f32], output: &[f32]| {
        model.infer(x).unwrap();
        assert_eq!(model.output(0), output);
        model.forward(x, StepSeed::default()).unwrap();
        let mut own = vec![0.0; w.len()];
        model.backward(&[d], &mut own).unwrap();
        expected.iter_mut().zip(own).for_each(|(e, g)| *e += g);
    };
    sum(&mut one, &[a, ma, h, c], &dp, both.output(0));
    sum(&mut one, &[b, mb, c, h], &dq, both.output(1));
    sum(&mut plain, &[b], &dr, both.output(2));
    assert_ne!(both.output(1), both.output(2));
    for (f, e) in found.iter().zip(&expected) {
        assert!((f - e).abs() < 1e-5, "{f} for {e}");
    }
}

/// Keras's `SeedGenerator` goes on with every call.
#[test]
fn calls_of_a_shared_layer_with_a_seed_draw_masks_of_their_own() {
    let mut model = rnn_model! {
        input x: [64];
        input s: [_, 64];
        layer d = Dropout(0.5, seed = 7);
        layer n = GaussianNoise(1.0, seed = 7);
        layer l = SimpleRNN(64, linear, dropout = 0.5, seed = 7);
        output a = x -> d;
        output b = x -> d;
        output c = x -> d;
        output again = x -> Dropout(0.5, seed = 7);
        output e = x -> n;
        output f = x -> n;
        output g = s -> l;
        output h = s -> l;
    };
    let (x, s) = ([1.0; 64], [1.0; 64]);
    let inputs = [view(&x, 1, 1), view(&s, 1, 1)];
    let mut outputs = |step: u64| -> Vec<Vec<f32>> {
        model.forward(&inputs, StepSeed { seed: 1, step }).unwrap();
        (0..8).map(|i| model.output(i).to_vec()).collect()
    };
    let first = outputs(0);
    for (i, j) in [(0, 1), (0, 2), (1, 2), (4, 5), (6, 7)] {
        assert_ne!(first[i], first[j], "outputs {i} and {j}");
    }
    // Another layer with this seed starts where the first one did.
    assert_eq!(first[0], first[3]);
    assert_eq!(outputs(0), first);
    assert_ne!(outputs(1), first);
}

/// `layer.compute_mask` in Keras: the mask that one branch carries is the mask of a layer on another.
#[test]
fn a_value_lends_its_mask() {
    let mut named = rnn_model! {
        input x: [time, 2];
        let real = x -> Masking;
        output y = x -> LSTM(3, return_sequences, mask = real);
        output z = x -> Dense(2) -> GRU(3, mask = real);
    };
    let mut carried = rnn_model! {
        input x: [time, 2];
        let real = x -> Masking;
        output y = real -> LSTM(3, return_sequences);
        output z = real -> Dense(2) -> GRU(3);
    };
    let w: Vec<f32> = (0..named.weights().len()).map(number).collect();
    named.weights_mut().copy_from_slice(&w);
    carried.weights_mut().copy_from_slice(&w);
    let x = [0.3, -0.4, 0.0, 0.0, 0.5, 0.6, 0.0, 0.0];
    let x = [view(&x, 1, 4)];
    let mut gradients = Vec::new();
    for model in [&mut named as &mut dyn Learner, &mut carried] {
        model.infer(&x).unwrap();
        model.forward(&x, StepSeed::default()).unwrap();
        let mut g = vec![0.0; w.len()];
        model.backward(&[&[1.0; 12], &[1.0; 3]], &mut g).unwrap();
        gradients.push(g);
    }
    assert_eq!(named.output(0), carried.output(0));
    assert_eq!(named.output(1), carried.output(1));
    assert_eq!(named.output_mask(0), Some(&[1.0, 0.0, 1.0, 0.0][..]));
    assert_eq!(gradients[0], gradients[1]);
    // Ids carry one to what is made of other inputs.
    let mut words = rnn_model! {
        input ids: ids[time];
        input x: [time, 2];
        let real = ids -> Embedding(5, 2, mask_zero);
        output y = x -> LSTM(3, mask = real);
    };
    let mut plain = rnn_model!(Input(_, 2) -> Masking -> LSTM(3));
    let w: Vec<f32> = (0..words.weights().len()).map(number).collect();
    words.weights_mut().copy_from_slice(&w);
    plain.weights_mut().copy_from_slice(&w[10..]);
    let ids = InputView {
        values: Values::Ids(&[2, 0, 1, 0]),
        ..x[0]
    };
    words.infer(&[ids, x[0]]).unwrap();
    plain.infer(&x).unwrap();
    assert_eq!(words.output(0), plain.output(0));
}

#[test]
fn a_drawing_says_what_goes_where() {
    fn diagram<M: Model>(_: &M) -> String {
        M::diagram()
    }
    let model = rnn_model! {
        input x: [time, 3];
        input start: [4];
        input real: mask[time];
        let (h, end) = x -> GRU(4, return_sequences, return_state, initial_state = start, mask = real);
        output steps = h -> TimeDistributed(Dense(2));
        output last = end;
    };
    assert_eq!(
        diagram(&model),
        "flowchart TD
    n0[\"x<br/>InputLayer<br/>(None, None, 3)\"]
    n1[\"start<br/>InputLayer<br/>(None, 4)\"]
    n2[\"real<br/>InputLayer<br/>(None, None)\"]
    n3[\"gru<br/>GRU<br/>[(None, None, 4), (None, 4)]\"]
    n4[\"time_distributed<br/>TimeDistributed<br/>(None, None, 2)\"]
    out0([\"steps\"])
    out1([\"last\"])
    n0 --> n3
    n1 -->|initial_state| n3
    n2 -.->|mask| n3
    n3 --> n4
    n4 --> out0
    n3 --> out1
"
    );
}
