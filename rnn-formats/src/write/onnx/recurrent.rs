//! `LSTM`, `GRU` and `RNN` of ONNX, in one direction or both.

use super::{activation, graph::Graph, proto::Attribute};
use crate::{
    Tensor,
    write::{
        layer::{Arguments, inner},
        model::cells,
        words::Word,
    },
};

/// One cell over time.
struct Cell<'t> {
    /// `LSTM`
    class: String,
    arguments: Arguments,
    units: usize,
    /// What its constants are called.
    name: String,
    kernel: &'t Tensor,
    recurrent: &'t Tensor,
    bias: Option<&'t Tensor>,
    /// The start states that were learned.
    starts: Vec<&'t Tensor>,
}

impl Cell<'_> {
    fn states(&self) -> usize {
        if self.class == "LSTM" { 2 } else { 1 }
    }

    /// ONNX's gates, by their places in the order here.
    fn gates(&self) -> &'static [usize] {
        match self.class.as_str() {
            // input, output, forget, candidate
            "LSTM" => &[0, 3, 1, 2],
            "GRU" => &[0, 1, 2],
            _ => &[0],
        }
    }

    /// Gates after gates, each its units by what they read.
    fn matrix(&self, of: &Tensor) -> Vec<f32> {
        let columns = self.units * self.gates().len();
        let rows = of.values.len() / columns.max(1);
        let mut all = Vec::with_capacity(of.values.len());
        for gate in self.gates() {
            for unit in 0..self.units {
                let column = gate * self.units + unit;
                all.extend((0..rows).filter_map(|row| of.values.get(row * columns + column)));
            }
        }
        all
    }

    /// Both biases.
    fn biases(&self) -> Vec<f32> {
        let wide = self.units * self.gates().len();
        let mut both = self.bias.map_or(Vec::new(), |b| b.values.clone());
        both.resize(2 * wide, 0.0);
        let gate = |half: usize, gate: usize| {
            let at = half * wide + gate * self.units;
            both.get(at..at + self.units).unwrap_or_default().to_vec()
        };
        (0..2)
            .flat_map(|half| self.gates().iter().flat_map(move |g| [(half, *g)]))
            .flat_map(|(half, g)| gate(half, g))
            .collect()
    }

    fn reset_after(&self) -> bool {
        self.class == "GRU" && self.arguments.flag("reset_after", true)
    }

    fn functions(&self) -> Result<Vec<activation::Function>, String> {
        let own = activation::of_gate(&self.arguments.activation("activation", "tanh"))?;
        let gates = self.arguments.activation("recurrent_activation", "sigmoid");
        Ok(match self.class.as_str() {
            "LSTM" => vec![activation::of_gate(&gates)?, own, own],
            "GRU" => vec![activation::of_gate(&gates)?, own],
            _ => vec![own],
        })
    }
}

/// How tensors are found: by their names below the layer's.
pub(super) type Find<'a, 't> = &'a dyn Fn(&str) -> Result<&'t Tensor, String>;

/// What a recurrent layer gives: its outputs, then its states.
pub(super) struct Run {
    pub outputs: Vec<String>,
    pub states: Vec<String>,
}

