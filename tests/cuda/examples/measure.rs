//! How long a device takes for batches: `tests/cuda/gpu/compare.py` asks this program and PyTorch in turns.
//!
//! It answers lines. `fp32 LSTM 128 16 100 training 9` names a precision, a cell and its units, rows and steps of a batch,
//! what to do with it, and how often at most; the answer is the median in microseconds, or a reason why there is none. A run
//! copies the batch, and in training its target, to the device, computes, and waits; nothing is copied back. The device is
//! the one that RECURRENT_TEST_DEVICE names.

use std::{
    collections::BTreeMap,
    error::Error,
    io::{self, Write as _},
    time::{Duration, Instant},
};

use recurrent::{
    cells::LayerNormLstm,
    learner::{InputView, StepSeed, Values},
    prelude::*,
    rnn_model,
    trainable::{
        Clip, LossRule, LossTask, OutputGradient, Rule, Slot, Step, TargetView, TrainState,
        Trainable, Update, UpdateRule,
    },
};

/// Runs before the first that counts: they compile kernels, fill caches and record graphs.
const WARM_UP: usize = 5;
/// Runs end after this time, however few they are.
const ENOUGH: Duration = Duration::from_millis(250);

/// A model on the device.
struct Measured {
    device: Device,
    model: Box<dyn Trainable>,
    state: Box<dyn TrainState>,
    units: usize,
    number: u64,
}

/// A batch for it.
struct Batch {
    rows: usize,
    steps: usize,
    x: Vec<f32>,
    target: Vec<f32>,
}

impl Measured {
    fn new<M: Model + Learner + 'static>(
        model: M,
        units: usize,
        device: &Device,
    ) -> Result<Self, Box<dyn Error>> {
        let model: Box<dyn Trainable> = Box::new(model.to(device)?);
        let slot = |name| Slot { name, initial: 0.0 };
        let state = model.start_training(&[slot("momentum"), slot("velocity")])?;
        Ok(Measured {
            device: device.clone(),
            model,
            state,
            units,
            number: 0,
        })
    }

    fn predict(&mut self, batch: &Batch) -> Result<(), Box<dyn Error>> {
        self.model.predict(&batch.inputs())?;
        self.device.synchronize()?;
        Ok(())
    }

    fn train(&mut self, batch: &Batch) -> Result<(), Box<dyn Error>> {
        self.number += 1;
        let number = self.number;
        self.model.forward(
            &batch.inputs(),
            StepSeed {
                seed: 1,
                step: number,
            },
        )?;
        let task = LossTask {
            rule: LossRule::MeanSquaredError,
            features: self.units,
            targets: TargetView::Floats(&batch.target),
            weights: None,
            share: 1.0,
            metrics: &[],
        };
        self.model.loss(0, &task, true)?;
        let state = &mut *self.state;
        self.model.backward(&[OutputGradient::Kept], state)?;
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
        self.model.apply(&update, state)?;
        self.device.synchronize()?;
        Ok(())
    }
}

impl Batch {
    fn new(rows: usize, steps: usize, units: usize) -> Self {
        let value = |i: usize| (i % 17) as f32 / 17.0 - 0.5;
        Batch {
            rows,
            steps,
            x: (0..rows * steps * units).map(value).collect(),
            target: vec![0.25; rows * units],
        }
    }

    fn inputs(&self) -> [InputView<'_>; 1] {
        [InputView {
            batch: self.rows,
            time: self.steps,
            values: Values::Floats(&self.x),
        }]
    }
}

