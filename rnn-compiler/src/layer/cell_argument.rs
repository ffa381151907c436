//! The cell in `RNN(…)`: one that belongs to a layer, or one made by `rnn_cell!`.

use super::{
    LayerDef,
    arguments::{Argument, Kind, LayerArguments},
    bind::bind_as,
    cells,
    context::Context,
    own_cell::own_cell,
};
use crate::{
    cell::{single, size::Size, snake},
    diagnostics::{Diagnostic, Diagnostics},
    ir::UsedCell,
    syntax::{
        ArgumentAst, BodyAst, LayerAst, ModelAst, StatementAst, ValueAst, ValueKind, path_text,
    },
};

const HELP: &str =
    "write RNN(LSTMCell(64)), or a cell of your own made by rnn_cell!: RNN(MyCell(32))";

/// The first cell of a model that has to be fetched from its own macro.
pub fn missing_cell(model: &ModelAst, layers: &[&LayerDef]) -> Option<syn::Path> {
    let mut cells = Vec::new();
    for layer in layers_of(&model.body) {
        wanted_by(layer, layers, &mut cells);
    }
    cells.into_iter().find(|path| {
        let known =
            |l: &&LayerDef, name: &str| l.class == name || l.is_cell(name) || l.stack == Some(name);
        let own = single(path).is_none_or(|name| !layers.iter().any(|l| known(l, &name)));
        own && !model.cells.iter().any(|c| c.is(path))
    })
}

/// Every layer of a model that could be read.
fn layers_of(body: &BodyAst) -> Vec<&LayerAst> {
    match body {
        BodyAst::Chain(chain) => chain.iter().flatten().collect(),
        BodyAst::Graph(statements) => statements
            .iter()
            .flat_map(|s| match s {
                StatementAst::Layer { layer, .. } => layer.iter().collect(),
                StatementAst::Let { value, .. } | StatementAst::Output { value, .. } => {
                    value.layers.iter().flatten().collect::<Vec<_>>()
                }
                StatementAst::Input { .. } | StatementAst::Unreadable { .. } => Vec::new(),
            })
            .collect(),
    }
}

/// The cells of a layer, and of the layers inside it: `Bidirectional(RNN(MyCell(32)))`.
fn wanted_by(layer: &LayerAst, layers: &[&LayerDef], cells: &mut Vec<syn::Path>) {
    let def = layers.iter().find(|l| layer.name == l.class);
    if let Some((def, argument)) = def.and_then(|def| Some((def, def.cell_argument()?))) {
        let named = |a: &&ArgumentAst| a.name.as_ref().is_some_and(|n| n == argument.name);
        let by_name = layer.arguments.iter().find(named);
        let is_cell = |v: &ValueAst| cell_path(v).is_some() || matches!(v.kind, ValueKind::List(_));
        let mut unnamed = layer.arguments.iter().filter(|a| a.name.is_none());
        if let Some(cell) = by_name.or_else(|| unnamed.find(|a| is_cell(&a.value))) {
            cells_in(&cell.value, def.stack, cells);
        }
    }
    for a in &layer.arguments {
        inner_layers(&a.value, layers, cells);
    }
}

/// The cells of the layers in a value.
fn inner_layers(value: &ValueAst, layers: &[&LayerDef], cells: &mut Vec<syn::Path>) {
    match &value.kind {
        ValueKind::Call(_, arguments) => match value.as_layer() {
            Some(layer) => wanted_by(&layer, layers, cells),
            // A cell's path names no layer, but its arguments may be layers.
            None => arguments
                .iter()
                .for_each(|a| inner_layers(&a.value, layers, cells)),
        },
        ValueKind::List(values) => values.iter().for_each(|v| inner_layers(v, layers, cells)),
        _ => {}
    }
}

/// The cell that a value is, or the cells of a list.
fn cells_in(value: &ValueAst, stack: Option<&str>, cells: &mut Vec<syn::Path>) {
    let mut list = Vec::new();
    match stacked(value, stack, &mut list) {
        true => cells.extend(list.into_iter().filter_map(cell_path)),
        false => cells.extend(cell_path(value)),
    }
}

