//! Mistakes of newcomers, and the words that put them right.

mod support;

use support::{cell, messages, model, said, says};

#[test]
fn masks() {
    says(
        "input x: [time, 8]; input m: [time]; output y = x -> LSTM(4, mask = m);",
        &[
            "RNN0172",
            "for a mask write `input m: mask[time];`",
            "for ids `ids[time]`",
        ],
    );
    says(
        "input x: [_, 8]; input m: [_]; output y = x -> LSTM(4, mask = m);",
        &["RNN0172", "for a mask write `input m: mask;`"],
    );
    says(
        "input x: [time, 8]; input m: [time] mask; output y = x -> LSTM(4, mask = m);",
        &["RNN0046", "write `mask[time]`"],
    );
    says(
        "input x: [time, 8]; input m: mask; output y = x -> LSTM(4, mask = m);",
        &[
            "RNN0155",
            "the length of `m` is a length of its own, not `time` of `x`",
            "write `input m: mask[time];`",
        ],
    );
    says(
        "input x: [_, 8]; input m: mask[steps]; output y = x -> LSTM(4, mask = m);",
        &[
            "the length of `m` is `steps`, not that of `x`",
            "`input x: [time, 8]; input m: mask[time];`",
        ],
    );
    says(
        "input x: ids; input m: mask; output y = x -> Embedding(9, 4) -> LSTM(4, mask = m);",
        &["`input x: ids[time]; input m: mask[time];`"],
    );
    says(
        "input x: [20, 8]; input m: mask; output y = x -> LSTM(4, mask = m);",
        &[
            "is open, and there are 20 steps of `x`",
            "write `input m: mask[20];`",
        ],
    );
    says(
        "input x: [20, 8]; input m: mask[21]; output y = x -> LSTM(4, mask = m);",
        &["`m` has 21 steps, not 20"],
    );
    says(
        "input x: [STEPS, 8]; input m: mask[21]; output y = x -> LSTM(4, mask = m);",
        &["names of `const`s are compared, not values: write `STEPS`"],
    );
    says(
        "input x: [time, 8]; input m: [time, 1]; output y = x -> LSTM(4, mask = m);",
        &[
            "`m` is no mask: one boolean a step",
            "write `input m: mask[time];`",
        ],
    );
}

#[test]
fn consts_are_compared_by_name() {
    let words = ["names of `const`s are compared, not values: write `A` in both places"];
    for text in [
        "input x: [_, 3]; let (_, h) = x -> GRU(8, return_state); output y = x -> GRU(A, initial_state = h);",
        "input x: [3]; let a = x -> Dense(A); let b = x -> Dense(8); output y = (a, b) -> Add;",
        "input x: [A, 3]; input z: [8, 3]; output y = (x, z) -> Concatenate;",
        "Input(_, 3) -> Bidirectional(LSTM(A), backward_layer = LSTM(8, go_backwards), merge_mode = sum)",
    ] {
        says(text, &words);
    }
}

#[test]
fn states_are_not_dropped() {
    says(
        "input x: [_, 3]; output y = x -> LSTM(8, return_state) -> Dense(1);",
        &[
            "RNN0167",
            "LSTM(8, return_state) gives its states (h, c), too, and Dense(1) reads one value",
            "write LSTM(8), or take the values apart: `let (y, _) = …",
        ],
    );
    says(
        "Input(_, 3) -> GRU(8, return_state, return_sequences) -> GRU(8)",
        &["help: write GRU(8, return_sequences)"],
    );
    // At the end they are outputs.
    assert_eq!(model("Input(_, 3) -> LSTM(8, return_state)"), [""; 0]);
}

/// A layer whose state has two axes.
const GRID: &str = "@cell(Grid) { cell Grid(rows, columns) { param k: [input, rows, columns] = zeros; \
    state s: [rows, columns]; next s = s + einsum(\"bi,irc->brc\", x, k); output s; } }";

/// The part of a message between the first pair of backticks after `help: `.
fn pasted(message: &str) -> String {
    let help = message.rsplit("help: ").next().unwrap();
    help.split('`').nth(1).unwrap().to_owned()
}

/// Keras joins the last axis of both outputs; joining all their numbers as vectors would differ.
#[test]
fn directions_of_matrices_are_not_joined() {
    let both = |mode: &str| {
        format!("{GRID} input x: [_, 4]; output y = x -> Bidirectional(RNN(Grid(6, 7)){mode});")
    };
    for mode in ["", ", merge_mode = concat"] {
        says(
            &both(mode),
            &[
                "[RNN0166]",
                "joins vectors, found outputs 6 x 7 and 6 x 7",
                "merge_mode = sum",
            ],
        );
    }
    assert_eq!(model(&both(", merge_mode = sum")), [""; 0]);
}

