//! Operations on all lanes at once, for the instructions that kernels consist of. Each is compiled twice, for any
//! machine and for AVX2 with FMA.

use super::types::{Comparison, Instruction, LaneOperation, Operation, Rounding, Slot, Type};
use crate::numbers::{bf16, bf16_to_f32, bits, float, flush};

/// A word of each lane.
pub type Line = [u32; 32];
/// A double word of each lane.
pub type WideLine = [u64; 32];

type Narrow = unsafe fn(&Line, &Line, &Line, &mut Line);
type Wide = unsafe fn(&WideLine, &WideLine, &WideLine, &mut WideLine);
type Compare = unsafe fn(&Line, &Line) -> u32;

/// A function for all lanes.
#[derive(Clone, Copy, Debug)]
pub enum Vector {
    /// Of words to words.
    Narrow(Narrow),
    /// Of words or double words to either.
    Wide(Wide),
    /// Of words to a predicate.
    Compare(Compare),
}

/// Whether the second copies of the functions may run.
fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Calls a function for all lanes.
#[inline(always)]
pub fn narrow(function: Narrow, a: &Line, b: &Line, c: &Line) -> Line {
    let mut result = [0; 32];
    // SAFETY: the function is safe on a machine that has what it was compiled for, and `choose` asks for that.
    unsafe { function(a, b, c, &mut result) };
    result
}

/// Calls a function for all lanes.
#[inline(always)]
pub fn wide(function: Wide, a: &WideLine, b: &WideLine, c: &WideLine) -> WideLine {
    let mut result = [0; 32];
    // SAFETY: the function is safe on a machine that has what it was compiled for, and `choose` asks for that.
    unsafe { function(a, b, c, &mut result) };
    result
}

/// Calls a comparison of all lanes.
#[inline(always)]
pub fn compare(function: Compare, a: &Line, b: &Line) -> u32 {
    // SAFETY: the function is safe on a machine that has what it was compiled for, and `choose` asks for that.
    unsafe { function(a, b) }
}

