//! RTNeural, GuitarML, AIDA-X and Neural Amp Modeler (`tests/formats/amps`): read, run by the float64 interpreter and
//! compared with what Keras and PyTorch give.
#![cfg(feature = "all")]

mod common;

use common::{Case, cases, cases_in, close, damage, file, input, run_inputs};
use rnn_formats::{Body, Error, Format, Imported, Tensor, guitarml, nam, rtneural, torch};
use rnn_reference::Input;
use serde_json::{Value, json};

const FOLDER: &str = "amps";

/// A function that reads a format.
type Read = fn(&[u8]) -> Result<Imported, Error>;

fn case(name: &str) -> Case {
    let all = [cases(FOLDER), cases_in(FOLDER, "rtneural.cases.json")];
    let mut all = all.into_iter().flatten();
    all.find(|case| case.name == name).unwrap()
}

fn body(imported: &Imported) -> String {
    match imported.network.as_ref().unwrap().body() {
        Body::Chain(text) | Body::Graph(text) => text,
    }
}

/// Reads a file, runs it and gives its text.
fn checked(read: Read, name: &str, format: Format) -> (String, Imported) {
    let imported = read(&file(FOLDER, &format!("{name}.json"))).unwrap();
    assert_eq!(imported.format, format);
    let text = body(&imported);
    let case = case(name);
    close(
        name,
        &run_inputs(&text, &imported.tensors, vec![input(&case)]),
        &case.output,
    );
    (text, imported)
}

#[test]
fn rtneural() {
    for (name, expected) in [
        (
            "rtneural_gru",
            "Input(_, 1) -> GRU(5, return_sequences) -> Dense(4, activation = tanh) \
             -> Dense(1)",
        ),
        (
            "rtneural_lstm",
            "Input(_, 2) -> Dense(4, activation = relu) -> LSTM(4, return_sequences) \
             -> LSTM(3, return_sequences) -> Dense(2, activation = softmax)",
        ),
        (
            "rtneural_more",
            "Input(_, 3) -> Dense(4, use_bias = false) \
             -> BatchNormalization(epsilon = 0.001) -> Activation(elu) \
             -> GRU(3, use_bias = false, return_sequences) \
             -> BatchNormalization(epsilon = 0.01, center = false, scale = false) \
             -> Dense(1, activation = sigmoid)",
        ),
    ] {
        let (text, imported) = checked(rtneural::read, name, Format::RtNeural);
        assert_eq!(text, expected);
        assert_eq!(imported.notes, Vec::<String>::new());
    }
}

#[test]
fn aida_x() {
    let metadata = |imported: &Imported, key: &str| {
        let found = imported.metadata.iter().find(|(k, _)| k == key);
        found.map(|(_, value)| value.clone())
    };
    let (text, imported) = checked(guitarml::read, "aidax_lstm", Format::RtNeural);
    assert_eq!(
        text,
        "input x: [_, 1];\n\
         let v0 = x -> LSTM(5, return_sequences);\n\
         let v1 = v0 -> Dense(1);\n\
         let v2 = (x, v1) -> Add;\n\
         output y = v2;\n"
    );
    assert_eq!(
        metadata(&imported, "metadata.samplerate"),
        Some("48000".into())
    );
    assert_eq!(metadata(&imported, "in_skip"), Some("1".into()));
    let left = "left out, since they are no weights of a layer: `input_batch`, `output_batch`";
    assert_eq!(imported.notes, [left]);

    let (text, imported) = checked(rtneural::read, "aidax_gains", Format::RtNeural);
    assert_eq!(
        text,
        "input x: [_, 1];\n\
         let v0 = x -> Dense(1, use_bias = false, name = \"in_gain\");\n\
         let v1 = v0 -> GRU(5, return_sequences);\n\
         let v2 = v1 -> Dense(1);\n\
         let v3 = (v0, v2) -> Add;\n\
         let v4 = v3 -> Dense(1, use_bias = false, name = \"out_gain\");\n\
         output y = v4;\n"
    );
    assert!(
        imported.notes[1].contains("`in_gain` multiplies by 0.668"),
        "{:?}",
        imported.notes
    );

    let (text, _) = checked(rtneural::read, "aidax_knobs", Format::RtNeural);
    assert!(
        text.contains("let v3 = v0 -> Dense(1, use_bias = false, name = \"skip\");"),
        "{text}"
    );
    let (text, _) = checked(rtneural::read, "aidax_plain", Format::RtNeural);
    assert!(text.starts_with("Input(_, 1) -> LSTM(5"), "{text}");
}

