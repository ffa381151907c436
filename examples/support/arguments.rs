//! A command line of options with defaults.

use std::{error::Error, path::PathBuf, process::ExitCode, str::FromStr};

use recurrent::prelude::Device;

/// What is left of the command line. Every option is taken out as it is asked for.
pub struct Arguments(Vec<String>);

/// Runs an example: `--help` prints the help, a mistake in the arguments is shown with it.
pub fn run(help: &str, run: impl FnOnce(Arguments) -> Result<(), Box<dyn Error>>) -> ExitCode {
    let arguments = Arguments::new(std::env::args().skip(1));
    if arguments.0.iter().any(|a| a == "--help" || a == "-h") {
        print!("{help}");
        return ExitCode::SUCCESS;
    }
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Mistake>() => {
            eprintln!("error: {error}\n\n{help}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The command line asks for something that there is not.
#[derive(Debug)]
struct Mistake(String);

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Mistake {}

impl Arguments {
    /// `--name value` and `--name=value` are the same.
    fn new(arguments: impl Iterator<Item = String>) -> Arguments {
        let split = |argument: String| match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => {
                vec![name.to_owned(), value.to_owned()]
            }
            _ => vec![argument],
        };
        Arguments(arguments.flat_map(split).collect())
    }

    /// Whether an option without a value is there.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|argument| argument != name);
        self.0.len() < before
    }

    /// The value of an option.
    ///
    /// # Errors
    /// If there is none after it.
    pub fn value(&mut self, name: &str) -> Result<Option<String>, Box<dyn Error>> {
        let Some(at) = self.0.iter().position(|argument| argument == name) else {
            return Ok(None);
        };
        if self
            .0
            .get(at + 1)
            .is_none_or(|value| value.starts_with("--"))
        {
            return Err(Mistake(format!("{name} needs a value after it")).into());
        }
        self.0.remove(at);
        Ok(Some(self.0.remove(at)))
    }

    /// A whole number from 1.
    ///
    /// # Errors
    /// If it is something else.
    pub fn number(&mut self, name: &str, default: usize) -> Result<usize, Box<dyn Error>> {
        self.parse(name, default, "a whole number from 1", |&n| n > 0)
    }

    /// A whole number from 0; 0 by default.
    ///
    /// # Errors
    /// If it is something else.
    pub fn seed(&mut self, name: &str) -> Result<u64, Box<dyn Error>> {
        self.parse(name, 0, "a whole number from 0", |_| true)
    }

    /// A number above 0.
    ///
    /// # Errors
    /// If it is something else.
    pub fn positive(&mut self, name: &str, default: f64) -> Result<f64, Box<dyn Error>> {
        self.parse(name, default, "a number above 0", |n: &f64| {
            n.is_finite() && *n > 0.0
        })
    }

    /// `--device`: the CPU by default.
    ///
    /// # Errors
    /// If there is no such device, or it cannot be used: the message says what is missing.
    pub fn device(&mut self) -> Result<Device, Box<dyn Error>> {
        match self.value("--device")? {
            None => Ok(Device::cpu()),
            Some(name) => Ok(name.parse()?),
        }
    }

    fn parse<T: FromStr>(
        &mut self,
        name: &str,
        default: T,
        wanted: &str,
        fits: impl Fn(&T) -> bool,
    ) -> Result<T, Box<dyn Error>> {
        let Some(text) = self.value(name)? else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(fits);
        Ok(number.ok_or_else(|| Mistake(format!("{name} takes {wanted}, found `{text}`")))?)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// If something is: there is no such option, or it was given twice.
    pub fn end(self) -> Result<(), Box<dyn Error>> {
        match self.0.first() {
            None => Ok(()),
            Some(left) => Err(Mistake(format!("what to do with `{left}` is not known")).into()),
        }
    }
}

/// Where cargo builds: `CARGO_TARGET_DIR`, or `target` beside the manifest, wherever the program is
/// started.
#[allow(dead_code, reason = "not every example writes files")]
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) if !folder.is_empty() => folder.into(),
        _ => concat!(env!("CARGO_MANIFEST_DIR"), "/target").into(),
    }
}
