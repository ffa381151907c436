//! The arrays and values that a model takes, checked by type where the type can say it.

use std::borrow::Cow;

use ndarray::{ArrayBase, ArrayView, Data, Dimension, Ix2, Ix3, Ix4, Ix5};

use super::check::shape_text;
use crate::{
    error::Error,
    learner::{InputView, ValueSpec, Values},
};

/// Steps of features: `[batch, time, features]`.
///
/// ```
/// use ndarray::{Array2, Array3};
/// use recurrent::prelude::*;
///
/// fn model() -> impl Model<Input = Sequence, Output = Array2<f32>> {
///     rnn_model!(Input(_, 3) -> LSTM(4))
/// }
/// assert_eq!(model().predict(&Array3::<f32>::zeros((2, 5, 3)))?.dim(), (2, 4));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Sequence {}
/// Steps of features of rank 2: `[batch, time, a, b]`.
///
/// ```
/// use ndarray::{Array2, Array4};
/// use recurrent::prelude::*;
///
/// fn model() -> impl Model<Input = Sequence2, Output = Array2<f32>> {
///     rnn_model!(Input(_, 4, 3) -> TimeDistributed(Flatten) -> LSTM(4))
/// }
/// assert_eq!(model().predict(&Array4::<f32>::zeros((2, 5, 4, 3)))?.dim(), (2, 4));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Sequence2 {}
/// Steps of features of rank 3: `[batch, time, a, b, c]`.
///
/// ```
/// use ndarray::{Array2, Array5};
/// use recurrent::prelude::*;
///
/// fn model() -> impl Model<Input = Sequence3, Output = Array2<f32>> {
///     rnn_model!(Input(_, 4, 3, 2) -> TimeDistributed(Flatten) -> LSTM(4))
/// }
/// assert_eq!(model().predict(&Array5::<f32>::zeros((2, 5, 4, 3, 2)))?.dim(), (2, 4));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Sequence3 {}
/// Rows of features, no time axis: `[batch, features]`.
///
/// ```
/// use ndarray::{Array2};
/// use recurrent::{model::Rows, prelude::*};
///
/// fn model() -> impl Model<Input = Rows, Output = Array2<f32>> {
///     rnn_model!(Input(3) -> Dense(4))
/// }
/// assert_eq!(model().predict(&Array2::<f32>::zeros((2, 3)))?.dim(), (2, 4));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Rows {}
/// Rows of features of rank 2, no time axis: `[batch, a, b]`.
///
/// Example: [`Rows`].
#[derive(Clone, Copy, Debug)]
pub enum Rows2 {}
/// Rows of features of rank 3, no time axis: `[batch, a, b, c]`.
///
/// Example: [`Rows`].
#[derive(Clone, Copy, Debug)]
pub enum Rows3 {}
/// Class ids: `[batch, time]`.
///
/// ```
/// use ndarray::{Array2};
/// use recurrent::prelude::*;
///
/// fn model() -> impl Model<Input = Ids, Output = Array2<f32>> {
///     rnn_model!(Embedding(10, 3) -> LSTM(4))
/// }
/// assert_eq!(model().predict(&Array2::<u32>::zeros((2, 5)))?.dim(), (2, 4));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Ids {}
/// Which steps are real: booleans `[batch, time]`.
///
/// ```
/// use ndarray::{Array2, Array3};
/// use recurrent::prelude::*;
///
/// rnn_model! {
///     struct Reader {
///         input x: [time, 3];
///         input real: mask[time];
///         output y = x -> LSTM(4, mask = real);
///     }
/// }
/// let (x, real) = (Array3::<f32>::zeros((2, 5, 3)), Array2::from_elem((2, 5), true));
/// assert_eq!(Reader::new().predict((&x, &real))?.dim(), (2, 4));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Masks {}

