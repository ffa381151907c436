//! Expressions of the cell language.
//!
//! From loose to tight: `||`, `&&`, comparisons, `+ -`, `* / @`, unary `- !`, calls and `[0]`.

use proc_macro2::{Delimiter, Group, Span, TokenTree};

use super::{
    ast::{Expr, ExprKind},
    functions,
    parse::{MAX_DEPTH, Parser, deep_message},
    parse_value::{Number, number, path},
};
use crate::{
    cursor::{Cursor, Parsed},
    diagnostics::Diagnostic,
};

/// How many operators one run such as `a + b + c` may have. Its tree is as deep as the run is long,
/// and later passes walk it by recursion.
const MAX_RUN: usize = 200;

/// Operators by precedence, loosest first. The first match counts, so longer operators stand first.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["<=", ">=", "==", "!=", "<", ">"],
    &["+", "-"],
    &["*", "/", "@"],
];

const COMPARISONS: usize = 2;

/// Modules and objects of Python's, and Rust's types, whose functions are called in a cell by mistake.
const MODULES: &[&str] = &[
    "F",
    "K",
    "activations",
    "f32",
    "f64",
    "jax",
    "jnp",
    "keras",
    "lax",
    "math",
    "nn",
    "np",
    "numpy",
    "ops",
    "self",
    "std",
    "tf",
    "torch",
];

/// How `einsum` is written.
const EINSUM_HELP: &str = "write einsum(\"bij,ijkl->bkl\", a, kernel)";