#[test]
fn the_help_for_a_state_compiles() {
    let graph = |s: &str, paste: &str, rnn: &str| {
        format!("{GRID} input x: [_, 4]; {s} {paste} output y = x -> {rnn}")
    };
    let grid = "RNN(Grid(6, 7), initial_state = s);";
    let gru = "GRU(6, initial_state = s);";
    let cases = [
        ("input s: [42];", grid, "let s = s -> Reshape(6, 7);"),
        (
            "input s: [40];",
            grid,
            "let s = s -> Dense(42) -> Reshape(6, 7);",
        ),
        ("input s: [7, 6];", grid, "let s = s -> Reshape(6, 7);"),
        (
            "input s: [7, 7];",
            grid,
            "let s = s -> Flatten -> Dense(42) -> Reshape(6, 7);",
        ),
        ("input s: [2, 3];", gru, "let s = s -> Flatten;"),
        ("input s: [2, 4];", gru, "let s = s -> Flatten -> Dense(6);"),
    ];
    for (s, rnn, help) in cases {
        let found = model(&graph(s, "", rnn));
        said(s, &found, &["[RNN0154]", "`s` comes from input s"]);
        assert_eq!(pasted(&found[0]), help);
        assert_eq!(model(&graph(s, help, rnn)), [""; 0], "{s}");
    }
    // A value without known axes cannot be reshaped to a state.
    for s in ["input s: [_, 7];", "input s: ids[6];", "input s: mask[6];"] {
        let found = model(&graph(s, "", grid));
        said(s, &found, &["[RNN0154]", "is [batch, 6, 7], found"]);
        let help = pasted(&found[0]);
        assert_eq!(help, "input state: [6, 7];");
        let with = "RNN(Grid(6, 7), initial_state = state);";
        assert_eq!(model(&graph("", &help, with)), [""; 0], "{s}");
    }
    says(
        &graph("let s = x -> GRU(6, return_sequences);", "", gru),
        &["found [batch, time, 6]", "leave out `return_sequences`"],
    );
    // Both axes are those of the state.
    for s in [
        "input s: [6, 7];",
        "input v: [42]; let s = v -> Reshape(6, 7);",
        "input v: [6, 3]; let s = v -> GRU(7, return_sequences);",
    ] {
        assert_eq!(model(&graph(s, "", grid)), [""; 0], "{s}");
    }
}

#[test]
fn a_call_has_no_arguments_of_the_declaration() {
    let x = "input x: [_, 4]; layer l = LSTM(3);";
    says(
        &format!("{x} output y = x -> l(return_sequences);"),
        &[
            "[RNN0178]",
            "a call of `l` has only `initial_state` and `mask` as arguments, found `return_sequences`",
            "note: `layer l = LSTM(3);` has the others",
            "help: write it there: `layer l = LSTM(3, return_sequences);`",
        ],
    );
    says(
        &format!("{x} output y = x -> l(dropout = 0.5);"),
        &["`layer l = LSTM(3, dropout = 0.5);`"],
    );
    for written in ["units = 4", "4", "foo = 3", "training = true"] {
        says(
            &format!("{x} output y = x -> l({written});"),
            &["[RNN0178]", "help: leave it out: `-> l`"],
        );
    }
    says(
        &format!("{x} input m: mask; output y = x -> l(mask);"),
        &["help: give it a value: `l(mask = "],
    );
    assert_eq!(model(&format!("{x} output y = x -> l();")), [""; 0]);
}

#[test]
fn outputs_are_not_read() {
    says(
        "input x: [3]; output y = x -> Dense(4); output z = y -> Dense(2);",
        &["RNN0174", "`y` is an output", "`let y = …; output y = y;`"],
    );
    assert_eq!(
        model("input x: [3]; let y = x -> Dense(4); output y = y; output z = y -> Dense(2);"),
        [""; 0]
    );
}

