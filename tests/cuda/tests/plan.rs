//! Where and how a model runs on a device, in words.

use std::{env, process::Command};

use recurrent::prelude::*;
use recurrent_test_cuda::device;

/// Two layers whose recurrent weights fit into the shared memory of a block, and one whose do not.
fn model() -> impl Model {
    rnn_model!(Input(_, 8) -> Masking -> LSTM(16, return_sequences) -> GRU(256) -> BatchNormalization -> Dense(2))
}

/// The lines of a plan after the first, which names the GPU.
fn lines(plan: &str) -> Vec<&str> {
    let lines: Vec<&str> = plan.lines().collect();
    assert!(lines[0].starts_with("on cuda:0, "), "{plan}");
    lines[1..].to_vec()
}

#[test]
fn a_plan_says_which_kernels_run_and_why() {
    let Some(device) = device() else { return };
    let plan = model().plan_on(&device);
    if device.name() != "CUDA stand-in" {
        assert!(plan.contains("kernel"), "{plan}");
        return;
    }
    let expected = "\
products: float32, by fmaf
memory: 834.3 KiB of weights, 1660.6 KiB of packed weights
  inference: 8.7 KiB a row of the batch, and 3.4 KiB a step of it
  training: 24.5 KiB a row of the batch, and 14.2 KiB a step of it
graphs: a schedule that has been started 3 times for batches of one size is one graph from then on, the last 16 of them
a block of a persistent kernel has 4 rows of the batch, or 1 if there are at most 132 rows
with the weights: 1 kernel
masking, Masking:
  inference: 3 kernels for all steps
  forward:   3 kernels for all steps
  backward:  1 kernel for all steps
lstm, LSTM(16, return_sequences):
  inference: 1 kernel before the steps; 1 persistent kernel for all steps (1 kernel each), its weights in 4 KiB of 227 KiB of shared memory
  forward:   1 kernel before the steps; 1 persistent kernel for all steps (1 kernel each), its weights in 4 KiB of 227 KiB of shared memory
  backward:  1 persistent kernel for all steps (2 kernels each), its weights in 4 KiB of 227 KiB of shared memory; 1 kernel after the steps
gru, GRU(256):
  inference: 1 kernel before the steps; 1 kernel at each step, since weights of 768 KiB do not fit into 227 KiB of shared memory
  forward:   1 kernel before the steps; 1 kernel at each step, since weights of 768 KiB do not fit into 227 KiB of shared memory
  backward:  2 kernels at each step, since weights of 768 KiB do not fit into 227 KiB of shared memory; 1 kernel after the steps
batch_normalization, BatchNormalization:
  inference: 1 kernel for all steps
dense, Dense(2):
  inference: 1 kernel for all steps
  forward:   1 kernel for all steps
  backward:  1 kernel for all steps";
    assert_eq!(lines(&plan).join("\n"), expected, "{plan}");
    let summary = model().to(&device).unwrap().summary();
    let last = summary.lines().last();
    let expected =
        "on cuda:0, CUDA stand-in: products in float32; 3 of 6 scans by persistent kernels";
    assert_eq!(last, Some(expected), "{summary}");
}

/// Fewer bytes of weights, more rows of a block; `f16` goes back in TF32.
#[test]
fn a_plan_says_what_products_are_made_in() {
    let Some(device) = device() else { return };
    if device.name() != "CUDA stand-in" {
        return;
    }
    let device = device.clone().with_precision(Precision::F16).unwrap();
    let plan = model().plan_on(&device);
    for expected in [
        "products: f16, backward tf32, by tensor cores\n",
        "a block of a persistent kernel has 8 rows of the batch, or 1 if there are at most 132 rows\n",
        "  forward:   1 kernel before the steps; 1 persistent kernel for all steps (1 kernel each), its weights in 2 KiB of 227 KiB",
        "  backward:  1 persistent kernel for all steps (2 kernels each), its weights in 4 KiB of 227 KiB",
        "1 kernel at each step, since weights of 384 KiB do not fit into 227 KiB of shared memory\n",
        "2 kernels at each step, since weights of 768 KiB do not fit into 227 KiB of shared memory;",
    ] {
        assert!(plan.contains(expected), "{expected}: {plan}");
    }
    let summary = model().to(&device).unwrap().summary();
    let last = summary.lines().last();
    let expected =
        "on cuda:0,f16, CUDA stand-in: products in f16; 3 of 6 scans by persistent kernels";
    assert_eq!(last, Some(expected), "{summary}");
}

/// The variable is read when a model is loaded, so the rest is a program of its own.
#[test]
fn a_plan_says_that_persistent_kernels_are_turned_off() {
    let Some(device) = device() else { return };
    const OFF: &str = "RECURRENT_CUDA_PERSISTENT";
    if env::var_os(OFF).is_some_and(|v| v == "0") {
        let plan = model().plan_on(&device);
        assert!(
            plan.contains("1 kernel at each step, since RECURRENT_CUDA_PERSISTENT is 0"),
            "{plan}"
        );
        assert!(!plan.contains("persistent kernel"), "{plan}");
        return;
    }
    let mut program = Command::new(env::current_exe().unwrap());
    program.args([
        "--exact",
        "a_plan_says_that_persistent_kernels_are_turned_off",
    ]);
    assert!(program.env(OFF, "0").status().unwrap().success());
}

#[test]
fn the_plan_of_the_cpu_is_the_compilers() {
    fn plan<M: Model>(_: &M) -> &'static str {
        M::plan()
    }
    let model = model();
    assert_eq!(model.plan_on(&Device::cpu()), plan(&model));
    assert!(!model.summary().contains("products"));
}
