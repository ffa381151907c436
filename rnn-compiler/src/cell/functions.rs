//! The functions of the cell language, Keras's activations among them, in terms of graph nodes.

use super::{
    ast::{Expr, listed},
    graph::{Binary::*, Compare, Graph, NodeId, Reduce, Unary},
};
use crate::diagnostics::{OrBug, Sound};

/// A function from one vector to one vector.
type Build = fn(&mut Graph, NodeId) -> NodeId;

/// Functions of one argument, lane by lane.
const UNARY: &[(&str, Unary)] = &[
    ("exp", Unary::Exp),
    ("exponential", Unary::Exp),
    ("expm1", Unary::Expm1),
    ("log", Unary::Log),
    ("log1p", Unary::Log1p),
    ("tanh", Unary::Tanh),
    ("sigmoid", Unary::Sigmoid),
    ("erf", Unary::Erf),
    ("sin", Unary::Sin),
    ("cos", Unary::Cos),
    ("sqrt", Unary::Sqrt),
    ("rsqrt", Unary::Rsqrt),
    ("abs", Unary::Abs),
    ("sign", Unary::Sign),
    ("softplus", Unary::Softplus),
    ("stop_gradient", Unary::Detach),
];

/// Functions made of other functions. The activations are Keras 3's `keras.activations`.
const COMPOSED: &[(&str, Build)] = &[
    ("linear", |_, x| x),
    ("relu", |g, x| {
        let zero = g.number(0.0);
        g.select(Compare::Le, x, zero, zero, x)
    }),
    ("relu6", relu6),
    ("leaky_relu", |g, x| leaky_relu(g, x, 0.2)),
    ("elu", |g, x| elu(g, x, 1.0)),
    ("selu", |g, x| {
        let y = elu(g, x, 1.673_263_242_354_377_2);
        let scale = g.number(1.050_700_987_355_480_5);
        g.binary(Mul, scale, y)
    }),
    ("gelu", |g, x| {
        let (half, one) = (g.number(0.5), g.number(1.0));
        let root = g.number(std::f64::consts::FRAC_1_SQRT_2);
        let scaled = g.binary(Mul, root, x);
        let erf = g.unary(Unary::Erf, scaled);
        let sum = g.binary(Add, one, erf);
        let x = g.binary(Mul, half, x);
        g.binary(Mul, x, sum)
    }),
    ("silu", silu),
    ("swish", silu),
    ("softsign", |g, x| {
        let one = g.number(1.0);
        let abs = g.unary(Unary::Abs, x);
        let below = g.binary(Add, one, abs);
        g.binary(Div, x, below)
    }),
    ("hard_sigmoid", hard_sigmoid),
    ("hard_tanh", |g, x| {
        let (low, high) = (g.number(-1.0), g.number(1.0));
        let x = g.select(Compare::Le, x, low, low, x);
        g.select(Compare::Ge, x, high, high, x)
    }),
    ("hard_silu", |g, x| {
        let y = hard_sigmoid(g, x);
        g.binary(Mul, x, y)
    }),
    ("mish", |g, x| {
        let y = g.unary(Unary::Softplus, x);
        let y = g.unary(Unary::Tanh, y);
        g.binary(Mul, x, y)
    }),
    ("log_sigmoid", |g, x| {
        let x = g.unary(Unary::Neg, x);
        let y = g.unary(Unary::Softplus, x);
        g.unary(Unary::Neg, y)
    }),
];

/// From the parts of a vector to as many.
type OverUnits = fn(&mut Graph, &[NodeId]) -> Sound<Vec<NodeId>>;

/// Activations that read all units of a vector for each.
const OVER_UNITS: &[(&str, OverUnits)] = &[("softmax", softmax), ("log_softmax", log_softmax)];

/// The activation over the units of a vector that has this name.
pub fn over_units(name: &str) -> Option<OverUnits> {
    OVER_UNITS.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
}

fn relu6(g: &mut Graph, x: NodeId) -> NodeId {
    let (low, high) = (g.number(0.0), g.number(6.0));
    let x = g.select(Compare::Le, x, low, low, x);
    g.select(Compare::Ge, x, high, high, x)
}

fn hard_sigmoid(g: &mut Graph, x: NodeId) -> NodeId {
    let (three, sixth) = (g.number(3.0), g.number(1.0 / 6.0));
    let x = g.binary(Add, x, three);
    let y = relu6(g, x);
    g.binary(Mul, y, sixth)
}

