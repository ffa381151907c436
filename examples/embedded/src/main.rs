//! Recognises gestures in the samples of an accelerometer, one sample at a time: no operating system, no allocator, the weights
//! in read-only memory. README.md says how to run it.
#![no_std]
#![no_main]

#[cfg_attr(target_arch = "arm", path = "cortex_m.rs")]
#[cfg_attr(target_arch = "riscv32", path = "riscv.rs")]
mod board;
mod console;

use core::fmt::Write as _;

use recurrent::{prelude::*, stream::ProgramStream};

use console::{Console, exit};

rnn_model! {
    /// A sample has three axes, in units of gravity; the outputs are the probabilities of the gestures.
    struct Gestures = Input(_, 3) -> GRU(16) -> Dense(4, activation = softmax), weights = "gestures.safetensors";
}

/// In the order of the outputs.
const NAMES: [&str; 4] = ["rest", "circle", "shake", "lift"];

/// Samples of a gesture, of three numbers of four bytes.
const STEPS: usize = 32;
const SAMPLE: usize = 12;

/// Gestures one after another, which the model has not been trained on.
static RECORDING: &[u8] = include_bytes!("../recording.bin");
/// What each of them is.
static LABELS: &[u8] = include_bytes!("../recording.labels");

/// The stream and its states, ready when the program starts.
static mut STREAM: ProgramStream<Gestures> = Gestures::stream();

/// Number `i` of the floats of a sample.
fn number(sample: &[u8], i: usize) -> f32 {
    let bytes = sample.get(4 * i..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0.0, |bytes| f32::from_le_bytes(*bytes))
}

/// The gesture that the samples are, and how sure the model is.
fn guess(stream: &mut ProgramStream<Gestures>, samples: &[u8]) -> (usize, f32) {
    stream.reset();
    let mut last = [0.0; NAMES.len()];
    for sample in samples.chunks_exact(SAMPLE) {
        last = *stream.step(&core::array::from_fn(|i| number(sample, i)));
    }
    let mut best = (0, 0.0);
    for (i, p) in last.into_iter().enumerate() {
        if p > best.1 {
            best = (i, p);
        }
    }
    best
}

/// What the startup code calls.
fn run() -> ! {
    // SAFETY: this is the only reference, as the startup code calls `run` once and no interrupt is enabled.
    let stream = unsafe { &mut *(&raw mut STREAM) };
    let (mut right, mut all) = (0, 0);
    for (samples, label) in RECORDING.chunks_exact(STEPS * SAMPLE).zip(LABELS) {
        let (found, p) = guess(stream, samples);
        let expected = usize::from(*label);
        let name = |i: usize| NAMES.get(i).copied().unwrap_or("?");
        let verdict = if found == expected { "right" } else { "WRONG" };
        let _ = writeln!(
            Console,
            "{:8} {:3} %  expected {:8} {verdict}",
            name(found),
            (100.0 * p + 0.5) as u32,
            name(expected),
        );
        right += u32::from(found == expected);
        all += 1;
    }
    let _ = writeln!(Console, "{right} of {all} gestures are right");

    // Nothing but steps between the two readings.
    let x = [0.1, -0.2, 0.98];
    let start = board::instructions();
    for _ in 0..1000 {
        core::hint::black_box(stream.step(core::hint::black_box(&x)));
    }
    let step = board::instructions().wrapping_sub(start) / 1000;
    let _ = writeln!(Console, "{step} instructions a step");
    exit(u32::from(right < all || all == 0))
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let _ = writeln!(Console, "{info}");
    exit(101)
}
