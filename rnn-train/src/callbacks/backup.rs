//! A training that can be killed.

use std::{collections::HashMap, fs, io, path::PathBuf};

use safetensors::{
    SafeTensors,
    tensor::{Dtype, TensorView},
};

use super::{Callback, Training};
use crate::optimizers::OptimizerState;
use rnn_runtime::{error::Error, learner::KeptState, params::ParamSpec, weights};

/// Writes a file from which training can resume. After every epoch, when all other callbacks have run,
/// it holds the weights, the optimizer's state, the states of stateful layers, and the epoch. A training
/// that finds the file resumes from it. With the same data and options it ends with the same weights,
/// bit for bit, as a training that was never killed. The file is removed when training is done.
///
/// A training with another loss, seed, batch size or order ([`Fit::shuffle`](crate::Fit)) than
/// the one that wrote the file refuses it and says what differs; it may have more epochs.
///
/// A stateful model refuses a backup from a version that did not write states.
///
/// As in Keras, the states of other callbacks are not restored.
///
/// ```
/// use recurrent::train::callbacks::BackupAndRestore;
///
/// let backup = BackupAndRestore::new("training.backup");
/// assert!(backup.delete_checkpoint);
/// ```
#[derive(Clone, Debug)]
pub struct BackupAndRestore {
    /// The file; its folder must exist.
    pub path: PathBuf,
    /// Remove the file when training is done; true by default.
    pub delete_checkpoint: bool,
}

impl BackupAndRestore {
    /// Keeps the file `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        BackupAndRestore {
            path: path.into(),
            delete_checkpoint: true,
        }
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io {
            path: self.path.display().to_string(),
            near: None,
            source,
        }
    }

    fn restore(&self, bytes: &[u8], training: &mut Training<'_>) -> Result<(), Error> {
        let wrong = |problems: Vec<String>| Error::Weights {
            file: self.path.display().to_string(),
            problems,
        };
        let backup = Backup::from_bytes(bytes, training).map_err(|problem| wrong(vec![problem]))?;
        let mut problems = backup.differences(training);
        let weights: usize = training.specs().iter().map(ParamSpec::len).sum();
        if backup.weights.len() != weights {
            problems.push("it has another number of weights".to_owned());
        }
        if backup.states.is_none() && training.is_stateful() {
            problems.push(
                "the model is stateful, but the backup is from a version that did not keep states; \
                 remove the file to train from the start"
                    .to_owned(),
            );
        }
        if !problems.is_empty() {
            return Err(wrong(problems));
        }
        let before = training.kept_states();
        training.take_error()?;
        if let Some(states) = backup.states {
            training.set_kept_states(&states)?;
        }
        // This checks before it changes anything. After it, only a device can fail.
        if let Err(error) = training.restore_optimizer(&backup.optimizer) {
            training.set_kept_states(&before)?;
            return Err(error);
        }
        training.set_weights(&backup.weights)?;
        training.begin_with(backup.epochs);
        Ok(())
    }
}

impl Callback for BackupAndRestore {
    fn reads_batches(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        match fs::read(&self.path) {
            Ok(bytes) => self.restore(&bytes, training),
            // A missing folder is reported before any training.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                weights::make_folder(&self.path).map_err(|error| self.io(error))
            }
            Err(error) => Err(self.io(error)),
        }
    }

    fn on_epoch_done(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let backup = Backup {
            epochs: training.epoch() + 1,
            weights: training.weights().to_vec(),
            optimizer: training.optimizer().state(),
            states: Some(training.kept_states()),
            setup: training.setup().to_vec(),
        };
        // A good backup is worth more than one with NaN.
        training.take_error()?;
        let bytes = backup.to_bytes(training.specs())?;
        weights::write_atomically(&self.path, &bytes).map_err(|error| self.io(error))
    }

    fn on_train_end(&mut self, _: &mut Training<'_>) -> Result<(), Error> {
        if !self.delete_checkpoint {
            return Ok(());
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.io(error)),
            _ => Ok(()),
        }
    }
}

