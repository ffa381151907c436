//! The parser of graphs, and its messages.

use super::*;
use crate::{
    diagnostics::{Diagnostic, Diagnostics},
    layers,
};

fn parse(text: &str) -> (ModelAst, Vec<Diagnostic>) {
    let mut found = Diagnostics::new();
    let model = ModelAst::parse(text.parse().unwrap(), &layers::classes(), &mut found);
    (model, found.take())
}

fn statements(text: &str) -> Vec<StatementAst> {
    let (model, found) = parse(text);
    assert!(found.is_empty(), "{text}: {found:?}");
    match model.body {
        BodyAst::Graph(statements) => statements,
        BodyAst::Chain(_) => panic!("{text} is a chain"),
    }
}

/// Every form of a statement, which messages print as it was written.
const WRITTEN: &[&str] = &[
    "input source: ids;",
    "input short: ids[20];",
    "input shared: ids[time];",
    "input x: [_, 28];",
    "input vector: [28];",
    "input fixed: [20, sizes::N];",
    "input image: [time, 4, 5];",
    "input parts: [_, { location: 2, pressure: [4, 5] }];",
    "input real: mask;",
    "input known: mask[20];",
    "input m: mask[time];",
    "layer twice = LSTM(64);",
    "layer plain = Flatten;",
    "let (_, state) = source -> Embedding(1000, 64) -> LSTM(64, return_state);",
    "let (y, h, c) = x -> LSTM(64, return_state, mask = m);",
    "let (one) = x -> GRU(3);",
    "let sum = (a, b) -> Add;",
    "let again = a -> twice -> twice;",
    "let stacked = x -> RNN([LSTMCell(32), my::Cell(64, 0.5)], initial_state = [h, c]);",
    "let both = x -> Bidirectional(LSTM(64, return_sequences), merge_mode = \"sum\");",
    "let shape = y -> Reshape([2, 3]) -> Permute([2, 1]) -> RNN([]);",
    "output logits = target -> LSTM(64, initial_state = state) -> Dense(10);",
    "output copy = y;",
];

#[test]
fn statements_are_shown_as_they_were_written() {
    let text = WRITTEN.join("\n");
    for text in [text.clone(), format!("pub struct Translate {{ {text} }}")] {
        let found = statements(&text);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, WRITTEN);
    }
}

#[test]
fn words_of_statements_are_names_elsewhere() {
    let found = statements("input input: [2]; let output = input -> layer; output layer = output;");
    assert_eq!(found.len(), 3);
    assert_eq!(found[1].to_string(), "let output = input -> layer;");
}

#[test]
fn commas_may_follow_the_last_of_several() {
    let found = statements(
        "input x: [_, { a: 1, b: 2, },]; let (a, b,) = (x, x,) -> RNN([A(1), B(2),],); output y = (a,b,);",
    );
    assert_eq!(found[0].to_string(), "input x: [_, { a: 1, b: 2 }];");
    assert_eq!(
        found[1].to_string(),
        "let (a, b) = (x, x) -> RNN([A(1), B(2)]);"
    );
}

#[test]
fn named_graphs_have_a_head() {
    let (model, found) =
        parse("/// Doc.\npub(crate) struct Two { input x: [2]; output y = x -> Dense(1); }");
    assert!(found.is_empty());
    assert!(model.item && model.name.unwrap() == "Two" && model.attrs.len() == 1);
}

#[test]
fn chains_take_structures_and_lists() {
    let (model, found) = parse("Input(_, { location: 2, pressure: [3, 4] }) -> RNN(My([2, 3]))");
    assert!(found.is_empty(), "{found:?}");
    let BodyAst::Chain(layers) = model.body else {
        panic!("a graph")
    };
    let layers: Vec<_> = layers.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(
        layers,
        [
            "Input(_, { location: 2, pressure: [3, 4] })",
            "RNN(My([2, 3]))"
        ]
    );
}

#[test]
fn values_are_layers_where_layers_are_wanted() {
    let found = statements(
        "input x: [_, 2]; output y = x -> A(LSTM(3, go_backwards), Flatten, 4, a::B(1));",
    );
    let StatementAst::Output { value, .. } = &found[1] else {
        panic!("no output")
    };
    let arguments = &value.layers[0].as_ref().unwrap().arguments;
    let layers: Vec<_> = arguments
        .iter()
        .map(|a| a.value.as_layer().map(|l| l.to_string()))
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        layers,
        [some("LSTM(3, go_backwards)"), some("Flatten"), None, None]
    );
}

