//! Generated code is resolved in its user's scope: no item of the user's may capture a name.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

fn expand(model: &str) -> TokenStream {
    let text = format!("@krate(recurrent) {model}");
    rnn_compiler::expand_model(text.parse().unwrap())
}

/// Keywords, and names in lower case: primitive types and local variables. A type or constant that could
/// capture them would break Rust's rules of naming.
fn is_safe(name: &str) -> bool {
    name.starts_with("__")
        || name.starts_with(|c: char| c.is_lowercase())
        || ["Self", "_"].contains(&name)
}

/// Names that a user's item could capture.
fn captured(tokens: TokenStream, found: &mut Vec<String>) {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, tree) in all.iter().enumerate() {
        let before = |n: usize| i.checked_sub(n).map(|at| all[at].to_string());
        match tree {
            // A module sees no item of the scope around it.
            TokenTree::Group(g)
                if g.delimiter() == Delimiter::Brace && before(2).as_deref() == Some("mod") => {}
            // Of the attributes only derives name items; theirs are checked like the rest.
            TokenTree::Group(g) => captured(g.stream(), found),
            TokenTree::Ident(name) => {
                let name = name.to_string();
                let before_it = before(1).unwrap_or_default();
                // After a path; a method or field; an associated item, which its trait names.
                let path = before_it == ":" && before(2).as_deref() == Some(":");
                let member = ["'", "."].contains(&before_it.as_str());
                let associated = ["type", "const"].contains(&before_it.as_str())
                    && [
                        "CUDA",
                        "INFO",
                        "STREAM",
                        "GATES",
                        "SMALL_PANEL",
                        "KERNEL",
                        "Program",
                        "Values",
                        "Input",
                        "Output",
                        "StepInput",
                        "StepOutput",
                        "Computed",
                        "StridedPointers",
                    ]
                    .contains(&name.as_str());
                if !(path || member || associated || is_safe(&name)) {
                    found.push(name);
                }
            }
            _ => {}
        }
    }
}

/// Macros are called by their path: `assert!` may be the user's.
fn bare_macros(tokens: TokenStream, found: &mut Vec<String>) {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, tree) in all.iter().enumerate() {
        match tree {
            TokenTree::Group(g) => bare_macros(g.stream(), found),
            TokenTree::Ident(name) if i + 2 < all.len() => {
                let call = all[i + 1].to_string() == "!"
                    && matches!(&all[i + 2], TokenTree::Group(g) if g.delimiter() != Delimiter::None);
                if call && (i == 0 || all[i - 1].to_string() != ":") {
                    found.push(format!("{name}!"));
                }
            }
            _ => {}
        }
    }
}

/// Models that use every part of the code generation.
const MODELS: &[&str] = &[
    "Input(7, 3) -> LSTM(4, dropout = 0.1, recurrent_dropout = 0.1, unroll) -> BatchNormalization -> Dense(2)",
    "Input(5, 3) -> SimpleRNN(4, return_sequences, kernel_regularizer = l2(0.1), bias_constraint = max_norm(1)) -> Flatten -> Dense(2, softmax)",
    "Embedding(9, 3, mask_zero) -> SpatialDropout1D(0.1) -> GRU(4, stateful, bias_initializer = constant(1)) -> RepeatVector(3) -> TimeDistributed(Dense(2))",
    "Input(_, 3) -> Masking(0) -> Bidirectional(GRU(4, return_sequences, reset_after = false)) -> LayerNormalization -> GaussianNoise(0.1)",
    "struct __User {
        input a: [time, 3];
        input b: [time, 3];
        input m: mask[words];
        input i: ids[words];
        let (_, h, c) = a -> LSTM(4, return_state, kernel_constraint = unit_norm);
        let n = i -> Embedding(8, 2) -> BatchNormalization -> GRU(2, mask = m);
        output y = b -> LSTM(4, initial_state = [h, c]) -> Dense(2);
        output z = n -> Reshape(1, 2) -> Permute(2, 1);
    }",
];

#[test]
fn nothing_that_is_emitted_can_be_captured() {
    for model in MODELS {
        let code = expand(model);
        let text = code.to_string();
        assert!(!text.contains("compile_error"), "{model}: {text}");
        let mut found = Vec::new();
        captured(code.clone(), &mut found);
        bare_macros(code, &mut found);
        found.sort();
        found.dedup();
        // The structures that a model with several inputs and outputs gets are named after it.
        found.retain(|n| !n.starts_with("__User"));
        assert!(found.is_empty(), "{found:?} in the code of {model}");
    }
}

#[test]
fn what_could_be_captured_is_found() {
    let mut found = Vec::new();
    let code =
        "fn f<S: rt::Simd>(s: S) -> Option<u8> { assert!(true); ::core::assert!(x); Some(R) }
        mod m { struct T(T); }";
    captured(code.parse().unwrap(), &mut found);
    bare_macros(code.parse().unwrap(), &mut found);
    assert_eq!(found, ["S", "S", "Option", "Some", "R", "assert!"]);
}