/// What is in the file: safetensors `weights`, `slot/…` and `state/<layer>/<name>`, all else in its
/// metadata.
struct Backup {
    /// Epochs done.
    epochs: usize,
    weights: Vec<f32>,
    optimizer: OptimizerState,
    /// `None` in a file from a version that did not write them.
    states: Option<Vec<KeptState>>,
    /// Options of the training by name, without those that older versions did not write.
    setup: Vec<(&'static str, String)>,
}

impl Backup {
    fn to_bytes(&self, specs: &[ParamSpec]) -> Result<Vec<u8>, Error> {
        let bytes = |values: &[f32]| {
            values
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect::<Vec<u8>>()
        };
        let mut tensors = vec![(
            "weights".to_owned(),
            vec![self.weights.len()],
            bytes(&self.weights),
        )];
        for (name, values) in &self.optimizer.slots {
            tensors.push((format!("slot/{name}"), vec![values.len()], bytes(values)));
        }
        let states = self.states.as_deref().unwrap_or_default();
        for s in states {
            let name = format!("state/{}/{}", s.layer, s.name);
            tensors.push((name, s.shape.clone(), bytes(&s.values)));
        }
        let mut metadata = HashMap::from([
            ("model".to_owned(), fingerprint(specs)),
            ("epochs".to_owned(), self.epochs.to_string()),
            ("optimizer".to_owned(), self.optimizer.optimizer.clone()),
            (
                "iterations".to_owned(),
                self.optimizer.iterations.to_string(),
            ),
            ("states".to_owned(), states.len().to_string()),
        ]);
        let setup = self.setup.iter();
        metadata.extend(setup.map(|(name, value)| ((*name).to_owned(), value.clone())));
        if let Some(rate) = self.optimizer.learning_rate {
            metadata.insert("learning_rate".to_owned(), rate.to_string());
        }
        let failed = |error: safetensors::SafeTensorError| Error::Argument(error.to_string());
        let views = tensors.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(failed)?;
            Ok((name.as_str(), view))
        });
        let views: Vec<_> = views.collect::<Result<_, Error>>()?;
        safetensors::serialize(views, Some(metadata)).map_err(failed)
    }

    /// The options in which the training that wrote it differs from this one, in words.
    fn differences(&self, training: &Training<'_>) -> Vec<String> {
        let wanted = training.setup().iter();
        let pairs = wanted.filter_map(|(name, wanted)| {
            let (_, found) = self.setup.iter().find(|(own, _)| own == name)?;
            (found != wanted).then(|| {
                format!(
                    "it was written with {name} {found}, this training has {name} {wanted}; go on \
                     with the same, or remove the file to train from the start"
                )
            })
        });
        pairs.collect()
    }

    /// Reads what [`Backup::to_bytes`] wrote for the same model; otherwise says what is wrong.
    fn from_bytes(bytes: &[u8], training: &Training<'_>) -> Result<Backup, String> {
        let damaged = |error: safetensors::SafeTensorError| {
            format!("not a backup, or a damaged one: {error}")
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let metadata = header.metadata().as_ref();
        let text = |key: &str| {
            metadata
                .and_then(|m| m.get(key))
                .ok_or_else(|| format!("not a backup: no {key}"))
        };
        let wrong = |key: &str| format!("not a backup: {key} is not a number");
        if *text("model")? != fingerprint(training.specs()) {
            return Err("it is the backup of another model".to_owned());
        }
        let floats = |name: &str| {
            let tensor = file.tensor(name).map_err(damaged)?;
            if tensor.dtype() != Dtype::F32 {
                return Err(format!("not a backup: {name} is not of type F32"));
            }
            Ok(tensor
                .data()
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| f32::from_le_bytes(*b))
                .collect())
        };
        // The optimizer knows the order of the slots; the names in the file are sorted.
        let mut slots: Vec<(String, Vec<f32>)> = Vec::new();
        for name in file.names() {
            if let Some(slot) = name.strip_prefix("slot/") {
                slots.push((slot.to_owned(), floats(name)?));
            }
        }
        slots.sort_by(|a, b| a.0.cmp(&b.0));
        let states = match text("states") {
            Ok(count) => {
                let count: usize = count.parse().map_err(|_| wrong("states"))?;
                let mut states = Vec::new();
                for key in file.names() {
                    // A state's name is one word; a layer's name may be a path.
                    let Some((layer, name)) =
                        key.strip_prefix("state/").and_then(|s| s.rsplit_once('/'))
                    else {
                        continue;
                    };
                    states.push(KeptState {
                        layer: layer.to_owned(),
                        name: name.to_owned(),
                        shape: file.tensor(key).map_err(damaged)?.shape().to_vec(),
                        values: floats(key)?,
                    });
                }
                if states.len() != count {
                    return Err(format!(
                        "damaged: {count} states wanted, found {}",
                        states.len()
                    ));
                }
                Some(states)
            }
            Err(_) => None,
        };
        let learning_rate = match text("learning_rate") {
            Ok(rate) => Some(rate.parse().map_err(|_| wrong("learning_rate"))?),
            Err(_) => None,
        };
        Ok(Backup {
            epochs: text("epochs")?.parse().map_err(|_| wrong("epochs"))?,
            weights: floats("weights")?,
            optimizer: OptimizerState {
                optimizer: text("optimizer")?.clone(),
                iterations: text("iterations")?
                    .parse()
                    .map_err(|_| wrong("iterations"))?,
                learning_rate,
                slots,
            },
            states,
            setup: training
                .setup()
                .iter()
                .filter_map(|(name, _)| Some((*name, text(name).ok()?.clone())))
                .collect(),
        })
    }
}

/// Names and shapes of all parameters.
fn fingerprint(specs: &[ParamSpec]) -> String {
    let each: Vec<_> = specs
        .iter()
        .map(|spec| format!("{} {:?}", spec.name, spec.shape))
        .collect();
    each.join("; ")
}
