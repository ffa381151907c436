//! Reading little-endian numbers from a file that may lie.

use crate::Error;

/// A place in a file. Nothing here panics; what is not there is an [`Error::Damaged`] with its offset.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'f> {
    all: &'f [u8],
    at: usize,
}

impl<'f> Bytes<'f> {
    /// The start of a file.
    pub fn new(all: &'f [u8]) -> Self {
        Bytes { all, at: 0 }
    }

    /// Another place in the same file.
    pub fn seek(&self, at: u64, what: &str) -> Result<Self, Error> {
        match usize::try_from(at) {
            Ok(at) if at <= self.all.len() => Ok(Bytes { all: self.all, at }),
            _ => Err(Error::damaged(
                self.at,
                format!(
                    "an offset of {what} within the {} bytes of the file",
                    self.all.len()
                ),
                at.to_string(),
            )),
        }
    }

    /// The same place, in a file that ends there: what reads a part of it can read nothing after the part.
    pub fn until(self, end: usize) -> Self {
        Bytes {
            all: self.all.get(..end.max(self.at)).unwrap_or(self.all),
            at: self.at,
        }
    }

    /// Bytes from the start of the file.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Bytes that are left.
    pub fn left(&self) -> usize {
        self.all.len() - self.at
    }

    /// The next `n` bytes, which are `what`.
    pub fn take(&mut self, n: u64, what: &str) -> Result<&'f [u8], Error> {
        let rest = &self.all[self.at..];
        match usize::try_from(n).ok().and_then(|n| rest.get(..n)) {
            Some(bytes) => {
                self.at += bytes.len();
                Ok(bytes)
            }
            None => Err(Error::damaged(
                self.at,
                format!("{n} bytes of {what}"),
                format!("{} up to the end", rest.len()),
            )),
        }
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Error> {
        let bytes = self.take(N as u64, what)?;
        let mut array = [0; N];
        array.copy_from_slice(bytes);
        Ok(array)
    }

    /// One byte.
    pub fn u8(&mut self, what: &str) -> Result<u8, Error> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// Two bytes.
    pub fn u16(&mut self, what: &str) -> Result<u16, Error> {
        self.array(what).map(u16::from_le_bytes)
    }

    /// Four bytes.
    pub fn u32(&mut self, what: &str) -> Result<u32, Error> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// Eight bytes.
    pub fn u64(&mut self, what: &str) -> Result<u64, Error> {
        self.array(what).map(u64::from_le_bytes)
    }
}
