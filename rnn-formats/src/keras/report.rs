//! What is found wrong, and what is worth a note, while a file is read.

use std::collections::BTreeSet;

use crate::Error;

/// Lines for the user, each once.
#[derive(Debug, Default)]
pub(super) struct Report {
    wrong: Vec<String>,
    notes: Vec<String>,
    said: BTreeSet<String>,
    /// Precisions that are not f32.
    precisions: BTreeSet<String>,
}

impl Report {
    /// Something that no layer here can do.
    pub fn wrong(&mut self, line: impl Into<String>) {
        let line = line.into();
        if self.said.insert(line.clone()) {
            self.wrong.push(line);
        }
    }

    /// Whether nothing is wrong so far.
    pub fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }

    /// Something that a user should know.
    pub fn note(&mut self, line: impl Into<String>) {
        let line = line.into();
        if self.said.insert(line.clone()) {
            self.notes.push(line);
        }
    }

    /// A precision in which Keras computes.
    pub fn precision(&mut self, name: &str) {
        if name != "float32" {
            self.precisions.insert(name.to_owned());
        }
    }

    /// The notes, or all that is wrong.
    pub fn finish(mut self) -> Result<Vec<String>, Error> {
        if !self.wrong.is_empty() {
            return Err(Error::NotUnderstood(self.wrong));
        }
        if !self.precisions.is_empty() {
            let all: Vec<String> = self.precisions.into_iter().collect();
            self.notes.push(format!(
                "Keras computes some layers in {}; here everything is computed in f32",
                all.join(", ")
            ));
        }
        Ok(self.notes)
    }
}
