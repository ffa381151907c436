//! Layers in the words of `rnn_model!`, and their tensors under Keras's names.

use std::collections::{HashMap, HashSet};

use super::activation::number;
use super::dim::Dim;
use super::flow::Src;
use super::fuse;
use super::graph::Graph;
use super::inputs::{Inputs, ModelInput, Use};
use super::names::Taken;
use super::net::{EXACT, Layer, Net, Op};
use super::states::{Carried, Kept};
use crate::{Error, Format, Imported, Network, NetworkInput, NetworkLayer, Tensor, Value};

/// Names in the file, parts, and values.
type Outputs = Vec<(String, Option<usize>, Src)>;

/// A graph that was followed.
pub(super) struct Followed<'n> {
    pub graph: &'n Graph<'n>,
    pub net: &'n Net,
    pub inputs: &'n Inputs,
    pub outputs: &'n Outputs,
    /// States that are left to a stream.
    pub kept: &'n [Kept],
}

/// The text that is made.
pub(super) struct Emit<'n> {
    pub net: &'n Net,
    pub network: Network,
    pub tensors: Vec<Tensor>,
    pub notes: Vec<String>,
    pub taken: Taken,
    /// What each result is called.
    pub values: HashMap<Src, Value>,
    /// The results that somebody reads.
    pub used: HashSet<Src>,
    /// How the directions of a layer are merged, and the layers that do.
    pub merged: HashMap<usize, (&'static str, Vec<usize>)>,
    /// The names of cells by their text, and how many there are of each kind.
    cells: HashMap<String, String>,
    stems: HashMap<String, usize>,
}

type Done<T> = Result<T, Error>;

/// The whole model.
pub(super) fn imported(
    followed: &Followed<'_>,
    metadata: Vec<(String, String)>,
    notes: Vec<String>,
) -> Done<Imported> {
    let &Followed { net, outputs, .. } = followed;
    let live = fuse::live(net, outputs);
    let limit = |what: &str, n: usize| match n {
        0 => Err(Error::not_understood(format!("no {what} is left"))),
        1..=16 => Ok(()),
        n => Err(Error::not_understood(format!(
            "{n} {what}s are more than the 16 of a model"
        ))),
    };
    let inputs_left = net
        .layers
        .iter()
        .zip(&live)
        .filter(|(l, live)| **live && matches!(l.op, Op::Input(_)));
    limit("input", inputs_left.count())?;
    limit("output", outputs.len())?;
    let mut used: HashSet<Src> = outputs.iter().map(|(_, _, src)| *src).collect();
    for (layer, _) in net.layers.iter().zip(&live).filter(|(_, live)| **live) {
        used.extend(&layer.inputs);
    }
    let mut emit = Emit {
        net,
        network: Network::default(),
        tensors: Vec::new(),
        notes,
        taken: Taken::default(),
        values: HashMap::new(),
        used,
        merged: HashMap::new(),
        cells: HashMap::new(),
        stems: HashMap::new(),
    };
    emit.inputs(followed, &live);
    emit.find_merged(&live, outputs);
    for number in order(net, &live, outputs) {
        if let Some(layer) = net.layers.get(number) {
            emit.layer(number, layer)?;
        }
    }
    emit.outputs(outputs)?;
    let carried = Carried::of(net, followed.graph, followed.inputs, outputs);
    emit.states(&carried, outputs);
    emit.kept(followed.kept);
    let Emit {
        network,
        tensors,
        notes,
        ..
    } = emit;
    Ok(Imported {
        format: Format::Onnx,
        network: Some(network),
        tensors,
        metadata,
        notes,
        proposal: None,
        states_come_in: carried.come_in,
    })
}

