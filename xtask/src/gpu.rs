//! `cargo xtask gpu`: all that a machine with a GPU has to show, in one command.
//!
//! `cargo xtask gpu pack` builds the test programs and what measures, and packs them into `target/gpu.tar.xz`, for a machine with a GPU but
//! without cargo: there, in a copy of this repository, `bash tests/cuda/gpu/run.sh target/gpu.tar.xz`. `cargo xtask gpu` does
//! both here. `cargo xtask gpu --tiny` does the same in small on the stand-in, with a few programs as the tests have built
//! them: a test of the command itself.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use crate::skipped;

/// Packages whose test programs run.
const PACKAGES: &[&str] = &["cuda", "goldens", "modes", "grid"];

/// Programs of tests/cuda that run on a device. `failures` plants failures in the stand-in, `uploads` reads what it has written
/// down, and `resources` and `parameters` run nothing.
const CUDA: &[&str] = &["plan", "precision", "training", "whole"];

/// What `--tiny` runs: the script is what is tested.
const TINY: &[(&str, &str)] = &[("cuda", "training"), ("modes", "shared")];

/// Most bytes of the archive.
const MOST: u64 = 64 << 20;

/// No more than this times smaller do test programs get.
const SMALLER: u64 = 9;

/// A program to run: its package below `tests`, its name, and where cargo has built it.
struct Program {
    package: String,
    name: String,
    path: PathBuf,
}

/// How much of `cargo xtask gpu`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    Pack,
    Tiny,
}

/// Builds, packs and, unless only that is asked for, runs.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        [] => build(root, Scope::All).and_then(|()| {
            let passed = start(root, &[]);
            keep(root).and(passed)
        }),
        ["pack"] => build(root, Scope::Pack),
        ["--tiny"] => tiny(root),
        _ => Err(format!(
            "gpu: `{}` is neither pack nor --tiny",
            arguments.join(" ")
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

/// The whole command on the stand-in, in small.
pub fn tiny(root: &Path) -> Result<(), String> {
    let began = Instant::now();
    let nvrtc = env::var_os("RECURRENT_NVRTC").map(PathBuf::from);
    let nvrtc = nvrtc.unwrap_or_else(|| root.join("target/nvrtc"));
    if !has_nvrtc(&nvrtc) {
        let why = format!(
            "NVRTC is not in {}: install it with `cargo xtask nvrtc`",
            nvrtc.display()
        );
        let added = skipped::add(root, "cargo xtask gpu --tiny", &why);
        return added.map_err(|e| format!("cannot write down what is skipped: {e}"));
    }
    build(root, Scope::Tiny)?;
    let built = began.elapsed().as_secs();
    // The kernels of the models that `check device` has compiled are there.
    let cache = root.join("target/cuda-cache").into_os_string();
    start(
        root,
        &[
            ("RECURRENT_TEST_DEVICE", "standin".into()),
            ("RECURRENT_NVRTC", nvrtc.into_os_string()),
            ("RECURRENT_CACHE", cache),
        ],
    )?;
    let results = folder(root).join("results/stand-in.md");
    let text = fs::read_to_string(&results).map_err(|e| format!("{}: {e}", results.display()))?;
    for part in [
        "| LSTM | 8 | 2 | 3 |",
        "### training",
        "| cuda | training |",
    ] {
        if !text.contains(part) {
            return Err(format!("{} lacks `{part}`", results.display()));
        }
    }
    println!(
        "gpu --tiny: {built} s for building, {} s in all",
        began.elapsed().as_secs()
    );
    Ok(())
}

fn folder(root: &Path) -> PathBuf {
    target(root).join("gpu")
}

/// Where cargo builds.
fn target(root: &Path) -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

/// Whether there is an NVRTC below a folder.
fn has_nvrtc(folder: &Path) -> bool {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            let name = entry.file_name();
            let found = name.to_string_lossy().starts_with("libnvrtc.so");
            found || (entry.path().is_dir() && has_nvrtc(&entry.path()))
        })
}

/// Builds everything, puts it into `target/gpu/bin`, and that into an archive unless it is for here and in small.
fn build(root: &Path, scope: Scope) -> Result<(), String> {
    let folder = folder(root);
    let _ = fs::remove_dir_all(folder.join("bin"));
    let programs = programs(root, scope)?;
    for program in &programs {
        put(program, &folder.join("bin"), scope)?;
    }
    if scope == Scope::Tiny {
        return Ok(());
    }
    pack(root, programs)
}

