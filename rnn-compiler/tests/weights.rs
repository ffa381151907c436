//! `weights = "…"`: what a file has, has to be what the layers here compute, and what it does not say is said.
#![cfg(feature = "import")]

mod support;

use std::{collections::BTreeSet, fs};

use rnn_compiler::{
    layer::{EVERYWHERE, Kind},
    layers::LAYERS,
};
use rnn_formats::{Body, FLAGS, zip::Archive};

use support::{model, says};

const AMPS: &str = "../tests/formats/amps";
const TORCH: &str = "../tests/formats/torch";

/// What the macro makes of a text.
fn expanded(text: &str) -> String {
    let tokens = format!("@krate(recurrent) {text}").parse().unwrap();
    rnn_compiler::expand_model(tokens).to_string()
}

#[test]
fn a_skip_of_the_file_is_not_dropped() {
    let layers = "Input(_, 1) -> LSTM(5, return_sequences) -> Dense(1)";
    says(
        &format!("struct Amp = {layers}, weights = \"{AMPS}/guitarml_lstm.json\";"),
        &[
            "RNN0313",
            "the weights of ../tests/formats/amps/guitarml_lstm.json fit, and the file's layers compute something else",
            "the file has `Add`, which the layers here have not: add it",
            "`import(\"../tests/formats/amps/guitarml_lstm.json\")` takes the layers of the file, too",
        ],
    );
}

#[test]
fn an_activation_of_the_file_is_not_dropped() {
    let file = format!("{AMPS}/rtneural_gru.json");
    let with = |dense: &str| {
        model(&format!(
            "struct Amp = Input(_, 1) -> GRU(5, return_sequences) -> {dense} -> Dense(1), weights = \"{file}\";"
        ))
    };
    assert_eq!(with("Dense(4, activation = tanh)"), [""; 0]);
    assert_eq!(with("Dense(4) -> Activation(tanh)"), [""; 0]);
    let wrong = with("Dense(4)");
    assert!(
        wrong[0].contains("the file computes `tanh` after its `dense`, which the layers here do not: add `Activation(tanh)`"),
        "{wrong:?}"
    );
    let wrong = with("Dense(4, activation = relu)");
    assert!(
        wrong[0].contains("the file's layer has `activation = tanh` and `Dense(4, activation = relu)` here has `relu`"),
        "{wrong:?}"
    );
}

#[test]
fn what_a_state_dict_does_not_say_is_said() {
    let code = expanded(&format!(
        "struct Net = Input(_, 3) -> LSTM(4, return_sequences) -> Dense(2), weights = \"{TORCH}/lstm.pt\";"
    ));
    assert!(!code.contains("compile_error"), "{code}");
    let table = "modules as layers: the LSTM `rec` is `lstm`; the Linear `lin` is `dense`";
    // In the documentation of the type, in the plan and in what a summary prints.
    assert!(code.contains(&format!(" - {table}")), "{code}");
    assert!(code.matches(table).count() >= 3, "{code}");
    let unsaid = " - a state dict has no activations, sums or slices between modules (a `ReLU` after a `Linear`): whether the layers";
    assert!(code.contains(unsaid), "{code}");
    let code = expanded(&format!(
        "struct Net = Input(_, 3) -> SimpleRNN(4, return_sequences, activation = relu), weights = \"{TORCH}/rnn_relu.pt\";"
    ));
    assert!(
        code.contains("computes `tanh` or `relu`, which the file does not say"),
        "{code}"
    );
}

