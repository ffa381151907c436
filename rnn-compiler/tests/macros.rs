//! The documentation of the macros, and the book's page on cells, say all that the compiler knows.

const MODEL: &str = include_str!("../../src/macros/rnn_model.md");
const CELL: &str = include_str!("../../src/macros/rnn_cell.md");
const BOOK: &str = include_str!("../../docs/src/cells.md");

/// Whether `name` stands in `text` as code: a word between two backquotes.
fn says(text: &str, name: &str) -> bool {
    let code = text.split('`').skip(1).step_by(2);
    code.flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .any(|word| word == name)
}

/// The table of layers, and an example that uses the layer.
#[test]
fn every_layer_is_named_and_used() {
    let (before, table) = MODEL.split_once("\n# Layers\n").unwrap();
    let (table, example) = table.split_once("```").unwrap();
    for layer in rnn_compiler::layers::LAYERS {
        assert!(
            says(table, layer.class),
            "{} is not in the table",
            layer.class
        );
        let used = |text: &str| {
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            words.any(|word| word == layer.class)
        };
        assert!(used(before) || used(example), "{} is not used", layer.class);
    }
}

/// What the modules of the compiler document as statements and functions of a cell.
#[test]
fn every_statement_and_function_of_a_cell_is_named() {
    let statements = [
        "input", "param", "frozen", "state", "let", "next", "output", "if", "else",
    ];
    let functions = [
        "einsum",
        "dropout",
        "split",
        "concat",
        "flatten",
        "select",
        "min",
        "max",
        "pow",
        "sum",
        "mean",
        "variance",
        "max_of",
        "min_of",
        "softmax",
        "exp",
        "expm1",
        "log",
        "log1p",
        "sqrt",
        "rsqrt",
        "abs",
        "sign",
        "sin",
        "cos",
        "erf",
        "stop_gradient",
    ];
    for name in statements.iter().chain(&functions) {
        assert!(
            says(CELL, name),
            "{name} in the documentation of `rnn_cell!`"
        );
        assert!(says(BOOK, name), "{name} in the book");
    }
}
