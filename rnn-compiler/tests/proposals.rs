//! Proposals of messages: they are right, they compile, and they keep the user's own words.

mod support;

use support::{cell, messages, model, said, says};

/// One set of weights has one size. A layer without weights takes any size, as in Keras.
#[test]
fn layers_without_weights_are_shared_by_any_widths() {
    const XZ: &str = "input x: [4, 6]; input z: [4, 3];";
    for layer in [
        "Activation(relu)",
        "Masking",
        "GaussianNoise(0.1)",
        "GaussianDropout(0.1)",
        "AlphaDropout(0.1)",
        "ActivityRegularization(0.1)",
        "GlobalMaxPooling1D",
        "GlobalAveragePooling1D",
        "Dropout(0.1)",
        "Reshape(2, 6)",
        "TimeDistributed(Flatten)",
        "TimeDistributed(Activation(tanh))",
        "Flatten",
        "LayerNormalization(center = false, scale = false)",
    ] {
        // `Reshape` makes one shape of both.
        let (x, z) = match layer {
            "Reshape(2, 6)" => ("input x: [4, 3];", "input z: [2, 6];"),
            _ => ("input x: [4, 6];", "input z: [4, 3];"),
        };
        let text = format!("{x} {z} layer l = {layer}; output a = x -> l; output b = z -> l;");
        assert_eq!(model(&text), [""; 0], "{text}");
    }
    for layer in [
        "Add",
        "Multiply",
        "Maximum",
        "Minimum",
        "Average",
        "Concatenate",
    ] {
        for (x, z) in [
            ("x", "z"),
            ("x -> Masking", "z -> Masking"),
            ("x -> Masking", "z"),
            ("x -> Masking -> Masking", "z -> GRU(3, return_sequences)"),
        ] {
            let text = format!(
                "{XZ} layer l = {layer}; let p = {x}; let q = {z}; output a = (p, p) -> l; output b = (q, q, q) -> l;"
            );
            assert_eq!(model(&text), [""; 0], "{text}");
        }
    }
    for layer in [
        "Dense(3)",
        "LayerNormalization",
        "LSTM(3)",
        "BatchNormalization",
    ] {
        says(
            &format!("{XZ} layer l = {layer}; output a = x -> l; output b = z -> l;"),
            &["[RNN0169]", "it read 6 features before, here 3"],
        );
    }
}

#[test]
fn as_many_outputs_as_there_are_tuples_for() {
    let stack = |cells: &[&str], end: &str| {
        format!(
            "Input(_, 4) -> RNN([{}], return_state{end})",
            cells.join(", ")
        )
    };
    let mut cells = vec!["LSTMCell(2)"; 8];
    says(
        &stack(&cells, ""),
        &[
            "[RNN0177]",
            "gives 17 outputs: a model has at most 16",
            "help: write RNN([LSTMCell(2), ",
        ],
    );
    cells[0] = "GRUCell(2)";
    assert_eq!(model(&stack(&cells, "")), [""; 0]);
}

/// What a named model with these states has as fields.
#[test]
fn states_of_one_name_are_different_fields() {
    let body = "state h: [units]; state h_1: [units]; state type: [units]; state output: [units]; \
        next h = x[0]; next h_1 = h; next type = h; next output = h; output h;";
    let body = body.replace("x[0]", "sum(x)");
    let tokens = format!(
        "@krate(recurrent) @cell(C) {{ cell C(units) {{ {body} }} }} \
         struct Two = Input(_, 3) -> RNN([C(3), GRUCell(4)], return_state);"
    );
    let code = rnn_compiler::expand_model(tokens.parse().unwrap()).to_string();
    for field in ["output", "h", "h_1", "r#type", "output_1", "h_2"] {
        let field = format!("pub {field} :");
        assert_eq!(code.matches(&field).count(), 2, "{field} in\n{code}");
    }
}

