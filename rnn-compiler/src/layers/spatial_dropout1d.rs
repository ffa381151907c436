//! `SpatialDropout1D` (Tompson et al. 2015): dropout of whole features, the same at all steps.

use std::rc::Rc;

use crate::ir::LayerKind;
use crate::layer::{Argument, Built, Kind, LayerDef, Reads};
use crate::ops::Perturb;

pub(super) const SPATIAL_DROPOUT1D: LayerDef = LayerDef {
    class: "SpatialDropout1D",
    stem: "spatial_dropout1d",
    arguments: &[
        Argument::required("rate", Kind::Rate),
        Argument::optional("seed", Kind::Whole),
    ],
    reads: Reads::Sequence,
    build: |given, context, found| match context.sequence(given, found) {
        Some(shape) if given.complete => Built::new(
            LayerKind::Op(Rc::new(Perturb::dropout(
                given.number("rate", 0.0),
                false,
                given.whole("seed"),
            ))),
            shape.clone(),
        ),
        shape => Built::failed(shape.cloned()),
    },
    ..LayerDef::ORDINARY
};
