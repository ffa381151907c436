use super::*;

/// The assignment as pairs; what is missing or unclear is empty.
fn pairs(ours: &[&'static str], theirs: &[&'static str], whole: bool) -> Vec<&'static str> {
    let found = assign(theirs, ours, whole);
    let name = |a: &Assigned<'static>| match a {
        Assigned::Tensor(name) => *name,
        _ => "",
    };
    found.of.iter().map(name).collect()
}

/// That `theirs` are `ours`, one after another, and nothing is left.
#[track_caller]
fn same(ours: &[&'static str], theirs: &[&'static str]) {
    for whole in [true, false] {
        assert_eq!(pairs(ours, theirs, whole), theirs);
        // The order in the file does not matter.
        let turned: Vec<&'static str> = theirs.iter().rev().copied().collect();
        let found = assign(&turned, ours, whole);
        assert!(found.left.is_empty(), "{:?}", found.left);
    }
}

#[test]
fn models_cells_and_wrappers_are_left_out() {
    same(&["gru/kernel"], &["sequential/gru/gru_cell/kernel"]);
    same(&["gru/kernel"], &["gru/gru_cell/kernel"]);
    same(&["gru/kernel"], &["a/b/gru/gru_cell/kernel"]);
    same(
        &["time_distributed/kernel", "dense/kernel"],
        &["s/time_distributed/dense/kernel", "s/dense_1/kernel"],
    );
    same(
        &[
            "rnn/lstm_cell/kernel",
            "rnn/lstm_cell_1/kernel",
            "rnn/gru_cell/kernel",
            "rnn_1/kernel",
        ],
        &[
            "s/rnn_3/stacked_rnn_cells_1/lstm_cell_4/kernel",
            "s/rnn_3/stacked_rnn_cells_1/lstm_cell_10/kernel",
            "s/rnn_3/stacked_rnn_cells_1/gru_cell_1/kernel",
            "s/rnn_4/lstm_cell_6/kernel",
        ],
    );
    // Layers of inner models, counted through.
    same(
        &["gru/kernel", "gru_1/kernel", "dense/bias"],
        &[
            "encoder/gru_1/gru_cell/kernel",
            "sequential_4/gru_2/gru_cell/kernel",
            "head/dense_5/bias",
        ],
    );
}

#[test]
fn a_model_may_be_named_as_its_layer() {
    same(
        &["gru/kernel", "dense/kernel"],
        &["gru/gru/gru_cell/kernel", "gru/dense/kernel"],
    );
}

#[test]
fn directions_have_names_of_their_layers() {
    let ours = [
        "bidirectional/forward_gru/kernel",
        "bidirectional/backward_lstm/kernel",
    ];
    same(
        &ours,
        &[
            "bidirectional_2/forward_gru_1/gru_cell/kernel",
            "bidirectional_2/backward_lstm_3/lstm_cell/kernel",
        ],
    );
    same(
        &ours,
        &[
            "bidirectional_2/forward_in/gru_cell/kernel",
            "bidirectional_2/out/lstm_cell/kernel",
        ],
    );
    same(
        &[
            "bidirectional/forward_rnn/lstm_cell/kernel",
            "bidirectional/forward_rnn/gru_cell/kernel",
            "bidirectional/backward_rnn/lstm_cell/kernel",
            "bidirectional/backward_rnn/gru_cell/kernel",
        ],
        &[
            "s/bidirectional/forward_rnn/stacked_rnn_cells/lstm_cell/kernel",
            "s/bidirectional/forward_rnn/stacked_rnn_cells/gru_cell/kernel",
            "s/bidirectional/backward_rnn/stacked_rnn_cells/lstm_cell/kernel",
            "s/bidirectional/backward_rnn/stacked_rnn_cells/gru_cell/kernel",
        ],
    );
}

