//! States that a graph takes as inputs and gives back as outputs, which a stream can keep by itself.

use std::collections::{HashMap, HashSet};

use super::flow::Src;
use super::fuse::{live, uses};
use super::graph::Graph;
use super::inputs::Inputs;
use super::net::{Family, Initial, Layer, Net, Op, Recurrent};

/// Names in the file, parts, and values.
type Outputs = Vec<(String, Option<usize>, Src)>;

/// The layers whose states come in and go out.
pub(super) struct Carried {
    layers: Vec<usize>,
    states: Vec<State>,
    /// Why a stream cannot keep them: one line for each reason, with what to do about it.
    pub wrong: Vec<String>,
    /// Whether an input starts any of them.
    pub come_in: bool,
}

/// A state of a layer that starts at a value of the graph.
#[derive(Clone)]
pub(super) struct State {
    /// What it is called.
    pub letter: &'static str,
    /// The recurrent layer.
    pub layer: usize,
    /// Where it starts.
    pub start: Src,
    /// What it is after the last step.
    pub end: Src,
}

/// A state that was left to a stream, with the names that it had in the file.
pub(super) struct Kept {
    pub state: State,
    /// The number of the graph's input.
    pub of: Option<usize>,
    pub input: String,
    pub outputs: Vec<String>,
}

/// Where a state comes from.
enum From {
    /// The input with this name.
    Input(String),
    /// Some numbers of this input, of so many.
    Part(String, usize),
    /// The same numbers in every call.
    Constant,
    Computed,
}

/// How many layers a line names.
const MOST_NAMED: usize = 20;
/// What a user does whose states are not inputs and outputs.
const EXPORT: &str = "Export the model with an input and an output for each state";
/// What a user does whose model cannot stream.
const PREDICT: &str = "Leave `states = stream` out, and use `predict`";

impl Carried {
    /// Finds them among the layers that an output needs.
    pub fn of(net: &Net, graph: &Graph<'_>, inputs: &Inputs, outputs: &Outputs) -> Carried {
        let live = live(net, outputs);
        let mut found = Carried {
            layers: Vec::new(),
            states: Vec::new(),
            wrong: Vec::new(),
            come_in: false,
        };
        for (number, layer) in net.layers.iter().enumerate() {
            let (Op::Recurrent(r), Some(true)) = (&layer.op, live.get(number)) else {
                continue;
            };
            let before = found.states.len();
            for (w, way) in r.ways.iter().enumerate() {
                for (state, start) in way.initial.iter().enumerate() {
                    if let Initial::Value(start) = start {
                        found.states.push(State {
                            letter: letter(r.family, state),
                            layer: number,
                            start: *start,
                            end: Src {
                                layer: number,
                                result: r.state(w, state),
                            },
                        });
                    }
                }
            }
            if found.states.len() == before {
                continue;
            }
            found.layers.push(number);
            if r.ways.iter().any(|way| way.backward) {
                let name = called(layer, r);
                found
                    .wrong
                    .push(format!("{name} reads the last step first. {PREDICT}"));
            }
        }
        let names = Names {
            net,
            graph,
            inputs,
            live: &live,
        };
        found.judge(&names, outputs);
        let ends: HashSet<Src> = found.states.iter().map(|s| s.end).collect();
        let stays = |src: &Src| !ends.contains(src);
        if !found.layers.is_empty() && !outputs.iter().any(|(.., src)| stays(src)) {
            found.wrong.push(
                "the graph gives nothing but states. Export the model with what it computes of them, too"
                    .to_owned(),
            );
        }
        found
    }

