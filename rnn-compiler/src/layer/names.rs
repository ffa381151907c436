//! Names of layers, as Keras gives them: `lstm`, `lstm_1`, `dense`.

use std::collections::BTreeMap;

use proc_macro2::Span;

use crate::diagnostics::{Diagnostic, Diagnostics};

/// Gives names and remembers them.
#[derive(Debug, Default)]
pub struct Names {
    /// How often each stem was used.
    counts: BTreeMap<&'static str, usize>,
    /// Every name, with the layer that has it.
    taken: BTreeMap<String, String>,
}

impl Names {
    /// The name of the next layer: `given` with `name = "…"`, or the next one of its stem. A name
    /// that is taken is reported.
    pub fn name(
        &mut self,
        stem: &'static str,
        text: &str,
        given: Option<&(String, Span)>,
        span: Span,
        found: &mut Diagnostics,
    ) -> String {
        let (name, span) = match given {
            Some((name, span)) => (name.clone(), *span),
            None => {
                // Keras counts only the layers that it names itself.
                let count = self.counts.entry(stem).or_insert(0);
                let name = if *count == 0 {
                    stem.to_owned()
                } else {
                    format!("{stem}_{count}")
                };
                *count += 1;
                (name, span)
            }
        };
        if let Some(other) = self.taken.get(&name) {
            found.push(
                Diagnostic::new(
                    "RNN0111",
                    span,
                    format!("two layers have the name {name:?}: {other} and {text}"),
                )
                .note("weights are stored under the name of their layer")
                .help(format!(
                    "give one of them another name: `name = \"{name}_2\"`"
                )),
            );
        }
        self.taken.insert(name.clone(), text.to_owned());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_by_class() {
        let mut names = Names::default();
        let mut found = Diagnostics::new();
        let mut name = |stem, given: Option<&str>| {
            let given = given.map(|g| (g.to_owned(), Span::call_site()));
            names.name(stem, "text", given.as_ref(), Span::call_site(), &mut found)
        };
        assert_eq!(name("lstm", None), "lstm");
        assert_eq!(name("dense", None), "dense");
        assert_eq!(name("lstm", Some("encoder")), "encoder");
        assert_eq!(name("lstm", None), "lstm_1");
        assert_eq!(name("lstm", Some("dense")), "dense");
        let messages = found.take();
        assert_eq!(messages.len(), 1);
        assert!(messages[0].text().starts_with("[RNN0111]"));
    }
}
