//! What global poolings share: a cell runs over time, and its last output stands for all steps.

use super::{
    arguments::{Argument, Kind, LayerArguments},
    cells::{parse, recurrent},
    context::{Built, Context},
};
use crate::{
    cell::size::Size,
    diagnostics::Diagnostics,
    ir::{Shape, Time},
};

/// The arguments of a global pooling. Keras gives `mask` to the call.
pub(crate) const POOLING: &[Argument] = &[
    Argument::instead(
        "data_format",
        "leave it out: channels are last; `Permute(2, 1)` before the layer brings them there",
    ),
    Argument::optional("keepdims", Kind::Flag),
    Argument::optional("mask", Kind::Values),
];

/// Builds a global pooling: `cell` is the text of a cell whose output after a step is that of the steps
/// up to it. Its states begin with zeros, so that a row without a valid step gives zeros.
pub(crate) fn pooling(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    cell: &str,
    found: &mut Diagnostics,
) -> Built {
    let features = context.input().map(Shape::width);
    let cell = parse(cell, found).map(|cell| vec![given.used(cell)]);
    let mut built = recurrent(given, context, cell, features.as_ref(), found);
    if given.flag("keepdims") == Some(true) {
        for shape in &mut built.shapes {
            shape.time = Time::Steps(Size::known(1));
        }
    }
    built
}
