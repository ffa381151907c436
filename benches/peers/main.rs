//! Our side of the comparison with other libraries: `compare.py` beside this file asks it and a peer
//! in turns. A line on standard input is a case; the answer is how many nanoseconds a call takes.
//!
//! ```text
//! stream lstm 16 32            a step, 16 features to 32 units
//! batch gru 64 16 100 2        units (and features), rows, steps, threads
//! train lstm64 1               one of three models, threads
//! ```

use std::{
    hint::black_box,
    io::{BufRead, Write},
    time::{Duration, Instant},
};

use common::step::Step;
use recurrent::{
    learner::{InputView, Learner, Values},
    prelude::*,
};

/// How long one answer may take: short, so that both sides see the same noise.
const TIME: Duration = Duration::from_millis(60);

/// Nanoseconds a call: the shortest of some runs of several calls, after a warm-up.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    call();
    let once = start.elapsed().as_nanos().max(1);
    let calls = (1_000_000 / once).max(1);
    let mut all = Vec::new();
    while start.elapsed() < TIME || all.len() < 3 {
        let run = Instant::now();
        for _ in 0..calls {
            call();
        }
        all.push(run.elapsed().as_nanos() as f64 / calls as f64);
    }
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// The same inside a pool of so many threads.
fn on(threads: usize, mut call: impl FnMut() + Send) -> f64 {
    common::threads(threads).install(|| nanoseconds(&mut call))
}

fn train<L: Learner + Send>(model: L, rows: usize, x: InputView<'_>, threads: usize) -> f64 {
    let mut step = Step::new(model, rows, 10).expect("the options make sense");
    on(threads, || {
        black_box(step.run(black_box(x)).expect("the shapes fit"));
    })
}

/// Calls `$case` for the layer and size of that name.
macro_rules! sizes {
    ($case:ident($($words:expr),*): $($layer:ident $name:literal $(($($size:literal),*))+;)+) => {
        match [$($words),*] {
            $($([$name, $(stringify!($size)),*] => $case!($layer, $($size),*),)+)+
            _ => return None,
        }
    };
}

/// The answer to a line; `None` if there is no such case.
fn answer(line: &str) -> Option<f64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    Some(match words[..] {
        ["stream", layer, inputs, units] => {
            macro_rules! step {
                ($layer:ident, $inputs:literal, $units:literal) => {{
                    let model = rnn_model!(Input(_, $inputs) -> $layer($units));
                    let rows: [[f32; $inputs]; 16] = std::array::from_fn(common::row);
                    let mut stream = model.stream().ok()?;
                    let mut t = 0;
                    nanoseconds(|| {
                        t = (t + 1) % rows.len();
                        black_box(stream.step(black_box(&rows[t])));
                    })
                }};
            }
            sizes! { step(layer, inputs, units):
                LSTM "lstm" (1, 8) (1, 16) (1, 32) (1, 64) (8, 8) (16, 16) (32, 32) (64, 64) (64, 128) (128, 128);
                GRU "gru" (1, 8) (1, 16) (1, 32) (1, 64) (8, 8) (16, 16) (32, 32) (64, 64) (64, 128) (128, 128);
            }
        }
        ["batch", layer, units, rows, steps, threads] => {
            let [rows, steps, threads] = [rows, steps, threads].map(|n| n.parse().unwrap_or(1));
            macro_rules! batch {
                ($layer:ident, $units:literal) => {{
                    let model = rnn_model!(Input(_, $units) -> $layer($units, return_sequences));
                    let x = common::sequence(rows, steps, $units);
                    on(threads, || {
                        black_box(model.predict(black_box(&x)).expect("the shapes fit"));
                    })
                }};
            }
            sizes! { batch(layer, units):
                LSTM "lstm" (64) (128) (256);
                GRU "gru" (64) (128) (256);
            }
        }
        ["train", name, threads] => {
            let threads = threads.parse().ok()?;
            let images = common::sequence(64, 28, 28);
            let images = InputView {
                batch: 64,
                time: 28,
                values: Values::Floats(images.as_slice()?),
            };
            let words = common::ids(32, 50, 1000);
            let words = InputView {
                batch: 32,
                time: 50,
                values: Values::Ids(words.as_slice()?),
            };
            match name {
                "lstm64" => {
                    let model = rnn_model!(Input(28, 28) -> LSTM(64) -> Dense(10));
                    train(model, 64, images, threads)
                }
                "gru64" => {
                    let model = rnn_model!(Input(28, 28) -> GRU(64) -> Dense(10));
                    train(model, 64, images, threads)
                }
                "embedding-lstm128" => {
                    let model = rnn_model!(Embedding(1000, 64) -> LSTM(128) -> Dense(10));
                    train(model, 32, words, threads)
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn main() -> std::io::Result<()> {
    if !std::env::args().any(|a| a == "serve") {
        println!("asked by benches/peers/compare.py: see benches/peers/README.md");
        return Ok(());
    }
    for line in std::io::stdin().lock().lines() {
        match answer(&line?) {
            Some(ns) => println!("{ns}"),
            None => println!("unknown"),
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}
