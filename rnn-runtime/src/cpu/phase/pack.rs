//! The layout of weights that the kernels read: the gates of a block of units side by side.
//!
//! A matrix of `k` rows and `groups` gates of `width` columns becomes
//! `[ceil(width / lanes)][k][groups][lanes]`, zeros behind the last unit. A block is one vector of
//! the instruction set that will run: so a tile reads its weights one after another, and they fill
//! whole lines of the cache. The space they take is the same for all instruction sets.

use super::padded;
use crate::cpu::simd::Isa;

/// Floats of a packed matrix, a multiple of 16: enough for any instruction set.
pub const fn packed_len(k: usize, groups: usize, width: usize) -> usize {
    padded(width) * k * groups
}

/// One gate of a matrix to pack: where it stands in a parameter, and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    /// First float of the parameter among all weights.
    pub param: usize,
    /// Columns of the parameter.
    pub columns: usize,
    /// First row of the part.
    pub row: usize,
    /// First column of the part.
    pub column: usize,
    /// Length of the operand.
    pub k: usize,
    /// Units.
    pub width: usize,
    /// The part is `[width, k]`, else `[k, width]`.
    pub transposed: bool,
    /// Where the packed matrix starts.
    pub to: usize,
    /// Which of its gates this is.
    pub gate: usize,
    /// How many gates it has.
    pub gates: usize,
}

/// Packs one gate for an instruction set; the places behind the last unit are left as they are
/// (zero).
///
/// # Panics
/// If the parameter or the packed matrix is not within its slice.
pub fn pack_matrix(isa: Isa, m: &Matrix, weights: &[f32], packed: &mut [f32]) {
    let block = isa.lanes();
    let packed = &mut packed[m.to..m.to + packed_len(m.k, m.gates, m.width)];
    let part = &weights[m.param + m.row * m.columns + m.column..];
    let stride = m.gates * block;
    if m.transposed {
        for unit in 0..m.width {
            let to = unit / block * (m.k * stride) + m.gate * block + unit % block;
            let from = &part[unit * m.columns..unit * m.columns + m.k];
            for (k, &w) in from.iter().enumerate() {
                packed[to + k * stride] = w;
            }
        }
    } else {
        for k in 0..m.k {
            let from = &part[k * m.columns..k * m.columns + m.width];
            for (b, units) in from.chunks(block).enumerate() {
                let to = b * (m.k * stride) + k * stride + m.gate * block;
                packed[to..to + units.len()].copy_from_slice(units);
            }
        }
    }
}

/// A vector of parameters to pack.
#[derive(Clone, Copy, Debug)]
pub struct Vector {
    /// First float among all weights.
    pub from: usize,
    /// Floats.
    pub width: usize,
    /// Where it goes in the packed weights.
    pub to: usize,
}

/// Packs one vector, zeros behind it.
///
/// # Panics
/// If it is not within its slice.
pub fn pack_vector(v: &Vector, weights: &[f32], packed: &mut [f32]) {
    let to = &mut packed[v.to..v.to + padded(v.width)];
    to[..v.width].copy_from_slice(&weights[v.from..v.from + v.width]);
    to[v.width..].fill(0.0);
}
