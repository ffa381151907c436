//! `cargo xtask nvrtc`: installs NVRTC, the compiler of CUDA, for the tests of kernels.
//!
//! It comes as a Python wheel and needs neither a GPU nor the CUDA toolkit. The tests find it below `target/nvrtc`
//! (`tests/cuda-standin/src/bench.rs`).

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};

/// What is installed, with its version.
const REQUIREMENTS: &str = "tests/cuda-standin/requirements.txt";
/// Where it goes.
const FOLDER: &str = "target/nvrtc";
/// The exit code when it cannot be had here, as on a machine without a network: the tests that need it are skipped.
const SKIPPED: u8 = 75;

/// Installs NVRTC unless it is there already.
pub fn install(root: &Path) -> ExitCode {
    let folder = root.join(FOLDER);
    let stamp = folder.join("requirements.txt");
    let wanted = match fs::read_to_string(root.join(REQUIREMENTS)) {
        Ok(wanted) => wanted,
        Err(error) => {
            eprintln!("error: cannot read {REQUIREMENTS}: {error}");
            return ExitCode::FAILURE;
        }
    };
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("NVRTC is in {FOLDER} already");
        return ExitCode::SUCCESS;
    }
    // An older version must not lie beside the new one.
    let _ = fs::remove_dir_all(&folder);
    match pip(root).and_then(|()| fs::write(&stamp, wanted).map_err(|error| error.to_string())) {
        Ok(()) => {
            println!("NVRTC is in {FOLDER}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("skipped: NVRTC cannot be installed: {why}");
            eprintln!("The tests that compile CUDA are skipped without it.");
            ExitCode::from(SKIPPED)
        }
    }
}

fn pip(root: &Path) -> Result<(), String> {
    let status = Command::new("python3")
        .current_dir(root)
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--disable-pip-version-check", "--target", FOLDER])
        .args(["--requirement", REQUIREMENTS])
        .status()
        .map_err(|error| format!("python3 cannot be started: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("pip ends with {status}")),
    }
}
