//! WAV files as numbers from -1 to 1.

use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// A sound in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Rate and format of the file.
    pub spec: WavSpec,
    /// The samples of each channel, as many of each: full scale is 1.
    pub channels: Vec<Vec<f32>>,
}

impl Sound {
    /// Reads integers of 8 to 32 bits, or floats.
    ///
    /// # Errors
    /// The file's name, and what is wrong with it.
    pub fn read(path: &Path) -> Result<Sound, String> {
        let wrong = |error: hound::Error| format!("{}: {}", path.display(), said(&error));
        let mut reader = WavReader::open(path).map_err(wrong)?;
        let spec = reader.spec();
        let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
            SampleFormat::Float => reader.samples::<f32>().collect(),
            SampleFormat::Int => {
                let scale = 1.0 / full_scale(spec);
                let numbers = reader.samples::<i32>();
                numbers
                    .map(|n| n.map(|n| (f64::from(n) * scale) as f32))
                    .collect()
            }
        };
        let samples = samples.map_err(wrong)?;
        let count = usize::from(spec.channels);
        if samples.is_empty() || !samples.len().is_multiple_of(count) {
            return Err(format!(
                "{}: no samples, or a part of a frame",
                path.display()
            ));
        }
        let channel = |c: usize| samples.iter().skip(c).step_by(count).copied().collect();
        Ok(Sound {
            spec,
            channels: (0..count).map(channel).collect(),
        })
    }

    /// Writes the samples in the format of [`Self::spec`], and gives how many were beyond full scale and have been cut. Floats
    /// are never cut.
    ///
    /// # Errors
    /// The file's name, and what is wrong with it.
    pub fn write(&self, path: &Path) -> Result<usize, String> {
        let wrong = |error: hound::Error| format!("{}: {}", path.display(), said(&error));
        let mut writer = WavWriter::create(path, self.spec).map_err(wrong)?;
        let (mut cut, scale) = (0, full_scale(self.spec));
        for t in 0..self.frames() {
            for sample in self.channels.iter().filter_map(|channel| channel.get(t)) {
                let written = match self.spec.sample_format {
                    SampleFormat::Float => writer.write_sample(*sample),
                    SampleFormat::Int => {
                        let number = (f64::from(*sample) * scale).round();
                        let fits = number.clamp(-scale, scale - 1.0);
                        cut += usize::from(fits != number);
                        writer.write_sample(fits as i32)
                    }
                };
                written.map_err(wrong)?;
            }
        }
        writer.finalize().map_err(wrong)?;
        Ok(cut)
    }

    /// Samples of a channel.
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// How long it lasts.
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.spec.sample_rate)
    }
}

/// The integer that stands for 1.
fn full_scale(spec: WavSpec) -> f64 {
    2f64.powi(i32::from(spec.bits_per_sample) - 1)
}

/// The reason without the words that hound puts before it.
fn said(error: &hound::Error) -> String {
    match error {
        hound::Error::IoError(error) => error.to_string(),
        hound::Error::FormatError(what) => format!("no WAV file: {what}"),
        hound::Error::Unsupported => "a WAV file of a kind that hound does not read".to_owned(),
        other => other.to_string(),
    }
}
