//! The command line of the example.

use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Trains a recurrent network to read handwritten digits row by row.

Usage: digits [options]

  --cell CELL        lstm (default), gru, simple or custom
  --epochs N         passes over the training images (default 60; with --mnist 5)
  --batch-size N     images of a step (default 32; with --mnist 64)
  --learning-rate R  the first one, from which half a cosine leads down to 0 (default 0.005)
  --constant         keep the learning rate as it is: with --learning-rate 0.001 this is Keras's Adam
  --seed N           draws weights, what is held out, and the order of training (default 0)
  --device DEVICE    cpu (default), cuda, cuda:1 and so on, or auto: the GPU if there is one
  --mnist DIR        train on MNIST, whose four IDX files, plain or gzipped, are in DIR
  --out DIR          where weights and plot are written (default cargo's target)
  --plan             print what the compiler decided, and why
  --help             print this
";

/// A cell of the models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// `LSTM`
    Lstm,
    /// `GRU`
    Gru,
    /// `SimpleRNN`
    Simple,
    /// `RNN(MinimalGru)`
    Custom,
}

/// What the command line asks for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Print the help and nothing else.
    pub help: bool,
    /// The cell.
    pub cell: Cell,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images of a step.
    pub batch_size: usize,
    /// The first learning rate.
    pub learning_rate: f64,
    /// It stays as it is.
    pub constant: bool,
    /// Draws all that is drawn.
    pub seed: u64,
    /// Where the model runs, as it was written.
    pub device: String,
    /// The folder of MNIST's files.
    pub mnist: Option<PathBuf>,
    /// Where files are written.
    pub out: PathBuf,
    /// Print the plan.
    pub plan: bool,
}

impl Options {
    /// Reads the arguments, the program's own name not among them.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
        let (mut epochs, mut batch_size) = (None, None);
        let mut options = Options {
            help: false,
            cell: Cell::Lstm,
            epochs: 0,
            batch_size: 0,
            learning_rate: 0.005,
            constant: false,
            seed: 0,
            device: "cpu".to_owned(),
            mnist: None,
            out: target(),
            plan: false,
        };
        while let Some(arg) = args.next() {
            // `--seed 1` and `--seed=1`.
            let (flag, mut given) = match arg.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            let mut value = |what: &str| {
                let next = given.take().or_else(|| args.next());
                next.ok_or_else(|| format!("{flag} needs {what} after it"))
            };
            match flag {
                "--help" | "-h" => options.help = true,
                "--plan" => options.plan = true,
                "--constant" => options.constant = true,
                "--cell" => options.cell = cell(&value("a cell")?)?,
                "--epochs" => epochs = Some(positive(flag, &value("a number")?)?),
                "--batch-size" => batch_size = Some(positive(flag, &value("a number")?)?),
                "--learning-rate" => options.learning_rate = rate(&value("a number")?)?,
                "--seed" => {
                    let text = value("a number")?;
                    let wrong = |_| format!("--seed takes a whole number from 0, found `{text}`");
                    options.seed = text.parse().map_err(wrong)?;
                }
                "--device" => options.device = value("a device")?,
                "--mnist" => options.mnist = Some(value("a folder")?.into()),
                "--out" => options.out = value("a folder")?.into(),
                _ => return Err(format!("there is no option `{arg}`")),
            }
            if given.is_some() {
                return Err(format!("{flag} takes no value, found `{arg}`"));
            }
        }
        let (usual_epochs, usual_batch) = match options.mnist {
            Some(_) => (5, 64),
            None => (60, 32),
        };
        options.epochs = epochs.unwrap_or(usual_epochs);
        options.batch_size = batch_size.unwrap_or(usual_batch);
        Ok(options)
    }
}

/// Where cargo builds: `CARGO_TARGET_DIR`, or `target` beside the manifest, wherever the program is
/// started.
fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) if !folder.is_empty() => folder.into(),
        _ => concat!(env!("CARGO_MANIFEST_DIR"), "/target").into(),
    }
}

fn cell(text: &str) -> Result<Cell, String> {
    match text {
        "lstm" => Ok(Cell::Lstm),
        "gru" => Ok(Cell::Gru),
        "simple" => Ok(Cell::Simple),
        "custom" => Ok(Cell::Custom),
        _ => Err(format!(
            "--cell takes lstm, gru, simple or custom, found `{text}`"
        )),
    }
}

fn positive(flag: &str, text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!(
            "{flag} takes a whole number from 1, found `{text}`"
        )),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(rate),
        _ => Err(format!(
            "--learning-rate takes a number above 0, found `{text}`"
        )),
    }
}
