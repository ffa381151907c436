//! `Embedding`: a trained vector for every class id.

use rnn_tables::MaskRule;

use crate::layer::{self, Argument, Before, Built, Kind, LayerArguments, LayerDef, OutMask, Reads};
use crate::{
    cell::{Initializer, Value},
    diagnostics::Diagnostic,
    ir::{LayerKind, Shape, Time},
};

pub(super) const EMBEDDING: LayerDef = LayerDef {
    class: "Embedding",
    stem: "embedding",
    arguments: &[
        Argument::required("input_dim", Kind::Size).like("1000, 64"),
        Argument::required("output_dim", Kind::Size).like("1000, 64"),
        Argument::optional("embeddings_initializer", Kind::Initializer),
        Argument::optional("embeddings_regularizer", Kind::Regularizer),
        Argument::optional("embeddings_constraint", Kind::Constraint),
        Argument::optional("mask_zero", Kind::Flag),
        Argument::instead(
            "weights",
            "an array of the program: `model.set_param(\"embedding/embeddings\", &array)?`, with the layer's name; a file: `model.load(\"weights.safetensors\")?`",
        ),
        Argument::not_yet("lora_rank"),
        Argument::not_yet("lora_alpha"),
        Argument::not_yet("quantization_config"),
    ],
    reads: Reads::Ids,
    build: |given, context, found| {
        let input = context.input();
        let (rows, features) = (given.size("input_dim"), given.size("output_dim"));
        let shape = |time: Time| features.map(|f| Shape::vector(time, f.clone()));
        if let Some(input) = input.filter(|i| !i.is_ids()) {
            let first = context.before().len() == 1;
            let text = given.text;
            let d = Diagnostic::new(
                "RNN0105",
                given.span,
                format!("{text} needs class ids [batch, time], found {input}"),
            );
            let named = context.before().first().filter(|_| first);
            if let Some(name) = named.and_then(Before::input_name) {
                found.push(d.help(ids(name, input)));
                return Built::failed(shape(input.time.clone()));
            }
            let help = match &input.time {
                Time::Steps(steps) if first => format!(
                    "write Input({steps}) -> {text} for {steps} ids, or Input(_) for any number"
                ),
                _ if first => format!("write Input(_) -> {text}"),
                _ => format!("put {text} first: every later layer gives numbers, not ids"),
            };
            found.push(d.help(help));
            return Built::failed(shape(input.time.clone()));
        }
        let time = input.map_or_else(Time::unknown, |i| i.time.clone());
        let failed = Built::failed(shape(time.clone()));
        let (Some(rows), Some(features), Some(_), true) = (rows, features, input, given.complete)
        else {
            return failed;
        };
        if !layer::fits(&[rows.clone(), features.clone()]) {
            found.push(
                Diagnostic::new("RNN0110", given.span, format!("`embeddings` of {} would be [{rows}, {features}], more than can be addressed", given.text))
                    .help("make the vocabulary or the vectors smaller"),
            );
            return failed;
        }
        let mask_zero = given.flag("mask_zero").unwrap_or(false);
        let kind = LayerKind::Embedding {
            input_dim: rows.clone(),
            output_dim: features.clone(),
            init: initializer(given),
            mask_zero,
            options: given.options(),
        };
        let mut built = Built::new(kind, Shape::vector(time.clone(), features.clone()));
        if mask_zero {
            built.shapes.push(Shape::mask(time));
            built.mask = OutMask::Made {
                result: 1,
                rule: MaskRule::NonZeroId,
            };
        } else {
            built.mask = OutMask::Lost;
        }
        built
    },
    ..LayerDef::ORDINARY
};

/// An input of a graph as class ids instead of numbers.
fn ids(name: &str, numbers: &Shape) -> String {
    match (&numbers.time, numbers.axes.as_slice()) {
        (Time::Steps(n), _) => format!("write `input {name}: ids[{n}];`"),
        (Time::Any(axis), _) => match &axis.name {
            Some(axis) => format!("write `input {name}: ids[{axis}];`"),
            None => format!("write `input {name}: ids;`"),
        },
        (Time::None, [n]) => format!(
            "write `input {name}: ids[{n}];` for {n} ids, or `input {name}: ids;` for any number"
        ),
        (Time::None, _) => format!("write `input {name}: ids;`"),
    }
}

/// Keras's default is `"uniform"`, its short name for `RandomUniform` from -0.05 to 0.05.
fn initializer(given: &LayerArguments<'_>) -> Initializer {
    match given.get("embeddings_initializer") {
        Some((Value::Name(name), _)) => Initializer::Named(name.clone(), vec![]),
        Some((Value::Call(name, numbers), _)) => Initializer::Named(name.clone(), numbers.clone()),
        _ => Initializer::Named("random_uniform".into(), vec![]),
    }
}
