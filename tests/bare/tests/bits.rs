//! A stream without std gives the bits that the model itself gives on plain code, and a microcontroller
//! gives those of one lane.

#[path = "../../support/skip.rs"]
mod skip;

use std::{path::Path, process::Command};

use recurrent::{
    Isa,
    learner::Learner,
    prelude::*,
    stream::{PortableF32, StreamProgram},
};
use recurrent_test_bare::{
    Curved, GATES, Gates, Normalised, STARTS, STEPS, WORDS, WORDS_PACKED, Words, input, number,
    numbers, positive, run, word,
};
use rnn_runtime::{
    cpu::{
        arena::{Arena, Storage},
        kernel::{Panels, StepMemory, StepPanels, StepValues},
        simd::Plain,
    },
    stream::Tables,
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

/// What a stream over packed weights gives.
fn packed<P, X, const N: usize>(weights: PackedWeights<P>, isa: Isa, x: X) -> Vec<u32>
where
    P: Streamable + for<'s> StreamProgram<StepOutput<'s> = &'s [f32; N]>,
    X: Fn(usize) -> P::StepInput,
{
    let mut stream = weights.stream_on(isa);
    let steps = (0..STEPS).map(|t| stream.step(&x(t)).map(f32::to_bits));
    steps.collect::<Vec<_>>().concat()
}

/// Panels of 16 are the layout of every instruction set: each gives the bits of its own layout.
#[test]
fn weights_that_others_packed_run_on_every_instruction_set() {
    let curves = numbers::<{ PackedWeights::<Curved>::WEIGHTS }>(STARTS[3]);
    let mut room = vec![0.0; PackedWeights::<Curved>::LEN];
    let curves = PackedWeights::<Curved>::pack(&curves, &mut room).unwrap();
    let mut again = vec![0.0; PackedWeights::<Curved>::LEN];
    let again = curves.encode::<PortableF32>(&mut again).unwrap();
    for &isa in Isa::available() {
        let bits = |all: Vec<(String, u32)>| all.into_iter().map(|(_, b)| b).collect::<Vec<_>>();
        let id = |t| Id::new(word(t)).unwrap();
        let inputs = |i: usize| move |t| std::array::from_fn(|f| input(i, t, f));

        let (mut gates, mut all) = (model::<Gates>(STARTS[0], |x| x), Vec::new());
        gates.set_isa(isa);
        steps(
            "",
            &gates,
            |t| std::array::from_fn(|f| input(0, t, f)),
            &mut all,
        );
        let weights = PackedWeights::<Gates>::new(&[], &GATES).unwrap();
        assert_eq!(packed(weights, isa, inputs(0)), bits(all), "{isa}");

        let (mut words, mut all) = (model::<Words>(STARTS[1], |x| x), Vec::new());
        words.set_isa(isa);
        steps("", &words, id, &mut all);
        let weights = PackedWeights::<Words>::new(&WORDS, &WORDS_PACKED).unwrap();
        assert_eq!(packed(weights, isa, id), bits(all), "{isa}");

        let (mut curved, mut all) = (model::<Curved>(STARTS[3], |x| x), Vec::new());
        curved.set_isa(isa);
        steps(
            "",
            &curved,
            |t| std::array::from_fn(|f| input(3, t, f)),
            &mut all,
        );
        let all = bits(all);
        assert_eq!(
            packed(curves, isa, |t| std::array::from_fn(|f| input(3, t, f))),
            all,
            "{isa}"
        );
        assert_eq!(
            packed(again, isa, |t| std::array::from_fn(|f| input(3, t, f))),
            all,
            "{isa}"
        );
    }
}

/// Without an allocator, too.
#[test]
fn a_call_is_the_last_step_of_a_stream() {
    let weights = PackedWeights::<Gates>::new(&[], &GATES).unwrap();
    let x: [[f32; 3]; 7] = std::array::from_fn(|t| std::array::from_fn(|f| input(0, t, f)));
    let mut stream = weights.stream();
    let mut last = *stream.step(&x[0]);
    for x in &x[1..] {
        last = *stream.step(x);
    }
    assert_eq!(weights.call(&x), last);
    for &isa in Isa::available() {
        let y = weights.call_on(isa, &x);
        assert!(
            y.iter().zip(last).all(|(y, last)| (y - last).abs() < 1e-5),
            "{isa}"
        );
    }
    let weights = PackedWeights::<Words>::new(&WORDS, &WORDS_PACKED).unwrap();
    let id = |t| Id::new(word(t)).unwrap();
    let mut stream = weights.stream();
    stream.step(&id(0));
    assert_eq!(weights.call(&[id(0), id(1)]), *stream.step(&id(1)));
}

#[test]
fn a_stream_goes_on_from_its_states() {
    let weights = PackedWeights::<Gates>::new(&[], &GATES).unwrap();
    let mut stream = weights.stream();
    let x = |t| std::array::from_fn(|f| input(0, t, f));
    for t in 0..7 {
        stream.step(&x(t));
    }
    let copy = stream.clone();
    let names = [("lstm", "h"), ("lstm", "c"), ("gru", "h")];
    let kept = names.map(|(layer, name)| stream.state(layer, name).unwrap().to_vec());
    assert_eq!(kept.each_ref().map(Vec::len), [20, 20, 5]);
    let next = *stream.step(&x(7));
    // Both at an odd step and at an even one.
    for extra in 0..2 {
        let mut other = weights.stream();
        for t in 0..extra {
            other.step(&x(t));
        }
        for ((layer, name), kept) in names.iter().zip(&kept) {
            other.state_mut(layer, name).unwrap().copy_from_slice(kept);
        }
        assert_eq!(*other.step(&x(7)), next);
    }
    assert_eq!(*copy.clone().step(&x(7)), next);
    assert!(stream.state("lstm", "x").is_none() && stream.state("dense", "h").is_none());
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let says = |error: Error, words: &str| assert_eq!(error.to_string(), words);
    let [gates, words] = [PackedWeights::<Gates>::LEN, PackedWeights::<Words>::WEIGHTS];
    says(
        PackedWeights::<Gates>::new(&[], &[0.0; 10]).unwrap_err(),
        &format!("packed weights: expected {gates} numbers, found 10"),
    );
    says(
        PackedWeights::<Words>::new(&[], &WORDS_PACKED).unwrap_err(),
        &format!("weights: expected {words} numbers, found 0"),
    );
    let weights = vec![0.0; PackedWeights::<Curved>::WEIGHTS];
    let mut room = vec![0.0; PackedWeights::<Curved>::LEN];
    assert!(PackedWeights::<Curved>::pack(&weights, &mut [0.0; 3]).is_err());
    assert!(PackedWeights::<Curved>::pack(&weights[1..], &mut room).is_err());
}

/// What a stream gives on a processor without vectors: sums over units are taken one after another there.
fn one_lane<P, X, const N: usize>(
    name: &str,
    weights: &[f32],
    packed: &[f32],
    x: X,
) -> Vec<(String, u32)>
where
    P: for<'s> StreamProgram<StepOutput<'s> = &'s [f32; N]>,
    X: Fn(usize) -> P::StepInput,
{
    let panels = StepPanels::new(Panels::new(packed)).expect("all weights of a step");
    let mut kept = Arena::zeros(P::STREAM.len);
    let mut all = Vec::new();
    for t in 0..STEPS {
        let mut values = StepValues::<P>::new(&mut kept);
        let mut m = StepMemory::<P, PortableF32>::new(values.reborrow(), panels, t);
        P::step(Plain::<1>, &mut m, Tables::new(weights, 0), &x(t));
        let y = P::step_output(values.results());
        all.extend(y.iter().map(|y| (name.to_owned(), y.to_bits())));
    }
    all
}

/// What [`run`] gives there. Packing weights sums nothing.
fn bare_on_one_lane() -> Vec<(String, u32)> {
    let inputs = |t| std::array::from_fn(|f| input(0, t, f));
    let mut all = one_lane::<Gates, _, 1>("Gates", &[], &GATES, inputs);
    let id = |t| Id::new(word(t)).unwrap();
    all.extend(one_lane::<Words, _, 4>("Words", &WORDS, &WORDS_PACKED, id));
    let weights = positive::<{ PackedWeights::<Normalised>::WEIGHTS }>(STARTS[2]);
    let mut room = [0.0; PackedWeights::<Normalised>::LEN];
    PackedWeights::<Normalised>::pack(&weights, &mut room).unwrap();
    all.extend(one_lane::<Normalised, _, 3>(
        "Normalised",
        &[],
        &room,
        |t| std::array::from_fn(|f| input(2, t, f)),
    ));
    let weights = numbers::<{ PackedWeights::<Curved>::WEIGHTS }>(STARTS[3]);
    let mut room = [0.0; PackedWeights::<Curved>::LEN];
    PackedWeights::<Curved>::pack(&weights, &mut room).unwrap();
    all.extend(one_lane::<Curved, _, 6>("Curved", &[], &room, |t| {
        std::array::from_fn(|f| input(3, t, f))
    }));
    all
}

/// Whether rustc has the libraries of the target.
fn has_target() -> bool {
    let rustc = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = rustc.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    sysroot.is_ok_and(|path| Path::new(&path).join("lib/rustlib").join(TARGET).exists())
}

#[test]
fn a_microcontroller_gives_the_same_bits() {
    if !has_target() {
        return skip::skipped(TARGET, "`rustup target add` has not been run for it");
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
    let Ok(ran) = Command::new("qemu-arm").arg(&program).output() else {
        return skip::skipped(
            TARGET,
            "built, and not run: qemu-arm (Debian's qemu-user) is not on the path",
        );
    };
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
    assert_eq!(found, bare_on_one_lane());
}
