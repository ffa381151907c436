//! Floating-point numbers as the device has them: rounding, halves, NaN.

use crate::{
    bits::{NAN, bf16, bf16_to_f32},
    program::{Rounding, Type},
};

/// `.sat`: into 0 to 1, NaN to 0.
pub fn saturate(value: f64) -> f64 {
    if value > 0.0 { value.min(1.0) } else { 0.0 }
}

/// A sum as its rounded value and what rounding lost.
pub fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// Rounds the exact value `high + low` to 32 bits, where `high` is its nearest 64-bit value.
pub fn round_to_f32(high: f64, low: f64, rounding: Rounding) -> f32 {
    let nearest = high as f32;
    if matches!(rounding, Rounding::Nearest | Rounding::NearestAway) || high.is_infinite() {
        return nearest;
    }
    // What is missing; where the nearest value is infinite, it lies toward zero.
    let missing = match nearest.is_infinite() {
        true => -f64::from(nearest),
        false => (high - f64::from(nearest)) + low,
    };
    adjust_f32(nearest, missing, rounding)
}

fn adjust_f32(nearest: f32, missing: f64, rounding: Rounding) -> f32 {
    let down = match rounding {
        Rounding::Zero => nearest > 0.0,
        Rounding::Down => true,
        _ => false,
    };
    let up = match rounding {
        Rounding::Zero => nearest < 0.0,
        Rounding::Up => true,
        _ => false,
    };
    if missing < 0.0 && down {
        nearest.next_down()
    } else if missing > 0.0 && up {
        nearest.next_up()
    } else {
        nearest
    }
}

/// Moves a 64-bit `nearest`, from which `missing` is missing, in the direction of `rounding`.
pub fn adjust_f64(nearest: f64, missing: f64, rounding: Rounding) -> f64 {
    let down = rounding == Rounding::Down || rounding == Rounding::Zero && nearest > 0.0;
    let up = rounding == Rounding::Up || rounding == Rounding::Zero && nearest < 0.0;
    if missing < 0.0 && down {
        nearest.next_down()
    } else if missing > 0.0 && up {
        nearest.next_up()
    } else {
        nearest
    }
}

pub fn add_f32(a: f32, b: f32, rounding: Rounding) -> f32 {
    if rounding == Rounding::Nearest {
        return a + b;
    }
    let (high, low) = two_sum(f64::from(a), f64::from(b));
    // An exact zero of numbers with two signs is negative when rounding down.
    if high == 0.0 && rounding == Rounding::Down && a.is_sign_positive() != b.is_sign_positive() {
        return -0.0;
    }
    round_to_f32(high, low, rounding)
}

pub fn fma_f32(a: f32, b: f32, c: f32, rounding: Rounding) -> f32 {
    if rounding == Rounding::Nearest {
        return a.mul_add(b, c);
    }
    let (high, low) = two_sum(f64::from(a) * f64::from(b), f64::from(c));
    round_to_f32(high, low, rounding)
}

pub fn multiply_f32(a: f32, b: f32, rounding: Rounding) -> f32 {
    if rounding == Rounding::Nearest {
        return a * b;
    }
    round_to_f32(f64::from(a) * f64::from(b), 0.0, rounding)
}

pub fn divide_f32(a: f32, b: f32, rounding: Rounding) -> f32 {
    if rounding == Rounding::Nearest {
        return a / b;
    }
    let (a, b) = (f64::from(a), f64::from(b));
    let quotient = a / b;
    let rest = (-quotient).mul_add(b, a) / b;
    round_to_f32(quotient, if rest.is_nan() { 0.0 } else { rest }, rounding)
}

pub fn sqrt_f32(a: f32, rounding: Rounding) -> f32 {
    if rounding == Rounding::Nearest {
        return a.sqrt();
    }
    let a = f64::from(a);
    let root = a.sqrt();
    let rest = (-root).mul_add(root, a);
    round_to_f32(root, if rest.is_nan() { 0.0 } else { rest }, rounding)
}

pub fn add_f64(a: f64, b: f64, rounding: Rounding) -> f64 {
    let (sum, rest) = two_sum(a, b);
    adjust_f64(sum, rest, rounding)
}

pub fn fma_f64(a: f64, b: f64, c: f64, rounding: Rounding) -> f64 {
    let nearest = a.mul_add(b, c);
    if rounding == Rounding::Nearest || !nearest.is_finite() {
        return nearest;
    }
    let high = a * b;
    let low = a.mul_add(b, -high);
    let (sum, rest) = two_sum(high, c);
    adjust_f64(nearest, ((sum - nearest) + rest) + low, rounding)
}