#[test]
fn numbers_give_the_order() {
    let ours = ["gru/kernel", "gru_1/kernel"];
    same(&ours, &["s/gru/c/kernel", "s/gru_1/c/kernel"]);
    same(&ours, &["s/gru_9/c/kernel", "s/gru_10/c/kernel"]);
    // Every number is shifted by one.
    let shifted = ["s/gru_1/c/kernel", "s/gru_2/c/kernel"];
    assert_eq!(pairs(&ours, &shifted, true), shifted);
    assert_eq!(pairs(&ours, &shifted, false), shifted);
    // A part of a model: `gru_1` may be the same layer, or the next one.
    let more = ["s/gru_1/c/kernel", "s/gru_2/c/kernel", "s/dense/kernel"];
    let found = assign(&more, &ours, false);
    let both = Assigned::OneOf(vec!["s/gru_1", "s/gru_2"]);
    assert_eq!(found.of, [both.clone(), both]);
    // Another number of layers: then the name counts.
    assert_eq!(
        pairs(&["gru_1/kernel"], &shifted, false),
        ["s/gru_1/c/kernel"]
    );
    assert_eq!(pairs(&["gru/kernel"], &shifted, false), [""]);
}

#[test]
fn two_layers_of_one_name_are_not_guessed() {
    let theirs = ["encoder/gru/gru_cell/kernel", "decoder/gru/gru_cell/kernel"];
    for ours in [&["gru/kernel"][..], &["gru/kernel", "gru_1/kernel"]] {
        let found = assign(&theirs, ours, true);
        assert_eq!(
            found.of[0],
            Assigned::OneOf(vec!["decoder/gru", "encoder/gru"])
        );
        assert_eq!(found.left.len(), 2);
    }
}

#[test]
fn seeds_and_optimizers_are_no_weights() {
    let names = [
        "seed_generator/seed_generator_state",
        "seed_generator_12/seed_generator_state",
        "s/gru/gru_cell/seed_generator/seed_generator_state",
        "adam/iteration",
        "adam/learning_rate",
        "adam/s_gru_gru_cell_kernel_momentum",
        "s/gru/gru_cell/kernel",
        "other/learning_rate",
    ];
    let found = assign(&names, &["gru/kernel"], true);
    assert_eq!(found.of, [Assigned::Tensor("s/gru/gru_cell/kernel")]);
    assert_eq!(found.left, ["other/learning_rate"]);
    // Nor does that hide a parameter.
    let own = ["adam/iteration", "adam/learning_rate"];
    assert_eq!(pairs(&own, &own, true), own);
}

#[test]
fn odd_names_are_left() {
    let deep = ["a"; 100_000].join("/");
    let names = [
        "",
        "/",
        "//",
        "gru",
        "gru/",
        "/gru",
        "_1/_1",
        "_",
        deep.as_str(),
    ];
    let found = assign(&names, &["gru/kernel"], true);
    assert_eq!(found.of, [Assigned::Missing]);
    assert_eq!(found.left.len(), names.len());
    let number = "gru_99999999999999999999999/c/kernel";
    let found = assign(&[number], &["gru/kernel"], true);
    assert_eq!(found.of, [Assigned::Missing]);
}

#[test]
fn names_of_pytorch_are_known() {
    for names in [
        &["lstm.weight_ih_l0", "lstm.bias_hh_l0_reverse", "fc.weight"][..],
        &["weight_ih_l0", "weight_hh_l0"],
        &["weight_ih", "weight_hh", "bias_ih", "bias_hh"],
        &[
            "0.weight",
            "0.bias",
            "1.running_mean",
            "1.num_batches_tracked",
        ],
    ] {
        assert!(are_pytorch(names), "{names:?}");
    }
    for names in [
        &[][..],
        &["gru/kernel", "dense/bias"],
        &["a.b/kernel", "a.b/bias"],
        &["kernel", "bias"],
        &["weight"],
    ] {
        assert!(!are_pytorch(names), "{names:?}");
    }
}
