//! `recurrent inspect`.

use std::fmt::Write as _;

use rnn_compiler::ir::{Layer, LayerGraph, LayerKind, Shape, Time};
use rnn_formats::{Body, Format, Tensor};
use serde_json::{Value as Json, json};

use crate::{
    arguments::ModelFile,
    compile,
    failure::Done,
    model::{Model, Opened},
    output::{Output, grouped},
};

/// Prints what is in a file.
///
/// # Errors
/// If it cannot be read, or the layers do not fit.
pub fn inspect(file: &ModelFile, output: Output) -> Done<()> {
    let opened = Opened::read(file)?;
    match opened.imported.network.is_some() || file.layers.is_some() {
        true => layers(opened.model()?, output),
        false => tensors(&opened, output),
    }
}

fn format(format: Format) -> &'static str {
    match format {
        Format::Keras => "Keras",
        Format::KerasWeights => "weights of Keras",
        Format::Safetensors => "safetensors",
        Format::Torch => "a state dict of PyTorch",
        Format::RtNeural => "RTNeural",
        Format::GuitarMl => "JSON of a PyTorch model, as GuitarML and AIDA-X write it",
        Format::Nam => "Neural Amp Modeler",
        Format::Onnx => "ONNX",
    }
}

/// A row of the summary.
struct Row {
    name: String,
    class: String,
    shape: String,
    parameters: usize,
    shared: bool,
}

fn rows(graph: &LayerGraph, tensors: &[Tensor]) -> Vec<Row> {
    let seen = graph.layers.iter().filter(|l| !l.hidden);
    seen.map(|layer| {
        let prefix = format!("{}/", layer.name);
        let own = tensors.iter().filter(|t| t.name.starts_with(&prefix));
        let is_input = matches!(layer.kind, LayerKind::Input);
        let named = |l: &Layer| {
            let at = graph.layers.iter().position(|other| std::ptr::eq(other, l));
            let input = graph.inputs.iter().find(|(_, id)| Some(*id) == at);
            input.map_or(l.name.clone(), |(name, _)| name.clone())
        };
        Row {
            name: named(layer),
            class: match is_input {
                true => "InputLayer".to_owned(),
                false => layer.class.clone(),
            },
            shape: shapes(&layer.outputs),
            parameters: match layer.shared {
                Some(_) => 0,
                None => own.map(|t| t.values.len()).sum(),
            },
            shared: layer.shared.is_some(),
        }
    })
    .collect()
}

