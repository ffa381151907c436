//! A cell as it was written.

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
    /// `state h: [units];`, `state s: [rows, columns];`
    State {
        /// Its name.
        name: Ident,
        /// Its shape.
        shape: Vec<Expr>,
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
