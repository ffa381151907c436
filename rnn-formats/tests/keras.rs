//! Files of real Keras: what they say here, and that they give the numbers of Keras.
#![cfg(feature = "all")]

use std::{collections::BTreeMap, path::PathBuf, sync::LazyLock};

use rnn_formats::{Body, Error, Imported, Tensor, keras, zip::Archive};
use rnn_reference::{Call, Definitions, Input, ReferenceModel, Weights};

/// The files of an archive beside the scripts, by name.
fn files(archive: &str) -> BTreeMap<String, Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/formats/keras");
    let bytes = std::fs::read(path.join(archive)).unwrap();
    let archive = Archive::open(&bytes).unwrap();
    let names = archive
        .names()
        .map(|n| (n.to_owned(), archive.read(n).unwrap()));
    names.collect()
}

static NEW: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| files("keras.zip"));
static OLD: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| files("tf_keras.zip"));

fn text(model: &Imported) -> String {
    match model.network.as_ref().unwrap().body() {
        Body::Chain(text) | Body::Graph(text) => text,
    }
}

/// The arrays of a safetensors file, as numbers.
fn arrays(bytes: &[u8]) -> BTreeMap<String, (Vec<usize>, Vec<f64>)> {
    let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let all = file.tensors().into_iter().map(|(name, view)| {
        let numbers = view.data().chunks_exact(4);
        let numbers = numbers.map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())));
        (name, (view.shape().to_vec(), numbers.collect()))
    });
    all.collect()
}

fn weights(tensors: &[Tensor]) -> Weights {
    let all = tensors.iter();
    all.map(|t| {
        (
            t.name.clone(),
            t.values.iter().map(|x| f64::from(*x)).collect(),
        )
    })
    .collect()
}

/// Checks that a file has all parameters of its model, in their order, and gives the numbers of Keras.
fn check(file: &str, files: &BTreeMap<String, Vec<u8>>, expected: &str) -> Imported {
    // Keras computes this one in bfloat16, which has 8 bits.
    let tolerance = if file == "half.keras" { 1e-2 } else { 1e-5 };
    let imported = keras::read(&files[file]).unwrap_or_else(|e| panic!("{file}: {e}"));
    let text = text(&imported);
    let cells = &imported.network.as_ref().unwrap().cells;
    let cells: Vec<(&str, &str)> = cells
        .iter()
        .map(|(n, t)| (n.as_str(), t.as_str()))
        .collect();
    let scope = Definitions {
        cells: &cells,
        ..Definitions::default()
    };
    let model =
        ReferenceModel::parse_in(&text, scope).unwrap_or_else(|e| panic!("{file}: {e}\n{text}"));
    let wanted: Vec<_> = model.specs().iter().map(|s| (&s.name, &s.shape)).collect();
    let found: Vec<_> = imported
        .tensors
        .iter()
        .map(|t| (&t.name, &t.shape))
        .collect();
    assert_eq!(wanted, found, "{file}\n{text}");
    let numbers = arrays(&files[expected]);
    let inputs = model.inputs().unwrap();
    let inputs = inputs.iter().enumerate().map(|(i, info)| {
        let (shape, values) = numbers[&format!("input.{i}")].clone();
        let ids = format!("{:?}", info.content) == "Ids";
        Input {
            batch: shape[0],
            time: if info.steps.is_some() { shape[1] } else { 1 },
            ids: if ids {
                values.iter().map(|x| *x as u32).collect()
            } else {
                vec![]
            },
            floats: if ids { vec![] } else { values },
        }
    });
    let call = Call {
        inputs: inputs.collect(),
        ..Call::default()
    };
    let answer = model.call(&weights(&imported.tensors), &call);
    let outputs = answer
        .unwrap_or_else(|e| panic!("{file}: {e}\n{text}"))
        .outputs;
    assert_eq!(
        outputs.len() + call.inputs.len(),
        numbers.len(),
        "{file}\n{text}"
    );
    for (i, output) in outputs.iter().enumerate() {
        let (_, wanted) = &numbers[&format!("output.{i}")];
        assert_eq!(
            output.data.len(),
            wanted.len(),
            "{file}, output {i}\n{text}"
        );
        let largest = wanted.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        assert!(largest > 1e-3, "{file}, output {i} says nothing");
        for (a, b) in output.data.iter().zip(wanted) {
            let off = (a - b).abs() / largest;
            assert!(off < tolerance, "{file}, output {i}: {a} and {b}\n{text}");
        }
    }
    imported
}

