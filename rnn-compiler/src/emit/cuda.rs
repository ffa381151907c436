//! A kernel for a CUDA device: the tables that the CPU's kernel has, and its pointwise maths as the text of a C++
//! function. The runtime puts the text between a loop over tiles and the addresses of the tables, and hands
//! both to NVRTC.
//!
//! The statements are those of the CPU's kernel, so a cell is written once. Whatever stands around them on the
//! device (`load`, `store`, `sum`, `gate`, …) is in `rnn-runtime/src/cuda/kernels/fused.cuh`.

use std::fmt::Write as _;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::{
    cell::{
        graph::{Binary, Compare, Graph, NodeId, NodeOp, Reduce, Unary},
        size::Size,
    },
    diagnostics::{Bug, Sound},
    kernels::Statement,
    schedule::PlannedKernel,
};

/// The `CudaKernel` of a kernel whose table has this name.
pub(super) fn kernel(
    rt: &TokenStream,
    table: &Ident,
    k: &PlannedKernel,
    graph: &Graph,
) -> Sound<TokenStream> {
    kernel_of(rt, &quote!(#table), k, graph)
}

/// The same where the table is an expression.
pub(super) fn kernel_of(
    rt: &TokenStream,
    table: &TokenStream,
    k: &PlannedKernel,
    graph: &Graph,
) -> Sound<TokenStream> {
    let mut sizes = Vec::new();
    let body = text(&k.body, graph, &mut sizes)?;
    let epilogue = text(&k.epilogue, graph, &mut sizes)?;
    let sizes = sizes.iter().map(Size::tokens);
    let reduced = |which: Reduce| -> Vec<usize> {
        let index = |s: &Statement| match s {
            Statement::Reduce(how, i, _) if *how == which => Some(*i),
            _ => None,
        };
        k.body.iter().filter_map(index).collect()
    };
    let (sums, maxima) = (reduced(Reduce::Sum), reduced(Reduce::Max));
    let adds = k.body.iter().any(|s| matches!(s, Statement::Add(..)));
    let (input, state) = (k.only_input_gradient, k.only_state_gradients);
    Ok(quote! {
        #rt::CudaKernel {
            table: &#table, body: #body, epilogue: #epilogue, sizes: &[#(#sizes),*],
            sums: &[#(#sums),*], maxima: &[#(#maxima),*], adds: #adds,
            only_input_gradient: #input, only_state_gradients: #state,
        }
    })
}

/// Statements as C++. A size that is known only when the program is compiled is added to `sizes`.
fn text(statements: &[Statement], graph: &Graph, sizes: &mut Vec<Size>) -> Sound<String> {
    let mut text = String::new();
    for statement in statements {
        // Writing to a string cannot fail.
        let _ = match *statement {
            Statement::Vector(n, i) => write!(text, "const float n{n} = vector<{i}>(); "),
            Statement::Load(n, i) => write!(text, "const float n{n} = load<{i}>(); "),
            Statement::Scalar(n, i) => write!(text, "const float n{n} = scalar<{i}>(); "),
            Statement::Gate(n, product, gate) => {
                write!(text, "const float n{n} = gate<{product}, {gate}>(); ")
            }
            Statement::Compute(n) => {
                let value = compute(graph, n, sizes)?;
                write!(text, "const float n{n} = {value}; ")
            }
            Statement::Store(i, n) => write!(text, "store<{i}>(n{n}); "),
            Statement::Add(i, n) => write!(text, "add<{i}>(n{n}); "),
            Statement::Reduce(Reduce::Sum, i, n) => write!(text, "sum<{i}>(n{n}); "),
            Statement::Reduce(Reduce::Max, i, n) => write!(text, "max<{i}>(n{n}); "),
            Statement::Set(i, n) => write!(text, "set<{i}>(n{n}); "),
        };
    }
    Ok(text)
}

/// The value of a computed node. Every operation is rounded by itself, as on the CPU: NVRTC is told not to make
/// `fmaf` of a product and a sum.
fn compute(graph: &Graph, id: NodeId, sizes: &mut Vec<Size>) -> Sound<String> {
    let op = &graph.node(id).op;
    Ok(match op {
        NodeOp::Number(bits) => number(f64::from_bits(*bits)),
        NodeOp::SizeOf(size) => {
            let index = sizes.iter().position(|s| s == size);
            let index = index.unwrap_or_else(|| {
                sizes.push(size.clone());
                sizes.len() - 1
            });
            format!("size<{index}>()")
        }
        NodeOp::Unary(Unary::Detach | Unary::Broadcast, a) => format!("n{a}"),
        NodeOp::Unary(Unary::Neg, a) => format!("-n{a}"),
        NodeOp::Unary(u, a) => {
            let f = match u {
                Unary::Detach | Unary::Broadcast | Unary::Neg => unreachable!("named above"),
                Unary::Abs => "fabsf",
                Unary::Sqrt => "sqrtf",
                Unary::Exp => "expf",
                Unary::Expm1 => "expm1f",
                Unary::Log => "logf",
                Unary::Log1p => "log1pf",
                Unary::Tanh => "tanhf",
                Unary::Sigmoid => "sigmoid",
                Unary::Erf => "erff",
                Unary::Sin => "sine",
                Unary::Cos => "cosine",
                Unary::Rsqrt => "inverse_root",
                Unary::Sign => "sign",
                Unary::Softplus => "softplus",
                Unary::Flush => "flush",
            };
            format!("{f}(n{a})")
        }
        NodeOp::Binary(b, x, y) => match b {
            Binary::Add => format!("n{x} + n{y}"),
            Binary::Sub => format!("n{x} - n{y}"),
            Binary::Mul => format!("n{x} * n{y}"),
            Binary::Div => format!("n{x} / n{y}"),
            // The second where one is NaN, as the CPU's instructions do.
            Binary::Min => format!("n{x} < n{y} ? n{x} : n{y}"),
            Binary::Max => format!("n{x} > n{y} ? n{x} : n{y}"),
            Binary::Pow => format!("powf(n{x}, n{y})"),
        },
        NodeOp::MulAdd(a, b, c) => format!("fmaf(n{a}, n{b}, n{c})"),
        NodeOp::NegMulAdd(a, b, c) => format!("fmaf(-n{a}, n{b}, n{c})"),
        NodeOp::Select(how, a, b, x, y) => {
            let how = match how {
                Compare::Lt => "<",
                Compare::Le => "<=",
                Compare::Gt => ">",
                Compare::Ge => ">=",
                Compare::Eq => "==",
            };
            format!("n{a} {how} n{b} ? n{x} : n{y}")
        }
        NodeOp::Leaf(..) | NodeOp::Param(..) | NodeOp::Product(_) | NodeOp::Reduce(..) => {
            return Err(Bug::new(format!("{op:?} is read, not computed")));
        }
    })
}

/// A number that reads back as the same float.
fn number(x: f64) -> String {
    let x = x as f32;
    match x.is_finite() {
        true => format!("{x:?}f"),
        false => format!("__uint_as_float({:#010x}u)", x.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        assert_eq!(number(1.0), "1.0f");
        assert_eq!(number(-0.0), "-0.0f");
        assert_eq!(number(1e-30), "1e-30f");
        assert_eq!(number(f64::INFINITY), "__uint_as_float(0x7f800000u)");
        assert!(number(f64::NAN).starts_with("__uint_as_float(0x7fc"));
    }
}
