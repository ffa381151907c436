//! What is wrong with a file.

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are not what the format says: cut off, altered, or made to mislead.
    #[error("damaged{}: expected {expected}, found {found}", place(*.at, .inner.as_deref()))]
    Damaged {
        /// Bytes from the start of the file, or of the file within it. `None`: it is no single place.
        at: Option<u64>,
        /// The file within an archive where the damage is, as the archive names it.
        inner: Option<String>,
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
    /// [`Error::Damaged`] at a place.
    ///
    /// ```
    /// use rnn_formats::Error;
    ///
    /// let error = Error::damaged(8, "4 bytes of a length", "2 up to the end");
    /// assert_eq!(
    ///     error.to_string(),
    ///     "damaged at byte 8: expected 4 bytes of a length, found 2 up to the end"
    /// );
    /// ```
    pub fn damaged(at: usize, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Error::Damaged {
            at: Some(at as u64),
            inner: None,
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// [`Error::Damaged`] that has no single place: something is missing, or all of it is too much.
    ///
    /// ```
    /// use rnn_formats::Error;
    ///
    /// let error = Error::damaged_somewhere("the file `config.json`", "none");
    /// assert_eq!(error.to_string(), "damaged: expected the file `config.json`, found none");
    /// ```
    pub fn damaged_somewhere(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Error::Damaged {
            at: None,
            inner: None,
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// [`Error::Damaged`] at the end of a file that goes on elsewhere: a download or a copy that was interrupted.
    ///
    /// ```
    /// use rnn_formats::Error;
    ///
    /// let error = Error::cut_off(700, "the directory of a zip archive");
    /// assert_eq!(
    ///     error.to_string(),
    ///     "damaged at byte 700: expected the directory of a zip archive, found the end of the file: it is cut off after 700 \
    ///      bytes; copy or download it again"
    /// );
    /// ```
    pub fn cut_off(length: usize, expected: impl Into<String>) -> Self {
        let found = format!(
            "the end of the file: it is cut off after {length} bytes; copy or download it again"
        );
        Error::damaged(length, expected, found)
    }

    /// The same error, of a file within an archive. An offset counts from the start of that file.
    ///
    /// ```
    /// use rnn_formats::Error;
    ///
    /// let error = Error::damaged(8, "a number", "the end").within("a/data.pkl");
    /// assert_eq!(
    ///     error.to_string(),
    ///     "damaged at byte 8 of `a/data.pkl` in it: expected a number, found the end"
    /// );
    /// ```
    #[must_use]
    pub fn within(mut self, file: &str) -> Self {
        if let Error::Damaged { inner, .. } = &mut self {
            inner.get_or_insert_with(|| file.to_owned());
        }
        self
    }

    /// One line of [`Error::NotUnderstood`].
    pub fn not_understood(line: impl Into<String>) -> Self {
        Error::NotUnderstood(vec![line.into()])
    }
}

/// Where the damage is, as it stands after "damaged".
fn place(at: Option<u64>, inner: Option<&str>) -> String {
    match (at, inner) {
        (Some(at), Some(inner)) => format!(" at byte {at} of `{inner}` in it"),
        (Some(at), None) => format!(" at byte {at}"),
        (None, Some(inner)) => format!(" in its `{inner}`"),
        (None, None) => String::new(),
    }
}
