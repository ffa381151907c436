//! Which function for all lanes an instruction has.

use crate::{
    program::{Comparison, Instruction, LaneOperation, Operation, Rounding, Slot, Type},
    simd::{
        Vector,
        functions::{comparisons, narrow_functions, wide_functions},
        has_avx2,
    },
};

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
