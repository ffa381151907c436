//! The kernels of one step of a stream, whose tables are constants.
//!
//! A stream has one row, and rustc knows its buffers, its kernels and the length of its packed weights. So every check is
//! an assertion of constants: it fails while the program is compiled, and nothing is left of it at run time, whatever the
//! level of optimisation. A step also needs two blocks of memory; their types, [`StepValues`] and [`StepPanels`], say that
//! they are long enough.

mod address;
mod memory;
mod tile;

pub use address::StreamSlice;
pub use memory::{StepMemory, StepPanels, StepResults, StepValues};
pub use tile::StepTile;

use rnn_tables::Kernel;

use super::{Buf, PanelFormat, one_register};
use crate::cpu::{
    arena::Length,
    simd::{Simd, Wide},
};

/// What rustc knows about the stream of a model.
///
/// Its [`Length`] is that of the values that the buffers lie in.
pub trait StreamTables: Length {
    /// Its buffers, each with one row.
    const BUFFERS: &'static [Buf];
    /// Elements of the packed weights.
    const PACKED: usize;
}

/// A kernel of a stream: its table and its pointwise maths, generated.
pub trait StreamBody {
    /// The model.
    type Program: StreamTables;
    /// What the kernel reads and writes.
    const KERNEL: Kernel;

    /// Computes one block of units.
    fn tile<S: Simd, W: PanelFormat>(s: S, k: &StepTile<'_, Self, S, W>)
    where
        Self: Sized;
}

/// Runs a kernel of a stream. A table that does not fit the stream is an error of the compiler.
#[inline(always)]
pub fn run_step<S: Simd, W: PanelFormat, B: StreamBody>(
    s: S,
    m: &mut StepMemory<'_, B::Program, W>,
) {
    one_register::<S>();
    let of = const { Tiles::of(B::KERNEL.width, S::LANES, !B::KERNEL.products.is_empty()) };
    // `if const`, so that a tile that no unit needs is not even compiled.
    if const { Tiles::of(B::KERNEL.width, S::LANES, !B::KERNEL.products.is_empty()).four > 0 } {
        let s = Wide(Wide(s));
        for i in 0..of.four {
            B::tile(s, &StepTile::new(s, m, 4 * S::LANES * i));
        }
    }
    let first = 4 * S::LANES * of.four;
    if const { Tiles::of(B::KERNEL.width, S::LANES, !B::KERNEL.products.is_empty()).two > 0 } {
        let s = Wide(s);
        for i in 0..of.two {
            B::tile(s, &StepTile::new(s, m, first + 2 * S::LANES * i));
        }
    }
    let first = first + 2 * S::LANES * of.two;
    if const { Tiles::of(B::KERNEL.width, S::LANES, !B::KERNEL.products.is_empty()).one > 0 } {
        for i in 0..of.one {
            B::tile(s, &StepTile::new(s, m, first + S::LANES * i));
        }
    }
}

/// How many tiles of four, two and one registers a kernel has, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tiles {
    four: usize,
    two: usize,
    one: usize,
}

impl Tiles {
    /// Those of `width` units in registers of so many `lanes`.
    ///
    /// With products, two registers keep more multipliers busy. Without vectors there are four: a constant, an operand and
    /// the call of a function then serve four units. Never half a vector, whose maths may round in another way.
    const fn of(width: usize, lanes: usize, products: bool) -> Self {
        let (four, two) = match (lanes, products) {
            (1, _) => (Self::wide(width, 4), 2),
            (_, true) => (0, 2),
            (_, false) => (0, usize::MAX),
        };
        let width = width.saturating_sub(4 * lanes * four);
        let two = match two {
            2 => Self::wide(width, 2 * lanes),
            _ => 0,
        };
        let width = width.saturating_sub(2 * lanes * two);
        Tiles {
            four,
            two,
            one: width.div_ceil(lanes),
        }
    }

    /// Vectors of so many `lanes` of which more than half is used.
    const fn wide(width: usize, lanes: usize) -> usize {
        width / lanes + (width % lanes > lanes / 2) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_have_all_units_and_little_else() {
        for (lanes, products) in [(1, true), (1, false), (4, true), (8, false), (16, true)] {
            for width in 1..100 {
                let Tiles { four, two, one } = Tiles::of(width, lanes, products);
                let units = lanes * (4 * four + 2 * two + one);
                assert!(
                    units >= width && units < width + lanes.max(2),
                    "{width} {lanes}"
                );
                assert!(two <= 1 || lanes > 1);
                assert_eq!(four > 0, lanes == 1 && width > 2);
                assert!(two == 0 || lanes == 1 || products);
            }
        }
    }
}
