//! Numbers drawn from a seed, and batches and weights made of them.

use recurrent::{
    learner::{InputView, Values},
    params::ParamSpec,
};
use rnn_compiler::interpret::{Input, Weights};

/// A small generator (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }

    /// In -1..1.
    pub fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    pub fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }
}

/// A batch in both precisions.
#[derive(Clone)]
pub struct Batch {
    pub batch: usize,
    pub time: usize,
    pub width: usize,
    pub floats: Vec<f32>,
    pub ids: Vec<u32>,
}

impl Batch {
    pub fn new(batch: usize, time: usize, width: usize, ids: Option<usize>, seed: u64) -> Batch {
        let mut r = Random::new(seed);
        let n = batch * time;
        let (floats, ids) = match ids {
            Some(vocabulary) => (vec![], (0..n).map(|_| r.below(vocabulary) as u32).collect()),
            None => (r.floats(n * width), vec![]),
        };
        Batch {
            batch,
            time,
            width,
            floats,
            ids,
        }
    }

    pub fn view(&self) -> InputView<'_> {
        InputView {
            batch: self.batch,
            time: self.time,
            values: if self.ids.is_empty() {
                Values::Floats(&self.floats)
            } else {
                Values::Ids(&self.ids)
            },
        }
    }

    /// Some of the rows.
    pub fn rows(&self, rows: std::ops::Range<usize>) -> Batch {
        let cut = |per_row: usize| rows.start * per_row..rows.end * per_row;
        Batch {
            batch: rows.len(),
            floats: match self.floats.is_empty() {
                true => vec![],
                false => self.floats[cut(self.time * self.width)].to_vec(),
            },
            ids: match self.ids.is_empty() {
                true => vec![],
                false => self.ids[cut(self.time)].to_vec(),
            },
            ..*self
        }
    }

    pub fn for_oracle(&self) -> Input {
        Input {
            batch: self.batch,
            time: self.time,
            floats: self.floats.iter().map(|&x| x.into()).collect(),
            ids: self.ids.clone(),
        }
    }
}

/// Weights of a size that keeps activations away from saturation, variances positive.
pub fn weights(specs: &[ParamSpec], seed: u64) -> Vec<f32> {
    let mut r = Random::new(seed);
    let mut all = Vec::new();
    for s in specs {
        let (middle, spread) = match s.name.rsplit('/').next() {
            Some("moving_variance") => (1.0, 0.5),
            Some("gamma" | "scale") => (1.0, 0.3),
            _ if s.shape.len() == 2 => (0.0, (2.0 / s.shape[0] as f32).sqrt()),
            _ => (0.0, 0.4),
        };
        all.extend((0..s.len()).map(|_| middle + spread * r.float()));
    }
    all
}

/// The same weights for the interpreter.
pub fn named(specs: &[ParamSpec], weights: &[f32]) -> Weights {
    let mut at = 0;
    let mut named = Weights::new();
    for s in specs {
        let own = weights[at..at + s.len()].iter().map(|&w| w.into());
        named.insert(s.name.into(), own.collect());
        at += s.len();
    }
    named
}

/// Panics unless `found` is `expected`, up to `tolerance` times `scale`.
#[track_caller]
pub fn close(what: &str, found: &[f32], expected: &[f64], tolerance: f64, scale: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: lengths");
    for (i, (&f, &e)) in found.iter().zip(expected).enumerate() {
        let off = (f64::from(f) - e).abs();
        assert!(
            off <= tolerance * scale,
            "{what}: number {i} is {f}, the interpreter says {e}: off by {:.1e} of {scale:.3}",
            off / scale
        );
    }
}

/// Panics unless both are the same bits.
#[track_caller]
pub fn same_bits(what: &str, a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len(), "{what}: lengths");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert_eq!(a.to_bits(), b.to_bits(), "{what}: number {i}: {a} and {b}");
    }
}

/// The largest magnitude.
pub fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |m, x| m.max(x.abs()))
}
