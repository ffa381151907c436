//! Layers over a whole batch.

use std::collections::BTreeMap;

use super::{
    Answer, Call, Input, OutputData, ReferenceModel, Weights, Wrong,
    build::{Part, Ready},
    cell::known,
    pointwise::{apply, normalize},
    value::Value,
};
use rnn_compiler::ir::{
    Content, Layer, LayerKind, OpDef, Port, Reference, Regularizer, Shape, Time,
};

pub(super) fn run(model: &ReferenceModel, weights: &Weights, call: &Call) -> Result<Answer, Wrong> {
    let mut all = Vec::new();
    for s in &model.specs {
        let len: usize = s.shape.iter().product();
        match weights.get(&s.name) {
            Some(w) if w.len() == len => all.push(w.as_slice()),
            Some(w) => return Err(Wrong(format!("{} has {} of {len}", s.name, w.len()))),
            None => return Err(Wrong(format!("{} is missing", s.name))),
        }
    }
    let mut running = Running {
        model,
        call,
        weights: all,
        batch: batch(model, call)?,
        axes: BTreeMap::new(),
        values: Vec::new(),
        states: Vec::new(),
        draws: &[],
        penalty: 0.0,
    };
    running.prepare()?;
    for (layer, part) in model.graph.layers.iter().zip(&model.parts) {
        let values = running.layer(layer, part)?;
        running.check(layer, &values)?;
        running.penalty += penalty(layer, &values);
        running.values.push(values);
    }
    running.answer()
}

/// The penalty on a layer's results: all outputs and states, divided by the rows (`__call__` in
/// `keras/src/layers/layer.py`).
fn penalty(layer: &Layer, values: &[Value]) -> f64 {
    let results = layer.outputs.iter().zip(values);
    let numbers = results.filter(|(shape, _)| shape.content == Content::Numbers);
    cost(layer.activity, numbers.map(|(_, v)| v))
}

/// The penalty on some values.
pub(super) fn cost<'a>(r: Option<Regularizer>, values: impl Iterator<Item = &'a Value>) -> f64 {
    let Some(r) = r else { return 0.0 };
    let cost = |x: &f64| r.l1 * x.abs() + r.l2 * x * x;
    values
        .map(|v| v.data.iter().map(cost).sum::<f64>() / v.rows as f64)
        .sum()
}

/// Rows, the same in all inputs.
fn batch(model: &ReferenceModel, call: &Call) -> Result<usize, Wrong> {
    let (given, wanted) = (call.inputs.len(), model.graph.inputs.len());
    if given != wanted {
        return Err(Wrong(format!("{given} inputs for {wanted}")));
    }
    match call.inputs.split_first() {
        None => Err(Wrong("there is no input".into())),
        Some((first, rest)) if rest.iter().all(|i| i.batch == first.batch) => Ok(first.batch),
        Some(_) => Err(Wrong("the inputs have different numbers of rows".into())),
    }
}

/// One call of a model.
pub(super) struct Running<'a> {
    model: &'a ReferenceModel,
    call: &'a Call,
    /// By the model's parameters.
    pub(super) weights: Vec<&'a [f64]>,
    batch: usize,
    /// Steps of the open axes that inputs have.
    axes: BTreeMap<usize, usize>,
    /// The results of the layers so far.
    values: Vec<Vec<Value>>,
    /// The states of stateful layers.
    pub(super) states: Vec<Value>,
    /// The draws of the call in training; none in inference.
    pub(super) draws: &'a [Vec<f64>],
    pub(super) penalty: f64,
}

