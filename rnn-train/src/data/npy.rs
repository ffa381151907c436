//! Arrays of NumPy's files
//! ([format](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)).
//!
//! The readers that there are build a parser of Python's literals, with a C compiler, or panic on a hostile shape. A
//! header is one line of three entries.

use std::path::Path;

use ndarray::{Array, ArrayD, Dimension, IxDyn, ShapeBuilder};

use super::Number;
use rnn_runtime::error::Error;

/// A type of number of the arrays that [`read_npy`] and [`Dataset::input`](super::Dataset::input) give: `f32`, or `u32` for
/// class numbers and ids.
///
/// Example: [`read_npy`].
pub trait ArrayNumber: Copy {
    /// The same number.
    ///
    /// # Errors
    /// The number, if this type has it not.
    fn of<N: Number>(number: N) -> Result<Self, f64>;
    /// What the type holds, for messages.
    const WORDS: &str;
}

impl ArrayNumber for f32 {
    fn of<N: Number>(number: N) -> Result<f32, f64> {
        let (float, double) = (number.float(), number.double());
        match float.is_infinite() && double.is_finite() {
            true => Err(double),
            false => Ok(float),
        }
    }
    const WORDS: &str = "floats";
}

impl ArrayNumber for u32 {
    fn of<N: Number>(number: N) -> Result<u32, f64> {
        let (whole, float) = (number.whole(), number.double());
        let same = N::WHOLE || whole as f64 == float;
        u32::try_from(whole).ok().filter(|_| same).ok_or(float)
    }
    const WORDS: &str = "whole numbers from 0 on";
}

/// Reads an array that `numpy.save` has written, of numbers of any type, as `f32` or `u32`.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Format`] if it is none of NumPy's, is cut off, holds no numbers, or a
/// number that the type has not; [`Error::Shape`] if it has another number of axes.
///
/// ```no_run
/// use ndarray::{Array1, Array3};
/// use recurrent::prelude::*;
///
/// let x: Array3<f32> = read_npy("x.npy")?;
/// let labels: Array1<u32> = read_npy("y.npy")?;
/// let data = Dataset::new(&x, &labels)?;
/// # Ok::<(), Error>(())
/// ```
pub fn read_npy<N: ArrayNumber, D: Dimension>(
    path: impl AsRef<Path>,
) -> Result<Array<N, D>, Error> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| Error::Io {
        path: name.clone(),
        near: None,
        source,
    })?;
    parse(&name, &bytes)
}

fn parse<N: ArrayNumber, D: Dimension>(name: &str, bytes: &[u8]) -> Result<Array<N, D>, Error> {
    let format = |problem: String| Error::Format {
        file: name.to_owned(),
        problem,
    };
    let (header, numbers) = parts(bytes).ok_or_else(|| {
        format(
            "it is no file of numpy.save, which begins with `\\x93NUMPY` and a header".to_owned(),
        )
    })?;
    let unknown = || format(format!("its header is `{}`", header.trim_end()));
    let header = Header::parse(header).ok_or_else(unknown)?;
    let shape = &header.shape;
    if let Some(axes) = D::NDIM.filter(|axes| *axes != shape.len()) {
        return Err(Error::Shape {
            what: name.to_owned(),
            expected: format!("of {axes} axes"),
            found: format!("{shape:?}"),
        });
    }
    let (order, kind) = header.descr.split_at_checked(1).unwrap_or_default();
    let little = match order {
        ">" => false,
        "=" => cfg!(target_endian = "little"),
        _ => true,
    };
    macro_rules! kinds {
        ($($kind:literal: $number:ty, $size:literal;)*) => {
            match kind {
                $($kind => collect::<$size, N>(numbers, shape, |bytes| N::of(match little {
                    true => <$number>::from_le_bytes(bytes),
                    false => <$number>::from_be_bytes(bytes),
                })),)*
                "b1" => collect::<1, N>(numbers, shape, |[byte]| N::of(byte != 0)),
                _ => Err(format!(
                    "it holds `{}`: save `array.astype(numpy.float32)`",
                    header.descr
                )),
            }
        };
    }
    let values = kinds! {
        "f4": f32, 4; "f8": f64, 8;
        "i1": i8, 1; "i2": i16, 2; "i4": i32, 4; "i8": i64, 8;
        "u1": u8, 1; "u2": u16, 2; "u4": u32, 4; "u8": u64, 8;
    };
    let values = values.map_err(format)?;
    let wrong = |e: ndarray::ShapeError| format(format!("its shape is {shape:?} ({e})"));
    let dim = IxDyn(shape).set_f(header.fortran_order);
    let array = ArrayD::from_shape_vec(dim, values).map_err(wrong)?;
    array.into_dimensionality().map_err(wrong)
}

