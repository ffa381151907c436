//! HDF5 as Keras writes it: superblock 0, groups of symbol tables, datasets of contiguous floats.

use std::collections::BTreeMap;

use crate::{Error, Tensor};

/// The address of what is not there.
const UNDEFINED: u64 = u64::MAX;
/// Half the children of a node of a group's B-tree; the library's own number.
const TREE_K: u16 = 16;

/// Datasets by their paths, `layers/dense/vars/0`.
#[derive(Debug, Default)]
pub(crate) struct Group<'t> {
    groups: BTreeMap<String, Group<'t>>,
    data: BTreeMap<String, &'t Tensor>,
}

impl<'t> Group<'t> {
    /// Adds a dataset.
    pub fn add(&mut self, path: &str, tensor: &'t Tensor) {
        match path.split_once('/') {
            Some((group, rest)) => {
                let group = self.groups.entry(group.to_owned()).or_default();
                group.add(rest, tensor);
            }
            None => {
                self.data.insert(path.to_owned(), tensor);
            }
        }
    }

    /// The most children of a group.
    fn most(&self) -> usize {
        let own = self.groups.len() + self.data.len();
        let below = self.groups.values().map(Group::most);
        below.fold(own, usize::max)
    }

    /// The file with this as its root.
    ///
    /// # Errors
    /// If a group has more children than one table of symbols can have.
    pub fn file(&self) -> Result<Vec<u8>, Error> {
        // Each group has one table of symbols, so that tables are as long as the longest group.
        let half = self.most().div_ceil(2).max(4);
        let half = u16::try_from(half).ok().filter(|n| *n < u16::MAX / 2);
        let many =
            || Error::not_understood("HDF5: a group of more than 60,000 members is not written");
        let half = half.ok_or_else(many)?;
        let mut out = Vec::new();
        out.extend(b"\x89HDF\r\n\x1a\n");
        // Versions, then the sizes of offsets and lengths.
        out.extend([0, 0, 0, 0, 0, 8, 8, 0]);
        out.extend(half.to_le_bytes());
        out.extend(TREE_K.to_le_bytes());
        out.extend([0; 4]);
        words(&mut out, &[0, UNDEFINED]);
        let end = out.len();
        words(&mut out, &[0, UNDEFINED]);
        // The root's entry: filled in at last.
        let root = out.len();
        out.extend([0; 40]);
        let placed = self.write(&mut out, half);
        let size = out.len() as u64;
        put(&mut out, end, &size.to_le_bytes());
        put(&mut out, root, &entry(0, &placed));
        Ok(out)
    }

    fn write(&self, out: &mut Vec<u8>, half: u16) -> Placed {
        let mut children: Vec<(&String, Placed)> = Vec::new();
        for (name, group) in &self.groups {
            children.push((name, group.write(out, half)));
        }
        for (name, tensor) in &self.data {
            children.push((name, dataset(out, tensor)));
        }
        // The library looks names up by halving.
        children.sort_by_key(|(name, _)| name.as_bytes());
        // Names, each with a zero at its end, at multiples of eight; the first is empty.
        let mut names = vec![0; 8];
        let mut places = Vec::new();
        for (name, _) in &children {
            places.push(names.len() as u64);
            names.extend(name.as_bytes());
            names.push(0);
            names.resize(names.len().next_multiple_of(8), 0);
        }
        let heap = align(out);
        out.extend(b"HEAP\0\0\0\0");
        // 1: nothing in the heap is free.
        words(out, &[names.len() as u64, 1, heap + 32]);
        out.extend(names);
        let table = align(out);
        out.extend(b"SNOD\x01\0");
        out.extend((children.len() as u16).to_le_bytes());
        let entries = out.len();
        for (place, (_, child)) in places.iter().zip(&children) {
            out.extend(entry(*place, child));
        }
        out.resize(entries + 2 * usize::from(half) * 40, 0);
        let tree = align(out);
        let used = u16::from(!children.is_empty());
        out.extend(b"TREE\0\0");
        out.extend(used.to_le_bytes());
        let last = places.last().copied().unwrap_or(0);
        words(out, &[UNDEFINED, UNDEFINED, 0, table, last]);
        // A node has room for all the children that it may have.
        let size = 24 + 8 * (4 * usize::from(TREE_K) + 1);
        out.resize(tree as usize + size, 0);
        let mut message = Vec::new();
        words(&mut message, &[tree, heap]);
        Placed {
            header: header(out, &[(0x11, message)]),
            group: Some((tree, heap)),
        }
    }
}

