//! Compares a graph with the numbers of its case; `tests/keras/graph_goldens.py` lists the keys.

use recurrent::learner::{InputView, Learner, StepSeed, Values};

use crate::golden::{Data, GRADIENT_TOLERANCE, Golden, OUTPUT_TOLERANCE, compare};

/// Checks everything that the case `name` of a file knows about `model`.
///
/// `input_gradient` gives the gradient by an input after `backward`.
///
/// # Panics
/// With the tensor and the element, if any number differs, or what the values and weights are.
pub fn check<M: Learner>(
    model: &mut M,
    file: &str,
    name: &str,
    input_gradient: impl Fn(&M, usize) -> Option<&[f32]>,
) {
    let folder = crate::golden::folder("grid");
    let path = folder.join(file).with_extension("safetensors");
    let golden = Golden::read(&path, &format!("{name}/"));
    set_weights(&golden, model);
    compare_sum(
        "weight_penalty",
        weight_penalty(model),
        golden.find("weight_penalty"),
    );
    let calls = (0..)
        .take_while(|&call| golden.has(&part("in", call)))
        .count();
    assert!(calls > 0, "no inputs");

    model.reset_states();
    for call in 0..calls {
        model
            .infer(&inputs(&golden, model, call))
            .expect("inference");
        let out = part("out", call);
        assert_eq!(
            golden.count(&out),
            model.outputs().len(),
            "number of outputs"
        );
        for (index, spec) in model.outputs().iter().enumerate() {
            let key = format!("{out}/{}", spec.name);
            compare(
                &key,
                model.output(index),
                golden.floats(&key),
                OUTPUT_TOLERANCE,
            );
            let key = format!("{}/{}", part("mask", call), spec.name);
            compare_mask(&key, model.output_mask(index), golden.find(&key));
        }
    }
    if !golden.has("d") {
        return; // A model with random masks is compared in inference only.
    }
    model.reset_states();
    for call in 0..calls {
        train(&golden, model, call);
        for (index, spec) in model.inputs().iter().enumerate() {
            let key = format!("{}/{}", part("grad_in", call), spec.name);
            match golden.find(&key) {
                Some(gradient) => compare(
                    &key,
                    input_gradient(model, index).unwrap_or_else(|| panic!("{key}: none")),
                    gradient,
                    GRADIENT_TOLERANCE,
                ),
                None => assert!(
                    input_gradient(model, index)
                        .is_none_or(|found| found.iter().all(|&g| g == 0.0)),
                    "{key}: a gradient by ids or a mask"
                ),
            }
        }
    }
}

/// A forward and a backward pass, compared.
fn train<M: Learner>(golden: &Golden, model: &mut M, call: usize) {
    let seed = StepSeed::default();
    model
        .forward(&inputs(golden, model, call), seed)
        .expect("forward");
    let mut d_outputs = Vec::new();
    for (index, spec) in model.outputs().iter().enumerate() {
        let key = format!("{}/{}", part("train", call), spec.name);
        // Stored only where it differs.
        let same = format!("{}/{}", part("out", call), spec.name);
        let output = golden.find(&key).unwrap_or_else(|| golden.floats(&same));
        compare(&key, model.output(index), output, OUTPUT_TOLERANCE);
        d_outputs.push(golden.floats(&format!("{}/{}", part("d", call), spec.name)));
    }
    let key = part("penalty", call);
    compare_sum(&key, model.penalty(), golden.find(&key));

    // Backward must overwrite whatever is there.
    let mut gradients = vec![f32::NAN; model.weights().len()];
    model
        .backward(&d_outputs, &mut gradients)
        .expect("backward");
    let mut start = 0;
    for (index, spec) in model.specs().iter().enumerate() {
        let range = start..start + spec.len();
        start = range.end;
        let (found, key, tolerance) = if spec.trainable {
            let key = format!("{}/{index:02}", part("grad", call));
            (&gradients[range], key, GRADIENT_TOLERANCE)
        } else {
            assert!(
                gradients[range.clone()].iter().all(|&g| g == 0.0),
                "{}: gradient not 0",
                spec.name
            );
            let key = format!("{}/{index:02}", part("moved", call));
            (&model.weights()[range], key, OUTPUT_TOLERANCE)
        };
        compare(
            &format!("{key} {}", spec.name),
            found,
            golden.floats(&key),
            tolerance,
        );
    }
}

