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
memory: EXPECTED";
    assert_eq!(lines(&plan).join("\n"), expected, "{plan}");
    let summary = model().to(&device).unwrap().summary();
    let last = summary.lines().last();
    let expected =
        "on cuda:0, CUDA stand-in: products in float32; 3 of 6 scans by persistent kernels";
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
