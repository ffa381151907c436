//! Random numbers of one parameter.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// The random numbers that belong to one seed and one name.
pub(super) struct Stream {
    generator: ChaCha8Rng,
    /// The second number of the last pair of normals.
    spare: Option<f64>,
}

impl Stream {
    /// The stream of `name` under `seed`: the key of the cipher is both of them.
    pub(super) fn new(seed: u64, name: &str) -> Stream {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..24].copy_from_slice(&fnv1a(name.as_bytes()).to_le_bytes());
        Stream {
            generator: ChaCha8Rng::from_seed(key),
            spare: None,
        }
    }

    /// Uniform in `-limit..limit`.
    pub(super) fn uniform(&mut self, values: &mut [f32], limit: f64) {
        for value in values {
            *value = ((2.0 * self.next_unit() - 1.0) * limit) as f32;
        }
    }

    /// Uniform in `from..to`.
    pub(super) fn uniform_in(&mut self, values: &mut [f32], from: f64, to: f64) {
        for value in values {
            *value = (from + (to - from) * self.next_unit()) as f32;
        }
    }

    /// Normal around `mean`.
    pub(super) fn normal(&mut self, values: &mut [f32], mean: f64, deviation: f64) {
        for value in values {
            *value = (mean + self.next_normal() * deviation) as f32;
        }
    }

    /// Normal around `mean`, drawn again when beyond two deviations from it.
    pub(super) fn truncated_normal(&mut self, values: &mut [f32], mean: f64, deviation: f64) {
        for value in values {
            let mut unit = self.next_normal();
            while unit.abs() > 2.0 {
                unit = self.next_normal();
            }
            *value = (mean + unit * deviation) as f32;
        }
    }

    /// Uniform in `[0, 1)`, 53 bits.
    fn next_unit(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A unit normal (Box and Muller, 1958). `libm` rather than the system's functions: they
    /// differ in the last bit from one system to the next, and a seed would then too.
    pub(super) fn next_normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 - u is in (0, 1], so the logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.next_unit()));
        let (sin, cos) = libm::sincos(std::f64::consts::TAU * self.next_unit());
        self.spare = Some(radius * sin);
        radius * cos
    }
}

/// The 128-bit FNV-1a hash (Fowler, Noll and Vo): fixed for ever, unlike the standard library's.
pub(crate) fn fnv1a(bytes: &[u8]) -> u128 {
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    bytes.iter().fold(BASIS, |hash, &byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv_of_the_standard() {
        // draft-eastlake-fnv: the empty string and "a".
        assert_eq!(fnv1a(b""), 0x6c62272e07bb014262b821756295c58d);
        assert_eq!(fnv1a(b"a"), 0xd228cb696f1a8caf78912b704e4a8964);
    }

    #[test]
    fn normals_have_the_tails_of_a_normal() {
        let mut stream = Stream::new(5, "x");
        let beyond = (0..100_000)
            .filter(|_| stream.next_normal().abs() > 2.0)
            .count();
        // 4.55 % of 100 000 is 4550; five sigmas are 330.
        assert!((4220..=4880).contains(&beyond), "{beyond}");
    }
}