/// Builds the test programs and what measures. Features and profile of tests are those of `cargo xtask check`, so what that
/// has built is taken; what measures is optimised, unless only the script is tested.
fn programs(root: &Path, scope: Scope) -> Result<Vec<Program>, String> {
    let mut names = Vec::new();
    for package in PACKAGES {
        let all = match *package {
            "cuda" => CUDA.iter().map(|name| (*name).to_owned()).collect(),
            _ => crate::programs(&root.join("tests").join(package)),
        };
        let is_wanted =
            |name: &String| scope != Scope::Tiny || TINY.contains(&(*package, name.as_str()));
        names.extend(
            all.into_iter()
                .filter(is_wanted)
                .map(|name| (*package, name)),
        );
    }
    let workspace = ["--workspace", "--features", crate::FEATURES];
    let mut arguments = vec!["test", "--no-run"];
    arguments.extend(workspace);
    for (_, name) in &names {
        arguments.extend(["--test", name]);
    }
    let built = executables(root, &arguments)?;
    let mut programs = Vec::new();
    for (package, name) in names {
        let is_it = |p: &&Program| p.package == package && p.name == name;
        let program = built.iter().find(is_it);
        let program = program.ok_or_else(|| format!("cargo has not built {package}/{name}"))?;
        programs.push(Program {
            package: package.to_owned(),
            name,
            path: program.path.clone(),
        });
    }
    // The profile of tests, so that no dependency is built again.
    let profile = if scope == Scope::Tiny {
        "test"
    } else {
        "release"
    };
    let mut arguments = vec!["build", "--profile", profile, "--example", "measure"];
    match scope {
        Scope::Tiny => arguments.extend(workspace),
        _ => arguments.extend(["-p", "recurrent-test-cuda", "--features", "cuda"]),
    }
    let built = executables(root, &arguments)?;
    let measure = built.into_iter().find(|p| p.name == "measure");
    let measure = measure.ok_or("cargo has not built measure")?;
    programs.insert(
        0,
        Program {
            package: "measure".to_owned(),
            ..measure
        },
    );
    Ok(programs)
}

/// The programs that cargo has built.
fn executables(root: &Path, arguments: &[&str]) -> Result<Vec<Program>, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(arguments)
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output();
    let output = output.map_err(|e| format!("cannot start cargo: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo {} fails", arguments.join(" ")));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(executable).collect())
}

/// The program of a line of cargo's messages.
fn executable(line: &str) -> Option<Program> {
    let text = |key: &str| {
        let (_, rest) = line.split_once(&format!("\"{key}\":\""))?;
        Some(rest.split('"').next()?.to_owned())
    };
    let path = PathBuf::from(text("executable")?);
    // `…/tests/goldens/tests/lstm.rs`, `…/tests/cuda/tests/training/main.rs`, `…/tests/cuda/examples/measure.rs`
    let source = PathBuf::from(text("src_path")?);
    let kind = source
        .ancestors()
        .find(|path| path.ends_with("tests") || path.ends_with("examples"))?;
    let package = kind.parent()?.file_name()?.to_string_lossy().into_owned();
    let name = match source.file_stem()?.to_str()? {
        "main" => source.parent()?.file_name()?.to_str()?.to_owned(),
        stem => stem.to_owned(),
    };
    Some(Program {
        package,
        name,
        path,
    })
}

/// Puts a program into its package's folder, without symbols. In small it is only a link: the stand-in is looked for beside
/// the program.
fn put(program: &Program, folder: &Path, scope: Scope) -> Result<(), String> {
    let folder = folder.join(&program.package);
    let to = folder.join(&program.name);
    let put = fs::create_dir_all(&folder).and_then(|()| match scope {
        Scope::Tiny => link(&program.path, &to),
        _ => fs::copy(&program.path, &to).map(|_| ()),
    });
    put.map_err(|e| format!("{}: {e}", to.display()))?;
    if scope != Scope::Tiny {
        // Without `strip` it is only larger.
        let _ = Command::new("strip").arg(&to).status();
    }
    Ok(())
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::other("the stand-in for CUDA needs Linux"))
}

