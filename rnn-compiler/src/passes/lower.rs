//! `LayerGraph → OpGraph`: layers become operations; their cells are built, optimised and
//! differentiated.

use std::{collections::BTreeMap, rc::Rc};

use crate::{
    cell::{Cell, NoGradient, Param, size::Size},
    diagnostics::{Bug, Diagnostic, Diagnostics, OrBug},
    ir::{
        AxisId, CellOp, Constraint, Content, Half, Layer, LayerGraph, LayerId, LayerKind,
        ModelParam, Op, OpGraph, OpKind, OpState, ParamId, ParamOptions, PersistentState, Port,
        Regularizer, Rnn, Shape, Time, UsedCell, ValueId, ValueInfo, WholeSequence,
    },
    ops,
};

/// Why a model is not lowered.
pub enum Stop {
    /// Its mistakes have been reported.
    Reported,
    /// A mistake of the compiler.
    Bug(Bug),
}

impl From<Bug> for Stop {
    fn from(bug: Bug) -> Self {
        Stop::Bug(bug)
    }
}

struct Lowering<'a> {
    graph: &'a LayerGraph,
    axes: Vec<Time>,
    values: Vec<ValueInfo>,
    ops: Vec<Op>,
    op_states: Vec<Vec<OpState>>,
    params: Vec<ModelParam>,
    /// Parameters of each layer with weights of its own, by the prefix of the cell.
    of_layer: BTreeMap<(LayerId, String), Vec<usize>>,
    /// The value of each result.
    ports: BTreeMap<Port, ValueId>,
    /// The reversed value of each mask.
    reversed: BTreeMap<ValueId, ValueId>,
    states: Vec<PersistentState>,
    needs_whole_sequence: Vec<WholeSequence>,
    found: &'a mut Diagnostics,
}

/// Lowers a checked model. It reports one kind of mistake that earlier passes cannot see: overlapping
/// parts of a state whose sizes are `const`s.
///
/// # Errors
/// If mistakes were reported, or the compiler made one.
pub fn lower(layers: LayerGraph, found: &mut Diagnostics) -> Result<OpGraph, Stop> {
    let mut l = Lowering {
        graph: &layers,
        axes: Vec::new(),
        values: Vec::new(),
        ops: Vec::new(),
        op_states: Vec::new(),
        params: Vec::new(),
        of_layer: BTreeMap::new(),
        ports: BTreeMap::new(),
        reversed: BTreeMap::new(),
        states: Vec::new(),
        needs_whole_sequence: Vec::new(),
        found,
    };
    for (id, layer) in layers.layers.iter().enumerate() {
        l.layer(id, layer)?;
    }
    let inputs = layers.inputs.iter();
    let inputs = inputs
        .map(|(_, layer)| {
            l.ports[&Port {
                layer: *layer,
                index: 0,
            }]
        })
        .collect();
    let outputs = layers.outputs.iter().map(|o| l.ports[&o.port]).collect();
    let masks = layers.outputs.iter();
    let masks = masks.map(|o| o.mask.map(|m| l.ports[&m])).collect();
    let Lowering {
        axes,
        values,
        ops,
        op_states,
        params,
        states,
        needs_whole_sequence,
        ..
    } = l;
    Ok(OpGraph {
        // A pass says it.
        output_ranges: Vec::new(),
        layers,
        axes,
        values,
        ops,
        params,
        inputs,
        outputs,
        masks,
        states,
        unread: Vec::new(),
        op_states,
        needs_whole_sequence,
    })
}

