//! The texts of crates with a model: what they have in common, and the program of `run` and `bench`.

use rnn_compiler::ir::Content;

use crate::{
    failure::{Done, Failure},
    model::Model,
};

/// What the crates have in common.
pub struct Template<'a> {
    /// The name of the package.
    pub package: &'a str,
    /// `path = "…"` or `version = "…"`.
    pub dependency: &'a str,
    /// What stands in `rnn_model!`.
    pub declaration: &'a str,
}

/// The program that `run --compiled` and `bench` start.
const TOOL: &str = r#"//! Made by `recurrent`, of a model file. It runs the model on arrays, or measures it.

use std::{env, error::Error, fs, hint::black_box, process::ExitCode, time::{Duration, Instant}};

use recurrent::{learner::{InputView, Values}, prelude::*};

rnn_model! { @DECLARATION@ }

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match &arguments[..] {
        ["run", input, output] => run(input, output),
        ["bench", batch, steps, seconds] => bench(batch, steps, seconds),
        _ => Err("run INPUT OUTPUT, or bench BATCH STEPS SECONDS".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// One array of the input file: rows, steps, and numbers as their bits.
fn array(rest: &mut &[u8]) -> Done<(usize, usize, Vec<u32>)> {
    let cut = "the input file is cut off";
    let mut word = || -> Done<usize> {
        let (head, tail) = rest.split_first_chunk::<8>().ok_or(cut)?;
        *rest = tail;
        Ok(u64::from_le_bytes(*head).try_into()?)
    };
    let (batch, time, count) = (word()?, word()?, word()?);
    let (words, _) = rest.as_chunks::<4>();
    let bits = words.get(..count).ok_or(cut)?.iter().map(|b| u32::from_le_bytes(*b)).collect();
    *rest = rest.get(4 * count..).ok_or(cut)?;
    Ok((batch, time, bits))
}

fn run(input: &str, output: &str) -> Done<()> {
    let mut model = Imported::new();
    let bytes = fs::read(input)?;
    let mut rest = &bytes[..];
    let mut arrays = Vec::new();
    for _ in Learner::inputs(&model) {
        arrays.push(array(&mut rest)?);
    }
    let floats: Vec<Vec<f32>> = arrays.iter().map(|(.., bits)| bits.iter().map(|b| f32::from_bits(*b)).collect()).collect();
    let views: Vec<InputView<'_>> = Learner::inputs(&model).iter().zip(&arrays).zip(&floats)
        .map(|((spec, (batch, time, ids)), floats)| InputView {
            batch: *batch,
            time: *time,
            values: if spec.ids { Values::Ids(ids) } else { Values::Floats(floats) },
        })
        .collect();
    model.infer(&views)?;
    let mut out = Vec::new();
    for index in 0..Learner::outputs(&model).len() {
        let values = model.output(index);
        out.extend((values.len() as u64).to_le_bytes());
        out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
    fs::write(output, out)?;
    Ok(())
}

/// `n` numbers of an input, or an error where the memory has no room for them.
fn filled<T>(n: usize, of: impl Fn(usize) -> T) -> Done<Vec<T>> {
    let mut all = Vec::new();
    all.try_reserve_exact(n)?;
    all.extend((0..n).map(of));
    Ok(all)
}

/// Numbers that are not all alike.
fn number(i: usize) -> f32 {
    ((i % 101 * 37 % 101) as f32 - 50.0) / 50.0
}

fn bench(batch: &str, steps: &str, seconds: &str) -> Done<()> {
    let (batch, steps): (usize, usize) = (batch.parse()?, steps.parse()?);
    let time = Duration::try_from_secs_f64(seconds.parse()?)?;
    if let Some(mut blocks) = stream(time)? {
        blocks.sort_by(f64::total_cmp);
        let at = |percent: usize| blocks.get(blocks.len().saturating_sub(1) * percent / 100).ok_or("no time for a step");
        println!("stream {} {} {}", at(50)?, at(99)?, blocks.len() * BLOCK);
    }
    let mut model = Imported::new();
    let specs = Learner::inputs(&model);
    let sizes = specs.iter()
        .map(|spec| {
            let time = spec.time.map_or(1, |t| t.unwrap_or(steps));
            let numbers = [&[batch, time], spec.features].concat().iter().try_fold(1_usize, |n, axis| n.checked_mul(*axis));
            Ok((time, numbers.ok_or("the batch is too large")?))
        })
        .collect::<Done<Vec<(usize, usize)>>>()?;
    let floats = specs.iter().zip(&sizes)
        .map(|(spec, (_, n))| filled(*n, |i| if spec.is_mask() { 1.0 } else { number(i) }))
        .collect::<Done<Vec<Vec<f32>>>>()?;
    let ids = sizes.iter().enumerate()
        .map(|(input, (_, n))| {
            let of = model.vocabulary().iter().filter(|v| v.0 == input).map(|v| v.2).min();
            filled(*n, |i| (i % of.unwrap_or(1).max(1)) as u32)
        })
        .collect::<Done<Vec<Vec<u32>>>>()?;
    let views: Vec<InputView<'_>> = specs.iter().zip(&sizes).zip(floats.iter().zip(&ids))
        .map(|((spec, (time, _)), (floats, ids))| InputView {
            batch,
            time: *time,
            values: if spec.ids { Values::Ids(ids) } else { Values::Floats(floats) },
        })
        .collect();
    model.infer(&views)?;
    let (start, mut runs) = (Instant::now(), 0);
    while start.elapsed() < time {
        model.infer(black_box(&views))?;
        runs += 1;
    }
    let rows = (runs * batch) as f64 / start.elapsed().as_secs_f64();
    println!("batch {rows} {runs}");
    Ok(())
}

/// Steps between two looks at the clock.
const BLOCK: usize = 16;

/// Nanoseconds of a step, the mean of each block of steps; `None` if the model does not stream.
fn stream(time: Duration) -> Done<Option<Vec<f64>>> {
@STREAM@
}
"#;

/// The part that streams, around a step.
const STREAM: &str = r#"@START@
    let mut blocks = Vec::new();
    let start = Instant::now();
    let mut i = 0;
    while start.elapsed() < time {
        let block = Instant::now();
        for _ in 0..BLOCK {
            i += 1;
            @STEP@
        }
        blocks.push(block.elapsed().as_secs_f64() * 1e9 / BLOCK as f64);
    }
    // The first ones warm up.
    let warm = blocks.len() / 10;
    blocks.drain(..warm);
    match blocks.is_empty() {
        true => Err("no time for a step".into()),
        false => Ok(Some(blocks)),
    }"#;

impl Template<'_> {
    /// Its Cargo.toml, and what is said after the dependency.
    pub fn cargo(&self, others: &str) -> String {
        format!(
            "[package]\nname = {:?}\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\nrecurrent = {{ {}, default-features = false, features = [\"std\", \"weights\", \"import\"] }}\n{others}\n\
             [profile.release]\ncodegen-units = 1\n\n# It is no part of another workspace.\n[workspace]\n",
            self.package, self.dependency
        )
    }

    /// The program of `run` and `bench`.
    ///
    /// # Errors
    /// If the inputs of the model are not known.
    pub fn tool(&self, model: &Model, streams: bool) -> Done<String> {
        let inputs = model
            .reference
            .inputs()
            .map_err(|e| Failure::new(e.to_string()))?;
        let stream = match (streams, &inputs[..]) {
            (false, _) => "    let _ = (time, number(0));\n    Ok(None)".to_owned(),
            (true, [one]) if one.content == Content::Numbers => {
                let start = "    let mut stream = Imported::stream();";
                let step = format!(
                    "let x: [f32; {}] = std::array::from_fn(|k| number(i + k));\n            black_box(stream.step(black_box(&x)));",
                    one.width
                );
                STREAM.replace("@START@", start).replace("@STEP@", &step)
            }
            (true, [one]) if one.content == Content::Ids => {
                let start = "    let mut stream = Imported::stream();\n    let id = Id::new(0)?;";
                let step = "black_box(stream.step(black_box(&id)));";
                STREAM.replace("@START@", start).replace("@STEP@", step)
            }
            (true, all) => {
                let parts = all.iter().map(|input| match input.content {
                    Content::Numbers => format!("vec![0.5; {}]", input.width),
                    Content::Ids => "vec![0.0]".to_owned(),
                    Content::Mask => "vec![1.0]".to_owned(),
                });
                let parts: Vec<String> = parts.collect();
                let start = format!(
                    "    let mut stream = Imported::stream().boxed();\n    let x: Vec<f32> = [{}].concat();",
                    parts.join(", ")
                );
                let step = "black_box(stream.step(black_box(&x))?);";
                STREAM.replace("@START@", &start).replace("@STEP@", step)
            }
        };
        Ok(TOOL
            .replace("@DECLARATION@", self.declaration)
            .replace("@STREAM@", &stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_do_not_panic_by_themselves() {
        for text in [TOOL, STREAM] {
            for word in [".unwrap()", ".expect(", "panic!", "todo!", "unreachable!"] {
                assert!(!text.contains(word), "{word} in\n{text}");
            }
        }
    }
}
