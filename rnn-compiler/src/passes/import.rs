//! Cells of this library that a program uses and has not imported.
//!
//! rustc would say that there is no macro of the cell's name, and name no remedy. A macro does not see what the program
//! has imported, so the source file is read: only for a cell with the name of one of ours, and only a file in which
//! nothing can have brought the name in gets the message.

use std::fs;

use crate::diagnostics::Diagnostic;

/// The cells in `recurrent::cells`.
const SHIPPED_CELLS: &[&str] = &[
    "EchoState",
    "IndRnn",
    "Janet",
    "LayerNormLstm",
    "LiGru",
    "LiquidTimeConstant",
    "MinimalGatedUnit",
    "PeepholeLstm",
    "SLstm",
    "Sru",
];

/// The message for a cell of this library's that is not imported.
pub fn check_import(path: &syn::Path) -> Option<Diagnostic> {
    let name = path.get_ident()?;
    let shipped = SHIPPED_CELLS.iter().find(|own| name == *own)?;
    let source = fs::read_to_string(name.span().local_file()?).ok()?;
    (!may_import(&source, shipped)).then(|| {
        Diagnostic::new(
            "RNN0180",
            name.span(),
            format!("the cell `{name}` is not imported"),
        )
        .note("it is one of this library's cells")
        .help(format!(
            "write `use recurrent::cells::{name};` at the start of the file"
        ))
    })
}

/// Whether something in a source text may have brought a name in. When in doubt it may.
fn may_import(source: &str, name: &str) -> bool {
    const DOUBT: &[&str] = &["cells", "include!", "macro_use", "{*", "*}", ", *"];
    const KNOWN: &[&str] = &["recurrent::prelude::", "std::", "ndarray::"];
    let source = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let source = source.collect::<Vec<_>>().join("\n");
    if DOUBT.iter().any(|text| source.contains(text)) {
        return true;
    }
    let mut globs = source.match_indices("::*").map(|(at, _)| &source[..at + 2]);
    let known = |before: &str| {
        let start = before.rfind("use ").map_or(0, |i| i + 4);
        KNOWN.iter().any(|own| before[start..].starts_with(own))
    };
    if globs.any(|before| !known(before)) {
        return true;
    }
    // `Sru(8)` is a use; `cell Sru(units)` and `as Sru;` bring the name in.
    source.match_indices(name).any(|(at, _)| {
        let (before, after) = (source[..at].trim_end(), &source[at + name.len()..]);
        let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let longer = part(source[..at].chars().next_back()) || part(after.chars().next());
        !longer && (before.ends_with("cell") || !after.trim_start().starts_with('('))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cells_are_those_of_the_library() {
        let all = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/cells/mod.rs");
        let all = fs::read_to_string(all).unwrap();
        let exported = all
            .lines()
            .filter_map(|l| l.strip_prefix("pub use ")?.strip_suffix(';'));
        let exported: Vec<&str> = exported.filter_map(|l| l.split("::").nth(1)).collect();
        assert_eq!(exported, SHIPPED_CELLS);
    }

    #[test]
    fn what_may_import_a_cell_is_found() {
        for text in [
            "use recurrent::cells::Sru;\nfn f() { rnn_model!(RNN(Sru(8))) }",
            "use recurrent::cells::*;\nfn f() { rnn_model!(RNN(Sru(8))) }",
            "use super::*;\nfn f() { rnn_model!(RNN(Sru(8))) }",
            "use crate::mine::{A, Sru};\nfn f() { rnn_model!(RNN(Sru(8))) }",
            "use crate::mine::Own as Sru;\nfn f() { rnn_model!(RNN(Sru(8))) }",
            "rnn_cell! { cell Sru(units) { output x; } }\nfn f() { rnn_model!(RNN(Sru(8))) }",
        ] {
            assert!(may_import(text, "Sru"), "{text}");
        }
        for text in [
            "use recurrent::prelude::*;\nfn f() { rnn_model!(RNN(Sru(8))) }",
            "// not of use recurrent::cells::Sru;\nfn f() { rnn_model!(RNN(Sru(8))) }",
            "use std::io::*;\nuse recurrent::prelude::*;\nfn f() { rnn_model!(RNN(Sru(8)) -> RNN(Sru(4))) }",
            "use recurrent::prelude::*;\nuse mine::SruLike;\nfn f() { rnn_model!(RNN(Sru(8))) }",
        ] {
            assert!(!may_import(text, "Sru"), "{text}");
        }
    }
}
