//! Numbers with a shape, one sample after the other.

use ndarray::{Array, ArrayBase, Data, Dimension, IxDyn};

use super::ArrayNumber;
use rnn_runtime::error::Error;

/// One input or one target of all samples: `[n, …]`, row-major.
///
/// Example: [`Column::floats`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    shape: Vec<usize>,
    values: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Floats(Vec<f32>),
    Integers(Vec<u32>),
}

impl Column {
    /// Floats, `[n, …]`, row-major.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many as `shape` says, or it has no axis.
    ///
    /// ```
    /// use recurrent::train::Column;
    ///
    /// let two_rows = Column::floats(vec![0.0; 6], &[2, 3])?;
    /// assert!(Column::floats(vec![0.0; 5], &[2, 3]).is_err());
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn floats(values: Vec<f32>, shape: &[usize]) -> Result<Column, Error> {
        check(values.len(), shape)?;
        Ok(Column {
            shape: shape.to_vec(),
            values: Kind::Floats(values),
        })
    }

    /// Class numbers or ids, `[n, …]`, row-major.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many as `shape` says, or it has no axis.
    pub fn integers(values: Vec<u32>, shape: &[usize]) -> Result<Column, Error> {
        check(values.len(), shape)?;
        Ok(Column {
            shape: shape.to_vec(),
            values: Kind::Integers(values),
        })
    }

    /// Any numbers, `[n, …]`, row-major: whole ones that are not negative stay whole, booleans are 0
    /// and 1, all others become floats.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many as `shape` says, or it has no axis;
    /// [`Error::Argument`] for a whole number that does not fit 32 bits.
    ///
    /// ```
    /// use recurrent::train::Column;
    ///
    /// let ids = Column::numbers(&[3i64, 1, 4, 1], &[2, 2])?;
    /// assert_eq!(ids, Column::integers(vec![3, 1, 4, 1], &[2, 2])?);
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn numbers<N: Number>(values: &[N], shape: &[usize]) -> Result<Column, Error> {
        Column::collect(values.iter().copied(), shape)
    }

    fn collect<N: Number>(
        values: impl Iterator<Item = N> + Clone,
        shape: &[usize],
    ) -> Result<Column, Error> {
        if N::WHOLE && values.clone().all(|v| v.whole() >= 0) {
            let fits = |v: N| {
                let whole = v.whole();
                u32::try_from(whole).map_err(|_| {
                    Error::Argument(format!("{whole} is too large for a class number or an id"))
                })
            };
            return Column::integers(values.map(fits).collect::<Result<_, _>>()?, shape);
        }
        Column::floats(values.map(Number::float).collect(), shape)
    }

    /// `[n, …]`
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers of these rows, `[shape…, …]`: `rows` are indices along the first axis, the product of
    /// `shape` many.
    pub(super) fn gather(
        &self,
        rows: impl Iterator<Item = usize>,
        shape: &[usize],
    ) -> Result<Column, Error> {
        let shape = [shape, &self.shape[1..]].concat();
        let stride = self.stride();
        fn pick<T: Copy>(from: &[T], rows: impl Iterator<Item = usize>, stride: usize) -> Vec<T> {
            rows.flat_map(|row| &from[row * stride..(row + 1) * stride])
                .copied()
                .collect()
        }
        match &self.values {
            Kind::Floats(values) => Column::floats(pick(values, rows, stride), &shape),
            Kind::Integers(values) => Column::integers(pick(values, rows, stride), &shape),
        }
    }

    /// These rows as an array; `what` is named in errors.
    pub(super) fn array<N: ArrayNumber, D: Dimension>(
        &self,
        what: &str,
        rows: &[usize],
    ) -> Result<Array<N, D>, Error> {
        let picked = self.gather(rows.iter().copied(), &[rows.len()])?;
        fn all<N: ArrayNumber, M: Number>(what: &str, from: &[M]) -> Result<Vec<N>, Error> {
            let one = |&number: &M| {
                N::of(number).map_err(|number| {
                    Error::Argument(format!(
                        "{what} has {number}, and {} are asked for",
                        N::WORDS
                    ))
                })
            };
            from.iter().map(one).collect()
        }
        let values = match &picked.values {
            Kind::Floats(values) => all(what, values)?,
            Kind::Integers(values) => all(what, values)?,
        };
        let mut shape = picked.shape.clone();
        match D::NDIM {
            Some(axes) if axes == shape.len() + 1 => shape.push(1),
            // The axis of the samples stays.
            Some(axes) if axes > 0 && axes + 1 == shape.len() && shape.last() == Some(&1) => {
                shape.pop();
            }
            _ => {}
        }
        let array = Array::from_shape_vec(IxDyn(&shape), values)
            .map_err(|e| Error::Argument(format!("{what} of shape {:?}: {e}", picked.shape)))?;
        array.into_dimensionality().map_err(|_| Error::Shape {
            what: what.to_owned(),
            expected: format!("an array of {} axes", D::NDIM.unwrap_or(0)),
            found: format!("{:?}", picked.shape),
        })
    }

