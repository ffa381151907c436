//! States that graphs of ONNX take and give back: what a stream keeps, what it cannot keep, and what users are told.
#![cfg(feature = "all")]

mod onnx_common;

use onnx_common::{pack, text};
use rnn_formats::{
    Imported, Network, NetworkInput, NetworkLayer, Tensor, Value,
    onnx::{self, States},
    write,
};

const X: Value = Value::Input(0);

const fn of(layer: usize, result: usize) -> Value {
    Value::Of { layer, result }
}

fn layer(class: &str, name: &str, arguments: &[&str], from: Value, results: usize) -> NetworkLayer {
    NetworkLayer {
        class: class.into(),
        arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
        name: Some(name.into()),
        inputs: vec![from],
        results,
    }
}

/// `LSTM(4)` of three features that gives sequences and states.
fn lstm(name: &str, starts: &str) -> NetworkLayer {
    let starts = format!("initial_state = [{starts}]");
    let arguments = ["4", "return_sequences", "return_state", &starts];
    layer("LSTM", name, &arguments, X, 3)
}

fn dense(name: &str, units: &str, from: Value) -> NetworkLayer {
    layer("Dense", name, &[units], from, 1)
}

/// A graph as ONNX: inputs, layers, outputs. A layer's weights are small numbers, of `pick` ones and zeros.
fn graph(inputs: &[(&str, &str)], layers: Vec<NetworkLayer>, outputs: &[(&str, Value)]) -> Vec<u8> {
    let width = |value: Value| match value {
        Value::Input(n) => inputs[n].1.trim_matches(['[', ']', '_', ',', ' ']),
        Value::Of { layer, .. } => &layers[layer].arguments[0],
    };
    let mut tensors = Vec::new();
    for layer in &layers {
        let name = layer.name.clone().unwrap();
        let units: usize = layer.arguments[0].parse().unwrap();
        let from: usize = width(layer.inputs[0]).parse().unwrap();
        let mut add = |own: &str, shape: &[usize]| {
            let count: usize = shape.iter().product();
            let values = (0..count).map(|n| match (name.as_str(), own) {
                ("pick", _) => f32::from(u8::from(n / units == n % units)),
                _ => (n % 7) as f32 * 0.1 - 0.3,
            });
            let name = format!("{name}/{own}");
            tensors.push(Tensor::new(name, shape, values.collect()).unwrap());
        };
        let gates = if layer.class == "LSTM" { 4 } else { 1 };
        add("kernel", &[from, gates * units]);
        if gates == 4 {
            add("recurrent_kernel", &[units, gates * units]);
        }
        if !layer.arguments.iter().any(|a| a == "use_bias = false") {
            add("bias", &[gates * units]);
        }
    }
    let network = Network {
        inputs: inputs
            .iter()
            .map(|(name, text)| NetworkInput {
                name: (*name).into(),
                text: (*text).into(),
            })
            .collect(),
        layers,
        outputs: outputs.iter().map(|(n, v)| ((*n).into(), *v)).collect(),
        cells: Vec::new(),
    };
    write::onnx(&network, &tensors).unwrap().bytes
}

fn read(bytes: &[u8], states: States) -> Result<Imported, String> {
    let none = &mut |_: &str| Err(std::io::ErrorKind::NotFound.into());
    onnx::read_with(bytes, none, states).map_err(|e| e.to_string())
}

const INPUTS: [(&str, &str); 3] = [("x", "[_, 3]"), ("h", "[4]"), ("c", "[4]")];
const GIVEN: [(&str, Value); 3] = [("y", of(1, 0)), ("hn", of(0, 1)), ("cn", of(0, 2))];

/// A graph whose layer has the name `lstm`, and whose head is `head`.
fn voice(starts: &str, outputs: &[(&str, Value)]) -> Vec<u8> {
    let layers = vec![lstm("lstm", starts), dense("head", "2", of(0, 0))];
    graph(&INPUTS, layers, outputs)
}

/// What is said of states that a stream cannot keep.
fn refused(bytes: &[u8]) -> Vec<String> {
    // Without `states = stream` it is read, and no note says that they can be left out.
    let whole = read(bytes, States::InAndOut).unwrap();
    let said = |note: &String| note.contains("states = stream");
    assert!(!whole.notes.iter().any(said), "{:#?}", whole.notes);
    let text = read(bytes, States::Stream).unwrap_err();
    let start = "`states = stream` is not possible: ";
    let export = ". Export the model with an input and an output for each state";
    text.lines()
        .map(|line| {
            let line = line.trim();
            let own = line.strip_prefix(start);
            own.unwrap_or_else(|| panic!("{line}"))
                .replace(export, ". EXPORT")
        })
        .collect()
}

