//! A cell's forms as code: each an implementation of the runtime's `Sweep`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{
    packing::Packing,
    phase::{Names, phase},
};
use crate::{
    cell::size::Size,
    ir::{
        Plan,
        plan::{Phase, Phases},
    },
};

/// Numbers the phases of a model.
#[derive(Default)]
pub(super) struct Counter(usize);

/// Items that have been emitted, and the calls that run them.
pub(super) struct Emitted {
    pub items: TokenStream,
    /// The phases, in order.
    pub pre: Vec<Call>,
    pub step: Vec<Call>,
    pub post: Vec<Call>,
    /// Multiplications for one row and one step.
    pub cost: TokenStream,
}

/// A phase that has been emitted, and what it serves.
pub(super) struct Call {
    names: Names,
    only_input_gradient: bool,
    only_state_gradients: bool,
}

/// Emits the phases of one form.
pub(super) fn phases(
    rt: &TokenStream,
    plan: &Plan,
    packing: &Packing,
    op: usize,
    p: &Phases,
    counter: &mut Counter,
) -> Emitted {
    let span = plan.graph.ops[op].span;
    let span = proc_macro2::Span::call_site().located_at(span);
    let mut items = TokenStream::new();
    let mut list = |phases: &[Phase]| -> Vec<Call> {
        phases
            .iter()
            .map(|one| {
                let names = Names::new(counter.0);
                counter.0 += 1;
                items.extend(phase(
                    rt,
                    &names,
                    one,
                    &p.graph,
                    span,
                    |m| packing.matrix(m),
                    |v| packing.vector(v),
                ));
                Call {
                    names,
                    only_input_gradient: one.only_input_gradient,
                    only_state_gradients: one.only_state_gradients,
                }
            })
            .collect()
    };
    let (pre, step, post) = (list(&p.pre), list(&p.step), list(&p.post));
    let mut terms = Vec::new();
    for one in p.pre.iter().chain(&p.step).chain(&p.post) {
        let width = one.width.tokens();
        terms.push(quote!(16 * (#width)));
        for (segments, gates) in &one.products {
            for s in segments {
                let k: &Size = &s.k;
                let k = k.tokens();
                terms.push(quote!((#k) * (#width) * #gates));
            }
        }
    }
    Emitted {
        items,
        pre,
        step,
        post,
        cost: quote!(0 #(+ #terms)*),
    }
}

/// `impl Sweep` for the phases of one form. `first`: the gradients of the states before the first
/// step are wanted.
pub(super) fn sweep(
    rt: &TokenStream,
    name: &Ident,
    e: &Emitted,
    unroll: Option<usize>,
    first: bool,
) -> TokenStream {
    let Emitted { items, cost, .. } = e;
    let all = |list: &[Call]| -> TokenStream {
        list.iter()
            .map(|call| {
                let Names { table, body } = &call.names;
                let run =
                    quote!(#rt::all_at::<__S, #body, __A>(s, m, &#table, times.first, times.steps, a););
                if call.only_input_gradient {
                    quote!(if input_gradient { #run })
                } else {
                    run
                }
            })
            .collect()
    };
    let (pre, post) = (all(&e.pre), all(&e.post));
    let step = steps(rt, &e.step, first, Some(quote!(a)));
    let unrolled = unroll.map(|n| {
        let straight = (0..n).map(|t| quote!(<Self as #rt::Sweep>::step(s, m, #t, &#rt::Every);));
        quote! {
            #[inline(always)]
            fn sweep<__S: #rt::Simd>(s: __S, m: &mut #rt::Memory<'_>, times: #rt::Times) {
                // Without optimisation every step in a row would take stack of its own.
                let stack = ::core::cfg!(debug_assertions) && #n > 3;
                if stack || times.first != 0 || times.steps != #n {
                    for t in times.range() {
                        <Self as #rt::Sweep>::step(s, m, t, &#rt::Every);
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
        impl #rt::Sweep for #name {
            const COST: usize = #cost;
            #[inline(always)]
            fn pre<__S: #rt::Simd, __A: #rt::Places>(s: __S, m: &mut #rt::Memory<'_>, times: #rt::Times, input_gradient: bool, a: &__A) { #pre }
            #[inline(always)]
            fn step<__S: #rt::Simd, __A: #rt::Places>(s: __S, m: &mut #rt::Memory<'_>, t: usize, a: &__A) { #step }
            #[inline(always)]
            fn post<__S: #rt::Simd, __A: #rt::Places>(s: __S, m: &mut #rt::Memory<'_>, times: #rt::Times, input_gradient: bool, a: &__A) { #post }
            #unrolled
        }
    }
}

/// The calls of the phases of one step, for the places `a` or for all. `first`: the gradients of
/// the states before the first step are wanted, too.
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
                quote_spanned!(body.span()=> #rt::step_at::<__S, #body, __A>(s, m, &#table, t, #a);)
            }
            None => quote_spanned!(body.span()=> #rt::run_rows::<__S, #body>(s, m, &#table, t);),
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
    /// Names for the next phase.
    pub fn names(&mut self) -> Names {
        self.0 += 1;
        Names::new(self.0 - 1)
    }
}
