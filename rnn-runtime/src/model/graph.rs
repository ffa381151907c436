//! A model as a drawing: Mermaid and Graphviz.

use std::fmt::Write as _;

use super::Spec;

/// A flowchart in Mermaid's language.
pub(super) fn mermaid(spec: &Spec) -> String {
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
    for (from, to) in edges(spec) {
        let _ = writeln!(out, "    n{from} --> n{to}");
    }
    out
}

/// A graph in Graphviz's language.
pub(super) fn graphviz(spec: &Spec) -> String {
    let text = |s: &str| s.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = format!(
        "digraph \"{}\" {{\n    node [shape=box];\n",
        text(spec.name)
    );
    for (i, l) in spec.layers.iter().enumerate() {
        let (name, class, shape) = (text(l.name), text(l.class), text(&l.shape()));
        let _ = writeln!(out, "    n{i} [label=\"{name}\\n{class}\\n{shape}\"];");
    }
    for (from, to) in edges(spec) {
        let _ = writeln!(out, "    n{from} -> n{to};");
    }
    out + "}\n"
}

/// All edges, one for every call of a layer.
fn edges(spec: &Spec) -> impl Iterator<Item = (usize, usize)> {
    let into = |(to, l): (usize, &super::LayerRow)| l.inputs.iter().map(move |&from| (from, to));
    spec.layers.iter().enumerate().flat_map(into)
}
