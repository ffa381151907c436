//! Forecasts the carbon dioxide of the air, a year ahead, from the record of Mauna Loa.
//!
//! ```text
//! cargo run --release --example forecast
//! cargo run --release --example forecast -- --out somewhere
//! ```
//!
//! At the end of every December from 1989 on, the twelve months that follow are forecast by a model
//! that was trained on what was known by the end of 1989. The forecast to beat is the usual one for
//! a record with seasons: every month as it was the year before (seasonal naive). A harder one,
//! which adds last year's growth, is shown beside it.
//!
//! The model sees how much each of the last 36 months exceeds its month the year before, which has
//! no seasons and hardly a trend, and gives the same for the next twelve. How long it is trained was
//! chosen by the years 1980 to 1989 (`--known 1979`), not by those that are reported.

#[path = "support/arguments.rs"]
mod arguments;
#[path = "support/chart.rs"]
mod chart;
#[path = "support/co2.rs"]
mod co2;

use std::{error::Error, fs, path::PathBuf, process::ExitCode};

use ndarray::{Array2, Array3};
use recurrent::prelude::*;

use arguments::Arguments;
use chart::{Chart, Curve};
use co2::{Month, Record};

const HELP: &str = "\
Forecasts the carbon dioxide measured at Mauna Loa, a year ahead.

