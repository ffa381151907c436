//! Layers without weights that are called on values of several widths, against the interpreter and
//! against the same layers written at each call.

use recurrent::{
    learner::{InputView, Learner, StepSeed, Values},
    prelude::*,
};
use rnn_compiler::interpret::{self, Call, Input, Weights};

const BATCH: usize = 3;
const TIME: usize = 4;

/// Numbers in -1..1; some steps are zeros, which `Masking` takes out.
fn numbers(n: usize, width: usize) -> Vec<f32> {
    let number = |i: usize| match (i / width) % 5 {
        2 => 0.0,
        _ => (i as f32 * 1.7 + n as f32).sin(),
    };
    (0..BATCH * TIME * width).map(number).collect()
}

/// What a model gives for these inputs, its gradients, and what the interpreter says of it.
fn run(model: &mut impl Learner, text: &str) -> (Vec<Vec<f32>>, Vec<f32>) {
    let oracle = interpret::Model::parse(text).unwrap();
    let n = model.weights().len();
    for (i, w) in model.weights_mut().iter_mut().enumerate() {
        *w = (i as f32 * 0.9).cos() * 0.5;
    }
    let mut weights = Weights::new();
    let mut at = 0;
    for s in model.specs() {
        let of = &model.weights()[at..at + s.len()];
        weights.insert(s.name.into(), of.iter().map(|&w| w.into()).collect());
        at += s.len();
    }
    let widths = model.inputs().iter().map(|s| s.features.iter().product());
    let x: Vec<Vec<f32>> = widths.enumerate().map(|(i, w)| numbers(i, w)).collect();
    let view = |x| InputView {
        batch: BATCH,
        time: TIME,
        values: Values::Floats(x),
    };
    let views: Vec<InputView<'_>> = x.iter().map(|x| view(x)).collect();
    let call = Call {
        inputs: (x.iter())
            .map(|x| Input {
                batch: BATCH,
                time: TIME,
                floats: x.iter().map(|&x| x.into()).collect(),
                ids: vec![],
            })
            .collect(),
        ..Call::default()
    };
    let answer = oracle.call(&weights, &call).unwrap();
    model.infer(&views).unwrap();
    let outputs = 0..model.outputs().len();
    let inferred: Vec<Vec<f32>> = outputs.clone().map(|i| model.output(i).to_vec()).collect();
    for (ours, theirs) in inferred.iter().zip(&answer.outputs) {
        assert_eq!(ours.len(), theirs.data.len());
        for (a, b) in ours.iter().zip(&theirs.data) {
            assert!((f64::from(*a) - b).abs() < 1e-5, "{text}: {a} and {b}");
        }
    }
    model.forward(&views, StepSeed::default()).unwrap();
    let d: Vec<Vec<f32>> = outputs
        .map(|i| (model.output(i).iter()).map(|y| 0.3 - y).collect())
        .collect();
    let d: Vec<&[f32]> = d.iter().map(Vec::as_slice).collect();
    let mut gradients = vec![0.0; n];
    model.backward(&d, &mut gradients).unwrap();
    (inferred, gradients)
}

/// The same tokens for the macro and as text.
macro_rules! ran {
    ($($model:tt)*) => {
        run(&mut rnn_model!($($model)*), stringify!($($model)*))
    };
}

#[test]
fn layers_without_weights_take_any_width() {
    let shared = ran! {
        input x: [4, 5];
        input z: [4, 3];
        layer zeros = Masking;
        layer join = Concatenate;
        layer bend = Activation(tanh);
        layer product = Multiply;
        layer most = Maximum;
        layer sum = Add;
        let a = x -> zeros -> bend;
        let b = z -> zeros -> bend;
        let c = (a, b) -> join;
        let d = (c, a) -> join -> LSTM(5, return_sequences);
        let e = (b, c) -> join -> GRU(3, return_sequences);
        let p = (a, d, a) -> product;
        let q = (b, e) -> product;
        let r = (a, p) -> most;
        let s = (b, q) -> most;
        let t = (p, r, d) -> sum;
        let u = (q, s) -> sum;
        output wide = t -> LSTM(2);
        output narrow = u -> LSTM(2);
    };
    let written = ran! {
        input x: [4, 5];
        input z: [4, 3];
        let a = x -> Masking -> Activation(tanh);
        let b = z -> Masking -> Activation(tanh);
        let c = (a, b) -> Concatenate;
        let d = (c, a) -> Concatenate -> LSTM(5, return_sequences);
        let e = (b, c) -> Concatenate -> GRU(3, return_sequences);
        let p = (a, d, a) -> Multiply;
        let q = (b, e) -> Multiply;
        let r = (a, p) -> Maximum;
        let s = (b, q) -> Maximum;
        let t = (p, r, d) -> Add;
        let u = (q, s) -> Add;
        output wide = t -> LSTM(2);
        output narrow = u -> LSTM(2);
    };
    assert_eq!(shared, written);
    assert!(shared.1.iter().all(|g| *g != 0.0), "{:?}", shared.1);
}

/// One value that carries a mask, one that carries none.
#[test]
fn a_shared_merge_of_values_with_and_without_masks() {
    let shared = ran! {
        input x: [4, 5];
        layer product = Multiply;
        layer least = Minimum;
        let real = x -> Masking -> GRU(5, return_sequences);
        let plain = x -> GRU(5, return_sequences);
        let a = (real, plain) -> product;
        let b = (plain, plain) -> product;
        let c = (a, real) -> least;
        let d = (b, plain, real) -> least;
        output y = (c, d) -> Concatenate -> GRU(3);
    };
    let written = ran! {
        input x: [4, 5];
        let real = x -> Masking -> GRU(5, return_sequences);
        let plain = x -> GRU(5, return_sequences);
        let a = (real, plain) -> Multiply;
        let b = (plain, plain) -> Multiply;
        let c = (a, real) -> Minimum;
        let d = (b, plain, real) -> Minimum;
        output y = (c, d) -> Concatenate -> GRU(3);
    };
    assert_eq!(shared, written);
}
