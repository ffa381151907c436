//! All that a stream does once it is made, in a program that cannot be linked where any of it can panic: its panic handler calls a
//! function that does not exist. Nothing allocates, as there is no allocator. See tests/panics.rs.
#![no_std]
#![no_main]

use core::hint::black_box;

use recurrent::{prelude::*, stream::ProgramStream};
use recurrent_test_bare::{Curved, GATES, Gates, Normalised, WORDS, WORDS_PACKED, Words, input};

unsafe extern "C" {
    /// Nowhere defined.
    fn recurrent_must_not_panic() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: a program that calls it is not linked.
    unsafe { recurrent_must_not_panic() }
}

static CURVED: [f32; PackedWeights::<Curved>::LEN] = [0.1; PackedWeights::<Curved>::LEN];
static NORMALISED: [f32; PackedWeights::<Normalised>::LEN] =
    [0.2; PackedWeights::<Normalised>::LEN];

/// Where there is an operating system, core's own code names what would unwind, even in a program that does not.
#[cfg(not(target_os = "none"))]
// SAFETY: the linker looks for this name, and nothing else in the program has it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// A step of each model, over packed weights, and a block.
fn steps(t: usize) -> Result<f32, Error> {
    let mut sum = 0.0;
    let mut stream = PackedWeights::<Gates>::new(&[], &GATES)?.stream();
    let x = core::array::from_fn(|i| input(0, t, i));
    sum += stream.step(black_box(&x))[0];
    let (block, mut out) = ([0.5; 9], [0.0; 3]);
    stream.process(black_box(&block[..]), black_box(&mut out[..]))?;
    sum += out[2];
    stream.reset();

    // Weights and stream as constants of the program.
    let mut stream: ProgramStream<Gates> = const { ProgramStream::<Gates>::at_start() };
    sum += stream.step(black_box(&x))[0];
    stream.process(black_box(&block[..]), black_box(&mut out[..]))?;

    let mut stream = PackedWeights::<Words>::new(&WORDS, &WORDS_PACKED)?.stream();
    sum += stream.step(&Id::new(black_box(7))?)[0];

    let mut stream = PackedWeights::<Curved>::new(&[], &CURVED)?.stream();
    sum += stream.step(black_box(&[0.25, -0.5]))[1];
    if !stream.is_finite() {
        stream.reset();
    }

    let mut stream = PackedWeights::<Normalised>::new(&[], &NORMALISED)?.stream();
    sum += stream.step(black_box(&[0.25, -0.5, 0.125, 1.0]))[2];
    Ok(sum)
}

fn run() -> i32 {
    let sum = steps(black_box(3)).unwrap_or(-1.0);
    #[cfg(feature = "panics")]
    let sum = [sum, 1.0][black_box(1)];
    i32::from(sum < 0.0)
}

/// The first function, of an operating system or of a program without one.
// SAFETY: the linker looks for this name, and nothing else in the program has it.
#[cfg_attr(target_os = "none", unsafe(export_name = "_start"))]
#[cfg_attr(not(target_os = "none"), unsafe(no_mangle))]
pub extern "C" fn main() -> i32 {
    run()
}