impl<'a> Running<'a> {
    /// Checks and takes states and draws.
    fn prepare(&mut self) -> Result<(), Wrong> {
        let (given, wanted) = (self.call.states.len(), self.model.states.len());
        if given != 0 && given != wanted {
            return Err(Wrong(format!("{given} states for {wanted}")));
        }
        for (i, s) in self.model.states.iter().enumerate() {
            let len = self.batch * s.width;
            let data = match self.call.states.get(i) {
                None => vec![0.0; len],
                Some(data) if data.len() == len => data.clone(),
                Some(data) => {
                    let words = format!("{} of {} has {} of {len}", s.name, s.layer, data.len());
                    return Err(Wrong(words));
                }
            };
            self.states.push(Value {
                rows: self.batch,
                steps: None,
                width: s.width,
                data,
            });
        }
        if !self.call.training {
            return Ok(());
        }
        let (given, wanted) = (self.call.draws.len(), self.model.draws.len());
        if given != wanted {
            let names = self.model.draws.iter().map(|d| d.layer.as_str());
            let names = names.collect::<Vec<_>>().join(", ");
            return Err(Wrong(format!("{given} draws for {wanted}, of: {names}")));
        }
        for (draw, data) in self.model.draws.iter().zip(&self.call.draws) {
            // The number of steps is known, and checked, where they are used.
            let row = self.batch * draw.width;
            if data.len() != row && !(draw.every_step && data.len() % row.max(1) == 0) {
                let words = format!("the draw of {} has {} of {row}", draw.layer, data.len());
                return Err(Wrong(words));
            }
        }
        self.draws = &self.call.draws;
        Ok(())
    }

    pub(super) fn value(&self, port: Port) -> &Value {
        &self.values[port.layer][port.index]
    }

    /// Checks that the results of a layer have the shapes that the compiler computed.
    fn check(&self, layer: &Layer, values: &[Value]) -> Result<(), Wrong> {
        let fits = |(shape, value): (&Shape, &Value)| -> Result<bool, Wrong> {
            let steps = match &shape.time {
                Time::None => value.steps.is_none(),
                Time::Steps(t) => value.steps == Some(known(t)?),
                Time::Any(axis) => match (value.steps, self.axes.get(&axis.id)) {
                    (Some(t), Some(&steps)) => t == steps,
                    _ => false,
                },
            };
            let len = value.rows * value.time() * value.width;
            Ok(steps && value.width == known(&shape.width())? && value.data.len() == len)
        };
        let mut good = layer.outputs.len() == values.len();
        for pair in layer.outputs.iter().zip(values) {
            good &= fits(pair)?;
        }
        match good {
            true => Ok(()),
            false => Err(Wrong(format!("{} gives another shape", layer.text))),
        }
    }

    fn layer(&mut self, layer: &Layer, part: &Part) -> Result<Vec<Value>, Wrong> {
        if let LayerKind::Input = layer.kind {
            return Ok(vec![self.input(layer)?]);
        }
        let inputs: Vec<Value> = layer
            .inputs
            .iter()
            .map(|&p| self.value(p).clone())
            .collect();
        let Some(x) = inputs.first() else {
            return Err(Wrong(format!("{} reads nothing", layer.text)));
        };
        let width = known(&layer.outputs[0].width())?;
        let one = |value: Value| Ok(vec![value]);
        match &layer.kind {
            LayerKind::Input | LayerKind::Identity => one(x.clone()),
            LayerKind::Embedding { mask_zero, .. } => {
                let table = self.weights[part.table];
                let rows = x.map(width, |_, _, id| {
                    let from = id[0] as usize * width;
                    let row = table.get(from..from + width);
                    let none = || Wrong(format!("there is no id {}", id[0]));
                    Ok(row.ok_or_else(none)?.to_vec())
                })?;
                let mut results = vec![rows];
                if *mask_zero {
                    let valid = |id: f64| f64::from(u8::from(id != 0.0));
                    results.push(x.map(1, |_, _, id| Ok(vec![valid(id[0])]))?);
                }
                Ok(results)
            }
            LayerKind::Rnn(rnn) => self.recurrent(layer, part, rnn, &inputs),
            LayerKind::Bidirectional {
                forward,
                backward,
                activity,
                ..
            } => self.bidirectional(layer, part, (forward, backward), *activity, &inputs),
            LayerKind::BatchNormalization { cell, epsilon, .. }
                if self.call.training && !cell.options.frozen =>
            {
                let mask = layer.mask.map(|p| self.value(p));
                one(normalize(x, mask, *epsilon, &part.cells, &self.weights)?)
            }
            LayerKind::Pointwise { .. } | LayerKind::BatchNormalization { .. } => {
                self.pointwise(layer, &part.cells, &inputs)
            }
            LayerKind::Op(op) => one(self.operator(layer, part, op.as_ref(), x)?),
        }
    }

