//! Weights that are known when a program is compiled: read from a file, fitted to a model's parameters, and packed.
//!
//! `rnn_model!(struct Amp = import("amp.keras");)` reads the layers, too: the file's text takes the place of the model's, and
//! everything after that is as if a user had written it.

mod compute;
mod pack;
mod sizes;
mod source;

use std::path::PathBuf;

use proc_macro2::Span;

use crate::{
    diagnostics::{Diagnostic, Diagnostics, Sound},
    emit::{KnownWeights, ToStream},
    schedule::Plan,
};

pub use sizes::Sizes;
pub use source::{Source, fit, open};

/// Weights that fit a model.
#[derive(Clone, Debug)]
pub struct Trained {
    /// In the order of the model's parameters.
    pub weights: Vec<f32>,
    /// What the `const`s of the model must be.
    pub sizes: Sizes,
    /// The files that were read, so that the program is compiled again when one changes.
    pub files: Vec<PathBuf>,
    /// The file as the user named it.
    pub file: String,
    /// Where the user named it.
    pub span: Span,
    /// What was read, for people.
    pub read_from: String,
    /// Lines for the documentation of the type: what the file does not say of its weights.
    pub documentation: Vec<String>,
    /// What a user does if the model cannot stream.
    pub to_stream: ToStream,
}

impl Trained {
    /// The documentation as attributes.
    pub fn attributes(&self) -> impl Iterator<Item = syn::Attribute> + '_ {
        self.documentation.iter().map(|line| {
            let line = format!(" {line}");
            syn::parse_quote!(#[doc = #line])
        })
    }

    /// Packs the weights as the stream of `plan` reads them.
    ///
    /// # Errors
    /// If the plan contradicts itself, which is a mistake of the compiler.
    pub fn pack(&self, plan: &Plan) -> Sound<KnownWeights> {
        let sizes = self.sizes.known();
        Ok(KnownWeights {
            sizes: sizes
                .map(|(symbol, n)| (symbol.path().clone(), n))
                .collect(),
            files: self.files.clone(),
            file: self.file.clone(),
            span: Some(self.span),
            read_from: self.read_from.clone(),
            to_stream: self.to_stream.clone(),
            ..pack::pack(plan, &self.sizes, &self.weights)?
        })
    }
}

/// What a user does about a file that cannot be read.
fn mistake(
    found: &mut Diagnostics,
    code: &'static str,
    span: Span,
    message: String,
    help: Option<String>,
) {
    let mut d = Diagnostic::new(code, span, message);
    d.help = help;
    found.push(d);
}
