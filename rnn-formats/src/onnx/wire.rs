//! Protocol buffers, read by `rten-onnx`'s field reader over a source of our own.
//!
//! The messages of `rten-onnx` itself are not for files that lie: they allocate what a length says before they read,
//! add lengths without a check, go backwards at a negative one, follow nested graphs without an end, and copy. Its
//! field reader is general over where bytes come from, so the source here checks every length before the reader sees it,
//! gives parts of the file instead of copies, and knows the offset of an error.

use std::cell::Cell;
use std::marker::PhantomData;

use rten_onnx::protobuf::{
    ErrorKind, Field, FieldTypes, FieldValue, Fields, ProtobufError, ReadValue,
};

use crate::Error;

/// Strings and bytes are parts of the file.
pub(super) struct Borrowed<'f>(PhantomData<&'f ()>);

impl<'f> FieldTypes for Borrowed<'f> {
    type String = &'f str;
    type Bytes = &'f [u8];
}

/// What the next number that is read is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    /// The number and the type of a field.
    Tag,
    /// How long a field is.
    Length,
    /// A value.
    Value,
}

/// Where in the file the reader is, and where the message that is read ends.
pub(super) struct Place<'f> {
    all: &'f [u8],
    at: Cell<usize>,
    end: Cell<usize>,
    next: Cell<Next>,
    /// Messages that may still be read: each takes memory here, however few bytes it has in the file.
    left: Cell<usize>,
}

impl<'f> Place<'f> {
    pub fn new(all: &'f [u8]) -> Self {
        Place {
            all,
            at: Cell::new(0),
            end: Cell::new(all.len()),
            next: Cell::new(Next::Tag),
            left: Cell::new(all.len() / 6 + 1024),
        }
    }

    /// Bytes from the start of the file.
    pub fn at(&self) -> usize {
        self.at.get()
    }

    /// A reader from here on.
    pub fn source(&self) -> Source<'f, '_> {
        Source { place: self }
    }

    fn take(&self, n: usize) -> Result<&'f [u8], ProtobufError> {
        let rest = self.all.get(self.at.get()..).unwrap_or_default();
        let taken = rest
            .get(..n)
            .ok_or_else(|| ProtobufError::new(ErrorKind::Eof))?;
        self.at.set(self.at.get() + n);
        Ok(taken)
    }

    /// The next field of a message, whose length lies within the message.
    pub fn next<'r, R: ReadValue>(
        &self,
        fields: &'r mut Fields<'_, R>,
    ) -> Result<Option<Field<'r, R>>, Error> {
        if self.at.get() == self.end.get() {
            return Ok(None);
        }
        if self.at.get() > self.end.get() {
            return Err(self.wrong("the end of the message", "a field that is longer"));
        }
        self.next.set(Next::Tag);
        let field = fields.next();
        self.next.set(Next::Value);
        match field {
            Ok(Some(field))
                if !matches!(field.value(), FieldValue::Sgroup | FieldValue::Egroup) =>
            {
                Ok(Some(field))
            }
            Ok(Some(_)) => Err(self.wrong("a field", "a group, which ONNX does not have")),
            Ok(None) => Err(self.wrong("a field", "the end of the file")),
            Err(e) => Err(self.error("a field", &e)),
        }
    }

    /// Before the message in a field is read: where the message around it ends.
    pub fn enter<R: ReadValue>(&self, field: &Field<'_, R>) -> Result<usize, Error> {
        let FieldValue::Len(len) = field.value() else {
            return Err(self.wrong("a message", "a number"));
        };
        let Some(left) = self.left.get().checked_sub(1) else {
            return Err(self.wrong("fewer messages in so small a file", "one more"));
        };
        self.left.set(left);
        // `next` has checked that the length lies in the message around.
        let end = self.at.get().saturating_add(len as usize);
        Ok(self.end.replace(end))
    }

    /// After the message was read.
    pub fn leave(&self, outer: usize) -> Result<(), Error> {
        let end = self.end.replace(outer);
        match self.at.get() == end {
            true => Ok(()),
            false => Err(self.wrong(
                &format!("the end of a message at {end}"),
                "something longer",
            )),
        }
    }

    /// Numbers that stand alone or in a row.
    pub fn numbers<T, I: Iterator<Item = Result<T, ProtobufError>>>(
        &self,
        to: &mut Vec<T>,
        from: Result<I, ProtobufError>,
        end: usize,
    ) -> Result<(), Error> {
        for number in from.map_err(|e| self.error("numbers", &e))? {
            to.push(number.map_err(|e| self.error("a number", &e))?);
        }
        match self.at.get() == end {
            true => Ok(()),
            false => Err(self.wrong(&format!("the end of numbers at {end}"), "something else")),
        }
    }

    /// Where a field ends.
    pub fn end_of<R: ReadValue>(&self, field: &Field<'_, R>) -> usize {
        match field.value() {
            FieldValue::Len(len) => self.at.get().saturating_add(len as usize),
            _ => self.at.get(),
        }
    }

    /// An error at this place.
    pub fn error(&self, expected: &str, e: &ProtobufError) -> Error {
        Error::damaged(self.at.get(), expected, e.kind().to_string())
    }

    /// An error at this place.
    pub fn wrong(&self, expected: &str, found: &str) -> Error {
        Error::damaged(self.at.get(), expected, found)
    }
}

/// A reader of the file at a [`Place`].
pub(super) struct Source<'f, 'p> {
    place: &'p Place<'f>,
}

impl<'f> ReadValue for Source<'f, '_> {
    type Types = Borrowed<'f>;

    fn read_i32(&mut self) -> Result<i32, ProtobufError> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.place.take(4)?);
        Ok(i32::from_le_bytes(bytes))
    }

    fn read_i64(&mut self) -> Result<i64, ProtobufError> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.place.take(8)?);
        Ok(i64::from_le_bytes(bytes))
    }

    fn read_varint(&mut self) -> Result<u64, ProtobufError> {
        let place = self.place;
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = u64::from(place.take(1)?[0]);
            let low = byte & 0x7f;
            if shift == 63 && low > 1 {
                break;
            }
            value |= low << shift;
            if byte < 0x80 {
                let next = place.next.get();
                place.next.set(match (next, value & 7) {
                    (Next::Tag, 2) => Next::Length,
                    _ => Next::Value,
                });
                let left = place.end.get().saturating_sub(place.at.get());
                return match next == Next::Length && value > left as u64 {
                    true => Err(ProtobufError::new(ErrorKind::LengthMismatch)),
                    false => Ok(value),
                };
            }
        }
        Err(ProtobufError::new(ErrorKind::InvalidVarint))
    }

    fn read_bytes(&mut self, len: usize) -> Result<&'f [u8], ProtobufError> {
        self.place.take(len)
    }

    fn read_string(&mut self, len: usize) -> Result<&'f str, ProtobufError> {
        std::str::from_utf8(self.place.take(len)?)
            .map_err(|_| ProtobufError::new(ErrorKind::InvalidUtf8))
    }

    fn skip(&mut self, len: usize) -> Result<(), ProtobufError> {
        self.place.take(len).map(|_| ())
    }

    fn position(&self) -> u64 {
        self.place.at.get() as u64
    }
}
