//! What is wrong with a file.

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are not what the format says: cut off, altered, or made to mislead.
    #[error("damaged at byte {at}: expected {expected}, found {found}")]
    Damaged {
        /// Bytes from the start of the file. Of a file within an archive: from its own start.
        at: u64,
        /// What the format has there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The file is whole, and has what no layer here can do: one line for each, with the name of the layer or node.
    #[error("{}", .0.join("\n"))]
    NotUnderstood(Vec<String>),
    /// It is none of the known formats.
    #[error("{0}")]
    Unknown(String),
    /// Another file that this one names cannot be read.
    #[error("{name}: {why}")]
    Beside {
        /// The other file, as it is named.
        name: String,
        /// Why.
        why: String,
    },
}

impl Error {
    /// [`Error::Damaged`].
    pub fn damaged(at: usize, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Error::Damaged {
            at: at as u64,
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// One line of [`Error::NotUnderstood`].
    pub fn not_understood(line: impl Into<String>) -> Self {
        Error::NotUnderstood(vec![line.into()])
    }
}
