//! Numbers with a name and a shape.

use crate::Error;

/// A tensor of a file, as floats, rows after rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Keras's name in the words of this library: the layer's name, a slash and the parameter's, `lstm/kernel`.
    pub name: String,
    /// Its axes.
    pub shape: Vec<usize>,
    /// As many as the axes say.
    pub values: Vec<f32>,
}

impl Tensor {
    /// A tensor of this shape.
    ///
    /// ```
    /// use rnn_formats::Tensor;
    ///
    /// let kernel = Tensor::new("dense/kernel", [2, 1], vec![0.5, -1.0])?;
    /// assert_eq!(kernel.shape, [2, 1]);
    /// assert!(Tensor::new("dense/kernel", [2, 2], vec![0.5, -1.0]).is_err());
    /// # Ok::<(), rnn_formats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotUnderstood`] if the shape does not have as many elements as there are values.
    pub fn new(
        name: impl Into<String>,
        shape: impl Into<Vec<usize>>,
        values: Vec<f32>,
    ) -> Result<Self, Error> {
        let (name, shape) = (name.into(), shape.into());
        if elements(&shape) != Some(values.len()) {
            return Err(Error::not_understood(format!(
                "{name}: {} numbers do not have the shape {shape:?}",
                values.len()
            )));
        }
        Ok(Tensor {
            name,
            shape,
            values,
        })
    }

    /// The matrix with rows and columns exchanged.
    ///
    /// ```
    /// use rnn_formats::Tensor;
    ///
    /// let of_pytorch = Tensor::new("weight", [2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(of_pytorch.transposed()?.values, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    /// # Ok::<(), rnn_formats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotUnderstood`] if it is no matrix.
    pub fn transposed(&self) -> Result<Tensor, Error> {
        let [rows, columns] = self.shape[..] else {
            return Err(Error::not_understood(format!(
                "{}: expected a matrix, found the shape {:?}",
                self.name, self.shape
            )));
        };
        let values = (0..columns)
            .flat_map(|c| (0..rows).map(move |r| self.values[r * columns + c]))
            .collect();
        Tensor::new(&self.name, [columns, rows], values)
    }
}

/// How many elements a shape has; `None` if that is no number that a computer can count.
///
/// ```
/// assert_eq!(rnn_formats::elements(&[3, 4]), Some(12));
/// assert_eq!(rnn_formats::elements(&[usize::MAX, 2]), None);
/// ```
pub fn elements(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1_usize, |n, &axis| n.checked_mul(axis))
}
