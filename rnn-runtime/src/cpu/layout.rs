//! How the CPU lays out a model's values, and which vectors suit its units.

use rnn_tables::PackedGate;
#[cfg(feature = "std")]
use rnn_tables::{Buffer, Extent};

#[cfg(feature = "std")]
use super::kernel::{Buf, row_len};
use super::simd::NARROW;

/// Floats of buffers that a thread should have in use at once, so that they stay in the cache.
#[cfg(feature = "std")]
const BLOCK_FLOATS: usize = 64 * 1024;

/// Steps of a block of a long sequence of `time` steps, so that the values of a block of `rows` rows
/// stay in the cache.
#[cfg(feature = "std")]
pub fn block_steps(buffers: &[Buffer], rows: usize, time: usize) -> usize {
    let row: usize = buffers.iter().map(|b| row_len(b.width, b.unaligned)).sum();
    let fit = BLOCK_FLOATS / row.saturating_mul(rows).max(1);
    // Even, so that states end where they start.
    (fit.clamp(8, 256) & !1).min(time)
}

/// Whether vectors of 8 lanes need at most 4/3 as many multiplications as vectors of 16. At 1 half
/// of each wide vector is empty, at 2 all are full; that the narrow ones win up to 4/3 is measured
/// (`LSTM(8)` with a `Dense(64)` after it).
pub const fn is_narrow(matrices: &[PackedGate]) -> bool {
    let (mut narrow, mut wide, mut i) = (0, 0, 0);
    while i < matrices.len() {
        let PackedGate { k, width, .. } = matrices[i];
        narrow += k * width.div_ceil(NARROW);
        wide += k * width.div_ceil(2 * NARROW);
        i += 1;
    }
    wide > 0 && 3 * narrow <= 4 * wide
}

/// Floats in a page: a processor that looks for the store that a load must wait for compares
/// addresses within a page first.
#[cfg(feature = "std")]
const PAGE: usize = 1024;

/// Floats between buffers that would otherwise lie at the same place of their pages: 17 lines of 64
/// bytes, odd, so that 64 buffers differ, and more than a row or two.
#[cfg(feature = "std")]
const STAGGER: usize = 17 * 16;

/// Buffers for `rows` rows and axes of these lengths, and the floats that they take.
///
/// A kernel goes through the same row of many buffers at once. If their lengths are whole pages, as
/// 64 rows of 64 units are, all of these lie at one place of their pages: every load then seems to
/// want what was stored just before, and they all want the same few lines of the cache.
#[cfg(feature = "std")]
pub fn lay_out(specs: &[Buffer], rows: usize, axes: &[usize]) -> (Vec<Buf>, usize) {
    let mut len = 0;
    let bufs = specs
        .iter()
        .map(|b| {
            let count = match b.extent {
                Extent::One => 1,
                Extent::Ring | Extent::Last => 2,
                Extent::All => axes[b.axis] + 1,
            };
            let buf = Buf::new(len, row_len(b.width, b.unaligned), rows, count, b.extent);
            len += buf.len();
            if buf.len().is_multiple_of(PAGE) && !buf.is_empty() {
                len += STAGGER;
            }
            buf
        })
        .collect();
    (bufs, len)
}

#[cfg(test)]
mod tests {
    use rnn_tables::{MatrixSlice, PackedOffset, WeightOffset};

    use super::*;

    #[test]
    fn narrow_is_what_leaves_half_of_a_wide_vector_empty() {
        let narrow = |sizes: &[(usize, usize)]| {
            let matrix = |&(k, width): &(usize, usize)| PackedGate {
                from: MatrixSlice {
                    param: WeightOffset(0),
                    columns: width,
                    row: 0,
                    column: 0,
                },
                k,
                width,
                transposed: false,
                to: PackedOffset(0),
                gate: 0,
                gates: 1,
            };
            is_narrow(&sizes.iter().map(matrix).collect::<Vec<_>>())
        };
        assert!(narrow(&[(1, 4)]) && narrow(&[(1, 8), (8, 8)]));
        assert!(!narrow(&[(1, 9)]) && !narrow(&[(1, 12)]) && !narrow(&[(1, 16)]));
        // 3 to 2.
        assert!(!narrow(&[(24, 24)]));
        // A wide one after it counts by what it multiplies: 4 to 3 is the end.
        assert!(narrow(&[(16, 8), (8, 16)]));
        assert!(!narrow(&[(15, 8), (8, 16)]));
        assert!(!narrow(&[]));
    }
}
