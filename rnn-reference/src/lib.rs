//! The oracle: a model computed in `f64`, layer by layer, step by step, node by node.
//!
//! Slow and plain. It evaluates each cell as it was written (not regrouped, fused or cut into kernels)
//! and shares with the generated code nothing but the cell's graph. Every kernel, every
//! plan and (by finite differences of it) every gradient is checked against it. It depends on the
//! compiler's stages and not the other way round, so that no user's macros build it.
//!
//! Masks follow Keras (`keras/src/backend/tensorflow/rnn.py`): at a padded step the
//! states stay, and the outputs are those of the step before, zero before the first valid step or
//! where the layer says so (`zero_output_for_mask`).
#![forbid(unsafe_code)]

mod build;
mod call;
mod cell;
mod layers;
mod maths;
mod pointwise;
mod recurrent;
mod scan;
mod value;

pub use call::{
    Answer, Call, Draw, Drawn, Input, InputInfo, OutputData, ParamInfo, StateInfo, Weights,
};

use proc_macro2::{Group, Literal, TokenStream, TokenTree};

use build::Part;
use cell::known;
use rnn_compiler::{
    diagnostics::{Diagnostic, Diagnostics},
    ir::{Content, LayerGraph, Time},
    layer,
    layers::LAYERS,
    passes,
    syntax::ModelAst,
};

/// Why a model or a call cannot be interpreted, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(pub String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// The items of a program that a model names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Definitions<'a> {
    /// Cells by the name that the model gives them, and their definitions:
    /// `("MinimalGru", "cell MinimalGru(units) { … }")`.
    pub cells: &'a [(&'a str, &'a str)],
    /// `const`s that are used as sizes.
    pub consts: &'a [(&'a str, usize)],
}

/// A model whose sizes are all known.
#[derive(Clone, Debug)]
pub struct ReferenceModel {
    graph: LayerGraph,
    /// What each layer computes with.
    parts: Vec<Part>,
    specs: Vec<ParamInfo>,
    states: Vec<StateInfo>,
    draws: Vec<Draw>,
}

impl ReferenceModel {
    /// The model that `rnn_model!(text)` compiles.
    ///
    /// # Errors
    /// Every mistake in the model, one a line.
    ///
    /// ```
    /// use rnn_reference::{Input, ReferenceModel};
    ///
    /// let model = ReferenceModel::parse("Input(2) -> Dense(1)")?;
    /// let weights = [("dense/kernel".into(), vec![1.0, 2.0]), ("dense/bias".into(), vec![0.5])];
    /// let input = Input { batch: 1, time: 1, floats: vec![3.0, 4.0], ids: vec![] };
    /// assert_eq!(model.run(&weights.into(), &input, false)?, [11.5]);
    /// # Ok::<(), rnn_reference::Wrong>(())
    /// ```
    pub fn parse(text: &str) -> Result<ReferenceModel, Wrong> {
        ReferenceModel::parse_in(text, Definitions::default())
    }

    /// The same for a model that names cells and `const`s.
    ///
    /// # Errors
    /// As [`ReferenceModel::parse`].
    pub fn parse_in(text: &str, scope: Definitions<'_>) -> Result<ReferenceModel, Wrong> {
        let read = |text: &str| {
            text.parse::<TokenStream>()
                .map(|t| with_consts(t, scope.consts))
                .map_err(|e| Wrong(e.to_string()))
        };
        let mut tokens: TokenStream = read("@krate(recurrent::__private_0_1)")?;
        for (path, cell) in scope.cells {
            tokens.extend(read(&format!("@cell({path}) {{ {cell} }}"))?);
        }
        tokens.extend(read(text)?);
        let mut found = Diagnostics::new();
        let ast = ModelAst::parse(tokens, &rnn_compiler::layers::classes(), &mut found);
        let wanted = layer::missing_cell(&ast, LAYERS);
        let graph = passes::check_layers(&ast, &mut found);
        let all = found.take();
        if !all.is_empty() {
            let all: Vec<String> = all.iter().map(Diagnostic::text).collect();
            return Err(Wrong(all.join("\n")));
        }
        match (wanted, graph) {
            (None, Some(graph)) => ReferenceModel::of(graph),
            (Some(_), _) => Err(Wrong("a cell of the model is not among those given".into())),
            (None, None) => Err(Wrong("this is no model".into())),
        }
    }

