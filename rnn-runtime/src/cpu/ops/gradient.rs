//! Gradients of weights: one product over all rows and steps, after the scan.
//!
//! The work is divided by positions of the gradient, never by rows, and each sum runs over rows and
//! steps in order: the result does not depend on the number of threads.

use rayon::prelude::*;
use rnn_tables::{BufferRef, MatrixGradient, VectorGradient};

use super::{Times, on};
use crate::cpu::{
    kernel::{AllPositions, Memory, PositionList, Positions, ValidPositions},
    simd::{Isa, Op, Simd},
};

/// One past the last float of the last row that the rectangle touches, among all weights; `None` if
/// there is no such number, or if the rectangle is wider than the parameter. Every float of the
/// rectangle is before it, and so is every number that [`overlap`] computes: none of them wraps.
fn end(g: &MatrixGradient) -> Option<usize> {
    let to = &g.to;
    let inside = to.column.checked_add(g.width)? <= to.columns;
    let rows = to.row.checked_add(g.k)?;
    let end = rows.checked_mul(to.columns)?.checked_add(to.param.0)?;
    inside.then_some(end)
}

/// Rows of the gradient that one task computes.
const TASK_ROWS: usize = 12;
/// Rows of a register tile.
const R: usize = 6;
/// Rows and steps that are added in one go, roughly: so many columns of both operands stay in the
/// first cache while all tiles of a task go over them, and the others in the second.
const PLACES: usize = 128;

/// Where a task may write: its own positions of the gradients.
#[derive(Clone, Copy)]
struct Target {
    base: *mut f32,
    len: usize,
}
// SAFETY: tasks write to positions that no other task writes to: other rows of a matrix, or another
// matrix; `weight_gradients` runs matrices that share a parameter one after the other.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

