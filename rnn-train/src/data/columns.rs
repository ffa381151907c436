//! Several columns at once.

use super::column::{Column, IntoColumn};
use rnn_runtime::error::Error;

/// Types that can become the inputs or the targets of a [`Dataset`](super::Dataset): one
/// [`IntoColumn`], or a tuple of up to eight.
///
/// ```
/// use recurrent::prelude::*;
///
/// use ndarray::{Array2, Array3};
///
/// // A model with two inputs and two outputs.
/// let (sensors, settings) = (Array3::<f32>::zeros((5, 20, 3)), Array2::<f32>::zeros((5, 2)));
/// let data = Dataset::new((&sensors, &settings), ([0, 1, 2, 0, 1], [0.5; 5]))?;
/// assert_eq!(data.len(), 5);
/// # Ok::<(), Error>(())
/// ```
pub trait IntoColumns {
    /// Copies the numbers.
    ///
    /// # Errors
    /// As [`Column::numbers`].
    fn into_columns(self) -> Result<Vec<Column>, Error>;
}

impl<C: IntoColumn> IntoColumns for C {
    fn into_columns(self) -> Result<Vec<Column>, Error> {
        Ok(vec![self.into_column()?])
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: IntoColumn),+> IntoColumns for ($($name,)+) {
            fn into_columns(self) -> Result<Vec<Column>, Error> {
                #[allow(non_snake_case, reason = "the macro has one name for type and value")]
                let ($($name,)+) = self;
                Ok(vec![$($name.into_column()?),+])
            }
        }
    )*};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
