//! Sums, repetition, other shapes, noise and penalties: what happens row by row.

use crate::support::{Random, Values, dropout, place};
use rnn_runtime::{
    cpu::{
        kernel::Memory,
        ops::{
            Perturb, Times, add, copy, copy_in, copy_out, mask_ids, noise, penalty,
            penalty_gradient, permute, perturb, repeat, reshape, sum,
        },
        simd::Isa,
    },
    learner::StepSeed,
};
use rnn_tables::{Extent, Perturbation};

const ROWS: usize = 3;
const TIME: usize = 4;

fn all() -> Times {
    Times::all(TIME)
}

fn memory(v: &mut Values) -> Memory<'_> {
    Memory::new(v.arena.floats_mut(), &v.bufs, 1, ROWS)
}

#[test]
fn sums_and_repetition() {
    let width = 5;
    let steps = (width, TIME, Extent::All);
    let mut v = Values::new(&[steps, steps, steps, (width, 1, Extent::One)], ROWS);
    let x = Random::new(1).floats(ROWS * TIME * width);
    let mut m = memory(&mut v);
    for buf in [0, 1] {
        copy_in(&mut m, &place(buf), width, &x, TIME, 0, all());
    }
    add(&mut m, &[place(0), place(1)], &place(0), width, all());
    sum(&mut m, &place(0), &place(3), width, all());
    repeat(&mut m, &place(3), &place(2), width, all());
    add(&mut m, &[], &place(1), width, all());
    for row in 0..ROWS {
        let mut total = vec![0.0; width];
        for t in 0..TIME {
            let x = &x[(row * TIME + t) * width..][..width];
            let twice: Vec<f32> = x.iter().map(|x| x + x).collect();
            assert_eq!(v.row(0, t, row, width), twice);
            total.iter_mut().zip(&twice).for_each(|(t, x)| *t += x);
            assert_eq!(v.row(1, t, row, width), [0.0; 5]);
        }
        for t in 0..TIME {
            assert_eq!(v.row(2, t, row, width), total);
        }
    }
}

/// The last slot of one axis is read as a value without an axis, whatever the axis is long.
#[test]
fn a_last_step_is_a_value_without_an_axis() {
    let mut v = Values::new(&[(3, 2, Extent::Last), (3, 1, Extent::One)], ROWS);
    let x = Random::new(2).floats(ROWS * TIME * 3);
    let mut m = memory(&mut v);
    copy_in(&mut m, &place(0), 3, &x, TIME, 0, all());
    add(&mut m, &[place(0)], &place(1), 3, Times::ONE);
    copy(&mut m, &place(0), all().last(), &place(0), Times::ONE, 3);
    for row in 0..ROWS {
        let last = &x[(row * TIME + TIME - 1) * 3..][..3];
        assert_eq!(v.row(1, 0, row, 3), last);
        assert_eq!(v.row(0, 1, row, 3), last);
    }
}

#[test]
fn other_shapes_and_back() {
    // 4 steps of 6 are 8 steps of 3, and 6 steps of 4 the other way round.
    let sizes = [(6, 4), (3, 8), (4, 6), (6, 4), (6, 4)];
    let mut v = Values::new(&sizes.map(|(w, t)| (w, t, Extent::All)), ROWS);
    let x = Random::new(3).floats(ROWS * 24);
    let mut m = memory(&mut v);
    let times = sizes.map(|(_, t)| Times::all(t));
    copy_in(&mut m, &place(0), 6, &x, 4, 0, times[0]);
    reshape(&mut m, &place(0), 6, times[0], &place(1), 3, times[1]);
    reshape(&mut m, &place(1), 3, times[1], &place(3), 6, times[3]);
    permute(&mut m, &place(0), 6, times[0], &place(2));
    permute(&mut m, &place(2), 4, times[2], &place(4));
    for row in 0..ROWS {
        let x = &x[row * 24..][..24];
        for t in 0..8 {
            assert_eq!(v.row(1, t, row, 3), &x[t * 3..][..3]);
        }
        for t in 0..6 {
            let column: Vec<f32> = x.iter().skip(t).step_by(6).copied().collect();
            assert_eq!(v.row(2, t, row, 4), column);
        }
        for t in 0..4 {
            assert_eq!(v.row(3, t, row, 6), &x[t * 6..][..6]);
            assert_eq!(v.row(4, t, row, 6), &x[t * 6..][..6]);
        }
    }
}

#[test]
fn ids_give_a_mask() {
    let mut v = Values::new(&[(1, TIME, Extent::All)], ROWS);
    let ids: Vec<u32> = (0..ROWS as u32 * 6).map(|i| i % 4).collect();
    mask_ids(&mut memory(&mut v), &place(0), &ids, 6, 1, all());
    for row in 0..ROWS {
        for t in 0..TIME {
            let real = (row * 6 + 1 + t) % 4 != 0;
            assert_eq!(v.row(0, t, row, 1), [f32::from(real)]);
        }
    }
}

