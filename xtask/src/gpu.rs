//! `cargo xtask gpu`: all that a machine with a GPU has to show, in one command.
//!
//! `cargo xtask gpu pack` builds the test programs and what measures, and packs them into `target/gpu.tar.xz`, for a
//! machine with a GPU but without cargo: there `tar xf gpu.tar.xz` and `bash tests/cuda/gpu/run.sh gpu`, in a copy of this
//! repository. `cargo xtask gpu` does both here.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Test programs by their packages.
const PROGRAMS: &[(&str, &[&str])] = &[
    (
        "goldens",
        &[
            "lstm",
            "gru",
            "gru_plain",
            "simple_rnn",
            "stateless",
            "stacks",
            "models",
        ],
    ),
    ("grid", &["layers_0", "layers_4", "gru_0", "lstm_0"]),
    ("cuda", &["training", "models"]),
];

/// Builds, packs and, unless only that is asked for, runs.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let result = match arguments {
        [] => pack(root).and_then(|folder| start(root, &folder, None)),
        [word] if word == "pack" => pack(root).map(|_| ()),
        [word] if word == "--tiny" => {
            pack(root).and_then(|folder| start(root, &folder, Some("--tiny")))
        }
        other => Err(format!(
            "gpu: `{}` is neither pack nor --tiny",
            other.join(" ")
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Builds everything and puts it into `target/gpu`, and that into an archive.
fn pack(root: &Path) -> Result<PathBuf, String> {
    let folder = root.join("target/gpu");
    let _ = fs::remove_dir_all(folder.join("bin"));
    let mut packed = 0;
    for (package, programs) in PROGRAMS {
        let name = format!("recurrent-test-{package}");
        let mut arguments = vec![
            "test",
            "-p",
            &name,
            "--features",
            "all,cuda",
            "--no-run",
            "--message-format",
            "json",
        ];
        for program in *programs {
            arguments.extend(["--test", program]);
        }
        for path in executables(root, &arguments)? {
            packed += usize::from(put(&path, &folder.join("bin").join(package), programs)?);
        }
    }
    let arguments = [
        "build",
        "--release",
        "-p",
        "recurrent-test-cuda",
        "--features",
        "cuda",
        "--example",
        "measure",
        "--message-format",
        "json",
    ];
    for path in executables(root, &arguments)? {
        packed += usize::from(put(&path, &folder.join("bin/measure"), &["measure"])?);
    }
    let wanted = 1 + PROGRAMS
        .iter()
        .map(|(_, programs)| programs.len())
        .sum::<usize>();
    if packed != wanted {
        return Err(format!("{packed} of {wanted} programs were built"));
    }
    // A machine without a network may lack NVRTC.
    let nvrtc = folder.join("nvrtc");
    let _ = fs::create_dir_all(&nvrtc);
    for library in libraries(&root.join("target/nvrtc")) {
        let name = library.file_name().unwrap_or_default();
        let _ = fs::copy(&library, nvrtc.join(name));
    }
    let archive = root.join("target/gpu.tar.xz");
    let mut tar = Command::new("tar");
    tar.env("XZ_OPT", "-T0 -3").args([
        "-C",
        "target",
        "-cJf",
        "target/gpu.tar.xz",
        "gpu/bin",
        "gpu/nvrtc",
    ]);
    let packed = tar.current_dir(root).status();
    if !packed.is_ok_and(|status| status.success()) {
        return Err("tar cannot pack target/gpu".to_owned());
    }
    let bytes = fs::metadata(&archive).map_or(0, |m| m.len());
    println!("target/gpu.tar.xz: {} MiB", bytes >> 20);
    Ok(folder)
}

/// NVRTC's libraries below a folder, if `cargo xtask nvrtc` has been there.
fn libraries(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(libraries(&path));
        } else if entry.file_name().to_string_lossy().starts_with("libnvrtc") {
            found.push(path);
        }
    }
    found
}

/// The programs that cargo has built.
fn executables(root: &Path, arguments: &[&str]) -> Result<Vec<PathBuf>, String> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .current_dir(root)
        .args(arguments)
        .stderr(std::process::Stdio::inherit())
        .output();
    let output = output.map_err(|e| format!("cannot start cargo: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo {} fails", arguments.join(" ")));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let path = |line: &str| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        Some(PathBuf::from(rest.split('"').next()?))
    };
    Ok(text.lines().filter_map(path).collect())
}

/// Copies a program without its symbols, under the name that cargo knows it by; false for one that was not asked for.
fn put(path: &Path, folder: &Path, programs: &[&str]) -> Result<bool, String> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    // `lstm-0123456789abcdef`
    let name = match file.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 => name,
        _ => &file,
    };
    if !programs.contains(&name) {
        return Ok(false);
    }
    let to = folder.join(name);
    let copied = fs::create_dir_all(folder).and_then(|()| fs::copy(path, &to));
    copied.map_err(|e| format!("{}: {e}", to.display()))?;
    // Without `strip` it is only larger.
    let _ = Command::new("strip").arg(&to).status();
    Ok(true)
}

/// Runs what has been packed.
fn start(root: &Path, folder: &Path, option: Option<&str>) -> Result<(), String> {
    let mut script = Command::new("bash");
    script
        .current_dir(root)
        .arg("tests/cuda/gpu/run.sh")
        .arg(folder)
        .args(option);
    match script.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("something fails: target/gpu/results has the logs".to_owned()),
        Err(e) => Err(format!("cannot start bash: {e}")),
    }
}