#[test]
fn layers_are_proposed_only_if_they_can_be_computed() {
    let said = model(&format!(
        "struct Net = import(\"{TORCH}/lstm.safetensors\");"
    ));
    assert!(said[0].contains("RNN0311"), "{said:?}");
    let proposal = "`struct Net = Input(_, 3) -> LSTM(4, return_sequences) -> Dense(2), weights = ";
    assert!(said[0].contains(proposal), "{said:?}");
    assert!(
        said[0].contains("activations that stand between layers are not in the file"),
        "{said:?}"
    );
    // Its modules are sorted by name, and a normalisation fits in two places. Nothing looks as if it were of the file.
    let said = model(&format!(
        "struct Net = import(\"{TORCH}/words.safetensors\");"
    ));
    assert!(
        said[0].contains("write the layers in the place of `…`: `struct Net = …, weights = "),
        "{said:?}"
    );
    assert!(
        said[0].contains("`GRU(3, return_sequences)` reads 8 and gives 3"),
        "{said:?}"
    );
    assert!(
        !said[0].contains("= Input(") && !said[0].contains("LSTM(16)") && !said[0].contains("()"),
        "{said:?}"
    );
}

#[test]
fn pytorch_has_no_other_activation() {
    let net = |lstm: &str| {
        model(&format!(
            "struct Net = Input(_, 3) -> {lstm} -> Dense(2, activation = relu), weights = \"{TORCH}/lstm.pt\";"
        ))
    };
    assert_eq!(net("LSTM(4, return_sequences)"), [""; 0]);
    let wrong = net("LSTM(4, return_sequences, activation = relu)");
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    for words in [
        "RNN0313",
        "lstm.pt fit, and the file's modules compute something else",
        "`lstm`: the LSTM `rec` of the file is PyTorch's, which computes `activation = tanh`, and `LSTM(4, return_sequences, \
         activation = relu)` here has `relu`: write `activation = tanh`",
    ] {
        assert!(wrong[0].contains(words), "{words}: {wrong:?}");
    }
}

#[test]
fn who_has_written_other_sizes_is_told_those_of_the_file() {
    for (file, layers) in [
        (
            format!("{TORCH}/lstm.pt"),
            "the file's weights fit the layers `Input(_, 3) -> LSTM(4, return_sequences) -> Dense(2)`",
        ),
        (
            format!("{AMPS}/rtneural_lstm.json"),
            "the file's layers are `Input(_, 2) -> Dense(4, activation = relu) -> LSTM(4, return_sequences) -> LSTM(3, ",
        ),
    ] {
        let text = format!(
            "struct Net = Input(_, 3) -> LSTM(8, return_sequences) -> Dense(2), weights = {file:?};"
        );
        says(&text, &["RNN0313", layers]);
    }
}

#[test]
fn what_to_do_is_said() {
    let folder = folder("near");
    let archive = fs::read("../tests/formats/keras/keras.zip").unwrap();
    let archive = Archive::open(&archive).unwrap();
    let weights = archive.read("lstm.weights.h5").unwrap();
    fs::write(folder.join("Amp.weights.h5"), weights).unwrap();
    fs::write(
        folder.join("refused.keras"),
        archive.read("refused.keras").unwrap(),
    )
    .unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    says(
        &format!("struct Amp = import({:?});", path("Amps.weights.h5")),
        &[
            "RNN0310",
            &format!("did you mean {:?}?", path("Amp.weights.h5")),
        ],
    );
    says(
        "struct Amp = import(\"torch/lstm.pt\");",
        &[
            "RNN0310",
            "a path starts at the folder of the crate's Cargo.toml",
        ],
    );
    // Keras's weights alone.
    says(
        &format!("struct Amp = import({:?});", path("Amp.weights.h5")),
        &[
            "RNN0311",
            "`struct Amp = Input(_, 1) -> LSTM(4, return_sequences) -> Dense(1), weights = ",
        ],
    );
    let refused = model(&format!(
        "struct Net = import({:?});",
        path("refused.keras")
    ));
    assert!(
        refused.iter().all(|text| text.contains("RNN0312")),
        "{refused:?}"
    );
    let help = "save the weights alone by `safetensors.numpy.save_file({v.path: v.numpy() for v in model.variables}, \
                \"net.safetensors\")`, and put `, weights = \"net.safetensors\"` after the layers";
    let (last, others) = refused.split_last().unwrap();
    assert!(last.contains(help), "{last}");
    assert!(others.iter().all(|text| !text.contains(help)), "{others:?}");
    says(
        &format!("struct Net = import(\"{TORCH}/refused.whole.pt\");"),
        &[
            "RNN0312",
            "a whole module is pickled",
            "`torch.save(model.state_dict(), \"model.pt\")`",
        ],
    );
    // A name is no remedy.
    let text = r#"{"in_shape": [null, null, 1], "layers": [{"type": "torch.head", "shape": [null, null, 1], "weights": []}]}"#;
    fs::write(folder.join("head.json"), text).unwrap();
    says(
        &format!("struct Net = import({:?});", path("head.json")),
        &["RNN0312", "torch.head", "write the layers in `rnn_model!`"],
    );
    fs::remove_dir_all(folder).unwrap();
}

