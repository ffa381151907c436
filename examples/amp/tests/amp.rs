//! The example against PyTorch's output, against itself in other blocks, and as a program.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use recurrent_amp::{Amp, blocks, report, sound::Sound};

/// The system's allocator, counting the calls of each thread.
struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more.
    let _ = CALLS.try_with(|c| c.set(c.get() + 1));
}

// SAFETY: everything is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(p, layout) }
    }
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(p, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("audio")
        .join(name)
}

fn read(name: &str) -> Sound {
    Sound::read(&committed(name)).unwrap()
}

fn temporary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn bits(channels: &[Vec<f32>]) -> Vec<u32> {
    channels.iter().flatten().map(|x| x.to_bits()).collect()
}

#[test]
fn the_output_is_that_of_pytorch() {
    let (guitar, reference) = (read("guitar.wav"), read("reference.wav"));
    let found = blocks::amplify(&guitar.channels, 64).unwrap();
    let far = report::difference(&found, &reference.channels).unwrap();
    assert!(far <= 1e-5, "{far:e} of full scale");
    // An amplifier is to be heard: the output is not the input.
    let change = report::difference(&found, &guitar.channels).unwrap();
    assert!(change > 0.2, "{change}");
}

#[test]
fn blocks_of_any_size_give_the_same_bits() {
    let guitar = read("guitar.wav");
    let whole = blocks::amplify(&guitar.channels, guitar.frames()).unwrap();
    for size in [1, 7, 64, 480, 4096] {
        let found = blocks::amplify(&guitar.channels, size).unwrap();
        assert!(bits(&found) == bits(&whole), "blocks of {size}");
    }
    // Hosts change the size as they like; an empty block is one, too.
    let (input, mut output) = (&guitar.channels[0], vec![0.0; guitar.frames()]);
    let (mut stream, mut at) = (Amp::stream(), 0);
    for size in [0, 3, 512, 1, 64, 0, 33].into_iter().cycle() {
        let end = (at + size).min(input.len());
        stream
            .process(&input[at..end], &mut output[at..end])
            .unwrap();
        at = end;
        if at == input.len() {
            break;
        }
    }
    assert!(bits(&[output]) == bits(&whole));
}

#[test]
fn blocks_allocate_nothing() {
    let guitar = read("guitar.wav");
    let mut output = vec![0.0; guitar.frames()];
    let before = CALLS.get();
    drop(std::hint::black_box(Box::new(1)));
    let after = CALLS.get();
    assert_eq!(after - before, 2, "the counter counts");
    // The stream as well: it is a constant.
    let mut stream = Amp::stream();
    blocks::process(&mut stream, &guitar.channels[0], &mut output, 64, |_| ()).unwrap();
    stream.reset();
    assert_eq!(CALLS.get() - after, 0);
}

#[test]
fn a_stream_is_a_constant_and_starts_anew() {
    static START: std::sync::Mutex<recurrent::stream::ProgramStream<Amp>> =
        std::sync::Mutex::new(Amp::stream());
    let guitar = read("guitar.wav");
    let (mut first, mut again) = (vec![0.0; 1000], vec![0.0; 1000]);
    let mut stream = START.lock().unwrap();
    stream
        .process(&guitar.channels[0][..1000], &mut first)
        .unwrap();
    stream.reset();
    stream
        .process(&guitar.channels[0][..1000], &mut again)
        .unwrap();
    assert_eq!(bits(&[first]), bits(&[again]));
}

fn amp(arguments: &[&Path], more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_amp"));
    command.args(arguments).args(more).output().unwrap()
}

#[test]
fn the_program_writes_what_it_was_asked_for() {
    let (input, output, reference) = (
        committed("guitar.wav"),
        temporary("out.wav"),
        committed("reference.wav"),
    );
    let run = amp(
        &[
            &input,
            &output,
            Path::new("128"),
            Path::new("--reference"),
            &reference,
        ],
        &[],
    );
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{run:?}");
    for words in [
        "block of 128",
        "99.99th percentile",
        "real-time factor",
        "greatest difference",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let (written, expected) = (Sound::read(&output).unwrap(), read("reference.wav"));
    assert_eq!(written.spec, read("guitar.wav").spec);
    // Half a step of 16 bits, and what the model may differ by.
    let far = report::difference(&written.channels, &expected.channels).unwrap();
    assert!(far <= 0.5 / 32768.0 + 1e-5, "{far:e}");
}

#[test]
fn channels_do_not_hear_each_other() {
    let guitar = read("guitar.wav");
    let spec = hound::WavSpec {
        channels: 2,
        bits_per_sample: 24,
        ..guitar.spec
    };
    let channels = vec![guitar.channels[0].clone(), vec![0.0; guitar.frames()]];
    let (input, output) = (temporary("stereo.wav"), temporary("stereo-out.wav"));
    Sound { spec, channels }.write(&input).unwrap();
    assert!(amp(&[&input, &output], &[]).status.success());
    let written = Sound::read(&output).unwrap();
    let silence = blocks::amplify(&[vec![0.0; guitar.frames()]], 64).unwrap();
    let alone = blocks::amplify(&guitar.channels, 64).unwrap();
    let expected = [alone, silence].concat();
    assert!(report::difference(&written.channels, &expected).unwrap() < 1e-6);
}

#[test]
fn errors_are_one_line() {
    let (input, output) = (committed("guitar.wav"), temporary("unwritten.wav"));
    let short = temporary("short.wav");
    let mut sound = read("guitar.wav");
    sound.channels[0].truncate(100);
    sound.write(&short).unwrap();
    let fails = |arguments: &[&Path], code: i32, words: &str| {
        let run = amp(arguments, &[]);
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(code), "{said}");
        assert!(
            said.starts_with("error: ") && said.trim_end().lines().count() == 1,
            "{said}"
        );
        assert!(said.contains(words), "{said}");
    };
    let [missing, manifest, zero] = ["missing.wav", "Cargo.toml", "0"].map(Path::new);
    let (option, nowhere) = (Path::new("--reference"), Path::new("no/folder/out.wav"));
    fails(&[], 2, "found 0");
    fails(&[&input, &output, zero], 2, "from 1 on");
    fails(&[missing, &output], 1, "missing.wav: No such file");
    fails(&[manifest, &output], 1, "Cargo.toml: no WAV file");
    fails(&[&input, nowhere], 1, "no/folder/out.wav");
    fails(&[&input, &output, option, &short], 1, "another number");
    fails(&[&input, &output, option, &input], 1, "from the reference");
}
