//! `ActivityRegularization`: the value itself, whose size is added to the loss in training.

use crate::layer::{Argument, Built, Kind, LayerArguments, LayerDef};
use crate::{
    diagnostics::{Diagnostic, Diagnostics},
    ir::{LayerKind, Regularizer},
};

pub(super) const ACTIVITY_REGULARIZATION: LayerDef = LayerDef {
    class: "ActivityRegularization",
    stem: "activity_regularization",
    arguments: &[
        Argument::optional("l1", Kind::Number),
        Argument::optional("l2", Kind::Number),
        // As in Keras, the layer is an activity regulariser itself.
        Argument::instead(
            "activity_regularizer",
            "write the numbers: `ActivityRegularization(l1 = 0.01, l2 = 0.01)`",
        ),
    ],
    build: |given, context, found| {
        let costs = (cost(given, "l1", found), cost(given, "l2", found));
        match (context.floats(given, found), costs) {
            (Some(shape), (Some(l1), Some(l2))) if given.complete => Built {
                activity: (l1 > 0.0 || l2 > 0.0).then_some(Regularizer { l1, l2 }),
                ..Built::new(LayerKind::Identity, shape.clone())
            },
            (shape, _) => Built::failed(shape.cloned()),
        }
    },
    ..LayerDef::ORDINARY
};

/// A factor; a negative one is reported.
fn cost(given: &LayerArguments<'_>, name: &str, found: &mut Diagnostics) -> Option<f64> {
    let cost = given.number(name, 0.0);
    if (0.0..=f64::from(f32::MAX)).contains(&cost) {
        return Some(cost);
    }
    let span = given.get(name).map_or(given.span, |(_, span)| span);
    let words = format!(
        "`{name}` of {} must be at least 0, found {cost}",
        given.class
    );
    found.push(Diagnostic::new("RNN0129", span, words).help(format!("write `{name} = 0.01`")));
    None
}
