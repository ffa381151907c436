//! The layout of weights that the kernels read: the gates of a block of units side by side.
//!
//! A matrix of `k` rows and `groups` gates of `width` columns becomes
//! `[ceil(width / block)][k][groups][block]`, zeros behind the last unit. The layout is the same
//! for all instruction sets, so weights can be packed long before anybody knows which one runs.

use super::padded;

/// Units in a block: 8, 16 or 32, the widest vector that a phase of `width` units is computed by.
pub const fn block(width: usize) -> usize {
    match width {
        0..=8 => 16,
        9..=16 => 16,
        _ => 32,
    }
}

/// Floats of a packed matrix, a multiple of 16.
pub const fn packed_len(k: usize, groups: usize, width: usize) -> usize {
    let block = block(width);
    width.div_ceil(block) * k * groups * block
}

/// A matrix to pack: where its gates stand in a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    /// First float of the parameter among all weights.
    pub param: usize,
    /// Columns of the parameter.
    pub columns: usize,
    /// First row.
    pub row: usize,
    /// First column of each gate.
    pub gates: &'static [usize],
    /// Rows: length of the operand.
    pub k: usize,
    /// Columns of a gate: units.
    pub width: usize,
    /// Rows and columns change places: the gate is `[width, k]` in the parameter.
    pub transposed: bool,
    /// Where it goes in the packed weights.
    pub to: usize,
}

/// Packs one matrix.
///
/// # Panics
/// If the parameter or the packed matrix is not within its slice.
pub fn pack_matrix(m: &Matrix, weights: &[f32], packed: &mut [f32]) {
    let block = block(m.width);
    let groups = m.gates.len();
    let packed = &mut packed[m.to..m.to + packed_len(m.k, groups, m.width)];
    packed.fill(0.0);
    for (g, &column) in m.gates.iter().enumerate() {
        for unit in 0..m.width {
            let to = unit / block * (m.k * groups * block) + g * block + unit % block;
            let (from, step) = if m.transposed {
                (m.param + (m.row + unit) * m.columns + column, 1)
            } else {
                (m.param + m.row * m.columns + column + unit, m.columns)
            };
            for k in 0..m.k {
                packed[to + k * groups * block] = weights[from + k * step];
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
