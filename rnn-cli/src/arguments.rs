//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Models of Keras, PyTorch, ONNX, RTNeural, GuitarML and Neural Amp Modeler: what is in a file, other files, programs.
#[derive(Debug, Parser)]
#[command(name = "recurrent", version, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 fine; 1 the file or the model is wrong; 2 the command line is."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Prints JSON for machines, errors included.
    #[arg(long, global = true)]
    pub json: bool,
    /// Shows no progress, and no notes on what was read.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows layers, shapes, parameters, metadata, and the text of `rnn_model!`.
    Inspect {
        /// What to look into.
        #[command(flatten)]
        model: ModelFile,
    },
    /// Writes the model in another format.
    Convert {
        /// What to convert.
        #[command(flatten)]
        model: ModelFile,
        /// The new file; its ending says the format.
        output: PathBuf,
        /// The format, if the ending does not say it.
        #[arg(long)]
        to: Option<Target>,
        /// Whose names the tensors of safetensors have; those of Keras by default.
        #[arg(long)]
        names: Option<Names>,
        /// Writes over a file that is there.
        #[arg(long)]
        force: bool,
    },
    /// Shows what the compiler makes of the model: `Model::plan()`.
    Plan {
        /// The model.
        #[command(flatten)]
        model: ModelFile,
    },
    /// Computes the outputs of arrays, one `.npy` for each input.
    #[command(
        mut_arg("recurrent", |a| a.requires("compiled")),
        mut_arg("cache", |a| a.requires("compiled"))
    )]
    Run {
        /// The model.
        #[command(flatten)]
        model: ModelFile,
        /// Arrays `[batch, time, features]`; without the batch it is one row. Of a model with one feature also `[time]`
        /// and `[batch, time]`.
        #[arg(required = true)]
        data: Vec<PathBuf>,
        /// Where the outputs go, `.npy`. Of several, each has its name before the ending.
        #[arg(long, short)]
        output: Option<PathBuf>,
        /// Writes over files that are there.
        #[arg(long, requires = "output")]
        force: bool,
        /// By the compiled model in float32 instead of the interpreter in float64.
        #[arg(long)]
        compiled: bool,
        /// How the compiled model is built.
        #[command(flatten)]
        building: Building,
    },
    /// Compiles the model and measures a step of a stream, and batches.
    Bench {
        /// The model.
        #[command(flatten)]
        model: ModelFile,
        /// Rows of a batch.
        #[arg(long, default_value_t = 32)]
        batch: usize,
        /// Steps of a sequence whose length is open.
        #[arg(long, default_value_t = 100)]
        steps: usize,
        /// Seconds of each measurement.
        #[arg(long, default_value_t = 1.0)]
        seconds: f64,
        /// How the compiled model is built.
        #[command(flatten)]
        building: Building,
    },
    /// Makes a crate that streams the model, with a test.
    New {
        /// The model.
        #[command(flatten)]
        model: ModelFile,
        /// The folder of the crate, which must not be there.
        folder: PathBuf,
        /// How `recurrent` is named in its Cargo.toml: a folder with its sources, or a version.
        #[arg(long, value_name = "PATH|VERSION")]
        recurrent: Option<String>,
    },
    /// Prints completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// A file with a model, or with its weights.
#[derive(Args, Debug)]
pub struct ModelFile {
    /// A file of Keras, PyTorch, ONNX, RTNeural, GuitarML or NAM, or safetensors.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The layers, for a file that has weights alone: "Input(_, 1) -> LSTM(16) -> Dense(1)".
    #[arg(long, value_name = "TEXT")]
    pub layers: Option<String>,
    /// Where the states of an ONNX graph are that it takes and gives.
    #[arg(long, default_value = "inputs")]
    pub states: States,
}

/// What becomes of states that come in and go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum States {
    /// Inputs and outputs of the model.
    Inputs,
    /// Left out of the model: a stream keeps them.
    Stream,
}

/// How a compiled model is built.
#[derive(Args, Clone, Debug)]
pub struct Building {
    /// Where `recurrent` comes from: a folder with its sources, or a version.
    #[arg(long, value_name = "PATH|VERSION")]
    pub recurrent: Option<String>,
    /// Where crates are made and built; by default what the variable RECURRENT_CACHE says, or the user's cache.
    // It is no `env` of the argument: that would count as an option given without `--compiled`.
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
}

/// A format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Weights alone.
    Safetensors,
    /// `.keras` of Keras 3.
    Keras,
    /// ONNX of the opset 17.
    Onnx,
    /// RTNeural's JSON.
    Rtneural,
    /// The text of `rnn_model!`, which reads the weights from the file.
    Rust,
}

/// Names of tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Names {
    /// `lstm/kernel`
    Keras,
    /// `lstm.weight_ih_l0`
    Pytorch,
}
