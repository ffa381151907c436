//! What went wrong, and what to do about it.

use std::{fmt, path::Path};

/// An error that a user sees, in one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong; further lines are details.
    pub what: String,
    /// What to do.
    pub help: Option<String>,
}

/// What most of the tool gives.
pub type Done<T> = Result<T, Failure>;

impl Failure {
    /// Something wrong.
    pub fn new(what: impl Into<String>) -> Self {
        Failure {
            what: what.into(),
            help: None,
        }
    }

    /// With what to do about it.
    pub fn help(self, help: impl Into<String>) -> Self {
        Failure {
            help: Some(help.into()),
            ..self
        }
    }

    /// A file that cannot be read or written.
    pub fn io(path: &Path, did: &str, e: &std::io::Error) -> Self {
        Failure::new(format!("{} cannot be {did}: {e}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.what.lines();
        write!(f, "error: {}", lines.next().unwrap_or_default())?;
        for line in lines {
            write!(f, "\n  {line}")?;
        }
        for line in self.help.iter().flat_map(|help| help.lines()) {
            write!(f, "\nhelp: {line}")?;
        }
        Ok(())
    }
}