impl Lowering<'_> {
    fn axis(&mut self, time: &Time) -> Option<AxisId> {
        if *time == Time::None {
            return None;
        }
        let known = self.axes.iter().position(|a| a == time);
        Some(known.unwrap_or_else(|| {
            self.axes.push(time.clone());
            self.axes.len() - 1
        }))
    }

    fn value(&mut self, width: &Size, axis: Option<AxisId>, only_last: bool) -> ValueId {
        self.values.push(ValueInfo {
            width: width.clone(),
            axis,
            only_last,
            trained: false,
            mask: false,
        });
        self.values.len() - 1
    }

    /// A value of this shape.
    fn of_shape(&mut self, shape: &Shape) -> ValueId {
        let axis = self.axis(&shape.time);
        let value = self.value(&shape.width(), axis, false);
        self.values[value].mask = shape.content == Content::Mask;
        value
    }

    /// A value like another.
    fn like(&mut self, value: ValueId) -> ValueId {
        let new = ValueInfo {
            only_last: false,
            ..self.values[value].clone()
        };
        self.values.push(new);
        self.values.len() - 1
    }

    fn op(
        &mut self,
        layer: &Layer,
        kind: OpKind,
        inputs: Vec<ValueId>,
        outputs: Vec<ValueId>,
        axis: Option<AxisId>,
    ) {
        let own = match &kind {
            OpKind::Op(op) => op.param().is_some_and(|(_, trained)| trained),
            OpKind::Cell(c) | OpKind::Normalize { cell: c, .. } => {
                let initial = c.initial.iter().flatten();
                c.params.iter().any(|&p| self.params[p].trainable)
                    || initial.into_iter().any(|&v| self.values[v].trained)
            }
        };
        let trained = own || inputs.iter().any(|&i| self.values[i].trained);
        let finals: Vec<ValueId> = match &kind {
            OpKind::Cell(c) => c.finals.iter().flatten().copied().collect(),
            _ => vec![],
        };
        for &o in outputs.iter().chain(&finals) {
            self.values[o].trained = trained;
        }
        self.ops.push(Op {
            kind,
            inputs,
            outputs,
            axis,
            stream: 0,
            span: layer.span,
            name: layer.name.clone(),
            text: layer.text.clone(),
            half: None,
        });
        self.op_states.push(Vec::new());
    }

    /// Numbers that tell the random numbers of a call of a layer from those of others.
    fn stream(&self, id: LayerId, layer: &Layer, seed: Option<u64>) -> u64 {
        let op = self.ops.len() as u64;
        match seed {
            // A layer with a seed draws the same numbers wherever it stands, and new ones at every call,
            // like Keras's `SeedGenerator`. Cells and their masks are numbered in the bits below.
            Some(seed) => ((1 << 63) | seed).wrapping_add(self.calls_before(id, layer) << 48),
            None => op,
        }
    }

    /// How many calls of the same layer stand before this one.
    fn calls_before(&self, id: LayerId, layer: &Layer) -> u64 {
        let Some(first) = layer.shared else { return 0 };
        let between = &self.graph.layers[first..id];
        let calls = between.iter().filter(|l| l.shared == Some(first));
        1 + calls.count() as u64
    }

    fn param(&mut self, prefix: &str, p: &Param, options: &ParamOptions) -> usize {
        let of = |name: &str| *name == p.name;
        let regularizer = options.regularizers.iter().find(|(n, _)| of(n));
        let constraint = options.constraints.iter().find(|(n, _)| of(n));
        self.params.push(ModelParam {
            name: format!("{prefix}/{}", p.name),
            shape: p.shape.clone(),
            init: p.init.clone(),
            trainable: p.trainable && !options.frozen,
            regularizer: regularizer.map_or(Regularizer::default(), |(_, r)| *r),
            // A vector has one axis, whatever the constraint says.
            constraint: constraint.map(|(_, c)| on_axes(c, p.shape.len())),
        });
        self.params.len() - 1
    }

    /// The parameters of a layer's cell: new ones, or those of the call that it shares.
    fn params(
        &mut self,
        id: LayerId,
        layer: &Layer,
        prefix: &str,
        params: &[Param],
        options: &ParamOptions,
    ) -> Vec<usize> {
        let owner = layer.shared.unwrap_or(id);
        if let Some(known) = self.of_layer.get(&(owner, prefix.to_owned())) {
            return known.clone();
        }
        let path = match prefix {
            "" => layer.name.clone(),
            prefix => format!("{}/{prefix}", layer.name),
        };
        let new: Vec<usize> = params
            .iter()
            .map(|p| self.param(&path, p, options))
            .collect();
        self.of_layer
            .insert((owner, prefix.to_owned()), new.clone());
        new
    }

    fn layer(&mut self, id: LayerId, layer: &Layer) -> Result<(), Stop> {
        let inputs: Vec<ValueId> = layer.inputs.iter().map(|p| self.ports[p]).collect();
        let mask = layer.mask.map(|p| self.ports[&p]);
        let shape = &layer.outputs[0];
        let axis = self.axis(&shape.time);
        let mut results = match &layer.kind {
            LayerKind::Input => vec![self.of_shape(shape)],
            LayerKind::Embedding {
                input_dim,
                output_dim,
                init,
                mask_zero,
                options,
            } => {
                let table = Param {
                    name: "embeddings".into(),
                    shape: vec![input_dim.clone(), output_dim.clone()],
                    init: init.clone(),
                    trainable: true,
                };
                let table = self.params(id, layer, "", &[table], options)[0];
                let from = layer.inputs[0].layer;
                let input = self.graph.inputs.iter().position(|(_, l)| *l == from);
                let input = input.or_bug("ids that are no input")?;
                let output = self.of_shape(shape);
                let gather = ops::Gather {
                    input,
                    table: ParamId(table),
                    vocabulary: input_dim.clone(),
                    trained: self.params[table].trainable,
                };
                let kind = OpKind::Op(Rc::new(gather));
                self.op(layer, kind, vec![], vec![output], axis);
                let mut all = vec![output];
                if *mask_zero {
                    let mask = self.of_shape(&layer.outputs[1]);
                    let kind = OpKind::Op(Rc::new(ops::MaskIds { input }));
                    self.op(layer, kind, vec![], vec![mask], axis);
                    all.push(mask);
                }
                all
            }
            LayerKind::Rnn(rnn) => {
                let initial: Vec<ValueId> = layer.initial.iter().map(|p| self.ports[p]).collect();
                let (mut outputs, states) =
                    self.rnn(id, layer, rnn, "", &inputs, mask, &initial)?;
                outputs.extend(states);
                outputs
            }
            LayerKind::Bidirectional {
                forward,
                backward,
                merge,
                activity,
            } => {
                let initial: Vec<ValueId> = layer.initial.iter().map(|p| self.ports[p]).collect();
                let half = forward.states.len().min(initial.len());
                let name = |rnn: &Rnn, what: &str| format!("{what}_{}", rnn.stem);
                let of = (name(forward, "forward"), name(backward, "backward"));
                let from = self.ops.len();
                let (mut f, mut fs) =
                    self.rnn(id, layer, forward, &of.0, &inputs, mask, &initial[..half])?;
                let middle = self.ops.len();
                let (mut b, mut bs) =
                    self.rnn(id, layer, backward, &of.1, &inputs, mask, &initial[half..])?;
                for (i, op) in self.ops.iter_mut().enumerate().skip(from) {
                    if matches!(op.kind, OpKind::Cell(_)) && !op.is_parameter_alone() {
                        let second = i >= middle;
                        op.half = Some(Half { layer: id, second });
                    }
                }
                for value in f.iter_mut().chain(&mut fs) {
                    *value = self.penalty(layer, *value, activity[0]);
                }
                for value in b.iter_mut().chain(&mut bs) {
                    *value = self.penalty(layer, *value, activity[1]);
                }
                let mut b = b[0];
                if backward.return_sequences {
                    // As in Keras, the second layer's outputs are turned back into the order of time.
                    let turned = self.like(b);
                    let axis = self.values[b].axis;
                    let kind = OpKind::Op(Rc::new(ops::Reverse));
                    self.op(layer, kind, vec![b], vec![turned], axis);
                    b = turned;
                }
                let mut all = match merge {
                    None => vec![f[0], b],
                    Some(cell) => {
                        let used = UsedCell {
                            cell: cell.clone(),
                            prefix: None,
                            options: ParamOptions::default(),
                        };
                        let merged = self.of_shape(shape);
                        let vector = |v: ValueId| vec![self.values[v].width.clone()];
                        let read = [vector(f[0]), vector(b)];
                        let cell = self.cell(id, layer, &used, "merge", Some(&read), None, None)?;
                        self.op(layer, OpKind::Cell(cell), vec![f[0], b], vec![merged], axis);
                        vec![merged]
                    }
                };
                all.extend(fs);
                all.extend(bs);
                all
            }
            LayerKind::Pointwise { cell } => {
                let cell = self.cell(id, layer, cell, "", None, None, None)?;
                let outputs: Vec<ValueId> =
                    layer.outputs.iter().map(|s| self.of_shape(s)).collect();
                self.op(layer, OpKind::Cell(cell), inputs, outputs.clone(), axis);
                outputs
            }
            LayerKind::BatchNormalization {
                cell,
                momentum,
                epsilon,
            } => {
                let frozen = cell.options.frozen;
                let cell = self.cell(id, layer, cell, "", None, None, None)?;
                let output = self.of_shape(shape);
                // As in Keras 2 and 3, a layer that is not trained keeps its statistics.
                let kind = if frozen {
                    OpKind::Cell(cell)
                } else {
                    OpKind::Normalize {
                        cell,
                        momentum: *momentum,
                        epsilon: *epsilon,
                        mask,
                    }
                };
                self.op(layer, kind, inputs, vec![output], axis);
                vec![output]
            }
            LayerKind::Identity => inputs,
            LayerKind::Op(op) => {
                let from = self.graph.shape(layer.inputs[0]);
                if op.is_identity(from, shape) {
                    inputs
                } else {
                    // A hidden layer makes a first state from several steps, which has a reason of its
                    // own.
                    if let (Some(why), false) = (op.needs_all(), layer.hidden) {
                        self.needs_all(layer, why);
                    }
                    let output = self.of_shape(shape);
                    let stream = op.draws().map_or(0, |d| self.stream(id, layer, d.seed));
                    let axis = self.values[inputs[0]].axis.or(axis);
                    self.op(layer, OpKind::Op(op.clone()), inputs, vec![output], axis);
                    if let Some(op) = self.ops.last_mut() {
                        op.stream = stream;
                    }
                    vec![output]
                }
            }
        };
        for (value, shape) in results.iter_mut().zip(&layer.outputs) {
            if shape.content == Content::Numbers {
                *value = self.penalty(layer, *value, layer.activity);
            }
            if shape.is_sequence() && self.values[*value].axis.is_none() {
                *value = self.one_step(layer, *value, shape);
            }
        }
        for (index, value) in results.into_iter().enumerate() {
            self.ports.insert(Port { layer: id, index }, value);
        }
        Ok(())
    }

    /// The value with a penalty on its size in training.
    fn penalty(&mut self, layer: &Layer, value: ValueId, cost: Option<Regularizer>) -> ValueId {
        let Some(cost) = cost else { return value };
        let same = self.like(value);
        self.values[same].only_last = self.values[value].only_last;
        let axis = self.values[value].axis;
        let kind = OpKind::Op(Rc::new(ops::Penalty(cost)));
        self.op(layer, kind, vec![value], vec![same], axis);
        same
    }

    /// A vector of each row as a sequence of one step.
    fn one_step(&mut self, layer: &Layer, value: ValueId, shape: &Shape) -> ValueId {
        self.needs_all(layer, "its one step is made of all");
        let step = self.of_shape(shape);
        let axis = self.values[step].axis;
        let kind = OpKind::Op(Rc::new(ops::Reshape));
        self.op(layer, kind, vec![value], vec![step], axis);
        step
    }

    fn needs_all(&mut self, layer: &Layer, why: &'static str) {
        self.needs_whole_sequence.push(WholeSequence {
            class: layer.class.clone(),
            span: layer.span,
            why: format!("{} needs the whole sequence: {why}", layer.text),
            starts: false,
        });
    }

    /// The steps the other way round.
    fn reverse(&mut self, layer: &Layer, value: ValueId) -> ValueId {
        if let Some(&known) = self.reversed.get(&value) {
            return known;
        }
        let turned = self.like(value);
        let axis = self.values[value].axis;
        let kind = OpKind::Op(Rc::new(ops::Reverse));
        self.op(layer, kind, vec![value], vec![turned], axis);
        self.reversed.insert(value, turned);
        turned
    }

    /// Scans cells over time. Gives the outputs of the last cell, and the states of all if asked for.
    #[allow(clippy::too_many_arguments)]
    fn rnn(
        &mut self,
        id: LayerId,
        layer: &Layer,
        rnn: &Rnn,
        prefix: &str,
        inputs: &[ValueId],
        mask: Option<ValueId>,
        initial: &[ValueId],
    ) -> Result<(Vec<ValueId>, Vec<ValueId>), Stop> {
        let axis = self.values[inputs[0]].axis;
        let (mut read, mut mask) = (inputs.to_vec(), mask);
        if rnn.go_backwards {
            self.needs_all(layer, "it starts at the last step");
            read = read.iter().map(|&v| self.reverse(layer, v)).collect();
            mask = mask.map(|m| self.reverse(layer, m));
        }
        if !initial.is_empty() {
            self.needs_all(layer, "its states come from another layer or an input");
            if let Some(reason) = self.needs_whole_sequence.last_mut() {
                reason.starts = true;
            }
        }
        let mut given = initial.iter().copied();
        let mut all_finals = Vec::new();
        let (mut index, last) = (0, rnn.cells.len().saturating_sub(1));
        // The outputs of a cell are the inputs of the next one.
        let mut between: Option<Vec<Vec<Size>>> = None;
        for (i, used) in rnn.cells.iter().enumerate() {
            let of_cell = used.prefix.clone().unwrap_or_default();
            let path = match (prefix, of_cell.as_str()) {
                (a, "") => a.to_owned(),
                ("", b) => b.to_owned(),
                (a, b) => format!("{a}/{b}"),
            };
            let stream = self.stream(id, layer, used.options.seed.or(rnn.seed));
            let mut cell =
                self.cell(id, layer, used, &path, between.as_deref(), rnn.unroll, mask)?;
            between = Some(cell.cell.outputs.iter().map(|o| o.shape.clone()).collect());
            cell.stream = stream.wrapping_add((i as u64) << 32);
            cell.zero_output = rnn.zero_output_for_mask && i == last;
            let states = cell.cell.states.clone();
            let learned = states.iter().any(|s| s.start.is_some());
            if learned && (rnn.stateful || !initial.is_empty()) {
                let other = if rnn.stateful {
                    "stateful"
                } else {
                    "initial_state"
                };
                let message = format!(
                    "{} starts with learned states and has `{other}`",
                    layer.text
                );
                let d = Diagnostic::new("RNN0153", layer.span, message);
                self.found.push(d.help(format!(
                    "a state starts with one thing: leave out `{other}` or the learned states"
                )));
                return Err(Stop::Reported);
            }
            for (s, state) in states.iter().enumerate() {
                let mut start = given.next();
                let mut end = rnn
                    .return_state
                    .then(|| self.value(&state.size, None, false));
                if rnn.stateful {
                    let input = self.value(&state.size, None, false);
                    let output = *end.get_or_insert_with(|| self.value(&state.size, None, false));
                    start = Some(input);
                    end = Some(output);
                    let (name, shape) = &rnn.states[index];
                    self.states.push(PersistentState {
                        layer: join(&layer.name, &path),
                        name: name.clone(),
                        shape: shape.clone(),
                        input,
                        output,
                    });
                }
                index += 1;
                if let Some(param) = state.start {
                    start = Some(self.learned_start(layer, &cell, param)?);
                }
                cell.initial[s] = start;
                cell.finals[s] = end;
                all_finals.extend(end.filter(|_| rnn.return_state));
            }
            let sequences = i < last || rnn.return_sequences;
            let outputs: Vec<ValueId> = cell
                .cell
                .outputs
                .clone()
                .iter()
                .map(|o| self.value(&o.width, axis.filter(|_| sequences), !sequences))
                .collect();
            let names = states.iter().map(|s| OpState {
                layer: join(&layer.name, &path),
                name: s.name.clone(),
            });
            let names = names.collect();
            self.op(layer, OpKind::Cell(cell), read, outputs.clone(), axis);
            if let Some(last) = self.op_states.last_mut() {
                *last = names;
            }
            read = outputs;
        }
        Ok((read, all_finals))
    }

    /// The value of a parameter in every row, for a state to start with.
    fn learned_start(&mut self, layer: &Layer, of: &CellOp, param: usize) -> Result<ValueId, Stop> {
        let cell = of
            .cell
            .parameter_alone(param)
            .or_bug("a state starts with no parameter")?;
        let value = self.value(&cell.outputs[0].width, None, false);
        let backward = match cell.backward() {
            Ok(backward) => backward,
            Err(NoGradient::Bug(bug)) => return Err(bug.into()),
            Err(NoGradient::Overlap) => return Err(Bug::new("a parameter alone overlaps").into()),
        };
        let op = CellOp {
            cell,
            training: None,
            backward,
            params: vec![of.params[param]],
            unroll: None,
            stream: 0,
            mask: None,
            zero_output: false,
            initial: vec![],
            finals: vec![],
        };
        self.op(layer, OpKind::Cell(Box::new(op)), vec![], vec![value], None);
        Ok(value)
    }

    /// Builds, optimises and differentiates a cell.
    #[allow(clippy::too_many_arguments)]
    fn cell(
        &mut self,
        id: LayerId,
        layer: &Layer,
        used: &UsedCell,
        prefix: &str,
        // The shapes of its inputs, if these are not results of layers.
        between: Option<&[Vec<Size>]>,
        unroll: Option<bool>,
        mask: Option<ValueId>,
    ) -> Result<Box<CellOp>, Stop> {
        let shapes: Vec<Vec<Size>> = match between {
            Some(shapes) => shapes.to_vec(),
            None => {
                let of_layers = layer.inputs.iter().map(|&p| self.graph.shape(p));
                // A mask has no axes; a cell reads it as one number.
                let axes = of_layers.map(|s| match s.axes.as_slice() {
                    [] => vec![Size::known(1)],
                    axes => axes.to_vec(),
                });
                axes.collect()
            }
        };
        let mut cell = Cell::build(&used.cell, &shapes, self.found).ok_or(Stop::Reported)?;
        let params = self.params(id, layer, prefix, &cell.params, &used.options);
        for (p, &i) in cell.params.iter_mut().zip(&params) {
            p.trainable = self.params[i].trainable;
        }
        let noisy = !cell.dropout_masks.is_empty();
        let mut training = noisy.then(|| cell.clone());
        cell = cell.without_dropout();
        cell.optimize();
        if let Some(t) = &mut training {
            t.optimize();
        }
        match training.as_ref().unwrap_or(&cell).backward() {
            Ok(backward) => Ok(Box::new(CellOp {
                initial: vec![None; cell.states.len()],
                finals: vec![None; cell.states.len()],
                cell,
                training,
                backward,
                params,
                unroll,
                stream: 0,
                mask,
                zero_output: false,
            })),
            Err(NoGradient::Bug(bug)) => Err(bug.into()),
            Err(NoGradient::Overlap) => {
                self.found.push(
                    Diagnostic::new(
                        "RNN0240",
                        layer.span,
                        format!(
                            "{} uses parts of a vector that overlap, and their sizes are `const`s",
                            layer.text
                        ),
                    )
                    .help("give the sizes as numbers"),
                );
                Err(Stop::Reported)
            }
        }
    }
}

fn join(layer: &str, path: &str) -> String {
    match path {
        "" => layer.to_owned(),
        path => format!("{layer}/{path}"),
    }
}

fn on_axes(c: &Constraint, axes: usize) -> Constraint {
    let mut c = c.clone();
    if let Constraint::MaxNorm { axis, .. }
    | Constraint::MinMaxNorm { axis, .. }
    | Constraint::UnitNorm { axis } = &mut c
    {
        let axes = axes.max(1) as i64;
        for a in axis.iter_mut() {
            let from_start = if *a < 0 { *a + axes } else { *a };
            *a = from_start.clamp(0, axes - 1);
        }
        axis.sort_unstable();
        axis.dedup();
    }
    c
}
