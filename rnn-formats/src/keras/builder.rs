//! The network while it grows: values, their steps and masks, and its inputs.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    masks::{MaskId, Masks},
    report::Report,
    spec::{Mask, Masked, Param, Shape, Spec},
};
use crate::{Network, NetworkInput, NetworkLayer, Value, rust_name};

/// A value that flows through the model.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub value: Value,
    pub shape: Shape,
    /// The mask that goes with it in Keras.
    pub keras: Option<MaskId>,
    /// The mask that goes with it here.
    pub here: Option<MaskId>,
    /// The number of its steps in [`Builder::steps`]; `None` without steps.
    pub steps: Option<usize>,
}

/// An input of the model.
#[derive(Debug)]
struct Input {
    name: String,
    axes: Vec<Option<usize>>,
    steps: Option<usize>,
    /// Whether it is read as ids, as a mask, as numbers.
    read: [bool; 3],
}

/// A layer, with what its call is given by name.
#[derive(Debug)]
struct Call {
    layer: NetworkLayer,
    initial: Vec<Value>,
    mask: Option<Value>,
}

/// Where the file has the parameters of a layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// In `.weights.h5`: `layers/functional/layers/dense`.
    pub store: String,
    /// In a whole `.h5`: the name of the layer of the outer model, which has a group.
    pub group: String,
    /// Its own name in the file.
    pub name: String,
}

/// A layer with parameters.
#[derive(Clone, Debug)]
pub(super) struct Weighted {
    /// Its name here.
    pub name: String,
    pub place: Place,
    pub params: Vec<Param>,
}

/// What a call is given besides its inputs.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub initial: Vec<Flow>,
    pub mask: Option<MaskId>,
    /// Keras knows no other mask in this call than the one that is given.
    pub only_mask: bool,
}

/// Names that are taken, with how often each was asked for again.
type Names = BTreeMap<String, usize>;

/// The name, or the next one of its kind that is not taken.
fn unique(name: String, taken: &mut Names) -> String {
    let mut own = name.clone();
    while taken.contains_key(&own) {
        let count = taken.entry(name.clone()).or_insert(0);
        *count += 1;
        own = format!("{name}_{count}");
    }
    taken.insert(own.clone(), 0);
    own
}

/// The network while it grows.
#[derive(Debug, Default)]
pub(super) struct Builder {
    inputs: Vec<Input>,
    input_names: Names,
    calls: Vec<Call>,
    /// Numbers of steps that are known to be the same: each points at another one or at itself.
    steps: Vec<(usize, Option<usize>)>,
    pub masks: Masks,
    /// Values by the mask that they carry.
    carriers: BTreeMap<MaskId, Flow>,
    /// The names of layers here, by their places.
    names: BTreeMap<String, String>,
    taken: Names,
    pub weighted: Vec<Weighted>,
}

impl Builder {
    /// Adds an input with these axes.
    pub fn input(&mut self, name: &str, axes: Vec<Option<usize>>) -> Flow {
        let own = unique(rust_name(name), &mut self.input_names);
        let value = Value::Input(self.inputs.len());
        // A vector of ids or of a mask has steps, too; which it is shows later.
        let steps = Some(self.new_steps(axes.first().copied().flatten()));
        self.inputs.push(Input {
            name: own,
            axes: axes.clone(),
            steps,
            read: [false; 3],
        });
        Flow {
            value,
            shape: Some(axes),
            keras: None,
            here: None,
            steps,
        }
    }

    fn new_steps(&mut self, known: Option<usize>) -> usize {
        self.steps.push((self.steps.len(), known));
        self.steps.len() - 1
    }

    fn root(&self, mut steps: usize) -> usize {
        while let Some((next, _)) = self.steps.get(steps)
            && *next != steps
        {
            steps = *next;
        }
        steps
    }

    /// Notes that two values have the same steps.
    fn same_steps(&mut self, a: Option<usize>, b: Option<usize>) {
        let (Some(a), Some(b)) = (a, b) else { return };
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let known = self.steps.get(b).and_then(|(_, n)| *n);
        if let Some(to) = self.steps.get_mut(a) {
            to.1 = to.1.or(known);
        }
        if let Some(from) = self.steps.get_mut(b) {
            from.0 = a;
        }
    }

