//! The crates that `recurrent new` makes: a library with the model, a program that runs it on lines of numbers, a test
//! against the interpreter, and a README whose code the test compiles.

use std::{collections::BTreeSet, fmt::Write as _};

use rnn_compiler::ir::Content;
use rnn_formats::Body;
use rnn_reference::InputInfo;

use super::{Template, declaration};
use crate::model::Model;

/// Inputs of a test, and what the interpreter gives for them.
pub struct Expected {
    /// The inputs, one row each.
    pub inputs: Vec<Given>,
    /// The numbers of each output.
    pub outputs: Vec<Vec<f64>>,
    /// Numbers of a step of each output.
    pub widths: Vec<usize>,
}

/// One input of a test.
pub struct Given {
    /// What the model takes.
    pub info: InputInfo,
    /// Its steps; 1 without a time axis.
    pub time: usize,
    /// The numbers of one row.
    pub values: Vec<f64>,
}

impl Given {
    /// The numbers of a step. An input without steps is the same at each.
    fn step(&self, step: usize) -> &[f64] {
        let at = if self.info.steps.is_some() { step } else { 0 };
        let width = self.info.width;
        self.values.get(at * width..(at + 1) * width).unwrap_or(&[])
    }

    /// The name of its file.
    fn file(&self) -> String {
        format!("inputs/{}.txt", self.info.name)
    }
}

/// A file of a crate: its path and its text.
pub type File = (String, String);

/// The files of a crate that a user goes on with, and how its program is started.
pub fn crate_of(
    model: &Model,
    template: &Template<'_>,
    name: &str,
    whole: Option<&str>,
    expected: &Expected,
) -> (Vec<File>, String) {
    let path = model
        .opened
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let own = format!("models/{path}");
    let lib = format!(
        "//! `{name}`, read from `{own}` while this crate is compiled: the weights are constants in the program.\n\
         #![doc = include_str!(\"../README.md\")]\n\n\
         use recurrent::prelude::*;\n\nrnn_model! {{\n    /// The model of `{own}`.\n    {}\n}}\n",
        declaration(model, name, &own)
    );
    let library = template.package.replace('-', "_");
    let main = match whole {
        None => MAIN_STREAM,
        Some(_) => MAIN_BATCH,
    };
    let fill = |text: &str| {
        text.replace("@MAIN@", MAIN)
            .replace("@LIBRARY@", &library)
            .replace("@NAME@", name)
    };
    let inputs = lines_of_inputs(whole.is_none(), expected);
    let paths: Vec<&str> = inputs.iter().map(|(path, _)| path.as_str()).collect();
    let start = match &paths[..] {
        [one] => format!("cargo run --release < {one}"),
        all => format!("cargo run --release -- {}", all.join(" ")),
    };
    let mut files = vec![
        (
            "Cargo.toml".to_owned(),
            template.cargo("\n[dev-dependencies]\nndarray = \"0.17\"\n"),
        ),
        ("src/lib.rs".to_owned(), lib),
        ("src/main.rs".to_owned(), fill(main)),
        (
            "tests/outputs.rs".to_owned(),
            fill(&test(whole.is_none(), expected)),
        ),
        (
            "README.md".to_owned(),
            readme(model, [name, &library, &own, &start], whole, expected),
        ),
        (".gitignore".to_owned(), "/target\n".to_owned()),
    ];
    files.extend(inputs);
    (files, start)
}

