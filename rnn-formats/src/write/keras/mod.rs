//! `.keras`, as Keras 3 reads it: a configuration, and HDF5 with the weights.

mod config;
mod order;
pub(super) mod params;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    Written,
    archive::archive,
    hdf5::Group,
    model::{Content, Layer, Mask, Model, RECURRENT, Shape},
};
use crate::{Error, Network, Tensor, Value};
use order::Node;
use params::params;

/// The version of Keras whose form this is.
const VERSION: &str = "3.15.1";

/// The model as a `.keras` file.
///
/// ```
/// use rnn_formats::{read, write};
///
/// # let json = br#"{"in_shape": [null, null, 1], "layers": [
/// #     {"type": "dense", "shape": [null, null, 1], "activation": "", "weights": [[[2.0]], [0.5]]}]}"#;
/// let model = read(json, &mut |name| std::fs::read(name))?;
/// let network = model.network.ok_or("the file has layers")?;
/// let file = write::keras(&network, &model.tensors)?;
/// let again = read(&file.bytes, &mut |name| std::fs::read(name))?;
/// assert_eq!(again.tensors, model.tensors);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NotUnderstood`] with all layers that Keras does not have, and tensors that are missing.
pub fn keras(network: &Network, tensors: &[Tensor]) -> Result<Written, Error> {
    let model = Model::of(network, tensors)?;
    let mut writer = Writer::of(&model);
    let config = writer.model();
    let weights = writer.weights();
    if !writer.wrong.is_empty() {
        return Err(Error::NotUnderstood(writer.wrong));
    }
    let notes = writer.notes;
    // The same model is the same file, so there is no date.
    let metadata = json!({"keras_version": VERSION, "date_saved": "1980-01-01@00:00:00"});
    let bytes = archive(&[
        ("metadata.json", metadata.to_string().into_bytes()),
        ("config.json", config.to_string().into_bytes()),
        ("model.weights.h5", weights.file()?),
    ])?;
    Ok(Written { bytes, notes })
}

/// A result of an entry of the configuration.
#[derive(Clone, Debug)]
struct History {
    name: String,
    call: usize,
    result: usize,
    shape: Vec<Option<usize>>,
    dtype: &'static str,
    node: usize,
}

struct Writer<'m, 'n> {
    model: &'m Model<'n>,
    /// The names of the inputs, which no layer has.
    inputs: Vec<String>,
    /// How many rows the model reads at once; `None` is any number.
    batch: Option<usize>,
    nodes: Vec<Node>,
    /// Entries of the configuration: operations in the order in which they were met, with their calls.
    entries: Vec<(Json, Vec<Json>)>,
    /// The operation of each layer's first call.
    operations: BTreeMap<usize, usize>,
    /// The node of each call of a layer.
    calls: Vec<usize>,
    /// Masks that were written as operations.
    written: BTreeMap<usize, History>,
    /// The nodes of the masks that Keras makes by itself.
    own: BTreeMap<usize, usize>,
    notes: Vec<String>,
    wrong: Vec<String>,
}