/// Packs `target/gpu/bin`: what measures, tests/cuda, and as many other programs as there is room for, the smallest first.
/// NVRTC is not in the archive: where nvcc and PyTorch are, it is, too.
fn pack(root: &Path, mut programs: Vec<Program>) -> Result<(), String> {
    let bin = folder(root).join("bin");
    let bytes =
        |p: &Program| fs::metadata(bin.join(&p.package).join(&p.name)).map_or(0, |file| file.len());
    programs.sort_by_key(|p| (!["measure", "cuda"].contains(&&*p.package), bytes(p)));
    let archive = folder(root).with_extension("tar.xz");
    // Compressing takes minutes, so what would certainly be too much is left out before.
    let mut room = SMALLER * MOST;
    loop {
        let mut sum = 0;
        let fitting = programs.iter().take_while(|p| {
            sum += bytes(p);
            sum <= room
        });
        let fitting = fitting.count();
        for program in programs.split_off(fitting) {
            let (package, name) = (&program.package, &program.name);
            println!(
                "left out of the archive: {package}/{name}, {} MiB",
                bytes(&program) >> 20
            );
        }
        let mut tar = Command::new("tar");
        // A large dictionary, since all programs contain the same runtime.
        tar.env(
            "XZ_OPT",
            "-T0 --block-size=192MiB --lzma2=preset=6,dict=64MiB",
        )
        .current_dir(target(root))
        .arg("-cJf")
        .arg(&archive)
        .args(
            programs
                .iter()
                .map(|p| format!("gpu/bin/{}/{}", p.package, p.name)),
        );
        if !tar.status().is_ok_and(|status| status.success()) {
            return Err("tar cannot pack target/gpu".to_owned());
        }
        let all: u64 = programs.iter().map(bytes).sum();
        let packed = fs::metadata(&archive).map_or(0, |m| m.len());
        println!(
            "{}: {:.1} MiB of at most {}, {} programs of {} MiB",
            archive.display(),
            packed as f64 / f64::from(1 << 20),
            MOST >> 20,
            programs.len(),
            all >> 20
        );
        if packed <= MOST {
            return Ok(());
        }
        // A little less than what fits if all programs shrink by the same.
        room = (all as f64 * MOST as f64 / packed as f64 * 0.97) as u64;
    }
}

/// Runs what has been built.
fn start(root: &Path, variables: &[(&str, std::ffi::OsString)]) -> Result<(), String> {
    let mut script = Command::new("bash");
    script
        .current_dir(root)
        .arg("tests/cuda/gpu/run.sh")
        .arg(folder(root))
        .args((!variables.is_empty()).then_some("--tiny"))
        .envs(variables.iter().cloned());
    match script.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!(
            "something fails: {} has the logs",
            folder(root).join("results").display()
        )),
        Err(e) => Err(format!("cannot start bash: {e}")),
    }
}

/// Puts the table and its plot where they are committed.
fn keep(root: &Path) -> Result<(), String> {
    let to = root.join("benches/results/gpu");
    fs::create_dir_all(&to).map_err(|e| format!("{}: {e}", to.display()))?;
    for entry in fs::read_dir(folder(root).join("results"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "md" || e == "svg") {
            let to = to.join(entry.file_name());
            fs::copy(&path, &to).map_err(|e| format!("{}: {e}", to.display()))?;
            println!("{}", to.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_the_package_and_the_file() {
        let line = |source: &str| {
            format!(
                "{{\"reason\":\"compiler-artifact\",\"target\":{{\"name\":\"x\",\"src_path\":\"{source}\"}},\
                 \"executable\":\"/r/target/debug/deps/x-1\",\"fresh\":true}}"
            )
        };
        let known = |source: &str| {
            let program = executable(&line(source)).unwrap();
            assert_eq!(program.path, Path::new("/r/target/debug/deps/x-1"));
            (program.package, program.name)
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            known("/r/tests/goldens/tests/lstm.rs"),
            pair("goldens", "lstm")
        );
        assert_eq!(
            known("/r/tests/cuda/tests/training/main.rs"),
            pair("cuda", "training")
        );
        assert_eq!(
            known("/r/tests/cuda/examples/measure.rs"),
            pair("cuda", "measure")
        );
        assert!(executable("{\"executable\":null}").is_none());
    }
}
