//! A network with everything looked up: arguments by their names, shapes, masks, tensors.

use std::collections::BTreeMap;

use super::{
    layer::{Arguments, inner},
    words::{Word, word},
};
use crate::{Error, Network, Tensor, Value, elements};

/// What a value has in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Numbers.
    Numbers,
    /// Class ids, one a step.
    Ids,
    /// Which steps are valid.
    Mask,
}

/// The shape of a value, without the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// What it has in it.
    pub content: Content,
    /// Its steps: `None` without any, `Some(None)` for any number.
    pub steps: Option<Option<usize>>,
    /// The axes of a step; none for ids and masks.
    pub axes: Vec<usize>,
}

impl Shape {
    fn numbers(steps: Option<Option<usize>>, axes: Vec<usize>) -> Self {
        Shape {
            content: Content::Numbers,
            steps,
            axes,
        }
    }

    /// Numbers of a step.
    pub fn width(&self) -> Option<usize> {
        elements(&self.axes)
    }

    /// All axes, steps among them; `None` is open.
    pub fn all(&self) -> Vec<Option<usize>> {
        let axes = self.axes.iter().copied().map(Some);
        self.steps.into_iter().chain(axes).collect()
    }

    /// The same with another last axis.
    fn with_features(&self, features: usize) -> Self {
        let mut shape = self.clone();
        if let Some(last) = shape.axes.last_mut() {
            *last = features;
        }
        shape
    }
}

/// Which steps of a value are valid.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mask {
    /// An input says it.
    Input(Value),
    /// Ids that are not 0.
    Ids(Value),
    /// Steps that are not all this number.
    Differs(Value, f64),
    /// Steps that are valid in one of several.
    Any(Vec<usize>),
    /// Steps that are valid in one of several, of which some have no mask.
    Joined,
}

/// A call of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Layer<'n> {
    /// Its name, which no other layer has.
    pub name: String,
    /// `LSTM`
    pub class: &'n str,
    /// Its own arguments, without those of a call.
    pub arguments: Arguments,
    /// What it reads.
    pub inputs: &'n [Value],
    /// The states that it starts with.
    pub initial: Vec<Value>,
    /// The mask that the call is given.
    pub mask: Option<usize>,
    /// What it gives.
    pub results: Vec<Shape>,
    /// The number of the first call of the same layer, which may be this one.
    pub first: usize,
}

impl Layer<'_> {
    /// What messages call it.
    pub fn title(&self) -> String {
        format!("{} `{}`", self.class, self.name)
    }
}

/// A network that can be written.
#[derive(Clone, Debug)]
pub(crate) struct Model<'n> {
    /// Names and shapes.
    pub inputs: Vec<(String, Shape)>,
    /// Calls of layers, each after those that it reads.
    pub layers: Vec<Layer<'n>>,
    /// Names and values.
    pub outputs: &'n [(String, Value)],
    /// All masks that there are.
    pub masks: Vec<Mask>,
    /// The mask of each value that has one.
    pub masked: BTreeMap<Value, usize>,
    tensors: BTreeMap<&'n str, &'n Tensor>,
}

/// Layers that give back what they read when a model is not trained.
pub(crate) const IDENTITIES: &[&str] = &[
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
];
/// Layers that make one value of several of one shape.
pub(crate) const MERGES: &[&str] = &[
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum",
];
/// Layers of one cell over time.
pub(crate) const RECURRENT: &[&str] = &["LSTM", "GRU", "SimpleRNN"];

impl<'n> Model<'n> {
    /// Looks up everything.
    ///
    /// # Errors
    /// [`Error::NotUnderstood`] with all layers that nobody can write: cells of their own, sizes that are no numbers, tensors
    /// that are missing.
    pub fn of(network: &'n Network, tensors: &'n [Tensor]) -> Result<Self, Error> {
        let mut builder = Builder::new(network, tensors);
        for number in 0..network.layers.len() {
            builder.layer(number);
        }
        match builder.wrong.is_empty() {
            true => Ok(builder.model),
            false => Err(Error::NotUnderstood(builder.wrong)),
        }
    }

