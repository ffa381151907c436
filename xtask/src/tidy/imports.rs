//! Importing runs one way inside a crate.
//!
//! The modules of a crate stand in one order and name only what stands to their left, so that a
//! reader can begin at the left and never meets what has not been explained. Tests are free: an
//! oracle often stands to the right of what it checks.

use super::{Finding, Source, paths};

/// A crate whose top modules stand in one order.
struct Order {
    /// The crate's sources.
    sources: &'static str,
    /// Its modules from left to right.
    modules: &'static [&'static str],
    /// Modules whose submodules do not know each other, with the submodules that all may name.
    siblings: &'static [(&'static str, &'static [&'static str])],
}

const ORDERS: &[Order] = &[
    Order {
        sources: "rnn-runtime/src/",
        modules: &[
            "error",
            "precision",
            "params",
            "init",
            "weights",
            "update",
            "loss",
            "on_device",
            "learner",
            "trainable",
            "executor",
            "cpu",
            "stream",
            "host",
            "cuda",
            "device",
            "model",
            "code",
        ],
        siblings: &[],
    },
    Order {
        sources: "rnn-train/src/",
        modules: &[
            "logs",
            "predictions",
            "tally",
            "history",
            "by_name",
            "losses",
            "metrics",
            "optimizers",
            "data",
            "classification",
            "callbacks",
            "trainer",
        ],
        siblings: &[],
    },
    Order {
        sources: "rnn-compiler/src/",
        modules: &[
            "diagnostics",
            "cursor",
            "cell",
            "kernels",
            "ir",
            "ops",
            "syntax",
            "help",
            "layer",
            "layers",
            "passes",
            "schedule",
            "emit",
            "trained",
            "expand",
        ],
        siblings: &[("layers", &[]), ("passes", &[])],
    },
];

pub fn check(files: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for order in ORDERS {
        for file in files {
            let Some(inside) = file.path().strip_prefix(order.sources) else {
                continue;
            };
            let Some(module) = module_of(inside) else {
                continue;
            };
            let mut find = |line, message| {
                findings.push(Finding {
                    path: file.path().into(),
                    line,
                    message,
                });
            };
            if !order.modules.contains(&module[0].as_str()) {
                find(1, unplaced(order, &module[0]));
                continue;
            }
            for import in paths::paths(file, &module) {
                if let Some(message) = judge(order, files, &module, &import.path) {
                    find(import.line, message);
                }
            }
        }
    }
    findings
}

/// The module that the file at `inside` (below `src/`) holds; none for the crate's root and tests.
pub(super) fn module_of(inside: &str) -> Option<Vec<String>> {
    let path = inside.strip_suffix(".rs")?;
    let mut module: Vec<String> = path.split('/').map(String::from).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    let test = module
        .iter()
        .any(|part| part == "tests" || part.ends_with("_tests"));
    let root = module.is_empty() || matches!(module[0].as_str(), "lib" | "main");
    (!test && !root).then_some(module)
}

/// What is wrong with naming `target` in `module`, if anything is.
fn judge(order: &Order, files: &[Source], module: &[String], target: &[String]) -> Option<String> {
    let place = |name: &str| order.modules.iter().position(|module| *module == name);
    let (own, other) = (module.first()?, target.first()?);
    // Something at the crate's root that is no module of the order: a re-export, a macro.
    let (here, there) = (place(own)?, place(other)?);
    if there > here {
        return Some(format!(
            "`{own}` names `crate::{other}`, which stands to its right in {}; move what both need \
             into a module to the left, or hand it in as an argument",
            line_up(order)
        ));
    }
    let (_, shared) = order
        .siblings
        .iter()
        .find(|(parent, _)| parent == own && parent == other)?;
    let (mine, theirs) = (module.get(1)?, target.get(1)?);
    let is_module = files.iter().any(|file| {
        let below = file.path().strip_prefix(order.sources).and_then(module_of);
        below.is_some_and(|below| below.first() == Some(own) && below.get(1) == Some(theirs))
    });
    (is_module && mine != theirs && !shared.contains(&theirs.as_str())).then(|| {
        format!(
            "`{own}::{mine}` names its sibling `{own}::{theirs}`; siblings do not know each other, \
             so that one can be added or taken out alone: put what both need into {own}/mod.rs or \
             into a module to the left of `{own}`"
        )
    })
}