/// The first part of a key: the calls after the first one are numbered.
fn part(name: &str, call: usize) -> String {
    if call == 0 {
        name.to_string()
    } else {
        format!("{name}.{call}")
    }
}

/// The inputs of one call, in the order of the model.
fn inputs<'a>(golden: &'a Golden, model: &impl Learner, call: usize) -> Vec<InputView<'a>> {
    let views = model.inputs().iter().map(|spec| {
        let key = format!("{}/{}", part("in", call), spec.name);
        let (shape, data) = golden
            .tensors
            .get(&key)
            .unwrap_or_else(|| panic!("the golden file has no {key}"));
        let values = match data {
            Data::Floats(floats) => Values::Floats(floats),
            Data::Ids(ids) => Values::Ids(ids),
        };
        let time = if spec.time.is_some() { shape[1] } else { 1 };
        InputView {
            batch: shape[0],
            time,
            values,
        }
    });
    let views: Vec<_> = views.collect();
    assert_eq!(
        views.len(),
        golden.count(&part("in", call)),
        "number of inputs"
    );
    views
}

/// Sets the weights, which both sides have in the order of the model text.
///
/// A Keras path such as `rnn/lstm_cell/kernel` names the cell too, so that only the weight's own
/// name can be compared.
fn set_weights(golden: &Golden, model: &mut impl Learner) {
    let weights: Vec<_> = golden.under("weight").collect();
    let specs = model.specs();
    let own_name = |path: &str| path.rsplit('/').next().map(str::to_string);
    let ours: Vec<_> = specs
        .iter()
        .map(|spec| (own_name(spec.name), spec.shape.to_vec()))
        .collect();
    let keras: Vec<_> = weights
        .iter()
        .map(|&(key, shape, _)| (own_name(key), shape.to_vec()))
        .collect();
    assert_eq!(ours, keras, "weights of the model, and of Keras");

    let mut rest = model.weights_mut();
    for (spec, (_, _, values)) in specs.iter().zip(weights) {
        let (weight, after) = rest.split_at_mut(spec.len());
        weight.copy_from_slice(values);
        rest = after;
    }
    assert!(rest.is_empty(), "more weights than the specs name");
}

/// What the weight regularisers of the model add to the loss.
fn weight_penalty(model: &impl Learner) -> f32 {
    let (mut start, mut sum) = (0, 0.0);
    for spec in model.specs() {
        let weight = &model.weights()[start..start + spec.len()];
        start += spec.len();
        for &w in weight {
            sum += f64::from(spec.regularizer.l1) * f64::from(w.abs())
                + f64::from(spec.regularizer.l2) * f64::from(w * w);
        }
    }
    sum as f32
}

/// A number that is 0 where Keras has none.
fn compare_sum(what: &str, found: f32, golden: Option<&[f32]>) {
    match golden {
        Some(golden) => compare(what, &[found], golden, OUTPUT_TOLERANCE),
        None => assert_eq!(found, 0.0, "{what}"),
    }
}

/// No mask means the same as a mask that is 1 everywhere.
fn compare_mask(what: &str, found: Option<&[f32]>, golden: Option<&[f32]>) {
    let ones = |mask: Option<&[f32]>| mask.is_none_or(|mask| mask.iter().all(|&m| m == 1.0));
    assert!(
        found == golden || ones(found) && ones(golden),
        "{what}: {found:?} instead of {golden:?}"
    );
}

impl Golden {
    /// Whether there is anything under `part`.
    fn has(&self, part: &str) -> bool {
        self.count(part) > 0
    }

    /// How many tensors there are under `part`.
    fn count(&self, part: &str) -> usize {
        let start = format!("{part}/");
        self.tensors
            .keys()
            .filter(|k| k.starts_with(&start))
            .count()
    }

    /// The tensors of floats under `part`, with their shapes, in order.
    fn under<'a>(
        &'a self,
        part: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [usize], &'a [f32])> {
        self.tensors.iter().filter_map(move |(key, (shape, data))| {
            let key = key.strip_prefix(part)?.strip_prefix('/')?;
            match data {
                Data::Floats(floats) => Some((key, &shape[..], &floats[..])),
                Data::Ids(_) => None,
            }
        })
    }
}
