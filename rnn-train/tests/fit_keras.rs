//! Whole trainings against real Keras (`keras/fit.py` makes the numbers, in float64): masks,
//! sample weights, regularisers of weights and activities, constraints, several outputs.

use rnn_runtime::Error;
use rnn_runtime::learner::{InputView, Learner, StepSeed, ValueSpec, Values};
use rnn_runtime::params::{Constraint, Init, ParamSpec, Regularizer};
use rnn_train::losses::{MeanSquaredError, SparseCategoricalCrossentropy};
use rnn_train::metrics::{Accuracy, MeanAbsoluteError};
use rnn_train::optimizers::SGD;
use rnn_train::{Column, Dataset, Evaluate, Fit, Logs, Scores, Trainer, Verbose};
use serde_json::Value;

fn f32s(value: &Value) -> Vec<f32> {
    let list = value.as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn size(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

/// Within 2e-6 of what Keras has: three epochs in float32 against float64.
fn close(what: &str, found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 2e-6 * expected.abs().max(1.0),
        "{what}: {found}, Keras has {expected}"
    );
}

/// One or two dense layers from `[batch, time, 2]` to `[batch, time, 3]`, after a mask that looks
/// for steps of zeros.
struct Dense {
    specs: &'static [ParamSpec],
    outputs: &'static [ValueSpec],
    weights: Vec<f32>,
    masked: bool,
    /// Of the activity.
    activity: Regularizer,
    batch: usize,
    inputs: Vec<f32>,
    mask: Vec<f32>,
    values: Vec<Vec<f32>>,
}

const LAYER: usize = 2 * 3 + 3;

impl Dense {
    fn new(case: &Value, data: &Value) -> Dense {
        let rows = &case["rows"];
        let number = |rows: &Value, name: &str| rows[name].as_f64().map(|v| v as f32);
        let zero = |name| number(rows, name).unwrap_or(0.0);
        let axis: &[usize] = if rows["kernel"]["axis"].is_null() {
            &[0]
        } else {
            &[1]
        };
        let constraint = |rows: &Value| {
            let get = |name| number(rows, name);
            match (get("max_norm"), get("min"), get("max"), get("rate")) {
                (Some(max), ..) => Some(Constraint::MaxNorm { max, axis: &[0] }),
                (_, Some(min), Some(max), Some(rate)) => Some(Constraint::MinMaxNorm {
                    min,
                    max,
                    rate,
                    axis,
                }),
                _ if !rows["unit"].is_null() => Some(Constraint::UnitNorm { axis: &[0] }),
                _ if !rows["non_neg"].is_null() => Some(Constraint::NonNeg),
                _ => None,
            }
        };
        let (mut specs, mut outputs, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for name in case["outputs"].as_array().unwrap() {
            let name: &'static str = name.as_str().unwrap().to_owned().leak();
            specs.push(ParamSpec {
                regularizer: Regularizer {
                    l1: zero("l1"),
                    l2: zero("l2"),
                },
                constraint: constraint(&rows["kernel"]),
                ..ParamSpec::new("kernel", &[2, 3], Init::Zeros)
            });
            specs.push(ParamSpec {
                constraint: constraint(&rows["bias"]),
                ..ParamSpec::new("bias", &[3], Init::Zeros)
            });
            outputs.push(ValueSpec {
                name,
                ids: false,
                time: Some(None),
                features: &[3],
            });
            weights.extend(f32s(&data["kernel"]));
            weights.extend(f32s(&data["bias"]));
        }
        Dense {
            specs: specs.leak(),
            outputs: outputs.leak(),
            weights,
            masked: case["masked"].as_bool().unwrap(),
            activity: Regularizer {
                l1: zero("activity_l1"),
                l2: zero("activity_l2"),
            },
            batch: 0,
            inputs: Vec::new(),
            mask: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl Learner for Dense {
    fn specs(&self) -> &'static [ParamSpec] {
        self.specs
    }
    fn weights(&self) -> &[f32] {
        &self.weights
    }
    fn weights_mut(&mut self) -> &mut [f32] {
        &mut self.weights
    }
    fn inputs(&self) -> &'static [ValueSpec] {
        &[ValueSpec {
            name: "x",
            ids: false,
            time: Some(None),
            features: &[2],
        }]
    }
    fn outputs(&self) -> &'static [ValueSpec] {
        self.outputs
    }
    fn forward(&mut self, inputs: &[InputView<'_>], _: StepSeed) -> Result<(), Error> {
        self.infer(inputs)
    }
    fn infer(&mut self, inputs: &[InputView<'_>]) -> Result<(), Error> {
        let Values::Floats(x) = inputs[0].values else {
            panic!()
        };
        self.batch = inputs[0].batch;
        self.inputs = x.to_vec();
        let real = |x: &[f32]| f32::from(x.iter().any(|v| *v != 0.0));
        self.mask = x.chunks_exact(2).map(real).collect();
        let dense = |w: &[f32]| {
            let row = |x: &[f32]| [0, 1, 2].map(|c| x[0] * w[c] + x[1] * w[3 + c] + w[6 + c]);
            x.chunks_exact(2).flat_map(row).collect()
        };
        self.values = self.weights.chunks_exact(LAYER).map(dense).collect();
        Ok(())
    }
    fn output(&self, index: usize) -> &[f32] {
        &self.values[index]
    }
    fn backward(&mut self, d_outputs: &[&[f32]], gradients: &mut [f32]) -> Result<(), Error> {
        gradients.fill(0.0);
        let Regularizer { l1, l2 } = self.activity;
        let layers = gradients.chunks_exact_mut(LAYER).zip(d_outputs);
        for ((g, d), y) in layers.zip(&self.values) {
            let rows = d.chunks_exact(3).zip(y.chunks_exact(3));
            for (x, (d, y)) in self.inputs.chunks_exact(2).zip(rows) {
                for c in 0..3 {
                    let d = d[c] + (l1 * y[c].signum() + 2.0 * l2 * y[c]) / self.batch as f32;
                    g[c] += x[0] * d;
                    g[3 + c] += x[1] * d;
                    g[6 + c] += d;
                }
            }
        }
        Ok(())
    }
    fn output_mask(&self, _: usize) -> Option<&[f32]> {
        self.masked.then_some(&self.mask)
    }
    fn penalty(&self) -> f32 {
        let Regularizer { l1, l2 } = self.activity;
        let all = self.values.iter().flatten();
        all.map(|y| l1 * y.abs() + l2 * y * y).sum::<f32>() / self.batch as f32
    }
}

fn dataset(case: &Value, data: &Value) -> Dataset {
    let (n, steps) = (size(&data["samples"]), size(&data["steps"]));
    let mut x = f32s(&data["x"]);
    if case["masked"].as_bool().unwrap() {
        for (x, real) in x.chunks_exact_mut(2).zip(f32s(&data["mask"])) {
            x.iter_mut().for_each(|x| *x *= real);
        }
    }
    let floats =
        |values, axes: &[usize]| Column::floats(values, &[&[n, steps], axes].concat()).unwrap();
    let target = |loss: &Value| match loss.as_str().unwrap() {
        "sparse" => {
            let labels = f32s(&data["labels"]).iter().map(|&l| l as u32).collect();
            Column::integers(labels, &[n, steps]).unwrap()
        }
        _ => floats(f32s(&data["reals"]), &[3]),
    };
    let targets = case["losses"]
        .as_array()
        .unwrap()
        .iter()
        .map(target)
        .collect();
    let mut all = Dataset::with_columns(vec![floats(x, &[2])], targets).unwrap();
    for (index, weighted) in case["weights"].as_array().into_iter().flatten().enumerate() {
        if weighted.as_bool().unwrap() {
            let weights = floats(f32s(&data["weights"]), &[]);
            all = all.sample_weight_for(index, weights).unwrap();
        }
    }
    all
}

/// By number and by name, in turns.
fn scores(case: &Value) -> Scores {
    let mut scores = Scores::new();
    let watched = |name: &str| case["history"].get(name).is_some();
    let outputs = case["outputs"].as_array().unwrap();
    for (index, (name, loss)) in outputs
        .iter()
        .zip(case["losses"].as_array().unwrap())
        .enumerate()
    {
        let name = name.as_str().unwrap();
        let prefix = if outputs.len() > 1 {
            format!("{name}_")
        } else {
            String::new()
        };
        if loss == "sparse" {
            scores = scores.loss_for(index, SparseCategoricalCrossentropy::from_logits());
            if watched(&format!("{prefix}weighted_accuracy")) {
                scores = scores.weighted_metric_for(name, Accuracy);
            }
            if watched(&format!("{prefix}accuracy")) {
                scores = scores.metric_for(index, Accuracy);
            }
        } else {
            scores = scores.loss_for(name, MeanSquaredError);
            if watched(&format!("{prefix}mean_absolute_error")) {
                scores = scores.metric_for(name, MeanAbsoluteError);
            }
            if watched(&format!("{prefix}weighted_mean_absolute_error")) {
                scores = scores.weighted_metric_for(index, MeanAbsoluteError);
            }
        }
        if let Some(weight) = case["loss_weights"][index].as_f64() {
            scores = scores.loss_weight_for(name, weight);
        }
    }
    scores
}

/// The same names, and the same numbers.
fn compare(
    what: &str,
    found: &Logs,
    expected: &serde_json::Map<String, Value>,
    epoch: Option<usize>,
) {
    let mut names: Vec<&str> = found.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert!(
        names.iter().eq(expected.keys()),
        "{what}: {names:?}, Keras has {expected:?}"
    );
    for (name, value) in found.iter() {
        let expected = epoch.map_or(&expected[name], |epoch| &expected[name][epoch]);
        close(
            &format!("{what}, {name}"),
            value,
            expected.as_f64().unwrap(),
        );
    }
}

#[test]
fn trainings_are_those_of_keras() {
    let data: Value = serde_json::from_str(include_str!("data/fit.json")).unwrap();
    let (epochs, batch_size) = (size(&data["epochs"]), size(&data["batch"]));
    let cases = data["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 17);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let mut model = Dense::new(case, &data);
        let train = dataset(case, &data);
        let fit = Fit {
            epochs,
            batch_size,
            shuffle: false,
            verbose: Verbose::Silent,
            ..Fit::default()
        };
        let history = Trainer::new(&mut model)
            .optimizer(SGD::new(data["rate"].as_f64().unwrap()))
            .scores(scores(case))
            .fit(&train, fit)
            .unwrap();
        let expected = case["history"].as_object().unwrap();
        for (epoch, logs) in history.logs().iter().enumerate() {
            compare(
                &format!("{name}, epoch {epoch}"),
                logs,
                expected,
                Some(epoch),
            );
        }
        let after = case["after"].as_array().unwrap().iter().flat_map(f32s);
        for (index, (&found, expected)) in model.weights().iter().zip(after).enumerate() {
            close(
                &format!("{name}, weight {index}"),
                found.into(),
                expected.into(),
            );
        }
        let logs = model
            .evaluate_in(batch_size, &train, &scores(case))
            .unwrap();
        compare(
            &format!("{name}, evaluated"),
            &logs,
            case["evaluated"].as_object().unwrap(),
            None,
        );
    }
}
