//! `recurrent bench`.

use serde_json::json;

use crate::{
    arguments::{Building, ModelFile},
    compile,
    failure::{Done, Failure},
    model::Opened,
    output::Output,
    program,
};

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Measurement {
    /// Rows of a batch.
    pub batch: usize,
    /// Steps where the model leaves them open.
    pub steps: usize,
    /// How long each of both is measured.
    pub seconds: f64,
}

/// Compiles a model and measures it.
///
/// # Errors
/// If the file or the model is wrong, or the program cannot be built.
pub fn bench(
    file: &ModelFile,
    measurement: Measurement,
    building: &Building,
    output: Output,
) -> Done<()> {
    let Measurement {
        batch,
        steps,
        seconds,
    } = measurement;
    if batch == 0 || steps == 0 || !(0.01..=600.0).contains(&seconds) {
        return Err(Failure::new("nothing can be measured of this")
            .help("a batch and steps of at least 1, and 0.01 to 600 seconds"));
    }
    let model = Opened::read(file)?.model()?;
    let plan = compile::plan(model.text(), &model.network.cells)?;
    output.notes(&model.notes);
    let program = program::build(&model, plan.streams(), building, output)?;
    let progress = output.progress("measuring");
    let words = [batch.to_string(), steps.to_string(), seconds.to_string()];
    let printed = program::run(&program, &["bench", &words[0], &words[1], &words[2]]);
    progress.finish_and_clear();
    let printed = printed?;
    let of = |what: &str| -> Option<Vec<f64>> {
        let line = printed.lines().find_map(|line| line.strip_prefix(what))?;
        line.split_whitespace()
            .map(|word| word.parse().ok())
            .collect()
    };
    let mut text = String::new();
    let stream = match of("stream ").as_deref() {
        Some([median, tail, count]) => {
            text.push_str(&format!(
                "stream: {median:.1} ns a step (median), {tail:.1} ns (99th percentile), of blocks of 16 steps, {count} steps\n"
            ));
            json!({"median_ns": median, "p99_ns": tail, "steps": count})
        }
        _ => {
            text.push_str("stream: none, a layer needs the whole sequence\n");
            json!(null)
        }
    };
    let Some([rows, runs]) = of("batch ")
        .as_deref()
        .map(<[f64]>::to_vec)
        .and_then(|v| <[f64; 2]>::try_from(v).ok())
    else {
        return Err(Failure::new("the compiled model has printed no figures"));
    };
    text.push_str(&format!(
        "batch: {rows:.0} rows a second, in batches of {batch} of {steps} steps where they are open, {runs} batches\n"
    ));
    let json = json!({
        "file": file.file,
        "notes": model.notes,
        "stream": stream,
        "batch": {"rows_per_second": rows, "batch": batch, "steps": steps, "batches": runs},
    });
    output.print(&text, &json)
}
