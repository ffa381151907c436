//! Regularisers and constraints of the parameters of a program's own cells, against those of the
//! built-in layers and against what is known by hand.

use ndarray::{Array2, Array3};
use recurrent::{
    cells::LayerNormLstm,
    learner::Learner,
    prelude::*,
    train::{Dataset, Fit, Trainer, Verbose, losses::MeanSquaredError, optimizers::SGD},
};

rnn_cell! {
    /// Keras's `SimpleRNN`.
    cell Plain(units) {
        param kernel: [input, units] = glorot_uniform;
        param recurrent_kernel: [units, units] = orthogonal;
        param bias: [units] = zeros;
        state h: [units];
        next h = tanh(x @ kernel + bias + h @ recurrent_kernel);
        output h;
    }
}

/// One step of gradient descent; the loss before it, and all weights after it by name.
fn step(model: &mut impl Learner) -> (f64, Vec<(&'static str, Vec<f32>)>) {
    start(model);
    let x = Array3::from_shape_fn((4, 5, 3), |(b, t, i)| {
        (b + 2 * t) as f32 * 0.1 - i as f32 * 0.2
    });
    let y = Array2::from_elem((4, 2), 0.25);
    let fit = Fit {
        batch_size: 4,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let history = Trainer::new(model)
        .optimizer(SGD::new(1.0))
        .loss(MeanSquaredError)
        .fit(&Dataset::new(x, y).unwrap(), fit)
        .unwrap();
    let loss = history.get("loss")[0];
    (loss, weights(model))
}

/// Weights that are the same in every model, some of them long and some below zero.
fn start(model: &mut impl Learner) {
    for (i, w) in model.weights_mut().iter_mut().enumerate() {
        *w = (i as f32 * 0.7).sin() * 0.8;
    }
}

fn weights(model: &impl Learner) -> Vec<(&'static str, Vec<f32>)> {
    let mut rest = model.weights();
    let mut all = Vec::new();
    for spec in model.specs() {
        let (own, after) = rest.split_at(spec.len());
        all.push((spec.name, own.to_vec()));
        rest = after;
    }
    all
}

#[test]
fn a_cell_of_ones_own_has_what_the_built_in_layer_has() {
    let mut own = rnn_model!(Input(_, 3) -> RNN(Plain(2, kernel_regularizer = l1_l2(0.1, 0.2),
        recurrent_regularizer = l2(0.3), bias_regularizer = l1(0.4),
        kernel_constraint = max_norm(0.5), recurrent_kernel_constraint = unit_norm(axis = 1),
        bias_constraint = non_neg), name = "layer"));
    let mut built_in = rnn_model!(Input(_, 3) -> SimpleRNN(2, kernel_regularizer = l1_l2(0.1, 0.2),
        recurrent_regularizer = l2(0.3), bias_regularizer = l1(0.4),
        kernel_constraint = max_norm(0.5), recurrent_constraint = unit_norm(axis = 1),
        bias_constraint = non_neg, name = "layer"));
    assert_eq!(step(&mut own), step(&mut built_in));
}

/// What the loss gains and a step loses by a penalty, at each place where a cell can stand.
#[test]
fn the_penalty_is_in_the_loss_and_in_the_gradient() {
    fn check(mut plain: impl Learner, mut with: impl Learner, regularised: &[&str]) {
        let ((before, without), (loss, all)) = (step(&mut plain), step(&mut with));
        start(&mut plain);
        let (mut cost, mut found) = (0.0, 0);
        for ((old, without), with) in weights(&plain).iter().zip(&without).zip(&all) {
            assert_eq!(without.0, with.0);
            let is = regularised.contains(&old.0);
            found += usize::from(is);
            for ((w, a), b) in old.1.iter().zip(&without.1).zip(&with.1) {
                let gradient = if is { 2.0 * 0.25 * w } else { 0.0 };
                assert!((a - b - gradient).abs() < 1e-5, "{}: {a} and {b}", old.0);
                cost += if is { 0.25 * f64::from(w * w) } else { 0.0 };
            }
        }
        assert_eq!(found, regularised.len());
        assert!(
            (loss - before - cost).abs() < 1e-5,
            "{loss}, {before}, {cost}"
        );
    }
    check(
        rnn_model!(Input(_, 3) -> RNN(LayerNormLstm(2))),
        rnn_model!(Input(_, 3) -> RNN(LayerNormLstm(2, kernel_regularizer = l2(0.25)))),
        &["rnn/kernel"],
    );
    check(
        rnn_model!(Input(_, 3) -> RNN([Plain(3), LSTMCell(2), Plain(2)])),
        rnn_model!(Input(_, 3) -> RNN([Plain(3), LSTMCell(2),
            Plain(2, recurrent_regularizer = l2(0.25), bias_regularizer = l2(0.25))])),
        &["rnn/plain_1/recurrent_kernel", "rnn/plain_1/bias"],
    );
    check(
        rnn_model!(Input(_, 3) -> Bidirectional(RNN(Plain(2)), merge_mode = sum)),
        rnn_model!(Input(_, 3) -> Bidirectional(RNN(Plain(2, kernel_regularizer = l2(0.25))),
            merge_mode = sum)),
        &[
            "bidirectional/forward_rnn/kernel",
            "bidirectional/backward_rnn/kernel",
        ],
    );
    // Two calls have one set of weights, which costs once.
    check(
        rnn_model! {
            input x: [_, 3];
            layer l = RNN(Plain(3), return_sequences);
            output y = x -> l -> l -> GRU(2);
        },
        rnn_model! {
            input x: [_, 3];
            layer l = RNN(Plain(3, kernel_regularizer = l2(0.25)), return_sequences);
            output y = x -> l -> l -> GRU(2);
        },
        &["l/kernel"],
    );
}

#[test]
fn constraints_hold_after_a_step() {
    let (_, free) = step(&mut rnn_model!(Input(_, 3) -> RNN(Plain(2))));
    let mut model = rnn_model!(Input(_, 3) -> RNN(Plain(2, kernel_constraint = max_norm(0.3),
        recurrent_constraint = non_neg)));
    let (_, held) = step(&mut model);
    let lengths = |kernel: &[f32]| -> Vec<f32> {
        let column = |c: usize| kernel.iter().skip(c).step_by(2);
        (0..2)
            .map(|c| column(c).map(|w| w * w).sum::<f32>().sqrt())
            .collect()
    };
    let (long, short) = (lengths(&free[0].1), lengths(&held[0].1));
    assert!(long.iter().any(|l| *l > 0.3), "{long:?}");
    assert!(short.iter().all(|l| *l <= 0.3 + 1e-6), "{short:?}");
    assert_eq!(free[2], held[2]);
    let above: Vec<f32> = free[1].1.iter().map(|b| b.max(0.0)).collect();
    assert_eq!(above, held[1].1);
    assert_ne!(above, free[1].1);
}
