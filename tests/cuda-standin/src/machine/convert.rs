//! `cvt`.

use crate::{
    bits::{bits, flush},
    numbers::{adjust_f64, half, round_to_f32, saturate, sign_extend, tf32, to_f64, zero_extend},
    program::{Instruction, Rounding, Type},
};

/// Converts `a`; `b` is the second half of a pair.
pub fn convert(instruction: &Instruction, a: u64, b: u64) -> Result<u64, String> {
    let (to, from) = (instruction.ty, instruction.source_type);
    if let Some(part) = to.half() {
        let mut lower = instruction.clone();
        lower.ty = part;
        return Ok(convert(&lower, a, 0)? << 16 | convert(&lower, b, 0)?);
    }
    if from.is_float() {
        let value = to_f64(a, from);
        let value = match instruction.flush && from == Type::F32 {
            true => f64::from(flush(value as f32)),
            false => value,
        };
        return Ok(match to.is_float() {
            true => float_to_float(instruction, value),
            false => float_to_integer(instruction, value),
        });
    }
    let value = match from.is_signed() {
        true => i128::from(sign_extend(a, from)),
        false => i128::from(zero_extend(a, from)),
    };
    if to.is_float() {
        return Ok(integer_to_float(instruction, value));
    }
    let value = match instruction.saturate {
        true => value.clamp(limits(to).0, limits(to).1),
        false => value,
    };
    Ok(zero_extend(value as u64, to))
}

/// The least and the largest value of an integer type.
fn limits(ty: Type) -> (i128, i128) {
    let width = 8 * ty.size() as u32;
    match ty.is_signed() {
        true => (-(1 << (width - 1)), (1 << (width - 1)) - 1),
        false => (0, (1 << width) - 1),
    }
}

fn round_to_integral(value: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::Zero => value.trunc(),
        Rounding::Down => value.floor(),
        Rounding::Up => value.ceil(),
        _ => value.round_ties_even(),
    }
}

fn float_to_float(instruction: &Instruction, value: f64) -> u64 {
    let (to, rounding) = (instruction.ty, instruction.rounding);
    let value = match instruction.integral {
        true => round_to_integral(value, rounding),
        false => value,
    };
    let value = if instruction.saturate {
        saturate(value)
    } else {
        value
    };
    let value = match instruction.relu {
        true if value < 0.0 => 0.0,
        _ => value,
    };
    match to {
        Type::F64 => value.to_bits(),
        Type::F32 => {
            let single = round_to_f32(value, 0.0, rounding);
            let single = if instruction.flush {
                flush(single)
            } else {
                single
            };
            u64::from(bits(single))
        }
        Type::TF32 => u64::from(tf32(value as f32, rounding)),
        _ => u64::from(half(value, to, rounding)),
    }
}

fn float_to_integer(instruction: &Instruction, value: f64) -> u64 {
    let to = instruction.ty;
    if value.is_nan() {
        let double = instruction.source_type == Type::F64 || to.size() == 8;
        return match double {
            true => 1 << (8 * to.size() - 1),
            false => 0,
        };
    }
    let (least, largest) = limits(to);
    // A conversion of the language saturates.
    let value = round_to_integral(value, instruction.rounding) as i128;
    zero_extend(value.clamp(least, largest) as u64, to)
}

fn integer_to_float(instruction: &Instruction, value: i128) -> u64 {
    let rounding = instruction.rounding;
    match instruction.ty {
        Type::F64 => {
            let nearest = value as f64;
            let missing = (value - nearest as i128) as f64;
            adjust_f64(nearest, missing, rounding).to_bits()
        }
        Type::F32 => match rounding {
            Rounding::Nearest => u64::from((value as f32).to_bits()),
            _ => {
                let high = value as f64;
                let low = (value - high as i128) as f64;
                u64::from(round_to_f32(high, low, rounding).to_bits())
            }
        },
        to => u64::from(half(value as f64, to, rounding)),
    }
}