#[test]
fn words_that_nothing_can_be_named() {
    for (word, other) in [
        ("self", "self_"),
        ("super", "super_"),
        ("crate", "crate_"),
        ("Self", "self_"),
        ("_", "unread"),
    ] {
        let help = format!(
            "`{word}` is a word of Rust and cannot be a name\n  help: write another name, such as `{other}`"
        );
        for body in [
            "state NAME: [units]; output x;",
            "param NAME: [units] = zeros; output x;",
            "input NAME: [n]; output 1;",
            "let NAME = x; output x;",
            "let [a, NAME] = split(x); output a;",
            "output NAME = x;",
        ] {
            let tokens = format!(
                "@krate(k) cell C(units) {{ {} }}",
                body.replace("NAME", word)
            );
            let mut found = Vec::new();
            messages(
                rnn_compiler::expand_cell(tokens.parse().unwrap()),
                &mut found,
            );
            if word == "_" && body.starts_with("let") {
                assert_eq!(found, [""; 0], "{tokens}");
            } else {
                said(&tokens, &found, &["[RNN0027]", &help]);
            }
        }
        let tokens = format!("@krate(k) cell C(units, {word} = 3) {{ output x; }}");
        let mut found = Vec::new();
        messages(
            rnn_compiler::expand_cell(tokens.parse().unwrap()),
            &mut found,
        );
        said(&tokens, &found, &["[RNN0027]", &help]);
    }
}

/// `kernel_regularizer` for `param kernel`, as Keras's layers have it.
#[test]
fn parameters_of_a_cell_have_regularizers_and_constraints() {
    const BODY: &str = "param kernel: [input, units] = zeros; frozen param recurrent_kernel: [units, units] = zeros; \
        if rich { param gate: [units] = ones; } \
        state h: [units]; next h = tanh(x @ kernel + h @ recurrent_kernel); output h;";
    let with = |arguments: &str| {
        format!(
            "@cell(Own) {{ cell Own(units, rich = false) {{ {BODY} }} }} Input(_, 3) -> RNN(Own(8{arguments}))"
        )
    };
    for right in [
        ", kernel_regularizer = l2(0.01), kernel_constraint = max_norm(2)",
        r#", kernel_regularizer = "L2", kernel_constraint = none"#,
        ", rich, gate_regularizer = l1, gate_constraint = non_neg",
        // As `bias_regularizer` with `use_bias = false`.
        ", gate_regularizer = l1",
    ] {
        assert_eq!(model(&with(right)), [""; 0], "{right}");
    }
    for (wrong, words) in [
        (
            ", kernel_regularizer",
            &["[RNN0126]", "write `kernel_regularizer = l2(0.01)`"],
        ),
        (
            ", kernel_regularizer = l1, kernel_regularizer = l2",
            &["[RNN0124]", "`kernel_regularizer` of Own is given twice"],
        ),
        (
            ", kernel_regularizer = l3",
            &["[RNN0135]", "`kernel_regularizer` of Own must be one of"],
        ),
        (
            ", kernel_constraint = maxnorm",
            &["[RNN0136]", "did you mean `max_norm`?"],
        ),
        (
            ", kernel_regulariser = l2",
            &["[RNN0120]", "did you mean `kernel_regularizer`?"],
        ),
        (
            ", bias_regularizer = l2",
            &[
                "[RNN0120]",
                "write `kernel_regularizer = l2(0.01)` or `gate_regularizer = l2(0.01)`",
            ],
        ),
        (
            ", recurrent_kernel_regularizer = l2",
            &["[RNN0120]", "`recurrent_kernel` is frozen"],
        ),
        (
            ", kernel_regularizer = l2, 4",
            &["[RNN0125]", "`4` has no name but follows"],
        ),
        (
            ", activity_regularizer = l2",
            &[
                "[RNN0120]",
                "write it after the cell: RNN(Own(8), activity_regularizer = l2)",
            ],
        ),
    ] {
        says(&with(wrong), words);
    }
}

