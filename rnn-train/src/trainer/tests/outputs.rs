//! Models with several outputs.

use super::*;
use rnn_runtime::{
    learner::{InputView, OutputRange, StepSeed, ValueSpec},
    params::ParamSpec,
};

/// The same output twice, said to be in these ranges.
struct Twice(Linear, &'static [OutputRange]);

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
    fn output_ranges(&self) -> &'static [OutputRange] {
        self.1
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
    let mut two = Twice(Linear::new(1), &[]);
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
    let mut two = Twice(Linear::new(1), &[]);
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
    assert_eq!(
        words(&["a"], None),
        "output b has no loss; give the trainer one with `loss_for(\"b\", …)`, or say \
         `no_loss_for(\"b\")`"
    );
    assert_eq!(
        words(&["a", "b"], Some("c")),
        "the model has no output c, but a, b"
    );
    let mut trainer = Trainer::new(&mut two).loss(sparse()).metric(Accuracy);
    assert_eq!(
        trainer.fit(&data, quiet(1)).unwrap_err().to_string(),
        "the model has the outputs a, b: say with `metric_for` which of them metric accuracy is for"
    );
    let mut trainer = Trainer::new(&mut two).loss_for(2, sparse());
    assert_eq!(
        trainer.fit(&data, quiet(1)).unwrap_err().to_string(),
        "the model has no output number 2, but a, b"
    );
}

#[test]
fn class_weights_are_for_one_output() {
    let mut two = Twice(Linear::new(1), &[]);
    let fit = || Fit {
        class_weight: Some(BTreeMap::from([(0, 2.0)])),
        ..quiet(1)
    };
    let mut trainer = Trainer::new(&mut two)
        .loss_for("a", sparse())
        .loss_for("b", CategoricalCrossentropy::from_logits());
    assert_eq!(
        trainer.fit(&data(), fit()).unwrap_err().to_string(),
        "Fit: class_weight is for a model with one output, as in Keras; give the data set a \
         `sample_weight_for` each"
    );
    let mut trainer = Trainer::new(&mut two)
        .no_loss_for("a")
        .loss_for("b", sparse());
    trainer.fit(&dataset(30), fit()).unwrap();
}

#[test]
fn one_loss_is_for_all_that_have_none_of_their_own() {
    let mut model = Twice(Linear::new(1), &[]);
    let scores = Scores::new()
        .loss(CategoricalCrossentropy::from_logits())
        .loss_for("a", sparse());
    let logs = model.evaluate(&data(), &scores).unwrap();
    assert_eq!(logs.get("a_loss"), logs.get("b_loss"));
    assert_eq!(logs.get("loss"), logs.get("a_loss").map(|loss| 2.0 * loss));
}

/// With a weight of 0.5 each, two equal outputs train as one.
#[test]
fn loss_weights_weigh_gradients_and_the_sum() {
    let mut two = Twice(Linear::new(1), &[]);
    let history = Trainer::new(&mut two)
        .optimizer(SGD::new(0.5))
        .loss_for("a", sparse())
        .loss_for(1, CategoricalCrossentropy::from_logits())
        .loss_weight_for(0, 0.5)
        .loss_weight_for("b", 0.5)
        .fit(&data(), quiet(2))
        .unwrap();
    let mut one = Linear::new(1);
    let alone = Trainer::new(&mut one)
        .optimizer(SGD::new(0.5))
        .loss(sparse())
        .fit(&dataset(30), quiet(2))
        .unwrap();
    let loss = alone.last("loss").unwrap();
    for name in ["loss", "a_loss", "b_loss"] {
        assert!((history.last(name).unwrap() - loss).abs() < 1e-6, "{name}");
    }
    for (two, one) in two.weights().iter().zip(one.weights()) {
        assert!((two - one).abs() <= 1e-6, "{two} {one}");
    }
}

#[test]
fn an_output_without_a_loss_needs_no_target() {
    let mut two = Twice(Linear::new(1), &[]);
    let history = Trainer::new(&mut two)
        .optimizer(SGD::new(0.5))
        .no_loss_for("a")
        .loss_for("b", sparse())
        .metric_for("b", Accuracy)
        .fit(&dataset(30), quiet(2))
        .unwrap();
    let mut one = Linear::new(1);
    let alone = Trainer::new(&mut one)
        .optimizer(SGD::new(0.5))
        .loss(sparse())
        .metric(Accuracy)
        .fit(&dataset(30), quiet(2))
        .unwrap();
    assert_eq!(history.names(), ["loss", "b_accuracy"]);
    assert_eq!(history.get("loss"), alone.get("loss"));
    assert_eq!(two.weights(), one.weights());

    let mut words = |scores: Scores, data: &Dataset| {
        let error = two.evaluate(data, &scores).unwrap_err();
        error.to_string()
    };
    let without = || Scores::new().no_loss_for("a").loss_for("b", sparse());
    assert_eq!(
        words(without().metric_for("a", Accuracy), &dataset(30)),
        "metric accuracy is for output a, which has no loss and so no targets"
    );
    assert_eq!(
        words(without().loss_weight_for("a", 2.0), &dataset(30)),
        "output a has a loss weight, but no loss"
    );
    assert_eq!(
        words(without().loss_weight_for("b", f64::NAN), &dataset(30)),
        "the loss weight of output b is NaN"
    );
    assert_eq!(
        words(without(), &data()),
        "data: the model takes 1 target (b), the data set has 2 targets"
    );
    assert_eq!(
        words(
            Scores::new().no_loss_for("a").no_loss_for("b"),
            &dataset(30)
        ),
        "no output has a loss"
    );
}

