//! Where Keras keeps the parameters of a layer.

use crate::write::{
    layer::{Arguments, inner},
    model::{Layer, Model, cells},
};

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    /// Its name below the layer's here: `forward_lstm/kernel`.
    pub name: String,
    /// Its place below the layer's in the file: `forward_layer/cell/vars/0`.
    pub place: String,
    /// Its axes.
    pub shape: Vec<usize>,
}

/// The parameters of a layer, in the order of the model here.
///
/// # Errors
/// If a size is no number.
pub(crate) fn params(model: &Model<'_>, layer: &Layer<'_>) -> Result<Vec<Param>, String> {
    let first = layer.inputs.first().and_then(|v| model.shape(*v));
    let features = first.and_then(|s| s.width()).unwrap_or(0);
    let last = first.and_then(|s| s.axes.last().copied()).unwrap_or(0);
    let a = &layer.arguments;
    match layer.class {
        "Bidirectional" => {
            let (class, forward) = inner(a.get("layer"))?;
            let (other, backward) = match a.get("backward_layer") {
                Some(word) => inner(Some(word))?,
                None => (class.clone(), forward.clone()),
            };
            let mut all = Vec::new();
            for (class, a, way) in [(class, forward, "forward"), (other, backward, "backward")] {
                let prefix = format!("{way}_{}/", crate::network::stem(&class));
                let place = format!("{way}_layer/");
                let own = recurrent(&class, &a, features)?;
                all.extend(inside(own, &prefix, &place));
            }
            Ok(all)
        }
        "TimeDistributed" => {
            let (class, a) = inner(a.get("layer"))?;
            Ok(inside(of_step(&class, &a, last)?, "", "layer/"))
        }
        "LSTM" | "GRU" | "SimpleRNN" | "RNN" => recurrent(layer.class, a, features),
        class => of_step(class, a, last),
    }
}

fn inside(all: Vec<Param>, prefix: &str, place: &str) -> Vec<Param> {
    let one = |p: Param| Param {
        name: format!("{prefix}{}", p.name),
        place: format!("{place}{}", p.place),
        shape: p.shape,
    };
    all.into_iter().map(one).collect()
}

/// Parameters in a row.
fn numbered(all: Vec<(&str, Vec<usize>)>) -> Vec<Param> {
    let all = all.into_iter().enumerate();
    all.map(|(number, (name, shape))| Param {
        name: name.to_owned(),
        place: format!("vars/{number}"),
        shape,
    })
    .collect()
}

fn of_step(class: &str, a: &Arguments, features: usize) -> Result<Vec<Param>, String> {
    Ok(numbered(match class {
        "Dense" => {
            let units = a.size("units")?;
            let mut all = vec![("kernel", vec![features, units])];
            if a.flag("use_bias", true) {
                all.push(("bias", vec![units]));
            }
            all
        }
        "Embedding" => {
            let shape = vec![a.size("input_dim")?, a.size("output_dim")?];
            vec![("embeddings", shape)]
        }
        "BatchNormalization" | "LayerNormalization" => {
            let rms = a.flag("rms_scaling", false);
            let all = [
                ("gamma", a.flag("scale", true) || rms),
                ("beta", a.flag("center", true) && !rms),
                ("moving_mean", class == "BatchNormalization"),
                ("moving_variance", class == "BatchNormalization"),
            ];
            let kept = all.into_iter().filter(|(_, kept)| *kept);
            kept.map(|(name, _)| (name, vec![features])).collect()
        }
        _ => Vec::new(),
    }))
}

fn recurrent(class: &str, a: &Arguments, features: usize) -> Result<Vec<Param>, String> {
    if class != "RNN" {
        return Ok(inside(cell(class, a, features)?, "", "cell/"));
    }
    let stacked = matches!(a.get("cell"), Some(crate::write::words::Word::List(_)));
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    let (mut all, mut width) = (Vec::new(), features);
    for (class, a) in cells(a)? {
        let own = cell(&class, &a, width)?;
        width = a.size("units")?;
        if !stacked {
            return Ok(inside(own, "", "cell/"));
        }
        let stem = crate::network::stem(&class);
        let count = counts.entry(stem.clone()).or_insert(0);
        let name = match *count {
            0 => stem,
            n => format!("{stem}_{n}"),
        };
        *count += 1;
        let (prefix, place) = (format!("{name}/"), format!("cell/cells/{name}/"));
        all.extend(inside(own, &prefix, &place));
    }
    Ok(all)
}

fn cell(class: &str, a: &Arguments, features: usize) -> Result<Vec<Param>, String> {
    let units = a.size("units")?;
    let (gates, states): (usize, &[&str]) = match class {
        "LSTM" | "LSTMCell" => (4, &["initial_h", "initial_c"]),
        "GRU" | "GRUCell" => (3, &["initial_h"]),
        "SimpleRNN" | "SimpleRNNCell" => (1, &["initial_h"]),
        other => return Err(format!("`{other}` is a cell of its own")),
    };
    let wide = gates.saturating_mul(units);
    let mut all = vec![
        ("kernel", vec![features, wide]),
        ("recurrent_kernel", vec![units, wide]),
    ];
    if a.flag("learn_initial_state", false) {
        all.extend(states.iter().map(|name| (*name, vec![units])));
    }
    if a.flag("use_bias", true) {
        let pair = gates == 3 && a.flag("reset_after", true);
        all.push(("bias", if pair { vec![2, wide] } else { vec![wide] }));
    }
    Ok(numbered(all))
}
