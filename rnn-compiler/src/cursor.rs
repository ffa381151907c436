//! A cursor over tokens, made for parsers that go on after a mistake.
//!
//! `syn`'s parser stops at the first error and walks nested groups by recursion; this one leaves
//! the position in the caller's hands, so that a parser can skip to the next `;` or `->`.

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};

/// A message has been reported: the caller recovers or gives up, without another message.
#[derive(Clone, Copy, Debug)]
pub struct Reported;

/// What a parser returns: a value, or the fact that its mistake has been reported.
pub type Parsed<T> = Result<T, Reported>;

/// How deep groups may nest in what the macros are given. Real models need four or five.
pub const MAX_NESTING: usize = 48;

/// The first group nested deeper than [`MAX_NESTING`], found without recursion, so that hostile
/// input cannot overflow the stack.
pub fn too_deep(tokens: &TokenStream) -> Option<Span> {
    let mut open = vec![tokens.clone().into_iter()];
    while let Some(innermost) = open.last_mut() {
        match innermost.next() {
            None => {
                open.pop();
            }
            Some(TokenTree::Group(g)) if open.len() > MAX_NESTING => return Some(g.span_open()),
            Some(TokenTree::Group(g)) => open.push(g.stream().into_iter()),
            Some(_) => {}
        }
    }
    None
}

/// A position in a sequence of tokens.
#[derive(Clone, Debug)]
pub struct Cursor {
    tokens: Vec<TokenTree>,
    at: usize,
    /// Where a message about the end points: the closing bracket, or the macro call.
    end: Span,
}

impl Cursor {
    /// A cursor at the first of `tokens`.
    pub fn new(tokens: TokenStream, end: Span) -> Self {
        let mut flat = Vec::new();
        flatten(tokens, &mut flat);
        Cursor {
            tokens: flat,
            at: 0,
            end,
        }
    }

    /// A cursor inside a group.
    pub fn inside(group: &Group) -> Self {
        Cursor::new(group.stream(), group.span_close())
    }

    /// The next token, if any.
    pub fn peek(&self) -> Option<&TokenTree> {
        self.peek_nth(0)
    }

    /// The token `n` tokens ahead, if any.
    pub fn peek_nth(&self, n: usize) -> Option<&TokenTree> {
        self.tokens.get(self.at + n)
    }

    /// Takes the next token.
    #[allow(clippy::should_implement_trait)] // a parser's cursor, not an iterator
    pub fn next(&mut self) -> Option<TokenTree> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// Whether nothing is left.
    pub fn at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Where the next token stands, or the end.
    pub fn span(&self) -> Span {
        match self.peek() {
            Some(TokenTree::Group(g)) => g.span_open(),
            Some(t) => t.span(),
            None => self.end,
        }
    }

    /// Where the token before this position stands.
    pub fn previous_span(&self) -> Span {
        match self.at.checked_sub(1).and_then(|i| self.tokens.get(i)) {
            Some(TokenTree::Group(g)) => g.span_close(),
            Some(t) => t.span(),
            None => self.end,
        }
    }

    /// Number of tokens passed: lets a caller see that it moved, or go back.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Goes back (or on) to a [`Cursor::position`].
    pub fn set_position(&mut self, position: usize) {
        self.at = position.min(self.tokens.len());
    }

    /// The next token for a message: `` `foo` ``, or `the end`.
    pub fn found(&self) -> String {
        match self.peek() {
            None => "nothing".into(),
            Some(TokenTree::Group(g)) => match g.delimiter() {
                Delimiter::Parenthesis => "`(`".into(),
                Delimiter::Brace => "`{`".into(),
                Delimiter::Bracket | Delimiter::None => "`[`".into(),
            },
            Some(TokenTree::Punct(_)) => {
                let mut text = String::new();
                for i in 0..3 {
                    let Some(TokenTree::Punct(p)) = self.peek_nth(i) else {
                        break;
                    };
                    text.push(p.as_char());
                    if p.spacing() == Spacing::Alone {
                        break;
                    }
                }
                format!("`{text}`")
            }
            Some(t) => {
                let text = t.to_string();
                let short: String = text.chars().take(40).collect();
                let dots = if short.len() < text.len() { "…" } else { "" };
                format!("`{short}{dots}`")
            }
        }
    }

    /// Whether the next tokens are these characters of punctuation.
    pub fn is(&self, punctuation: &str) -> bool {
        punctuation
            .chars()
            .enumerate()
            .all(|(i, c)| matches!(self.peek_nth(i), Some(TokenTree::Punct(p)) if p.as_char() == c))
    }

