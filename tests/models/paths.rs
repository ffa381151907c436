//! A file that Keras's own names are in, and what the model in it predicts.

use std::path::PathBuf;

use recurrent::{
    learner::{InputView, Learner, Values},
    prelude::*,
};
use safetensors::{Dtype, SafeTensors};

/// How far predictions may be from Keras's, relative as in `../support/golden.rs`.
const TOLERANCE: f32 = 1e-5;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../keras/paths")
}

/// A tensor of `outputs.safetensors`, as the words that it is of.
fn words(file: &SafeTensors<'_>, name: &str) -> (Dtype, Vec<usize>, Vec<u32>) {
    let tensor = file.tensor(name).expect("a tensor of the case");
    let words = tensor.data().as_chunks::<4>().0;
    let words = words.iter().map(|w| u32::from_le_bytes(*w)).collect();
    (tensor.dtype(), tensor.shape().to_vec(), words)
}

fn floats(words: &[u32]) -> Vec<f32> {
    words.iter().map(|w| f32::from_bits(*w)).collect()
}

/// Loads `name.safetensors` both ways, and compares what the model predicts.
///
/// # Panics
/// If a file does not load whole, or a number differs.
pub fn check<M: Model + Learner>(mut model: M, name: &str) {
    let bytes = std::fs::read(folder().join("outputs.safetensors")).expect("the outputs");
    let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let (dtype, shape, input) = words(&file, &format!("{name}/in"));
    let (_, _, expected) = words(&file, &format!("{name}/out"));
    let (numbers, expected) = (floats(&input), floats(&expected));
    let x = InputView {
        batch: shape[0],
        time: shape[1],
        values: match dtype {
            Dtype::U32 => Values::Ids(&input),
            _ => Values::Floats(&numbers),
        },
    };
    let path = folder().join(name).with_extension("safetensors");

    let fresh = model.weights().to_vec();
    Model::load(&mut model, &path).expect("a file of Keras's names");
    let loaded = model.weights().to_vec();
    model.infer(&[x]).expect("inference");
    let found = model.output(0);
    assert_eq!(found.len(), expected.len(), "{name}: numbers of the output");
    let squares: f32 = expected.iter().map(|y| y * y).sum();
    let floor = (squares / expected.len() as f32).sqrt().max(1e-6);
    for (i, (f, y)) in found.iter().zip(&expected).enumerate() {
        let error = (f - y).abs() / y.abs().max(floor);
        // A NaN does not pass.
        assert!(
            error <= TOLERANCE,
            "{name}[{i}]: {f} instead of {y}, relative error {error:e}"
        );
    }

    model.weights_mut().copy_from_slice(&fresh);
    let taken = model.load_matching(&path).expect("the same file");
    assert_eq!(taken.len(), model.specs().len(), "{name}: {taken:?}");
    assert_eq!(model.weights(), loaded);
}
