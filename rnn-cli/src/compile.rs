//! The compiler's stages for a text: what the macro does, without code at the end.

use proc_macro2::TokenStream;
use rnn_compiler::{
    diagnostics::{Diagnostic, Diagnostics},
    emit,
    ir::LayerGraph,
    layer,
    layers::{LAYERS, classes},
    passes, schedule,
    syntax::ModelAst,
};

use crate::failure::{Done, Failure};

/// A checked model.
pub struct Checked {
    /// As it was written.
    pub ast: ModelAst,
    /// Its layers.
    pub graph: LayerGraph,
}

/// What the compiler decides.
pub struct Plan {
    /// The text of `Model::plan()`.
    pub text: String,
    /// Why it cannot run step by step, if it cannot.
    pub whole: Option<String>,
}

impl Plan {
    /// Whether it can run step by step.
    pub fn streams(&self) -> bool {
        self.whole.is_none()
    }
}

fn tokens(text: &str) -> Done<TokenStream> {
    let wrong =
        |e: proc_macro2::LexError| Failure::new(format!("the layers are no tokens of Rust: {e}"));
    text.parse().map_err(wrong)
}

fn parsed(text: &str, cells: &[(String, String)], found: &mut Diagnostics) -> Done<ModelAst> {
    let mut all = tokens("@krate(recurrent::__private_0_1)")?;
    for (path, cell) in cells {
        all.extend(tokens(&format!("@cell({path}) {{ {cell} }}"))?);
    }
    all.extend(tokens(text)?);
    let ast = ModelAst::parse(all, &classes(), found);
    match layer::missing_cell(&ast, LAYERS) {
        None => Ok(ast),
        Some(path) => {
            found.take();
            let path = rnn_compiler::syntax::path_text(&path);
            Err(
                Failure::new(format!("the cell `{path}` is not known here")).help(
                    "cells of one's own are read in a program: write `rnn_model!` with them there",
                ),
            )
        }
    }
}

fn mistakes(found: &mut Diagnostics) -> Done<()> {
    let all: Vec<String> = found.take().iter().map(Diagnostic::text).collect();
    match all.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "the layers have mistakes\n{}",
            all.join("\n")
        ))),
    }
}

/// Checks a model.
pub fn check(text: &str, cells: &[(String, String)]) -> Done<Checked> {
    let mut found = Diagnostics::new();
    let ast = parsed(text, cells, &mut found)?;
    let graph = passes::check_layers(&ast, &mut found);
    mistakes(&mut found)?;
    let graph = graph.ok_or_else(|| Failure::new("this is no model"))?;
    Ok(Checked { ast, graph })
}

/// Plans a model.
pub fn plan(text: &str, cells: &[(String, String)]) -> Done<Plan> {
    let mut found = Diagnostics::new();
    let ast = parsed(text, cells, &mut found)?;
    let graph = passes::run(&ast, &mut found);
    mistakes(&mut found)?;
    let graph = graph.ok_or_else(|| Failure::new("this is no model"))?;
    let plan = schedule::plan(graph, &emit::CPU).map_err(|bug| {
        let d = bug.diagnostic(proc_macro2::Span::call_site(), text);
        Failure::new(d.text())
    })?;
    Ok(Plan {
        whole: plan.needs_whole_sequence.map(|whole| whole.why),
        text: plan.text,
    })
}
