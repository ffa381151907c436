//! What a model that was imported has to give: the numbers of the library that made its file, compiled and loaded.

use std::{collections::BTreeMap, fs};

use recurrent::{
    Isa,
    learner::{InputView, Learner, ValueSpec, Values},
    model::Model,
};
use rnn_formats::Tensor;

/// Arrays by name.
type Arrays = BTreeMap<String, Tensor>;

/// The arrays of a file of safetensors.
///
/// # Panics
/// If it cannot be read, or has numbers of another type.
pub fn arrays(path: &str) -> Arrays {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let file =
        safetensors::SafeTensors::deserialize(&bytes).unwrap_or_else(|e| panic!("{path}: {e}"));
    let all = file.tensors().into_iter().map(|(name, view)| {
        let number = |b: &[u8]| match view.dtype() {
            safetensors::Dtype::F32 => f32::from_le_bytes(b.try_into().expect("four bytes")),
            safetensors::Dtype::I64 => {
                i64::from_le_bytes(b.try_into().expect("eight bytes")) as f32
            }
            other => panic!("{name}: {other:?}"),
        };
        let size = view.data().len() / view.shape().iter().product::<usize>().max(1);
        let values = view.data().chunks_exact(size.max(1)).map(number).collect();
        let tensor =
            Tensor::new(&name, view.shape(), values).unwrap_or_else(|e| panic!("{name}: {e}"));
        (name, tensor)
    });
    all.collect()
}

/// The array of an input or output: by its number, or by the name that the file has.
fn find<'a>(
    arrays: &'a Arrays,
    [kind, folder]: [&str; 2],
    spec: &ValueSpec,
    index: usize,
) -> Option<&'a Tensor> {
    let number = arrays.get(&format!("{kind}.{index}"));
    let named = number.or_else(|| arrays.get(&format!("{folder}/{}", spec.name)));
    // A chain has no names.
    let mut all = arrays
        .iter()
        .filter(|(name, _)| name.starts_with(&format!("{folder}/")));
    named.or_else(|| match (all.next(), all.next()) {
        (Some((_, only)), None) => Some(only),
        _ => None,
    })
}

/// The outputs of a model.
fn outputs<M: Model + Learner>(model: &mut M, numbers: &Arrays, file: &str) -> Vec<Vec<f32>> {
    let specs = model.inputs();
    let given: Vec<(&Tensor, Vec<u32>)> = specs
        .iter()
        .enumerate()
        .map(|(i, spec)| {
            let array = find(numbers, ["input", "in"], spec, i).unwrap_or_else(|| {
                panic!(
                    "{file}: no numbers for the input {}: {:?}",
                    spec.name,
                    numbers.keys()
                )
            });
            (array, array.values.iter().map(|x| *x as u32).collect())
        })
        .collect();
    let views: Vec<InputView<'_>> = specs
        .iter()
        .zip(&given)
        .map(|(spec, (array, ids))| InputView {
            batch: array.shape[0],
            time: if spec.time.is_some() {
                array.shape[1]
            } else {
                1
            },
            values: match spec.ids {
                true => Values::Ids(ids),
                false => Values::Floats(&array.values),
            },
        })
        .collect();
    model
        .infer(&views)
        .unwrap_or_else(|e| panic!("{file}: {e}"));
    (0..model.outputs().len())
        .map(|i| model.output(i).to_vec())
        .collect()
}

/// Checks a model against the numbers of the library that wrote its file: with the weights that the program was compiled with, on
/// every instruction set, and with those that are loaded from the file when it runs.
///
/// # Panics
/// If a number is off by more than 1e-5 of the largest.
pub fn check<M: Model + Learner>(file: &str, numbers: &str) {
    let numbers = arrays(numbers);
    for &isa in Isa::available() {
        let mut compiled = M::new();
        compiled.set_isa(isa);
        let found = outputs(&mut compiled, &numbers, file);
        for (i, (found, spec)) in found.iter().zip(compiled.outputs()).enumerate() {
            let expected = find(&numbers, ["output", "out"], spec, i).unwrap_or_else(|| {
                panic!(
                    "{file}: no numbers for the output {}: {:?}",
                    spec.name,
                    numbers.keys()
                )
            });
            assert_eq!(found.len(), expected.values.len(), "{file}, {}", spec.name);
            let largest = expected.values.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
            assert!(largest > 1e-3, "{file}: {} says nothing", spec.name);
            for (a, b) in found.iter().zip(&expected.values) {
                assert!(
                    (a - b).abs() <= 1e-5 * largest,
                    "{file}, {isa}, {}: {a} and {b}",
                    spec.name
                );
            }
        }
        let mut loaded = M::with_seed(7);
        loaded.set_isa(isa);
        loaded.load(file).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            Learner::weights(&loaded),
            Learner::weights(&compiled),
            "{file}"
        );
        assert_eq!(outputs(&mut loaded, &numbers, file), found, "{file}, {isa}");
    }
    assert!(compiled_text::<M>().contains("read from "), "{}", M::plan());
}

/// What a model says of itself.
fn compiled_text<M: Model>() -> String {
    let model = M::new();
    format!("{}\n{}", model.summary(), M::plan())
}
