//! Prepares a checked graph: builds cells for their sizes; numbers parameters, states and draws.

use super::{Draw, Drawn, ParamInfo, ReferenceModel, StateInfo, Wrong, cell::known};
use rnn_compiler::{
    cell::{Cell, CellUse, size::Size},
    diagnostics::Diagnostics,
    ir::{Layer, LayerGraph, LayerKind, Rnn, UsedCell},
};

/// What a layer computes with.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// Cells: of a recurrent layer from the first to the last, of another layer its one cell.
    pub cells: Vec<Ready>,
    /// The cells of the second layer of a `Bidirectional`.
    pub backward: Vec<Ready>,
    /// What merges the two directions.
    pub merge: Option<Cell>,
    /// The parameter that is an embedding's table.
    pub table: usize,
    /// The index of the first state of a stateful layer.
    pub states: usize,
    /// What the layer itself draws.
    pub draw: Option<usize>,
}

/// A cell with its parameters.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub cell: Cell,
    /// The model's parameter for each of the cell's.
    pub params: Vec<usize>,
    /// The model's draw for each of the cell's masks; `None` for one that drops nothing.
    pub draws: Vec<Option<usize>>,
}

impl ReferenceModel {
    /// The model of a checked graph of layers.
    ///
    /// # Errors
    /// If a size is the name of a `const`.
    pub fn of(graph: LayerGraph) -> Result<ReferenceModel, Wrong> {
        let mut model = ReferenceModel {
            graph,
            parts: Vec::new(),
            specs: Vec::new(),
            states: Vec::new(),
            draws: Vec::new(),
        };
        for i in 0..model.graph.layers.len() {
            let layer = model.graph.layers[i].clone();
            let part = model.part(&layer)?;
            model.parts.push(part);
        }
        Ok(model)
    }

    fn part(&mut self, layer: &Layer) -> Result<Part, Wrong> {
        let mut part = Part::default();
        let inputs: Vec<Vec<Size>> = layer
            .inputs
            .iter()
            .map(|&p| self.graph.shape(p).axes.clone())
            .collect();
        // A call of a shared layer has the weights and the states of the first one.
        let first = layer.shared.map(|l| self.parts[l].clone());
        let drawn = self.draws.len();
        match &layer.kind {
            LayerKind::Embedding {
                input_dim,
                output_dim,
                options,
                ..
            } => {
                part.table = match &first {
                    Some(first) => first.table,
                    None => {
                        self.specs.push(ParamInfo {
                            name: format!("{}/embeddings", layer.name),
                            shape: vec![known(input_dim)?, known(output_dim)?],
                            trainable: !options.frozen,
                        });
                        self.specs.len() - 1
                    }
                };
            }
            LayerKind::Rnn(rnn) => {
                part.states = self.kept(layer, &[(rnn, "")], first.as_ref())?;
                let known = first.as_ref().map(|f| &*f.cells);
                part.cells = self.stack(&layer.name, rnn, &inputs, known)?;
            }
            LayerKind::Bidirectional {
                forward,
                backward,
                merge,
                ..
            } => {
                let names = (
                    direction("forward", forward),
                    direction("backward", backward),
                );
                let both = [(&**forward, &*names.0), (&**backward, &*names.1)];
                part.states = self.kept(layer, &both, first.as_ref())?;
                let path = |name: &str| format!("{}/{name}", layer.name);
                let known = first.as_ref().map(|f| &*f.cells);
                part.cells = self.stack(&path(&names.0), forward, &inputs, known)?;
                let known = first.as_ref().map(|f| &*f.backward);
                part.backward = self.stack(&path(&names.1), backward, &inputs, known)?;
                // Vectors, whatever their axes, as the lowered cell reads them.
                let vector = |axes: &[Size]| vec![axes.iter().fold(Size::known(1), |n, s| &n * s)];
                let merged = [vector(&forward.outputs[0]), vector(&backward.outputs[0])];
                part.merge = match merge {
                    Some(cell) => Some(built(cell, &merged)?),
                    None => None,
                };
            }
            LayerKind::Pointwise { cell } | LayerKind::BatchNormalization { cell, .. } => {
                let known = first.as_ref().and_then(|f| f.cells.first());
                part.cells = vec![self.ready(&layer.name, cell, &inputs, known)?];
            }
            LayerKind::Op(op) => {
                let from = layer.inputs.first().map(|&p| self.graph.shape(p));
                let identity = from.is_some_and(|from| op.is_identity(from, &layer.outputs[0]));
                if let (Some(draws), false) = (op.draws(), identity) {
                    let drawn = Drawn::Perturbation(draws.how);
                    part.draw = Some(self.draw(layer, drawn, draws.every_step, draws.seed)?);
                }
            }
            LayerKind::Input | LayerKind::Identity => {}
        }
        if let Some(first) = layer.shared {
            let until = &self.graph.layers[first..self.parts.len()];
            let again = until.iter().filter(|l| l.shared == Some(first)).count();
            for draw in &mut self.draws[drawn..] {
                draw.call = 1 + again;
            }
        }
        Ok(part)
    }

