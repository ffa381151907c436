//! A device that has no more memory, or that fails, in the middle of a training: an error, and no panic.

#[path = "../../support/skip.rs"]
mod skip;

use cuda::bench::{Bench, load};
use ndarray::{Array2, Array3};
use recurrent::{
    learner::{InputView, StepSeed, Values},
    prelude::*,
};
use recurrent_test_cuda::numbers;

/// The stand-in, which can fail.
fn bench() -> Option<Bench> {
    match load() {
        Ok(bench) => Some(bench),
        Err(reason) => {
            skip::skipped("failures of a device", &reason.to_string());
            None
        }
    }
}

fn model() -> impl Model<Input = Sequence, Output = Array2<f32>> + Learner + Clone {
    rnn_model!(Input(_, 2) -> Masking
        -> LSTM(3, stateful, kernel_constraint = max_norm(1.0), kernel_regularizer = l2(0.1))
        -> Dense(1))
}

fn fit(model: &mut impl Learner) -> Result<History, Error> {
    let x = Array3::from_shape_vec((8, 3, 2), numbers(48, 1)).unwrap();
    let y = Array2::from_shape_vec((8, 1), numbers(8, 2)).unwrap();
    let weights: Vec<f32> = numbers(8, 3).iter().map(|w| w + 1.0).collect();
    let data = Dataset::new(x, y)?.sample_weight(weights)?;
    let fit = Fit {
        batch_size: 4,
        shuffle: false,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let mut trainer = Trainer::new(model)
        .optimizer(Adam::new(0.01).clipnorm(1.0))
        .loss(MeanSquaredError)
        .metric(MeanAbsoluteError);
    trainer.fit(&data, fit)
}

/// Each allocation of a training fails once; the next training with the same model goes well. A training can do without some of
/// them, which hold copies on their way.
#[test]
fn no_memory_is_an_error() {
    let Some(bench) = bench() else { return };
    let device = Device::cuda(0).unwrap();
    let mut failed = 0;
    for number in 1.. {
        let mut model = model().to(&device).unwrap();
        let before = bench.allocations();
        bench.fail_allocation(number);
        let result = fit(&mut model);
        bench.fail_allocation(0);
        match result {
            Ok(_) if bench.allocations() < before + number => break,
            Ok(_) => {}
            Err(e) => {
                failed += 1;
                assert!(e.to_string().contains("out of memory"), "{e}");
            }
        }
        // The states of a batch that has run may have stayed.
        Model::reset_states(&model);
        fit(&mut model).unwrap();
        assert!(Learner::weights(&model).iter().all(|w| w.is_finite()));
    }
    // Values, weights, gradients, slots, tables, targets, figures, …
    assert!(failed > 15, "{failed}");
}

/// Tensor cores of an older GPU do not know the numbers.
#[test]
fn an_older_gpu_has_float32_only() {
    let Some(bench) = bench() else { return };
    bench.set_device(cuda::bench::Device {
        capability: 75,
        ..cuda::bench::Device::default()
    });
    let device = Device::cuda(0).unwrap();
    for precision in [Precision::Tf32, Precision::Bf16, Precision::F16] {
        let error = device
            .clone()
            .with_precision(precision)
            .unwrap_err()
            .to_string();
        let start = format!("cuda:0: {precision} needs a GPU of compute capability 8.0 or later; ");
        assert!(error.starts_with(&start), "{error}");
        assert!(error.contains("has 7.5"), "{error}");
    }
    let device = device.with_precision(Precision::Float32).unwrap();
    let mut model = model().to(&device).unwrap();
    fit(&mut model).unwrap();
}

/// NVRTC does not know the GPU of tomorrow: the driver compiles the text for it, unless it is older than the text.
#[test]
fn a_newer_gpu_needs_a_newer_driver() {
    let Some(bench) = bench() else { return };
    let newer = cuda::bench::Device {
        capability: 200,
        ..cuda::bench::Device::default()
    };
    bench.set_device(newer);
    let mut trained = model().to(&Device::cuda(0).unwrap()).unwrap();
    fit(&mut trained).unwrap();

    bench.set_device(cuda::bench::Device {
        newest_ptx: 700,
        ..newer
    });
    let moved = Device::cuda(0).and_then(|device| model().to(&device));
    let error = moved.err().expect("an older driver").to_string();
    for words in ["CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "update the driver"] {
        assert!(error.contains(words), "{error}");
    }
    assert!(Device::auto().is_cpu());
}

/// A GPU that is not there, one of several and the only one.
#[test]
fn a_gpu_that_is_missing_is_named() {
    let Some(bench) = bench() else { return };
    let said = |ordinal| Device::cuda(ordinal).unwrap_err().to_string();
    assert_eq!(
        said(7),
        "cuda: there is no GPU number 7; the driver finds 1, counted from 0"
    );
    bench.set_device(cuda::bench::Device {
        count: 0,
        ..cuda::bench::Device::default()
    });
    assert_eq!(
        said(0),
        "cuda: the driver finds no NVIDIA GPU on this machine"
    );
    assert!(Device::auto().is_cpu());
}

/// Two GPUs: a model moves from one to the other and back, with its weights and states; two models run on one each.
#[test]
fn a_model_moves_between_gpus() {
    let Some(bench) = bench() else { return };
    bench.set_device(cuda::bench::Device {
        count: 2,
        ..cuda::bench::Device::default()
    });
    let devices = [0, 1].map(|ordinal| Device::cuda(ordinal).unwrap());
    assert_ne!(devices[0].to_string(), devices[1].to_string());
    let mut stays = model().to(&devices[0]).unwrap();
    let mut moves = model();
    fit(&mut stays).unwrap();
    moves
        .weights_mut()
        .copy_from_slice(Learner::weights(&stays));
    for device in [&devices[1], &devices[0], &Device::cpu(), &devices[1]] {
        moves.move_to(device).unwrap();
        assert_eq!(moves.device().to_string(), device.to_string());
        let expected = stays.predict(&rows()).unwrap();
        let found = moves.predict(&rows()).unwrap();
        let far = (&found - &expected)
            .iter()
            .fold(0f32, |m, d| m.max(d.abs()));
        assert!(far < 1e-6, "{far}");
    }
    // States went along: those of four batches.
    for (found, expected) in moves.states().iter().zip(stays.states()) {
        let far = (&found.value - &expected.value)
            .iter()
            .fold(0f32, |m, d| m.max(d.abs()));
        assert!(far < 1e-6, "{far}");
    }
    fit(&mut moves).unwrap();
    fit(&mut stays).unwrap();
    let (a, b) = (Learner::weights(&stays), Learner::weights(&moves));
    let far = a.iter().zip(b).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
    assert!(far < 1e-6, "{far}");
    assert_eq!(bench.reports(), Vec::<String>::new());
}

fn rows() -> Array3<f32> {
    Array3::from_shape_vec((4, 3, 2), numbers(24, 7)).unwrap()
}

/// A move for which there is no memory leaves the model where it is, with weights and states, from the CPU and from another
/// GPU; and so does one that cannot take the weights along.
#[test]
fn a_model_that_cannot_move_stays() {
    let Some(bench) = bench() else { return };
    bench.set_device(cuda::bench::Device {
        count: 2,
        ..cuda::bench::Device::default()
    });
    let devices = [0, 1].map(|ordinal| Device::cuda(ordinal).unwrap());
    for from in [Device::cpu(), devices[0].clone()] {
        let mut model = model().to(&from).unwrap();
        fit(&mut model).unwrap();
        let mut failed = 0;
        for number in 1.. {
            model.reset_states();
            model.predict(&rows()).unwrap();
            let mut twin = model.clone();
            twin.move_to(&from).unwrap();
            twin.predict(&rows()).unwrap();
            bench.fail_allocation(number);
            let moved = model.move_to(&devices[1]);
            bench.fail_allocation(0);
            let Err(e) = moved else { break };
            failed += 1;
            assert!(e.to_string().contains("out of memory"), "{e}");
            assert_eq!(model.device().to_string(), from.to_string());
            assert_eq!(Learner::weights(&model), Learner::weights(&twin));
            // The next batch starts with the states of the last one.
            assert_eq!(model.states(), twin.states());
            assert_eq!(
                model.predict(&rows()).unwrap(),
                twin.predict(&rows()).unwrap()
            );
        }
        assert!(failed > 0, "{failed}");
        assert_eq!(model.device().to_string(), devices[1].to_string());
        fit(&mut model).unwrap();
    }
}

/// A backup is never written of numbers that could not be copied: what is in the file can always be gone on with.
#[test]
fn a_backup_has_no_numbers_that_could_not_be_copied() {
    let Some(bench) = bench() else { return };
    let device = Device::cuda(0).unwrap();
    let path = std::env::temp_dir().join(format!("recurrent-backup-{}", std::process::id()));
    let train = |model: &mut _, epochs| {
        let x = Array3::from_shape_vec((8, 3, 2), numbers(48, 1)).unwrap();
        let y = Array2::from_shape_vec((8, 1), numbers(8, 2)).unwrap();
        let backup = BackupAndRestore {
            delete_checkpoint: false,
            ..BackupAndRestore::new(&path)
        };
        Trainer::new(model)
            .optimizer(Adam::new(0.01))
            .loss(MeanSquaredError)
            .callback(backup)
            .fit(
                &Dataset::new(x, y)?,
                Fit {
                    batch_size: 4,
                    epochs,
                    shuffle: false,
                    reset_states: false,
                    verbose: Verbose::Silent,
                    ..Fit::default()
                },
            )
    };
    let goes_on = || {
        if path.exists() {
            let mut model = model();
            let history = train(&mut model, 4).unwrap();
            assert!(
                history["loss"].iter().all(|loss| loss.is_finite()),
                "{history:?}"
            );
            assert!(Learner::weights(&model).iter().all(|w| w.is_finite()));
            std::fs::remove_file(&path).unwrap();
        }
    };
    let mut failed = 0;
    for number in 1.. {
        let mut model = model().to(&device).unwrap();
        bench.fail_copy(number);
        let result = train(&mut model, 2);
        goes_on();
        if result.is_ok() {
            break;
        }
        failed += 1;
        let error = result.unwrap_err().to_string();
        assert!(error.contains("OUT_OF_MEMORY"), "{error}");
        // The numbers are still on the device.
        model.reset_states();
        train(&mut model, 2).unwrap();
        assert!(Learner::weights(&model).iter().all(|w| w.is_finite()));
        goes_on();
    }
    bench.fail_copy(0);
    // Figures, weights, two slots and two states, after each of two epochs.
    assert!(failed > 10, "{failed}");
}

/// What cannot be copied once can be the next time: weights, parameters and states.
#[test]
fn a_copy_that_fails_loses_nothing() {
    let Some(bench) = bench() else { return };
    let mut model = model().to(&Device::cuda(0).unwrap()).unwrap();
    let run = |model: &mut _| {
        fit(model).unwrap();
        Model::predict(model, &rows()).unwrap();
    };
    run(&mut model);
    let failing = |what: &str, result: Result<(), Error>| {
        let error = result.expect_err(what).to_string();
        assert!(error.contains("OUT_OF_MEMORY"), "{what}: {error}");
    };
    let path = std::env::temp_dir().join(format!("recurrent-copy-{}", std::process::id()));

    // States: NaN, and an error of the next call that can return one; then themselves.
    bench.fail_copy(1);
    let lost = model.states();
    assert!(
        lost.iter().all(|s| s.value.iter().all(|v| v.is_nan())),
        "{lost:?}"
    );
    failing("states", model.predict(&rows()).map(drop));
    let states = model.states();
    assert!(states.iter().all(|s| s.value.iter().all(|v| v.is_finite())));
    run(&mut model);
    bench.fail_copy(1);
    failing("set_states", model.set_states(&states[..1]));
    model.set_states(&states[..1]).unwrap();
    assert_eq!(model.states()[0], states[0]);
    assert!(model.states()[1].value.iter().all(|v| v.is_finite()));

    // Weights: nothing is written until they are there, and what was written over NaN is gone with it.
    run(&mut model);
    bench.fail_copy(1);
    failing("save", model.save(&path));
    assert!(!path.exists());
    bench.fail_copy(1);
    assert!(Learner::weights(&model).iter().all(|w| w.is_nan()));
    bench.fail_copy(1);
    Learner::weights_mut(&mut model)[0] = 1.0;
    failing("save", model.save(&path));
    assert!(!path.exists());
    assert!(Learner::weights(&model).iter().all(|w| w.is_finite()));
    model.save(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    run(&mut model);
    bench.fail_copy(1);
    failing("param", model.param_view("lstm/kernel").map(drop));
    run(&mut model);
    assert!(
        model
            .param_view("lstm/kernel")
            .unwrap()
            .iter()
            .all(|w| w.is_finite())
    );

    // What runs on the host of weights that are NaN for once: a clone, its batches and streams, a stream of the model.
    run(&mut model);
    bench.fail_copy(1);
    let mut clone = model.clone();
    let error = clone.predict(&rows()).unwrap_err().to_string();
    assert!(error.contains("could not be copied"), "{error}");
    assert!(clone.save(&path).is_err() && fit(&mut clone).is_err());
    assert!(model.param_view("lstm/kernel").is_err());
    assert!(
        model
            .clone()
            .predict(&rows())
            .unwrap()
            .iter()
            .all(|y| y.is_finite())
    );
    let other = rnn_model!(Input(_, 2) -> LSTM(3))
        .to(&Device::cuda(0).unwrap())
        .unwrap();
    // Its weights are on the host, as they were when it was made: nothing is copied.
    assert_eq!(clone.copy_weights_from(&other).len(), 3);

    // A file replaces all weights, or none.
    model.save(&path).unwrap();
    run(&mut model);
    bench.fail_copy(1);
    model.load(&path).unwrap();
    bench.fail_copy(0);
    run(&mut model);
    bench.fail_copy(1);
    failing("load_matching", model.load_matching(&path).map(drop));
    model.load_matching(&path).unwrap();
    clone.load(&path).unwrap();
    assert!(
        clone
            .predict(&rows())
            .unwrap()
            .iter()
            .all(|y| y.is_finite())
    );
    std::fs::remove_file(&path).unwrap();

    // Outputs of the last batch.
    let x = rows();
    let x = [InputView {
        batch: 4,
        time: 3,
        values: Values::Floats(x.as_slice().unwrap()),
    }];
    model.forward(&x, StepSeed { seed: 1, step: 1 }).unwrap();
    bench.fail_copy(1);
    assert!(model.output(0).iter().all(|y| y.is_nan()));
    assert!(model.output(0).iter().all(|y| y.is_finite()));
    let mut gradients = vec![0.0; Learner::weights(&model).len()];
    assert!(model.backward(&[&[1.0; 4]], &mut gradients).is_err());
    model.backward(&[&[1.0; 4]], &mut gradients).unwrap();
    // A batch of inference takes the place of the one of training.
    model.predict(&rows()).unwrap();
    let error = model
        .backward(&[&[1.0; 4]], &mut gradients)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("call `forward` right before `backward`"),
        "{error}"
    );

    // A move, of which weights or states do not come along.
    for number in [1, 2, 3] {
        run(&mut model);
        bench.fail_copy(number);
        failing("move_to", model.move_to(&Device::cpu()));
        assert_eq!(model.device().to_string(), "cuda:0");
        assert!(
            model
                .states()
                .iter()
                .all(|s| s.value.iter().all(|v| v.is_finite()))
        );
    }
    let states = model.states();
    model.move_to(&Device::cpu()).unwrap();
    assert!(Learner::weights(&model).iter().all(|w| w.is_finite()));
    assert_eq!(model.states(), states);
    assert_eq!(bench.reports(), Vec::<String>::new());
}

/// A launch fails, and every call after it: the driver gives this context up.
#[test]
fn a_failed_launch_is_an_error() {
    let Some(bench) = bench() else { return };
    let path = std::env::temp_dir().join(format!("recurrent-failures-{}", std::process::id()));
    for number in [1, 7, 40, 55, 70] {
        bench.reset();
        let device = Device::cuda(0).unwrap();
        let mut model = model().to(&device).unwrap();
        bench.fail_launch(number);
        let error = fit(&mut model).unwrap_err().to_string();
        assert!(error.starts_with("cuda: "), "{error}");
        // A file of before stays as it is.
        let saved = model.save(&path).map_err(|e| e.to_string());
        let weights = Learner::weights(&model).to_vec();
        match weights[0].is_nan() {
            true => assert!(saved.unwrap_err().starts_with("cuda: ")),
            false => saved.unwrap(),
        }
        // What stands for weights that cannot be copied is never taken for them.
        Learner::weights_mut(&mut model)[0] = 1.0;
        assert!(fit(&mut model).is_err());
        // What has been on the host all the time is still there; of what cannot be copied NaN is what is left.
        assert!(weights.iter().all(|w| w.is_nan()) || weights.iter().all(|w| w.is_finite()));
        match model.to(&Device::cpu()) {
            Ok(model) => assert!(Learner::weights(&model).iter().all(|w| w.is_finite())),
            Err(e) => assert!(e.to_string().starts_with("cuda: "), "{e}"),
        }
        // What is left is given up with it.
        bench.reset();
    }
    // Nothing was written where no weights could be copied.
    let _ = std::fs::remove_file(path);
}
