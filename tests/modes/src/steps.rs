//! The inputs and outputs of a step of a stream, whatever their types.

use crate::numbers::{Batch, Data};
use recurrent::model::Id;

/// One input of a step.
pub trait StepValue {
    fn of(x: &Batch, row: usize, t: usize) -> Self;
}

impl<const N: usize> StepValue for [f32; N] {
    fn of(x: &Batch, row: usize, t: usize) -> Self {
        let from = (row * x.time + t) * N;
        x.floats[from..from + N].try_into().unwrap()
    }
}

impl<const N: usize> StepValue for Id<N> {
    fn of(x: &Batch, row: usize, t: usize) -> Self {
        Id::new(x.ids[row * x.time + t]).unwrap()
    }
}

impl StepValue for bool {
    fn of(x: &Batch, row: usize, t: usize) -> Self {
        x.floats[row * x.time + t] != 0.0
    }
}

/// All inputs of a step: one alone, or a tuple.
pub trait StepInput {
    fn of(x: &Data, row: usize, t: usize) -> Self;
}

impl<const N: usize> StepInput for [f32; N] {
    fn of(x: &Data, row: usize, t: usize) -> Self {
        StepValue::of(&x.inputs[0], row, t)
    }
}

impl<const N: usize> StepInput for Id<N> {
    fn of(x: &Data, row: usize, t: usize) -> Self {
        StepValue::of(&x.inputs[0], row, t)
    }
}

/// All outputs of a step: one alone, or a tuple.
pub trait StepOutput {
    fn outputs(&self) -> Vec<&[f32]>;
}

impl<const N: usize> StepOutput for &[f32; N] {
    fn outputs(&self) -> Vec<&[f32]> {
        vec![*self]
    }
}

macro_rules! tuples {
    ($($inputs:ident: $outputs:ident: $i:tt),+) => {
        impl<$($inputs: StepValue),+> StepInput for ($($inputs,)+) {
            fn of(x: &Data, row: usize, t: usize) -> Self {
                ($(<$inputs as StepValue>::of(&x.inputs[$i], row, t),)+)
            }
        }

        impl<$(const $outputs: usize),+> StepOutput for ($(&[f32; $outputs],)+) {
            fn outputs(&self) -> Vec<&[f32]> {
                vec![$(self.$i),+]
            }
        }
    };
}

tuples!(A: I: 0, B: J: 1);
tuples!(A: I: 0, B: J: 1, C: K: 2);
tuples!(A: I: 0, B: J: 1, C: K: 2, D: L: 3);
