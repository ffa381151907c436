//! Streams whose type does not name their model.

use super::{LayerState, Program};
use crate::{
    cpu::arena::Storage,
    error::Error,
    stream::{Id, StreamOver, StreamProgram, StreamWeights},
};

/// A stream of any model, with slices in and out: `Box<dyn AnyStream>` holds models of several sizes.
/// [`StreamOver::boxed`] makes one.
///
/// A step of features is as many numbers as the model has; a class id is one number (`7.0`), a flag of a
/// mask is one, and 0 is false. The values of several inputs, or outputs, follow one another in the model's
/// order. The lengths are known at run time only, so they are checked, and a wrong one is an error.
/// Everything else is as for the stream inside: nothing is allocated by a step, the same bits.
///
/// ```
/// use recurrent::prelude::*;
///
/// rnn_model! { struct Small = Input(_, 2) -> GRU(8) -> Dense(1); }
/// rnn_model! { struct Large = Input(_, 2) -> LSTM(32) -> Dense(1); }
///
/// fn open(large: bool) -> Result<Box<dyn AnyStream>, Error> {
///     Ok(match large {
///         true => Large::new().into_stream()?.boxed(),
///         false => Small::new().into_stream()?.boxed(),
///     })
/// }
///
/// fn main() -> Result<(), Error> {
///     let mut stream = open(true)?;
///     let samples: Vec<f32> = vec![0.5, -0.5];
///     let y: &[f32] = stream.step(&samples)?;
///     assert_eq!(y.len(), 1);
///     let error = stream.step(&[0.5]).unwrap_err();
///     assert_eq!(error.to_string(), "input of a step: expected 2 numbers, found 1");
///     Ok(())
/// }
/// ```
pub trait AnyStream: Send {
    /// Numbers of one step.
    fn input_len(&self) -> usize;

    /// Numbers that one step gives.
    fn output_len(&self) -> usize;

    /// Runs one step and returns all outputs.
    ///
    /// # Errors
    /// [`Error::Length`] if `x` is not [`AnyStream::input_len`] long; [`Error::Vocabulary`] or
    /// [`Error::Argument`] for a number that is no id of the model. Then no step has run.
    fn step(&mut self, x: &[f32]) -> Result<&[f32], Error>;

    /// The same into `y`.
    ///
    /// # Errors
    /// As [`AnyStream::step`]; [`Error::Length`] also if `y` is not [`AnyStream::output_len`] long.
    fn step_into(&mut self, x: &[f32], y: &mut [f32]) -> Result<(), Error> {
        length("room for the output of a step", self.output_len(), y.len())?;
        y.copy_from_slice(self.step(x)?);
        Ok(())
    }

    /// Back to the start of a sequence: all states zero.
    fn reset(&mut self);

    /// Whether all states are finite: see [`StreamOver::is_finite`].
    fn is_finite(&self) -> bool;

    /// All states, as [`StreamOver::states`] gives them. Allocates.
    fn states(&mut self) -> Vec<LayerState>;

    /// Replaces the states that are named: those of the stream before, where a model is loaded anew.
    ///
    /// # Errors
    /// As [`StreamOver::set_states`]; then nothing has changed.
    fn set_states(&mut self, states: &[LayerState]) -> Result<(), Error>;
}

/// An error if there are not as many as are needed.
fn length(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    match found == expected {
        true => Ok(()),
        false => Err(Error::Length {
            what,
            expected,
            found,
        }),
    }
}

/// The input of a step, made of plain numbers. Structures of generated code implement it, too.
///
/// Example: [`AnyStream`].
pub trait FromNumbers: Sized {
    /// How many it takes.
    const LEN: usize;

    /// Takes the first of `x`, and leaves the others there.
    ///
    /// # Errors
    /// [`Error::Length`] if there are too few; [`Error::Vocabulary`] or [`Error::Argument`] for a number
    /// that is no id.
    fn take(x: &mut &[f32]) -> Result<Self, Error>;
}

