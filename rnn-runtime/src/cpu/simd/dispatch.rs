//! Which instruction set runs, and the functions that are compiled for it.

#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};
use super::{Scalar, Simd};
use crate::Error;
use std::{fmt, sync::OnceLock};

/// The environment variable that overrides the choice.
const VARIABLE: &str = "RECURRENT_ISA";

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
enum Kind {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// Plain code, on every CPU.
    pub const SCALAR: Isa = Isa(Kind::Scalar);

    /// The best of [`Isa::available`], or the one that the environment variable
    /// `RECURRENT_ISA=scalar|avx2|avx512` names. Looked up once; the answer is kept.
    ///
    /// # Errors
    /// [`Error::Isa`] if the variable names an instruction set that does not exist or that this
    /// CPU does not have.
    ///
    /// ```
    /// use rnn_runtime::cpu::simd::Isa;
    /// let isa = Isa::best()?;
    /// assert!(Isa::available().contains(&isa));
    /// # Ok::<(), rnn_runtime::Error>(())
    /// ```
    pub fn best() -> Result<Isa, Error> {
        Ok(Self::named()?
            .unwrap_or_else(|| Self::available().last().copied().unwrap_or(Self::SCALAR)))
    }

    /// As [`Isa::best`], for kernels of which `half` says that half of a widest vector would stay
    /// empty: then one of half the lanes does the same work, and its divisions take half the time.
    pub(crate) fn best_for(half: bool) -> Result<Isa, Error> {
        match Self::named()? {
            Some(named) => Ok(named),
            None if half => {
                let mut sets = Self::available().iter().rev();
                let narrow = sets.find(|isa| isa.lanes() <= NARROW);
                Ok(narrow.copied().unwrap_or(Self::SCALAR))
            }
            None => Self::best(),
        }
    }

    /// The one that the environment variable names. Looked up once; the answer is kept.
    fn named() -> Result<Option<Isa>, Error> {
        static NAMED: OnceLock<Result<Option<Isa>, (String, String)>> = OnceLock::new();
        let named = NAMED.get_or_init(|| match std::env::var_os(VARIABLE) {
            Some(value) if !value.is_empty() => find(&value.to_string_lossy()).map(Some),
            _ => Ok(None),
        });
        named
            .clone()
            .map_err(|(asked, reason)| Error::Isa { asked, reason })
    }

    /// The instruction sets of this CPU that there is code for, worst first. [`Isa::SCALAR`] is
    /// always the first.
    pub fn available() -> &'static [Isa] {
        #[cfg(target_arch = "x86_64")]
        {
            // Standard library caches the detection.
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
        #[cfg(not(target_arch = "x86_64"))]
        &[Isa::SCALAR]
    }

    /// The instruction set of that name: `scalar`, `avx2` or `avx512`.
    ///
    /// # Errors
    /// [`Error::Isa`] if there is none of that name or this CPU does not have it.
    ///
    /// ```
    /// use rnn_runtime::cpu::simd::Isa;
    /// assert_eq!(Isa::from_name("scalar")?, Isa::SCALAR);
    /// assert!(Isa::from_name("avx3").is_err());
    /// # Ok::<(), rnn_runtime::Error>(())
    /// ```
    pub fn from_name(name: &str) -> Result<Isa, Error> {
        find(name).map_err(|(asked, reason)| Error::Isa { asked, reason })
    }

    /// `scalar`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// Floats in a vector.
    ///
    /// ```
    /// use rnn_runtime::cpu::simd::Isa;
    /// assert_eq!(Isa::SCALAR.lanes(), 8);
    /// ```
    pub const fn lanes(self) -> usize {
        match self.0 {
            Kind::Scalar => Scalar::LANES,
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
            Kind::Scalar => op.run(Scalar),
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

/// The available instruction set of that name, or the name and what is wrong with it.
fn find(name: &str) -> Result<Isa, (String, String)> {
    if let Some(&isa) = Isa::available().iter().find(|isa| isa.name() == name) {
        return Ok(isa);
    }
    let names: Vec<_> = Isa::available().iter().map(|isa| isa.name()).collect();
    let reason = match name {
        "avx2" | "avx512" => "this CPU does not have it",
        "neon" => "there are no kernels for it yet (on AArch64 `scalar` is compiled to NEON)",
        _ => "there is no such instruction set",
    };
    Err((
        name.to_owned(),
        format!("{reason}; available: {}", names.join(", ")),
    ))
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