/// `slope * x + 1/2`, cut off at 0 and 1. Keras 2 has a slope of 0.2, which is the default of ONNX's `HardSigmoid`, too;
/// Keras 3 and PyTorch have 1/6, which is [`hard_sigmoid`] without a number.
pub fn hard_sigmoid_of(g: &mut Graph, x: NodeId, slope: f64) -> NodeId {
    let (half, slope) = (g.number(0.5), g.number(slope));
    let (low, high) = (g.number(0.0), g.number(1.0));
    let y = g.binary(Mul, slope, x);
    let y = g.binary(Add, y, half);
    let y = g.select(Compare::Le, y, low, low, y);
    g.select(Compare::Ge, y, high, high, y)
}

fn silu(g: &mut Graph, x: NodeId) -> NodeId {
    let y = g.unary(Unary::Sigmoid, x);
    g.binary(Mul, x, y)
}

/// `x` above 0, `slope * x` below. Keras: `leaky_relu(x, negative_slope)`.
pub fn leaky_relu(g: &mut Graph, x: NodeId, slope: f64) -> NodeId {
    let (zero, slope) = (g.number(0.0), g.number(slope));
    let y = g.binary(Mul, slope, x);
    g.select(Compare::Gt, x, zero, x, y)
}

/// `x` above 0, `alpha * (exp(x) - 1)` below. The exponential sees only what is below 0, so that
/// the branch not taken never puts an infinity into a gradient.
pub fn elu(g: &mut Graph, x: NodeId, alpha: f64) -> NodeId {
    let (zero, alpha) = (g.number(0.0), g.number(alpha));
    let low = g.select(Compare::Gt, x, zero, zero, x);
    let y = g.unary(Unary::Expm1, low);
    let y = g.binary(Mul, alpha, y);
    g.select(Compare::Gt, x, zero, x, y)
}

/// Applies the lane-by-lane function of that name, if there is one.
pub fn apply(g: &mut Graph, name: &str, x: NodeId) -> Option<NodeId> {
    if let Some((_, u)) = UNARY.iter().find(|(n, _)| *n == name) {
        return Some(g.unary(*u, x));
    }
    COMPOSED
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, build)| build(g, x))
}

/// `exp(x - max) / sum(exp(x - max))` over the units of all parts together.
///
/// # Errors
/// If there are no parts.
pub fn softmax(g: &mut Graph, parts: &[NodeId]) -> Sound<Vec<NodeId>> {
    let Powers { powers, sum, .. } = powers(g, parts)?;
    Ok(powers.iter().map(|&p| g.binary(Div, p, sum)).collect())
}

/// The logarithms of [`softmax`], which stay numbers where a share is too small for one: `x - max - log(sum(exp(x - max)))`.
///
/// # Errors
/// If there are no parts.
pub fn log_softmax(g: &mut Graph, parts: &[NodeId]) -> Sound<Vec<NodeId>> {
    let Powers { below, sum, .. } = powers(g, parts)?;
    let log = g.unary(Unary::Log, sum);
    Ok(below.iter().map(|&x| g.binary(Sub, x, log)).collect())
}

/// What both are made of.
struct Powers {
    /// `x - max`
    below: Vec<NodeId>,
    /// `exp(x - max)`
    powers: Vec<NodeId>,
    sum: NodeId,
}

/// The largest is subtracted so that nothing overflows; it cancels, and so it carries no gradient.
fn powers(g: &mut Graph, parts: &[NodeId]) -> Sound<Powers> {
    let max = fold_rows(g, Reduce::Max, Max, parts)?;
    let max = g.unary(Unary::Detach, max);
    let (mut below, mut powers) = (Vec::new(), Vec::new());
    for &x in parts {
        let x = g.binary(Sub, x, max);
        below.push(x);
        powers.push(g.unary(Unary::Exp, x));
    }
    let sum = fold_rows(g, Reduce::Sum, Add, &powers)?;
    Ok(Powers { below, powers, sum })
}

/// A reduction over the units of all parts together.
///
/// # Errors
/// If there are no parts.
pub fn fold_rows(
    g: &mut Graph,
    r: Reduce,
    join: super::graph::Binary,
    parts: &[NodeId],
) -> Sound<NodeId> {
    let mut total = None;
    for &p in parts {
        let part = g.reduce(r, p);
        total = Some(match total {
            None => part,
            Some(t) => g.binary(join, t, part),
        });
    }
    total.or_bug("a reduction of nothing")
}

