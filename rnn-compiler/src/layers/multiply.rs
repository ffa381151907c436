//! `Multiply`: the product of values of one shape, element by element.

use crate::layer::{self, LayerDef, Merged, Reads};

pub(super) const MULTIPLY: LayerDef = LayerDef {
    class: "Multiply",
    stem: "multiply",
    reads: Reads::Several,
    operator: Some("*"),
    build: |given, context, found| {
        layer::merge(given, context, 2, usize::MAX, true, found, product)
    },
    ..LayerDef::ORDINARY
};

/// As in Keras, a padded step counts as 1, and the product is 0 where no value is valid.
fn product(x: &[Merged]) -> String {
    let factors: Vec<String> = x
        .iter()
        .map(|x| match &x.valid {
            Some(valid) => format!("select({valid} > 0.5, {}, 1)", x.value),
            None => x.value.clone(),
        })
        .collect();
    let product = factors.join(" * ");
    let valid: Option<Vec<&str>> = x.iter().map(|x| x.valid.as_deref()).collect();
    match valid {
        Some(valid) => format!("output select({} > 0.5, {product}, 0);", valid.join(" + ")),
        None => format!("output {product};"),
    }
}
