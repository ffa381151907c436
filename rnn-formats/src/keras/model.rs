//! A model's configuration as a network: layers in the order of their data, models in models taken apart.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    builder::{Builder, Flow, Given, Place},
    config::{Config, axes},
    functions::snake,
    layers::{self, Built},
    masks::{self, MaskId, Masks},
    nodes::{Node, Operand, Ref, nodes, refs},
    object::Object,
    recurrent::is_recurrent,
    report::Report,
    spec::Spec,
};

/// What flows between the layers of a configuration.
#[derive(Clone, Debug)]
enum Stream {
    Data(Flow),
    /// What an operation on masks gives, or on numbers that nobody else reads.
    Mask(MaskId, String),
    /// What a layer would give that is not understood.
    Lost,
}

/// Reads configurations into a [`Builder`].
pub(super) struct Reader<'r> {
    pub builder: Builder,
    pub report: &'r mut Report,
    /// Whether the file is of Keras 2.
    pub old: bool,
    /// Calls that may still be made: a model that is called again and again is taken apart each time.
    pub calls_left: usize,
}

/// Where a model stands in the model that is saved.
#[derive(Clone, Debug, Default)]
struct Within {
    /// Its place in `.weights.h5`, with a slash at its end; empty for the whole model.
    store: String,
    /// The layer of the outermost model that it is in.
    group: Option<String>,
    /// Its name; empty for the whole model.
    name: String,
}

/// A layer of a model's configuration.
struct Entry<'c> {
    class: &'c str,
    config: &'c Map<String, Value>,
    name: String,
    nodes: Vec<Node>,
    place: Place,
    /// The number of the first call, as others count them.
    first: usize,
}

impl Entry<'_> {
    fn is_model(&self) -> bool {
        is_model(self.class)
    }

    fn is_input(&self) -> bool {
        self.class == "InputLayer"
    }

    /// An operation of Keras 3 on tensors, which is no layer. All layers say whether they are trained, but for
    /// `SpatialDropout1D`: the module that a class is from is not in `.h5`.
    fn is_operation(&self) -> bool {
        !self.is_input()
            && !self.is_model()
            && self.class != "SpatialDropout1D"
            && !self.config.contains_key("trainable")
    }

    fn what(&self) -> String {
        format!("{} `{}`", self.class, self.name)
    }
}

fn is_model(class: &str) -> bool {
    matches!(class, "Functional" | "Model" | "Sequential")
}