    /// The shape of a value.
    pub fn shape(&self, value: Value) -> Option<&Shape> {
        match value {
            Value::Input(index) => self.inputs.get(index).map(|(_, shape)| shape),
            Value::Of { layer, result } => self.layers.get(layer)?.results.get(result),
        }
    }

    /// The tensor of a layer.
    ///
    /// # Errors
    /// If there is none of that name, or it has another shape.
    pub fn tensor(&self, layer: &str, own: &str, shape: &[usize]) -> Result<&'n Tensor, String> {
        let name = format!("{layer}/{own}");
        match self.tensors.get(name.as_str()) {
            Some(tensor) if tensor.shape == shape => Ok(tensor),
            Some(tensor) => Err(format!(
                "`{name}`: expected {shape:?}, found {:?}",
                tensor.shape
            )),
            None => Err(format!("`{name}` {shape:?} is missing")),
        }
    }
}

/// The name that the compiler counts for layers of a class.
fn stem(class: &str) -> String {
    crate::network::stem(class)
}

struct Builder<'n> {
    network: &'n Network,
    model: Model<'n>,
    /// Values by their names in the text.
    names: BTreeMap<String, Value>,
    /// First calls, by class and name.
    firsts: BTreeMap<(&'n str, &'n str), usize>,
    taken: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl<'n> Builder<'n> {
    fn new(network: &'n Network, tensors: &'n [Tensor]) -> Self {
        let mut builder = Builder {
            network,
            model: Model {
                inputs: Vec::new(),
                layers: Vec::new(),
                outputs: &network.outputs,
                masks: Vec::new(),
                masked: BTreeMap::new(),
                tensors: tensors.iter().map(|t| (t.name.as_str(), t)).collect(),
            },
            names: BTreeMap::new(),
            firsts: BTreeMap::new(),
            taken: BTreeMap::new(),
            wrong: Vec::new(),
        };
        for (number, input) in network.inputs.iter().enumerate() {
            let shape = input_shape(&input.text).unwrap_or_else(|| {
                let line = format!(
                    "the input `{}`: `{}` is not understood",
                    input.name, input.text
                );
                builder.wrong.push(line);
                Shape::numbers(None, vec![1])
            });
            if shape.content == Content::Mask {
                let value = Value::Input(number);
                builder.model.masks.push(Mask::Input(value));
                let mask = builder.model.masks.len() - 1;
                builder.model.masked.insert(value, mask);
            }
            builder.model.inputs.push((input.name.clone(), shape));
            builder.taken.insert(input.name.clone(), 0);
            builder
                .names
                .insert(input.name.clone(), Value::Input(number));
        }
        for layer in &network.layers {
            if let Some(name) = &layer.name {
                builder.taken.insert(name.clone(), 0);
            }
        }
        builder
    }

    /// Adds a layer. One that is not understood stays as one that gives back what it reads, so that all others are looked at.
    fn layer(&mut self, number: usize) {
        let network = self.network;
        let Some(written) = network.layers.get(number) else {
            return;
        };
        let first = match &written.name {
            Some(name) => *self.firsts.entry((&written.class, name)).or_insert(number),
            None => number,
        };
        let name = written.name.clone().unwrap_or_else(|| {
            // Keras gives the name of the class to an operation on masks.
            let stem = match written.class.as_str() {
                "Concatenate" => "concatenate_values".to_owned(),
                class => stem(class),
            };
            let mut name = stem.clone();
            while self.taken.contains_key(&name) {
                let count = self.taken.entry(stem.clone()).or_insert(0);
                *count += 1;
                name = format!("{stem}_{count}");
            }
            self.taken.insert(name.clone(), 0);
            name
        });
        let mut layer = Layer {
            name,
            class: &written.class,
            arguments: Arguments::default(),
            inputs: &written.inputs,
            initial: Vec::new(),
            mask: None,
            results: Vec::new(),
            first,
        };
        let found = self.arguments(&mut layer, &written.arguments);
        let built = found.and_then(|()| self.results(&layer));
        match built {
            Ok(results) => layer.results = results,
            Err(why) => {
                self.wrong.push(format!("{}: {why}", layer.title()));
                let same = written.inputs.first().and_then(|v| self.model.shape(*v));
                let same = same.cloned().unwrap_or(Shape::numbers(None, vec![1]));
                layer.results = vec![same; written.results.max(1)];
            }
        }
        self.mask(number, &layer);
        let all = 0..layer.results.len().max(written.results);
        for value in all.map(|result| Value::Of {
            layer: number,
            result,
        }) {
            self.names.insert(network.value(value), value);
        }
        self.model.layers.push(layer);
    }

    fn arguments(&self, layer: &mut Layer<'n>, texts: &[String]) -> Result<(), String> {
        let mut arguments = Arguments::read(layer.class, texts)?;
        let value = |word: &Word| match word {
            Word::Name(name) => {
                (self.names.get(name).copied()).ok_or_else(|| format!("there is no value `{name}`"))
            }
            other => Err(format!("`{}` is no value", other.text())),
        };
        layer.initial = match arguments.take("initial_state") {
            None => Vec::new(),
            Some(Word::List(all)) => all.iter().map(value).collect::<Result<_, _>>()?,
            Some(one) => vec![value(&one)?],
        };
        if let Some(word) = arguments.take("mask") {
            let of = value(&word)?;
            let mask = self.model.masked.get(&of).copied();
            let none = || format!("`mask = {}` has no mask", word.text());
            layer.mask = Some(mask.ok_or_else(none)?);
        }
        arguments.take("name");
        layer.arguments = arguments;
        Ok(())
    }

    fn results(&self, layer: &Layer<'n>) -> Result<Vec<Shape>, String> {
        let shapes: Option<Vec<&Shape>> = layer
            .inputs
            .iter()
            .map(|value| self.model.shape(*value))
            .collect();
        let shapes = shapes.ok_or("it reads a value that there is not")?;
        let first = *shapes.first().ok_or("it reads nothing")?;
        let one = |shape: Shape| Ok(vec![shape]);
        let a = &layer.arguments;
        match layer.class {
            "Embedding" => one(Shape::numbers(first.steps, vec![a.size("output_dim")?])),
            "LSTM" | "GRU" | "SimpleRNN" | "RNN" => {
                let states = states(layer.class, a)?;
                let units = *states.last().ok_or("it has no cell")?;
                // The states of the last cell are its last ones: `h`, or `h` and `c`.
                Ok(recurrent(first, a, units, states))
            }
            "Bidirectional" => both(first, a),
            "TimeDistributed" => {
                let (class, arguments) = inner(a.get("layer"))?;
                let mut step = first.clone();
                step.steps = None;
                let mut shape = of_vector(&class, &arguments, &step)?;
                if let Some(Some(steps)) = shape.steps {
                    shape.axes.insert(0, steps);
                }
                shape.steps = first.steps;
                one(shape)
            }
            "GlobalMaxPooling1D" | "GlobalAveragePooling1D" => {
                let steps = a.flag("keepdims", false).then_some(Some(1));
                one(Shape::numbers(steps, first.axes.clone()))
            }
            "RepeatVector" => one(Shape::numbers(Some(Some(a.size("n")?)), first.axes.clone())),
            "Permute" => match (a.sizes("dims")?.as_slice(), first.steps, &first.axes[..]) {
                ([1] | [1, 2], ..) => one(first.clone()),
                ([2, 1], Some(Some(steps)), [features]) => {
                    one(Shape::numbers(Some(Some(*features)), vec![steps]))
                }
                _ => Err("its axes do not fit what it reads".into()),
            },
            "Concatenate" => {
                let sum = shapes.iter().map(|s| s.axes.last().copied().unwrap_or(0));
                let sum = sum.fold(0_usize, usize::saturating_add);
                one(first.with_features(sum))
            }
            class if MERGES.contains(&class) => {
                let same = shapes.iter().all(|s| s.axes == first.axes);
                match shapes.len() > 1 && same {
                    true => one(first.clone()),
                    false => Err("it reads values of different shapes, or one alone".into()),
                }
            }
            class => one(of_vector(class, a, first)?),
        }
    }

    /// Notes the mask of what a layer gives.
    fn mask(&mut self, number: usize, layer: &Layer<'n>) {
        let of = |value: &Value| self.model.masked.get(value).copied();
        let first = layer.inputs.first();
        let read = layer.mask.or(first.and_then(of));
        let all: Vec<Option<usize>> = layer.inputs.iter().map(of).collect();
        let mut made = |mask| {
            self.model.masks.push(mask);
            Some(self.model.masks.len() - 1)
        };
        let sequence = layer.results.first().is_some_and(|s| s.steps.is_some());
        let mask = match layer.class {
            "Embedding" if layer.arguments.flag("mask_zero", false) => {
                first.and_then(|ids| made(Mask::Ids(*ids)))
            }
            "Masking" => {
                let number = layer.arguments.number("mask_value", 0.0);
                first.and_then(|of| made(Mask::Differs(*of, number)))
            }
            "Embedding"
            | "Flatten"
            | "Reshape"
            | "Permute"
            | "RepeatVector"
            | "GlobalMaxPooling1D"
            | "GlobalAveragePooling1D" => None,
            "Concatenate" if all.iter().any(Option::is_some) => {
                match all.windows(2).all(|w| w.first() == w.last()) {
                    true => read,
                    false => made(Mask::Joined),
                }
            }
            class if MERGES.contains(&class) => {
                match all.iter().copied().collect::<Option<Vec<_>>>() {
                    Some(all) if all.windows(2).all(|w| w.first() == w.last()) => read,
                    Some(all) => made(Mask::Any(all)),
                    None => None,
                }
            }
            _ => read.filter(|_| sequence),
        };
        if let Some(mask) = mask {
            let outputs = match layer.class {
                "Bidirectional" if layer.arguments.choice("merge_mode", "concat") == "none" => 2,
                _ => 1,
            };
            for result in 0..outputs {
                let value = Value::Of {
                    layer: number,
                    result,
                };
                self.model.masked.insert(value, mask);
            }
        }
    }
}

