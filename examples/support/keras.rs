//! What Keras computed for its guide, and the numbers that it was computed from.
//!
//! `examples/guide/README.md` defines both: results are stored, weights and inputs come from a
//! formula, of whose numbers the last ones are stored to be compared, too.

use std::{collections::BTreeMap, error::Error, fs, ops::Range};

use ndarray::{Array, Array3, Dimension, ShapeBuilder};
use recurrent::{learner::Learner, params::ParamSpec, prelude::Device};
use safetensors::{Dtype, SafeTensors};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/guide");
const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.csv");

/// Relative to the larger of the element and the root mean square of its tensor.
const TOLERANCE: f64 = 1e-5;

/// Numbers of the weights that are not kernels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// From the formula, as the kernels.
    Formula,
    /// 0 or 1, as a layer starts without `unit_forget_bias`.
    Layer,
}

/// The results of one section, and how ours compare.
pub struct Keras {
    /// Number of the section in the seeds of the formula.
    section: u32,
    /// Where models run.
    device: Device,
    tensors: BTreeMap<String, Vec<f64>>,
    compared: usize,
    worst: f64,
    wrong: Vec<String>,
}

impl Keras {
    /// Reads the results of a section, whose models run on `device`.
    ///
    /// # Errors
    /// If the file cannot be read or is none of numbers.
    pub fn read(section: u32, file: &str, device: &Device) -> Result<Keras, Box<dyn Error>> {
        let path = format!("{FOLDER}/{file}.safetensors");
        let bytes = fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| format!("{path}: {error}"))?;
        let mut tensors = BTreeMap::new();
        for (key, view) in file.iter() {
            let words = view.data().as_chunks::<4>().0.iter().copied();
            let numbers = match view.dtype() {
                Dtype::F32 => words.map(|w| f64::from(f32::from_le_bytes(w))).collect(),
                Dtype::U32 => words.map(|w| f64::from(u32::from_le_bytes(w))).collect(),
                other => return Err(format!("{path}: {key} is {other:?}").into()),
            };
            tensors.insert(key.to_owned(), numbers);
        }
        Ok(Keras {
            section,
            device: device.clone(),
            tensors,
            compared: 0,
            worst: 0.0,
            wrong: Vec::new(),
        })
    }

    /// Where the section's models run.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Gives a model the weights that Keras had. `prefix` is that of its stored numbers, `seeds`
    /// is 1 for the second model of a section.
    pub fn weights(&mut self, prefix: &str, seeds: u32, model: &mut impl Learner) {
        self.weights_as(Start::Formula, prefix, seeds, model);
    }

    /// [`Keras::weights`], of which some may be as a layer starts.
    pub fn weights_as(&mut self, start: Start, prefix: &str, seeds: u32, model: &mut impl Learner) {
        for (index, (spec, range)) in ranges(model.specs()).enumerate() {
            let seed = 1000 * self.section + 100 * seeds + index as u32;
            let kind = last_part(spec.name);
            let values =
                (0..spec.len() as u32).map(|i| weight(start, kind, spec.shape[0], fill(seed, i)));
            let weights = &mut model.weights_mut()[range];
            weights
                .iter_mut()
                .zip(values)
                .for_each(|(to, value)| *to = value);

            let folder = format!("{prefix}check/weight/{index:02}/");
            let path = self
                .tensors
                .keys()
                .find(|key| key.starts_with(&folder))
                .cloned();
            match path.filter(|path| last_part(path) == kind) {
                Some(path) => {
                    let numbers: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
                    self.check(&path, &numbers);
                }
                None => self
                    .wrong
                    .push(format!("Keras has no weight {} in {folder}", spec.name)),
            }
        }
        let folder = format!("{prefix}check/weight/");
        let count = self
            .tensors
            .keys()
            .filter(|key| key.starts_with(&folder))
            .count();
        if count != model.specs().len() {
            self.wrong.push(format!(
                "Keras has {count} weights, we have {}",
                model.specs().len()
            ));
        }
    }

    /// Floats of an input or target. `check` is where Keras's last ones are stored, or empty.
    pub fn floats<S: ShapeBuilder<Dim = D>, D: Dimension>(
        &mut self,
        check: &str,
        seed: u32,
        shape: S,
    ) -> Array<f32, D> {
        let (seed, mut i) = (1000 * self.section + seed, 0);
        let array = Array::from_shape_simple_fn(shape, || {
            i += 1;
            fill(seed, i - 1) as f32 / 2f32.powi(24)
        });
        let all: Vec<f64> = array.iter().map(|&x| f64::from(x)).collect();
        self.check(check, &all);
        array
    }

    /// Ids of an input.
    pub fn ids<S: ShapeBuilder<Dim = D>, D: Dimension>(
        &mut self,
        check: &str,
        seed: u32,
        vocabulary: u32,
        shape: S,
    ) -> Array<u32, D> {
        let (seed, mut i) = (1000 * self.section + seed, 0);
        let array = Array::from_shape_simple_fn(shape, || {
            i += 1;
            fill(seed, i - 1) % vocabulary
        });
        let all: Vec<f64> = array.iter().map(|&x| f64::from(x)).collect();
        self.check(check, &all);
        array
    }

    /// Compares an output with the one that Keras stored.
    pub fn compare<'a>(&mut self, key: &str, found: impl IntoIterator<Item = &'a f32>) {
        let found: Vec<f64> = found.into_iter().map(|&x| f64::from(x)).collect();
        self.compare_all(key, &found);
    }

    /// Compares numbers with those that Keras stored, element by element.
    pub fn compare_all(&mut self, key: &str, found: &[f64]) {
        let Some(golden) = self.tensors.get(key) else {
            self.wrong.push(format!("Keras's file has no {key}"));
            return;
        };
        if found.len() != golden.len() || found.is_empty() {
            let message = format!("{key}: {} numbers instead of {}", found.len(), golden.len());
            self.wrong.push(message);
            return;
        }
        let squares: f64 = golden.iter().map(|g| g * g).sum();
        let floor = (squares / golden.len() as f64).sqrt().max(1e-6);
        let errors = found
            .iter()
            .zip(golden)
            .map(|(f, g)| (f - g).abs() / g.abs().max(floor));
        // `max` would leave out what is not a number.
        let worst = errors.fold(0.0, |worst: f64, e| if e <= worst { worst } else { e });
        self.compared += 1;
        self.worst = if worst <= self.worst {
            self.worst
        } else {
            worst
        };
        let passes = worst <= TOLERANCE;
        if !passes {
            self.wrong.push(format!(
                "{key} differs by {worst:.1e}, more than {TOLERANCE:.0e}"
            ));
        }
    }

    /// Takes note of something that must be so.
    pub fn expect(&mut self, what: &str, is_so: bool) {
        println!("  {what}: {}", if is_so { "yes" } else { "NO" });
        if !is_so {
            self.wrong.push(format!("{what}: no"));
        }
    }

    /// Prints how the section went, and whether all of it is as in Keras.
    pub fn verdict(&self) -> bool {
        self.wrong.iter().for_each(|wrong| println!("  {wrong}"));
        let matches = self.wrong.is_empty() && self.compared > 0;
        let verdict = if matches {
            "matches Keras"
        } else {
            "DOES NOT MATCH Keras"
        };
        let (count, worst) = (self.compared, self.worst);
        println!("  => {verdict}: {count} compared, off by at most {worst:.1e}\n");
        matches
    }

    /// The last numbers of a weight or an input must be Keras's to the bit.
    fn check(&mut self, key: &str, all: &[f64]) {
        if key.is_empty() {
            return;
        }
        let stored = self.tensors.get(key).map(Vec::as_slice).unwrap_or_default();
        if stored.is_empty() || !all.ends_with(stored) {
            self.wrong
                .push(format!("{key} comes out of the formula otherwise"));
        }
    }
}

