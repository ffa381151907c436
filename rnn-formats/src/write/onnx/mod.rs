//! ONNX of the opset 17, as onnxruntime runs it. Arrays are `[batch, time, features]`.

mod activation;
mod graph;
mod proto;
mod recurrent;

use std::collections::BTreeMap;

use super::{
    Written,
    keras::params::params,
    layer::{Arguments, inner},
    model::{Content, IDENTITIES, Layer, MERGES, Model, Shape},
};
use crate::{Error, Network, Tensor, Value};
use graph::Graph;
use proto::{Attribute, Kind, value};

/// The most ones and zeros that are written for parameters which layers do not have: the sizes of a small file could ask for
/// any number of them.
const MOST_MADE: usize = 1 << 22;

/// The model as an ONNX file.
///
/// ```
/// use rnn_formats::{read, write};
///
/// # let json = br#"{"in_shape": [null, null, 1], "layers": [
/// #     {"type": "dense", "shape": [null, null, 1], "activation": "", "weights": [[[2.0]], [0.5]]}]}"#;
/// let model = read(json, &mut |name| std::fs::read(name))?;
/// let network = model.network.ok_or("the file has layers")?;
/// let file = write::onnx(&network, &model.tensors)?;
/// let again = read(&file.bytes, &mut |name| std::fs::read(name))?;
/// assert_eq!(again.network.map(|n| n.body()), Some(network.body()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NotUnderstood`] with all layers that ONNX cannot compute: masks that change numbers, states that are kept from call
/// to call, activations that its recurrent nodes do not have.
pub fn onnx(network: &Network, tensors: &[Tensor]) -> Result<Written, Error> {
    let model = Model::of(network, tensors)?;
    let mut writer = Writer {
        model: &model,
        graph: Graph::default(),
        values: BTreeMap::new(),
        made: 0,
        wrong: Vec::new(),
    };
    let mut inputs = Vec::new();
    for (number, (name, shape)) in model.inputs.iter().enumerate() {
        let kind = match shape.content {
            Content::Ids => Kind::Int,
            _ => Kind::Float,
        };
        inputs.push(value(name, kind, &axes(shape, name)));
        writer.values.insert(Value::Input(number), name.clone());
    }
    for (number, layer) in model.layers.iter().enumerate() {
        if let Err(why) = writer.layer(number, layer) {
            writer.wrong.push(format!("{}: {why}", layer.title()));
            // What follows is looked at with some name.
            for result in 0..layer.results.len() {
                let value = Value::Of {
                    layer: number,
                    result,
                };
                writer.values.insert(value, String::new());
            }
        }
    }
    let mut outputs = Vec::new();
    for (name, of) in model.outputs {
        let own = match model.inputs.iter().any(|(input, _)| input == name) {
            true => format!("{name}_out"),
            false => name.clone(),
        };
        match (writer.values.get(of), model.shape(*of)) {
            (Some(from), Some(shape)) => {
                writer.graph.output(&own, from);
                outputs.push(value(&own, Kind::Float, &axes(shape, &own)));
            }
            _ => writer
                .wrong
                .push(format!("the output `{name}` is no value")),
        }
    }
    if !writer.wrong.is_empty() {
        return Err(Error::NotUnderstood(writer.wrong));
    }
    Ok(Written {
        bytes: writer.graph.model(&inputs, &outputs),
        notes: Vec::new(),
    })
}

/// The axes of an input or an output, the batch among them.
fn axes(shape: &Shape, name: &str) -> Vec<Result<usize, String>> {
    let batch = Err("batch".to_owned());
    let open = || format!("time_of_{name}");
    let rest = shape.all().into_iter().map(|n| n.ok_or_else(open));
    std::iter::once(batch).chain(rest).collect()
}

struct Writer<'m, 'n> {
    model: &'m Model<'n>,
    graph: Graph,
    values: BTreeMap<Value, String>,
    /// Numbers of constants that no tensor has.
    made: usize,
    wrong: Vec<String>,
}

