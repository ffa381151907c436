//! What is written is read again: the same layers, the same tensors, the same numbers.
#![cfg(feature = "all")]

mod common;
mod onnx_common;

use std::{collections::BTreeMap, path::Path};

use rnn_formats::{
    Body, Error, Format, Imported, Network, NetworkInput, NetworkLayer, ParamShape, Tensor, Value,
    fit, keras, read, write, zip::Archive,
};
use rnn_reference::{Call, Definitions, Input, OutputData, ReferenceModel, Weights};

/// A model of a fixture, by the name of its file.
fn models() -> BTreeMap<String, (Network, Vec<Tensor>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/formats/keras/keras.zip");
    let bytes = std::fs::read(path).unwrap();
    let archive = Archive::open(&bytes).unwrap();
    let names = archive.names().filter(|n| n.ends_with(".keras"));
    // Keras computes one of them in bfloat16; some have what is not understood.
    let names = names.filter(|n| !n.starts_with("refused"));
    names
        .map(|name| {
            let file = keras::read(&archive.read(name).unwrap()).unwrap();
            (name.to_owned(), (file.network.unwrap(), file.tensors))
        })
        .collect()
}

fn text(network: &Network) -> String {
    match network.body() {
        Body::Chain(text) | Body::Graph(text) => text,
    }
}

/// The interpreter's model.
fn model(network: &Network) -> ReferenceModel {
    let written = text(network);
    let cells: Vec<(&str, &str)> = (network.cells.iter())
        .map(|(name, cell)| (name.as_str(), cell.as_str()))
        .collect();
    let scope = Definitions {
        cells: &cells,
        consts: &[],
    };
    ReferenceModel::parse_in(&written, scope).unwrap_or_else(|e| panic!("{e}\n{written}"))
}

/// Numbers that a model may be given; some are -1 and 0, which masks leave out.
fn inputs(model: &ReferenceModel) -> Vec<Input> {
    let mut number = 0_u32;
    let mut next = |most: u32| {
        number = number.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        (number >> 8) % most
    };
    let all = model.inputs().unwrap().into_iter().map(|info| {
        let time = info.steps.map_or(1, |steps| steps.unwrap_or(5));
        let count = 2 * time * info.width;
        let kind = format!("{:?}", info.content);
        Input {
            batch: 2,
            time,
            floats: match kind.as_str() {
                "Ids" => vec![],
                "Mask" => (0..count).map(|_| f64::from(next(2))).collect(),
                _ => (0..count)
                    .map(|_| f64::from(next(17)) / 8.0 - 1.0)
                    .collect(),
            },
            ids: match kind.as_str() {
                "Ids" => (0..count).map(|_| next(5)).collect(),
                _ => vec![],
            },
        }
    });
    all.collect()
}

/// What a model computes.
fn outputs(model: &ReferenceModel, tensors: &[Tensor], inputs: Vec<Input>) -> Vec<OutputData> {
    let call = Call {
        inputs,
        ..Call::default()
    };
    let weights: Weights = (tensors.iter())
        .map(|t| {
            (
                t.name.clone(),
                t.values.iter().copied().map(f64::from).collect(),
            )
        })
        .collect();
    model
        .call(&weights, &call)
        .unwrap_or_else(|e| panic!("{e}"))
        .outputs
}

/// Fails if two models do not compute the same numbers.
fn same_numbers(name: &str, a: (&Network, &[Tensor]), b: (&Network, &[Tensor])) {
    let (first, second) = (model(a.0), model(b.0));
    let given = inputs(&first);
    let first = outputs(&first, a.1, given.clone());
    let second = outputs(&second, b.1, given);
    assert_eq!(first.len(), second.len(), "{name}");
    for (a, b) in first.iter().zip(&second) {
        assert_eq!((a.steps, a.width), (b.steps, b.width), "{name}");
        common::close(name, &b.data, &a.data);
    }
}

fn read_back(bytes: &[u8]) -> Result<Imported, Error> {
    let none = &mut |_: &str| Err(std::io::Error::other("there is no file beside it"));
    read(bytes, none)
}

fn wanted(tensors: &[Tensor]) -> Vec<ParamShape<'_>> {
    let all = tensors.iter();
    all.map(|Tensor { name, shape, .. }| ParamShape { name, shape })
        .collect()
}

