//! The tool `recurrent`: looks into model files of others, converts them, runs them, makes programs of them.
#![forbid(unsafe_code)]

mod arguments;
mod array;
mod commands;
mod compile;
mod failure;
mod model;
mod network;
mod output;
mod program;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use arguments::{Arguments, Command};
use commands::{Conversion, Measurement};
use failure::Done;
use output::Output;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output {
        json: arguments.json,
        quiet: arguments.quiet,
    };
    match run(&arguments.command, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if output.json => {
            let error = serde_json::json!({"error": e.what, "help": e.help});
            if let Err(unprinted) = output.print("", &error) {
                output::complain(&format!("{e}\n{unprinted}"));
            }
            ExitCode::from(1)
        }
        Err(e) => {
            output::complain(&e.to_string());
            ExitCode::from(1)
        }
    }
}

fn run(command: &Command, output: Output) -> Done<()> {
    match command {
        Command::Inspect { model } => commands::inspect(model, output),
        Command::Convert {
            model,
            output: path,
            to,
            names,
            force,
        } => {
            let conversion = Conversion {
                path,
                to: *to,
                names: *names,
                force: *force,
            };
            commands::convert(model, &conversion, output)
        }
        Command::Plan { model } => commands::plan(model, output),
        Command::Run {
            model,
            data,
            output: to,
            force,
            compiled,
            building,
        } => {
            let run = commands::Run {
                data,
                to: to.as_deref(),
                force: *force,
                compiled: compiled.then_some(building),
            };
            commands::run(model, &run, output)
        }
        Command::Bench {
            model,
            batch,
            steps,
            seconds,
            building,
        } => {
            let measurement = Measurement {
                batch: *batch,
                steps: *steps,
                seconds: *seconds,
            };
            commands::bench(model, measurement, building, output)
        }
        Command::New {
            model,
            folder,
            recurrent,
        } => commands::new(model, folder, recurrent.as_deref(), output),
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            // `generate` panics where it cannot write.
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut command, "recurrent", &mut text);
            let text = String::from_utf8_lossy(&text);
            let json = serde_json::json!({"shell": shell.to_string(), "text": text});
            output.print(&text, &json)
        }
    }
}
