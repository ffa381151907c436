//! How long blocks take, and how far an output is from its reference.

use std::time::{Duration, Instant};

use recurrent::Error;

use crate::{Amp, blocks};

/// Blocks that are measured, if they do not take longer than [`PATIENCE`]: the 99.99th percentile has five above it.
const BLOCKS: usize = 50_000;
/// No further round begins after this time.
const PATIENCE: Duration = Duration::from_secs(3);

/// The times of blocks, the shortest first.
#[derive(Clone, Debug)]
pub struct Times {
    sorted: Vec<Duration>,
    /// The sound that was played, all rounds together, in samples.
    samples: usize,
}

impl Times {
    /// Plays a channel again and again, in blocks of `size`.
    ///
    /// # Errors
    /// None: the lengths fit.
    pub fn measure(channel: &[f32], size: usize) -> Result<Times, Error> {
        let mut stream = Amp::stream();
        let mut output = vec![0.0; channel.len()];
        let mut sorted = Vec::with_capacity(BLOCKS + channel.len().div_ceil(size.max(1)));
        let (start, mut samples) = (Instant::now(), 0);
        while sorted.len() < BLOCKS && (sorted.is_empty() || start.elapsed() < PATIENCE) {
            blocks::process(&mut stream, channel, &mut output, size, |t| sorted.push(t))?;
            samples += channel.len();
            if channel.is_empty() {
                break;
            }
        }
        sorted.sort_unstable();
        Ok(Times { sorted, samples })
    }

    /// How many blocks there were.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The time that a part of the blocks do not exceed: 0.5 is the median, 1 the longest.
    pub fn percentile(&self, part: f64) -> Duration {
        let rank = (part * self.len() as f64).ceil() as usize;
        let place = rank.clamp(1, self.len().max(1)) - 1;
        self.sorted.get(place).copied().unwrap_or_default()
    }

    /// The time that it took, by the time that the sound lasts.
    pub fn real_time_factor(&self, rate: u32) -> f64 {
        let took: Duration = self.sorted.iter().sum();
        took.as_secs_f64() * f64::from(rate) / self.samples as f64
    }
}

/// The greatest difference of two samples at the same place; none if one of the sounds is longer.
pub fn difference(found: &[Vec<f32>], expected: &[Vec<f32>]) -> Option<f32> {
    let lengths = |sound: &[Vec<f32>]| sound.iter().map(Vec::len).collect::<Vec<_>>();
    if lengths(found) != lengths(expected) {
        return None;
    }
    let pairs = found.iter().flatten().zip(expected.iter().flatten());
    // `max` would drop a NaN.
    Some(pairs.fold(0.0, |most: f32, (a, b)| match (a - b).abs() {
        far if far > most || far.is_nan() => far,
        _ => most,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let sorted = (1..=10_000).map(Duration::from_nanos).collect();
        let times = Times {
            sorted,
            samples: 640_000,
        };
        assert_eq!(times.percentile(0.5), Duration::from_nanos(5_000));
        assert_eq!(times.percentile(0.9999), Duration::from_nanos(9_999));
        assert_eq!(times.percentile(1.0), Duration::from_nanos(10_000));
    }

    #[test]
    fn a_nan_is_no_small_difference() {
        let sound = |x: f32| vec![vec![0.0, x, 0.0]];
        assert_eq!(difference(&sound(0.5), &sound(0.25)), Some(0.25));
        assert!(difference(&sound(f32::NAN), &sound(0.25)).unwrap().is_nan());
        assert_eq!(difference(&sound(0.5), &[]), None);
    }
}