#[test]
fn one_input_starts_two_states() {
    let lines = refused(&voice("h, h", &GIVEN));
    let wanted = "the states h and c of the layer `lstm` start from one input, `h`. EXPORT, from a tensor of its own: \
                  `torch.onnx.export` makes one input of a tensor that is given twice";
    assert_eq!(lines, [wanted]);
    // Of two layers.
    let layers = vec![lstm("a", "h, c"), lstm("b", "h, c")];
    let states = [
        ("ha", of(0, 1)),
        ("ca", of(0, 2)),
        ("hb", of(1, 1)),
        ("cb", of(1, 2)),
    ];
    let outputs = [&[("y", of(0, 0)), ("z", of(1, 0))], &states[..]].concat();
    let lines = refused(&graph(&INPUTS, layers, &outputs));
    assert_eq!(lines.len(), 2, "{lines:#?}");
    let both =
        "the state h of the layer `a` and the state h of the layer `b` start from one input, `h`. ";
    assert!(lines[0].starts_with(both), "{lines:#?}");
}

/// What a line says of one start is found once, and names some of the layers.
#[test]
fn one_input_starts_thousands_of_states() {
    const LAYERS: usize = 2000;
    let one = |n: usize| {
        let from = if n == 0 { X } else { of(n - 1, 0) };
        NetworkLayer {
            inputs: vec![from],
            ..lstm(&format!("l{n}"), "h, c")
        }
    };
    let layers = (0..LAYERS).map(one).collect();
    let lines = refused(&graph(&INPUTS, layers, &[("y", of(LAYERS - 1, 0))]));
    assert_eq!(lines.len(), 2);
    for (line, letter) in lines.iter().zip(["h", "c"]) {
        let start = format!(
            "the state {letter} of the layer `l0` and the state {letter} of the layer `l1` and "
        );
        let end = format!(
            "the state {letter} of the layer `l19` and the states of 1980 more layers start from one input, `{letter}`. "
        );
        assert!(line.starts_with(&start) && line.contains(&end), "{line}");
    }
}

#[test]
fn a_state_that_no_output_gives_back() {
    assert_eq!(
        refused(&voice("h, c", &GIVEN[..2])),
        [
            "the state c of the layer `lstm` comes in as `c`, and no output gives it back by itself. EXPORT"
        ]
    );
}

#[test]
fn an_input_that_something_else_reads() {
    let layers = vec![
        lstm("lstm", "h, c"),
        dense("head", "2", of(0, 0)),
        dense("other", "2", Value::Input(1)),
    ];
    let outputs = [&GIVEN[..], &[("z", of(2, 0))]].concat();
    assert_eq!(
        refused(&graph(&INPUTS, layers, &outputs)),
        [
            "the state h of the layer `lstm` comes in as `h`, which something else reads, too. EXPORT"
        ]
    );
}

/// States side by side in one input, a constant, and what a layer computes.
#[test]
fn states_that_are_no_inputs() {
    let told = |first: NetworkLayer, inputs: &[(&str, &str)], starts: &str| {
        let layers = vec![first, lstm("lstm", starts), dense("head", "2", of(1, 0))];
        let outputs = [("y", of(2, 0)), ("hn", of(1, 1)), ("cn", of(1, 2))];
        refused(&graph(inputs, layers, &outputs))
    };
    let pick = layer(
        "Dense",
        "pick",
        &["4", "use_bias = false"],
        Value::Input(1),
        1,
    );
    let inputs = [("x", "[_, 3]"), ("s", "[8]"), ("c", "[4]")];
    assert_eq!(
        told(pick, &inputs, "v0, c"),
        ["the state h of the layer `lstm` is 4 of the 8 numbers of the input `s`. EXPORT"]
    );
    // The node reads no state c, which starts at zero: its name is in a field that nobody knows.
    let mut file = voice("h, c", &GIVEN);
    let read = b"\x0a\x06lstm.3";
    let at = file.windows(read.len()).position(|bytes| bytes == read);
    file[at.unwrap()] = 0x7a;
    assert_eq!(
        refused(&file),
        [
            "the state c of the layer `lstm` starts anew in each call, while another state of the layer comes in. EXPORT"
        ]
    );
    let computed = dense("start", "4", Value::Input(1));
    let inputs = [("x", "[_, 3]"), ("z", "[2]"), ("c", "[4]")];
    assert_eq!(
        told(computed, &inputs, "v0, c"),
        [
            "the state h of the layer `lstm` starts where the graph computes, and no input gives that as it is. Leave `states = \
             stream` out, and use `predict`"
        ]
    );
}

