//! How long a device takes for a batch, for `cargo xtask gpu`: `cell,units,rows,steps,what,microseconds`, the median of
//! several runs. A run copies the batch to the device, computes, and waits; nothing is copied back.
//!
//! ```text
//! measure [--device cuda] [--tiny]
//! ```

use std::{env, error::Error, time::Instant};

use recurrent::{
    learner::{InputView, StepSeed, Values},
    prelude::*,
    rnn_model,
    trainable::{
        Clip, LossRule, LossTask, OutputGradient, Rule, Slot, Step, TargetView, Trainable, Update,
        UpdateRule,
    },
};

/// What is measured.
struct Measured<'a> {
    device: &'a Device,
    rows: &'a [usize],
    steps: &'a [usize],
    runs: usize,
}

/// The median of some runs, in microseconds. The first runs compile kernels and fill caches.
fn median(
    measured: &Measured<'_>,
    mut run: impl FnMut() -> Result<(), recurrent::Error>,
) -> Result<f64, recurrent::Error> {
    for _ in 0..3 {
        run()?;
    }
    measured.device.synchronize()?;
    let mut times = Vec::with_capacity(measured.runs);
    for _ in 0..measured.runs {
        let start = Instant::now();
        run()?;
        measured.device.synchronize()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn measure<M: Model + Learner>(
    measured: &Measured<'_>,
    cell: &str,
    units: usize,
    model: M,
) -> Result<(), Box<dyn Error>> {
    let mut model = model.to(measured.device)?;
    for &rows in measured.rows {
        for &steps in measured.steps {
            let x: Vec<f32> = (0..rows * steps * units)
                .map(|i| (i % 17) as f32 / 17.0 - 0.5)
                .collect();
            let target = vec![0.25f32; rows * units];
            let inputs = [InputView {
                batch: rows,
                time: steps,
                values: Values::Floats(&x),
            }];
            let show =
                |what: &str, time: f64| println!("{cell},{units},{rows},{steps},{what},{time:.1}");
            let time = median(measured, || Trainable::predict(&mut model, &inputs))?;
            show("inference", time);
            let slot = |name| Slot { name, initial: 0.0 };
            let mut state = model.start_training(&[slot("momentum"), slot("velocity")])?;
            let task = LossTask {
                rule: LossRule::MeanSquaredError,
                features: units,
                targets: TargetView::Floats(&target),
                weights: None,
                share: 1.0,
                metrics: &[],
            };
            let mut number = 0;
            let time = median(measured, || {
                number += 1;
                let seed = StepSeed {
                    seed: 1,
                    step: number,
                };
                Trainable::forward(&mut model, &inputs, seed)?;
                Trainable::loss(&mut model, 0, &task, true)?;
                Trainable::backward(&mut model, &[OutputGradient::Kept], &mut *state)?;
                let update = Update {
                    step: Step {
                        number,
                        learning_rate: 1e-4,
                    },
                    rule: UpdateRule::Keras(Rule::Adam {
                        beta_1: 0.9,
                        beta_2: 0.999,
                        epsilon: 1e-7,
                    }),
                    weight_decay: None,
                    clip: Clip::None,
                    penalties: false,
                };
                Trainable::apply(&mut model, &update, &mut *state)
            })?;
            show("training", time);
        }
    }
    Ok(())
}

/// Layers of several sizes.
macro_rules! sizes {
    ($measured:expr, $($units:literal)*) => {$(
        measure($measured, "LSTM", $units, rnn_model!(Input(_, $units) -> LSTM($units)))?;
        measure($measured, "GRU", $units, rnn_model!(Input(_, $units) -> GRU($units)))?;
    )*};
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let tiny = arguments.iter().any(|a| a == "--tiny");
    let at = arguments.iter().position(|a| a == "--device");
    let device: Device = match at.and_then(|at| arguments.get(at + 1)) {
        Some(name) => name.parse()?,
        None => Device::cuda(0)?,
    };
    eprintln!("on {device}, {}", device.name());
    let measured = match tiny {
        true => Measured {
            device: &device,
            rows: &[2],
            steps: &[3],
            runs: 1,
        },
        false => Measured {
            device: &device,
            rows: &[1, 16, 64, 256],
            steps: &[100],
            runs: 9,
        },
    };
    if tiny {
        sizes!(&measured, 8);
        return Ok(());
    }
    sizes!(&measured, 32 64 128 256 512 1024);
    let long = Measured {
        steps: &[1000],
        rows: &[16],
        runs: 5,
        ..measured
    };
    sizes!(&long, 64 256);
    Ok(())
}
