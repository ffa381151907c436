//! What small models become, as formatted source to read, and what must not be in it.
//!
//! After a change of the code generation, `INSTA_UPDATE=always cargo test -p rnn-compiler --test
//! expansion` rewrites the snapshots: read their difference before committing it.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};

fn expand(model: &str) -> TokenStream {
    let text = format!("@krate(recurrent) {model}");
    rnn_compiler::expand_model(text.parse().unwrap())
}

/// Arguments of macros are not formatted, so `recurrent::with_std! { … }` becomes `mod with_std { … }`.
fn opened(tokens: TokenStream) -> TokenStream {
    let mut all: Vec<TokenTree> = Vec::new();
    for t in tokens {
        let TokenTree::Group(g) = t else {
            all.push(t);
            continue;
        };
        let inner = Group::new(g.delimiter(), opened(g.stream()));
        let n = all.len();
        let before: Vec<String> = all[n.saturating_sub(5)..]
            .iter()
            .map(|t| t.to_string())
            .collect();
        if before == ["recurrent", ":", ":", "with_std", "!"] {
            all.truncate(n - 5);
            all.push(Ident::new("mod", g.span()).into());
            all.push(Ident::new("with_std", g.span()).into());
        }
        all.push(inner.into());
    }
    all.into_iter().collect()
}

fn formatted(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(opened(tokens)).unwrap())
}

/// All identifiers, those in groups included.
fn names(tokens: TokenStream, all: &mut Vec<String>) {
    for t in tokens {
        match t {
            TokenTree::Ident(i) => all.push(i.to_string()),
            TokenTree::Group(g) => names(g.stream(), all),
            _ => {}
        }
    }
}

/// Functions that allocate, lock, print, or panic where they should not.
const NEVER: &[&str] = &[
    "unsafe",
    "Vec",
    "vec",
    "Box",
    "Rc",
    "Arc",
    "String",
    "format",
    "to_vec",
    "to_owned",
    "clone",
    "collect",
    "HashMap",
    "Mutex",
    "RefCell",
    "unwrap",
    "expect",
    "panic",
    "todo",
    "unimplemented",
    "println",
    "std",
];

fn check(model: &str) -> String {
    let tokens = expand(model);
    let mut all = Vec::new();
    names(tokens.clone(), &mut all);
    for name in NEVER {
        assert!(
            !all.iter().any(|n| n == name),
            "`{name}` in the code of {model}"
        );
    }
    assert!(!all.iter().any(|n| n == "compile_error"), "{tokens}");
    assert_eq!(
        tokens.to_string(),
        expand(model).to_string(),
        "not the same twice"
    );
    formatted(tokens)
}

#[test]
fn a_recurrent_layer() {
    insta::assert_snapshot!(check("struct Model = Input(_, 2) -> SimpleRNN(3);"));
}

#[test]
fn ids_and_two_recurrent_products() {
    insta::assert_snapshot!(check(
        "struct Model = Embedding(7, 3) -> GRU(UNITS, reset_after = false);"
    ));
}

#[test]
fn layers_without_time() {
    insta::assert_snapshot!(check(
        "struct Model = Input(3) -> BatchNormalization -> Dropout(0.5) -> Dense(2, softmax);"
    ));
}

#[test]
fn four_gates_and_two_states() {
    insta::assert_snapshot!(check("struct Model = Input(_, 2) -> LSTM(3);"));
}

/// The cell in front, as its own macro hands it on.
#[test]
fn a_cell_of_ones_own() {
    insta::assert_snapshot!(check(
        "@cell(MinimalGru) {
            pub cell MinimalGru(units) {
                param kernel: [input, 2 * units] = glorot_uniform;
                param recurrent_kernel: [units, 2 * units] = orthogonal;
                state h: [units];
                let [f, g] = split(x @ kernel);
                let [uf, ug] = split(h @ recurrent_kernel);
                let f = sigmoid(f + uf);
                next h = f * h + (1 - f) * tanh(g + f * ug);
                output h;
            }
        }
        struct Model = Input(_, 2) -> RNN(MinimalGru(3));"
    ));
}

/// The scans of both directions stand in one group that may run at once: in inference, forwards and
/// backwards. Another layer has no such group.
#[test]
fn two_directions_run_at_once() {
    let calls = |model: &str| {
        let mut all = Vec::new();
        names(expand(&format!("struct Model = {model};")), &mut all);
        all.iter().filter(|n| *n == "Concurrent").count()
    };
    assert_eq!(calls("Input(_, 2) -> LSTM(3)"), 0);
    for model in [
        "Input(_, 2) -> Bidirectional(LSTM(3))",
        "Input(_, 2) -> Masking -> Bidirectional(GRU(3, return_sequences), merge_mode = sum)",
        "Input(_, 2) -> Bidirectional(RNN([LSTMCell(3, dropout = 0.5), GRUCell(4)]), backward_layer = LSTM(5, go_backwards))",
        "Input(_, 2) -> Bidirectional(LSTM(3, stateful)) -> Dense(2)",
    ] {
        assert_eq!(calls(model), 3, "{model}");
    }
    let one = "Input(_, 2) -> Bidirectional(LSTM(3, return_sequences)) -> Bidirectional(LSTM(3))";
    assert_eq!(calls(one), 6);
}

/// Keras names a direction after its class, whatever cell an `RNN` runs.
#[test]
fn directions_have_the_names_of_keras() {
    for (layer, name) in [
        ("LSTM(3)", "bidirectional/forward_lstm/kernel"),
        ("SimpleRNN(3)", "bidirectional/backward_simple_rnn/kernel"),
        ("RNN(LSTMCell(3))", "bidirectional/forward_rnn/kernel"),
        ("RNN(LSTMCell(3))", "bidirectional/backward_rnn/bias"),
    ] {
        let text = expand(&format!(
            "struct Model = Input(_, 2) -> Bidirectional({layer});"
        ));
        assert!(text.to_string().contains(&format!("\"{name}\"")), "{layer}");
    }
}
