//! Normal random numbers, many at once.

use crate::cpu::{math, simd::Simd};

/// Pairs that are drawn at once: a vector of the widest instruction set, whichever runs, so that
/// number `i` comes from the same pair on all of them.
const PAIRS: usize = 16;
/// Numbers that are drawn at once.
const BLOCK: usize = 2 * PAIRS;

/// Unit normals (Box and Muller, 1958), one after the other, under one key.
///
/// Their random bits come from Threefry-2x32 in 13 rounds (Salmon, Moraes, Dror and Shaw, "Parallel
/// random numbers: as easy as 1, 2, 3", 2011): pair `i` is the cipher of `i`, so all lanes of a
/// vector work at once. None is beyond ±6.7: the radius comes from 31 bits.
pub(super) struct Normals {
    key: [u32; 2],
    /// The next pair.
    pair: u64,
    block: [f32; BLOCK],
    /// Numbers of the block that are gone.
    used: usize,
}

impl Normals {
    /// The numbers that belong to `key`.
    #[inline(always)]
    pub(super) fn new(key: u64) -> Normals {
        Normals {
            key: [key as u32, (key >> 32) as u32],
            pair: 0,
            block: [0.0; BLOCK],
            used: BLOCK,
        }
    }

    /// Changes each value of `line` by the next number.
    #[inline(always)]
    pub(super) fn apply<S: Simd>(
        &mut self,
        s: S,
        line: &mut [f32],
        change: &impl Fn(f32, f32) -> f32,
    ) {
        let mut line = line;
        while !line.is_empty() {
            if self.used == BLOCK {
                self.draw(s);
            }
            let left = &self.block[self.used..];
            let (now, rest) = line.split_at_mut(line.len().min(left.len()));
            for (x, normal) in now.iter_mut().zip(left) {
                *x = change(*x, *normal);
            }
            self.used += now.len();
            line = rest;
        }
    }

    /// The next block: the first half `r cos a`, the second `r sin a`.
    #[inline(always)]
    fn draw<S: Simd>(&mut self, s: S) {
        const { assert!(PAIRS.is_multiple_of(S::LANES)) };
        let (mut radii, mut angles) = ([0.0f32; PAIRS], [0.0f32; PAIRS]);
        // A block begins at a multiple of `PAIRS`: nothing is carried within it.
        let low = std::array::from_fn(|i| (self.pair as u32).wrapping_add(i as u32));
        let [a, b] = threefry(self.key, low, [(self.pair >> 32) as u32; PAIRS]);
        for i in 0..PAIRS {
            // 31 bits to (0, 1]: the logarithm is finite.
            radii[i] = ((a[i] >> 1) as i32 as f32 + 0.5) * (1.0 / (1u32 << 31) as f32);
            // 24 bits, which a float holds, to [-π, π).
            angles[i] = (b[i] as i32 >> 8) as f32 * (std::f32::consts::PI / (1u32 << 23) as f32);
        }
        let (cosines, sines) = self.block.split_at_mut(PAIRS);
        let parts = cosines.chunks_exact_mut(S::LANES);
        let parts = parts.zip(sines.chunks_exact_mut(S::LANES));
        let given = radii
            .chunks_exact(S::LANES)
            .zip(angles.chunks_exact(S::LANES));
        for ((cosine, sine), (u, angle)) in parts.zip(given) {
            // SAFETY: all four have LANES floats.
            unsafe {
                let log = math::log(s, s.load(u.as_ptr()));
                let radius = s.sqrt(s.max(s.splat(0.0), s.mul(s.splat(-2.0), log)));
                let angle = s.load(angle.as_ptr());
                s.store(cosine.as_mut_ptr(), s.mul(radius, math::cos(s, angle)));
                s.store(sine.as_mut_ptr(), s.mul(radius, math::sin(s, angle)));
            }
        }
        self.pair += PAIRS as u64;
        self.used = 0;
    }
}

/// One word of each pair of a block.
type Words = [u32; PAIRS];

/// Threefry-2x32 in 13 rounds, of many counters at once. Every round is written out: the compiler
/// makes vectors of the loops over the block, not of a loop over rounds.
#[inline(always)]
fn threefry(key: [u32; 2], mut x: Words, mut y: Words) -> [Words; 2] {
    let keys = [key[0], key[1], key[0] ^ key[1] ^ 0x1BD1_1BDA];
    let (a, b) = (&mut x, &mut y);
    inject(a, b, keys, 0);
    four::<13, 15, 26, 6>(a, b);
    inject(a, b, keys, 1);
    four::<17, 29, 16, 24>(a, b);
    inject(a, b, keys, 2);
    four::<13, 15, 26, 6>(a, b);
    inject(a, b, keys, 3);
    round::<17>(a, b);
    [x, y]
}

/// Four rounds with these rotations.
#[inline(always)]
fn four<const A: u32, const B: u32, const C: u32, const D: u32>(x: &mut Words, y: &mut Words) {
    round::<A>(x, y);
    round::<B>(x, y);
    round::<C>(x, y);
    round::<D>(x, y);
}

#[inline(always)]
fn round<const BITS: u32>(x: &mut Words, y: &mut Words) {
    for (x, y) in x.iter_mut().zip(y) {
        *x = x.wrapping_add(*y);
        *y = y.rotate_left(BITS) ^ *x;
    }
}

