//! `Subtract`: the difference of two values of one shape.

use crate::layer::{self, LayerDef, Reads};

pub(super) const SUBTRACT: LayerDef = LayerDef {
    class: "Subtract",
    stem: "subtract",
    reads: Reads::Several,
    operator: Some("-"),
    build: |given, context, found| {
        layer::merge(given, context, 2, 2, false, found, |x| {
            let all: Vec<&str> = x.iter().map(|x| x.value.as_str()).collect();
            format!("output {};", all.join(" - "))
        })
    },
    ..LayerDef::ORDINARY
};