#[test]
fn guitarml() {
    let (text, imported) = checked(guitarml::read, "guitarml_lstm", Format::GuitarMl);
    assert_eq!(
        text,
        "input x: [_, 1];\n\
         let v0 = x -> LSTM(5, return_sequences);\n\
         let v1 = v0 -> Dense(1);\n\
         let v2 = (x, v1) -> Add;\n\
         output y = v2;\n"
    );
    assert!(
        imported
            .metadata
            .contains(&("unit_type".into(), "LSTM".into()))
    );
    let (text, _) = checked(guitarml::read, "guitarml_gru", Format::GuitarMl);
    assert_eq!(
        text,
        "Input(_, 1) -> GRU(4, return_sequences) -> GRU(4, return_sequences) \
         -> Dense(1)"
    );
    let (text, _) = checked(guitarml::read, "guitarml_rnn", Format::GuitarMl);
    assert!(text.contains("Dense(1, use_bias = false)"), "{text}");
    let (text, imported) = checked(guitarml::read, "guitarml_knob", Format::GuitarMl);
    assert!(
        text.contains("x -> Dense(1, use_bias = false, name = \"skip\")"),
        "{text}"
    );
    assert!(
        imported.notes[0].contains("`skip` adds 1 of 2 inputs"),
        "{:?}",
        imported.notes
    );
    let (text, _) = checked(guitarml::read, "guitarml_stereo", Format::GuitarMl);
    assert!(text.contains("(x, v1) -> Add"), "{text}");
}

#[test]
fn a_state_dict_alone() {
    let bytes = file(FOLDER, "state_dict.json");
    let imported = guitarml::read(&bytes).unwrap();
    assert_eq!(imported.network, None);
    assert!(
        imported
            .notes
            .join("\n")
            .contains("the file has no `model_data`")
    );
    let whole = guitarml::read(&file(FOLDER, "guitarml_lstm.json")).unwrap();
    assert_eq!(imported.tensors, whole.tensors);
    let params: Vec<_> = (whole.tensors.iter())
        .map(|t| (t.name.clone(), t.shape.clone()))
        .collect();
    let dict = guitarml::state_dict(&bytes).unwrap();
    assert_eq!(torch::tensors_for(&dict, &params).unwrap(), whole.tensors);
}

#[test]
fn neural_amp_modeler() {
    for (name, layers, units, expected) in [
        (
            "nam_one",
            1,
            4,
            "Input(_, 1) -> LSTM(4, return_sequences, learn_initial_state) -> Dense(1)",
        ),
        (
            "nam_two",
            2,
            3,
            "Input(_, 1) -> LSTM(3, return_sequences, learn_initial_state) \
             -> LSTM(3, return_sequences, learn_initial_state) -> Dense(1)",
        ),
    ] {
        let imported = nam::read(&file(FOLDER, &format!("{name}.nam"))).unwrap();
        assert_eq!(imported.format, Format::Nam);
        assert_eq!(body(&imported), expected);
        for (key, value) in [
            ("sample_rate", "48000"),
            ("modeled_by", "amps.py"),
            ("date.year", "2026"),
        ] {
            assert!(
                imported.metadata.contains(&(key.into(), value.into())),
                "{key}"
            );
        }
        // The same with start states that are inputs.
        let (mut text, mut inputs) = (String::from("input x: [_, 1];\n"), Vec::new());
        let mut value = "x".to_string();
        let mut weights = Vec::new();
        let mut calls = String::new();
        for layer in 0..layers {
            text.push_str(&format!(
                "input h{layer}: [{units}];\ninput c{layer}: [{units}];\n"
            ));
            let lstm = if layer == 0 {
                "lstm".into()
            } else {
                format!("lstm_{layer}")
            };
            calls.push_str(&format!(
                "let v{layer} = {value} -> LSTM({units}, return_sequences, initial_state = [h{layer}, c{layer}], name = {lstm:?});\n"
            ));
            value = format!("v{layer}");
        }
        for tensor in &imported.tensors {
            if tensor.name.contains("/initial_") {
                assert_eq!(tensor.shape, [units]);
                assert!(tensor.values.iter().all(|v| *v != 0.0));
                inputs.push(vector(tensor));
            } else {
                weights.push(tensor.clone());
            }
        }
        text.push_str(&format!("{calls}output y = {value} -> Dense(1);"));
        let case = case(name);
        inputs.insert(0, input(&case));
        close(name, &run_inputs(&text, &weights, inputs), &case.output);
    }
}

