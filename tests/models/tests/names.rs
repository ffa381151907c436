//! A user's names are the user's: none of them may change what a model means.
#![deny(warnings)]
#![allow(dead_code, unused_imports, unused_macros, non_camel_case_types)]

mod hostile {
    // The names of type parameters, of the prelude, of macros and of derives.
    pub struct R;
    pub struct S;
    pub struct A;
    pub struct Vec;
    pub struct Option;
    pub struct Result;
    pub enum Kind {
        Some,
        None,
        Ok,
        Err,
    }
    pub use Kind::*;
    pub trait Clone {}
    pub trait Copy {}
    pub trait Debug {}
    pub trait Default {}
    pub trait Model {}
    pub trait Program {}
    pub mod core {}
    pub mod std {}
    pub mod recurrent {}
}

mod models {
    use super::hostile::*;
    use ::recurrent::{rnn_cell, rnn_model};

    macro_rules! assert {
        ($($t:tt)*) => {
            compile_error!("captured")
        };
    }

    rnn_model! { pub struct Rows = Input(_, 8) -> LSTM(4) -> BatchNormalization -> Dense(1); }
    rnn_model! {
        pub struct Several {
            input x: [_, 8];
            input m: [_, 3];
            let (_, h, c) = x -> LSTM(4, return_state);
            output y = m -> LSTM(4, initial_state = [h, c]) -> Dense(2);
            output z = x -> GRU(2);
        }
    }
    rnn_cell! {
        pub cell Own(units) {
            param k: [input, units] = zeros;
            state h: [units];
            next h = mean(h) + x @ k;
            output h;
        }
    }
    pub fn inline() {
        let _ = rnn_model!(Input(_, 8) -> RNN(Own(4)) -> Dense(1));
    }
}

// Sizes that have the names of parameters, and a model that is one.
const S: usize = 3;
const A: usize = 4;
recurrent::rnn_model! { /** Named as a parameter. */ pub struct R = Input(_, S) -> LayerNormalization -> GRU(A); }

// A size that stands in the maths of a step.
mod sizes {
    pub const R: usize = 5;
    recurrent::rnn_cell! {
        pub cell Scaled(units) {
            param k: [input, units] = ones;
            state h: [units];
            next h = h + (x @ k) / units;
            output h;
        }
    }
    pub fn mean() -> f32 {
        use recurrent::prelude::*;
        let model = recurrent::rnn_model!(Input(_, 1) -> RNN(Scaled(R)));
        let mut stream = model.stream().unwrap();
        stream.step(&[1.0])[0]
    }
}

#[test]
fn models_are_made() {
    models::inline();
    let _ = <R as recurrent::model::Model>::new();
    assert_eq!(sizes::mean(), 0.2);
}
