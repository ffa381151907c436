//! A cell over time, forwards and backwards.

use super::{Times, on};
use crate::cpu::{
    kernel::{AllPositions, Memory, PanelFormat, Panels, Positions},
    simd::{Isa, Op, Simd},
};

/// A cell's kernels, in order. Generated. Each runs for the positions `a`: all of them, or those that a
/// mask leaves.
pub trait Scan {
    /// What is computed for all steps at once, before the scan. `input_gradient` is false if
    /// nobody wants the gradient of the input.
    fn pre<S: Simd, W: PanelFormat, A: Positions>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        times: Times,
        input_gradient: bool,
        a: &A,
    );
    /// One step.
    fn step<S: Simd, W: PanelFormat, A: Positions>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        t: usize,
        a: &A,
    );
    /// What is computed for all steps at once, after the scan.
    fn post<S: Simd, W: PanelFormat, A: Positions>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        times: Times,
        input_gradient: bool,
        a: &A,
    );

    /// The scan from the first step to the last without a mask: a loop, unless the plan unrolled
    /// it.
    #[inline(always)]
    fn scan<S: Simd, W: PanelFormat>(s: S, m: &mut Memory<'_>, w: Panels<'_, W>, times: Times) {
        for t in times.range() {
            Self::step(s, m, w, t, &AllPositions);
        }
    }
}

struct Forward<'a, 'b, W: PanelFormat, C> {
    m: &'a mut Memory<'b>,
    w: Panels<'a, W>,
    times: Times,
    cell: std::marker::PhantomData<C>,
}

impl<W: PanelFormat, C: Scan> Op for Forward<'_, '_, W, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        C::pre(s, self.m, self.w, self.times, true, &AllPositions);
        C::scan(s, self.m, self.w, self.times);
        C::post(s, self.m, self.w, self.times, true, &AllPositions);
    }
}

/// Runs a cell forwards for the rows of `m`, on this thread.
pub fn forward<C: Scan, W: PanelFormat>(
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

impl<W: PanelFormat, C: Scan> Op for Backward<'_, '_, W, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        C::pre(
            s,
            self.m,
            self.w,
            self.times,
            self.input_gradient,
            &AllPositions,
        );
        for t in self.times.range().rev() {
            C::step(s, self.m, self.w, t, &AllPositions);
        }
        C::post(
            s,
            self.m,
            self.w,
            self.times,
            self.input_gradient,
            &AllPositions,
        );
    }
}

/// Runs a cell's backward form for the rows of `m`, on this thread.
pub fn backward<C: Scan, W: PanelFormat>(
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