const SEED: StepSeed = StepSeed { seed: 5, step: 2 };

#[test]
fn a_cells_mask_keeps_the_mean_and_every_row_has_its_own() {
    let (width, rate) = (3000, 0.25f32);
    let mut v = Values::new(&[(width, 1, Extent::One)], ROWS);
    let mut draw = |layer| -> Vec<f32> {
        let mut m = memory(&mut v);
        noise(&mut m, &place(0), width, rate, layer, SEED);
        let mut y = vec![0.0; ROWS * width];
        copy_out(&mut m, &place(0), width, &mut y, 1, 0, Times::ONE);
        y
    };
    let (y, other) = (draw(1), draw(2));
    assert_eq!(y, draw(1));
    assert!(y.iter().all(|&y| y == 0.0 || y == 1.0 / 0.75));
    let n = y.len() as f64;
    let dropped = y.iter().filter(|&&y| y == 0.0).count() as f64 / n;
    assert!(
        (dropped - 0.25).abs() < 5.0 * (0.25 * 0.75 / n).sqrt(),
        "{dropped}"
    );
    assert_ne!(y, other);
    assert_ne!(y[..width], y[width..2 * width]);
}

#[test]
fn spatial_dropout_has_one_mask_for_all_steps() {
    let width = 64;
    let steps = (width, TIME, Extent::All);
    let mut v = Values::new(&[steps, steps], ROWS);
    for row in 0..ROWS {
        for t in 0..TIME {
            v.fill(0, t, row, &[1.0; 64]);
        }
    }
    for every_step in [false, true] {
        let mut m = memory(&mut v);
        let (from, to) = (place(0), place(1));
        let p = Perturb {
            how: dropout(0.5),
            every_step,
            stream: 3,
            seed: SEED,
        };
        perturb(Isa::available()[0], &mut m, &from, &to, width, &p, all());
        for row in 0..ROWS {
            for t in 1..TIME {
                let same = v.row(1, t, row, width) == v.row(1, 0, row, width);
                assert_eq!(same, !every_step);
            }
        }
        assert_ne!(v.row(1, 0, 0, width), v.row(1, 0, 1, width));
    }
}

#[test]
fn gaussian_noise_is_added_with_its_deviation() {
    for &isa in Isa::available() {
        gaussian_noise_on(isa);
    }
}

fn gaussian_noise_on(isa: Isa) {
    let width = 2000;
    let steps = (width, TIME, Extent::All);
    let mut v = Values::new(&[steps, steps], ROWS);
    let x = Random::new(6).floats(ROWS * TIME * width);
    let mut m = memory(&mut v);
    copy_in(&mut m, &place(0), width, &x, TIME, 0, all());
    let mut draw = |layer| {
        let (from, to) = (place(0), place(1));
        let p = Perturb {
            how: Perturbation::Additive { stddev: 0.1 },
            every_step: true,
            stream: layer,
            seed: SEED,
        };
        perturb(isa, &mut m, &from, &to, width, &p, all());
        let mut y = vec![0.0; x.len()];
        copy_out(&mut m, &place(1), width, &mut y, TIME, 0, all());
        y
    };
    let y = draw(1);
    assert_eq!(y, draw(1));
    assert_ne!(y, draw(2));
    let n = x.len() as f64;
    let off: Vec<f64> = y.iter().zip(&x).map(|(y, x)| f64::from(y - x)).collect();
    let (mean, square) = (
        off.iter().sum::<f64>() / n,
        off.iter().map(|d| d * d).sum::<f64>() / n,
    );
    assert!(mean.abs() < 5.0 * 0.1 / n.sqrt(), "{mean}");
    assert!(
        (square - 0.01).abs() < 5.0 * 0.01 * (2.0 / n).sqrt(),
        "{square}"
    );
}

#[test]
fn a_penalty_and_its_gradient() {
    let steps = (2, 2, Extent::All);
    let mut v = Values::new(&[steps, steps], 1);
    v.fill(0, 0, 0, &[1.0, -2.0]);
    v.fill(0, 1, 0, &[0.0, 0.5]);
    for t in 0..2 {
        v.fill(1, t, 0, &[1.0, 1.0]);
    }
    let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, 1, 1);
    let mut cost = [7.0];
    penalty(&mut m, &place(0), 2, 0.5, 0.25, Times::all(2), &mut cost);
    // 7 + 0.5 (1 + 2 + 0.5) + 0.25 (1 + 4 + 0.25)
    assert_eq!(cost, [7.0 + 1.75 + 1.3125]);
    let (value, d) = (place(0), place(1));
    penalty_gradient(&mut m, &value, &d, 2, 0.5, 0.25, Times::all(2), 4);
    // (0.5 sign + 0.5 v) / 4
    assert_eq!(v.row(1, 0, 0, 2), [1.25, 1.0 - 1.5 / 4.0]);
    assert_eq!(v.row(1, 1, 0, 2), [1.0, 1.0 + 0.75 / 4.0]);
}
