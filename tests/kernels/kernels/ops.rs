//! The layers that are no cells, and copies.

use crate::support::{Random, UNTOUCHED, Values, dropout, place};
use rnn_runtime::{
    cpu::{
        kernel::Memory,
        ops::{
            Perturb, Times, copy_in, copy_out, gather, perturb, reshape, reverse, scatter, zero,
        },
        simd::Isa,
    },
    learner::StepSeed,
};
use rnn_tables::Extent;

const ROWS: usize = 3;
const TIME: usize = 4;

fn all() -> Times {
    Times::all(TIME)
}

fn memory(v: &mut Values) -> Memory<'_> {
    Memory::new(v.arena.floats_mut(), &v.bufs, TIME, ROWS)
}

#[test]
fn copies_in_and_out_for_every_width() {
    for width in 1..=40 {
        let mut v = Values::new(&[(width, TIME, Extent::All)], ROWS);
        let x = Random::new(1).floats(ROWS * 6 * width);
        // Steps 1..5 of six.
        copy_in(&mut memory(&mut v), &place(0), width, &x, 6, 1, all());
        for row in 0..ROWS {
            for t in 0..TIME {
                let from = (row * 6 + t + 1) * width;
                assert_eq!(v.row(0, t, row, width), &x[from..from + width]);
            }
        }
        let mut y = vec![UNTOUCHED; x.len()];
        copy_out(&mut memory(&mut v), &place(0), width, &mut y, 6, 1, all());
        for (i, (x, y)) in x.iter().zip(&y).enumerate() {
            let inside = (1..5).contains(&(i / width % 6));
            assert_eq!(*y, if inside { *x } else { UNTOUCHED });
        }
    }
}

#[test]
fn rows_of_another_thread_are_left_alone() {
    let mut v = Values::new(&[(5, TIME, Extent::All)], ROWS);
    let x = Random::new(2).floats(ROWS * TIME * 5);
    let (_, mut second) = memory(&mut v).split(1);
    copy_in(&mut second, &place(0), 5, &x, TIME, 0, all());
    zero(
        &mut second,
        &place(0),
        5,
        Times {
            first: 1,
            steps: 1,
            total: TIME,
        },
    );
    assert_eq!(v.row(0, 0, 0, 5), [UNTOUCHED; 5]);
    assert_eq!(v.row(0, 1, 2, 5), [0.0; 5]);
    assert_eq!(
        v.row(0, 2, 2, 5),
        &x[(2 * TIME + 2) * 5..(2 * TIME + 3) * 5]
    );
}

#[test]
fn reverse_and_reshape_and_back() {
    let width = 7;
    let buffers = [
        (width, TIME, Extent::All),
        (width, TIME, Extent::All),
        (width * TIME, 1, Extent::One),
        (width, TIME, Extent::All),
    ];
    let mut v = Values::new(&buffers, ROWS);
    let x = Random::new(3).floats(ROWS * TIME * width);
    let mut m = memory(&mut v);
    copy_in(&mut m, &place(0), width, &x, TIME, 0, all());
    reverse(&mut m, &place(0), &place(1), width, all());
    let flat = width * TIME;
    reshape(&mut m, &place(0), width, all(), &place(2), flat, Times::ONE);
    reshape(&mut m, &place(2), flat, Times::ONE, &place(3), width, all());
    for row in 0..ROWS {
        for t in 0..TIME {
            assert_eq!(v.row(1, t, row, width), v.row(0, TIME - 1 - t, row, width));
            assert_eq!(v.row(3, t, row, width), v.row(0, t, row, width));
        }
        let flat = &x[row * TIME * width..(row + 1) * TIME * width];
        assert_eq!(v.row(2, 0, row, width * TIME), flat);
    }
}

#[test]
fn a_table_is_gathered_and_its_gradient_scattered() {
    let (vocabulary, width) = (5, 3);
    let mut v = Values::new(&[(width, TIME, Extent::All)], ROWS);
    let table = Random::new(4).floats(vocabulary * width);
    let ids: Vec<u32> = (0..ROWS * TIME).map(|i| (i * i % 4) as u32).collect();
    let mut m = memory(&mut v);
    gather(&mut m, &place(0), width, &table, &ids, TIME, 0, all());
    let mut g = vec![1.0; table.len()];
    scatter(&mut m, &place(0), width, &mut g, &ids, TIME, all());
    for id in 0..vocabulary {
        let times = ids.iter().filter(|&&i| i as usize == id).count() as f32;
        for j in 0..width {
            let i = id * width + j;
            assert!((g[i] - (1.0 + times * table[i])).abs() < 1e-5);
        }
    }
    for row in 0..ROWS {
        for t in 0..TIME {
            let at = ids[row * TIME + t] as usize * width;
            assert_eq!(v.row(0, t, row, width), &table[at..at + width]);
        }
    }
}

#[test]
fn dropout_keeps_the_mean_and_draws_the_same_again() {
    let (width, rate) = (40, 0.3f32);
    let (rows, steps) = (100, 20);
    let buffers = [(width, steps, Extent::All), (width, steps, Extent::All)];
    let mut v = Values::new(&buffers, rows);
    for row in 0..rows {
        for t in 0..steps {
            v.fill(0, t, row, &[1.0; 40]);
        }
    }
    let mut draw = |layer: u64, step: u64| -> Vec<f32> {
        let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, steps, rows);
        let times = Times::all(steps);
        let seed = StepSeed { seed: 9, step };
        let p = Perturb {
            how: dropout(rate),
            every_step: true,
            stream: layer,
            seed,
        };
        perturb(
            Isa::available()[0],
            &mut m,
            &place(0),
            &place(1),
            width,
            &p,
            times,
        );
        let mut y = vec![0.0; rows * steps * width];
        copy_out(&mut m, &place(1), width, &mut y, steps, 0, times);
        y
    };
    let (y, other_step, other_layer) = (draw(1, 1), draw(1, 2), draw(2, 1));
    assert_eq!(y, draw(1, 1));
    let n = y.len() as f64;
    assert!(y.iter().all(|&y| y == 0.0 || y == 1.0 / 0.7));
    // Five standard deviations of a mean of n draws.
    let dropped = |y: &[f32]| y.iter().filter(|&&y| y == 0.0).count() as f64 / n;
    let bound = 5.0 * (0.3f64 * 0.7 / n).sqrt();
    for y in [&y, &other_step, &other_layer] {
        assert!((dropped(y) - 0.3).abs() < bound, "{}", dropped(y));
    }
    // Two masks have 0.3² in common if they know nothing of each other; so do neighbours in one.
    let both = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .filter(|(a, b)| **a == 0.0 && **b == 0.0)
            .count() as f64
            / n
    };
    let bound = 5.0 * (0.09f64 * 0.91 / n).sqrt();
    let line = steps * width;
    for (what, b) in [
        ("step", &other_step[..]),
        ("layer", &other_layer[..]),
        ("unit", &y[1..]),
        ("time", &y[width..]),
        ("row", &y[line..]),
    ] {
        let share = both(&y, b) * n / b.len() as f64;
        assert!((share - 0.09).abs() < bound, "{what}: {share}");
    }
}
