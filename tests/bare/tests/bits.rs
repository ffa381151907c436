//! A stream without std gives the bits that the model itself gives on plain code, and a microcontroller
//! gives them as well.

#[path = "../../support/skip.rs"]
mod skip;

use std::{path::Path, process::Command};

use recurrent::{Isa, learner::Learner, model::Streamable, prelude::*};
use recurrent_test_bare::{
    Curved, Gates, Normalised, STARTS, STEPS, Words, input, number, run, word,
};

const TARGET: &str = "thumbv7em-none-eabihf";

/// What the streams of the library give, line by line.
fn bare() -> Vec<(String, u32)> {
    let mut all = Vec::new();
    run(|model, y| all.push((model.to_owned(), y.to_bits()))).expect("weights fit");
    all
}

/// The model with the weights that the library gives it, on plain code.
fn model<M: Model + Learner>(start: usize, weight: impl Fn(f32) -> f32) -> M {
    let mut model = M::new();
    model.set_isa(Isa::SCALAR);
    for (i, w) in model.weights_mut().iter_mut().enumerate() {
        *w = weight(number(start + i));
    }
    model
}

fn steps<M, X, const N: usize>(name: &str, model: &M, x: X, all: &mut Vec<(String, u32)>)
where
    M: Streamable + Model + for<'s> Model<StepOutput<'s> = &'s [f32; N]>,
    X: Fn(usize) -> M::StepInput,
{
    let mut stream = model.stream().expect("plain code exists");
    for t in 0..STEPS {
        let y = stream.step(&x(t));
        all.extend(y.iter().map(|y| (name.to_owned(), y.to_bits())));
    }
}

#[test]
fn a_stream_without_std_gives_the_bits_of_the_model() {
    let mut all = Vec::new();
    let inputs = |i| move |t| std::array::from_fn(|f| input(i, t, f));
    steps(
        "Gates",
        &model::<Gates>(STARTS[0], |x| x),
        inputs(0),
        &mut all,
    );
    let id = |t| Id::new(word(t)).expect("an id of the vocabulary");
    steps("Words", &model::<Words>(STARTS[1], |x| x), id, &mut all);
    let positive = model::<Normalised>(STARTS[2], |x| x.abs() + 0.1);
    steps(
        "Normalised",
        &positive,
        |t| std::array::from_fn(|f| input(2, t, f)),
        &mut all,
    );
    let curved = model::<Curved>(STARTS[3], |x| x);
    steps(
        "Curved",
        &curved,
        |t| std::array::from_fn(|f| input(3, t, f)),
        &mut all,
    );
    assert!(
        all.iter()
            .any(|(_, bits)| f32::from_bits(*bits).abs() > 0.1)
    );
    assert!(
        all.iter()
            .all(|(_, bits)| f32::from_bits(*bits).is_finite())
    );
    assert_eq!(bare(), all);
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    assert!(PackedWeights::<Gates>::new(&[], &[0.0; 10]).is_none());
    let packed = vec![0.0; PackedWeights::<Words>::LEN];
    assert!(PackedWeights::<Words>::new(&[], &packed).is_none());
    let weights = vec![0.0; PackedWeights::<Curved>::WEIGHTS];
    assert!(PackedWeights::<Curved>::pack(&weights, &mut [0.0; 3]).is_none());
    let mut room = vec![0.0; PackedWeights::<Curved>::LEN];
    assert!(PackedWeights::<Curved>::pack(&weights[1..], &mut room).is_none());
}

/// The libraries of the target, and the emulator.
fn missing() -> Option<String> {
    let rustc = Command::new("rustc").args(["--print", "sysroot"]).output();
    let Ok(sysroot) = rustc else {
        return Some("rustc is not on the path".to_owned());
    };
    let sysroot = String::from_utf8_lossy(&sysroot.stdout);
    let libraries = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET);
    if !libraries.exists() {
        return Some(format!("`rustup target add {TARGET}` has not been run"));
    }
    match Command::new("qemu-arm").arg("--version").output() {
        Ok(_) => None,
        Err(_) => Some("qemu-arm (Debian's package qemu-user) is not on the path".to_owned()),
    }
}

#[test]
fn a_microcontroller_gives_the_same_bits() {
    if let Some(why) = missing() {
        return skip::skipped(&format!("{TARGET} in QEMU"), &why);
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let target = concat!(env!("CARGO_TARGET_TMPDIR"), "/firmware");
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--bin",
            "firmware",
            "--features",
            "firmware",
        ])
        .args([
            "--target",
            TARGET,
            "--manifest-path",
            manifest,
            "--target-dir",
            target,
        ])
        .output()
        .expect("cargo runs");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let program = format!("{target}/{TARGET}/release/firmware");
    let ran = Command::new("qemu-arm")
        .arg(&program)
        .output()
        .expect("the emulator runs");
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let line = |line: &str| {
        let (model, bits) = line.split_once(' ').expect("a model and its bits");
        (
            model.to_owned(),
            u32::from_str_radix(bits, 16).expect("a number"),
        )
    };
    let found: Vec<_> = text.lines().map(line).collect();
    assert_eq!(found, bare());
}
