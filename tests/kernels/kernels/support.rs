//! Numbers, and values laid out in buffers.

use rnn_runtime::cpu::{
    arena::Arena,
    kernel::{Buf, padded},
};
use rnn_tables::{BufferRef, Extent, Perturbation};

/// A small generator (xorshift64*); numbers in -1..1.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn float(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        high as f32 / (1u64 << 23) as f32 - 1.0
    }

    pub fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }
}

/// Buffers one after the other, filled with a number that no kernel computes.
pub struct Values {
    pub bufs: Vec<Buf>,
    rows: usize,
    pub arena: Arena,
}

/// What stands where nothing has been written.
pub const UNTOUCHED: f32 = 12345.5;

impl Values {
    /// Buffers of these widths and steps.
    pub fn new(buffers: &[(usize, usize, Extent)], rows: usize) -> Values {
        let mut len = 0;
        let mut bufs = Vec::new();
        for &(width, count, steps) in buffers {
            let buf = Buf::new(len, padded(width), rows, count, steps);
            len += buf.len();
            bufs.push(buf);
        }
        let mut arena = Arena::new(len);
        arena.floats_mut().fill(UNTOUCHED);
        Values { bufs, rows, arena }
    }

    /// The place of a row of a buffer.
    pub fn place(&self, buf: usize, step: usize, row: usize) -> usize {
        let b = &self.bufs[buf];
        b.offset() + (step * self.rows + row) * b.row()
    }

    pub fn row(&self, buf: usize, step: usize, row: usize, width: usize) -> &[f32] {
        let at = self.place(buf, step, row);
        &self.arena.floats()[at..at + width]
    }

    pub fn fill(&mut self, buf: usize, step: usize, row: usize, values: &[f32]) {
        let at = self.place(buf, step, row);
        self.arena.floats_mut()[at..at + values.len()].copy_from_slice(values);
    }
}

pub fn place(buf: usize) -> BufferRef {
    BufferRef {
        buffer: buf,
        offset: 0,
        after: false,
        exact: false,
    }
}

pub fn leak<T>(values: Vec<T>) -> &'static [T] {
    values.leak()
}

/// What `Dropout` does.
pub fn dropout(rate: f32) -> Perturbation {
    Perturbation::Bernoulli {
        rate,
        scale: 1.0 / (1.0 - rate),
        offset: 0.0,
        dropped: 0.0,
    }
}