/// The kind of one input of a model: [`Sequence`], [`Rows`], [`Ids`], [`Masks`], [`Sequence2`],
/// [`Rows2`], [`Sequence3`] or [`Rows3`].
///
/// Example: [`Sequence`].
pub trait Kind {}
impl Kind for Sequence {}
impl Kind for Sequence2 {}
impl Kind for Rows {}
impl Kind for Rows2 {}
impl Kind for Sequence3 {}
impl Kind for Rows3 {}
impl Kind for Ids {}
impl Kind for Masks {}

/// One input of a batch, tight and row-major.
///
/// Example: [`IntoInput`].
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    batch: usize,
    time: usize,
    /// The axes after batch and time; `None` for ids.
    features: Option<Vec<usize>>,
    /// All axes, to name them.
    shape: Vec<usize>,
    floats: Cow<'a, [f32]>,
    ids: Vec<u32>,
    /// The first number that cannot be an id (negative, or too large), with its row and step.
    no_id: Option<(i64, usize, usize)>,
}

impl<'a> Batch<'a> {
    fn floats<T, D: Dimension>(x: &ArrayView<'a, T, D>, time: bool) -> Batch<'a>
    where
        Floats: Feature<T>,
    {
        let shape = x.shape().to_vec();
        Batch {
            batch: shape[0],
            time: if time { shape[1] } else { 1 },
            features: Some(shape[if time { 2 } else { 1 }..].to_vec()),
            shape,
            floats: match x.to_slice() {
                Some(s) => Cow::Borrowed(Floats::numbers(s)),
                None => Cow::Owned(x.iter().map(Floats::number).collect()),
            },
            ids: vec![],
            no_id: None,
        }
    }

    /// The view that the kernels take, once the shape fits the model.
    ///
    /// `vocabulary` is the layer that takes ids, and how many there are.
    pub(super) fn view(
        &self,
        spec: &ValueSpec,
        vocabulary: Option<(&str, usize)>,
    ) -> Result<InputView<'_>, Error> {
        let features = self.features.as_deref();
        let steps = spec.time.flatten().is_none_or(|steps| self.time == steps);
        if features.is_some_and(|f| f != spec.features) || !steps {
            return Err(Error::Shape {
                what: spec.name.to_owned(),
                expected: shape_text(spec),
                found: format!("{:?}", self.shape),
            });
        }
        if let Some((id, row, step)) = self.no_id {
            let (layer, vocabulary) = vocabulary.unwrap_or((spec.name, u32::MAX as usize));
            return Err(Error::Id {
                layer: layer.to_owned(),
                id,
                row,
                step,
                vocabulary,
            });
        }
        Ok(InputView {
            batch: self.batch,
            time: self.time,
            values: match features {
                Some(_) => Values::Floats(&self.floats),
                None => Values::Ids(&self.ids),
            },
        })
    }
}

/// Arrays that a model takes, `K` the kind of its input, or the tuple of kinds of several inputs.
///
/// Tuples of arrays are the input of a model with several; generated structures name them.
///
/// ```
/// use ndarray::{ArrayView2, ArrayView3, array};
/// use recurrent::{Error, model::{Batch, Ids, IntoInput, Sequence}};
///
/// struct Pair<'a> {
///     x: ArrayView3<'a, f32>,
///     words: ArrayView2<'a, u32>,
/// }
///
/// impl<'a> IntoInput<'a, (Sequence, Ids)> for Pair<'a> {
///     fn into_input(self, to: &mut Vec<Batch<'a>>) -> Result<(), Error> {
///         IntoInput::<(Sequence, Ids)>::into_input((self.x, self.words), to)
///     }
/// }
///
/// let (x, words) = (array![[[0.5, 1.0]]], array![[3]]);
/// let mut to = vec![];
/// Pair { x: x.view(), words: words.view() }.into_input(&mut to)?;
/// assert_eq!(to.len(), 2);
/// # Ok::<(), Error>(())
/// ```
///
/// ```
/// use ndarray::Array3;
/// use recurrent::prelude::*;
///
/// let model = rnn_model!(Input(_, 1) -> GRU(4) -> Dense(1));
/// // An array of any memory layout, or a view.
/// let x = Array3::<f32>::zeros((2, 5, 1));
/// assert_eq!(model.predict(&x)?, model.predict(x.view())?);
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "this model takes {K}, not `{Self}`",
    label = "not {K}",
    note = "a `Dataset` is for `fit` and `evaluate`; its array is `let x: Array3<f32> = data.input(0)?;`",
    note = "an array is borrowed: write `model.predict(&x)?`; numbers in a `Vec` become one by `Array3::from_shape_vec((batch, time, features), numbers)?`",
    note = "Sequence: &Array3<f32> [batch, time, features]; Rows: &Array2<f32> [batch, features]; Ids: &Array2 of whole numbers [batch, time]; Masks: &Array2<bool> [batch, time]; Sequence2: &Array4<f32> [batch, time, a, b]; Rows2: &Array3<f32> [batch, a, b]; Sequence3 and Rows3: one axis more; several inputs: a tuple of them, in order"
)]
pub trait IntoInput<'a, K> {
    /// Adds the inputs, in the model's order.
    ///
    /// # Errors
    /// None of this crate's arrays has any; a type of somebody else may.
    fn into_input(self, to: &mut Vec<Batch<'a>>) -> Result<(), Error>;
}

