//! Types of elements, and the shapes of what they are in.

use super::{File, UNDEFINED, group::text, unsupported};
use crate::{Bytes, Error, elements};

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole number, signed or not.
    Int(bool),
    /// IEEE 754, 2, 4 or 8 bytes.
    Float,
    /// The upper half of an `f32`.
    BFloat,
    /// Text in a fixed number of bytes.
    Text,
    /// Text in the global heap.
    VarText,
    /// Bytes without a meaning of their own.
    Opaque,
    /// Anything else, by the number of its class.
    Other(u8),
}

/// A type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Datatype {
    pub kind: Kind,
    /// Bytes of an element; at least 1.
    pub size: usize,
    big: bool,
}

impl Datatype {
    /// Reads a type message.
    pub fn read(at: Bytes<'_>) -> Result<Self, Error> {
        Self::within(at, true)
    }

    /// Reads a type: a whole one, or what an enumeration is made of, which is no enumeration. So types do not nest.
    fn within(mut at: Bytes<'_>, whole: bool) -> Result<Self, Error> {
        let place = at.at();
        let class = at.u8("the class of a type")? & 0x0F;
        let bits = at.take(3, "the bits of a type")?;
        let low = bits.first().copied().unwrap_or(0);
        let size = at.u32("the size of a type")?;
        let kind = match class {
            0 => Kind::Int(low & 8 != 0),
            // bit offset, precision, exponent's place and size, mantissa's place and size, bias
            1 => match (size, at.take(12, "a float type")?) {
                (2, [0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0])
                | (4, [0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0])
                | (8, [0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0]) => Kind::Float,
                (2, [0, 0, 16, 0, 7, 8, 0, 7, 127, 0, 0, 0]) => Kind::BFloat,
                _ => {
                    return Err(unsupported(format!(
                        "a float of {size} bytes of its own kind"
                    )));
                }
            },
            3 => Kind::Text,
            5 => Kind::Opaque,
            // Booleans are an enumeration of two numbers.
            8 if whole => Datatype::within(at, false)?.kind_of_enum(),
            9 if low & 0x0F == 1 => Kind::VarText,
            other => Kind::Other(other),
        };
        let size = usize::try_from(size).unwrap_or(0);
        let fits = match kind {
            Kind::Int(_) => matches!(size, 1 | 2 | 4 | 8),
            Kind::VarText => size == 16,
            _ => size > 0,
        };
        match fits {
            true => Ok(Datatype {
                kind,
                size,
                big: matches!(class, 0 | 1) && low & 1 != 0,
            }),
            false => Err(Error::damaged(
                place,
                "the size of a type of its class",
                format!("class {class}, {size} bytes"),
            )),
        }
    }

    fn kind_of_enum(self) -> Kind {
        match self.kind {
            Kind::Int(signed) => Kind::Int(signed),
            _ => Kind::Other(8),
        }
    }

    /// The number in these bytes; `None` if they are no number.
    pub fn number(&self, bytes: &[u8]) -> Option<f64> {
        let mut low = [0_u8; 8];
        let size = bytes.len();
        for (i, to) in low.iter_mut().enumerate().take(size) {
            *to = *bytes.get(if self.big { size - 1 - i } else { i })?;
        }
        let raw = u64::from_le_bytes(low);
        Some(match (self.kind, size) {
            (Kind::Int(false), _) => raw as f64,
            (Kind::Int(true), 1) => f64::from(raw as u8 as i8),
            (Kind::Int(true), 2) => f64::from(raw as u16 as i16),
            (Kind::Int(true), 4) => f64::from(raw as u32 as i32),
            (Kind::Int(true), _) => raw as i64 as f64,
            (Kind::Float, 2) => f64::from(half(raw as u16)),
            (Kind::Float, 4) => f64::from(f32::from_bits(raw as u32)),
            (Kind::Float, _) => f64::from_bits(raw),
            (Kind::BFloat, _) => f64::from(f32::from_bits((raw as u32) << 16)),
            _ => return None,
        })
    }

    /// The texts in these bytes, one an element.
    pub fn texts(&self, file: &File<'_>, bytes: &[u8]) -> Result<Option<Vec<String>>, Error> {
        let all = bytes.chunks_exact(self.size);
        match self.kind {
            Kind::Text => Ok(Some(
                all.map(|b| text(b).trim_end_matches('\0').to_owned())
                    .collect(),
            )),
            Kind::VarText => all
                .map(|b| from_heap(file, b))
                .collect::<Result<_, _>>()
                .map(Some),
            _ => Ok(None),
        }
    }

