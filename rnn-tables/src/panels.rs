//! Where packed weights lie.
//!
//! A matrix of `k` rows and `gates` gates of `width` columns becomes **panels**,
//! `[ceil(width / units)][k][gates][units]`, with zeros after the last unit. A tile reads its weights
//! one after another, and they fill whole lines of the cache. How many `units` a panel has, the format
//! says. A matrix of fewer than 8 columns is one panel of 1, 2, 4 or 8 units in every format, so it
//! takes no more room than it needs.
//!
//! Where a panel is narrower than a vector, the lanes after its last unit are filled from what follows.
//! Nobody looks at them, but they have to exist: [`READ_PAST`] floats follow everything that is packed.

use crate::{PackedGate, PackedOffset, PackedVector};

/// Rows of every buffer start at a multiple of this many floats (64 bytes), so that a vector that
/// reaches past the last unit stays in its own row.
pub const ROW_ALIGN: usize = 16;

/// Units of a panel that suits every instruction set: the lanes of the widest vector.
pub const PORTABLE_UNITS: usize = 16;

/// Elements that follow everything that is packed: a vector may start at the last one.
pub const READ_PAST: usize = PORTABLE_UNITS;

/// `width` rounded up to a whole number of [`ROW_ALIGN`]; `usize::MAX` where that cannot be counted, so that
/// every check against a length refuses it.
pub const fn padded(width: usize) -> usize {
    width.div_ceil(ROW_ALIGN).saturating_mul(ROW_ALIGN)
}

/// Units of the panel of a matrix of fewer than 8 columns; 0 for any other, whose panels are as wide
/// as the format says.
pub const fn small_panel(width: usize) -> usize {
    match width {
        0 | 1 => 1,
        2 => 2,
        3 | 4 => 4,
        5..=7 => 8,
        _ => 0,
    }
}

/// Where a matrix or a vector of this width starts if `at` elements are packed already: wide panels
/// start at a line of the cache.
pub const fn packed_start(at: usize, width: usize) -> PackedOffset {
    PackedOffset(match small_panel(width) {
        0 => padded(at),
        units => at.div_ceil(units) * units,
    })
}

/// Elements of a packed matrix: as many in every format. `usize::MAX` where that cannot be counted, so that
/// every check against a length refuses it.
pub const fn packed_len(k: usize, gates: usize, width: usize) -> usize {
    let units = match small_panel(width) {
        0 => padded(width),
        units => units,
    };
    units.saturating_mul(k).saturating_mul(gates)
}

/// Packs one gate of a matrix for panels of `units` units; elements after the last unit are left as
/// they are (zero).
///
/// # Panics
/// If the parameter or the packed matrix is not within its slice.
pub const fn pack_matrix(units: usize, m: &PackedGate, weights: &[f32], packed: &mut [f32]) {
    let units = match small_panel(m.width) {
        0 => units,
        small => small,
    };
    let stride = m.gates * units;
    let (columns, start) = (m.from.columns, m.from.start());
    let packed = packed.split_at_mut(m.to.0).1;
    let packed = packed.split_at_mut(packed_len(m.k, m.gates, m.width)).0;
    let mut first = 0;
    while first < m.width {
        let left = m.width - first;
        let count = if left < units { left } else { units };
        let mut to = first / units * (m.k * stride) + m.gate * units;
        let mut k = 0;
        while k < m.k {
            let run = packed.split_at_mut(to).1.split_at_mut(count).0;
            if m.transposed {
                let mut unit = 0;
                while unit < count {
                    run[unit] = weights[start + (first + unit) * columns + k];
                    unit += 1;
                }
            } else {
                let from = weights.split_at(start + k * columns + first).1;
                run.copy_from_slice(from.split_at(count).0);
            }
            to += stride;
            k += 1;
        }
        first += units;
    }
}

/// Packs one vector; the elements after it become zero.
///
/// # Panics
/// If it is not within its slice.
pub const fn pack_vector(v: &PackedVector, weights: &[f32], packed: &mut [f32]) {
    let from = weights.split_at(v.from.start()).1.split_at(v.width).0;
    let to = packed
        .split_at_mut(v.to.0)
        .1
        .split_at_mut(padded(v.width))
        .0;
    let (units, rest) = to.split_at_mut(v.width);
    units.copy_from_slice(from);
    let mut i = 0;
    while i < rest.len() {
        rest[i] = 0.0;
        i += 1;
    }
}

