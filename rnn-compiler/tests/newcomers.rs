//! Models of newcomers, and what the messages propose: the model that was meant, in the user's own words.

mod support;

use support::{cell, model, said, says};

/// Checks the words of the first message for each text.
fn first_says(cases: &[(&str, &[&str])]) {
    for (text, words) in cases {
        let all = model(text);
        assert!(!all.is_empty(), "{text}");
        said(text, &all[..1], words);
    }
}

/// `return_sequences` belongs to the layer inside of `Bidirectional`.
#[test]
fn sequences_are_returned_by_the_layer_inside() {
    for (before, right) in [
        ("LSTM(4)", "LSTM(4, return_sequences)"),
        (
            "LSTM(4, return_sequences = false, dropout = 0.1)",
            "LSTM(4, dropout = 0.1, return_sequences)",
        ),
        (
            "Bidirectional(LSTM(4))",
            "Bidirectional(LSTM(4, return_sequences))",
        ),
        (
            "Bidirectional(LSTM(4, dropout = 0.2), merge_mode = sum)",
            "Bidirectional(LSTM(4, dropout = 0.2, return_sequences), merge_mode = sum)",
        ),
        (
            "Bidirectional(layer = LSTM(4), backward_layer = GRU(4, go_backwards))",
            "Bidirectional(layer = LSTM(4, return_sequences), backward_layer = GRU(4, go_backwards, return_sequences))",
        ),
        (
            "Bidirectional(RNN(LSTMCell(4)))",
            "Bidirectional(RNN(LSTMCell(4), return_sequences))",
        ),
    ] {
        for after in ["GRU(3)", "LSTM(3)", "TimeDistributed(Dense(2))"] {
            says(
                &format!("Input(_, 8) -> {before} -> {after}"),
                &["[RNN0107]", &format!("help: write {right}")],
            );
            assert_eq!(
                model(&format!("Input(_, 8) -> {right} -> {after}")),
                [""; 0]
            );
        }
        says(
            &format!("input x: [_, 8]; let y = x -> {before}; output z = y -> GRU(3);"),
            &[&format!("help: write {right}")],
        );
    }
    let twice = model("Input(_, 8) -> Bidirectional(LSTM(4), return_sequences) -> GRU(3)");
    for message in &twice {
        assert!(
            message.contains("Bidirectional(LSTM(4, return_sequences))"),
            "{twice:#?}"
        );
        assert!(
            !message.contains("return_sequences, return_sequences"),
            "{twice:#?}"
        );
    }
}

#[test]
fn the_word_that_was_meant_is_proposed() {
    for (mode, right) in [
        ("average", "ave"),
        ("avg", "ave"),
        ("\"mean\"", "ave"),
        ("multiply", "mul"),
        ("add", "sum"),
        ("concatenate", "concat"),
    ] {
        says(
            &format!("Input(_, 8) -> Bidirectional(LSTM(4), merge_mode = {mode})"),
            &[&format!("help: write `merge_mode = {right}`")],
        );
    }
    first_says(&[
        (
            "Input(_, 8) -> Bidirectional(LSTM(4), merge_mode = whatever)",
            &[
                "write one of `merge_mode = concat`, `merge_mode = sum`, `merge_mode = mul`, `merge_mode = ave`, `merge_mode = none`",
            ],
        ),
        (
            "Input(_, 8) -> LSTM(4, seed = 18446744073709551616)",
            &["help: sizes are at most 2147483648, seeds below 2^32"],
        ),
        (
            "Input(_, 8) -> LSTM(16, activation = tanh, return_sequence)",
            &[
                "LSTM has no flag `return_sequence`",
                "did you mean the flag `return_sequences`?",
            ],
        ),
        (
            "Input(_, 8) -> LSTM(16, activation = tanh, recurent_dropout)",
            &[
                "LSTM has no argument `recurent_dropout`",
                "did you mean `recurrent_dropout`?",
            ],
        ),
        (
            "Input(_, 8) -> LSTM(16, activation = tanh, sigmoid)",
            &["`sigmoid` has no name but follows"],
        ),
        (
            "Input(_, 8) -> LSTM(16, go_backward)",
            &[
                "LSTM has no flag `go_backward`",
                "did you mean the flag `go_backwards`?",
            ],
        ),
        (
            "Input(_, 8) -> LSTM(16, go_backward, activation = tanh)",
            &["did you mean the flag `go_backwards`?"],
        ),
        (
            "Input(_, 8) -> Bidirectional(LSTM(4, bias_regularizer = l2(0.1)), kernel_regularizer = l2(0.2))",
            &["`Bidirectional(LSTM(4, bias_regularizer = l2(0.1), kernel_regularizer = l2(0.2)))`"],
        ),
        (
            "Input(_, 8) -> Bidirectional(LSTM(4), go_backwards)",
            &["leave it out: Bidirectional reads in both directions"],
        ),
        (
            "Input(8) -> Dense(-1)",
            &["must be a whole number from 1, found `-1`"],
        ),
    ]);
}

#[test]
fn a_vector_beside_a_sequence_is_made_one() {
    for layer in ["Concatenate", "Add"] {
        let width = if layer == "Add" { 8 } else { 5 };
        for (order, time, help) in [
            (
                "(x, y)",
                "20",
                "; or repeat the vector for every step: `v -> RepeatVector(20)`",
            ),
            (
                "(y, x)",
                "20",
                "; or repeat the vector for every step: `v -> RepeatVector(20)`",
            ),
            (
                "(x, y)",
                "_",
                "; or give the sequence a length, such as 10, and repeat the vector as often: `v -> RepeatVector(10)`",
            ),
        ] {
            says(
                &format!(
                    "input x: [{time}, 8]; let y = x -> LSTM({width}, dropout = 0.1); output z = {order} -> {layer};"
                ),
                &[
                    "[RNN0151]",
                    &format!("help: write LSTM({width}, dropout = 0.1, return_sequences){help}"),
                ],
            );
        }
    }
    says(
        "input x: [7, 8]; input v: [8]; output z = (x, v) -> Add;",
        &["help: repeat the vector for every step: `v -> RepeatVector(7)`"],
    );
    let open = "input x: [_, 8]; let (_, h) = x -> GRU(8, return_state); output z = (x, h) -> Add;";
    says(open, &["help: give the sequence a length"]);
}

