//! An id that its type has checked.

use crate::error::Error;

/// A class id below `N`: what a stream over an `Embedding(N, …)` takes, so that a step cannot fail.
///
/// ```
/// use recurrent::stream::Id;
/// let id: Id<1000> = Id::new(7)?;
/// assert_eq!(id.get(), 7);
/// let error = Id::<1000>::new(1000).unwrap_err();
/// assert_eq!(error.to_string(), "id 1000 is outside of the vocabulary 0..1000");
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<const N: usize>(u32);

impl<const N: usize> Id<N> {
    /// The id.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] if it is `N` or more.
    pub fn new(id: u32) -> Result<Self, Error> {
        if (id as usize) < N {
            Ok(Id(id))
        } else {
            Err(Error::Vocabulary { id, vocabulary: N })
        }
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const N: usize> TryFrom<u32> for Id<N> {
    type Error = Error;
    fn try_from(id: u32) -> Result<Self, Error> {
        Id::new(id)
    }
}