    /// Number of samples.
    pub(super) fn rows(&self) -> usize {
        self.shape[0]
    }

    /// Numbers in a sample.
    pub(super) fn stride(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// The numbers, if they are floats.
    pub(super) fn as_floats(&self) -> Option<&[f32]> {
        match &self.values {
            Kind::Floats(values) => Some(values),
            Kind::Integers(_) => None,
        }
    }

    /// The numbers, if they are whole.
    pub(crate) fn as_integers(&self) -> Option<&[u32]> {
        match &self.values {
            Kind::Floats(_) => None,
            Kind::Integers(values) => Some(values),
        }
    }

    /// The same numbers as floats.
    pub(crate) fn to_floats(&self) -> Vec<f32> {
        match &self.values {
            Kind::Floats(values) => values.clone(),
            Kind::Integers(values) => values.iter().map(|&v| v as f32).collect(),
        }
    }
}

fn check(found: usize, shape: &[usize]) -> Result<(), Error> {
    let expected = shape
        .iter()
        .try_fold(1usize, |n, &axis| n.checked_mul(axis));
    if !shape.is_empty() && expected == Some(found) {
        return Ok(());
    }
    Err(Error::Shape {
        what: "column".to_owned(),
        expected: format!("{shape:?}, at least one axis"),
        found: format!("[{found}]"),
    })
}

/// A type of number that a [`Column`] can be made of.
///
/// Example: [`Column::numbers`].
#[diagnostic::on_unimplemented(
    message = "a data set holds numbers, not `{Self}`",
    label = "no type of number",
    note = "sequences of different lengths become one array by `pad_sequences(&sequences, Padding::default())`"
)]
pub trait Number: Copy {
    /// Whether it is a type of whole numbers.
    const WHOLE: bool;
    /// The nearest float.
    fn float(self) -> f32;
    /// Itself, if [`Number::WHOLE`]; cut off at the point otherwise.
    fn whole(self) -> i128;
    /// The nearest number of double precision.
    fn double(self) -> f64 {
        f64::from(self.float())
    }
}

macro_rules! numbers {
    ($whole:literal: $($type:ty)*) => {$(
        impl Number for $type {
            const WHOLE: bool = $whole;
            fn float(self) -> f32 {
                self as f32
            }
            fn whole(self) -> i128 {
                self as i128
            }
            fn double(self) -> f64 {
                self as f64
            }
        }
    )*};
}

numbers!(false: f32 f64);
numbers!(true: u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

/// 1 for true: masks.
impl Number for bool {
    const WHOLE: bool = true;
    fn float(self) -> f32 {
        f32::from(u8::from(self))
    }
    fn whole(self) -> i128 {
        i128::from(self)
    }
}

/// Types that can become a [`Column`]: `ndarray` arrays and views of any dimension, and slices,
/// vectors and arrays as `[n]`.
///
/// ```
/// use recurrent::prelude::*;
///
/// use ndarray::array;
///
/// // The same three samples.
/// let a = Dataset::new(array![[1.0], [2.0], [3.0]], [0, 1, 0])?;
/// let b = Dataset::new(vec![1.0, 2.0, 3.0], &array![0, 1, 0])?;
/// assert_eq!(a.len(), b.len());
/// # Ok::<(), Error>(())
/// ```
pub trait IntoColumn {
    /// Copies the numbers.
    ///
    /// # Errors
    /// As [`Column::numbers`].
    fn into_column(self) -> Result<Column, Error>;
}

impl IntoColumn for Column {
    fn into_column(self) -> Result<Column, Error> {
        Ok(self)
    }
}

impl<N: Number, S: Data<Elem = N>, D: Dimension> IntoColumn for &ArrayBase<S, D> {
    fn into_column(self) -> Result<Column, Error> {
        Column::collect(self.iter().copied(), self.shape())
    }
}

impl<N: Number, S: Data<Elem = N>, D: Dimension> IntoColumn for ArrayBase<S, D> {
    fn into_column(self) -> Result<Column, Error> {
        (&self).into_column()
    }
}

impl<N: Number> IntoColumn for &[N] {
    fn into_column(self) -> Result<Column, Error> {
        Column::numbers(self, &[self.len()])
    }
}

impl<N: Number, const LEN: usize> IntoColumn for &[N; LEN] {
    fn into_column(self) -> Result<Column, Error> {
        self.as_slice().into_column()
    }
}

impl<N: Number> IntoColumn for &Vec<N> {
    fn into_column(self) -> Result<Column, Error> {
        self.as_slice().into_column()
    }
}

impl<N: Number> IntoColumn for Vec<N> {
    fn into_column(self) -> Result<Column, Error> {
        self.as_slice().into_column()
    }
}

impl<N: Number, const LEN: usize> IntoColumn for [N; LEN] {
    fn into_column(self) -> Result<Column, Error> {
        self.as_slice().into_column()
    }
}
