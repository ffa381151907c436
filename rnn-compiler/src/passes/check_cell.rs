//! Checks a cell before a model uses it.

use crate::{
    cell::{Cell, CellAst, Value, size::Size},
    diagnostics::Diagnostics,
    ir::CellUse,
};

/// Mistakes that depend on the sizes that a model gives to the cell. They are reported in the model.
const OF_SIZES: &[&str] = &[
    "RNN0210", "RNN0211", "RNN0215", "RNN0222", "RNN0224", "RNN0229", "RNN0230", "RNN0243",
    "RNN0245", "RNN0247", "RNN0250",
];

/// Builds the cell with its defaults and with open sizes, and reports the mistakes that it has for any
/// sizes.
pub fn check_cell(cell: &CellAst, found: &mut Diagnostics) {
    let open = cell.arguments.iter().filter(|a| a.default.is_none());
    let arguments = open
        .map(|a| {
            let size = Value::Size(Size::constant(a.name.clone().into()));
            (a.name.to_string(), size, a.name.span())
        })
        .collect();
    let mut own = Diagnostics::new();
    let inputs = cell.open_inputs();
    let cell = CellUse {
        cell: cell.clone(),
        arguments,
    };
    Cell::build(&cell, &inputs, &mut own);
    for d in own.take() {
        if !OF_SIZES.contains(&d.code) {
            found.push(d);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        let mut found = Diagnostics::new();
        let cell = CellAst::parse(text.parse().unwrap(), &mut found).unwrap();
        check_cell(&cell, &mut found);
        found.take().iter().map(|d| d.code).collect()
    }

    #[test]
    fn mistakes_that_no_size_mends_are_found_at_the_cell() {
        assert_eq!(codes("cell C(units) { output y; }"), ["RNN0218"]);
        assert_eq!(
            codes("cell C(units) { state h: [units]; output x; }"),
            ["RNN0212"]
        );
    }

    #[test]
    fn what_some_sizes_mend_is_left_to_the_model() {
        let even = "cell C(units) { param k: [input, units] = zeros; let [a, b] = split(x @ k); output concat(b, a); }";
        assert!(codes(even).is_empty());
        let same = "cell C(units) { state h: [units]; next h = h + x; output h; }";
        assert!(codes(same).is_empty());
    }
}