impl Parser<'_> {
    /// Reads an expression, up to the first token that cannot belong to it.
    pub(super) fn expr(&mut self, c: &mut Cursor) -> Parsed<Expr> {
        let span = c.span();
        self.deeper(span, |p| p.level(c, 0))
    }

    /// A condition: an expression in front of `{`.
    pub(super) fn condition(&mut self, c: &mut Cursor) -> Parsed<Expr> {
        if c.is_group(Delimiter::Brace) {
            return self.mistake(
                Diagnostic::new("RNN0020", c.span(), "this `if` has no condition")
                    .help("write `if use_bias { … }`, with a flag from the cell's arguments"),
            );
        }
        self.expr(c)
    }

    /// Goes one level down, unless that is too deep.
    pub(super) fn deeper<T>(
        &mut self,
        span: Span,
        read: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return self.mistake(deep_message(span));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn level(&mut self, c: &mut Cursor, level: usize) -> Parsed<Expr> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary(c);
        };
        let mut left = self.level(c, level + 1)?;
        for run in 0.. {
            let span = c.span();
            let Some(&operator) = operators.iter().find(|o| is_operator(c, o)) else {
                break;
            };
            if run == MAX_RUN {
                return self.mistake(deep_message(span));
            }
            if level == COMPARISONS && run == 1 {
                return self.mistake(
                    Diagnostic::new("RNN0021", span, "comparisons cannot follow one another")
                        .help("compare two values: `select(a < b, x, y)`"),
                );
            }
            c.eat(operator);
            let right = self.level(c, level + 1)?;
            let (a, b) = (Box::new(left), Box::new(right));
            let kind = if level == COMPARISONS {
                ExprKind::Compare(operator, a, b)
            } else {
                ExprKind::Binary(operator.chars().next().unwrap_or(' '), a, b)
            };
            left = Expr { kind, span };
        }
        Ok(left)
    }

    fn unary(&mut self, c: &mut Cursor) -> Parsed<Expr> {
        let span = c.span();
        if c.eat("-") || c.eat("!") {
            let inner = self.deeper(span, |p| p.unary(c))?;
            return Ok(Expr {
                kind: ExprKind::Negate(Box::new(inner)),
                span,
            });
        }
        let mut e = self.primary(c)?;
        let mut indices = 0;
        while let Some(group) = c.group(Delimiter::Bracket) {
            let span = group.span_open();
            let row = self.row(&group, &e)?;
            indices += 1;
            if indices > MAX_DEPTH {
                return self.mistake(deep_message(span));
            }
            let span = e.span;
            e = Expr {
                kind: ExprKind::Index(Box::new(e), row),
                span,
            };
        }
        if c.is(".") {
            return self.method(c, &e);
        }
        if c.is("**") || c.is("^") {
            let (span, found) = (c.span(), c.found());
            let _ = c.eat("**") || c.eat("^");
            let power = self.deeper(span, |p| p.unary(c))?;
            let words = format!("there is no operator {found}");
            let d = Diagnostic::new("RNN0014", span, words);
            return self.mistake(d.help(match &e.kind {
                // Euler's number has no name here.
                ExprKind::Name(name) if name == "e" => format!("write `exp({power})`"),
                _ => format!("write `pow({e}, {power})`"),
            }));
        }
        Ok(e)
    }

    /// Reports a function of Python's with its module, `np.tanh(x)`, or a method, `x.tanh()`; the cursor stands at the
    /// dot.
    fn method(&mut self, c: &mut Cursor, of: &Expr) -> Parsed<Expr> {
        let mut span = c.span();
        let mut text = of.to_string();
        let mut name = String::new();
        let module = |n: &str| MODULES.contains(&n);
        let of_module = matches!(&of.kind, ExprKind::Name(n) if module(n));
        while let Some(sign) = [".", "::"].into_iter().find(|sign| c.is(sign)) {
            c.eat(sign);
            span = c.span();
            let Some(next) = c.ident() else { break };
            name = next.to_string();
            text += &format!("{sign}{name}");
        }
        let group = c.group(Delimiter::Parenthesis);
        let mut arguments = match &group {
            Some(group) => self.list(group)?,
            None => Vec::new(),
        };
        if of_module {
            let words = match text.starts_with("self.") {
                true => {
                    format!("`{text}`: a cell has no `self`; its parameters and states are names")
                }
                false => format!("`{text}`: there are no modules here"),
            };
            let d = Diagnostic::new("RNN0026", of.span, words);
            let code = match group.is_some() {
                true => functions::written(&name, &arguments),
                false => Some(name),
            };
            return self.mistake(d.help(match code {
                Some(code) => format!("write `{code}`"),
                None => "functions stand alone: `tanh(x)`".to_owned(),
            }));
        }
        let d = Diagnostic::new(
            "RNN0026",
            span,
            format!("values have no methods, found `.{name}`"),
        );
        if matches!(name.as_str(), "T" | "t" | "transpose") {
            let d = d.note(
                "a matrix is declared as it is multiplied: `x @ k` takes [rows of x, columns]",
            );
            return self.mistake(d.help(format!("write `{of}`")));
        }
        arguments.insert(0, of.clone());
        self.mistake(match functions::written(&name, &arguments) {
            Some(code) => d.help(format!("write `{code}`")),
            None => d.help("functions are called on values: `tanh(x)`"),
        })
    }

    /// The `0` of `bias[0]`.
    fn row(&mut self, group: &Group, of: &Expr) -> Parsed<usize> {
        let mut inner = Cursor::inside(group);
        if let (Some(TokenTree::Literal(l)), None) = (inner.next(), inner.peek())
            && let Ok(Number::Whole(n)) = number(&l)
        {
            return Ok(n);
        }
        // `z[:units]`, `z[i]`
        let words = format!(
            "a row of a parameter is taken by one whole number, `{of}[0]`: there are no slices and no other indices"
        );
        self.mistake(
            Diagnostic::new("RNN0022", group.span_open(), words).help(format!(
                "equal parts of a vector come from `split`: `let [a, b] = split({of});`"
            )),
        )
    }

    fn primary(&mut self, c: &mut Cursor) -> Parsed<Expr> {
        let span = c.span();
        match c.peek() {
            Some(TokenTree::Literal(l)) => {
                let kind = match number(l) {
                    Ok(n) => ExprKind::Number(n.value()),
                    Err(d) => return self.mistake(d),
                };
                c.next();
                Ok(Expr { kind, span })
            }
            Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Parenthesis => {
                let group = g.clone();
                c.next();
                let mut inner = Cursor::inside(&group);
                let e = self.expr(&mut inner)?;
                if !inner.at_end() {
                    let found = inner.found();
                    let d = Diagnostic::new(
                        "RNN0026",
                        inner.span(),
                        format!("expected `)` or an operator, found {found}"),
                    );
                    let help = if inner.is(",") {
                        "there are no tuples; name every value by its own `let`"
                    } else {
                        "close the parenthesis"
                    };
                    return self.mistake(d.help(help));
                }
                Ok(e)
            }
            Some(TokenTree::Ident(_)) if c.is_word("if") => self.if_expr(c),
            Some(TokenTree::Ident(i)) => {
                let name = i.to_string();
                let start = c.position();
                c.next();
                // `self` is Python's, too.
                if c.is("::") && MODULES.contains(&name.as_str()) && name != "self" {
                    let kind = ExprKind::Name(name);
                    return self.method(c, &Expr { kind, span });
                }
                if c.is_group(Delimiter::Parenthesis) {
                    self.no_declaration(c, &name, span)?;
                }
                let after_name = c.position();
                c.set_position(start);
                if let Some(path) = path(c).filter(|p| p.segments.len() > 1) {
                    if c.is_group(Delimiter::Parenthesis) {
                        let text = super::cell_constant::text(&path);
                        let d = Diagnostic::new(
                            "RNN0026",
                            span,
                            format!("`{text}` is a function of Rust, which a cell cannot call"),
                        );
                        return self.mistake(d.help(format!(
                            "write its formula here; or let a parameter start with what it writes: `frozen param a: [units] = {text};`"
                        )));
                    }
                    let kind = ExprKind::Path(path);
                    return Ok(Expr { kind, span });
                }
                c.set_position(after_name);
                let kind = match c.group(Delimiter::Parenthesis) {
                    Some(group) if name == "einsum" => self.einsum(&group)?,
                    Some(group) => ExprKind::Call(name, self.list(&group)?),
                    None => match name.as_str() {
                        "true" => ExprKind::Flag(true),
                        "false" => ExprKind::Flag(false),
                        _ => ExprKind::Name(name),
                    },
                };
                Ok(Expr { kind, span })
            }
            _ => {
                let found = c.found();
                let mut d =
                    Diagnostic::new("RNN0026", span, format!("expected a value, found {found}"));
                d = if c.is_group(Delimiter::Bracket) {
                    let listed = c.clone().group(Delimiter::Bracket);
                    let listed = listed.and_then(|g| {
                        let mut c = Cursor::inside(&g);
                        let mut all = Vec::new();
                        while !c.at_end() {
                            all.push(c.ident()?.to_string());
                            c.eat(",");
                        }
                        (!all.is_empty()).then_some(all)
                    });
                    match listed.as_deref() {
                        Some([one]) => d.help(format!("there are no lists: write `{one}` alone")),
                        Some(several) => d.help(format!(
                            "vectors are joined by `concat({})`",
                            several.join(", ")
                        )),
                        None => d.help("vectors are joined by `concat(a, b)`"),
                    }
                } else if c.is("&") {
                    d.help("there are no references: write the name alone")
                } else if c.is("*") {
                    d.help("a power is `pow(x, 2)`")
                } else {
                    d.help("a value is a name, a number, a call like `tanh(x)`, or an expression in parentheses")
                };
                self.mistake(d)
            }
        }
    }

    /// Reports a parameter that is declared where it is used, `param([input, units])`, and an activation that is given by
    /// a text, `activation("tanh", x)`; the cursor stands at the arguments.
    fn no_declaration(&mut self, c: &Cursor, name: &str, span: Span) -> Parsed<()> {
        let Some(group) = c.clone().group(Delimiter::Parenthesis) else {
            return Ok(());
        };
        let mut inner = Cursor::inside(&group);
        if matches!(name, "param" | "parameter" | "weight" | "add_weight") {
            let shape = match inner.group(Delimiter::Bracket) {
                Some(shape) => shape.stream().to_string().replace(" ,", ","),
                None => "input, units".to_owned(),
            };
            let d = Diagnostic::new(
                "RNN0026",
                span,
                "a parameter is declared by a statement of its own",
            );
            return self.mistake(d.help(format!(
                "write `param kernel: [{shape}] = glorot_uniform;` before, and `kernel` here"
            )));
        }
        let text = match inner.next() {
            Some(TokenTree::Literal(l)) if matches!(name, "activation" | "Activation") => {
                syn::parse_str::<syn::LitStr>(&l.to_string()).ok()
            }
            _ => None,
        };
        let Some(text) = text.filter(|_| inner.eat(",")) else {
            return Ok(());
        };
        let value = self.expr(&mut inner)?;
        let d = Diagnostic::new("RNN0024", span, "an activation is called by its own name");
        self.mistake(d.help(format!("write `{}({value})`", text.value())))
    }

    /// `"bi,ij->bj", a, kernel`
    fn einsum(&mut self, group: &Group) -> Parsed<ExprKind> {
        let mut c = Cursor::inside(group);
        let span = c.span();
        let text = match c.peek() {
            Some(TokenTree::Literal(l)) => syn::parse_str::<syn::LitStr>(&l.to_string()).ok(),
            _ => None,
        };
        let Some(text) = text else {
            return self.expected(
                &c,
                "RNN0241",
                "the equation of `einsum` in quotes",
                EINSUM_HELP,
            );
        };
        c.next();
        if !c.eat(",") {
            return self.expected(
                &c,
                "RNN0241",
                "`,` and the values after the equation",
                EINSUM_HELP,
            );
        }
        let operands = self.rest_of_list(&mut c)?;
        Ok(ExprKind::Einsum(text.value(), span, operands))
    }

    /// `if flag { a } else { b }`
    fn if_expr(&mut self, c: &mut Cursor) -> Parsed<Expr> {
        const EXAMPLE: &str = "let z = if use_bias { z + bias } else { z };";
        let span = c.span();
        c.eat_word("if");
        let condition = self.condition(c)?;
        let then = self.block(c, EXAMPLE)?;
        let then = self.only(&then)?;
        if !c.eat_word("else") {
            let found = c.found();
            return self.mistake(
                Diagnostic::new(
                    "RNN0020",
                    c.span(),
                    format!("an `if` that gives a value needs `else`, found {found}"),
                )
                .help(format!("write `{EXAMPLE}`")),
            );
        }
        let otherwise = if c.is_word("if") {
            self.deeper(span, |p| p.if_expr(c))?
        } else {
            let group = self.block(c, EXAMPLE)?;
            self.only(&group)?
        };
        Ok(Expr {
            kind: ExprKind::If(Box::new(condition), Box::new(then), Box::new(otherwise)),
            span,
        })
    }

    /// The one expression inside braces.
    fn only(&mut self, group: &Group) -> Parsed<Expr> {
        let mut inner = Cursor::inside(group);
        let e = self.expr(&mut inner)?;
        if inner.at_end() {
            return Ok(e);
        }
        let found = inner.found();
        self.mistake(
            Diagnostic::new("RNN0020", inner.span(), format!("this block gives one value, found {found} after it"))
                .help("for several statements write `if flag { let z = …; } else { let z = …; }`; the names stay visible"),
        )
    }

    /// The expressions of a group, separated by `,`.
    pub(super) fn list(&mut self, group: &Group) -> Parsed<Vec<Expr>> {
        self.rest_of_list(&mut Cursor::inside(group))
    }

    fn rest_of_list(&mut self, c: &mut Cursor) -> Parsed<Vec<Expr>> {
        let mut found = Vec::new();
        while !c.at_end() {
            found.push(self.expr(c)?);
            if !c.eat(",") && !c.at_end() {
                let token = c.found();
                return self.mistake(
                    Diagnostic::new(
                        "RNN0026",
                        c.span(),
                        format!("expected `,` or an operator, found {token}"),
                    )
                    .help("divide the values by `,`"),
                );
            }
        }
        Ok(found)
    }
}

/// Whether an operator is next, and not a longer one that starts with it (`+=`, `->`, `**`).
fn is_operator(c: &Cursor, operator: &str) -> bool {
    if !c.is(operator) {
        return false;
    }
    let joined = match c.peek_nth(operator.chars().count() - 1) {
        Some(TokenTree::Punct(p)) => p.spacing() == proc_macro2::Spacing::Joint,
        _ => false,
    };
    // `a +-b` and `a @ -b` have two operators, so only the following pairs count as one.
    let longer = |s: &str| c.is(&format!("{operator}{s}"));
    !(joined && (longer("=") || longer(">") || (operator == "*" && longer("*"))))
}
