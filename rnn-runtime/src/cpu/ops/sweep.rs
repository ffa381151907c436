//! A cell over time, forwards and backwards.

use super::{Times, on};
use crate::cpu::{
    phase::{Every, Memory, Places},
    simd::{Isa, Op, Simd},
};

/// A cell's phases, in order. Generated. Each runs for the places `a`: all of them, or those that a
/// mask leaves.
pub trait Sweep {
    /// Multiplications for one row and one step, about: decides whether threads pay.
    const COST: usize;

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

/// Below this many multiplications another thread costs more than it saves.
const WORTH_A_THREAD: usize = 400_000;

/// Runs `f` on the rows of `m`, divided among threads if there is so much to do. What `f` computes
/// for a row must not depend on which other rows it is given.
pub fn parallel(m: Memory<'_>, cost_per_row: usize, f: &(impl Fn(Memory<'_>) + Sync)) {
    let rows = m.rows();
    let worth = rows.len().saturating_mul(cost_per_row) / WORTH_A_THREAD;
    divide(m, worth.min(rayon::current_num_threads()), f);
}

fn divide(m: Memory<'_>, threads: usize, f: &(impl Fn(Memory<'_>) + Sync)) {
    let rows = m.rows();
    if threads < 2 || rows.len() < 2 {
        return f(m);
    }
    let left = threads / 2;
    // Whole tiles of four rows where there are enough rows.
    let half = rows.len() * left / threads;
    let half = if half >= 8 { half / 4 * 4 } else { half.max(1) };
    let (a, b) = m.split(rows.start + half);
    rayon::join(|| divide(a, left, f), || divide(b, threads - left, f));
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
