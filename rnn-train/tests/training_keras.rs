//! Losses, optimizers, schedules and metrics against the numbers of real Keras
//! (`keras/training.py` makes them, in float64).

use rnn_runtime::params::{Init, ParamSpec};
use rnn_train::losses::{self, Loss};
use rnn_train::metrics;
use rnn_train::optimizers::*;
use rnn_train::{Predictions, TargetKind, TargetView};
use serde_json::Value;

fn data() -> Value {
    serde_json::from_str(include_str!("data/training.json")).unwrap()
}

fn list(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn f32s(value: &Value) -> Vec<f32> {
    list(value).into_iter().map(|v| v as f32).collect()
}

/// Within 1e-6 of what Keras has, relative to it.
fn close(what: &str, found: f64, expected: f64) {
    let relative = (found - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
    assert!(
        found == expected || relative <= 1e-6,
        "{what}: {found}, Keras has {expected}"
    );
}

fn loss_of(name: &str) -> Box<dyn Loss> {
    use losses::*;
    let half = Huber { delta: 0.5 };
    match name.trim_end_matches(" weighted") {
        "sparse logits" => Box::new(SparseCategoricalCrossentropy::from_logits()),
        "sparse" => Box::new(SparseCategoricalCrossentropy::default()),
        "categorical logits" => Box::new(CategoricalCrossentropy::from_logits()),
        "categorical" => Box::new(CategoricalCrossentropy::default()),
        "categorical logits smooth" => {
            Box::new(CategoricalCrossentropy::from_logits().label_smoothing(0.125))
        }
        "categorical smooth" => Box::new(CategoricalCrossentropy::default().label_smoothing(0.125)),
        "binary logits" => Box::new(BinaryCrossentropy::from_logits()),
        "binary" => Box::new(BinaryCrossentropy::default()),
        "binary logits smooth" => Box::new(BinaryCrossentropy::from_logits().label_smoothing(0.25)),
        "binary smooth" => Box::new(BinaryCrossentropy::default().label_smoothing(0.25)),
        "mse" => Box::new(MeanSquaredError),
        "mae" => Box::new(MeanAbsoluteError),
        "huber" => Box::new(Huber::default()),
        "huber half" => Box::new(half),
        other => panic!("{other}"),
    }
}

/// Predictions, targets of that kind and weights of a case.
struct Rows {
    predictions: Vec<f32>,
    features: usize,
    labels: Option<Vec<u32>>,
    floats: Vec<f32>,
    weights: Option<Vec<f32>>,
}

impl Rows {
    fn new(case: &Value, features: usize, kind: TargetKind) -> Rows {
        let floats = f32s(&case["targets"]);
        let labels = floats.iter().map(|&v| v as u32).collect();
        Rows {
            predictions: f32s(&case["predictions"]),
            features,
            labels: (kind == TargetKind::Labels).then_some(labels),
            floats,
            weights: (!case["weights"].is_null()).then(|| f32s(&case["weights"])),
        }
    }

    fn scored(&self) -> Predictions<'_> {
        let targets = match &self.labels {
            Some(labels) => TargetView::Labels(labels),
            None => TargetView::Floats(&self.floats),
        };
        Predictions::new(
            &self.predictions,
            self.features,
            targets,
            self.weights.as_deref(),
        )
        .unwrap()
    }
}

#[test]
fn losses_have_keras_values_and_gradients() {
    let data = data();
    let cases = data["losses"].as_array().unwrap();
    assert_eq!(cases.len(), 2 * 17 + 4);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let loss = loss_of(name);
        let rows = Rows::new(
            case,
            case["features"].as_u64().unwrap() as usize,
            loss.targets(),
        );
        let mut gradient = vec![f32::NAN; rows.predictions.len()];
        let value = loss.mean(&rows.scored(), Some(&mut gradient)).unwrap();
        close(name, value, case["value"].as_f64().unwrap());
        assert_eq!(loss.mean(&rows.scored(), None).unwrap(), value);
        let expected = list(&case["gradient"]);
        assert_eq!(gradient.len(), expected.len());
        // Keras's gradient of a saturated softmax or sigmoid is a difference that has cancelled,
        // so what counts is the error relative to the whole, where a number is tiny.
        let largest = expected.iter().fold(0f64, |m, v| m.max(v.abs()));
        for (index, (&found, &expected)) in gradient.iter().zip(&expected).enumerate() {
            let error = (f64::from(found) - expected).abs();
            let allowed = 1e-6 * expected.abs().max(1e-9 * largest);
            assert!(
                error <= allowed,
                "{name} gradient {index}: {found}, Keras has {expected}"
            );
        }
    }
}

