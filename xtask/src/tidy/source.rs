//! A file as the rules see it: line by line, code apart from comments.

/// One line of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The code: without comments, and with nothing left of a string or character but its quotes.
    pub code: String,
    /// The text of the comments, documentation among them.
    pub comment: String,
    /// What stands in strings and characters, without escapes.
    pub literal: String,
}

/// A file, by its path below the repository's root.
#[derive(Debug)]
pub struct Source {
    path: String,
    lines: Vec<Line>,
}

impl Source {
    /// Splits `text`. A file that is not Rust (a manifest) is all code.
    pub fn new(path: &str, text: &str) -> Source {
        let lines = if path.ends_with(".rs") {
            Splitter::new(text).split()
        } else {
            text.lines()
                .map(|line| Line {
                    code: line.into(),
                    ..Line::default()
                })
                .collect()
        };
        Source {
            path: path.into(),
            lines,
        }
    }

    /// The path below the repository's root, with `/` between its parts.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the file holds Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The lines, each with its number from 1.
    pub fn numbered(&self) -> impl DoubleEndedIterator<Item = (usize, &Line)> + ExactSizeIterator {
        self.lines
            .iter()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// The comments on lines `first..=last`, counted from 1.
    pub fn comments(&self, first: usize, last: usize) -> impl Iterator<Item = &str> {
        self.lines[first.max(1) - 1..last]
            .iter()
            .map(|line| line.comment.as_str())
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }
}

/// Whether `code` holds `word` with nothing of an identifier on either side.
pub fn has_word(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part))
}

/// Walks the characters of a Rust file once. It needs no grammar: strings, characters and
/// comments are all that can hide code, and each has an unmistakable beginning.
struct Splitter {
    characters: Vec<char>,
    at: usize,
    lines: Vec<Line>,
    line: Line,
}

impl Splitter {
    fn new(text: &str) -> Splitter {
        let characters = text.chars().collect();
        Splitter {
            characters,
            at: 0,
            lines: Vec::new(),
            line: Line::default(),
        }
    }

