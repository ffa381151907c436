//! What can go wrong at run time.

/// Every error of the runtime. Nothing is changed by a call that returns one. Without the feature `std`
/// there are those only that a stream can have.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array has another shape than the model was compiled for.
    #[cfg(feature = "std")]
    #[error("{what}: expected shape {expected}, found {found}")]
    Shape {
        /// Which array: `input`, `target`, `lstm/kernel`, …
        what: String,
        /// The shape that was compiled in, such as `[batch, 28, 28]`.
        expected: String,
        /// The shape that was given.
        found: String,
    },
    /// An id is not in the vocabulary of an `Embedding`.
    #[cfg(feature = "std")]
    #[error(
        "{layer}: id {id} at batch row {row}, step {step} is outside of the vocabulary 0..{vocabulary}"
    )]
    Id {
        /// The layer's name.
        layer: String,
        /// The id that was given.
        id: i64,
        /// The row of the batch.
        row: usize,
        /// The time step.
        step: usize,
        /// `input_dim` of the embedding.
        vocabulary: usize,
    },
    /// An argument of the training loop or of an optimizer makes no sense.
    #[cfg(feature = "std")]
    #[error("{0}")]
    Argument(String),
    /// A file does not fit the model; `problems` lists everything at once.
    #[cfg(feature = "std")]
    #[error("{file} does not fit the model:\n  {}", problems.join("\n  "))]
    Weights {
        /// The file's path.
        file: String,
        /// One line for everything missing, extra, of the wrong shape or not finite.
        problems: Vec<String>,
    },
    /// A file is not of the kind that is read: no safetensors, or a damaged one.
    #[cfg(feature = "std")]
    #[error("{file} cannot be read: {problem}")]
    Format {
        /// The file's path.
        file: String,
        /// What it is instead, and what to do about it.
        problem: String,
    },
    /// The instruction set asked for does not exist or is not available.
    #[cfg(feature = "std")]
    #[error("RECURRENT_ISA={asked}: {reason}")]
    Isa {
        /// The value of the variable.
        asked: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// Reading or writing a file failed.
    #[cfg(feature = "std")]
    #[error("{path}: {source}")]
    Io {
        /// The file's path.
        path: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// An id is not in the vocabulary of its type.
    #[error("id {id} is outside of the vocabulary 0..{vocabulary}")]
    Vocabulary {
        /// The id that was given.
        id: u32,
        /// One more than the largest id.
        vocabulary: usize,
    },
}

/// The words of `Display`, as `anyhow` does it: `fn main() -> Result<(), Error>` and `unwrap` print
/// the `Debug` form, and a name of a variant with its fields tells nobody what to do. The fields are
/// public for those who want to take an error apart.
impl core::fmt::Debug for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_with_an_error_prints_its_words() {
        let error = Error::Id {
            layer: "embedding".to_owned(),
            id: 11,
            row: 2,
            step: 3,
            vocabulary: 10,
        };
        let words = "embedding: id 11 at batch row 2, step 3 is outside of the vocabulary 0..10";
        assert_eq!(format!("{error:?}"), words);
        // Also pretty, and inside of what derives `Debug`.
        assert_eq!(format!("{error:#?}"), words);
        assert_eq!(
            format!("{:?}", Err::<(), _>(error)),
            format!("Err({words})")
        );
    }
}
