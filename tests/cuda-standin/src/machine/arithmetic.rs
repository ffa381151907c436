//! One lane of an instruction that has no function for all lanes.

use super::convert::convert;
use crate::{
    bits::{bits, flush},
    numbers::{
        add_f32, add_f64, divide_f32, fma_f32, fma_f64, half, multiply_f32, perturbed, saturate,
        sign_extend, sqrt_f32, to_f64, zero_extend,
    },
    program::{Comparison, Instruction, LaneOperation, Property, Rounding, Space, Type},
};

/// Where shared memory lies among generic addresses.
pub const SHARED_BASE: u64 = 0x0100_0000_0000;
/// Where local memory lies among generic addresses.
pub const LOCAL_BASE: u64 = 0x0200_0000_0000;
/// Bytes of either window.
pub const WINDOW: u64 = 1 << 32;
/// The bits of a shared address that name the block of the cluster: its rank plus one, or zero for the own block.
pub const RANK_SHIFT: u32 = 24;

/// The result of `operation` on the operands' bits. `perturb` moves approximations by it, unless it is zero.
pub fn evaluate(
    instruction: &Instruction,
    operation: LaneOperation,
    sources: [u64; 4],
    perturb: u32,
) -> Result<u64, String> {
    let ty = instruction.ty;
    let [a, b, c, _] = sources;
    match operation {
        LaneOperation::Convert => return convert(instruction, a, b),
        LaneOperation::Move => return Ok(zero_extend(a, ty)),
        LaneOperation::Select => return Ok(if c & 1 != 0 { a } else { b }),
        LaneOperation::SelectBySign => {
            let first = match instruction.source_type {
                Type::F32 => {
                    let value = f32::from_bits(c as u32);
                    value >= 0.0 || value == 0.0
                }
                ty => sign_extend(c, ty) >= 0,
            };
            return Ok(if first { a } else { b });
        }
        LaneOperation::Set(comparison) => {
            let holds = holds(instruction, instruction.source_type, comparison, a, b);
            return Ok(match (ty, holds) {
                (_, false) => 0,
                (Type::F32, true) => u64::from(1_f32.to_bits()),
                (_, true) => 0xffff_ffff,
            });
        }
        LaneOperation::TestProperty(property) => return Ok(u64::from(test(property, a, ty))),
        _ => {}
    }
    if let Some(part) = ty.half() {
        let mut lower = instruction.clone();
        lower.ty = part;
        let low = evaluate(&lower, operation, sources.map(|s| s & 0xffff), perturb)?;
        let high = evaluate(
            &lower,
            operation,
            sources.map(|s| (s >> 16) & 0xffff),
            perturb,
        )?;
        return Ok(low & 0xffff | (high & 0xffff) << 16);
    }
    let result = match ty {
        Type::F32 => single(instruction, operation, sources, perturb),
        Type::F64 => double(instruction, operation, sources),
        Type::F16 | Type::BF16 => short(instruction, operation, sources),
        _ => integer(instruction, operation, sources),
    };
    result.ok_or_else(|| format!("the stand-in does not know {operation:?} of {ty:?}"))
}

/// Whether a comparison of two values of type `ty` holds.
pub fn holds(instruction: &Instruction, ty: Type, comparison: Comparison, a: u64, b: u64) -> bool {
    if ty.is_float() {
        let flushed = |bits: u64| match instruction.flush && ty == Type::F32 {
            true => f64::from(flush(f32::from_bits(bits as u32))),
            false => to_f64(bits, ty),
        };
        compare(comparison, &flushed(a), &flushed(b))
    } else if ty.is_signed() {
        compare(comparison, &sign_extend(a, ty), &sign_extend(b, ty))
    } else {
        compare(comparison, &zero_extend(a, ty), &zero_extend(b, ty))
    }
}

