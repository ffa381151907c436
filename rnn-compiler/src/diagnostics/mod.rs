//! Messages: collected while a pass runs, shown together.

mod bug;
mod catalogue;
mod suggest;

pub use bug::{Bug, OrBug, Sound};
pub use catalogue::{CATALOGUE, Entry, explain};
pub use suggest::did_you_mean;

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

/// One message: a stable code, one sentence, where it came from and what to write instead.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Stable, `RNN0107`; one of [`CATALOGUE`].
    pub code: &'static str,
    /// Where the mistake is.
    pub span: Span,
    /// One sentence: layer, expected, found.
    pub message: String,
    /// Where the facts that the message states come from.
    pub notes: Vec<String>,
    /// What to write instead; can be pasted.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A message with no note and no help yet.
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            span,
            message: message.into(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Sets the help line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The text that rustc shows after `error: `.
    pub fn text(&self) -> String {
        let mut text = format!("[{}]: {}", self.code, self.message);
        for note in &self.notes {
            text.push_str("\n  note: ");
            text.push_str(note);
        }
        if let Some(help) = &self.help {
            text.push_str("\n  help: ");
            text.push_str(help);
        }
        text
    }
}

/// Collects what a pass finds. Panics when dropped with messages that nobody took, so that none
/// can be lost.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// An empty collector.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a message.
    pub fn push(&mut self, d: Diagnostic) {
        self.found.push(d);
    }

    /// Adds what syn's parser found, under a code.
    pub fn push_syn(&mut self, code: &'static str, e: &syn::Error) {
        for e in e.clone() {
            self.push(Diagnostic::new(code, e.span(), e.to_string()));
        }
    }

    /// Whether there is any message.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Takes all messages out, in the order found, each once.
    pub fn take(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.found)
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            debug_assert!(self.found.is_empty(), "messages lost: {:?}", self.found);
        }
    }
}

/// `compile_error!` for every message.
pub fn to_compile_errors(found: &[Diagnostic]) -> TokenStream {
    found
        .iter()
        .map(|d| {
            let text = d.text();
            quote_spanned!(d.span=> ::core::compile_error! { #text })
        })
        .collect()
}

/// A warning for every message. rustc has none that a macro can give, but for the use of something deprecated.
pub fn to_warnings(found: &[Diagnostic]) -> TokenStream {
    found
        .iter()
        .map(|d| {
            let text = d.text();
            quote_spanned! {d.span=>
                const _: () = {
                    #[deprecated(note = #text)]
                    #[allow(non_upper_case_globals)]
                    const in_this_cell: bool = true;
                    let _ = in_this_cell;
                };
            }
        })
        .collect()
}