/// The cells of a layer, in the order in which they run.
fn all_cells<'t>(
    class: &str,
    a: &Arguments,
    prefix: &str,
    name: &str,
    find: Find<'_, 't>,
) -> Result<Vec<Cell<'t>>, String> {
    if a.flag("stateful", false) {
        return Err("ONNX keeps no states from call to call; write it without `stateful`, with `initial_state` as an input and `return_state`".into());
    }
    let stacked = matches!(a.get("cell"), Some(Word::List(_)));
    let all = match class {
        "RNN" => cells(a)?,
        class => vec![(class.to_owned(), a.clone())],
    };
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    let mut found = Vec::new();
    for (class, arguments) in all {
        let stem = crate::network::stem(&class);
        let count = counts.entry(stem.clone()).or_insert(0);
        let own = match (stacked, *count) {
            (false, _) => prefix.to_owned(),
            (true, 0) => format!("{prefix}{stem}/"),
            (true, n) => format!("{prefix}{stem}_{n}/"),
        };
        *count += 1;
        let class = class.trim_end_matches("Cell").to_owned();
        let tensor = |p: &str| find(&format!("{own}{p}"));
        let states: &[&str] = match class.as_str() {
            "LSTM" => &["initial_h", "initial_c"],
            _ => &["initial_h"],
        };
        let learned = arguments.flag("learn_initial_state", false);
        found.push(Cell {
            units: arguments.size("units")?,
            kernel: tensor("kernel")?,
            recurrent: tensor("recurrent_kernel")?,
            bias: match arguments.flag("use_bias", true) {
                true => Some(tensor("bias")?),
                false => None,
            },
            starts: match learned {
                true => states.iter().map(|s| tensor(s)).collect::<Result<_, _>>()?,
                false => Vec::new(),
            },
            name: format!("{name}/{own}"),
            class,
            arguments,
        });
    }
    Ok(found)
}

