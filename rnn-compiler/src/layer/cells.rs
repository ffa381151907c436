//! Layers that are cells: swept over time, or applied to every row and step.

use proc_macro2::{Span, TokenStream};

use super::{
    arguments::Given,
    context::{Built, Context, guess},
};
use crate::{
    cell::{Cell, CellAst, MAX_SIZE, size::Size},
    diagnostics::{Diagnostic, Diagnostics},
    ir::{CellUse, LayerKind, Shape, Time},
};

/// A cell of the compiler's own.
pub(crate) fn parse(text: &str, found: &mut Diagnostics) -> Option<CellAst> {
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
pub(crate) fn recurrent(
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
    let shape = behind(&built.outputs[0].width);
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
pub(crate) fn pointwise(
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
                features: built.outputs[0].width.clone(),
            };
            Built::new(kind(cell), shape)
        }
        None => failed,
    }
}

/// Builds the cell for this input and checks that its parameters can be addressed.
fn check(given: &Given<'_>, cell: &CellUse, input: &Size, found: &mut Diagnostics) -> Option<Cell> {
    let built = Cell::build(cell, &[vec![input.clone()]], found)?;
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
pub(crate) fn fits(shape: &[Size]) -> bool {
    shape
        .iter()
        .filter_map(Size::value)
        .try_fold(1usize, |product, n| product.checked_mul(n))
        .is_some_and(|product| product <= MAX_SIZE)
}