/// A half as a number: its fraction's bits, its exponent's bits.
fn half_to_f64(half: u16, fraction: u32, exponent: u32) -> f64 {
    let half = u32::from(half);
    let sign = if half >> 15 != 0 { -1.0 } else { 1.0 };
    let part = f64::from(half & ((1 << fraction) - 1)) / f64::from(1 << fraction);
    let power = (half >> fraction) & ((1 << exponent) - 1);
    let bias = (1 << (exponent - 1)) - 1;
    let value = match power {
        0 => part * 2_f64.powi(1 - bias),
        all if all == (1 << exponent) - 1 => match part == 0.0 {
            true => f64::INFINITY,
            false => return f64::NAN,
        },
        power => (1.0 + part) * 2_f64.powi(power as i32 - bias),
    };
    sign * value
}

/// Rounds a number to a half with so many bits of fraction and exponent.
fn half_from_f64(value: f64, fraction: i32, exponent: i32, rounding: Rounding) -> u16 {
    if value.is_nan() {
        return 0x7fff;
    }
    let sign = if value.is_sign_negative() { 1 << 15 } else { 0 };
    let magnitude = value.abs();
    let bias = (1 << (exponent - 1)) - 1;
    let infinity = ((1 << exponent) - 1) << fraction;
    if magnitude.is_infinite() {
        return sign | infinity;
    }
    // The exponent of the last bit. A denormal number's is that of the smallest normal one.
    let power = match magnitude.to_bits() >> 52 {
        0 => -1074,
        power => power as i32 - 1023,
    };
    let last = power.max(1 - bias) - fraction;
    let scaled = magnitude * 2_f64.powi(-last);
    let negative = sign != 0;
    let units = match rounding {
        Rounding::Zero => scaled.floor(),
        Rounding::Down if negative => scaled.ceil(),
        Rounding::Down => scaled.floor(),
        Rounding::Up if negative => scaled.floor(),
        Rounding::Up => scaled.ceil(),
        _ => scaled.round_ties_even(),
    };
    // A carry of the fraction counts up the exponent by itself.
    let base = ((last + fraction + bias - 1) as u32) << fraction;
    let bits = base + units as u32;
    if bits >= u32::from(infinity) {
        let toward_zero = match rounding {
            Rounding::Zero => true,
            Rounding::Down => !negative,
            Rounding::Up => negative,
            _ => false,
        };
        return sign | if toward_zero { infinity - 1 } else { infinity };
    }
    sign | bits as u16
}

pub fn f16_to_f64(half: u16) -> f64 {
    half_to_f64(half, 10, 5)
}

pub fn f16_to_f32(half: u16) -> f32 {
    f16_to_f64(half) as f32
}

pub fn half(value: f64, ty: Type, rounding: Rounding) -> u16 {
    match ty {
        Type::BF16 if rounding == Rounding::Nearest && f64::from(value as f32) == value => {
            bf16(value as f32)
        }
        Type::BF16 => half_from_f64(value, 7, 8, rounding),
        _ => half_from_f64(value, 10, 5, rounding),
    }
}

/// The number that `bits` mean as a floating-point type.
pub fn to_f64(bits: u64, ty: Type) -> f64 {
    match ty {
        Type::F64 => f64::from_bits(bits),
        Type::F16 => f16_to_f64(bits as u16),
        Type::BF16 => f64::from(bf16_to_f32(bits as u16)),
        _ => f64::from(f32::from_bits(bits as u32)),
    }
}

/// `bits` of an integer type, with its sign.
pub fn sign_extend(bits: u64, ty: Type) -> i64 {
    match ty.size() {
        1 => i64::from(bits as u8 as i8),
        2 => i64::from(bits as u16 as i16),
        4 => i64::from(bits as u32 as i32),
        _ => bits as i64,
    }
}

/// `bits` of a type, those above its size cleared.
pub fn zero_extend(bits: u64, ty: Type) -> u64 {
    match ty.size() {
        1 => bits & 0xff,
        2 => bits & 0xffff,
        4 => bits & 0xffff_ffff,
        _ => bits,
    }
}

/// `cvt.rna.tf32`: ties go away from zero.
pub fn tf32(value: f32, rounding: Rounding) -> u32 {
    let bits = value.to_bits();
    if value.is_nan() {
        return NAN;
    }
    if value.is_infinite() {
        return bits;
    }
    let add = match rounding {
        Rounding::NearestAway => 0x1000,
        Rounding::Zero => 0,
        _ => 0xfff + ((bits >> 13) & 1),
    };
    bits.wrapping_add(add) & 0xffff_e000
}

/// Moves `value` by up to two units in the last place, as `seed` and the value decide.
pub fn perturbed(value: f32, seed: u32) -> f32 {
    if !value.is_normal() || value.abs() >= 1e38 || value.abs() < 1e-37 {
        return value;
    }
    let mut hash = value.to_bits() ^ seed.wrapping_mul(0x9e37_79b9);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    let steps = (hash >> 16) % 5;
    f32::from_bits(value.to_bits().wrapping_add(steps).wrapping_sub(2))
}