/// A graph with the mistakes of its statements, in order: code, and a part of the text.
const MISTAKES: &[(&str, &[(&str, &str)])] = &[
    // Statements.
    (
        "input x: [2]; output y = x -> Dense(1)",
        &[("RNN0045", "found nothing")],
    ),
    (
        "input x: [2] output y = x -> Dense(1) let z = y -> Dense(1);",
        &[("RNN0045", "found `output`"), ("RNN0045", "found `let`")],
    ),
    (
        "input x: [2], output y = x -> Dense(1),",
        &[("RNN0045", "found `,`"), ("RNN0045", "found `,`")],
    ),
    (
        "input x: [2]; ouput y = x -> Dense(1);",
        &[("RNN0044", "help: did you mean `output`?")],
    ),
    (
        "inputs x: [2]; output y = x -> Dense(1);",
        &[("RNN0044", "help: did you mean `input`?")],
    ),
    (
        "input x: [2]; y = x -> Dense(1); output z = y;",
        &[("RNN0044", "help: write `let y = x -> Dense(1);`")],
    ),
    (
        "input x: [2]; x -> Dense(1); output z = x;",
        &[("RNN0044", "let y = x -> …;")],
    ),
    (
        "input x: [2]; Dense(1); output z = x;",
        &[("RNN0044", "let y = x -> Dense(…);")],
    ),
    (
        "Input(2) -> Dense(1); output y = x;",
        &[("RNN0044", "`input x: [_, 28];`")],
    ),
    (
        "input x: [2]; state h: [2]; output y = x;",
        &[("RNN0044", "belongs to a cell")],
    ),
    (
        "input x: [2]; 5; output y = x;",
        &[("RNN0044", "found `5`")],
    ),
    (
        "struct A { Input(8) -> Dense(1) }",
        &[("RNN0044", "pub struct Rows = Input(28, 28)")],
    ),
    // Inputs.
    (
        "input x = [_, 28]; output y = x;",
        &[("RNN0046", "help: write `input x: [_, 28];`")],
    ),
    (
        "input x = ids[time]; output y = x;",
        &[("RNN0046", "help: write `input x: ids[time];`")],
    ),
    (
        "input x; output y = x;",
        &[("RNN0046", "help: write `input x: [_, 28];`")],
    ),
    (
        "input x [3, 4]; output y = x;",
        &[("RNN0046", "help: write `input x: [3, 4];`")],
    ),
    (
        "input x: ; output y = x;",
        &[("RNN0046", "does not say what it is")],
    ),
    (
        "input x: idx; output y = x;",
        &[("RNN0046", "did you mean `ids`?")],
    ),
    ("input x: f32; output y = x;", &[("RNN0046", "found `f32`")]),
    (
        "input x: 28; output y = x;",
        &[("RNN0046", "help: write `[28]`")],
    ),
    (
        "input x: (28, 4); output y = x;",
        &[("RNN0046", "help: write `[28, 4]`")],
    ),
    (
        "input X: [2]; output y = x;",
        &[("RNN0046", "help: write `x`")],
    ),
    (
        "input type: [2]; output y = x;",
        &[("RNN0046", "`type` is a word of Rust")],
    ),
    ("input : [2]; output y = x;", &[("RNN0046", "found `:`")]),
    ("input x: []; output y = x;", &[("RNN0056", "no axis")]),
    (
        "input x: [None, 28]; output y = x;",
        &[("RNN0043", "an open length is `_`")],
    ),
    (
        "input x: [2.5]; output y = x;",
        &[("RNN0056", "`2.5` is no axis")],
    ),
    (
        "input x: [{ a: 1 }, 3]; output y = x;",
        &[("RNN0056", "`{ a: 1 }` is no axis")],
    ),
    (
        "input x: ids[2, 3]; output y = x;",
        &[("RNN0056", "help: write `ids[20]`")],
    ),
    (
        "input x: mask(7); output y = x;",
        &[("RNN0056", "help: write `mask[7]`")],
    ),
    (
        "input x: [(2, 3)]; output y = x;",
        &[("RNN0047", "write `[2, 3]`")],
    ),
    // Names.
    (
        "input x: [2]; let = x; output y = x;",
        &[("RNN0048", "help: write `let y = x -> LSTM(64);`")],
    ),
    (
        "input x: [2]; let _ = x; output y = x;",
        &[("RNN0048", "found `_`")],
    ),
    (
        "input x: [2]; layer = LSTM(2); output y = x;",
        &[("RNN0048", "the name of a layer")],
    ),
    (
        "input x: [2]; output = x;",
        &[("RNN0048", "the name of an output")],
    ),
    (
        "input x: [2]; layer SharedRNN = LSTM(2); output y = x;",
        &[("RNN0048", "help: write `shared_rnn`")],
    ),
    (
        "input x: [2]; let mut z = x; output y = x;",
        &[("RNN0049", "write `let` without `mut`")],
    ),
    (
        "input x: [2]; let [a, b] = x; output y = x;",
        &[("RNN0049", "stand in parentheses")],
    ),
    (
        "input x: [2]; let a, b = x; output y = x;",
        &[("RNN0049", "help: write `let (a, b) = x;`")],
    ),
    (
        "input x: [2]; let () = x; output y = x;",
        &[("RNN0049", "gives no name")],
    ),
    (
        "input x: [2]; let (a b, C) = x; output y = x;",
        &[("RNN0049", "found `b`"), ("RNN0049", "write `c`")],
    ),
    (
        "input x: [2]; let z: [2] = x; output y = x;",
        &[("RNN0050", "has no type")],
    ),
    (
        "input x: [2]; let z x -> Dense(1); output y = x;",
        &[("RNN0050", "help: write `let z = x -> LSTM(64);`")],
    ),
    (
        "input x: [2]; output y;",
        &[("RNN0050", "help: write `output y = x -> Dense(10);`")],
    ),
    (
        "input x: [2]; layer a = LSTM(2) -> Dense(3); output y = x;",
        &[("RNN0058", "write `layer a = LSTM(2);`")],
    ),
    (
        "input x: [2]; layer a = ; output y = x;",
        &[("RNN0040", "found `;`")],
    ),
    // Chains.
    (
        "input x: [2]; output y = LSTM(64) -> Dense(1);",
        &[(
            "RNN0051",
            "help: write `output y = x -> LSTM(64) -> Dense(1);`",
        )],
    ),
    (
        "input x: [2]; output y = LSTM(64)(x);",
        &[("RNN0051", "write `x -> LSTM(64)`")],
    ),
    (
        "input x: [2]; output y = x -> LSTM(64)(x);",
        &[("RNN0041", "what a layer reads stands before it")],
    ),
    (
        "input x: [2]; let y = ; output z = x;",
        &[("RNN0051", "found `;`")],
    ),
    (
        "input x: [2]; let y = 3 -> Dense(2); output z = x;",
        &[("RNN0051", "found `3`")],
    ),
    (
        "input x: [2]; output z = (x -> Dense(1), x) -> Add;",
        &[("RNN0052", "found a chain")],
    ),
    (
        "input x: [2]; output z = (x, 3) -> Add;",
        &[("RNN0052", "found `3`")],
    ),
    (
        "input x: [2]; output z = () -> Add;",
        &[("RNN0052", "no value")],
    ),
    (
        "input x: [2]; output z = x => Dense(1) Dense(2) -> -> Dense(3);",
        &[
            ("RNN0041", "found `=>`"),
            ("RNN0041", "found `Dense`"),
            ("RNN0040", "found `->`"),
        ],
    ),
    (
        "input x: [2]; output z = x -> ; output y = x -> Dense(1 2);",
        &[("RNN0040", "found `;`"), ("RNN0042", "found `2`")],
    ),
    (
        "input x: [2]; let z = x -> output y = z;",
        &[("RNN0040", "found `output`"), ("RNN0045", "found `output`")],
    ),
    (
        "input x: [2]; output y = x -> LSTM(2, return_sequences=True);",
        &[("RNN0043", "help: write `true`")],
    ),
    (
        "input x: [2]; output y = x -> LSTM(2, initial_state = (h, c));",
        &[("RNN0047", "help: write `[h, c]`")],
    ),
    (
        "input x: [2]; output y = x -> A([a b, c = 1]);",
        &[("RNN0047", "found `b`"), ("RNN0047", "have no names")],
    ),
    (
        "input x: [2]; output y = x -> A({ a = 1 });",
        &[("RNN0047", "help: write `{ a: 1 }`")],
    ),
    (
        "input x: [2]; output y = x -> A({ \"a\": 1 });",
        &[("RNN0047", "help: write `{ a: 2 }`")],
    ),
    (
        "input x: [2]; output y = x -> A({ a: 1, a: 2 });",
        &[("RNN0047", "two parts `a`")],
    ),
    (
        "input x: [2]; output y = x -> A({});",
        &[("RNN0047", "no parts")],
    ),
    // Whole graphs.
    ("struct A {}", &[("RNN0053", "help: write `input x")]),
    (
        "let y = x -> LSTM(2); output z = y;",
        &[("RNN0054", "help: write `input x: [_, 28];` first")],
    ),
    (
        "input x: [2]; let y = x -> LSTM(2);",
        &[("RNN0055", "help: write `output result = y;` last")],
    ),
    ("input x: [2];", &[("RNN0055", "output y = x -> LSTM(64)")]),
    ("layer a = LSTM(2);", &[("RNN0054", ""), ("RNN0055", "")]),
    (
        "struct A { input x: [2]; output y = x; };",
        &[("RNN0035", "help: remove the `;`")],
    ),
    (
        "struct A { input x: [2]; output y = x; } struct B {}",
        &[("RNN0034", "`struct` after the end")],
    ),
    (
        "struct A = import(\"a.keras\"), weights = \"b.keras\";",
        &[(
            "RNN0034",
            "help: leave `, weights = …` out for the layers and the weights",
        )],
    ),
    (
        "struct A = { input x: [2]; output y = x -> ; }",
        &[("RNN0040", ""), ("RNN0057", "without `=`")],
    ),
    (
        "struct A = input x: [2]; output y = x;",
        &[("RNN0057", "struct A {")],
    ),
    (
        "{ input x: [2]; output y = x; }",
        &[("RNN0057", "no braces")],
    ),
    (
        "struct A<N> { input x: [2]; output y = x; }",
        &[("RNN0032", "no generics")],
    ),
];

