//! What the fuzz targets share: what programs do with a file once it has been read, and archives around mutated parts.
//!
//! An importing build compiles the text of a network, fits the tensors onto its parameters, and `recurrent convert` writes
//! both in other formats. The targets do all of that, so that a file which is read without complaint finds no fault later.

use std::{
    cell::RefCell,
    collections::HashMap,
    io::{Error as IoError, ErrorKind, Write as _},
};

use proc_macro2::TokenStream;
use rnn_formats::{Body, Error, Imported, Network, ParamShape, Tensor, fit, fit_matching, write};
use rnn_reference::{Definitions, ReferenceModel};

/// Texts up to this length are compiled to Rust, longer ones are checked only: compiling takes much longer than reading.
const MOST_COMPILED: usize = 120;

/// How many texts are remembered.
const MOST_TEXTS: usize = 1000;

/// A text may be longer than the file by this factor: sizes and names are written out where they are used.
const MOST_TEXT: usize = 64;

/// Models for files that have weights alone.
const MODELS: [&str; 4] = [
    "Input(_, 3) -> LSTM(4, return_sequences) -> Dense(2)",
    "Input(_, 2) -> Bidirectional(GRU(2, return_sequences)) -> Bidirectional(SimpleRNN(3, return_sequences)) -> Dense(1)",
    "Embedding(7, 3) -> Bidirectional(LSTM(4, return_sequences)) -> LayerNormalization -> GRU(3, return_sequences) \
     -> BatchNormalization -> Dense(5)",
    "Input(_, 1) -> LSTM(3, use_bias = false, return_sequences) -> LSTM(3, return_sequences, name = \"rec\") -> Dense(1)",
];

/// The parameters of a model: names and shapes.
type Parameters = Vec<(String, Vec<usize>)>;

thread_local! {
    /// The parameters of texts that were met before; `None` for those that the compiler refuses. Most mutations leave the
    /// text as it is.
    static KNOWN: RefCell<HashMap<String, Option<Parameters>>> = RefCell::default();
}

/// No file lies beside the fuzzed one.
///
/// # Errors
/// Always.
pub fn alone(_: &str) -> Result<Vec<u8>, IoError> {
    Err(ErrorKind::NotFound.into())
}

/// Reads a file of any format, then does [`after`] and asks for its tensors by the names of models.
pub fn whole(bytes: &[u8]) {
    let read = rnn_formats::read(bytes, &mut alone);
    let weights = read.as_ref().is_ok_and(|i| i.network.is_none())
        // A state dict may only be understood with the layers of its model.
        || matches!(read, Err(Error::NotUnderstood(_)));
    after(bytes.len(), read);
    if !weights {
        return;
    }
    for text in MODELS {
        let wanted = parameters(text, &[]).unwrap_or_default();
        if let Ok(tensors) = rnn_formats::tensors(bytes, &mut alone, Some(&shapes(&wanted))) {
            fitted(&tensors, &wanted);
        }
    }
}

/// What follows reading a file of `length` bytes: compiling, fitting, writing.
pub fn after(length: usize, read: Result<Imported, Error>) {
    let imported = match read {
        Ok(imported) => imported,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let Some(network) = &imported.network else {
        for text in MODELS {
            fitted(
                &imported.tensors,
                &parameters(text, &[]).unwrap_or_default(),
            );
        }
        return;
    };
    let (Body::Chain(text) | Body::Graph(text)) = network.body();
    let most = length.saturating_mul(MOST_TEXT).saturating_add(1 << 16);
    assert!(
        text.len() <= most,
        "{} bytes of text for a file of {length}",
        text.len()
    );
    if let Some(wanted) = parameters_of(network) {
        fitted(&imported.tensors, &wanted);
    }
    written(network, &imported.tensors);
}

fn shapes(wanted: &Parameters) -> Vec<ParamShape<'_>> {
    wanted
        .iter()
        .map(|(name, shape)| ParamShape { name, shape })
        .collect()
}

fn fitted(tensors: &[Tensor], wanted: &Parameters) {
    let wanted = shapes(wanted);
    if let Ok(found) = fit(tensors, &wanted) {
        assert_eq!(found.len(), wanted.len());
    }
    if let Ok(found) = fit_matching(tensors, &wanted) {
        assert_eq!(found.len(), wanted.len());
    }
}

fn written(network: &Network, tensors: &[Tensor]) {
    let _ = write::keras(network, tensors);
    let _ = write::onnx(network, tensors);
    let _ = write::rtneural(network, tensors);
    let _ = write::pytorch(network, tensors);
    let _ = write::safetensors(tensors);
}

fn parameters_of(network: &Network) -> Option<Parameters> {
    let cells: Vec<(&str, &str)> = network
        .cells
        .iter()
        .map(|(name, cell)| (name.as_str(), cell.as_str()))
        .collect();
    let body = network.body();
    let (Body::Chain(text) | Body::Graph(text)) = &body;
    if text.len() <= MOST_COMPILED && !KNOWN.with_borrow(|known| known.contains_key(text.as_str()))
    {
        compiled(&body, &cells);
    }
    parameters(text, &cells)
}

/// The parameters of a text, as the interpreter finds them.
fn parameters(text: &str, cells: &[(&str, &str)]) -> Option<Parameters> {
    if let Some(known) = KNOWN.with_borrow(|known| known.get(text).cloned()) {
        return known;
    }
    let scope = Definitions { cells, consts: &[] };
    let found = ReferenceModel::parse_in(text, scope).ok().map(|model| {
        let specs = model.specs().iter();
        specs.map(|s| (s.name.clone(), s.shape.clone())).collect()
    });
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MOST_TEXTS {
            known.clear();
        }
        known.insert(text.to_owned(), found.clone());
    });
    found
}

/// The macro's part: the text becomes Rust, or mistakes of the model.
fn compiled(body: &Body, cells: &[(&str, &str)]) {
    let mut text = "@krate(recurrent::__private_0_1)".to_owned();
    for (name, cell) in cells {
        text += &format!(" @cell({name}) {{ {cell} }}");
    }
    text += &match body {
        Body::Chain(chain) => format!(" pub struct Imported = {chain};"),
        Body::Graph(graph) => format!(" pub struct Imported {{ {graph} }}"),
    };
    if let Ok(tokens) = text.parse::<TokenStream>() {
        let code = rnn_compiler::expand_model(tokens).to_string();
        assert!(!code.contains("RNN0199"), "{text}");
    }
}

/// An archive with these files, stored: right checksums around mutated bytes.
pub fn packed(files: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, contents) in files {
        let (mut entry, config) = archive.new_file(name).start().ok()?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(contents).ok()?;
        let (_, descriptor) = writer.finish().ok()?;
        entry.finish(descriptor).ok()?;
    }
    archive.finish().ok()?;
    Some(bytes)
}

/// The files of an archive whose names end so.
pub fn unpacked(bytes: &[u8], ending: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(archive) = rnn_formats::zip::Archive::open(bytes) else {
        return Vec::new();
    };
    let names = archive.names().filter(|name| name.ends_with(ending));
    names
        .filter_map(|name| Some((name.to_owned(), archive.read(name).ok()?)))
        .collect()
}
