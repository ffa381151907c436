//! `layer l = LSTM(8);` and its calls: `x -> l`, `y -> l(initial_state = s, mask = m)`.

use proc_macro2::Span;

use super::Checker;
use crate::{
    cell::{Cell, Item, size::Size},
    cursor::Reported,
    diagnostics::{Diagnostic, Diagnostics},
    ir::{Content, LayerId, LayerKind, Port, UsedCell},
    layer::{Argument, Incoming, Kind, OF_CALL},
    layers,
    syntax::{ArgumentAst, LayerAst},
};

/// A `layer` statement.
pub(super) struct SharedLayer {
    pub ast: LayerAst,
    /// Its first call.
    pub first: Option<LayerId>,
    pub used: bool,
}

impl Checker<'_> {
    /// The layer that the call of a shared layer stands for: its declaration, with the arguments of the
    /// call. `None` if the name is not that of a shared layer.
    pub(super) fn called(&mut self, call: &LayerAst) -> Option<Result<LayerAst, Reported>> {
        let name = call.name.to_string();
        let shared = self.shared.get_mut(&name)?;
        // A shared layer with the name of a class hides the class only where it has no arguments.
        if !call.arguments.is_empty() && layers::find(&name).is_some() {
            return None;
        }
        shared.used = true;
        let mut ast = shared.ast.clone();
        let of_call = |a: &&ArgumentAst| {
            let name = a.name.as_ref().map(ToString::to_string);
            name.is_some_and(|n| OF_CALL.contains(&n.as_str()))
        };
        if let Some(other) = call.arguments.iter().find(|a| !of_call(a)) {
            let d = not_of_call(&name, &ast, other);
            self.mistake(d);
            return Some(Err(Reported));
        }
        ast.arguments.extend(call.arguments.iter().cloned());
        Some(Ok(ast))
    }

    /// Checks that all calls of a shared layer with weights read vectors of one size, the size of its
    /// weights.
    pub(super) fn same_weights(
        &mut self,
        first: Option<LayerId>,
        kind: &LayerKind,
        inputs: &[Incoming],
        text: &str,
        span: Span,
    ) {
        let Some(first) = first else { return };
        let shape = |p: &Port| &self.layers[p.layer].outputs[p.index];
        let before: Vec<Vec<Size>> = self.layers[first]
            .inputs
            .iter()
            .map(shape)
            // The masks that merges read stand after the values.
            .filter(|s| s.content != Content::Mask)
            .map(|s| s.axes.clone())
            .collect();
        let now: Vec<Vec<Size>> = inputs
            .iter()
            .filter_map(|i| i.shape().map(|s| s.axes.clone()))
            .collect();
        if before != now && has_weights(kind, &now) {
            let list = |all: &[Vec<Size>]| -> String {
                let all = all.iter().map(|axes| {
                    let axes: Vec<String> = axes.iter().map(ToString::to_string).collect();
                    axes.join(" x ")
                });
                all.collect::<Vec<_>>().join(" and ")
            };
            let (before, now) = (list(&before), list(&now));
            self.mistake(
                Diagnostic::new(
                    "RNN0169",
                    span,
                    format!("{text} is shared: it read {before} features before, here {now}"),
                )
                .note("a shared layer has one set of weights")
                .help(format!(
                    "bring the value to that size before: `-> Dense({before}) -> …`, or write {text} here, with weights of its own"
                )),
            );
        }
    }

    /// Checks that a stateful layer is called once: its states are those of one sequence.
    pub(super) fn one_stateful(
        &mut self,
        first: Option<LayerId>,
        kind: &LayerKind,
        text: &str,
        span: Span,
    ) {
        let stateful = match kind {
            LayerKind::Rnn(rnn) => rnn.stateful,
            LayerKind::Bidirectional { forward, .. } => forward.stateful,
            _ => false,
        };
        if first.is_some() && stateful {
            self.mistake(
                Diagnostic::new(
                    "RNN0168",
                    span,
                    format!("{text} is stateful and used twice"),
                )
                .note("its states would be those of two sequences")
                .help("write the layer at both places, or leave `stateful` out"),
            );
        }
    }
}

/// Whether a layer with these inputs has weights. The parameters of a cell may depend on its arguments,
/// so the cell is built.
fn has_weights(kind: &LayerKind, inputs: &[Vec<Size>]) -> bool {
    match kind {
        LayerKind::Embedding { .. } | LayerKind::BatchNormalization { .. } => true,
        LayerKind::Pointwise { cell } => any_params(std::slice::from_ref(cell), inputs),
        LayerKind::Rnn(rnn) => any_params(&rnn.cells, inputs),
        LayerKind::Bidirectional {
            forward, backward, ..
        } => any_params(&forward.cells, inputs) || any_params(&backward.cells, inputs),
        LayerKind::Input | LayerKind::Op(_) | LayerKind::Identity => false,
    }
}

/// Whether one of several cells in a row has parameters.
fn any_params(cells: &[UsedCell], inputs: &[Vec<Size>]) -> bool {
    let mut read = inputs.to_vec();
    cells.iter().any(|used| {
        // A merge reads the masks after its values; no parameter has their size.
        let inputs = used.cell.cell.items.iter();
        let masks = inputs.filter(|i| matches!(i, Item::Input { .. })).count();
        read.resize(masks.max(read.len()), vec![Size::known(1)]);
        // The same cell has been built before, so this finds no new mistakes.
        match Cell::build(&used.cell, &read, &mut Diagnostics::new()) {
            Some(cell) if cell.params.is_empty() => {
                read = cell.outputs.into_iter().map(|o| o.shape).collect();
                false
            }
            _ => true,
        }
    })
}

/// The message for an argument of the declaration that stands at a call.
fn not_of_call(name: &str, declared: &LayerAst, argument: &ArgumentAst) -> Diagnostic {
    let written = match &argument.name {
        Some(n) => n.to_string(),
        None => argument.value.to_string(),
    };
    let d = Diagnostic::new(
        "RNN0178",
        argument.span(),
        format!(
            "a call of `{name}` has only `initial_state` and `mask` as arguments, found `{written}`"
        ),
    )
    .note(format!("`layer {name} = {declared};` has the others"));
    let flag = argument.name.is_none() && OF_CALL.contains(&written.as_str());
    // Whether the declaration could take the argument and does not have it yet.
    let takes = |n: &str| {
        let def = layers::find(&declared.name.to_string());
        let arguments = def.map_or(&[][..], |d| d.arguments);
        let optional = |a: &Argument| !a.required && !matches!(a.kind, Kind::NotYet(_));
        arguments.iter().any(|a| a.name == n && optional(a))
            && declared.arguments.iter().all(|a| match &a.name {
                Some(known) => known != n,
                None => a.value.to_string() != n,
            })
    };
    d.help(match () {
        () if flag => format!("give it a value: `{name}({written} = s)`"),
        () if takes(&written) => {
            let with = declared.clone().and(argument.clone());
            format!("write it there: `layer {name} = {with};`")
        }
        () => format!("leave it out: `-> {name}`"),
    })
}