/// The layers that are needed, each after those that it reads.
fn order(net: &Net, live: &[bool], outputs: &Outputs) -> Vec<usize> {
    let mut done = vec![false; net.layers.len()];
    let mut order = Vec::new();
    // Layers that were there first come first.
    let roots = (0..net.layers.len()).filter(|n| live.get(*n) == Some(&true));
    let roots = roots.chain(outputs.iter().map(|(_, _, src)| src.layer));
    for root in roots {
        let mut stack = vec![(root, 0)];
        while let Some((number, read)) = stack.pop() {
            if done.get(number) != Some(&false) {
                continue;
            }
            let inputs = net.layers.get(number).map_or(&[][..], |l| &l.inputs[..]);
            match inputs.get(read) {
                Some(src) => {
                    stack.push((number, read + 1));
                    stack.push((src.layer, 0));
                }
                None => {
                    done[number] = true;
                    order.push(number);
                }
            }
        }
    }
    order
}

impl Emit<'_> {
    fn inputs(&mut self, followed: &Followed<'_>, live: &[bool]) {
        let &Followed { graph, inputs, .. } = followed;
        let mut needed: Vec<(usize, usize, &ModelInput)> = Vec::new();
        for (number, layer) in self.net.layers.iter().enumerate() {
            if let (Op::Input(input), Some(true)) = (&layer.op, live.get(number))
                && let Some(found) = inputs.all.get(*input)
            {
                needed.push((number, *input, found));
            }
        }
        let flat = self.net.layers.iter().zip(live);
        let fixed = flat
            .filter(|(_, live)| **live)
            .any(|(l, _)| l.op == Op::Plain("Flatten"));
        let mut layouts = Vec::new();
        // Sequences that have as many steps as others say so.
        let steps: Vec<Option<&Dim>> = needed.iter().map(|(_, _, i)| i.steps.as_ref()).collect();
        let mut groups: Vec<&Dim> = Vec::new();
        for dim in steps.iter().flatten() {
            let same = steps.iter().filter(|s| **s == Some(*dim)).count();
            if same > 1 && !groups.contains(dim) {
                groups.push(dim);
            }
        }
        let mut dropped: Vec<&str> = Vec::new();
        for (number, input) in graph.inputs.iter().enumerate() {
            if needed.iter().any(|(_, _, i)| i.of == number) {
                let layout = self.net.layouts.get(input.name);
                layouts.extend(layout.cloned());
            } else if !followed.kept.iter().any(|kept| kept.of == Some(number)) {
                // What is left to a stream is said of its state.
                dropped.push(input.name);
            }
        }
        match &dropped[..] {
            [] => {}
            [one] => self.notes.push(format!(
                "no output needs the input `{one}`, which is left out"
            )),
            all => self.notes.push(format!(
                "no output needs the inputs `{}`, which are left out",
                all.join("`, `")
            )),
        }
        for (layer, _, input) in needed {
            let name = graph.inputs.get(input.of).map_or("x", |i| i.name);
            let wanted = match input.part {
                None => name.to_owned(),
                Some(part) => format!("{name}_{part}"),
            };
            let own = self.taken.value(&wanted);
            let time = match &input.steps {
                None => None,
                Some(Dim::N(n)) if fixed => Some(n.to_string()),
                Some(dim) => Some(match groups.iter().position(|g| *g == dim) {
                    None => "_".to_owned(),
                    Some(0) => "time".to_owned(),
                    Some(n) => format!("time_{n}"),
                }),
            };
            let of_steps = |what: &str| match time.as_deref() {
                None | Some("_") => what.to_owned(),
                Some(time) => format!("{what}[{time}]"),
            };
            let text = match (input.used, &time) {
                (Use::Ids, _) => of_steps("ids"),
                (Use::Lengths, _) => of_steps("mask"),
                (_, Some(time)) => format!("[{time}, {}]", input.width),
                (_, None) => format!("[{}]", input.width),
            };
            if let (Some(Dim::N(n)), false) = (&input.steps, fixed) {
                self.notes.push(format!(
                    "the file fixes {n} steps of `{name}`; here it takes any number"
                ));
            }
            if input.used == Use::Lengths {
                self.notes.push(format!("the lengths `{name}` [batch] of the file are a mask here, `{own}` [batch, time]: true for the steps before the length"));
            }
            if own != name {
                self.notes.push(match input.part {
                    None => format!("the input `{name}` of the file is `{own}` here"),
                    Some(part) => {
                        format!("part {part} of the input `{name}` of the file is `{own}` here")
                    }
                });
            }
            let value = Value::Input(self.network.inputs.len());
            self.values.insert(Src { layer, result: 0 }, value);
            self.network.inputs.push(NetworkInput { name: own, text });
        }
        self.notes.extend(layouts);
    }

    /// What a value is called.
    pub fn value(&self, src: Src) -> Done<Value> {
        let found = self.values.get(&src).copied();
        found.ok_or_else(|| {
            Error::not_understood(format!(
                "a layer reads result {} of layer {}, which it does not have",
                src.result, src.layer
            ))
        })
    }

    fn outputs(&mut self, outputs: &Outputs) -> Done<()> {
        for (name, part, src) in outputs {
            let wanted = match part {
                None => name.clone(),
                Some(part) => format!("{name}_{part}"),
            };
            let own = self.taken.value(&wanted);
            if own != *name {
                self.notes.push(match part {
                    None => format!("the output `{name}` of the file is `{own}` here"),
                    Some(part) => {
                        format!("part {part} of the output `{name}` of the file is `{own}` here")
                    }
                });
            }
            let value = self.value(*src)?;
            self.network.outputs.push((own, value));
        }
        Ok(())
    }

    /// A layer of the text; the number that it has there.
    pub fn push(
        &mut self,
        class: &str,
        arguments: Vec<String>,
        name: Option<String>,
        inputs: Vec<Value>,
        results: usize,
    ) -> usize {
        self.network.layers.push(NetworkLayer {
            class: class.to_owned(),
            arguments,
            name,
            inputs,
            results,
        });
        self.network.layers.len() - 1
    }

    /// A tensor of a layer.
    pub fn tensor(&mut self, layer: &str, name: &str, shape: &[usize], values: &[f32]) -> Done<()> {
        let tensor = Tensor::new(format!("{layer}/{name}"), shape, values.to_vec())?;
        self.tensors.push(tensor);
        Ok(())
    }

    /// The name of a cell with this text.
    pub fn cell(&mut self, stem: &str, text: &str) -> String {
        if let Some(name) = self.cells.get(text) {
            return name.clone();
        }
        let count = self.stems.entry(stem.to_owned()).or_insert(0);
        *count += 1;
        let name = match stem {
            "OnnxKeep" => stem.to_owned(),
            _ => format!("{stem}{count}"),
        };
        self.cells.insert(text.to_owned(), name.clone());
        let whole = format!("cell {name}{text}");
        self.network.cells.push((name.clone(), whole));
        name
    }

    fn layer(&mut self, number: usize, layer: &Layer) -> Done<()> {
        let here = Src {
            layer: number,
            result: 0,
        };
        if self.values.contains_key(&here) {
            return Ok(());
        }
        if let Op::Recurrent(r) = &layer.op {
            return self.recurrent(number, layer, r);
        }
        let width = layer.results.first().map_or(0, |s| s.width);
        let hint = layer.hint.as_deref();
        let mut inputs = Vec::new();
        for src in &layer.inputs {
            inputs.push(self.value(*src)?);
        }
        let from = layer.inputs.first().map_or(0, |s| self.net.shape(*s).width);
        let mut named = None;
        let (class, arguments) = match &layer.op {
            Op::Input(_) => return Err(Error::not_understood("an input has no value")),
            Op::Recurrent(_) => return Ok(()),
            Op::Dense {
                kernel,
                bias,
                activation,
            } => {
                let name = self.taken.layer(hint, "dense");
                self.tensor(&name, "kernel", &[from, width], kernel)?;
                let mut arguments = vec![width.to_string()];
                if let Some(activation) = activation {
                    arguments.push(format!("activation = {activation}"));
                }
                match bias {
                    Some(bias) => self.tensor(&name, "bias", &[width], bias)?,
                    None => arguments.push("use_bias = false".to_owned()),
                }
                named = Some(name);
                ("Dense", arguments)
            }
            Op::Embedding { rows, table } => {
                let name = self.taken.layer(hint, "embedding");
                self.tensor(&name, "embeddings", &[*rows, width], table)?;
                named = Some(name);
                ("Embedding", vec![rows.to_string(), width.to_string()])
            }
            Op::Activation(activation) => ("Activation", vec![activation.clone()]),
            Op::Scale(by) => {
                let name = self.taken.layer(hint, "scale");
                let arguments = self.normalization(&name, EXACT, Some(by), None, None)?;
                named = Some(name);
                ("BatchNormalization", arguments)
            }
            Op::Shift(by) => {
                let name = self.taken.layer(hint, "shift");
                let arguments = self.normalization(&name, EXACT, None, Some(by), None)?;
                named = Some(name);
                ("BatchNormalization", arguments)
            }
            Op::BatchNorm {
                gamma,
                beta,
                mean,
                variance,
                epsilon,
            } => {
                let name = self.taken.layer(hint, "batch_normalization");
                let moving = Some((&mean[..], &variance[..]));
                let arguments =
                    self.normalization(&name, *epsilon, Some(gamma), Some(beta), moving)?;
                named = Some(name);
                ("BatchNormalization", arguments)
            }
            Op::LayerNorm {
                gamma,
                beta,
                epsilon,
            } => {
                let name = self.taken.layer(hint, "layer_normalization");
                let arguments = self.affine(&name, *epsilon, gamma.as_deref(), beta.as_deref())?;
                named = Some(name);
                ("LayerNormalization", arguments)
            }
            Op::Merge(class) => {
                // One value twice is a sum or a product with itself.
                (*class, vec![])
            }
            Op::Edge { last } => {
                let cell = self.cell("OnnxKeep", super::cells::KEEP);
                let mut arguments = vec![format!("{cell}({width})")];
                if !last {
                    arguments.push("go_backwards".to_owned());
                }
                named = Some(
                    self.taken
                        .layer(None, if *last { "last_step" } else { "first_step" }),
                );
                ("RNN", arguments)
            }
            Op::Reverse => {
                let value = self.reversed(inputs.first().copied(), width);
                self.values.insert(here, value);
                return Ok(());
            }
            Op::Plain(text) => match text.strip_suffix("(1)") {
                Some(class) => (class, vec!["1".to_owned()]),
                None => (*text, vec![]),
            },
        };
        let number = self.push(class, arguments, named, inputs, 1);
        let value = Value::Of {
            layer: number,
            result: 0,
        };
        self.values.insert(here, value);
        Ok(())
    }

    /// The steps in the opposite order.
    pub fn reversed(&mut self, from: Option<Value>, width: usize) -> Value {
        let cell = self.cell("OnnxKeep", super::cells::KEEP);
        let arguments = vec![
            format!("{cell}({width})"),
            "return_sequences".to_owned(),
            "go_backwards".to_owned(),
        ];
        let name = self.taken.layer(None, "reversed");
        let layer = self.push("RNN", arguments, Some(name), from.into_iter().collect(), 1);
        Value::Of { layer, result: 0 }
    }

    fn affine(
        &mut self,
        name: &str,
        epsilon: f32,
        gamma: Option<&[f32]>,
        beta: Option<&[f32]>,
    ) -> Done<Vec<String>> {
        let mut arguments = vec![format!("epsilon = {}", number(epsilon))];
        match beta {
            Some(beta) => self.tensor(name, "beta", &[beta.len()], beta)?,
            None => arguments.push("center = false".to_owned()),
        }
        match gamma {
            Some(gamma) => self.tensor(name, "gamma", &[gamma.len()], gamma)?,
            None => arguments.push("scale = false".to_owned()),
        }
        Ok(arguments)
    }

    fn normalization(
        &mut self,
        name: &str,
        epsilon: f32,
        gamma: Option<&[f32]>,
        beta: Option<&[f32]>,
        moving: Option<(&[f32], &[f32])>,
    ) -> Done<Vec<String>> {
        let arguments = self.affine(name, epsilon, gamma, beta)?;
        let n = gamma.or(beta).map_or(0, <[f32]>::len);
        let (zeros, ones) = (vec![0.0; n], vec![1.0; n]);
        let (mean, variance) = moving.unwrap_or((&zeros, &ones));
        self.tensor(name, "moving_mean", &[n], mean)?;
        self.tensor(name, "moving_variance", &[n], variance)?;
        Ok(arguments)
    }
}
