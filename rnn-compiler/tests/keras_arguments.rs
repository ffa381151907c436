//! The table of `docs/src/keras-arguments.md` is true: every example compiles, or gives the code that
//! the table names, no argument that works is ignored, and no argument of Keras is left out. The
//! table of `docs/src/layers.md` says the same in short.

use std::collections::{BTreeMap, BTreeSet};

use rnn_compiler::{expand_model, layers};

const TABLE: &str = include_str!("../../docs/src/keras-arguments.md");
const LAYERS: &str = include_str!("../../docs/src/layers.md");

/// The arguments of Keras 3's classes: those of `__init__`, of the base class that matter for all
/// (`name`, `trainable`, `dtype`, `activity_regularizer`) and of `call`.
const KERAS: &[(&str, &str)] = &[
    (
        "SimpleRNN",
        "units activation use_bias kernel_initializer recurrent_initializer bias_initializer kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout return_sequences return_state go_backwards stateful unroll zero_output_for_mask seed initial_state mask training name trainable dtype",
    ),
    (
        "GRU",
        "units activation recurrent_activation use_bias kernel_initializer recurrent_initializer bias_initializer kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout seed return_sequences return_state go_backwards stateful unroll zero_output_for_mask reset_after use_cudnn initial_state mask training name trainable dtype",
    ),
    (
        "LSTM",
        "units activation recurrent_activation use_bias kernel_initializer recurrent_initializer bias_initializer unit_forget_bias kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout seed return_sequences return_state go_backwards stateful unroll zero_output_for_mask use_cudnn initial_state mask training name trainable dtype",
    ),
    (
        "RNN",
        "cell return_sequences return_state go_backwards stateful unroll zero_output_for_mask activity_regularizer initial_state mask training name trainable dtype",
    ),
    (
        "Bidirectional",
        "layer merge_mode weights backward_layer activity_regularizer initial_state mask training name trainable dtype",
    ),
    (
        "TimeDistributed",
        "layer mask training name trainable dtype",
    ),
    (
        "SimpleRNNCell",
        "units activation use_bias kernel_initializer recurrent_initializer bias_initializer kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout seed name trainable dtype",
    ),
    (
        "GRUCell",
        "units activation recurrent_activation use_bias kernel_initializer recurrent_initializer bias_initializer kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout reset_after seed name trainable dtype",
    ),
    (
        "LSTMCell",
        "units activation recurrent_activation use_bias kernel_initializer recurrent_initializer bias_initializer unit_forget_bias kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout seed name trainable dtype",
    ),
    ("StackedRNNCells", "cells"),
    ("ConvLSTM1D", "(all)"),
    ("ConvLSTM2D", "(all)"),
    ("ConvLSTM3D", "(all)"),
];

struct Row {
    class: String,
    argument: String,
    state: String,
    example: String,
}

fn rows() -> Vec<Row> {
    let (mut class, mut rows) = (String::new(), Vec::new());
    for line in TABLE.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            class = heading.to_owned();
        } else if line.starts_with("| `") {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let plain = |at: usize| cells[at].trim_matches('`').to_owned();
            rows.push(Row {
                class: class.clone(),
                argument: plain(1),
                state: cells[2].to_owned(),
                example: plain(3),
            });
        }
    }
    rows
}

/// The code of a model that ends with this layer.
fn expand(layer: &str) -> String {
    let words: Vec<&str> = layer
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    let used = |name: &&&str| words.contains(*name);
    let states: Vec<&&str> = ["a", "b", "c", "d"].iter().filter(used).collect();
    let model = if states.is_empty() && !words.contains(&"m") {
        format!("Input(5, 8) -> {layer}")
    } else {
        let states: String = states.iter().map(|s| format!("input {s}: [4]; ")).collect();
        let mask = if words.contains(&"m") {
            "input m: mask[5]; "
        } else {
            ""
        };
        format!("input x: [5, 8]; {states}{mask} output y = x -> {layer};")
    };
    let tokens = format!("@krate(k) {model}").parse().unwrap();
    expand_model(tokens).to_string()
}