/// A function that writes a model.
type Write = fn(&Network, &[Tensor]) -> Result<write::Written, Error>;

/// Writes all fixtures and reads them again; gives what was refused, in one way or the other.
fn round_trips(by: Write) -> Vec<String> {
    let mut refused = Vec::new();
    for (name, (network, tensors)) in models() {
        let file = match by(&network, &tensors) {
            Ok(file) => file,
            Err(e) => {
                refused.push(format!("{name}: {e}"));
                continue;
            }
        };
        match read_back(&file.bytes) {
            Ok(back) => {
                let again = back.network.unwrap();
                if std::env::var("SHOW").is_ok() {
                    println!("{name}\n{}\n{}", text(&network), text(&again));
                }
                // RTNeural gives an output at every step; the last is that of a layer that gives one.
                if !file.notes.iter().any(|note| note.contains("at every step")) {
                    same_numbers(&name, (&network, &tensors), (&again, &back.tensors));
                }
            }
            Err(e) => refused.push(format!("{name}: read: {e}")),
        }
    }
    refused
}

/// What is refused, the first line of each file.
fn first_lines(refused: &[String]) -> Vec<&str> {
    let all = refused.iter();
    all.map(|lines| lines.lines().next().unwrap_or_default())
        .collect()
}

#[test]
fn keras_of_every_fixture() {
    assert_eq!(round_trips(write::keras), [""; 0]);
}

#[test]
fn onnx_of_every_fixture_without_masks_and_kept_states() {
    let refused = round_trips(write::onnx);
    let expected = [
        "embedding.keras: LSTM `lstm`: it reads a mask, and ONNX has none",
        "given_mask.keras: LSTM `lstm`: it reads a mask, and ONNX has none",
        "masked_models.keras: LSTM `lstm`: it reads a mask, and ONNX has none",
        "masked_states.keras: GRU `gru_1`: it reads a mask, and ONNX has none",
        "masking.keras: SimpleRNN `simple_rnn`: it reads a mask, and ONNX has none",
        "masks.keras: Bidirectional `bidirectional`: it reads a mask, and ONNX has none",
        "spatial.keras: Bidirectional `bidirectional`: it reads a mask, and ONNX has none",
        "stateful.keras: GRU `gru`: ONNX keeps no states from call to call; write it without `stateful`, with `initial_state` as an input and `return_state`",
        "states.keras: LSTM `lstm`: it reads a mask, and ONNX has none",
    ];
    // onnxruntime runs it; it has what the reader here does not take.
    let read = [
        "shapes.keras: read: node `/reshape/Reshape_1` (Reshape): its new shape joins or cuts rows, steps and features in a way that no layer does",
    ];
    let own = first_lines(&refused);
    let own: Vec<&str> = own.into_iter().filter(|l| !read.contains(l)).collect();
    assert_eq!(own, expected);
}

/// The fields of a message of protocol buffers that have a length: their numbers and bytes.
fn fields(mut message: &[u8]) -> Vec<(u64, &[u8])> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }
    let mut all = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let len = match tag & 7 {
            0 => {
                varint(&mut message);
                continue;
            }
            2 => varint(&mut message) as usize,
            5 => 4,
            other => panic!("{other}"),
        };
        let (bytes, rest) = message.split_at(len);
        all.push((tag >> 3, bytes));
        message = rest;
    }
    all
}

/// The strings and messages of one field.
fn each(message: &[u8], number: u64) -> Vec<&[u8]> {
    let all = fields(message).into_iter();
    all.filter_map(|(n, bytes)| (n == number).then_some(bytes))
        .collect()
}

/// A node is there because somebody reads each result that it names, and a constant because a node does.
#[test]
fn every_value_of_an_onnx_graph_is_read() {
    let mut files = 0;
    for (name, (network, tensors)) in models() {
        let Ok(file) = write::onnx(&network, &tensors) else {
            continue;
        };
        let graph = each(&file.bytes, 7)[0];
        let nodes = each(graph, 1);
        let mut read: Vec<&[u8]> = nodes.iter().flat_map(|node| each(node, 1)).collect();
        read.extend(each(graph, 12).iter().map(|output| each(output, 1)[0]));
        let given = nodes.iter().flat_map(|node| each(node, 2));
        let constants = each(graph, 5).into_iter().map(|c| each(c, 8)[0]);
        let mut own = 0;
        for value in given.chain(constants).filter(|value| !value.is_empty()) {
            let words = String::from_utf8_lossy(value);
            assert!(read.contains(&value), "{name}: `{words}` is not read");
            own += 1;
        }
        assert!(own > 3, "{name}: {own}");
        files += 1;
    }
    assert!(files > 10, "{files}");
}

