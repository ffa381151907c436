//! Constants computed number by number.

use std::rc::Rc;

use super::array::{Array, Budget, Data};
use super::axes::{axes, axis, broadcast, in_front, with_ones};
use super::dim::{Dim, product};
use super::graph::Node;

type Done<T> = Result<T, String>;

/// An array number by number.
pub(super) fn each(
    a: &Array,
    float: impl Fn(f32) -> f32,
    int: impl Fn(&Dim) -> Option<Dim>,
) -> Done<Array> {
    match &a.data {
        Data::Floats(f) => Ok(Array {
            data: Data::Floats(Rc::new(f.iter().map(|v| float(*v)).collect())),
            ..a.clone()
        }),
        Data::Ints(_) => each_int(a, int),
    }
}

/// The same for whole numbers.
pub(super) fn each_int(a: &Array, int: impl Fn(&Dim) -> Option<Dim>) -> Done<Array> {
    let all: Option<Vec<Dim>> = a.ints().unwrap_or_default().iter().map(int).collect();
    match (all, a.ints()) {
        (Some(all), Some(_)) => Ok(Array {
            data: Data::Ints(Rc::new(all)),
            ..a.clone()
        }),
        _ => Err("its numbers are not known".to_owned()),
    }
}

/// The sum or the product of sizes.
pub(super) fn reduce(node: &Node<'_>, a: &Array, input: Option<&Array>) -> Done<Array> {
    let bad = || "it is computed for vectors of sizes only".to_owned();
    let all = a
        .ints()
        .filter(|_| a.dims.len() == 1 && a.shape[0] == Dim::N(a.dims[0] as i64));
    let all = all.ok_or_else(bad)?;
    for at in axes(node, input)?.unwrap_or_default() {
        axis(at, 1)?;
    }
    let value = match node.op.as_str() {
        "ReduceProd" => product(all),
        _ => all.iter().try_fold(Dim::N(0), |s, d| s.plus(d)),
    };
    let scalar = Array::scalar(value.ok_or_else(bad)?);
    Ok(match node.int("keepdims").unwrap_or(1) {
        0 => scalar,
        _ => with_ones(&scalar, &[0]),
    })
}

/// How two numbers become one: floats, and sizes.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    float: fn(f32, f32) -> f32,
    int: fn(&Dim, &Dim) -> Option<Dim>,
    /// A comparison gives whole numbers of floats, too.
    truth: bool,
}

fn truth(value: bool) -> Option<Dim> {
    Some(Dim::N(i64::from(value)))
}

/// A comparison of sizes that are known.
fn compare(a: &Dim, b: &Dim, how: fn(&i64, &i64) -> bool) -> Option<Dim> {
    truth(how(&a.known()?, &b.known()?))
}

/// How an operator of two inputs computes.
pub(super) fn pair(op: &str) -> Option<Pair> {
    let of = |float: fn(f32, f32) -> f32, int: fn(&Dim, &Dim) -> Option<Dim>| {
        Some(Pair {
            float,
            int,
            truth: false,
        })
    };
    let test = |float: fn(f32, f32) -> f32, int: fn(&Dim, &Dim) -> Option<Dim>| {
        Some(Pair {
            float,
            int,
            truth: true,
        })
    };
    match op {
        "Add" => of(|a, b| a + b, Dim::plus),
        "Sub" => of(|a, b| a - b, Dim::minus),
        "Mul" => of(|a, b| a * b, Dim::times),
        "Div" => of(
            |a, b| a / b,
            |a, b| match (a.known(), b.known()) {
                (Some(a), Some(b)) => a.checked_div(b).map(Dim::N),
                _ => a.over(b),
            },
        ),
        "Mod" => of(
            |a, b| a % b,
            |a, b| a.known()?.checked_rem_euclid(b.known()?).map(Dim::N),
        ),
        "Pow" => of(f32::powf, |a, b| {
            let power = u32::try_from(b.known()?).ok()?;
            a.known()?.checked_pow(power).map(Dim::N)
        }),
        "Min" => of(f32::min, |a, b| Some(Dim::N(a.known()?.min(b.known()?)))),
        "Max" => of(f32::max, |a, b| Some(Dim::N(a.known()?.max(b.known()?)))),
        "Equal" => test(
            |a, b| f32::from(u8::from(a == b)),
            |a, b| match (a.known(), b.known()) {
                (Some(a), Some(b)) => truth(a == b),
                // A symbol is at least 1.
                (Some(n), None) | (None, Some(n)) if n < 1 => truth(false),
                _ if a == b => truth(true),
                _ => None,
            },
        ),
        "Greater" => test(
            |a, b| f32::from(u8::from(a > b)),
            |a, b| compare(a, b, i64::gt),
        ),
        "Less" => test(
            |a, b| f32::from(u8::from(a < b)),
            |a, b| compare(a, b, i64::lt),
        ),
        "And" => test(
            |a, b| f32::from(u8::from(a != 0.0 && b != 0.0)),
            |a, b| truth(a.known()? != 0 && b.known()? != 0),
        ),
        "Or" => test(
            |a, b| f32::from(u8::from(a != 0.0 || b != 0.0)),
            |a, b| truth(a.known()? != 0 || b.known()? != 0),
        ),
        _ => None,
    }
}

