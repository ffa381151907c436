//! Axes of arrays: how they are counted, added and broadcast.

use super::array::Array;
use super::dim::Dim;
use super::graph::Node;

type Done<T> = Result<T, String>;

/// An axis that may count from the end.
pub(super) fn axis(axis: i64, rank: usize) -> Done<usize> {
    let from_start = match axis < 0 {
        true => axis.checked_add(rank as i64),
        false => Some(axis),
    };
    from_start
        .and_then(|a| usize::try_from(a).ok())
        .filter(|a| *a < rank)
        .ok_or_else(|| format!("its axis {axis} is none of {rank}"))
}

/// An index that may count from the end, within a size.
pub(super) fn index(at: i64, size: usize) -> Done<usize> {
    let from_start = match at < 0 {
        true => at.checked_add(size as i64),
        false => Some(at),
    };
    from_start
        .and_then(|a| usize::try_from(a).ok())
        .filter(|a| *a < size)
        .ok_or_else(|| format!("its index {at} is not within {size}"))
}

/// Axes from an attribute, or from an input in newer versions.
pub(super) fn axes(node: &Node<'_>, input: Option<&Array>) -> Done<Option<Vec<i64>>> {
    match (node.ints("axes"), input) {
        (Some(axes), _) => Ok(Some(axes.to_vec())),
        (None, Some(a)) => match a.numbers() {
            Some(all) => Ok(Some(all)),
            None => Err("its axes are not known".to_owned()),
        },
        (None, None) => Ok(None),
    }
}

/// An array with axes of one at these places.
pub(super) fn with_ones(a: &Array, axes: &[usize]) -> Array {
    let mut out = a.clone();
    for &at in axes {
        out.shape.insert(at.min(out.shape.len()), Dim::N(1));
        out.dims.insert(at.min(out.dims.len()), 1);
    }
    out
}

/// The shape of two that are broadcast.
pub(super) fn broadcast(a: &[Dim], b: &[Dim]) -> Done<Vec<Dim>> {
    let rank = a.len().max(b.len());
    let at = |dims: &[Dim], k: usize| match k.checked_sub(rank - dims.len()) {
        Some(k) => dims[k].clone(),
        None => Dim::N(1),
    };
    (0..rank)
        .map(|k| match (at(a, k), at(b, k)) {
            (Dim::N(1), other) | (other, Dim::N(1)) => Ok(other),
            (x, y) if x == y => Ok(x),
            _ => Err("its shapes do not go together".to_owned()),
        })
        .collect()
}

/// The data of an array with axes of one in front.
pub(super) fn in_front(a: &Array, rank: usize) -> Array {
    let missing: Vec<usize> = (0..rank.saturating_sub(a.dims.len())).collect();
    with_ones(a, &missing)
}