    /// As bfloat16, for opaque elements that are said to be that.
    pub fn as_bfloat(self) -> Self {
        Datatype {
            kind: Kind::BFloat,
            ..self
        }
    }
}

/// A text in the global heap: its length, the address of a collection, the number of an object in it.
fn from_heap(file: &File<'_>, element: &[u8]) -> Result<String, Error> {
    let mut at = Bytes::new(element);
    let length = at.u32("the length of a text")?;
    let address = at.u64("the address of a text")?;
    let wanted = at.u32("the number of a text")?;
    if length == 0 || address == UNDEFINED || address == 0 {
        return Ok(String::new());
    }
    let mut at = file.at(address, "a global heap")?;
    let start = at.at();
    super::group::signature(&mut at, b"GCOL")?;
    at.take(4, "a global heap")?;
    let size = at.u64("the size of a global heap")?;
    file.count(16, "global heaps")?;
    let end = (start as u64).saturating_add(size);
    while (at.at() as u64).saturating_add(16) <= end {
        let number = at.u16("the number of an object")?;
        at.take(6, "an object of a global heap")?;
        let size = at.u64("the size of an object")?;
        file.count(16, "global heaps")?;
        if number == 0 {
            break;
        }
        if u32::from(number) == wanted {
            let bytes = at.take(size.min(u64::from(length)), "a text")?;
            file.count(bytes.len() as u64, "texts")?;
            return Ok(text(bytes));
        }
        at.take(
            size.div_ceil(8).saturating_mul(8),
            "an object of a global heap",
        )?;
    }
    Err(Error::damaged(
        start,
        format!("object {wanted} in this global heap"),
        "no such object",
    ))
}

/// The axes of a dataset or an attribute: none for one element, `None` for no element at all.
pub(super) fn dataspace(mut at: Bytes<'_>) -> Result<Option<Vec<usize>>, Error> {
    let place = at.at();
    let version = at.u8("the version of a shape")?;
    let rank = at.u8("the number of axes")?;
    at.u8("the flags of a shape")?;
    let kind = match version {
        1 => {
            at.take(5, "a shape")?;
            1
        }
        2 => at.u8("the kind of a shape")?,
        other => return Err(unsupported(format!("a shape of version {other}"))),
    };
    if kind == 2 {
        return Ok(None);
    }
    let mut shape = Vec::new();
    for _ in 0..rank {
        let axis = at.u64("an axis")?;
        shape.push(usize::try_from(axis).unwrap_or(usize::MAX));
    }
    match elements(&shape) {
        Some(_) => Ok(Some(shape)),
        None => Err(Error::damaged(
            place,
            "a shape that can be counted",
            format!("{shape:?}"),
        )),
    }
}

/// A half float as a float.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let (exponent, mantissa) = (u32::from(bits >> 10) & 0x1F, u32::from(bits) & 0x3FF);
    let rest = match (exponent, mantissa) {
        // Zero and subnormals: units of 2⁻²⁴.
        (0, m) => (m as f32 * (1.0 / 16_777_216.0)).to_bits(),
        (0x1F, m) => 0x7F80_0000 | m << 13,
        (e, m) => (e + 112) << 23 | m << 13,
    };
    f32::from_bits(sign | rest)
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Datatype, Kind, half};

    /// Enumerations of enumerations, a megabyte of them: as deep as the bytes go, if each were read.
    #[test]
    fn types_do_not_nest() {
        let number = [0x10, 8, 0, 0, 1, 0, 0, 0].as_slice();
        let one = [0x18, 0, 0, 0, 1, 0, 0, 0].as_slice();
        let read = |bytes: &[u8]| Datatype::read(Bytes::new(bytes)).map(|t| t.kind);
        assert_eq!(read(&[one, number].concat()), Ok(Kind::Int(true)));
        assert_eq!(read(&[one, one, number].concat()), Ok(Kind::Other(8)));
        assert_eq!(read(&one.repeat(1 << 17)), Ok(Kind::Other(8)));
    }

    #[test]
    fn halves() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65504.0),
            (0x0001, 2.0_f32.powi(-24)),
            (0x03FF, 1023.0 * 2.0_f32.powi(-24)),
            (0x0400, 2.0_f32.powi(-14)),
            (0x7C00, f32::INFINITY),
            (0x3555, 0.333_251_95),
        ] {
            assert_eq!(half(bits), value, "{bits:#x}");
        }
        assert!(half(0x7E00).is_nan());
        assert!(half(0x8000).is_sign_negative());
    }
}