impl Reader<'_> {
    /// The whole model; gives its outputs with their names.
    pub fn whole(&mut self, object: Object<'_>) -> Vec<(String, Flow)> {
        let within = Within::default();
        let found = match object.class {
            "Sequential" => self
                .sequential(object.config, &within, None)
                .map(|flow| vec![("y".to_owned(), flow)]),
            "Functional" | "Model" => self.functional(object.config, &within, None),
            other => {
                self.report.wrong(format!(
                    "{other}: only Sequential and functional models say how their layers are connected"
                ));
                None
            }
        };
        found.unwrap_or_default()
    }

    /// The layers of a configuration.
    fn entries<'c>(&mut self, config: &'c Map<String, Value>, within: &Within) -> Vec<Entry<'c>> {
        let list = config.get("layers").and_then(Value::as_array);
        let mut counts = BTreeMap::<String, usize>::new();
        let mut entries = Vec::new();
        for value in list.into_iter().flatten() {
            let (Some(object), Some(map)) = (Object::of(value), value.as_object()) else {
                self.report.wrong(format!(
                    "a layer of `{}` has no class or no arguments",
                    within.name
                ));
                continue;
            };
            let name = object.config.get("name").and_then(Value::as_str);
            let name = map
                .get("name")
                .and_then(Value::as_str)
                .or(name)
                .unwrap_or(object.class);
            let mut entry = Entry {
                class: object.class,
                config: object.config,
                name: name.to_owned(),
                nodes: nodes(map, is_recurrent(object.class)),
                place: Place {
                    store: String::new(),
                    group: within.group.clone().unwrap_or(name.to_owned()),
                    name: name.to_owned(),
                },
                first: 0,
            };
            if !entry.is_operation() {
                let stem = match is_model(object.class) && object.class != "Sequential" {
                    true => "functional".to_owned(),
                    false => snake(object.class),
                };
                let count = counts.entry(stem.clone()).or_insert(0);
                let number = match *count {
                    0 => stem,
                    n => format!("{stem}_{n}"),
                };
                *count += 1;
                entry.place.store = format!("{}layers/{number}", within.store);
            }
            entries.push(entry);
        }
        entries
    }

    /// A chain of layers, of an input of the model or of `input`.
    fn sequential(
        &mut self,
        config: &Map<String, Value>,
        within: &Within,
        input: Option<Flow>,
    ) -> Option<Flow> {
        let entries = self.entries(config, within);
        let first = entries.first();
        let shape = |map: &Map<String, Value>| {
            let all = ["batch_shape", "batch_input_shape", "build_input_shape"];
            all.iter().find_map(|name| axes(map.get(*name)?))
        };
        let mut flow = match (input, first) {
            (Some(flow), _) => flow,
            (None, Some(first)) => {
                // An `Embedding` reads ids, one a step.
                let ids = (first.class == "Embedding").then(|| vec![None]);
                let Some(axes) = shape(first.config).or(shape(config)).or(ids) else {
                    self.report.wrong(format!(
                        "Sequential `{}`: the shape of its input is not known",
                        within.name
                    ));
                    return None;
                };
                let name = if first.is_input() {
                    first.name.as_str()
                } else {
                    "x"
                };
                self.builder.input(name, axes)
            }
            (None, None) => {
                self.report.wrong("Sequential: it has no layers");
                return None;
            }
        };
        let mut lost = false;
        for entry in entries.iter().filter(|e| !e.is_input()) {
            // What follows is still looked at, with a shape that is not known.
            let found = self.call(entry, within, vec![flow.clone()], Given::default());
            match found.and_then(|all| all.into_iter().next()) {
                Some(next) => flow = next,
                None => {
                    lost = true;
                    flow.shape = None;
                }
            }
        }
        (!lost).then_some(flow)
    }

    /// A graph of layers, of inputs of the model or of `given`.
    fn functional(
        &mut self,
        config: &Map<String, Value>,
        within: &Within,
        given: Option<Vec<Flow>>,
    ) -> Option<Vec<(String, Flow)>> {
        let mut entries = self.entries(config, within);
        let known: BTreeMap<String, usize> = entries
            .iter()
            .enumerate()
            .map(|(i, e)| (e.name.clone(), i))
            .collect();
        if known.len() < entries.len() {
            self.report.wrong(format!(
                "two layers of the model `{}` have one name",
                within.name
            ));
        }
        let list = |name: &str| config.get(name).map(refs).unwrap_or_default();
        let (inputs, outputs) = (list("input_layers"), list("output_layers"));
        number_calls(&mut entries, &known, &outputs);
        let mut streams = BTreeMap::<(usize, usize), Vec<Stream>>::new();
        for (i, input) in inputs.iter().enumerate() {
            let found = known
                .get(&input.layer)
                .and_then(|&e| Some((e, entries.get(e)?)));
            let Some((number, entry)) = found.filter(|(_, e)| e.is_input()) else {
                self.report
                    .wrong(format!("the input `{}` is no layer", input.layer));
                continue;
            };
            let flow = match &given {
                Some(all) => all.get(i).cloned(),
                None => self.input(entry),
            };
            let stream = flow.map_or(Stream::Lost, Stream::Data);
            streams.insert((number, 0), vec![stream]);
        }
        if given.as_ref().is_some_and(|all| all.len() != inputs.len()) {
            self.report.wrong(format!(
                "the model `{}` has {} inputs and is called with others",
                within.name,
                inputs.len()
            ));
            return None;
        }
        for (number, call) in self.order(&entries, &known) {
            let Some(entry) = entries.get(number) else {
                continue;
            };
            let Some(node) = entry.nodes.get(call) else {
                continue;
            };
            let results = self.node(entry, node, within, |r| {
                let entry = *known.get(&r.layer)?;
                let call = r.call.checked_sub(entries.get(entry)?.first)?;
                streams.get(&(entry, call))?.get(r.result).cloned()
            });
            streams.insert((number, call), results);
        }
        let mut found = Vec::new();
        for (key, output) in output_names(config.get("output_layers"), &outputs) {
            let entry = known.get(&output.layer).copied();
            let first = entry.and_then(|e| entries.get(e)).map_or(0, |e| e.first);
            let key_of = entry.zip(output.call.checked_sub(first));
            let stream = key_of.and_then(|key| streams.get(&key)?.get(output.result));
            match stream {
                Some(Stream::Data(flow)) => found.push((key, flow.clone())),
                // It was reported where it was lost.
                Some(Stream::Lost) => {}
                Some(Stream::Mask(_, what)) => {
                    self.report.wrong(format!("{what} is not understood"))
                }
                None => self.report.wrong(format!(
                    "the output `{}` is no result of a layer",
                    output.layer
                )),
            }
        }
        (found.len() == outputs.len()).then_some(found)
    }

    /// An input of the whole model.
    fn input(&mut self, entry: &Entry<'_>) -> Option<Flow> {
        let shape = ["batch_shape", "batch_input_shape"];
        let axes = shape.iter().find_map(|name| axes(entry.config.get(*name)?));
        for name in ["sparse", "ragged"] {
            if entry.config.get(name) == Some(&Value::Bool(true)) {
                self.report
                    .wrong(format!("{}: `{name}` is not understood", entry.what()));
            }
        }
        match axes {
            Some(axes) if !axes.is_empty() => Some(self.builder.input(&entry.name, axes)),
            _ => {
                self.report
                    .wrong(format!("{}: its shape is not understood", entry.what()));
                None
            }
        }
    }

    /// All calls, each after those that it reads; of calls that are ready the first of the file.
    fn order(
        &mut self,
        entries: &[Entry<'_>],
        known: &BTreeMap<String, usize>,
    ) -> Vec<(usize, usize)> {
        let mut waits = BTreeMap::<(usize, usize), usize>::new();
        let mut readers = BTreeMap::<(usize, usize), Vec<(usize, usize)>>::new();
        let mut ready = BTreeSet::new();
        for (number, entry) in entries.iter().enumerate() {
            for (call, node) in entry.nodes.iter().enumerate() {
                let mut count = 0;
                for r in node.refs() {
                    let of = known
                        .get(&r.layer)
                        .and_then(|&e| Some((e, entries.get(e)?)));
                    let Some((from, of)) = of else { continue };
                    let Some(of_call) = r.call.checked_sub(of.first) else {
                        continue;
                    };
                    if of_call < of.nodes.len() {
                        readers
                            .entry((from, of_call))
                            .or_default()
                            .push((number, call));
                        count += 1;
                    }
                }
                match count {
                    0 => {
                        ready.insert((number, call));
                    }
                    n => {
                        waits.insert((number, call), n);
                    }
                }
            }
        }
        let mut order = Vec::new();
        while let Some(next) = ready.pop_first() {
            order.push(next);
            for reader in readers.remove(&next).unwrap_or_default() {
                if let Some(count) = waits.get_mut(&reader) {
                    *count -= 1;
                    if *count == 0 {
                        waits.remove(&reader);
                        ready.insert(reader);
                    }
                }
            }
        }
        for (number, _) in waits.keys() {
            if let Some(entry) = entries.get(*number) {
                self.report
                    .wrong(format!("{}: it waits for itself", entry.what()));
            }
        }
        order
    }

    /// One call in a graph.
    fn node(
        &mut self,
        entry: &Entry<'_>,
        node: &Node,
        within: &Within,
        find: impl Fn(&Ref) -> Option<Stream>,
    ) -> Vec<Stream> {
        let what = entry.what();
        for name in &node.unknown {
            self.report.wrong(format!(
                "{what}: the argument `{name}` of its call is not understood"
            ));
        }
        for r in node.refs().filter(|r| find(r).is_none()) {
            self.report.wrong(format!(
                "{what}: it reads `{}`, which gives no such value",
                r.layer
            ));
        }
        if entry.is_operation() {
            return vec![self.operation(entry, node, &find)];
        }
        let mut lost = false;
        let mut data = |refs: &[Ref], report: &mut Report| -> Vec<Flow> {
            let mut all = Vec::new();
            for r in refs {
                match find(r) {
                    Some(Stream::Data(flow)) => all.push(flow),
                    Some(Stream::Mask(_, of)) => {
                        report.wrong(format!("{of} is not understood"));
                        lost = true;
                    }
                    _ => lost = true,
                }
            }
            all
        };
        let inputs = data(&node.inputs, self.report);
        let initial = data(&node.initial, self.report);
        let mask = match node.mask.as_ref().and_then(&find) {
            Some(Stream::Mask(mask, _)) => Some(mask),
            Some(Stream::Data(flow)) => Some(self.builder.mask_of_input(&flow)),
            Some(Stream::Lost) => {
                lost = true;
                None
            }
            None => None,
        };
        let given = Given {
            initial,
            mask,
            only_mask: node.only_mask,
        };
        // The layer is looked at in any case, so that all that is wrong is said at once.
        let inputs = match (lost, inputs.first().cloned()) {
            (true, Some(first)) => vec![Flow {
                shape: None,
                ..first
            }],
            (true, None) => return vec![Stream::Lost; 64],
            _ => inputs,
        };
        match self.call(entry, within, inputs, given).filter(|_| !lost) {
            Some(results) => results.into_iter().map(Stream::Data).collect(),
            // As many as any layer gives.
            None => vec![Stream::Lost; 64],
        }
    }

    /// An operation on tensors: a merge of two values, or a part of a mask.
    fn operation(
        &mut self,
        entry: &Entry<'_>,
        node: &Node,
        find: &impl Fn(&Ref) -> Option<Stream>,
    ) -> Stream {
        let mut flows = Vec::new();
        let mut operands = Vec::new();
        for operand in &node.operands {
            operands.push(match operand {
                Operand::Number(x) => Masks::number(*x),
                Operand::Ref(r) => match find(r) {
                    Some(Stream::Data(flow)) => {
                        let value = flow.value;
                        flows.push(flow);
                        masks::Operand::Value(value)
                    }
                    Some(Stream::Mask(mask, _)) => masks::Operand::Mask(mask),
                    _ => return Stream::Lost,
                },
            });
        }
        let merges = ["Add", "Subtract", "Multiply", "Maximum", "Minimum"];
        let alike = match &flows[..] {
            [a, b] => a.shape.is_some() && a.shape == b.shape,
            _ => false,
        };
        if merges.contains(&entry.class) && alike && operands.len() == 2 {
            let shape = flows.first().and_then(|f| f.shape.clone());
            let spec = Spec::new(entry.class, Vec::new(), shape).without_steps();
            // Operations lose masks. Their steps are those of what they read.
            let spec = Spec {
                steps: true,
                ..spec
            };
            let what = entry.what();
            let made =
                self.builder
                    .call(&spec, None, flows, Given::default(), (&what, self.report));
            return made.into_iter().next().map_or(Stream::Lost, Stream::Data);
        }
        Stream::Mask(self.builder.masks.of(entry.class, operands), entry.what())
    }

    /// One call of a layer or of a model; gives its results. `None` after something that was reported.
    fn call(
        &mut self,
        entry: &Entry<'_>,
        within: &Within,
        inputs: Vec<Flow>,
        given: Given,
    ) -> Option<Vec<Flow>> {
        let what = entry.what();
        let Some(left) = self.calls_left.checked_sub(1) else {
            self.report
                .wrong("models are called more often than the size of the file allows");
            return None;
        };
        self.calls_left = left;
        if entry.is_model() {
            let mut inputs = inputs;
            // A mask that a model is given is that of its input.
            if let ([input], Some(mask)) = (&mut inputs[..], given.mask) {
                input.keras = Some(mask);
            }
            let inner = Within {
                store: format!("{}/", entry.place.store),
                group: Some(entry.place.group.clone()),
                name: entry.name.clone(),
            };
            if entry.class != "Sequential" {
                let found = self.functional(entry.config, &inner, Some(inputs))?;
                return Some(found.into_iter().map(|(_, flow)| flow).collect());
            }
            let [input] = <[Flow; 1]>::try_from(inputs).ok()?;
            return self
                .sequential(entry.config, &inner, Some(input))
                .map(|flow| vec![flow]);
        }
        let shapes: Vec<_> = inputs.iter().map(|i| i.shape.clone()).collect();
        let config = Config::new(&what, entry.config, self.old, self.report);
        let spec = match layers::build(entry.class, config, &shapes)? {
            Built::Layer(spec) => *spec,
            Built::Same => return Some(inputs),
        };
        let states = given.initial.len();
        if states > 0 && states != spec.states {
            self.report.wrong(format!(
                "{what}: it has {} states and is given {states}",
                spec.states
            ));
            return None;
        }
        let name = match spec.params.is_empty() {
            true => None,
            false => {
                let (place, params) = (&entry.place, &spec.params);
                Some(self.builder.name(place, &within.name, params, self.report))
            }
        };
        Some(
            self.builder
                .call(&spec, name, inputs, given, (&what, self.report)),
        )
    }
}