/// The path of a value that can be a cell: `MyCell(32)`, `cells::MyCell`. Cells are types, so the
/// last part is upper case.
fn cell_path(value: &ValueAst) -> Option<syn::Path> {
    let (ValueKind::Path(path) | ValueKind::Call(path, _)) = &value.kind else {
        return None;
    };
    let last = path.segments.last()?.ident.to_string();
    last.starts_with(char::is_uppercase).then(|| path.clone())
}

/// The cells in `RNN(…)`, with their arguments, and a guess of the output.
pub(crate) fn cells_of(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    found: &mut Diagnostics,
) -> Option<(Vec<UsedCell>, Option<Size>)> {
    let value = given.raw("cell")?;
    let mut list = Vec::new();
    if !stacked(value, given.def.stack, &mut list) {
        let (cell, units) = cell_of(given, context, value, found)?;
        return Some((vec![cell], units));
    }
    if list.is_empty() {
        let d = Diagnostic::new("RNN0133", value.span, "RNN needs a cell, found none");
        found.push(d.help(HELP));
        return None;
    }
    let built: Vec<_> = list
        .iter()
        .map(|v| cell_of(given, context, v, found))
        .collect();
    let (mut cells, mut units) = (Vec::new(), None);
    // Keras's names: `lstm_cell`, `lstm_cell_1`.
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for cell in built {
        let (mut cell, size) = cell?;
        let stem = snake(&cell.cell.cell.name.to_string());
        let count = counts.entry(stem.clone()).or_insert(0);
        cell.prefix = Some(match *count {
            0 => stem,
            n => format!("{stem}_{n}"),
        });
        *count += 1;
        cells.push(cell);
        units = size;
    }
    Some((cells, units))
}

/// Collects the cells of a list, or of Keras's class for one (`StackedRNNCells([A(1), B(2)])`). Gives
/// whether the value is one of these.
fn stacked<'a>(value: &'a ValueAst, stack: Option<&str>, cells: &mut Vec<&'a ValueAst>) -> bool {
    let mut one = |v: &'a ValueAst| {
        if !stacked(v, stack, cells) {
            cells.push(v);
        }
    };
    let is_stack = |path| stack.is_some() && single(path).as_deref() == stack;
    match &value.kind {
        ValueKind::List(list) => list.iter().for_each(one),
        ValueKind::Call(path, arguments) if is_stack(path) => {
            arguments.iter().for_each(|a| one(&a.value));
        }
        ValueKind::Path(path) if is_stack(path) => {}
        _ => return false,
    }
    true
}

/// One cell, with its arguments, and a guess of its output.
fn cell_of(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    value: &ValueAst,
    found: &mut Diagnostics,
) -> Option<(UsedCell, Option<Size>)> {
    let Some(path) = cell_path(value) else {
        found.push(
            Diagnostic::new(
                "RNN0133",
                value.span,
                format!("RNN needs a cell, found `{value}`"),
            )
            .help(HELP),
        );
        return None;
    };
    let name = single(&path);
    let arguments: &[ArgumentAst] = match &value.kind {
        ValueKind::Call(_, arguments) => arguments,
        _ => &[],
    };
    let text = value.to_string();
    if let Some(name) = &name {
        if let (Some(layer), Some(written)) = (context.layer_of_cell(name), value.as_layer()) {
            return built_in(layer, given, value, &written, found);
        }
        if let Some(layer) = context.layer(name) {
            let words = format!("{name} is a layer, RNN needs a cell");
            let d = Diagnostic::new("RNN0133", value.span, words);
            // In a list the mistake is one cell, not the whole `RNN`.
            let alone = given.raw.iter().any(|(_, v)| v.to_string() == text);
            let cell = layer.cell.zip(value.as_layer());
            found.push(match cell.map(|((cell, _), layer)| layer.as_class(cell)) {
                Some(cell) if !alone => d.help(format!("write {cell}")),
                Some(cell) => d.help(format!("write {text} without RNN, or RNN({cell})")),
                None => d.help(HELP),
            });
            return None;
        }
    }
    let ast = context.cells.iter().find(|c| c.is(&path))?.cell.clone()?;
    if outer_flags(given, value, arguments, found) {
        return None;
    }
    let cell = path_text(&path);
    own_cell(ast, given.options(), &cell, value.span, arguments, found)
}

