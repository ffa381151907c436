//! Checks a cell before a model uses it.

use std::collections::BTreeSet;

use proc_macro2::Ident;

use crate::{
    cell::{Cell, CellAst, Item, Value, size::Size},
    diagnostics::{Diagnostic, Diagnostics},
    ir::CellUse,
};

/// Mistakes that depend on the sizes that a model gives to the cell. They are reported in the model.
const OF_SIZES: &[&str] = &[
    "RNN0210", "RNN0211", "RNN0215", "RNN0222", "RNN0224", "RNN0229", "RNN0230", "RNN0243",
    "RNN0245", "RNN0247", "RNN0250",
];

/// Builds the cell with its defaults and with open sizes, and reports the mistakes that it has for any
/// sizes. Returns what a cell without mistakes is warned of.
pub fn check_cell(written: &CellAst, found: &mut Diagnostics) -> Vec<Diagnostic> {
    let cell = written;
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
    let before = found.is_empty();
    for d in own.take() {
        if !OF_SIZES.contains(&d.code) {
            found.push(d);
        }
    }
    match before && found.is_empty() {
        true => unused(&written.items),
        false => Vec::new(),
    }
}

/// The parameters and `let`s that no statement reads, in whatever branch. A name that starts with `_` says that it is
/// none.
fn unused(items: &[Item]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let (mut declared, mut read) = (Vec::new(), BTreeSet::new());
    walk(items, &mut declared, &mut read);
    for (name, what) in declared {
        let text = name.to_string();
        if text.starts_with('_') || read.contains(&text) {
            continue;
        }
        let words = format!("nothing reads the {what} `{text}`");
        let d = Diagnostic::new("RNN0252", name.span(), words);
        found.push(match what {
            "parameter" => d
                .note("its weights would be stored and never used")
                .help(format!(
                    "use it, `… + {text}`, or remove its line; `_{text}` keeps it"
                )),
            _ => d.help(format!(
                "use it, or write `_{text}` for a value that nobody needs"
            )),
        });
    }
    found
}

/// Collects the parameters and `let`s of some statements, and all names that they read.
fn walk<'i>(
    items: &'i [Item],
    declared: &mut Vec<(&'i Ident, &'static str)>,
    read: &mut BTreeSet<String>,
) {
    for item in items {
        match item {
            Item::Input { .. } => {}
            Item::State { start, .. } => read.extend(start.iter().map(ToString::to_string)),
            Item::Param { name, .. } => declared.push((name, "parameter")),
            Item::Let { names, value, .. } => {
                declared.extend(names.iter().map(|name| (name, "value")));
                value.names(read);
            }
            Item::Next { value, .. } => value.names(read),
            Item::Output { values, .. } => values.iter().for_each(|(_, value)| value.names(read)),
            Item::If {
                condition,
                then,
                otherwise,
            } => {
                condition.names(read);
                walk(then, declared, read);
                walk(otherwise, declared, read);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        let mut found = Diagnostics::new();
        let cell = CellAst::parse(text.parse().unwrap(), &mut found).unwrap();
        let warnings = check_cell(&cell, &mut found);
        found
            .take()
            .iter()
            .chain(&warnings)
            .map(|d| d.code)
            .collect()
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
    fn what_nothing_reads_is_a_warning() {
        let text = "cell C(units) { param k: [units] = zeros; let [a, b] = split(x); output a; }";
        let cell = CellAst::parse(text.parse().unwrap(), &mut Diagnostics::new()).unwrap();
        let warnings = check_cell(&cell, &mut Diagnostics::new());
        let names: Vec<_> = warnings.iter().map(|d| d.message.as_str()).collect();
        let expected = [
            "nothing reads the parameter `k`",
            "nothing reads the value `b`",
        ];
        assert_eq!(names, expected);
        let quiet = "cell C(units) { param _k: [units] = zeros; let [a, _] = split(x); output a; }";
        assert!(codes(quiet).is_empty());
    }

    #[test]
    fn what_some_sizes_mend_is_left_to_the_model() {
        let even = "cell C(units) { param k: [input, units] = zeros; let [a, b] = split(x @ k); output concat(b, a); }";
        assert!(codes(even).is_empty());
        let same = "cell C(units) { state h: [units]; next h = h + x; output h; }";
        assert!(codes(same).is_empty());
    }
}