/// Keras 2 counts the call that makes a model as its first one, so others are counted from 1.
fn number_calls(entries: &mut [Entry<'_>], known: &BTreeMap<String, usize>, outputs: &[Ref]) {
    let mut most = BTreeMap::<usize, usize>::new();
    let all = entries
        .iter()
        .flat_map(|e| e.nodes.iter().flat_map(Node::refs));
    for r in all.chain(outputs) {
        if let Some(&entry) = known.get(&r.layer) {
            let most = most.entry(entry).or_insert(0);
            *most = r.call.max(*most);
        }
    }
    for (number, most) in most {
        if let Some(entry) = entries.get_mut(number)
            && entry.is_model()
            && most == entry.nodes.len()
        {
            entry.first = 1;
        }
    }
}

/// The outputs with their names: the keys of an object, else the names of the layers.
fn output_names(value: Option<&Value>, outputs: &[Ref]) -> Vec<(String, Ref)> {
    let keys: Vec<String> = match value {
        Some(Value::Object(map)) => {
            let mut keys: Vec<String> = map.keys().cloned().collect();
            keys.sort();
            keys
        }
        _ => Vec::new(),
    };
    let named = keys.len() == outputs.len();
    let all = outputs.iter().enumerate();
    all.map(|(i, output)| {
        let key = keys.get(i).filter(|_| named);
        (key.unwrap_or(&output.layer).clone(), output.clone())
    })
    .collect()
}
