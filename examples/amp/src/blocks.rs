//! A sound in blocks.

use std::time::{Duration, Instant};

use recurrent::{Error, stream::ProgramStream};

use crate::Amp;

/// Runs `input` through the amplifier, `size` samples at a time, and tells `done` how long each block took. Allocates nothing,
/// unless `done` does. The last block is what is left.
///
/// # Errors
/// If `output` is not as long as `input`.
pub fn process(
    stream: &mut ProgramStream<Amp>,
    input: &[f32],
    output: &mut [f32],
    size: usize,
    mut done: impl FnMut(Duration),
) -> Result<(), Error> {
    if output.len() != input.len() {
        return Err(Error::Length {
            what: "output",
            expected: input.len(),
            found: output.len(),
        });
    }
    let size = size.max(1);
    for (from, to) in input.chunks(size).zip(output.chunks_mut(size)) {
        let start = Instant::now();
        stream.process(from, to)?;
        done(start.elapsed());
    }
    Ok(())
}

/// Each channel through an amplifier of its own.
///
/// # Errors
/// None: the lengths are those of the channels. It is the type that a stream has.
pub fn amplify(channels: &[Vec<f32>], size: usize) -> Result<Vec<Vec<f32>>, Error> {
    let one = |channel: &Vec<f32>| {
        let mut output = vec![0.0; channel.len()];
        process(&mut Amp::stream(), channel, &mut output, size, |_| ())?;
        Ok(output)
    };
    channels.iter().map(one).collect()
}
