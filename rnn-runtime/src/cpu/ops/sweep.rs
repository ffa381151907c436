//! A cell over time, forwards and backwards.

use super::{Times, on};
use crate::cpu::{
    phase::{Every, Memory, Places, Ref},
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
    let threads = threads(m.rows().len(), cost_per_row);
    divide(m, threads, f);
}

/// How many threads pay for so many rows that cost so many multiplications each; 0 if not even one
/// has enough to do.
pub fn threads(rows: usize, cost_per_row: usize) -> usize {
    let worth = rows.saturating_mul(cost_per_row) / WORTH_A_THREAD;
    worth.min(rayon::current_num_threads())
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

/// The same where a mask, a sequence of width 1, leaves some steps of a row only: rows are divided
/// so that threads get about as many steps, not rows.
pub fn parallel_masked(
    m: Memory<'_>,
    cost_per_step: usize,
    mask: &Ref,
    times: Times,
    f: &(impl Fn(Memory<'_>) + Sync),
) {
    let real = |row| {
        let counts = |&t: &usize| m.row(mask, 1, t, row)[0] != 0.0;
        times.range().filter(counts).count()
    };
    let steps: Vec<usize> = m.rows().map(real).collect();
    let worth = steps.iter().sum::<usize>().saturating_mul(cost_per_step) / WORTH_A_THREAD;
    divide_by(m, &steps, worth.min(rayon::current_num_threads()), f);
}

fn divide_by(m: Memory<'_>, steps: &[usize], threads: usize, f: &(impl Fn(Memory<'_>) + Sync)) {
    if threads < 2 || steps.len() < 2 {
        return f(m);
    }
    let left = threads / 2;
    let half = share(steps, left, threads);
    let middle = m.rows().start + half;
    let (a, b) = m.split(middle);
    let (sa, sb) = steps.split_at(half);
    rayon::join(
        || divide_by(a, sa, left, f),
        || divide_by(b, sb, threads - left, f),
    );
}

/// How many rows, at least one and not all, have about `left` of `threads` parts of the steps.
fn share(steps: &[usize], left: usize, threads: usize) -> usize {
    let wanted = steps.iter().sum::<usize>() * left / threads;
    let mut sum = 0;
    let enough = |n: &usize| {
        sum += n;
        sum >= wanted
    };
    let rows = steps.iter().position(enough).map_or(1, |row| row + 1);
    // Whole tiles of four rows where there are enough rows.
    let rows = if rows >= 8 { rows / 4 * 4 } else { rows };
    rows.clamp(1, steps.len() - 1)
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

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn threads_share_steps_rather_than_rows() {
        // Sorted by length: the first three rows have half of the steps.
        assert_eq!(share(&[10, 8, 6, 4, 4, 4, 4, 4, 4], 1, 2), 3);
        assert_eq!(share(&[5; 16], 1, 2), 8);
        assert_eq!(share(&[5; 22], 1, 2), 8);
        // Each gets a row, whatever is in it.
        assert_eq!(share(&[0, 0, 9], 1, 2), 2);
        assert_eq!(share(&[9, 0, 0], 1, 2), 1);
        assert_eq!(share(&[0, 0], 1, 2), 1);
    }
}