/// Both with the axes of the result: those of the shape, and those that the data needs.
fn aligned(all: &[&Array], budget: &mut Budget) -> Done<(Vec<Dim>, Vec<usize>, Vec<Data>)> {
    let mut shape = Vec::new();
    for a in all {
        shape = broadcast(&shape, &a.shape)?;
    }
    let front: Vec<Array> = all.iter().map(|a| in_front(a, shape.len())).collect();
    let dims: Vec<usize> = (0..shape.len())
        .map(|k| {
            // A size of 0 is one that all have.
            let sizes = front.iter().map(|a| a.dims[k]);
            sizes.clone().find(|d| *d != 1).unwrap_or(1)
        })
        .collect();
    let mut data = Vec::new();
    for a in &front {
        data.push(a.stretched(&dims, budget)?.data);
    }
    Ok((shape, dims, data))
}

/// Two arrays number by number.
pub(super) fn both(a: &Array, b: &Array, how: Pair, budget: &mut Budget) -> Done<Array> {
    let (shape, dims, data) = aligned(&[a, b], budget)?;
    let data = match &data[..] {
        [Data::Floats(a), Data::Floats(b)] => {
            let all = a.iter().zip(b.iter()).map(|(a, b)| (how.float)(*a, *b));
            match how.truth {
                true => Data::Ints(Rc::new(all.map(|v| Dim::N(v as i64)).collect())),
                false => Data::Floats(Rc::new(all.collect())),
            }
        }
        [Data::Ints(a), Data::Ints(b)] => {
            let all: Option<Vec<Dim>> = a
                .iter()
                .zip(b.iter())
                .map(|(a, b)| (how.int)(a, b))
                .collect();
            Data::Ints(Rc::new(
                all.ok_or("it computes with sizes that are not known")?,
            ))
        }
        _ => return Err("its inputs are of different types".to_owned()),
    };
    Ok(Array { shape, dims, data })
}

/// `Where`.
pub(super) fn choose(
    condition: Done<&Array>,
    a: Done<&Array>,
    b: Done<&Array>,
    budget: &mut Budget,
) -> Done<Array> {
    let (shape, dims, data) = aligned(&[condition?, a?, b?], budget)?;
    let [Data::Ints(condition), a, b] = &data[..] else {
        return Err("its condition is no truth".to_owned());
    };
    let mut which = Vec::new();
    for c in condition.iter() {
        which.push(c.known().ok_or("its condition is not known")? != 0);
    }
    let data = match (a, b) {
        (Data::Floats(a), Data::Floats(b)) => {
            let all = which.iter().zip(a.iter().zip(b.iter()));
            Data::Floats(Rc::new(
                all.map(|(w, (a, b))| if *w { *a } else { *b }).collect(),
            ))
        }
        (Data::Ints(a), Data::Ints(b)) => {
            let all = which.iter().zip(a.iter().zip(b.iter()));
            let all = all.map(|(w, (a, b))| if *w { a.clone() } else { b.clone() });
            Data::Ints(Rc::new(all.collect()))
        }
        _ => return Err("its inputs are of different types".to_owned()),
    };
    Ok(Array { shape, dims, data })
}
