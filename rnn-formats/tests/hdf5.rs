//! HDF5 files of h5py: every storage, type and attribute of the subset, and what is refused.
#![cfg(feature = "all")]

use std::path::PathBuf;

use rnn_formats::{
    Error,
    hdf5::{Attribute, File, Node},
    zip::Archive,
};

fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/formats/keras/plain.zip");
    let bytes = std::fs::read(path).unwrap();
    Archive::open(&bytes).unwrap().read(name).unwrap()
}

/// The numbers of `plain.py`.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 7 % 101) as f32).collect()
}

fn values(root: &Node<'_, '_>, path: &str) -> (Vec<usize>, Vec<f32>) {
    let node = root
        .at_path(path)
        .unwrap()
        .unwrap_or_else(|| panic!("no {path}"));
    let tensor = node.tensor().unwrap_or_else(|e| panic!("{path}: {e}"));
    assert_eq!(tensor.name, path);
    (tensor.shape, tensor.values)
}

#[test]
fn every_type_is_read() {
    let bytes = bytes("storage.h5");
    let file = File::open(&bytes).unwrap();
    let root = file.root().unwrap();
    for kind in "f2 f4 f8 >f4 i1 u1 i2 u2 i4 u4 i8 u8".split(' ') {
        let expected = (vec![3, 5], numbers(15));
        assert_eq!(values(&root, &format!("kinds/{kind}")), expected, "{kind}");
    }
    let flags = numbers(15).iter().map(|x| x % 2.0).collect();
    assert_eq!(values(&root, "kinds/?"), (vec![3, 5], flags));
}

#[test]
fn every_storage_is_read() {
    let bytes = bytes("storage.h5");
    let file = File::open(&bytes).unwrap();
    let root = file.root().unwrap();
    for name in "contiguous chunked gzip shuffled only_shuffled".split(' ') {
        let found = values(&root, &format!("storage/{name}"));
        assert_eq!(found, (vec![7, 10], numbers(70)), "{name}");
    }
    assert_eq!(values(&root, "storage/scalar"), (vec![], vec![3.5]));
    assert_eq!(values(&root, "storage/none"), (vec![0, 4], vec![]));
    assert_eq!(values(&root, "storage/deep"), (vec![12, 9], numbers(108)));
    assert_eq!(values(&root, "storage/cube"), (vec![3, 4, 5], numbers(60)));
    assert_eq!(values(&root, "storage/compact"), (vec![3, 2], numbers(6)));
    assert_eq!(
        values(&root, "storage/unwritten"),
        (vec![4, 3], vec![2.5; 12])
    );
    let partly = [[-1.0; 8], [9.0; 8], [-1.0; 8]].concat();
    assert_eq!(values(&root, "storage/partly"), (vec![6, 4], partly));
}

#[test]
fn groups_have_all_their_members() {
    let bytes = bytes("storage.h5");
    let file = File::open(&bytes).unwrap();
    let root = file.root().unwrap();
    assert_eq!(root.names().unwrap(), ["inner", "kinds", "many", "storage"]);
    let many = root.child("many").unwrap().unwrap();
    let mut names: Vec<String> = (0..100).map(|i| format!("member {i}")).collect();
    names.sort();
    assert_eq!(many.names().unwrap(), names);
    assert_eq!(values(&root, "many/member 57").1, [57.0]);
    let all = root.walk().unwrap();
    assert_eq!(all.iter().filter(|n| n.is_dataset()).count(), 13 + 12 + 100);
    assert!(root.at_path("kinds/none").unwrap().is_none());
    assert!(root.at_path("kinds/f4/none").unwrap().is_none());
}

#[test]
fn every_attribute_is_read() {
    let bytes = bytes("storage.h5");
    let file = File::open(&bytes).unwrap();
    let root = file.root().unwrap();
    let text = |s: &str| Attribute::Text(s.into());
    let texts = |all: &[&str]| Attribute::Texts(all.iter().map(|s| (*s).into()).collect());
    for node in [&root, &root.child("inner").unwrap().unwrap()] {
        let all = node.attributes().unwrap();
        assert_eq!(all.len(), 12);
        for (name, value) in [
            ("text", text("größer")),
            ("bytes", text("fixed")),
            ("texts", texts(&["one", "", "three"])),
            ("fixed", texts(&["ab", "cde"])),
            ("number", Attribute::Number(1.5)),
            ("whole", Attribute::Number(-7.0)),
            ("numbers", Attribute::Numbers(vec![1.0, 2.0, 3.0, 4.0])),
            ("flag", Attribute::Number(1.0)),
            ("empty", Attribute::Empty),
            ("nothing", Attribute::Numbers(vec![])),
            ("pair", Attribute::Other),
            ("half", Attribute::Number(0.25)),
        ] {
            assert_eq!(node.attribute(name).unwrap(), Some(value.clone()), "{name}");
            assert!(all.contains(&(name.to_owned(), value)), "{name}");
        }
        assert_eq!(node.attribute("none").unwrap(), None);
    }
}

#[test]
fn new_headers_with_links_in_them_are_read() {
    let bytes = bytes("latest.h5");
    let file = File::open(&bytes).unwrap();
    let root = file.root().unwrap();
    assert_eq!(values(&root, "a/b"), (vec![2, 3], numbers(6)));
    assert_eq!(values(&root, "a/c"), (vec![], vec![2.0]));
    let text = root.attribute("text").unwrap();
    assert_eq!(text, Some(Attribute::Text("latest".into())));
}

#[test]
fn what_is_not_in_the_subset_is_named() {
    for (name, words) in [
        ("lzf", "HDF5: `x`, filter 32000 (lzf), is not understood"),
        (
            "fletcher",
            "HDF5: `x`, filter 3 (fletcher32), is not understood",
        ),
        (
            "complex",
            "HDF5: `x`, whose elements are no numbers (Other(6)), is not understood",
        ),
        (
            "text",
            "HDF5: `x`, whose elements are no numbers (VarText), is not understood",
        ),
        (
            "dense",
            "HDF5: the group `` with links in a fractal heap is not understood",
        ),
    ] {
        let bytes = bytes(&format!("refused_{name}.h5"));
        let file = File::open(&bytes).unwrap();
        let read = file.root().unwrap().walk().and_then(|all| {
            all.iter()
                .filter(|n| n.is_dataset())
                .map(Node::tensor)
                .collect::<Result<Vec<_>, _>>()
        });
        assert_eq!(read, Err(Error::not_understood(words)), "{name}");
    }
    assert!(matches!(File::open(b"PK"), Err(Error::Unknown(_))));
}