macro_rules! functions {
    (@copy $word:ty, $module:ident, # $feature:tt, $($name:ident($a:ident, $b:ident, $c:ident) $value:expr;)*) => {
        pub mod $module {
            use super::*;
            $(
                #$feature
                pub fn $name(a: &[$word; 32], b: &[$word; 32], c: &[$word; 32], out: &mut [$word; 32]) {
                    for lane in 0..32 {
                        let ($a, $b, $c) = (a[lane], b[lane], c[lane]);
                        let _ = ($b, $c);
                        out[lane] = $value;
                    }
                }
            )*
        }
    };
    ($word:ty, $($name:ident($a:ident, $b:ident, $c:ident) $value:expr;)*) => {
        functions!(@copy $word, plain, #[inline], $($name($a, $b, $c) $value;)*);
        #[cfg(target_arch = "x86_64")]
        functions!(@copy $word, avx2, #[target_feature(enable = "avx2,fma")], $($name($a, $b, $c) $value;)*);
        #[cfg(not(target_arch = "x86_64"))]
        use plain as avx2;
    };
}

mod narrow_functions {
    use super::*;

    #[inline(always)]
    fn flushed(value: u32) -> f32 {
        flush(float(value))
    }
    #[inline(always)]
    fn flushed_bits(value: f32) -> u32 {
        bits(flush(value))
    }

    functions! { u32,
        copy(x, y, z) x;
        low_half(x, y, z) x & 0xffff;
        add_f32(x, y, z) bits(float(x) + float(y));
        subtract_f32(x, y, z) bits(float(x) - float(y));
        multiply_f32(x, y, z) bits(float(x) * float(y));
        fma_f32(x, y, z) bits(float(x).mul_add(float(y), float(z)));
        add_flushed(x, y, z) flushed_bits(flushed(x) + flushed(y));
        subtract_flushed(x, y, z) flushed_bits(flushed(x) - flushed(y));
        multiply_flushed(x, y, z) flushed_bits(flushed(x) * flushed(y));
        fma_flushed(x, y, z) flushed_bits(flushed(x).mul_add(flushed(y), flushed(z)));
        divide_f32(x, y, z) bits(float(x) / float(y));
        square_root_f32(x, y, z) bits(float(x).sqrt());
        reciprocal_f32(x, y, z) bits(1.0 / float(x));
        reciprocal_flushed(x, y, z) flushed_bits(1.0 / flushed(x));
        exp2_f32(x, y, z) bits(float(x).exp2());
        exp2_flushed(x, y, z) flushed_bits(flushed(x).exp2());
        negate_f32(x, y, z) x ^ 0x8000_0000;
        absolute_f32(x, y, z) x & 0x7fff_ffff;
        from_s32(x, y, z) bits(x as i32 as f32);
        from_u32(x, y, z) bits(x as f32);
        to_bf16(x, y, z) u32::from(bf16(float(x)));
        from_bf16(x, y, z) bits(bf16_to_f32(x as u16));
        add_u32(x, y, z) x.wrapping_add(y);
        subtract_u32(x, y, z) x.wrapping_sub(y);
        multiply_u32(x, y, z) x.wrapping_mul(y);
        multiply_add_u32(x, y, z) x.wrapping_mul(y).wrapping_add(z);
        multiply_high_u32(x, y, z) ((u64::from(x) * u64::from(y)) >> 32) as u32;
        and(x, y, z) x & y;
        or(x, y, z) x | y;
        xor(x, y, z) x ^ y;
        not(x, y, z) !x;
        negate_s32(x, y, z) x.wrapping_neg();
        shift_left(x, y, z) if y > 31 { 0 } else { x << (y & 31) };
        shift_right_u32(x, y, z) if y > 31 { 0 } else { x >> (y & 31) };
        shift_right_s32(x, y, z) ((x as i32) >> y.min(31)) as u32;
        minimum_s32(x, y, z) (x as i32).min(y as i32) as u32;
        maximum_s32(x, y, z) (x as i32).max(y as i32) as u32;
        minimum_u32(x, y, z) x.min(y);
        maximum_u32(x, y, z) x.max(y);
        funnel_left(x, y, z) ((((u64::from(y) << 32) | u64::from(x)) << (z & 31)) >> 32) as u32;
        funnel_right(x, y, z) (((u64::from(y) << 32) | u64::from(x)) >> (z & 31)) as u32;
    }
}

mod wide_functions {
    use super::*;

    #[inline(always)]
    fn number(bits: u64) -> f64 {
        f64::from_bits(bits)
    }

    functions! { u64,
        copy(x, y, z) x;
        from_s32(x, y, z) x as i32 as u64;
        add_u64(x, y, z) x.wrapping_add(y);
        subtract_u64(x, y, z) x.wrapping_sub(y);
        multiply_u64(x, y, z) x.wrapping_mul(y);
        multiply_add_u64(x, y, z) x.wrapping_mul(y).wrapping_add(z);
        multiply_s32(x, y, z) (i64::from(x as i32) * i64::from(y as i32)) as u64;
        multiply_u32(x, y, z) (x & 0xffff_ffff) * (y & 0xffff_ffff);
        multiply_add_s32(x, y, z) ((i64::from(x as i32) * i64::from(y as i32)) as u64).wrapping_add(z);
        multiply_add_u32(x, y, z) ((x & 0xffff_ffff) * (y & 0xffff_ffff)).wrapping_add(z);
        and(x, y, z) x & y;
        or(x, y, z) x | y;
        xor(x, y, z) x ^ y;
        shift_left(x, y, z) if y > 63 { 0 } else { x << (y & 63) };
        shift_right_u64(x, y, z) if y > 63 { 0 } else { x >> (y & 63) };
        shift_right_s64(x, y, z) ((x as i64) >> y.min(63)) as u64;
        add_f64(x, y, z) (number(x) + number(y)).to_bits();
        subtract_f64(x, y, z) (number(x) - number(y)).to_bits();
        multiply_f64(x, y, z) (number(x) * number(y)).to_bits();
        fma_f64(x, y, z) number(x).mul_add(number(y), number(z)).to_bits();
        divide_f64(x, y, z) (number(x) / number(y)).to_bits();
        from_f32(x, y, z) f64::from(float(x as u32)).to_bits();
    }
}

mod comparisons {
    use super::*;

    macro_rules! comparisons {
        (@copy $module:ident, # $feature:tt, $($name:ident($a:ident, $b:ident) $value:expr;)*) => {
            pub mod $module {
                use super::*;
                $(
                    #$feature
                    pub fn $name(a: &Line, b: &Line) -> u32 {
                        let mut result = 0;
                        for lane in 0..32 {
                            let ($a, $b) = (a[lane], b[lane]);
                            result |= u32::from($value) << lane;
                        }
                        result
                    }
                )*
            }
        };
        ($($name:ident($a:ident, $b:ident) $value:expr;)*) => {
            comparisons!(@copy plain, #[inline], $($name($a, $b) $value;)*);
            #[cfg(target_arch = "x86_64")]
            comparisons!(@copy avx2, #[target_feature(enable = "avx2,fma")], $($name($a, $b) $value;)*);
            #[cfg(not(target_arch = "x86_64"))]
            use plain as avx2;
        };
    }

    comparisons! {
        equal(x, y) x == y;
        not_equal(x, y) x != y;
        less_s32(x, y) (x as i32) < (y as i32);
        less_equal_s32(x, y) (x as i32) <= (y as i32);
        greater_s32(x, y) (x as i32) > (y as i32);
        greater_equal_s32(x, y) (x as i32) >= (y as i32);
        less_u32(x, y) x < y;
        less_equal_u32(x, y) x <= y;
        greater_u32(x, y) x > y;
        greater_equal_u32(x, y) x >= y;
        equal_f32(x, y) float(x) == float(y);
        less_f32(x, y) float(x) < float(y);
        less_equal_f32(x, y) float(x) <= float(y);
        greater_f32(x, y) float(x) > float(y);
        greater_equal_f32(x, y) float(x) >= float(y);
    }
}

/// Chooses the copy that runs here.
macro_rules! pick {
    ($kind:ident, $module:ident, $name:ident) => {
        match has_avx2() {
            true => Vector::$kind($module::avx2::$name),
            false => Vector::$kind($module::plain::$name),
        }
    };
}

/// The function for all lanes of an instruction, if there is one.
pub fn choose(instruction: &Instruction) -> Option<Vector> {
    let plain = !instruction.saturate
        && !instruction.relu
        && !instruction.propagate_nan
        && !instruction.integral
        && !instruction.negated;
    let operands = instruction.sources.iter().filter(|slot| !slot.is_none());
    let no_predicates =
        !instruction.destination.is_none() && !operands.clone().any(|slot| slot.is_predicate());
    let Operation::Lane(operation) = instruction.operation else {
        return None;
    };
    if !plain || !no_predicates || instruction.destination.is_predicate() {
        return None;
    }
    let narrow =
        instruction.destination.is_narrow() && operands.clone().all(|slot| slot.is_narrow());
    match narrow {
        true => choose_narrow(instruction, operation),
        false => choose_wide(instruction, operation),
    }
}

/// The function of a comparison that is not combined with a predicate.
pub fn choose_comparison(
    ty: Type,
    flush: bool,
    comparison: Comparison,
    sources: &[Slot],
) -> Option<Vector> {
    if flush || !sources[..2].iter().all(|slot| slot.is_narrow()) {
        return None;
    }
    macro_rules! pick_comparison {
        ($name:ident) => {
            Some(pick!(Compare, comparisons, $name))
        };
    }
    match (ty, comparison) {
        (Type::U32 | Type::S32, Comparison::Equal) => pick_comparison!(equal),
        (Type::U32 | Type::S32, Comparison::NotEqual) => pick_comparison!(not_equal),
        (Type::S32, Comparison::Less) => pick_comparison!(less_s32),
        (Type::S32, Comparison::LessEqual) => pick_comparison!(less_equal_s32),
        (Type::S32, Comparison::Greater) => pick_comparison!(greater_s32),
        (Type::S32, Comparison::GreaterEqual) => pick_comparison!(greater_equal_s32),
        (Type::U32, Comparison::Less) => pick_comparison!(less_u32),
        (Type::U32, Comparison::LessEqual) => pick_comparison!(less_equal_u32),
        (Type::U32, Comparison::Greater) => pick_comparison!(greater_u32),
        (Type::U32, Comparison::GreaterEqual) => pick_comparison!(greater_equal_u32),
        (Type::F32, Comparison::Equal) => pick_comparison!(equal_f32),
        (Type::F32, Comparison::Less) => pick_comparison!(less_f32),
        (Type::F32, Comparison::LessEqual) => pick_comparison!(less_equal_f32),
        (Type::F32, Comparison::Greater) => pick_comparison!(greater_f32),
        (Type::F32, Comparison::GreaterEqual) => pick_comparison!(greater_equal_f32),
        _ => None,
    }
}

fn choose_narrow(instruction: &Instruction, operation: LaneOperation) -> Option<Vector> {
    let (ty, source) = (instruction.ty, instruction.source_type);
    let nearest = instruction.rounding == Rounding::Nearest;
    let integer = matches!(ty, Type::U32 | Type::S32);
    let signed = ty == Type::S32;
    macro_rules! pick_narrow {
        ($name:ident) => {
            Some(pick!(Narrow, narrow_functions, $name))
        };
        ($plain:ident, $flushed:ident) => {
            match instruction.flush {
                true => Some(pick!(Narrow, narrow_functions, $flushed)),
                false => Some(pick!(Narrow, narrow_functions, $plain)),
            }
        };
    }
    match operation {
        LaneOperation::Move => match ty.size() {
            2 => pick_narrow!(low_half),
            _ => pick_narrow!(copy),
        },
        LaneOperation::Convert => match (ty, source) {
            (Type::F32, Type::S32) if nearest => pick_narrow!(from_s32),
            (Type::F32, Type::U32) if nearest => pick_narrow!(from_u32),
            (Type::BF16, Type::F32) if nearest && !instruction.flush => pick_narrow!(to_bf16),
            (Type::F32, Type::BF16) if !instruction.flush => pick_narrow!(from_bf16),
            (Type::U32 | Type::S32, Type::U16) => pick_narrow!(low_half),
            _ => None,
        },
        _ if ty == Type::F32 && nearest => match operation {
            LaneOperation::Add => pick_narrow!(add_f32, add_flushed),
            LaneOperation::Subtract => pick_narrow!(subtract_f32, subtract_flushed),
            LaneOperation::Multiply => pick_narrow!(multiply_f32, multiply_flushed),
            LaneOperation::FusedMultiplyAdd => pick_narrow!(fma_f32, fma_flushed),
            LaneOperation::Reciprocal => pick_narrow!(reciprocal_f32, reciprocal_flushed),
            LaneOperation::Exp2 => pick_narrow!(exp2_f32, exp2_flushed),
            _ if instruction.flush => None,
            LaneOperation::Divide => pick_narrow!(divide_f32),
            LaneOperation::SquareRoot => pick_narrow!(square_root_f32),
            LaneOperation::Negate => pick_narrow!(negate_f32),
            LaneOperation::Absolute => pick_narrow!(absolute_f32),
            _ => None,
        },
        _ if integer => match operation {
            LaneOperation::Add => pick_narrow!(add_u32),
            LaneOperation::Subtract => pick_narrow!(subtract_u32),
            LaneOperation::Multiply => pick_narrow!(multiply_u32),
            LaneOperation::MultiplyAdd => pick_narrow!(multiply_add_u32),
            LaneOperation::MultiplyHigh if !signed => pick_narrow!(multiply_high_u32),
            LaneOperation::And => pick_narrow!(and),
            LaneOperation::Or => pick_narrow!(or),
            LaneOperation::Xor => pick_narrow!(xor),
            LaneOperation::Not => pick_narrow!(not),
            LaneOperation::Negate => pick_narrow!(negate_s32),
            LaneOperation::ShiftLeft => pick_narrow!(shift_left),
            LaneOperation::ShiftRight if signed => pick_narrow!(shift_right_s32),
            LaneOperation::ShiftRight => pick_narrow!(shift_right_u32),
            LaneOperation::Minimum if signed => pick_narrow!(minimum_s32),
            LaneOperation::Maximum if signed => pick_narrow!(maximum_s32),
            LaneOperation::Minimum => pick_narrow!(minimum_u32),
            LaneOperation::Maximum => pick_narrow!(maximum_u32),
            LaneOperation::FunnelLeft => pick_narrow!(funnel_left),
            LaneOperation::FunnelRight => pick_narrow!(funnel_right),
            _ => None,
        },
        _ => None,
    }
}

fn choose_wide(instruction: &Instruction, operation: LaneOperation) -> Option<Vector> {
    let (ty, source) = (instruction.ty, instruction.source_type);
    let nearest = instruction.rounding == Rounding::Nearest;
    macro_rules! pick_wide {
        ($name:ident) => {
            Some(pick!(Wide, wide_functions, $name))
        };
    }
    match operation {
        LaneOperation::Move => pick_wide!(copy),
        LaneOperation::Convert => match (ty, source) {
            (Type::U64 | Type::S64, Type::U32) => pick_wide!(copy),
            (Type::U64 | Type::S64, Type::S32) => pick_wide!(from_s32),
            (Type::U32 | Type::S32, Type::U64 | Type::S64) => pick_wide!(copy),
            (Type::F64, Type::F32) if !instruction.flush => pick_wide!(from_f32),
            _ => None,
        },
        LaneOperation::MultiplyWide if ty == Type::S32 => pick_wide!(multiply_s32),
        LaneOperation::MultiplyWide if ty == Type::U32 => pick_wide!(multiply_u32),
        LaneOperation::MultiplyAddWide if ty == Type::S32 => pick_wide!(multiply_add_s32),
        LaneOperation::MultiplyAddWide if ty == Type::U32 => pick_wide!(multiply_add_u32),
        _ if ty == Type::F64 && nearest => match operation {
            LaneOperation::Add => pick_wide!(add_f64),
            LaneOperation::Subtract => pick_wide!(subtract_f64),
            LaneOperation::Multiply => pick_wide!(multiply_f64),
            LaneOperation::FusedMultiplyAdd => pick_wide!(fma_f64),
            LaneOperation::Divide => pick_wide!(divide_f64),
            _ => None,
        },
        _ if matches!(ty, Type::U64 | Type::S64) => match operation {
            LaneOperation::Add => pick_wide!(add_u64),
            LaneOperation::Subtract => pick_wide!(subtract_u64),
            LaneOperation::Multiply => pick_wide!(multiply_u64),
            LaneOperation::MultiplyAdd => pick_wide!(multiply_add_u64),
            LaneOperation::And => pick_wide!(and),
            LaneOperation::Or => pick_wide!(or),
            LaneOperation::Xor => pick_wide!(xor),
            LaneOperation::ShiftLeft => pick_wide!(shift_left),
            LaneOperation::ShiftRight if ty == Type::S64 => pick_wide!(shift_right_s64),
            LaneOperation::ShiftRight => pick_wide!(shift_right_u64),
            _ => None,
        },
        _ => None,
    }
}
