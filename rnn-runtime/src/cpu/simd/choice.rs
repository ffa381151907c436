//! Which instruction set is taken: the best, or the one that an environment variable names.

use std::sync::OnceLock;

use super::{Isa, NARROW};
use crate::Error;

/// The environment variable that overrides the choice.
const VARIABLE: &str = "RECURRENT_ISA";

impl Isa {
    /// The best of [`Isa::available`], or the one that the environment variable
    /// `RECURRENT_ISA=scalar|avx2|avx512|neon` names. Looked up once; the answer is kept.
    ///
    /// # Errors
    /// [`Error::Isa`] if the variable names an instruction set that does not exist or that this
    /// CPU does not have.
    ///
    /// ```
    /// use recurrent::Isa;
    /// let isa = Isa::best()?;
    /// assert!(Isa::available().contains(&isa));
    /// # Ok::<(), recurrent::Error>(())
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

    /// The instruction set of that name: `scalar`, `avx2` or `avx512`.
    ///
    /// # Errors
    /// [`Error::Isa`] if there is none of that name or this CPU does not have it.
    ///
    /// ```
    /// use recurrent::Isa;
    /// assert_eq!(Isa::from_name("scalar")?, Isa::SCALAR);
    /// assert!(Isa::from_name("avx3").is_err());
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn from_name(name: &str) -> Result<Isa, Error> {
        find(name).map_err(|(asked, reason)| Error::Isa { asked, reason })
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
        "neon" => "it belongs to AArch64",
        "simd128" => "it belongs to WebAssembly",
        _ => "there is no such instruction set",
    };
    Err((
        name.to_owned(),
        format!("{reason}; available: {}", names.join(", ")),
    ))
}