    /// Notes how an input is read: 0 as ids, 1 as a mask, 2 as numbers.
    fn reads(&mut self, value: Value, how: usize) {
        if let Value::Input(index) = value
            && let Some(input) = self.inputs.get_mut(index)
            && let Some(read) = input.read.get_mut(how)
        {
            *read = true;
        }
    }

    /// The mask that an input is.
    pub fn mask_of_input(&mut self, flow: &Flow) -> MaskId {
        let mask = self.masks.input(flow.value);
        self.carriers.entry(mask).or_insert_with(|| flow.clone());
        mask
    }

    /// The name that a layer with parameters has here: its own, if nobody else has it.
    pub fn name(
        &mut self,
        place: &Place,
        model: &str,
        params: &[Param],
        report: &mut Report,
    ) -> String {
        if let Some(name) = self.names.get(&place.store) {
            return name.clone();
        }
        let clean: String = place
            .name
            .chars()
            .map(|c| match c {
                c if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') => c,
                _ => '_',
            })
            .take(80)
            .collect();
        let clean = if clean.is_empty() {
            "layer".to_owned()
        } else {
            clean
        };
        let name = match self.taken.contains_key(&clean) && !model.is_empty() {
            true => format!(
                "{}_{clean}",
                rust_name(model).chars().take(80).collect::<String>()
            ),
            false => clean,
        };
        let name = unique(name.chars().take(80).collect(), &mut self.taken);
        if name != place.name {
            report.note(format!(
                "the layer `{}` is called `{name}` here",
                place.name
            ));
        }
        self.names.insert(place.store.clone(), name.clone());
        self.weighted.push(Weighted {
            name: name.clone(),
            place: place.clone(),
            params: params.to_vec(),
        });
        name
    }

    /// Adds a call of a layer; gives its results.
    pub fn call(
        &mut self,
        spec: &Spec,
        name: Option<String>,
        mut inputs: Vec<Flow>,
        given: Given,
        (what, report): (&str, &mut Report),
    ) -> Vec<Flow> {
        for input in &inputs {
            self.reads(input.value, if spec.ids { 0 } else { 2 });
            if spec.ids && !matches!(input.value, Value::Input(_)) {
                report.wrong(format!(
                    "{what}: it reads ids that are no input of the model"
                ));
            }
        }
        for state in &given.initial {
            self.reads(state.value, 2);
        }
        if let [first, rest @ ..] = &inputs[..] {
            let of_first = first.steps.filter(|_| has_steps(first));
            for other in rest.iter().filter(|o| has_steps(o)) {
                self.same_steps(of_first, other.steps);
            }
        }
        let flowing = inputs.first().and_then(|i| i.keras);
        let keras = match given.only_mask {
            true => given.mask,
            false => given.mask.or(flowing),
        };
        let mut mask = None;
        let wanted = match spec.masked {
            Masked::No => None,
            Masked::Yes => Some(keras),
            Masked::HereOnly => Some(None),
        };
        if let (Some(wanted), Some(input)) = (wanted, inputs.first_mut())
            && wanted != input.here
        {
            match wanted.map(|wanted| self.carriers.get(&wanted).cloned()) {
                // Keras knows of no mask here, so it is taken away.
                None => {
                    let axes = input.shape.as_ref().map_or(0, Vec::len);
                    if axes != 2 {
                        report.wrong(format!(
                            "{what}: its input has a mask that Keras does not use"
                        ));
                    }
                    *input = self.unmasked(input);
                }
                Some(Some(carrier)) => {
                    self.same_steps(input.steps, carrier.steps);
                    if self.inputs_is_mask(&carrier) {
                        self.reads(carrier.value, 1);
                    }
                    mask = Some(carrier.value);
                }
                Some(None) => {
                    report.wrong(format!(
                        "{what}: the mask that it is given is not understood"
                    ));
                }
            }
        }
        let layer = self.calls.len();
        let value = |result| Value::Of { layer, result };
        let previous = given.mask.or(flowing);
        let here = inputs.first().and_then(|i| i.here);
        let masks = match spec.mask {
            Mask::Lost => (None, None),
            Mask::Kept => (previous, if mask.is_some() { keras } else { here }),
            Mask::Ids | Mask::Value(_) => {
                let of = inputs.first().map(|i| i.value);
                let made = of.map(|of| match spec.mask {
                    Mask::Value(x) => self.masks.value(of, x),
                    _ => self.masks.ids(of),
                });
                (made, made)
            }
            Mask::Any => {
                let of = |f: fn(&Flow) -> Option<MaskId>| inputs.iter().map(f).collect::<Vec<_>>();
                let (k, h) = (of(|i| i.keras), of(|i| i.here));
                (self.masks.any(&k), self.masks.any(&h))
            }
            Mask::Joined => {
                let of = |f: fn(&Flow) -> (Value, Option<MaskId>)| {
                    inputs.iter().map(f).collect::<Vec<_>>()
                };
                let (k, h) = (of(|i| (i.value, i.keras)), of(|i| (i.value, i.here)));
                (self.masks.joined(&k), self.masks.joined(&h))
            }
        };
        let steps = match (spec.steps, inputs.first()) {
            (true, Some(input)) => input.steps,
            _ => None,
        };
        let results: Vec<Flow> = (0..)
            .zip(&spec.results)
            .map(|(result, shape)| {
                let output = result < spec.outputs;
                let first = shape
                    .as_ref()
                    .and_then(|axes| axes.first().copied().flatten());
                Flow {
                    value: value(result),
                    shape: shape.clone(),
                    keras: masks.0.filter(|_| output),
                    here: masks.1.filter(|_| output),
                    steps: match output && steps.is_some() {
                        true => steps,
                        false => Some(self.new_steps(first)),
                    },
                }
            })
            .collect();
        if let (Some(mask), Some(first)) = (masks.1, results.first()) {
            self.carriers.entry(mask).or_insert_with(|| first.clone());
        }
        self.calls.push(Call {
            layer: NetworkLayer {
                class: spec.class.clone(),
                arguments: spec.arguments.clone(),
                name,
                inputs: inputs.iter().map(|i| i.value).collect(),
                results: spec.results.len(),
            },
            initial: given.initial.iter().map(|s| s.value).collect(),
            mask,
        });
        results
    }

