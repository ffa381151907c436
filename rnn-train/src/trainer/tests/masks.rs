//! Padding does not count.

use super::*;
use rnn_runtime::{
    learner::{InputView, StepSeed, ValueSpec},
    params::ParamSpec,
};

/// Two rows a step: the output is `[batch, time, 2, 3]`, the input `[batch, time, 2, 2]`.
struct Pairs(Linear);

fn twice_as_long<'a>(inputs: &[InputView<'a>]) -> [InputView<'a>; 1] {
    [InputView {
        time: 2 * inputs[0].time,
        ..inputs[0]
    }]
}

impl Learner for Pairs {
    fn specs(&self) -> &'static [ParamSpec] {
        self.0.specs()
    }
    fn weights(&self) -> &[f32] {
        self.0.weights()
    }
    fn weights_mut(&mut self) -> &mut [f32] {
        self.0.weights_mut()
    }
    fn inputs(&self) -> &'static [ValueSpec] {
        &[ValueSpec {
            name: "x",
            ids: false,
            time: Some(None),
            features: &[2, 2],
        }]
    }
    fn outputs(&self) -> &'static [ValueSpec] {
        &[ValueSpec {
            name: "y",
            ids: false,
            time: Some(None),
            features: &[2, 3],
        }]
    }
    fn forward(&mut self, inputs: &[InputView<'_>], seed: StepSeed) -> Result<(), Error> {
        self.0.forward(&twice_as_long(inputs), seed)
    }
    fn infer(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
        self.0.infer(&twice_as_long(inputs))
    }
    fn output(&self, index: usize) -> &[f32] {
        self.0.output(index)
    }
    fn backward(&mut self, d_outputs: &[&[f32]], gradients: &mut [f32]) -> Result<(), Error> {
        self.0.backward(d_outputs, gradients)
    }
    fn output_mask(&self, index: usize) -> Option<&[f32]> {
        let steps = self.0.output(index).len() / 6;
        self.0.output_mask(index).map(|mask| &mask[..steps])
    }
}

#[test]
fn a_step_of_several_rows_is_masked_as_a_whole() {
    let (points, labels) = clouds(8);
    let input = |shape: &[usize]| Column::floats(points.clone(), shape).unwrap();
    let targets = |shape: &[usize]| Column::integers(labels.clone(), shape).unwrap();
    let pairs = Dataset::new(input(&[2, 2, 2, 2]), targets(&[2, 2, 2])).unwrap();
    let rows = Dataset::new(input(&[2, 4, 2]), targets(&[2, 4])).unwrap();
    let scores = Scores::new().loss(sparse()).metric(Accuracy);
    let mut model = Pairs(Linear::sequence(2).masked(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]));
    let found = model.evaluate(&pairs, &scores).unwrap();
    let mask = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];
    let expected = Linear::sequence(2)
        .masked(&mask)
        .evaluate(&rows, &scores)
        .unwrap();
    assert_eq!(found, expected);
    assert_ne!(found, Linear::sequence(2).evaluate(&rows, &scores).unwrap());
}

fn logs(model: &mut Linear, data: &Dataset) -> Logs {
    let scores = Scores::new().loss(sparse()).metric(Accuracy);
    model.evaluate(data, &scores).unwrap()
}

/// Two sequences of three steps, of which four are valid: the same as those four alone.
#[test]
fn masked_steps_are_as_if_they_were_not_there() {
    let (points, mut labels) = clouds(6);
    let mask = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0];
    let valid = |i: &usize| mask[*i] == 1.0;
    let kept: Vec<f32> = (0..6)
        .filter(valid)
        .flat_map(|i| [points[2 * i], points[2 * i + 1]])
        .collect();
    let kept_labels: Vec<u32> = (0..6).filter(valid).map(|i| labels[i]).collect();
    let alone = Dataset::new(Column::floats(kept, &[4, 2]).unwrap(), kept_labels).unwrap();
    let expected = logs(&mut Linear::new(3), &alone);

    let sequences = |labels: &[u32]| {
        let targets = Column::integers(labels.to_vec(), &[2, 3]).unwrap();
        Dataset::new(Column::floats(points.clone(), &[2, 3, 2]).unwrap(), targets).unwrap()
    };
    let mut model = Linear::sequence(3).masked(&mask);
    let found = logs(&mut model, &sequences(&labels));
    assert!((found.get("loss").unwrap() - expected.get("loss").unwrap()).abs() < 1e-12);
    assert_eq!(found.get("accuracy"), expected.get("accuracy"));
    // Whatever stands in the padding.
    labels[2] = (labels[2] + 1) % 3;
    assert_eq!(logs(&mut model, &sequences(&labels)), found);

    // Training, too.
    let step = |model: &mut Linear, data: &Dataset| {
        let mut trainer = Trainer::new(model).optimizer(SGD::new(0.5)).loss(sparse());
        trainer.fit(data, quiet(1)).unwrap();
        model.weights().to_vec()
    };
    let data = sequences(&labels);
    let a = step(&mut model, &data);
    let b = step(&mut Linear::new(3), &alone);
    assert!(
        a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6),
        "{a:?} {b:?}"
    );

    // Nothing is valid: nothing is learned, and the loss is 0.
    model.mask = Some(vec![0.0; 6]);
    let before = model.weights().to_vec();
    let mut after = step(&mut model, &data);
    assert_eq!(logs(&mut model, &data).get("loss"), Some(0.0));
    after[6] = before[6]; // counts the training steps
    assert_eq!(after, before);
}

#[test]
fn a_mask_of_another_length_is_an_error() {
    let mask = [1.0, 0.0];
    let targets = crate::TargetView::Labels(&[0, 1, 2]);
    let predictions = crate::Predictions::new(&[0.5; 9], 3, targets, None).unwrap();
    let error = predictions.masked(&mask).unwrap_err().to_string();
    assert_eq!(error, "mask: expected shape [3], found [2]");
}