#[test]
fn python() {
    let shape = ["RNN0121", "write `Input(_, 3)`"];
    says("Input(shape=(None, 3)) -> LSTM(8)", &shape);
    says("Input(shape=[None, 3]) -> LSTM(8)", &shape);
    says("Input(shape=(28,)) -> Dense(8)", &["write `Input(28)`"]);
    says(
        "Input((None, 3)) -> LSTM(8)",
        &["`Input(_, 3)`, not `Input((_, 3))`"],
    );
    says(
        "Input(_, 3) -> LSTM(8, kernel_regularizer=regularizers.l2(0.01))",
        &[
            "RNN0043",
            "`regularizers.l2` is Python's",
            "write `l2(0.01)`",
        ],
    );
    says(
        "Input(_, 3) -> layers.LSTM(8, return_sequences=True)",
        &["RNN0043", "`layers.LSTM` is Python's", "write `LSTM(8"],
    );
    says(
        "Input(_, 3) -> tf.keras.layers.LSTM(8) -> Dense(1)",
        &["`tf.keras.layers.LSTM` is Python's", "write `LSTM(8)`"],
    );
    says(
        "Input(_, 3) -> LSTM(8, activation = tf.nn.relu)",
        &["`tf.nn.relu` is Python's", "write `relu`"],
    );
}

#[test]
fn python_inside_of_python() {
    says(
        "keras.layers.Input(shape=(None, 3)) -> LSTM(8)",
        &["write `Input(_, 3)`"],
    );
    says(
        "Input(_, 3) -> layers.Bidirectional(layers.LSTM(8))",
        &["write `Bidirectional(LSTM(8))`"],
    );
    says(
        "Input(_, 3) -> Bidirectional(LSTM(8), merge_mode = None)",
        &["RNN0043", "write `merge_mode = none`"],
    );
    says(
        "input x: [_, 8]; input m: [bool]; output y = x -> LSTM(4, mask = m);",
        &["RNN0172", "write `input m: mask;` for booleans"],
    );
}

