//! Files of numbers from Keras, and how close is close enough.
//!
//! A value passes if |found − golden| ≤ tolerance · max(|golden|, r, 1e-6), where r is the root
//! mean square of the golden tensor: relative, with values below their tensor's typical size taken
//! relative to that, since near zero they are what is left of larger numbers that cancel. Every
//! element of every tensor must pass.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use safetensors::{Dtype, SafeTensors};

use crate::bits::record_here;

/// For outputs, in inference and in training, and moving statistics.
pub const OUTPUT_TOLERANCE: f64 = 1e-5;
/// For the gradients of weights and inputs.
pub const GRADIENT_TOLERANCE: f64 = 1e-4;

/// A folder of files from Keras: where this program was built or, on a machine that it was carried to, beside the folder
/// of its package.
pub fn folder(name: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../keras")
        .join(name);
    match built.is_dir() {
        true => built,
        false => Path::new("../keras").join(name),
    }
}

/// Panics unless every element of `found` passes.
pub fn compare(what: &str, found: &[f32], golden: &[f32], tolerance: f64) {
    record_here(what, found);
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
pub enum Data {
    Floats(Vec<f32>),
    Ids(Vec<u32>),
}

/// The tensors of a file, or those of one case in it, by name.
pub struct Golden {
    /// Shape and numbers.
    pub tensors: BTreeMap<String, (Vec<usize>, Data)>,
}

impl Golden {
    /// Reads the tensors whose names start with `prefix`, which is taken off.
    ///
    /// # Panics
    /// If the file cannot be read, or has none of them.
    pub fn read(path: &Path, prefix: &str) -> Golden {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let tensors: BTreeMap<_, _> = file
            .iter()
            .filter_map(|(key, view)| Some((key.strip_prefix(prefix)?.to_string(), view)))
            .map(|(key, view)| {
                let words = view.data().as_chunks::<4>().0.iter();
                let data = match view.dtype() {
                    Dtype::F32 => {
                        Data::Floats(words.map(|&word| f32::from_le_bytes(word)).collect())
                    }
                    Dtype::U32 => Data::Ids(words.map(|&word| u32::from_le_bytes(word)).collect()),
                    other => panic!("{prefix}{key} is {other:?}"),
                };
                (key, (view.shape().to_vec(), data))
            })
            .collect();
        assert!(
            !tensors.is_empty(),
            "{} has nothing of {prefix}",
            path.display()
        );
        Golden { tensors }
    }

    /// The floats of a tensor.
    pub fn find(&self, key: &str) -> Option<&[f32]> {
        match self.tensors.get(key)? {
            (_, Data::Floats(floats)) => Some(floats),
            (_, Data::Ids(_)) => panic!("{key} holds ids"),
        }
    }

    /// The floats of a tensor that must be there.
    pub fn floats(&self, key: &str) -> &[f32] {
        self.find(key)
            .unwrap_or_else(|| panic!("the golden file has no {key}"))
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
