//! Numbers drawn from a seed, and batches and weights made of them.

use std::ops::Range;

use recurrent::{
    learner::{InputView, Values},
    params::ParamSpec,
};
use rnn_reference::{Input, Weights};

/// A small generator (xorshift64*).
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// In 0..n.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }

    /// In -1..1.
    pub fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// `n` numbers in -1..1.
    pub fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }
}

/// What one input of a model holds.
#[derive(Clone, Copy)]
pub enum Content {
    /// Features.
    Floats,
    /// Ids below this.
    Ids(usize),
    /// 1 for a valid step, 0 for a padded one.
    Mask,
}

/// A batch of one input in both precisions.
#[derive(Clone)]
pub struct Batch {
    /// Rows.
    pub batch: usize,
    /// Steps; 1 for an input without a time axis.
    pub time: usize,
    /// What it holds.
    pub content: Content,
    /// `[batch, time, features]`, or the mask `[batch, time]`.
    pub floats: Vec<f32>,
    /// `[batch, time]`.
    pub ids: Vec<u32>,
}

/// Whether a step is valid where a mask, `Masking` or `mask_zero` sees it: rows with holes, without
/// any valid step, padded on the left, padded on the right, and whole.
pub fn is_valid(row: usize, t: usize, time: usize) -> bool {
    match row % 5 {
        0 => (t + row) % 3 != 1,
        1 => false,
        2 => 2 * t >= time,
        3 => 2 * t < time,
        _ => true,
    }
}

impl Batch {
    /// The numbers of one step: features, an id, or whether it is valid.
    pub fn step(&self, row: usize, t: usize) -> Vec<f32> {
        let at = row * self.time + t;
        let width = self.floats.len() / (self.batch * self.time);
        match self.content {
            Content::Ids(_) => vec![self.ids[at] as f32],
            _ => self.floats[at * width..(at + 1) * width].to_vec(),
        }
    }

    /// Random numbers, which are zero where no step is valid if `padded`.
    pub fn new(
        (batch, time, width): (usize, usize, usize),
        content: Content,
        padded: bool,
        r: &mut Random,
    ) -> Batch {
        let (mut floats, mut ids) = (Vec::new(), Vec::new());
        for (row, t) in (0..batch).flat_map(|row| (0..time).map(move |t| (row, t))) {
            let real = is_valid(row, t, time);
            let kept = real || !padded;
            match content {
                Content::Floats => {
                    let step = r.floats(width).into_iter();
                    floats.extend(step.map(|x| if kept { x } else { 0.0 }));
                }
                Content::Ids(vocabulary) => {
                    let id = r.below(vocabulary) as u32;
                    ids.push(if kept { id } else { 0 });
                }
                Content::Mask => floats.push(f32::from(u8::from(real))),
            }
        }
        Batch {
            batch,
            time,
            content,
            floats,
            ids,
        }
    }

    fn view(&self) -> InputView<'_> {
        InputView {
            batch: self.batch,
            time: self.time,
            values: match self.content {
                Content::Ids(_) => Values::Ids(&self.ids),
                Content::Floats | Content::Mask => Values::Floats(&self.floats),
            },
        }
    }

    fn rows(&self, rows: Range<usize>) -> Batch {
        let cut = |len: usize| {
            let per_row = len / self.batch;
            rows.start * per_row..rows.end * per_row
        };
        Batch {
            batch: rows.len(),
            floats: self.floats[cut(self.floats.len())].to_vec(),
            ids: self.ids[cut(self.ids.len())].to_vec(),
            ..*self
        }
    }

    fn for_oracle(&self) -> Input {
        Input {
            batch: self.batch,
            time: self.time,
            floats: self.floats.iter().map(|&x| x.into()).collect(),
            ids: self.ids.clone(),
        }
    }
}

/// A batch of every input of a model.
#[derive(Clone)]
pub struct Data {
    /// In the order of the model.
    pub inputs: Vec<Batch>,
}

impl Data {
    /// Rows, the same of all inputs.
    pub fn batch(&self) -> usize {
        self.inputs[0].batch
    }

    /// Steps of the first input that has any.
    pub fn time(&self) -> usize {
        self.inputs.iter().map(|b| b.time).max().unwrap_or(1)
    }

    /// For the model.
    pub fn views(&self) -> Vec<InputView<'_>> {
        self.inputs.iter().map(Batch::view).collect()
    }

    /// Some of the rows.
    pub fn rows(&self, rows: Range<usize>) -> Data {
        let cut = |b: &Batch| b.rows(rows.clone());
        Data {
            inputs: self.inputs.iter().map(cut).collect(),
        }
    }

    /// For the interpreter.
    pub fn for_oracle(&self) -> Vec<Input> {
        self.inputs.iter().map(Batch::for_oracle).collect()
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