enum Task<'a> {
    Matrix(&'a MatrixGradient, usize),
    Vector(&'a VectorGradient),
}

/// Adds the gradients of one layer's weights to `gradients`.
///
/// # Panics
/// If a buffer or a parameter is not within its slice.
pub fn weight_gradients(
    isa: Isa,
    m: &mut Memory<'_>,
    matrices: &[MatrixGradient],
    vectors: &[VectorGradient],
    gradients: &mut [f32],
    times: Times,
) {
    let m = on(m, times);
    all(isa, &m, matrices, vectors, gradients, times, &AllPositions);
}

/// The same over the positions that a mask leaves, a sequence of width 1 that is 0 at the others.
///
/// # Panics
/// As [`weight_gradients`].
pub fn weight_gradients_masked(
    isa: Isa,
    m: &mut Memory<'_>,
    matrices: &[MatrixGradient],
    vectors: &[VectorGradient],
    gradients: &mut [f32],
    times: Times,
    mask: &BufferRef,
) {
    let m = on(m, times);
    let valid = ValidPositions::new(&m, mask, times.first, times.steps);
    all(isa, &m, matrices, vectors, gradients, times, &valid);
}

fn all<A: Positions>(
    isa: Isa,
    m: &Memory<'_>,
    matrices: &[MatrixGradient],
    vectors: &[VectorGradient],
    gradients: &mut [f32],
    times: Times,
    positions: &A,
) {
    if times.steps == 0 {
        return;
    }
    let last = times.first + times.steps - 1;
    let mut cost = 0usize;
    for g in matrices {
        m.check_whole(&g.operand, g.k, last);
        m.check_whole(&g.gradient, g.width, last);
        let fits = end(g).is_some_and(|end| end <= gradients.len());
        assert!(fits, "a parameter is too small");
        cost = g.k.saturating_mul(g.width).saturating_add(cost);
    }
    for v in vectors {
        m.check_whole(&v.gradient, v.width, last);
        let to = &v.to;
        let start = to.param.0.checked_add(to.offset);
        let end = start.and_then(|s| s.checked_add(v.width));
        let fits = end.is_some_and(|end| end <= gradients.len());
        assert!(fits, "a parameter is too small");
    }
    let target = Target {
        base: gradients.as_mut_ptr(),
        len: gradients.len(),
    };
    let rows = m.rows().len().max(1);
    let steps = (PLACES / rows).max(1);
    let parts: Vec<_> = (0..times.steps)
        .step_by(steps)
        .map(|t| positions.all(m, times.first + t, steps.min(times.steps - t)))
        .collect();
    let at = &positions.all(m, times.first, times.steps);
    let threads = at.count().saturating_mul(cost) > 400_000 && rayon::current_num_threads() > 1;
    // Parts of a parameter that do not overlap run at once; others in turns.
    let mut turns: Vec<Vec<usize>> = Vec::new();
    for (i, g) in matrices.iter().enumerate() {
        let free = turns
            .iter_mut()
            .find(|turn| turn.iter().all(|&j| !overlap(g, &matrices[j])));
        match free {
            Some(turn) => turn.push(i),
            None => turns.push(vec![i]),
        }
    }
    for turn in &turns {
        let tasks: Vec<Task<'_>> = turn
            .iter()
            .flat_map(|&i| {
                (0..matrices[i].k)
                    .step_by(TASK_ROWS)
                    .map(move |row| (i, row))
            })
            .map(|(i, row)| Task::Matrix(&matrices[i], row))
            .collect();
        run(isa, m, &tasks, target, &parts, threads);
    }
    // Vectors may share positions: one after the other. Rows that a mask leaves out have sums of zero.
    let once = AllPositions.all(m, times.first, 1);
    for v in vectors {
        let task = &[Task::Vector(v)];
        if v.accumulated {
            run(isa, m, task, target, std::slice::from_ref(&once), false);
        } else {
            run(isa, m, task, target, std::slice::from_ref(at), false);
        }
    }
}

/// Whether two parts may have floats in common.
fn overlap(a: &MatrixGradient, b: &MatrixGradient) -> bool {
    let (s, t) = (&a.to, &b.to);
    if s.param == t.param && s.columns == t.columns {
        return s.row < t.row + b.k
            && t.row < s.row + a.k
            && s.column < t.column + b.width
            && t.column < s.column + a.width;
    }
    // Of two parameters, or one parameter seen in two ways: by the floats that they span.
    let span = |g: &MatrixGradient| {
        let start = g.to.param.0 + g.to.row * g.to.columns;
        (start, start + g.k * g.to.columns)
    };
    let ((a, a_end), (b, b_end)) = (span(a), span(b));
    a < b_end && b < a_end
}

fn run<A: PositionList>(
    isa: Isa,
    m: &Memory<'_>,
    tasks: &[Task<'_>],
    target: Target,
    parts: &[A],
    threads: bool,
) {
    let one = |task: &Task<'_>| {
        isa.dispatch(Run {
            m,
            task,
            target,
            parts,
        });
    };
    if threads {
        tasks.par_iter().for_each(one);
    } else {
        tasks.iter().for_each(one);
    }
}

struct Run<'a, 'b, A> {
    m: &'a Memory<'b>,
    task: &'a Task<'a>,
    target: Target,
    /// The positions, in order: each part is added to all sums before the next one.
    parts: &'a [A],
}

impl<A: PositionList> Op for Run<'_, '_, A> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.task {
            Task::Matrix(g, first) => {
                let end = (first + TASK_ROWS).min(g.k);
                // Sums so far, a row of whole vectors for each row of the gradient.
                let mut sums = match self.parts.len() {
                    0..=1 => Vec::new(),
                    _ => vec![0.0; (end - first) * g.width.next_multiple_of(S::LANES)],
                };
                let mut found = Vec::new();
                for (n, at) in self.parts.iter().enumerate() {
                    // Addresses that have to be looked up are looked up once, not by every tile.
                    if const { A::LISTED } {
                        found.clear();
                        // SAFETY: `all` checked both buffers for all rows and times.
                        unsafe {
                            at.each(self.m, &g.operand, &g.gradient, |x, y| found.push((x, y)));
                        }
                    }
                    let mut p = Part {
                        at,
                        found: &found,
                        sums: &mut sums,
                        task: *first,
                        first: n == 0,
                        last: n + 1 == self.parts.len(),
                    };
                    let mut i = *first;
                    while i + R <= end {
                        rows::<S, A, R>(s, &self, g, &mut p, i);
                        i += R;
                    }
                    while i + 2 <= end {
                        rows::<S, A, 2>(s, &self, g, &mut p, i);
                        i += 2;
                    }
                    if i < end {
                        rows::<S, A, 1>(s, &self, g, &mut p, i);
                    }
                }
            }
            Task::Vector(v) => {
                let mut j = 0;
                while j < v.width {
                    sums(s, &self, v, j);
                    j += S::LANES;
                }
            }
        }
    }
}

/// Some of the positions on their way into the sums of a task.
struct Part<'a, A> {
    at: &'a A,
    /// Where their operands and deltas are, if they are listed.
    found: &'a [(*const f32, *const f32)],
    /// Sums over the parts before, from row `task` of the gradient on.
    sums: &'a mut [f32],
    task: usize,
    first: bool,
    last: bool,
}