/// The header and the numbers after it.
fn parts(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let ([major, _minor], rest) = rest.split_first_chunk()?;
    // Version 1 has a length of two bytes; 2 and 3 of four.
    let (length, rest) = match major {
        1 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u32::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u32::from_le_bytes(*length), rest)
        }
        _ => return None,
    };
    let (header, numbers) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((core::str::from_utf8(header).ok()?, numbers))
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
struct Header<'a> {
    descr: &'a str,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl<'a> Header<'a> {
    fn parse(text: &'a str) -> Option<Header<'a>> {
        let after = |key: &str| {
            let at = text.find(&format!("'{key}'"))?;
            text.get(at + key.len() + 2..)?
                .trim_start()
                .strip_prefix(':')
                .map(str::trim_start)
        };
        let descr = after("descr")?.strip_prefix('\'')?.split_once('\'')?.0;
        let fortran_order = match after("fortran_order")? {
            rest if rest.starts_with("True") => true,
            rest if rest.starts_with("False") => false,
            _ => return None,
        };
        let shape = after("shape")?.strip_prefix('(')?.split_once(')')?.0;
        // Old versions of Python write `3L`.
        let axes = shape.split(',').map(|n| n.trim().trim_end_matches('L'));
        let axes = axes.filter(|n| !n.is_empty()).map(|n| n.parse().ok());
        Some(Header {
            descr,
            fortran_order,
            shape: axes.collect::<Option<_>>()?,
        })
    }
}

/// As many numbers as the shape has: fewer or more are an error, before anything is allocated.
fn collect<const SIZE: usize, N: ArrayNumber>(
    bytes: &[u8],
    shape: &[usize],
    number: impl Fn([u8; SIZE]) -> Result<N, f64>,
) -> Result<Vec<N>, String> {
    let count = (shape.iter()).try_fold(SIZE, |n: usize, axis| n.checked_mul(*axis));
    if count != Some(bytes.len()) {
        return Err(format!(
            "its shape is {shape:?}, and it has {} numbers",
            bytes.len() / SIZE
        ));
    }
    let (numbers, _) = bytes.as_chunks();
    let each = numbers.iter().enumerate().map(|(at, bytes)| {
        number(*bytes)
            .map_err(|found| format!("number {at} is {found}, but {} are asked for", N::WORDS))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array0, Array1, Array2, array};

    use super::*;

    fn file(header: &str, numbers: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(numbers);
        bytes
    }

    fn floats(header: &str, numbers: &[u8]) -> Result<Array2<f32>, Error> {
        parse("x.npy", &file(header, numbers))
    }

    #[test]
    fn numbers_of_any_type_are_read() {
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }          \n";
        let bytes = [1.5f64.to_le_bytes(), (-2.0f64).to_le_bytes()].concat();
        assert_eq!(floats(header, &bytes).unwrap(), array![[1.5, -2.0]]);
        let large = floats(header, &[1e300f64.to_le_bytes(); 2].concat()).unwrap_err();
        assert!(
            large.to_string().contains("floats are asked for"),
            "{large}"
        );
        let header = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n";
        let bytes: Vec<u8> = (1..=6i16).flat_map(i16::to_be_bytes).collect();
        let turned = array![[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]];
        assert_eq!(floats(header, &bytes).unwrap(), turned);
        let header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }\n";
        let bits: Array1<u32> = parse("x.npy", &file(header, &[1, 0, 1])).unwrap();
        assert_eq!(bits, array![1, 0, 1]);
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n";
        let one: Array0<u32> = parse("x.npy", &file(header, &3f32.to_le_bytes())).unwrap();
        assert_eq!(one.into_scalar(), 3);
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5), }\n";
        assert_eq!(floats(header, &[]).unwrap().dim(), (0, 5));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let words = |e: Result<Array2<f32>, Error>| e.unwrap_err().to_string();
        let header = |descr: &str, shape: &str| {
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n")
        };
        for shape in [
            "(1, 3)",
            "(18446744073709551615, 16)",
            "(4294967296, 4294967296)",
        ] {
            let found = words(floats(&header("<f4", shape), &[0; 8]));
            assert!(found.contains("it has 2 numbers"), "{found}");
        }
        let axes = words(floats(&header("<f4", "(2,)"), &[0; 8]));
        assert_eq!(axes, "x.npy: expected shape of 2 axes, found [2]");
        let kind = words(floats(&header("<c8", "(1, 1)"), &[0; 8]));
        assert!(
            kind.contains("`<c8`: save `array.astype(numpy.float32)`"),
            "{kind}"
        );
        assert!(words(floats(&header("", "(1, 1)"), &[])).contains("it holds ``"));
        assert!(words(floats("{'descr': [('a', '<f4')]}", &[])).contains("its header is"));
        let whole = parse::<u32, ndarray::Ix1>(
            "x.npy",
            &file(&header("<f4", "(1,)"), &1.5f32.to_le_bytes()),
        );
        let found =
            "x.npy cannot be read: number 0 is 1.5, but whole numbers from 0 on are asked for";
        assert_eq!(whole.unwrap_err().to_string(), found);
        let whole = parse::<u32, ndarray::Ix1>(
            "x.npy",
            &file(&header("<i8", "(1,)"), &(-1i64).to_le_bytes()),
        );
        assert!(whole.unwrap_err().to_string().contains("number 0 is -1"));
    }

    #[test]
    fn no_beginning_of_a_file_panics() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n";
        let whole = file(header, &[0; 8]);
        for length in 0..whole.len() {
            assert!(
                parse::<f32, ndarray::Ix2>("x.npy", &whole[..length]).is_err(),
                "{length}"
            );
        }
        // A length of four bytes that is longer than the file.
        assert!(parse::<f32, ndarray::Ix2>("x.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff").is_err());
    }
}
