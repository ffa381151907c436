//! Numbers of other types as floats.

/// What numbers of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl Kind {
    /// Bytes of one number.
    #[cfg(feature = "all")]
    pub(crate) fn size(self) -> usize {
        match self {
            Kind::F64 | Kind::I64 => 8,
            Kind::F32 | Kind::I32 => 4,
            Kind::F16 | Kind::Bf16 | Kind::I16 => 2,
            Kind::I8 | Kind::U8 | Kind::Bool => 1,
        }
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Kind::F64 | Kind::F32 | Kind::F16 | Kind::Bf16)
    }
}

/// The numbers that bytes are. Bytes at the end that make no whole number are left.
pub(crate) fn floats(bytes: &[u8], kind: Kind, big: bool) -> Vec<f32> {
    fn all<const N: usize>(bytes: &[u8], big: bool, one: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        let (numbers, _) = bytes.as_chunks::<N>();
        let little = |mut number: [u8; N]| {
            if big {
                number.reverse();
            }
            one(number)
        };
        numbers.iter().copied().map(little).collect()
    }
    match kind {
        Kind::F64 => all(bytes, big, |b| f64::from_le_bytes(b) as f32),
        Kind::F32 => all(bytes, big, f32::from_le_bytes),
        Kind::F16 => all(bytes, big, |b| half(u16::from_le_bytes(b))),
        // The upper half of a float.
        Kind::Bf16 => all(bytes, big, |b| {
            f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)
        }),
        Kind::I64 => all(bytes, big, |b| i64::from_le_bytes(b) as f32),
        Kind::I32 => all(bytes, big, |b| i32::from_le_bytes(b) as f32),
        Kind::I16 => all(bytes, big, |b| f32::from(i16::from_le_bytes(b))),
        Kind::I8 => all(bytes, big, |b| f32::from(i8::from_le_bytes(b))),
        Kind::U8 => all(bytes, big, |[b]: [u8; 1]| f32::from(b)),
        Kind::Bool => all(bytes, big, |[b]: [u8; 1]| f32::from(u8::from(b != 0))),
    }
}

/// A float of 16 bits: a sign, 5 bits of exponent, 10 of fraction.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let fraction = u32::from(bits & 0x3ff);
    match exponent {
        // Subnormal: the fraction counts 2^-24.
        0 => {
            let size = fraction as f32 / 16_777_216.0;
            f32::from_bits(size.to_bits() | sign)
        }
        0x1f => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        for (bits, value) in [
            (0x0000_u16, 0.0_f32),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x83ff, -6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:04x}");
        }
        assert!(half(0x7e00).is_nan());
        assert_eq!(half(0x8000).to_bits(), 0x8000_0000);
    }

    #[test]
    fn both_orders_of_bytes() {
        assert_eq!(floats(&[0x3f, 0xc0, 0, 0], Kind::F32, true), [1.5]);
        assert_eq!(floats(&[0, 0, 0xc0, 0x3f], Kind::F32, false), [1.5]);
        assert_eq!(floats(&[0x80, 0x3f, 0xff], Kind::Bf16, false), [1.0]);
        assert_eq!(floats(&(-3_i64).to_be_bytes(), Kind::I64, true), [-3.0]);
        assert_eq!(floats(&[0, 7], Kind::Bool, false), [0.0, 1.0]);
    }
}
