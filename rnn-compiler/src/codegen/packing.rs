//! Where weights are: in the flat block of parameters, and packed.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{
    cells::Counter,
    names::{none, some},
    phase::{Names, phase},
};
use crate::{
    cell::{Initializer, numbers_of, size::Size, stages::PackedVector},
    ir::{Constraint, ModelParam, OpKind, Plan},
};

/// Names of offsets: `__O2` of a parameter, `__M4` of a packed matrix, `__V1` of a packed vector, and
/// `__C1` of that vector among the computed ones.
pub(super) struct Packing {
    /// `const` items.
    pub items: TokenStream,
    /// Fields of `Spec`.
    pub fields: TokenStream,
}

fn offset(i: usize) -> Ident {
    format_ident!("__O{i}")
}

fn computed_place(i: usize) -> Ident {
    format_ident!("__C{i}")
}

fn product(shape: &[Size]) -> TokenStream {
    shape.iter().fold(Size::known(1), |n, s| &n * s).tokens()
}

impl Packing {
    /// Where a packed matrix starts.
    pub fn matrix(&self, i: usize) -> TokenStream {
        let name = format_ident!("__M{i}");
        quote!(#name)
    }

    /// Where a packed vector starts.
    pub fn vector(&self, i: usize) -> TokenStream {
        let name = format_ident!("__V{i}");
        quote!(#name)
    }

    /// Where a parameter starts.
    pub fn param(i: usize) -> TokenStream {
        let name = offset(i);
        quote!(#name)
    }
}

/// Emits all offsets, and the tables that say what is packed where.
pub(super) fn packing(rt: &TokenStream, plan: &Plan) -> Packing {
    let mut items = TokenStream::new();
    let mut at = quote!(0);
    for (i, p) in plan.graph.params.iter().enumerate() {
        let (name, len) = (offset(i), product(&p.shape));
        items.extend(quote!(const #name: #rt::WeightOffset = #rt::WeightOffset(#at);));
        at = quote!(#name.0 + #len);
    }
    let params = |op: usize| match &plan.graph.ops[op].kind {
        OpKind::Cell(c) | OpKind::Normalize { cell: c, .. } => c.params.as_slice(),
        _ => &[],
    };

    // Inference: matrices, vectors, computed vectors; then what only training needs.
    let mut at = quote!(0);
    let mut tables = [
        TokenStream::new(),
        TokenStream::new(),
        TokenStream::new(),
        TokenStream::new(),
    ];
    let mut computed_at = quote!(0);
    for training in [false, true] {
        for (i, m) in plan.matrices.iter().enumerate() {
            if (i >= plan.training_matrices) != training {
                continue;
            }
            let name = format_ident!("__M{i}");
            let (k, width) = (m.packed.k.tokens(), m.packed.width.tokens());
            let gates = m.packed.gates.len();
            items.extend(quote!(const #name: #rt::PackedOffset = #rt::packed_start(#at, #width);));
            at = quote!(#name.0 + #rt::packed_len(#k, #gates, #width));
            for (gate, part) in m.packed.gates.iter().enumerate() {
                let param = Packing::param(params(m.op)[part.param]);
                let (columns, row, column) = (
                    part.columns.tokens(),
                    part.row.tokens(),
                    part.column.tokens(),
                );
                let transposed = part.transposed;
                tables[usize::from(training)].extend(quote! {
                    #rt::PackedMatrix {
                        from: #rt::MatrixSlice {
                            param: #param, columns: #columns, row: #row, column: #column,
                        },
                        k: #k, width: #width, transposed: #transposed,
                        to: #name, gate: #gate, gates: #gates,
                    },
                });
            }
        }
        for (i, v) in plan.vectors.iter().enumerate() {
            let name = format_ident!("__V{i}");
            match &v.packed {
                PackedVector::Param(param, from, width) => {
                    if (i >= plan.training_vectors) != training {
                        continue;
                    }
                    let (param, from) = (Packing::param(params(v.op)[*param]), from.tokens());
                    let width = width.tokens();
                    items.extend(
                        quote!(const #name: #rt::PackedOffset = #rt::packed_start(#at, #width);),
                    );
                    at = quote!(#name.0 + #rt::packed_vector_len(#width));
                    tables[2 + usize::from(training)].extend(quote! {
                        #rt::PackedVector {
                            from: #rt::VectorSlice { param: #param, offset: #from },
                            width: #width, to: #name,
                        },
                    });
                }
                PackedVector::Computed(_, width) if !training => {
                    let (place, width) = (computed_place(i), width.tokens());
                    items.extend(quote! {
                        const #place: usize = #computed_at;
                        const #name: #rt::PackedOffset = #rt::PackedOffset(__COMPUTED + #place);
                    });
                    computed_at = quote!(#place + #rt::padded(#width));
                }
                PackedVector::Computed(..) => {}
            }
        }
        if !training {
            items.extend(quote! {
                const __COMPUTED: usize = #rt::packed_start(#at, #rt::PACKED_END).0;
                const __COMPUTED_LEN: usize = #computed_at;
                const __PACKED: usize = __COMPUTED + __COMPUTED_LEN + #rt::PACKED_END;
            });
            at = quote!(__PACKED);
        }
    }
    items.extend(quote!(const __PACKED_TRAINING: usize = #at + #rt::PACKED_END;));
    let [m, mt, v, vt] = tables;
    let fields = quote! {
        packed: __PACKED,
        packed_training: __PACKED_TRAINING,
        matrices: &[#m],
        matrices_training: &[#mt],
        vectors: &[#v],
        vectors_training: &[#vt],
        computed: (__COMPUTED, __COMPUTED_LEN),
    };
    Packing { items, fields }
}

/// The code that computes vectors from parameters: the type that implements it, and its items.
pub(super) fn computed(
    rt: &TokenStream,
    plan: &Plan,
    packing: &Packing,
    counter: &mut Counter,
) -> (TokenStream, TokenStream) {
    let mut items = TokenStream::new();
    let mut calls = TokenStream::new();
    let mut done = vec![false; plan.vectors.len()];
    for cell in plan.cells.iter().flatten() {
        for form in [&cell.stream, &cell.inference, &cell.forward, &cell.backward] {
            for one in &form.pack {
                let mut one = one.clone();
                let mut fresh = false;
                // The places that are written: one row that holds all computed vectors.
                let mut stores = Vec::new();
                for s in &mut one.body {
                    if let crate::cell::stages::Statement::Store(v, _) = s {
                        fresh |= !std::mem::replace(&mut done[*v], true);
                        stores.push(*v);
                        *v = stores.len() - 1;
                    }
                }
                if !fresh {
                    continue;
                }
                let names = counter.names();
                let span = proc_macro2::Span::call_site();
                let at = stores.iter().map(|v| {
                    let place = computed_place(*v);
                    quote!(#rt::BufferRef { buffer: 0, offset: #place, after: false, exact: false })
                });
                let at: Vec<TokenStream> = at.collect();
                items.extend(phase(
                    rt,
                    &names,
                    &one,
                    &form.graph,
                    span,
                    |m| packing.matrix(m),
                    |v| packing.vector(v),
                ));
                let Names { table, body } = &names;
                calls.extend(quote! {
                    #rt::run_rows::<__S, #body>(s, m, &#rt::Kernel { stores: &[#(#at),*], ..#table }, 0);
                });
            }
        }
    }
    if calls.is_empty() {
        return (quote!(#rt::Nothing), TokenStream::new());
    }
    let items = quote! {
        #items
        pub enum __Computed {}
        impl #rt::Computed for __Computed {
            #[inline(always)]
            fn run<__S: #rt::Simd>(s: __S, m: &mut #rt::Memory<'_>) { #calls }
        }
    };
    (quote!(__Computed), items)
}

/// `ParamSpec`s.
pub(super) fn params(rt: &TokenStream, params: &[ModelParam]) -> TokenStream {
    let specs = params.iter().map(|p| {
        let (name, trainable) = (&p.name, p.trainable);
        let shape = p.shape.iter().map(Size::tokens);
        let init = initializer(rt, &p.init);
        let (l1, l2) = (p.regularizer.l1 as f32, p.regularizer.l2 as f32);
        let constraint = constraint(rt, p.constraint.as_ref());
        quote! {
            #rt::ParamSpec {
                name: #name, shape: &[#(#shape),*], init: #init, trainable: #trainable,
                regularizer: #rt::Regularizer { l1: #l1, l2: #l2 }, constraint: #constraint,
            }
        }
    });
    quote!(&[#(#specs),*])
}

fn constraint(rt: &TokenStream, c: Option<&Constraint>) -> TokenStream {
    let c = match c {
        None => return none(),
        Some(c) => c,
    };
    // Lowering has counted them from the start.
    let of_param = |axes: &[i64]| -> Vec<usize> { axes.iter().map(|a| *a as usize).collect() };
    let c = match c {
        Constraint::NonNeg => quote!(NonNeg),
        Constraint::UnitNorm { axis } => {
            let axis = of_param(axis);
            quote!(UnitNorm { axis: &[#(#axis),*] })
        }
        Constraint::MaxNorm { max, axis } => {
            let (max, axis) = (*max as f32, of_param(axis));
            quote!(MaxNorm { max: #max, axis: &[#(#axis),*] })
        }
        Constraint::MinMaxNorm {
            min,
            max,
            rate,
            axis,
        } => {
            let (min, max, rate) = (*min as f32, *max as f32, *rate as f32);
            let axis = of_param(axis);
            quote!(MinMaxNorm { min: #min, max: #max, rate: #rate, axis: &[#(#axis),*] })
        }
    };
    some(&quote!(#rt::Constraint::#c))
}

fn initializer(rt: &TokenStream, init: &Initializer) -> TokenStream {
    let init = match init {
        Initializer::OnesIn(start, end, rest) => {
            let rest = initializer(rt, rest);
            let (start, end) = (start.tokens(), end.tokens());
            return quote!(#rt::Init::OnesIn { start: #start, end: #end, rest: &#rest });
        }
        Initializer::Named(name, given) => {
            let of = |i: usize| {
                let default = numbers_of(name).get(i).map_or(0.0, |(_, x)| *x);
                given.get(i).copied().unwrap_or(default) as f32
            };
            let (a, b) = (of(0), of(1));
            match name.as_str() {
                "constant" => return quote!(#rt::Init::Constant(#a)),
                "orthogonal" => return quote!(#rt::Init::Orthogonal { gain: #a }),
                "identity" => return quote!(#rt::Init::Identity { gain: #a }),
                "random_uniform" => {
                    return quote!(#rt::Init::RandomUniform { minval: #a, maxval: #b });
                }
                "random_normal" => return quote!(#rt::Init::RandomNormal { mean: #a, stddev: #b }),
                "truncated_normal" => {
                    return quote!(#rt::Init::TruncatedNormal { mean: #a, stddev: #b });
                }
                "variance_scaling" => {
                    let mode = match b as usize {
                        0 => quote!(FanIn),
                        1 => quote!(FanOut),
                        _ => quote!(FanAvg),
                    };
                    let distribution = match of(2) as usize {
                        0 => quote!(TruncatedNormal),
                        1 => quote!(UntruncatedNormal),
                        _ => quote!(Uniform),
                    };
                    return quote! {
                        #rt::Init::VarianceScaling {
                            scale: #a, mode: #rt::FanMode::#mode,
                            distribution: #rt::Distribution::#distribution,
                        }
                    };
                }
                "zeros" => "Zeros",
                "ones" => "Ones",
                "glorot_normal" => "GlorotNormal",
                "he_uniform" => "HeUniform",
                "he_normal" => "HeNormal",
                "lecun_uniform" => "LecunUniform",
                "lecun_normal" => "LecunNormal",
                _ => "GlorotUniform",
            }
        }
    };
    let init = Ident::new(init, proc_macro2::Span::call_site());
    quote!(#rt::Init::#init)
}
