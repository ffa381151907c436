//! The oracle itself, against numbers computed by hand: chains. Graphs are in `graph_tests.rs`.

use super::*;

fn run(text: &str, weights: &[(&str, &[f64])], x: &[f64], time: usize, training: bool) -> Vec<f64> {
    let model = ReferenceModel::parse(text).unwrap();
    let weights = weights.iter().map(|(n, w)| ((*n).into(), w.to_vec()));
    let batch = x.len() / time / model.input_features().unwrap();
    let input = Input {
        batch,
        time,
        floats: x.to_vec(),
        ids: vec![],
    };
    model.run(&weights.collect(), &input, training).unwrap()
}

fn close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < 1e-14, "{a} and {b}");
    }
}

const SIMPLE: &[(&str, &[f64])] = &[
    ("simple_rnn/kernel", &[2.0]),
    ("simple_rnn/recurrent_kernel", &[3.0]),
    ("simple_rnn/bias", &[0.5]),
];

#[test]
fn a_recurrent_layer_feeds_its_output_back() {
    let (a, b) = ((2.0f64 + 0.5).tanh(), -0.25f64);
    let last = (2.0 * b + 3.0 * a + 0.5).tanh();
    let x = [1.0, b];
    close(
        &run("Input(2, 1) -> SimpleRNN(1)", SIMPLE, &x, 2, false),
        &[last],
    );
    let all = "Input(_, 1) -> SimpleRNN(1, return_sequences)";
    close(&run(all, SIMPLE, &x, 2, false), &[a, last]);
}

#[test]
fn backwards_starts_at_the_last_step() {
    let a = (2.0f64 * -0.25 + 0.5).tanh();
    let b = (2.0 * 1.0 + 3.0 * a + 0.5).tanh();
    let text = "Input(2, 1) -> SimpleRNN(1, return_sequences, go_backwards)";
    close(&run(text, SIMPLE, &[1.0, -0.25], 2, false), &[a, b]);
}

#[test]
fn training_normalises_by_the_batch() {
    let weights: &[(&str, &[f64])] = &[
        ("batch_normalization/gamma", &[2.0]),
        ("batch_normalization/beta", &[1.0]),
        ("batch_normalization/moving_mean", &[10.0]),
        ("batch_normalization/moving_variance", &[4.0]),
    ];
    let text = "Input(1) -> BatchNormalization(epsilon = 0.5)";
    // Mean 3, variance 4.
    let d = 2.0 / 4.5f64.sqrt();
    close(
        &run(text, weights, &[1.0, 5.0], 1, true),
        &[1.0 - 2.0 * d, 1.0 + 2.0 * d],
    );
    let f = 2.0 / 4.5f64.sqrt();
    close(
        &run(text, weights, &[1.0, 5.0], 1, false),
        &[1.0 - 9.0 * f, 1.0 - 5.0 * f],
    );
}

#[test]
fn mistakes_are_said() {
    let wrong = ReferenceModel::parse("Input(4) -> LSTM(3)").unwrap_err();
    assert!(wrong.0.contains("LSTM(3)"), "{wrong}");
    let model = ReferenceModel::parse("Input(4) -> Dropout(0.5)").unwrap();
    let input = Input {
        batch: 1,
        time: 1,
        floats: vec![0.0; 4],
        ids: vec![],
    };
    assert!(model.run(&Weights::new(), &input, true).is_err());
    assert_eq!(model.run(&Weights::new(), &input, false).unwrap(), [0.0; 4]);
}

#[test]
fn cells_and_consts_come_from_the_scope() {
    let scope = Definitions {
        cells: &[(
            "Sum",
            "cell Sum(units) { state h: [units]; next h = h + sum(x); output h; }",
        )],
        consts: &[("UNITS", 2)],
    };
    let model = ReferenceModel::parse_in("Input(_, 2) -> RNN(Sum(UNITS))", scope).unwrap();
    let input = Input {
        batch: 1,
        time: 2,
        floats: vec![1.0, 2.0, 3.0, 4.0],
        ids: vec![],
    };
    assert_eq!(
        model.run(&Weights::new(), &input, false).unwrap(),
        [10.0, 10.0]
    );
}
