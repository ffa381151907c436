//! A table of the epochs.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::PathBuf,
};

use super::{Callback, Training};
use crate::logs::Logs;
use rnn_runtime::error::Error;

/// Writes the logs of every epoch as a line of a CSV file: `epoch` (from 0), then all names in
/// alphabetical order; `NA` where an epoch lacks one. A line is in the file when the epoch ends.
///
/// ```
/// use recurrent::train::callbacks::CSVLogger;
///
/// let logger = CSVLogger { append: true, ..CSVLogger::new("training.csv") };
/// ```
#[derive(Debug)]
pub struct CSVLogger {
    /// The file.
    pub path: PathBuf,
    /// Between two cells; a comma by default.
    pub separator: char,
    /// Append to the file rather than replace it, to resume a training.
    pub append: bool,
    /// The file being written; start with the default.
    pub state: CSVLoggerState,
}

/// What [`CSVLogger`] has open.
///
/// Nothing of it has to be written: [`CSVLogger::new`] starts with the default.
#[derive(Debug, Default)]
pub struct CSVLoggerState {
    file: Option<File>,
    names: Option<Vec<String>>,
}

impl CSVLogger {
    /// Replaces the file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        CSVLogger {
            path: path.into(),
            separator: ',',
            append: false,
            state: Default::default(),
        }
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Io {
            path: self.path.display().to_string(),
            near: None,
            source,
        }
    }

    /// The names in the header of a file to append to, if it has one.
    fn old_names(&self) -> Option<Vec<String>> {
        let text = fs::read_to_string(&self.path).ok()?;
        let header = text.lines().next()?;
        Some(
            header
                .split(self.separator)
                .skip(1)
                .map(str::to_owned)
                .collect(),
        )
    }

    fn write(&mut self, epoch: usize, logs: &Logs) -> io::Result<()> {
        let Some(file) = &mut self.state.file else {
            return Ok(());
        };
        let mut lines = String::new();
        let separator = self.separator.to_string();
        let names = self.state.names.get_or_insert_with(|| {
            let mut names: Vec<_> = logs.iter().map(|(name, _)| name.to_owned()).collect();
            names.sort();
            let header: Vec<_> = ["epoch"]
                .into_iter()
                .chain(names.iter().map(String::as_str))
                .collect();
            lines = header.join(&separator) + "\n";
            names
        });
        let cells = names
            .iter()
            .map(|name| logs.get(name).map_or("NA".to_owned(), |v| v.to_string()));
        let cells: Vec<_> = [epoch.to_string()].into_iter().chain(cells).collect();
        lines += &(cells.join(&separator) + "\n");
        // One write for the whole line, so that a killed training never leaves half a line.
        file.write_all(lines.as_bytes())
    }
}

impl Callback for CSVLogger {
    fn reads_batches(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, _: &mut Training<'_>) -> Result<(), Error> {
        self.state.names = if self.append { self.old_names() } else { None };
        let mut options = OpenOptions::new();
        options.create(true);
        if self.append {
            options.append(true);
        } else {
            options.write(true).truncate(true);
        }
        self.state.file = Some(
            options
                .open(&self.path)
                .map_err(|source| self.error(source))?,
        );
        Ok(())
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.write(training.epoch(), training.logs())
            .map_err(|source| self.error(source))
    }

    fn on_train_end(&mut self, _: &mut Training<'_>) -> Result<(), Error> {
        self.state.file = None;
        Ok(())
    }
}