    fn split(mut self) -> Vec<Line> {
        while let Some(character) = self.peek(0) {
            match (character, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(),
                ('\'', _) => self.quote(),
                _ if character == 'r' && self.raw_hashes().is_some() => self.raw_string(),
                _ => {
                    self.step(|line, c| line.code.push(c));
                }
            }
        }
        if self.line != Line::default() {
            self.lines.push(self.line);
        }
        self.lines
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn previous(&self, back: usize) -> Option<char> {
        self.at
            .checked_sub(back)
            .and_then(|at| self.characters.get(at).copied())
    }

    /// Moves past one character: a line's end closes the line, anything else goes to `keep`.
    fn step(&mut self, keep: impl FnOnce(&mut Line, char)) {
        match self.peek(0) {
            Some('\n') => self.lines.push(std::mem::take(&mut self.line)),
            Some(character) => keep(&mut self.line, character),
            None => {}
        }
        self.at += 1;
    }

    /// Moves past a part of an escape.
    fn skip(&mut self) {
        self.step(|_, _| {});
    }

    /// Moves past a character of a literal.
    fn literal(&mut self) {
        self.step(|line, c| line.literal.push(c));
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.step(|line, c| line.comment.push(c));
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            let change = match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => 1,
                (Some('*'), Some('/')) => -1,
                (Some(_), _) => 0,
                (None, _) => return,
            };
            self.step(|line, c| line.comment.push(c));
            if change != 0 {
                self.step(|line, c| line.comment.push(c));
                depth += change;
                if depth == 0 {
                    return;
                }
            }
        }
    }

    fn string(&mut self) {
        self.step(|line, c| line.code.push(c));
        while let Some(character) = self.peek(0) {
            match character {
                '"' => return self.step(|line, c| line.code.push(c)),
                '\\' => {
                    self.skip();
                    self.skip();
                }
                _ => self.literal(),
            }
        }
    }

    /// A character literal, or a lifetime, which is code.
    fn quote(&mut self) {
        let literal = self.peek(1) == Some('\\') || self.peek(2) == Some('\'');
        self.step(|line, c| line.code.push(c));
        if !literal {
            return;
        }
        if self.peek(0) == Some('\\') {
            self.skip();
        }
        // The character itself, which may be a quote; then the rest of `\x41` or `\u{41}`.
        self.skip();
        while self.peek(0).is_some_and(|c| c != '\'') {
            self.skip();
        }
        self.step(|line, c| line.code.push(c));
    }

    /// The number of `#` of the raw string that starts here, if one does.
    fn raw_hashes(&self) -> Option<usize> {
        // The `r` of `br"…"` and `cr"…"` begins a raw string too; that of any other name does not.
        let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let prefix = matches!(self.previous(1), Some('b' | 'c')) && !part(self.previous(2));
        if part(self.previous(1)) && !prefix {
            return None;
        }
        let hashes = self.characters[self.at + 1..]
            .iter()
            .take_while(|c| **c == '#')
            .count();
        (self.peek(1 + hashes) == Some('"')).then_some(hashes)
    }

    fn raw_string(&mut self) {
        let hashes = self.raw_hashes().unwrap_or(0);
        for _ in 0..hashes + 2 {
            self.step(|line, c| line.code.push(c));
        }
        while self.peek(0).is_some() {
            let closes =
                self.peek(0) == Some('"') && (1..=hashes).all(|n| self.peek(n) == Some('#'));
            if closes {
                for _ in 0..=hashes {
                    self.step(|line, c| line.code.push(c));
                }
                return;
            }
            self.literal();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(String, String)> {
        let source = Source::new("x.rs", text);
        source
            .numbered()
            .map(|(_, line)| (line.code.clone(), line.comment.clone()))
            .collect()
    }

    fn code(text: &str) -> String {
        split(text)
            .into_iter()
            .map(|(code, _)| code)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_line_comment_ends_with_its_line() {
        let expected = [("let a = 1; ", "// why"), ("let b = 2;", "")];
        let expected = expected.map(|(code, comment)| (code.to_string(), comment.to_string()));
        assert_eq!(split("let a = 1; // why\nlet b = 2;\n"), expected);
    }

    #[test]
    fn block_comments_nest_and_span_lines() {
        assert_eq!(code("a /* x /* y */\nz */ b"), "a \n b");
        assert_eq!(split("a /* x\ny */")[1].1, "y */");
    }

    #[test]
    fn nothing_in_a_string_is_code_or_comment() {
        assert_eq!(code(r#"f("unsafe // \" /*", 1)"#), r#"f("", 1)"#);
        assert_eq!(code("f(\"one\ntwo\")"), "f(\"\n\")");
        assert_eq!(
            code("f(r#\"a \" unsafe\"#, br\"\\\", c)"),
            "f(r#\"\"#, br\"\", c)"
        );
    }

    #[test]
    fn literals_are_kept_apart() {
        let source = Source::new("x.rs", "f(\"one \\n two\", r#\"th\"ree\"#); // four");
        let (_, line) = source.numbered().next().unwrap();
        assert_eq!(line.literal, "one  twoth\"ree");
    }

    #[test]
    fn a_raw_identifier_is_no_raw_string() {
        assert_eq!(code("let r#type = for_r\"x\";"), "let r#type = for_r\"\";");
    }

    #[test]
    fn characters_are_no_lifetimes() {
        assert_eq!(
            code(r"match c { '\'' | '\u{7f}' | '/' | '\\' | '''"),
            "match c { '' | '' | '' | '' | ''"
        );
        assert_eq!(
            code("fn f<'a>(x: &'a str, c: 'a') // '"),
            "fn f<'a>(x: &'a str, c: '') "
        );
    }

    #[test]
    fn unfinished_literals_end_with_the_file() {
        for text in ["\"", "'\\", "/*", "r#\"", "r", "'", "b'"] {
            assert!(split(text).len() <= 1, "{text}");
        }
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("a unsafe{", "unsafe"));
        assert!(!has_word("forbid(unsafe_code)", "unsafe"));
    }
}
