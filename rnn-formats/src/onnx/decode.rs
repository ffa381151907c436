//! Tensors as they are stored: all types of numbers, raw bytes, fields of a type, data in other files.

use std::collections::HashMap;
use std::rc::Rc;

use super::array::{Array, Data, volume};
use super::dim::Dim;
use super::proto::TensorProto;
use crate::{Beside, Error};

/// Other files that tensors lie in, each read once.
pub(super) struct Others<'b> {
    beside: Beside<'b>,
    read: HashMap<String, Rc<Vec<u8>>>,
    /// How many bytes they have.
    pub bytes: usize,
}

impl<'b> Others<'b> {
    pub fn new(beside: Beside<'b>) -> Self {
        Others {
            beside,
            read: HashMap::new(),
            bytes: 0,
        }
    }

    fn file(&mut self, name: &str) -> Result<Rc<Vec<u8>>, Error> {
        if let Some(file) = self.read.get(name) {
            return Ok(file.clone());
        }
        let no = |why: String| Error::Beside {
            name: name.to_owned(),
            why,
        };
        let stays = name
            .split(['/', '\\'])
            .all(|part| !part.is_empty() && part != "..");
        // A drive or a stream of Windows has a colon.
        if !stays || name.contains([':', '\0']) {
            return Err(no(
                "a tensor may only lie in a file beside the model".to_owned()
            ));
        }
        let file = Rc::new((self.beside)(name).map_err(|e| no(e.to_string()))?);
        self.bytes = self.bytes.saturating_add(file.len());
        self.read.insert(name.to_owned(), file.clone());
        Ok(file)
    }
}

/// How the elements of a type are stored.
#[derive(Clone, Copy, PartialEq)]
enum Type {
    F32,
    F64,
    F16,
    Bf16,
    /// A float of eight bits: bits of the exponent, its bias, and whether there are infinities and a zero below zero.
    F8(Small),
    /// A whole number: its bits, and whether it has a sign.
    Int(u32, bool),
    Bool,
}

#[derive(Clone, Copy, PartialEq)]
struct Small {
    exponent: u32,
    bias: i32,
    /// The kind with infinities, as IEEE has them.
    infinite: bool,
    /// The kind whose only special value is NaN, in place of -0.
    unsigned_zero: bool,
}

fn of(number: i32) -> Option<Type> {
    let small = |exponent, bias, infinite, unsigned_zero| {
        Type::F8(Small {
            exponent,
            bias,
            infinite,
            unsigned_zero,
        })
    };
    Some(match number {
        1 => Type::F32,
        2 => Type::Int(8, false),
        3 => Type::Int(8, true),
        4 => Type::Int(16, false),
        5 => Type::Int(16, true),
        6 => Type::Int(32, true),
        7 => Type::Int(64, true),
        9 => Type::Bool,
        10 => Type::F16,
        11 => Type::F64,
        12 => Type::Int(32, false),
        13 => Type::Int(64, false),
        16 => Type::Bf16,
        17 => small(4, 7, false, false),
        18 => small(4, 8, false, true),
        19 => small(5, 15, true, false),
        20 => small(5, 16, false, true),
        21 => Type::Int(4, false),
        22 => Type::Int(4, true),
        _ => return None,
    })
}

/// What a type of elements is called.
pub(super) fn type_name(number: i32) -> String {
    match number {
        0 => "no type".to_owned(),
        8 => "strings".to_owned(),
        14 | 15 => "complex numbers".to_owned(),
        23 => "float4e2m1".to_owned(),
        24 => "float8e8m0".to_owned(),
        other => format!("type {other}"),
    }
}

/// Whether values of this type are floats, whole numbers, or nothing that is understood.
pub(super) fn is_whole(number: i32) -> Option<bool> {
    of(number).map(|t| matches!(t, Type::Int(..) | Type::Bool))
}

impl Type {
    fn bits(self) -> usize {
        match self {
            Type::F64 | Type::Int(64, _) => 64,
            Type::F32 | Type::Int(32, _) => 32,
            Type::F16 | Type::Bf16 | Type::Int(16, _) => 16,
            Type::Int(4, _) => 4,
            _ => 8,
        }
    }
}