/// Adds the key, turned `i` times.
#[inline(always)]
fn inject(x: &mut Words, y: &mut Words, keys: [u32; 3], i: u32) {
    let (first, second) = (keys[i as usize % 3], keys[(i as usize + 1) % 3]);
    for (x, y) in x.iter_mut().zip(y) {
        *x = x.wrapping_add(first);
        *y = y.wrapping_add(second).wrapping_add(i);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::{Isa, Op};

    /// The published vectors of Random123 (`kat_vectors`).
    #[test]
    fn threefry_of_its_authors() {
        let pi = ([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]);
        let ones = ([u32::MAX; 2], [u32::MAX; 2]);
        let cases = [
            (([0; 2], [0; 2]), [0x9d1c_5ec6, 0x8bd5_0731]),
            (ones, [0xfd36_d048, 0x2d17_272c]),
            (pi, [0xba3e_4725, 0xf27d_669e]),
        ];
        for ((key, [low, high]), expected) in cases {
            let [x, y] = threefry(key, [low; PAIRS], [high; PAIRS]);
            assert_eq!((x, y), ([expected[0]; PAIRS], [expected[1]; PAIRS]));
        }
    }

    /// `n` numbers under each key, added to zeros in pieces of `piece`.
    struct Draw<'a>(&'a [u64], usize, usize);

    impl Op for Draw<'_> {
        type Output = Vec<f32>;
        #[inline(always)]
        fn run<S: Simd>(self, s: S) -> Vec<f32> {
            let mut all = vec![0.0; self.0.len() * self.1];
            for (key, row) in self.0.iter().zip(all.chunks_exact_mut(self.1)) {
                let mut normals = Normals::new(*key);
                row.chunks_mut(self.2)
                    .for_each(|x| normals.apply(s, x, &|x, n| x + n));
            }
            all
        }
    }

    #[test]
    fn numbers_do_not_depend_on_how_they_are_asked_for() {
        for &isa in Isa::available() {
            let whole = isa.dispatch(Draw(&[7, 8], 1000, 1000));
            for piece in [1, 3, 28, 32, 33, 64] {
                assert_eq!(isa.dispatch(Draw(&[7, 8], 1000, piece)), whole, "{isa}");
            }
            assert_eq!(isa.dispatch(Draw(&[8], 1000, 5)), whole[1000..], "{isa}");
            assert_ne!(whole[..1000], whole[1000..]);
        }
    }

    /// The same numbers on all instruction sets, but for rounding.
    #[test]
    fn instruction_sets_agree() {
        let plain = Isa::SCALAR.dispatch(Draw(&[3], 10_000, 100));
        for &isa in Isa::available() {
            let other = isa.dispatch(Draw(&[3], 10_000, 100));
            for (a, b) in plain.iter().zip(&other) {
                assert!((a - b).abs() < 2e-6, "{isa}: {a} and {b}");
            }
        }
    }

    fn mean(x: impl ExactSizeIterator<Item = f64>) -> f64 {
        let n = x.len() as f64;
        x.sum::<f64>() / n
    }

    /// Moments, the whole distribution, and what numbers know of each other.
    #[test]
    fn normals_are_normal_and_independent() {
        let keys: Vec<u64> = (0..1000).collect();
        let row = 200;
        for &isa in Isa::available() {
            let draws = isa.dispatch(Draw(&keys, row, row));
            let x: Vec<f64> = draws.into_iter().map(f64::from).collect();
            let n = x.len() as f64;
            let moment = |k: i32| mean(x.iter().map(|x| x.powi(k)));
            // Five standard deviations of a mean of n numbers of this variance.
            let bound = |variance: f64| 5.0 * (variance / n).sqrt();
            assert!(moment(1).abs() < bound(1.0), "{isa}");
            assert!((moment(2) - 1.0).abs() < bound(2.0), "{isa}");
            assert!(moment(3).abs() < bound(15.0), "{isa}");
            assert!((moment(4) - 3.0).abs() < bound(96.0), "{isa}");

            // Kolmogorov and Smirnov: 2.5 / √n is exceeded once in 130 000 seeds.
            let mut sorted = x.clone();
            sorted.sort_by(f64::total_cmp);
            let normal = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
            let off = |(i, x): (usize, &f64)| (normal(*x) - (i as f64 + 0.5) / n).abs();
            let worst = sorted.iter().enumerate().map(off).fold(0.0, f64::max);
            assert!(worst < 2.5 / n.sqrt(), "{isa}: {worst}");
            // 1 - erf(4 / √2) is 6.3e-5: of 200 000 about 13.
            let beyond = x.iter().filter(|x| x.abs() > 4.0).count();
            assert!((1..40).contains(&beyond), "{isa}: {beyond}");

            // Neighbours, the two of a pair, neighbouring blocks, the same place of the next key:
            // neither the numbers nor their squares (variance of (x² - 1)(y² - 1): 4) know of each
            // other.
            for lag in [1, 2, PAIRS, BLOCK, row] {
                let both = x.iter().zip(&x[lag..]);
                let plain = mean(both.clone().map(|(a, b)| a * b));
                assert!(plain.abs() < 1.01 * bound(1.0), "{isa}, {lag}: {plain}");
                let squares = mean(both.map(|(a, b)| (a * a - 1.0) * (b * b - 1.0)));
                assert!(squares.abs() < 1.01 * bound(4.0), "{isa}, {lag}: {squares}");
            }
        }
    }
}
