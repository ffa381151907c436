//! Rows divided among threads.

use super::Times;
use crate::cpu::kernel::Memory;
use rnn_tables::BufferRef;

/// Below this many multiplications another thread costs more than it saves.
pub const WORTH_A_THREAD: usize = 400_000;

/// Multiplications that take as long as one number copied, about.
pub const COPY: usize = 16;

/// Multiplications that take as long as one number drawn at random, about.
pub const DRAW: usize = 64;

/// Runs `f` on the rows of `m`, divided among threads if there is so much to do. What `f` computes
/// for a row must not depend on which other rows it is given.
pub fn parallel(m: Memory<'_>, cost_per_row: usize, f: &(dyn Fn(Memory<'_>) + Sync)) {
    parallel_with::<()>(m, &mut [], cost_per_row, &|m, _| f(m));
}

/// The same; each row also gets its number of `each`, unless `each` is empty.
pub fn parallel_with<T: Send>(
    m: Memory<'_>,
    each: &mut [T],
    cost_per_row: usize,
    f: &(dyn Fn(Memory<'_>, &mut [T]) + Sync),
) {
    let threads = threads(m.rows().len(), cost_per_row);
    divide(m, each, None, threads, f);
}

/// The number of threads that pay for so many items of `work`, each of this `cost` in multiplications; 0 if there is
/// too little for one.
pub fn threads(work: usize, cost: usize) -> usize {
    (work.saturating_mul(cost) / WORTH_A_THREAD).min(rayon::current_num_threads())
}

/// The same for a masked scan. The mask is a sequence of width 1. Rows are divided so that each thread gets about the
/// same number of valid steps, not of rows.
pub fn parallel_masked(
    m: Memory<'_>,
    cost_per_step: usize,
    mask: &BufferRef,
    times: Times,
    f: &(dyn Fn(Memory<'_>) + Sync),
) {
    let real = |row| {
        let counts = |&t: &usize| m.row(mask, 1, t, row)[0] != 0.0;
        times.range().filter(counts).count()
    };
    let steps: Vec<usize> = m.rows().map(real).collect();
    let threads = threads(steps.iter().sum(), cost_per_step);
    divide::<()>(m, &mut [], Some(&steps), threads, &|m, _| f(m));
}

fn divide<T: Send>(
    m: Memory<'_>,
    each: &mut [T],
    steps: Option<&[usize]>,
    threads: usize,
    f: &(dyn Fn(Memory<'_>, &mut [T]) + Sync),
) {
    let rows = m.rows();
    if threads < 2 || rows.len() < 2 {
        return f(m, each);
    }
    let left = threads / 2;
    let half = half(rows.len(), steps, left, threads);
    let (a, b) = m.split(rows.start + half);
    let (ea, eb) = each.split_at_mut(half.min(each.len()));
    let (sa, sb) = parts(steps, half);
    rayon::join(
        || divide(a, ea, sa, left, f),
        || divide(b, eb, sb, threads - left, f),
    );
}

/// Divides two or more rows between `left` of `threads` threads and the others: the number of rows for the first, at
/// least one and not all. They get about their part of the steps. `steps` has the steps of each row; without it
/// all rows have the same number.
pub fn half(rows: usize, steps: Option<&[usize]>, left: usize, threads: usize) -> usize {
    let some = match steps {
        None => rows * left / threads,
        Some(steps) => {
            let wanted = steps.iter().sum::<usize>() * left / threads;
            let mut sum = 0;
            let enough = |n: &usize| {
                sum += n;
                sum >= wanted
            };
            steps.iter().position(enough).map_or(1, |row| row + 1)
        }
    };
    // Whole tiles of four rows where there are enough rows.
    let some = if some >= 8 { some / 4 * 4 } else { some };
    some.clamp(1, rows - 1)
}

/// The steps of the first `half` rows, and those of the others.
pub fn parts(steps: Option<&[usize]>, half: usize) -> (Option<&[usize]>, Option<&[usize]>) {
    match steps.map(|s| s.split_at(half)) {
        Some((a, b)) => (Some(a), Some(b)),
        None => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::{arena::Arena, kernel::Buf};
    use rnn_tables::Extent;

    #[test]
    fn threads_share_steps_rather_than_rows() {
        let half = |steps: &[usize]| half(steps.len(), Some(steps), 1, 2);
        // Sorted by length: the first three rows have half of the steps.
        assert_eq!(half(&[10, 8, 6, 4, 4, 4, 4, 4, 4]), 3);
        assert_eq!(half(&[5; 16]), 8);
        assert_eq!(half(&[5; 22]), 8);
        // Each gets a row, whatever is in it.
        assert_eq!(half(&[0, 0, 9]), 2);
        assert_eq!(half(&[9, 0, 0]), 1);
        assert_eq!(half(&[0, 0]), 1);
    }

    #[test]
    fn threads_share_rows_where_all_are_alike() {
        let cases = [
            (2, 1, 2, 1),
            (16, 1, 2, 8),
            (22, 1, 2, 8),
            (22, 1, 3, 7),
            (3, 1, 8, 1),
        ];
        for (rows, left, threads, expected) in cases {
            assert_eq!(
                half(rows, None, left, threads),
                expected,
                "{rows}, {left} of {threads}"
            );
        }
    }

    #[test]
    fn every_row_comes_with_its_own_number() {
        const ROWS: usize = 61;
        let bufs = [Buf::new(0, 16, ROWS, 1, Extent::One)];
        let mut arena = Arena::new(bufs[0].len());
        let mut each = vec![0; ROWS];
        for threads in [1, 3, 8] {
            let m = Memory::new(arena.floats_mut(), &bufs, 1, ROWS);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                parallel_with(m, &mut each, WORTH_A_THREAD, &|m, each| {
                    for (row, x) in m.rows().zip(each) {
                        *x += row;
                    }
                });
            });
        }
        assert!(each.iter().enumerate().all(|(row, &x)| x == 3 * row));
    }
}
