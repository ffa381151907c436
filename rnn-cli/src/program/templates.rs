//! The texts of crates with a model.

use std::fmt::Write as _;

use rnn_compiler::ir::Content;

use super::declaration;
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
    /// Its Cargo.toml.
    pub fn cargo(&self) -> String {
        format!(
            "[package]\nname = {:?}\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\nrecurrent = {{ {}, default-features = false, features = [\"std\", \"weights\", \"import\"] }}\n\n\
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

/// Inputs of a test, and what the interpreter gives for them.
pub struct Expected {
    /// The numbers of each input, one row.
    pub inputs: Vec<(usize, Vec<f64>)>,
    /// The numbers of each output.
    pub outputs: Vec<Vec<f64>>,
}

/// A file of a crate: its path and its text.
pub type File = (&'static str, String);

/// The files of a crate that a user goes on with.
pub fn crate_of(
    model: &Model,
    template: &Template<'_>,
    name: &str,
    streams: bool,
    expected: &Expected,
) -> Vec<File> {
    let path = model
        .opened
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let own = format!("models/{path}");
    let lib = format!(
        "//! `{name}`, read from `{own}` while this crate is compiled: the weights are constants in the program.\n\n\
         use recurrent::prelude::*;\n\nrnn_model! {{\n    /// The model of `{own}`.\n    {}\n}}\n",
        declaration(model, name, &own)
    );
    let library = template.package.replace('-', "_");
    let main = match streams {
        true => MAIN_STREAM,
        false => MAIN_BATCH,
    };
    let fill = |text: &str| {
        text.replace("@MAIN@", MAIN)
            .replace("@LIBRARY@", &library)
            .replace("@NAME@", name)
    };
    vec![
        ("Cargo.toml", template.cargo()),
        ("src/lib.rs", lib),
        ("src/main.rs", fill(main)),
        ("tests/outputs.rs", fill(&test(streams, expected))),
        ("README.md", readme(model, name, &library, &own, streams)),
        (".gitignore", "/target\n".to_owned()),
    ]
}

/// What is before both kinds of `main`: errors are printed in words, and the program ends with 1.
const MAIN: &str = r#"
fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// The numbers of a line, with spaces, commas or tabs between them.
fn numbers(line: &str) -> Result<Vec<f32>, String> {
    let words = line.split([' ', ',', '\t']).filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(|_| format!("expected a number, found `{word}`"))).collect()
}
"#;

const MAIN_STREAM: &str = r#"//! Streams the model: one step for each line of numbers, until the input ends.

use std::{error::Error, io::{self, BufRead as _, Write as _}, process::ExitCode};

use @LIBRARY@::@NAME@;
@MAIN@
fn run() -> Result<(), Box<dyn Error>> {
    // In a program of your own `@NAME@::stream()` has arrays of the right sizes: `let y = stream.step(&[0.5]);`.
    let mut stream = @NAME@::stream().boxed();
    let mut out = io::stdout().lock();
    for (number, line) in (1_u64..).zip(io::stdin().lock().lines()) {
        let x = numbers(&line?).map_err(|e| format!("line {number}: {e}"))?;
        let y = stream.step(&x).map_err(|e| format!("line {number}: {e}"))?;
        let y: Vec<String> = y.iter().map(f32::to_string).collect();
        writeln!(out, "{}", y.join(" "))?;
    }
    Ok(())
}
"#;

const MAIN_BATCH: &str = r#"//! Runs the model on one sequence: a line of numbers for each step, until the input ends.

use std::{error::Error, io::{self, BufRead as _, Write as _}, process::ExitCode};

use @LIBRARY@::@NAME@;
use recurrent::{learner::{InputView, Values}, prelude::*};
@MAIN@
/// A number as an id. Casts saturate, and NaN becomes 0: what comes back is the number, if it was one.
fn id(number: f32) -> Result<u32, String> {
    let id = number as u32;
    match id as f32 == number {
        true => Ok(id),
        false => Err(format!("an id is a whole number from 0 on, found {number}")),
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    // A layer of this model needs the whole sequence at once, so it has no stream.
    let mut model = @NAME@::new();
    let [spec] = Learner::inputs(&model) else {
        return Err("this model has several inputs: write your own call of `predict`".into());
    };
    let (mut x, mut ids) = (Vec::new(), Vec::new());
    let mut time = 0;
    for (line, number) in io::stdin().lock().lines().zip(1_u64..) {
        let all = numbers(&line?).map_err(|e| format!("line {number}: {e}"))?;
        if spec.ids {
            ids.extend(all.iter().map(|x| id(*x)).collect::<Result<Vec<u32>, _>>().map_err(|e| format!("line {number}: {e}"))?);
        }
        x.extend(all);
        time += 1;
    }
    let values = if spec.ids { Values::Ids(&ids) } else { Values::Floats(&x) };
    let time = if spec.time.is_some() { time } else { 1 };
    model.infer(&[InputView { batch: 1, time, values }])?;
    let width: usize = Learner::outputs(&model).first().map_or(1, |output| output.features.iter().product());
    let mut out = io::stdout().lock();
    for step in model.output(0).chunks(width.max(1)) {
        let y: Vec<String> = step.iter().map(f32::to_string).collect();
        writeln!(out, "{}", y.join(" "))?;
    }
    Ok(())
}
"#;

/// The test against the interpreter.
fn test(streams: bool, expected: &Expected) -> String {
    let list = |values: &[f64]| {
        let mut text = String::new();
        for chunk in values.chunks(8) {
            let all: Vec<String> = chunk.iter().map(|x| format!("{:?}", *x as f32)).collect();
            let _ = write!(text, "\n        {},", all.join(", "));
        }
        text
    };
    let mut text = String::from(
        "//! The model gives what recurrent's interpreter has computed in float64 when this crate was made.\n\n\
         use @LIBRARY@::@NAME@;\nuse recurrent::{learner::{InputView, Values}, prelude::*};\n\n\
         /// For each input the steps and the numbers of one row.\nconst INPUTS: &[(usize, &[f32])] = &[",
    );
    for (time, values) in &expected.inputs {
        let _ = write!(text, "\n    ({time}, &[{}\n    ]),", list(values));
    }
    text.push_str(
        "\n];\n\n/// For each output the numbers of one row.\nconst OUTPUTS: &[&[f32]] = &[",
    );
    for values in &expected.outputs {
        let _ = write!(text, "\n    &[{}\n    ],", list(values));
    }
    text.push_str(
        r#"
];

fn close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-3_f32, |m, x| m.max(x.abs()));
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-4 * largest, "{a} and {b}");
    }
}