/// The numbers of a tensor.
pub(super) fn tensor(t: &TensorProto<'_>, others: &mut Others<'_>) -> Result<Array, Error> {
    let line = |why: String| Error::not_understood(format!("tensor `{}`: {why}", t.name));
    let dims: Option<Vec<usize>> = t.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    let dims = dims
        .filter(|d| volume(d).is_some() && d.len() <= 32)
        .ok_or_else(|| {
            Error::damaged(
                t.at,
                format!("axes of tensor `{}` that can be counted", t.name),
                format!("{:?}", t.dims),
            )
        })?;
    let n: usize = dims.iter().product();
    let kind = of(t.data_type)
        .ok_or_else(|| line(format!("{} are not understood", type_name(t.data_type))))?;
    let data = match t.elsewhere {
        true => {
            let (name, from, len) = external(t)?;
            let file = others.file(&name)?;
            let end = match len {
                Some(len) => from.checked_add(len),
                None => Some(file.len()),
            };
            let bytes = end.and_then(|end| file.get(from..end));
            let bytes = bytes.ok_or_else(|| Error::Beside {
                name: name.clone(),
                why: format!(
                    "tensor `{}` lies at {from}, {} bytes long, and the file has {} bytes",
                    t.name,
                    len.unwrap_or(0),
                    file.len()
                ),
            })?;
            raw(t, kind, bytes, n)?
        }
        false => match t.raw {
            Some(bytes) => raw(t, kind, bytes, n)?,
            None => typed(t, kind, n)?,
        },
    };
    let found = data.len();
    Array::new(dims, data).ok_or_else(|| lying(t, n, found))
}

fn lying(t: &TensorProto<'_>, expected: usize, found: usize) -> Error {
    Error::damaged(
        t.at,
        format!("{expected} numbers of tensor `{}` {:?}", t.name, t.dims),
        found.to_string(),
    )
}

/// The file, the first byte and how many.
fn external(t: &TensorProto<'_>) -> Result<(String, usize, Option<usize>), Error> {
    let (mut name, mut from, mut len) = (None, 0, None);
    for (key, value) in &t.external {
        let number = || {
            value.parse::<usize>().map_err(|_| {
                Error::damaged(
                    t.at,
                    format!("a number as `{key}` of tensor `{}`", t.name),
                    format!("{value:?}"),
                )
            })
        };
        match *key {
            "location" => name = Some((*value).to_owned()),
            "offset" => from = number()?,
            "length" => len = Some(number()?),
            _ => {}
        }
    }
    let name = name.ok_or_else(|| {
        Error::damaged(
            t.at,
            format!("the file in which tensor `{}` lies", t.name),
            "none".to_owned(),
        )
    })?;
    Ok((name, from, len))
}

fn raw(t: &TensorProto<'_>, kind: Type, bytes: &[u8], n: usize) -> Result<Data, Error> {
    let wanted = n.checked_mul(kind.bits()).map(|bits| bits.div_ceil(8));
    if wanted != Some(bytes.len()) {
        return Err(Error::damaged(
            t.at,
            format!(
                "{} bytes of tensor `{}` {:?}",
                wanted.unwrap_or(usize::MAX),
                t.name,
                t.dims
            ),
            bytes.len().to_string(),
        ));
    }
    if kind.bits() == 4 {
        let nibbles = bytes.iter().flat_map(|b| [b & 15, b >> 4]).take(n);
        return Ok(ints(nibbles.map(|v| whole(u64::from(v), kind))));
    }
    let size = kind.bits() / 8;
    let words = bytes.chunks_exact(size).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    Ok(match kind {
        Type::Int(..) | Type::Bool => ints(words.map(|w| whole(w, kind))),
        _ => floats(words.map(|w| float(w, kind))),
    })
}

fn ints(all: impl Iterator<Item = i64>) -> Data {
    Data::Ints(Rc::new(all.map(Dim::N).collect()))
}

fn floats(all: impl Iterator<Item = f32>) -> Data {
    Data::Floats(Rc::new(all.collect()))
}

/// The fields for numbers of a type: narrow types lie in wide ones.
fn typed(t: &TensorProto<'_>, kind: Type, n: usize) -> Result<Data, Error> {
    let narrow = || t.int32s.iter().map(|&v| u64::from(v as u32));
    let data = match kind {
        Type::F32 => Data::Floats(Rc::new(t.floats.clone())),
        Type::F64 => floats(t.doubles.iter().map(|&v| v as f32)),
        Type::F16 | Type::Bf16 | Type::F8(_) => floats(narrow().map(|w| float(w, kind))),
        Type::Int(64, true) => ints(t.int64s.iter().copied()),
        Type::Int(64, false) | Type::Int(32, false) => {
            ints(t.uint64s.iter().map(|&v| whole(v, kind)))
        }
        Type::Int(4, _) => {
            let nibbles = narrow().flat_map(|b| [b & 15, (b >> 4) & 15]).take(n);
            ints(nibbles.map(|v| whole(v, kind)))
        }
        Type::Int(..) | Type::Bool => ints(narrow().map(|w| whole(w, kind))),
    };
    match data.len() == n {
        true => Ok(data),
        false => Err(lying(t, n, data.len())),
    }
}