    fn inputs_is_mask(&self, carrier: &Flow) -> bool {
        matches!(carrier.value, Value::Input(_))
    }

    /// The same numbers without a mask: axes that change places with themselves.
    fn unmasked(&mut self, input: &Flow) -> Flow {
        let layer = self.calls.len();
        self.calls.push(Call {
            layer: NetworkLayer {
                class: "Permute".into(),
                arguments: vec!["1".into(), "2".into()],
                name: None,
                inputs: vec![input.value],
                results: 1,
            },
            initial: Vec::new(),
            mask: None,
        });
        Flow {
            value: Value::Of { layer, result: 0 },
            keras: input.keras,
            here: None,
            ..input.clone()
        }
    }

    /// The network with these outputs. Layers that nobody reads are left out.
    pub fn finish(
        mut self,
        outputs: Vec<(String, Flow)>,
        report: &mut Report,
    ) -> (Network, Vec<Weighted>) {
        let mut live = BTreeSet::new();
        let mut rest: Vec<Value> = outputs.iter().map(|(_, f)| f.value).collect();
        while let Some(value) = rest.pop() {
            if let Value::Of { layer, .. } = value
                && live.insert(layer)
                && let Some(call) = self.calls.get(layer)
            {
                rest.extend(
                    call.layer
                        .inputs
                        .iter()
                        .chain(&call.initial)
                        .chain(&call.mask),
                );
            }
        }
        // New numbers for the layers that stay.
        let numbers: BTreeMap<usize, usize> = live
            .iter()
            .enumerate()
            .map(|(new, old)| (*old, new))
            .collect();
        let renumber = |value: Value| match value {
            Value::Of { layer, result } => Value::Of {
                layer: numbers.get(&layer).copied().unwrap_or(layer),
                result,
            },
            input => input,
        };
        let mut network = Network {
            inputs: self.input_texts(report),
            ..Network::default()
        };
        let (mut named, mut output_names) = (BTreeSet::new(), Names::new());
        for (number, call) in std::mem::take(&mut self.calls).into_iter().enumerate() {
            if !live.contains(&number) {
                let name = call.layer.name.unwrap_or(call.layer.class);
                report.note(format!("`{name}` is left out: nothing reads what it gives"));
                continue;
            }
            let mut layer = call.layer;
            layer.inputs = layer.inputs.into_iter().map(renumber).collect();
            let text = |value: &Value| network.value(renumber(*value));
            match &call.initial[..] {
                [] => {}
                [one] => layer
                    .arguments
                    .push(format!("initial_state = {}", text(one))),
                all => {
                    let all: Vec<String> = all.iter().map(text).collect();
                    layer
                        .arguments
                        .push(format!("initial_state = [{}]", all.join(", ")));
                }
            }
            if let Some(mask) = &call.mask {
                layer.arguments.push(format!("mask = {}", text(mask)));
            }
            named.extend(layer.name.clone());
            network.layers.push(layer);
        }
        for (name, flow) in outputs {
            let own = unique(rust_name(&name), &mut output_names);
            if matches!(flow.value, Value::Input(_)) {
                report.wrong(format!("the output `{name}` is an input as it is"));
            }
            network.outputs.push((own, renumber(flow.value)));
        }
        self.weighted.retain(|w| named.contains(&w.name));
        (network, self.weighted)
    }

