//! A cell over time, forwards and backwards.

use super::{Times, on};
use crate::cpu::{
    phase::{Every, Memory, Places},
    simd::{Isa, Op, Simd},
};

/// A cell's phases, in order. Generated. Each runs for the places `a`: all of them, or those that a
/// mask leaves.
pub trait Sweep {
    /// What is computed for all steps at once, before the sweep. `input_gradient` is false if
    /// nobody wants the gradient of the input.
    fn pre<S: Simd, A: Places>(s: S, m: &mut Memory<'_>, times: Times, input_gradient: bool, a: &A);
    /// One step.
    fn step<S: Simd, A: Places>(s: S, m: &mut Memory<'_>, t: usize, a: &A);
    /// What is computed for all steps at once, after the sweep.
    fn post<S: Simd, A: Places>(
        s: S,
        m: &mut Memory<'_>,
        times: Times,
        input_gradient: bool,
        a: &A,
    );

    /// The sweep from the first step to the last without a mask: a loop, unless the plan unrolled
    /// it.
    #[inline(always)]
    fn sweep<S: Simd>(s: S, m: &mut Memory<'_>, times: Times) {
        for t in times.range() {
            Self::step(s, m, t, &Every);
        }
    }
}

struct Forward<'a, 'b, C> {
    m: &'a mut Memory<'b>,
    times: Times,
    cell: std::marker::PhantomData<C>,
}

impl<C: Sweep> Op for Forward<'_, '_, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        C::pre(s, self.m, self.times, true, &Every);
        C::sweep(s, self.m, self.times);
        C::post(s, self.m, self.times, true, &Every);
    }
}

/// Runs a cell forwards for the rows of `m`, on this thread.
pub fn forward<C: Sweep>(isa: Isa, m: &mut Memory<'_>, times: Times) {
    let mut m = on(m, times);
    isa.dispatch(Forward::<C> {
        m: &mut m,
        times,
        cell: std::marker::PhantomData,
    });
}

struct Backward<'a, 'b, C> {
    m: &'a mut Memory<'b>,
    times: Times,
    input_gradient: bool,
    cell: std::marker::PhantomData<C>,
}

impl<C: Sweep> Op for Backward<'_, '_, C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        C::pre(s, self.m, self.times, self.input_gradient, &Every);
        for t in self.times.range().rev() {
            C::step(s, self.m, t, &Every);
        }
        C::post(s, self.m, self.times, self.input_gradient, &Every);
    }
}

/// Runs a cell's backward form for the rows of `m`, on this thread.
pub fn backward<C: Sweep>(isa: Isa, m: &mut Memory<'_>, times: Times, input_gradient: bool) {
    let mut m = on(m, times);
    isa.dispatch(Backward::<C> {
        m: &mut m,
        times,
        input_gradient,
        cell: std::marker::PhantomData,
    });
}
