//! `ldmatrix` and `mma.sync`.

use super::{Fault, access::Touch, codes, launch::Machine, warp::Warp};
use crate::{
    bits::{bf16_to_f32, bits, float},
    numbers::f16_to_f32,
    program::{Instruction, Space, Type},
    races::AccessKind,
    simd::{Operands, multiply},
};

impl Machine<'_> {
    pub(super) fn load_matrix(
        &mut self,
        warp: &mut Warp,
        instruction: &Instruction,
        at: usize,
        lanes: u32,
        transposed: bool,
    ) -> Result<(), Fault> {
        self.counters.memory_accesses += 1;
        if lanes != u32::MAX {
            return Err(Fault::failed("ldmatrix without some lanes of its warp"));
        }
        for (matrix, slot) in instruction.list.iter().enumerate() {
            let mut rows = [[0_u16; 8]; 8];
            for (row, values) in rows.iter_mut().enumerate() {
                let lane = matrix * 8 + row;
                let address = warp.address(instruction, lane);
                if !address.is_multiple_of(16) {
                    return Err(Fault::new(
                        codes::MISALIGNED_ADDRESS,
                        format!("misaligned row of ldmatrix at {address:#x}, lane {lane}"),
                    ));
                }
                let mut buffer = [0; 16];
                let touch = Touch {
                    space: match instruction.space {
                        Space::Generic => Space::Generic,
                        _ => Space::Shared,
                    },
                    address,
                    lane,
                    at,
                    is_store: false,
                    kind: AccessKind::Plain,
                };
                self.touch(warp, touch, &mut buffer)?;
                for (value, pair) in values.iter_mut().zip(buffer.chunks_exact(2)) {
                    *value = u16::from_le_bytes([pair[0], pair[1]]);
                }
            }
            let line = warp.line_mut(*slot);
            for (lane, word) in line.iter_mut().enumerate() {
                let (row, column) = (lane / 4, 2 * (lane % 4));
                let (low, high) = match transposed {
                    true => (rows[column][row], rows[column + 1][row]),
                    false => (rows[row][column], rows[row][column + 1]),
                };
                *word = u32::from(low) | u32::from(high) << 16;
            }
        }
        Ok(())
    }

    pub(super) fn matrix_multiply(
        &mut self,
        warp: &mut Warp,
        instruction: &Instruction,
        lanes: u32,
        depth: usize,
    ) -> Result<(), Fault> {
        self.counters.matrix_products += 1;
        if lanes != u32::MAX {
            return Err(Fault::failed("mma without some lanes of its warp"));
        }
        let is_half = instruction.source_type != Type::TF32;
        let of_a = if is_half { depth / 4 } else { depth / 2 };
        let of_b = of_a / 2;
        let list = &instruction.list;
        if list.len() != 4 + of_a + of_b + 4 {
            return Err(Fault::failed("mma with fragments of another size"));
        }
        let operands = gather(warp, instruction, is_half, of_a, of_b);
        let products = multiply(&operands, depth, self.checks.perturb);
        let c = &list[4 + of_a + of_b..];
        let mut results = [[0_u32; 32]; 4];
        for lane in 0..32 {
            let (row, column) = (lane / 4, 2 * (lane % 4));
            for (part, result) in results.iter_mut().enumerate() {
                let row = row + if part >= 2 { 8 } else { 0 };
                let sum = float(warp.line(c[part])[lane]) + products[row][column + (part & 1)];
                result[lane] = bits(sum);
            }
        }
        for (slot, result) in list.iter().zip(&results) {
            *warp.line_mut(*slot) = *result;
        }
        Ok(())
    }
}

/// Puts the fragments that lanes hold together.
fn gather(
    warp: &Warp,
    instruction: &Instruction,
    is_half: bool,
    of_a: usize,
    of_b: usize,
) -> Operands {
    let number = |half: u32| match instruction.source_type {
        Type::BF16 => bf16_to_f32(half as u16),
        _ => f16_to_f32(half as u16),
    };
    // The hardware ignores the lower bits of a TF32 number.
    let tf32 = |word: u32| float(word & 0xffff_e000);
    let list = &instruction.list;
    let mut operands = Operands {
        a: [[0.0; 16]; 16],
        b: [[0.0; 8]; 16],
    };
    for register in 0..of_a {
        let line = warp.line(list[4 + register]);
        for (lane, word) in line.iter().enumerate() {
            let (group, thread) = (lane / 4, lane % 4);
            let row = &mut operands.a[group + 8 * (register & 1)];
            if is_half {
                let k = 2 * thread + 8 * (register >> 1);
                row[k] = number(word & 0xffff);
                row[k + 1] = number(word >> 16);
            } else {
                row[thread + 4 * (register >> 1)] = tf32(*word);
            }
        }
    }
    for register in 0..of_b {
        let line = warp.line(list[4 + of_a + register]);
        for (lane, word) in line.iter().enumerate() {
            let (column, thread) = (lane / 4, lane % 4);
            if is_half {
                let k = 2 * thread + 8 * register;
                operands.b[k][column] = number(word & 0xffff);
                operands.b[k + 1][column] = number(word >> 16);
            } else {
                operands.b[thread + 4 * register][column] = tf32(*word);
            }
        }
    }
    operands
}