    /// The parameters, in storage order.
    pub fn specs(&self) -> &[ParamInfo] {
        &self.specs
    }

    /// The states that stay between calls, in the order of [`Call::states`]: those of all stateful
    /// layers.
    pub fn states(&self) -> &[StateInfo] {
        &self.states
    }

    /// What training draws, in the order of [`Call::draws`].
    pub fn draws(&self) -> &[Draw] {
        &self.draws
    }

    /// The inputs, in the order of [`Call::inputs`].
    ///
    /// # Errors
    /// If a size is the name of a `const`.
    pub fn inputs(&self) -> Result<Vec<InputInfo>, Wrong> {
        let of = |(name, layer): &(String, usize)| {
            let shape = &self.graph.layers[*layer].outputs[0];
            Ok(InputInfo {
                name: name.clone(),
                content: shape.content,
                steps: match &shape.time {
                    Time::None => None,
                    Time::Any(_) => Some(None),
                    Time::Steps(t) => Some(Some(known(t)?)),
                },
                width: known(&shape.width())?,
                features: match shape.content {
                    Content::Numbers => shape.axes.iter().map(known).collect::<Result<_, _>>()?,
                    Content::Ids | Content::Mask => Vec::new(),
                },
            })
        };
        self.graph.inputs.iter().map(of).collect()
    }

    /// Features of one step of the first input; 1 for ids and masks.
    ///
    /// # Errors
    /// If they are the name of a `const`.
    pub fn input_features(&self) -> Result<usize, Wrong> {
        let first = self.inputs()?.into_iter().next();
        first.map_or(Err(Wrong("there is no input".into())), |i| Ok(i.width))
    }

    /// Steps of the first input: `None` without a time axis, `Some(None)` for any number.
    ///
    /// # Errors
    /// If they are the name of a `const`.
    pub fn input_steps(&self) -> Result<Option<Option<usize>>, Wrong> {
        let first = self.inputs()?.into_iter().next();
        first.map_or(Err(Wrong("there is no input".into())), |i| Ok(i.steps))
    }

    /// The output of a model with one input and one output, `[batch, (time,) features]`; states
    /// start at zero. In training, `BatchNormalization` uses the statistics of the batch; a layer
    /// that draws numbers is refused ([`ReferenceModel::call`] takes them).
    ///
    /// # Errors
    /// If the model has several inputs or outputs, a weight is missing or of another size, the
    /// input does not fit the model, or a layer draws numbers in training.
    pub fn run(&self, weights: &Weights, x: &Input, training: bool) -> Result<Vec<f64>, Wrong> {
        let call = Call {
            inputs: vec![x.clone()],
            training,
            ..Call::default()
        };
        let mut outputs = self.call(weights, &call)?.outputs;
        match (outputs.pop(), outputs.is_empty()) {
            (Some(only), true) => Ok(only.data),
            _ => Err(Wrong("the model has several outputs".into())),
        }
    }

    /// All outputs with their masks, and the states after the call.
    ///
    /// # Errors
    /// If a weight is missing or of another size, an input, a state or a draw does not fit the
    /// model, or training draws numbers that are not given.
    ///
    /// ```
    /// use rnn_reference::{Call, Input, ReferenceModel};
    ///
    /// let model = ReferenceModel::parse("input x: [2]; input y: [2]; output z = (x, y) -> Add; output w = y;")?;
    /// let input = |floats: [f64; 2]| Input { batch: 1, time: 1, floats: floats.into(), ids: vec![] };
    /// let call = Call { inputs: vec![input([1.0, 2.0]), input([3.0, 4.0])], ..Call::default() };
    /// let answer = model.call(&Default::default(), &call)?;
    /// assert_eq!((answer.outputs[0].name.as_str(), &*answer.outputs[0].data), ("z", &[4.0, 6.0][..]));
    /// assert_eq!(answer.outputs[1].data, [3.0, 4.0]);
    /// # Ok::<(), rnn_reference::Wrong>(())
    /// ```
    pub fn call(&self, weights: &Weights, call: &Call) -> Result<Answer, Wrong> {
        layers::run(self, weights, call)
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
mod cell_tests;
#[cfg(test)]
mod einsum_tests;
#[cfg(test)]
mod graph_tests;
#[cfg(test)]
mod kernel_tests;
#[cfg(test)]
mod tests;
