//! A model as a drawing: Mermaid and Graphviz.

use std::fmt::Write as _;

use super::{ModelInfo, Role};

/// A flowchart in Mermaid's language.
pub(super) fn mermaid(spec: &ModelInfo) -> String {
    // Mermaid reads entities in quoted text, written with `#` instead of `&`.
    let text = |s: &str| {
        s.chars().fold(String::new(), |mut out, c| {
            match c {
                '"' | '#' | '<' | '>' | '&' | '`' | '\\' | ';' => {
                    let _ = write!(out, "#{};", u32::from(c));
                }
                c => out.push(c),
            }
            out
        })
    };
    let mut out = String::from("flowchart TD\n");
    for (i, l) in spec.layers.iter().enumerate() {
        let (name, class, shape) = (text(l.name), text(l.class), text(&l.shape()));
        let _ = writeln!(out, "    n{i}[\"{name}<br/>{class}<br/>{shape}\"]");
    }
    for (i, output) in spec.outputs.iter().enumerate() {
        let _ = writeln!(out, "    out{i}([\"{}\"])", text(output.name));
    }
    for (from, to, role) in edges(spec) {
        let arrow = match role {
            Role::Value => "-->",
            Role::InitialState => "-->|initial_state|",
            Role::Mask => "-.->|mask|",
        };
        let _ = writeln!(out, "    n{from} {arrow} n{to}");
    }
    for (i, from) in spec.output_layers.iter().enumerate() {
        let _ = writeln!(out, "    n{from} --> out{i}");
    }
    out
}

/// A graph in Graphviz's language.
pub(super) fn graphviz(spec: &ModelInfo) -> String {
    let text = |s: &str| s.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = format!(
        "digraph \"{}\" {{\n    node [shape=box];\n",
        text(spec.name)
    );
    for (i, l) in spec.layers.iter().enumerate() {
        let (name, class, shape) = (text(l.name), text(l.class), text(&l.shape()));
        let _ = writeln!(out, "    n{i} [label=\"{name}\\n{class}\\n{shape}\"];");
    }
    for (i, output) in spec.outputs.iter().enumerate() {
        let name = text(output.name);
        let _ = writeln!(out, "    out{i} [label=\"{name}\", shape=ellipse];");
    }
    for (from, to, role) in edges(spec) {
        let style = match role {
            Role::Value => "",
            Role::InitialState => " [label=\"initial_state\"]",
            Role::Mask => " [label=\"mask\", style=dashed]",
        };
        let _ = writeln!(out, "    n{from} -> n{to}{style};");
    }
    for (i, from) in spec.output_layers.iter().enumerate() {
        let _ = writeln!(out, "    n{from} -> out{i};");
    }
    out + "}\n"
}

/// All edges between layers, one for every call of a layer.
fn edges(spec: &ModelInfo) -> impl Iterator<Item = (usize, usize, Role)> {
    let into = |(to, l): (usize, &super::LayerRow)| {
        let from = l.inputs.iter();
        from.map(move |&(from, role)| (from, to, role))
    };
    spec.layers.iter().enumerate().flat_map(into)
}