/// Functions of NumPy, PyTorch, TensorFlow and papers, and how each is written here; `{0}` is the first argument, `{*}`
/// stands for all of them. One line adds a function.
#[rustfmt::skip] // a table
const ELSEWHERE: &[(&str, &str)] = &[
    ("add", "{0} + {1}"),
    ("amax", "max_of({0})"),
    ("amin", "min_of({0})"),
    ("cat", "concat({*})"),
    ("chunk", "split({0})"),
    ("clamp", "min(max({0}, {1}), {2})"),
    ("clip", "min(max({0}, {1}), {2})"),
    ("clone", "{0}"),
    ("concatenate", "concat({*})"),
    ("copy", "{0}"),
    ("detach", "stop_gradient({0})"),
    ("div", "{0} / {1}"),
    ("divide", "{0} / {1}"),
    ("dot", "{0} @ {1}"),
    ("hadamard", "{0} * {1}"),
    ("hardtanh", "hard_tanh({0})"),
    ("hstack", "concat({*})"),
    ("identity", "{0}"),
    ("logistic", "sigmoid({0})"),
    ("matmul", "{0} @ {1}"),
    ("maximum", "max({0}, {1})"),
    ("minimum", "min({0}, {1})"),
    ("mm", "{0} @ {1}"),
    ("mul", "{0} * {1}"),
    ("multiply", "{0} * {1}"),
    ("neg", "-{0}"),
    ("negative", "-{0}"),
    ("norm", "sqrt(sum({0} * {0}))"),
    ("ones_like", "1"),
    ("power", "pow({0}, {1})"),
    ("powf", "pow({0}, {1})"),
    ("powi", "pow({0}, {1})"),
    ("reduce_max", "max_of({0})"),
    ("reduce_mean", "mean({0})"),
    ("reduce_sum", "sum({0})"),
    ("reshape", "{0}"),
    ("sigm", "sigmoid({0})"),
    ("split", "split({0})"),
    ("square", "pow({0}, 2)"),
    ("std", "sqrt(variance({0}))"),
    ("sub", "{0} - {1}"),
    ("subtract", "{0} - {1}"),
    ("var", "variance({0})"),
    ("where", "select({0}, {1}, {2})"),
    ("zeros_like", "0"),
];

/// A call of another library's function as it is written here; a call of one that is here stays as it is. `None`
/// for a name that nobody uses.
pub(super) fn written(name: &str, arguments: &[Expr]) -> Option<String> {
    let known = ELSEWHERE.iter().find(|(n, _)| *n == name);
    let Some((_, code)) = known else {
        let own = names().any(|n| n == name);
        return own.then(|| format!("{name}({})", listed(arguments)));
    };
    let mut text = code.replace("{*}", &listed(arguments));
    // Operands of an operator have parentheses where they need them, arguments of a call have not.
    let operator = code.starts_with(['{', '-']) && code.len() > 3 || code.contains(" * ");
    for (i, argument) in arguments.iter().enumerate() {
        let written = match operator {
            true => argument.operand(),
            false => argument.to_string(),
        };
        text = text.replace(&format!("{{{i}}}"), &written);
    }
    (!text.contains('{')).then_some(text)
}

/// All names of lane-by-lane functions and activations, for "did you mean".
pub fn names() -> impl Iterator<Item = &'static str> {
    let other = ["sum", "mean", "variance", "max_of", "min_of"];
    let binary = [
        "min", "max", "pow", "select", "split", "concat", "dropout", "einsum", "flatten",
    ];
    UNARY
        .iter()
        .map(|(n, _)| *n)
        .chain(COMPOSED.iter().map(|(n, _)| *n))
        .chain(OVER_UNITS.iter().map(|(n, _)| *n))
        .chain(other)
        .chain(binary)
}

/// All activations, by name.
pub(crate) fn activations() -> impl Iterator<Item = &'static str> {
    let unary = UNARY.iter().map(|(n, _)| *n);
    let known = unary.chain(COMPOSED.iter().map(|(n, _)| *n));
    known
        .chain(OVER_UNITS.iter().map(|(n, _)| *n))
        .filter(|n| *n != "stop_gradient")
}

/// The names that can be given as `activation = …`.
pub fn is_activation(name: &str) -> bool {
    over_units(name).is_some()
        || UNARY.iter().any(|(n, _)| *n == name)
        || COMPOSED.iter().any(|(n, _)| *n == name)
}