/// What the program reads, to begin with: the inputs of the test. A stream has a line of all inputs for each step, a
/// batch a file for each input.
fn lines_of_inputs(streams: bool, expected: &Expected) -> Vec<File> {
    let line = |values: &[f64]| {
        let all: Vec<String> = values.iter().map(|x| (*x as f32).to_string()).collect();
        all.join(" ")
    };
    let steps = |of: &mut dyn FnMut(usize) -> String, count: usize| {
        let lines: Vec<String> = (0..count).map(of).collect();
        lines.join("\n") + "\n"
    };
    match streams {
        true => {
            let count = expected.inputs.iter().map(|input| input.time).max();
            let mut of = |step: usize| {
                let all = expected.inputs.iter().flat_map(|input| input.step(step));
                line(&all.copied().collect::<Vec<f64>>())
            };
            let text = steps(&mut of, count.unwrap_or(0));
            vec![("inputs/steps.txt".to_owned(), text)]
        }
        false => {
            let file = |input: &Given| {
                let text = steps(&mut |step| line(input.step(step)), input.time);
                (input.file(), text)
            };
            expected.inputs.iter().map(file).collect()
        }
    }
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

const MAIN_BATCH: &str = r#"//! Runs the model on one sequence, a line of numbers for each step: of the file that is named for each input, or, where
//! the model has one input, of what is piped in.

use std::{env, error::Error, fs, io::{self, Write as _}, process::ExitCode};

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

/// An input: its steps, its numbers, and the same as ids where the model takes ids.
fn read(text: &str, ids: bool) -> Result<(usize, Vec<f32>, Vec<u32>), String> {
    let (mut steps, mut floats, mut known) = (0, Vec::new(), Vec::new());
    for (line, number) in text.lines().zip(1_u64..) {
        let of_line = |e| format!("line {number}: {e}");
        let all = numbers(line).map_err(of_line)?;
        if all.is_empty() {
            continue;
        }
        if ids {
            known.extend(all.iter().map(|x| id(*x)).collect::<Result<Vec<u32>, _>>().map_err(of_line)?);
        }
        steps += 1;
        floats.extend(all);
    }
    Ok((steps, floats, known))
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut model = @NAME@::new();
    let specs = Learner::inputs(&model);
    let files: Vec<String> = env::args().skip(1).collect();
    let texts = match files.len() {
        0 if specs.len() == 1 => vec![io::read_to_string(io::stdin())?],
        n if n == specs.len() => {
            let text = |file: &String| fs::read_to_string(file).map_err(|e| format!("{file}: {e}"));
            files.iter().map(text).collect::<Result<Vec<String>, String>>()?
        }
        _ => {
            let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
            return Err(format!("name a file of numbers for each input: {}", names.join(", ")).into());
        }
    };
    let mut inputs = Vec::new();
    for (spec, text) in specs.iter().zip(&texts) {
        inputs.push(read(text, spec.ids).map_err(|e| format!("{}, {e}", spec.name))?);
    }
    let views: Vec<InputView<'_>> = specs.iter().zip(&inputs)
        .map(|(spec, (steps, floats, ids))| InputView {
            batch: 1,
            time: if spec.time.is_some() { *steps } else { 1 },
            values: if spec.ids { Values::Ids(ids) } else { Values::Floats(floats) },
        })
        .collect();
    model.infer(&views)?;
    let outputs = Learner::outputs(&model);
    let mut out = io::stdout().lock();
    for (index, output) in outputs.iter().enumerate() {
        if outputs.len() > 1 {
            writeln!(out, "{}:", output.name)?;
        }
        let width: usize = output.features.iter().product();
        for step in model.output(index).chunks(width.max(1)) {
            let y: Vec<String> = step.iter().map(f32::to_string).collect();
            writeln!(out, "{}", y.join(" "))?;
        }
    }
    Ok(())
}
"#;

/// A number as Rust has it.
fn literal(x: f32) -> String {
    match x {
        x if x.is_nan() => "f32::NAN".to_owned(),
        f32::INFINITY => "f32::INFINITY".to_owned(),
        f32::NEG_INFINITY => "f32::NEG_INFINITY".to_owned(),
        x => format!("{x:?}"),
    }
}

/// The test against the interpreter.
fn test(streams: bool, expected: &Expected) -> String {
    let list = |values: &[f64]| {
        let mut text = String::new();
        for chunk in values.chunks(8) {
            let all: Vec<String> = chunk.iter().map(|x| literal(*x as f32)).collect();
            let _ = write!(text, "\n        {},", all.join(", "));
        }
        text
    };
    let mut text = String::from(
        "//! The model gives what recurrent's interpreter has computed in float64 when this crate was made.\n\n\
         use @LIBRARY@::@NAME@;\nuse recurrent::{learner::{InputView, Values}, prelude::*};\n\n\
         /// For each input the steps and the numbers of one row.\nconst INPUTS: &[(usize, &[f32])] = &[",
    );
    for input in &expected.inputs {
        let (time, values) = (input.time, list(&input.values));
        let _ = write!(text, "\n    ({time}, &[{values}\n    ]),");
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
    let finite = expected.iter().filter(|x| x.is_finite());
    let largest = finite.fold(1e-3_f32, |m, x| m.max(x.abs()));
    for (a, b) in found.iter().zip(expected) {
        // What is not finite in the model is not finite here.
        let same = a == b || a.is_nan() && b.is_nan();
        assert!(same || (a - b).abs() <= 1e-4 * largest, "{a} and {b}");
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
        let widths: Vec<String> = expected.widths.iter().map(usize::to_string).collect();
        let _ = write!(
            text,
            "\n/// Numbers of a step of each output.\nconst WIDTHS: &[usize] = &[{}];\n",
            widths.join(", ")
        );
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
    let mut from = 0;
    for (expected, width) in OUTPUTS.iter().zip(WIDTHS) {
        let part = |y: &Vec<f32>| y[from..from + width].to_vec();
        let found = match expected.len() == *width {
            true => part(&last),
            false => all.iter().flat_map(part).collect(),
        };
        from += width;
        close(&found, expected);
    }
    Ok(())
}
"#,
        );
    }
    text
}

