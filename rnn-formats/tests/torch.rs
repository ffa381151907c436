//! Files of real PyTorch 2.15 (`tests/formats/torch/models.py`), read, run by the float64 interpreter and compared.
#![cfg(feature = "all")]

mod common;

use ::safetensors::{Dtype, tensor::TensorView};
use common::{Case, cases, damage, file, run};
use rnn_formats::{
    Error, Format, Imported, Module, ParamShape, Proposal, Tensor, Weights, Written, safetensors,
    torch::{self, Parameter, StateDict},
};
use rnn_reference::ReferenceModel;

const FOLDER: &str = "torch";

fn params(text: &str) -> Vec<(String, Vec<usize>)> {
    let model = ReferenceModel::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let specs = model.specs().iter();
    specs.map(|s| (s.name.clone(), s.shape.clone())).collect()
}

fn checked(case: &Case, tensors: &[Tensor]) {
    common::close(&case.name, &run(&case.text, tensors, case), &case.output);
}

/// The model that a note says.
fn outline(imported: &Imported) -> &str {
    let note = imported
        .notes
        .iter()
        .find(|n| n.contains("no architecture"));
    note.and_then(|n| n.split('`').nth(1)).unwrap_or_default()
}

#[test]
fn state_dicts_compute_what_pytorch_computes() {
    for case in cases(FOLDER) {
        let imported = torch::read(&file(FOLDER, &format!("{}.pt", case.name))).unwrap();
        assert_eq!(imported.format, Format::Torch);
        assert_eq!(imported.network, None);
        checked(&case, &imported.tensors);
        // The file says nothing of an activation.
        let text = case.text.replace("activation = relu, ", "");
        assert_eq!(outline(&imported), text, "{}", case.name);
    }
}

#[test]
fn parameters_of_a_given_model_are_found() {
    for case in cases(FOLDER) {
        let params = params(&case.text);
        let pt = torch::state_dict(&file(FOLDER, &format!("{}.pt", case.name))).unwrap();
        let st = file(FOLDER, &format!("{}.safetensors", case.name));
        for dict in [pt, safetensors::state_dict(&st).unwrap()] {
            let tensors = torch::tensors_for(&dict, &params).unwrap();
            let found = tensors.iter().map(|t| (t.name.clone(), t.shape.clone()));
            assert_eq!(found.collect::<Vec<_>>(), params, "{}", case.name);
            checked(&case, &tensors);
        }
    }
}

#[test]
fn safetensors_are_what_pt_is() {
    for case in cases(FOLDER) {
        let read = safetensors::read(&file(FOLDER, &format!("{}.safetensors", case.name)));
        let imported = read.unwrap();
        assert_eq!(imported.format, Format::Safetensors);
        let made = ("made".to_string(), case.name.clone());
        assert!(imported.metadata.contains(&made), "{:?}", imported.metadata);
        // The order of modules is that of their names; layers of one kind are in the model's order in all of these files.
        let pt = torch::read(&file(FOLDER, &format!("{}.pt", case.name))).unwrap();
        let sorted = |mut all: Vec<Tensor>| {
            all.sort_by(|a, b| a.name.cmp(&b.name));
            all
        };
        assert_eq!(
            sorted(imported.tensors),
            sorted(pt.tensors),
            "{}",
            case.name
        );
        assert!(imported.notes.iter().any(|n| n.contains("sorted by names")));
    }
}

#[test]
fn the_same_state_dict_in_other_files() {
    let plain = torch::read(&file(FOLDER, "lstm.pt")).unwrap();
    for name in [
        "protocol3",
        "protocol4",
        "protocol5",
        "legacy",
        "checkpoint",
        "parallel",
        "parameters",
        "views",
        "float64",
    ] {
        let other = torch::read(&file(FOLDER, &format!("lstm.{name}.pt"))).unwrap();
        assert_eq!(other.tensors, plain.tensors, "{name}");
    }
    let doubles = safetensors::read(&file(FOLDER, "lstm.float64.safetensors")).unwrap();
    for (name, precision) in [("float16", 2e-3), ("bfloat16", 2e-2)] {
        let pt = torch::read(&file(FOLDER, &format!("lstm.{name}.pt"))).unwrap();
        let st = safetensors::read(&file(FOLDER, &format!("lstm.{name}.safetensors"))).unwrap();
        for (one, whole) in [(pt, &plain), (st, &doubles)] {
            for (a, b) in one.tensors.iter().zip(&whole.tensors) {
                let far = a.values.iter().zip(&b.values).map(|(a, b)| (a - b).abs());
                assert!(far.fold(0.0, f32::max) < precision, "{name} {}", a.name);
            }
        }
    }
}

