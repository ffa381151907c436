//! Mistakes of the compiler itself.

use proc_macro2::Span;

use super::Diagnostic;

/// A contradiction in the compiler's own tables. It is passed up as an error and becomes a message that
/// asks for a report. Guessing would compile a model that computes something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug(String);

/// A result whose error is a mistake of the compiler.
pub type Sound<T> = Result<T, Bug>;

impl Bug {
    /// A mistake in these words: "a temporary without a buffer".
    pub fn new(what: impl Into<String>) -> Bug {
        Bug(what.into())
    }

    /// The message RNN0199, with the model's text to report.
    pub fn diagnostic(&self, span: Span, model: &str) -> Diagnostic {
        Diagnostic::new(
            "RNN0199",
            span,
            format!("this model cannot be compiled: {}", self.0),
        )
        .note(format!("the model is `{model}`"))
        .help("this is a bug of the compiler; please report it with the model")
    }
}

/// `Some`, or a mistake of the compiler.
pub trait OrBug<T> {
    /// The value, or a [`Bug`] in these words.
    fn or_bug(self, what: &str) -> Sound<T>;
}

impl<T> OrBug<T> for Option<T> {
    fn or_bug(self, what: &str) -> Sound<T> {
        self.ok_or_else(|| Bug::new(what))
    }
}
