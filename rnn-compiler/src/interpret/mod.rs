//! The oracle: a model computed in `f64`, layer by layer, step by step, node by node.
//!
//! Slow and plain. It takes each cell as it was written, neither regrouped nor fused nor cut into
//! phases, and shares with the generated code nothing but the cell's graph. Every kernel, every
//! plan and (by finite differences of it) every gradient is checked against it.

mod cell;
mod layers;
mod maths;

use std::collections::BTreeMap;

use proc_macro2::{Group, Literal, TokenStream, TokenTree};

use crate::{
    cell::Cell,
    diagnostics::{Diagnostic, Diagnostics},
    ir::{LayerGraph, LayerKind, Time},
    layer,
    layers::LAYERS,
    passes,
    syntax::ModelAst,
};
use cell::known;

/// What cannot be interpreted, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(pub String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// The weights of a model by name, such as `lstm/kernel`, each row-major.
pub type Weights = BTreeMap<String, Vec<f64>>;

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// `lstm/kernel`
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether an optimizer changes it.
    pub trainable: bool,
}

/// A batch for a model, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Rows.
    pub batch: usize,
    /// Steps; 1 for an input without a time axis.
    pub time: usize,
    /// `[batch, time, features]`, empty for class ids.
    pub floats: Vec<f64>,
    /// `[batch, time]`, empty for features.
    pub ids: Vec<u32>,
}

/// What stands around a model in a program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// Cells by the name that the model gives them, and their definitions:
    /// `("MinimalGru", "cell MinimalGru(units) { … }")`.
    pub cells: &'a [(&'a str, &'a str)],
    /// `const`s that are used as sizes.
    pub consts: &'a [(&'a str, usize)],
}

/// A model whose sizes are all known.
#[derive(Clone, Debug)]
pub struct Model {
    graph: LayerGraph,
    /// The cell of each layer that has one.
    cells: Vec<Option<Cell>>,
    specs: Vec<Spec>,
}

impl Model {
    /// The model that `rnn_model!(text)` compiles.
    ///
    /// # Errors
    /// Every mistake in the model, one a line.
    ///
    /// ```
    /// use rnn_compiler::interpret::{Input, Model};
    ///
    /// let model = Model::parse("Input(2) -> Dense(1)")?;
    /// let weights = [("dense/kernel".into(), vec![1.0, 2.0]), ("dense/bias".into(), vec![0.5])];
    /// let input = Input { batch: 1, time: 1, floats: vec![3.0, 4.0], ids: vec![] };
    /// assert_eq!(model.run(&weights.into(), &input, false)?, [11.5]);
    /// # Ok::<(), rnn_compiler::interpret::Wrong>(())
    /// ```
    pub fn parse(text: &str) -> Result<Model, Wrong> {
        Model::parse_in(text, Scope::default())
    }

    /// The same for a model that names cells and `const`s.
    ///
    /// # Errors
    /// As [`Model::parse`].
    pub fn parse_in(text: &str, scope: Scope<'_>) -> Result<Model, Wrong> {
        let read = |text: &str| {
            text.parse::<TokenStream>()
                .map(|t| with_consts(t, scope.consts))
                .map_err(|e| Wrong(e.to_string()))
        };
        let mut tokens: TokenStream = read("@krate(recurrent)")?;
        for (path, cell) in scope.cells {
            tokens.extend(read(&format!("@cell({path}) {{ {cell} }}"))?);
        }
        tokens.extend(read(text)?);
        let mut found = Diagnostics::new();
        let ast = ModelAst::parse(tokens, &mut found);
        let wanted = layer::wanted(&ast, LAYERS);
        let graph = passes::check_layers(&ast, &mut found);
        let all = found.take();
        if !all.is_empty() {
            let all: Vec<String> = all.iter().map(Diagnostic::text).collect();
            return Err(Wrong(all.join("\n")));
        }
        match (wanted, graph) {
            (None, Some(graph)) => Model::of(graph),
            (Some(_), _) => Err(Wrong("a cell of the model is not among those given".into())),
            (None, None) => Err(Wrong("this is no model".into())),
        }
    }

    /// The model of a checked graph of layers.
    ///
    /// # Errors
    /// If a size is the name of a `const`.
    pub fn of(graph: LayerGraph) -> Result<Model, Wrong> {
        let (mut cells, mut specs) = (Vec::new(), Vec::new());
        for l in &graph.layers {
            let mut param = |name: &str, shape: &[crate::cell::size::Size], trainable| {
                let shape = shape.iter().map(known).collect::<Result<_, _>>()?;
                let name = format!("{}/{name}", l.name);
                specs.push(Spec {
                    name,
                    shape,
                    trainable,
                });
                Ok(())
            };
            cells.push(match &l.kind {
                LayerKind::Embedding {
                    input_dim,
                    output_dim,
                    ..
                } => {
                    param("embeddings", &[input_dim.clone(), output_dim.clone()], true)?;
                    None
                }
                LayerKind::Rnn { cell, .. }
                | LayerKind::Pointwise { cell }
                | LayerKind::BatchNormalization { cell, .. } => {
                    let input = &graph.layers[l.inputs[0]].shape.features;
                    let mut found = Diagnostics::new();
                    let cell = Cell::build(cell, &[vec![input.clone()]], &mut found);
                    found.take();
                    let cell = cell.ok_or_else(|| Wrong(format!("{} has mistakes", l.text)))?;
                    for p in &cell.params {
                        param(&p.name, &p.shape, p.trainable)?;
                    }
                    Some(cell)
                }
                LayerKind::Input | LayerKind::Dropout { .. } | LayerKind::Flatten => None,
            });
        }
        Ok(Model {
            graph,
            cells,
            specs,
        })
    }

    /// The parameters, in storage order.
    pub fn specs(&self) -> &[Spec] {
        &self.specs
    }

    /// Features of one step of the input; 1 for ids.
    ///
    /// # Errors
    /// If they are the name of a `const`.
    pub fn input_features(&self) -> Result<usize, Wrong> {
        known(&self.graph.layers[0].shape.features)
    }

    /// Steps of the input: `None` without a time axis, `Some(None)` for any number.
    ///
    /// # Errors
    /// If they are the name of a `const`.
    pub fn input_steps(&self) -> Result<Option<Option<usize>>, Wrong> {
        Ok(match &self.graph.layers[0].shape.time {
            Time::None => None,
            Time::Any => Some(None),
            Time::Steps(t) => Some(Some(known(t)?)),
        })
    }

    /// The output, `[batch, (time,) features]`. In training, `BatchNormalization` uses the
    /// statistics of the batch; a `Dropout` that drops anything is refused, as its mask is drawn.
    ///
    /// # Errors
    /// If a weight is missing or of another size, the input does not fit the model, or a layer
    /// drops values in training.
    pub fn run(&self, weights: &Weights, x: &Input, training: bool) -> Result<Vec<f64>, Wrong> {
        layers::run(self, weights, x, training)
    }
}

/// The tokens with the names of `const`s replaced by their values.
fn with_consts(tokens: TokenStream, consts: &[(&str, usize)]) -> TokenStream {
    tokens
        .into_iter()
        .map(|t| match t {
            TokenTree::Ident(i) => match consts.iter().find(|(name, _)| i == name) {
                Some((_, n)) => TokenTree::Literal(Literal::usize_unsuffixed(*n)),
                None => TokenTree::Ident(i),
            },
            TokenTree::Group(g) => {
                let inside = with_consts(g.stream(), consts);
                TokenTree::Group(Group::new(g.delimiter(), inside))
            }
            t => t,
        })
        .collect()
}

#[cfg(test)]
mod tests;
