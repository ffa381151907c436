//! Some samples, side by side.

use super::prepared::{Numbers, Prepared, Ready};
use crate::predictions::TargetView;
use rnn_runtime::learner::{InputView, Values};

/// Buffers for the samples of a batch; after the first batch nothing more is allocated.
#[derive(Default)]
pub(crate) struct Batch {
    samples: usize,
    inputs: Vec<Gathered>,
    targets: Vec<Option<Gathered>>,
    weights: Vec<Option<Vec<f32>>>,
}

struct Gathered {
    steps: usize,
    values: Buffer,
}

enum Buffer {
    Floats(Vec<f32>),
    Integers(Vec<u32>),
}

impl Batch {
    /// Buffers for `data`, with room for `samples`.
    pub fn new(data: &Prepared<'_>, samples: usize) -> Batch {
        let buffer = |column: &Ready<'_>| Gathered {
            steps: column.steps,
            values: match column.numbers {
                Numbers::Floats(_) => Buffer::Floats(Vec::with_capacity(samples * column.stride)),
                Numbers::Integers(_) => {
                    Buffer::Integers(Vec::with_capacity(samples * column.stride))
                }
            },
        };
        let rows = |target: &Option<Ready<'_>>| target.as_ref().map_or(0, |t| samples * t.steps);
        let weights = data.weights.iter().zip(data.targets.iter().map(rows));
        Batch {
            samples: 0,
            inputs: data.inputs.iter().map(buffer).collect(),
            targets: data
                .targets
                .iter()
                .map(|target| target.as_ref().map(buffer))
                .collect(),
            weights: weights
                .map(|(w, rows)| w.as_ref().map(|_| Vec::with_capacity(rows)))
                .collect(),
        }
    }

    /// Copies these `samples` (rows of the columns) together.
    pub fn gather(&mut self, data: &Prepared<'_>, samples: &[usize]) {
        self.samples = samples.len();
        let inputs = self.inputs.iter_mut().zip(&data.inputs);
        let targets = (self.targets.iter_mut().flatten()).zip(data.targets.iter().flatten());
        for (gathered, column) in inputs.chain(targets) {
            match (&mut gathered.values, &column.numbers) {
                (Buffer::Floats(to), Numbers::Floats(from)) => {
                    copy(to, from, column.stride, samples)
                }
                (Buffer::Integers(to), Numbers::Integers(from)) => {
                    copy(to, from, column.stride, samples)
                }
                // `new` made the buffers of the same kinds.
                _ => {}
            }
        }
        for ((to, from), target) in self
            .weights
            .iter_mut()
            .zip(&data.weights)
            .zip(&data.targets)
        {
            if let (Some(to), Some(from), Some(target)) = (to, from, target) {
                copy(to, from, target.steps, samples);
            }
        }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The inputs, for the model.
    pub fn inputs(&self) -> impl Iterator<Item = InputView<'_>> {
        self.inputs.iter().map(|input| InputView {
            batch: self.samples,
            time: input.steps,
            values: match &input.values {
                Buffer::Floats(values) => Values::Floats(values),
                Buffer::Integers(values) => Values::Ids(values),
            },
        })
    }

    /// Targets of output number `output`, by rows; `None` if it has no loss.
    pub fn targets(&self, output: usize) -> Option<TargetView<'_>> {
        let gathered = self.targets[output].as_ref()?;
        Some(match &gathered.values {
            Buffer::Floats(values) => TargetView::Floats(values),
            Buffer::Integers(values) => TargetView::Labels(values),
        })
    }

    /// Weights of the rows of output number `output`.
    pub fn weights(&self, output: usize) -> Option<&[f32]> {
        self.weights[output].as_deref()
    }
}

fn copy<T: Copy>(to: &mut Vec<T>, from: &[T], stride: usize, samples: &[usize]) {
    to.clear();
    for &sample in samples {
        to.extend_from_slice(&from[sample * stride..(sample + 1) * stride]);
    }
}