impl Writer<'_, '_> {
    fn layer(&mut self, number: usize, layer: &Layer<'_>) -> Result<(), String> {
        let masked = layer
            .inputs
            .iter()
            .any(|v| self.model.masked.contains_key(v));
        let reads_mask = matches!(
            layer.class,
            "LSTM"
                | "GRU"
                | "SimpleRNN"
                | "RNN"
                | "Bidirectional"
                | "GlobalMaxPooling1D"
                | "GlobalAveragePooling1D"
                | "Multiply"
                | "Maximum"
                | "Minimum"
        );
        if layer.mask.is_some() || masked && reads_mask {
            return Err("it reads a mask, and ONNX has none".into());
        }
        let find = |values: &BTreeMap<Value, String>, v: &Value| {
            values
                .get(v)
                .cloned()
                .ok_or("it reads a value that there is not")
        };
        let x: Vec<String> = (layer.inputs.iter())
            .map(|v| find(&self.values, v))
            .collect::<Result<_, _>>()?;
        let initial: Vec<String> = (layer.initial.iter())
            .map(|v| find(&self.values, v))
            .collect::<Result<_, _>>()?;
        let first = x.first().cloned().ok_or("it reads nothing")?;
        // The first call of a layer has the name of all of them, so that their constants are the same.
        let name = self
            .model
            .layers
            .get(layer.first)
            .map_or(&layer.name, |l| &l.name);
        self.graph.layer = name.clone();
        let model = self.model;
        let mut all = BTreeMap::new();
        for param in params(model, layer)? {
            let tensor = model.tensor(name, &param.name, &param.shape)?;
            all.insert(param.name, tensor);
        }
        let tensor = |own: &str| {
            let found = all.get(own).copied();
            found.ok_or_else(|| format!("`{name}/{own}` is missing"))
        };
        let a = &layer.arguments;
        let results = match layer.class {
            "LSTM" | "GRU" | "SimpleRNN" | "RNN" => {
                let run =
                    recurrent::one_way(&mut self.graph, layer.class, a, &tensor, &first, &initial)?;
                [run.outputs, run.states].concat()
            }
            "Bidirectional" => {
                let run = recurrent::both_ways(&mut self.graph, a, &tensor, &first, &initial)?;
                [run.outputs, run.states].concat()
            }
            _ => vec![self.plain(layer, &x, &first, &tensor)?],
        };
        for (result, name) in results.into_iter().enumerate() {
            let value = Value::Of {
                layer: number,
                result,
            };
            self.values.insert(value, name);
        }
        Ok(())
    }

    /// A layer of one result that is not recurrent.
    fn plain(
        &mut self,
        layer: &Layer<'_>,
        x: &[String],
        first: &str,
        tensor: recurrent::Find<'_, '_>,
    ) -> Result<String, String> {
        let of = layer.inputs.first().and_then(|v| self.model.shape(*v));
        let of = of.ok_or("it reads nothing")?;
        let result = layer.results.first().ok_or("it gives nothing")?;
        let a = &layer.arguments;
        let graph = &mut self.graph;
        let ints = |all: &[usize]| all.iter().map(|n| *n as i64).collect::<Vec<i64>>();
        Ok(match layer.class {
            "Embedding" => {
                let table = tensor("embeddings")?;
                let name = format!("{}/embeddings", graph.layer);
                let table = graph.floats(&name, &table.shape, &table.values);
                graph.node("Gather", &[&table, first])
            }
            "TimeDistributed" => {
                let (class, own) = inner(a.get("layer"))?;
                match class.as_str() {
                    "Flatten" | "Reshape" => {
                        let shape = [&[0, 0], &ints(&result.axes)[..]].concat();
                        let shape = graph.ints(&shape);
                        graph.node("Reshape", &[first, &shape])
                    }
                    class => self.of_step(class, &own, first, of, tensor)?,
                }
            }
            "Flatten" | "Reshape" => {
                let all = result.all().into_iter().flatten().collect::<Vec<_>>();
                let shape = graph.ints(&[&[0], &ints(&all)[..]].concat());
                graph.node("Reshape", &[first, &shape])
            }
            "Permute" => match a.sizes("dims")?[..] {
                [2, 1] => graph.transposed(first, &[0, 2, 1]),
                _ => first.to_owned(),
            },
            "RepeatVector" => {
                let n = a.size("n")? as i64;
                let (axis, shape) = (graph.ints(&[1]), graph.ints(&[1, n, 1]));
                let one = graph.node("Unsqueeze", &[first, &axis]);
                graph.node("Expand", &[&one, &shape])
            }
            "GlobalMaxPooling1D" | "GlobalAveragePooling1D" => {
                let kind = match layer.class {
                    "GlobalMaxPooling1D" => "ReduceMax",
                    _ => "ReduceMean",
                };
                let keeps = i64::from(a.flag("keepdims", false));
                let attributes = [
                    ("axes", Attribute::Ints(vec![1])),
                    ("keepdims", Attribute::Int(keeps)),
                ];
                graph.with(kind, &[first], &attributes)
            }
            "Concatenate" => {
                let all: Vec<&str> = x.iter().map(String::as_str).collect();
                graph.with("Concat", &all, &[("axis", Attribute::Int(-1))])
            }
            class if MERGES.contains(&class) => {
                let kind = match class {
                    "Average" => {
                        let all: Vec<&str> = x.iter().map(String::as_str).collect();
                        return Ok(graph.node("Mean", &all));
                    }
                    "Subtract" => "Sub",
                    "Multiply" => "Mul",
                    "Maximum" => "Max",
                    "Minimum" => "Min",
                    _ => "Add",
                };
                let rest = x.iter().skip(1);
                let sum = |sum: String, next: &String| graph.node(kind, &[&sum, next]);
                rest.fold(first.to_owned(), sum)
            }
            class => self.of_step(class, a, first, of, tensor)?,
        })
    }