#[test]
fn rtneural_of_what_it_has() {
    let refused = round_trips(write::rtneural);
    let all = models().into_keys();
    let written: Vec<String> = all
        .filter(|name| !refused.iter().any(|line| line.starts_with(name.as_str())))
        .collect();
    assert_eq!(
        written,
        [
            "gru.keras",
            "half.keras",
            "lstm.keras",
            "stateful.keras",
            "training.keras"
        ]
    );
    let line = "gru_reset_before.keras: GRU `gru`: RTNeural resets after the product; this is `reset_after = false`";
    assert!(first_lines(&refused).contains(&line), "{refused:#?}");
}

#[test]
fn pytorch_names_of_what_it_has() {
    let (mut written, mut refused) = (Vec::new(), Vec::new());
    for (name, (network, tensors)) in models() {
        match write::pytorch(&network, &tensors) {
            Ok(file) => {
                let none = &mut |_: &str| Err(std::io::Error::other("there is no file beside it"));
                let back = rnn_formats::tensors(&file.bytes, none, Some(&wanted(&tensors)));
                let back = back.unwrap_or_else(|e| panic!("{name}: {e:?}"));
                for (a, b) in back.iter().zip(&tensors) {
                    assert_eq!(a, b, "{name}");
                }
                written.push(name);
            }
            Err(e) => refused.push(format!("{name}: {e}")),
        }
    }
    println!("{refused:#?}");
    assert!(written.len() > 15, "{written:?}");
}

#[test]
fn safetensors_are_the_tensors() {
    let (network, tensors) = models().remove("lstm.keras").unwrap();
    assert_eq!(
        text(&network),
        "Input(_, 1) -> LSTM(4, return_sequences) -> Dense(1)"
    );
    let back = read_back(&write::safetensors(&tensors).unwrap().bytes).unwrap();
    assert_eq!(back.format, Format::Safetensors);
    let found = fit(&back.tensors, &wanted(&tensors)).unwrap();
    assert_eq!(found, tensors.iter().collect::<Vec<_>>());
}

#[test]
fn a_layer_that_lacks_a_tensor_is_named() {
    let (network, mut tensors) = models().remove("lstm.keras").unwrap();
    tensors.retain(|t| t.name != "dense/bias");
    let all: [Write; 4] = [write::keras, write::onnx, write::rtneural, write::pytorch];
    for by in all {
        let e = by(&network, &tensors).unwrap_err().to_string();
        assert_eq!(e, "Dense `dense`: `dense/bias` [1] is missing");
    }
}

/// Layers without parameters on features that no tensor counts: ONNX wants a scale and a bias for each.
#[test]
fn what_is_written_for_no_tensor_is_bounded() {
    let rows = |features: usize, layers: usize| Network {
        inputs: vec![NetworkInput {
            name: "x".into(),
            text: format!("[_, {features}]"),
        }],
        layers: (0..layers)
            .map(|n| NetworkLayer {
                class: "LayerNormalization".into(),
                arguments: vec!["center = false".into(), "scale = false".into()],
                name: None,
                inputs: vec![match n.checked_sub(1) {
                    None => Value::Input(0),
                    Some(layer) => Value::Of { layer, result: 0 },
                }],
                results: 1,
            })
            .collect(),
        outputs: vec![(
            "y".into(),
            Value::Of {
                layer: layers - 1,
                result: 0,
            },
        )],
        cells: vec![],
    };
    let small = write::onnx(&rows(8, 3), &[]).unwrap();
    assert!(small.bytes.len() < 2000);
    for network in [rows(1 << 25, 1), rows(1 << 21, 300), rows((1 << 31) - 1, 1)] {
        let e = write::onnx(&network, &[]).unwrap_err().to_string();
        assert!(e.contains("expected at most 4194304 ones and zeros"), "{e}");
    }
}
