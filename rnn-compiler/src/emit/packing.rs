//! The positions of weights: in the flat block of parameters, and packed.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::{
    cells::Counter,
    cuda,
    kernel::{Names, Rows, kernel},
    names::{none, some},
    tables::{Print, packed, param},
};
use crate::{
    cell::{CellConstant, Initializer, numbers_of, size::Size},
    diagnostics::Sound,
    ir::{Constraint, ModelParam, Packed, ParamId, Symbolic},
    kernels::Statement,
    schedule::Plan,
    syntax::path_text,
};

/// The `const`s that say where weights are: `__O2` of a parameter, `__M4` of a packed matrix, `__V1`
/// of a packed vector; and the tables of what is packed.
pub(super) struct Packing {
    /// `const` items.
    pub items: TokenStream,
    /// Fields of `StreamInfo`.
    pub stream_fields: TokenStream,
    /// Fields of `ModelInfo`.
    pub fields: TokenStream,
}

fn product(shape: &[Size]) -> TokenStream {
    shape.iter().fold(Size::known(1), |n, s| &n * s).tokens()
}

/// Emits all offsets, and the tables that say what is packed where.
pub(super) fn packing(rt: &TokenStream, plan: &Plan) -> Packing {
    let mut items = TokenStream::new();
    let mut at = quote!(0);
    for (i, p) in plan.graph.params.iter().enumerate() {
        let (name, len) = (param(ParamId(i)), product(&p.shape));
        items.extend(quote!(const #name: #rt::WeightOffset = #rt::WeightOffset(#at);));
        at = quote!(#name.0 + #len);
    }
    // Inference: matrices, vectors, computed vectors; then what only training needs.
    let mut at = quote!(0);
    let mut matrices = [TokenStream::new(), TokenStream::new()];
    let mut vectors = [TokenStream::new(), TokenStream::new()];
    for training in [false, true] {
        let table = usize::from(training);
        for id in plan.packed_order(training) {
            let name = packed(id);
            match id {
                Packed::Matrix(i) => {
                    let m = &plan.matrices[i];
                    let (k, width, gates) = (m.k.tokens(), m.width.tokens(), m.gates.len());
                    items.extend(
                        quote!(const #name: #rt::PackedOffset = #rt::packed_start(#at, #width);),
                    );
                    at = quote!(#name.0 + #rt::packed_len(#k, #gates, #width));
                    let gates = m.gates.iter().map(|gate| gate.print(rt));
                    matrices[table].extend(quote!(#(#gates,)*));
                }
                Packed::Vector(i) => {
                    let Some((from, width)) = plan.vectors[i].given() else {
                        continue;
                    };
                    let vector = rnn_tables::PackedVector::<Symbolic> {
                        from,
                        width: width.clone(),
                        to: id,
                    };
                    let (vector, width) = (vector.print(rt), width.tokens());
                    // Whole vectors are read, so they are aligned as wide panels are.
                    items.extend(
                        quote!(const #name: #rt::PackedOffset = #rt::packed_start(#at, #rt::READ_PAST);),
                    );
                    at = quote!(#name.0 + #rt::padded(#width));
                    vectors[table].extend(quote!(#vector,));
                }
            }
        }
        if !training {
            let mut end = quote!(__COMPUTED);
            for (i, width) in plan.computed_vectors() {
                let (name, width) = (packed(Packed::Vector(i)), width.tokens());
                items.extend(quote!(const #name: #rt::PackedOffset = #rt::PackedOffset(#end);));
                end = quote!(#name.0 + #rt::padded(#width));
            }
            items.extend(quote! {
                // Kernels that compute vectors read what is packed before the computed vectors.
                const __COMPUTED: usize = #rt::packed_start(#at, #rt::READ_PAST).0 + #rt::READ_PAST;
                const __COMPUTED_LEN: usize = #end - __COMPUTED;
                const __PACKED: usize = __COMPUTED + __COMPUTED_LEN;
            });
            at = quote!(__PACKED);
        }
    }
    items.extend(quote!(const __PACKED_TRAINING: usize = #at + #rt::READ_PAST;));
    let ([m, mt], [v, vt]) = (matrices, vectors);
    let weights = plan.graph.params.len().checked_sub(1);
    let weights = weights.map_or(quote!(0), |last| {
        let (start, len) = (
            param(ParamId(last)),
            product(&plan.graph.params[last].shape),
        );
        quote!(#start.0 + #len)
    });
    Packing {
        items,
        stream_fields: quote! {
            weights: #weights,
            packed: __PACKED,
            matrices: &[#m],
            vectors: &[#v],
            computed: (__COMPUTED, __COMPUTED_LEN),
        },
        fields: quote! {
            packed_training: __PACKED_TRAINING,
            matrices_training: &[#mt],
            vectors_training: &[#vt],
        },
    }
}

/// The code that computes vectors from parameters when weights are packed.
pub(super) struct ComputedVectors {
    /// The type that implements it on the CPU.
    pub program: TokenStream,
    /// The items of that type.
    pub items: TokenStream,
    /// Its kernels on a CUDA device.
    pub cuda: TokenStream,
}

/// Emits the code that computes vectors from parameters.
pub(super) fn computed(
    rt: &TokenStream,
    plan: &Plan,
    counter: &mut Counter,
) -> Sound<ComputedVectors> {
    let mut items = TokenStream::new();
    let mut on_device = TokenStream::new();
    let mut calls = TokenStream::new();
    let mut done = vec![false; plan.vectors.len()];
    for cell in plan.cells.iter().flatten() {
        for form in [&cell.stream, &cell.inference, &cell.forward, &cell.backward] {
            for one in &form.weight_time {
                let mut one = one.clone();
                let mut fresh = false;
                // One row holds all computed vectors.
                let mut stores = Vec::new();
                for s in &mut one.body {
                    if let Statement::Store(v, _) = s {
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
                let at = stores.iter().map(|&v| {
                    let at = packed(Packed::Vector(v));
                    quote!(#rt::BufferRef { buffer: 0, offset: #at.0 - __COMPUTED, after: false, exact: false })
                });
                let at: Vec<TokenStream> = at.collect();
                items.extend(kernel(rt, &names, &one, &form.graph, span, Rows::Some)?);
                let Names { table, body } = &names;
                let table = quote!(#rt::Kernel { stores: &[#(#at),*], ..#table });
                calls.extend(quote! {
                    #rt::run_all::<__S, __W, #body>(s, m, w, &#table, 0, 1);
                });
                let one_on_device = cuda::kernel_of(rt, &table, &one, &form.graph)?;
                on_device.extend(quote!(#one_on_device,));
            }
        }
    }
    if calls.is_empty() {
        return Ok(ComputedVectors {
            program: quote!(#rt::Nothing),
            items: TokenStream::new(),
            cuda: TokenStream::new(),
        });
    }
    let items = quote! {
        #items
        pub enum __Computed {}
        impl #rt::Computed for __Computed {
            #[inline(always)]
            fn run<__S: #rt::Simd, __W: #rt::PanelFormat>(s: __S, m: &mut #rt::Memory<'_>, w: #rt::Panels<'_, __W>) { #calls }
        }
    };
    Ok(ComputedVectors {
        program: quote!(__Computed),
        items,
        cuda: on_device,
    })
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

/// The checks that numbers of the program have the shapes of their parameters: rustc alone knows both.
pub(super) fn own_shapes(params: &[ModelParam]) -> TokenStream {
    let checks = params.iter().filter_map(|p| {
        let own = own_numbers(&p.init)?;
        let (cell, constant) = (&own.cell, own.constant());
        let written = path_text(&own.written);
        let shape = p.shape.iter().map(ToString::to_string);
        let shape = shape.collect::<Vec<_>>().join(", ");
        let message = format!(
            "[RNN0251]: `{}` has the shape [{shape}], and the array `{written}` has another",
            p.name
        );
        let sizes = p.shape.iter().map(Size::tokens);
        Some(quote_spanned! {own.span=>
            const _: () = ::core::assert!(#cell::#constant.fits(&[#(#sizes),*]), #message);
        })
    });
    checks.collect()
}

/// The numbers of the program in an initialiser.
fn own_numbers(init: &Initializer) -> Option<&CellConstant> {
    match init {
        Initializer::Own(own) => Some(own),
        Initializer::OnesIn(_, _, rest) => own_numbers(rest),
        Initializer::Named(..) => None,
    }
}

fn constraint(rt: &TokenStream, c: Option<&Constraint>) -> TokenStream {
    let c = match c {
        None => return none(),
        Some(c) => c,
    };
    // Lowering has made all axes count from the start.
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
        Initializer::Own(own) => {
            let (cell, constant) = (&own.cell, own.constant());
            return quote!(#rt::Init::Own(#cell::#constant));
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