    /// Finds what is wrong with each state.
    fn judge(&mut self, names: &Names<'_>, outputs: &Outputs) {
        let uses = uses(names.net, outputs);
        let constants = names.constants();
        let given: HashSet<Src> = outputs.iter().map(|(.., src)| *src).collect();
        // Thousands of states may start at one value: it is looked at once.
        let mut sharing: HashMap<Src, Vec<&State>> = HashMap::new();
        let mut from: HashMap<Src, From> = HashMap::new();
        for state in &self.states {
            sharing.entry(state.start).or_default().push(state);
            let start = from.entry(state.start);
            start.or_insert_with(|| names.from(state.start));
        }
        self.come_in = from
            .values()
            .any(|f| matches!(f, From::Input(_) | From::Part(..)));
        for state in &self.states {
            let start = &state.start;
            let (Some(from), Some(sharing)) = (from.get(start), sharing.get(start)) else {
                continue;
            };
            let this = names.states(&[state]);
            // A constant for one state reads what starts another one, for its number of rows.
            let others = uses.get(start).copied().unwrap_or(0);
            let constants = constants.get(start).copied().unwrap_or(0);
            let line = match from {
                From::Input(input) if sharing.len() > 1 => {
                    // The first of them says it for all.
                    if sharing.first().map(|s| s.end) != Some(state.end) {
                        continue;
                    }
                    format!(
                        "{} start from one input, {input}. {EXPORT}, from a tensor of its own: `torch.onnx.export` makes one \
                         input of a tensor that is given twice",
                        names.states(sharing)
                    )
                }
                From::Input(input) if others != 1 + constants => {
                    format!("{this} comes in as {input}, which something else reads, too. {EXPORT}")
                }
                From::Input(input) if !given.contains(&state.end) => {
                    format!(
                        "{this} comes in as {input}, and no output gives it back by itself. {EXPORT}"
                    )
                }
                From::Input(_) => continue,
                From::Part(input, width) => format!(
                    "{this} is {} of the {width} numbers of the input {input}. {EXPORT}",
                    names.net.shape(state.start).width
                ),
                From::Constant => format!(
                    "{this} starts anew in each call, while another state of the layer comes in. {EXPORT}"
                ),
                From::Computed => format!(
                    "{this} starts where the graph computes, and no input gives that as it is. {PREDICT}"
                ),
            };
            self.wrong.push(line);
        }
    }

    /// Whether there are any, and a stream can keep all of them.
    pub fn can_stream(&self) -> bool {
        !self.layers.is_empty() && self.wrong.is_empty()
    }

    /// The states, in the order of their layers.
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// What a user is told who wants a stream to keep them.
    pub fn refusal(self) -> Vec<String> {
        let lines = self.wrong.into_iter();
        lines
            .map(|line| format!("`states = stream` is not possible: {line}"))
            .collect()
    }

    /// Leaves them out: they start at zero.
    pub fn leave_out(
        self,
        net: &mut Net,
        graph: &Graph<'_>,
        inputs: &Inputs,
        outputs: &mut Outputs,
    ) -> Vec<Kept> {
        let names = Names {
            net,
            graph,
            inputs,
            live: &[],
        };
        let mut given: HashMap<Src, Vec<String>> = HashMap::new();
        for (name, part, src) in &*outputs {
            given.entry(*src).or_default().push(in_file(name, *part));
        }
        let mut kept = Vec::new();
        for state in &self.states {
            let (of, input) = names.input(state.start);
            kept.push(Kept {
                state: state.clone(),
                of,
                input,
                outputs: given.get(&state.end).cloned().unwrap_or_default(),
            });
        }
        if kept.is_empty() {
            net.notes
                .push("no states come in and go out: `states = stream` changes nothing".to_owned());
        }
        let ends: HashSet<Src> = self.states.iter().map(|s| s.end).collect();
        outputs.retain(|(.., src)| !ends.contains(src));
        for number in self.layers {
            let Some(layer) = net.layers.get_mut(number) else {
                continue;
            };
            if let Op::Recurrent(r) = &mut layer.op {
                layer.inputs.truncate(1);
                layer.inputs.extend(r.mask);
                let starts = r.ways.iter_mut().flat_map(|way| &mut way.initial);
                starts.for_each(|start| *start = Initial::Zero);
            }
        }
        kept
    }
}

/// What things are called in messages.
struct Names<'n> {
    net: &'n Net,
    graph: &'n Graph<'n>,
    inputs: &'n Inputs,
    /// The layers that an output needs.
    live: &'n [bool],
}

