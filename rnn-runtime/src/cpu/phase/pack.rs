//! The layout of weights that the kernels read: the gates of a block of units side by side.
//!
//! A matrix of `k` rows and `groups` gates of `width` columns becomes
//! `[ceil(width / lanes)][k][groups][lanes]`, zeros behind the last unit. A block is one vector of
//! the instruction set that will run: so a tile reads its weights one after another, and they fill
//! whole lines of the cache. The space they take is the same for all instruction sets.

use rnn_tables::{PackedMatrix, PackedVector};

use super::padded;
use crate::cpu::simd::Isa;

/// Floats of a packed matrix, a multiple of 16: enough for any instruction set.
pub const fn packed_len(k: usize, groups: usize, width: usize) -> usize {
    padded(width) * k * groups
}

/// Packs one gate for an instruction set; the places behind the last unit are left as they are
/// (zero).
///
/// # Panics
/// If the parameter or the packed matrix is not within its slice.
pub fn pack_matrix(isa: Isa, m: &PackedMatrix, weights: &[f32], packed: &mut [f32]) {
    let block = isa.lanes();
    let packed = &mut packed[m.to.0..m.to.0 + packed_len(m.k, m.gates, m.width)];
    let part = &weights[m.from.start()..];
    let stride = m.gates * block;
    if m.transposed {
        for unit in 0..m.width {
            let to = unit / block * (m.k * stride) + m.gate * block + unit % block;
            let from = &part[unit * m.from.columns..unit * m.from.columns + m.k];
            for (k, &w) in from.iter().enumerate() {
                packed[to + k * stride] = w;
            }
        }
    } else {
        for k in 0..m.k {
            let from = &part[k * m.from.columns..k * m.from.columns + m.width];
            for (b, units) in from.chunks(block).enumerate() {
                let to = b * (m.k * stride) + k * stride + m.gate * block;
                packed[to..to + units.len()].copy_from_slice(units);
            }
        }
    }
}

/// Packs one vector, zeros behind it.
///
/// # Panics
/// If it is not within its slice.
pub fn pack_vector(v: &PackedVector, weights: &[f32], packed: &mut [f32]) {
    let to = &mut packed[v.to.0..v.to.0 + padded(v.width)];
    to[..v.width].copy_from_slice(&weights[v.from.start()..v.from.start() + v.width]);
    to[v.width..].fill(0.0);
}