/// Runs until it has been often enough or long enough.
fn times(
    most: usize,
    mut run: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let (all, mut times) = (Instant::now(), Vec::new());
    while times.is_empty() || (times.len() < most && all.elapsed() < ENOUGH) {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// The models that it knows, by cell and units: chains of one layer of these sizes, and others.
macro_rules! models {
    ($device:expr, $cell:expr, $units:expr; $($size:literal)*; $($name:literal $n:literal: $model:expr;)*) => {
        match ($cell, $units) {
            $(
                ("LSTM", $size) => Measured::new(rnn_model!(Input(_, $size) -> LSTM($size)), $size, $device),
                ("GRU", $size) => Measured::new(rnn_model!(Input(_, $size) -> GRU($size)), $size, $device),
            )*
            $(($name, $n) => Measured::new($model, $n, $device),)*
            _ => Err("unknown".into()),
        }
    };
}

fn make(device: &Device, cell: &str, units: usize) -> Result<Measured, Box<dyn Error>> {
    models!(device, cell, units; 8 32 64 128 256 512 1024;
        "LayerNormLstm" 8: rnn_model!(Input(_, 8) -> RNN(LayerNormLstm(8)));
        "LayerNormLstm" 128: rnn_model!(Input(_, 128) -> RNN(LayerNormLstm(128)));
        "LSTM-recurrent-dropout" 128: rnn_model!(Input(_, 128) -> LSTM(128, recurrent_dropout = 0.2));
        "GRU-relu" 128: rnn_model!(Input(_, 128) -> GRU(128, activation = relu));
    )
}

/// The device with a precision, which has the name that PyTorch's users know it by.
fn with_precision(device: &Device, precision: &str) -> Result<Device, Box<dyn Error>> {
    let precision = match precision {
        "fp32" => Precision::Float32,
        "tf32" => Precision::Tf32,
        "bf16" => Precision::Bf16,
        "fp16" => Precision::F16,
        _ => return Err("unknown".into()),
    };
    device.clone().with_precision(precision).map_err(|e| {
        // A GPU without tensor cores.
        eprintln!("{e}");
        "unknown".into()
    })
}

/// What a line asks for.
struct Asked<'a> {
    model: [&'a str; 3],
    rows: usize,
    steps: usize,
    training: bool,
    most: usize,
}

fn parse(line: &str) -> Option<Asked<'_>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [precision, cell, units, rows, steps, what, most] = words[..] else {
        return None;
    };
    let training = match what {
        "inference" => false,
        "training" => true,
        _ => return None,
    };
    Some(Asked {
        model: [precision, cell, units],
        rows: rows.parse().ok()?,
        steps: steps.parse().ok()?,
        training,
        most: most.parse().ok()?,
    })
}

/// The models of the last cell, by precision: the next line may want one of them again.
#[derive(Default)]
struct Last {
    cell: (String, String),
    models: BTreeMap<String, Measured>,
}

impl Last {
    fn answer(&mut self, device: &Device, line: &str) -> Result<f64, Box<dyn Error>> {
        let asked = parse(line).ok_or("unknown")?;
        let [precision, cell, units] = asked.model;
        if self.cell != (cell.to_owned(), units.to_owned()) {
            // Their memory is free before the next ones take some.
            self.models.clear();
            self.cell = (cell.to_owned(), units.to_owned());
        }
        // One that fails is not kept.
        let mut model = match self.models.remove(precision) {
            Some(model) => model,
            None => make(&with_precision(device, precision)?, cell, units.parse()?)?,
        };
        let batch = Batch::new(asked.rows, asked.steps, model.units);
        let mut run = || match asked.training {
            true => model.train(&batch),
            false => model.predict(&batch),
        };
        times(WARM_UP.min(asked.most), &mut run)?;
        let times = times(asked.most, &mut run)?;
        self.models.insert(precision.to_owned(), model);
        Ok(times[times.len() / 2])
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let device = recurrent_test_cuda::device().ok_or("no device")?;
    eprintln!("on {}, {}", *device, device.name());
    let mut last = Last::default();
    for line in io::stdin().lines() {
        let answer = match last.answer(&device, &line?) {
            Ok(time) => format!("{time:.1}"),
            // One line, whatever it is.
            Err(e) => e.to_string().replace('\n', "; "),
        };
        let mut out = io::stdout();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
