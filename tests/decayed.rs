//! A state that decays ends at 0, in every mode alike: numbers nearer to 0 than 2⁻⁶³ do not stay in it, where a processor
//! would take many times longer for each step.

use ndarray::{Array3, Axis};
use recurrent::{Isa, prelude::*};

/// What is kept, and what is not.
const SMALLEST: f32 = 1.0 / (1_u64 << 63) as f32;
const STEPS: usize = 4;

rnn_cell! {
    /// A state that only pointwise maths reads.
    pub cell Kept(units) {
        param first: [units] = zeros;
        param k: [input, units] = glorot_uniform;
        state s: [units] = first;
        next s = s * 1.0 + x @ k;
        output s;
    }
}
rnn_model! { struct Lstm = Input(4, 1) -> LSTM(5, learn_initial_state, return_sequences); }
rnn_model! { struct Gru = Input(4, 1) -> GRU(5, learn_initial_state, return_sequences); }
rnn_model! { struct Simple = Input(4, 1) -> SimpleRNN(5, learn_initial_state, return_sequences); }
rnn_model! { struct Own = Input(4, 1) -> RNN(Kept(5), return_sequences); }

/// Runs the model, whose state keeps `start` for ever where it is not flushed, on every instruction set.
macro_rules! check {
    ($model:ty, |$m:ident, $start:ident| $set:expr) => {
        for (start, expected) in [
            (SMALLEST, SMALLEST),
            (-3e-19, -3e-19),
            (SMALLEST.next_down(), 0.0),
            (-1e-30, 0.0),
            (1e-40, 0.0),
        ] {
            let mut model = <$model>::new();
            for spec in model.params() {
                model.param_mut(spec.name).unwrap().1.fill(0.0);
            }
            let ($m, $start) = (&mut model, start);
            $set;
            for &isa in Isa::available() {
                model.set_isa(isa);
                let what = format!("{} from {start:e} on {isa}", stringify!($model));
                let batch = model.predict(&Array3::zeros((3, STEPS, 1))).unwrap();
                let one = model.call(&[[0.0f32]; STEPS]);
                let mut stream = model.stream().unwrap();
                for t in 0..STEPS {
                    let y = *stream.step(&[0.0]);
                    assert_eq!(y, [expected; 5], "{what}, step {t}");
                    assert_eq!(y, one[t], "{what}, step {t}");
                    for row in batch.axis_iter(Axis(0)) {
                        assert_eq!(
                            y.as_slice(),
                            row.row(t).as_slice().unwrap(),
                            "{what}, step {t}"
                        );
                    }
                }
            }
        }
    };
}

/// Sets the numbers of a parameter from `from` on.
fn set(model: &mut impl Model, name: &str, from: usize, values: [f32; 5]) {
    let param = model.param_mut(name).unwrap().1;
    param[from..from + 5].copy_from_slice(&values);
}

#[test]
fn lstm_whose_forget_gate_is_one() {
    check!(Lstm, |m, start| {
        // Gates i, f, g, o.
        set(m, "lstm/bias", 0, [-1000.0; 5]);
        set(m, "lstm/bias", 5, [1000.0; 5]);
        set(m, "lstm/bias", 15, [1000.0; 5]);
        set(m, "lstm/initial_c", 0, [start; 5]);
    });
}

#[test]
fn gru_whose_update_gate_is_one() {
    check!(Gru, |m, start| {
        set(m, "gru/bias", 0, [1000.0; 5]);
        set(m, "gru/initial_h", 0, [start; 5]);
    });
}

#[test]
fn simple_rnn_that_keeps_its_state_by_a_product() {
    check!(Simple, |m, start| {
        for i in 0..5 {
            m.param_mut("simple_rnn/recurrent_kernel").unwrap().1[6 * i] = 1.0;
        }
        set(m, "simple_rnn/initial_h", 0, [start; 5]);
    });
}

#[test]
fn a_cell_of_ones_own() {
    check!(Own, |m, start| set(m, "rnn/first", 0, [start; 5]));
}
