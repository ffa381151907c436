//! Sequences of different lengths as one array.

use ndarray::Array2;

/// An end of a sequence.
///
/// Example: [`pad_sequences`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pad {
    /// The first steps: Keras's `pre`.
    Pre,
    /// The last steps: Keras's `post`.
    Post,
}

/// How [`pad_sequences`] makes sequences equally long: the arguments of Keras's `pad_sequences`, by its names and with its
/// defaults.
///
/// Example: [`pad_sequences`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// Steps of all sequences; as many as the longest has by default.
    pub maxlen: Option<usize>,
    /// Where zeros are added; at the start by default.
    pub padding: Pad,
    /// Where steps are left out of a sequence that is longer than `maxlen`; at the start by default.
    pub truncating: Pad,
}

impl Default for Padding {
    fn default() -> Self {
        Padding {
            maxlen: None,
            padding: Pad::Pre,
            truncating: Pad::Pre,
        }
    }
}

/// Sequences of different lengths as an array, `[sequences, steps]`: zeros are added, and of those that are too long steps are left
/// out. As Keras's [`pad_sequences`](https://keras.io/api/data_loading/timeseries/#pad_sequences-function). A model whose `Embedding`
/// has `mask_zero` leaves the zeros out, so that ids of words begin with 1.
///
/// ```
/// use ndarray::array;
/// use recurrent::prelude::*;
///
/// let sentences: Vec<Vec<u32>> = vec![vec![7, 3], vec![5], vec![1, 2, 3, 4]];
/// assert_eq!(pad_sequences(&sentences, Padding::default()), array![[0, 0, 7, 3], [0, 0, 0, 5], [1, 2, 3, 4]]);
///
/// let post = Padding { maxlen: Some(3), padding: Pad::Post, ..Padding::default() };
/// let x = pad_sequences(&sentences, post);
/// assert_eq!(x, array![[7, 3, 0], [5, 0, 0], [2, 3, 4]]);
///
/// let model = rnn_model!(Embedding(10, 4, mask_zero) -> LSTM(8) -> Dense(1, sigmoid));
/// assert_eq!(model.predict(&x)?.dim(), (3, 1));
/// # Ok::<(), Error>(())
/// ```
pub fn pad_sequences<N, S>(sequences: &[S], how: Padding) -> Array2<N>
where
    N: Copy + Default,
    S: AsRef<[N]>,
{
    let lengths = sequences.iter().map(|sequence| sequence.as_ref().len());
    let steps = how.maxlen.unwrap_or(lengths.max().unwrap_or(0));
    let mut padded = Array2::from_elem((sequences.len(), steps), N::default());
    for (mut row, sequence) in padded.outer_iter_mut().zip(sequences) {
        let all = sequence.as_ref();
        let left = all.len().saturating_sub(steps);
        let kept = match how.truncating {
            Pad::Pre => &all[left..],
            Pad::Post => &all[..all.len() - left],
        };
        let start = match how.padding {
            Pad::Pre => steps - kept.len(),
            Pad::Post => 0,
        };
        for (to, from) in row.iter_mut().skip(start).zip(kept) {
            *to = *from;
        }
    }
    padded
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// The examples of Keras's documentation.
    #[test]
    fn as_keras_pads() {
        let sequences = [vec![1], vec![2, 3], vec![4, 5, 6]];
        let how = |maxlen, padding, truncating| Padding {
            maxlen,
            padding,
            truncating,
        };
        let padded = |how| pad_sequences::<i32, _>(&sequences, how);
        assert_eq!(
            padded(Padding::default()),
            array![[0, 0, 1], [0, 2, 3], [4, 5, 6]]
        );
        assert_eq!(
            padded(how(None, Pad::Post, Pad::Pre)),
            array![[1, 0, 0], [2, 3, 0], [4, 5, 6]]
        );
        assert_eq!(
            padded(how(Some(2), Pad::Pre, Pad::Pre)),
            array![[0, 1], [2, 3], [5, 6]]
        );
        assert_eq!(
            padded(how(Some(2), Pad::Post, Pad::Post)),
            array![[1, 0], [2, 3], [4, 5]]
        );
        assert_eq!(padded(how(Some(0), Pad::Pre, Pad::Pre)).dim(), (3, 0));
        let none: [Vec<u32>; 0] = [];
        assert_eq!(pad_sequences(&none, Padding::default()).dim(), (0, 0));
        let empty: [Vec<u32>; 2] = [vec![], vec![]];
        assert_eq!(pad_sequences(&empty, Padding::default()).dim(), (2, 0));
    }
}