    /// A layer that does the same at every step.
    fn of_step(
        &mut self,
        class: &str,
        a: &Arguments,
        x: &str,
        of: &Shape,
        tensor: recurrent::Find<'_, '_>,
    ) -> Result<String, String> {
        let (graph, made) = (&mut self.graph, &mut self.made);
        let last = [("axes", Attribute::Ints(vec![-1]))];
        let layer = graph.layer.clone();
        let mut constant = |graph: &mut Graph, own: &str, or: f32, n: usize| {
            let name = format!("{layer}/{own}");
            if let Ok(t) = tensor(own) {
                return Ok(graph.floats(&name, &t.shape, &t.values));
            }
            *made = made.saturating_add(n);
            match *made <= MOST_MADE {
                true => Ok(graph.floats(&name, &[n], &vec![or; n])),
                false => Err(format!(
                    "expected at most {MOST_MADE} ones and zeros for what layers do not have, such as `{own}` here, \
                     found {made}"
                )),
            }
        };
        Ok(match class {
            class if IDENTITIES.contains(&class) => x.to_owned(),
            "Dense" => {
                let kernel = tensor("kernel")?;
                let name = format!("{layer}/kernel");
                let kernel = graph.floats(&name, &kernel.shape, &kernel.values);
                let mut y = graph.node("MatMul", &[x, &kernel]);
                if a.flag("use_bias", true) {
                    let bias = tensor("bias")?;
                    let name = format!("{layer}/bias");
                    let bias = graph.floats(&name, &bias.shape, &bias.values);
                    y = graph.node("Add", &[&y, &bias]);
                }
                activation::node(graph, &a.activation("activation", "linear"), &y)?
            }
            "Activation" => activation::node(graph, &a.activation("activation", "linear"), x)?,
            "Masking" => {
                let number = graph.number(a.number("mask_value", 0.0) as f32);
                let same = graph.node("Equal", &[x, &number]);
                let differs = graph.node("Not", &[&same]);
                let float = [("to", Attribute::Int(Kind::Float as i64))];
                let differs = graph.with("Cast", &[&differs], &float);
                let valid = graph.with("ReduceMax", &[&differs], &last);
                graph.node("Mul", &[x, &valid])
            }
            "BatchNormalization" => {
                let n = of.axes.last().copied().unwrap_or(0);
                let gamma = constant(graph, "gamma", 1.0, n)?;
                let beta = constant(graph, "beta", 0.0, n)?;
                let mean = constant(graph, "moving_mean", 0.0, n)?;
                let variance = constant(graph, "moving_variance", 1.0, n)?;
                let epsilon = a.number("epsilon", 0.001) as f32;
                let attributes = [("epsilon", Attribute::Float(epsilon))];
                // Channels are the second axis there.
                let axes = of.all().len() as i64;
                let to: Vec<i64> = [0, axes].into_iter().chain(1..axes).collect();
                let back: Vec<i64> = [0].into_iter().chain(2..=axes).chain([1]).collect();
                let turned = match axes {
                    1 => x.to_owned(),
                    _ => graph.transposed(x, &to),
                };
                let inputs = [&turned, &gamma, &beta, &mean, &variance];
                let y = graph.with(
                    "BatchNormalization",
                    &inputs.map(String::as_str),
                    &attributes,
                );
                match axes {
                    1 => y,
                    _ => graph.transposed(&y, &back),
                }
            }
            "LayerNormalization" => {
                let n = of.axes.last().copied().unwrap_or(0);
                let epsilon = a.number("epsilon", 0.001) as f32;
                let gamma = constant(graph, "gamma", 1.0, n)?;
                if a.flag("rms_scaling", false) {
                    // Keras divides by the deviation, without subtracting the mean.
                    let epsilon = graph.number(epsilon);
                    let mean = graph.with("ReduceMean", &[x], &last);
                    let centred = graph.node("Sub", &[x, &mean]);
                    let square = graph.node("Mul", &[&centred, &centred]);
                    let variance = graph.with("ReduceMean", &[&square], &last);
                    let sum = graph.node("Add", &[&variance, &epsilon]);
                    let deviation = graph.node("Sqrt", &[&sum]);
                    let y = graph.node("Div", &[x, &deviation]);
                    graph.node("Mul", &[&y, &gamma])
                } else {
                    let beta = constant(graph, "beta", 0.0, n)?;
                    let attributes = [
                        ("axis", Attribute::Int(-1)),
                        ("epsilon", Attribute::Float(epsilon)),
                    ];
                    graph.with("LayerNormalization", &[x, &gamma, &beta], &attributes)
                }
            }
            other => return Err(format!("ONNX has no node for {other}")),
        })
    }
}
