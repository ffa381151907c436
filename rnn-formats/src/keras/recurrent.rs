//! The recurrent layers and their cells.

use serde_json::{Map, Value};

use super::{
    config::Config,
    functions::snake,
    object::{Object, items},
    report::Report,
    spec::{Mask, Masked, Param, Shape, Spec, features},
};

/// A cell, or a layer that is one.
struct Cell {
    arguments: Vec<String>,
    units: Option<usize>,
    params: Vec<Param>,
    states: usize,
}

/// How a recurrent layer runs.
#[derive(Clone, Copy, Default)]
struct Run {
    sequences: bool,
    state: bool,
    backwards: bool,
}

/// A recurrent layer before it is one of the model or of `Bidirectional`.
struct Recurrent {
    class: String,
    arguments: Vec<String>,
    params: Vec<Param>,
    units: Option<usize>,
    states: Vec<Option<usize>>,
    run: Run,
}

/// Whether the class is a recurrent layer.
pub(super) fn is_recurrent(class: &str) -> bool {
    matches!(
        class,
        "SimpleRNN" | "GRU" | "LSTM" | "RNN" | "Bidirectional"
    )
}

/// `SimpleRNN`, `GRU`, `LSTM`, `RNN`.
pub(super) fn layer(class: &str, mut config: Config<'_, '_>, input: &Shape) -> Option<Spec> {
    let found = recurrent(class, &mut config, input, false)?;
    let steps = input
        .as_ref()
        .and_then(|axes| axes.first().copied().flatten());
    let result = match found.run.sequences {
        true => Some(vec![steps, found.units]),
        false => Some(vec![found.units]),
    };
    let mut arguments = found.arguments;
    arguments.append(&mut config.finish());
    let mut spec = Spec {
        params: found.params,
        states: found.states.len(),
        masked: Masked::Yes,
        ..Spec::new(&found.class, arguments, result)
    };
    if found.run.state {
        spec.results
            .extend(found.states.iter().map(|n| Some(vec![*n])));
    }
    Some(match found.run.sequences {
        true => spec,
        false => spec.without_steps(),
    })
}

/// A recurrent layer; `inside` `Bidirectional`, which has some of its arguments.
fn recurrent(
    class: &str,
    config: &mut Config<'_, '_>,
    input: &Shape,
    inside: bool,
) -> Option<Recurrent> {
    let (mut cells, stacked) = match class {
        "RNN" => cells(config, input)?,
        _ => {
            let one = cell(class, config, features(input))?;
            (vec![(class.to_owned(), one)], false)
        }
    };
    let own = std::mem::take(&mut config.arguments);
    let sequences = config.push_flag("return_sequences", false);
    let state = config.push_flag("return_state", false);
    let backwards = config.push_flag("go_backwards", false);
    config.push_flag("stateful", false);
    // `Bidirectional` says so of both of its layers.
    let zeros = config.flag("zero_output_for_mask", false);
    if zeros && !inside {
        config.arguments.push("zero_output_for_mask".into());
    }
    if config.flag("unroll", false) {
        let steps = input
            .as_ref()
            .and_then(|axes| axes.first().copied().flatten());
        match steps {
            Some(_) => config.arguments.push("unroll".into()),
            None => config.note("`unroll` is left out, for the number of steps is open"),
        }
    }
    if config.flag("time_major", false) {
        config.wrong("`time_major` is not understood");
    }
    no_constants(config);
    let trained = config.everywhere();
    let states = cells
        .iter()
        .flat_map(|(_, c)| vec![c.units; c.states])
        .collect();
    let units = cells.last().and_then(|(_, c)| c.units);
    let mut arguments = match class {
        "RNN" => {
            let all: Vec<String> = cells
                .iter()
                .map(|(class, c)| call(class, &c.arguments))
                .collect();
            match (stacked, &all[..]) {
                (false, [one]) => vec![one.clone()],
                _ => vec![format!("[{}]", all.join(", "))],
            }
        }
        _ => own,
    };
    arguments.append(&mut config.arguments);
    let mut params = Vec::new();
    // Cells of a stack are counted.
    let mut counts = Counts::new();
    for (class, cell) in &mut cells {
        let name = counted(&mut counts, snake(class));
        let place = format!("cell/cells/{name}");
        let (prefix, place) = match stacked {
            true => (name, place),
            false => (String::new(), "cell".to_owned()),
        };
        params.extend(cell.params.drain(..).map(|p| p.inside(&prefix, &place)));
    }
    params
        .iter_mut()
        .for_each(|p: &mut Param| p.trained &= trained);
    Some(Recurrent {
        class: class.to_owned(),
        arguments,
        params,
        units,
        states,
        run: Run {
            sequences,
            state,
            backwards,
        },
    })
}

