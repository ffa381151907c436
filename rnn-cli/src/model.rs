//! A model file, opened.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rnn_formats::{Body, Error, Imported, Network, ParamShape, Tensor, Unfit};
use rnn_reference::{Definitions, ReferenceModel, Weights};

use crate::{
    arguments::ModelFile,
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
        let bytes = fs::read(path).map_err(|e| Failure::io(path, "read", &e))?;
        let mut beside = Vec::new();
        let read = rnn_formats::read(&bytes, &mut |name| {
            let bytes = read_beside(path, name)?;
            beside.push((name.to_owned(), bytes.clone()));
            Ok(bytes)
        });
        let imported = match read {
            Ok(imported) => imported,
            // A state dict may only be understood with the layers of its model.
            Err(Error::NotUnderstood(_)) if file.layers.is_some() => Imported {
                format: rnn_formats::Format::Torch,
                network: None,
                tensors: Vec::new(),
                metadata: Vec::new(),
                notes: Vec::new(),
            },
            Err(e) => return Err(unread(path, &e)),
        };
        Ok(Opened {
            path: path.clone(),
            layers: file.layers.clone(),
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

    /// The layers that a note of the file proposes.
    pub fn proposed(&self) -> Option<&str> {
        let mut notes = self.imported.notes.iter();
        notes.find_map(|note| note.split('`').nth(1).filter(|text| text.contains("->")))
    }

    /// The model.
    ///
    /// # Errors
    /// If the file has no layers and none were given, or they do not fit the weights.
    pub fn model(mut self) -> Done<Model> {
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
                let body = match checked.ast.body {
                    rnn_compiler::syntax::BodyAst::Graph(_) => Body::Graph(layers.clone()),
                    _ => Body::Chain(layers.clone()),
                };
                (network, body)
            }
            (None, None) => {
                let proposed = self
                    .proposed()
                    .unwrap_or("Input(_, 1) -> LSTM(16) -> Dense(1)");
                return Err(Failure::new(format!(
                    "{} has weights and no layers",
                    self.path.display()
                ))
                .help(format!("say the layers: --layers {proposed:?}")));
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
        let tensors = self.tensors(&reference)?;
        Ok(Model {
            opened: self,
            network,
            body,
            tensors,
            reference,
        })
    }

    /// The tensors of the model's parameters, in their order.
    fn tensors(&mut self, reference: &ReferenceModel) -> Done<Vec<Tensor>> {
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
                match rnn_formats::tensors(&self.bytes, beside, Some(&wanted)) {
                    Ok(tensors) => tensors,
                    Err(Unfit::Unread(e)) => return Err(unread(path, &e)),
                    Err(Unfit::Differs(lines)) => return Err(self.differs(&lines)),
                }
            }
        };
        let fitted = rnn_formats::fit(&all, &wanted).map_err(|lines| self.differs(&lines))?;
        // Under the names of the model.
        let named = fitted.into_iter().zip(&wanted).map(|(t, w)| Tensor {
            name: w.name.to_owned(),
            ..t.clone()
        });
        Ok(named.collect())
    }

    fn differs(&self, lines: &[String]) -> Failure {
        Failure::new(format!(
            "{} does not fit the layers\n{}",
            self.path.display(),
            lines.join("\n")
        ))
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
