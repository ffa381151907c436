//! `BatchNormalization` in training, with and without a mask.

use crate::support::{Random, Values, place};
use rnn_runtime::cpu::{
    kernel::Memory,
    ops::{Times, copy_in, copy_out, normalize_backward, normalize_forward},
};
use rnn_tables::{Extent, Normalize, WeightOffset};

const ROWS: usize = 3;
const TIME: usize = 4;

fn all() -> Times {
    Times::all(TIME)
}

fn memory(v: &mut Values) -> Memory<'_> {
    Memory::new(v.arena.floats_mut(), &v.bufs, TIME, ROWS)
}

/// Against the definition in f64, and the gradient against differences of it.
#[test]
fn normalize_for_every_width() {
    for width in 1..=40 {
        for (scale, center) in [(true, true), (true, false), (false, true), (false, false)] {
            normalize(width, scale, center, false);
        }
        normalize(width, true, true, true);
    }
}

/// Which steps count under a mask.
fn real(i: usize) -> bool {
    i % 3 != 1
}

fn normalize(width: usize, scale: bool, center: bool, masked: bool) {
    let one = (width, TIME, Extent::All);
    let mut v = Values::new(
        &[
            one,
            one,
            one,
            one,
            (width, 2, Extent::All),
            (1, TIME, Extent::All),
        ],
        ROWS,
    );
    let mut r = Random::new(width as u64);
    let n = ROWS * TIME * width;
    let (x, d) = (r.floats(n), r.floats(n));
    let mut weights = r.floats(4 * width);
    let before = weights.clone();
    let spec = Normalize {
        input: place(0),
        output: place(1),
        d_output: place(2),
        d_input: place(3),
        saved: place(4),
        mask: masked.then_some(place(5)),
        width,
        gamma: scale.then_some(WeightOffset(0)),
        beta: center.then_some(WeightOffset(width)),
        moving_mean: WeightOffset(2 * width),
        moving_variance: WeightOffset(3 * width),
        momentum: 0.9,
        epsilon: 0.001,
    };
    let mut m = memory(&mut v);
    copy_in(&mut m, &place(0), width, &x, TIME, 0, all());
    copy_in(&mut m, &place(2), width, &d, TIME, 0, all());
    let mask: Vec<f32> = (0..ROWS * TIME).map(|i| f32::from(real(i))).collect();
    copy_in(&mut m, &place(5), 1, &mask, TIME, 0, all());
    normalize_forward(&mut m, &spec, &mut weights, all());
    let mut g = vec![0.25; 4 * width];
    normalize_backward(&mut m, &spec, &weights, &mut g, all(), true);
    let (mut y, mut dx) = (vec![0.0; n], vec![0.0; n]);
    copy_out(&mut m, &place(1), width, &mut y, TIME, 0, all());
    copy_out(&mut m, &place(3), width, &mut dx, TIME, 0, all());

    let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|&x| x.into()).collect() };
    let of = |w: &[f64], x: &[f64]| -> Vec<f64> {
        let mut y = vec![0.0; n];
        for j in 0..width {
            let (count, column) = counted(x, width, j, masked);
            let column = || column.iter();
            let mean = column().sum::<f64>() / count;
            let variance = column().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            for i in (j..n).step_by(width) {
                let normal = (x[i] - mean) / (variance + f64::from(0.001f32)).sqrt();
                y[i] = normal * if scale { w[j] } else { 1.0 };
                y[i] += if center { w[width + j] } else { 0.0 };
            }
        }
        y
    };
    let (w, x64) = (wide(&before), wide(&x));
    let close = |what: &str, a: f32, b: f64| {
        assert!(
            (f64::from(a) - b).abs() < 2e-5,
            "{what}, width {width}: {a} and {b}"
        );
    };
    for (y, e) in y.iter().zip(of(&w, &x64)) {
        close("output", *y, e);
    }
    let loss = |w: &[f64], x: &[f64]| -> f64 {
        of(w, x)
            .iter()
            .zip(&d)
            .map(|(y, &d)| y * f64::from(d))
            .sum()
    };
    let h = 1e-5;
    let moved = |v: &[f64], i: usize, h: f64| {
        let mut v = v.to_vec();
        v[i] += h;
        v
    };
    for i in (0..n).step_by(1 + n / 9) {
        let slope = (loss(&w, &moved(&x64, i, h)) - loss(&w, &moved(&x64, i, -h))) / (2.0 * h);
        close("gradient of the input", dx[i], slope);
    }
    for (i, g) in g.iter().enumerate() {
        let slope = (loss(&moved(&w, i, h), &x64) - loss(&moved(&w, i, -h), &x64)) / (2.0 * h);
        close("gradient", g - 0.25, slope);
    }
    for j in 0..width {
        let (count, column) = counted(&x64, width, j, masked);
        let column = || column.iter();
        let mean = column().sum::<f64>() / count;
        let variance = column().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        close(
            "mean",
            weights[2 * width + j],
            w[2 * width + j] * 0.9 + mean * 0.1,
        );
        close(
            "variance",
            weights[3 * width + j],
            w[3 * width + j] * 0.9 + variance * 0.1,
        );
    }
}

/// The numbers of a feature that count, and by how many Keras divides them.
fn counted(x: &[f64], width: usize, j: usize, masked: bool) -> (f64, Vec<f64>) {
    let column = x.iter().skip(j).step_by(width).enumerate();
    let column: Vec<f64> = column
        .filter(|(i, _)| !masked || real(*i))
        .map(|(_, &x)| x)
        .collect();
    let epsilon = if masked { 1e-7 } else { 0.0 };
    (column.len() as f64 + epsilon, column)
}

/// So many numbers that threads share them: rows where each is by itself, features where all rows
/// are summed.
#[test]
fn threads_do_not_change_a_bit() {
    const BATCH: usize = 200;
    let (width, steps) = (70, 9);
    let run = |threads: usize| {
        let one = (width, steps, Extent::All);
        let buffers = [
            one,
            one,
            one,
            one,
            (width, 2, Extent::All),
            (1, steps, Extent::All),
        ];
        let mut v = Values::new(&buffers, BATCH);
        let mut random = Random::new(8);
        for row in 0..BATCH {
            for t in 0..steps {
                v.fill(0, t, row, &random.floats(width));
                v.fill(2, t, row, &random.floats(width));
                v.fill(5, t, row, &[if (row + t) % 4 == 0 { 0.0 } else { 1.0 }]);
            }
        }
        let n = Normalize {
            input: place(0),
            output: place(1),
            d_output: place(2),
            d_input: place(3),
            saved: place(4),
            mask: Some(place(5)),
            width,
            gamma: Some(WeightOffset(0)),
            beta: Some(WeightOffset(width)),
            moving_mean: WeightOffset(2 * width),
            moving_variance: WeightOffset(3 * width),
            momentum: 0.9,
            epsilon: 1e-3,
        };
        let mut w = Random::new(9).floats(4 * width);
        let mut g = vec![0.0; 4 * width];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let times = Times::all(steps);
        pool.build().unwrap().install(|| {
            let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, steps, BATCH);
            normalize_forward(&mut m, &n, &mut w, times);
            normalize_backward(&mut m, &n, &w, &mut g, times, true);
        });
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        (bits(v.arena.floats()), bits(&w), bits(&g))
    };
    let one = run(1);
    assert!(run(3) == one && run(16) == one);
}