/// One direction, or both, of a cell. `x` is `[time, batch, features]`; gives what each direction gives at all steps, in the
/// order of time, `[time, batch, units]`, and each direction's states `[batch, units]`.
fn scan(
    graph: &mut Graph,
    cells: &[(&Cell<'_>, bool)],
    x: &str,
    initial: &[String],
) -> Result<Vec<Run>, String> {
    let Some((first, backward)) = cells.first() else {
        return Err("it has no cell".into());
    };
    let units = first.units;
    let (ways, wide) = (cells.len(), units * first.gates().len());
    let joined = |part: &dyn Fn(&Cell<'_>) -> Vec<f32>| -> Vec<f32> {
        cells.iter().flat_map(|(cell, _)| part(cell)).collect()
    };
    let w = joined(&|c| c.matrix(c.kernel));
    let features = w.len() / (ways * wide).max(1);
    let name = match cells {
        [(one, _)] => one.name.clone(),
        _ => format!("{}both/", graph.layer),
    };
    let w = graph.floats(&format!("{name}W"), &[ways, wide, features], &w);
    let r = joined(&|c| c.matrix(c.recurrent));
    let r = graph.floats(&format!("{name}R"), &[ways, wide, units], &r);
    let b = match cells.iter().any(|(c, _)| c.bias.is_some()) {
        true => {
            let b = joined(&|c| c.biases());
            graph.floats(&format!("{name}B"), &[ways, 2 * wide], &b)
        }
        false => String::new(),
    };
    let mut starts = Vec::new();
    for state in 0..first.states() {
        let mut of_ways = Vec::new();
        for (way, (cell, _)) in cells.iter().enumerate() {
            let given = initial.get(way * first.states() + state);
            match (given, cell.starts.get(state)) {
                (Some(given), _) => {
                    let axes = graph.ints(&[0]);
                    of_ways.push(graph.node("Unsqueeze", &[given, &axes]));
                }
                (None, Some(learned)) => {
                    let name = format!("{}initial.{state}", cell.name);
                    let row = graph.floats(&name, &[1, 1, units], &learned.values);
                    // As many rows as the input has.
                    let shape = graph.node("Shape", &[x]);
                    let (from, to) = (graph.ints(&[1]), graph.ints(&[2]));
                    let rows = graph.node("Slice", &[&shape, &from, &to]);
                    let (one, width) = (graph.ints(&[1]), graph.ints(&[units as i64]));
                    let axis = [("axis", Attribute::Int(0))];
                    let shape = graph.with("Concat", &[&one, &rows, &width], &axis);
                    of_ways.push(graph.node("Expand", &[&row, &shape]));
                }
                (None, None) => {}
            }
        }
        starts.push(match &of_ways[..] {
            [] => String::new(),
            [one] => one.clone(),
            all if all.len() == ways => {
                let all: Vec<&str> = all.iter().map(String::as_str).collect();
                graph.with("Concat", &all, &[("axis", Attribute::Int(0))])
            }
            _ => return Err("one direction has start states, and the other has none".into()),
        });
    }
    let direction = match (ways, backward) {
        (2, _) => "bidirectional",
        (_, true) => "reverse",
        _ => "forward",
    };
    let mut attributes = vec![
        ("hidden_size", Attribute::Int(units as i64)),
        ("direction", Attribute::Text(direction.into())),
    ];
    if first.reset_after() {
        attributes.push(("linear_before_reset", Attribute::Int(1)));
    }
    let mut functions = Vec::new();
    for (cell, _) in cells {
        functions.extend(cell.functions()?);
    }
    let usual = functions
        .iter()
        .all(|(name, ..)| ["Sigmoid", "Tanh"].contains(name));
    let plain = cells.iter().all(|(c, _)| {
        c.arguments.activation("activation", "tanh").is("tanh")
            && c.arguments
                .activation("recurrent_activation", "sigmoid")
                .is("sigmoid")
    });
    if !(usual && plain) {
        let names = functions.iter().map(|(name, ..)| (*name).to_owned());
        attributes.push(("activations", Attribute::Texts(names.collect())));
        let alpha: Vec<f32> = functions.iter().filter_map(|(_, a, _)| *a).collect();
        let beta: Vec<f32> = functions.iter().filter_map(|(.., b)| *b).collect();
        if !alpha.is_empty() {
            attributes.push(("activation_alpha", Attribute::Floats(alpha)));
        }
        if !beta.is_empty() {
            attributes.push(("activation_beta", Attribute::Floats(beta)));
        }
    }
    let mut inputs: Vec<&str> = vec![x, &w, &r, &b, ""];
    inputs.extend(starts.iter().map(String::as_str));
    while inputs.last().is_some_and(|last| last.is_empty()) {
        inputs.pop();
    }
    let kind = match first.class.as_str() {
        "SimpleRNN" => "RNN",
        class => class,
    };
    let results = graph.several(kind, &inputs, 1 + first.states(), &attributes);
    let mut runs = Vec::new();
    for way in 0..ways {
        let mut of = |result: &String, axis: i64| match ways {
            1 => {
                let axes = graph.ints(&[axis]);
                graph.node("Squeeze", &[result, &axes])
            }
            _ => {
                let index = graph.index(way as i64);
                let axis = [("axis", Attribute::Int(axis))];
                graph.with("Gather", &[result, &index], &axis)
            }
        };
        let mut named = results.iter();
        let outputs: Vec<String> = named.next().iter().map(|y| of(y, 1)).collect();
        let states: Vec<String> = named.map(|s| of(s, 0)).collect();
        runs.push(Run { outputs, states });
    }
    Ok(runs)
}

/// All cells of one direction, one after the other.
fn stack(
    graph: &mut Graph,
    cells: &[Cell<'_>],
    backward: bool,
    x: &str,
    initial: &[String],
) -> Result<Run, String> {
    let (mut x, mut states, mut at) = (x.to_owned(), Vec::new(), 0);
    let mut outputs = Vec::new();
    for cell in cells {
        let own = initial.get(at..at + cell.states()).unwrap_or_default();
        at += cell.states();
        let mut runs = scan(graph, &[(cell, backward)], &x, own)?;
        let run = runs.pop().ok_or("it has no direction")?;
        x = run.outputs.first().cloned().unwrap_or_default();
        outputs = run.outputs;
        states.extend(run.states);
    }
    Ok(Run { outputs, states })
}

/// The last state of what runs last: what a layer gives without `return_sequences`.
fn last(cells: &[Cell<'_>], run: &Run) -> Option<String> {
    let states = cells.last()?.states();
    run.states
        .get(run.states.len().checked_sub(states)?)
        .cloned()
}

/// `[time, batch, features]` as `[batch, time, features]`, and the other way round.
fn turned(graph: &mut Graph, x: &str) -> String {
    graph.transposed(x, &[1, 0, 2])
}

/// A recurrent layer of one direction.
pub(super) fn one_way(
    graph: &mut Graph,
    class: &str,
    a: &Arguments,
    find: Find<'_, '_>,
    x: &str,
    initial: &[String],
) -> Result<Run, String> {
    let name = graph.layer.clone();
    let cells = all_cells(class, a, "", &name, find)?;
    let backward = a.flag("go_backwards", false);
    let x = turned(graph, x);
    let run = stack(graph, &cells, backward, &x, initial)?;
    let output = match a.flag("return_sequences", false) {
        false => last(&cells, &run).ok_or("it has no cell")?,
        true => {
            let mut y = run.outputs.first().cloned().unwrap_or_default();
            if backward {
                // Keras gives the steps in the order in which they were read.
                let (from, to) = (graph.ints(&[-1]), graph.ints(&[i64::MIN]));
                let (axis, by) = (graph.ints(&[0]), graph.ints(&[-1]));
                y = graph.node("Slice", &[&y, &from, &to, &axis, &by]);
            }
            turned(graph, &y)
        }
    };
    Ok(Run {
        outputs: vec![output],
        states: run.states,
    })
}

/// `Bidirectional`.
pub(super) fn both_ways(
    graph: &mut Graph,
    a: &Arguments,
    find: Find<'_, '_>,
    x: &str,
    initial: &[String],
) -> Result<Run, String> {
    let (class, forward) = inner(a.get("layer"))?;
    let (other, mut backward) = match a.get("backward_layer") {
        Some(word) => inner(Some(word))?,
        None => (class.clone(), forward.clone()),
    };
    backward.take("go_backwards");
    // A forward layer that reads backwards changes places with the other one in time.
    let turned_round = forward.flag("go_backwards", false);
    let name = graph.layer.clone();
    let prefix = |way: &str, class: &str| format!("{way}_{}/", crate::network::stem(class));
    let f = all_cells(&class, &forward, &prefix("forward", &class), &name, find)?;
    let b = all_cells(&other, &backward, &prefix("backward", &other), &name, find)?;
    let x = turned(graph, x);
    let together = match (&f[..], &b[..]) {
        ([f], [b]) => {
            let one_kind = f.class == b.class
                && f.units == b.units
                && f.reset_after() == b.reset_after()
                && f.starts.len() == b.starts.len();
            (one_kind && !turned_round).then_some([(f, false), (b, true)])
        }
        _ => None,
    };
    let states: usize = f.iter().map(Cell::states).sum();
    let (ours, theirs) = match initial.is_empty() {
        true => (initial, initial),
        false => initial.split_at(states.min(initial.len())),
    };
    let runs = match together {
        Some(pair) => scan(graph, &pair, &x, initial)?,
        None => vec![
            stack(graph, &f, turned_round, &x, ours)?,
            stack(graph, &b, !turned_round, &x, theirs)?,
        ],
    };
    let sequences = forward.flag("return_sequences", false);
    let mut outputs = Vec::new();
    for (cells, run) in [&f, &b].into_iter().zip(&runs) {
        outputs.push(match sequences {
            true => {
                let y = run.outputs.first().cloned().unwrap_or_default();
                turned(graph, &y)
            }
            false => last(cells, run).ok_or("it has no cell")?,
        });
    }
    let states = runs.into_iter().flat_map(|run| run.states).collect();
    let pair: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let merged = match a.choice("merge_mode", "concat").as_str() {
        "none" => {
            return Ok(Run { outputs, states });
        }
        "sum" => graph.node("Add", &pair),
        "mul" => graph.node("Mul", &pair),
        "ave" => graph.node("Mean", &pair),
        _ => graph.with("Concat", &pair, &[("axis", Attribute::Int(-1))]),
    };
    Ok(Run {
        outputs: vec![merged],
        states,
    })
}