fn vector(tensor: &Tensor) -> Input {
    Input {
        batch: 1,
        time: 1,
        floats: tensor.values.iter().copied().map(f64::from).collect(),
        ids: vec![],
    }
}

/// A file with a change.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(&file(FOLDER, name)).unwrap();
    change(&mut value);
    value.to_string().into_bytes()
}

fn wrong(read: Read, bytes: &[u8]) -> String {
    match read(bytes) {
        Err(Error::NotUnderstood(lines)) => lines.join("\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rtneural_says_all_that_is_wrong() {
    assert_eq!(
        wrong(rtneural::read, &file(FOLDER, "refused_layers.json")),
        "layer 0 (conv1d): there is no layer of this type here\n\
         layer 1 (prelu): there is no layer of this type here\n\
         layer 2 (unknown): there is no layer of this type here"
    );
    // A size that is declared and not there, and one that is there and no number.
    let bytes = changed("rtneural_gru.json", |file| {
        file["layers"][0]["shape"][2] = json!(6);
        file["layers"][2]["weights"][1][0] = json!("a");
    });
    assert_eq!(
        wrong(rtneural::read, &bytes),
        "layer 0 (gru): `shape` declares 6 units, for which kernel is [1, 18]; found [1, 15]\n\
         layer 0 (gru): `shape` declares 6 units, for which recurrent_kernel is [6, 18]; found [5, 15]\n\
         layer 0 (gru): `shape` declares 6 units, for which bias is [2, 18]; found [2, 15]\n\
         layer 1 (dense): `shape` declares 4 units, for which kernel is [6, 4]; found [5, 4]\n\
         layer 2 (dense): bias: expected [1], found a text among the numbers"
    );
    let bytes = changed("rtneural_gru.json", |file| {
        file.as_object_mut().unwrap().remove("in_shape");
        file["layers"][1]["activation"] = json!("mish");
        file["layers"][0]["activation"] = json!("relu");
        file["layers"][2]["weights"]
            .as_array_mut()
            .unwrap()
            .push(json!([1]));
    });
    let text = wrong(rtneural::read, &bytes);
    for part in [
        "`in_shape`: expected the shape of the input, such as [null, null, 1], found nothing",
        "layer 0 (gru): `activation`: RTNeural computes `tanh` here, and the file says \"relu\"",
        "layer 1 (dense): `activation`: expected tanh, relu, sigmoid, softmax, elu or nothing, found \"mish\"",
        "layer 2 (dense): `weights`: expected kernel, bias (2 arrays), found 3",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let bytes = changed("aidax_lstm.json", |file| {
        file["in_skip"] = json!(2);
        file["out_gain"] = json!(1e300);
    });
    let text = wrong(rtneural::read, &bytes);
    assert!(
        text.contains("`in_skip`: expected 0 or 1, found 2"),
        "{text}"
    );
    assert!(text.contains("`out_gain`: expected decibels"), "{text}");
}

#[test]
fn a_bias_of_one_row_is_keras_reset_before() {
    let bytes = changed("rtneural_gru.json", |file| {
        let bias = file["layers"][0]["weights"][2][0].clone();
        file["layers"][0]["weights"][2] = bias;
    });
    let text = body(&rtneural::read(&bytes).unwrap());
    assert!(
        text.contains("GRU(5, reset_after = false, return_sequences"),
        "{text}"
    );
}

#[test]
fn guitarml_compares_what_is_declared() {
    let bytes = changed("guitarml_lstm.json", |file| {
        file["model_data"]["hidden_size"] = json!(6);
        file["model_data"]["num_layers"] = json!(2);
        file["model_data"]["unit_type"] = json!("GRU");
        file["model_data"]["bias_fl"] = json!(false);
    });
    assert_eq!(
        wrong(guitarml::read, &bytes),
        "`unit_type` is \"GRU\", and the state dict has the LSTM `rec`\n\
         `num_layers` declares 2, and the state dict has 1\n\
         `hidden_size` declares 6, and the state dict has 5\n\
         `hidden_size` declares 6, and the state dict has 5\n\
         `bias_fl` is false, and the state dict has a bias of the Linear `lin`"
    );
    let bytes = changed("guitarml_lstm.json", |file| file["model_data"] = json!({}));
    let text = wrong(guitarml::read, &bytes);
    assert!(
        text.contains("`model_data`: `input_size`: expected a size, found nothing"),
        "{text}"
    );
    let bytes = changed("guitarml_lstm.json", |file| {
        file["model_data"]["skip"] = json!(1_000_000);
        file["state_dict"]["conv.weight"] = json!([[[1.0]]]);
    });
    assert!(wrong(guitarml::read, &bytes).contains("`conv.weight` [1, 1, 1]: of a convolution"));
}

#[test]
fn nam_says_what_it_is_not() {
    let text = wrong(nam::read, &file(FOLDER, "refused_wavenet.nam"));
    assert_eq!(
        text,
        "the architecture of this `.nam` is \"WaveNet\"; there are layers for \"LSTM\" here, and for no other"
    );
    let bytes = changed("nam_two.nam", |file| {
        file["weights"].as_array_mut().unwrap().pop();
    });
    assert_eq!(
        wrong(nam::read, &bytes),
        "`weights`: expected 160 numbers for 2 layers of 3 units on 1 inputs and 1 outputs, found 159"
    );
    // Sizes that no computer can count, and a file that would need them.
    for size in [0, u64::from(u32::MAX), u64::MAX] {
        let bytes = changed("nam_two.nam", |file| {
            file["config"]["hidden_size"] = json!(size);
            file["config"]["num_layers"] = json!(size);
        });
        let text = wrong(nam::read, &bytes);
        assert!(text.contains("expected"), "{text}");
    }
    let bytes = changed("nam_two.nam", |file| {
        file["config"]["in_channels"] = json!(2)
    });
    assert!(wrong(nam::read, &bytes).contains("`in_channels` is 2, and `input_size` is 1"));
}

#[test]
fn large_sizes_allocate_nothing() {
    let huge = json!({
        "in_shape": [null, null, 4_000_000_000_u64], "in_gain": 3,
        "layers": [{"type": "activation", "activation": "tanh", "shape": [null, null, 4_000_000_000_u64], "weights": []}],
    });
    let text = wrong(rtneural::read, huge.to_string().as_bytes());
    assert!(text.contains("expected at most 16 inputs"), "{text}");
    let huge = json!({
        "in_shape": [null, 1],
        "layers": [{"type": "lstm", "shape": [null, u64::MAX], "weights": [[[1]], [[1]], [1]]}],
    });
    assert!(wrong(rtneural::read, huge.to_string().as_bytes()).contains("are too many"));
}

#[test]
fn damaged_files_are_errors() {
    let all: [(&str, Read); 6] = [
        ("guitarml_lstm.json", guitarml::read),
        ("guitarml_rnn.json", guitarml::read),
        ("state_dict.json", guitarml::read),
        ("rtneural_more.json", rtneural::read),
        ("aidax_gains.json", rtneural::read),
        ("nam_two.nam", nam::read),
    ];
    for (name, read) in all {
        damage(&file(FOLDER, name), 1000, &|bytes| drop(read(bytes)));
    }
}