#[test]
fn names_may_stand_in_quotes() {
    for text in [
        r#"Input(8) -> Dense(8, activation = "relu", kernel_initializer = "he_normal")"#,
        r#"Input(8) -> Dense(8, "relu") -> Activation("softmax")"#,
        r#"Input(_, 8) -> LSTM(8, kernel_regularizer = "l2", kernel_constraint = "non_neg", recurrent_activation = "sigmoid")"#,
        r#"Input(_, 8) -> Bidirectional(LSTM(8), merge_mode = "sum")"#,
    ] {
        assert_eq!(model(text), [""; 0], "{text}");
    }
    says(
        r#"Input(8) -> Dense(8, activation = "rellu")"#,
        &[
            "RNN0130",
            "there is no activation `rellu`",
            "did you mean `relu`?",
        ],
    );
    says(
        r#"Input(8) -> Dense(8, activation = "a b")"#,
        &["RNN0126", r#"found `"a b"`"#],
    );
}

#[test]
fn numbers_are_literals() {
    for text in [
        "Input(_, 3) -> LSTM(8, dropout = D)",
        "Input(8) -> Dropout(D)",
        "Input(8) -> GaussianNoise(sizes::D)",
        "Input(8) -> BatchNormalization(momentum = D)",
        "Input(_, 3) -> LSTM(8, kernel_regularizer = l2(D))",
        "Input(_, 3) -> LSTM(8, kernel_initializer = constant(D))",
        "Input(_, 3) -> LSTM(8, kernel_constraint = max_norm(D))",
    ] {
        says(text, &["only sizes may be `const`s"]);
    }
}

#[test]
fn cells() {
    let (text, found) = cell(
        "param k: [units, 4 * units] = zeros; state h: [units]; let [a, b, c, d] = split(x @ k); next h = a + b + c + d; output h;",
    );
    said(&text, &found, &["RNN0224", "param k: [input, 4 * units]"]);
    let (text, found) =
        cell("param k: [input, units] = zeros; state h: [units]; next h = h @ k; output h;");
    said(&text, &found, &["RNN0224", "param k: [units, units]"]);
    let tokens = "@krate(recurrent) cell Own(units) { state h: [units]; let z = h * 2; next h = z; output g: z * 2; }";
    let mut found = Vec::new();
    messages(
        rnn_compiler::expand_cell(tokens.parse().unwrap()),
        &mut found,
    );
    said(
        tokens,
        &found,
        &[
            "RNN0013",
            "write `output g = z * 2;`, or `output z * 2;` without names",
        ],
    );
}

#[test]
fn names_in_a_cell_have_no_quotes() {
    for (text, word) in [
        (
            r#"cell Own(units, activation = "tanh") { state h: [units]; next h = activation(h); output h; }"#,
            "tanh",
        ),
        (
            r#"cell Own(units) { param k: [input, units] = "zeros"; state h: [units]; next h = x @ k; output h; }"#,
            "zeros",
        ),
    ] {
        let tokens = format!("@krate(recurrent) {text}").parse().unwrap();
        let mut found = Vec::new();
        messages(rnn_compiler::expand_cell(tokens), &mut found);
        let help = format!("write `{word}` without quotes");
        said(text, &found, &["RNN0024", &help]);
    }
}

#[test]
fn what_cannot_stream_is_named() {
    let code = |text: &str| {
        let tokens = format!("@krate(recurrent) {text}").parse().unwrap();
        rnn_compiler::expand_model(tokens).to_string()
    };
    let inline = code("Input(_, 3) -> LSTM(8, return_sequences) -> Bidirectional(GRU(8))");
    assert!(
        inline.contains("[RNN0300]: this model cannot stream: Bidirectional(GRU(8)) needs"),
        "{inline}"
    );
    let named =
        code("struct Rows = Input(_, { a: 3, b: 2 }) -> Concatenate -> GRU(8, go_backwards);");
    assert!(
        named.contains("[RNN0300]: `Rows` cannot stream: GRU(8, go_backwards) needs"),
        "{named}"
    );
    assert!(!code("Input(_, 3) -> LSTM(8)").contains("RNN0300"));
}

#[test]
fn keras_takes_short_names_and_classes() {
    for text in [
        r#"Input(_, 8) -> LSTM(4, kernel_initializer = "uniform", recurrent_initializer = normal)"#,
        r#"Input(_, 8) -> LSTM(4, kernel_initializer = "GlorotUniform", bias_initializer = Zeros)"#,
        "Input(_, 8) -> LSTM(4, kernel_initializer = RandomNormal(mean = 0, stddev = 0.1))",
        r#"Input(_, 8) -> LSTM(4, kernel_initializer = variance_scaling(mode = "fan_avg"))"#,
        "Input(_, 8) -> LSTM(4, kernel_regularizer = L2(0.01), bias_regularizer = L1L2(0.1, 0.1))",
        "Input(_, 8) -> LSTM(4, kernel_constraint = MaxNorm(2), bias_constraint = NonNeg)",
        "Input(_, 8) -> LSTM(4, kernel_constraint = max_norm(2, axis = [0, 1]))",
        "Input(_, 8) -> LSTM(4, kernel_constraint = unit_norm(axis = -1))",
    ] {
        assert_eq!(model(text), [""; 0], "{text}");
    }
    let (_, found) =
        cell("param k: [input, units] = uniform; state h: [units]; next h = x @ k + h; output h;");
    assert_eq!(found, [""; 0]);
    says(
        "Input(_, 8) -> LSTM(4, kernel_constraint = unit_norm(axis = 2))",
        &[
            "RNN0134",
            "a parameter has no axis 2",
            "write `unit_norm(axis = 0)`",
        ],
    );
}

/// `uniform` is `RandomUniform`, and axes reach the runtime as they count from the start.
#[test]
fn short_names_mean_what_they_mean_in_keras() {
    let code = |text: &str| {
        let tokens = format!("@krate(recurrent) {text}").parse().unwrap();
        rnn_compiler::expand_model(tokens)
            .to_string()
            .replace(' ', "")
    };
    let uniform = code("Input(8) -> Dense(4, kernel_initializer = uniform)");
    assert!(
        uniform.contains("RandomUniform{minval:-0.05f32,maxval:0.05f32}"),
        "{uniform}"
    );
    let axes = code("Input(8) -> Dense(4, kernel_constraint = unit_norm(axis = [-1, 0]))");
    assert!(axes.contains("UnitNorm{axis:&[0usize,1usize]}"), "{axes}");
    let last = code("Input(8) -> Dense(4, kernel_constraint = unit_norm(axis = -1))");
    assert!(last.contains("UnitNorm{axis:&[1usize]}"), "{last}");
}

#[test]
fn one_of_several_names_is_enough() {
    let text = "input x: [_, 8]; let (output, state_h, state_c) = x -> LSTM(4, return_state); output y = (state_h, state_c) -> Add;";
    assert_eq!(model(text), [""; 0]);
    says(
        "input x: [_, 8]; let (y, h, c) = x -> LSTM(4, return_state); output z = x -> LSTM(3);",
        &["RNN0170", "is never used"],
    );
    // A hidden name belongs to the `let` that bound it.
    let text = "input x: [_, 8]; let (a, h) = x -> GRU(4, return_state); let (b, h) = x -> GRU(4, return_state); output z = (a, b) -> Add;";
    assert_eq!(model(text), [""; 0]);
}

#[test]
fn a_model_with_a_mistake_has_its_structures() {
    let tokens = "@krate(recurrent) struct Two { input a: [_, 8]; input b: [8]; output y = a -> LTSM(4); output z = b -> Dense(2); }";
    let code = rnn_compiler::expand_model(tokens.parse().unwrap()).to_string();
    for name in [
        "struct TwoInput",
        "struct TwoStep",
        "struct TwoOutput",
        "struct TwoStepOutput",
    ] {
        assert!(code.contains(name), "{code}");
    }
}

#[test]
fn programs_of_keras() {
    for (text, right) in [
        (
            "Sequential([LSTM(8), Dense(1)])",
            "`Input(_, 8) -> LSTM(8) -> Dense(1)`",
        ),
        (
            "keras.Sequential([layers.LSTM(8, input_shape=(10, 8)), layers.Dense(1)])",
            "`Input(10, 8) -> LSTM(8) -> Dense(1)`",
        ),
        (
            "Model(inputs, outputs)",
            "inputs and outputs are statements",
        ),
        (
            "LSTM(8, batch_input_shape = (1, None, 8)) -> Dense(1)",
            "`Input(_, 8) -> LSTM(8)`",
        ),
        (
            "Input(batch_shape = (1, 10, 8)) -> LSTM(8)",
            "`Input(10, 8)`",
        ),
        ("input x: [8]; output z = Add()([x, x]);", "`(x, x) -> Add`"),
        ("Input(_, 8) -> LSTM(units)", "`const UNITS: usize = 64;`"),
        (
            "Input(_, 8) -> LSTM(4, training = true)",
            "a `Trainer` trains",
        ),
    ] {
        says(text, &[right]);
    }
}

#[test]
fn python_in_a_cell() {
    for (body, right) in [
        ("next h = tanh(matmul(x, k));", "write `x @ k`"),
        ("next h = inputs @ k;", "the input of a step is `x`"),
        ("next h = h ** 2;", "write `pow(h, 2)`"),
        ("next h = x @ k + 1e40;", "at most 3.4e38"),
        (
            "param b: [HIDDEN] = zeros; next h = x @ k;",
            "make it an argument",
        ),
    ] {
        let body = format!("param k: [input, units] = zeros; state h: [units]; {body} output h;");
        let (text, found) = cell(&body);
        said(&text, &found, &[right]);
    }
}

#[test]
fn values_are_merged_by_layers() {
    for (chain, right) in [
        ("[x, x] -> Add", "`(x, x) -> Add`"),
        ("x + x", "write `(x, x) -> Add`"),
        ("x - z -> Dense(3)", "write `(x, z) -> Subtract`"),
        ("x * z", "write `(x, z) -> Multiply`"),
    ] {
        let all = model(&format!("input x: [8]; input z: [8]; output y = {chain};"));
        assert!(all[0].contains(right), "{chain}: {all:#?}");
    }
    let text = "input x: [8]; output y = (x, x) -> Add;";
    assert_eq!(model(text), [""; 0]);
}

#[test]
fn a_layer_in_a_list_of_cells() {
    says(
        "Input(_, 8) -> RNN([LSTMCell(4), LSTM(4)])",
        &[
            "LSTM is a layer, RNN needs a cell",
            "help: write LSTMCell(4)",
        ],
    );
    says(
        "Input(_, 8) -> RNN(LSTM(4))",
        &["write LSTM(4) without RNN, or RNN(LSTMCell(4))"],
    );
}

#[test]
fn tuples_whole_numbers_and_eps() {
    for (text, right) in [
        ("Input(2, 4) -> Reshape((4, 2))", "write `Reshape(4, 2)`"),
        ("Input(8) -> Reshape((8,))", "write `Reshape(8)`"),
        (
            "Input(2, 4) -> Reshape(target_shape = (4, 2))",
            "write `Reshape(4, 2)`",
        ),
        (
            r#"Input(2, 4) -> Permute((2, 1), name="turned")"#,
            r#"write `Permute(2, 1, name = "turned")`"#,
        ),
        ("Input(_, 8) -> LSTM(8.0)", "found `8.0`"),
        ("Input(_, 8) -> LSTM(8.0)", "write `8`"),
        (
            "Input(8) -> LayerNormalization(eps = 0.01)",
            "write `LayerNormalization(epsilon = 0.01)`",
        ),
    ] {
        says(text, &[right]);
    }
    for right in [
        "Input(2, 4) -> Reshape(4, 2)",
        r#"Input(2, 4) -> Permute(2, 1, name = "turned")"#,
    ] {
        assert_eq!(model(right), [""; 0], "{right}");
    }
}

#[cfg(not(feature = "import"))]
#[test]
fn files_need_a_feature() {
    says(
        "struct Amp = import(\"amp.keras\");",
        &[
            "RNN0314",
            "add \"import\" to the features of recurrent in Cargo.toml: `recurrent = { path = \"../recurrent\", features = \
             [\"import\"] }`",
        ],
    );
}