/// A folder for the files of one test.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("recurrent-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn what_a_file_says_of_itself_is_cut_and_escaped() {
    let folder = folder("metadata");
    let text = fs::read_to_string(format!("{AMPS}/nam_one.nam")).unwrap();
    let long = format!("two\\nlines\\u001b[2J{}", "x".repeat(10_000));
    let path = folder.join("amp.nam");
    fs::write(&path, text.replace("amps.py", &long)).unwrap();
    let code = expanded(&format!("struct Amp = import({path:?});"));
    assert!(!code.contains("compile_error"), "{code}");
    assert!(code.contains("two\\\\nlines\\\\u{1b}[2J"), "{code}");
    assert!(!code.contains(&"x".repeat(200)));
    assert!(code.contains(&format!("{}…", "x".repeat(100))));
    fs::remove_dir_all(folder).unwrap();
}

/// A field of protocol buffers: a number, or bytes.
fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    [&[field << 3 | 2, value.len() as u8], value].concat()
}

/// A `ValueInfoProto` of floats.
fn info(name: &str, axes: &[Vec<u8>]) -> Vec<u8> {
    let axes: Vec<u8> = axes.iter().flat_map(|axis| bytes(1, axis)).collect();
    let tensor = [number(1, 1), bytes(2, &axes)].concat();
    [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
}

#[test]
fn weights_in_another_file_are_watched_too() {
    let folder = folder("external");
    let location = [bytes(1, b"location"), bytes(2, b"w.bin")].concat();
    let weight = [
        number(1, 2),
        number(1, 1),
        number(2, 1),
        bytes(8, b"w"),
        bytes(13, &location),
        number(14, 1),
    ];
    let node = [
        bytes(1, b"x"),
        bytes(1, b"w"),
        bytes(2, b"y"),
        bytes(3, b"n"),
        bytes(4, b"MatMul"),
    ];
    let axes = |last| [bytes(2, b"b"), bytes(2, b"t"), number(1, last)];
    let graph = [
        bytes(1, &node.concat()),
        bytes(2, b"g"),
        bytes(5, &weight.concat()),
        bytes(11, &info("x", &axes(2))),
        bytes(12, &info("y", &axes(1))),
    ];
    // A graph of more than 127 bytes has a length of two.
    let graph = graph.concat();
    let length = [graph.len() as u8 & 127 | 128, (graph.len() >> 7) as u8];
    let opset = [bytes(1, b""), number(2, 17)].concat();
    let model = [
        number(1, 8),
        [&[7 << 3 | 2][..], &length, &graph].concat(),
        bytes(8, &opset),
    ];
    fs::write(folder.join("net.onnx"), model.concat()).unwrap();
    fs::write(
        folder.join("w.bin"),
        [0.5_f32, 0.25].map(f32::to_le_bytes).concat(),
    )
    .unwrap();
    let path = folder.join("net.onnx");
    let code = expanded(&format!(
        "struct Net = Input(_, 2) -> Dense(1, use_bias = false), weights = {path:?};"
    ));
    assert!(!code.contains("compile_error"), "{code}");
    assert!(code.contains("w.bin"), "{code}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn layers_as_the_file_has_them_are_its_own() {
    let folder = folder("own");
    let mut files = Vec::new();
    for name in [
        "aidax_gains.json",
        "aidax_lstm.json",
        "guitarml_knob.json",
        "guitarml_lstm.json",
        "guitarml_stereo.json",
        "nam_two.nam",
        "rtneural_more.json",
    ] {
        files.push((name.to_owned(), fs::read(format!("{AMPS}/{name}")).unwrap()));
    }
    for archive in ["keras.zip", "tf_keras.zip"] {
        let bytes = fs::read(format!("../tests/formats/keras/{archive}")).unwrap();
        let archive = Archive::open(&bytes).unwrap();
        let models = archive.names().filter(|name| name.ends_with(".keras"));
        files.extend(models.map(|name| (name.to_owned(), archive.read(name).unwrap())));
    }
    let mut compared = 0;
    for (name, bytes) in files {
        let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
        let Ok(imported) = rnn_formats::read(&bytes, &mut none) else {
            continue;
        };
        // A cell of a file has no path that a model could name.
        let Some(network) = imported.network.filter(|network| network.cells.is_empty()) else {
            continue;
        };
        let path = folder.join(&name);
        fs::write(&path, &bytes).unwrap();
        let text = match network.body() {
            Body::Chain(text) => format!("struct Net = {text}, weights = {path:?};"),
            Body::Graph(text) => format!("struct Net {{ {text} }}, weights = {path:?};"),
        };
        assert_eq!(model(&text), [""; 0], "{name}: {text}");
        compared += 1;
    }
    assert!(compared > 40, "{compared}");
    fs::remove_dir_all(folder).unwrap();
}

/// A file whose states come in: the message names what leaves them to a stream, and `Voice::stream()` is there for rustc to find.
#[test]
fn a_model_that_cannot_stream_says_what_to_write() {
    let folder = folder("stream");
    let keras = fs::read("../tests/formats/keras/keras.zip").unwrap();
    let keras = Archive::open(&keras).unwrap();
    let keras = keras.read("state_in_and_out.keras").unwrap();
    let none = &mut |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let model = rnn_formats::read(&keras, none).unwrap();
    let onnx = rnn_formats::write::onnx(&model.network.unwrap(), &model.tensors).unwrap();
    let (of_keras, of_onnx) = (folder.join("voice.keras"), folder.join("voice.onnx"));
    fs::write(&of_keras, &keras).unwrap();
    fs::write(&of_onnx, onnx.bytes).unwrap();
    let note = |code: &str| {
        let (_, rest) = code.split_once("note = \"help: ").unwrap();
        rest.split(" a stream").next().unwrap().replace('\\', "")
    };
    let whole = expanded(&format!("pub struct Voice = import({of_onnx:?});"));
    let wanted = format!("write `import({of_onnx:?}, states = stream)`:");
    assert_eq!(note(&whole), wanted);
    let own = "pub const fn stream () -> recurrent :: ProgramStream < Voice > ";
    let bound = "where for < 'a > needs :: LSTM : needs :: StepByStep < 'a >";
    assert!(whole.contains(&format!("{own}{bound}")), "{whole}");
    // What streams has neither the bound nor the message.
    let stream = expanded(&format!(
        "pub struct Voice = import({of_onnx:?}, states = stream);"
    ));
    assert!(stream.contains(own) && !stream.contains(bound), "{stream}");
    assert!(!stream.contains("RNN0300"), "{stream}");
    // Keras's files have no states that can be left out.
    let keras = expanded(&format!("pub struct Voice = import({of_keras:?});"));
    assert!(
        note(&keras).starts_with("use `predict`, or a file whose model has no such layer"),
        "{keras}"
    );
    fs::remove_dir_all(folder).unwrap();
}

/// The readers of files know the same flags as the layers.
#[test]
fn flags_of_files_are_those_of_the_layers() {
    let all = LAYERS.iter().flat_map(|layer| layer.arguments);
    let own: BTreeSet<&str> = all
        .chain(EVERYWHERE)
        .filter(|argument| argument.kind == Kind::Flag)
        .map(|argument| argument.name)
        .collect();
    assert_eq!(own, FLAGS.iter().copied().collect());
}
