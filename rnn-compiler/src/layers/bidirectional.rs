//! `Bidirectional` (Schuster and Paliwal 1997): a recurrent layer over a sequence and over its
//! reverse, as `keras.layers.Bidirectional` computes it.

use crate::layer::{self, Argument, Built, DropsTime, Kind, LayerDef, OutMask, Reads};
use crate::{
    diagnostics::Diagnostic,
    ir::{CellUse, Content, LayerKind, Rnn, Shape},
    syntax::{ArgumentAst, ValueAst},
};

const MERGE_MODES: &[&str] = &["concat", "sum", "mul", "ave", "none"];

/// The cells that merge both directions.
fn merge_cell(mode: &str) -> &'static str {
    match mode {
        "sum" => "cell Merge() { input f: [n]; input b: [m]; output f + b; }",
        "mul" => "cell Merge() { input f: [n]; input b: [m]; output f * b; }",
        "ave" => "cell Merge() { input f: [n]; input b: [m]; output (f + b) * 0.5; }",
        _ => "cell Merge() { input f: [n]; input b: [m]; output concat(f, b); }",
    }
}

pub(super) const BIDIRECTIONAL: LayerDef = LayerDef {
    class: "Bidirectional",
    stem: "bidirectional",
    arguments: &[
        Argument::required("layer", Kind::Layer),
        Argument::optional("merge_mode", Kind::Choice(MERGE_MODES)),
        Argument::instead(
            "weights",
            "an array of the program: `model.set_param(\"bidirectional/forward_lstm/kernel\", &array)?`, with its own name; a file: `model.load(\"weights.safetensors\")?`",
        ),
        Argument::optional("backward_layer", Kind::Layer),
        Argument::optional("initial_state", Kind::Values),
        Argument::optional("mask", Kind::Values),
    ],
    refused: &[(
        "go_backwards",
        "leave it out: Bidirectional reads in both directions",
    )],
    reads: Reads::Sequence,
    drops_time: Some(DropsTime::LAST),
    build: |given, context, found| {
        let (Some(input), Some(value)) = (context.sequence(given, found), given.raw("layer"))
        else {
            return Built::failed(None);
        };
        let own = given.raw("backward_layer");
        let first = layer::inner(given, context, value, found);
        let second = own.map(|v| layer::inner(given, context, v, found));
        let failed = |shape: Option<&Shape>| Built::failed(shape.cloned());
        let Some(first) = first else {
            return failed(None);
        };
        let guess = first.built.shapes.first().cloned();
        // Each direction adds the penalty of its own output, however the outputs are merged.
        let second_activity = match &second {
            Some(Some(second)) => second.activity,
            _ => first.activity,
        };
        let activity = [first.activity, second_activity];
        // A layer without the argument runs over time in one direction only.
        let both_ways = |def: &LayerDef| def.takes("go_backwards");
        let Some(kind) = first.built.kind else {
            return failed(guess.as_ref());
        };
        let (LayerKind::Rnn(mut forward), true) = (kind, both_ways(first.def)) else {
            found.push(
                Diagnostic::new(
                    "RNN0164",
                    value.span,
                    format!("Bidirectional needs a recurrent layer, found `{value}`"),
                )
                .help("write Bidirectional(LSTM(64)), or GRU, SimpleRNN, RNN(cell)"),
            );
            return failed(None);
        };
        let mut backward = match second {
            None => Rnn {
                go_backwards: !forward.go_backwards,
                ..(*forward).clone()
            },
            Some(inner) => match inner.and_then(|i| Some((i.built.kind?, both_ways(i.def)))) {
                Some((LayerKind::Rnn(rnn), true)) => *rnn,
                Some(_) => {
                    let at = own.unwrap_or(value);
                    found.push(
                        Diagnostic::new(
                            "RNN0164",
                            at.span,
                            format!("Bidirectional needs a recurrent layer, found `{at}`"),
                        )
                        .help("write `backward_layer = LSTM(64, go_backwards)`"),
                    );
                    return failed(guess.as_ref());
                }
                None => return failed(guess.as_ref()),
            },
        };
        let at = own.map_or(value.span, |v| v.span);
        let differ = |what: &str, help: &str| {
            Diagnostic::new(
                "RNN0165",
                at,
                format!("both layers of Bidirectional need the same `{what}`"),
            )
            .help(help.to_owned())
        };
        let problem = if own.is_none() && forward.go_backwards {
            Some(
                Diagnostic::new(
                    "RNN0165",
                    value.span,
                    "the layer of Bidirectional reads forwards",
                )
                .help("remove `go_backwards`: Bidirectional makes the other direction"),
            )
        } else if forward.go_backwards == backward.go_backwards {
            Some(
                Diagnostic::new(
                    "RNN0165",
                    at,
                    "the two layers of Bidirectional read in the same direction",
                )
                .help(match own {
                    Some(own) => format!("write `backward_layer = {}`", backwards(own)),
                    None => "write `go_backwards` in `backward_layer`".to_owned(),
                }),
            )
        } else if forward.return_sequences != backward.return_sequences {
            Some(differ(
                "return_sequences",
                "write `return_sequences` in both, or in neither",
            ))
        } else if forward.return_state != backward.return_state {
            Some(differ(
                "return_state",
                "write `return_state` in both, or in neither",
            ))
        } else if forward.stateful != backward.stateful {
            Some(differ(
                "stateful",
                "write `stateful` in both, or in neither",
            ))
        } else if forward.outputs.len() != 1 || backward.outputs.len() != 1 {
            Some(
                Diagnostic::new(
                    "RNN0164",
                    value.span,
                    "a cell with several outputs has nothing to merge",
                )
                .help("let the cell give one output: `output concat(a, b);`"),
            )
        } else {
            None
        };
        if let Some(d) = problem {
            found.push(d);
            return failed(guess.as_ref());
        }
        // As in Keras, for both directions.
        forward.zero_output_for_mask = forward.return_sequences;
        backward.zero_output_for_mask = forward.return_sequences;
        let mode = given.choice("merge_mode").unwrap_or("concat");
        let (f, b) = (&forward.outputs[0], &backward.outputs[0]);
        if f != b && matches!(mode, "sum" | "mul" | "ave") {
            found.push(
                Diagnostic::new(
                    "RNN0166",
                    at,
                    format!(
                        "`merge_mode = {mode}` needs two outputs of one size, found {} and {}",
                        list(f),
                        list(b)
                    ),
                )
                .help(crate::cell::size::by_name(f, b).unwrap_or(
                    "write `merge_mode = concat`, or give both layers the same units".to_owned(),
                )),
            );
            return failed(guess.as_ref());
        }
        // Keras joins the last axis; joining whole vectors would give another order of numbers.
        if mode == "concat" && f.len().max(b.len()) > 1 {
            found.push(
                Diagnostic::new(
                    "RNN0166",
                    at,
                    format!(
                        "`merge_mode = concat` joins vectors, found outputs {} and {}",
                        list(f),
                        list(b)
                    ),
                )
                .help("write `merge_mode = sum`, `mul` or `ave`; or `merge_mode = none`, and `let (forward, backward) = …`"),
            );
            return failed(guess.as_ref());
        }
        let of = |which: &str, rnn: &Rnn| -> Vec<(String, Vec<crate::cell::size::Size>)> {
            let states = rnn.states.iter();
            states
                .map(|(n, s)| (format!("{which}_{n}"), s.clone()))
                .collect()
        };
        let states = [of("forward", &forward), of("backward", &backward)].concat();
        let time = if forward.return_sequences {
            input.time.clone()
        } else {
            crate::ir::Time::None
        };
        let Some((initial, reads_mask)) = layer::reads(
            given,
            context,
            &states,
            forward.stateful,
            &input.time,
            found,
        ) else {
            return failed(guess.as_ref());
        };
        let merge = match mode {
            "none" => None,
            mode => match layer::parse(merge_cell(mode), found) {
                Some(cell) => Some(CellUse {
                    cell,
                    arguments: vec![],
                }),
                None => return failed(guess.as_ref()),
            },
        };
        let shape = |axes: &Vec<crate::cell::size::Size>, time: &crate::ir::Time| Shape {
            content: Content::Numbers,
            time: time.clone(),
            axes: axes.clone(),
        };
        let mut shapes = match (&merge, mode) {
            (None, _) => vec![shape(f, &time), shape(b, &time)],
            (_, "concat") => {
                let (f, b) = (shape(f, &time).width(), shape(b, &time).width());
                vec![Shape::vector(time.clone(), &f + &b)]
            }
            _ => vec![shape(f, &time)],
        };
        let outputs = shapes.len();
        if forward.return_state {
            shapes.extend(
                states
                    .iter()
                    .map(|(_, axes)| shape(axes, &crate::ir::Time::None)),
            );
        }
        let mask = if forward.return_sequences {
            OutMask::Kept
        } else {
            OutMask::Lost
        };
        Built {
            shapes,
            outputs,
            mask,
            reads_mask,
            also_reads: Vec::new(),
            initial,
            activity: None,
            kind: Some(LayerKind::Bidirectional {
                forward,
                backward: Box::new(backward),
                merge,
                activity,
            }),
        }
    },
    ..LayerDef::ORDINARY
};

/// `LSTM(3)` becomes `LSTM(3, go_backwards)` and the other way round.
fn backwards(layer: &ValueAst) -> String {
    const FLAG: &str = "go_backwards";
    let Some(layer) = layer.as_layer() else {
        return layer.to_string();
    };
    let layer = match layer.arguments.is_empty() {
        true => layer.with_text("64"),
        false => layer,
    };
    match layer.sets(FLAG) {
        true => layer.without(FLAG),
        false => layer.with(ArgumentAst::flag(FLAG)),
    }
    .to_string()
}

fn list(axes: &[crate::cell::size::Size]) -> String {
    let all: Vec<String> = axes.iter().map(ToString::to_string).collect();
    all.join(" x ")
}
