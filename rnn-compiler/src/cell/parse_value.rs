//! The value of an argument: `64`, `UNITS`, `0.1`, `true`, `tanh`, `leaky_relu(0.1)`.

use proc_macro2::{Delimiter, Literal, Span, TokenTree};

use super::{size::Size, value::Value};
use crate::{cursor::Cursor, diagnostics::Diagnostic};

/// The largest size, in elements: beyond it offsets into a flat slice would overflow.
pub(crate) const MAX_SIZE: usize = 1 << 31;

/// A literal number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// Without point and exponent.
    Whole(usize),
    /// With one.
    Fraction(f64),
}

impl Number {
    pub(crate) fn value(self) -> f64 {
        match self {
            Number::Whole(n) => n as f64,
            Number::Fraction(x) => x,
        }
    }
}

/// A literal as a number.
pub(crate) fn number(literal: &Literal) -> Result<Number, Diagnostic> {
    let span = literal.span();
    match syn::Lit::new(literal.clone()) {
        syn::Lit::Int(i) if matches!(i.suffix(), "" | "usize") => match i.base10_parse::<usize>() {
            Ok(n) if n <= 1 << 53 => Ok(Number::Whole(n)),
            _ => Err(
                Diagnostic::new("RNN0023", span, format!("{literal} is too large a number"))
                    .help(format!("sizes are at most {MAX_SIZE}, seeds below 2^32")),
            ),
        },
        syn::Lit::Float(x) if matches!(x.suffix(), "" | "f32" | "f64") => {
            match x.base10_parse::<f64>() {
                Ok(x) if x <= f64::from(f32::MAX) => Ok(Number::Fraction(x)),
                _ => Err(Diagnostic::new(
                    "RNN0023",
                    span,
                    format!("{literal} is too large a number"),
                )
                .help("numbers are 32-bit floats: at most 3.4e38")),
            }
        }
        syn::Lit::Int(i) => Err(suffix(span, i.base10_digits(), i.suffix())),
        syn::Lit::Float(x) => Err(suffix(span, x.base10_digits(), x.suffix())),
        other => Err(Diagnostic::new(
            "RNN0024",
            span,
            match &other {
                syn::Lit::Str(s) if syn::parse_str::<syn::Ident>(&s.value()).is_ok() => {
                    format!("a name has no quotes here, found {}", short(literal))
                }
                _ => format!("expected a number, found {}", short(literal)),
            },
        )
        .help(match other {
            // A name in quotes, as in Python.
            syn::Lit::Str(s) if syn::parse_str::<syn::Ident>(&s.value()).is_ok() => {
                format!("write `{}` without quotes", s.value())
            }
            _ => "write a number like `64` or `0.1`".to_owned(),
        })),
    }
}

fn suffix(span: Span, digits: &str, suffix: &str) -> Diagnostic {
    Diagnostic::new(
        "RNN0024",
        span,
        format!("a number has no type here, found `{suffix}`"),
    )
    .help(format!("write `{digits}`"))
}

fn short(literal: &Literal) -> String {
    let text = literal.to_string();
    let cut: String = text.chars().take(40).collect();
    if cut.len() < text.len() {
        format!("`{cut}…`")
    } else {
        format!("`{text}`")
    }
}

/// A path such as `UNITS`, `sizes::HIDDEN`, `crate::Cell`. Without one: `None`, and the cursor stays.
pub(crate) fn path(c: &mut Cursor) -> Option<syn::Path> {
    let start = c.position();
    c.eat("::");
    loop {
        if c.ident().is_none() {
            c.set_position(start);
            return None;
        }
        if !c.eat("::") {
            break;
        }
    }
    match syn::parse::Parser::parse2(syn::Path::parse_mod_style, c.since(start)) {
        Ok(path) => Some(path),
        Err(_) => {
            c.set_position(start);
            None
        }
    }
}

/// The only segment of a path, if it has only one.
pub(crate) fn single(path: &syn::Path) -> Option<String> {
    path.get_ident().map(ToString::to_string)
}

/// Whether a bare name is that of a `const` rather than of an activation, initialiser or flag.
pub(crate) fn is_const(path: &syn::Path) -> bool {
    single(path).is_none_or(|name| name.starts_with(char::is_uppercase))
}