#[test]
fn a_batch() -> Result<(), Error> {
    let mut model = @NAME@::new();
    let ids: Vec<Vec<u32>> = INPUTS.iter().map(|(_, x)| x.iter().map(|id| *id as u32).collect()).collect();
    let specs = Learner::inputs(&model).iter();
    let views: Vec<InputView<'_>> = specs
        .zip(INPUTS.iter().zip(&ids))
        .map(|(spec, ((time, floats), ids))| InputView {
            batch: 1,
            time: *time,
            values: if spec.ids { Values::Ids(ids) } else { Values::Floats(floats) },
        })
        .collect();
    model.infer(&views)?;
    for (index, expected) in OUTPUTS.iter().enumerate() {
        close(model.output(index), expected);
    }
    Ok(())
}
"#,
    );
    if streams {
        text.push_str(
            r#"
#[test]
fn a_stream() -> Result<(), Error> {
    let mut stream = @NAME@::stream().boxed();
    let steps = INPUTS.iter().map(|(time, _)| *time).max().unwrap_or(1);
    let (mut last, mut all) = (Vec::new(), Vec::new());
    for step in 0..steps {
        let mut x = Vec::new();
        for (time, values) in INPUTS {
            // An input without steps is the same at each.
            let width = values.len() / time;
            let at = if *time == 1 { 0 } else { step };
            x.extend_from_slice(&values[at * width..(at + 1) * width]);
        }
        last = stream.step(&x)?.to_vec();
        all.push(last.clone());
    }
    // An output of every step is a part of each step's; of others the last one counts.
    let mut at = 0;
    for expected in OUTPUTS {
        let whole: usize = last.len();
        let found: Vec<f32> = match OUTPUTS.len() {
            1 if expected.len() == whole * steps => all.concat(),
            1 => last.clone(),
            _ => {
                let width = WIDTHS[at];
                let from: usize = WIDTHS[..at].iter().sum();
                let part = |y: &Vec<f32>| y[from..from + width].to_vec();
                match expected.len() == width {
                    true => part(&last),
                    false => all.iter().flat_map(part).collect(),
                }
            }
        };
        at += 1;
        close(&found, expected);
    }
    Ok(())
}
"#,
        );
    }
    text
}

fn readme(model: &Model, name: &str, library: &str, own: &str, streams: bool) -> String {
    let mut text = format!(
        "# {name}\n\nThe model of `{own}`, compiled by [recurrent](https://github.com/recurrent-rs/recurrent): its layers are Rust code, its \
         weights constants in the program.\n\n```text\n{}\n```\n\n",
        model.text().replace(" -> ", "\n-> ").trim_end()
    );
    text.push_str(match streams {
        true => "A stream needs no file, no allocation and nothing to be done before its first step:\n\n",
        false => "A layer of it needs the whole sequence at once, so it runs on batches:\n\n",
    });
    let _ = match streams {
        true => writeln!(
            text,
            "```rust\nuse {library}::{name};\n\nlet mut stream = {name}::stream();\nlet y = stream.step(&x);   // one step\nstream.reset();            // the start of the next sequence\n```"
        ),
        false => writeln!(
            text,
            "```rust\nuse {library}::{name};\nuse recurrent::prelude::*;\n\nlet model = {name}::new();\nlet y = model.predict(&x)?;   // arrays [batch, time, features]\n```"
        ),
    };
    if !model.notes.is_empty() {
        text.push_str("\nWhat the tool has said of how the file is read:\n\n");
        for note in &model.notes {
            // A line of a list, whatever a name in the file has in it.
            let _ = writeln!(text, "- {}", note.replace(['\n', '\r'], " "));
        }
    }
    text.push_str("\n```sh\ncargo test              # the outputs are those of the interpreter\necho 0.5 | cargo run --release\n```\n\nThe program is compiled again when the file changes.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_do_not_panic_by_themselves() {
        for text in [TOOL, STREAM, MAIN, MAIN_STREAM, MAIN_BATCH] {
            for word in [".unwrap()", ".expect(", "panic!", "todo!", "unreachable!"] {
                assert!(!text.contains(word), "{word} in\n{text}");
            }
        }
    }
}