#[test]
fn graphs_that_run_backwards_or_give_states_alone() {
    let mut last = lstm("lstm", "h, c");
    last.arguments.push("go_backwards".into());
    let layers = vec![last, dense("head", "2", of(0, 0))];
    assert_eq!(
        refused(&graph(&INPUTS, layers, &GIVEN)),
        [
            "the layer `lstm` reads the last step first. Leave `states = stream` out, and use `predict`"
        ]
    );
    assert_eq!(
        refused(&voice("h, c", &GIVEN[1..])),
        ["the graph gives nothing but states. Export the model with what it computes of them, too"]
    );
}

/// All outputs of a state go; a layer that gives nothing else goes with them.
#[test]
fn what_is_left_out_is_said_once() {
    let outputs = [&GIVEN[..], &[("again", of(0, 1))]].concat();
    let stream = read(&voice("h, c", &outputs), States::Stream).unwrap();
    assert_eq!(
        text(stream.network.as_ref().unwrap()),
        "Input(_, 3) -> LSTM(4, return_sequences) -> Dense(2, name = \"head\")"
    );
    assert_eq!(
        stream.notes,
        [
            "input `h` and outputs `hn`, `again` of the file are the state h of the layer `lstm`",
            "input `c` and output `cn` of the file are the state c of the layer `lstm`",
            "states that came in and went out are left out: they start at zero, and a stream keeps them",
        ]
    );
    let layers = vec![lstm("lstm", "h, c"), dense("head", "2", X)];
    let stream = read(&graph(&INPUTS, layers, &GIVEN), States::Stream).unwrap();
    assert_eq!(
        stream.notes[0],
        "input `h` and output `hn` of the file are the state h of a layer that no other output needs, which is left out"
    );
}

/// Nothing is said of inputs and outputs that are gone.
#[test]
fn notes_are_of_what_is_left() {
    let cases = pack("pytorch.safetensors.z");
    let notes = |name: &str, states| read(&cases[name].model, states).unwrap().notes;
    let whole = notes("lstm_states_1_dynamo_open", States::InAndOut);
    assert_eq!(
        whole[..6],
        [
            "output `hn` is [1, batch, 4] in the file and [batch, features] here",
            "output `cn` is [1, batch, 4] in the file and [batch, features] here",
            "input `h` is [1, batch, 4] in the file and [batch, features] here",
            "input `c` is [1, batch, 4] in the file and [batch, features] here",
            "input `h` and output `hn` are the state h of the layer `lstm` before and after",
            "input `c` and output `cn` are the state c of the layer `lstm` before and after",
        ]
    );
    assert!(whole[6].starts_with("this model cannot stream as it is") && whole.len() == 7);
    let left = "states that came in and went out are left out: they start at zero, and a stream keeps them";
    assert_eq!(
        notes("lstm_states_1_dynamo_open", States::Stream),
        [
            "input `h` and output `hn` of the file are the state h of the layer `lstm`",
            "input `c` and output `cn` of the file are the state c of the layer `lstm`",
            left,
        ]
    );
    assert_eq!(
        notes("lstm_states_2_script_open", States::Stream),
        [
            "input `h` (part 0) and output `hn` (part 0) of the file are the state h of the layer `rnn`",
            "input `c` (part 0) and output `cn` (part 0) of the file are the state c of the layer `rnn`",
            "input `h` (part 1) and output `hn` (part 1) of the file are the state h of the layer `rnn_1`",
            "input `c` (part 1) and output `cn` (part 1) of the file are the state c of the layer `rnn_1`",
            left,
        ]
    );
}

/// Whether inputs start states, so that messages can name `states = stream`.
#[test]
fn states_that_come_in() {
    let cases = pack("pytorch.safetensors.z");
    let come_in = |bytes: &[u8]| read(bytes, States::InAndOut).unwrap().states_come_in;
    assert!(come_in(&cases["lstm_states_1_dynamo_open"].model));
    assert!(come_in(&voice("h, h", &GIVEN)));
    assert!(!come_in(&cases["encoder_decoder_script_open"].model));
    assert!(!come_in(&cases["lstm_dynamo_open"].model));
}
