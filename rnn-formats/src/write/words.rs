//! Arguments of layers as they are written, `activation = leaky_relu(0.1)`, as values.

/// How deep values nest: a cell in a layer in a wrapper, and room to spare.
const MOST_DEEP: usize = 16;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    /// `_`
    Open,
    /// `64`, `-0.5`
    Number(f64),
    /// `"encoder"`
    Text(String),
    /// `tanh`, `true`, `return_sequences`
    Name(String),
    /// `LSTM(64)`
    Call(String, Vec<Argument>),
    /// `[h, c]`
    List(Vec<Word>),
    /// `{ location: 2, pressure: 1 }`
    Struct(Vec<(String, Word)>),
}

/// `64`, `units = 64`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Argument {
    /// What stands before `=`.
    pub name: Option<String>,
    /// The value.
    pub value: Word,
}

impl Word {
    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Word::Number(x) => Some(*x),
            _ => None,
        }
    }

    /// The whole number that is not negative, if it is one.
    pub fn size(&self) -> Option<usize> {
        let x = self.number()?;
        (x >= 0.0 && x.fract() == 0.0 && x < 2f64.powi(53)).then_some(x as usize)
    }

    /// The value as it is written.
    pub fn text(&self) -> String {
        let list = |all: &[Argument]| {
            let all = all.iter().map(Argument::text);
            all.collect::<Vec<_>>().join(", ")
        };
        match self {
            Word::Open => "_".into(),
            Word::Number(x) => x.to_string(),
            Word::Text(text) => format!("{text:?}"),
            Word::Name(name) => name.clone(),
            Word::Call(name, arguments) => format!("{name}({})", list(arguments)),
            Word::List(all) => {
                let all = all.iter().map(Word::text);
                format!("[{}]", all.collect::<Vec<_>>().join(", "))
            }
            Word::Struct(parts) => {
                let all = parts.iter().map(|(n, w)| format!("{n}: {}", w.text()));
                format!("{{ {} }}", all.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Argument {
    fn text(&self) -> String {
        match &self.name {
            Some(name) => format!("{name} = {}", self.value.text()),
            None => self.value.text(),
        }
    }
}

/// Reads an argument. `None`: it is none.
pub(crate) fn argument(text: &str) -> Option<Argument> {
    let mut reader = Reader { rest: text };
    let argument = reader.argument(0)?;
    reader.rest.trim().is_empty().then_some(argument)
}

/// Reads a value. `None`: it is none.
pub(crate) fn word(text: &str) -> Option<Word> {
    let mut reader = Reader { rest: text };
    let word = reader.word(0)?;
    reader.rest.trim().is_empty().then_some(word)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn eat(&mut self, sign: char) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(sign) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    /// A name, or a path of names.
    fn name(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return None;
        }
        self.rest = after;
        Some(name.to_owned())
    }

    fn argument(&mut self, depth: usize) -> Option<Argument> {
        let before = self.rest;
        if let Some(name) = self.name()
            && self.eat('=')
        {
            let value = self.word(depth)?;
            return Some(Argument {
                name: Some(name),
                value,
            });
        }
        self.rest = before;
        let value = self.word(depth)?;
        Some(Argument { name: None, value })
    }

    /// What stands between two signs, with commas between.
    fn list<T>(&mut self, end: char, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        while !self.eat(end) {
            all.push(item(self)?);
            if !self.eat(',') {
                return self.eat(end).then_some(all);
            }
        }
        Some(all)
    }

    fn word(&mut self, depth: usize) -> Option<Word> {
        if depth > MOST_DEEP {
            return None;
        }
        let inside = depth + 1;
        if self.eat('[') {
            return Some(Word::List(self.list(']', |r| r.word(inside))?));
        }
        if self.eat('{') {
            let part = |r: &mut Self| {
                // A colon is a part of a path, so names of parts are cut there.
                let rest = r.rest.trim_start();
                let (name, after) = rest.split_once(':')?;
                r.rest = after;
                Some((name.trim().to_owned(), r.word(inside)?))
            };
            return Some(Word::Struct(self.list('}', part)?));
        }
        if self.eat('"') {
            return self.quoted();
        }
        if let Some(name) = self.name() {
            if name == "_" {
                return Some(Word::Open);
            }
            if self.eat('(') {
                let all = self.list(')', |r| r.argument(inside))?;
                return Some(Word::Call(name, all));
            }
            return Some(Word::Name(name));
        }
        self.number()
    }

    fn quoted(&mut self) -> Option<Word> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices();
        while let Some((at, c)) = letters.next() {
            match c {
                '"' => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(Word::Text(text));
                }
                '\\' => text.push(letters.next()?.1),
                c => text.push(c),
            }
        }
        None
    }

    fn number(&mut self) -> Option<Word> {
        let rest = self.rest.trim_start();
        let mut last = ' ';
        let end = rest.find(|c: char| {
            let sign = matches!(c, '-' | '+') && matches!(last, ' ' | 'e' | 'E');
            last = c;
            !(sign || c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '_'))
        });
        let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
        let number: f64 = digits.replace('_', "").parse().ok()?;
        self.rest = after;
        number.is_finite().then_some(Word::Number(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_written() {
        for text in [
            "16",
            "-0.5",
            "return_sequences",
            "activation = leaky_relu(0.1)",
            "[LSTMCell(4), GRUCell(3, reset_after = false)]",
            "backward_layer = GRU(3, go_backwards, return_sequences)",
            "name = \"a \\\"b\\\"\"",
            "initial_state = [v0, v1_1]",
            "_",
            "{ location: 2, pressure: { low: 1, high: 1 } }",
            "max_norm(2, axis = [0, 1])",
        ] {
            assert_eq!(argument(text).map(|a| a.text()).as_deref(), Some(text));
        }
        assert_eq!(word("1e-3"), Some(Word::Number(0.001)));
        assert_eq!(word("1_000"), Some(Word::Number(1000.0)));
    }

    #[test]
    fn what_is_no_argument_is_none() {
        let deep = "[".repeat(100_000);
        for text in [
            "", "a b", "[1", "\"a", "a(", "a = ", "1..2", "{ a }", "]", &deep,
        ] {
            assert_eq!(argument(text), None, "{text:.20}");
        }
    }
}
