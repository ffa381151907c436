//! Prints the forms of a cell: each is an implementation of the runtime's `Scan`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{
    cuda,
    kernel::{Names, Rows, kernel},
};
use crate::{
    diagnostics::Sound,
    schedule::{Kernels, PlannedKernel},
};

/// Numbers the kernels of a model.
#[derive(Default)]
pub(super) struct Counter(usize);

/// Items that have been emitted, and the calls that run them.
pub(super) struct Emitted {
    pub items: TokenStream,
    /// The kernels, in order.
    pub prologue: Vec<Call>,
    pub step: Vec<Call>,
    pub post_loop: Vec<Call>,
    /// The same kernels for a CUDA device: a `CudaScan`.
    pub cuda: TokenStream,
}

/// A kernel that has been emitted, and what it serves.
pub(super) struct Call {
    names: Names,
    only_input_gradient: bool,
    only_state_gradients: bool,
}

/// Emits the kernels of one form of a layer that stands at `span`, for `rows`.
pub(super) fn kernels(
    rt: &TokenStream,
    k: &Kernels,
    span: Span,
    counter: &mut Counter,
    rows: Rows<'_>,
) -> Sound<Emitted> {
    let span = Span::call_site().located_at(span);
    let mut items = TokenStream::new();
    let mut lists = Vec::new();
    let mut list = |kernels: &[PlannedKernel]| -> Sound<Vec<Call>> {
        let mut calls = Vec::new();
        let mut on_device = TokenStream::new();
        for one in kernels {
            let names = counter.names();
            items.extend(kernel(rt, &names, one, &k.graph, span, rows)?);
            let one_on_device = cuda::kernel(rt, &names.table, one, &k.graph)?;
            on_device.extend(quote!(#one_on_device,));
            calls.push(Call {
                names,
                only_input_gradient: one.only_input_gradient,
                only_state_gradients: one.only_state_gradients,
            });
        }
        lists.push(on_device);
        Ok(calls)
    };
    let (prologue, step, post_loop) = (list(&k.prologue)?, list(&k.step)?, list(&k.post_loop)?);
    let parts = ["prologue", "step", "post_loop"].map(|name| format_ident!("{name}"));
    Ok(Emitted {
        items,
        prologue,
        step,
        post_loop,
        cuda: quote!(#rt::CudaScan { #(#parts: &[#lists]),* }),
    })
}

/// `impl Scan` for the kernels of one form. `first`: the gradients of the states before the first step
/// are needed.
pub(super) fn scan(
    rt: &TokenStream,
    name: &Ident,
    e: &Emitted,
    unroll: Option<usize>,
    first: bool,
) -> TokenStream {
    let items = &e.items;
    let all = |list: &[Call]| -> TokenStream {
        list.iter()
            .map(|call| {
                let Names { table, body } = &call.names;
                let run =
                    quote!(#rt::all_at::<__S, __W, #body, __A>(s, m, w, &#table, times.first, times.steps, a););
                if call.only_input_gradient {
                    quote!(if input_gradient { #run })
                } else {
                    run
                }
            })
            .collect()
    };
    let (pre, post) = (all(&e.prologue), all(&e.post_loop));
    let step = steps(rt, &e.step, first, Some(quote!(a)));
    let unrolled = unroll.map(|n| {
        let straight = (0..n).map(|t| quote!(<Self as #rt::Scan>::step(s, m, w, #t, &#rt::AllPositions);));
        quote! {
            #[inline(always)]
            fn scan<__S: #rt::Simd, __W: #rt::PanelFormat>(s: __S, m: &mut #rt::Memory<'_>, w: #rt::Panels<'_, __W>, times: #rt::Times) {
                // Without optimisation every step in a row would take stack of its own.
                let stack = ::core::cfg!(debug_assertions) && #n > 3;
                if stack || times.first != 0 || times.steps != #n {
                    for t in times.range() {
                        <Self as #rt::Scan>::step(s, m, w, t, &#rt::AllPositions);
                    }
                    return;
                }
                #(#straight)*
            }
        }
    });
    quote! {
        #items
        enum #name {}
        impl #rt::Scan for #name {
            #[inline(always)]
            fn pre<__S: #rt::Simd, __W: #rt::PanelFormat, __A: #rt::Positions>(s: __S, m: &mut #rt::Memory<'_>, w: #rt::Panels<'_, __W>, times: #rt::Times, input_gradient: bool, a: &__A) { #pre }
            #[inline(always)]
            fn step<__S: #rt::Simd, __W: #rt::PanelFormat, __A: #rt::Positions>(s: __S, m: &mut #rt::Memory<'_>, w: #rt::Panels<'_, __W>, t: usize, a: &__A) { #step }
            #[inline(always)]
            fn post<__S: #rt::Simd, __W: #rt::PanelFormat, __A: #rt::Positions>(s: __S, m: &mut #rt::Memory<'_>, w: #rt::Panels<'_, __W>, times: #rt::Times, input_gradient: bool, a: &__A) { #post }
            #unrolled
        }
    }
}

/// The calls of the kernels of one step, for the (time, row) positions `a`, or for the one row of a
/// stream without them. `first`: the gradients of the states before the first step are needed, too.
pub(super) fn steps(
    rt: &TokenStream,
    list: &[Call],
    first: bool,
    a: Option<TokenStream>,
) -> TokenStream {
    let calls = list.iter().map(|call| {
        let Names { table, body } = &call.names;
        let run = match &a {
            Some(a) => {
                quote_spanned!(body.span()=> #rt::step_at::<__S, __W, #body, __A>(s, m, w, &#table, t, #a);)
            }
            None => quote_spanned!(body.span()=> #rt::run_step::<__S, __W, #body>(s, m);),
        };
        if call.only_state_gradients && !first {
            quote!(if t > 0 { #run })
        } else {
            run
        }
    });
    quote!(#(#calls)*)
}

/// The name of a form's implementation: `__Inference3`.
pub(super) fn form(what: &str, op: usize) -> Ident {
    format_ident!("__{what}{op}")
}

impl Counter {
    /// Names for the next kernel.
    pub fn names(&mut self) -> Names {
        self.0 += 1;
        Names::new(self.0 - 1)
    }
}
