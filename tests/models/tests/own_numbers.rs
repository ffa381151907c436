//! Parameters that start with numbers of the program: the matrices of a Legendre memory unit (Voelker et al. 2019), as
//! arrays and by functions, against what `tests/keras/lmu.py` computes in fractions.

use std::path::PathBuf;

use ndarray::{Array2, Array3, ArrayD, Axis};
use recurrent::prelude::*;
use safetensors::SafeTensors;

/// The memory's matrices, for 9 steps.
mod memory {
    const THETA: f64 = 9.0;

    /// A number of the matrix whose exponential has A and B, of order `n`, in its upper rows.
    const fn number(n: usize, i: usize, j: usize) -> f64 {
        let (row, sign) = (
            (2 * i + 1) as f64 / THETA,
            if (i + j).is_multiple_of(2) { -1.0 } else { 1.0 },
        );
        match () {
            () if i == n => 0.0,
            () if j == n => row * if i.is_multiple_of(2) { 1.0 } else { -1.0 },
            () if i < j => -row,
            () => row * sign,
        }
    }

    const fn exponential<const M: usize>() -> [[f64; M]; M] {
        let (mut found, mut term) = ([[0.0; M]; M], [[0.0; M]; M]);
        let mut i = 0;
        while i < M {
            (found[i][i], term[i][i]) = (1.0, 1.0);
            i += 1;
        }
        let mut k = 1;
        while k < 40 {
            let mut next = [[0.0; M]; M];
            let mut at = 0;
            while at < M * M {
                let (i, j) = (at / M, at % M);
                let mut l = 0;
                while l < M {
                    next[i][j] += term[i][l] * number(M - 1, l, j) / k as f64;
                    l += 1;
                }
                found[i][j] += next[i][j];
                at += 1;
            }
            term = next;
            k += 1;
        }
        found
    }

    const ALL: [[f64; 7]; 7] = exponential();

    /// A of order 6, `[from, to]`.
    pub const A: [[f64; 6]; 6] = {
        let (mut a, mut at) = ([[0.0; 6]; 6], 0);
        while at < 36 {
            a[at % 6][at / 6] = ALL[at / 6][at % 6];
            at += 1;
        }
        a
    };

    /// B of order 6.
    pub static B: [[f32; 6]; 1] = {
        let (mut b, mut i) = ([[0.0; 6]; 1], 0);
        while i < 6 {
            b[0][i] = ALL[i][6] as f32;
            i += 1;
        }
        b
    };

    /// A and B of any order, at run time.
    pub fn discrete(n: usize) -> Vec<Vec<f64>> {
        let size = n + 1;
        let one = |i, j| if i == j { 1.0 } else { 0.0 };
        let square = |f: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            (0..size)
                .map(|i| (0..size).map(|j| f(i, j)).collect())
                .collect()
        };
        let (mut found, mut term) = (square(&one), square(&one));
        for k in 1..40 {
            let product = |i: usize, j: usize| -> f64 {
                let terms = (0..size).map(|l| term[i][l] * number(n, l, j) / f64::from(k));
                terms.sum()
            };
            term = square(&product);
            found = square(&|i, j| found[i][j] + term[i][j]);
        }
        found
    }
}

mod cells {
    use recurrent::prelude::*;

    fn legendre_a(shape: &[usize], values: &mut [f32]) {
        let (n, all) = (shape[0], super::memory::discrete(shape[0]));
        for (at, value) in values.iter_mut().enumerate() {
            *value = all[at % n][at / n] as f32;
        }
    }

    fn legendre_b(shape: &[usize], values: &mut [f32]) {
        let all = super::memory::discrete(shape[1]);
        for (value, row) in values.iter_mut().zip(&all) {
            *value = row[shape[1]] as f32;
        }
    }

    rnn_cell! {
        /// A Legendre memory unit of any order.
        pub cell Lmu(units, order) {
            param input_encoder: [input, 1] = lecun_uniform;
            param hidden_encoder: [units, 1] = lecun_uniform;
            param memory_encoder: [order, 1] = zeros;
            param input_kernel: [input, units] = glorot_normal;
            param hidden_kernel: [units, units] = glorot_normal;
            param memory_kernel: [order, units] = glorot_normal;
            frozen param a: [order, order] = self::legendre_a;
            frozen param b: [1, order] = self::legendre_b;
            state h: [units];
            state m: [order];
            let u = x @ input_encoder + h @ hidden_encoder + m @ memory_encoder;
            next m = m @ a + u @ b;
            next h = tanh(x @ input_kernel + h @ hidden_kernel + m @ memory_kernel);
            output h;
        }
    }

    use super::memory::A;

    rnn_cell! {
        /// The same of order 6, from arrays. `trained`: they are where training starts.
        pub cell FixedLmu(units, trained = false) {
            param input_encoder: [input, 1] = lecun_uniform;
            param hidden_encoder: [units, 1] = lecun_uniform;
            param memory_encoder: [6, 1] = zeros;
            param input_kernel: [input, units] = glorot_normal;
            param hidden_kernel: [units, units] = glorot_normal;
            param memory_kernel: [6, units] = glorot_normal;
            if trained {
                param a: [6, 6] = if trained { A } else { zeros };
            } else {
                frozen param a: [6, 6] = A;
            }
            frozen param b: [1, 6] = super::memory::B;
            state h: [units];
            state m: [6];
            let u = x @ input_encoder + h @ hidden_encoder + m @ memory_encoder;
            next m = m @ a + u @ b;
            next h = tanh(x @ input_kernel + h @ hidden_kernel + m @ memory_kernel);
            output h;
        }
    }
}

const TRAINED: [&str; 6] = [
    "input_encoder",
    "hidden_encoder",
    "memory_encoder",
    "input_kernel",
    "hidden_kernel",
    "memory_kernel",
];

