//! The program: `cargo run --release -- audio/guitar.wav out.wav`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use recurrent_amp::{
    blocks,
    options::{HELP, Options},
    report::{Times, difference},
    sound::Sound,
};

/// The rate of the sounds that the amplifier was trained on.
const TRAINED_AT: u32 = 44_100;
/// How far a sample may be from the reference: two rounded sums in another order.
const TOLERANCE: f32 = 1e-5;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let block = options.block;
    let sound = Sound::read(&options.input)?;
    let reference = options.reference.as_deref().map(Sound::read).transpose()?;
    let spec = sound.spec;
    println!(
        "{}: {:.2} s, {} Hz, channels: {}, bits: {}",
        options.input.display(),
        sound.seconds(),
        spec.sample_rate,
        spec.channels,
        spec.bits_per_sample
    );
    if spec.sample_rate != TRAINED_AT {
        println!(
            "note: the amplifier was trained at {TRAINED_AT} Hz and sounds different at another rate"
        );
    }

    let channels = blocks::amplify(&sound.channels, block).map_err(|error| error.to_string())?;
    let times = match sound.channels.first() {
        Some(channel) => Times::measure(channel, block).map_err(|error| error.to_string())?,
        None => return Err(format!("{}: no channels", options.input.display())),
    };
    let micros = |part| times.percentile(part).as_secs_f64() * 1e6;
    let factor = times.real_time_factor(spec.sample_rate);
    let lasts = block as f64 / f64::from(spec.sample_rate) * 1e6;
    println!("a block of {block} samples lasts {lasts:.0} µs, and took, of one channel:");
    println!("  median                {:9.2} µs", micros(0.5));
    println!("  99.99th percentile    {:9.2} µs", micros(0.9999));
    println!("  longest of {:7}    {:9.2} µs", times.len(), micros(1.0));
    println!(
        "real-time factor: {factor:.5} ({:.0} times as fast as the sound)",
        1.0 / factor
    );

    let difference = match &reference {
        None => None,
        Some(reference) => Some(difference(&channels, &reference.channels).ok_or_else(|| {
            "the reference has another number of channels or samples than the input".to_owned()
        })?),
    };
    let cut = Sound { spec, channels }.write(&options.output)?;
    let loud = match cut {
        0 => String::new(),
        cut => format!(", {cut} samples cut at full scale"),
    };
    println!("written: {}{loud}", options.output.display());
    match difference {
        Some(far) if far > TOLERANCE || far.is_nan() => Err(format!(
            "a sample is {far:e} of full scale from the reference, more than {TOLERANCE:e}"
        )),
        Some(far) => {
            println!("greatest difference from the reference: {far:.1e} of full scale");
            Ok(())
        }
        None => Ok(()),
    }
}
