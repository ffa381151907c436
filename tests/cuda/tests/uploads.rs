//! The next batch is on its way while the kernels of the last one run, and it arrives in time in whatever order streams run.

#[path = "../../support/skip.rs"]
mod skip;

use cuda::bench::{Bench, Config, load};
use ndarray::{Array2, Array3};
use recurrent::{
    learner::{InputView, StepSeed, Values},
    prelude::*,
};
use recurrent_test_cuda::numbers;

fn bench() -> Option<Bench> {
    match load() {
        Ok(bench) => Some(bench),
        Err(reason) => {
            skip::skipped("uploads to a device", &reason.to_string());
            None
        }
    }
}

const STEPS: usize = 4;
const FEATURES: usize = 3;

/// Of two batches that the host hands over at once, the second has been copied to the device before a kernel of the first
/// has run, if the device is slow: nothing that computes has to end for that. Its copies to where kernels read them
/// come after the kernels of the first.
#[test]
fn the_next_batch_is_copied_while_the_last_one_computes() {
    let Some(bench) = bench() else { return };
    let device = Device::cuda(0).unwrap();
    let model = rnn_model!(Input(_, 3) -> LSTM(5) -> Dense(1));
    let mut model = model.to(&device).unwrap();
    let mut forward = |rows: usize| {
        let x = numbers(rows * STEPS * FEATURES, rows as u64);
        let inputs = [InputView {
            batch: rows,
            time: STEPS,
            values: Values::Floats(&x),
        }];
        let seed = StepSeed { seed: 3, step: 1 };
        Learner::forward(&mut model, &inputs, seed).unwrap();
    };
    // Kernels are compiled, and there is room.
    forward(9);
    device.synchronize().unwrap();
    bench.configure(Config {
        trace: true,
        ..Config::default()
    });
    let bytes = |rows: usize| 4 * rows * STEPS * FEATURES;
    forward(8);
    forward(7);
    bench.run();
    let trace = bench.trace();
    let all = trace.join("\n");
    let find = |what: &str| {
        let at = trace.iter().position(|line| line == what);
        at.unwrap_or_else(|| panic!("{what}: not in\n{all}"))
    };
    let is_kernel = |line: &String| line.starts_with("kernel ") && !line.ends_with(" pack");
    let first = trace.iter().position(is_kernel).unwrap();
    let kernels = trace.iter().filter(|line| is_kernel(line)).count();
    assert!(kernels >= 6, "{all}");
    for rows in [8, 7] {
        let copy = format!("copy {} bytes to the device", bytes(rows));
        assert!(find(&copy) < first, "{all}");
    }
    let before = find(&format!("copy {} bytes on the device", bytes(7)));
    assert!(before > first, "{all}");
    assert_eq!(bench.reports(), [""; 0]);
}

/// More batches than there are blocks for copies on their way, ids among the inputs, sample weights. Under an odd seed
/// copies run as early as events let them, under an even one as late.
#[test]
fn batches_arrive_in_whatever_order_streams_run() {
    let Some(bench) = bench() else { return };
    let device = Device::cuda(0).unwrap();
    let (rows, batch_size) = (80, 2);
    let ids = Array2::from_shape_fn((rows, STEPS), |(b, t)| ((b * 7 + t * 5) % 11) as u32);
    let x = Array3::from_shape_vec((rows, STEPS, 2), numbers(rows * STEPS * 2, 4)).unwrap();
    let y = Array2::from_shape_vec((rows, 1), numbers(rows, 5)).unwrap();
    let weights: Vec<f32> = numbers(rows, 6).iter().map(|w| w + 1.5).collect();
    let data = Dataset::new((ids, x), y).unwrap();
    let data = data.sample_weight(weights).unwrap();
    rnn_model! {
        struct Mixed {
            input words: ids[_];
            input x: [_, 2];
            let w = words -> Embedding(11, 3) -> GRU(4);
            let h = x -> LSTM(4);
            output y = (w, h) -> Concatenate -> Dense(1);
        }
    }
    let mut first: Option<Vec<u32>> = None;
    for seed in 0..3 {
        bench.configure(Config {
            seed,
            trace: true,
            ..Config::default()
        });
        let mut model = Mixed::new().to(&device).unwrap();
        let fit = Fit {
            batch_size,
            verbose: Verbose::Silent,
            ..Fit::default()
        };
        let mut trainer = Trainer::new(&mut model)
            .optimizer(Adam::new(0.01))
            .loss(MeanSquaredError);
        trainer.fit(&data, fit).unwrap();
        drop(trainer);
        let bits: Vec<u32> = Learner::weights(&model)
            .iter()
            .map(|w| w.to_bits())
            .collect();
        // Forwards and backwards, the gradient of the embedding among it, a batch is one graph from the fourth on.
        let graphs = bench.trace().iter().filter(|line| *line == "graph").count();
        assert_eq!(graphs, 2 * (rows / batch_size - 3));
        match &first {
            Some(first) => assert!(*first == bits, "other weights under seed {seed}"),
            None => first = Some(bits),
        }
    }
    assert_eq!(bench.reports(), [""; 0]);
}

/// What is larger than a block is copied in parts.
#[test]
fn large_arrays_are_copied_in_parts() {
    let Some(bench) = bench() else { return };
    let device = Device::cuda(0).unwrap();
    let model = rnn_model!(Input(70000) -> Dense(1, use_bias = false));
    let near = rnn_model!(Input(70000) -> Dense(1, use_bias = false));
    let x = Array2::from_shape_vec((70, 70000), numbers(70 * 70000, 9)).unwrap();
    let far = model.to(&device).unwrap().predict(&x).unwrap();
    for (f, n) in far.iter().zip(&near.predict(&x).unwrap()) {
        assert!((f - n).abs() < 1e-4 * n.abs().max(1.0), "{f} for {n}");
    }
    assert_eq!(bench.reports(), [""; 0]);
}
