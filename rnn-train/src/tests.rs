//! A small model and its data, for the tests of the training loop.

use super::data::Dataset;
use rnn_runtime::{
    error::Error,
    learner::{InputView, Learner, StepSeed, ValueSpec, Values},
    params::{Init, ParamSpec},
};

pub(crate) const SPECS: [ParamSpec; 3] = [
    ParamSpec::new("dense/kernel", &[2, 3], Init::GlorotUniform),
    ParamSpec::new("norm/moving_mean", &[1], Init::Zeros).frozen(),
    ParamSpec::new("dense/bias", &[3], Init::Zeros),
];

/// Something that happened to a [`Linear`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// With so many samples.
    Forward(usize),
    Infer(usize),
    Reset,
}

/// Softmax regression from 2 features to 3 logits, written out. As a normalisation does, it
/// counts its training steps in a parameter that is not trainable.
pub(crate) struct Linear {
    params: &'static [ParamSpec],
    weights: Vec<f32>,
    inputs: Vec<f32>,
    outputs: Vec<f32>,
    /// With a time axis.
    sequence: bool,
    pub seeds: Vec<StepSeed>,
    /// Of the outputs.
    pub mask: Option<Vec<f32>>,
    stateful: bool,
    pub events: Vec<Event>,
}

impl Linear {
    pub fn new(seed: u64) -> Linear {
        let weights = rnn_runtime::init::initialise(&SPECS, seed);
        Linear {
            params: &SPECS,
            weights,
            inputs: Vec::new(),
            outputs: Vec::new(),
            sequence: false,
            seeds: Vec::new(),
            mask: None,
            stateful: false,
            events: Vec::new(),
        }
    }

    pub fn sequence(seed: u64) -> Linear {
        Linear {
            sequence: true,
            ..Linear::new(seed)
        }
    }

    /// With other regularizers and constraints.
    pub fn with_params(self, params: &'static [ParamSpec]) -> Linear {
        Linear { params, ..self }
    }

    /// As if it kept its states.
    pub fn stateful(self) -> Linear {
        Linear {
            stateful: true,
            ..self
        }
    }

    pub fn masked(self, mask: &[f32]) -> Linear {
        Linear {
            mask: Some(mask.to_vec()),
            ..self
        }
    }

    fn run(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
        let Values::Floats(values) = inputs[0].values else {
            return Err(Error::Argument("floats wanted".to_owned()));
        };
        assert_eq!(values.len(), inputs[0].batch * inputs[0].time * 2);
        self.inputs = values.to_vec();
        self.outputs.clear();
        for x in values.chunks_exact(2) {
            for class in 0..3 {
                let w = |row: usize| self.weights[3 * row + class];
                self.outputs
                    .push(x[0] * w(0) + x[1] * w(1) + self.weights[7 + class]);
            }
        }
        Ok(())
    }
}

impl Learner for Linear {
    fn specs(&self) -> &'static [ParamSpec] {
        self.params
    }
    fn weights(&self) -> &[f32] {
        &self.weights
    }
    fn weights_mut(&mut self) -> &mut [f32] {
        &mut self.weights
    }
    fn inputs(&self) -> &'static [ValueSpec] {
        const ROW: ValueSpec = ValueSpec {
            name: "input",
            ids: false,
            time: None,
            features: &[2],
        };
        if self.sequence {
            &[ValueSpec {
                time: Some(None),
                ..ROW
            }]
        } else {
            &[ROW]
        }
    }
    fn outputs(&self) -> &'static [ValueSpec] {
        const ROW: ValueSpec = ValueSpec {
            name: "output",
            ids: false,
            time: None,
            features: &[3],
        };
        if self.sequence {
            &[ValueSpec {
                time: Some(None),
                ..ROW
            }]
        } else {
            &[ROW]
        }
    }
    fn forward(&mut self, inputs: &[InputView<'_>], seed: StepSeed) -> Result<(), Error> {
        self.seeds.push(seed);
        self.events.push(Event::Forward(inputs[0].batch));
        self.weights[6] += 1.0;
        self.run(inputs)
    }
    fn infer(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
        self.events.push(Event::Infer(inputs[0].batch));
        self.run(inputs)
    }
    fn output(&self, _: usize) -> &[f32] {
        &self.outputs
    }
    fn backward(&mut self, d_outputs: &[&[f32]], gradients: &mut [f32]) -> Result<(), Error> {
        gradients.fill(0.0);
        for (x, d) in self
            .inputs
            .chunks_exact(2)
            .zip(d_outputs[0].chunks_exact(3))
        {
            for class in 0..3 {
                gradients[class] += x[0] * d[class];
                gradients[3 + class] += x[1] * d[class];
                gradients[7 + class] += d[class];
            }
        }
        Ok(())
    }

    fn output_mask(&self, _: usize) -> Option<&[f32]> {
        let steps = self.outputs.len() / 3;
        self.mask.as_ref().map(|mask| &mask[..steps])
    }
    fn is_stateful(&self) -> bool {
        self.stateful
    }
    fn reset_states(&mut self) {
        self.events.push(Event::Reset);
    }
}

/// `n` points in three clouds, a third in each; mostly separable by straight lines.
pub(crate) fn clouds(n: usize) -> (Vec<f32>, Vec<u32>) {
    let centres = [(2.0, 0.0), (-1.0, 1.7), (-1.0, -1.7)];
    let noise = rnn_runtime::init::initialise(
        &[ParamSpec::new(
            "noise",
            Box::leak(Box::new([n, 2])),
            Init::RandomNormal {
                mean: 0.0,
                stddev: 0.05,
            },
        )],
        7,
    );
    let labels: Vec<u32> = (0..n as u32).map(|i| i % 3).collect();
    let points = labels
        .iter()
        .zip(noise.chunks_exact(2))
        .flat_map(|(&label, noise)| {
            let (x, y) = centres[label as usize];
            // The deviation of the noise is 0.05: 16 times that is 0.8.
            [x + 16.0 * noise[0], y + 16.0 * noise[1]]
        });
    (points.collect(), labels)
}

pub(crate) fn dataset(n: usize) -> Dataset {
    use super::data::Column;
    let (points, labels) = clouds(n);
    Dataset::new(Column::floats(points, &[n, 2]).unwrap(), labels).unwrap()
}
