//! A kernel as code: a table of what it reads and writes, and the pointwise maths.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::tables::Print;
use crate::{
    cell::graph::{Binary, Compare, Graph, NodeId, NodeOp, Reduce, Unary},
    diagnostics::{Bug, Sound},
    ir::Symbolic,
    kernels::Statement,
    schedule::PlannedKernel,
};

type Segment = rnn_tables::Segment<Symbolic>;

/// A kernel's two items: the table `__P7`, and the body `__B7`.
pub(super) struct Names {
    pub table: Ident,
    pub body: Ident,
}

impl Names {
    pub fn new(index: usize) -> Self {
        Names {
            table: format_ident!("__P{index}"),
            body: format_ident!("__B{index}"),
        }
    }
}

/// What a kernel is for: how its code finds a vector.
#[derive(Clone, Copy)]
pub(super) enum Rows<'a> {
    /// A tile of some rows of a batch: `k.load(7, r)`.
    Some,
    /// The one row of a stream of this model: `k.load::<7>()`, so that rustc checks the index.
    One(&'a Ident),
}

impl Rows<'_> {
    /// A call of the tile's method `name` for number `i` of a list.
    fn call(self, span: Span, name: &str, i: usize, v: Option<&Ident>) -> TokenStream {
        let name = Ident::new(name, span);
        match self {
            Rows::Some => {
                let v = v.map(|v| quote!(, #v));
                quote_spanned!(span=> k.#name(#i, r #v))
            }
            Rows::One(_) => quote_spanned!(span=> k.#name::<#i>(#v)),
        }
    }
}

/// The items of a kernel.
pub(super) fn kernel(
    rt: &TokenStream,
    names: &Names,
    k: &PlannedKernel,
    graph: &Graph,
    span: Span,
    rows: Rows<'_>,
) -> Sound<TokenStream> {
    let Names { table, body } = names;
    let tables = &k.tables;
    let printed = tables.print(rt);
    let gates = |product: &Vec<Segment>| product.first().map_or(0, |s| s.gates);
    let widest = tables.products.iter().map(gates).max().unwrap_or(0);
    let code = statements(rt, k, graph, span, rows)?;
    if let Rows::One(model) = rows {
        return Ok(quote_spanned! {span=>
            const #table: #rt::Kernel = #printed;
            enum #body {}
            impl #rt::StreamBody for #body {
                type Program = #model;
                const KERNEL: #rt::Kernel = #table;
                #[inline(always)]
                fn tile<__S: #rt::Simd, __W: #rt::PanelFormat>(s: __S, k: &#rt::StepTile<'_, Self, __S, __W>) {
                    #code
                }
            }
        });
    }
    let (loaded, scalar) = (tables.loads.len(), tables.scalars.len());
    // The table of a weight-time kernel gets its stores later.
    let stored = k.body.iter().filter_map(|s| match s {
        Statement::Store(i, _) | Statement::Add(i, _) => Some(i + 1),
        _ => None,
    });
    let stored = stored.max().unwrap_or(0);
    let reduced = tables.reductions.len();
    let operands: usize = tables.products.iter().map(Vec::len).sum();
    let width = tables.width.tokens();
    Ok(quote_spanned! {span=>
        const #table: #rt::Kernel = #printed;
        enum #body {}
        impl #rt::Body for #body {
            const GATES: usize = #widest;
            const SMALL_PANEL: usize = #rt::small_panel(#width);
            type StridedPointers = #rt::StridedPointers<#loaded, #scalar, #stored, #reduced, #operands>;
            #[inline(always)]
            fn tile<__S: #rt::Simd, __W: #rt::PanelFormat, const __R: usize>(s: __S, k: &#rt::Tile<'_, Self, __S, __W, __R>) {
                #code
            }
        }
    })
}

fn node(id: NodeId) -> Ident {
    format_ident!("n{id}")
}

