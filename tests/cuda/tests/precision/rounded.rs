//! A recurrent layer in float64 with operands rounded as the device rounds them: what is left is no more than float32's error.

use recurrent::{
    learner::{InputView, StepSeed, Values},
    prelude::*,
    rnn_model,
};
use recurrent_test_cuda::{device, numbers};

use crate::{PRECISIONS, error};

const ROWS: usize = 9;
const STEPS: usize = 3;
const FEATURES: usize = 19;
const UNITS: usize = 21;

/// Makes numbers operands.
struct Rounding {
    precision: Precision,
    /// Some number is so near to the middle of two that float32's error decides which of them it becomes.
    undecided: bool,
}

impl Rounding {
    fn operand(&mut self, x: f64) -> f64 {
        let is_exact = f64::from(x as f32) == x;
        let [low, high] = [1.0 - 3e-7, 1.0 + 3e-7].map(|by| rounded(by * x, self.precision));
        self.undecided |= !is_exact && self.precision != Precision::Float32 && low != high;
        rounded(x, self.precision)
    }

    /// Adds `a · b`.
    fn add_product(&mut self, to: &mut Matrix, a: &Matrix, b: &Matrix) {
        for (to, a) in to.iter_mut().zip(a) {
            for (x, row) in a.iter().zip(b) {
                for (sum, y) in to.iter_mut().zip(row) {
                    *sum += self.operand(*x) * self.operand(*y);
                }
            }
        }
    }
}

/// The nearest number with fewer bits. TF32 rounds a half away from zero, the others to even.
pub fn rounded(x: f64, precision: Precision) -> f64 {
    let x = x as f32;
    let bits = x.to_bits();
    let nearest = |dropped: u32| {
        let odd = bits >> dropped & 1;
        f32::from_bits((bits + (1 << (dropped - 1)) - 1 + odd) >> dropped << dropped)
    };
    f64::from(match precision {
        Precision::Float32 => x,
        Precision::Tf32 => f32::from_bits((bits + (1 << 12)) >> 13 << 13),
        Precision::Bf16 => nearest(16),
        // Below 2^-14 there are fewer bits.
        Precision::F16 if x.abs() < 2f32.powi(-14) => {
            (x * 2f32.powi(24)).round_ties_even() * 2f32.powi(-24)
        }
        Precision::F16 => nearest(13),
    })
}

/// A matrix of rows.
type Matrix = Vec<Vec<f64>>;

fn matrix(numbers: &[f32], columns: usize) -> Matrix {
    numbers
        .chunks(columns)
        .map(|row| row.iter().map(|x| f64::from(*x)).collect())
        .collect()
}

fn zeros(rows: usize, columns: usize) -> Matrix {
    vec![vec![0.0; columns]; rows]
}

fn transposed(a: &Matrix) -> Matrix {
    (0..a[0].len())
        .map(|i| a.iter().map(|row| row[i]).collect())
        .collect()
}

