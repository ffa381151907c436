//! States that a graph takes as inputs and gives back as outputs, which a stream can keep by itself.

use super::flow::Src;
use super::fuse::{live, uses};
use super::net::{Family, Initial, Net, Op};

/// Names in the file, parts, and values.
type Outputs = Vec<(String, Option<usize>, Src)>;

/// The layers whose states come in and go out.
pub(super) struct Carried {
    layers: Vec<usize>,
    /// Their states after the last step.
    ends: Vec<Src>,
    /// Why a stream cannot keep them: one line for each reason.
    pub wrong: Vec<String>,
}

impl Carried {
    /// Finds them among the layers that an output needs.
    pub fn of(net: &Net, outputs: &Outputs) -> Carried {
        let (uses, live) = (uses(net, outputs), live(net, outputs));
        let mut found = Carried {
            layers: Vec::new(),
            ends: Vec::new(),
            wrong: Vec::new(),
        };
        for (number, layer) in net.layers.iter().enumerate() {
            let Op::Recurrent(r) = &layer.op else {
                continue;
            };
            let mut starts = r.ways.iter().flat_map(|way| &way.initial);
            let carried = starts.any(|start| matches!(start, Initial::Value(_)));
            if !carried || !live.get(number).copied().unwrap_or(false) {
                continue;
            }
            found.layers.push(number);
            let name = match &layer.hint {
                Some(hint) => format!("the recurrent layer `{hint}`"),
                None => format!("the recurrent layer {}", found.layers.len()),
            };
            for (w, way) in r.ways.iter().enumerate() {
                if way.backward {
                    found
                        .wrong
                        .push(format!("{name} reads the last step first: a stream cannot"));
                }
                for (state, start) in way.initial.iter().enumerate() {
                    let end = Src {
                        layer: number,
                        result: r.state(w, state),
                    };
                    let why = match start {
                        Initial::Value(src) => {
                            let before = net.layers.get(src.layer).map(|l| &l.op);
                            if !matches!(before, Some(Op::Input(_))) {
                                Some("is computed, and is no input as it comes in")
                            } else if uses.get(src) != Some(&1) {
                                Some("comes from an input that is read for something else, too")
                            } else if !outputs.iter().any(|(.., output)| *output == end) {
                                Some("comes in, and no output gives it back")
                            } else {
                                None
                            }
                        }
                        _ => Some("starts anew in each call, while another state comes in"),
                    };
                    if let Some(why) = why {
                        let state = letter(r.family, state);
                        found
                            .wrong
                            .push(format!("the state {state} of {name} {why}"));
                    }
                    found.ends.push(end);
                }
            }
        }
        let stays = |src: &Src| !found.ends.contains(src);
        if !found.layers.is_empty() && !outputs.iter().any(|(.., src)| stays(src)) {
            found
                .wrong
                .push("the graph gives nothing but states".to_owned());
        }
        found
    }

    /// Whether there are any, and a stream can keep all of them.
    pub fn can_stream(&self) -> bool {
        !self.layers.is_empty() && self.wrong.is_empty()
    }

    /// What a user is told who wants a stream to keep them.
    pub fn refusal(self) -> Vec<String> {
        let lines = self.wrong.into_iter();
        lines
            .map(|line| format!("`states = stream` leaves out states that come in as inputs and go out as outputs: {line}"))
            .collect()
    }

    /// Leaves them out: they start at zero.
    pub fn leave_out(self, net: &mut Net, outputs: &mut Outputs) {
        net.notes.push(match self.layers.is_empty() {
            true => "no states come in and go out: `states = stream` changes nothing".to_owned(),
            false => "states that came in and went out are left out: they start at zero, and a stream keeps them"
                .to_owned(),
        });
        outputs.retain(|(.., src)| !self.ends.contains(src));
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
    }
}

/// What a state is called.
pub(super) fn letter(family: Family, state: usize) -> &'static str {
    match (family, state) {
        (Family::Lstm, 1) => "c",
        _ => "h",
    }
}
