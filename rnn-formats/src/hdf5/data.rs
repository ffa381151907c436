//! The numbers of a dataset, wherever they are stored.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::{
    Attribute, Node, UNDEFINED,
    group::node_of_tree,
    header,
    types::{Datatype, Kind, dataspace},
    unsupported,
};
use crate::{Bytes, Error, Tensor, elements};

const DEFLATE: u16 = 1;
const SHUFFLE: u16 = 2;
/// As many axes as HDF5 has.
const MAX_RANK: usize = 32;

/// The numbers of a dataset.
pub(super) fn tensor(node: &Node<'_, '_>) -> Result<Tensor, Error> {
    let path = &node.path;
    let missing = |what: &str| Error::not_understood(format!("HDF5: `{path}` has no {what}"));
    let message = |kind, what| node.message(kind).ok_or_else(|| missing(what));
    if node.message(header::EXTERNAL).is_some() {
        return Err(unsupported(format!("`{path}` with data in other files")));
    }
    let shape = dataspace(message(header::DATASPACE, "shape")?.open()?)?;
    let shape = shape.ok_or_else(|| missing("elements"))?;
    let mut kind = Datatype::read(message(header::DATATYPE, "type")?.open()?)?;
    // Keras stores bfloat16 as bytes, and says so beside them.
    if kind.kind == Kind::Opaque
        && kind.size == 2
        && node.attribute("dtype")? == Some(Attribute::Text("bfloat16".into()))
    {
        kind = kind.as_bfloat();
    }
    if !matches!(kind.kind, Kind::Int(_) | Kind::Float | Kind::BFloat) {
        return Err(unsupported(format!(
            "`{path}`, whose elements are no numbers ({:?}),",
            kind.kind
        )));
    }
    let count = elements(&shape).ok_or_else(|| missing("shape that can be counted"))?;
    // What the file has as bytes, and what it becomes.
    let bytes = (count as u64).saturating_mul(kind.size as u64);
    node.file
        .count(bytes.saturating_add((count as u64).saturating_mul(4)), path)?;
    let data = bytes_of(node, &kind, &shape, bytes)?;
    let values: Option<Vec<f32>> = data
        .chunks_exact(kind.size)
        .map(|b| kind.number(b).map(|x| x as f32))
        .collect();
    Tensor::new(path.as_str(), shape, values.unwrap_or_default())
}

/// The bytes of all elements.
fn bytes_of(
    node: &Node<'_, '_>,
    kind: &Datatype,
    shape: &[usize],
    bytes: u64,
) -> Result<Vec<u8>, Error> {
    let Some(layout) = node.message(header::LAYOUT) else {
        return Err(unsupported(format!(
            "`{}`, a group, as numbers,",
            node.path
        )));
    };
    let mut at = layout.open()?;
    let version = at.u8("the version of a layout")?;
    let class = match version {
        1 | 2 => {
            at.u8("the number of axes of a layout")?;
            let class = at.u8("the class of a layout")?;
            at.take(5, "a layout")?;
            class
        }
        3 | 4 => at.u8("the class of a layout")?,
        other => return Err(unsupported(format!("a layout of version {other}"))),
    };
    let filters = filters(node)?;
    if class != 2 && !filters.is_empty() {
        return Err(unsupported(format!(
            "`{}`, filtered without chunks,",
            node.path
        )));
    }
    match (version, class) {
        (3 | 4, 0) => {
            let size = u64::from(at.u16("the size of compact data")?);
            whole(at, bytes, size)
        }
        (1 | 2, 0) => Err(unsupported(format!("compact data of version {version}"))),
        (_, 1) => {
            let address = at.u64("the address of data")?;
            if address == UNDEFINED {
                return filled(node, kind, bytes);
            }
            // Older versions say the axes again instead of the size.
            let size = match version {
                3 | 4 => at.u64("the size of data")?,
                _ => bytes,
            };
            whole(node.file.at(address, "data")?, bytes, size)
        }
        (4, 2) => Err(unsupported(format!(
            "`{}`, chunks with an index of version 4,",
            node.path
        ))),
        (_, 2) => {
            let rank = match version {
                3 => usize::from(at.u8("the number of axes of chunks")?),
                _ => shape.len() + 1,
            };
            let place = at.at();
            let address = at.u64("the address of chunks")?;
            if rank != shape.len() + 1 || rank > MAX_RANK {
                return Err(Error::damaged(
                    place,
                    format!("chunks of {} axes and the size of an element", shape.len()),
                    format!("{rank} axes"),
                ));
            }
            let mut chunk = Vec::new();
            for _ in 0..shape.len() {
                let axis = at.u32("an axis of chunks")?;
                chunk.push(usize::try_from(axis).unwrap_or(usize::MAX));
            }
            chunks(node, kind, (shape, &chunk), (address, bytes, &filters))
        }
        (_, other) => Err(unsupported(format!("a layout of class {other}"))),
    }
}