impl Names<'_> {
    fn op(&self, src: Src) -> Option<&Layer> {
        self.net.layers.get(src.layer)
    }

    /// The number of the graph's input that a value is, and what the file calls it.
    fn input(&self, src: Src) -> (Option<usize>, String) {
        let number = match self.op(src).map(|l| &l.op) {
            Some(Op::Input(number)) => Some(*number),
            _ => None,
        };
        let input = number.and_then(|n| self.inputs.all.get(n));
        let name = input.and_then(|i| Some((self.graph.inputs.get(i.of)?.name, i.part)));
        match name {
            Some((name, part)) => (input.map(|i| i.of), in_file(name, part)),
            None => (None, "that has no name".to_owned()),
        }
    }

    /// Whether a value has the same numbers whatever it reads: a `Dense` with a kernel of zeros.
    fn is_constant(&self, layer: &Layer) -> bool {
        match &layer.op {
            Op::Dense { kernel, bias, .. } => bias.is_some() && kernel.iter().all(|k| *k == 0.0),
            _ => false,
        }
    }

    /// How many constants read each value for its number of rows.
    fn constants(&self) -> HashMap<Src, usize> {
        let mut all = HashMap::new();
        for (layer, live) in self.net.layers.iter().zip(self.live) {
            if let ([src], true) = (&layer.inputs[..], *live)
                && self.is_constant(layer)
            {
                *all.entry(*src).or_insert(0) += 1;
            }
        }
        all
    }

    fn from(&self, src: Src) -> From {
        let Some(layer) = self.op(src) else {
            return From::Computed;
        };
        let before = layer.inputs.first().copied();
        match (&layer.op, before) {
            (Op::Input(_), _) => From::Input(self.input(src).1),
            (Op::Dense { .. }, Some(_)) if self.is_constant(layer) => From::Constant,
            // What picks some numbers of a value.
            (
                Op::Dense {
                    kernel, bias: None, ..
                },
                Some(of),
            ) if matches!(self.op(of).map(|l| &l.op), Some(Op::Input(_)))
                && kernel.iter().all(|k| [0.0, 1.0].contains(k)) =>
            {
                From::Part(self.input(of).1, self.net.shape(of).width)
            }
            _ => From::Computed,
        }
    }

    /// `the states h and c of the layer `lstm``.
    fn states(&self, all: &[&State]) -> String {
        let mut layers: Vec<(usize, Vec<&str>)> = Vec::new();
        for state in all {
            match layers.last_mut() {
                Some((layer, letters)) if *layer == state.layer => letters.push(state.letter),
                _ => layers.push((state.layer, vec![state.letter])),
            }
        }
        let more = layers.len().saturating_sub(MOST_NAMED);
        let words = layers.iter().take(MOST_NAMED).map(|(number, letters)| {
            let layer = self.net.layers.get(*number);
            let name = layer.and_then(|layer| match &layer.op {
                Op::Recurrent(r) => Some(called(layer, r)),
                _ => None,
            });
            let s = if letters.len() > 1 { "s" } else { "" };
            format!(
                "the state{s} {} of {}",
                letters.join(" and "),
                name.unwrap_or_default()
            )
        });
        let mut words: Vec<String> = words.collect();
        if more > 0 {
            words.push(format!("the states of {more} more layers"));
        }
        words.join(" and ")
    }
}

/// What a layer is called before its words are made.
fn called(layer: &Layer, r: &Recurrent) -> String {
    match &layer.hint {
        Some(hint) => format!("the layer `{hint}`"),
        None => r.title.clone(),
    }
}

/// An input or an output, or one of the vectors that it becomes.
fn in_file(name: &str, part: Option<usize>) -> String {
    match part {
        None => format!("`{name}`"),
        Some(part) => format!("`{name}` (part {part})"),
    }
}

/// What a state is called.
pub(super) fn letter(family: Family, state: usize) -> &'static str {
    match (family, state) {
        (Family::Lstm, 1) => "c",
        _ => "h",
    }
}