#[test]
fn a_kernel_that_is_turned_keeps_its_names() {
    let (text, found) = cell(
        "param kernel: [units, input] = zeros; state h: [units]; next h = x @ kernel; output h;",
    );
    said(&text, &found, &["help: param kernel: [input, units]"]);
}

/// A graph keeps the names of the user.
#[test]
fn statements_are_proposed_in_the_users_names() {
    first_says(&[
        (
            "input a: [_, 3]; x = a -> LSTM(4); output y = x -> Dense(1);",
            &["help: write `let x = a -> LSTM(4);`"],
        ),
        (
            "input a: [3]; output x = Dense(1, a);",
            &["help: write `output x = a -> Dense(1);`"],
        ),
        (
            "input a: [3]; let b = a -> Dense(2); output x = Dense(1);",
            &["help: write `output x = b -> Dense(1);`"],
        ),
        (
            "input a: [3]; input b: [3]; let both = Add(a, b); output x = both -> Dense(1);",
            &["help: write `let both = (a, b) -> Add;`"],
        ),
        (
            "input a: [3]; output x = Dense(1, a) -> Activation(relu);",
            &["help: write `output x = a -> Dense(1) -> Activation(relu);`"],
        ),
        (
            "input a: [_, 3]; x = LSTM(4, a) -> Dense(2); output y = x;",
            &["help: write `let x = a -> LSTM(4) -> Dense(2);`"],
        ),
        (
            "input a: [_, 3]; x = a; output y = x -> LSTM(3);",
            &["help: write `let x = a;`"],
        ),
        (
            "input a: [_, 3]; output y = a -> Embedding(10, 4) -> LSTM(2);",
            &["help: write `input a: ids;`"],
        ),
        (
            "input a: [time, 3]; output y = a -> Embedding(10, 4) -> LSTM(2);",
            &["help: write `input a: ids[time];`"],
        ),
        (
            "input words: [5, 3]; output y = words -> Embedding(10, 4) -> LSTM(2);",
            &["help: write `input words: ids[5];`"],
        ),
        (
            "input a: [6]; output y = a -> Embedding(10, 4) -> LSTM(2);",
            &["help: write `input a: ids[6];` for 6 ids, or `input a: ids;`"],
        ),
        (
            "Input(_, 3) -> Embedding(10, 4)",
            &["help: write Input(_) -> Embedding(10, 4)"],
        ),
        (
            "input a: [_, 3]; inputs = Input(shape=(None, 8)); output y = a -> LSTM(3);",
            &["help: write `input inputs: [_, 8];`"],
        ),
    ]);
}

#[test]
fn a_bracket_that_is_missing_is_named() {
    says(
        "Input(_, 8) -> LSTM(16, return_sequences -> Dense(1))",
        &["[RNN0042]", "help: a `)` seems to be missing before `->`"],
    );
}

/// Code pasted from a program for Keras.
#[test]
fn programs_become_chains_and_graphs() {
    for (text, right) in [
        ("model.add(LSTM(16))", "Input(_, 8) -> LSTM(16)"),
        (
            "model.add(layers.LSTM(16, input_shape=(None, 4))); model.add(Dense(1));",
            "Input(_, 4) -> LSTM(16) -> Dense(1)",
        ),
    ] {
        says(
            text,
            &[
                "[RNN0043]",
                &format!("help: write the layers as a chain: `{right}`"),
            ],
        );
    }
    for text in [
        "model = Sequential(); model.add(LSTM(16)); model.add(Dense(1))",
        "model = keras.Sequential([LSTM(16), Dense(1)])",
    ] {
        says(
            text,
            &[
                "[RNN0041]",
                "help: write the layers as a chain: `Input(_, 8) -> LSTM(16) -> Dense(1)`",
            ],
        );
    }
    for (text, right) in [
        (
            "inputs = Input(shape=(None, 8)); x = LSTM(64)(inputs);",
            "input inputs: [_, 8]; output x = inputs -> LSTM(64);",
        ),
        (
            "inputs = keras.Input((None, 8))
             x = layers.LSTM(64, return_sequences=True)(inputs)
             y = layers.GRU(8)(x)
             model = keras.Model(inputs, y)",
            "input inputs: [_, 8]; let x = inputs -> LSTM(64, return_sequences = true); output y = x -> GRU(8);",
        ),
        (
            "words = Input(shape=(None,)); x = Embedding(10, 4)(words); y = LSTM(3)(x)",
            "input words: ids; let x = words -> Embedding(10, 4); output y = x -> LSTM(3);",
        ),
        (
            "struct M = inputs = Input(shape=(None, 8)); x = LSTM(64)(inputs);",
            "struct M { input inputs: [_, 8]; output x = inputs -> LSTM(64); }",
        ),
        (
            "x = tf.zeros(3) + 1",
            "input x: [_, 8]; output y = x -> LSTM(64) -> Dense(10);",
        ),
    ] {
        says(
            text,
            &[
                "[RNN0041]",
                "expected `->`, found `=`",
                &format!("help: write `{right}`"),
            ],
        );
    }
}
