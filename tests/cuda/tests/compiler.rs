//! NVRTC, and what is kept of its work: a machine without it, a text that it refuses, files that are damaged, threads that need
//! the same kernels.
//!
//! Each test starts this program once more for each part of it, with a cache of its own: `RECURRENT_CACHE` is of a process.

#[path = "../../support/skip.rs"]
mod skip;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use cuda::bench::{Bench, load, load_without_nvrtc};
use ndarray::Array3;
use recurrent::prelude::*;
use recurrent_test_cuda::numbers;

/// Says to a program that it is a part of a test, and which.
const PART: &str = "RECURRENT_TEST_PART";
/// What a part starts a line with that the test reads.
const SAYS: &str = "the part says ";

/// The part of a test that this program is; `None` in the test itself.
fn part() -> Option<String> {
    env::var(PART).ok()
}

/// Runs a part of a test, and returns what it says; `None` where it cannot run.
fn run(test: &str, part: &str, cache: &Path) -> Option<Vec<String>> {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(PART, part)
        .env("RECURRENT_CACHE", cache)
        // Cargo names the folder of the stand-in here, whose NVRTC must not be found by its name.
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{test} {part}:\n{text}\n{errors}");
    let said = |line: &str| line.split_once(SAYS).map(|(_, said)| said.to_owned());
    let said: Vec<String> = text.lines().filter_map(said).collect();
    if said.is_empty() {
        // The part has written why into the list of what is skipped.
        assert!(
            text.contains("SKIPPED: "),
            "{test} {part} says nothing:\n{text}"
        );
        print!("{text}");
        return None;
    }
    Some(said)
}

fn say(what: &str) {
    println!("{SAYS}{what}");
}

/// A folder that is not there yet.
fn cache(name: &str) -> PathBuf {
    let folder = format!("recurrent-compiler-{name}-{}", std::process::id());
    let folder = env::temp_dir().join(folder);
    let _ = fs::remove_dir_all(&folder);
    folder
}

/// The files of compiled kernels.
fn kept(cache: &Path) -> Vec<PathBuf> {
    let entries = cache.read_dir().into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut kept: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "cubin"))
        .collect();
    kept.sort();
    kept
}

fn bench(what: &str) -> Option<Bench> {
    match load() {
        Ok(bench) => Some(bench),
        Err(reason) => {
            skip::skipped(what, &reason.to_string());
            None
        }
    }
}

/// What a model gives, as bits.
fn predict(device: &Device) -> Result<Vec<u32>, Error> {
    let model = rnn_model!(Input(_, 3) -> GRU(4) -> Dense(2));
    let x = Array3::from_shape_vec((2, 5, 3), numbers(30, 1)).unwrap();
    let y = model.to(device)?.predict(&x)?;
    Ok(y.iter().map(|y| y.to_bits()).collect())
}

/// A driver and a GPU, but no compiler: the message says how to get one, and `auto` is the CPU.
#[test]
fn nvrtc_that_is_missing_is_named() {
    const TEST: &str = "nvrtc_that_is_missing_is_named";
    if part().is_some() {
        match load_without_nvrtc() {
            Ok(()) => {
                let auto = Device::auto();
                let error = Device::cuda(0).expect_err("there is no NVRTC");
                say(&format!("{auto} {error}"));
            }
            Err(reason) => skip::skipped("a machine without NVRTC", &reason.to_string()),
        }
        return;
    }
    let Some(said) = run(TEST, "all", &cache("missing")) else {
        return;
    };
    assert!(
        said[0].starts_with("cpu cuda: NVRTC, CUDA's compiler, is not there"),
        "{said:?}"
    );
    assert!(
        said[0].contains("pip install nvidia-cuda-nvrtc"),
        "{said:?}"
    );
}

/// NVRTC's own words are shown, nothing is kept, and the device goes on.
#[test]
fn a_text_that_nvrtc_refuses_is_an_error_with_its_log() {
    const TEST: &str = "a_text_that_nvrtc_refuses_is_an_error_with_its_log";
    if part().is_some() {
        let Some(bench) = bench("texts that NVRTC refuses") else {
            return;
        };
        let device = Device::cuda(0).unwrap();
        bench.compile_with(c"-Dfloat=refused_by_a_test");
        let error = predict(&device).unwrap_err().to_string();
        assert!(error.starts_with("cuda: NVRTC "), "{error}");
        for words in ["refuses a kernel", "please report it", "refused_by_a_test"] {
            assert!(error.contains(words), "{words}: {error}");
        }
        // It is no fault of a text if an option is wrong, as that of an architecture can be.
        bench.compile_with(c"--no-such-option");
        let error = predict(&device).unwrap_err().to_string();
        assert!(error.contains("cannot compile here"), "{error}");
        bench.compile_with(c"");
        predict(&device).unwrap();
        assert_eq!(bench.reports(), Vec::<String>::new());
        say("done");
        return;
    }
    let cache = cache("refused");
    if run(TEST, "all", &cache).is_some() {
        assert!(!kept(&cache).is_empty());
        fs::remove_dir_all(cache).unwrap();
    }
}

/// Files that are cut, changed or empty are compiled again, and written; whole ones are read.
#[test]
fn damaged_files_are_compiled_again() {
    const TEST: &str = "damaged_files_are_compiled_again";
    if part().is_some() {
        let Some(bench) = bench("damaged files of the cache") else {
            return;
        };
        let y = predict(&Device::cuda(0).unwrap()).unwrap();
        say(&format!("{y:?}"));
        say(&bench.compiled().to_string());
        return;
    }
    let cache = cache("damaged");
    let Some(first) = run(TEST, "first", &cache) else {
        return;
    };
    let files = kept(&cache);
    assert!(
        files.len() > 1 && first[1] == files.len().to_string(),
        "{first:?} {files:?}"
    );
    let whole: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    for (number, path) in files.iter().enumerate() {
        let mut bytes = whole[number].clone();
        match number % 3 {
            0 => bytes.truncate(bytes.len() / 2),
            1 => bytes.clear(),
            _ => *bytes.last_mut().unwrap() ^= 1,
        }
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(run(TEST, "again", &cache).unwrap(), first);
    let mended: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(mended == whole);
    let last = run(TEST, "last", &cache).unwrap();
    assert_eq!((&last[0], last[1].as_str()), (&first[0], "0"));
    fs::remove_dir_all(cache).unwrap();
}

/// Threads that need the same kernels at the same time, each on a device of its own: one compiles, the others read.
#[test]
fn threads_compile_a_kernel_once() {
    const TEST: &str = "threads_compile_a_kernel_once";
    if part().is_some() {
        let Some(bench) = bench("threads that compile the same kernels") else {
            return;
        };
        let one = || predict(&Device::cuda(0).unwrap()).unwrap();
        let all: Vec<Vec<u32>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(all.iter().all(|y| *y == all[0]));
        say(&bench.compiled().to_string());
        return;
    }
    let cache = cache("threads");
    let Some(said) = run(TEST, "all", &cache) else {
        return;
    };
    assert_eq!(said, [kept(&cache).len().to_string()]);
    fs::remove_dir_all(cache).unwrap();
}
