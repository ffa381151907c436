//! The states that stateful layers keep from one batch to the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ndarray::{ArrayD, IxDyn};

use super::{ModelInfo, check::count};
use crate::error::Error;

/// One state of one layer, by the names of the model.
///
/// ```
/// use recurrent::prelude::*;
///
/// use ndarray::Array3;
///
/// let mut model = rnn_model!(Input(_, 3) -> GRU(4, stateful));
/// model.predict(&Array3::<f32>::ones((2, 5, 3)))?;
/// let states = model.states();
/// assert_eq!((states[0].layer.as_str(), states[0].value.shape()), ("gru", &[2, 4][..]));
/// model.set_states(&states)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LayerState {
    /// The layer's name, such as `lstm`.
    pub layer: String,
    /// The state's name in its cell, such as `h` or `c`.
    pub name: String,
    /// `[batch, units]`, or `[batch, …]` as the cell declares it; a stream has one row.
    pub value: ArrayD<f32>,
}

/// The states of all stateful layers, under a lock: `predict` takes `&self`.
#[derive(Default)]
pub(super) struct States(Mutex<Store>);

impl States {
    /// Locks the states. The caller must not keep the lock while a batch runs: a thread that waits
    /// for its share of the work may start another batch of the same model, which locks them too.
    pub(super) fn lock(&self) -> MutexGuard<'_, Store> {
        // States are replaced whole: a run that panicked has left those before it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The states after the last batch.
#[derive(Clone, Default)]
pub(super) struct Store {
    /// Rows of that batch; 0 at the start.
    batch: usize,
    /// `[batch, …]`, in the order of `ModelInfo::states`. Shared with the batches that start from them.
    values: Arc<Vec<Vec<f32>>>,
    /// A device has the states, and `values` are others.
    #[cfg(feature = "cuda")]
    far: bool,
}

impl Store {
    /// The states that a batch of so many rows starts with.
    pub(super) fn load(&self, spec: &ModelInfo, batch: usize) -> Result<Arc<Vec<Vec<f32>>>, Error> {
        // A model without states allocates nothing here.
        if spec.states.is_empty() {
            return Ok(Arc::clone(&self.values));
        }
        if self.batch == 0 {
            return Ok(Arc::new(zeros(spec, batch)));
        }
        if self.batch != batch {
            return Err(Error::Shape {
                what: spec.inputs.first().map_or("input", |i| i.name).to_owned(),
                expected: format!(
                    "a batch of {}, as many as the states of the stateful layers have \
                     (`reset_states()` forgets them)",
                    count(self.batch, "row")
                ),
                found: format!("a batch of {batch}"),
            });
        }
        Ok(Arc::clone(&self.values))
    }

    /// Keeps the states that a batch ended with.
    pub(super) fn save(&mut self, spec: &ModelInfo, batch: usize, values: Vec<Vec<f32>>) {
        if !spec.states.is_empty() {
            self.reset();
            (self.batch, self.values) = (batch, Arc::new(values));
        }
    }

    /// A device keeps the states that a batch ended with.
    #[cfg(feature = "cuda")]
    pub(super) fn save_far(&mut self, spec: &ModelInfo, batch: usize) {
        if !spec.states.is_empty() {
            (self.batch, self.far) = (batch, true);
        }
    }

    /// NaN in place of what a device has.
    #[cfg(feature = "cuda")]
    pub(super) fn lost(&self, spec: &ModelInfo) -> Store {
        let state = |s: &super::StateSpec| vec![f32::NAN; self.batch * s.width()];
        Store {
            batch: self.batch,
            values: Arc::new(spec.states.iter().map(state).collect()),
            far: false,
        }
    }

    /// The rows of the states, if a device has them.
    #[cfg(feature = "cuda")]
    pub(super) fn far(&self) -> Option<usize> {
        self.far.then_some(self.batch)
    }

    /// Back to zero.
    pub(super) fn reset(&mut self) {
        *self = Store::default();
    }

    /// The states by name; none at the start.
    pub(super) fn named(&self, spec: &ModelInfo) -> Vec<LayerState> {
        spec.states
            .iter()
            .zip(&*self.values)
            .map(|(s, values)| named(s.layer, s.name, self.batch, s.shape, values))
            .collect()
    }

