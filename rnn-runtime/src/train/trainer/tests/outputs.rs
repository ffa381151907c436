//! Models with several outputs.

use super::*;
use crate::{
    learner::{InputView, StepSeed, ValueSpec},
    params::ParamSpec,
};

/// The same output twice.
struct Twice(Linear);

impl Learner for Twice {
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
        self.0.inputs()
    }
    fn outputs(&self) -> &'static [ValueSpec] {
        const A: ValueSpec = ValueSpec {
            name: "a",
            ids: false,
            time: None,
            features: &[3],
        };
        &[A, ValueSpec { name: "b", ..A }]
    }
    fn forward(&mut self, inputs: &[InputView<'_>], seed: StepSeed) -> Result<(), Error> {
        self.0.forward(inputs, seed)
    }
    fn infer(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
        self.0.infer(inputs)
    }
    fn output(&self, _: usize) -> &[f32] {
        self.0.output(0)
    }
    fn backward(&mut self, d_outputs: &[&[f32]], gradients: &mut [f32]) -> Result<(), Error> {
        let both: Vec<f32> = d_outputs[0]
            .iter()
            .zip(d_outputs[1])
            .map(|(a, b)| a + b)
            .collect();
        self.0.backward(&[&both], gradients)
    }
}

fn data() -> Dataset {
    let (points, labels) = clouds(30);
    let one_hot = labels
        .iter()
        .flat_map(|&l| [0, 1, 2].map(|c| f32::from(c == l)))
        .collect();
    let labels = Column::integers(labels, &[30]).unwrap();
    let targets = vec![labels, Column::floats(one_hot, &[30, 3]).unwrap()];
    Dataset::with_columns(vec![Column::floats(points, &[30, 2]).unwrap()], targets).unwrap()
}

#[test]
fn losses_are_added_and_metrics_kept_apart() {
    let mut two = Twice(Linear::new(1));
    let history = Trainer::new(&mut two)
        .optimizer(SGD::new(0.25))
        .loss_for("a", sparse())
        .loss_for("b", CategoricalCrossentropy::from_logits())
        .metric_for("b", Accuracy)
        .fit(
            &data(),
            Fit {
                validation: Some(&data()),
                ..quiet(2)
            },
        )
        .unwrap();
    let names = ["loss", "a_loss", "b_loss", "b_accuracy"];
    let with_val = names.map(|name| format!("val_{name}"));
    let all: Vec<&str> = names
        .into_iter()
        .chain(with_val.iter().map(String::as_str))
        .collect();
    assert_eq!(history.names(), all);
    let (a, b) = (
        history.last("a_loss").unwrap(),
        history.last("b_loss").unwrap(),
    );
    assert_eq!(a, b);
    assert_eq!(history.last("loss"), Some(a + b));

    // The same as one output with twice the step.
    let mut one = Linear::new(1);
    let mut trainer = Trainer::new(&mut one)
        .optimizer(SGD::new(0.5))
        .loss(sparse());
    trainer.fit(&dataset(30), quiet(2)).unwrap();
    for (two, one) in two.weights().iter().zip(one.weights()) {
        assert!(
            (two - one).abs() <= 1e-6 * one.abs().max(0.1),
            "{two} {one}"
        );
    }
}

#[test]
fn every_output_needs_its_loss_by_name() {
    let mut two = Twice(Linear::new(1));
    let data = data();
    let mut words = |losses: &[&str], metric: Option<&str>| {
        let mut trainer = Trainer::new(&mut two);
        for &name in losses {
            trainer = match name {
                "" => trainer.loss(sparse()),
                name => trainer.loss_for(name, sparse()),
            };
        }
        if let Some(name) = metric {
            trainer = trainer.metric_for(name, Accuracy);
        }
        trainer
            .fit(&data.take(3), quiet(1))
            .unwrap_err()
            .to_string()
    };
    let unnamed = "the model has the outputs a, b: say which one, with `loss_for` and `metric_for`";
    assert_eq!(words(&[""], None), unnamed);
    assert_eq!(
        words(&["a"], None),
        "output b has no loss; give the trainer one with `loss_for(\"b\", …)`"
    );
    assert_eq!(
        words(&["a", "b"], Some("c")),
        "the model has no output c, but a, b"
    );
}
