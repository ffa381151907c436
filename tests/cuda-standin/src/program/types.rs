//! Types of operands, and modifiers.

/// The type of an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Type {
    U8,
    S8,
    U16,
    S16,
    U32,
    S32,
    U64,
    S64,
    F16,
    BF16,
    F16x2,
    BF16x2,
    TF32,
    F32,
    F64,
    Predicate,
}

impl Type {
    /// The type that PTX calls `name`. An untyped size counts as unsigned.
    pub fn parse(name: &str) -> Option<Type> {
        Some(match name {
            "u8" | "b8" => Type::U8,
            "s8" => Type::S8,
            "u16" | "b16" => Type::U16,
            "s16" => Type::S16,
            "u32" | "b32" => Type::U32,
            "s32" => Type::S32,
            "u64" | "b64" => Type::U64,
            "s64" => Type::S64,
            "f16" => Type::F16,
            "bf16" => Type::BF16,
            "f16x2" => Type::F16x2,
            "bf16x2" => Type::BF16x2,
            "tf32" => Type::TF32,
            "f32" => Type::F32,
            "f64" => Type::F64,
            "pred" => Type::Predicate,
            _ => return None,
        })
    }

    /// Bytes of a value in memory.
    pub fn size(self) -> usize {
        match self {
            Type::U8 | Type::S8 => 1,
            Type::U16 | Type::S16 | Type::F16 | Type::BF16 => 2,
            Type::U64 | Type::S64 | Type::F64 => 8,
            _ => 4,
        }
    }

    pub fn is_signed(self) -> bool {
        matches!(self, Type::S8 | Type::S16 | Type::S32 | Type::S64)
    }

    /// Whether a value is one floating-point number.
    pub fn is_float(self) -> bool {
        matches!(
            self,
            Type::F16 | Type::BF16 | Type::TF32 | Type::F32 | Type::F64
        )
    }

    /// The type of each half of a pair.
    pub fn half(self) -> Option<Type> {
        match self {
            Type::F16x2 => Some(Type::F16),
            Type::BF16x2 => Some(Type::BF16),
            _ => None,
        }
    }
}

/// Where an address points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Space {
    Generic,
    Global,
    /// The block's own shared memory.
    Shared,
    /// Shared memory of any block of the cluster.
    Cluster,
    Local,
    /// The kernel's parameters.
    Parameter,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    EqualUnordered,
    NotEqualUnordered,
    LessUnordered,
    LessEqualUnordered,
    GreaterUnordered,
    GreaterEqualUnordered,
    Ordered,
    Unordered,
}

/// How a comparison is combined with a predicate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Combine {
    None,
    And,
    Or,
    Xor,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    Nearest,
    Zero,
    Down,
    Up,
    /// Ties away from zero, for TF32.
    NearestAway,
}