/// What a layer gives that changes neither steps nor masks, or makes one vector of all.
fn of_vector(class: &str, a: &Arguments, first: &Shape) -> Result<Shape, String> {
    let total = || {
        let steps = first
            .steps
            .unwrap_or(Some(1))
            .ok_or("it needs a known number of steps");
        let width = first
            .width()
            .ok_or("it has more numbers than can be counted");
        Ok::<usize, String>(steps?.saturating_mul(width?))
    };
    Ok(match class {
        "Dense" => first.with_features(a.size("units")?),
        "Activation" | "Masking" | "BatchNormalization" | "LayerNormalization" => first.clone(),
        class if IDENTITIES.contains(&class) => first.clone(),
        "Flatten" => Shape::numbers(None, vec![total()?]),
        "Reshape" => {
            let sizes = a.sizes("target_shape")?;
            if elements(&sizes) != Some(total()?) {
                return Err(format!(
                    "{sizes:?} has not as many numbers as what it reads"
                ));
            }
            match &sizes[..] {
                [steps, axes @ ..] if !axes.is_empty() => {
                    Shape::numbers(Some(Some(*steps)), axes.to_vec())
                }
                _ => Shape::numbers(None, sizes),
            }
        }
        _ => return Err("it is a cell or a layer of its own".into()),
    })
}

