//! Arrays of NumPy as inputs, and outputs as arrays.

use std::{fs, path::Path};

use npyz::{NpyFile, Order, WriterBuilder as _};
use rnn_compiler::ir::Content;
use rnn_reference::{Input, InputInfo};

use crate::failure::{Done, Failure};

/// Numbers with a shape, rows after rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its axes.
    pub shape: Vec<usize>,
    /// As many as the axes say.
    pub values: Vec<f64>,
}

impl Array {
    /// Reads a `.npy`.
    ///
    /// # Errors
    /// If it is none, or has no numbers in it.
    pub fn read(path: &Path) -> Done<Array> {
        let bytes = fs::read(path).map_err(|e| Failure::io(path, "read", &e))?;
        let wrong = |e: String| {
            Failure::new(format!("{}: {e}", path.display()))
                .help("`numpy.save(\"data.npy\", x)` writes what is read here")
        };
        let file = NpyFile::new(&bytes[..]).map_err(|e| wrong(format!("no .npy: {e}")))?;
        let axes = file.shape().iter().map(|n| usize::try_from(*n).ok());
        let shape: Option<Vec<usize>> = axes.collect();
        let count = shape.as_deref().and_then(rnn_formats::elements);
        // A header that says more than there is would take memory for it.
        let (Some(shape), Some(count)) = (shape, count.filter(|n| *n <= bytes.len())) else {
            return Err(wrong("its shape is larger than the file".into()));
        };
        let by_columns = file.order() == Order::Fortran;
        let kind = file.dtype().descr();
        let kind = kind
            .trim_matches(['\'', '"', '<', '>', '|', '='])
            .to_owned();
        macro_rules! read {
            ($t:ty, $to:expr) => {
                file.into_vec::<$t>()
                    .map(|all| all.into_iter().map($to).collect::<Vec<f64>>())
            };
        }
        let values = match kind.as_str() {
            "f4" => read!(f32, f64::from),
            "f8" => read!(f64, |x| x),
            "i1" => read!(i8, f64::from),
            "i2" => read!(i16, f64::from),
            "i4" => read!(i32, f64::from),
            "i8" => read!(i64, |x| x as f64),
            "u1" => read!(u8, f64::from),
            "u2" => read!(u16, f64::from),
            "u4" => read!(u32, f64::from),
            "u8" => read!(u64, |x| x as f64),
            "b1" => read!(bool, |x| f64::from(u8::from(x))),
            other => {
                return Err(wrong(format!(
                    "arrays of numbers are read, found `{other}`"
                )));
            }
        };
        let values = values.map_err(|e| wrong(e.to_string()))?;
        if values.len() != count {
            return Err(wrong(format!(
                "expected {count} numbers, found {}",
                values.len()
            )));
        }
        let values = match by_columns {
            true => rows(&shape, &values),
            false => values,
        };
        Ok(Array { shape, values })
    }

    /// The array as a `.npy`, in float32 if the numbers were.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn bytes(&self, single: bool) -> Done<Vec<u8>> {
        let mut out = Vec::new();
        let shape: Vec<u64> = self.shape.iter().map(|n| *n as u64).collect();
        let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
        let done = match single {
            true => options.writer(&mut out).begin_nd().and_then(|mut w| {
                w.extend(self.values.iter().map(|x| *x as f32))?;
                w.finish()
            }),
            false => npyz::WriteOptions::new()
                .default_dtype()
                .shape(&shape)
                .writer(&mut out)
                .begin_nd()
                .and_then(|mut w| {
                    w.extend(self.values.iter().copied())?;
                    w.finish()
                }),
        };
        done.map_err(|e| Failure::new(e.to_string()))?;
        Ok(out)
    }

    /// The array as an input of a model.
    ///
    /// # Errors
    /// If it has other axes, or numbers that are no ids.
    pub fn input(&self, info: &InputInfo) -> Done<Input> {
        let words = axes(info);
        let refuse = |what: String| Failure::new(format!("the input `{}`: {what}", info.name));
        let differs = || {
            refuse(format!(
                "expected [{}], found {:?}",
                words.join(", "),
                self.shape
            ))
        };
        let ids = info.content == Content::Ids;
        let readings = readings(&self.shape, info);
        let Some((batch, time)) = readings
            .iter()
            .find_map(|shape| rows_and_steps(shape, info))
        else {
            return Err(differs());
        };
        let mut numbers = Vec::new();
        for (place, x) in self.values.iter().enumerate().filter(|_| ids) {
            match *x >= 0.0 && x.fract() == 0.0 && *x <= f64::from(u32::MAX) {
                true => numbers.push(*x as u32),
                false => {
                    return Err(refuse(format!("expected ids, found {x} at place {place}")));
                }
            }
        }
        Ok(Input {
            batch,
            time,
            floats: if ids { Vec::new() } else { self.values.clone() },
            ids: numbers,
        })
    }
}

/// The shapes that an array may stand for, in order of preference: itself; without the batch, which is one row; and of one
/// feature without the axis of features, as sound is.
fn readings(shape: &[usize], info: &InputInfo) -> Vec<Vec<usize>> {
    let row = |shape: &[usize]| [&[1], shape].concat();
    let mut all = vec![shape.to_vec(), row(shape)];
    if info.content == Content::Numbers && info.width == 1 {
        let whole = [shape, &[1]].concat();
        all.extend([row(&whole), whole]);
    }
    all
}

/// The rows and the steps of a shape, if the input may have it.
fn rows_and_steps(shape: &[usize], info: &InputInfo) -> Option<(usize, usize)> {
    let (batch, rest) = shape.split_first()?;
    let (time, features) = match info.steps {
        None => (1, rest),
        Some(_) => {
            let (time, rest) = rest.split_first()?;
            (*time, rest)
        }
    };
    let steps = info.steps.flatten().is_none_or(|n| n == time);
    // Ids and masks have no axis of features.
    let axes = info.content != Content::Numbers || !features.is_empty();
    let width = rnn_formats::elements(features) == Some(info.width);
    (steps && axes && width).then_some((*batch, time))
}

/// The axes of an input, in words.
pub fn axes(info: &InputInfo) -> Vec<String> {
    let mut words = vec!["batch".to_owned()];
    words.extend(
        info.steps
            .map(|n| n.map_or("time".to_owned(), |n| n.to_string())),
    );
    if info.content == Content::Numbers {
        words.push(info.width.to_string());
    }
    words
}

/// Columns after columns as rows after rows.
fn rows(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let mut steps = vec![1; shape.len()];
    for i in 1..shape.len() {
        steps[i] = steps[i - 1] * shape[i - 1];
    }
    let mut index = vec![0; shape.len()];
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        let at: usize = index.iter().zip(&steps).map(|(i, step)| i * step).sum();
        out.extend(values.get(at));
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        let rows = rows(&[2, 3], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(rows, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn what_is_written_is_read() {
        let array = Array {
            shape: vec![2, 1, 3],
            values: vec![0.5, 1.0, -2.0, 3.0, 4.0, 5.5],
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        for single in [true, false] {
            fs::write(file.path(), array.bytes(single).unwrap()).unwrap();
            assert_eq!(Array::read(file.path()).unwrap(), array);
        }
    }
}
