//! The kernels of one step of a stream, whose tables are constants.
//!
//! A stream has one row, and rustc knows every buffer, every kernel and the length of its packed weights. So each check
//! is an assertion of a constant: it fails while the program is compiled, and at run time nothing is left of it at any
//! level of optimisation. What a step needs beside the tables are two blocks of memory, and their types say that they
//! are long enough: [`StepValues`] and [`StepPanels`].

mod address;
mod memory;
mod tile;

pub use address::StreamSlice;
pub use memory::{StepMemory, StepPanels, StepResults, StepValues};
pub use tile::StepTile;

use rnn_tables::{Kernel, READ_PAST, packed_len, padded, small_panel};

use self::address::Address;
use super::{Buf, PanelFormat, one_register};
use crate::cpu::simd::{Simd, Wide};

/// What rustc knows about the stream of a model.
pub trait StreamTables {
    /// Its buffers, each with one row.
    const BUFFERS: &'static [Buf];
    /// Floats of the values that the buffers lie in.
    const LEN: usize;
    /// Elements of the packed weights.
    const PACKED: usize;
}

/// The pointwise maths of a kernel of a stream, with its table. Generated.
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
    const { check::<B>() };
    let width = const { B::KERNEL.width };
    let mut unit = 0;
    // Without vectors a tile has four units, so that a constant, an operand, and the call of a function are for four.
    if const { S::LANES == 1 && tiles(B::KERNEL.width, 4) > 0 } {
        for i in 0..const { tiles(B::KERNEL.width, 4) } {
            B::tile(Wide(Wide(s)), &StepTile::new(Wide(Wide(s)), m, 4 * i));
        }
        unit = const { 4 * tiles(B::KERNEL.width, 4) };
    }
}