/// Keras's names where one is taken.
#[test]
fn names_are_not_given_twice() {
    let scores = Scores::new()
        .loss(sparse())
        .weighted_metric(Accuracy)
        .metric(Accuracy)
        .metric(Accuracy)
        .weighted_metric(SparseCategoricalAccuracy)
        .metric(sparse());
    let logs = Linear::new(1).evaluate(&dataset(30), &scores).unwrap();
    let names: Vec<_> = logs.iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "loss",
            "accuracy",
            "accuracy_1",
            "sparse_categorical_crossentropy",
            "weighted_accuracy",
            "sparse_categorical_accuracy"
        ]
    );
    let (loss, watched) = (
        logs.get("loss"),
        logs.get("sparse_categorical_crossentropy"),
    );
    assert!((loss.unwrap() - watched.unwrap()).abs() < 1e-12);
}

#[test]
fn sample_weights_can_be_for_one_target() {
    let weights: Vec<f32> = (0..30).map(|i| (i % 3) as f32).collect();
    let scores = || {
        Scores::new()
            .loss_for("a", sparse())
            .loss_for("b", CategoricalCrossentropy::from_logits())
    };
    let mut model = Twice(Linear::new(1), &[]);
    let mut losses = |data: &Dataset| {
        let logs = model.evaluate(data, &scores()).unwrap();
        [logs.get("a_loss").unwrap(), logs.get("b_loss").unwrap()]
    };
    let plain = losses(&data());
    let both = losses(&data().sample_weight(&weights).unwrap());
    assert!(both[0] == both[1] && both[0] != plain[0]);
    let one = losses(&data().sample_weight_for(1, &weights).unwrap());
    assert_eq!(one, [plain[0], both[1]]);
    let error = data().sample_weight_for(2, &weights).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no target number 2 for sample weights, only 2"
    );
}

/// A loss that is for other numbers than the last layer gives is an error before anything changes, unless somebody insists.
#[test]
fn the_wrong_loss_does_not_pass_in_silence() {
    use OutputRange::{Logits, Probabilities, Signed, Unknown};
    let words = |range: &'static [OutputRange], probabilities: bool, insist: bool| {
        let mut two = Twice(Linear::new(1), range);
        let before = two.weights().to_vec();
        let loss = SparseCategoricalCrossentropy {
            from_logits: !probabilities,
        };
        let mut trainer = Trainer::new(&mut two).loss_for("a", loss).no_loss_for("b");
        if insist {
            trainer = trainer.insist();
        }
        let data = Dataset::with_columns(
            vec![Column::floats(clouds(30).0, &[30, 2]).unwrap()],
            vec![Column::integers(clouds(30).1, &[30]).unwrap()],
        );
        let words = trainer.fit(&data.unwrap(), quiet(1)).map(drop);
        let words = words.map_err(|e| e.to_string());
        if words.is_err() {
            assert_eq!(two.weights(), before);
        }
        words
    };
    let end = "; `insist()` trains it as it is";
    let name = "sparse_categorical_crossentropy";
    assert_eq!(
        words(&[Logits], true, false).unwrap_err(),
        format!(
            "{name}: output a ends without a softmax, so that it gives logits, and this loss is for probabilities: \
             write SparseCategoricalCrossentropy::from_logits(), or give the last layer `activation = softmax`{end}"
        )
    );
    assert_eq!(
        words(&[Probabilities, Unknown], false, false).unwrap_err(),
        format!(
            "{name}: output a ends in a sigmoid or softmax, so that it gives probabilities, and \
             SparseCategoricalCrossentropy::from_logits() is for logits: write \
             SparseCategoricalCrossentropy::default(), or leave the last layer without an activation{end}"
        )
    );
    assert_eq!(
        words(&[Signed], true, false).unwrap_err(),
        format!(
            "{name}: output a ends in a tanh, whose numbers may be negative, and this loss is for probabilities: give \
             the last layer `activation = softmax`{end}"
        )
    );
    for (range, probabilities, insist) in [
        (&[Logits][..], false, false),
        (&[Probabilities], true, false),
        (&[Signed], false, false),
        (&[Unknown], true, false),
        (&[], true, false),
        // The range of the output without a loss does not matter.
        (&[Unknown, Logits], true, false),
        (&[Logits], true, true),
        (&[Probabilities], false, true),
    ] {
        assert_eq!(words(range, probabilities, insist), Ok(()), "{range:?}");
    }
}
