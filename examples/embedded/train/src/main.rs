//! Makes gestures of an accelerometer, trains the model of the embedded example on them, and writes what the firmware is built
//! with: the weights, and a recording that the model has not seen. The same numbers on every run.
//!
//! ```text
//! cargo run --release --manifest-path examples/embedded/train/Cargo.toml
//! ```

use std::{error::Error, f32::consts::TAU, fs, path::Path};

use ndarray::{Array1, Array3};
use recurrent::prelude::*;

rnn_model! {
    /// The model of the firmware.
    struct Gestures = Input(_, 3) -> GRU(16) -> Dense(4, activation = softmax);
}

const STEPS: usize = 32;
/// Gestures of each kind to train on, and to record.
const TRAINED: usize = 400;
const RECORDED: usize = 6;

/// Numbers in 0..1 (xorshift64*).
struct Random(u64);

impl Random {
    fn number(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / (1u32 << 24) as f32
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.number()
    }
}

/// A gesture of a kind: 32 samples of a second, in units of gravity. A hand is never level, never as fast as another, and it
/// trembles.
fn gesture(kind: usize, random: &mut Random) -> [[f32; 3]; STEPS] {
    let tilt = [random.between(-0.2, 0.2), random.between(-0.2, 0.2)];
    let (size, phase) = (random.between(0.4, 1.0), random.between(0.0, TAU));
    let turn = if random.number() < 0.5 { -1.0 } else { 1.0 };
    let start = random.between(4.0, 12.0);
    let (slow, fast) = (random.between(1.2, 2.0), random.between(4.0, 6.0));
    std::array::from_fn(|t| {
        let time = t as f32 / STEPS as f32;
        let moved = match kind {
            // Rest.
            0 => [0.0; 3],
            // A circle in the plane of the screen.
            1 => {
                let angle = TAU * slow * time + phase;
                [size * angle.cos(), size * turn * angle.sin(), 0.0]
            }
            // To and fro.
            2 => [size * (TAU * fast * time + phase).sin(), 0.0, 0.0],
            // Up, and to a halt.
            _ => {
                let since = (t as f32 - start) / 8.0;
                let push = if (0.0..2.0).contains(&since) {
                    (0.5 * TAU * since).sin()
                } else {
                    0.0
                };
                [0.0, 0.0, size * push]
            }
        };
        let level = [tilt[0], tilt[1], 1.0];
        std::array::from_fn(|axis| level[axis] + moved[axis] + random.between(-0.06, 0.06))
    })
}

/// So many gestures of each kind, in turn, and what they are.
fn gestures(count: usize, random: &mut Random) -> (Array3<f32>, Array1<u32>) {
    let all: Vec<_> = (0..4 * count).map(|i| gesture(i % 4, random)).collect();
    let x = Array3::from_shape_fn((4 * count, STEPS, 3), |(i, t, axis)| all[i][t][axis]);
    (x, Array1::from_shape_fn(4 * count, |i| (i % 4) as u32))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (x, y) = gestures(TRAINED, &mut random);
    let (recording, labels) = gestures(RECORDED, &mut random);
    let test = Dataset::new(&recording, &labels)?;
    let mut model = Gestures::with_seed(1);
    let history = Trainer::new(&mut model)
        .optimizer(Adam::new(0.005))
        .loss(SparseCategoricalCrossentropy::default())
        .metric(Accuracy)
        .fit(
            &Dataset::new(&x, &y)?,
            Fit {
                epochs: 12,
                validation_data: Some(&test),
                seed: 1,
                verbose: Verbose::Lines,
                ..Fit::default()
            },
        )?;
    println!("accuracy: {:?}", history.last("val_accuracy"));

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    model.save(folder.join("gestures.safetensors"))?;
    let bytes: Vec<u8> = recording.iter().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(folder.join("recording.bin"), bytes)?;
    let labels: Vec<u8> = labels.iter().map(|&label| label as u8).collect();
    fs::write(folder.join("recording.labels"), labels)?;
    Ok(())
}