    /// Takes these characters of punctuation if they are next.
    pub fn eat(&mut self, punctuation: &str) -> bool {
        let found = self.is(punctuation);
        if found {
            self.at += punctuation.chars().count();
        }
        found
    }

    /// Whether the next token is this word.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(TokenTree::Ident(i)) if i == word)
    }

    /// Takes this word if it is next.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    /// Takes a name if one is next.
    pub fn ident(&mut self) -> Option<Ident> {
        match self.peek() {
            Some(TokenTree::Ident(i)) => {
                let i = i.clone();
                self.at += 1;
                Some(i)
            }
            _ => None,
        }
    }

    /// Takes a name if one is next that can name a type in Rust, so no keyword.
    pub fn type_name(&mut self) -> Option<Ident> {
        let start = self.at;
        let name = self.ident()?;
        let allowed = syn::parse2::<Ident>(TokenTree::from(name.clone()).into()).is_ok();
        if !allowed {
            self.at = start;
        }
        allowed.then_some(name)
    }

    /// Takes a group with these brackets if one is next.
    pub fn group(&mut self, delimiter: Delimiter) -> Option<Group> {
        match self.peek() {
            Some(TokenTree::Group(g)) if g.delimiter() == delimiter => {
                let g = g.clone();
                self.at += 1;
                Some(g)
            }
            _ => None,
        }
    }

    /// Whether a group with these brackets is next.
    pub fn is_group(&self, delimiter: Delimiter) -> bool {
        matches!(self.peek(), Some(TokenTree::Group(g)) if g.delimiter() == delimiter)
    }

    /// Skips to after the next `;`, or to the end.
    pub fn skip_past_semicolon(&mut self) {
        while !self.at_end() {
            if self.eat(";") {
                return;
            }
            self.at += 1;
        }
    }

    /// The tokens from `start` to here.
    pub fn since(&self, start: usize) -> TokenStream {
        self.tokens[start.min(self.at)..self.at]
            .iter()
            .cloned()
            .collect()
    }

    /// The tokens from here to the end.
    pub fn rest(&self) -> TokenStream {
        self.tokens[self.at..].iter().cloned().collect()
    }
}

/// Opens the invisible groups that `macro_rules!` puts around a substitution (`$n:literal`,
/// `$t:path`). An expression gets parentheses instead, so that it stays one operand.
fn flatten(tokens: TokenStream, flat: &mut Vec<TokenTree>) {
    for t in tokens {
        match t {
            TokenTree::Group(g) if g.delimiter() == Delimiter::None => {
                let simple = g.stream().into_iter().all(|t| match &t {
                    TokenTree::Ident(_) | TokenTree::Literal(_) => true,
                    TokenTree::Punct(p) => matches!(p.as_char(), ':' | '-'),
                    TokenTree::Group(g) => g.delimiter() == Delimiter::None,
                });
                if simple {
                    flatten(g.stream(), flat);
                } else {
                    let mut visible = Group::new(Delimiter::Parenthesis, g.stream());
                    visible.set_span(g.span());
                    flat.push(visible.into());
                }
            }
            t => flat.push(t),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(text: &str) -> Cursor {
        Cursor::new(text.parse().unwrap(), Span::call_site())
    }

    #[test]
    fn words_and_punctuation_are_taken_one_after_another() {
        let mut c = cursor("let a -> b; c");
        assert!(c.eat_word("let") && !c.eat_word("b"));
        assert_eq!(c.ident().unwrap(), "a");
        assert_eq!(c.found(), "`->`");
        assert!(c.eat("->"));
        c.skip_past_semicolon();
        assert_eq!(c.found(), "`c`");
        c.skip_past_semicolon();
        assert!(c.at_end() && c.next().is_none());
        assert_eq!(c.found(), "nothing");
    }

    #[test]
    fn invisible_groups_open() {
        let inner =
            |text: &str| -> TokenTree { Group::new(Delimiter::None, text.parse().unwrap()).into() };
        let c = Cursor::new(
            [inner("sizes::UNITS"), inner("- 1"), inner("a + b")]
                .into_iter()
                .collect(),
            Span::call_site(),
        );
        assert_eq!(c.rest().to_string(), "sizes :: UNITS - 1 (a + b)");
    }

    #[test]
    fn deep_nesting_is_found_without_recursion() {
        let nested = |n: usize| -> TokenStream {
            let text = format!("{}x{}", "(".repeat(n), ")".repeat(n));
            text.parse().unwrap()
        };
        assert!(too_deep(&nested(MAX_NESTING)).is_none());
        assert!(too_deep(&nested(MAX_NESTING + 1)).is_some());
    }
}
