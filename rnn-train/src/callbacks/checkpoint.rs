//! Weights on disk while training goes on.

use std::path::Path;

use super::{
    Callback, Mode, Training,
    monitor::{Monitor, logged},
};
use rnn_runtime::{error::Error, weights};

/// How often a [`ModelCheckpoint`] saves.
///
/// ```
/// use recurrent::prelude::*;
///
/// let checkpoint = ModelCheckpoint {
///     save_freq: SaveFreq::Batches(100),
///     ..ModelCheckpoint::new("run/{epoch:02d}-{batch:04d}.safetensors")
/// };
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaveFreq {
    /// After every epoch.
    #[default]
    Epoch,
    /// After so many batches, counted over all epochs.
    Batches(usize),
}

/// Saves the weights as safetensors while training goes on. A save is atomic: whenever the program is
/// killed, the file is complete.
///
/// Weights that are not finite are not saved, since such a file could not be loaded. The last good file
/// stays, training goes on, and [`ModelCheckpoint::skipped`] tells when that happened first.
///
/// The path may hold `{epoch}` (from 1), `{batch}` and every name of the logs, with Python's
/// simple formats: `"run/{epoch:02d}-{val_loss:.4f}.safetensors"`.
///
/// ```
/// use recurrent::train::callbacks::ModelCheckpoint;
///
/// let checkpoint = ModelCheckpoint { save_best_only: true, ..ModelCheckpoint::new("best.safetensors") };
/// assert_eq!(checkpoint.monitor, "val_loss");
/// ```
#[derive(Clone, Debug)]
pub struct ModelCheckpoint {
    /// The path of the file, perhaps with names in braces.
    pub path: String,
    /// The number that says which weights are best; `val_loss` by default.
    pub monitor: String,
    /// Save only when the monitored number is better than ever before.
    pub save_best_only: bool,
    /// Which way the number gets better.
    pub mode: Mode,
    /// How often.
    pub save_freq: SaveFreq,
    /// With `save_best_only`, the number must get better than this at first.
    pub initial_value_threshold: Option<f64>,
    /// What has happened so far; start with the default.
    pub state: ModelCheckpointState,
}

/// What [`ModelCheckpoint`] has seen.
///
/// Nothing of it has to be written: [`ModelCheckpoint::new`] starts with the default.
#[derive(Clone, Debug, Default)]
pub struct ModelCheckpointState {
    monitor: Option<Monitor>,
    best: Option<f64>,
    batches: usize,
    skipped: Option<(usize, usize)>,
}

impl ModelCheckpoint {
    /// Saves to `path` after every epoch.
    pub fn new(path: impl Into<String>) -> Self {
        ModelCheckpoint {
            path: path.into(),
            monitor: "val_loss".to_owned(),
            save_best_only: false,
            mode: Mode::Auto,
            save_freq: SaveFreq::Epoch,
            initial_value_threshold: None,
            state: ModelCheckpointState::default(),
        }
    }

    /// Epoch and batch (from 0) after which nothing was saved for the first time because a weight was
    /// NaN or infinite, or because the monitored value was NaN; `None` if there was no such time.
    ///
    /// ```
    /// use recurrent::train::callbacks::ModelCheckpoint;
    ///
    /// assert_eq!(ModelCheckpoint::new("last.safetensors").skipped(), None);
    /// ```
    pub fn skipped(&self) -> Option<(usize, usize)> {
        self.state.skipped
    }

    /// Makes the folder, as Keras does.
    fn folder(&self, path: &str) -> Result<(), Error> {
        weights::make_folder(Path::new(path)).map_err(|source| Error::Io {
            path: path.to_owned(),
            near: None,
            source,
        })
    }

    fn skip(&mut self, training: &Training<'_>) {
        let now = (training.epoch(), training.batch());
        self.state.skipped.get_or_insert(now);
    }

    fn save(&mut self, training: &Training<'_>) -> Result<(), Error> {
        let mut best = self.state.best;
        if let Some(monitor) = &self.state.monitor {
            let Some(current) = monitor.current(training)? else {
                return Ok(());
            };
            // NaN never counts as the best: no later number would be better.
            if current.is_nan() {
                self.skip(training);
                return Ok(());
            }
            if !monitor.improved(current, best) {
                return Ok(());
            }
            best = Some(current);
        }
        let path = fill_in(&self.path, training)?;
        let finite = training.weights().iter().all(|w| w.is_finite());
        training.take_error()?;
        // An error would discard the history, which shows the user what happened.
        if !finite {
            self.skip(training);
            return Ok(());
        }
        self.state.best = best;
        self.folder(&path)?;
        weights::save(path, training.specs(), training.weights())
    }
}