/// A whole number from its bits.
fn whole(word: u64, kind: Type) -> i64 {
    match kind {
        Type::Int(bits, true) => {
            let unused = 64 - bits;
            ((word << unused) as i64) >> unused
        }
        Type::Int(64, false) => i64::try_from(word).unwrap_or(i64::MAX),
        Type::Int(bits, false) => (word & ((1 << bits) - 1)) as i64,
        _ => i64::from(word & 0xff != 0),
    }
}

/// A float from its bits.
fn float(word: u64, kind: Type) -> f32 {
    match kind {
        Type::F32 => f32::from_bits(word as u32),
        Type::F64 => f64::from_bits(word) as f32,
        Type::Bf16 => f32::from_bits((word as u32) << 16),
        Type::F16 => {
            let half = Small {
                exponent: 5,
                bias: 15,
                infinite: true,
                unsigned_zero: false,
            };
            small(word as u32 & 0xffff, 16, half)
        }
        Type::F8(how) => small(word as u32 & 0xff, 8, how),
        Type::Int(..) | Type::Bool => whole(word, kind) as f32,
    }
}

/// A float of few bits. All of its values are floats of 32 bits, too.
fn small(word: u32, bits: u32, how: Small) -> f32 {
    let fraction_bits = bits - 1 - how.exponent;
    let sign = word >> (bits - 1);
    let exponent = (word >> fraction_bits) & ((1 << how.exponent) - 1);
    let fraction = word & ((1 << fraction_bits) - 1);
    let top = exponent == (1 << how.exponent) - 1;
    let nan = match (how.infinite, how.unsigned_zero) {
        (true, _) => top && fraction != 0,
        (_, true) => word == 1 << (bits - 1),
        _ => top && fraction == (1 << fraction_bits) - 1,
    };
    if nan {
        return f32::NAN;
    }
    let scale = |power: i32| 2.0_f32.powi(power);
    let size = if how.infinite && top {
        f32::INFINITY
    } else if exponent == 0 {
        fraction as f32 * scale(1 - how.bias - fraction_bits as i32)
    } else {
        ((1 << fraction_bits) + fraction) as f32
            * scale(exponent as i32 - how.bias - fraction_bits as i32)
    };
    if sign == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_floats() {
        let all = [
            (10, 0x3c00, 1.0),
            (10, 0xc000, -2.0),
            (10, 0x0001, 5.960_464_5e-8),
            (10, 0x7bff, 65504.0),
            (10, 0x7c00, f32::INFINITY),
            (16, 0x3fc0, 1.5),
            (17, 0x7e, 448.0),
            (17, 0x38, 1.0),
            (18, 0x7f, 240.0),
            (19, 0x7b, 57344.0),
            (19, 0x7c, f32::INFINITY),
            (20, 0x7f, 57344.0),
            (1, 0x3f80_0000, 1.0),
            (11, 0x3ff0_0000_0000_0000, 1.0),
        ];
        for (kind, word, value) in all {
            assert_eq!(float(word, of(kind).unwrap()), value, "{kind} {word:x}");
        }
        for (kind, word) in [(10, 0x7e00), (17, 0x7f), (18, 0x80), (19, 0x7d), (20, 0x80)] {
            assert!(float(word, of(kind).unwrap()).is_nan(), "{kind} {word:x}");
        }
    }

    #[test]
    fn whole_numbers() {
        for (kind, word, value) in [
            (22, 0xf, -1),
            (21, 0xf, 15),
            (3, 0x80, -128),
            (2, 0x80, 128),
            (5, 0xffff, -1),
            (6, 0xffff_ffff, -1),
            (12, 0xffff_ffff, 0xffff_ffff),
            (7, u64::MAX, -1),
            (13, u64::MAX, i64::MAX),
            (9, 1, 1),
        ] {
            assert_eq!(whole(word, of(kind).unwrap()), value, "{kind}");
        }
    }
}
