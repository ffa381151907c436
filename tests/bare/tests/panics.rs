//! A stream cannot panic, whatever the level of optimisation: no code of a panic is in a program that runs one.

#[path = "../../support/skip.rs"]
mod skip;

use std::{
    path::Path,
    process::{Command, Output},
};

const TARGETS: [&str; 3] = [
    "thumbv7em-none-eabihf",
    "aarch64-unknown-none",
    "x86_64-unknown-linux-gnu",
];
const LEVELS: [&str; 5] = ["1", "2", "3", "s", "z"];

/// Whether rustc has the libraries of the target.
fn has(target: &str) -> bool {
    let rustc = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = rustc.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    sysroot.is_ok_and(|path| Path::new(&path).join("lib/rustlib").join(target).exists())
}

/// Builds the program of silent.rs.
fn build(target: &str, level: &str, features: &str) -> Output {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/firmware");
    Command::new(env!("CARGO"))
        .args(["build", "--release", "--bin", "silent"])
        .args(["--features", features, "--target", target])
        .args(["--manifest-path", manifest, "--target-dir", folder])
        // Where there is an operating system, panics would unwind and look for a function that does that.
        .args(["--config", "profile.release.panic=\"abort\""])
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level)
        // Flags of the build that this test is part of.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // `memcpy` and `memset`, and what calls `main`.
        .env(
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "-C link-arg=-lc",
        )
        .output()
        .expect("cargo runs")
}

#[test]
fn no_step_can_panic() {
    for target in TARGETS {
        if !has(target) {
            skip::skipped(target, "`rustup target add` has not been run for it");
            continue;
        }
        for level in LEVELS {
            let built = build(target, level, "silent");
            let said = String::from_utf8_lossy(&built.stderr);
            assert!(built.status.success(), "{target}, {level}: {said}");
        }
        // The linker would notice.
        let built = build(target, "3", "panics");
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(
            !built.status.success() && said.contains("recurrent_must_not_panic"),
            "{target}: {said}"
        );
    }
}