    /// The inputs as `rnn_model!` writes them.
    fn input_texts(&self, report: &mut Report) -> Vec<NetworkInput> {
        // Open steps that several inputs have in common have a name.
        let is_sequence = |i: &Input| i.axes.len() > 1 || !i.read[2];
        let mut open: Vec<(usize, usize)> = Vec::new();
        for input in self.inputs.iter().filter(|i| is_sequence(i)) {
            let Some(root) = input.steps.map(|s| self.root(s)) else {
                continue;
            };
            match open.iter_mut().find(|(r, _)| *r == root) {
                Some((_, count)) => *count += 1,
                None => open.push((root, 1)),
            }
        }
        let shared: Vec<usize> = open
            .iter()
            .filter(|(_, n)| *n > 1)
            .map(|(r, _)| *r)
            .collect();
        let steps = |input: &Input| -> String {
            let root = input.steps.map(|s| self.root(s)).unwrap_or_default();
            match (self.steps.get(root), shared.iter().position(|r| *r == root)) {
                (Some((_, Some(n))), _) => n.to_string(),
                (_, None) => "_".to_owned(),
                (_, Some(0)) => "time".to_owned(),
                (_, Some(n)) => format!("time_{n}"),
            }
        };
        let text = |input: &Input, report: &mut Report| -> String {
            let of_steps = |word: &str| match steps(input).as_str() {
                "_" => word.to_owned(),
                n => format!("{word}[{n}]"),
            };
            match (input.read, &input.axes[..]) {
                ([true, false, false], [_]) => of_steps("ids"),
                ([false, true, false], [_]) => of_steps("mask"),
                ([false, false, _], [Some(n)]) => format!("[{n}]"),
                ([false, false, _], [_, rest @ ..]) if !rest.is_empty() => {
                    let all: Option<Vec<usize>> = rest.iter().copied().collect();
                    let Some(all) = all else {
                        report.wrong(format!(
                            "the input `{}` has more than one open axis",
                            input.name
                        ));
                        return String::new();
                    };
                    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                    format!("[{}, {}]", steps(input), all.join(", "))
                }
                (_, axes) => {
                    report.wrong(format!(
                        "the input `{}` with the axes {axes:?} is read as {}",
                        input.name,
                        ["ids", "a mask", "numbers"]
                            .iter()
                            .zip(input.read)
                            .filter(|(_, read)| *read)
                            .map(|(word, _)| *word)
                            .collect::<Vec<_>>()
                            .join(" and as ")
                    ));
                    String::new()
                }
            }
        };
        self.inputs
            .iter()
            .map(|input| {
                let read = input.read.iter().any(|read| *read);
                NetworkInput {
                    // The compiler wants a name with `_` for what nobody reads.
                    name: if read {
                        input.name.clone()
                    } else {
                        format!("_{}", input.name)
                    },
                    text: text(input, report),
                }
            })
            .collect()
    }
}

/// Whether the first axis of a value are its steps.
fn has_steps(flow: &Flow) -> bool {
    flow.shape.as_ref().is_none_or(|axes| axes.len() > 1)
}