impl Callback for ModelCheckpoint {
    fn reads_batches(&self) -> bool {
        matches!(self.save_freq, SaveFreq::Batches(_))
    }

    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        if self.save_freq == SaveFreq::Batches(0) {
            let message = "ModelCheckpoint: save_freq must be at least 1 batch";
            return Err(Error::Argument(message.to_owned()));
        }
        // The file is safetensors, whatever its name. With the ending of another format, the program
        // that opens it would fail.
        if let Some(other) = ["h5", "hdf5", "keras", "pt", "pth", "onnx", "npz"]
            .iter()
            .find(|other| {
                Path::new(&self.path)
                    .extension()
                    .is_some_and(|e| e.eq_ignore_ascii_case(other))
            })
        {
            let safe = Path::new(&self.path).with_extension("safetensors");
            return Err(Error::Argument(format!(
                "ModelCheckpoint: {}: weights are written as safetensors, not as .{other}; write \
                 ModelCheckpoint::new({:?})",
                self.path,
                safe.display().to_string()
            )));
        }
        // A folder that cannot be made is reported before any training.
        let folder = Path::new(&self.path).parent();
        if !folder.is_some_and(|f| f.to_string_lossy().contains('{')) {
            self.folder(&self.path)?;
        }
        let monitor = self
            .save_best_only
            .then(|| Monitor::new("ModelCheckpoint", &self.monitor, self.mode, 0.0, training));
        let best = self.initial_value_threshold;
        self.state = ModelCheckpointState {
            monitor: monitor.transpose()?,
            best,
            batches: 0,
            skipped: None,
        };
        Ok(())
    }

    fn on_batch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let SaveFreq::Batches(every) = self.save_freq else {
            return Ok(());
        };
        self.state.batches += 1;
        if self.state.batches < every {
            return Ok(());
        }
        self.state.batches = 0;
        self.save(training)
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        if self.save_freq == SaveFreq::Epoch {
            self.save(training)
        } else {
            Ok(())
        }
    }
}

/// Replaces `{name}`, `{name:02d}` and `{name:.3f}` by numbers.
fn fill_in(path: &str, training: &Training<'_>) -> Result<String, Error> {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let wrong = |why: &str| Error::Argument(format!("ModelCheckpoint: {path}: {why}"));
        let (field, tail) = after.split_once('}').ok_or_else(|| wrong("no } after {"))?;
        let (name, format) = field.split_once(':').unwrap_or((field, ""));
        filled += before;
        filled += &match name {
            "epoch" => whole(training.epoch() + 1, format),
            "batch" => whole(training.batch() + 1, format),
            _ => training
                .logs()
                .get(name)
                .and_then(|value| real(value, format)),
        }
        .ok_or_else(|| {
            let known = matches!(name, "epoch" | "batch") || training.logs().get(name).is_some();
            wrong(&match known {
                true => format!(
                    "cannot fill in {{{field}}}; write {{epoch:02d}}, {{batch:04d}} or {{loss:.4f}}"
                ),
                false => format!(
                    "cannot fill in {{{field}}}: {name} is not logged; there are epoch, batch, {}",
                    logged(name, training)
                ),
            })
        })?;
        rest = tail;
    }
    Ok(filled + rest)
}

/// Python's `""`, `d`, `4d` and `04d`.
fn whole(value: usize, format: &str) -> Option<String> {
    let width = format.strip_suffix('d').unwrap_or(format);
    if width.is_empty() {
        return Some(value.to_string());
    }
    let digits: usize = width.parse().ok().filter(|&digits| digits <= 64)?;
    Some(if width.starts_with('0') {
        format!("{value:0digits$}")
    } else {
        format!("{value:digits$}")
    })
}

/// Python's `""` and `.4f`.
fn real(value: f64, format: &str) -> Option<String> {
    if format.is_empty() {
        return Some(value.to_string());
    }
    let digits = format.strip_prefix('.')?.strip_suffix('f')?;
    let digits: usize = digits.parse().ok().filter(|&digits| digits <= 64)?;
    Some(format!("{value:.digits$}"))
}
