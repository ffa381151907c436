//! The file of a model, or of its weights.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use rnn_formats::{
    Body, Error, Imported, ParamShape, Proposal, Tensor, Unfit, Weights, Written, layers_of,
    near_file, onnx::States,
};

use super::{Sizes, Trained, mistake};
use crate::{
    cell::CellAst,
    diagnostics::Diagnostics,
    emit::ToStream,
    ir::{LayerKind, OpGraph},
    layers,
    syntax::{BodyAst, FetchedCell, ModelAst, SourceAst, SourceKind, read_body},
};

/// A file that has been read.
#[derive(Clone, Debug)]
pub struct Source {
    ast: SourceAst,
    bytes: Vec<u8>,
    /// A whole model.
    imported: Option<Imported>,
    files: Vec<PathBuf>,
    read_from: String,
}

/// Reads the file that a model names. A model that is imported gets its layers and cells from it.
pub fn open(model: &mut ModelAst, found: &mut Diagnostics) -> Option<Source> {
    let ast = model.source.clone()?;
    let path = absolute(&ast.path);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) => {
            let relative = !Path::new(&ast.path).is_absolute();
            let start = relative
                .then(|| "a path starts at the folder of the crate's Cargo.toml".to_owned());
            let near = match e.kind() {
                io::ErrorKind::NotFound => near_file(&absolute(""), &ast.path),
                _ => None,
            };
            let help = near.map(|near| format!("did you mean {near:?}?")).or(start);
            mistake(
                found,
                "RNN0310",
                ast.span,
                format!("{} cannot be read: {e}", path.display()),
                help,
            );
            return None;
        }
    };
    let mut source = Source {
        bytes,
        imported: None,
        files: vec![path],
        read_from: format!("weights: {}", ast.path),
        ast,
    };
    if source.ast.kind == SourceKind::Model {
        let imported = source.read(found)?;
        source.describe(model, &imported, found)?;
        source.imported = Some(imported);
    }
    Some(source)
}

/// The weights of the file for the parameters of a model. Everything that does not fit is reported.
pub fn fit(source: Source, graph: &OpGraph, found: &mut Diagnostics) -> Option<Trained> {
    source.fit(graph, found)
}

/// From the folder of the crate that is compiled.
fn absolute(path: &str) -> PathBuf {
    let folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let path = Path::new(path);
    folder.map_or(path.to_owned(), |folder| folder.join(path))
}

impl Source {
    fn file(&self) -> &str {
        &self.ast.path
    }

    /// Another file, which this one names.
    fn beside(&self) -> impl FnMut(&str) -> io::Result<Vec<u8>> + use<> {
        let folder = self.files.first().and_then(|path| path.parent());
        let folder = folder.map(Path::to_owned).unwrap_or_default();
        move |name: &str| fs::read(folder.join(name))
    }

    fn read(&mut self, found: &mut Diagnostics) -> Option<Imported> {
        let mut beside = self.beside();
        let mut names = Vec::new();
        let states = match self.ast.stream {
            true => States::Stream,
            false => States::InAndOut,
        };
        let mut beside = |name: &str| {
            names.push(name.to_owned());
            beside(name)
        };
        let read = rnn_formats::read_with(&self.bytes, &mut beside, states);
        self.keep(names);
        match read {
            Ok(imported) => Some(imported),
            Err(e) => {
                self.unread(&e, found);
                None
            }
        }
    }

    fn keep(&mut self, names: Vec<String>) {
        let folder = self.files.first().and_then(|path| path.parent());
        let folder = folder.map(Path::to_owned).unwrap_or_default();
        self.files
            .extend(names.iter().map(|name| folder.join(name)));
        self.files.dedup();
    }

    /// Reports all that is wrong with the file.
    fn unread(&self, e: &Error, found: &mut Diagnostics) {
        let (file, span) = (self.file(), self.ast.span);
        match e {
            Error::NotUnderstood(lines) => {
                // A line that has its remedy, a call of PyTorch's, needs no other. Layers have other names than a call.
                let calls = ["`torch.save(", "`torch.onnx.export`"];
                let remedy = |line: &String| calls.iter().any(|call| line.contains(call));
                let help = (!lines.iter().all(remedy)).then(|| self.by_hand());
                for (number, line) in lines.iter().enumerate() {
                    let last = number + 1 == lines.len();
                    let help = help.clone().filter(|_| last);
                    mistake(found, "RNN0312", span, format!("{file}: {line}"), help);
                }
            }
            e => mistake(
                found,
                "RNN0310",
                span,
                format!("{file} cannot be read: {e}"),
                None,
            ),
        }
    }