/// `None` means an open length in a shape, no merging, no activation, or Keras's initialiser for weights;
/// elsewhere it is the default and is left out. `says` compiles the proposals.
#[test]
fn none_is_what_it_is_where_it_stands() {
    for (text, right) in [
        (
            "Sequential([Input(shape=(None, 8)), Dense(1, activation=None), Bidirectional(LSTM(3), merge_mode=None)])",
            "`Input(_, 8) -> Dense(1, activation = linear) -> Bidirectional(LSTM(3), merge_mode = none)`",
        ),
        (
            "Sequential([Input(shape=(None, 8)), LSTM(3, activation=None, dropout=0.1), layers.Dense(1, activation=None)])",
            "`Input(_, 8) -> LSTM(3, activation = linear, dropout = 0.1) -> Dense(1, activation = linear)`",
        ),
        (
            "Sequential([Input(shape=(None, 8)), GRU(3, recurrent_activation=None, recurrent_initializer=None, dropout=0.1, mask=None)])",
            "`Input(_, 8) -> GRU(3, recurrent_activation = linear, recurrent_initializer = glorot_uniform, dropout = 0.1)`",
        ),
        (
            "Sequential([Embedding(9, 4, embeddings_initializer=None), SimpleRNN(3, bias_initializer=None)])",
            "`Embedding(9, 4, embeddings_initializer = glorot_uniform) -> SimpleRNN(3, bias_initializer = glorot_uniform)`",
        ),
        (
            "keras.Sequential([layers.Input((None, 8)), layers.LSTM(3, return_sequences=True), layers.TimeDistributed(layers.Dense(1, bias_regularizer=None))])",
            "`Input(_, 8) -> LSTM(3, return_sequences = true) -> TimeDistributed(Dense(1))`",
        ),
        (
            "Sequential([Embedding(100, 8, mask_zero=True, embeddings_regularizer=None), GRU(3, kernel_regularizer=regularizers.l2(0.01))])",
            "`Embedding(100, 8, mask_zero = true) -> GRU(3, kernel_regularizer = l2(0.01))`",
        ),
        (
            "LSTM(8, input_shape=(None, 8), recurrent_constraint=None) -> Dense(1)",
            "`Input(_, 8) -> LSTM(8)`",
        ),
        (
            "Input(batch_shape=(None, None, 8)) -> LSTM(3)",
            "`Input(_, 8)`",
        ),
        (
            "Input(_, 8) -> layers.LSTM(8, activation=None)",
            "write `LSTM(8, activation = linear)`",
        ),
    ] {
        let all = model(text);
        assert!(all[0].contains(right), "{text}: {all:#?}");
        said(text, &all[..1], &[right]);
    }
    let text = "input x: [_, 8]; output y = Bidirectional(LSTM(3), merge_mode=\"sum\", name=None)(x, mask=None);";
    says(
        text,
        &["`x -> Bidirectional(LSTM(3), merge_mode = \"sum\")`"],
    );
}

/// Keras gives `Reshape` and `Permute` a tuple, wherever they stand.
#[test]
fn axes_stand_without_a_tuple() {
    for (text, right) in [
        (
            "Sequential([Input(shape=(None, 8)), LSTM(8), Reshape((4, 2)), Flatten()])",
            "`Input(_, 8) -> LSTM(8) -> Reshape(4, 2) -> Flatten`",
        ),
        (
            "Sequential([Input(shape=(4, 2)), layers.Permute(dims=(2, 1)), TimeDistributed(layers.Reshape((2, 2))), Flatten()])",
            "`Input(4, 2) -> Permute(2, 1) -> TimeDistributed(Reshape(2, 2)) -> Flatten`",
        ),
        (
            "Sequential([Reshape((4, 2), input_shape=(8,)), LSTM(3)])",
            "`Input(8) -> Reshape(4, 2) -> LSTM(3)`",
        ),
        (
            "Reshape((4, 2), input_shape=(8,)) -> LSTM(3)",
            "`Input(8) -> Reshape(4, 2)`",
        ),
        (
            "Input(8) -> layers.Reshape((4, 2)) -> LSTM(3)",
            "write `Reshape(4, 2)`",
        ),
        (
            "Input(8) -> Reshape((4, 2)) -> LSTM(3)",
            "write `Reshape(4, 2)`",
        ),
        (
            "input x: [8]; output y = layers.Reshape((4, 2))(x);",
            "write `x -> Reshape(4, 2)`",
        ),
        (
            "input x: [_, 8]; let y = tf.keras.layers.LSTM(4, activation=None)(x); output z = y;",
            "write `x -> LSTM(4, activation = linear)`",
        ),
        (
            "input x: [4, 2]; output y = Permute((2, 1), name=\"p\")(x);",
            "write `x -> Permute(2, 1, name = \"p\")`",
        ),
    ] {
        says(text, &[right]);
    }
}