fn compare<T: PartialOrd>(comparison: Comparison, a: &T, b: &T) -> bool {
    let unordered = a.partial_cmp(b).is_none();
    match comparison {
        Comparison::Equal => a == b,
        Comparison::NotEqual => a != b && !unordered,
        Comparison::Less => a < b,
        Comparison::LessEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterEqual => a >= b,
        Comparison::EqualUnordered => a == b || unordered,
        Comparison::NotEqualUnordered => a != b || unordered,
        Comparison::LessUnordered => a < b || unordered,
        Comparison::LessEqualUnordered => a <= b || unordered,
        Comparison::GreaterUnordered => a > b || unordered,
        Comparison::GreaterEqualUnordered => a >= b || unordered,
        Comparison::Ordered => !unordered,
        Comparison::Unordered => unordered,
    }
}

fn test(property: Property, bits: u64, ty: Type) -> bool {
    let class = match ty {
        Type::F64 => f64::from_bits(bits).classify(),
        _ => f32::from_bits(bits as u32).classify(),
    };
    use std::num::FpCategory::{Infinite, Nan, Normal, Subnormal};
    match property {
        Property::Finite => !matches!(class, Nan | Infinite),
        Property::Infinite => class == Infinite,
        Property::Number => class != Nan,
        Property::NotANumber => class == Nan,
        Property::Normal => class == Normal,
        Property::Subnormal => class == Subnormal,
    }
}

/// The smaller number; a NaN loses unless it is propagated, and −0 is smaller than 0.
fn smaller(a: f64, b: f64, propagate: bool) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, _) | (_, true) if propagate => f64::NAN,
        (true, _) => b,
        (_, true) => a,
        _ if a == b => match a.is_sign_negative() {
            true => a,
            false => b,
        },
        _ => a.min(b),
    }
}

fn larger(a: f64, b: f64, propagate: bool) -> f64 {
    -smaller(-a, -b, propagate)
}

fn single(
    instruction: &Instruction,
    operation: LaneOperation,
    sources: [u64; 4],
    perturb: u32,
) -> Option<u64> {
    let rounding = instruction.rounding;
    let input = |bits: u64| {
        let value = f32::from_bits(bits as u32);
        if instruction.flush {
            flush(value)
        } else {
            value
        }
    };
    let [x, y, z, _] = sources.map(input);
    let both = |f: fn(f64, f64, bool) -> f64| {
        f(f64::from(x), f64::from(y), instruction.propagate_nan) as f32
    };
    let value = match operation {
        // A sign changes in a NaN as well.
        LaneOperation::Negate if !instruction.flush => {
            return Some((sources[0] ^ 1 << 31) & 0xffff_ffff);
        }
        LaneOperation::Absolute if !instruction.flush => return Some(sources[0] & 0x7fff_ffff),
        LaneOperation::CopySign => {
            return Some(sources[1] & 0x7fff_ffff | sources[0] & 0x8000_0000);
        }
        LaneOperation::Negate => -x,
        LaneOperation::Absolute => x.abs(),
        LaneOperation::Add => add_f32(x, y, rounding),
        LaneOperation::Subtract => add_f32(x, -y, rounding),
        LaneOperation::Multiply => multiply_f32(x, y, rounding),
        LaneOperation::FusedMultiplyAdd => fma_f32(x, y, z, rounding),
        LaneOperation::Divide => divide_f32(x, y, rounding),
        LaneOperation::Minimum => both(smaller),
        LaneOperation::Maximum => both(larger),
        LaneOperation::Exp2 => x.exp2(),
        LaneOperation::Log2 => x.log2(),
        LaneOperation::Reciprocal => divide_f32(1.0, x, rounding),
        LaneOperation::SquareRoot => sqrt_f32(x, rounding),
        LaneOperation::ReciprocalSquareRoot => (1.0 / f64::from(x).sqrt()) as f32,
        LaneOperation::Sine => x.sin(),
        LaneOperation::Cosine => x.cos(),
        LaneOperation::Tanh => x.tanh(),
        _ => return None,
    };
    let value = match perturb != 0 && instruction.approximate {
        true => perturbed(value, perturb),
        false => value,
    };
    let value = if instruction.flush {
        flush(value)
    } else {
        value
    };
    let value = match instruction.saturate {
        true => saturate(f64::from(value)) as f32,
        false => value,
    };
    let value = match instruction.relu {
        true if !value.is_nan() => value.max(0.0),
        _ => value,
    };
    Some(u64::from(bits(value)))
}

