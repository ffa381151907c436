//! A cell as it was written.

use std::{collections::BTreeSet, fmt};

use proc_macro2::{Ident, Span, TokenStream};

use super::value::Value;

/// One argument in a cell's head: `units`, `activation = tanh`.
#[derive(Clone, Debug)]
pub struct CellArgument {
    /// Its name.
    pub name: Ident,
    /// Its default; arguments without one must be given, and are sizes.
    pub default: Option<Value>,
}

/// A cell as it was written, sizes still open.
#[derive(Clone, Debug)]
pub struct CellAst {
    /// Documentation and other attributes.
    pub attrs: Vec<syn::Attribute>,
    /// `pub` and so on.
    pub vis: syn::Visibility,
    /// The cell's name.
    pub name: Ident,
    /// How the program names it: where numbers of its own are found.
    pub path: syn::Path,
    /// The arguments in its head, in order.
    pub arguments: Vec<CellArgument>,
    /// The body, parsed.
    pub items: Vec<Item>,
    /// The tokens it was parsed from: `rnn_cell!` hands them on.
    pub tokens: TokenStream,
}

/// A statement of a cell.
#[derive(Clone, Debug)]
pub enum Item {
    /// `input location: [i1];` The names in its shape are bound to the sizes found.
    Input {
        /// Its name.
        name: Ident,
        /// Its shape.
        shape: Vec<Expr>,
    },
    /// `param kernel: [input, 4 * units] = glorot_uniform;`; `frozen param` for a parameter that is not
    /// trained.
    Param {
        /// Its name.
        name: Ident,
        /// Its shape.
        shape: Vec<Expr>,
        /// How it starts.
        init: Expr,
        /// Whether an optimizer changes it.
        trainable: bool,
    },
    /// `state h: [units];`, `state s: [rows, columns];`, `state h: [units] = initial_h;`
    State {
        /// Its name.
        name: Ident,
        /// Its shape.
        shape: Vec<Expr>,
        /// The parameter that it starts with.
        start: Option<Ident>,
    },
    /// `let f = …;` or `let [i, f] = split(…);`
    Let {
        /// One name, or the parts of a split.
        names: Vec<Ident>,
        /// Whether it was written with brackets.
        parts: bool,
        /// The value.
        value: Expr,
    },
    /// `next h = …;` From here on, `h` is the new value.
    Next {
        /// The state.
        name: Ident,
        /// Its value after the step.
        value: Expr,
    },
    /// `output h;`, `output a, b;` or `output location = a, pressure = b;`
    Output {
        /// The values, with their names if they have any.
        values: Vec<(Option<Ident>, Expr)>,
        /// Where `output` stands.
        span: Span,
    },
    /// `if use_bias { … } else { … }`, decided when the model is compiled.
    If {
        /// The flag.
        condition: Expr,
        /// Statements if true.
        then: Vec<Item>,
        /// Statements if false.
        otherwise: Vec<Item>,
    },
}

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `0.5`
    Number(f64),
    /// `true`
    Flag(bool),
    /// `h`
    Name(String),
    /// `matrices::A`: numbers that a parameter starts with.
    Path(syn::Path),
    /// `-x`, `!flag`
    Negate(Box<Expr>),
    /// `a + b`, `a @ b`, …; `&&` is `'&'`, `||` is `'|'`.
    Binary(char, Box<Expr>, Box<Expr>),
    /// `a < b`, `a == b`, …: the first argument of `select`, or a condition known when the model is
    /// compiled.
    Compare(&'static str, Box<Expr>, Box<Expr>),
    /// `tanh(x)`
    Call(String, Vec<Expr>),
    /// `einsum("bi,ij->bj", a, kernel)`: the equation, where it stands, the operands.
    Einsum(String, Span, Vec<Expr>),
    /// `bias[0]`: a row of a parameter with two or more axes.
    Index(Box<Expr>, usize),
    /// `if flag { a } else { b }`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
}

/// How tight an operator binds, from loose to tight; a call binds tightest.
const TIGHTEST: usize = 6;

impl Expr {
    fn binds(&self) -> usize {
        match &self.kind {
            ExprKind::Binary('|', ..) => 0,
            ExprKind::Binary('&', ..) => 1,
            ExprKind::Compare(..) => 2,
            ExprKind::Binary('+' | '-', ..) => 3,
            ExprKind::Binary(..) => 4,
            ExprKind::Negate(_) => 5,
            _ => TIGHTEST,
        }
    }

    /// The text with parentheses where it stands among operators that bind as tight as this.
    pub(super) fn inside(&self, binds: usize) -> String {
        match self.binds() < binds {
            true => format!("({self})"),
            false => self.to_string(),
        }
    }

    /// Adds all names in the expression, also of functions.
    pub(crate) fn names(&self, all: &mut BTreeSet<String>) {
        match &self.kind {
            ExprKind::Name(name) => {
                all.insert(name.clone());
            }
            ExprKind::Negate(a) | ExprKind::Index(a, _) => a.names(all),
            ExprKind::Binary(_, a, b) | ExprKind::Compare(_, a, b) => {
                a.names(all);
                b.names(all);
            }
            ExprKind::Call(name, values) => {
                all.insert(name.clone());
                values.iter().for_each(|v| v.names(all));
            }
            ExprKind::Einsum(_, _, values) => values.iter().for_each(|v| v.names(all)),
            ExprKind::If(c, a, b) => [c, a, b].iter().for_each(|e| e.names(all)),
            ExprKind::Number(_) | ExprKind::Flag(_) | ExprKind::Path(_) => {}
        }
    }

    /// The text as the operand of a call or an index.
    pub(super) fn operand(&self) -> String {
        self.inside(TIGHTEST)
    }
}

/// The values of a list, as they are written.
pub(super) fn listed(all: &[Expr]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = self.binds();
        match &self.kind {
            ExprKind::Number(x) => write!(f, "{x}"),
            ExprKind::Flag(flag) => write!(f, "{flag}"),
            ExprKind::Name(name) => f.write_str(name),
            ExprKind::Path(path) => f.write_str(&super::cell_constant::text(path)),
            ExprKind::Negate(a) => write!(f, "-{}", a.inside(own)),
            ExprKind::Binary(sign, a, b) => {
                let sign = match sign {
                    '&' => "&&".to_owned(),
                    '|' => "||".to_owned(),
                    one => one.to_string(),
                };
                write!(f, "{} {sign} {}", a.inside(own), b.inside(own + 1))
            }
            ExprKind::Compare(sign, a, b) => {
                write!(f, "{} {sign} {}", a.inside(own + 1), b.inside(own + 1))
            }
            ExprKind::Call(name, all) => write!(f, "{name}({})", listed(all)),
            ExprKind::Einsum(equation, _, all) => {
                write!(f, "einsum({equation:?}, {})", listed(all))
            }
            ExprKind::Index(a, row) => write!(f, "{}[{row}]", a.operand()),
            ExprKind::If(c, a, b) => write!(f, "if {c} {{ {a} }} else {{ {b} }}"),
        }
    }
}