    /// One of the model's inputs, checked.
    fn input(&mut self, layer: &Layer) -> Result<Value, Wrong> {
        let graph = &self.model.graph;
        let same = |(_, l): &&(String, usize)| std::ptr::eq(&graph.layers[*l], layer);
        let place = graph.inputs.iter().position(|i| same(&i));
        let x: &Input = match place.and_then(|i| self.call.inputs.get(i)) {
            Some(x) => x,
            None => return Err(Wrong(format!("{} is not given", layer.text))),
        };
        let shape = &layer.outputs[0];
        let width = known(&shape.width())?;
        let steps = match &shape.time {
            Time::None => None,
            Time::Any(axis) => Some(*self.axes.entry(axis.id).or_insert(x.time)),
            Time::Steps(t) => Some(known(t)?),
        };
        let data: Vec<f64> = match shape.content {
            Content::Ids => x.ids.iter().map(|&id| f64::from(id)).collect(),
            Content::Numbers | Content::Mask => x.floats.clone(),
        };
        let one = |x: &f64| *x == 0.0 || *x == 1.0;
        let good = shape.content != Content::Mask || data.iter().all(one);
        if !good || steps.unwrap_or(1) != x.time || data.len() != x.batch * x.time * width {
            return Err(Wrong(format!(
                "{shape} does not fit the input {}",
                layer.text
            )));
        }
        Ok(Value {
            rows: x.batch,
            steps,
            width,
            data,
        })
    }

    /// A cell without states for every row and step.
    fn pointwise(
        &self,
        layer: &Layer,
        cells: &[Ready],
        inputs: &[Value],
    ) -> Result<Vec<Value>, Wrong> {
        let (Some(cell), Some(first)) = (cells.first(), inputs.first()) else {
            return Err(Wrong(format!("{} has no cell", layer.text)));
        };
        if inputs.iter().any(|i| i.steps != first.steps) {
            return Err(Wrong(format!("{} reads different steps", layer.text)));
        }
        if self.call.training && cell.draws.iter().any(Option::is_some) {
            return Err(Wrong(format!(
                "{} draws a mask and has no scan",
                layer.text
            )));
        }
        let weights: Vec<&[f64]> = cell.params.iter().map(|&p| self.weights[p]).collect();
        let inputs: Vec<&Value> = inputs.iter().collect();
        apply(&cell.cell, &weights, &inputs)
    }

    /// An operator that is no cell, by its own formula.
    fn operator(
        &self,
        layer: &Layer,
        part: &Part,
        op: &dyn OpDef,
        x: &Value,
    ) -> Result<Value, Wrong> {
        let shape = &layer.outputs[0];
        let width = known(&shape.width())?;
        let steps = match &shape.time {
            Time::None => None,
            Time::Steps(t) => Some(known(t)?),
            Time::Any(_) => Some(x.time() * x.width / width.max(1)),
        };
        let drawn = part.draw;
        let drawn = drawn.and_then(|d| Some((&self.model.draws[d], self.draws.get(d)?)));
        if let Some((draw, data)) = drawn {
            let time = if draw.every_step { x.time() } else { 1 };
            if data.len() != x.rows * time * x.width {
                return Err(Wrong(format!("the draw of {} has other steps", layer.text)));
            }
        }
        let data = op.reference(&Reference {
            rows: x.rows,
            steps: x.time(),
            width: x.width,
            data: &x.data,
            to_steps: steps.unwrap_or(1),
            to_width: width,
            drawn: drawn.map(|(_, data)| data.as_slice()),
        });
        Ok(Value {
            rows: x.rows,
            steps,
            width,
            data,
        })
    }

    fn answer(self) -> Result<Answer, Wrong> {
        let mut outputs = Vec::new();
        for o in &self.model.graph.outputs {
            let value = self.value(o.port);
            let mask = o.mask.map(|p| self.value(p));
            outputs.push(OutputData {
                name: o.name.clone(),
                steps: value.steps,
                width: value.width,
                data: value.data.clone(),
                mask: mask.map(|m| m.data.iter().map(|&x| x != 0.0).collect()),
            });
        }
        Ok(Answer {
            outputs,
            states: self.states.into_iter().map(|s| s.data).collect(),
            penalty: self.penalty,
        })
    }
}
