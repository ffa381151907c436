//! Errors at run time.

/// Every error of the runtime. A call that returns one changes nothing. Without the feature `std` there are
/// only the errors of a stream.
///
/// ```
/// use recurrent::prelude::*;
///
/// let model = rnn_model!(Embedding(10, 4) -> LSTM(4));
/// match model.predict(&ndarray::array![[1, 2, 12]]) {
///     Err(Error::Id { id, vocabulary, .. }) => assert_eq!((id, vocabulary), (12, 10)),
///     other => panic!("{other:?}"),
/// }
/// ```
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
    /// A file is no safetensors file, or a damaged one.
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
    /// A device cannot be used: what is missing, what it refused, how much memory was asked for.
    #[cfg(feature = "std")]
    #[error("{0}")]
    Device(String),
    /// Reading or writing a file failed.
    #[cfg(feature = "std")]
    #[error("{path}: {source}{}", meant(near.as_deref()))]
    Io {
        /// The file's path.
        path: String,
        /// The file beside it that may be meant, if there is none at `path`.
        near: Option<String>,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Numbers for a model, or room for them, are not as many as it was compiled for.
    #[error("{what}: expected {expected} number{}, found {found}", if *expected == 1 { "" } else { "s" })]
    Length {
        /// Which numbers: `weights`, `packed weights`, `lstm/h`.
        what: &'static str,
        /// How many it needs.
        expected: usize,
        /// How many were given.
        found: usize,
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

/// Prints the words of `Display`, like `anyhow`: `fn main() -> Result<(), Error>` and `unwrap` print the
/// `Debug` form, and the name of a variant with its fields would tell nobody what to do. Code that
/// handles errors can match on the public fields.
impl core::fmt::Debug for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// The file that may be meant, as it stands after the system's words.
#[cfg(feature = "std")]
fn meant(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"))
}

/// Names the folder in the error "no such file", which is about the folder when a file is written.
#[cfg(feature = "std")]
#[doc(hidden)]
pub fn name_folder(path: &std::path::Path, error: std::io::Error) -> std::io::Error {
    match path.parent() {
        Some(folder) if error.kind() == std::io::ErrorKind::NotFound && !folder.exists() => {
            let words = format!("there is no folder {}", folder.display());
            std::io::Error::new(std::io::ErrorKind::NotFound, words)
        }
        _ => error,
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
