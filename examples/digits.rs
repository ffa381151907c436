//! Reads handwritten digits row by row: trains, tests, streams, saves and loads.
//!
//! ```text
//! cargo run --release --example digits
//! cargo run --release --example digits -- --cell custom --seed 1
//! cargo run --release --example digits -- --mnist path/to/mnist
//! cargo run --release --features cuda --example digits -- --device cuda
//! ```
//!
//! Without options it trains `Input(8, 8) -> LSTM(64) -> BatchNormalization -> Dense(10)` for 60
//! epochs, with Adam and batches of 32, as one would in Keras, but for the learning rate: it falls
//! along half a cosine from 0.005. At a constant one (`--constant --learning-rate 0.001` is Keras's
//! Adam) the accuracy on what was held out depends much on the epoch that happens to be the last.

#[path = "support/digits.rs"]
mod digits;
#[path = "support/idx.rs"]
mod idx;
#[path = "support/models.rs"]
mod models;
#[path = "support/options.rs"]
mod options;
#[path = "support/show.rs"]
mod show;

use std::{
    error::Error,
    fs,
    io::{IsTerminal, stderr},
    process::ExitCode,
    time::Instant,
};

use ndarray::{Array2, Axis};
use recurrent::{
    model::{Model, Sequence, Streamable},
    prelude::*,
};

use digits::Digits;
use models::{mnist, small};
use options::{Cell, HELP, Options};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) if options.help => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(options) => options,
        Err(message) => {
            eprintln!("error: {message}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let done = match (options.mnist.is_some(), options.cell) {
        (false, Cell::Lstm) => run::<small::Lstm, 8>(&options),
        (false, Cell::Gru) => run::<small::Gru, 8>(&options),
        (false, Cell::Simple) => run::<small::Simple, 8>(&options),
        (false, Cell::Custom) => run::<small::Custom, 8>(&options),
        (true, Cell::Lstm) => run::<mnist::Lstm, 28>(&options),
        (true, Cell::Gru) => run::<mnist::Gru, 28>(&options),
        (true, Cell::Simple) => run::<mnist::Simple, 28>(&options),
        (true, Cell::Custom) => run::<mnist::Custom, 28>(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything, with a model that reads rows of `WIDTH` pixels.
fn run<M, const WIDTH: usize>(options: &Options) -> Result<(), Box<dyn Error>>
where
    M: Streamable
        + Model<Input = Sequence, Output = Array2<f32>, StepInput = [f32; WIDTH]>
        + for<'s> Model<StepOutput<'s> = &'s [f32; 10]>,
{
    let data = match &options.mnist {
        Some(folder) => Digits::mnist(folder)?,
        None => Digits::small(options.seed)?,
    };
    fs::create_dir_all(&options.out)
        .map_err(|error| format!("{}: {error}", options.out.display()))?;
    let device: Device = options.device.parse()?;
    let mut model = M::with_seed(options.seed).to(&device)?;
    println!("{}", model.summary());
    if options.plan {
        println!("{}", M::plan());
    }

    let history = train(&mut model, &data, options)?;
    let plot = options.out.join("digits.png");
    history.plot(&plot)?;
    test(&model, &data)?;
    stream(&model, &data)?;

    let weights = options.out.join("digits.safetensors");
    model.save(&weights)?;
    let mut loaded = M::new();
    loaded.load(&weights)?;
    if loaded.predict(&data.images)? != model.predict(&data.images)? {
        return Err("the loaded model predicts something else than the saved one".into());
    }
    println!(
        "weights in {}, which predict the same when loaded; losses in {}",
        weights.display(),
        plot.display()
    );
    Ok(())
}

/// Trains with Adam, and says how long it took.
fn train<M: Model>(
    model: &mut M,
    data: &Digits,
    options: &Options,
) -> Result<History, recurrent::Error> {
    let steps = options.epochs * data.train.len().div_ceil(options.batch_size);
    let rate = options.learning_rate;
    let adam = match options.constant {
        true => Adam::new(rate),
        false => Adam::new(CosineDecay::new(rate, steps as u64)),
    };
    let start = Instant::now();
    let history = Trainer::new(model)
        .optimizer(adam)
        .loss(SparseCategoricalCrossentropy::from_logits())
        .metric(Accuracy)
        .fit(
            &data.train,
            Fit {
                epochs: options.epochs,
                batch_size: options.batch_size,
                validation_data: Some(&data.test),
                validation_batch_size: Some(256),
                seed: options.seed,
                // A log file gets the figures of every epoch, too.
                verbose: match stderr().is_terminal() {
                    true => Verbose::Progress,
                    false => Verbose::Lines,
                },
                ..Fit::default()
            },
        )?;
    println!(
        "trained on {} images, {} epochs, in {:.2} s",
        data.train.len(),
        options.epochs,
        start.elapsed().as_secs_f64()
    );
    Ok(history)
}

/// Guesses the digits that were held out.
fn test<M>(model: &M, data: &Digits) -> Result<(), recurrent::Error>
where
    M: Model<Input = Sequence, Output = Array2<f32>>,
{
    let logits = model.predict(&data.images)?;
    let guesses: Vec<usize> = logits.outer_iter().map(show::best).collect();
    let pairs = guesses.iter().zip(&data.labels);
    let right = pairs.filter(|(guess, label)| **guess == **label as usize);
    let accuracy = right.count() as f64 / data.labels.len() as f64;
    println!("test accuracy: {accuracy:.4}\n");
    println!("{}", show::confusion(&guesses, &data.labels));
    Ok(())
}

/// Reads one image row by row, with a guess after each.
fn stream<M, const WIDTH: usize>(model: &M, data: &Digits) -> Result<(), Box<dyn Error>>
where
    M: Streamable + Model<StepInput = [f32; WIDTH]> + for<'s> Model<StepOutput<'s> = &'s [f32; 10]>,
{
    // A 9 begins like many others.
    let which = data
        .labels
        .iter()
        .position(|&label| label == 9)
        .unwrap_or(0);
    println!(
        "a {} that was held out, read row by row:",
        data.labels[which]
    );
    let mut stream = model.stream()?;
    for pixels in data.images.index_axis(Axis(0), which).outer_iter() {
        let mut row = [0.0; WIDTH];
        if pixels.len() != WIDTH {
            return Err(format!("expected rows of {WIDTH} pixels, found {}", pixels.len()).into());
        }
        row.iter_mut()
            .zip(pixels)
            .for_each(|(to, &pixel)| *to = pixel);
        println!("{}", show::row(pixels, stream.step(&row)));
    }
    println!();
    Ok(())
}
