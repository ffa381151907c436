//! Every check of the repository in one command: `cargo xtask check`.
//!
//! `cargo xtask check` runs all steps, goes on after a failure and ends with one line a step, so
//! that one run shows everything there is to mend. `cargo xtask check fmt tidy` runs these two.
//! Steps that take long run only when they are named: `cargo xtask check exhaustive`.

mod aarch64;
mod bits;
mod doctests;
mod gpu;
mod nvrtc;
mod skipped;
mod tidy;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

/// One step of `cargo xtask check`.
struct Step {
    name: &'static str,
    /// What it looks for, for `cargo xtask help`.
    about: &'static str,
    run: fn(&Path) -> bool,
    /// Runs only when it is named.
    long: bool,
}

/// What the checks turn on: all test programs, and devices. The second command of the README builds without.
const FEATURES: &str = "all,cuda";

/// The steps, the quickest first.
const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "formatting (mend with `cargo fmt --all`)",
        run: |root| cargo(root, &["fmt", "--all", "--check"], &[]),
        long: false,
    },
    Step {
        name: "tidy",
        about: "the repository's own rules: see xtask/src/tidy",
        run: |root| tidy::run(root),
        long: false,
    },
    Step {
        name: "clippy",
        about: "lints, warnings denied",
        run: |root| {
            // The grid and the goldens are 700 models of one kind, written by scripts, which take minutes; the other packages have
            // every layer and every mode.
            let arguments = [
                "clippy",
                "--workspace",
                "--exclude",
                "recurrent-test-grid",
                "--exclude",
                "recurrent-test-goldens",
                "--all-targets",
                "--features",
                FEATURES,
                "--",
                "-D",
                "warnings",
            ];
            cargo(root, &arguments, &[])
        },
        long: false,
    },
    Step {
        name: "features",
        about: "the library with each of its features alone, and without any; the compiler with `import`",
        run: features,
        long: false,
    },
    Step {
        name: "doc",
        about: "documentation of every crate, broken links and warnings denied",
        run: |root| {
            let arguments = ["doc", "--workspace", "--no-deps"];
            cargo(root, &arguments, &[("RUSTDOCFLAGS", "-D warnings")])
        },
        long: false,
    },
    Step {
        name: "test",
        about: "all test programs, more than the default set of `cargo test --workspace --tests`",
        run: test,
        long: false,
    },
    Step {
        name: "device",
        about: "the models of tests/goldens, tests/grid and tests/modes on a device, the stand-in of tests/cuda-standin, \
                in several orders of blocks and warps; `gpu --tiny` there",
        run: device,
        long: false,
    },
    Step {
        name: "examples",
        about: "the examples run; one of them where there is no GPU",
        run: examples,
        long: false,
    },
    Step {
        name: "doctest",
        about: "all examples of the documentation, the README and the book, as programs of users",
        run: doctest,
        long: false,
    },
    Step {
        name: "exhaustive",
        about: "all of tests/grid, of which `test` runs a quarter: several minutes more; only if named",
        run: |root| {
            let arguments = [
                "test",
                "-p",
                "recurrent-test-grid",
                "--features",
                "exhaustive",
            ];
            cargo(root, &arguments, &[])
        },
        long: true,
    },
    Step {
        name: "amp",
        about: "examples/amp, a crate of its own: formatting, lints, tests; only if named",
        run: |root| own_crate(root, "amp"),
        long: true,
    },
    Step {
        name: "web",
        about: "examples/web likewise, with a page in Chromium; only if named",
        run: |root| own_crate(root, "web"),
        long: true,
    },
    Step {
        name: "slow",
        about: "tests on a device that take long and say little that the others do not; only if named",
        run: slow,
        long: true,
    },
    Step {
        name: "aarch64",
        about: "kernels, elementary functions and streams with NEON, under QEMU: several minutes; only if named",
        run: aarch64::run,
        long: true,
    },
];

/// Compiles the library with the sets of features that programs choose. The workspace turns all of them on
/// at once, and would not notice what one of them lacks. A warning fails, too: who depends on the library by its path sees it.
fn features(root: &Path) -> bool {
    let sets = [
        ("recurrent", ""),
        ("recurrent", "std"),
        ("recurrent", "weights"),
        ("recurrent", "training"),
        ("recurrent", "training,weights"),
        ("recurrent", "cuda"),
        // The readers of files are in the compiler: as a macro of the library they would be built, which takes a minute.
        ("rnn-compiler", "import"),
    ];
    // All of them, so that one run shows everything to mend.
    let passes = |(package, set): &&(&str, &str)| {
        let output = command(root)
            .args(["check", "-p", package, "--no-default-features"])
            // A colour would stand before the word that is looked for.
            .args(["--color", "never"])
            .args(["--features", set])
            .stderr(Stdio::piped())
            .spawn()
            .and_then(|child| child.wait_with_output());
        match output {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                eprint!("{said}");
                let warned = said.lines().any(|line| line.starts_with("warning"));
                if warned {
                    eprintln!("error: there are warnings in {package} with the features `{set}`");
                }
                output.status.success() && !warned
            }
            Err(error) => {
                eprintln!("cannot start cargo: {error}");
                false
            }
        }
    };
    sets.iter().filter(|set| passes(set)).count() == sets.len()
}