/// What sequences and rows hold.
#[derive(Clone, Copy, Debug)]
pub enum Floats {}

/// Implemented by `f32` only. rustc shows this trait's message for other types. The type is also the parameter, so
/// that rustc infers the type of `Array3::zeros(…)`.
///
/// Example: [`IntoInput`].
#[diagnostic::on_unimplemented(
    message = "a model reads numbers of type `f32`, not `{T}`",
    label = "an array of `{T}`",
    note = "write `&x.mapv(|v| v as f32)`"
)]
pub trait Feature<T> {
    /// The number.
    fn number(x: &T) -> f32;
    /// The numbers as they are.
    fn numbers(all: &[T]) -> &[f32];
}

impl Feature<f32> for Floats {
    fn number(x: &f32) -> f32 {
        *x
    }
    fn numbers(all: &[f32]) -> &[f32] {
        all
    }
}

/// Implemented by `bool` only, for [`Masks`], as [`Feature`] is by `f32`.
///
/// Example: [`IntoInput`].
#[diagnostic::on_unimplemented(
    message = "a mask is of booleans, not `{T}`",
    label = "an array of `{T}`",
    note = "write `&mask.mapv(|v| v != 0.0)`: true where a step is real"
)]
pub trait Real<T> {
    /// Whether the step is real.
    fn real(x: &T) -> bool;
}

impl Real<bool> for Masks {
    fn real(x: &bool) -> bool {
        *x
    }
}

macro_rules! floats {
    ($($kind:ident $dim:ident $time:literal;)*) => { $(
        impl<'a, T, S: Data<Elem = T>> IntoInput<'a, $kind> for &'a ArrayBase<S, $dim>
        where
            Floats: Feature<T>,
        {
            fn into_input(self, to: &mut Vec<Batch<'a>>) -> Result<(), Error> {
                IntoInput::<$kind>::into_input(self.view(), to)
            }
        }

        impl<'a, T> IntoInput<'a, $kind> for ArrayView<'a, T, $dim>
        where
            Floats: Feature<T>,
        {
            fn into_input(self, to: &mut Vec<Batch<'a>>) -> Result<(), Error> {
                to.push(Batch::floats(&self, $time));
                Ok(())
            }
        }
    )* };
}
floats! {
    Sequence Ix3 true;
    Sequence2 Ix4 true;
    Rows Ix2 false;
    Rows2 Ix3 false;
    Sequence3 Ix5 true;
    Rows3 Ix4 false;
}

/// An integer that can be a class id.
///
/// Example: [`IntoInput`].
#[diagnostic::on_unimplemented(
    message = "class ids are whole numbers such as `u32`, not `{Self}`",
    label = "an array of `{Self}`",
    note = "write `&ids.mapv(|v| v as u32)`"
)]
pub trait Token: Copy {
    /// The id; the number itself as the error if it cannot be one.
    fn id(self) -> Result<u32, i64>;
}