/// The files of models, with the file of their numbers.
fn models(files: &BTreeMap<String, Vec<u8>>) -> Vec<(&str, String)> {
    let mut all = Vec::new();
    for name in files.keys() {
        let stem = name
            .strip_suffix(".keras")
            .or_else(|| name.strip_suffix(".h5"));
        if let Some(stem) = stem.filter(|s| !s.ends_with("weights") && *s != "refused") {
            all.push((name.as_str(), format!("{stem}.safetensors")));
        }
    }
    all
}

/// Checks all models; tells all that fail.
fn check_all(files: &BTreeMap<String, Vec<u8>>, least: usize) {
    let all = models(files);
    assert!(all.len() >= least, "{} models", all.len());
    let failed = all.iter().filter(|(file, expected)| {
        let found = std::panic::catch_unwind(|| check(file, files, expected));
        found.is_err()
    });
    let failed: Vec<&&str> = failed.map(|(file, _)| file).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn models_of_keras_3_give_its_numbers() {
    check_all(&NEW, 49);
}

#[test]
fn models_of_keras_2_give_its_numbers() {
    check_all(&OLD, 20);
}

#[test]
fn something_else_is_none_of_these() {
    for bytes in [&b""[..], b"hello", b"PK\x03\x04"] {
        assert!(!matches!(
            keras::read(bytes),
            Ok(_) | Err(Error::NotUnderstood(_))
        ));
    }
}
/// The text of a file, and its notes.
fn said(files: &BTreeMap<String, Vec<u8>>, file: &str) -> (String, Vec<String>) {
    let imported = keras::read(&files[file]).unwrap();
    (text(&imported), imported.notes)
}

#[test]
fn texts_are_as_one_would_write_them() {
    for (file, expected) in [
        (
            "gru.keras",
            "Input(_, 3) -> GRU(4, return_sequences) -> Dense(2, activation = sigmoid)",
        ),
        (
            "embedding.h5",
            "Embedding(12, 4, mask_zero) -> LSTM(3, return_sequences) -> GRU(3) -> Dense(2, activation = softmax)",
        ),
        (
            "cells_both_ways.keras",
            "Input(_, 3) -> Bidirectional(RNN([LSTMCell(3), GRUCell(2)], return_sequences)) -> Bidirectional(RNN(LSTMCell(2)))",
        ),
        (
            "shapes.keras",
            "Input(6, 4) -> Permute(2, 1) -> Reshape(8, 3) -> SimpleRNN(4) -> RepeatVector(3) -> GRU(2, return_sequences) -> GlobalMaxPooling1D -> Reshape(2, 1) -> Flatten -> Dense(3)",
        ),
        (
            "stateful.keras",
            "Input(5, 3) -> GRU(4, return_sequences, stateful) -> Dense(1)",
        ),
    ] {
        assert_eq!(said(&NEW, file), (expected.to_owned(), vec![]), "{file}");
    }
    let (text, notes) = said(&NEW, "training.keras");
    assert_eq!(
        text,
        "Input(_, 3) -> GaussianNoise(0.1) -> SpatialDropout1D(0.25) -> GRU(3, recurrent_initializer = glorot_normal, \
         bias_initializer = constant(0.25), kernel_regularizer = l2(0.01), kernel_constraint = max_norm(3, axis = [0, 1]), \
         bias_constraint = non_neg, dropout = 0.1, recurrent_dropout = 0.2, seed = 5, return_sequences) \
         -> ActivityRegularization(l1 = 0.01) -> GaussianDropout(0.1) -> AlphaDropout(0.1) -> Dense(2, \
         kernel_initializer = variance_scaling(scale = 2, mode = fan_out, distribution = uniform), \
         activity_regularizer = l1_l2(0.01, 0.02), trainable = false)"
    );
    assert_eq!(
        notes,
        [
            "GRU `gru`: `recurrent_regularizer` = OrthogonalRegularizer is left out: it only matters in training"
        ]
    );
}

#[test]
fn graphs_have_inputs_masks_states_and_shared_layers() {
    let (text, notes) = said(&NEW, "masked_states.keras");
    assert_eq!(
        text,
        "input words: ids;\ninput h: [4];\nlet v0 = words -> Embedding(8, 3, mask_zero);\nlet v1 = v0 -> Permute(1, 2);\n\
         let v2 = v1 -> GRU(4, return_sequences, initial_state = h);\nlet v3 = v2 -> GRU(3, mask = v0);\n\
         output gru = v2;\noutput gru_1 = v3;\n"
    );
    assert!(notes.is_empty());
    for (files, file) in [
        (&NEW, "spatial.keras"),
        (&NEW, "spatial.h5"),
        (&OLD, "spatial.h5"),
    ] {
        assert_eq!(
            said(files, file).0,
            "Embedding(9, 4, mask_zero) -> SpatialDropout1D(0.3) -> Bidirectional(LSTM(3, return_sequences)) \
             -> SpatialDropout1D(0.2) -> GRU(3) -> Dense(2, activation = log_softmax)",
            "{file}"
        );
    }
    let (text, notes) = said(&NEW, "nested.keras");
    assert!(text.contains(
        "layer l0 = Dense(4, name = \"dense\");\nlet v0 = x -> l0;\nlet v1 = y -> l0;\n"
    ));
    assert_eq!(
        notes,
        [
            "the layer `dense` is called `inner_dense` here",
            "the layer `dense` is called `sequential_dense` here"
        ]
    );
    let (text, _) = said(&NEW, "masks.keras");
    assert!(text.starts_with("input words: ids[time];\ninput extra: [time, 2];\n"));
    assert!(
        text.contains("let v8 = v2 -> GlobalAveragePooling1D;\nlet v9 = v2 -> Permute(1, 2);\n")
    );
    let (text, _) = said(&NEW, "given_mask.keras");
    assert!(text.contains("x -> LSTM(3, return_sequences, mask = valid);"));
}

#[test]
fn everything_that_is_not_understood_is_named_at_once() {
    let up = "UpSampling1D `up_sampling1d`: this layer is not understood";
    let conv = "Conv1D `conv`: this layer is not understood";
    let shrink = "LSTM `lstm`: `activation` = \"hard_shrink\" is not understood";
    // Where the file of Keras 3 has `hard_shrink`, that of Keras 2 has its own `hard_sigmoid`, which is understood.
    let both: [(_, &[&str]); 2] = [(&NEW, &[conv, shrink, up]), (&OLD, &[conv, up])];
    for (files, lines) in both {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(
            keras::read(&files["refused.keras"]),
            Err(Error::NotUnderstood(lines))
        );
    }
}

#[test]
fn the_hard_sigmoid_of_keras_2_has_another_slope() {
    let old = keras::read(&OLD["hard_gates.h5"]).unwrap();
    assert_eq!(
        text(&old),
        "Input(_, 3) -> LSTM(4, recurrent_activation = hard_sigmoid(0.2), return_sequences) \
         -> GRU(3, recurrent_activation = hard_sigmoid(0.2), reset_after = false, return_sequences) \
         -> GRU(3, recurrent_activation = hard_sigmoid(0.2), use_bias = false, return_sequences) \
         -> Bidirectional(LSTM(2, recurrent_activation = hard_sigmoid(0.2), return_sequences)) \
         -> RNN([GRUCell(3, recurrent_activation = hard_sigmoid(0.2)), LSTMCell(2), \
         LSTMCell(4, recurrent_activation = hard_sigmoid(0.2))]) -> Dense(2)"
    );
    assert_eq!(old.network.unwrap().cells, []);
    let new = keras::read(&NEW["hard_gates.h5"]).unwrap();
    assert!(text(&new).starts_with(
        "Input(_, 3) -> LSTM(4, recurrent_activation = hard_sigmoid, return_sequences) -> GRU(3, "
    ));
}

#[test]
fn weights_alone_are_those_of_the_model() {
    let mut compared = 0;
    for (file, bytes) in NEW.iter() {
        let Some(stem) = file.strip_suffix(".weights.h5").filter(|s| *s != "refused") else {
            continue;
        };
        let alone = keras::read(bytes).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!(alone.network, None);
        let model = keras::read(&NEW[&format!("{stem}.keras")]).unwrap();
        assert_eq!(alone.tensors.len(), model.tensors.len(), "{file}");
        // Names that Keras counts over a script are counted over the layers of the file.
        for tensor in &model.tensors {
            let same = |t: &&Tensor| t.shape == tensor.shape && t.values == tensor.values;
            let found: Vec<&Tensor> = alone.tensors.iter().filter(same).collect();
            // Without a model nothing tells `beta` from `gamma`, and a note says so.
            let parameter = |t: &Tensor| t.name.split_once('/').unwrap().1.replace("beta", "gamma");
            assert!(
                found.iter().any(|t| parameter(t) == parameter(tensor)),
                "{file}: {}",
                tensor.name
            );
        }
        compared += 1;
    }
    assert!(compared > 10);
    let names = |file: &str| -> Vec<String> {
        keras::read(&NEW[file])
            .unwrap()
            .tensors
            .into_iter()
            .map(|t| t.name)
            .collect()
    };
    assert_eq!(
        names("lstm.weights.h5"),
        [
            "dense/kernel",
            "dense/bias",
            "lstm/kernel",
            "lstm/recurrent_kernel",
            "lstm/bias"
        ]
    );
    // A name of the user's.
    assert!(names("stacked.weights.h5").contains(&"head/kernel".to_owned()));
    assert!(names("nested.weights.h5").contains(&"inner_dense/kernel".to_owned()));
}

#[test]
fn weights_alone_of_keras_2_have_the_paths_of_keras() {
    let mut compared = 0;
    for (file, bytes) in OLD.iter() {
        let Some(stem) = file.strip_suffix("_weights.h5").filter(|s| *s != "refused") else {
            continue;
        };
        let alone = keras::read(bytes).unwrap_or_else(|e| panic!("{file}: {e}"));
        let whole = [".keras", ".h5"].map(|form| OLD.get(&format!("{stem}{form}")));
        let model = keras::read(whole.into_iter().flatten().next().unwrap()).unwrap();
        assert_eq!(alone.tensors.len(), model.tensors.len(), "{file}");
        for tensor in &model.tensors {
            let same = |t: &Tensor| t.shape == tensor.shape && t.values == tensor.values;
            assert!(alone.tensors.iter().any(same), "{file}: {}", tensor.name);
        }
        compared += 1;
    }
    assert!(compared > 4);
    let names: Vec<String> = keras::read(&OLD["lstm_weights.h5"])
        .unwrap()
        .tensors
        .into_iter()
        .map(|t| t.name)
        .collect();
    assert_eq!(
        names,
        [
            "lstm/lstm_cell/kernel",
            "lstm/lstm_cell/recurrent_kernel",
            "lstm/lstm_cell/bias",
            "dense/kernel",
            "dense/bias"
        ]
    );
}

#[test]
fn notes_and_metadata() {
    let model = keras::read(&NEW["lstm.keras"]).unwrap();
    assert_eq!(model.notes, ["the states of the optimizer are left out"]);
    assert!(
        model
            .metadata
            .contains(&("keras_version".into(), "3.15.1".into()))
    );
    let model = keras::read(&NEW["half.keras"]).unwrap();
    let words = "Keras computes some layers in mixed_bfloat16; here everything is computed in f32";
    assert_eq!(model.notes, [words]);
    let model = keras::read(&OLD["lstm.h5"]).unwrap();
    assert_eq!(model.notes, ["the states of the optimizer are left out"]);
    assert!(
        model
            .metadata
            .contains(&("keras_version".into(), "2.21.0".into()))
    );
}

#[test]
fn files_of_weights_alone_tell_their_layers() {
    let proposal = |bytes: &[u8]| keras::read(bytes).unwrap().proposal;
    let layers = |bytes: &[u8]| proposal(bytes).and_then(|found| found.layers);
    let lstm = "Input(_, 1) -> LSTM(4, return_sequences) -> Dense(1)";
    assert_eq!(layers(&NEW["lstm.weights.h5"]).as_deref(), Some(lstm));
    assert_eq!(layers(&OLD["lstm_weights.h5"]).as_deref(), Some(lstm));
    for (name, text) in [
        (
            "bidirectional_concat.weights.h5",
            "Input(_, 3) -> Bidirectional(LSTM(3, return_sequences)) -> Dense(2)",
        ),
        (
            "embedding.weights.h5",
            "Embedding(12, 4) -> LSTM(3, return_sequences) -> GRU(3, return_sequences) -> Dense(2)",
        ),
        // Names of the model are names here.
        (
            "stacked.weights.h5",
            "Input(_, 3) -> LSTM(4, return_sequences, name = \"second\") -> LSTM(3, return_sequences) -> LSTM(2, \
             return_sequences) -> Dense(2, name = \"head\")",
        ),
    ] {
        assert_eq!(layers(&NEW[name]).as_deref(), Some(text), "{name}");
    }
    // Normalisations of one width could stand in several places; cells are in no row of layers.
    let several = proposal(&NEW["normalised.weights.h5"]).unwrap();
    assert_eq!(several.layers, None);
    assert!(
        several.note.starts_with(
            "a file of weights alone has no architecture. Its layers are `BatchNormalization"
        ),
        "{several:?}"
    );
    assert!(
        several
            .note
            .contains("they fit in several orders by their sizes"),
        "{several:?}"
    );
    assert_eq!(proposal(&NEW["cells.weights.h5"]), None);
}