/// Reads one value.
pub(crate) fn value(c: &mut Cursor) -> Result<Value, Diagnostic> {
    let span = c.span();
    if c.eat("-") {
        return match c.next() {
            Some(TokenTree::Literal(l)) => Ok(Value::Number(-number(&l)?.value())),
            _ => Err(
                Diagnostic::new("RNN0024", span, "expected a number after `-`")
                    .help("write a number like `-1`"),
            ),
        };
    }
    if let Some(TokenTree::Literal(l)) = c.peek() {
        let n = number(l)?;
        c.next();
        return Ok(match n {
            Number::Whole(n) => Value::Size(Size::known(n)),
            Number::Fraction(x) => Value::Number(x),
        });
    }
    if c.eat_word("true") {
        return Ok(Value::Flag(true));
    }
    if c.eat_word("false") {
        return Ok(Value::Flag(false));
    }
    let Some(path) = path(c) else {
        return Err(Diagnostic::new(
            "RNN0025",
            span,
            format!("expected a value, found {}", c.found()),
        )
        .help(
            "a value is a number, the name of a `const`, `true`, `false`, or a name like `tanh`",
        ));
    };
    let name = single(&path);
    if let Some(group) = c.group(Delimiter::Parenthesis) {
        let Some(name) = name else {
            return Err(Diagnostic::new(
                "RNN0025",
                span,
                "a function with a path is not a value here",
            )
            .help("use one of the built-in names, such as `leaky_relu(0.1)`"));
        };
        return numbers(&mut Cursor::inside(&group)).map(|n| Value::Call(name, n));
    }
    Ok(match name {
        Some(name) if !is_const(&path) => Value::Name(name),
        _ => Value::Size(Size::constant(path)),
    })
}

/// `0.1, -2`
fn numbers(c: &mut Cursor) -> Result<Vec<f64>, Diagnostic> {
    let mut found = Vec::new();
    while !c.at_end() {
        let span = c.span();
        let negative = c.eat("-");
        match c.next() {
            Some(TokenTree::Literal(l)) => {
                let x = number(&l)?.value();
                found.push(if negative { -x } else { x });
            }
            _ => {
                return Err(Diagnostic::new("RNN0024", span, "expected a number")
                    .help("write numbers like `0.1`, divided by `,`"));
            }
        }
        if !c.eat(",") && !c.at_end() {
            return Err(Diagnostic::new(
                "RNN0024",
                c.span(),
                format!("expected `,`, found {}", c.found()),
            )
            .help("write numbers like `0.1`, divided by `,`"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        let mut c = Cursor::new(text.parse().unwrap(), Span::call_site());
        value(&mut c).map_err(|d| d.text())
    }

    #[test]
    fn every_kind_of_value_is_read() {
        assert_eq!(read("64"), Ok(Value::Size(Size::known(64))));
        assert_eq!(read("1_000usize"), Ok(Value::Size(Size::known(1000))));
        assert_eq!(read("0.5"), Ok(Value::Number(0.5)));
        assert_eq!(read("1e-3f32"), Ok(Value::Number(1e-3)));
        assert_eq!(read("-1"), Ok(Value::Number(-1.0)));
        assert_eq!(read("true"), Ok(Value::Flag(true)));
        assert_eq!(read("tanh"), Ok(Value::Name("tanh".into())));
        assert_eq!(
            read("UNITS"),
            Ok(Value::Size(Size::constant(syn::parse_quote!(UNITS))))
        );
        assert_eq!(
            read("sizes::hidden"),
            Ok(Value::Size(Size::constant(syn::parse_quote!(
                sizes::hidden
            ))))
        );
        assert_eq!(
            read("leaky_relu(0.1)"),
            Ok(Value::Call("leaky_relu".into(), vec![0.1]))
        );
        assert_eq!(
            read("between(-1, 2)"),
            Ok(Value::Call("between".into(), vec![-1.0, 2.0]))
        );
    }

    #[test]
    fn what_is_no_value_is_said() {
        for (text, code) in [
            ("99999999999999999999", "RNN0023"),
            ("1e999", "RNN0023"),
            ("8u8", "RNN0024"),
            ("\"x\"", "RNN0024"),
            ("-x", "RNN0024"),
            ("f(x)", "RNN0024"),
            ("f(1 2)", "RNN0024"),
            ("+", "RNN0025"),
            ("", "RNN0025"),
            ("a::b(1)", "RNN0025"),
        ] {
            let message = read(text).unwrap_err();
            assert!(
                message.starts_with(&format!("[{code}]")),
                "{text}: {message}"
            );
            assert!(message.contains("help: "), "{text}: {message}");
        }
    }
}
