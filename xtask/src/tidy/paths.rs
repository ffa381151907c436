//! The paths into its own crate that a file names, in `use` and elsewhere.

use super::source::Source;

/// A path from the crate's root: `crate::a::b` is `["a", "b"]`.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    pub line: usize,
    pub path: Vec<String>,
}

/// All paths in `file`, which holds `module`, that begin with `crate`, `self` or `super`, in the
/// order in which they stand. Code in modules called `tests` is left out.
pub fn paths(file: &Source, module: &[String]) -> Vec<Import> {
    let tokens = tokens(file);
    let mut found = Vec::new();
    // The inline modules around a token, each with the depth of braces outside of it.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if inline.last().is_some_and(|(_, outside)| *outside == depth) {
                    inline.pop();
                }
            }
            "mod" if text(&tokens, at + 2) == "{" => {
                inline.push((text(&tokens, at + 1).into(), depth));
            }
            "crate" | "self" | "super"
                if text(&tokens, at + 1) == "::"
                    && (at == 0 || text(&tokens, at - 1) != "::")
                    && inline.iter().all(|(name, _)| name != "tests") =>
            {
                let mut here = module.to_vec();
                here.extend(inline.iter().map(|(name, _)| name.clone()));
                // Braces of a `use` tree are read here and are balanced.
                at = tree(&tokens, at, &here, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads the path at `at`, which goes on from `prefix`, with all its branches. Returns the place
/// after it.
fn tree(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<Import>) -> usize {
    let start = at;
    let mut path = prefix.to_vec();
    loop {
        match text(tokens, at) {
            "crate" => path.clear(),
            "self" => {}
            "super" => {
                path.pop();
            }
            "{" => {
                at += 1;
                while !matches!(text(tokens, at), "}" | "") {
                    let before = at;
                    at = tree(tokens, at, &path, found);
                    // A comma, or something that is no path.
                    if at == before || text(tokens, at) == "," {
                        at += 1;
                    }
                }
                return at + 1;
            }
            name if is_name(name) => path.push(name.into()),
            _ => break,
        }
        at += 1;
        if text(tokens, at) != "::" {
            break;
        }
        at += 1;
    }
    // `use a::b as c`
    if text(tokens, at) == "as" {
        at += 2;
    }
    // At a `*` or a stray token nothing is read, and nothing new is named.
    if let Some(token) = tokens.get(start)
        && at > start
    {
        found.push(Import {
            line: token.line,
            path,
        });
    }
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

struct Token {
    line: usize,
    text: String,
}

fn text(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| &token.text)
}

/// Names, `::` and single characters; the code of `file` holds neither strings nor comments.
fn tokens(file: &Source) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (line, content) in file.numbered() {
        let mut rest = content.code.trim_start();
        while let Some(first) = rest.chars().next() {
            let name = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let length = match name {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                _ => name,
            };
            tokens.push(Token {
                line,
                text: rest[..length].into(),
            });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let module = ["a".to_string(), "b".to_string()];
        let imports = paths(&Source::new("src/a/b.rs", text), &module);
        imports
            .iter()
            .map(|import| format!("{} {}", import.line, import.path.join("::")))
            .collect()
    }

    #[test]
    fn a_tree_gives_each_branch() {
        let text = "use crate::{\n  c,\n  d::{self, e as f, g::*},\n  h::i,\n};\nuse super::x;";
        assert_eq!(
            found(text),
            ["2 c", "3 d", "3 d::e", "3 d::g", "4 h::i", "6 a::x"]
        );
    }

    #[test]
    fn expressions_and_types_count() {
        assert_eq!(
            found("fn f(x: &crate::c::D) { let y = crate::e::F { z: 1 }; }"),
            ["1 c::D", "1 e::F"]
        );
        assert_eq!(found("crate::c::<crate::d::E>::new()"), ["1 c", "1 d::E"]);
    }

    #[test]
    fn inline_modules_move_super() {
        assert_eq!(
            found("mod m { use super::x; mod n { use super::super::y; } }\nuse super::z;"),
            ["1 a::b::x", "1 a::b::y", "2 a::z"]
        );
    }

    #[test]
    fn other_crates_do_not_count() {
        assert_eq!(
            found("use std::fmt; self.x(); std::self_::y(); let s: Self = 1; a::super_x::y();"),
            [""; 0]
        );
    }

    #[test]
    fn unfinished_trees_end() {
        assert_eq!(found("use crate::{a, {b, ;"), ["1 a", "1 b"]);
    }
}