fn optimizer_of(case: &Value) -> Box<dyn Optimizer> {
    let options = &case["options"];
    let get = |name: &str| options[name].as_f64();
    let flag = |name: &str| options[name].as_bool().unwrap_or(false);
    macro_rules! common {
        ($type:ident { $($field:ident: $value:expr),* }) => {{
            let d = $type::default();
            Box::new($type {
                learning_rate: get("learning_rate").map_or(d.learning_rate.clone(), LearningRate::from),
                weight_decay: get("weight_decay").or(d.weight_decay),
                clipnorm: get("clipnorm"),
                clipvalue: get("clipvalue"),
                global_clipnorm: get("global_clipnorm"),
                $($field: $value(&d),)*
            })
        }};
    }
    match case["name"].as_str().unwrap() {
        "SGD" => common!(SGD {
            momentum: |d: &SGD| get("momentum").unwrap_or(d.momentum),
            nesterov: |_: &SGD| flag("nesterov")
        }),
        "RMSprop" => common!(RMSprop {
            rho: |d: &RMSprop| get("rho").unwrap_or(d.rho),
            momentum: |d: &RMSprop| get("momentum").unwrap_or(d.momentum),
            epsilon: |d: &RMSprop| get("epsilon").unwrap_or(d.epsilon),
            centered: |_: &RMSprop| flag("centered")
        }),
        "Adam" => common!(Adam {
            beta_1: |d: &Adam| get("beta_1").unwrap_or(d.beta_1),
            beta_2: |d: &Adam| get("beta_2").unwrap_or(d.beta_2),
            epsilon: |d: &Adam| get("epsilon").unwrap_or(d.epsilon),
            amsgrad: |_: &Adam| flag("amsgrad")
        }),
        "AdamW" => common!(AdamW {
            beta_1: |d: &AdamW| get("beta_1").unwrap_or(d.beta_1),
            beta_2: |d: &AdamW| get("beta_2").unwrap_or(d.beta_2),
            epsilon: |d: &AdamW| get("epsilon").unwrap_or(d.epsilon),
            amsgrad: |_: &AdamW| flag("amsgrad")
        }),
        "Adagrad" => common!(Adagrad {
            initial_accumulator_value: |d: &Adagrad| {
                get("initial_accumulator_value").unwrap_or(d.initial_accumulator_value)
            },
            epsilon: |d: &Adagrad| get("epsilon").unwrap_or(d.epsilon)
        }),
        other => panic!("{other}"),
    }
}

