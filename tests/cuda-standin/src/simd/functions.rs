//! The functions, each in two copies.

use super::Line;
use crate::bits::{bf16, bf16_to_f32, bits, float, flush};

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
        pub use plain as avx2;
    };
}

pub mod narrow_functions {
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

pub mod wide_functions {
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

pub mod comparisons {
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
            pub use plain as avx2;
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
