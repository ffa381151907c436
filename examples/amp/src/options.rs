//! The command line.

use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Plays a WAV file through an amplifier, a network of 16 LSTM units.

Usage: amp INPUT OUTPUT [BLOCK] [--reference WAV]

  INPUT            a WAV file, any number of channels; the amplifier was trained at 44.1 kHz
  OUTPUT           the WAV file to write, in the format of INPUT
  BLOCK            samples of a block (default 64)
  --reference WAV  what the output should be: fails if a sample is further than 1e-5 of full scale from it
  --help           print this
";

/// Samples of a block, where nobody says another number.
const BLOCK: usize = 64;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The file to read.
    pub input: PathBuf,
    /// The file to write.
    pub output: PathBuf,
    /// Samples of a block: at least 1.
    pub block: usize,
    /// The file to compare with.
    pub reference: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments, the program's own name not among them. `None`: print the help.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Option<Options>, String> {
        let (mut plain, mut reference) = (Vec::new(), None);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--reference" => {
                    let file = arguments.next();
                    reference = Some(file.ok_or("--reference needs a WAV file")?.into());
                }
                option if option.starts_with("--") => {
                    return Err(format!("no option is called {option}; --help lists them"));
                }
                _ => plain.push(argument),
            }
        }
        let (input, output, block) = match plain.as_slice() {
            [input, output] => (input, output, BLOCK),
            [input, output, block] => (input, output, size(block)?),
            other => {
                let found = other.len();
                return Err(format!(
                    "expected INPUT OUTPUT [BLOCK], found {found} of them; --help says more"
                ));
            }
        };
        Ok(Some(Options {
            input: input.into(),
            output: output.into(),
            block,
            reference,
        }))
    }
}

fn size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(block) if block > 0 => Ok(block),
        _ => Err(format!(
            "BLOCK is a number of samples from 1 on, found {text}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Options>, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_block_has_64_samples_unless_somebody_says_so() {
        let options = parse("in.wav out.wav").unwrap().unwrap();
        assert_eq!((options.block, options.reference), (64, None));
        let options = parse("in.wav --reference r.wav out.wav 480")
            .unwrap()
            .unwrap();
        assert_eq!(
            (options.block, options.reference),
            (480, Some("r.wav".into()))
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (line, word) in [
            ("", "found 0"),
            ("in.wav", "found 1"),
            ("a b 64 d", "found 4"),
            ("a b 0", "from 1 on, found 0"),
            ("a b -3", "found -3"),
            ("a b x", "found x"),
            ("a b --reference", "needs a WAV file"),
            ("a b --blocks", "--blocks"),
        ] {
            let said = parse(line).unwrap_err();
            assert!(
                said.contains(word) && said.lines().count() == 1,
                "{line}: {said}"
            );
        }
        assert_eq!(parse("a --help"), Ok(None));
    }
}