    /// Replaces the states that are named.
    pub(super) fn set(&mut self, spec: &ModelInfo, states: &[LayerState]) -> Result<(), Error> {
        let Some(first) = states.first() else {
            return Ok(());
        };
        let known: Vec<_> = spec.states.iter().map(|s| (s.layer, s.name)).collect();
        let places = find(&known, spec, states)?;
        // If all states are replaced, each once, the old number of rows no longer matters.
        let keeps = self.batch > 0 && places.len() < spec.states.len();
        let (batch, as_many) = match keeps {
            true => (
                self.batch,
                "as many rows as the states that stay have".to_owned(),
            ),
            false => (
                first.value.len_of_batch(),
                format!("as many rows as {}/{} has", first.layer, first.name),
            ),
        };
        let mut values = match keeps {
            true => self.values.to_vec(),
            false => zeros(spec, batch),
        };
        for (state, i) in states.iter().zip(places) {
            values[i] = checked(state, batch, spec.states[i].shape).map_err(|e| match e {
                Error::Shape {
                    what,
                    expected,
                    found,
                } if state.value.len_of_batch() != batch => Error::Shape {
                    what,
                    expected: format!("{expected}, {as_many}"),
                    found,
                },
                e => e,
            })?;
        }
        self.save(spec, batch, values);
        Ok(())
    }
}

/// All states of so many rows, zero.
pub(super) fn zeros(spec: &ModelInfo, batch: usize) -> Vec<Vec<f32>> {
    let zeros = |s: &super::StateSpec| vec![0.0; batch * s.width()];
    spec.states.iter().map(zeros).collect()
}

/// Rows of an array whose first axis is the batch.
trait LenOfBatch {
    fn len_of_batch(&self) -> usize;
}

impl LenOfBatch for ArrayD<f32> {
    fn len_of_batch(&self) -> usize {
        self.shape().first().copied().unwrap_or(0)
    }
}

/// A state with its name.
pub(super) fn named(
    layer: &str,
    name: &str,
    batch: usize,
    shape: &[usize],
    values: &[f32],
) -> LayerState {
    let axes: Vec<usize> = std::iter::once(batch)
        .chain(shape.iter().copied())
        .collect();
    LayerState {
        layer: layer.to_owned(),
        name: name.to_owned(),
        value: ArrayD::from_shape_fn(IxDyn(&axes), |at| {
            let flat = axes
                .iter()
                .enumerate()
                .fold(0, |n, (i, len)| n * len + at[i]);
            values[flat]
        }),
    }
}

/// The index of each given state, no two alike. A layer that is used several times has several states
/// of one name: the n-th given one is the n-th of the model's.
pub(super) fn find(
    known: &[(&str, &str)],
    spec: &ModelInfo,
    wanted: &[LayerState],
) -> Result<Vec<usize>, Error> {
    let mut places = Vec::with_capacity(wanted.len());
    for state in wanted {
        let (layer, name) = (state.layer.as_str(), state.name.as_str());
        let same = || (0..known.len()).filter(|&i| known[i] == (layer, name));
        let free = same().find(|i| !places.contains(i));
        places.push(free.ok_or_else(|| {
            Error::Argument(match same().count() {
                0 => {
                    let remedy = remedy(known, spec, layer);
                    format!("no layer `{layer}` keeps a state `{name}`; {remedy}")
                }
                1 => format!("the state `{name}` of layer `{layer}` is given twice"),
                n => format!("layer `{layer}` keeps {n} states `{name}`, and more are given"),
            })
        })?);
    }
    Ok(places)
}

/// The states that the model has, for the message about one that it has not.
fn remedy(known: &[(&str, &str)], spec: &ModelInfo, layer: &str) -> String {
    match spec.layers.iter().find(|row| row.name == layer) {
        _ if !known.is_empty() => {
            let names: Vec<String> = known.iter().map(|(l, n)| format!("{l}/{n}")).collect();
            format!("there are {}", names.join(", "))
        }
        Some(row) => format!(
            "write `stateful` in the model: `{}(…, stateful)`",
            row.class
        ),
        None => "no layer of this model is stateful: write `GRU(5, stateful)`".to_owned(),
    }
}

/// `, 16`: the axes of a state after that of the batch.
fn axes_text(shape: &[usize]) -> String {
    shape.iter().map(|n| format!(", {n}")).collect()
}

/// The numbers of a state of so many rows, tight and row-major.
pub(super) fn checked(
    state: &LayerState,
    batch: usize,
    shape: &[usize],
) -> Result<Vec<f32>, Error> {
    let axes: Vec<usize> = std::iter::once(batch)
        .chain(shape.iter().copied())
        .collect();
    if state.value.shape() != axes || batch == 0 {
        return Err(Error::Shape {
            what: format!("{}/{}", state.layer, state.name),
            expected: match batch {
                0 => format!("[batch{}] with at least one row", axes_text(shape)),
                _ => format!("{axes:?}"),
            },
            found: format!("{:?}", state.value.shape()),
        });
    }
    Ok(state.value.iter().copied().collect())
}
