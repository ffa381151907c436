//! What the benches share.

pub mod step;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::Criterion;
use ndarray::{Array2, Array3};

/// Short runs: there are many cases, and noise on a shared machine comes in bursts longer than
/// any measurement that one would wait for.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args()
}

/// Floats between -1 and 1 without a pattern that a predictor could learn.
fn float(i: usize) -> f32 {
    let hash = (i as u32)
        .wrapping_mul(0x9E37_79B9)
        .rotate_left(15)
        .wrapping_mul(0x85EB_CA6B);
    (hash >> 8) as f32 / (1 << 23) as f32 - 1.0
}

/// `[batch, time, features]`
pub fn sequence(batch: usize, time: usize, features: usize) -> Array3<f32> {
    Array3::from_shape_fn((batch, time, features), |(b, t, f)| {
        float((b * time + t) * features + f)
    })
}

/// `N` floats: the input of a step.
pub fn row<const N: usize>(seed: usize) -> [f32; N] {
    std::array::from_fn(|i| float(seed * N + i))
}

/// Class ids `[batch, time]` below `vocabulary`.
pub fn ids(batch: usize, time: usize, vocabulary: u32) -> Array2<u32> {
    Array2::from_shape_fn((batch, time), |(b, t)| {
        ((b * time + t) as u32).wrapping_mul(0x9E37_79B9) % vocabulary
    })
}

/// `count` labels below `classes`.
pub fn labels(count: usize, classes: u32) -> Vec<u32> {
    (0..count as u32)
        .map(|i| i.wrapping_mul(7) % classes)
        .collect()
}

/// A pool of so many threads for the work on the rows of a batch.
///
/// # Panics
/// If the system starts no threads.
pub fn threads(count: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .build()
        .expect("the system starts threads")
}

/// How long `iterations` calls of `f` take inside `pool`. For `Bencher::iter_custom`: criterion's
/// own loop cannot be moved to another thread, and the pool is entered once, not once a call.
pub fn timed<T>(
    pool: &rayon::ThreadPool,
    iterations: u64,
    f: &mut (impl FnMut() -> T + Send),
) -> Duration {
    pool.install(|| {
        let start = Instant::now();
        for _ in 0..iterations {
            black_box(f());
        }
        start.elapsed()
    })
}