fn shapes(all: &[Shape]) -> String {
    let one = |shape: &Shape| {
        let steps = match &shape.time {
            Time::None => String::new(),
            Time::Any(_) => ", None".to_owned(),
            Time::Steps(n) => format!(", {n}"),
        };
        let axes: String = shape.axes.iter().map(|n| format!(", {n}")).collect();
        format!("(None{steps}{axes})")
    };
    match all {
        [shape] => one(shape),
        all => format!("[{}]", all.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

fn layers(model: Model, output: Output) -> Done<()> {
    let graph = compile::check(model.text(), &model.network.cells)?.graph;
    let rows = rows(&graph, &model.tensors);
    let total: usize = model.tensors.iter().map(|t| t.values.len()).sum();
    let fixed = model.reference.specs().iter().filter(|s| !s.trainable);
    let fixed: usize = fixed.map(|s| s.shape.iter().product::<usize>()).sum();
    let imported = &model.opened.imported;
    let mut text = head(&model.opened);
    let width = |of: fn(&Row) -> usize, least: usize| rows.iter().map(of).fold(least, usize::max);
    let first = width(|r| r.name.chars().count() + r.class.chars().count() + 3, 12);
    let second = width(|r| r.shape.len(), 12);
    let rule = "─".repeat(first + second + 16);
    let _ = writeln!(text, "{rule}");
    let _ = writeln!(
        text,
        "{:<first$}  {:<second$}  {:>12}",
        "Layer (type)", "Output Shape", "Param #"
    );
    let _ = writeln!(text, "{rule}");
    for row in &rows {
        let parameters = match row.shared {
            true => "shared".to_owned(),
            false => grouped(row.parameters),
        };
        let name = format!("{} ({})", row.name, row.class);
        let _ = writeln!(
            text,
            "{name:<first$}  {:<second$}  {parameters:>12}",
            row.shape
        );
    }
    let _ = writeln!(text, "{rule}");
    let _ = writeln!(
        text,
        "Total params: {} ({} bytes)\nTrainable params: {}\nNon-trainable params: {}",
        grouped(total),
        grouped(4 * total),
        grouped(total - fixed.min(total)),
        grouped(fixed)
    );
    said(&mut text, imported);
    let _ = writeln!(text, "\nrnn_model!");
    let written = match &model.body {
        Body::Chain(chain) => chain.replace(" -> ", "\n-> "),
        Body::Graph(graph) => graph.clone(),
    };
    for line in written.lines().take(400) {
        let _ = writeln!(text, "  {line}");
    }
    for (_, cell) in &model.network.cells {
        let _ = writeln!(text, "\nrnn_cell!");
        for line in cell.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    let rows: Vec<Json> = rows
        .iter()
        .map(|r| {
            json!({
                "name": r.name, "class": r.class, "output_shape": r.shape,
                "parameters": r.parameters, "shared": r.shared,
            })
        })
        .collect();
    let cells: Vec<Json> = (model.network.cells.iter())
        .map(|(name, text)| json!({"name": name, "text": text}))
        .collect();
    let json = json!({
        "file": model.opened.path,
        "format": format(imported.format),
        "layers": rows,
        "parameters": total,
        "trainable_parameters": total - fixed.min(total),
        "metadata": metadata(imported),
        "notes": imported.notes,
        "text": model.text(),
        "cells": cells,
        "tensors": tensors_json(&model.tensors),
    });
    output.print(&text, &json)
}

fn head(opened: &Opened) -> String {
    let named = opened.beside.iter().map(|(name, _)| format!(" and {name}"));
    format!(
        "{}{}: {}, {} bytes\n",
        opened.path.display(),
        named.collect::<String>(),
        format(opened.imported.format),
        grouped(opened.bytes.len() + opened.beside.iter().map(|(_, b)| b.len()).sum::<usize>())
    )
}

/// What the file says of itself, and what a user should know.
fn said(text: &mut String, imported: &rnn_formats::Imported) {
    if !imported.metadata.is_empty() {
        let _ = writeln!(text, "\nMetadata");
    }
    for (key, value) in &imported.metadata {
        let value: String = value.chars().take(200).collect();
        let _ = writeln!(text, "  {}: {}", key.escape_debug(), value.escape_debug());
    }
    if !imported.notes.is_empty() {
        let _ = writeln!(text, "\nNotes");
    }
    for note in &imported.notes {
        let _ = writeln!(text, "  {note}");
    }
}

fn metadata(imported: &rnn_formats::Imported) -> Json {
    let all = imported.metadata.iter();
    Json::Object(all.map(|(k, v)| (k.clone(), json!(v))).collect())
}

fn tensors_json(tensors: &[Tensor]) -> Vec<Json> {
    let all = tensors.iter();
    all.map(|t| json!({"name": t.name, "shape": t.shape}))
        .collect()
}

/// A file that has no layers.
fn tensors(opened: &Opened, output: Output) -> Done<()> {
    let imported = &opened.imported;
    let mut text = head(opened);
    let longest = imported.tensors.iter().map(|t| t.name.chars().count());
    let longest = longest.fold(12, usize::max).min(60);
    let _ = writeln!(text, "\nTensors");
    for tensor in &imported.tensors {
        let _ = writeln!(
            text,
            "  {:<longest$}  {:?}",
            tensor.name.escape_debug().to_string(),
            tensor.shape
        );
    }
    let total: usize = imported.tensors.iter().map(|t| t.values.len()).sum();
    let _ = writeln!(text, "Total params: {}", grouped(total));
    said(&mut text, imported);
    let proposed = opened.proposed();
    let proposal = imported.proposal.as_ref();
    let doubt = proposal.and_then(|proposal| proposal.doubt.as_ref());
    let note = proposal.map(|proposal| &proposal.note);
    let _ = match proposed {
        Some(layers) => {
            let doubt = doubt.map(|doubt| format!("\n  ({doubt})"));
            writeln!(
                text,
                "\nThe file has weights and no layers. These would fit:\n  {layers}{}",
                doubt.unwrap_or_default()
            )
        }
        // A state dict has it among its notes.
        None if note.is_some_and(|note| !imported.notes.contains(note)) => writeln!(
            text,
            "\nThe file has weights and no layers: say them by --layers.\n  {}",
            note.map_or("", String::as_str)
        ),
        None => writeln!(
            text,
            "\nThe file has weights and no layers: say them by --layers, in the order in which they compute."
        ),
    };
    let json = json!({
        "file": opened.path,
        "format": format(imported.format),
        "layers": null,
        "proposed": proposed,
        "proposed_with_doubt": doubt,
        "parameters": total,
        "metadata": metadata(imported),
        "notes": imported.notes,
        "tensors": tensors_json(&imported.tensors),
    });
    output.print(&text, &json)
}
