//! The layout of weights that the kernels read: the gates of a panel of units side by side.
//!
//! A matrix of `k` rows and `gates` gates of `width` columns becomes panels,
//! `[ceil(width / panel)][k][gates][panel]`, where `panel` is [`panel_width`] of its width. The layout
//! is the same for all instruction sets, so weights may be packed before it is known which one runs,
//! and even by the compiler: packing is a `const fn`.
//!
//! A vector of 8 lanes walks through half of a panel of 16 at a time. A panel may also be narrower than
//! a vector: then the lanes behind the last unit are filled from what follows. They are never looked
//! at; only there have to be so many floats, which [`PACKED_END`] sees to.

use rnn_tables::{PackedMatrix, PackedOffset, PackedVector};

/// Units of the widest panel, and lanes of the widest vector.
pub(super) const PANEL: usize = 16;

/// Floats behind everything that is packed: a vector that starts at the last float may be read.
pub const PACKED_END: usize = PANEL;

/// Units of a panel of a matrix of this width: small matrices take no more space than they need.
pub const fn panel_width(width: usize) -> usize {
    match width {
        0 | 1 => 1,
        2 => 2,
        3 | 4 => 4,
        5..=8 => 8,
        _ => PANEL,
    }
}

/// Where a matrix or a vector of this width starts if `at` floats are packed already: wide panels
/// start at a line of the cache.
pub const fn packed_start(at: usize, width: usize) -> PackedOffset {
    PackedOffset(round_up(at, panel_width(width)))
}

/// `n` rounded up to a multiple of a power of two.
const fn round_up(n: usize, power: usize) -> usize {
    // No division: where tables are no constants, this is decided at every call of a kernel.
    (n + power - 1) & !(power - 1)
}

/// Floats of a packed matrix.
pub const fn packed_len(k: usize, gates: usize, width: usize) -> usize {
    round_up(width, panel_width(width)) * k * gates
}

/// Packs one gate; the floats behind the last unit are left as they are (zero).
///
/// # Panics
/// If the parameter or the packed matrix is not within its slice.
pub const fn pack_matrix(m: &PackedMatrix, weights: &[f32], packed: &mut [f32]) {
    let panel = panel_width(m.width);
    let stride = m.gates * panel;
    let (columns, start) = (m.from.columns, m.from.start());
    let packed = packed.split_at_mut(m.to.0).1;
    let packed = packed.split_at_mut(packed_len(m.k, m.gates, m.width)).0;
    let mut first = 0;
    while first < m.width {
        let left = m.width - first;
        let units = if left < panel { left } else { panel };
        let mut to = first / panel * (m.k * stride) + m.gate * panel;
        let mut k = 0;
        while k < m.k {
            let to_units = packed.split_at_mut(to).1.split_at_mut(units).0;
            if m.transposed {
                let mut unit = 0;
                while unit < units {
                    to_units[unit] = weights[start + (first + unit) * columns + k];
                    unit += 1;
                }
            } else {
                let from = weights.split_at(start + k * columns + first).1;
                to_units.copy_from_slice(from.split_at(units).0);
            }
            to += stride;
            k += 1;
        }
        first += panel;
    }
}

/// Floats of a packed vector.
pub const fn packed_vector_len(width: usize) -> usize {
    round_up(width, panel_width(width))
}

/// Packs one vector; the floats behind it are left as they are (zero).
///
/// # Panics
/// If it is not within its slice.
pub const fn pack_vector(v: &PackedVector, weights: &[f32], packed: &mut [f32]) {
    let from = weights.split_at(v.from.start()).1.split_at(v.width).0;
    let to = packed.split_at_mut(v.to.0).1.split_at_mut(v.width).0;
    to.copy_from_slice(from);
}

#[cfg(test)]
mod tests {
    use rnn_tables::{MatrixSlice, VectorSlice, WeightOffset};

    use super::*;

    const fn matrix(k: usize, width: usize, transposed: bool, gate: usize) -> PackedMatrix {
        PackedMatrix {
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
        static PACKED: [f32; packed_len(2, 2, 3) + 4 + PACKED_END] = {
            let mut packed = [0.0; packed_len(2, 2, 3) + 4 + PACKED_END];
            pack_matrix(&matrix(2, 3, false, 0), &WEIGHTS, &mut packed);
            pack_matrix(&matrix(2, 3, false, 1), &WEIGHTS, &mut packed);
            let bias: PackedVector = PackedVector {
                from: VectorSlice {
                    param: WeightOffset(4),
                    offset: 1,
                },
                width: 3,
                to: packed_start(packed_len(2, 2, 3), 3),
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
        for width in [1, 2, 3, 4, 5, 8, 9, 16, 17, 40] {
            for transposed in [false, true] {
                let k = 3;
                let weights: Vec<f32> = (0..k * 2 * width).map(|i| i as f32 + 1.0).collect();
                let mut packed = vec![0.0; packed_len(k, 2, width)];
                for gate in 0..2 {
                    pack_matrix(&matrix(k, width, transposed, gate), &weights, &mut packed);
                }
                let panel = panel_width(width);
                for (i, &x) in packed.iter().enumerate() {
                    let (unit, gate) = (i % panel, i / panel % 2);
                    let (row, unit) = (i / panel / 2 % k, i / panel / 2 / k * panel + unit);
                    let from = match transposed {
                        false => row * 2 * width + gate * width + unit,
                        true => (gate * width + unit) * k + row,
                    };
                    let expected = if unit < width { weights[from] } else { 0.0 };
                    assert_eq!(x, expected, "{width} {transposed} {i}");
                }
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