impl<'m, 'n> Writer<'m, 'n> {
    fn of(model: &'m Model<'n>) -> Self {
        let stateful = |layer: &Layer<'_>| {
            let inside = super::layer::inner(layer.arguments.get("layer"));
            layer.arguments.flag("stateful", false)
                || inside.is_ok_and(|(_, a)| a.flag("stateful", false))
        };
        let stateful = model.layers.iter().any(stateful);
        Writer {
            model,
            inputs: (model.inputs.iter())
                .map(|(name, _)| {
                    let mut own = name.clone();
                    while model.layers.iter().any(|l| l.name == own) {
                        own.push_str("_input");
                    }
                    own
                })
                .collect(),
            batch: stateful.then_some(1),
            nodes: Vec::new(),
            entries: Vec::new(),
            operations: BTreeMap::new(),
            calls: Vec::new(),
            written: BTreeMap::new(),
            own: BTreeMap::new(),
            notes: match stateful {
                true => vec!["Keras wants to know the batch of a stateful model: it is 1".into()],
                false => Vec::new(),
            },
            wrong: Vec::new(),
        }
    }

    /// Layers in a row, of one input.
    fn is_chain(&self) -> bool {
        let mut before = Value::Input(0);
        for (number, layer) in self.model.layers.iter().enumerate() {
            let alone = layer.inputs[..] == [before] && layer.results.len() == 1;
            if !alone || layer.first != number || layer.mask.is_some() || !layer.initial.is_empty()
            {
                return false;
            }
            before = Value::Of {
                layer: number,
                result: 0,
            };
        }
        let ends = matches!(self.model.outputs, [(_, value)] if *value == before);
        ends && self.model.inputs.len() == 1 && !self.model.layers.is_empty()
    }

    fn batched(&self, shape: &Shape) -> Vec<Option<usize>> {
        std::iter::once(self.batch).chain(shape.all()).collect()
    }

    fn model(&mut self) -> Json {
        let chain = self.is_chain();
        let model = self.model;
        for (name, (_, shape)) in self.inputs.clone().iter().zip(&model.inputs) {
            let dtype = dtype(shape);
            let config = json!({
                "batch_shape": self.batched(shape), "dtype": dtype, "sparse": false, "name": name,
            });
            let input = config::object("keras.layers", "InputLayer", config);
            self.entry(input);
            self.nodes.push(Node {
                operation: self.entries.len() - 1,
                parents: Vec::new(),
            });
        }
        for layer in &model.layers {
            self.call(layer);
        }
        let inputs: Vec<usize> = (0..model.inputs.len()).collect();
        let outputs: Vec<History> = (model.outputs.iter())
            .filter_map(|(_, value)| self.history(*value))
            .collect();
        let ends: Vec<usize> = outputs.iter().map(|h| h.node).collect();
        let order = order::order(&self.nodes, &ends, &inputs);
        let entries = order.iter().filter_map(|n| self.entries.get(*n));
        let layers: Vec<Json> = entries
            .map(|(object, calls)| {
                let mut object = object.clone();
                if let (false, Some(map)) = (chain, object.as_object_mut()) {
                    let name = map.get("config").and_then(|c| c.get("name")).cloned();
                    map.insert("name".into(), name.unwrap_or_default());
                    map.insert("inbound_nodes".into(), json!(calls));
                }
                object
            })
            .collect();
        if chain {
            let config = json!({"name": "sequential", "trainable": true, "layers": layers});
            return config::object("keras", "Sequential", config);
        }
        let ends: Vec<Json> = outputs.iter().map(History::place).collect();
        let starts = self.inputs.iter().map(|name| json!([name, 0, 0]));
        let starts: Vec<Json> = starts.collect();
        // One array goes in or out as it is, several as a list.
        let one = |mut all: Vec<Json>| match all.len() {
            1 => all.remove(0),
            _ => Json::Array(all),
        };
        let config = json!({
            "name": "functional",
            "trainable": true,
            "layers": layers,
            "input_layers": one(starts),
            "output_layers": one(ends),
        });
        let mut model = config::object("keras.src.models.functional", "Functional", config);
        if let Some(map) = model.as_object_mut() {
            map.insert("registered_name".into(), json!("Functional"));
        }
        model
    }

    fn entry(&mut self, object: Json) -> usize {
        self.entries.push((object, Vec::new()));
        self.entries.len() - 1
    }

    /// Where a value comes from.
    fn history(&self, value: Value) -> Option<History> {
        let shape = self.model.shape(value)?;
        let (name, call, result, node) = match value {
            Value::Input(n) => (self.inputs.get(n)?.clone(), 0, 0, n),
            Value::Of { layer, result } => {
                let of = self.model.layers.get(layer)?;
                let same = self.model.layers.iter().take(layer);
                let call = same.filter(|l| l.first == of.first).count();
                // The first call has the name of all.
                let name = self.model.layers.get(of.first)?.name.clone();
                (name, call, result, *self.calls.get(layer)?)
            }
        };
        Some(History {
            name,
            call,
            result,
            shape: self.batched(shape),
            dtype: dtype(shape),
            node,
        })
    }

    fn call(&mut self, layer: &Layer<'_>) {
        let mut refuse = |why: &str| self.wrong.push(format!("{}: {why}", layer.title()));
        let masked = layer.inputs.first().and_then(|v| self.model.masked.get(v));
        let recurrent =
            RECURRENT.contains(&layer.class) || matches!(layer.class, "RNN" | "Bidirectional");
        if layer.class == "GlobalMaxPooling1D" && masked.or(layer.mask.as_ref()).is_some() {
            refuse("Keras takes padded steps into it, and here they are left out");
        }
        let operation = match self.operations.get(&layer.first) {
            Some(operation) => *operation,
            None => {
                let name = Some(layer.name.as_str());
                let made = config::layer(layer.class, &layer.arguments, name, &mut self.notes);
                let object = made.unwrap_or_else(|why| {
                    self.wrong.push(format!("{}: {why}", layer.title()));
                    Json::Null
                });
                let operation = self.entry(object);
                self.operations.insert(layer.first, operation);
                operation
            }
        };
        // With states of its own, Keras looks for no mask but the one that is given.
        let explicit = match (layer.mask, masked) {
            (None, Some(mask)) if !layer.initial.is_empty() => Some(*mask),
            (given, _) => given,
        };
        let mask = explicit.and_then(|mask| {
            let found = self.mask(mask);
            if found.is_none() {
                self.wrong.push(format!(
                    "{}: its mask is made of several, which is not written",
                    layer.title()
                ));
            }
            found
        });
        let inputs: Vec<History> = layer
            .inputs
            .iter()
            .filter_map(|v| self.history(*v))
            .collect();
        let initial: Vec<History> = layer
            .initial
            .iter()
            .filter_map(|v| self.history(*v))
            .collect();
        let mut parents: Vec<usize> = inputs.iter().chain(&initial).map(|h| h.node).collect();
        parents.extend(mask.as_ref().map(|h| h.node));
        let finds = recurrent
            || matches!(
                layer.class,
                "TimeDistributed" | "GlobalAveragePooling1D" | "BatchNormalization"
            );
        if let (None, Some(own), true) = (&mask, masked, finds) {
            let own = self.own_mask(*own);
            parents.push(own);
        }
        let list = |all: &[History]| all.iter().map(History::tensor).collect::<Vec<_>>();
        let args = match layer.inputs.len() {
            1 => list(&inputs),
            _ => vec![Json::Array(list(&inputs))],
        };
        let mut kwargs = serde_json::Map::new();
        match &list(&initial)[..] {
            [] => {}
            [one] => {
                kwargs.insert("initial_state".into(), one.clone());
            }
            all => {
                kwargs.insert("initial_state".into(), json!(all));
            }
        }
        kwargs.extend(mask.map(|mask| ("mask".to_owned(), mask.tensor())));
        let node = json!({"args": args, "kwargs": kwargs});
        if let Some((_, calls)) = self.entries.get_mut(operation) {
            calls.push(node);
        }
        self.calls.push(self.nodes.len());
        self.nodes.push(Node { operation, parents });
    }

    /// A mask as operations of the configuration; `None` if it is not written.
    fn mask(&mut self, mask: usize) -> Option<History> {
        if let Some(found) = self.written.get(&mask) {
            return Some(found.clone());
        }
        let history = match self.model.masks.get(mask)?.clone() {
            Mask::Input(value) => self.history(value)?,
            Mask::Ids(ids) => {
                let of = self.history(ids)?;
                self.operation(mask, "NotEqual", json!({}), &[of], Some(json!(0)))
            }
            Mask::Differs(value, number) => {
                let of = self.history(value)?;
                let number = Some(json!(number));
                let mut differs = self.operation(mask, "NotEqual", json!({}), &[of], number);
                differs.shape.push(None);
                let axis = json!({"axis": [-1], "keepdims": false});
                self.operation(mask, "Any", axis, &[differs], None)
            }
            Mask::Any(all) => {
                let mut all = all.into_iter();
                let mut whole = self.mask(all.next()?)?;
                for other in all {
                    let other = self.mask(other)?;
                    whole = self.operation(mask, "LogicalOr", json!({}), &[whole, other], None);
                }
                whole
            }
            Mask::Joined => return None,
        };
        self.written.insert(mask, history.clone());
        Some(history)
    }

    /// An operation on tensors.
    fn operation(
        &mut self,
        mask: usize,
        class: &str,
        mut config: Json,
        of: &[History],
        number: Option<Json>,
    ) -> History {
        let name = format!("mask_{mask}_{}", self.entries.len());
        if let Some(map) = config.as_object_mut() {
            map.insert("name".into(), json!(name));
        }
        let mut object = config::object("keras.src.ops.numpy", class, config);
        if let Some(map) = object.as_object_mut() {
            map.insert("registered_name".into(), json!(class));
        }
        let operation = self.entry(object);
        let args: Vec<Json> = of.iter().map(History::tensor).chain(number).collect();
        if let Some((_, calls)) = self.entries.get_mut(operation) {
            calls.push(json!({"args": args, "kwargs": {}}));
        }
        self.nodes.push(Node {
            operation,
            parents: of.iter().map(|h| h.node).collect(),
        });
        let mut shape = of.first().map(|h| h.shape.clone()).unwrap_or_default();
        shape.truncate(2);
        History {
            name,
            call: 0,
            result: 0,
            shape,
            dtype: "bool",
            node: self.nodes.len() - 1,
        }
    }

    /// The node of a mask that Keras makes by itself: its operations count among the distances of layers.
    fn own_mask(&mut self, mask: usize) -> usize {
        if let Some(node) = self.own.get(&mask) {
            return *node;
        }
        let node = |value: Value, writer: &Self| match value {
            Value::Input(n) => Some(n),
            Value::Of { layer, .. } => writer.calls.get(layer).copied(),
        };
        let (mut parents, steps) = match self.model.masks.get(mask).cloned() {
            Some(Mask::Input(value)) => return node(value, self).unwrap_or(0),
            Some(Mask::Ids(ids)) => (node(ids, self).into_iter().collect(), 1),
            // Compared, reduced, squeezed.
            Some(Mask::Differs(value, _)) => (node(value, self).into_iter().collect(), 3),
            Some(Mask::Any(all)) => {
                let parents: Vec<usize> = all.into_iter().map(|m| self.own_mask(m)).collect();
                (parents, 1)
            }
            _ => (Vec::new(), 1),
        };
        for _ in 0..steps {
            // An operation that is no entry of the configuration.
            let operation = usize::MAX / 2 + self.nodes.len();
            self.nodes.push(Node { operation, parents });
            parents = vec![self.nodes.len() - 1];
        }
        let last = self.nodes.len() - 1;
        self.own.insert(mask, last);
        last
    }

    /// The tensors by their places.
    fn weights(&mut self) -> Group<'n> {
        let model = self.model;
        let mut root = Group::default();
        let mut firsts = Vec::new();
        let ends: Vec<usize> = (model.outputs.iter())
            .filter_map(|(_, value)| self.history(*value).map(|h| h.node))
            .collect();
        let inputs: Vec<usize> = (0..model.inputs.len()).collect();
        let layers: BTreeMap<usize, usize> = self
            .operations
            .iter()
            .map(|(layer, op)| (*op, *layer))
            .collect();
        for operation in order::order(&self.nodes, &ends, &inputs) {
            firsts.extend(layers.get(&operation).copied());
        }
        let mut counts = BTreeMap::<String, usize>::new();
        for layer in firsts.iter().filter_map(|n| model.layers.get(*n)) {
            let stem = crate::network::stem(layer.class);
            let count = counts.entry(stem.clone()).or_insert(0);
            let place = match *count {
                0 => format!("layers/{stem}"),
                n => format!("layers/{stem}_{n}"),
            };
            *count += 1;
            let found = params(model, layer).and_then(|params| {
                let tensors = params.iter().map(|p| {
                    let tensor = model.tensor(&layer.name, &p.name, &p.shape)?;
                    Ok((format!("{place}/{}", p.place), tensor))
                });
                tensors.collect::<Result<Vec<_>, String>>()
            });
            match found {
                Ok(tensors) => tensors.iter().for_each(|(path, t)| root.add(path, t)),
                Err(why) => self.wrong.push(format!("{}: {why}", layer.title())),
            }
        }
        root
    }
}

impl History {
    fn place(&self) -> Json {
        json!([self.name, self.call, self.result])
    }

    fn tensor(&self) -> Json {
        json!({
            "class_name": "__keras_tensor__",
            "config": {"shape": self.shape, "dtype": self.dtype, "keras_history": self.place()},
        })
    }
}

fn dtype(shape: &Shape) -> &'static str {
    match shape.content {
        Content::Numbers => "float32",
        Content::Ids => "int32",
        Content::Mask => "bool",
    }
}