fn recurrent(first: &Shape, a: &Arguments, units: usize, states: Vec<usize>) -> Vec<Shape> {
    let steps = first.steps.filter(|_| a.flag("return_sequences", false));
    let mut results = vec![Shape::numbers(steps, vec![units])];
    if a.flag("return_state", false) {
        results.extend(states.into_iter().map(|n| Shape::numbers(None, vec![n])));
    }
    results
}

/// The units of each state of a recurrent layer, cell after cell.
///
/// # Errors
/// If a cell is one of the user's own.
pub(crate) fn states(class: &str, a: &Arguments) -> Result<Vec<usize>, String> {
    let of = |class: &str, a: &Arguments| match class {
        "LSTM" | "LSTMCell" => Ok(vec![a.size("units")?; 2]),
        "GRU" | "GRUCell" | "SimpleRNN" | "SimpleRNNCell" => Ok(vec![a.size("units")?]),
        other => Err(format!("`{other}` is a cell of its own")),
    };
    if class != "RNN" {
        return of(class, a);
    }
    let mut all = Vec::new();
    for (class, arguments) in cells(a)? {
        all.extend(of(&class, &arguments)?);
    }
    Ok(all)
}

/// The cells of `RNN`.
///
/// # Errors
/// If there are none.
pub(crate) fn cells(a: &Arguments) -> Result<Vec<(String, Arguments)>, String> {
    match a.get("cell") {
        Some(Word::List(all)) if !all.is_empty() => all.iter().map(|w| inner(Some(w))).collect(),
        one => Ok(vec![inner(one)?]),
    }
}

