//! A cell over time, forwards and backwards.

use super::{Times, on};
use crate::cpu::{
    kernel::{Every, Memory, PanelFormat, Panels, Places},
    simd::{Isa, Op, Simd},
};

/// A cell's phases, in order. Generated. Each runs for the places `a`: all of them, or those that a
/// mask leaves.
pub trait Sweep {
    /// What is computed for all steps at once, before the sweep. `input_gradient` is false if
    /// nobody wants the gradient of the input.
    fn pre<S: Simd, W: PanelFormat, A: Places>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        times: Times,
        input_gradient: bool,
        a: &A,
    );
    /// One step.
    fn step<S: Simd, W: PanelFormat, A: Places>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        t: usize,
        a: &A,
    );
    /// What is computed for all steps at once, after the sweep.
    fn post<S: Simd, W: PanelFormat, A: Places>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        times: Times,
        input_gradient: bool,
        a: &A,
    );

    /// The sweep from the first step to the last without a mask: a loop, unless the plan unrolled
    /// it.
    #[inline(always)]
    fn sweep<S: Simd, W: PanelFormat>(s: S, m: &mut Memory<'_>, w: Panels<'_, W>, times: Times) {
        for t in times.range() {
            Self::step(s, m, w, t, &Every);
        }
    }
}

struct Forward<'a, 'b, W: PanelFormat, C> {
    m: &'a mut Memory<'b>,
    w: Panels<'a, W>,
    times: Times,
    cell: std::marker::PhantomData<C>,
}

impl<W: PanelFormat, C: Sweep> Op for Forward<'_, '_, W, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        C::pre(s, self.m, self.w, self.times, true, &Every);
        C::sweep(s, self.m, self.w, self.times);
        C::post(s, self.m, self.w, self.times, true, &Every);
    }
}

/// Runs a cell forwards for the rows of `m`, on this thread.
pub fn forward<C: Sweep, W: PanelFormat>(
    isa: Isa,
    m: &mut Memory<'_>,
    w: Panels<'_, W>,
    times: Times,
) {
    let mut m = on(m, times);
    isa.dispatch(Forward::<W, C> {
        m: &mut m,
        w,
        times,
        cell: std::marker::PhantomData,
    });
}

struct Backward<'a, 'b, W: PanelFormat, C> {
    m: &'a mut Memory<'b>,
    w: Panels<'a, W>,
    times: Times,
    input_gradient: bool,
    cell: std::marker::PhantomData<C>,
}

impl<W: PanelFormat, C: Sweep> Op for Backward<'_, '_, W, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        C::pre(s, self.m, self.w, self.times, self.input_gradient, &Every);
        for t in self.times.range().rev() {
            C::step(s, self.m, self.w, t, &Every);
        }
        C::post(s, self.m, self.w, self.times, self.input_gradient, &Every);
    }
}

/// Runs a cell's backward form for the rows of `m`, on this thread.
pub fn backward<C: Sweep, W: PanelFormat>(
    isa: Isa,
    m: &mut Memory<'_>,
    w: Panels<'_, W>,
    times: Times,
    input_gradient: bool,
) {
    let mut m = on(m, times);
    isa.dispatch(Backward::<W, C> {
        m: &mut m,
        w,
        times,
        input_gradient,
        cell: std::marker::PhantomData,
    });
}