    /// Puts the layers and cells of the file in the place of the model's.
    fn describe(
        &mut self,
        model: &mut ModelAst,
        imported: &Imported,
        found: &mut Diagnostics,
    ) -> Option<()> {
        let (file, span) = (self.file(), self.ast.span);
        let Some(network) = &imported.network else {
            let name = model
                .name
                .as_ref()
                .map_or("Name".to_owned(), ToString::to_string);
            let model = |layers: &str| format!("`struct {name} = {layers}, weights = {file:?};`");
            let example = "Input(_, 1) -> LSTM(16) -> Dense(1)";
            let help = match &imported.proposal {
                Some(Proposal {
                    layers: Some(layers),
                    doubt,
                    ..
                }) => {
                    let doubt = doubt.as_ref().map(|doubt| format!("; {doubt}"));
                    format!(
                        "write the layers: {}{}; activations that stand between layers are not in the file",
                        model(layers),
                        doubt.unwrap_or_default()
                    )
                }
                // Why nothing is proposed, and what the modules are.
                Some(Proposal { note, .. }) => format!(
                    "write the layers in the place of `…`: {}; {}",
                    model("…"),
                    said(note, MOST_OF_A_NOTE)
                ),
                None => format!(
                    "write the layers in the place of `…`: {}; the file does not tell its layers; for another file they could be \
                     `{example}`",
                    model("…")
                ),
            };
            mistake(
                found,
                "RNN0311",
                span,
                format!("{file} has weights and no layers"),
                Some(help),
            );
            return None;
        };
        for (name, text) in &network.cells {
            let mut unseen = Diagnostics::new();
            let tokens = tokens(text, span)?;
            let cell = CellAst::parse(tokens, &mut unseen);
            let wrong = unseen.take();
            let path = syn::parse_str::<syn::Path>(name).ok();
            match (cell, path) {
                (Some(cell), Some(path)) if wrong.is_empty() => {
                    let cell = CellAst {
                        path: path.clone(),
                        ..cell
                    };
                    model.cells.push(FetchedCell {
                        path,
                        cell: Some(cell),
                    });
                }
                _ => {
                    let words = wrong.first().map_or_else(String::new, |d| d.text());
                    mistake(
                        found,
                        "RNN0312",
                        span,
                        format!("{file}: the cell `{name}`: {words}"),
                        None,
                    );
                    return None;
                }
            }
        }
        let (text, graph) = match network.body() {
            Body::Chain(text) => (text, false),
            Body::Graph(text) => (text, true),
        };
        model.body = match tokens(&text, span) {
            Some(tokens) => read_body(tokens, span, graph, &layers::classes(), found),
            None => BodyAst::Chain(Vec::new()),
        };
        let lines = self.documentation(imported, &text);
        model.attrs.extend(lines.iter().map(|line| {
            let line = format!(" {line}");
            syn::parse_quote!(#[doc = #line])
        }));
        self.read_from = self.summary(imported);
        Some(())
    }

    /// What was read, in a line for the file, and one for each thing that it says of itself.
    fn summary(&self, imported: &Imported) -> String {
        let lines = metadata(imported).chain(notes(&imported.notes));
        let all = std::iter::once(format!("read from {}", self.file())).chain(lines);
        all.collect::<Vec<_>>().join("\n")
    }

    /// What was read, as documentation.
    fn documentation(&self, imported: &Imported, text: &str) -> Vec<String> {
        let mut lines = vec![
            String::new(),
            format!("Read from `{}`:", self.file()),
            String::new(),
            "```text".to_owned(),
        ];
        lines.extend(text.replace(" -> ", "\n-> ").lines().map(str::to_owned));
        lines.push("```".to_owned());
        if !imported.metadata.is_empty() || !imported.notes.is_empty() {
            lines.push(String::new());
        }
        // What a file says of itself is no Markdown.
        let metadata = metadata(imported).map(|line| format!("- `{}`", line.replace('`', "'")));
        lines.extend(metadata.chain(notes(&imported.notes).map(|note| format!("- {note}"))));
        lines
    }

    fn fit(mut self, graph: &OpGraph, found: &mut Diagnostics) -> Option<Trained> {
        let span = self.ast.span;
        // Where the model has a `const`, the shape of the file's tensor is the number.
        let imported = self.imported.take();
        let to_stream = match &imported {
            Some(imported) if imported.states_come_in && !self.ast.stream => {
                ToStream::KeepStates(format!("import({:?}, states = stream)", self.file()))
            }
            Some(_) => ToStream::OfFile,
            None => ToStream::OwnLayers,
        };
        let unknown = graph
            .params
            .iter()
            .any(|p| p.shape.iter().any(|s| s.value().is_none()));
        let mut sizes = Sizes::default();
        let weights = match imported {
            // The model has the layers of the file.
            Some(imported) => Weights {
                tensors: imported.tensors,
                notes: Vec::new(),
                network: None,
                modules: Vec::new(),
            },
            None if unknown => {
                let imported = self.read(found)?;
                self.learn(graph, &imported.tensors, &mut sizes, found)?;
                self.weights(graph, &sizes, found)?
            }
            None => self.weights(graph, &sizes, found)?,
        };
        let shapes = shapes(graph, &sizes)?;
        let wanted = wanted(graph, &shapes);
        let tensors = match rnn_formats::fit(&weights.tensors, &wanted) {
            Ok(tensors) => tensors,
            Err(misfit) => {
                self.differs(&misfit.lines, misfit.layers, found);
                return None;
            }
        };
        let differences = weights.differences(&written(graph));
        if !differences.lines.is_empty() {
            self.computes_otherwise(&differences.lines, weights.network.is_some(), found);
            return None;
        }
        let mut documentation = Vec::new();
        let all = [weights.notes, differences.notes].concat();
        for note in notes(&all) {
            if documentation.is_empty() {
                documentation.extend([
                    String::new(),
                    format!("Weights of `{}`:", self.file()),
                    String::new(),
                ]);
            }
            self.read_from.push_str(&format!("\n{note}"));
            documentation.push(format!("- {note}"));
        }
        Some(Trained {
            weights: tensors
                .iter()
                .flat_map(|t| t.values.iter().copied())
                .collect(),
            sizes,
            files: self.files,
            file: self.ast.path,
            span,
            read_from: self.read_from,
            documentation,
            to_stream,
        })
    }

    fn weights(
        &mut self,
        graph: &OpGraph,
        sizes: &Sizes,
        found: &mut Diagnostics,
    ) -> Option<Weights> {
        let shapes = shapes(graph, sizes)?;
        let mut beside = self.beside();
        let mut names = Vec::new();
        let mut beside = |name: &str| {
            names.push(name.to_owned());
            beside(name)
        };
        let read = rnn_formats::weights(&self.bytes, &mut beside, &wanted(graph, &shapes));
        // The program is compiled again when one of them changes.
        self.keep(names);
        match read {
            Ok(weights) => Some(weights),
            Err(Unfit::Unread(e)) => {
                self.unread(&e, found);
                None
            }
            Err(Unfit::Differs(lines)) => {
                self.differs(&lines, true, found);
                None
            }
        }
    }

    /// Reports weights that fit layers which compute something else.
    /// `layers`: the file has layers of its own, and not modules alone.
    fn computes_otherwise(&self, lines: &[String], layers: bool, found: &mut Diagnostics) {
        let file = self.file();
        let message = format!(
            "the weights of {file} fit, and the file's {} compute something else:\n  {}",
            if layers { "layers" } else { "modules" },
            lines.join("\n  ")
        );
        let convert = format!(
            "`import({file:?})` takes the layers of the file, too; `recurrent convert {file} weights.safetensors` gives \
             weights that go with any layers"
        );
        let help = layers.then_some(convert);
        mistake(found, "RNN0313", self.ast.span, message, help);
    }

    /// What to do about layers that are not understood: they are written by hand, and get the weights of another file.
    fn by_hand(&self) -> String {
        let keras = self.bytes.starts_with(b"\x89HDF") || self.bytes.starts_with(b"PK");
        // Files of Keras's own have parameters of unknown layers under numbers, and variables have names.
        let (save, file) = match keras {
            true => (
                "safetensors.numpy.save_file({v.path: v.numpy() for v in model.variables}, \"net.safetensors\")",
                "net.safetensors",
            ),
            false => ("torch.save(module.state_dict(), \"net.pt\")", "net.pt"),
        };
        let weights = match self.bytes.first() {
            Some(b'{' | b'[' | b' ' | b'\n') => String::new(),
            _ => format!(
                ": save the weights alone by `{save}`, and put `, weights = {file:?}` after the layers"
            ),
        };
        format!(
            "write the layers in `rnn_model!`, with an `rnn_cell!` for what there is no layer for{weights}"
        )
    }

    /// `layers`: whether other layers may mend it.
    fn differs(&self, problems: &[String], layers: bool, found: &mut Diagnostics) {
        let message = format!(
            "{} does not fit the model:\n  {}",
            self.file(),
            problems.join("\n  ")
        );
        let own = layers_of(&self.bytes, &mut self.beside()).filter(|_| layers);
        let help = own.map(|own| said(&own, MOST_OF_A_NOTE));
        mistake(found, "RNN0313", self.ast.span, message, help);
    }

    /// Learns the numbers of `const`s from the shapes of tensors.
    fn learn(
        &self,
        graph: &OpGraph,
        tensors: &[Tensor],
        sizes: &mut Sizes,
        found: &mut Diagnostics,
    ) -> Option<()> {
        let tensor = |name: &str| tensors.iter().find(|t| t.name == name);
        let mut learned = true;
        while learned {
            learned = false;
            for p in &graph.params {
                let Some(tensor) = tensor(&p.name).filter(|t| t.shape.len() == p.shape.len())
                else {
                    continue;
                };
                for (size, &n) in p.shape.iter().zip(&tensor.shape) {
                    learned |= sizes.find(size).is_none() && sizes.learn(size, n);
                }
            }
        }
        let open = graph
            .params
            .iter()
            .find(|p| p.shape.iter().any(|s| sizes.find(s).is_none()));
        let Some(open) = open else {
            return Some(());
        };
        let shape: Vec<String> = open.shape.iter().map(ToString::to_string).collect();
        let message = format!(
            "`{}` [{}] has a size that this macro cannot see, and {} has no tensor of this name that tells it",
            open.name,
            shape.join(", "),
            self.file()
        );
        let help = "write numbers in place of `const`s".to_owned();
        mistake(found, "RNN0313", self.ast.span, message, Some(help));
        None
    }
}

/// The most characters of a line of metadata.
const MOST_OF_METADATA: usize = 200;
/// The most characters of a note: a table of modules is long.
const MOST_OF_A_NOTE: usize = 4000;
/// The most lines of metadata, and the most notes.
const MOST_LINES: usize = 100;

/// A line of what a file says: so many characters of it at most, none of which ends the line or moves a cursor.
fn said(text: &str, most: usize) -> String {
    let mut line = String::new();
    for (number, c) in text.chars().enumerate() {
        if number == most {
            line.push('…');
            break;
        }
        match c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) {
            true => line.extend(c.escape_debug()),
            false => line.push(c),
        }
    }
    line
}