#[test]
fn optimizers_make_keras_steps() {
    // A frozen parameter between the two must be passed over, and change nothing for them.
    let spec = |name, shape, trainable| ParamSpec {
        trainable,
        ..ParamSpec::new(name, shape, Init::Zeros)
    };
    let specs = [
        spec("kernel", &[2, 3], true),
        spec("frozen", &[2], false),
        spec("bias", &[4], true),
    ];
    let with_frozen =
        |values: Vec<f32>, frozen: f32| [&values[..6], &[frozen, frozen], &values[6..]].concat();
    let data = data();
    let data = &data["optimizers"];
    let cases = data["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 34);
    for case in cases {
        let what = format!("{} {}", case["name"], case["options"]);
        let mut stepper = Stepper::new(optimizer_of(case), &specs).unwrap();
        let mut weights = with_frozen(f32s(&data["start"]), 7.0);
        let after = case["after"].as_array().unwrap();
        assert_eq!(after.len(), 10);
        for (step, (gradients, after)) in data["gradients"]
            .as_array()
            .unwrap()
            .iter()
            .zip(after)
            .enumerate()
        {
            stepper
                .step(&mut weights, &mut with_frozen(f32s(gradients), 1e9))
                .unwrap();
            assert_eq!(weights[6..8], [7.0, 7.0], "{what}");
            let found = [&weights[..6], &weights[8..]].concat();
            for (index, (&found, expected)) in found.iter().zip(list(after)).enumerate() {
                close(
                    &format!("{what}, step {step}, weight {index}"),
                    f64::from(found),
                    expected,
                );
            }
        }
    }
}

#[test]
fn schedules_have_keras_rates() {
    for case in data()["schedules"].as_array().unwrap() {
        let options = &case["options"];
        let get = |name: &str| options[name].as_f64();
        let initial = get("initial_learning_rate").unwrap_or(0.0);
        let steps = options["decay_steps"].as_u64().unwrap_or(1);
        let rate = get("decay_rate").unwrap_or(0.0);
        let staircase = options["staircase"].as_bool().unwrap_or(false);
        let schedule: Box<dyn Schedule> = match case["name"].as_str().unwrap() {
            "ExponentialDecay" => Box::new(ExponentialDecay {
                staircase,
                ..ExponentialDecay::new(initial, steps, rate)
            }),
            "InverseTimeDecay" => Box::new(InverseTimeDecay {
                staircase,
                ..InverseTimeDecay::new(initial, steps, rate)
            }),
            "PolynomialDecay" => {
                let default = PolynomialDecay::new(initial, steps);
                Box::new(PolynomialDecay {
                    end_learning_rate: get("end_learning_rate")
                        .unwrap_or(default.end_learning_rate),
                    power: get("power").unwrap_or(default.power),
                    cycle: options["cycle"].as_bool().unwrap_or(false),
                    ..default
                })
            }
            "CosineDecay" => Box::new(CosineDecay {
                alpha: get("alpha").unwrap_or(0.0),
                warmup_target: get("warmup_target"),
                warmup_steps: options["warmup_steps"].as_u64().unwrap_or(0),
                ..CosineDecay::new(initial, steps)
            }),
            "PiecewiseConstantDecay" => Box::new(PiecewiseConstantDecay {
                boundaries: list(&options["boundaries"])
                    .iter()
                    .map(|&b| b as u64)
                    .collect(),
                values: list(&options["values"]),
            }),
            other => panic!("{other}"),
        };
        schedule.check().unwrap();
        for (step, expected) in list(&case["values"]).into_iter().enumerate() {
            let found = schedule.at(step as u64);
            // The end of a cosine is 0 up to the rounding of pi.
            let error = (found - expected).abs();
            assert!(
                error <= 1e-6 * expected.abs().max(1e-9),
                "{case}: step {step}: {found}"
            );
        }
    }
}

#[test]
fn metrics_have_keras_values() {
    let data = data();
    let cases = data["metrics"].as_array().unwrap();
    assert_eq!(cases.len(), 22);
    for case in cases {
        use metrics::*;
        let features = case["features"].as_u64().unwrap() as usize;
        let name = case["name"].as_str().unwrap();
        let metric: Box<dyn Metric> = match name {
            "sparse" => Box::new(SparseCategoricalAccuracy),
            "categorical" => Box::new(CategoricalAccuracy),
            "binary" => Box::new(BinaryAccuracy::default()),
            "binary 0.75" => Box::new(BinaryAccuracy { threshold: 0.75 }),
            "mae" => Box::new(MeanAbsoluteError),
            "mse" => Box::new(MeanSquaredError),
            "top 5" => Box::new(TopKCategoricalAccuracy::default()),
            "top 2" => Box::new(TopKCategoricalAccuracy { k: 2 }),
            "sparse top 5" => Box::new(SparseTopKCategoricalAccuracy::default()),
            "sparse top 2" => Box::new(SparseTopKCategoricalAccuracy { k: 2 }),
            other => panic!("{other}"),
        };
        let kind = if name.starts_with("sparse") {
            TargetKind::Labels
        } else {
            TargetKind::Floats
        };
        let expected = case["result"].as_f64().unwrap();
        let sum_up = |metric: &dyn Metric| {
            let mut tally = metric.start(features, kind).unwrap();
            for batch in case["batches"].as_array().unwrap() {
                tally.add(&Rows::new(batch, features, kind).scored());
            }
            tally.result()
        };
        close(name, sum_up(metric.as_ref()), expected);
        if matches!(name, "sparse" | "categorical") || (name == "binary" && features == 1) {
            close(&format!("accuracy as {name}"), sum_up(&Accuracy), expected);
        }
    }
}