/// Where an object is.
struct Placed {
    header: u64,
    /// The B-tree and the heap of a group.
    group: Option<(u64, u64)>,
}

/// An entry of a table of symbols.
fn entry(name: u64, of: &Placed) -> Vec<u8> {
    let mut out = Vec::new();
    words(&mut out, &[name, of.header]);
    let (kind, (tree, heap)) = match of.group {
        Some(group) => (1_u32, group),
        None => (0, (0, 0)),
    };
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    words(&mut out, &[tree, heap]);
    out
}

fn dataset(out: &mut Vec<u8>, tensor: &Tensor) -> Placed {
    let data = align(out);
    out.extend(tensor.values.iter().flat_map(|x| x.to_le_bytes()));
    let bytes = 4 * tensor.values.len() as u64;
    // Version 1, the number of axes, no largest sizes.
    let mut space = vec![1, tensor.shape.len() as u8, 0, 0, 0, 0, 0, 0];
    words(
        &mut space,
        &tensor.shape.iter().map(|n| *n as u64).collect::<Vec<_>>(),
    );
    let float = vec![
        0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0,
    ];
    // Version 2: room is made late, nothing is written before data, no value is defined.
    let fill = vec![2, 2, 2, 0];
    let mut layout = vec![3, 1];
    let place = if bytes == 0 { UNDEFINED } else { data };
    words(&mut layout, &[place, bytes]);
    let messages = [(1, space), (3, float), (5, fill), (8, layout)];
    Placed {
        header: header(out, &messages),
        group: None,
    }
}

/// Writes an object header of version 1; gives its address.
fn header(out: &mut Vec<u8>, messages: &[(u16, Vec<u8>)]) -> u64 {
    let mut body = Vec::new();
    for (kind, bytes) in messages {
        let size = bytes.len().next_multiple_of(8);
        body.extend(kind.to_le_bytes());
        body.extend((size as u16).to_le_bytes());
        body.extend([0; 4]);
        let start = body.len();
        body.extend(bytes);
        body.resize(start + size, 0);
    }
    let at = align(out);
    out.extend([1, 0]);
    out.extend((messages.len() as u16).to_le_bytes());
    // One name leads to it.
    out.extend(1_u32.to_le_bytes());
    out.extend((body.len() as u32).to_le_bytes());
    out.extend([0; 4]);
    out.extend(body);
    at
}

fn words(out: &mut Vec<u8>, all: &[u64]) {
    out.extend(all.iter().flat_map(|n| n.to_le_bytes()));
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = out.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// Goes to the next multiple of eight; gives it.
fn align(out: &mut Vec<u8>) -> u64 {
    out.resize(out.len().next_multiple_of(8), 0);
    out.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hdf5::File;

    #[test]
    fn what_is_written_is_read() {
        let tensor = |n: usize| {
            let values = (0..2 * n).map(|x| x as f32);
            Tensor::new("", [2, n], values.collect()).unwrap()
        };
        let tensors: Vec<Tensor> = (0..50).map(tensor).collect();
        let mut root = Group::default();
        for (n, tensor) in tensors.iter().enumerate() {
            root.add(&format!("layers/dense_{n}/vars/0"), tensor);
        }
        let bytes = root.file().unwrap();
        let file = File::open(&bytes).unwrap();
        let root = file.root().unwrap();
        for (n, tensor) in tensors.iter().enumerate() {
            let node = root.at_path(&format!("layers/dense_{n}/vars/0")).unwrap();
            let found = node.unwrap().tensor().unwrap();
            assert_eq!(
                (found.shape, found.values),
                (tensor.shape.clone(), tensor.values.clone())
            );
        }
        assert_eq!(root.walk().unwrap().len(), 1 + 3 * 50);
        assert!(
            File::open(&Group::default().file().unwrap())
                .unwrap()
                .root()
                .unwrap()
                .names()
                .unwrap()
                .is_empty()
        );
    }
}
