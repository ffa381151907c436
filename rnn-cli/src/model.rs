//! A model file, opened.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rnn_formats::{
    Body, Error, Format, Imported, Network, ParamShape, Tensor, Unfit, Written, layers_of,
    near_file, onnx, safetensors, torch,
};
use rnn_reference::{Definitions, ReferenceModel, Weights};

use crate::{
    arguments::{self, ModelFile},
    compile,
    failure::{Done, Failure},
    network,
};

/// Bytes of a file, and what is in it.
#[derive(Debug)]
pub struct Opened {
    /// The path, as it was given.
    pub path: PathBuf,
    /// The layers that the user gave.
    pub layers: Option<String>,
    /// Where the states of an ONNX graph are.
    pub states: arguments::States,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The files that it names, and their bytes.
    pub beside: Vec<(String, Vec<u8>)>,
    /// What it has.
    pub imported: Imported,
}

/// A model with its weights.
#[derive(Debug)]
pub struct Model {
    /// Where it comes from.
    pub opened: Opened,
    /// Its layers.
    pub network: Network,
    /// What `rnn_model!` reads.
    pub body: Body,
    /// Its weights, in the order of its parameters.
    pub tensors: Vec<Tensor>,
    /// The interpreter's model.
    pub reference: ReferenceModel,
    /// What a user should know of how the file was read.
    pub notes: Vec<String>,
}

fn text(body: &Body) -> &str {
    match body {
        Body::Chain(text) | Body::Graph(text) => text,
    }
}

impl Opened {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or is none that is understood.
    pub fn read(file: &ModelFile) -> Done<Opened> {
        let path = &file.file;
        let bytes = fs::read(path).map_err(|e| {
            let failure = Failure::io(path, "read", &e);
            let near = (e.kind() == io::ErrorKind::NotFound)
                .then(|| near_file(Path::new("."), &path.to_string_lossy()))
                .flatten();
            match near {
                Some(near) => failure.help(format!("did you mean {near}?")),
                None => failure,
            }
        })?;
        let mut beside = Vec::new();
        let states = match file.states {
            arguments::States::Inputs => onnx::States::InAndOut,
            arguments::States::Stream => onnx::States::Stream,
        };
        let mut fetch = |name: &str| {
            let bytes = read_beside(path, name)?;
            beside.push((name.to_owned(), bytes.clone()));
            Ok(bytes)
        };
        let read = rnn_formats::read_with(&bytes, &mut fetch, states);
        let imported = match read {
            Ok(imported) => imported,
            Err(e) => match e {
                Error::NotUnderstood(_) if file.layers.is_some() => dict(&bytes),
                _ => None,
            }
            .ok_or_else(|| unread(path, &e))?,
        };
        Ok(Opened {
            path: path.clone(),
            layers: file.layers.clone(),
            states: file.states,
            bytes,
            beside,
            imported,
        })
    }

    /// Its name without the ending, as a name of Rust: `my-amp.v2.keras` is `my_amp_v2`.
    pub fn stem(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let letters = stem.chars().map(|c| match c.is_ascii_alphanumeric() {
            true => c.to_ascii_lowercase(),
            false => '_',
        });
        let name: String = letters.collect();
        let name = name.trim_matches('_');
        match name.chars().next() {
            Some(c) if c.is_ascii_alphabetic() => name.to_owned(),
            Some(_) => format!("model_{name}"),
            None => "model".to_owned(),
        }
    }

    /// Layers that the modules of the file would be, in a row. `None` unless they follow one another: what the compiler refuses
    /// is no proposal.
    pub fn proposed(&self) -> Option<&str> {
        let proposal = self.imported.proposal.as_ref()?.layers.as_deref();
        proposal.filter(|layers| compile::check(layers, &[]).is_ok())
    }

    /// The model.
    ///
    /// # Errors
    /// If the file has no layers and none were given, or they do not fit the weights.
    pub fn model(mut self) -> Done<Model> {
        let mut written = Vec::new();
        let (network, body) = match (self.imported.network.take(), &self.layers) {
            (Some(_), Some(_)) => {
                return Err(
                    Failure::new(format!("{} has layers of its own", self.path.display()))
                        .help("leave `--layers` out"),
                );
            }
            (Some(network), None) => {
                let body = network.body();
                (network, body)
            }
            (None, Some(layers)) => {
                let checked = compile::check(layers, &[])?;
                let network = network::of(&checked.ast.body, &checked.graph)?;
                let own = checked.graph.layers.iter();
                let own = own.filter(|layer| !layer.hidden && layer.shared.is_none());
                written.extend(own.map(|layer| (layer.name.clone(), layer.text.clone())));
                let body = match checked.ast.body {
                    rnn_compiler::syntax::BodyAst::Graph(_) => Body::Graph(layers.clone()),
                    _ => Body::Chain(layers.clone()),
                };
                (network, body)
            }
            (None, None) => {
                let failure =
                    Failure::new(format!("{} has weights and no layers", self.path.display()));
                let proposal = self.imported.proposal.as_ref();
                let doubt = proposal.and_then(|proposal| proposal.doubt.as_ref());
                let doubt = doubt.map(|doubt| format!("; {doubt}")).unwrap_or_default();
                let what =
                    proposal.map_or("`recurrent inspect` lists what the file has", |p| &p.note);
                return Err(failure.help(match self.proposed() {
                    Some(layers) => format!("say the layers: --layers {layers:?}{doubt}"),
                    None => format!("say the layers by --layers \"…\"; {what}"),
                }));
            }
        };
        let cells: Vec<(&str, &str)> = (network.cells.iter())
            .map(|(name, cell)| (name.as_str(), cell.as_str()))
            .collect();
        let scope = Definitions {
            cells: &cells,
            consts: &[],
        };
        let reference = ReferenceModel::parse_in(text(&body), scope)
            .map_err(|e| Failure::new(format!("the model is not understood\n{e}")))?;
        let tensors = self.tensors(&reference, &written)?;
        let notes = self.imported.notes.clone();
        Ok(Model {
            notes,
            opened: self,
            network,
            body,
            tensors,
            reference,
        })
    }

