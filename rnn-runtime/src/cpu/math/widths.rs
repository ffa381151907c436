//! A function gives a number the same bits in a vector, in half of one and in two side by side: the
//! last units of a row are in one or the other, by the number of rows.

use crate::cpu::{
    math,
    simd::{Isa, Op, Simd, Wide},
};

struct All<'a>(&'a [f32]);

impl Op for All<'_> {
    type Output = [Vec<u32>; 3];
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> [Vec<u32>; 3] {
        [
            each(s, self.0),
            each(s.half(), self.0),
            each(Wide(s), self.0),
        ]
    }
}

#[inline(always)]
fn each<S: Simd>(s: S, x: &[f32]) -> Vec<u32> {
    let mut bits = Vec::new();
    let mut lanes = vec![0.0f32; S::LANES];
    for part in x.chunks(S::LANES) {
        // SAFETY: a chunk has at most LANES floats.
        let v = unsafe { s.load_partial(part.as_ptr(), part.len()) };
        let w = s.sub(v, s.splat(0.75));
        let results = [
            math::exp(s, v),
            math::expm1(s, v),
            math::log(s, v),
            math::log1p(s, v),
            math::tanh(s, v),
            math::sigmoid(s, v),
            math::erf(s, v),
            math::sin(s, v),
            math::cos(s, v),
            math::rsqrt(s, v),
            math::sign(s, v),
            math::softplus(s, v),
            math::pow(s, s.abs(v), w),
        ];
        let count = results.len();
        let start = bits.len();
        bits.resize(start + part.len() * count, 0);
        for (f, &y) in results.iter().enumerate() {
            // SAFETY: `lanes` has LANES floats.
            unsafe { s.store(lanes.as_mut_ptr(), y) };
            for (i, y) in lanes.iter().take(part.len()).enumerate() {
                // All NaNs are one.
                bits[start + i * count + f] = if y.is_nan() { u32::MAX } else { y.to_bits() };
            }
        }
    }
    bits
}

#[test]
fn no_function_depends_on_the_width_of_its_vector() {
    // xorshift64*, numbers in -1..1.
    let mut state = 21u64;
    let mut float = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let high = state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        high as f32 / (1u64 << 23) as f32 - 1.0
    };
    let mut x: Vec<f32> = Vec::new();
    for scale in [1e-40, 1e-30, 1e-3, 0.3, 1.0, 5.0, 30.0, 90.0, 1000.0, 1e20] {
        x.extend((0..4099).map(|_| float() * scale));
    }
    x.extend([
        0.0,
        -0.0,
        1.0,
        -1.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ]);
    x.extend([f32::MAX, f32::MIN, f32::MIN_POSITIVE, 88.72, -87.4, -103.9]);
    for &isa in Isa::available() {
        let [whole, half, wide] = isa.dispatch(All(&x));
        for (other, name) in [(&half, "half"), (&wide, "two")] {
            for (i, (a, b)) in whole.iter().zip(other).enumerate() {
                let (f, x) = (i % 13, x[i / 13]);
                assert_eq!(a, b, "{isa}: function {f} of {x:e} in {name}");
            }
        }
    }
}