/// The plan says why `unroll` is not done.
#[test]
fn a_plan_says_why_a_layer_is_not_unrolled() {
    let code = |text: &str| {
        let tokens = format!("@krate(recurrent) {text}").parse().unwrap();
        rnn_compiler::expand_model(tokens).to_string()
    };
    for (text, why) in [
        (
            "Input(5, 8) -> LSTM(4, unroll)",
            "unrolled because it was asked for: 5 steps",
        ),
        (
            "Input(65, 8) -> LSTM(4, unroll)",
            "a loop over the steps: at most 64 are unrolled, and there are 65",
        ),
        (
            "Input(5, 8) -> Masking -> LSTM(4, unroll)",
            "a loop over the steps: which of them are valid is only known when the program runs, so a masked layer is not unrolled",
        ),
        (
            "input x: [80, 8]; input m: mask[80]; output y = x -> LSTM(4, mask = m, unroll);",
            "a masked layer is not unrolled",
        ),
        (
            "Input(STEPS, 8) -> LSTM(4, unroll)",
            "a loop over the steps: the value of `STEPS` is not known when the model is expanded; a number in its place is unrolled",
        ),
        (
            "Input(5, 8) -> LSTM(4)",
            "a loop over the steps: in every size measured",
        ),
    ] {
        let code = code(text);
        assert!(code.contains(why), "{text}: no {why:?} in\n{code}");
        let asked = text.contains("unroll") && !why.contains("at most");
        assert!(!asked || !code.contains("at most 64"), "{text}");
    }
}

#[test]
fn what_would_have_no_effect_is_refused() {
    for (text, words) in [
        (
            "Input(_, 8, trainable = false) -> LSTM(4)",
            &[
                "`trainable` of Input(_, 8, trainable = false) has no effect",
                "leave `trainable` out",
            ],
        ),
        (
            "Input(_, 8, activity_regularizer = l2(0.01)) -> LSTM(4)",
            &["has no effect", "leave `activity_regularizer` out"],
        ),
        (
            "Input(_, 8) -> TimeDistributed(Dense(3, activity_regularizer = l2(0.1)))",
            &[
                "`activity_regularizer` of Dense(3, activity_regularizer = l2(0.1)) in TimeDistributed has no effect",
                "`TimeDistributed(Dense(3), activity_regularizer = l2(0.1))`",
            ],
        ),
    ] {
        says(text, words);
    }
    let right = "Input(_, 8) -> TimeDistributed(Dense(3), activity_regularizer = l2(0.1))";
    assert_eq!(model(right), [""; 0]);
}

#[test]
fn an_initialiser_of_convolutions() {
    let words = [
        "initialiser `STFT` is not supported",
        "the kernel of a convolution",
        "help: compute the transform before the model",
    ];
    let (code, own) = (
        "[RNN0131]",
        "Input(_, 8) -> LSTM(4, kernel_initializer = STFT)",
    );
    says(own, &[&[code], &words[..]].concat());
    let (text, found) =
        cell("param k: [input, units] = stft; state h: [units]; next h = x @ k + h; output h;");
    said(&text, &found, &["[RNN0217]", "`stft`", words[1], words[2]]);
}