fn unplaced(order: &Order, name: &str) -> String {
    format!(
        "the module `{name}` has no place in {}; put it below one of these, or give it a place in \
         ORDERS of xtask/src/tidy/imports.rs",
        line_up(order)
    )
}

fn line_up(order: &Order) -> String {
    format!("`{}`", order.modules.join(" ← "))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    fn one(path: &str, text: &str) -> Vec<String> {
        messages(check, &[(path, text)])
    }

    #[test]
    fn leftwards_is_free() {
        let text = "use crate::{Error, cpu::Isa, error, params::ParamSpec};\nuse super::other;";
        assert_eq!(one("rnn-runtime/src/model/mod.rs", text), [""; 0]);
    }

    #[test]
    fn rightwards_is_found_in_every_spelling() {
        for text in [
            "use crate::model::Fit;",
            "use crate::{error::Error, model::{self, Fit}};",
            "use super::super::model;",
            "fn f() { crate::model::go() }",
            "pub(in crate::model) fn f() {}",
        ] {
            let found = one("rnn-runtime/src/cpu/isa.rs", text);
            assert!(!found.is_empty(), "{text}");
            assert!(
                found[0].starts_with("rnn-runtime/src/cpu/isa.rs:1: `cpu` names `crate::model`"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn the_root_and_tests_see_everything() {
        let text = "pub use crate::model::Fit;";
        assert_eq!(one("rnn-runtime/src/lib.rs", text), [""; 0]);
        assert_eq!(one("rnn-runtime/src/error/tests.rs", text), [""; 0]);
        let text = "fn f() {}\n#[cfg(test)]\nmod tests { use crate::model::Fit; }\n";
        assert_eq!(one("rnn-runtime/src/error.rs", text), [""; 0]);
    }

    #[test]
    fn code_after_the_tests_counts_again() {
        let text = "#[cfg(test)]\nmod tests { fn f() { if a {} } }\nuse crate::model::Fit;";
        assert_eq!(one("rnn-runtime/src/error.rs", text).len(), 1);
    }

    #[test]
    fn siblings_do_not_know_each_other() {
        let lstm = "rnn-compiler/src/layers/lstm.rs";
        let gru = ("rnn-compiler/src/layers/gru/mod.rs", "");
        for text in [
            "use super::gru::GRU;",
            "use crate::layers::{LayerDef, gru};",
        ] {
            let found = messages(check, &[(lstm, text), gru]);
            assert_eq!(found.len(), 1, "{text}");
            assert!(
                found[0].contains("`layers::lstm` names its sibling `layers::gru`"),
                "{found:?}"
            );
        }
        assert_eq!(
            messages(check, &[(lstm, "use super::LayerDef;"), gru]),
            [""; 0]
        );
        let list = (
            "rnn-compiler/src/layers/mod.rs",
            "mod gru; const ALL: () = self::gru::DEF;",
        );
        assert_eq!(messages(check, &[list, gru]), [""; 0]);
    }

    #[test]
    fn a_layer_may_name_its_own_parts() {
        let part = (
            "rnn-compiler/src/layers/gru/text.rs",
            "use super::super::gru::GRU; use super::GRU;",
        );
        let gru = (
            "rnn-compiler/src/layers/gru/mod.rs",
            "mod text; use text::TEXT;",
        );
        assert_eq!(messages(check, &[part, gru]), [""; 0]);
    }

    #[test]
    fn a_module_without_a_place_is_asked_for_one() {
        let found = one("rnn-runtime/src/helpers.rs", "");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("`helpers` has no place"), "{found:?}");
    }
}