#[test]
fn no_argument_of_keras_is_left_out() {
    let mut table = BTreeMap::<String, BTreeSet<String>>::new();
    for row in rows() {
        let new = table
            .entry(row.class.clone())
            .or_default()
            .insert(row.argument.clone());
        assert!(new, "{} of {} twice", row.argument, row.class);
    }
    let keras: BTreeMap<String, BTreeSet<String>> = KERAS
        .iter()
        .map(|(c, a)| ((*c).to_owned(), a.split(' ').map(str::to_owned).collect()))
        .collect();
    assert_eq!(table, keras);
    // Nor one that a layer here declares, unless Keras has it not.
    const OWN: &[&str] = &["learn_initial_state"];
    for (class, arguments) in &table {
        for a in layers::find(class).map_or(&[][..], |l| l.arguments) {
            let known = arguments.contains(a.name) || OWN.contains(&a.name);
            assert!(known, "{} of {class}", a.name);
        }
    }
}

#[test]
fn every_example_does_what_the_table_says() {
    for row in rows() {
        let Row {
            class,
            argument,
            state,
            example,
        } = &row;
        let at = format!("{class}({argument}): {example}");
        if state.starts_with("not needed") {
            assert!(example.is_empty(), "{at}");
            continue;
        }
        let code = expand(example);
        if state.starts_with("works") {
            assert!(!code.contains("compile_error"), "{at}\n{code}");
            // It does something: without it the code is another one.
            if let Some(start) = example.rfind(&format!(", {argument}")) {
                let end = example.len() - example.chars().rev().take_while(|c| *c == ')').count();
                let closing = match example[start..end].contains('(') {
                    true => end + 1,
                    false => end,
                };
                let without = format!(
                    "{}{}",
                    &example[..start],
                    &example[closing.min(example.len())..]
                );
                assert_ne!(code, expand(&without), "{at} is {without}");
            }
        } else {
            let wanted = format!("[{}]", &state[..7]);
            assert!(code.contains(&wanted), "{at} gives no {wanted}\n{code}");
        }
    }
}

/// A state of [`TABLE`] in the words of [`LAYERS`].
fn short(state: &str) -> &str {
    match state {
        s if s.starts_with("RNN0") => &s[..7],
        s if s.starts_with("not needed") => "–",
        s if s.contains("a stream is RNN0300") => "no stream",
        s if s.contains("known number of steps") => "yes (1)",
        s if s.contains("a stream keeps its own") => "yes (2)",
        s if s.contains("in training") || s.contains("each step of the optimizer") => "training",
        s if s.starts_with("works") => "yes",
        s => panic!("{s:?} has no short form"),
    }
}

#[test]
fn the_short_table_has_every_argument_of_every_layer() {
    let start = LAYERS.find("\n## Arguments of the recurrent layers");
    let section = &LAYERS[start.expect("the heading") + 1..];
    let section = &section[..section.find("\n## ").expect("the next heading")];
    let mut lines = section.lines().filter(|l| l.starts_with('|'));
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_matches('|').split('|');
        line.map(|c| c.trim().trim_matches('`').to_owned())
            .collect()
    };
    let classes = cells(lines.next().expect("a table"));
    let mut short_table = BTreeMap::new();
    for line in lines.skip(1) {
        let row = cells(line);
        assert_eq!(row.len(), classes.len(), "{line}");
        for (class, state) in classes.iter().zip(&row).skip(1) {
            if !state.is_empty() {
                short_table.insert((class.clone(), row[0].clone()), state.clone());
            }
        }
    }
    let mut docs = BTreeMap::new();
    for row in rows() {
        if row.argument == "(all)" {
            // All arguments of the layer are in one sentence, with the code.
            let named = format!("`{}`", row.class);
            assert!(
                section.contains(&named),
                "{named} is not in the short table"
            );
            assert!(section.contains(&row.state[..7]), "{named}: {}", row.state);
        } else {
            docs.insert((row.class, row.argument), short(&row.state).to_owned());
        }
    }
    assert_eq!(short_table, docs);
}