/// What a file says of itself, line by line.
fn metadata(imported: &Imported) -> impl Iterator<Item = String> + '_ {
    let all = imported.metadata.iter().take(MOST_LINES);
    all.map(|(key, value)| {
        // A value may be megabytes.
        let (key, value) = (said(key, MOST_OF_METADATA), said(value, MOST_OF_METADATA));
        said(&format!("{key}: {value}"), MOST_OF_METADATA)
    })
}

/// Notes, line by line.
fn notes(all: &[String]) -> impl Iterator<Item = String> + '_ {
    let all = all.iter().take(MOST_LINES);
    all.map(|note| said(note, MOST_OF_A_NOTE))
}

/// The layers of a model, as they are compared with those of a file.
fn written(graph: &OpGraph) -> Vec<Written<'_>> {
    let layers = graph.layers.layers.iter();
    let own = layers.filter(|layer| {
        !layer.hidden && layer.shared.is_none() && !matches!(layer.kind, LayerKind::Input)
    });
    own.map(|layer| Written {
        name: &layer.name,
        text: &layer.text,
    })
    .collect()
}

/// The shape of each parameter.
fn shapes(graph: &OpGraph, sizes: &Sizes) -> Option<Vec<Vec<usize>>> {
    let shape = |p: &crate::ir::ModelParam| p.shape.iter().map(|s| sizes.find(s)).collect();
    graph.params.iter().map(shape).collect()
}

fn wanted<'a>(graph: &'a OpGraph, shapes: &'a [Vec<usize>]) -> Vec<ParamShape<'a>> {
    let params = graph.params.iter().zip(shapes);
    params
        .map(|(p, shape)| ParamShape {
            name: &p.name,
            shape,
        })
        .collect()
}

/// Text as tokens that stand where the file is named.
fn tokens(text: &str, span: Span) -> Option<TokenStream> {
    fn at(tokens: TokenStream, span: Span) -> TokenStream {
        let one = |token: TokenTree| match token {
            TokenTree::Group(group) => {
                let mut group = Group::new(group.delimiter(), at(group.stream(), span));
                group.set_span(span);
                TokenTree::Group(group)
            }
            mut other => {
                other.set_span(span);
                other
            }
        };
        tokens.into_iter().map(one).collect()
    }
    Some(at(text.parse().ok()?, span))
}