fn both(first: &Shape, a: &Arguments) -> Result<Vec<Shape>, String> {
    let (class, forward) = inner(a.get("layer"))?;
    let (other, backward) = match a.get("backward_layer") {
        Some(word) => inner(Some(word))?,
        None => (class.clone(), forward.clone()),
    };
    let (ours, theirs) = (states(&class, &forward)?, states(&other, &backward)?);
    let units = |states: &[usize]| states.last().copied().ok_or("it has no cell");
    let (f, b) = (units(&ours)?, units(&theirs)?);
    let steps = first
        .steps
        .filter(|_| forward.flag("return_sequences", false));
    let mut results = match a.choice("merge_mode", "concat").as_str() {
        "none" => vec![
            Shape::numbers(steps, vec![f]),
            Shape::numbers(steps, vec![b]),
        ],
        "concat" => vec![Shape::numbers(steps, vec![f.saturating_add(b)])],
        _ => vec![Shape::numbers(steps, vec![f])],
    };
    if forward.flag("return_state", false) {
        let all = ours.into_iter().chain(theirs);
        results.extend(all.map(|n| Shape::numbers(None, vec![n])));
    }
    Ok(results)
}

/// `[_, 8]`, `ids`, `mask[20]`
fn input_shape(text: &str) -> Option<Shape> {
    let (content, rest) = match (text.strip_prefix("ids"), text.strip_prefix("mask")) {
        (Some(rest), _) => (Content::Ids, rest),
        (_, Some(rest)) => (Content::Mask, rest),
        _ => (Content::Numbers, text),
    };
    let axes = match word(rest) {
        Some(Word::List(axes)) => axes,
        None if rest.trim().is_empty() && content != Content::Numbers => vec![Word::Open],
        _ => return None,
    };
    // An axis with a name is open.
    let steps = |word: &Word| match word {
        Word::Open | Word::Name(_) => Some(None),
        other => Some(Some(other.size()?)),
    };
    match (&axes[..], content) {
        ([axis], Content::Ids | Content::Mask) => Some(Shape {
            content,
            steps: Some(steps(axis)?),
            axes: Vec::new(),
        }),
        ([axis], Content::Numbers) => Some(Shape::numbers(None, vec![width(axis)?])),
        ([first, rest @ ..], Content::Numbers) if !rest.is_empty() => {
            let axes: Option<Vec<usize>> = rest.iter().map(width).collect();
            Some(Shape::numbers(Some(steps(first)?), axes?))
        }
        _ => None,
    }
}

/// The size of an axis; of one with named parts, the sum.
fn width(axis: &Word) -> Option<usize> {
    match axis {
        Word::Struct(parts) => parts.iter().try_fold(0_usize, |sum, (_, part)| {
            let own = match part {
                Word::List(axes) => {
                    elements(&axes.iter().map(Word::size).collect::<Option<Vec<_>>>()?)?
                }
                other => width(other)?,
            };
            sum.checked_add(own)
        }),
        other => other.size(),
    }
}
