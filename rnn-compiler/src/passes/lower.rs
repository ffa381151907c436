//! `LayerGraph → OpGraph`: layers become operations; their cells are built, optimised and
//! differentiated.

use crate::{
    cell::{Cell, CellUse, Param, size::Size},
    diagnostics::{Diagnostic, Diagnostics},
    ir::{
        CellOp, Layer, LayerGraph, LayerKind, ModelParam, Op, OpGraph, OpKind, Time, Value, ValueId,
    },
};

struct Lowering<'a> {
    values: Vec<Value>,
    ops: Vec<Op>,
    params: Vec<ModelParam>,
    /// The value of each layer.
    of_layer: Vec<ValueId>,
    found: &'a mut Diagnostics,
}

/// Lowers a checked model. What is reported here could not be seen before: overlapping parts of a
/// state whose sizes are `const`s.
pub fn lower(layers: LayerGraph, found: &mut Diagnostics) -> Option<OpGraph> {
    let mut l = Lowering {
        values: Vec::new(),
        ops: Vec::new(),
        params: Vec::new(),
        of_layer: Vec::new(),
        found,
    };
    for layer in &layers.layers {
        let value = l.layer(&layers, layer)?;
        l.of_layer.push(value);
    }
    Some(OpGraph {
        output: l.of_layer[layers.output],
        values: l.values,
        ops: l.ops,
        params: l.params,
        layers,
    })
}

impl Lowering<'_> {
    fn value(&mut self, width: &Size, sequence: bool, only_last: bool) -> ValueId {
        self.values.push(Value {
            width: width.clone(),
            sequence,
            only_last,
        });
        self.values.len() - 1
    }

    fn op(&mut self, layer: &Layer, kind: OpKind, input: ValueId, output: ValueId) {
        self.ops.push(Op {
            kind,
            input,
            output,
            span: layer.span,
            text: layer.text.clone(),
        });
    }

    fn param(&mut self, layer: &Layer, p: &Param) -> usize {
        self.params.push(ModelParam {
            name: format!("{}/{}", layer.name, p.name),
            shape: p.shape.clone(),
            init: p.init.clone(),
            trainable: p.trainable,
        });
        self.params.len() - 1
    }

    fn layer(&mut self, graph: &LayerGraph, layer: &Layer) -> Option<ValueId> {
        let sequence = layer.shape.time != Time::None;
        let width = &layer.shape.features;
        let LayerKind::Input = layer.kind else {
            let source = layer.inputs[0];
            let input = self.of_layer[source];
            let from = &graph.layers[source].shape;
            return self.computing(layer, input, &from.features, from.time != Time::None);
        };
        Some(self.value(width, sequence, false))
    }

    fn computing(
        &mut self,
        layer: &Layer,
        input: ValueId,
        from: &Size,
        from_sequence: bool,
    ) -> Option<ValueId> {
        let sequence = layer.shape.time != Time::None;
        let width = &layer.shape.features;
        match &layer.kind {
            LayerKind::Input => None,
            LayerKind::Embedding {
                input_dim,
                output_dim,
                init,
            } => {
                let table = self.param(
                    layer,
                    &Param {
                        name: "embeddings".into(),
                        shape: vec![input_dim.clone(), output_dim.clone()],
                        init: init.clone(),
                        trainable: true,
                    },
                );
                let output = self.value(width, sequence, false);
                let kind = OpKind::Gather {
                    table,
                    vocabulary: input_dim.clone(),
                };
                self.op(layer, kind, input, output);
                Some(output)
            }
            LayerKind::Rnn {
                cell,
                return_sequences,
                go_backwards,
                unroll,
            } => {
                let mut input = input;
                if *go_backwards {
                    let reversed = self.value(from, true, false);
                    self.op(layer, OpKind::Reverse, input, reversed);
                    input = reversed;
                }
                let cell = self.cell(layer, cell, from, *unroll)?;
                let output = self.value(width, *return_sequences, !return_sequences);
                self.op(layer, OpKind::Cell(cell), input, output);
                Some(output)
            }
            LayerKind::Pointwise { cell } => {
                let cell = self.cell(layer, cell, from, None)?;
                let output = self.value(width, sequence, false);
                self.op(layer, OpKind::Cell(cell), input, output);
                Some(output)
            }
            LayerKind::BatchNormalization {
                cell,
                momentum,
                epsilon,
            } => {
                let cell = self.cell(layer, cell, from, None)?;
                let output = self.value(width, sequence, false);
                let kind = OpKind::Normalize {
                    cell,
                    momentum: *momentum,
                    epsilon: *epsilon,
                };
                self.op(layer, kind, input, output);
                Some(output)
            }
            LayerKind::Dropout { rate } => {
                if *rate == 0.0 {
                    return Some(input);
                }
                let output = self.value(width, sequence, false);
                self.op(layer, OpKind::Dropout { rate: *rate }, input, output);
                Some(output)
            }
            LayerKind::Flatten => {
                if !from_sequence {
                    return Some(input);
                }
                let output = self.value(width, false, false);
                self.op(layer, OpKind::Flatten, input, output);
                Some(output)
            }
        }
    }

    fn cell(
        &mut self,
        layer: &Layer,
        cell: &CellUse,
        input: &Size,
        unroll: Option<bool>,
    ) -> Option<Box<CellOp>> {
        let mut cell = Cell::build(cell, &[vec![input.clone()]], self.found)?;
        cell.optimize();
        let params = cell
            .params
            .clone()
            .iter()
            .map(|p| self.param(layer, p))
            .collect();
        match cell.backward() {
            Ok(backward) => Some(Box::new(CellOp {
                cell,
                backward,
                params,
                unroll,
            })),
            Err(_) => {
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
                None
            }
        }
    }
}