#[test]
fn mistakes_are_named_with_help_all_in_one_build() {
    for (text, expected) in MISTAKES {
        let (_, found) = parse(text);
        let said: Vec<String> = found.iter().map(Diagnostic::text).collect();
        let good = found.len() == expected.len()
            && found.iter().zip(*expected).all(|(d, (code, part))| {
                d.code == *code && d.help.is_some() && d.text().contains(part)
            });
        assert!(good, "{text}: {said:#?}");
    }
}

#[test]
fn a_statement_with_a_mistake_keeps_its_names_and_the_others() {
    let (model, found) =
        parse("input a: ; let (b, _) = a -> ; let c = 5; output d = a -> Dense(1) -> ;");
    assert_eq!(found.len(), 4, "{found:?}");
    let BodyAst::Graph(statements) = model.body else {
        panic!("a chain")
    };
    let names = |s: &StatementAst| match s {
        StatementAst::Unreadable { names, .. } => names.iter().map(ToString::to_string).collect(),
        s => vec![s.to_string()],
    };
    let all: Vec<_> = statements.iter().flat_map(names).collect();
    assert_eq!(
        all,
        [
            "a",
            "let (b, _) = a -> …;",
            "c",
            "output d = a -> Dense(1) -> …;"
        ]
    );
}

