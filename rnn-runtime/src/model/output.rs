//! The arrays that a model gives.

use ndarray::{Array, ArrayD, Dimension};

use crate::error::Error;

/// What [`super::Model::predict`] gives: an [`ndarray::Array`] for a model of one output, a tuple
/// of them or a generated structure for one of several.
///
/// ```
/// use ndarray::{Array2, Array3, ArrayD, IxDyn};
/// use recurrent::{Error, model::Outputs};
///
/// struct Both {
///     sequence: Array3<f32>,
///     last: Array2<f32>,
/// }
///
/// impl Outputs for Both {
///     fn from_arrays(arrays: Vec<ArrayD<f32>>) -> Result<Self, Error> {
///         let (sequence, last) = Outputs::from_arrays(arrays)?;
///         Ok(Both { sequence, last })
///     }
/// }
///
/// let zeros = |shape: &[usize]| ArrayD::zeros(IxDyn(shape));
/// let both = Both::from_arrays(vec![zeros(&[2, 3, 4]), zeros(&[2, 4])])?;
/// assert_eq!((both.sequence.dim(), both.last.dim()), ((2, 3, 4), (2, 4)));
/// assert!(Both::from_arrays(vec![zeros(&[2, 4])]).is_err());
/// # Ok::<(), Error>(())
/// ```
pub trait Outputs: Sized {
    /// Takes the outputs, in the model's order.
    ///
    /// # Errors
    /// [`Error::Argument`] if they are more or fewer than there is room for, or of another rank.
    fn from_arrays(arrays: Vec<ArrayD<f32>>) -> Result<Self, Error>;
}

/// One array, its rank checked.
fn ranked<D: Dimension>(array: ArrayD<f32>) -> Result<Array<f32, D>, Error> {
    array
        .into_dimensionality()
        .map_err(|e| Error::Argument(e.to_string()))
}

/// Exactly `N` arrays.
fn several<const N: usize>(arrays: Vec<ArrayD<f32>>) -> Result<[ArrayD<f32>; N], Error> {
    arrays
        .try_into()
        .map_err(|a: Vec<_>| Error::Argument(format!("room for {N} outputs, found {}", a.len())))
}

impl<D: Dimension> Outputs for Array<f32, D> {
    fn from_arrays(arrays: Vec<ArrayD<f32>>) -> Result<Self, Error> {
        let [array] = several(arrays)?;
        ranked(array)
    }
}

macro_rules! tuples {
    ($($n:literal: $($d:ident $x:ident),*;)*) => { $(
        impl<$($d: Dimension),*> Outputs for ($(Array<f32, $d>,)*) {
            fn from_arrays(arrays: Vec<ArrayD<f32>>) -> Result<Self, Error> {
                let [$($x),*] = several::<$n>(arrays)?;
                Ok(($(ranked($x)?,)*))
            }
        }
    )* };
}
tuples! {
    1: A a;
    2: A a, B b;
    3: A a, B b, C c;
    4: A a, B b, C c, D d;
    5: A a, B b, C c, D d, E e;
    6: A a, B b, C c, D d, E e, F f;
    7: A a, B b, C c, D d, E e, F f, G g;
    8: A a, B b, C c, D d, E e, F f, G g, H h;
    9: A a, B b, C c, D d, E e, F f, G g, H h, I i;
    10: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j;
    11: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k;
    12: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l;
    13: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m;
    14: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n;
    15: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n, O o;
    16: A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n, O o, P p;
}
