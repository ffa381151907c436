//! The two macros, stage by stage.

use proc_macro2::{Delimiter, Span, TokenStream};
use quote::quote;

#[cfg(not(feature = "import"))]
use crate::diagnostics::Diagnostic;
#[cfg(feature = "import")]
use crate::trained;
use crate::{
    cell::{CellAst, deep_message},
    cursor::{Cursor, too_deep},
    diagnostics::{Bug, Diagnostics, to_compile_errors, to_warnings},
    emit, layer,
    layers::{self, LAYERS},
    passes, schedule,
    syntax::ModelAst,
};

/// `rnn_model! { … }` to Rust. `tokens` starts with `@krate(path)`: the module whose items the code
/// names.
///
/// Each mistake becomes a `compile_error!` where it stands; a stand-in takes the place of the model.
pub fn expand_model(tokens: TokenStream) -> TokenStream {
    let mut found = Diagnostics::new();
    #[cfg_attr(not(feature = "import"), allow(unused_mut))]
    let mut model = ModelAst::parse(tokens, &layers::classes(), &mut found);
    #[cfg(feature = "import")]
    let source = trained::open(&mut model, &mut found);
    #[cfg(not(feature = "import"))]
    no_files(&model, &mut found);
    if let Some(path) = layer::missing_cell(&model, LAYERS) {
        // The cell's macro calls us again with the cell; mistakes are shown then.
        found.take();
        if let Some(d) = passes::check_import(&path) {
            return emit::stub(&model, &[d]);
        }
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
        return emit::fetch(&model, &path, &cells.collect());
    }
    // A model whose file cannot be read has no layers.
    #[cfg_attr(not(feature = "import"), allow(unused_mut))]
    let mut graph = match found.is_empty() || model.source.is_none() {
        true => passes::run(&model, &mut found),
        false => None,
    };
    #[cfg(feature = "import")]
    let trained = match (source, &graph) {
        (Some(source), Some(graph)) if found.is_empty() => trained::fit(source, graph, &mut found),
        _ => None,
    };
    #[cfg(feature = "import")]
    if let (Some(trained), Some(graph)) = (&trained, &mut graph) {
        graph.layers.attrs.extend(trained.attributes());
    }
    let mut found = found.take();
    let whole = found.is_empty() && model.cells.iter().all(|c| c.cell.is_some());
    let plan = match graph {
        Some(graph) if whole => schedule::plan(graph, &emit::CPU),
        None if whole => Err(Bug::new("nothing is known to be wrong with it")),
        _ => return emit::stub(&model, &found),
    };
    #[cfg_attr(not(feature = "import"), allow(unused_mut))]
    let code = plan.and_then(|mut plan| {
        #[cfg(feature = "import")]
        let weights = trained.map(|trained| trained.pack(&plan)).transpose()?;
        #[cfg(feature = "import")]
        if let Some(weights) = &weights {
            plan.text = format!("{}\n\n{}", weights.read_from, plan.text);
        }
        #[cfg(not(feature = "import"))]
        let weights = None;
        emit::generate(&plan, weights.as_ref())
    });
    match code {
        Ok(code) => code,
        Err(bug) => {
            found.push(bug.diagnostic(Span::call_site(), &model.tokens.to_string()));
            emit::stub(&model, &found)
        }
    }
}

/// Reports a file that nobody can read.
#[cfg(not(feature = "import"))]
fn no_files(model: &ModelAst, found: &mut Diagnostics) {
    let Some(source) = &model.source else {
        return;
    };
    let words = "files are read while a program is compiled if the feature `import` is on";
    let d = Diagnostic::new("RNN0314", source.span, words);
    found.push(d.help(
        "add \"import\" to the features of recurrent in Cargo.toml: `recurrent = { path = \"../recurrent\", features = \
         [\"import\"] }`",
    ));
}

/// `rnn_cell! { … }` to Rust.
pub fn expand_cell(tokens: TokenStream) -> TokenStream {
    if let Some(span) = too_deep(&tokens) {
        return to_compile_errors(&[deep_message(span)]);
    }
    let mut c = Cursor::new(tokens, Span::call_site());
    let mut krate = TokenStream::new();
    if c.eat("@") {
        // `@krate(path)`
        c.ident();
        let path = c.group(Delimiter::Parenthesis);
        krate = path.map(|path| path.stream()).unwrap_or_default();
    }
    let mut found = Diagnostics::new();
    let tokens = c.rest();
    let cell = CellAst::parse(tokens.clone(), &mut found);
    let warnings = match &cell {
        Some(cell) => passes::check_cell(cell, &mut found),
        None => Vec::new(),
    };
    let found = found.take();
    match cell {
        Some(cell) if found.is_empty() => {
            let mut code = emit::cell(&cell, &krate);
            code.extend(to_warnings(&warnings));
            code
        }
        _ => emit::broken_cell(&tokens, &found),
    }
}