fn statements(
    rt: &TokenStream,
    k: &PlannedKernel,
    graph: &Graph,
    span: Span,
    rows: Rows<'_>,
) -> Sound<TokenStream> {
    let products = k.tables.products.iter().enumerate();
    let products = products.map(|(i, segments)| {
        let gates = segments.first().map_or(0, |s| s.gates);
        let name = format_ident!("p{i}");
        match rows {
            Rows::Some => quote_spanned!(span=> let #name = k.product::<#gates>(#i);),
            Rows::One(_) => {
                let sums = (0..segments.len()).map(
                    |j| quote_spanned!(span=> let #name = k.segment::<#i, #j, #gates>(#name);),
                );
                quote_spanned!(span=> let #name = k.zeros::<#gates>(); #(#sums)*)
            }
        }
    });
    let mut products: Vec<TokenStream> = products.collect();
    // LLVM computes a short product after the loop of the next one, from weights that it has loaded before that loop and kept on
    // the stack meanwhile. From four rows of weights on the loop comes first: with AVX2 LSTM(64) took 1.1 of the time.
    let rows_of = |s: &Segment| s.k.value().unwrap_or(usize::MAX);
    let first = k.tables.products.first().into_iter().flatten();
    let first = first.map(rows_of).fold(0, usize::saturating_add);
    if matches!(rows, Rows::One(_)) && first >= 4 {
        products.reverse();
    }
    let mut shared = TokenStream::new();
    let mut each = TokenStream::new();
    // The epilogue is a block of its own, with names of its own.
    let mut epilogue = TokenStream::new();
    let body = k.body.iter().map(|s| (s, false));
    for (s, late) in body.chain(k.epilogue.iter().map(|s| (s, true))) {
        let each = if late { &mut epilogue } else { &mut each };
        match *s {
            Statement::Vector(n, i) => {
                let n = node(n);
                shared.extend(match rows {
                    Rows::Some => quote_spanned!(span=> let #n = k.vector(#i);),
                    Rows::One(_) => quote_spanned!(span=> let #n = k.vector::<#i>();),
                });
            }
            Statement::Load(n, i) => {
                let (n, v) = (node(n), rows.call(span, "load", i, None));
                each.extend(quote_spanned!(span=> let #n = #v;));
            }
            Statement::Scalar(n, i) => {
                let (n, v) = (node(n), rows.call(span, "scalar", i, None));
                each.extend(quote_spanned!(span=> let #n = #v;));
            }
            Statement::Gate(n, product, gate) => {
                let (n, product) = (node(n), format_ident!("p{product}"));
                let row = matches!(rows, Rows::Some).then(|| quote!([r]));
                each.extend(quote_spanned!(span=> let #n = #product #row[#gate];));
            }
            Statement::Compute(n) => {
                let value = compute(rt, graph, n)?;
                let n = node(n);
                each.extend(quote_spanned!(span=> let #n = #value;));
            }
            Statement::Store(i, n) => {
                let store = rows.call(span, "store", i, Some(&node(n)));
                each.extend(quote_spanned!(span=> #store;));
            }
            Statement::Add(i, n) => {
                let add = rows.call(span, "add", i, Some(&node(n)));
                each.extend(quote_spanned!(span=> #add;));
            }
            Statement::Reduce(how, i, n) => {
                let how = match how {
                    Reduce::Sum => "sum",
                    Reduce::Max => "max",
                };
                let reduce = rows.call(span, how, i, Some(&node(n)));
                each.extend(quote_spanned!(span=> #reduce;));
            }
            Statement::Set(i, n) => {
                let set = rows.call(span, "set", i, Some(&node(n)));
                each.extend(quote_spanned!(span=> #set;));
            }
        }
    }
    if !epilogue.is_empty() {
        each.extend(quote_spanned!(span=> if k.last() { #epilogue }));
    }
    Ok(match rows {
        Rows::Some => quote_spanned! {span=>
            #(#products)*
            #shared
            for r in 0..__R {
                #each
            }
        },
        Rows::One(_) => quote_spanned!(span=> #(#products)* #shared #each),
    })
}

/// The value of a computed node, from its operands.
fn compute(rt: &TokenStream, graph: &Graph, id: NodeId) -> Sound<TokenStream> {
    let op = &graph.node(id).op;
    let o: Vec<Ident> = op.operands().into_iter().map(node).collect();
    Ok(match op {
        NodeOp::Number(bits) => {
            let x = number(f64::from_bits(*bits));
            quote!(s.splat(#x))
        }
        NodeOp::SizeOf(size) => {
            let size = size.tokens();
            quote!(s.splat((#size) as f32))
        }
        NodeOp::Unary(u, _) => {
            let a = &o[0];
            let f = match u {
                Unary::Detach | Unary::Broadcast => return Ok(quote!(#a)),
                Unary::Neg => return Ok(quote!(s.neg(#a))),
                Unary::Abs => return Ok(quote!(s.abs(#a))),
                Unary::Sqrt => return Ok(quote!(s.sqrt(#a))),
                Unary::Exp => "exp",
                Unary::Expm1 => "expm1",
                Unary::Log => "log",
                Unary::Log1p => "log1p",
                Unary::Tanh => "tanh",
                Unary::Sigmoid => "sigmoid",
                Unary::Erf => "erf",
                Unary::Sin => "sin",
                Unary::Cos => "cos",
                Unary::Rsqrt => "rsqrt",
                Unary::Sign => "sign",
                Unary::Softplus => "softplus",
                Unary::Flush => return Ok(quote!(s.flush(#a))),
            };
            let f = Ident::new(f, Span::call_site());
            quote!(#rt::math::#f(s, #a))
        }
        NodeOp::Binary(b, ..) => {
            let (x, y) = (&o[0], &o[1]);
            match b {
                Binary::Add => quote!(s.add(#x, #y)),
                Binary::Sub => quote!(s.sub(#x, #y)),
                Binary::Mul => quote!(s.mul(#x, #y)),
                Binary::Div => quote!(s.div(#x, #y)),
                Binary::Min => quote!(s.min(#x, #y)),
                Binary::Max => quote!(s.max(#x, #y)),
                Binary::Pow => quote!(#rt::math::pow(s, #x, #y)),
            }
        }
        NodeOp::MulAdd(..) => {
            let (a, b, c) = (&o[0], &o[1], &o[2]);
            quote!(s.mul_add(#a, #b, #c))
        }
        NodeOp::NegMulAdd(..) => {
            let (a, b, c) = (&o[0], &o[1], &o[2]);
            quote!(s.neg_mul_add(#a, #b, #c))
        }
        NodeOp::Select(how, ..) => {
            let (a, b, x, y) = (&o[0], &o[1], &o[2], &o[3]);
            let how = match how {
                Compare::Lt => quote!(lt),
                Compare::Le => quote!(le),
                Compare::Gt => quote!(gt),
                Compare::Ge => quote!(ge),
                Compare::Eq => quote!(eq),
            };
            quote!(s.select(s.#how(#a, #b), #x, #y))
        }
        NodeOp::Leaf(..) | NodeOp::Param(..) | NodeOp::Product(_) | NodeOp::Reduce(..) => {
            return Err(Bug::new(format!("{op:?} is read, not computed")));
        }
    })
}

fn number(x: f64) -> TokenStream {
    let x = x as f32;
    if x.is_nan() {
        quote!(f32::NAN)
    } else if x.is_infinite() {
        if x > 0.0 {
            quote!(f32::INFINITY)
        } else {
            quote!(f32::NEG_INFINITY)
        }
    } else if x.is_sign_negative() {
        let x = Literal::f32_unsuffixed(-x);
        quote!(-#x)
    } else {
        let x = Literal::f32_unsuffixed(x);
        quote!(#x)
    }
}
