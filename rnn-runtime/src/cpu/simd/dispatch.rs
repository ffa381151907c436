//! Which instruction set runs, and the functions that are compiled for it.

#[cfg(target_arch = "aarch64")]
use super::Neon;
#[cfg(plain)]
use super::Plain;
use super::Simd;
#[cfg(simd128)]
use super::Simd128;
#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};
use core::fmt;

/// Lanes of plain code: one vector of what LLVM has for every CPU of the target, two on x86. A CPU without vectors takes one
/// lane, since more would only be more code.
#[cfg(plain)]
const PLAIN_LANES: usize = if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
    8
} else if cfg!(any(
    target_arch = "aarch64",
    target_arch = "loongarch64",
    target_arch = "powerpc64",
    target_arch = "s390x",
    all(target_arch = "arm", target_feature = "neon"),
)) {
    4
} else {
    1
};

/// The lanes of every instruction set but the widest.
pub(crate) const NARROW: usize = 8;

/// Something to run on any instruction set.
pub trait Op {
    /// What it returns.
    type Output;

    /// Runs with the instruction set of `s`. Implementations must be `#[inline(always)]`, and so
    /// must every function that they hand `s` to.
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

/// An instruction set that this CPU has: there is no way to a value of one that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Isa(Kind);

/// The order is that of preference, best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
// Without std nobody can ask the CPU, and only that of every CPU is made.
#[cfg_attr(not(feature = "std"), allow(dead_code))]
enum Kind {
    #[cfg(plain)]
    Scalar,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(simd128)]
    Simd128,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// Plain code, on every CPU. A program has it once where its CPUs may differ and where it can be compared: on AArch64
    /// without std and on WebAssembly with `simd128` it is [`Isa::BASELINE`].
    #[cfg(plain)]
    pub const SCALAR: Isa = Isa(Kind::Scalar);
    /// What every CPU of the target has.
    #[cfg(not(plain))]
    pub const SCALAR: Isa = Isa::BASELINE;

    /// The best instruction set that every CPU of the target has: NEON on AArch64, `simd128` on WebAssembly that is compiled
    /// with it, plain code elsewhere. Without std it is the only one.
    #[cfg(target_arch = "aarch64")]
    pub const BASELINE: Isa = Isa(Kind::Neon);
    /// `simd128`.
    #[cfg(simd128)]
    pub const BASELINE: Isa = Isa(Kind::Simd128);
    /// Plain code.
    #[cfg(not(any(target_arch = "aarch64", simd128)))]
    pub const BASELINE: Isa = Isa(Kind::Scalar);

    /// The instruction sets of this CPU that there is code for, worst first. [`Isa::SCALAR`] is
    /// always the first.
    pub fn available() -> &'static [Isa] {
        // Without std nobody can ask the CPU.
        #[cfg(all(target_arch = "x86_64", feature = "std"))]
        {
            // The standard library caches the detection.
            const ALL: &[Isa] = &[Isa::SCALAR, Isa(Kind::Avx2), Isa(Kind::Avx512)];
            if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
                &ALL[..1]
            } else if !(is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw"))
            {
                &ALL[..2]
            } else {
                ALL
            }
        }
        #[cfg(all(target_arch = "aarch64", plain))]
        return &[Isa::SCALAR, Isa::BASELINE];
        #[cfg(not(any(
            all(target_arch = "x86_64", feature = "std"),
            all(target_arch = "aarch64", plain)
        )))]
        &[Isa::BASELINE]
    }

    /// The best one that this CPU has, or the best of at most [`NARROW`] lanes. Asks the CPU once, and costs a load from then on.
    #[inline(always)]
    pub(crate) fn detected(narrow: bool) -> Isa {
        #[cfg(all(target_arch = "x86_64", feature = "std"))]
        {
            use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

            static DETECTED: [AtomicU8; 2] = [const { AtomicU8::new(0) }; 2];

            /// Asks the CPU.
            #[cold]
            fn ask(narrow: bool, to: &AtomicU8) -> Isa {
                let sets = Isa::available().iter().rev();
                let best = sets
                    .copied()
                    .find(|isa| !narrow || isa.lanes() <= NARROW)
                    .unwrap_or(Isa::SCALAR);
                let code = match best.0 {
                    Kind::Scalar => 1,
                    Kind::Avx2 => 2,
                    Kind::Avx512 => 3,
                };
                to.store(code, Relaxed);
                best
            }
            let known = &DETECTED[usize::from(narrow)];
            match known.load(Relaxed) {
                1 => Isa(Kind::Scalar),
                // Only what the CPU has is stored.
                2 => Isa(Kind::Avx2),
                3 => Isa(Kind::Avx512),
                _ => ask(narrow, known),
            }
        }
        #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
        {
            let _ = narrow;
            Isa::BASELINE
        }
    }

    /// `scalar`, `avx2`, `avx512`, `neon` or `simd128`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(plain)]
            Kind::Scalar => "scalar",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
            #[cfg(simd128)]
            Kind::Simd128 => "simd128",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// Floats in a vector.
    ///
    /// ```
    /// use recurrent::Isa;
    /// assert!([1, 4, 8].contains(&Isa::BASELINE.lanes()));
    /// ```
    pub const fn lanes(self) -> usize {
        match self.0 {
            #[cfg(plain)]
            Kind::Scalar => PLAIN_LANES,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => Neon::LANES,
            #[cfg(simd128)]
            Kind::Simd128 => Simd128::LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => Avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => Avx512::LANES,
        }
    }

    /// Runs `op`, compiled for this instruction set.
    #[inline]
    pub fn dispatch<O: Op>(self, op: O) -> O::Output {
        match self.0 {
            #[cfg(plain)]
            Kind::Scalar => op.run(Plain::<PLAIN_LANES>),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => op.run(Neon),
            #[cfg(simd128)]
            Kind::Simd128 => op.run(Simd128),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` of this kind comes from `available` only, which asked the CPU.
            Kind::Avx2 => unsafe { run_avx2(op) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` of this kind comes from `available` only, which asked the CPU.
            Kind::Avx512 => unsafe { run_avx512(op) },
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// # Safety
/// The CPU must have the features.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<O: Op>(op: O) -> O::Output {
    // SAFETY: the caller promises the features.
    op.run(unsafe { Avx2::new_unchecked() })
}

/// # Safety
/// The CPU must have the features.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn run_avx512<O: Op>(op: O) -> O::Output {
    // SAFETY: the caller promises the features.
    op.run(unsafe { Avx512::new_unchecked() })
}
