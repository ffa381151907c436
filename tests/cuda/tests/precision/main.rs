//! Products in TF32, bf16 and f16: how far they are from the CPU's float32, and that they are exact but for the rounding of
//! their operands.

mod learnt;
mod rounded;

use std::{env, process::Command};

use recurrent::{
    cells::LayerNormLstm,
    learner::{InputView, StepSeed, Values},
    prelude::*,
    rnn_cell, rnn_model,
};
use recurrent_test_cuda::{device, numbers, reorder};
use rounded::rounded;

/// All but float32.
const PRECISIONS: [Precision; 3] = [Precision::Tf32, Precision::Bf16, Precision::F16];

/// By how much a number changes at most when it becomes an operand, relative to it: half of its last bit.
fn rounding(precision: Precision) -> f64 {
    match precision {
        Precision::Float32 => 2f64.powi(-24),
        Precision::Tf32 | Precision::F16 => 2f64.powi(-11),
        Precision::Bf16 => 2f64.powi(-8),
    }
}

rnn_cell! {
    /// Two recurrent products, of which one reads what the other gave, and sums over units.
    cell Whitened(units) {
        param kernel: [input, units] = glorot_uniform;
        param first: [units, units] = orthogonal;
        param second: [units, units] = orthogonal;
        param bias: [units] = zeros;
        state h: [units];
        let a = tanh(x @ kernel + h @ first + bias);
        let white = a / sqrt(mean(a * a) + 0.01);
        let gate = sigmoid(white @ second);
        next h = gate * h + (1 - gate) * white;
        output h;
    }
}

/// What a batch gives: all outputs of inference and of training, gradients of weights, gradients of the input.
struct Results([Vec<f32>; 4]);

const PARTS: [&str; 4] = ["inference", "training", "gradients", "the input's gradient"];

impl Results {
    fn of(mut model: impl Model + Learner, x: InputView<'_>) -> Results {
        model.want_input_gradient(true);
        let outputs = |model: &dyn Fn(usize) -> Vec<f32>, count: usize| -> Vec<Vec<f32>> {
            (0..count).map(model).collect()
        };
        let count = Learner::outputs(&model).len();
        model.infer(&[x]).unwrap();
        let inference = outputs(&|i| model.output(i).to_vec(), count).concat();
        model.forward(&[x], StepSeed { seed: 3, step: 1 }).unwrap();
        let training = outputs(&|i| model.output(i).to_vec(), count);
        let d: Vec<Vec<f32>> = training.iter().map(|y| numbers(y.len(), 9)).collect();
        let d: Vec<&[f32]> = d.iter().map(Vec::as_slice).collect();
        let mut gradients = vec![f32::NAN; Learner::weights(&model).len()];
        model.backward(&d, &mut gradients).unwrap();
        let input = model.input_gradient(0).unwrap_or_default().to_vec();
        Results([inference, training.concat(), gradients, input])
    }

    /// How far others are from these, part by part.
    fn errors(&self, others: &Results) -> Vec<f64> {
        let pairs = others.0.iter().zip(&self.0);
        pairs.map(|(other, this)| error(other, this)).collect()
    }

    fn bits(&self) -> Vec<u32> {
        self.0.iter().flatten().map(|x| x.to_bits()).collect()
    }
}

/// ‖found − expected‖ / ‖expected‖, 0 where both are empty.
fn error(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    let pairs = found.iter().zip(expected);
    let difference = norm(&mut pairs.map(|(f, e)| f64::from(*f) - f64::from(*e)));
    if difference == 0.0 {
        return 0.0;
    }
    difference / norm(&mut expected.iter().map(|e| f64::from(*e)))
}

/// How far results on the CPU move when weights and inputs alone are rounded: models differ in how much they amplify that.
fn sensitivity<M: Model + Learner>(
    mut model: M,
    x: InputView<'_>,
    expected: &Results,
    precision: Precision,
) -> Vec<f64> {
    let round = |x: &f32| rounded(f64::from(*x), precision) as f32;
    let weights: Vec<f32> = Learner::weights(&model).iter().map(round).collect();
    model.weights_mut().copy_from_slice(&weights);
    let inputs: Vec<f32> = match x.values {
        Values::Floats(x) => x.iter().map(round).collect(),
        Values::Ids(_) => Vec::new(),
    };
    let values = match x.values {
        Values::Floats(_) => Values::Floats(&inputs),
        ids => ids,
    };
    expected.errors(&Results::of(model, InputView { values, ..x }))
}

