//! Reads a golden file and compares a model with it.
//!
//! A value passes if |found − golden| ≤ tolerance · max(|golden|, r, 1e-6), where r is the root
//! mean square of the golden tensor: relative, with values below their tensor's typical size taken
//! relative to that, since near zero they are what is left of larger numbers that cancel. Every
//! element of every tensor must pass.

use std::{collections::BTreeMap, fs, path::Path};

use recurrent::rt::learner::{InputView, Learner, StepSeed, Values};
use safetensors::{Dtype, SafeTensors};

/// For outputs, in inference and in training, and moving statistics.
const OUTPUT_TOLERANCE: f64 = 1e-5;
/// For the gradients of weights and inputs.
const GRADIENT_TOLERANCE: f64 = 1e-4;

/// Checks everything that the golden file `name` knows about `model`.
///
/// `input_gradient` gives the gradient by the input after `backward`.
///
/// # Panics
/// With the tensor and the element, if the names or shapes of the weights or any number differ.
pub fn check<M: Learner>(model: &mut M, name: &str, input_gradient: impl Fn(&M) -> Option<&[f32]>) {
    let golden = Golden::read(name);
    golden.set_weights(model);
    let inputs = [golden.input()];

    model.infer(&inputs).expect("inference");
    compare(
        "output",
        model.output(0),
        golden.floats("output"),
        OUTPUT_TOLERANCE,
    );

    // A model with random masks is compared in inference only.
    let Some(d_output) = golden.find("d_output") else {
        return;
    };
    model
        .forward(&inputs, StepSeed::default())
        .expect("forward");
    // Stored only where it differs.
    let output = golden
        .find("train/output")
        .unwrap_or_else(|| golden.floats("output"));
    compare("train/output", model.output(0), output, OUTPUT_TOLERANCE);

    // Backward must overwrite whatever is there.
    let mut gradients = vec![f32::NAN; model.weights().len()];
    model
        .backward(&[d_output], &mut gradients)
        .expect("backward");
    let mut start = 0;
    for spec in model.specs() {
        let range = start..start + spec.len();
        start = range.end;
        if spec.trainable {
            let key = format!("grad/{}", spec.name);
            compare(
                &key,
                &gradients[range],
                golden.floats(&key),
                GRADIENT_TOLERANCE,
            );
        } else {
            let key = format!("train/{}", spec.name);
            compare(
                &key,
                &model.weights()[range.clone()],
                golden.floats(&key),
                OUTPUT_TOLERANCE,
            );
            assert!(
                gradients[range].iter().all(|&g| g == 0.0),
                "{}: gradient not 0",
                spec.name
            );
        }
    }
    let (found, golden) = (input_gradient(model), golden.find("grad/input"));
    assert_eq!(
        found.is_some(),
        golden.is_some(),
        "whether the input has a gradient"
    );
    if let (Some(found), Some(golden)) = (found, golden) {
        compare("grad/input", found, golden, GRADIENT_TOLERANCE);
    }
}

/// Panics unless every element of `found` passes.
fn compare(what: &str, found: &[f32], golden: &[f32], tolerance: f64) {
    assert_eq!(found.len(), golden.len(), "{what}: number of elements");
    assert!(!golden.is_empty(), "{what}: nothing to compare");
    let squares: f64 = golden.iter().map(|&g| f64::from(g).powi(2)).sum();
    let floor = (squares / golden.len() as f64).sqrt().max(1e-6);
    for (index, (&f, &g)) in found.iter().zip(golden).enumerate() {
        let (f, g) = (f64::from(f), f64::from(g));
        let error = (f - g).abs() / g.abs().max(floor);
        // A NaN does not pass.
        assert!(
            error <= tolerance,
            "{what}[{index}]: {f} instead of {g}, relative error {error:.1e} above {tolerance:.0e}"
        );
    }
}

/// The numbers of one tensor.
enum Data {
    Floats(Vec<f32>),
    Ids(Vec<u32>),
}

/// One golden file; its keys are listed in `tests/keras/goldens.py`.
struct Golden {
    tensors: BTreeMap<String, (Vec<usize>, Data)>,
}

impl Golden {
    fn read(name: &str) -> Golden {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keras/goldens");
        let path = folder.join(name).with_extension("safetensors");
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let tensors = file.iter().map(|(key, view)| {
            let words = view.data().as_chunks::<4>().0.iter();
            let data = match view.dtype() {
                Dtype::F32 => Data::Floats(words.map(|&word| f32::from_le_bytes(word)).collect()),
                Dtype::U32 => Data::Ids(words.map(|&word| u32::from_le_bytes(word)).collect()),
                other => panic!("{name}: {key} is {other:?}"),
            };
            (key.to_string(), (view.shape().to_vec(), data))
        });
        Golden {
            tensors: tensors.collect(),
        }
    }

    fn find(&self, key: &str) -> Option<&[f32]> {
        match self.tensors.get(key)? {
            (_, Data::Floats(floats)) => Some(floats),
            (_, Data::Ids(_)) => panic!("{key} holds ids"),
        }
    }

    fn floats(&self, key: &str) -> &[f32] {
        self.find(key)
            .unwrap_or_else(|| panic!("the golden file has no {key}"))
    }

    /// `[batch, time]` ids, or `[batch, (time,) features]`.
    fn input(&self) -> InputView<'_> {
        let (shape, data) = &self.tensors["input"];
        let (values, timed) = match data {
            Data::Floats(floats) => (Values::Floats(floats), shape.len() == 3),
            Data::Ids(ids) => (Values::Ids(ids), true),
        };
        InputView {
            batch: shape[0],
            time: if timed { shape[1] } else { 1 },
            values,
        }
    }

    /// Names and shapes must be the same on both sides.
    fn set_weights(&self, model: &mut impl Learner) {
        let specs = model.specs();
        let mut ours: Vec<_> = specs
            .iter()
            .map(|s| (s.name.to_string(), s.shape.to_vec()))
            .collect();
        ours.sort();
        let layers = self.tensors.iter().filter(|(key, _)| {
            key.contains('/') && !key.starts_with("grad/") && !key.starts_with("train/")
        });
        let keras: Vec<_> = layers
            .map(|(key, (shape, _))| (key.clone(), shape.clone()))
            .collect();
        assert_eq!(ours, keras, "weights of the model, and of Keras");

        let mut rest = model.weights_mut();
        for spec in specs {
            let (weight, after) = rest.split_at_mut(spec.len());
            weight.copy_from_slice(self.floats(spec.name));
            rest = after;
        }
        assert!(rest.is_empty(), "more weights than the specs name");
    }
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn rounding_passes() {
        compare("same", &[1.0, 2.0, 0.0], &[1.0, 2.0, 0.0], 0.0);
        compare("close", &[1.000_009, 0.0], &[1.0, 0.000_005], 1e-5);
    }

    #[test]
    #[should_panic(expected = "[1]")]
    fn one_wrong_element_fails() {
        compare("wrong", &[1.0, 1.000_02], &[1.0, 1.0], 1e-5);
    }

    #[test]
    #[should_panic(expected = "[0]")]
    fn a_small_element_is_relative_to_the_typical_one() {
        compare("small", &[0.000_02, 1.0], &[0.0, 1.0], 1e-5);
    }

    #[test]
    #[should_panic(expected = "NaN")]
    fn a_nan_fails() {
        compare("nan", &[f32::NAN], &[1.0], 1e-5);
    }

    #[test]
    #[should_panic(expected = "number of elements")]
    fn a_missing_element_fails() {
        compare("short", &[1.0], &[1.0, 1.0], 1e-5);
    }
}