    fn draw(
        &mut self,
        layer: &Layer,
        drawn: Drawn,
        every_step: bool,
        seed: Option<u64>,
    ) -> Result<usize, Wrong> {
        self.draws.push(Draw {
            layer: layer.name.clone(),
            drawn,
            every_step: every_step && layer.outputs[0].is_sequence(),
            width: known(&layer.outputs[0].width())?,
            seed,
            call: 0,
            cell: 0,
            mask: 0,
        });
        Ok(self.draws.len() - 1)
    }

    /// Numbers the states of a stateful layer; those of a shared one are there already.
    fn kept(
        &mut self,
        layer: &Layer,
        of: &[(&Rnn, &str)],
        first: Option<&Part>,
    ) -> Result<usize, Wrong> {
        if let Some(first) = first {
            return Ok(first.states);
        }
        let start = self.states.len();
        for (rnn, path) in of.iter().filter(|(rnn, _)| rnn.stateful) {
            for (name, shape) in &rnn.states {
                self.states.push(StateInfo {
                    layer: join(&layer.name, path),
                    name: name.clone(),
                    width: known(&shape.iter().fold(Size::known(1), |n, s| &n * s))?,
                });
            }
        }
        Ok(start)
    }

    /// Cells one on top of the other: each reads what the one before it gives.
    fn stack(
        &mut self,
        path: &str,
        rnn: &Rnn,
        inputs: &[Vec<Size>],
        shared: Option<&[Ready]>,
    ) -> Result<Vec<Ready>, Wrong> {
        let (mut cells, mut read) = (Vec::new(), inputs.to_vec());
        for (i, used) in rnn.cells.iter().enumerate() {
            let path = join(path, used.prefix.as_deref().unwrap_or(""));
            let first = self.draws.len();
            let cell = self.ready(&path, used, &read, shared.and_then(|s| s.get(i)))?;
            for draw in &mut self.draws[first..] {
                draw.seed = draw.seed.or(rnn.seed);
                draw.cell = i;
            }
            read = cell.cell.outputs.iter().map(|o| o.shape.clone()).collect();
            cells.push(cell);
        }
        Ok(cells)
    }

    /// A cell for its inputs. One that is shared brings its parameters; masks are drawn anew.
    fn ready(
        &mut self,
        path: &str,
        used: &UsedCell,
        inputs: &[Vec<Size>],
        shared: Option<&Ready>,
    ) -> Result<Ready, Wrong> {
        let cell = built(&used.cell, inputs)?;
        let params = match shared {
            Some(first) => first.params.clone(),
            None => {
                let start = self.specs.len();
                for p in &cell.params {
                    self.specs.push(ParamInfo {
                        name: format!("{path}/{}", p.name),
                        shape: p.shape.iter().map(known).collect::<Result<_, _>>()?,
                        trainable: p.trainable && !used.options.frozen,
                    });
                }
                (start..self.specs.len()).collect()
            }
        };
        let mut draws = Vec::new();
        for (mask, noise) in cell.dropout_masks.iter().enumerate() {
            draws.push((noise.rate != 0.0).then_some(self.draws.len()));
            if noise.rate != 0.0 {
                self.draws.push(Draw {
                    layer: path.to_owned(),
                    drawn: Drawn::Factors { rate: noise.rate },
                    every_step: false,
                    width: known(&noise.width)?,
                    seed: used.options.seed,
                    call: 0,
                    cell: 0,
                    mask,
                });
            }
        }
        Ok(Ready {
            cell,
            params,
            draws,
        })
    }
}

/// A cell for inputs of these shapes; ids and masks have no axes and are one number.
fn built(cell: &CellUse, inputs: &[Vec<Size>]) -> Result<Cell, Wrong> {
    let one = |axes: &Vec<Size>| match axes.as_slice() {
        [] => vec![Size::known(1)],
        axes => axes.to_vec(),
    };
    let inputs: Vec<Vec<Size>> = inputs.iter().map(one).collect();
    let mut found = Diagnostics::new();
    let built = Cell::build(cell, &inputs, &mut found);
    found.take();
    built.ok_or_else(|| Wrong(format!("{} has mistakes", cell.cell.name)))
}

/// What Keras calls a direction: `forward_lstm`.
fn direction(which: &str, rnn: &Rnn) -> String {
    format!("{which}_{}", rnn.stem)
}

fn join(layer: &str, path: &str) -> String {
    match path {
        "" => layer.to_owned(),
        path => format!("{layer}/{path}"),
    }
}