/// A model in every precision against itself on the CPU, and against itself when blocks and warps come in another order.
fn compare<M: Model + Learner>(
    name: &str,
    make: impl Fn() -> M,
    device: &Device,
    x: InputView<'_>,
) {
    let expected = Results::of(make(), x);
    for precision in PRECISIONS {
        let sensitivity = sensitivity(make(), x, &expected, precision);
        let device = device.clone().with_precision(precision).unwrap();
        let mut first = None;
        for seed in [0, 2] {
            reorder(seed);
            let found = Results::of(make().to(&device).unwrap(), x);
            let bits = found.bits();
            let errors = expected.errors(&found);
            if seed == 0 {
                let errors: Vec<String> = errors.iter().map(|e| format!("{e:.1e}")).collect();
                println!("{name} {precision}: {}", errors.join(" "));
            }
            for ((error, sensitivity), part) in errors.iter().zip(&sensitivity).zip(PARTS) {
                // Operands that are states and gradients are rounded, too, and their errors add up over the steps.
                let bound = 2.0 * sensitivity.max(rounding(precision) / 2.0);
                assert!(
                    *error <= bound,
                    "{name}, {precision}, {part}: {error:.2e}, {sensitivity:.2e}"
                );
            }
            // Operands are rounded indeed.
            assert!(
                errors[1] > rounding(precision) / 16.0,
                "{name}, {precision}: {errors:?}"
            );
            assert!(
                errors[2] > rounding(precision) / 16.0,
                "{name}, {precision}: {errors:?}"
            );
            assert!(
                *first.get_or_insert_with(|| bits.clone()) == bits,
                "{name}, {precision}, seed {seed}"
            );
        }
    }
    reorder(0);
}

fn floats(x: &[f32], batch: usize, time: usize) -> InputView<'_> {
    InputView {
        batch,
        time,
        values: Values::Floats(x),
    }
}

