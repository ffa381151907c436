//! A cell over time, forwards and backwards.

use super::Times;
use crate::cpu::{
    phase::Memory,
    simd::{Isa, Op, Simd},
};

/// A cell's phases, in order. Generated.
pub trait Sweep {
    /// Multiplications for one row and one step, about: decides whether threads pay.
    const COST: usize;

    /// What is computed for all steps at once, before the sweep. `input_gradient` is false if
    /// nobody wants the gradient of the input.
    fn pre<S: Simd>(s: S, m: &mut Memory<'_>, times: Times, input_gradient: bool);
    /// One step.
    fn step<S: Simd>(s: S, m: &mut Memory<'_>, t: usize);
    /// What is computed for all steps at once, after the sweep.
    fn post<S: Simd>(s: S, m: &mut Memory<'_>, times: Times, input_gradient: bool);

    /// The sweep from the first step to the last: a loop, unless the plan unrolled it.
    #[inline(always)]
    fn sweep<S: Simd>(s: S, m: &mut Memory<'_>, times: Times) {
        for t in times.range() {
            Self::step(s, m, t);
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
        C::pre(s, self.m, self.times, true);
        C::sweep(s, self.m, self.times);
        C::post(s, self.m, self.times, true);
    }
}

/// Runs a cell forwards for the rows of `m`, on this thread.
pub fn forward<C: Sweep>(isa: Isa, m: &mut Memory<'_>, times: Times) {
    isa.dispatch(Forward::<C> {
        m,
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
        C::pre(s, self.m, self.times, self.input_gradient);
        for t in self.times.range().rev() {
            C::step(s, self.m, t);
        }
        C::post(s, self.m, self.times, self.input_gradient);
    }
}

/// Runs a cell's backward form for the rows of `m`, on this thread.
pub fn backward<C: Sweep>(isa: Isa, m: &mut Memory<'_>, times: Times, input_gradient: bool) {
    isa.dispatch(Backward::<C> {
        m,
        times,
        input_gradient,
        cell: std::marker::PhantomData,
    });
}
