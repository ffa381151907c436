//! Calls on arrays whose sizes are known to the compiler.

use super::Streamable;

/// What `Model::call` takes and gives. The compiler implements it for each model that can stream:
///
/// | the model's input | `X` | the output |
/// |---|---|---|
/// | `Input(10, 3)` | `[[f32; 3]; 10]` | `[f32; N]`, or `[[f32; N]; 10]` of a sequence |
/// | `Input(_, 3)` | `[[f32; 3]; T]` | `[f32; N]`, or `[[f32; N]; T]` |
/// | `Input(3)`, no time | `[f32; 3]` | `[f32; N]` |
/// | ids, several inputs | `[Id<1000>; T]`, `[NameStep; T]` | several outputs: a tuple, in order |
///
/// A function that takes any model of certain sizes names them:
///
/// ```
/// use recurrent::{model::CallWith, prelude::*};
///
/// fn up(model: &(impl Model + CallWith<[[f32; 1]; 8], Output = [f32; 1]>), x: &[[f32; 1]; 8]) -> bool {
///     model.call(x)[0] > 0.0
/// }
/// up(&rnn_model!(Input(_, 1) -> GRU(4) -> Dense(1)), &[[0.5]; 8]);
/// ```
#[diagnostic::on_unimplemented(
    message = "the type `{Self}` does not say that it is called with an array",
    label = "`CallWith` is missing where this type is declared",
    note = "help: write `impl Model<…> + recurrent::model::CallWith<[[f32; 3]; 10], Output = [f32; 1]>`, with the model's own sizes"
)]
pub trait CallWith<X>: Streamable {
    /// What it gives.
    type Output: CallOutput;

    /// The steps.
    #[doc(hidden)]
    fn steps(x: &X) -> &[Self::StepInput];
}

/// The arrays that a call gives: `[f32; N]`, `[[f32; N]; T]`, or a tuple of these.
///
/// Example: [`CallWith`].
pub trait CallOutput {
    /// Before the first step.
    #[doc(hidden)]
    const ZEROS: Self;

    /// Keeps what step `t` gives; `output` knows the outputs by their number.
    #[doc(hidden)]
    fn keep<'v>(&mut self, t: usize, output: impl Fn(usize) -> &'v [f32]);
}

/// One output. No path leads to it from outside.
pub trait Array {
    const ZEROS: Self;
    fn put(&mut self, t: usize, y: &[f32]);
}

/// That of the last step: each step's takes the place of the one before.
impl<const N: usize> Array for [f32; N] {
    const ZEROS: Self = [0.0; N];
    #[inline]
    fn put(&mut self, _: usize, y: &[f32]) {
        self.iter_mut().zip(y).for_each(|(to, y)| *to = *y);
    }
}

/// Those of all steps.
impl<const N: usize, const T: usize> Array for [[f32; N]; T] {
    const ZEROS: Self = [[0.0; N]; T];
    #[inline]
    fn put(&mut self, t: usize, y: &[f32]) {
        if let Some(row) = self.get_mut(t) {
            row.put(t, y);
        }
    }
}

impl<A: Array> CallOutput for A {
    const ZEROS: Self = Array::ZEROS;
    #[inline]
    fn keep<'v>(&mut self, t: usize, output: impl Fn(usize) -> &'v [f32]) {
        self.put(t, output(0));
    }
}

macro_rules! tuples {
    ($($($y:ident $i:tt),*;)*) => { $(
        impl<$($y: Array),*> CallOutput for ($($y,)*) {
            const ZEROS: Self = ($($y::ZEROS,)*);
            #[inline]
            fn keep<'v>(&mut self, t: usize, output: impl Fn(usize) -> &'v [f32]) {
                $(self.$i.put(t, output($i));)*
            }
        }
    )* };
}
tuples! {
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15;
}