macro_rules! tokens {
    ($($t:ty),*) => { $(impl Token for $t {
        fn id(self) -> Result<u32, i64> {
            u32::try_from(self).map_err(|_| i64::try_from(self).unwrap_or(i64::MAX))
        }
    })* };
}
tokens!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl<'a, T: Token, S: Data<Elem = T>> IntoInput<'a, Ids> for &'a ArrayBase<S, Ix2> {
    fn into_input(self, to: &mut Vec<Batch<'a>>) -> Result<(), Error> {
        self.view().into_input(to)
    }
}

impl<'a, T: Token> IntoInput<'a, Ids> for ArrayView<'a, T, Ix2> {
    fn into_input(self, to: &mut Vec<Batch<'a>>) -> Result<(), Error> {
        let (batch, time) = self.dim();
        let mut ids = Vec::with_capacity(batch * time);
        let mut no_id = None;
        for ((row, step), t) in self.indexed_iter() {
            ids.push(t.id().unwrap_or_else(|id| {
                no_id.get_or_insert((id, row, step));
                u32::MAX
            }));
        }
        to.push(Batch {
            batch,
            time,
            features: None,
            shape: vec![batch, time],
            floats: Cow::Borrowed(&[]),
            ids,
            no_id,
        });
        Ok(())
    }
}

impl<'a, T, S: Data<Elem = T>> IntoInput<'a, Masks> for &'a ArrayBase<S, Ix2>
where
    Masks: Real<T>,
{
    fn into_input(self, to: &mut Vec<Batch<'a>>) -> Result<(), Error> {
        self.view().into_input(to)
    }
}

impl<'a, T> IntoInput<'a, Masks> for ArrayView<'a, T, Ix2>
where
    Masks: Real<T>,
{
    fn into_input(self, to: &mut Vec<Batch<'a>>) -> Result<(), Error> {
        let (batch, time) = self.dim();
        to.push(Batch {
            batch,
            time,
            features: Some(vec![]),
            shape: vec![batch, time],
            floats: self.iter().map(|x| f32::from(Masks::real(x))).collect(),
            ids: vec![],
            no_id: None,
        });
        Ok(())
    }
}

macro_rules! tuples {
    ($($($k:ident $t:ident $x:ident),*;)*) => { $(
        impl<'a, $($k: Kind, $t: IntoInput<'a, $k>),*> IntoInput<'a, ($($k,)*)> for ($($t,)*) {
            fn into_input(self, to: &mut Vec<Batch<'a>>) -> Result<(), Error> {
                let ($($x,)*) = self;
                $($x.into_input(to)?;)*
                Ok(())
            }
        }
    )* };
}
tuples! {
    A TA a;
    A TA a, B TB b;
    A TA a, B TB b, C TC c;
    A TA a, B TB b, C TC c, D TD d;
    A TA a, B TB b, C TC c, D TD d, E TE e;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f, G TG g;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f, G TG g, H TH h;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f, G TG g, H TH h, I TI i;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f, G TG g, H TH h, I TI i, J TJ j;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f, G TG g, H TH h, I TI i, J TJ j, K TK k;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f, G TG g, H TH h, I TI i, J TJ j, K TK k, L TL l;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f, G TG g, H TH h, I TI i, J TJ j, K TK k, L TL l, M TM m;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f, G TG g, H TH h, I TI i, J TJ j, K TK k, L TL l, M TM m, N TN n;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f, G TG g, H TH h, I TI i, J TJ j, K TK k, L TL l, M TM m, N TN n, O TO o;
    A TA a, B TB b, C TC c, D TD d, E TE e, F TF f, G TG g, H TH h, I TI i, J TJ j, K TK k, L TL l, M TM m, N TN n, O TO o, P TP p;
}