/// `N` rows of the gradient from row `i` on.
#[inline(always)]
fn rows<S: Simd, A: PositionList, const N: usize>(
    s: S,
    run: &Run<'_, '_, A>,
    g: &MatrixGradient,
    p: &mut Part<'_, A>,
    i: usize,
) {
    let mut j = 0;
    // As many columns as leave the accumulators in registers.
    if const { S::REGISTERS >= 32 } {
        while j + 3 * S::LANES < g.width {
            tile::<S, A, N, 4>(s, run, g, p, i, j);
            j += 4 * S::LANES;
        }
    } else {
        while j + S::LANES < g.width {
            tile::<S, A, N, 2>(s, run, g, p, i, j);
            j += 2 * S::LANES;
        }
    }
    while j < g.width {
        tile::<S, A, N, 1>(s, run, g, p, i, j);
        j += S::LANES;
    }
}

#[inline(always)]
fn tile<S: Simd, A: PositionList, const N: usize, const V: usize>(
    s: S,
    run: &Run<'_, '_, A>,
    g: &MatrixGradient,
    p: &mut Part<'_, A>,
    i: usize,
    j: usize,
) {
    let mut acc = [[s.splat(0.0); V]; N];
    let row = g.width.next_multiple_of(S::LANES);
    // Where the sums of vector `v` of row `r` are kept; there is none after the last column.
    let kept = |r: usize, v: usize| {
        let column = j + v * S::LANES;
        let from = (i - p.task + r) * row + column;
        (column < g.width).then_some(from..from + S::LANES)
    };
    if !p.first {
        for (r, acc) in acc.iter_mut().enumerate() {
            for (v, acc) in acc.iter_mut().enumerate() {
                if let Some(range) = kept(r, v) {
                    let from: &[f32] = &p.sums[range];
                    // SAFETY: the slice has as many floats as a vector.
                    *acc = unsafe { s.load(from.as_ptr()) };
                }
            }
        }
    }
    let mut add = |x: *const f32, y: *const f32| {
        // SAFETY: `all` checked both buffers, rounded up to whole vectors (the deltas' rows are
        // padded), for all rows and times, and these are addresses of positions in them.
        unsafe {
            let (x, y) = (x.add(i), y.add(j));
            let mut wide = [s.splat(0.0); V];
            for (v, w) in wide.iter_mut().enumerate() {
                *w = s.load(y.add(v * S::LANES));
            }
            for (r, acc) in acc.iter_mut().enumerate() {
                let x = s.splat(*x.add(r));
                for v in 0..V {
                    acc[v] = s.mul_add(wide[v], x, acc[v]);
                }
            }
        }
    };
    if const { A::LISTED } {
        for &(x, y) in p.found {
            add(x, y);
        }
    } else {
        // SAFETY: `all` checked both buffers.
        unsafe { p.at.each(run.m, &g.operand, &g.gradient, add) };
    }
    if !p.last {
        for (r, acc) in acc.iter().enumerate() {
            for (v, &x) in acc.iter().enumerate() {
                if let Some(range) = kept(r, v) {
                    let to: &mut [f32] = &mut p.sums[range];
                    // SAFETY: the slice has as many floats as a vector.
                    unsafe { s.store(to.as_mut_ptr(), x) };
                }
            }
        }
        return;
    }
    for (r, acc) in acc.iter().enumerate() {
        for (v, &x) in acc.iter().enumerate() {
            let column = j + v * S::LANES;
            if column >= g.width {
                break;
            }
            let n = (g.width - column).min(S::LANES);
            let to = g.to.start() + (i + r) * g.to.columns + column;
            assert!(to + n <= run.target.len, "a parameter is too small");
            // SAFETY: just checked (and `all` refused parts whose positions wrap); no other task has
            // these rows.
            unsafe {
                let p = run.target.base.add(to);
                s.store_partial(p, s.add(s.load_partial(p, n), x), n);
            }
        }
    }
}

/// One vector of column sums.
#[inline(always)]
fn sums<S: Simd, A: PositionList>(s: S, run: &Run<'_, '_, A>, g: &VectorGradient, j: usize) {
    let mut acc = s.splat(0.0);
    // SAFETY: `all` checked this buffer.
    unsafe {
        for at in run.parts {
            at.each(run.m, &g.gradient, &g.gradient, |y, _| {
                acc = s.add(acc, s.load(y.add(j)));
            });
        }
    }
    let n = (g.width - j).min(S::LANES);
    let to = g.to.start() + j;
    assert!(to + n <= run.target.len, "a parameter is too small");
    // SAFETY: just checked (and `all` refused a part whose positions wrap); vectors run one after the
    // other.
    unsafe {
        let p = run.target.base.add(to);
        s.store_partial(p, s.add(s.load_partial(p, n), acc), n);
    }
}