/// A tensor of `lmu.safetensors`.
fn golden(name: &str) -> ArrayD<f32> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../keras/lmu.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(name).unwrap();
    let words = tensor.data().as_chunks::<4>().0.iter();
    let floats = words.map(|w| f32::from_le_bytes(*w)).collect();
    ArrayD::from_shape_vec(tensor.shape(), floats).unwrap()
}

#[track_caller]
fn close(found: impl IntoIterator<Item = f32>, expected: impl IntoIterator<Item = f32>) {
    let (found, expected): (Vec<f32>, Vec<f32>) =
        (found.into_iter().collect(), expected.into_iter().collect());
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(&expected) {
        assert!(
            (f - e).abs() <= 1e-5 * e.abs().max(0.1),
            "{f} instead of {e}"
        );
    }
}

/// Compares the matrices, and what the model makes of the golden's weights: a batch, and a stream if there is one.
fn check(
    mut model: impl Model<Input = Sequence, Output = Array3<f32>>,
) -> (
    Array3<f32>,
    impl Model<Input = Sequence, Output = Array3<f32>>,
) {
    close(
        model.param_view("rnn/a").unwrap().t().iter().copied(),
        golden("a"),
    );
    close(
        model.param_view("rnn/b").unwrap().iter().copied(),
        golden("b"),
    );
    for name in TRAINED {
        model
            .set_param(&format!("rnn/{name}"), &golden(name))
            .unwrap();
    }
    let x: Array3<f32> = golden("x").into_dimensionality().unwrap();
    close(model.predict(&x).unwrap(), golden("h"));
    (x, model)
}

#[test]
fn functions_give_the_matrices() {
    check(rnn_model!(Input(_, 3) -> RNN(cells::Lmu(5, order = 6), return_sequences)));
    // Sizes may be `const`s, and every layer has its own.
    const ORDER: usize = 4;
    let model = rnn_model! {
        Input(_, 3) -> RNN([cells::Lmu(5, ORDER), cells::Lmu(5, order = 2)], return_sequences)
            -> Bidirectional(RNN(cells::Lmu(5, 6)))
    };
    let shape = |name| model.param_view(name).unwrap().shape().to_vec();
    assert_eq!(shape("rnn/lmu/a"), [4, 4]);
    assert_eq!(shape("rnn/lmu_1/b"), [1, 2]);
    let a = model.param_view("bidirectional/backward_rnn/a").unwrap();
    close(a.t().iter().copied(), golden("a"));
}

#[test]
fn arrays_give_the_matrices() {
    use cells::FixedLmu;
    check(rnn_model!(Input(_, 3) -> RNN(FixedLmu(5), return_sequences)));
    check(rnn_model!(Input(_, 3) -> RNN(FixedLmu(5, trained), return_sequences)));
}

#[test]
fn a_stream_reads_them() {
    let model = rnn_model!(Input(_, 3) -> RNN(cells::FixedLmu(5), return_sequences));
    let x: Array3<f32> = golden("x").into_dimensionality().unwrap();
    let expected = model.predict(&x).unwrap();
    let mut stream = model.stream().unwrap();
    for (x, y) in x
        .index_axis(Axis(0), 0)
        .rows()
        .into_iter()
        .zip(expected.index_axis(Axis(0), 0).rows())
    {
        let found = stream.step(&[x[0], x[1], x[2]]);
        assert_eq!(found.to_vec(), y.to_vec());
    }
}

/// The bits of a parameter.
fn bits(model: &impl Model, name: &str) -> Vec<u32> {
    model
        .param_view(name)
        .unwrap()
        .iter()
        .map(|x| x.to_bits())
        .collect()
}

#[test]
fn training_changes_trained_parameters_only() {
    let x: Array3<f32> = golden("x").into_dimensionality().unwrap();
    let y = Array2::<f32>::ones((4, 2));
    let data = Dataset::new(&x, &y).unwrap();
    let fit = || Fit {
        epochs: 3,
        verbose: Verbose::Silent,
        ..Fit::default()
    };

    let mut model = rnn_model!(Input(_, 3) -> RNN(cells::Lmu(5, 6)) -> Dense(2));
    let before: Vec<_> = model
        .params()
        .iter()
        .map(|p| bits(&model, p.name))
        .collect();
    Trainer::new(&mut model)
        .loss(MeanSquaredError)
        .fit(&data, fit())
        .unwrap();
    for (p, before) in model.params().iter().zip(before) {
        let frozen = ["rnn/a", "rnn/b"].contains(&p.name);
        assert_eq!(p.trainable, !frozen, "{}", p.name);
        assert_eq!(bits(&model, p.name) == before, frozen, "{}", p.name);
    }

    let mut model = rnn_model!(Input(_, 3) -> RNN(cells::FixedLmu(5, trained)) -> Dense(2));
    let before = bits(&model, "rnn/a");
    Trainer::new(&mut model)
        .loss(MeanSquaredError)
        .fit(&data, fit())
        .unwrap();
    assert_ne!(bits(&model, "rnn/a"), before);
}

#[test]
fn they_are_saved_with_the_others() {
    let path = std::env::temp_dir().join(format!("rnn-own-{}.safetensors", std::process::id()));
    let mut model = rnn_model!(Input(_, 3) -> RNN(cells::Lmu(5, 6)));
    model.set_param("rnn/a", &Array2::<f64>::eye(6)).unwrap();
    model.save(&path).unwrap();
    let mut other = rnn_model!(Input(_, 3) -> RNN(cells::Lmu(5, 6)));
    other.load(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!(
        other.param_view("rnn/a").unwrap(),
        Array2::<f32>::eye(6).into_dyn()
    );
}