/// The code that a help proposes parses without a mistake where it is proposed.
#[test]
fn helps_can_be_pasted() {
    let mut pasted = 0;
    for (text, _) in MISTAKES {
        for d in parse(text).1 {
            let help = d.help.unwrap_or_default();
            let Some((_, rest)) = help.split_once("write `") else {
                continue;
            };
            let Some((code, _)) = rest.split_once('`') else {
                continue;
            };
            let statement = ["input ", "let ", "output ", "layer "];
            if !code.ends_with(';')
                || code.contains('…')
                || !statement.iter().any(|w| code.starts_with(w))
            {
                continue;
            }
            let model = format!("input first: [_, 2]; {code} output last = first;");
            let (_, found) = parse(&model);
            assert!(found.is_empty(), "{text}: {help}: {found:?}");
            pasted += 1;
        }
    }
    assert!(pasted > 20, "{pasted}");
}

#[test]
fn a_file_that_is_imported_may_leave_its_states_to_a_stream() {
    for (text, stream) in [
        ("import(\"a.onnx\")", false),
        ("import(\"a.onnx\",)", false),
        ("import(\"a.onnx\", states = inputs)", false),
        ("import(\"a.onnx\", states = stream)", true),
        ("import(\"a.onnx\", states = stream,)", true),
    ] {
        let (model, found) = parse(&format!("pub struct A = {text};"));
        assert!(found.is_empty(), "{text}: {found:?}");
        let source = model.source.unwrap();
        assert_eq!((source.path.as_str(), source.stream), ("a.onnx", stream));
    }
    for (arguments, words) in [
        (", states = kept", "after the path, found `kept`"),
        (", states", "found nothing"),
        (", stateful", "found `stateful`"),
        (" states = stream", "found `states`"),
        (", states = stream, 1", "found `1`"),
    ] {
        let (_, found) = parse(&format!("struct A = import(\"a.onnx\"{arguments});"));
        let text: Vec<String> = found.iter().map(Diagnostic::text).collect();
        let [text] = &text[..] else {
            panic!("{arguments}: {text:?}");
        };
        assert!(text.contains(words), "{text}");
        assert!(
            text.contains("import(\"models/voice.onnx\", states = stream)"),
            "{text}"
        );
    }
}