/// Models of newcomers, and the code in the help.
#[test]
fn the_users_own_words_are_in_the_help() {
    for (text, right) in [
        (
            "input x: [_, 8]; layer l = LSTM(4, return_state); output y = x -> GRU(4, initial_state = l.states);",
            "`let (y, states) = x -> l;`",
        ),
        (
            "input x: [5, 8]; input z: [5, 8]; output y = [x, z] -> Concatenate(axis=-1) -> LSTM(4);",
            "`(x, z) -> Concatenate(axis = -1)`",
        ),
        ("input x: [5, 8]; output y = [x, x];", "`(x, x) -> Add`"),
        (
            "Input(8) -> LeakyReLU(0.2)",
            "write `Activation(leaky_relu(0.2))`",
        ),
        (
            "Input(8) -> LeakyReLU",
            "write `Activation(leaky_relu(0.3))`",
        ),
        (
            "Input(_, 8) -> MaxPooling1D(2)",
            "the nearest is the largest over all steps: `GlobalMaxPooling1D`",
        ),
        (
            "Input(_, 8) -> GlobalAvgPool1D",
            "write `GlobalAveragePooling1D`",
        ),
        (
            "Input(_, 8) -> GlobalMaxPooling1D -> LSTM(3)",
            "note: GlobalMaxPooling1D before it takes all steps together",
        ),
        (
            "Input(_, 8) -> GlobalMaxPooling1D(data_format = channels_first)",
            "`Permute(2, 1)` before the layer",
        ),
        (
            "Input(_, 8) -> TimeDistributed(ActivityRegularization(0.1))",
            "write ActivityRegularization(0.1) without TimeDistributed",
        ),
        ("Input(_, 8) -> CuDNNLSTM(3)", "write `LSTM(3)`"),
        ("Input(_) -> Embedding(10)", "write `Embedding(10, 64)`"),
        (
            "Input(_) -> Embedding(10, mask_zero)",
            "write `Embedding(10, mask_zero, 64)`",
        ),
        ("Input(_) -> Embedding", "write `Embedding(1000, 64)`"),
        (
            "Input(_, 8) -> LSTM(return_sequences)",
            "write `LSTM(return_sequences, 64)`",
        ),
        ("Input(_, 8) -> layers::LSTM(4)", "write `LSTM(4)`"),
        (
            "Input(_, 8) -> keras::layers::LSTM(4, activation=None)",
            "write `LSTM(4, activation = linear)`",
        ),
        (
            "Input(_, 8) -> my_layers::Own(4)",
            "`RNN(cells::MyCell(32))`",
        ),
        (
            "Input(_, 8) -> crate::layers::Own(4)",
            "`RNN(cells::MyCell(32))`",
        ),
        ("Input(_, 8) -> cells::Own(4)", "`RNN(cells::MyCell(32))`"),
        (
            "Input(_, 8, 8) -> ConvLSTM1D(4, 3)",
            "`TimeDistributed(Flatten) -> LSTM(64)`",
        ),
        ("Input(8) -> Lambda(3)", "`Activation(tanh)`"),
        (
            "Input(8) -> EinsumDense(3)",
            "over the last axis it is `Dense(64)`",
        ),
        (
            "Input(_, 4, 5) -> TimeDistributed(LSTM(3))",
            "`TimeDistributed(Flatten) -> LSTM(3)`",
        ),
        (
            "Input(4, 5) -> TimeDistributed(LSTM(3))",
            "write LSTM(3) without TimeDistributed",
        ),
        (
            "input x: [_, 8]; output y = x -> LSTM(4, mask = x);",
            "`input x: [time, 8]; input m: mask[time];` and `mask = m`",
        ),
        (
            "input x: [20, 8]; let k = x -> GRU(3, return_sequences); output y = x -> LSTM(4, mask = k);",
            "write `input m: mask[20];` and `mask = m`",
        ),
        (
            "Input(_, 8) -> GRU(4, initial_state = s)",
            "`input x: [_, 8]; let (_, s) = x -> GRU(4, return_state); output y = x -> GRU(4, initial_state = s);`",
        ),
        (
            "Input(_, 8) -> Bidirectional(GRU(4), initial_state = s)",
            "let (_, s) = x -> Bidirectional(GRU(4, return_state));",
        ),
        (
            "Input(_, 8) -> LSTM(4, return_state, initial_state = s)",
            "let (_, s) = x -> LSTM(4, return_state); let (y, _) = x -> LSTM(4, return_state, initial_state = s); output y = y;`",
        ),
        (
            "Input(_, 8) -> LSTM(4, return_state = true, initial_state = s, name = \"a\")",
            "let (_, s) = x -> LSTM(4, return_state); let (y, _) = x -> LSTM(4, return_state = true, name = \"a\", initial_state = s); output y = y;`",
        ),
        (
            "Input(_, 8) -> LSTM(units = 4, initial_state = x, return_state = false)",
            "let (_, state) = x -> LSTM(units = 4, return_state); output y = x -> LSTM(units = 4, return_state = false, initial_state = state);`",
        ),
        (
            "Input(_, 8) -> Bidirectional(LSTM(3), merge_mode = sum, initial_state = [a, b])",
            "let (_, state) = x -> Bidirectional(LSTM(3, return_state), merge_mode = sum); output y = x -> Bidirectional(LSTM(3), merge_mode = sum, initial_state = state);`",
        ),
        (
            "Input(_, 8) -> Bidirectional(GRU(3, return_state), backward_layer = GRU(3, go_backwards, return_state), merge_mode = none, initial_state = s)",
            "let (_, _, s) = x -> Bidirectional(GRU(3, return_state), backward_layer = GRU(3, go_backwards, return_state), merge_mode = none); let (forward, backward, _) = x -> ",
        ),
        (
            "Input(_, 8) -> GRU(4, mask = real)",
            "`input x: [time, 8]; input real: mask[time]; output y = x -> GRU(4, mask = real);`",
        ),
        (
            "Input(7, 4) -> Reshape(28) -> LSTM(3)",
            "Reshape(28) before it joins all steps into one vector\n  help: remove Reshape, or move it after LSTM(3)",
        ),
        (
            "Input(_, 8) -> Bidirectional(LSTM(3, go_backwards), backward_layer = LSTM(3, go_backwards))",
            "write `backward_layer = LSTM(3)`",
        ),
        (
            "Sequential([Dropout(0.5), Dense(3, name=\"a\")])",
            "`Input(8) -> Dropout(0.5) -> Dense(3, name = \"a\")`",
        ),
        (
            "Sequential([Flatten(), Dense(3)])",
            "`Input(8, 8) -> Flatten -> Dense(3)`",
        ),
        (
            "Add -> Dense(3)",
            "`input a: [28]; input b: [28]; output y = (a, b) -> Add;`",
        ),
    ] {
        let all = model(text);
        assert!(!all.is_empty(), "{text}");
        assert!(all[0].contains(right), "{text}: no {right} in {all:#?}");
        said(text, &all[..1], &[]);
    }
    for (body, right) in [
        (
            "state h = ones; next h = x @ k; output h;",
            "write `state h: [units];`",
        ),
        (
            "state h: [units] = ones; next h = x @ k; output h;",
            "`initial_state = …`",
        ),
        (
            "state h: [units]; next h = h ** 3; output h;",
            "write `pow(h, 3)`",
        ),
        (
            "state h: [units]; next h = x @ k + tanh(h) ** 2; output h;",
            "write `pow(tanh(h), 2)`",
        ),
        (
            "state h: [units]; let n = 2; next h = (h + 1) ** n; output h;",
            "write `pow(h + 1, n)`",
        ),
    ] {
        let (text, found) = cell(&format!("param k: [input, units] = zeros; {body}"));
        said(&text, &found, &[right]);
    }
}

