//! Recurrent layers in words: one direction, the opposite one, both.

use std::collections::{BTreeSet, HashMap};

use super::cells;
use super::emit::Emit;
use super::flow::Src;
use super::net::{Initial, Layer, Op, Recurrent, Way};
use super::states::{Carried, Kept, State};
use crate::{Error, Value};

type Done<T> = Result<T, Error>;
type Outputs = Vec<(String, Option<usize>, Src)>;

/// What a layer returns.
#[derive(Clone, Copy)]
struct Returns {
    sequences: bool,
    state: bool,
}

impl Emit<'_> {
    /// Finds the layers that do nothing but merge both directions of a recurrent layer.
    pub fn find_merged(&mut self, live: &[bool], outputs: &Outputs) {
        let mut readers: HashMap<usize, BTreeSet<usize>> = HashMap::new();
        for (number, layer) in self.net.layers.iter().enumerate() {
            for src in layer
                .inputs
                .iter()
                .filter(|_| live.get(number) == Some(&true))
            {
                readers.entry(src.layer).or_default().insert(number);
            }
        }
        for (number, layer) in self.net.layers.iter().enumerate() {
            let Op::Recurrent(r) = &layer.op else {
                continue;
            };
            if r.ways.len() != 2 || live.get(number) != Some(&true) {
                continue;
            }
            let of = |result: usize| Src {
                layer: number,
                result,
            };
            let sequences = [of(r.sequence(0)), of(r.sequence(1))];
            let states = [of(r.state(0, 0)), of(r.state(1, 0))];
            let is_read = |pair: &[Src; 2]| pair.iter().any(|s| self.used.contains(s));
            // Sequences come first; a layer gives merged states only if it gives no sequences and no other state.
            let all_states = (0..r.family.states()).flat_map(|k| [r.state(0, k), r.state(1, k)]);
            let more = all_states.skip(2).any(|k| self.used.contains(&of(k)));
            let pair = match (is_read(&sequences), is_read(&states)) {
                (true, _) => sequences,
                (false, true) if !more => states,
                _ => continue,
            };
            if outputs.iter().any(|(_, _, src)| pair.contains(src)) {
                continue;
            }
            let mut modes = Vec::new();
            let mut by = Vec::new();
            for (reader, other) in self.net.layers.iter().enumerate() {
                if live.get(reader) == Some(&true) && other.inputs.iter().any(|s| pair.contains(s))
                {
                    let turned = [pair[1], pair[0]];
                    let same = other.inputs[..] == pair;
                    modes.push(match &other.op {
                        Op::Merge("Concatenate") if same => Some("concat"),
                        Op::Merge("Add") if same || other.inputs[..] == turned => Some("sum"),
                        Op::Merge("Multiply") if same || other.inputs[..] == turned => Some("mul"),
                        Op::Merge("Average") if same || other.inputs[..] == turned => Some("ave"),
                        _ => None,
                    });
                    by.push(reader);
                }
            }
            if let Some(Some(mode)) = modes.first()
                && modes.iter().all(|m| *m == Some(*mode))
            {
                self.merged.insert(number, (mode, by));
            }
        }
    }

    /// A recurrent layer, and its results.
    pub fn recurrent(&mut self, number: usize, layer: &Layer, r: &Recurrent) -> Done<()> {
        match r.ways.len() {
            1 => self.one_way(number, layer, r),
            _ => self.both_ways(number, layer, r),
        }
    }

    fn reads(&self, number: usize, result: usize) -> bool {
        self.used.contains(&Src {
            layer: number,
            result,
        })
    }

    fn set(&mut self, number: usize, result: usize, layer: usize, place: usize) {
        let src = Src {
            layer: number,
            result,
        };
        let value = Value::Of {
            layer,
            result: place,
        };
        self.values.insert(src, value);
    }

    /// The arguments of a layer that belong to its call.
    fn call(&self, r: &Recurrent) -> Done<Vec<String>> {
        let mut arguments = Vec::new();
        let mut starts = Vec::new();
        for start in r.ways.iter().flat_map(|w| &w.initial) {
            if let Initial::Value(src) = start {
                starts.push(self.network.value(self.value(*src)?));
            }
        }
        if !starts.is_empty() {
            arguments.push(format!("initial_state = [{}]", starts.join(", ")));
        }
        if let Some(mask) = r.mask {
            arguments.push(format!("mask = {}", self.network.value(self.value(mask)?)));
        }
        Ok(arguments)
    }

    /// In a chain nothing has a name: a layer that names a value returns its states, which makes a graph.
    fn needs_names(&self, r: &Recurrent) -> bool {
        let mut starts = r.ways.iter().flat_map(|w| &w.initial);
        starts.any(|s| matches!(s, Initial::Value(_))) && self.network.inputs.len() < 2
    }

    fn one_way(&mut self, number: usize, layer: &Layer, r: &Recurrent) -> Done<()> {
        let Some(way) = r.ways.first() else {
            return Ok(());
        };
        let sequences = self.reads(number, 0);
        let others = (1..r.family.states()).any(|k| self.reads(number, r.state(0, k)));
        let returns = Returns {
            sequences,
            state: others
                || (sequences && self.reads(number, r.state(0, 0)))
                || self.needs_names(r),
        };
        let (class, mut arguments) = self.direction(r, way, returns);
        if way.backward {
            arguments.push("go_backwards".to_owned());
        }
        if r.mask.is_some() && sequences {
            arguments.push("zero_output_for_mask".to_owned());
        }
        arguments.extend(self.call(r)?);
        let name = self.taken.layer(layer.hint.as_deref(), stem(class));
        self.weights(r, way, &name)?;
        self.starts(r, &[(way, name.clone())])?;
        let from = self.value(first(layer)?)?;
        let states = if returns.state { r.family.states() } else { 0 };
        let here = self.push(class, arguments, Some(name), vec![from], 1 + states);
        for state in 0..r.family.states() {
            let place = if returns.state { 1 + state } else { 0 };
            self.set(number, r.state(0, state), here, place);
        }
        if way.backward && sequences {
            // ONNX's outputs are in the order of time, Keras's in that in which they are computed.
            let value = Value::Of {
                layer: here,
                result: 0,
            };
            let value = self.reversed(Some(value), r.units);
            let src = Src {
                layer: number,
                result: 0,
            };
            self.values.insert(src, value);
        } else {
            self.set(number, 0, here, 0);
        }
        Ok(())
    }

    fn both_ways(&mut self, number: usize, layer: &Layer, r: &Recurrent) -> Done<()> {
        let [forward, backward] = &r.ways[..] else {
            return Ok(());
        };
        let merged = self.merged.get(&number).cloned();
        let sequences = (0..2).any(|w| self.reads(number, r.sequence(w)));
        let first_states = (0..2).any(|w| self.reads(number, r.state(w, 0)));
        let others =
            (1..r.family.states()).any(|k| (0..2).any(|w| self.reads(number, r.state(w, k))));
        let returns = Returns {
            sequences,
            state: others || (sequences && first_states) || self.needs_names(r),
        };
        // Without sequences the outputs are the last ones, which are the first states.
        let mode = match (&merged, sequences, returns.state) {
            (Some((mode, _)), ..) => mode,
            (None, false, true) => "concat",
            (None, ..) => "none",
        };
        let (class, own) = self.direction(r, forward, returns);
        let (other_class, mut other) = self.direction(r, backward, returns);
        let mut arguments = vec![format!("{class}({})", own.join(", "))];
        if mode != "concat" {
            arguments.push(format!("merge_mode = {mode}"));
        }
        if (class, &own) != (other_class, &other) {
            other.push("go_backwards".to_owned());
            arguments.push(format!(
                "backward_layer = {other_class}({})",
                other.join(", ")
            ));
        }
        arguments.extend(self.call(r)?);
        let name = self.taken.layer(layer.hint.as_deref(), "bidirectional");
        let names = [
            format!("{name}/forward_{}", stem(class)),
            format!("{name}/backward_{}", stem(other_class)),
        ];
        for (way, name) in r.ways.iter().zip(&names) {
            self.weights(r, way, name)?;
        }
        let [a, b] = names;
        self.starts(r, &[(forward, a), (backward, b)])?;
        let from = self.value(first(layer)?)?;
        let outputs = if mode == "none" { 2 } else { 1 };
        let states = if returns.state {
            2 * r.family.states()
        } else {
            0
        };
        let here = self.push(
            "Bidirectional",
            arguments,
            Some(name),
            vec![from],
            outputs + states,
        );
        for way in 0..2 {
            for state in 0..r.family.states() {
                let place = match returns.state {
                    true => outputs + way * r.family.states() + state,
                    false => way.min(outputs - 1),
                };
                self.set(number, r.state(way, state), here, place);
            }
            self.set(number, r.sequence(way), here, way.min(outputs - 1));
        }
        for reader in merged.map(|(_, by)| by).unwrap_or_default() {
            self.set(reader, 0, here, 0);
        }
        Ok(())
    }

    /// A class with its arguments, for one direction.
    fn direction(
        &mut self,
        r: &Recurrent,
        way: &Way,
        returns: Returns,
    ) -> (&'static str, Vec<String>) {
        let (class, mut arguments) = match cells::keras(r, way) {
            Some(found) => found,
            None => {
                let (stem, text) = cells::own(r, way);
                let cell = self.cell(stem, &text);
                ("RNN", vec![format!("{cell}({})", r.units)])
            }
        };
        if returns.sequences {
            arguments.push("return_sequences".to_owned());
        }
        if returns.state {
            arguments.push("return_state".to_owned());
        }
        let mut starts = r.ways.iter().flat_map(|w| &w.initial);
        if starts.any(|s| matches!(s, Initial::Constant(_))) {
            arguments.push("learn_initial_state".to_owned());
        }
        (class, arguments)
    }

    fn weights(&mut self, r: &Recurrent, way: &Way, name: &str) -> Done<()> {
        let columns = r.family.gates() * r.units;
        self.tensor(name, "kernel", &[r.input, columns], &way.kernel)?;
        self.tensor(
            name,
            "recurrent_kernel",
            &[r.units, columns],
            &way.recurrent,
        )?;
        if let Some(bias) = &way.bias {
            let both = [2, columns];
            let shape = if r.reset_after { &both[..] } else { &both[1..] };
            self.tensor(name, "bias", shape, bias)?;
        }
        if let Some(peephole) = &way.peephole {
            self.tensor(name, "peephole", &[3 * r.units], peephole)?;
        }
        Ok(())
    }

    /// The constants where states start.
    fn starts(&mut self, r: &Recurrent, ways: &[(&Way, String)]) -> Done<()> {
        let mut all = ways.iter().flat_map(|(w, _)| &w.initial);
        if !all.any(|s| matches!(s, Initial::Constant(_))) {
            return Ok(());
        }
        for (way, name) in ways {
            for (state, start) in ["initial_h", "initial_c"].iter().zip(&way.initial) {
                let zeros = vec![0.0; r.units];
                let values = match start {
                    Initial::Constant(values) => values,
                    _ => &zeros,
                };
                self.tensor(name, state, &[r.units], values)?;
            }
        }
        Ok(())
    }

    /// The layer that a recurrent layer has become.
    fn layer_of(&self, end: &Src) -> Option<&str> {
        match self.values.get(end) {
            Some(Value::Of { layer, .. }) => self.network.layers.get(*layer)?.name.as_deref(),
            _ => None,
        }
    }

    /// Says which inputs and outputs are states that a stream could keep by itself, if it can.
    pub fn states(&mut self, carried: &Carried, outputs: &Outputs) {
        if !carried.can_stream() {
            return;
        }
        let mut notes = Vec::new();
        for State {
            letter, start, end, ..
        } in carried.states()
        {
            let output = outputs.iter().position(|(_, _, o)| o == end);
            let output = output.and_then(|o| self.network.outputs.get(o));
            let input = match self.values.get(start) {
                Some(Value::Input(i)) => self.network.inputs.get(*i),
                _ => None,
            };
            let layer = self.layer_of(end);
            if let (Some(input), Some((output, _)), Some(layer)) = (input, output, layer) {
                notes.push(format!(
                    "input `{}` and output `{output}` are the state {letter} of the layer `{layer}` before and after",
                    input.name
                ));
            }
        }
        if !notes.is_empty() {
            notes.push(
                "this model cannot stream as it is, since a stream keeps its states itself: `import(\"…\", states = stream)`, and \
                 `--states stream` of the tool, leave them out"
                    .to_owned(),
            );
        }
        self.notes.extend(notes);
    }

    /// Says which states have been left to a stream.
    pub fn kept(&mut self, kept: &[Kept]) {
        for Kept {
            state,
            input,
            outputs,
            ..
        } in kept
        {
            let s = if outputs.len() > 1 { "s" } else { "" };
            let outputs = outputs.join(", ");
            let pair = format!(
                "input {input} and output{s} {outputs} of the file are the state {}",
                state.letter
            );
            self.notes.push(match self.layer_of(&state.end) {
                Some(layer) => format!("{pair} of the layer `{layer}`"),
                None => format!("{pair} of a layer that no other output needs, which is left out"),
            });
        }
        if !kept.is_empty() {
            self.notes.push(
                "states that came in and went out are left out: they start at zero, and a stream keeps them"
                    .to_owned(),
            );
        }
    }
}

fn stem(class: &str) -> &'static str {
    match class {
        "LSTM" => "lstm",
        "GRU" => "gru",
        "SimpleRNN" => "simple_rnn",
        _ => "rnn",
    }
}

fn first(layer: &Layer) -> Done<Src> {
    layer
        .inputs
        .first()
        .copied()
        .ok_or_else(|| Error::not_understood("a recurrent layer reads nothing"))
}