/// The array that `predict` takes for an input, and what its axes are.
fn array(input: &Given) -> (usize, String, &'static str) {
    let Given { info, time, .. } = input;
    let axes = [Some(1), info.steps.map(|_| *time)].into_iter().flatten();
    let axes: Vec<String> = axes
        .chain(info.features.iter().copied())
        .map(|n| n.to_string())
        .collect();
    let shape = match &axes[..] {
        [one] => one.clone(),
        all => format!("({})", all.join(", ")),
    };
    let rank = axes.len();
    let zeros = match info.content {
        Content::Numbers => format!("Array{rank}::<f32>::zeros({shape})"),
        Content::Ids => format!("Array{rank}::<u32>::zeros({shape})"),
        Content::Mask => format!("Array{rank}::from_elem({shape}, true)"),
    };
    let batch = match (info.steps, info.content) {
        (Some(_), Content::Numbers) => "[batch, time, features]",
        (Some(_), _) => "[batch, time]",
        (None, Content::Numbers) => "[batch, features]",
        (None, _) => "[batch]",
    };
    (rank, zeros, batch)
}

/// The code of a README: a stream, if there is one, and a batch.
fn example(name: &str, library: &str, streams: bool, inputs: &[Given]) -> String {
    let arrays: Vec<_> = inputs.iter().map(array).collect();
    let ranks: BTreeSet<String> = arrays
        .iter()
        .map(|(rank, ..)| format!("Array{rank}"))
        .collect();
    let ranks: Vec<String> = ranks.into_iter().collect();
    let ranks = match &ranks[..] {
        [one] => one.clone(),
        all => format!("{{{}}}", all.join(", ")),
    };
    let mut text = format!(
        "```rust\nuse {library}::{name};\nuse ndarray::{ranks};\nuse recurrent::prelude::*;\n\nfn main() -> Result<(), Error> {{\n"
    );
    if streams {
        let (stream, step) = match inputs {
            [Given { info, .. }] if info.content == Content::Ids => {
                ("", "&Id::new(0)?)".to_owned())
            }
            [Given { info, .. }] if info.features.len() == 1 => {
                ("", format!("&[0.5; {}])", info.width))
            }
            all => {
                let width: usize = all.iter().map(|input| input.info.width).sum();
                (".boxed()", format!("&[1.0; {width}])?"))
            }
        };
        let _ = write!(
            text,
            "    // One step after another.\n    let mut stream = {name}::stream(){stream};\n    let y = stream.step({step};\n    \
             println!(\"{{y:?}}\");\n    // The start of the next sequence.\n    stream.reset();\n\n    // Whole sequences, several at once. Programs need `ndarray` for it; here the tests have it.\n"
        );
    }
    for (input, (_, zeros, batch)) in inputs.iter().zip(&arrays) {
        let _ = writeln!(text, "    let {} = {zeros}; // {batch}", input.info.name);
    }
    let names: Vec<String> = inputs
        .iter()
        .map(|input| format!("&{}", input.info.name))
        .collect();
    let call = match &names[..] {
        [one] => one.clone(),
        all => format!("({})", all.join(", ")),
    };
    let _ = write!(
        text,
        "    let y = {name}::new().predict({call})?;\n    println!(\"{{y:?}}\");\n    Ok(())\n}}\n```\n"
    );
    text
}

/// A README. `whole`: why the model does not stream. Its code is a test of the crate.
fn readme(
    model: &Model,
    [name, library, own, start]: [&str; 4],
    whole: Option<&str>,
    expected: &Expected,
) -> String {
    let mut text = format!(
        "# {name}\n\nThe model of `{own}`, compiled by [recurrent]({}): its layers are Rust code, its \
         weights constants in the program.\n\n```text\n{}\n```\n\n",
        env!("CARGO_PKG_REPOSITORY"),
        match &model.body {
            Body::Chain(chain) => chain.replace(" -> ", "\n-> "),
            Body::Graph(graph) => graph.trim_end().to_owned(),
        }
    );
    let _ = match whole {
        None => writeln!(
            text,
            "A stream needs no file, no allocation and nothing to be done before its first step:\n"
        ),
        Some(why) => writeln!(
            text,
            "It takes whole sequences and does not stream: {why}.\n"
        ),
    };
    text.push_str(&example(name, library, whole.is_none(), &expected.inputs));
    if !model.notes.is_empty() {
        text.push_str("\nWhat the tool has said of how the file is read:\n\n");
        for note in &model.notes {
            // A line of a list, whatever a name in the file has in it.
            let _ = writeln!(text, "- {}", note.replace(['\n', '\r'], " "));
        }
    }
    let _ = write!(
        text,
        "\n```sh\ncargo test              # the outputs are those of the interpreter\n{start}\n```\n\n\
         A line has the numbers of one step{}. The program is compiled again when the file changes.\n",
        match (whole, expected.inputs.len()) {
            (None, 2..) => ", of all inputs in a row",
            _ => "",
        }
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rust() {
        let all = [0.5, 1e-30, f32::NAN, f32::INFINITY, f32::NEG_INFINITY].map(literal);
        let expected = [
            "0.5",
            "1e-30",
            "f32::NAN",
            "f32::INFINITY",
            "f32::NEG_INFINITY",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn programs_do_not_panic_by_themselves() {
        for text in [MAIN, MAIN_STREAM, MAIN_BATCH] {
            for word in [".unwrap()", ".expect(", "panic!", "todo!", "unreachable!"] {
                assert!(!text.contains(word), "{word} in\n{text}");
            }
        }
    }
}
