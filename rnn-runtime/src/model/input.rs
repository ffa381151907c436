//! The arrays and values that a model takes, checked by type where the type can say it.

use std::borrow::Cow;

use ndarray::{ArrayBase, Data, Ix2, Ix3};

use crate::{
    error::Error,
    learner::{InputView, ValueSpec, Values},
};

/// Steps of features: `[batch, time, features]`.
#[derive(Clone, Copy, Debug)]
pub enum Sequence {}
/// Rows of features, no time axis: `[batch, features]`.
#[derive(Clone, Copy, Debug)]
pub enum Rows {}
/// Class ids: `[batch, time]`.
#[derive(Clone, Copy, Debug)]
pub enum Ids {}

/// The kind of a model's input: [`Sequence`], [`Rows`] or [`Ids`].
pub trait Kind {}
impl Kind for Sequence {}
impl Kind for Rows {}
impl Kind for Ids {}

/// The input of a batch, tight and row-major.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    batch: usize,
    time: usize,
    features: Option<usize>,
    floats: Cow<'a, [f32]>,
    ids: Vec<u32>,
    /// A number that is no id at all, its row and its step.
    no_id: Option<(i64, usize, usize)>,
}

impl Batch<'_> {
    /// The view that the kernels take, once the shape fits the model.
    ///
    /// `vocabulary` is the layer that takes ids, and how many there are.
    pub(super) fn view(
        &self,
        spec: &ValueSpec,
        vocabulary: Option<(&str, usize)>,
    ) -> Result<InputView<'_>, Error> {
        let wrong = |found: String| {
            Err(Error::Shape {
                what: spec.name.to_owned(),
                expected: shape_text(spec),
                found,
            })
        };
        let width: usize = spec.features.iter().product();
        let found = match (spec.time, self.features) {
            (Some(_), Some(f)) => format!("[{}, {}, {f}]", self.batch, self.time),
            (None, Some(f)) => format!("[{}, {f}]", self.batch),
            (_, None) => format!("[{}, {}]", self.batch, self.time),
        };
        if self.features.is_some_and(|f| f != width) {
            return wrong(found);
        }
        if let Some(Some(steps)) = spec.time
            && self.time != steps
        {
            return wrong(found);
        }
        if let (Some((id, row, step)), Some((layer, vocabulary))) = (self.no_id, vocabulary) {
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
            values: if self.features.is_some() {
                Values::Floats(&self.floats)
            } else {
                Values::Ids(&self.ids)
            },
        })
    }
}

/// `[batch, 28, 28]`
pub(super) fn shape_text(spec: &ValueSpec) -> String {
    let mut text = String::from("[batch");
    match spec.time {
        None => {}
        Some(None) => text += ", time",
        Some(Some(t)) => text += &format!(", {t}"),
    }
    if !spec.ids {
        for f in spec.features {
            text += &format!(", {f}");
        }
    }
    text + "]"
}

/// An array that a model with inputs of kind `K` takes.
#[diagnostic::on_unimplemented(
    message = "this model takes {K}, not `{Self}`",
    note = "Sequence: &Array3<f32> [batch, time, features]; Rows: &Array2<f32> [batch, features]; Ids: &Array2 of an unsigned integer [batch, time]"
)]
pub trait IntoInput<'a, K: Kind> {
    /// The batch.
    fn into_input(self) -> Result<Batch<'a>, Error>;
}

fn tight<'a, D: ndarray::Dimension>(x: &ndarray::ArrayView<'a, f32, D>) -> Cow<'a, [f32]> {
    match x.to_slice() {
        Some(s) => Cow::Borrowed(s),
        None => Cow::Owned(x.iter().copied().collect()),
    }
}

impl<'a, S: Data<Elem = f32>> IntoInput<'a, Sequence> for &'a ArrayBase<S, Ix3> {
    fn into_input(self) -> Result<Batch<'a>, Error> {
        self.view().into_input()
    }
}

impl<'a> IntoInput<'a, Sequence> for ndarray::ArrayView3<'a, f32> {
    fn into_input(self) -> Result<Batch<'a>, Error> {
        let (batch, time, features) = self.dim();
        Ok(Batch {
            batch,
            time,
            features: Some(features),
            floats: tight(&self),
            ids: vec![],
            no_id: None,
        })
    }
}

impl<'a, S: Data<Elem = f32>> IntoInput<'a, Rows> for &'a ArrayBase<S, Ix2> {
    fn into_input(self) -> Result<Batch<'a>, Error> {
        self.view().into_input()
    }
}

impl<'a> IntoInput<'a, Rows> for ndarray::ArrayView2<'a, f32> {
    fn into_input(self) -> Result<Batch<'a>, Error> {
        let (batch, features) = self.dim();
        Ok(Batch {
            batch,
            time: 1,
            features: Some(features),
            floats: tight(&self),
            ids: vec![],
            no_id: None,
        })
    }
}

/// An integer that can be a class id.
pub trait Token: Copy {
    /// The id, or the number as it is if it is none.
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
    fn into_input(self) -> Result<Batch<'a>, Error> {
        let (batch, time) = self.dim();
        let mut ids = Vec::with_capacity(batch * time);
        let mut no_id = None;
        for ((row, step), t) in self.indexed_iter() {
            ids.push(t.id().unwrap_or_else(|id| {
                no_id.get_or_insert((id, row, step));
                u32::MAX
            }));
        }
        Ok(Batch {
            batch,
            time,
            features: None,
            floats: Cow::Borrowed(&[]),
            ids,
            no_id,
        })
    }
}

/// A class id below `N`: what a stream over an `Embedding(N, …)` takes, so that a step cannot fail.
///
/// ```
/// use rnn_runtime::model::Id;
/// let id: Id<1000> = Id::new(7)?;
/// assert_eq!(id.get(), 7);
/// assert!(Id::<1000>::new(1000).is_err());
/// # Ok::<(), rnn_runtime::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<const N: usize>(u32);

impl<const N: usize> Id<N> {
    /// The id.
    ///
    /// # Errors
    /// [`Error::Id`] if it is `N` or more.
    pub fn new(id: u32) -> Result<Self, Error> {
        if (id as usize) < N {
            Ok(Id(id))
        } else {
            Err(Error::Id {
                layer: "embedding".into(),
                id: i64::from(id),
                row: 0,
                step: 0,
                vocabulary: N,
            })
        }
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const N: usize> TryFrom<u32> for Id<N> {
    type Error = Error;
    fn try_from(id: u32) -> Result<Self, Error> {
        Id::new(id)
    }
}