fn double(instruction: &Instruction, operation: LaneOperation, sources: [u64; 4]) -> Option<u64> {
    let rounding = instruction.rounding;
    let [x, y, z, _] = sources.map(f64::from_bits);
    let directed = rounding != Rounding::Nearest;
    let value = match operation {
        LaneOperation::Negate => return Some(sources[0] ^ 1 << 63),
        LaneOperation::Absolute => return Some(sources[0] & !(1 << 63)),
        LaneOperation::CopySign => {
            return Some(sources[1] & !(1 << 63) | sources[0] & (1 << 63));
        }
        LaneOperation::Add if directed => add_f64(x, y, rounding),
        LaneOperation::Subtract if directed => add_f64(x, -y, rounding),
        LaneOperation::Multiply if directed => fma_f64(x, y, -0.0, rounding),
        LaneOperation::FusedMultiplyAdd if directed => fma_f64(x, y, z, rounding),
        LaneOperation::Divide | LaneOperation::Reciprocal | LaneOperation::SquareRoot
            if directed =>
        {
            return None;
        }
        LaneOperation::Add => x + y,
        LaneOperation::Subtract => x - y,
        LaneOperation::Multiply => x * y,
        LaneOperation::FusedMultiplyAdd => x.mul_add(y, z),
        LaneOperation::Divide => x / y,
        LaneOperation::Minimum => smaller(x, y, instruction.propagate_nan),
        LaneOperation::Maximum => larger(x, y, instruction.propagate_nan),
        // The hardware's approximations have 20 bits; programs refine them.
        LaneOperation::Reciprocal if instruction.approximate => return Some(upper(1.0 / x)),
        LaneOperation::ReciprocalSquareRoot if instruction.flush => {
            return Some(upper(1.0 / x.sqrt()));
        }
        // Without `.ftz` it is exact but for the last bit.
        LaneOperation::ReciprocalSquareRoot => 1.0 / x.sqrt(),
        LaneOperation::Reciprocal => 1.0 / x,
        LaneOperation::SquareRoot => x.sqrt(),
        _ => return None,
    };
    Some(value.to_bits())
}

/// The upper word of a number, the lower one zero.
fn upper(value: f64) -> u64 {
    value.to_bits() & 0xffff_ffff_0000_0000
}

fn short(instruction: &Instruction, operation: LaneOperation, sources: [u64; 4]) -> Option<u64> {
    let ty = instruction.ty;
    let [x, y, z, _] = sources.map(|bits| to_f64(bits & 0xffff, ty));
    let value = match operation {
        LaneOperation::Negate => return Some((sources[0] ^ 0x8000) & 0xffff),
        LaneOperation::Absolute => return Some(sources[0] & 0x7fff),
        LaneOperation::Add => x + y,
        LaneOperation::Subtract => x - y,
        LaneOperation::Multiply => x * y,
        LaneOperation::FusedMultiplyAdd => x.mul_add(y, z),
        LaneOperation::Minimum => smaller(x, y, instruction.propagate_nan),
        LaneOperation::Maximum => larger(x, y, instruction.propagate_nan),
        LaneOperation::Exp2 => x.exp2(),
        LaneOperation::Tanh => x.tanh(),
        _ => return None,
    };
    let value = if instruction.saturate {
        saturate(value)
    } else {
        value
    };
    let value = match instruction.relu {
        true if !value.is_nan() => value.max(0.0),
        _ => value,
    };
    Some(u64::from(half(value, ty, Rounding::Nearest)))
}

