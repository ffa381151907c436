//! The example for microcontrollers, in QEMU: a Cortex-M4F and a RISC-V recognise every gesture of the recording.

#[path = "../../support/skip.rs"]
mod skip;

use std::{path::Path, process::Command};

/// A machine that QEMU has.
struct Machine {
    target: &'static str,
    qemu: &'static str,
    package: &'static str,
    arguments: &'static [&'static str],
    /// Instructions that a step takes at most: measured, and a tenth more.
    step: u32,
}

const MACHINES: [Machine; 2] = [
    Machine {
        target: "thumbv7em-none-eabihf",
        qemu: "qemu-system-arm",
        package: "qemu-system-arm",
        arguments: &["-M", "mps2-an386"],
        step: 5400,
    },
    Machine {
        target: "riscv32imafc-unknown-none-elf",
        qemu: "qemu-system-riscv32",
        package: "qemu-system-misc",
        arguments: &["-M", "virt", "-bios", "none"],
        step: 7300,
    },
];

/// Whether rustc has the libraries of the target.
fn has(target: &str) -> bool {
    let rustc = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = rustc.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    sysroot.is_ok_and(|path| Path::new(&path).join("lib/rustlib").join(target).exists())
}

fn runs(machine: &Machine) {
    let Machine { target, qemu, .. } = machine;
    if !has(target) {
        return skip::skipped(target, "`rustup target add` has not been run for it");
    }
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/embedded");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--target", target])
        .args(["--target-dir", folder])
        // Its folder has settings of its own.
        .current_dir(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../examples/embedded"
        ))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{said}");
    let program = format!("{folder}/{target}/release/recurrent-embedded");
    // `timeout`, as a program that has lost its way does not end.
    let ran = Command::new("timeout")
        .args(["60", qemu])
        .args(machine.arguments)
        .args(["-nographic", "-icount", "shift=0"])
        .args(["-semihosting-config", "enable=on,target=native"])
        .args(["-kernel", &program])
        .output();
    let ran = match ran {
        Ok(ran) if ran.status.code() != Some(127) => ran,
        _ => {
            let why = format!(
                "built, and not run: {qemu} (Debian's {}) is not on the path",
                machine.package
            );
            return skip::skipped(target, &why);
        }
    };
    let (out, console) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    let text = format!("{out}{console}");
    assert!(ran.status.success(), "{}: {text}", ran.status);
    assert!(text.contains("24 of 24 gestures are right"), "{text}");
    let step = text
        .lines()
        .find_map(|line| line.strip_suffix(" instructions a step"));
    let step: u32 = step.expect("a count").parse().expect("a number");
    assert!((1000..=machine.step).contains(&step), "{step} instructions");
}

#[test]
fn a_cortex_m4_recognises_gestures() {
    runs(&MACHINES[0]);
}

#[test]
fn a_risc_v_recognises_gestures() {
    runs(&MACHINES[1]);
}
