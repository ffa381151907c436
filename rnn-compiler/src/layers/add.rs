//! `Add`: the sum of values of one shape.

use crate::layer::{self, LayerDef, Reads};

pub(super) const ADD: LayerDef = LayerDef {
    class: "Add",
    stem: "add",
    reads: Reads::Several,
    operator: Some("+"),
    build: |given, context, found| {
        layer::merge(given, context, 2, usize::MAX, false, found, |x| {
            let all: Vec<&str> = x.iter().map(|x| x.value.as_str()).collect();
            format!("output {};", all.join(" + "))
        })
    },
    ..LayerDef::ORDINARY
};
