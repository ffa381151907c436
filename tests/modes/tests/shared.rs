//! Layers without weights that are called on values of several widths, against the interpreter and
//! against the same layers written at each call.

use recurrent_test_modes::{
    check::{self, batch, infer},
    numbers::{Random, weights},
    oracle::{SEED, oracle},
    subject::Subject,
};

/// What `check!` and `same!` do for the model with shared layers, and that all its weights matter.
/// Here it is written and built once for all three.
macro_rules! shared {
    ($($name:ident { $($shared:tt)* } { $($written:tt)* })*) => {
        $(#[test]
        fn $name() {
            let mut shared = recurrent::rnn_model!($($shared)*);
            check::whole(&mut shared, &oracle(stringify!($($shared)*)));
            check::same(&mut shared, &mut recurrent::rnn_model!($($written)*));
            all_weights_matter(&mut shared);
        })*
    };
}

/// No value is lost on the way to a shared layer or after it: every weight has a gradient.
fn all_weights_matter(model: &mut dyn Subject) {
    let w = weights(model.specs(), 7);
    model.weights_mut().copy_from_slice(&w);
    let x = batch(model.spec(), 5, 4, 8);
    let y = infer(model, &x);
    model.start();
    model.forward(&x.views(), SEED).unwrap();
    let mut r = Random::new(9);
    let d: Vec<Vec<f32>> = y.iter().map(|y| r.floats(y.len())).collect();
    let d: Vec<&[f32]> = d.iter().map(Vec::as_slice).collect();
    let mut g = vec![0.0; w.len()];
    model.backward(&d, &mut g).unwrap();
    assert!(g.iter().all(|g| *g != 0.0), "{g:?}");
}

shared! {
    layers_without_weights_take_any_width {
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
    } {
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
    }

    // One value that carries a mask, one that carries none.
    a_shared_merge_of_values_with_and_without_masks {
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
    } {
        input x: [4, 5];
        let real = x -> Masking -> GRU(5, return_sequences);
        let plain = x -> GRU(5, return_sequences);
        let a = (real, plain) -> Multiply;
        let b = (plain, plain) -> Multiply;
        let c = (a, real) -> Minimum;
        let d = (b, plain, real) -> Minimum;
        output y = (c, d) -> Concatenate -> GRU(3);
    }
}
