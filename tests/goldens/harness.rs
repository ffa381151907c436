//! Compares a model with a golden file. How close is close enough is defined in
//! `../support/golden.rs`.

use recurrent::learner::{InputView, Learner, StepSeed, Values};

use crate::golden::{Data, GRADIENT_TOLERANCE, Golden, OUTPUT_TOLERANCE, compare};

/// Checks everything that the golden file `name` knows about `model`.
///
/// `input_gradient` gives the gradient by the input after `backward`.
///
/// # Panics
/// With the tensor and the element, if the names or shapes of the weights or any number differ.
pub fn check<M: Learner>(model: &mut M, name: &str, input_gradient: impl Fn(&M) -> Option<&[f32]>) {
    let golden = read(name);
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

/// One golden file; its keys are listed in `tests/keras/goldens.py`.
fn read(name: &str) -> Golden {
    let folder = crate::golden::folder("goldens");
    Golden::read(&folder.join(name).with_extension("safetensors"), "")
}

impl Golden {
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