Usage: forecast [options]

  --known YEAR       the last year that is trained on (default 1989)
  --epochs N         passes over the windows (default 20)
  --learning-rate R  the first one, from which half a cosine leads down to 0 (default 0.003)
  --models N         models whose forecasts are averaged (default 5)
  --seed N           draws weights and the order of training (default 0)
  --out DIR          where the plots are written (default cargo's target)
  --device DEVICE    cpu (default), cuda, cuda:1 and so on, or auto
  --quick            one model, ten epochs, to see that it runs
  --help             print this
";

/// Months that the model sees.
const SEEN: usize = 36;
/// Months that it forecasts.
const AHEAD: usize = 12;
/// A year.
const YEAR: usize = 12;

rnn_model! {
    /// Reads 36 months, forecasts twelve.
    #[derive(Clone)]
    pub struct Forecaster = Input(SEEN, 1) -> GRU(32) -> Dense(AHEAD);
}

fn main() -> ExitCode {
    arguments::run(HELP, run)
}

fn run(mut arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let quick = arguments.flag("--quick");
    let year = arguments.number("--known", 1989)? as u32;
    let last_known = Month { year, month: 12 };
    let epochs = arguments.number("--epochs", if quick { 10 } else { 20 })?;
    let learning_rate = arguments.positive("--learning-rate", 0.003)?;
    let models = arguments.number("--models", if quick { 1 } else { 5 })?;
    let seed = arguments.seed("--seed")?;
    let out: PathBuf = arguments
        .value("--out")?
        .map_or_else(arguments::target, Into::into);
    let device = arguments.device()?;
    arguments.end()?;
    fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;

    let record = Record::read()?;
    let known = record.index(last_known)? + 1;
    let growth = record.growth(YEAR);
    if known <= 2 * YEAR + SEEN {
        return Err(format!("{last_known} is too early to learn anything").into());
    }
    if known + AHEAD > record.ppm.len() {
        return Err(format!("the record holds no year after {last_known}").into());
    }
    // What is known by then says how numbers are scaled, too.
    let scale = Scale::of(&growth[..known - YEAR]);
    let scaled: Vec<f32> = growth.iter().map(|&g| scale.down(g)).collect();

    let windows = Dataset::windows(&scaled[..known - YEAR], SEEN, AHEAD)?;
    println!("{}", Forecaster::new().summary());
    println!(
        "{} windows of {SEEN} months until {last_known}",
        windows.len()
    );
    let mut trained = Vec::new();
    for number in 0..models as u64 {
        let mut model = Forecaster::with_seed(seed + number).to(&device)?;
        let steps = (epochs * windows.len().div_ceil(32)) as u64;
        let history = Trainer::new(&mut model)
            .optimizer(AdamW::new(CosineDecay::new(learning_rate, steps)).weight_decay(0.02))
            .loss(MeanSquaredError)
            .fit(
                &windows,
                Fit {
                    epochs,
                    seed: seed + number,
                    ..Fit::default()
                },
            )?;
        let loss = history.last("loss").unwrap_or(f64::NAN);
        println!("model {}: loss {loss:.4}", number + 1);
        if number == 0 {
            save_plot(&history, &out)?;
        }
        trained.push(model);
    }

    let mut errors = Errors::default();
    let mut curves = [Vec::new(), Vec::new(), Vec::new()];
    println!("\nyear   model  seasonal naive  with drift   (root mean square error, ppm)");
    let mut start = known;
    while start + AHEAD <= record.ppm.len() {
        let mut seen = scaled[start - YEAR - SEEN..start - YEAR].iter().copied();
        let x = Array3::from_shape_simple_fn((1, SEEN, 1), || seen.next().unwrap_or(0.0));
        let mut forecast = Array2::<f32>::zeros((1, AHEAD));
        for model in &trained {
            forecast += &model.predict(&x)?;
        }
        forecast /= trained.len() as f32;
        let mut year = Errors::default();
        for ahead in 0..AHEAD {
            let month = start + ahead;
            let (truth, naive) = (record.ppm[month], record.ppm[month - YEAR]);
            let ours = naive + scale.up(forecast[[0, ahead]]);
            let drift = naive + growth[start - 1 - YEAR];
            year.add(truth, [ours, naive, drift]);
            errors.add(truth, [ours, naive, drift]);
            let when = record.months[month].decimal();
            for (curve, value) in curves.iter_mut().zip([truth, ours, naive]) {
                curve.push((when, f64::from(value)));
            }
        }
        println!("{}  {year}", record.months[start].year);
        start += AHEAD;
    }
    println!("all   {errors}");

    let [truth, ours, naive] = curves;
    let chart = Chart {
        title: "CO2 at Mauna Loa, ppm: forecast at the end of each year",
        curves: vec![
            Curve {
                name: "measured",
                colour: "#373c43",
                points: truth,
            },
            Curve {
                name: "seasonal naive",
                colour: "#d55e00",
                points: naive,
            },
            Curve {
                name: "model",
                colour: "#0072b2",
                points: ours,
            },
        ],
    };
    let path = out.join("forecast.svg");
    fs::write(&path, chart.svg()).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("plot in {}", path.display());
    let [ours, naive, _] = errors.root_mean_squares();
    if ours >= naive {
        return Err("the seasonal naive forecast is better".into());
    }
    println!(
        "the error is {:.0} % below the seasonal naive forecast's",
        (1.0 - ours / naive) * 100.0
    );
    Ok(())
}

#[cfg(feature = "plot")]
fn save_plot(history: &History, out: &std::path::Path) -> Result<(), recurrent::Error> {
    history.plot(out.join("forecast-loss.png"))
}

#[cfg(not(feature = "plot"))]
fn save_plot(_: &History, _: &std::path::Path) -> Result<(), recurrent::Error> {
    Ok(())
}

/// Numbers with mean 0 and variance 1, and back.
struct Scale {
    mean: f32,
    deviation: f32,
}

impl Scale {
    fn of(numbers: &[f32]) -> Scale {
        let count = numbers.len() as f32;
        let mean = numbers.iter().sum::<f32>() / count;
        let variance = numbers.iter().map(|n| (n - mean).powi(2)).sum::<f32>() / count;
        Scale {
            mean,
            deviation: variance.sqrt(),
        }
    }

    fn down(&self, number: f32) -> f32 {
        (number - self.mean) / self.deviation
    }

    fn up(&self, number: f32) -> f32 {
        number * self.deviation + self.mean
    }
}

/// Squared errors of the model, of the seasonal naive forecast, and of that with drift.
#[derive(Default)]
struct Errors {
    squares: [f64; 3],
    months: usize,
}

impl Errors {
    fn add(&mut self, truth: f32, forecasts: [f32; 3]) {
        for (sum, forecast) in self.squares.iter_mut().zip(forecasts) {
            *sum += f64::from(forecast - truth).powi(2);
        }
        self.months += 1;
    }

    fn root_mean_squares(&self) -> [f64; 3] {
        self.squares
            .map(|sum| (sum / self.months.max(1) as f64).sqrt())
    }
}

impl std::fmt::Display for Errors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [ours, naive, drift] = self.root_mean_squares();
        write!(f, "{ours:>5.2} {naive:>15.2} {drift:>11.2}")
    }
}