/// Runs all test programs. Those in `examples/` have no tests, and `clippy` has seen that they compile.
fn test(root: &Path) -> bool {
    match skipped::start(root) {
        Ok((name, path)) => {
            let arguments = ["test", "--workspace", "--features", FEATURES, "--tests"];
            cargo(root, &arguments, &[(name, path.as_str())])
        }
        Err(error) => {
            eprintln!("cannot write down which tests are skipped: {error}");
            false
        }
    }
}

/// Runs all examples of the documentation, outside of the workspace.
fn doctest(root: &Path) -> bool {
    doctests::run(root, FEATURES).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        false
    })
}

/// The examples that run, with their arguments. `digits`, the main job, runs as a release, which takes `.ci/run` minutes.
const EXAMPLES: &[(&str, &[&str])] = &[
    // Every section of Keras's guide must give what Keras gives.
    ("guide", &[]),
    ("addition", &["--quick"]),
    ("forecast", &["--quick"]),
    ("characters", &["--quick"]),
];

/// Runs the examples as `test` has built what they need, and asks one for a GPU where none is to be seen: one line that says
/// what is missing, and 1.
fn examples(root: &Path) -> bool {
    let mut build = vec!["build", "--workspace", "--features", FEATURES];
    for (name, _) in EXAMPLES.iter().chain(&[("digits", &[][..])]) {
        build.extend(["--example", name]);
    }
    if !cargo(root, &build, &[]) {
        return false;
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let folder = root.join(target).join("debug/examples");
    let runs = |(name, arguments): &&(&str, &[&str])| {
        eprintln!("-- {name} {}", arguments.join(" "));
        let run = Command::new(folder.join(name))
            .current_dir(root)
            .args(*arguments)
            .status();
        let passes = run.as_ref().is_ok_and(|status| status.success());
        if !passes {
            eprintln!("{name} {}: {run:?}", arguments.join(" "));
        }
        passes
    };
    // All of them, so that one run shows everything to mend.
    let passed = EXAMPLES.iter().filter(runs).count() == EXAMPLES.len();
    without_a_gpu(&folder.join("digits")) && passed
}

/// Checks an example that is a crate of its own, which no step of the workspace sees. The two share what they build.
fn own_crate(root: &Path, name: &str) -> bool {
    let manifest = format!("examples/{name}/Cargo.toml");
    let target = root.join("target/own");
    let target = ("CARGO_TARGET_DIR", &*target.to_string_lossy());
    let (variable, file) = match skipped::go_on(root) {
        Ok(skipped) => skipped,
        Err(error) => {
            eprintln!("cannot write down which tests are skipped: {error}");
            return false;
        }
    };
    let runs: [&[&str]; 3] = [
        &["fmt", "--check", "--manifest-path", &manifest],
        &["test", "--release", "--manifest-path", &manifest],
        &[
            "clippy",
            "--release",
            "--all-targets",
            "--manifest-path",
            &manifest,
            "--",
            "-D",
            "warnings",
        ],
    ];
    // All of them, so that one run shows everything to mend.
    let passes = |arguments: &&&[&str]| cargo(root, arguments, &[target, (variable, &file)]);
    runs.iter().filter(passes).count() == runs.len()
}

/// Whether a program that is asked for a GPU, where none is to be seen, says so in one line.
fn without_a_gpu(program: &Path) -> bool {
    let run = Command::new(program)
        .args(["--device", "cuda"])
        // It may name the folder of the stand-in; and a GPU that is there is hidden.
        .env_remove("LD_LIBRARY_PATH")
        .env("CUDA_VISIBLE_DEVICES", "")
        .output();
    let output = match run {
        Ok(output) => output,
        Err(error) => {
            eprintln!("cannot start {}: {error}", program.display());
            return false;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let passes = is_one_reason(output.status.code(), &said);
    if !passes {
        eprintln!(
            "{} --device cuda: expected one line that says what is missing and exit code 1, found {}:\n{said}",
            program.display(),
            output.status
        );
    }
    passes
}

/// Whether a program has ended with 1 and one line that says what a GPU needs.
fn is_one_reason(code: Option<i32>, said: &str) -> bool {
    code == Some(1) && said.starts_with("error: cuda: ") && said.trim_end().lines().count() == 1
}

/// Programs that run on the stand-in for a GPU: of which packages, in which order of blocks and warps, with which other variable.
struct OnDevice {
    packages: &'static [&'static str],
    seed: &'static str,
    variable: Option<(&'static str, &'static str)>,
}

/// The models of Keras in each of the three orders that the stand-in knows: what takes time is compiling kernels, and that is done
/// once. Batches of tests are small, so blocks have one row each; then blocks of several rows, and steps one by one, as for models that are too
/// large for the memory of a block.
const ON_DEVICE: &[OnDevice] = &[
    OnDevice {
        packages: &["goldens", "grid", "modes"],
        seed: "0",
        variable: None,
    },
    OnDevice {
        packages: &["goldens", "grid"],
        seed: "1",
        variable: None,
    },
    OnDevice {
        packages: &["goldens", "grid"],
        seed: "2",
        variable: None,
    },
    OnDevice {
        packages: &["goldens"],
        seed: "1",
        variable: Some(("CUDA_STANDIN_MULTIPROCESSORS", "1")),
    },
    OnDevice {
        packages: &["grid"],
        seed: "2",
        variable: Some(("RECURRENT_CUDA_PERSISTENT", "0")),
    },
];

/// Runs programs of three packages again, which `test` has built, with their models on the stand-in for a GPU.
fn device(root: &Path) -> bool {
    let passed = match skipped::go_on(root) {
        Ok(skipped) => ON_DEVICE
            .iter()
            .all(|run| on_device(root, run, (skipped.0, &skipped.1))),
        Err(error) => {
            eprintln!("cannot write down which tests are skipped: {error}");
            false
        }
    };
    let tiny = gpu::tiny(root).map_err(|error| eprintln!("error: gpu --tiny: {error}"));
    passed && tiny.is_ok()
}

/// Runs test programs on the stand-in. What they skip is written where `skipped` says.
fn on_device(root: &Path, run: &OnDevice, skipped: (&str, &str)) -> bool {
    let cache = root.join("target/cuda-cache");
    let cache = cache.to_string_lossy();
    let folders = run.packages.iter().map(|p| root.join("tests").join(p));
    let programs: Vec<String> = folders.flat_map(|folder| programs(&folder)).collect();
    let mut arguments = vec!["test", "--workspace", "--features", FEATURES];
    for program in &programs {
        arguments.extend(["--test", program.as_str()]);
    }
    let mut variables = vec![
        skipped,
        ("RECURRENT_TEST_DEVICE", "standin"),
        ("RECURRENT_TEST_SEED", run.seed),
        ("RECURRENT_CACHE", &cache),
    ];
    variables.extend(run.variable);
    cargo(root, &arguments, &variables)
}

/// What takes long on the stand-in, and says little that the others do not.
fn slow(root: &Path) -> bool {
    let ignored = [
        "test",
        "-p",
        "recurrent-test-cuda",
        "--features",
        FEATURES,
        "--test",
        "precision",
        "--test",
        "whole",
        "--",
        "--ignored",
    ];
    // What kernels take, on both GPUs.
    let resources = [
        "test",
        "-p",
        "recurrent-test-cuda",
        "--features",
        FEATURES,
        "--test",
        "resources",
    ];
    let device = ("RECURRENT_TEST_DEVICE", "standin");
    let passed = cargo(root, &resources, &[device, ("RECURRENT_TEST_ALL", "1")]);
    cargo(root, &ignored, &[device]) && passed
}

/// The test programs of a package that the feature `all` turns on.
fn programs(package: &Path) -> Vec<String> {
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).unwrap_or_default();
    let exhaustive = |name: &str| {
        let entry = format!("name = \"{name}\"\nrequired-features = [\"exhaustive\"]");
        manifest.contains(&entry)
    };
    let files = std::fs::read_dir(package.join("tests"));
    let names = files.into_iter().flatten().flatten().filter_map(|file| {
        let path = file.path();
        let name = path.file_stem()?.to_str()?.to_owned();
        (path.extension()? == "rs" && !exhaustive(&name)).then_some(name)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (command, names) = match arguments.split_first() {
        Some((command, names)) => (command.as_str(), names),
        None => ("help", &[][..]),
    };
    match command {
        "check" => match select(names) {
            Ok(steps) => check(&root(), &steps),
            Err(message) => fail(&message),
        },
        "tidy" if names.is_empty() => check(&root(), &[step("tidy")]),
        "bits" => match bits::run(&root(), names) {
            Ok(same) if same => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(message) => fail(&message),
        },
        "gpu" => gpu::run(&root(), names),
        "nvrtc" if names.is_empty() => nvrtc::install(&root()),
        "skipped" if names.is_empty() => {
            print!("{}", skipped::report(&root()));
            ExitCode::SUCCESS
        }
        "help" | "--help" | "-h" => {
            println!("{}", usage());
            ExitCode::SUCCESS
        }
        other => fail(&format!("no task is called `{other}`\n\n{}", usage())),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::FAILURE
}

/// The steps called `names` in the order of [`STEPS`]; all that are not long when `names` is empty.
fn select(names: &[String]) -> Result<Vec<&'static Step>, String> {
    if let Some(unknown) = names
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        return Err(format!("no step is called `{unknown}`\n\n{}", usage()));
    }
    let wanted = |step: &&Step| match names.is_empty() {
        true => !step.long,
        false => names.iter().any(|name| name == step.name),
    };
    Ok(STEPS.iter().filter(wanted).collect())
}

/// The step called `name`, which is a name written in this file.
fn step(name: &str) -> &'static Step {
    match STEPS.iter().find(|step| step.name == name) {
        Some(step) => step,
        None => unreachable!("`{name}` is in STEPS"),
    }
}

/// Runs `steps` one after another and reports all of them at the end.
fn check(root: &Path, steps: &[&Step]) -> ExitCode {
    let mut failed = 0;
    let mut report = String::new();
    for step in steps {
        eprintln!("== {}", step.name);
        let passed = (step.run)(root);
        failed += usize::from(!passed);
        let word = if passed { "ok" } else { "FAILED" };
        report += &format!("{:10} {word}\n", step.name);
    }
    if steps
        .iter()
        .any(|step| ["test", "web"].contains(&step.name))
    {
        report += &skipped::report(root);
    }
    eprint!("\n{report}");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs the cargo that runs this program, and tells whether it succeeded.
pub(crate) fn cargo(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> bool {
    let mut command = command(root);
    command.args(arguments).envs(variables.iter().copied());
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("cannot start cargo: {error}");
            false
        }
    }
}

/// The cargo that has started this program, in the repository.
fn command(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// The repository's root: the folder above this crate.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

fn usage() -> String {
    let mut text = String::from(
        "cargo xtask check [STEP…]   all checks that are not long, or those named\n\
         cargo xtask tidy            the repository's own rules alone\n\
         cargo xtask bits record     writes down what all test models compute, in tests/bits\n\
         cargo xtask bits compare    compares that with what they compute now\n\
         cargo xtask gpu [pack]      tests and measures on a machine with a GPU; `pack` only builds what it runs\n\
         cargo xtask gpu --tiny      the same in small on the stand-in, which tests the command\n\
         cargo xtask nvrtc           installs the compiler of CUDA that tests of kernels need; 75 if it cannot be had\n\
         cargo xtask skipped         the tests that the last `check test` could not run here\n\nsteps:",
    );
    for step in STEPS {
        text += &format!("\n  {:10} {}", step.name, step.about);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(asked: &[&str]) -> Result<Vec<&'static str>, String> {
        let asked: Vec<String> = asked.iter().map(|name| name.to_string()).collect();
        Ok(select(&asked)?.iter().map(|step| step.name).collect())
    }

    #[test]
    fn no_name_means_every_step_that_is_not_long() {
        let expected = vec![
            "fmt", "tidy", "clippy", "features", "doc", "test", "device", "examples", "doctest",
        ];
        assert_eq!(names(&[]), Ok(expected));
    }

    #[test]
    fn a_long_step_runs_when_it_is_named() {
        assert_eq!(names(&["exhaustive"]), Ok(vec!["exhaustive"]));
        assert_eq!(names(&["exhaustive", "fmt"]), Ok(vec!["fmt", "exhaustive"]));
    }

    #[test]
    fn named_steps_run_in_the_order_of_the_list() {
        assert_eq!(names(&["clippy", "fmt"]), Ok(vec!["fmt", "clippy"]));
    }

    #[test]
    fn a_program_without_a_gpu_says_why_in_one_line() {
        let said = "error: cuda: NVIDIA's driver is not there\n";
        assert!(is_one_reason(Some(1), said));
        assert!(!is_one_reason(Some(0), said));
        assert!(!is_one_reason(None, said));
        assert!(!is_one_reason(Some(1), "error: cuda: a\nerror: cuda: b\n"));
        assert!(!is_one_reason(Some(1), "thread 'main' panicked\n"));
    }

    #[test]
    fn an_unknown_step_is_named_and_the_known_ones_are_listed() {
        let message = names(&["clipy"]).unwrap_err();
        assert!(message.contains("`clipy`"), "{message}");
        assert!(message.contains("clippy"), "{message}");
    }
}