/// Handwritten digits in the order of their file: `[images, 8, 8]`, each pixel 0 to 1, and labels.
///
/// # Errors
/// If the file cannot be read, or is none of digits.
pub fn digits() -> Result<(Array3<f32>, Vec<u32>), Box<dyn Error>> {
    let text = fs::read_to_string(DIGITS).map_err(|error| format!("{DIGITS}: {error}"))?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let row: Result<Vec<u8>, _> = line.split(',').map(str::parse).collect();
        match row.as_deref() {
            Ok([image @ .., label]) if image.len() == 64 => {
                pixels.extend(image.iter().map(|&pixel| f32::from(pixel) / 16.0));
                labels.push(u32::from(*label));
            }
            _ => {
                return Err(
                    format!("{DIGITS}:{}: expected 64 pixels and a digit", number + 1).into(),
                );
            }
        }
    }
    Ok((
        Array3::from_shape_vec((labels.len(), 8, 8), pixels)?,
        labels,
    ))
}

/// The seed of input (or target) number `index` of call number `call`.
pub fn seed(index: u32, call: u32) -> u32 {
    500 + index + 20 * call
}

/// Each parameter, and where its weights are.
pub fn ranges(
    specs: &'static [ParamSpec],
) -> impl Iterator<Item = (&'static ParamSpec, Range<usize>)> {
    specs.iter().scan(0, |at, spec| {
        let start = *at;
        *at += spec.len();
        Some((spec, start..*at))
    })
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A whole number below 2^24.
fn fill(seed: u32, index: u32) -> u32 {
    let mut h = index.wrapping_add(seed.wrapping_mul(0x9E37_79B9));
    h ^= h >> 16;
    h = h.wrapping_mul(0x7FEB_352D);
    h ^= h >> 15;
    h = h.wrapping_mul(0x846C_A68B);
    h ^= h >> 16;
    h >> 8
}

/// A weight of a parameter whose first axis has this length.
fn weight(start: Start, kind: &str, first_axis: usize, number: u32) -> f32 {
    let one = matches!(kind, "gamma" | "moving_variance");
    let vector = one || matches!(kind, "bias" | "beta" | "moving_mean");
    let shift = f32::from(u8::from(one));
    if vector && start == Start::Layer {
        return shift;
    }
    let scale = match kind {
        _ if vector => 0.5,
        "embeddings" => 1.0,
        // Those of the nested cell.
        "kernel_1" | "kernel_2_3" => 1.0 / 16.0,
        _ => {
            let halves = (0..).find(|&n| 0.25f64.powi(n) * first_axis as f64 <= 1.0);
            0.5f32.powi(halves.unwrap_or(0))
        }
    };
    (number as f32 / 2f32.powi(23) - 1.0) * scale + shift
}