/// Rows that fill no warp, and more than one; more than a GPU has multiprocessors, so that blocks have several rows; widths
/// beside the multiples of 8 and 16.
macro_rules! cases {
    ($($(#[$attr:meta])* $name:ident: [$batch:literal, $time:literal, $features:literal] $model:tt;)*) => {$(
        #[test]
        $(#[$attr])*
        fn $name() {
            let Some(device) = device() else { return };
            let x = numbers($batch * $time * $features, 5);
            cases!(@model make $model);
            compare(stringify!($name), make, &device, floats(&x, $batch, $time));
        }
    )*};
    (@model $make:ident { $($model:tt)* }) => { let $make = || rnn_model!($($model)*); };
}
cases! {
    dense: [11, 1, 17] { Input(17) -> Dense(33, tanh) -> Dense(5) };
    #[ignore = "ten seconds; `cargo xtask check slow` runs it"]
    dense_over_time: [3, 5, 5] { Input(_, 5) -> Dense(17, relu) -> Dense(3) };
    simple_rnn: [9, 4, 3] { Input(_, 3) -> SimpleRNN(17) };
    #[ignore = "ten seconds; `cargo xtask check slow` runs it"]
    lstm_of_5: [1, 4, 5] { Input(_, 5) -> LSTM(5, return_sequences) };
    lstm_of_33: [10, 3, 17] { Input(_, 17) -> LSTM(33) -> Dense(2) };
    gru: [10, 4, 5] { Input(_, 5) -> GRU(17, return_sequences) };
    #[ignore = "ten seconds; `cargo xtask check slow` runs it"]
    gru_reset_before: [10, 4, 5] { Input(_, 5) -> GRU(17, reset_after = false) };
    bidirectional: [5, 4, 6] { Input(_, 6) -> Bidirectional(LSTM(16)) -> Dense(3) };
    normalised: [9, 3, 7] { Input(_, 7) -> RNN(LayerNormLstm(20)) };
    two_products: [9, 3, 7] { Input(_, 7) -> RNN(Whitened(40)) -> Dense(2) };
    states: [9, 4, 8] {
        input x: [_, 8];
        let (y, h, c) = x -> LSTM(9, return_sequences, return_state);
        output y = y;
        output h = h;
        output c = c;
    };
    many_rows: [139, 3, 5] { Input(_, 5) -> GRU(9) -> Dense(2) };
    #[ignore = "ten seconds; `cargo xtask check slow` runs it"]
    many_rows_of_two_products: [139, 2, 3] { Input(_, 3) -> RNN(Whitened(20)) };
    dropped: [9, 4, 8] { Input(_, 8) -> GRU(8, dropout = 0.2, recurrent_dropout = 0.2) };
}

/// Masks of any pattern, a row without a valid step among them.
#[test]
fn masked() {
    let Some(device) = device() else { return };
    for batch in [11, 139] {
        masked_rows(&device, batch);
    }
}

fn masked_rows(device: &Device, batch: usize) {
    let time = 5;
    let ids: Vec<u32> = (0..batch * time)
        .map(|i| match (i / time, i % time) {
            // No valid step, valid steps at the start, steps left out in between.
            (3, _) => 0,
            (row, t) if row % 2 == 0 && t > row / 3 => 0,
            (row, t) if (row + t) % 4 == 0 => 0,
            (row, t) => (row * 7 + t * 3) as u32 % 12 + 1,
        })
        .collect();
    let x = InputView {
        batch,
        time,
        values: Values::Ids(&ids),
    };
    let one = || rnn_model!(Embedding(13, 6, mask_zero) -> LSTM(17) -> Dense(2));
    compare("masked", one, device, x);
    let both = || rnn_model!(Embedding(13, 6, mask_zero) -> Bidirectional(GRU(9, return_sequences)) -> RNN(Whitened(7)));
    compare("masked in both directions", both, device, x);
}

/// All of the above by kernels of one step each.
#[test]
fn step_by_step() {
    const PERSISTENT: &str = "RECURRENT_CUDA_PERSISTENT";
    if env::var_os(PERSISTENT).is_some() || device().is_none() {
        return;
    }
    let program = env::current_exe().unwrap();
    let run = Command::new(program).env(PERSISTENT, "0").output().unwrap();
    let text = [run.stdout, run.stderr].concat();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&text));
}

/// One GPU has models of several precisions, and a model goes from one to another with its weights.
#[test]
fn models_of_several_precisions() {
    let Some(device) = device() else { return };
    let x = numbers(6 * 3 * 4, 2);
    let x = ndarray::Array3::from_shape_vec((6, 3, 4), x).unwrap();
    let near = rnn_model!(Input(_, 4) -> LSTM(6) -> Dense(2));
    let mut far = rnn_model!(Input(_, 4) -> LSTM(6) -> Dense(2))
        .to(&device)
        .unwrap();
    let exact = far.predict(&x).unwrap();
    let tf32 = device.clone().with_precision(Precision::Tf32).unwrap();
    let other = rnn_model!(Input(_, 4) -> LSTM(6) -> Dense(2))
        .to(&tf32)
        .unwrap();
    let text = tf32.to_string();
    assert_eq!(text, format!("{},tf32", *device));
    assert!(
        other.summary().contains(&format!("on {text}, ")),
        "{}",
        other.summary()
    );
    assert_eq!(other.device().precision(), Precision::Tf32);
    let rounded = other.predict(&x).unwrap();
    assert_ne!(rounded, exact);
    assert_eq!(far.predict(&x).unwrap(), exact);
    far = far.to(&tf32).unwrap();
    assert_eq!(far.predict(&x).unwrap(), rounded);
    far = far.to(&device).unwrap();
    assert_eq!(far.device().precision(), Precision::Float32);
    assert_eq!(far.predict(&x).unwrap(), exact);
    assert_eq!(Learner::weights(&far), Learner::weights(&near));
}