#[test]
fn what_is_beside_the_parameters_is_said() {
    let notes = |name: &str| torch::read(&file(FOLDER, name)).unwrap().notes.join("\n");
    let checkpoint = torch::read(&file(FOLDER, "lstm.checkpoint.pt")).unwrap();
    let metadata = [("epoch", "12"), ("loss", "0.25")].map(|(k, v)| (k.to_string(), v.to_string()));
    assert_eq!(checkpoint.metadata, metadata);
    let all = checkpoint.notes.join("\n");
    assert!(
        all.contains("no state dict of the model: `optimizer_state_dict`, `best`"),
        "{all}"
    );
    let all = notes("lstm.parallel.pt");
    assert!(
        all.contains("`_orig_mod.`") && all.contains("`module.`"),
        "{all}"
    );
    assert!(notes("lstm.pt").contains("`rec` is `lstm`; `lin` is `dense`"));
    assert!(notes("stacked_lstm.pt").contains("`rec`, layer 2, is `lstm_2`"));
    assert!(notes("words.pt").contains("`batch.num_batches_tracked`"));
    assert!(notes("words.pt").contains("it could be a `Linear` without a bias"));
    assert!(notes("no_bias.pt").contains("it could be an `Embedding`: `Embedding(2, 3)`"));
    assert!(notes("rnn.pt").contains("nonlinearity=\"relu\""));
}

fn refused(name: &str) -> String {
    let error = torch::read(&file(FOLDER, name)).unwrap_err();
    assert!(matches!(error, Error::NotUnderstood(_)), "{error}");
    error.to_string()
}

