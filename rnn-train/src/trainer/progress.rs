//! The display of a training's progress.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use super::fit::Verbose;
use crate::logs::Logs;
use rnn_runtime::error::Error;

/// The loss and the metrics of the bar are computed anew this often.
const REDRAW: Duration = Duration::from_millis(100);

/// The bar, the lines or nothing.
pub(super) struct Progress {
    kind: Kind,
    epoch: usize,
    epochs: usize,
    began: Instant,
    drawn: Instant,
}

enum Kind {
    Silent,
    Lines,
    #[cfg(feature = "progress")]
    Bar(indicatif::ProgressBar),
}

impl Progress {
    pub fn new(verbose: Verbose, epochs: usize) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let kind = match verbose {
            Verbose::Silent => Kind::Silent,
            Verbose::Lines => Kind::Lines,
            Verbose::Auto | Verbose::Progress if !terminal => Kind::Silent,
            Verbose::Auto | Verbose::Progress => bar(),
        };
        let now = Instant::now();
        Progress {
            kind,
            epoch: 0,
            epochs,
            began: now,
            drawn: now,
        }
    }

    /// `epoch` counts from 0.
    pub fn begin_epoch(&mut self, epoch: usize, steps: usize) {
        self.epoch = epoch;
        self.began = Instant::now();
        #[cfg(feature = "progress")]
        if let Kind::Bar(bar) = &self.kind {
            bar.reset();
            bar.set_length(steps as u64);
            bar.set_prefix(format!("Epoch {}/{}", epoch + 1, self.epochs));
            bar.set_message("");
        }
        #[cfg(not(feature = "progress"))]
        let _ = steps;
    }

    /// Advances by one step. `logs` is called only now and then.
    pub fn step(&mut self, logs: impl FnOnce() -> Result<Logs, Error>) -> Result<(), Error> {
        match &self.kind {
            Kind::Silent | Kind::Lines => {}
            #[cfg(feature = "progress")]
            Kind::Bar(bar) => {
                bar.inc(1);
                if self.drawn.elapsed() >= REDRAW {
                    self.drawn = Instant::now();
                    bar.set_message(logs()?.to_string());
                }
            }
        }
        #[cfg(not(feature = "progress"))]
        let _ = (logs, self.drawn, REDRAW);
        Ok(())
    }

    /// All figures of the epoch, its validation included.
    pub fn end_epoch(&mut self, logs: &Logs) {
        let seconds = self.began.elapsed().as_secs_f64();
        let line = format!(
            "Epoch {}/{} - {seconds:.2}s - {logs}",
            self.epoch + 1,
            self.epochs
        );
        match &self.kind {
            Kind::Silent => {}
            Kind::Lines => eprintln!("{line}"),
            #[cfg(feature = "progress")]
            Kind::Bar(bar) => bar.println(line),
        }
    }
}

#[cfg(feature = "progress")]
impl Drop for Progress {
    fn drop(&mut self) {
        if let Kind::Bar(bar) = &self.kind {
            bar.finish_and_clear();
        }
    }
}

#[cfg(not(feature = "progress"))]
fn bar() -> Kind {
    Kind::Lines
}

#[cfg(feature = "progress")]
fn bar() -> Kind {
    use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    let template = "{prefix} {bar:24} {pos}/{len} - {msg} - {per_sec} - {eta} left";
    // The template is a constant; should it be wrong, the default style still shows the steps.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ ").with_key(
            "per_sec",
            |state: &indicatif::ProgressState, line: &mut dyn std::fmt::Write| {
                let _ = write!(line, "{:.0} steps/s", state.per_sec());
            },
        ));
    }
    Kind::Bar(bar)
}
