//! The parser of `"bij,ijkl->bkl"`.

use std::collections::BTreeSet;

/// The letters of each value and of the result.
#[derive(Debug, PartialEq)]
pub(super) struct Equation {
    pub operands: Vec<Vec<char>>,
    pub output: Vec<char>,
}

/// What is wrong, and what to do.
type Wrong = (String, &'static str);

impl Equation {
    pub fn parse(text: &str) -> Result<Equation, Wrong> {
        const FORM: &str =
            "write letters of the values, an arrow, letters of the result: \"bi,ij->bj\"";
        let Some((left, right)) = text.split_once("->") else {
            return Err((format!("`{text}` has no `->`"), FORM));
        };
        let operands = left
            .split(',')
            .map(letters)
            .collect::<Result<Vec<_>, _>>()?;
        let output = letters(right)?;
        if output.is_empty() {
            return Err((
                "the result has no letters".into(),
                "the batch stays: \"bi,bi->b\"",
            ));
        }
        for word in operands.iter().chain([&output]) {
            let mut seen = BTreeSet::new();
            if let Some(twice) = word.iter().find(|l| !seen.insert(**l)) {
                let word: String = word.iter().collect();
                return Err((
                    format!("`{twice}` stands twice in `{word}`"),
                    "diagonals cannot be taken; give each axis a letter of its own",
                ));
            }
        }
        if let Some(new) = output
            .iter()
            .find(|l| !operands.iter().any(|o| o.contains(l)))
        {
            return Err((
                format!("`{new}` of the result stands in no value"),
                "letters of the result come from the values",
            ));
        }
        Ok(Equation { operands, output })
    }
}

fn letters(word: &str) -> Result<Vec<char>, Wrong> {
    let mut found = Vec::new();
    for c in word.chars().filter(|c| !c.is_whitespace()) {
        if !c.is_ascii_alphabetic() {
            return Err((
                format!("`{c}` is not a letter"),
                "axes are named by letters from a to z; there is no `...`",
            ));
        }
        found.push(c);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_commas_and_an_arrow() {
        let word = |w: &str| w.chars().collect::<Vec<_>>();
        assert_eq!(
            Equation::parse(" bij , ijkl -> bkl "),
            Ok(Equation {
                operands: vec![word("bij"), word("ijkl")],
                output: word("bkl"),
            })
        );
        for (text, words) in [
            ("bi,ij", "no `->`"),
            ("bi,ij->", "no letters"),
            ("b...i->bi", "`.` is not"),
            ("bii->bi", "`i` stands twice"),
            ("bi->bj", "`j` of the result"),
        ] {
            let (said, _) = Equation::parse(text).unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}
