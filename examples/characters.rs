//! Learns to write like a text, character by character, and writes.
//!
//! ```text
//! cargo run --release --example characters
//! cargo run --release --example characters -- --text some.txt --temperature 0.5 --prompt "The "
//! ```
//!
//! The text is cut into pieces that are read side by side, 64 characters at a time. The layers are
//! `stateful`: each batch goes on with the states that the one before has left, while gradients
//! end at its start (truncated backpropagation through time; Williams and Peng, 1990). Then a
//! stream writes: each character that is drawn is the input of the next step.
//!
//! Without `--text` it learns from this project's own documentation: its Markdown files and the
//! comments that document its sources.

#[path = "support/arguments.rs"]
mod arguments;
#[path = "support/text.rs"]
mod text;

use std::{
    error::Error,
    io::{Write, stdout},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use recurrent::{
    callbacks::{Callback, Training},
    prelude::*,
};

use arguments::Arguments;
use text::{CHARACTERS, Dice, draw, id, read, symbol};

const HELP: &str = "\
Learns to write like a text, character by character, and writes.

Usage: characters [options]

  --text FILE        the text (default: this project's documentation)
  --epochs N         passes over it at most (default 20)
  --batch-size N     pieces that are read side by side (default 8)
  --steps N          characters of a batch in each piece (default 64)
  --learning-rate R  the first one, from which half a cosine leads down to 0 (default 0.005)
  --length N         characters to write (default 600)
  --temperature R    1: as likely as learnt; below: safer, above: wilder (default 0.6)
  --prompt TEXT      what the writing begins with (default \"The \")
  --seed N           draws weights and characters (default 0)
  --device DEVICE    cpu (default), cuda, cuda:1 and so on, or auto
  --quick            one epoch of little text, to see that it runs
  --help             print this
";

/// Units of both layers.
const UNITS: usize = 128;

rnn_model! {
    /// What comes after each character.
    pub struct Writer = Embedding(CHARACTERS, 32)
        -> LSTM(UNITS, stateful, return_sequences)
        -> Dropout(0.1)
        -> LSTM(UNITS, stateful, return_sequences)
        -> Dropout(0.1)
        -> Dense(CHARACTERS);
}

/// The loss is in nats a character; bits are what one compares.
fn bits(loss: Option<f64>) -> f64 {
    loss.unwrap_or(f64::NAN) / std::f64::consts::LN_2
}

/// Prints every epoch in bits a character.
struct Report(Instant);

impl Callback for Report {
    fn on_epoch_end(&mut self, training: &mut Training<'_>) -> Result<(), recurrent::Error> {
        let logs = training.logs();
        println!(
            "epoch {:>3}: {:.3} bits a character, {:.3} on the text that was held out, {:.1} s",
            training.epoch() + 1,
            bits(logs.get("loss")),
            bits(logs.get("val_loss")),
            self.0.elapsed().as_secs_f64(),
        );
        Ok(())
    }
}

fn main() -> ExitCode {
    arguments::run(HELP, run)
}

fn run(mut arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let quick = arguments.flag("--quick");
    let file: Option<PathBuf> = arguments.value("--text")?.map(Into::into);
    let epochs = arguments.number("--epochs", if quick { 1 } else { 20 })?;
    let batch_size = arguments.number("--batch-size", 8)?;
    let steps = arguments.number("--steps", 64)?;
    let learning_rate = arguments.positive("--learning-rate", 0.005)?;
    let length = arguments.number("--length", if quick { 80 } else { 600 })?;
    let temperature = arguments.positive("--temperature", 0.6)?;
    let prompt = arguments
        .value("--prompt")?
        .unwrap_or_else(|| "The ".to_owned());
    let seed = arguments.seed("--seed")?;
    let device = arguments.device()?;
    arguments.end()?;

    let mut ids = read(file.as_deref())?;
    if quick {
        ids.truncate(20_000);
    }
    // A tenth, from the end, is held out.
    let (learnt, held_out) = ids.split_at(ids.len() - ids.len() / 10);
    let next = |part: &[u32]| -> Result<Dataset, Box<dyn Error>> {
        let (Some((_, targets)), Some((_, inputs))) = (part.split_first(), part.split_last())
        else {
            return Err("there is no text".into());
        };
        Ok(Dataset::continuing(inputs, targets, batch_size, steps)
            .map_err(|error| format!("the text is too short: {error}"))?)
    };
    let (train, validation) = (next(learnt)?, next(held_out)?);

    let mut model = Writer::with_seed(seed).to(&device)?;
    println!("{}", model.summary());
    println!(
        "{} characters to learn from, {} held out",
        learnt.len(),
        held_out.len()
    );
    let updates = (epochs * train.len() / batch_size) as u64;
    Trainer::new(&mut model)
        .optimizer(Adam::new(CosineDecay::new(learning_rate, updates)).global_clipnorm(1.0))
        .loss(SparseCategoricalCrossentropy::from_logits())
        .callback(EarlyStopping {
            patience: 3,
            restore_best_weights: true,
            ..EarlyStopping::new("val_loss")
        })
        .callback(Report(Instant::now()))
        .fit(
            &train,
            Fit {
                epochs,
                batch_size,
                validation_data: Some(&validation),
                // Batches go on where the ones before ended.
                shuffle: false,
                seed,
                verbose: Verbose::Silent,
                ..Fit::default()
            },
        )?;
    println!("\n{}", "─".repeat(72));
    write(&model, &prompt, length, temperature as f32, seed)?;
    println!("\n{}", "─".repeat(72));
    Ok(())
}

/// Writes to standard output, a character a step.
fn write(
    model: &Writer,
    prompt: &str,
    length: usize,
    temperature: f32,
    seed: u64,
) -> Result<(), Box<dyn Error>> {
    let (mut stream, mut dice, mut out) = (model.stream()?, Dice(seed), stdout());
    write!(out, "{prompt}")?;
    // A new line is what stands before a beginning.
    let mut logits = *stream.step(&Id::new(id('\n'))?);
    for character in prompt.chars() {
        logits = *stream.step(&Id::new(id(character))?);
    }
    for _ in 0..length {
        let character = draw(&logits, temperature, &mut dice);
        write!(out, "{}", symbol(character))?;
        out.flush()?;
        logits = *stream.step(&Id::new(character)?);
    }
    Ok(())
}