/// Data in one piece.
fn whole(mut at: Bytes<'_>, bytes: u64, size: u64) -> Result<Vec<u8>, Error> {
    match size < bytes {
        true => Err(Error::damaged(
            at.at(),
            format!("{bytes} bytes of data"),
            size.to_string(),
        )),
        false => Ok(at.take(bytes, "data")?.to_vec()),
    }
}

/// As many bytes, all elements of them the value of elements that were never written.
fn filled(node: &Node<'_, '_>, kind: &Datatype, bytes: u64) -> Result<Vec<u8>, Error> {
    let mut value = Vec::new();
    if let Some(fill) = node.message(header::FILL) {
        let mut at = fill.open()?;
        let defined = match at.u8("the version of a fill value")? {
            1 | 2 => {
                at.take(2, "a fill value")?;
                at.u8("whether there is a fill value")? != 0
            }
            3 => at.u8("the flags of a fill value")? & 0x20 != 0,
            other => return Err(unsupported(format!("a fill value of version {other}"))),
        };
        if defined {
            let size = at.u32("the size of a fill value")?;
            value = at.take(u64::from(size), "a fill value")?.to_vec();
        }
    }
    // `bytes` has been counted.
    let bytes = usize::try_from(bytes).unwrap_or(0);
    Ok(match value.len() == kind.size {
        true => value.iter().copied().cycle().take(bytes).collect(),
        false => vec![0; bytes],
    })
}

/// The filters that chunks went through, in the order in which they were applied.
fn filters(node: &Node<'_, '_>) -> Result<Vec<u16>, Error> {
    let Some(message) = node.message(header::FILTERS) else {
        return Ok(Vec::new());
    };
    let mut at = message.open()?;
    let version = at.u8("the version of filters")?;
    let count = at.u8("the number of filters")?;
    match version {
        1 => at.take(6, "filters").map(|_| ())?,
        2 => {}
        other => return Err(unsupported(format!("filters of version {other}"))),
    }
    let mut found = Vec::new();
    for _ in 0..count {
        let id = at.u16("a filter")?;
        let length = match version == 1 || id >= 256 {
            true => u64::from(at.u16("the length of a filter's name")?),
            false => 0,
        };
        at.u16("the flags of a filter")?;
        let values = at.u16("the number of a filter's values")?;
        let length = if version == 1 {
            length.div_ceil(8) * 8
        } else {
            length
        };
        at.take(length, "the name of a filter")?;
        let odd = u64::from(version == 1 && values % 2 == 1);
        at.take(4 * (u64::from(values) + odd), "the values of a filter")?;
        match id {
            // Each of them goes over all bytes of a chunk.
            DEFLATE | SHUFFLE if found.contains(&id) => {
                return Err(unsupported(format!(
                    "`{}`, filter {id} a second time,",
                    node.path
                )));
            }
            DEFLATE | SHUFFLE => found.push(id),
            other => {
                let name = match other {
                    3 => " (fletcher32)",
                    4 => " (szip)",
                    5 => " (nbit)",
                    6 => " (scaleoffset)",
                    32000 => " (lzf)",
                    _ => "",
                };
                return Err(unsupported(format!(
                    "`{}`, filter {other}{name},",
                    node.path
                )));
            }
        }
    }
    Ok(found)
}

