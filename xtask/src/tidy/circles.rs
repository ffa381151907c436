//! No circle among the files of a folder: of two that name each other, neither can be read first.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Source, imports::module_of, paths};

/// Where one file names another of its folder.
struct Place {
    path: String,
    line: usize,
}

/// The files of a folder, each with those that it names.
type Folder = BTreeMap<String, BTreeMap<String, Place>>;

pub fn check(files: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for names in folders(files).values() {
        let reached = |from: &str| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
            while let Some(file) = open.pop() {
                let named = names.get(&file).into_iter().flat_map(BTreeMap::keys);
                for to in named {
                    if seen.insert(to.clone()) {
                        open.push(to.clone());
                    }
                }
            }
            seen
        };
        for (from, named) in names {
            for (to, place) in named {
                if reached(to).contains(from) {
                    findings.push(Finding {
                        path: place.path.clone(),
                        line: place.line,
                        message: format!(
                            "`{from}` names `{to}` of the same folder, which leads back to `{from}`; \
                             put what both need into a file of its own, or hand it in as an argument"
                        ),
                    });
                }
            }
        }
    }
    findings
}

/// The folders below every `src/`, with what their files name of one another.
fn folders(files: &[Source]) -> BTreeMap<String, Folder> {
    let placed: Vec<(&Source, &str, Vec<String>)> = files
        .iter()
        .filter_map(|file| {
            let (root, inside) = file.path().split_once("src/")?;
            Some((file, root, module_of(inside)?))
        })
        .collect();
    let modules: BTreeSet<(&str, &[String])> = placed
        .iter()
        .flat_map(|(_, root, module)| (1..=module.len()).map(|n| (*root, &module[..n])))
        .collect();
    let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
    for (file, root, module) in &placed {
        for import in paths::paths(file, module) {
            let target = &import.path;
            let both = module.iter().zip(target);
            let shared = both.take_while(|(a, b)| a == b).count();
            // Its own parts, what it is a part of, or an item of the folder's `mod.rs`.
            let (Some(from), Some(to)) = (module.get(shared), target.get(shared)) else {
                continue;
            };
            if !modules.contains(&(*root, &target[..=shared])) {
                continue;
            }
            let folder = [&[format!("{root}src")], &module[..shared]]
                .concat()
                .join("/");
            let names = folders.entry(folder).or_default();
            let places = names.entry(from.clone()).or_default();
            places.entry(to.clone()).or_insert(Place {
                path: file.path().into(),
                line: import.line,
            });
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    const A: (&str, &str) = ("k/src/f/a.rs", "use super::b::B;");
    const B: (&str, &str) = ("k/src/f/b.rs", "use crate::f::c::C;");
    const C: (&str, &str) = ("k/src/f/c/mod.rs", "mod d; use super::Item;");

    #[test]
    fn a_row_is_no_circle() {
        assert_eq!(messages(check, &[A, B, C]), [""; 0]);
    }

    #[test]
    fn every_import_of_a_circle_is_found() {
        let back = ("k/src/f/c/d.rs", "use crate::f::a;");
        let found = messages(check, &[A, B, C, back]);
        assert_eq!(found.len(), 3);
        assert!(
            found[2].starts_with("k/src/f/c/d.rs:1: `c` names `a` of the same folder"),
            "{found:?}"
        );
    }

    #[test]
    fn tests_and_parents_are_free() {
        let tests = ("k/src/f/b/tests.rs", "use crate::f::a;");
        let parent = ("k/src/f/mod.rs", "mod a; use a::A; fn f() { self::b::g() }");
        assert_eq!(messages(check, &[A, B, tests, parent]), [""; 0]);
    }
}
