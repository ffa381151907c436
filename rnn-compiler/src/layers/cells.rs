//! Layers that are cells: swept over time, or applied to every row and step.

use proc_macro2::{Span, TokenStream};

use super::{
    Built, Context, LayerDef,
    arguments::{Argument, Given, Kind},
    bind::bind,
    context::guess,
    gru, lstm,
    own_cell::own_cell,
    simple_rnn,
};
use crate::{
    cell::{Cell, CellAst, MAX_SIZE, single, size::Size},
    diagnostics::{Diagnostic, Diagnostics},
    ir::{CellUse, LayerKind, Shape, Time},
    syntax::{ArgumentAst, Body, ModelAst, ValueAst, ValueKind, path_text},
};

/// The cells that `RNN(…)` knows by itself: name, text, and the layer with the same arguments.
const BUILTIN: &[(&str, &str, &LayerDef)] = &[
    ("LSTMCell", lstm::CELL, &lstm::LSTM),
    ("GRUCell", gru::CELL, &gru::GRU),
    ("SimpleRNNCell", simple_rnn::CELL, &simple_rnn::SIMPLE_RNN),
];

/// Whether `RNN(…)` knows this cell by itself.
pub fn is_builtin(name: &str) -> bool {
    BUILTIN.iter().any(|(n, ..)| *n == name)
}

