//! Cells in the cell language, for what ONNX's operators can do and Keras's layers cannot.

use std::fmt::Write as _;

use super::activation::{Act, number};
use super::net::{Family, Recurrent, Way};

/// A class of Keras with the arguments that this direction needs, or `None` if it needs a cell of its own.
pub(super) fn keras(r: &Recurrent, way: &Way) -> Option<(&'static str, Vec<String>)> {
    if r.clip.is_some() || r.coupled || way.peephole.is_some() {
        return None;
    }
    let mut arguments = vec![r.units.to_string()];
    let mut activation = |act: Act, name: &str, default: Act| -> Option<()> {
        let text = act.keras()?;
        if act != default {
            arguments.push(format!("{name} = {text}"));
        }
        Some(())
    };
    let class = match (r.family, &way.activations[..]) {
        (Family::Lstm, &[f, g, h]) if g == h => {
            activation(g, "activation", Act::Tanh)?;
            activation(f, "recurrent_activation", Act::Sigmoid)?;
            "LSTM"
        }
        (Family::Gru, &[f, g]) => {
            activation(g, "activation", Act::Tanh)?;
            activation(f, "recurrent_activation", Act::Sigmoid)?;
            "GRU"
        }
        (Family::Rnn, &[f]) => {
            activation(f, "activation", Act::Tanh)?;
            "SimpleRNN"
        }
        _ => return None,
    };
    if way.bias.is_none() {
        arguments.push("use_bias = false".to_owned());
    }
    if r.family == Family::Gru && !r.reset_after {
        arguments.push("reset_after = false".to_owned());
    }
    Some((class, arguments))
}

/// The stem of a cell's name, and its text after the name.
pub(super) fn own(r: &Recurrent, way: &Way) -> (&'static str, String) {
    match r.family {
        Family::Lstm => ("OnnxLstm", lstm(r, way)),
        Family::Gru => ("OnnxGru", gru(r, way)),
        Family::Rnn => ("OnnxRnn", rnn(r, way)),
    }
}

/// The last input.
pub(super) const KEEP: &str = "(units) {
    state s: [units];
    next s = x;
    output s;
}";

/// What is given to an activation, within the clip.
fn clipped(r: &Recurrent, name: &str) -> String {
    match r.clip {
        Some(clip) => format!("min(max({name}, -{0}), {0})", number(clip)),
        None => name.to_owned(),
    }
}

/// `let NAME = ACTIVATION(clip(VALUE));`
fn gate(r: &Recurrent, text: &mut String, name: &str, value: &str, act: Option<&Act>) {
    if name != value {
        let _ = writeln!(text, "    let {name} = {value};");
    }
    if r.clip.is_some() {
        let _ = writeln!(text, "    let {name} = {};", clipped(r, name));
    }
    let act = act.map_or_else(|| name.to_owned(), |a| a.of(name));
    let _ = writeln!(text, "    let {name} = {act};");
}

fn head(gates: &str, bias: Option<&str>) -> String {
    let mut text = format!(
        "(units) {{
    param kernel: [input, {gates}] = glorot_uniform;
    param recurrent_kernel: [units, {gates}] = orthogonal;
"
    );
    if let Some(shape) = bias {
        let _ = writeln!(text, "    param bias: {shape} = zeros;");
    }
    text
}

fn lstm(r: &Recurrent, way: &Way) -> String {
    let bias = way.bias.is_some();
    let mut text = head("4 * units", bias.then_some("[4 * units]"));
    let peephole = way.peephole.is_some();
    if peephole {
        text.push_str("    param peephole: [3 * units] = zeros;\n");
    }
    text.push_str("    state h: [units];\n    state c: [units];\n");
    let plus = if bias { " + bias" } else { "" };
    let _ = writeln!(
        text,
        "    let [i, f, g, o] = split(x @ kernel + h @ recurrent_kernel{plus});"
    );
    if peephole {
        text.push_str("    let [pi, pf, po] = split(peephole);\n");
    }
    let with = |gate: &str| match peephole {
        true => format!("{gate} + p{gate} * c"),
        false => gate.to_owned(),
    };
    let act = |index: usize| way.activations.get(index);
    gate(r, &mut text, "i", &with("i"), act(0));
    match r.coupled {
        true => text.push_str("    let f = 1 - i;\n"),
        false => gate(r, &mut text, "f", &with("f"), act(0)),
    }
    gate(r, &mut text, "g", "g", act(1));
    text.push_str("    next c = f * c + i * g;\n");
    gate(r, &mut text, "o", &with("o"), act(0));
    // The clip is not for this one: onnxruntime has none here, and the standard does not say.
    let y = act(2).map_or_else(|| "c".to_owned(), |a| a.of("c"));
    let _ = writeln!(text, "    next h = o * ({y});");
    text.push_str("    output h;\n}");
    text
}

fn gru(r: &Recurrent, way: &Way) -> String {
    let shape = match (way.bias.is_some(), r.reset_after) {
        (false, _) => None,
        (true, true) => Some("[2, 3 * units]"),
        (true, false) => Some("[3 * units]"),
    };
    let mut text = head("3 * units", shape);
    text.push_str("    state h: [units];\n");
    let (of_x, of_h) = match (shape, r.reset_after) {
        (None, _) => ("", ""),
        (_, true) => (" + bias[0]", " + bias[1]"),
        (_, false) => (" + bias", ""),
    };
    let _ = writeln!(text, "    let [xz, xr, xh] = split(x @ kernel{of_x});");
    let _ = writeln!(
        text,
        "    let [hz, hr, hh] = split(h @ recurrent_kernel{of_h});"
    );
    let act = |index: usize| way.activations.get(index);
    gate(r, &mut text, "z", "xz + hz", act(0));
    gate(r, &mut text, "r", "xr + hr", act(0));
    match r.reset_after {
        true => gate(r, &mut text, "g", "xh + r * hh", act(1)),
        false => {
            text.push_str("    let [_z, _r, reset] = split((r * h) @ recurrent_kernel);\n");
            gate(r, &mut text, "g", "xh + reset", act(1));
        }
    }
    text.push_str("    next h = z * h + (1 - z) * g;\n    output h;\n}");
    text
}

fn rnn(r: &Recurrent, way: &Way) -> String {
    let bias = way.bias.is_some();
    let mut text = head("units", bias.then_some("[units]"));
    let plus = if bias { " + bias" } else { "" };
    text.push_str("    state h: [units];\n");
    let value = format!("x @ kernel + h @ recurrent_kernel{plus}");
    gate(r, &mut text, "y", &value, way.activations.first());
    text.push_str("    next h = y;\n    output h;\n}");
    text
}