/// The opposite of [`pack_matrix`]: writes the weights that a gate was packed from.
///
/// # Panics
/// As [`pack_matrix`].
pub fn unpack_matrix(units: usize, m: &PackedGate, packed: &[f32], weights: &mut [f32]) {
    let units = match small_panel(m.width) {
        0 => units,
        small => small,
    };
    let (stride, columns, start) = (m.gates * units, m.from.columns, m.from.start());
    let packed = &packed[m.to.0..][..packed_len(m.k, m.gates, m.width)];
    for unit in 0..m.width {
        for k in 0..m.k {
            let from = unit / units * (m.k * stride) + k * stride + m.gate * units + unit % units;
            let to = match m.transposed {
                true => unit * columns + k,
                false => k * columns + unit,
            };
            weights[start + to] = packed[from];
        }
    }
}

/// The opposite of [`pack_vector`].
///
/// # Panics
/// As [`pack_vector`].
pub fn unpack_vector(v: &PackedVector, packed: &[f32], weights: &mut [f32]) {
    let from = &packed[v.to.0..][..v.width];
    weights[v.from.start()..][..v.width].copy_from_slice(from);
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{vec, vec::Vec};

    use crate::{MatrixSlice, VectorSlice, WeightOffset};

    use super::*;

    const fn matrix(k: usize, width: usize, transposed: bool, gate: usize) -> PackedGate {
        PackedGate {
            from: MatrixSlice {
                param: WeightOffset(0),
                columns: if transposed { k } else { 2 * width },
                row: if transposed { gate * width } else { 0 },
                column: if transposed { 0 } else { gate * width },
            },
            k,
            width,
            transposed,
            to: PackedOffset(0),
            gate,
            gates: 2,
        }
    }

    /// Weights are packed while the program is compiled, whatever will run it.
    #[test]
    fn a_constant_is_packed_weights() {
        const WEIGHTS: [f32; 12] = [0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11.];
        static PACKED: [f32; 16 + 16 + READ_PAST] = {
            let mut packed = [0.0; 16 + 16 + READ_PAST];
            pack_matrix(16, &matrix(2, 3, false, 0), &WEIGHTS, &mut packed);
            pack_matrix(16, &matrix(2, 3, false, 1), &WEIGHTS, &mut packed);
            let bias: PackedVector = PackedVector {
                from: VectorSlice {
                    param: WeightOffset(4),
                    offset: 1,
                },
                width: 3,
                to: packed_start(packed_len(2, 2, 3), 16),
            };
            pack_vector(&bias, &WEIGHTS, &mut packed);
            packed
        };
        let rows = [
            [0., 1., 2., 0.],
            [3., 4., 5., 0.],
            [6., 7., 8., 0.],
            [9., 10., 11., 0.],
        ];
        assert_eq!(PACKED[..16], rows.concat());
        assert_eq!(PACKED[16..20], [5., 6., 7., 0.]);
    }

    #[test]
    fn every_unit_stands_in_its_panel() {
        for (width, format) in [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 40]
            .into_iter()
            .flat_map(|width| [(width, 8), (width, 16)])
        {
            for transposed in [false, true] {
                let k = 3;
                let weights: Vec<f32> = (0..k * 2 * width).map(|i| i as f32 + 1.0).collect();
                let mut packed = vec![0.0; packed_len(k, 2, width)];
                for gate in 0..2 {
                    let m = matrix(k, width, transposed, gate);
                    pack_matrix(format, &m, &weights, &mut packed);
                }
                let units = match small_panel(width) {
                    0 => format,
                    small => small,
                };
                for (i, &x) in packed.iter().enumerate() {
                    let (unit, gate) = (i % units, i / units % 2);
                    let (row, unit) = (i / units / 2 % k, i / units / 2 / k * units + unit);
                    let from = match transposed {
                        false => row * 2 * width + gate * width + unit,
                        true => (gate * width + unit) * k + row,
                    };
                    let expected = if unit < width { weights[from] } else { 0.0 };
                    assert_eq!(x, expected, "{width} {transposed} {i}");
                }
                let mut again = vec![0.0; weights.len()];
                for gate in 0..2 {
                    unpack_matrix(
                        format,
                        &matrix(k, width, transposed, gate),
                        &packed,
                        &mut again,
                    );
                }
                assert_eq!(again, weights, "{width} {transposed}");
            }
        }
    }

    /// `Dense(1)` on 16 inputs.
    #[test]
    fn small_matrices_take_what_they_need() {
        assert_eq!(packed_len(16, 1, 1) * size_of::<f32>(), 64);
        assert_eq!(packed_len(8, 4, 3), 8 * 4 * 4);
        assert_eq!(packed_len(64, 4, 64), 64 * 4 * 64);
    }
}
