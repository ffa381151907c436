//! What the two macros do.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::{
    cell::{CellAst, deep_message},
    codegen,
    cursor::{Cursor, too_deep},
    diagnostics::{Bug, Diagnostics, to_compile_errors},
    layer,
    layers::{self, LAYERS},
    passes, schedule,
    syntax::ModelAst,
};

/// `rnn_model! { … }` to Rust. `tokens` starts with `@krate(path)`, the path of what the code names.
///
/// Mistakes become `compile_error!`s at their places, and a stand-in for the model.
pub fn expand_model(tokens: TokenStream) -> TokenStream {
    let mut found = Diagnostics::new();
    let model = ModelAst::parse(tokens, &layers::classes(), &mut found);
    if let Some(path) = layer::wanted(&model, LAYERS) {
        // The model comes back with the cell and is read again; then its mistakes are shown.
        found.take();
        let cells = model.cells.iter().map(|c| {
            let path = &c.path;
            match &c.cell {
                Some(cell) => {
                    let tokens = &cell.tokens;
                    quote!(@cell(#path) { #tokens })
                }
                None => quote!(@broken(#path)),
            }
        });
        return codegen::fetch(&model, &path, &cells.collect());
    }
    let graph = passes::run(&model, &mut found);
    let mut found = found.take();
    let whole = found.is_empty() && model.cells.iter().all(|c| c.cell.is_some());
    let plan = match graph {
        Some(graph) if whole => schedule::plan(graph, &codegen::CPU),
        None if whole => Err(Bug::new("nothing is known to be wrong with it")),
        _ => return codegen::stub(&model, &found),
    };
    match plan.and_then(|plan| codegen::generate(&plan)) {
        Ok(code) => code,
        Err(bug) => {
            found.push(bug.diagnostic(Span::call_site(), &model.tokens.to_string()));
            codegen::stub(&model, &found)
        }
    }
}

/// `rnn_cell! { … }` to Rust.
pub fn expand_cell(tokens: TokenStream) -> TokenStream {
    if let Some(span) = too_deep(&tokens) {
        return to_compile_errors(&[deep_message(span)]);
    }
    let mut c = Cursor::new(tokens, Span::call_site());
    if c.is("@") {
        // `@krate(path)`: nothing in a cell's expansion names the facade, its users pass it.
        c.next();
        c.ident();
        c.next();
    }
    let mut found = Diagnostics::new();
    let tokens = c.rest();
    let cell = CellAst::parse(tokens.clone(), &mut found);
    if let Some(cell) = &cell {
        passes::check_cell(cell, &mut found);
    }
    let found = found.take();
    match cell {
        Some(cell) if found.is_empty() => codegen::cell(&cell),
        _ => codegen::broken_cell(&tokens, &found),
    }
}