type Counts = std::collections::BTreeMap<String, usize>;

/// The next name of this stem: `lstm_cell`, `lstm_cell_1`.
fn counted(counts: &mut Counts, stem: String) -> String {
    let count = counts.entry(stem.clone()).or_insert(0);
    *count += 1;
    match *count {
        1 => stem,
        n => format!("{stem}_{}", n - 1),
    }
}

/// Reports constants of calls.
fn no_constants(config: &mut Config<'_, '_>) {
    if let Some(n) = config.get("num_constants")
        && n.as_u64() != Some(0)
    {
        config.wrong("constants of a call are not understood");
    }
}

fn call(class: &str, arguments: &[String]) -> String {
    format!("{class}({})", arguments.join(", "))
}

/// The cells of `RNN`, by class, and whether they are a stack.
fn cells(config: &mut Config<'_, '_>, input: &Shape) -> Option<(Vec<(String, Cell)>, bool)> {
    let value = config.get("cell")?;
    let mut all = Vec::new();
    let stacked = collect(value, &mut all);
    if all.is_empty() {
        config.wrong("it has no cell that is understood");
        return None;
    }
    let mut built = Vec::new();
    let mut width = features(input);
    for object in all {
        let what = format!("{}, {}", config.what, object.class);
        let mut own = Config::new(&what, object.config, config.old, config.report);
        let layer = match object.class {
            "SimpleRNNCell" => "SimpleRNN",
            "GRUCell" => "GRU",
            "LSTMCell" => "LSTM",
            _ => {
                own.wrong("this cell is not understood");
                return None;
            }
        };
        let mut cell = cell(layer, &mut own, width)?;
        cell.arguments = std::mem::take(&mut own.arguments);
        own.precision();
        if !own.flag("trainable", true) {
            cell.arguments.push("trainable = false".into());
            cell.params.iter_mut().for_each(|p| p.trained = false);
        }
        cell.arguments.append(&mut own.finish());
        width = cell.units;
        built.push((object.class.to_owned(), cell));
    }
    Some((built, stacked))
}

/// Collects the cells of a list or of `StackedRNNCells`, also of stacks in stacks.
fn collect<'c>(value: &'c Value, all: &mut Vec<Object<'c>>) -> bool {
    if let Some(list) = items(value) {
        for one in list {
            collect(one, all);
        }
        return true;
    }
    match Object::of(value) {
        Some(object) if object.class == "StackedRNNCells" => {
            if let Some(cells) = object.config.get("cells") {
                collect(cells, all);
            }
            true
        }
        Some(object) => {
            all.push(object);
            false
        }
        None => false,
    }
}

/// The arguments of a cell and its parameters; `class` is that of its layer.
fn cell(class: &str, config: &mut Config<'_, '_>, input: Option<usize>) -> Option<Cell> {
    let units = config.size("units")?;
    config.arguments.push(units.to_string());
    config.push_activation("activation", "tanh");
    let gates = match class {
        "LSTM" => 4,
        "GRU" => 3,
        _ => 1,
    };
    if gates > 1 {
        config.push_activation("recurrent_activation", "sigmoid");
    }
    let bias = config.push_flag("use_bias", true);
    // Before TensorFlow 2 there was no such argument, and it was false.
    let after = gates == 3 && config.push_flag_or("reset_after", true, false);
    if gates == 4 {
        config.push_flag("unit_forget_bias", true);
    }
    config.push_initializers(&[
        ("kernel_initializer", "glorot_uniform"),
        ("recurrent_initializer", "orthogonal"),
        ("bias_initializer", "zeros"),
    ]);
    config.push_penalties(&[
        "kernel_regularizer",
        "recurrent_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "recurrent_constraint",
        "bias_constraint",
    ]);
    let drawn = config.push_rate("dropout") + config.push_rate("recurrent_dropout") > 0.0;
    config.push_seed(drawn);
    let wide = units.checked_mul(gates);
    let mut params = vec![
        Param::new("kernel", vec![input, wide], 0),
        Param::new("recurrent_kernel", vec![Some(units), wide], 1),
    ];
    if bias {
        let shape = match after {
            true => vec![Some(2), wide],
            false => vec![wide],
        };
        params.push(Param::new("bias", shape, 2));
    }
    Some(Cell {
        arguments: Vec::new(),
        units: Some(units),
        params,
        states: if gates == 4 { 2 } else { 1 },
    })
}