fn integer(instruction: &Instruction, operation: LaneOperation, sources: [u64; 4]) -> Option<u64> {
    let ty = instruction.ty;
    let signed = ty.is_signed();
    let width = 8 * ty.size() as u32;
    let [a, b, c, d] = sources;
    let (sa, sb) = (sign_extend(a, ty), sign_extend(b, ty));
    let (ua, ub) = (zero_extend(a, ty), zero_extend(b, ty));
    let high = || match signed {
        true => ((i128::from(sa) * i128::from(sb)) >> width) as u64,
        false => ((u128::from(ua) * u128::from(ub)) >> width) as u64,
    };
    let product24 = || match signed {
        true => (((a << 40) as i64 >> 40) * ((b << 40) as i64 >> 40)) as u64,
        false => (a & 0xff_ffff) * (b & 0xff_ffff),
    };
    let value = match operation {
        LaneOperation::Add if instruction.saturate => {
            (sa + sb).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as u64
        }
        LaneOperation::Subtract if instruction.saturate => {
            (sa - sb).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as u64
        }
        LaneOperation::Add => a.wrapping_add(b),
        LaneOperation::Subtract => a.wrapping_sub(b),
        LaneOperation::Multiply => a.wrapping_mul(b),
        LaneOperation::MultiplyAdd => a.wrapping_mul(b).wrapping_add(c),
        LaneOperation::Multiply24 => product24(),
        LaneOperation::MultiplyAdd24 => product24().wrapping_add(c),
        LaneOperation::MultiplyWide if signed => return Some(sa.wrapping_mul(sb) as u64),
        LaneOperation::MultiplyWide => return Some(ua.wrapping_mul(ub)),
        LaneOperation::MultiplyAddWide if signed => {
            return Some((sa.wrapping_mul(sb) as u64).wrapping_add(c));
        }
        LaneOperation::MultiplyAddWide => return Some(ua.wrapping_mul(ub).wrapping_add(c)),
        LaneOperation::MultiplyHigh => high(),
        LaneOperation::MultiplyAddHigh => high().wrapping_add(c),
        // What the hardware returns; the language leaves it open.
        LaneOperation::Divide if ub == 0 => u64::MAX,
        LaneOperation::Divide if signed => sa.wrapping_div(sb) as u64,
        LaneOperation::Divide => ua / ub,
        LaneOperation::Remainder if ub == 0 => ua,
        LaneOperation::Remainder if signed => sa.wrapping_rem(sb) as u64,
        LaneOperation::Remainder => ua % ub,
        LaneOperation::Minimum if signed => sa.min(sb) as u64,
        LaneOperation::Minimum => ua.min(ub),
        LaneOperation::Maximum if signed => sa.max(sb) as u64,
        LaneOperation::Maximum => ua.max(ub),
        LaneOperation::Negate => a.wrapping_neg(),
        LaneOperation::Absolute => sa.unsigned_abs(),
        LaneOperation::AbsoluteDifference if signed => sa.abs_diff(sb).wrapping_add(c),
        LaneOperation::AbsoluteDifference => ua.abs_diff(ub).wrapping_add(c),
        LaneOperation::And => a & b,
        LaneOperation::Or => a | b,
        LaneOperation::Xor => a ^ b,
        LaneOperation::Not => !a,
        LaneOperation::LogicalNot => u64::from(ua == 0),
        LaneOperation::ShiftLeft => match b as u32 {
            count if count >= width => 0,
            count => ua << count,
        },
        LaneOperation::ShiftRight if signed => (sa >> (b as u32).min(width - 1)) as u64,
        LaneOperation::ShiftRight => match b as u32 {
            count if count >= width => 0,
            count => ua >> count,
        },
        LaneOperation::InsertBits => {
            let (start, length) = ((c & 255) as u32, (d & 255) as u32);
            match start >= width {
                true => b,
                false => (b & !(ones(length) << start)) | ((a & ones(length)) << start),
            }
        }
        LaneOperation::ExtractBits => extract(ua, sa, signed, width, b, c),
        LaneOperation::CountOnes => u64::from(ua.count_ones()),
        LaneOperation::LeadingZeros => u64::from(ua.leading_zeros() - (64 - width)),
        LaneOperation::FindLeadingBit => {
            let bits = if signed && sa < 0 {
                zero_extend(!ua, ty)
            } else {
                ua
            };
            match bits {
                0 => 0xffff_ffff,
                bits if instruction.negated => u64::from(bits.leading_zeros() - (64 - width)),
                bits => u64::from(63 - bits.leading_zeros()),
            }
        }
        LaneOperation::ReverseBits => ua.reverse_bits() >> (64 - width),
        LaneOperation::PermuteBytes => permute(ua, b, c),
        LaneOperation::FunnelLeft | LaneOperation::FunnelRight => {
            let count = match instruction.negated {
                true => (c as u32).min(32),
                false => c as u32 & 31,
            };
            let both = (b << 32) | (a & 0xffff_ffff);
            match operation {
                LaneOperation::FunnelLeft => ((u128::from(both) << count) >> 32) as u64,
                _ => both >> count,
            }
        }
        LaneOperation::Logic3 => {
            let mut result = 0;
            for row in 0..8 {
                if d >> row & 1 != 0 {
                    let pick =
                        |value: u64, bit: u32| if row >> bit & 1 != 0 { value } else { !value };
                    result |= pick(a, 2) & pick(b, 1) & pick(c, 0);
                }
            }
            result
        }
        LaneOperation::DotProduct4 => {
            let mut sum = c;
            for byte in 0..4 {
                let part = |word: u64, signed: bool| match signed {
                    true => i64::from((word >> (8 * byte)) as u8 as i8),
                    false => i64::from((word >> (8 * byte)) as u8),
                };
                let product = part(a, signed) * part(b, instruction.source_type.is_signed());
                sum = sum.wrapping_add(product as u64);
            }
            sum
        }
        LaneOperation::ToGeneric => match instruction.space {
            Space::Shared | Space::Cluster => a + SHARED_BASE,
            Space::Local => a + LOCAL_BASE,
            _ => a,
        },
        LaneOperation::FromGeneric => match instruction.space {
            Space::Shared | Space::Cluster => a.wrapping_sub(SHARED_BASE),
            Space::Local => a.wrapping_sub(LOCAL_BASE),
            _ => a,
        },
        LaneOperation::IsInSpace => {
            let shared = (SHARED_BASE..SHARED_BASE + WINDOW).contains(&a);
            let local = (LOCAL_BASE..LOCAL_BASE + WINDOW).contains(&a);
            return Some(u64::from(match instruction.space {
                Space::Shared | Space::Cluster => shared,
                Space::Local => local,
                _ => !shared && !local,
            }));
        }
        LaneOperation::MapToBlock => {
            let offset = a & ((1 << RANK_SHIFT) - 1);
            let window = if a >= SHARED_BASE { SHARED_BASE } else { 0 };
            window + (offset | (b + 1) << RANK_SHIFT)
        }
        _ => return None,
    };
    Some(zero_extend(value, result_type(operation, ty)))
}

