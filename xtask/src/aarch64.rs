//! The core of the tests with NEON: compiled for 64-bit ARM, run by QEMU.

use std::{path::Path, process::Command};

use crate::cargo;

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const RUNNER: &str = "qemu-aarch64 -L /usr/aarch64-linux-gnu";

/// What runs: vectors and elementary functions, kernels, programs, streams without std.
const TESTS: &[&[&str]] = &[
    &["-p", "rnn-runtime", "--lib", "--", "cpu::"],
    &["-p", "recurrent-test-kernels"],
    // The others build programs, which a program under QEMU cannot.
    &[
        "-p",
        "recurrent-test-bare",
        "--test",
        "bits",
        "--",
        "--skip",
        "microcontroller",
    ],
];

/// Runs them, on an ARM as it is.
pub fn run(root: &Path) -> bool {
    if cfg!(target_arch = "aarch64") {
        return TESTS.iter().all(|tests| test(root, tests, &[]));
    }
    let missing = |tool: &&str| Command::new(tool).arg("--version").output().is_err();
    let tools = [LINKER, "qemu-aarch64"];
    let missing: Vec<&str> = tools.into_iter().filter(missing).collect();
    if !missing.is_empty() {
        eprintln!(
            "error: {} missing: install Debian's gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user, and run \
             `rustup target add {TARGET}`",
            missing.join(" and ")
        );
        return false;
    }
    let variables = [
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER),
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", RUNNER),
        // For a test that starts itself again.
        ("RECURRENT_TEST_RUNNER", RUNNER),
    ];
    // All of them, so that one run shows everything to mend.
    let passes = |tests: &&&[&str]| test(root, tests, &variables);
    TESTS.iter().filter(passes).count() == TESTS.len()
}

fn test(root: &Path, tests: &[&str], variables: &[(&str, &str)]) -> bool {
    let mut arguments = vec!["test"];
    if !variables.is_empty() {
        arguments.extend(["--target", TARGET]);
    }
    arguments.extend(tests);
    cargo(root, &arguments, variables)
}
