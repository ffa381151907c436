//! Numbers of 32 bits as their bits.

/// The NaN that 32-bit arithmetic of the device returns.
pub const NAN: u32 = 0x7fff_ffff;

#[inline(always)]
pub fn float(bits: u32) -> f32 {
    f32::from_bits(bits)
}

/// The bits of a result; every NaN is the device's.
#[inline(always)]
pub fn bits(value: f32) -> u32 {
    if value.is_nan() { NAN } else { value.to_bits() }
}

/// A denormal number becomes a zero of its sign.
#[inline(always)]
pub fn flush(value: f32) -> f32 {
    let bits = value.to_bits();
    let flushed = bits & 0x8000_0000;
    f32::from_bits(if bits & 0x7f80_0000 == 0 {
        flushed
    } else {
        bits
    })
}

/// Quick for numbers: a bf16 is the upper half of a 32-bit number.
#[inline(always)]
pub fn bf16_to_f32(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

pub fn bf16(value: f32) -> u16 {
    if value.is_nan() {
        return 0x7fff;
    }
    let bits = value.to_bits();
    (bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16) as u16
}