/// A cell that belongs to a layer. It has those of the layer's arguments that its text names.
fn built_in(
    layer: &'static LayerDef,
    given: &LayerArguments<'_>,
    value: &ValueAst,
    written: &LayerAst,
    found: &mut Diagnostics,
) -> Option<(UsedCell, Option<Size>)> {
    let (name, text) = layer.cell?;
    let ast = cells::parse(text, found)?;
    let takes = |a: &&Argument| {
        let of_params = matches!(a.kind, Kind::Regularizer | Kind::Constraint)
            && a.name != "activity_regularizer";
        of_params
            || matches!(a.kind, Kind::NotYet(_))
            || a.name == "seed"
            || ast.arguments.iter().any(|b| b.name == a.name)
    };
    let declared: Vec<Argument> = layer.arguments.iter().filter(takes).copied().collect();
    let text = value.to_string();
    if outer_flags(given, value, &written.arguments, found) {
        return None;
    }
    let inner = bind_as(name, layer, written, &text, &declared, found);
    let units = inner.size("units").cloned();
    inner.complete.then(|| {
        let mut used = inner.used(ast);
        used.options.frozen |= given.options().frozen;
        (used, units)
    })
}

/// Reports the arguments of a cell that belong to the `RNN` around it; gives whether there are any.
fn outer_flags(
    given: &LayerArguments<'_>,
    cell: &ValueAst,
    arguments: &[ArgumentAst],
    found: &mut Diagnostics,
) -> bool {
    const OUTER: &[&str] = &[
        "return_sequences",
        "return_state",
        "go_backwards",
        "stateful",
        "unroll",
        "zero_output_for_mask",
        "initial_state",
        "mask",
        "activity_regularizer",
        "name",
    ];
    let mut any = false;
    for a in arguments {
        let Some(name) = a.named() else { continue };
        if OUTER.contains(&name.as_str()) {
            any = true;
            let d = Diagnostic::new(
                "RNN0120",
                a.span(),
                format!("`{name}` belongs to {}, not to the cell", given.class),
            );
            found.push(d.help(format!(
                "write it after the cell: RNN({}, {a})",
                cell.without(a)
            )));
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{self, LAYERS};

    /// The cells that a model asks for, one after another, as the macros hand them in.
    fn all_wanted(text: &str) -> Vec<String> {
        let (mut given, mut wanted_cells) = (String::new(), Vec::new());
        loop {
            let mut found = Diagnostics::new();
            let tokens = format!("{given} {text}").parse().unwrap();
            let model = ModelAst::parse(tokens, &layers::classes(), &mut found);
            assert!(found.take().is_empty(), "{text}");
            let Some(path) = missing_cell(&model, LAYERS) else {
                return wanted_cells;
            };
            let path = path_text(&path);
            given.push_str(&format!("@broken({path}) "));
            assert!(!wanted_cells.contains(&path), "{path} twice");
            wanted_cells.push(path);
        }
    }

    #[test]
    fn cells_are_found_wherever_a_layer_can_stand() {
        for (text, cells) in [
            (
                "Input(_, 2) -> RNN(A(1)) -> RNN(return_sequences, cell = b::B)",
                &["A", "b::B"][..],
            ),
            (
                "Input(_, 2) -> RNN([LSTMCell(3), A(1), b::B(2)])",
                &["A", "b::B"],
            ),
            (
                "Input(_, 2) -> RNN(StackedRNNCells([A(1), GRUCell(2), B(2)]))",
                &["A", "B"],
            ),
            (
                "Input(_, 2) -> Bidirectional(RNN(A(3)), backward_layer = RNN(B(3), go_backwards))",
                &["A", "B"],
            ),
            (
                "Input(_, 2, 2) -> TimeDistributed(layer = RNN([A(3), A(3)]))",
                &["A"],
            ),
            (
                "Input(_, 2) -> Other([RNN(A(1)), RNN(LSTMCell(2))])",
                &["A"],
            ),
            (
                "Input(_, 2) -> Dense(2, activation = relu) -> Bidirectional(LSTM(4))",
                &[],
            ),
            (
                "input x: [_, 2]; layer shared = RNN(A(1)); let y = x -> RNN(B(2)) -> shared; \
                 output z = y -> Bidirectional(RNN(c::C(2), initial_state = [y, y]));",
                &["A", "B", "c::C"],
            ),
        ] {
            assert_eq!(all_wanted(text), cells, "{text}");
        }
    }
}