/// A cell gets its values from the model.
#[test]
fn a_cell_gets_a_value_for_each_input() {
    const TWO: &str = "@cell(Two) { cell Two(units) { input wind: [n]; input rain: [m]; \
        param k: [n, units] = zeros; state h: [units]; next h = wind @ k; output h; } }";
    says(
        &format!("{TWO} Input(_, 3) -> RNN(Two(8))"),
        &[
            "[RNN0247]",
            "Two takes 2 inputs (wind, rain), found 1",
            "help: write a value for each: `(wind, rain) -> RNN(Two(8))`",
        ],
    );
    says(
        "input a: [5, 3]; input b: [5, 4]; output y = (a, b) -> RNN(LSTMCell(8));",
        &[
            "[RNN0247]",
            "LSTMCell takes one value, found 2",
            "help: join them first: `(a, b) -> Concatenate -> RNN(LSTMCell(8))`",
        ],
    );
}

#[test]
fn a_missing_argument_of_a_cell_joins_the_others() {
    says(
        "@cell(C) { cell C(units, depth, rate = 0.5) { state h: [units]; next h = rate * h; output h; } } \
         Input(_, 3) -> RNN(C(4, rate = 0.25))",
        &["[RNN0122]", "write C(4, rate = 0.25, depth = 32)"],
    );
}