/// Outputs, and gradients of the kernel, the recurrent kernel, the bias and the input, of a `SimpleRNN`.
fn reference(
    weights: &[f32],
    x: &[f32],
    d: &[f32],
    forward: &mut Rounding,
    backward: &mut Rounding,
) -> [Vec<f32>; 5] {
    let (kernel, rest) = weights.split_at(FEATURES * UNITS);
    let (recurrent, bias) = rest.split_at(UNITS * UNITS);
    let (kernel, recurrent) = (matrix(kernel, UNITS), matrix(recurrent, UNITS));
    // `[steps][rows][…]` of `[rows][steps][…]`.
    let steps = |numbers: &[f32], width: usize| -> Vec<Matrix> {
        let all = matrix(numbers, width);
        (0..STEPS)
            .map(|t| (0..ROWS).map(|row| all[row * STEPS + t].clone()).collect())
            .collect()
    };
    let (x, d) = (steps(x, FEATURES), steps(d, UNITS));
    let mut states = vec![zeros(ROWS, UNITS)];
    for (t, x) in x.iter().enumerate() {
        let mut z = vec![bias.iter().map(|b| f64::from(*b)).collect::<Vec<f64>>(); ROWS];
        forward.add_product(&mut z, x, &kernel);
        forward.add_product(&mut z, &states[t], &recurrent);
        states.push(
            z.iter()
                .map(|row| row.iter().map(|z| z.tanh()).collect())
                .collect(),
        );
    }
    let (mut d_kernel, mut d_recurrent) = (zeros(FEATURES, UNITS), zeros(UNITS, UNITS));
    let (mut d_bias, mut d_x) = (vec![0.0; UNITS], vec![zeros(ROWS, FEATURES); STEPS]);
    let mut d_state = zeros(ROWS, UNITS);
    for t in (0..STEPS).rev() {
        let mut dz = d[t].clone();
        for (row, dz) in dz.iter_mut().enumerate() {
            for (unit, dz) in dz.iter_mut().enumerate() {
                let h = states[t + 1][row][unit];
                *dz = (*dz + d_state[row][unit]) * (1.0 - h * h);
                d_bias[unit] += *dz;
            }
        }
        backward.add_product(&mut d_kernel, &transposed(&x[t]), &dz);
        backward.add_product(&mut d_recurrent, &transposed(&states[t]), &dz);
        backward.add_product(&mut d_x[t], &dz, &transposed(&kernel));
        d_state = zeros(ROWS, UNITS);
        backward.add_product(&mut d_state, &dz, &transposed(&recurrent));
    }
    let single =
        |numbers: Vec<f64>| -> Vec<f32> { numbers.into_iter().map(|x| x as f32).collect() };
    let rows = |all: &[Matrix]| {
        (0..ROWS)
            .flat_map(|row| all.iter().flat_map(move |step| step[row].clone()))
            .collect()
    };
    [
        single(rows(&states[1..])),
        single(d_kernel.concat()),
        single(d_recurrent.concat()),
        single(d_bias),
        single(rows(&d_x)),
    ]
}

/// One batch; false if it does not tell whether products are exact.
fn agrees(device: &Device, seed: u64) -> bool {
    let x = numbers(ROWS * STEPS * FEATURES, seed);
    let d = numbers(ROWS * STEPS * UNITS, seed + 1000);
    let model = rnn_model!(Input(_, FEATURES) -> SimpleRNN(UNITS, return_sequences));
    let weights = Learner::weights(&model).to_vec();
    let precision = device.precision();
    let rounding = |precision| Rounding {
        precision,
        undecided: false,
    };
    let (mut forward, mut backward) = match precision {
        Precision::F16 => (rounding(precision), rounding(Precision::Tf32)),
        _ => (rounding(precision), rounding(precision)),
    };
    let expected = reference(&weights, &x, &d, &mut forward, &mut backward);
    if forward.undecided || backward.undecided {
        return false;
    }
    let mut model = model.to(device).unwrap();
    model.want_input_gradient(true);
    let input = InputView {
        batch: ROWS,
        time: STEPS,
        values: Values::Floats(&x),
    };
    model
        .forward(&[input], StepSeed { seed: 3, step: 1 })
        .unwrap();
    let output = model.output(0).to_vec();
    let mut gradients = vec![f32::NAN; weights.len()];
    model.backward(&[&d], &mut gradients).unwrap();
    let (kernel, rest) = gradients.split_at(FEATURES * UNITS);
    let (recurrent, bias) = rest.split_at(UNITS * UNITS);
    let input = model.input_gradient(0).unwrap();
    let parts = [&output[..], kernel, recurrent, bias, input];
    for (i, (found, expected)) in parts.into_iter().zip(&expected).enumerate() {
        let error = error(found, expected);
        println!("{precision} {i}: {error:.1e}");
        assert!(error <= 1e-6, "{precision}, {i}: {error:.2e}");
    }
    true
}

#[test]
fn products_are_exact_but_for_their_operands() {
    let Some(device) = device() else { return };
    for precision in [Precision::Float32].into_iter().chain(PRECISIONS) {
        let device = device.clone().with_precision(precision).unwrap();
        let told = (0..30)
            .filter(|seed| agrees(&device, *seed))
            .take(2)
            .count();
        assert_eq!(told, 2, "{precision}");
    }
}