/// The first cell of a model that has to be fetched from its own macro.
pub fn wanted(model: &ModelAst) -> Option<syn::Path> {
    let Body::Chain(layers) = &model.body;
    let cells = layers
        .iter()
        .flatten()
        .filter(|l| l.name == "RNN")
        .filter_map(|l| {
            let by_name = l
                .arguments
                .iter()
                .find(|a| a.name.as_ref().is_some_and(|n| n == "cell"));
            by_name.or_else(|| l.arguments.first().filter(|a| a.name.is_none()))
        });
    cells.filter_map(|a| cell_path(&a.value)).find(|path| {
        let own =
            single(path).is_none_or(|name| !is_builtin(&name) && super::find(&name).is_none());
        own && !model.cells.iter().any(|c| c.is(path))
    })
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

/// A cell of the compiler's own.
pub(super) fn parse(text: &str, found: &mut Diagnostics) -> Option<CellAst> {
    match text.parse::<TokenStream>() {
        Ok(tokens) => CellAst::parse(tokens, found),
        Err(e) => {
            found.push(
                Diagnostic::new(
                    "RNN0199",
                    Span::call_site(),
                    format!("a built-in cell cannot be read: {e}"),
                )
                .help("this is a bug of the compiler; please report it"),
            );
            None
        }
    }
}

/// Builds a layer that sweeps `cell` over time. `units` is the guess for its output after a mistake.
pub(super) fn recurrent(
    given: &Given<'_>,
    context: &Context<'_>,
    cell: Option<CellUse>,
    units: Option<&Size>,
    found: &mut Diagnostics,
) -> Built {
    let return_sequences = given.flag("return_sequences").unwrap_or(false);
    let input = context.sequence(given, found);
    let behind = |features: &Size| {
        let time = match input {
            _ if !return_sequences => Time::None,
            Some(input) => input.time.clone(),
            None => Time::Any,
        };
        Shape {
            ids: false,
            time,
            features: features.clone(),
        }
    };
    let failed = Built::failed(units.map(behind));
    let unroll = given.flag("unroll");
    if unroll == Some(true) && input.is_some_and(|i| i.time == Time::Any) {
        let span = given.get("unroll").map_or(given.span, |(_, span)| span);
        found.push(
            Diagnostic::new(
                "RNN0113",
                span,
                format!("{} cannot be unrolled over an open time axis", given.text),
            )
            .help("give the input a length: Input(28, …), or remove `unroll`"),
        );
        return failed;
    }
    let (Some(cell), Some(input), true) = (cell, input, given.complete) else {
        return failed;
    };
    let Some(built) = check(given, &cell, &input.features, found) else {
        return failed;
    };
    if built.states.is_empty() {
        found.push(
            Diagnostic::new(
                "RNN0114",
                given.span,
                format!(
                    "{} has no state, so it cannot run over time",
                    cell.cell.name
                ),
            )
            .help("declare one: `state h: [units];` and `next h = …;`"),
        );
        return failed;
    }
    let shape = behind(&built.output);
    let go_backwards = given.flag("go_backwards").unwrap_or(false);
    Built::new(
        LayerKind::Rnn {
            cell,
            return_sequences,
            go_backwards,
            unroll,
        },
        shape,
    )
}

/// Builds a layer that applies a cell without states to every row and step. `features` is the guess
/// for its output after a mistake; `None` stands for those of its input.
pub(super) fn pointwise(
    given: &Given<'_>,
    context: &Context<'_>,
    text: &str,
    features: Option<&Size>,
    found: &mut Diagnostics,
    kind: impl FnOnce(CellUse) -> LayerKind,
) -> Built {
    let input = context.floats(given, found);
    let failed = Built::failed(guess(input, features.or(input.map(|i| &i.features))));
    let (Some(input), true) = (input, given.complete) else {
        return failed;
    };
    let Some(cell) = parse(text, found) else {
        return failed;
    };
    let cell = given.use_of(cell);
    match check(given, &cell, &input.features, found) {
        Some(built) => {
            let shape = Shape {
                ids: false,
                time: input.time.clone(),
                features: built.output,
            };
            Built::new(kind(cell), shape)
        }
        None => failed,
    }
}

/// Builds the cell for this input and checks that its parameters can be addressed.
fn check(given: &Given<'_>, cell: &CellUse, input: &Size, found: &mut Diagnostics) -> Option<Cell> {
    let built = Cell::build(cell, input, found)?;
    for p in &built.params {
        if !fits(&p.shape) {
            let shape: Vec<String> = p.shape.iter().map(ToString::to_string).collect();
            found.push(
                Diagnostic::new(
                    "RNN0110",
                    given.span,
                    format!(
                        "`{}` of {} would be [{}], more than can be addressed",
                        p.name,
                        given.text,
                        shape.join(", ")
                    ),
                )
                .help(format!(
                    "a parameter has at most {MAX_SIZE} numbers; make the layer smaller"
                )),
            );
            return None;
        }
    }
    Some(built)
}

/// Whether a parameter of this shape can be addressed, as far as its sizes are known.
pub(super) fn fits(shape: &[Size]) -> bool {
    shape
        .iter()
        .filter_map(Size::value)
        .try_fold(1usize, |product, n| product.checked_mul(n))
        .is_some_and(|product| product <= MAX_SIZE)
}

/// The cell in `RNN(…)`, with its arguments, and a guess of its output.
pub(super) fn cell_of(
    given: &Given<'_>,
    context: &Context<'_>,
    found: &mut Diagnostics,
) -> Option<(CellUse, Option<Size>)> {
    let value = given.cell.as_ref()?;
    let Some(path) = cell_path(value) else {
        found.push(
            Diagnostic::new(
                "RNN0133",
                value.span,
                format!("RNN needs a cell, found `{value}`"),
            )
            .help(
                "write RNN(LSTMCell(64)), or a cell of your own made by rnn_cell!: RNN(MyCell(32))",
            ),
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
        if let Some((cell, source, layer)) = BUILTIN.iter().find(|(n, ..)| n == name) {
            let ast = parse(source, found)?;
            let takes = |a: &&Argument| {
                matches!(a.kind, Kind::NotYet(_)) || ast.arguments.iter().any(|b| b.name == a.name)
            };
            let declared: Vec<Argument> = layer.arguments.iter().filter(takes).copied().collect();
            let arguments = outer_flags(given, &text, arguments, found)?;
            let inner = bind(cell, &text, value.span, &declared, &arguments, found);
            let units = inner.size("units").cloned();
            return inner.complete.then(|| (inner.use_of(ast), units));
        }
        if super::find(name).is_some() {
            let cell = BUILTIN
                .iter()
                .find(|(.., l)| l.class == name)
                .map(|(n, ..)| *n);
            let d = Diagnostic::new(
                "RNN0133",
                value.span,
                format!("{name} is a layer, RNN needs a cell"),
            );
            found.push(match cell {
                Some(cell) => d.help(format!(
                    "write {text} without RNN, or RNN({})",
                    text.replacen(name.as_str(), cell, 1)
                )),
                None => d.help("write RNN(LSTMCell(64)), or a cell of your own made by rnn_cell!: RNN(MyCell(32))"),
            });
            return None;
        }
    }
    let ast = context.cells.iter().find(|c| c.is(&path))?.cell.clone()?;
    let arguments = outer_flags(given, &text, arguments, found)?;
    own_cell(ast, &path_text(&path), value.span, &arguments, found)
}

/// The arguments of a cell; those that belong to `RNN` around it are reported.
fn outer_flags(
    given: &Given<'_>,
    cell: &str,
    arguments: &[ArgumentAst],
    found: &mut Diagnostics,
) -> Option<Vec<ArgumentAst>> {
    const OUTER: &[&str] = &["return_sequences", "go_backwards", "unroll"];
    let mut good = true;
    for a in arguments {
        let name = match (&a.name, &a.value.kind) {
            (Some(name), _) => name.to_string(),
            (None, ValueKind::Path(path)) => single(path).unwrap_or_default(),
            _ => continue,
        };
        if OUTER.contains(&name.as_str()) {
            good = false;
            let d = Diagnostic::new(
                "RNN0120",
                a.span(),
                format!("`{name}` belongs to {}, not to the cell", given.class),
            );
            found.push(d.help(format!(
                "write it behind the cell: RNN({}, {a})",
                without(cell, a)
            )));
        }
    }
    good.then(|| arguments.to_vec())
}

/// The text of a cell without one of its arguments.
fn without(cell: &str, argument: &ArgumentAst) -> String {
    let argument = argument.to_string();
    cell.replacen(&format!(", {argument}"), "", 1)
        .replacen(&argument, "", 1)
}

#[cfg(test)]
mod tests {
    use super::{super::LAYERS, *};

    #[test]
    fn the_built_in_cells_parse() {
        let mut found = Diagnostics::new();
        for (name, text, layer) in BUILTIN {
            let cell = parse(text, &mut found).unwrap();
            assert_eq!(cell.name, name);
            for a in &cell.arguments {
                assert!(
                    layer.arguments.iter().any(|b| a.name == b.name),
                    "{} of {name}",
                    a.name
                );
            }
        }
        assert!(found.take().is_empty());
        assert!(LAYERS.iter().all(|l| !is_builtin(l.class)));
    }
}