/// Data in chunks, which a B-tree finds.
fn chunks(
    node: &Node<'_, '_>,
    kind: &Datatype,
    (shape, chunk): (&[usize], &[usize]),
    (address, bytes, filters): (u64, u64, &[u16]),
) -> Result<Vec<u8>, Error> {
    let (file, path) = (node.file, &node.path);
    let mut data = filled(node, kind, bytes)?;
    if address == UNDEFINED || data.is_empty() {
        return Ok(data);
    }
    let size = elements(chunk).and_then(|n| n.checked_mul(kind.size));
    let size = size.filter(|&n| n > 0).ok_or_else(|| {
        Error::not_understood(format!("HDF5: `{path}` has chunks of {chunk:?} elements"))
    })?;
    let mut rest = vec![(address, None)];
    while let Some((address, level)) = rest.pop() {
        let mut at = file.at(address, "a B-tree of chunks")?;
        let (children, own) = node_of_tree(&mut at, 1, level)?;
        let key = 8 + 8 * (shape.len() as u64 + 1);
        file.count(24 + (key + 8) * u64::from(children), "B-trees of chunks")?;
        for _ in 0..children {
            let stored = at.u32("the size of a chunk")?;
            let skipped = at.u32("the filters of a chunk")?;
            let place = at.at();
            let mut start = Vec::new();
            for _ in 0..shape.len() {
                start.push(usize::try_from(at.u64("the place of a chunk")?).unwrap_or(usize::MAX));
            }
            at.u64("the place of a chunk")?;
            let child = at.u64("the address of a chunk")?;
            if own > 0 {
                rest.push((child, Some(own)));
                continue;
            }
            if start.iter().zip(shape).any(|(s, n)| s >= n) {
                return Err(Error::damaged(
                    place,
                    format!("a chunk within {shape:?}"),
                    format!("one at {start:?}"),
                ));
            }
            let stored = file
                .at(child, "a chunk")?
                .take(u64::from(stored), "a chunk")?;
            file.count((size as u64).saturating_add(stored.len() as u64), path)?;
            let raw = unfiltered(stored, filters, skipped, (size, kind.size), child)?;
            copy(&mut data, &raw, kind.size, (shape, chunk), &start);
        }
    }
    Ok(data)
}

/// Undoes the filters of a chunk of `size` bytes.
fn unfiltered(
    stored: &[u8],
    filters: &[u16],
    skipped: u32,
    (size, element): (usize, usize),
    address: u64,
) -> Result<Vec<u8>, Error> {
    let at = usize::try_from(address).unwrap_or(usize::MAX);
    let mut data = stored.to_vec();
    for (i, filter) in filters.iter().enumerate().rev() {
        // A chunk may leave out a filter that did not make it smaller.
        if skipped
            .checked_shr(i as u32)
            .is_some_and(|bits| bits & 1 != 0)
        {
            continue;
        }
        data = match *filter {
            DEFLATE => decompress_to_vec_zlib_with_limit(&data, size).map_err(|e| {
                Error::damaged(
                    at,
                    format!("a deflated chunk of {size} bytes"),
                    e.to_string(),
                )
            })?,
            _ => unshuffled(&data, element),
        };
    }
    match data.len() == size {
        true => Ok(data),
        false => Err(Error::damaged(
            at,
            format!("a chunk of {size} bytes"),
            data.len().to_string(),
        )),
    }
}

/// All first bytes of elements, then all second ones, … in their order again.
fn unshuffled(data: &[u8], element: usize) -> Vec<u8> {
    let count = data.len() / element.max(1);
    let mut out = Vec::with_capacity(data.len());
    for i in 0..count {
        out.extend((0..element).filter_map(|b| data.get(b * count + i)));
    }
    out.extend(data.get(count * element..).unwrap_or_default());
    out
}

/// Copies the rows of a chunk to their places, without what is outside of the dataset.
fn copy(
    data: &mut [u8],
    raw: &[u8],
    element: usize,
    (shape, chunk): (&[usize], &[usize]),
    start: &[usize],
) {
    let Some((&columns, outer)) = chunk.split_last() else {
        return;
    };
    let inside = shape.last().zip(start.last()).map_or(0, |(n, s)| n - s);
    let width = columns.min(inside) * element;
    let rows = outer.iter().product();
    'rows: for row in 0..rows {
        // The place of the row's first element in the dataset, from the last axis but one to the first.
        let (mut rest, mut place, mut stride) = (row, *start.last().unwrap_or(&0), 1);
        stride *= shape.last().copied().unwrap_or(1);
        for axis in (0..outer.len()).rev() {
            let (Some(&n), Some(&s), Some(&c)) =
                (shape.get(axis), start.get(axis), outer.get(axis))
            else {
                continue 'rows;
            };
            let here = s + rest % c;
            rest /= c;
            if here >= n {
                continue 'rows;
            }
            place += here * stride;
            stride *= n;
        }
        let (to, from) = (place * element, row * columns * element);
        if let (Some(to), Some(from)) = (data.get_mut(to..to + width), raw.get(from..from + width))
        {
            to.copy_from_slice(from);
        }
    }
}
