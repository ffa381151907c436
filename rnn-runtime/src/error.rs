//! What can go wrong at run time.

/// Every error of the runtime. Nothing is changed by a call that returns one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array has another shape than the model was compiled for.
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
    #[error("{0}")]
    Argument(String),
    /// A file does not fit the model; `problems` lists everything at once.
    #[error("{file} does not fit the model:\n  {}", problems.join("\n  "))]
    Weights {
        /// The file's path.
        file: String,
        /// One line for everything missing, extra, of the wrong shape or not finite.
        problems: Vec<String>,
    },
    /// A file is not of the kind that is read: no safetensors, or a damaged one.
    #[error("{file} cannot be read: {problem}")]
    Format {
        /// The file's path.
        file: String,
        /// What it is instead, and what to do about it.
        problem: String,
    },
    /// The instruction set asked for does not exist or is not available.
    #[error("RECURRENT_ISA={asked}: {reason}")]
    Isa {
        /// The value of the variable.
        asked: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// Reading or writing a file failed.
    #[error("{path}: {source}")]
    Io {
        /// The file's path.
        path: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}