/// The type of an integer result: bits are counted in 32 bits.
fn result_type(operation: LaneOperation, ty: Type) -> Type {
    match operation {
        LaneOperation::CountOnes | LaneOperation::LeadingZeros | LaneOperation::FindLeadingBit => {
            Type::U32
        }
        _ => ty,
    }
}

fn ones(length: u32) -> u64 {
    match length {
        64.. => u64::MAX,
        length => (1 << length) - 1,
    }
}

fn extract(ua: u64, sa: i64, signed: bool, width: u32, start: u64, length: u64) -> u64 {
    let (start, length) = ((start & 255) as u32, (length & 255) as u32);
    if length == 0 {
        return 0;
    }
    if !signed {
        return match start >= width {
            true => 0,
            false => (ua >> start) & ones(length),
        };
    }
    // Bits above the value are its sign.
    let top = (start + length).min(width);
    match start >= width {
        true => (sa >> (width - 1)) as u64,
        false => ((sa << (64 - top)) >> (64 - top + start)) as u64,
    }
}

fn permute(a: u64, b: u64, selectors: u64) -> u64 {
    let bytes = (a & 0xffff_ffff) | (b << 32);
    let mut result = 0;
    for place in 0..4 {
        let selector = (selectors >> (4 * place)) & 15;
        let byte = (bytes >> (8 * (selector & 7))) & 255;
        let byte = match (selector & 8 != 0, byte & 128 != 0) {
            (false, _) => byte,
            (true, true) => 255,
            (true, false) => 0,
        };
        result |= byte << (8 * place);
    }
    result
}