impl<const N: usize> FromNumbers for [f32; N] {
    const LEN: usize = N;

    #[inline]
    fn take(x: &mut &[f32]) -> Result<Self, Error> {
        let Some((first, others)) = x.split_first_chunk() else {
            return Err(Error::Length {
                what: "input of a step",
                expected: N,
                found: x.len(),
            });
        };
        *x = others;
        Ok(*first)
    }
}

impl<const N: usize> FromNumbers for Id<N> {
    const LEN: usize = 1;

    #[inline]
    fn take(x: &mut &[f32]) -> Result<Self, Error> {
        let [number] = FromNumbers::take(x)?;
        // Casts saturate, and NaN becomes 0: what comes back is the number, if it was an id.
        let id = number as u32;
        match id as f32 == number {
            true => Id::new(id),
            false => Err(Error::Argument(format!(
                "a class id is a whole number below {N}, found {number}"
            ))),
        }
    }
}

impl FromNumbers for bool {
    const LEN: usize = 1;

    #[inline]
    fn take(x: &mut &[f32]) -> Result<Self, Error> {
        let [number] = FromNumbers::take(x)?;
        Ok(number != 0.0)
    }
}

macro_rules! tuples {
    ($($($t:ident)*;)*) => { $(
        impl<$($t: FromNumbers),*> FromNumbers for ($($t,)*) {
            const LEN: usize = 0 $(+ $t::LEN)*;

            #[inline]
            fn take(x: &mut &[f32]) -> Result<Self, Error> {
                Ok(($($t::take(x)?,)*))
            }
        }
    )* };
}
tuples! {
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
    A B C D E F G H I J K L M;
    A B C D E F G H I J K L M N;
    A B C D E F G H I J K L M N O;
    A B C D E F G H I J K L M N O P;
}

/// A stream, and room for all of its outputs in a row.
struct Boxed<O, V> {
    stream: StreamOver<O, V>,
    y: Vec<f32>,
}

impl<O, V> AnyStream for Boxed<O, V>
where
    O: StreamWeights<Program: Program> + Send,
    V: Storage + Send,
{
    fn input_len(&self) -> usize {
        <<O::Program as StreamProgram>::StepInput as FromNumbers>::LEN
    }

    fn output_len(&self) -> usize {
        self.y.len()
    }

    fn step(&mut self, x: &[f32]) -> Result<&[f32], Error> {
        length("input of a step", self.input_len(), x.len())?;
        let x = FromNumbers::take(&mut &*x)?;
        self.stream.step(&x);
        let mut left = self.y.as_mut_slice();
        for (index, &(_, len)) in O::Program::STREAM.outputs.iter().enumerate() {
            let Some((to, others)) = left.split_at_mut_checked(len) else {
                break;
            };
            let output = self.stream.output(index);
            to.iter_mut().zip(output).for_each(|(to, y)| *to = *y);
            left = others;
        }
        Ok(&self.y)
    }

    fn reset(&mut self) {
        self.stream.reset();
    }

    fn is_finite(&self) -> bool {
        self.stream.is_finite()
    }

    fn states(&mut self) -> Vec<LayerState> {
        self.stream.states()
    }

    fn set_states(&mut self, states: &[LayerState]) -> Result<(), Error> {
        self.stream.set_states(states)
    }
}

impl<O, V> StreamOver<O, V>
where
    O: StreamWeights<Program: Program> + Send,
    V: Storage + Send,
{
    /// The stream without its model's type: see [`AnyStream`]. What it borrows (nothing, of a stream made by
    /// `into_stream`) it still borrows.
    pub fn boxed<'s>(self) -> Box<dyn AnyStream + 's>
    where
        O: 's,
        V: 's,
    {
        let lens = O::Program::STREAM.outputs.iter().map(|&(_, len)| len);
        Box::new(Boxed {
            y: vec![0.0; lens.sum()],
            stream: self,
        })
    }
}