    /// The tensors of the model's parameters, in their order. `written`: names and texts of the layers that the user gave.
    fn tensors(
        &mut self,
        reference: &ReferenceModel,
        written: &[(String, String)],
    ) -> Done<Vec<Tensor>> {
        let specs = reference.specs().iter();
        let wanted: Vec<ParamShape<'_>> = specs
            .map(|spec| ParamShape {
                name: &spec.name,
                shape: &spec.shape,
            })
            .collect();
        let all = match &self.layers {
            None => std::mem::take(&mut self.imported.tensors),
            Some(_) => {
                let path = &self.path;
                let beside = &mut |name: &str| read_beside(path, name);
                match rnn_formats::weights(&self.bytes, beside, &wanted) {
                    Ok(weights) => {
                        let written = written.iter().map(|(name, text)| Written { name, text });
                        let written: Vec<Written<'_>> = written.collect();
                        let lines = weights.differences(&written).lines;
                        if !lines.is_empty() {
                            return Err(Failure::new(format!(
                                "the weights of {} fit, and its modules compute something else\n{}",
                                self.path.display(),
                                lines.join("\n")
                            )));
                        }
                        // What was noted of the file alone is of modules without these layers.
                        self.imported.notes = weights.notes;
                        weights.tensors
                    }
                    Err(Unfit::Unread(e)) => return Err(unread(path, &e)),
                    Err(Unfit::Differs(lines)) => return Err(self.differs(&lines, true)),
                }
            }
        };
        let fitted = rnn_formats::fit(&all, &wanted)
            .map_err(|misfit| self.differs(&misfit.lines, misfit.layers))?;
        // Under the names of the model.
        let named = fitted.into_iter().zip(&wanted).map(|(t, w)| Tensor {
            name: w.name.to_owned(),
            ..t.clone()
        });
        Ok(named.collect())
    }

    /// `layers`: whether other layers may mend it.
    fn differs(&self, lines: &[String], layers: bool) -> Failure {
        let failure = Failure::new(format!(
            "{} does not fit the layers\n{}",
            self.path.display(),
            lines.join("\n")
        ));
        let beside = &mut |name: &str| read_beside(&self.path, name);
        match layers_of(&self.bytes, beside).filter(|_| layers) {
            Some(layers) => failure.help(layers),
            None => failure,
        }
    }
}

impl Model {
    /// The text of the model.
    pub fn text(&self) -> &str {
        text(&self.body)
    }

    /// The weights as the interpreter takes them.
    pub fn weights(&self) -> Weights {
        let all = self.tensors.iter();
        all.map(|t| {
            let values = t.values.iter().copied().map(f64::from).collect();
            (t.name.clone(), values)
        })
        .collect()
    }
}

/// What is known of a state dict whose modules are not understood without the layers of its model. `None`: it is none.
fn dict(bytes: &[u8]) -> Option<Imported> {
    let torch = torch::state_dict(bytes).map(|dict| (Format::Torch, dict));
    let (format, dict) = torch
        .or_else(|_| safetensors::state_dict(bytes).map(|dict| (Format::Safetensors, dict)))
        .ok()?;
    Some(Imported {
        format,
        network: None,
        tensors: Vec::new(),
        metadata: dict.metadata,
        notes: dict.notes,
        proposal: None,
        states_come_in: false,
    })
}

fn read_beside(path: &Path, name: &str) -> io::Result<Vec<u8>> {
    fs::read(path.parent().unwrap_or(Path::new("")).join(name))
}

fn unread(path: &Path, e: &Error) -> Failure {
    let path = path.display();
    match e {
        Error::NotUnderstood(lines) => Failure::new(format!(
            "{path} has what is not understood\n{}",
            lines.join("\n")
        )),
        Error::Beside { name, .. } => Failure::new(format!("{path}: {e}"))
            .help(format!("put `{name}` into the folder of the file, from where it was exported")),
        Error::Unknown(_) => Failure::new(format!("{path}: {e}")).help(
            "files of Keras (.keras, .h5), PyTorch (.pt of a state dict), ONNX, RTNeural, GuitarML, NAM and safetensors are read",
        ),
        e => Failure::new(format!("{path}: {e}")),
    }
}