#[test]
fn what_is_not_understood_is_said_all_at_once() {
    let text = refused("refused.modules.pt");
    for part in [
        "`projected.weight_hr_l0` [2, 4]: a projection of the state (`proj_size`)",
        "`conv.weight` [3, 2, 2]: of a convolution",
        "`attention.in_proj_weight` [12, 4]: of `MultiheadAttention`",
        "`slope.weight` [1]: a `PReLU`",
        "`window` [4]: of no module",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert!(!text.contains("fine"), "{text}");
    let text = refused("refused.whole.pt");
    assert!(
        text.contains("the class `__main__.Net`, named at byte 2"),
        "{text}"
    );
    assert!(
        text.contains("a whole module is pickled in the file, as `torch.save(model, …)` does"),
        "{text}"
    );
    assert!(
        text.ends_with("save its parameters: `torch.save(model.state_dict(), \"model.pt\")`"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(refused("refused.script.pt").contains("TorchScript"));
    let text = refused("refused.nan.pt");
    assert!(
        text.contains("`lin.bias`: expected finite numbers, found NaN at place 1"),
        "{text}"
    );
    let text = refused("refused.two.pt");
    assert!(
        text.contains("generator") && text.contains("discriminator"),
        "{text}"
    );
}

#[test]
fn other_files_are_unknown() {
    for bytes in [
        &b""[..],
        b"PK",
        b"\x89HDF",
        b"{\"layers\": []}",
        b"\x80\x02N.",
    ] {
        assert!(torch::read(bytes).is_err());
    }
}

#[test]
fn modules_with_the_names_of_layers_are_theirs() {
    let dict = torch::state_dict(&file(FOLDER, "stacked_gru.pt")).unwrap();
    // `b` is the third layer of the file and the first of this model; the two layers of `a` are `a` and `a_1`.
    let text = "input x: [_, 3]; input z: [_, 2]; output y = x -> GRU(4, name = \"b\"); \
        output w = z -> GRU(3, return_sequences, name = \"a\") -> GRU(3, name = \"a_1\");";
    let tensors = torch::tensors_for(&dict, &params(text)).unwrap();
    let counted = torch::read(&file(FOLDER, "stacked_gru.pt"))
        .unwrap()
        .tensors;
    let get = |all: &[Tensor], name: &str| {
        let found = all.iter().find(|t| t.name == name);
        found.unwrap_or_else(|| panic!("{name}")).values.clone()
    };
    for (named, number) in [("b", "gru_2"), ("a", "gru"), ("a_1", "gru_1")] {
        for own in ["kernel", "recurrent_kernel", "bias"] {
            let wanted = get(&counted, &format!("{number}/{own}"));
            assert_eq!(get(&tensors, &format!("{named}/{own}")), wanted);
        }
    }
}

/// LSTMs of one unit whose numbers are all that of their place in this list.
fn lstms(names: &[&str]) -> StateDict {
    let mut parameters = Vec::new();
    for (place, name) in names.iter().enumerate() {
        for (own, shape) in [
            ("weight_ih_l0", vec![4, 1]),
            ("weight_hh_l0", vec![4, 1]),
            ("bias_ih_l0", vec![4]),
            ("bias_hh_l0", vec![4]),
        ] {
            parameters.push(Parameter {
                name: format!("{name}.{own}"),
                shape,
                values: vec![place as f32; 4],
                integers: false,
            });
        }
    }
    StateDict::new(parameters).unwrap()
}

/// The same in a file of safetensors, which is sorted by names.
fn sorted(dict: &StateDict) -> StateDict {
    safetensors::state_dict(&file_of(dict)).unwrap()
}

/// A file of safetensors.
fn file_of(dict: &StateDict) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = (dict.parameters.iter())
        .map(|p| p.values.iter().flat_map(|v| v.to_le_bytes()).collect())
        .collect();
    let views = dict.parameters.iter().zip(&bytes).map(|(p, bytes)| {
        let view = TensorView::new(Dtype::F32, p.shape.clone(), bytes).unwrap();
        (p.name.clone(), view)
    });
    ::safetensors::serialize(views.collect::<Vec<_>>(), None).unwrap()
}

/// Which of the modules each layer of a text got.
fn places(dict: &StateDict, text: &str) -> Vec<f32> {
    let tensors = torch::tensors_for(dict, &params(text)).unwrap();
    let kernels = tensors.iter().filter(|t| t.name.ends_with("/kernel"));
    kernels.map(|t| t.values[0]).collect()
}

const THREE: &str =
    "Input(_, 1) -> LSTM(1, return_sequences) -> LSTM(1, return_sequences) -> LSTM(1)";

#[test]
fn a_file_that_counts_from_one_keeps_its_order() {
    for names in [
        ["lstm_1", "lstm_2", "lstm_3"],
        ["a.lstm_1", "a.lstm_2", "a.lstm_3"],
        ["lstm", "lstm_1", "lstm_2"],
        ["lstm1", "lstm2", "lstm10"],
    ] {
        let dict = lstms(&names);
        assert_eq!(places(&dict, THREE), [0.0, 1.0, 2.0], "{names:?}");
        assert_eq!(places(&sorted(&dict), THREE), [0.0, 1.0, 2.0], "{names:?}");
    }
    // Names that no counting gives are meant.
    let text = "Input(_, 1) -> LSTM(1, return_sequences, name = \"lstm_3\") -> LSTM(1, return_sequences, name = \"lstm_1\") \
                -> LSTM(1, name = \"lstm_2\")";
    let dict = lstms(&["lstm_1", "lstm_2", "lstm_3"]);
    assert_eq!(places(&dict, text), [2.0, 0.0, 1.0]);
    // The file has the names of the counted layers, and these are of modules in another order.
    let dict = lstms(&["lstm_2", "lstm", "lstm_1"]);
    assert_eq!(places(&dict, THREE), [1.0, 2.0, 0.0]);
}

#[test]
fn numbers_within_names_are_numbers() {
    let names: Vec<String> = (1..=11).map(|n| format!("blocks.fc{n}.rnn")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let text = format!(
        "Input(_, 1){}",
        " -> LSTM(1, return_sequences)".repeat(names.len())
    );
    let all: Vec<f32> = (0..names.len()).map(|n| n as f32).collect();
    assert_eq!(places(&sorted(&lstms(&names)), &text), all);
}

#[test]
fn an_order_that_a_sorted_file_does_not_say_is_an_error() {
    let dict = lstms(&["encoder", "decoder"]);
    let text = "Input(_, 1) -> LSTM(1, return_sequences) -> LSTM(1)";
    assert_eq!(places(&dict, text), [0.0, 1.0]);
    let dict = sorted(&dict);
    let wrong = torch::tensors_for(&dict, &params(text)).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "`lstm` and `lstm_1`: could be the LSTM `decoder` or the LSTM `encoder`, which are of one shape, and the file is \
         sorted by names, which says no order; name the layers as their modules: `name = \"decoder\"`"
    );
    // One name is enough: one module is left for the other layer.
    let named = "Input(_, 1) -> LSTM(1, return_sequences, name = \"encoder\") -> LSTM(1)";
    assert_eq!(places(&dict, named), [0.0, 1.0]);
}

#[test]
fn of_a_sorted_file_one_order_is_proposed_or_none() {
    let proposal = |name: &str| {
        let read = safetensors::read(&file(FOLDER, &format!("{name}.safetensors")));
        read.unwrap().proposal.unwrap().layers
    };
    // Whatever is in the way of the names, sizes say these.
    for name in ["lstm", "stacked_lstm", "stacked_gru", "cells"] {
        let case = cases(FOLDER).into_iter().find(|c| c.name == name);
        assert_eq!(proposal(name), Some(case.unwrap().text), "{name}");
    }
    // The normalisation of three features could stand in two places.
    assert_eq!(proposal("words"), None);
}

/// What is proposed for a `Linear` of these sizes that stands before an LSTM of those, and what is said of it.
fn two(linear: [usize; 2], lstm: [usize; 2], by_name: bool) -> Proposal {
    let [reads, units] = lstm;
    let shapes = [
        ("fc.weight", vec![linear[1], linear[0]]),
        ("fc.bias", vec![linear[1]]),
        ("rnn.weight_ih_l0", vec![4 * units, reads]),
        ("rnn.weight_hh_l0", vec![4 * units, units]),
        ("rnn.bias_ih_l0", vec![4 * units]),
        ("rnn.bias_hh_l0", vec![4 * units]),
    ];
    let all = shapes.map(|(name, shape)| Parameter {
        name: name.into(),
        values: vec![0.5; shape.iter().product()],
        shape,
        integers: false,
    });
    let dict = StateDict::new(all.to_vec()).unwrap();
    let mut json = serde_json::Map::new();
    for p in &dict.parameters {
        let rows = p
            .values
            .chunks(p.shape.get(1).copied().unwrap_or(p.values.len()));
        let rows: Vec<serde_json::Value> = match p.shape.len() {
            1 => p.values.iter().map(|v| serde_json::json!(v)).collect(),
            _ => rows.map(|row| serde_json::json!(row)).collect(),
        };
        json.insert(p.name.clone(), rows.into());
    }
    match by_name {
        true => safetensors::read(&file_of(&dict)).unwrap(),
        false => {
            let text = serde_json::json!({ "state_dict": json }).to_string();
            rnn_formats::guitarml::read(text.as_bytes()).unwrap()
        }
    }
    .proposal
    .unwrap()
}

#[test]
fn of_two_orders_the_plain_one_is_proposed_and_said_to_be_one_of_two() {
    let chain = "Input(_, 1) -> LSTM(8, return_sequences) -> Dense(1)";
    let first = "the file's modules fit in several orders by their sizes, and this is the one with the recurrent layers first: \
                 check it against the module's `forward`";
    for by_name in [false, true] {
        let found = two([8, 1], [1, 8], by_name);
        assert_eq!(found.layers.as_deref(), Some(chain), "{by_name}");
        assert_eq!(found.doubt.as_deref(), Some(first), "{by_name}");
        assert!(found.note.contains("fit in several orders"), "{found:?}");
        // One order alone fits: the `Linear` makes features for the LSTM.
        let found = two([3, 5], [5, 8], by_name);
        let own = "Input(_, 3) -> Dense(5) -> LSTM(8, return_sequences)";
        assert_eq!((found.layers.as_deref(), found.doubt), (Some(own), None));
        // None does: nothing stands in empty brackets.
        let found = two([3, 5], [4, 8], by_name);
        assert_eq!((&found.layers, &found.doubt), (&None, &None));
        assert!(
            found.note.contains(
                "`Dense(5)` reads 3 and gives 5; `LSTM(8, return_sequences)` reads 4 and gives 8"
            ) && found
                .note
                .contains("in no order of them each reads what the one before gives")
                && !found.note.contains("()"),
            "{found:?}"
        );
    }
    let several = lstms(&["one", "other"]);
    let found = safetensors::read(&file_of(&several))
        .unwrap()
        .proposal
        .unwrap();
    assert_eq!(found.layers, None);
    assert!(
        found
            .note
            .contains("they fit in several orders by their sizes")
            && !found.note.contains("()")
    );
}

/// What a model computes otherwise than the modules of a file.
fn otherwise(name: &str, text: &str, layers: &[(&str, &str)]) -> Vec<String> {
    let params = params(text);
    let wanted: Vec<ParamShape<'_>> = params
        .iter()
        .map(|(name, shape)| ParamShape { name, shape })
        .collect();
    let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let weights = rnn_formats::weights(&file(FOLDER, name), &mut none, &wanted).unwrap();
    assert!(
        weights
            .notes
            .iter()
            .any(|n| n.contains("no activations, sums or slices between modules"))
    );
    let written: Vec<Written<'_>> = layers
        .iter()
        .map(|&(name, text)| Written { name, text })
        .collect();
    weights.differences(&written).lines
}

#[test]
fn activations_that_pytorch_does_not_have_are_said() {
    for name in ["lstm.pt", "lstm.safetensors", "lstm.legacy.pt"] {
        let lines = |lstm: &str| {
            let text = format!("Input(_, 3) -> {lstm} -> Dense(2, activation = relu)");
            otherwise(
                name,
                &text,
                &[("lstm", lstm), ("dense", "Dense(2, activation = relu)")],
            )
        };
        assert_eq!(lines("LSTM(4, return_sequences)"), [""; 0], "{name}");
        assert_eq!(lines("LSTM(4, tanh, sigmoid, return_sequences)"), [""; 0]);
        let wrong = lines("LSTM(4, activation = relu, recurrent_activation = hard_sigmoid)");
        assert_eq!(
            wrong[0],
            "`lstm`: the LSTM `rec` of the file is PyTorch's, which computes `activation = tanh`, and `LSTM(4, activation = \
             relu, recurrent_activation = hard_sigmoid)` here has `relu`: write `activation = tanh`"
        );
        assert!(
            wrong[1].contains("write `recurrent_activation = sigmoid`"),
            "{wrong:?}"
        );
    }
    let cell = "RNN(LSTMCell(4, activation = softsign), return_sequences)";
    let text = format!("Input(_, 3) -> {cell} -> Dense(2)");
    assert_eq!(otherwise("lstm.pt", &text, &[("rnn", cell)]).len(), 1);

    let both = "Bidirectional(LSTM(2, activation = relu), backward_layer = LSTM(2, go_backwards))";
    let text = "Input(_, 3) -> Bidirectional(LSTM(2, return_sequences)) -> Dense(1)";
    let wrong = otherwise("both_lstm.pt", text, &[("bidirectional", both)]);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(
        wrong[0].contains("the LSTM `both`, forward of the file"),
        "{wrong:?}"
    );

    let rnn = |activation: &str| {
        let layer = format!("SimpleRNN(4, activation = {activation}, return_sequences)");
        otherwise(
            "rnn_relu.pt",
            &format!("Input(_, 3) -> {layer}"),
            &[("simple_rnn", &layer)],
        )
    };
    assert_eq!([rnn("tanh"), rnn("relu")], [vec![], Vec::<String>::new()]);
    let wrong = rnn("sigmoid");
    assert!(
        wrong[0].contains("which computes `activation = tanh` or `activation = relu`, and")
            && wrong[0]
                .contains("write `activation = tanh`, or what `nonlinearity` of the module says"),
        "{wrong:?}"
    );
    // Without a bias no shape tells where the reset gate stands.
    let gru = |class: &str| {
        let name = "gru".to_owned();
        let modules = vec![Module {
            layer: name,
            title: "the GRU `rec`".into(),
        }];
        let weights = Weights {
            tensors: vec![],
            notes: vec![],
            network: None,
            modules,
        };
        weights
            .differences(&[Written {
                name: "gru",
                text: class,
            }])
            .lines
    };
    assert_eq!(gru("GRU(4, use_bias = false)"), [""; 0]);
    let wrong = gru("GRU(4, use_bias = false, reset_after = false)");
    assert!(
        wrong[0].contains("has `false`: write `reset_after = true`"),
        "{wrong:?}"
    );
}

#[test]
fn files_that_are_cut_off_say_so() {
    for name in ["lstm.pt", "lstm.safetensors"] {
        let bytes = file(FOLDER, name);
        for length in [200, bytes.len() - 4] {
            let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
            let error = rnn_formats::read(&bytes[..length], &mut none).unwrap_err();
            let said = error.to_string();
            assert!(
                said.contains("cut off") && said.contains(&length.to_string()),
                "{name}: {said}"
            );
        }
    }
}

#[test]
fn notes_say_which_module_is_which_layer() {
    let dict = torch::state_dict(&file(FOLDER, "norms.pt")).unwrap();
    let case = cases(FOLDER).into_iter().find(|c| c.name == "norms");
    let notes = torch::matched(&dict, &params(&case.unwrap().text))
        .unwrap()
        .notes;
    assert!(notes[0].starts_with("modules as layers: the "), "{notes:?}");
    assert!(notes.iter().any(|n| n.contains("`eps`")), "{notes:?}");
}

#[test]
fn what_does_not_fit_is_said_of_both_sides() {
    let dict = torch::state_dict(&file(FOLDER, "lstm.pt")).unwrap();
    let wrong = |text: &str| {
        torch::tensors_for(&dict, &params(text))
            .unwrap_err()
            .to_string()
    };
    let text = wrong("Input(_, 3) -> LSTM(5, return_sequences) -> Dense(2)");
    assert_eq!(
        text,
        "`lstm` (kernel [3, 20], recurrent_kernel [5, 20], bias [20]) has no module of its shapes\n\
         `dense` (kernel [5, 2], bias [2]) has no module of its shapes\n\
         the LSTM `rec` (kernel [3, 16], recurrent_kernel [4, 16], bias [16]) has no layer\n\
         the Linear `lin` (kernel [4, 2], bias [2]) has no layer"
    );
    let text = wrong("Input(_, 3) -> LSTM(4, name = \"lin\") -> Dense(2)");
    assert!(text.contains("`lin` (kernel [3, 16], recurrent_kernel [4, 16], bias [16]) is called as the Linear `lin`"), "{text}");
    let text = wrong("Input(_, 3) -> LSTM(4)");
    assert_eq!(
        text,
        "the Linear `lin` (kernel [4, 2], bias [2]) has no layer"
    );
}

#[test]
fn damaged_files_are_errors() {
    for name in [
        "words.pt",
        "lstm.legacy.pt",
        "lstm.checkpoint.pt",
        "lstm.protocol4.pt",
        "lstm.views.pt",
        "refused.whole.pt",
        "refused.script.pt",
    ] {
        damage(&file(FOLDER, name), 1500, &|bytes| drop(torch::read(bytes)));
    }
    for name in ["words.safetensors", "lstm.float16.safetensors"] {
        damage(&file(FOLDER, name), 1500, &|bytes| {
            drop(safetensors::read(bytes))
        });
    }
}