/// `Bidirectional`.
pub(super) fn bidirectional(mut config: Config<'_, '_>, input: &Shape) -> Option<Spec> {
    let first = Object::of(config.get("layer")?)?;
    let second = config.get("backward_layer").and_then(Object::of);
    let mode = match config.get("merge_mode") {
        None => "none",
        Some(value) => match value.as_str() {
            Some(mode @ ("concat" | "sum" | "mul" | "ave")) => mode,
            _ => {
                config.wrong(format!("`merge_mode` = {value} is not understood"));
                return None;
            }
        },
    };
    no_constants(&mut config);
    let (what, old) = (config.what.clone(), config.old);
    let forward = inner(&what, first, old, input, config.report)?;
    // Keras 3 always writes the second layer, Keras 2 only one that was given.
    let own = second.filter(|second| forward.run.backwards || !is_mirrored(first, *second));
    let backward = match second.filter(|_| own.is_some()) {
        Some(second) => Some(inner(&what, second, old, input, config.report)?),
        None => None,
    };
    if forward.run.backwards && backward.is_none() {
        config.wrong("its layer reads backwards");
        return None;
    }
    let text = |layer: &Recurrent| call(&layer.class, &layer.arguments);
    config.arguments.push(text(&forward));
    if mode != "concat" {
        config.push("merge_mode", mode);
    }
    if let Some(backward) = &backward {
        config.push("backward_layer", text(backward));
    }
    let trained = config.everywhere();
    let back = backward.as_ref().unwrap_or(&forward);
    let mut params = Vec::new();
    for (layer, way, place) in [
        (&forward, "forward", "forward_layer"),
        (back, "backward", "backward_layer"),
    ] {
        let prefix = format!("{way}_{}", snake(&layer.class));
        params.extend(layer.params.iter().cloned().map(|p| Param {
            direction: Some(way),
            ..p.inside(&prefix, place)
        }));
    }
    params.iter_mut().for_each(|p| p.trained &= trained);
    let steps = input
        .as_ref()
        .and_then(|axes| axes.first().copied().flatten());
    let sequences = forward.run.sequences;
    let shape = |n: Option<usize>| match sequences {
        true => Some(vec![steps, n]),
        false => Some(vec![n]),
    };
    let joined = forward
        .units
        .zip(back.units)
        .and_then(|(a, b)| a.checked_add(b));
    let mut results = match mode {
        "none" => vec![shape(forward.units), shape(back.units)],
        "concat" => vec![shape(joined)],
        _ => vec![shape(forward.units)],
    };
    let outputs = results.len();
    let states: Vec<Option<usize>> = [&forward.states[..], &back.states[..]].concat();
    if forward.run.state {
        results.extend(states.iter().map(|n| Some(vec![*n])));
    }
    let spec = Spec {
        params,
        results,
        outputs,
        states: states.len(),
        masked: Masked::Yes,
        mask: if sequences { Mask::Kept } else { Mask::Lost },
        ..Spec::new("Bidirectional", config.finish(), None)
    };
    Some(match sequences {
        true => spec,
        false => spec.without_steps(),
    })
}

/// A layer in `Bidirectional`.
fn inner(
    what: &str,
    object: Object<'_>,
    old: bool,
    input: &Shape,
    report: &mut Report,
) -> Option<Recurrent> {
    let what = format!("{what}, {}", object.class);
    let mut config = Config::new(&what, object.config, old, report);
    if !is_recurrent(object.class) || object.class == "Bidirectional" {
        config.wrong("this layer is not understood in both directions");
        return None;
    }
    let mut found = recurrent(object.class, &mut config, input, true)?;
    found.arguments.append(&mut config.finish());
    Some(found)
}

/// Whether the second layer is what Keras makes of the first.
fn is_mirrored(first: Object<'_>, second: Object<'_>) -> bool {
    let flag = |o: Object<'_>| o.config.get("go_backwards").and_then(Value::as_bool) == Some(true);
    first.class == second.class && flag(first) != flag(second) && same(first.config, second.config)
}

/// Whether two configurations are the same but for names, numbers of objects and the direction.
fn same(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    let skipped = |k: &str| {
        matches!(
            k,
            "name"
                | "go_backwards"
                | "shared_object_id"
                | "build_config"
                | "registered_name"
                | "module"
        )
    };
    let keys = |m: &Map<String, Value>| -> Vec<String> {
        let mut all: Vec<String> = m.keys().filter(|k| !skipped(k)).cloned().collect();
        all.sort();
        all
    };
    keys(a) == keys(b)
        && a.iter()
            .filter(|(k, _)| !skipped(k))
            .all(|(k, v)| b.get(k).is_some_and(|w| same_value(v, w)))
}

fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => same(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b))
        }
        (a, b) => a == b,
    }
}
