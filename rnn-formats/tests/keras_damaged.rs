//! Keras's files cut off, with bytes changed, and made to mislead: an error or a model, and nothing else.
#![cfg(feature = "all")]

use std::path::PathBuf;

use rnn_formats::{Error, hdf5::File, keras, zip::Archive};

fn at(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/formats/keras/plain.zip");
    let bytes = std::fs::read(path).unwrap();
    Archive::open(&bytes).unwrap().read(name).unwrap()
}

/// The models of an archive beside the scripts.
fn models(archive: &str) -> Vec<(String, Vec<u8>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/formats/keras");
    let bytes = std::fs::read(path.join(archive)).unwrap();
    let archive = Archive::open(&bytes).unwrap();
    let names = archive
        .names()
        .filter(|n| n.ends_with(".h5") || n.ends_with(".keras"));
    names
        .map(|n| (n.to_owned(), archive.read(n).unwrap()))
        .collect()
}

/// Pseudo-random numbers, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// Reads whatever it is, to the text and the names.
fn read(bytes: &[u8]) -> bool {
    match keras::read(bytes) {
        Ok(imported) => {
            let text = imported.network.as_ref().map(|n| format!("{:?}", n.body()));
            let _ = (text, imported.tensors.len());
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

/// Reads all that an HDF5 file has.
fn read_all(bytes: &[u8]) -> Result<usize, Error> {
    let file = File::open(bytes)?;
    let root = file.root()?;
    let mut count = root.attributes()?.len();
    for node in root.walk()? {
        count += node.attributes().map_or(0, |all| all.len());
        count += node.tensor().map_or(0, |t| t.values.len());
    }
    Ok(count)
}

#[test]
fn a_model_cut_off_anywhere_is_an_error() {
    let mut draw = Draw(1);
    for archive in ["keras.zip", "tf_keras.zip"] {
        for (name, bytes) in models(archive) {
            for _ in 0..20 {
                let length = draw.below(bytes.len());
                assert!(
                    !read(&bytes[..length]),
                    "{name}, {length} of {} bytes",
                    bytes.len()
                );
            }
        }
    }
}

#[test]
fn a_model_with_other_bytes_is_an_error_or_a_model() {
    let mut draw = Draw(2);
    let mut whole = 0;
    for archive in ["keras.zip", "tf_keras.zip"] {
        for (_, mut bytes) in models(archive) {
            for _ in 0..40 {
                let places: Vec<(usize, u8)> = (0..=draw.below(3))
                    .map(|_| {
                        let at = draw.below(bytes.len());
                        (at, std::mem::replace(&mut bytes[at], draw.below(256) as u8))
                    })
                    .collect();
                whole += usize::from(read(&bytes));
                for (at, byte) in places.into_iter().rev() {
                    bytes[at] = byte;
                }
            }
        }
    }
    // Bytes of room between structures say nothing.
    assert!(whole > 100, "{whole}");
}

#[test]
fn structures_with_other_bytes_are_an_error_or_numbers() {
    let mut draw = Draw(3);
    for name in ["storage.h5", "latest.h5", "refused_dense.h5"] {
        let mut bytes = at(name);
        for _ in 0..1500 {
            let place = draw.below(bytes.len());
            let old = std::mem::replace(&mut bytes[place], draw.below(256) as u8);
            let _ = read_all(&bytes);
            bytes[place] = old;
        }
        for _ in 0..100 {
            let length = draw.below(bytes.len());
            assert!(read_all(&bytes[..length]).is_err(), "{name}, {length}");
        }
    }
}

/// Where these bytes stand.
fn find(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    let all = bytes.windows(wanted.len()).enumerate();
    all.filter(|(_, window)| *window == wanted)
        .map(|(at, _)| at)
        .collect()
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn message(result: Result<impl std::fmt::Debug, Error>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn groups_that_contain_themselves() {
    let mut bytes = at("storage.h5");
    let root = bytes[64..72].to_vec();
    for table in find(&bytes, b"SNOD") {
        put(&mut bytes, table + 8 + 8, &root);
    }
    assert!(message(read_all(&bytes)).contains("an object with one name, found a second one"));
}

/// All numbers of a file, or what is wrong with one of its datasets.
fn numbers(bytes: &[u8]) -> Result<Vec<usize>, Error> {
    let file = File::open(bytes)?;
    let all = file.root()?.walk()?;
    let read = all.iter().filter(|n| n.is_dataset());
    read.map(|n| n.tensor().map(|t| t.values.len())).collect()
}

#[test]
fn trees_that_contain_themselves() {
    let bytes = at("storage.h5");
    let mut refused = 0;
    for tree in find(&bytes, b"TREE") {
        let mut bytes = bytes.clone();
        // The first child of a node is the node itself, which says that it is above itself.
        let child = tree
            + if bytes[tree + 4] == 0 {
                32
            } else {
                24 + 8 + 8 * 3
            };
        bytes[tree + 5] = 1;
        put(&mut bytes, child, &(tree as u64).to_le_bytes());
        // A tree that the file no longer uses is never read.
        refused += usize::from(numbers(&bytes).is_err());
    }
    assert!(refused >= 10, "{refused}");
}

#[test]
fn headers_that_go_on_in_themselves() {
    let mut bytes = at("storage.h5");
    let root = u64::from_le_bytes(bytes[64..72].try_into().unwrap());
    let header = usize::try_from(root).unwrap();
    // 65,535 messages, of which the first says that more follow at its own place.
    put(&mut bytes, header + 2, &u16::MAX.to_le_bytes());
    put(&mut bytes, header + 16, &0x10_u16.to_le_bytes());
    put(&mut bytes, header + 18, &16_u16.to_le_bytes());
    put(&mut bytes, header + 24, &(root + 16).to_le_bytes());
    put(&mut bytes, header + 32, &24_u64.to_le_bytes());
    let _ = message(read_all(&bytes));
}

/// Groups in each other: the path of each repeats the names of all above it.
#[test]
fn groups_that_are_deep() {
    let groups = |depth: u64| {
        let name = "n".repeat(200);
        // A header of version 1 with one message, a link.
        let link = [&[1, 0, 200], name.as_bytes(), &[0; 8]].concat();
        let length = 16 + 8 + link.len() as u64;
        let (start, end) = (48, 48 + length * depth + 16);
        let words = [0, u64::MAX, end, start].map(u64::to_le_bytes).concat();
        let mut bytes = [b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00", &words[..], &[0; 4]].concat();
        for group in 1..=depth {
            bytes.extend([1, 0, 1, 0, 1, 0, 0, 0]);
            bytes.extend((length as u32 - 16).to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend([6, 0, link.len() as u8, 0, 0, 0, 0, 0]);
            bytes.extend(&link[..203]);
            bytes.extend((start + length * group).to_le_bytes());
        }
        bytes.extend([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    };
    assert_eq!(read_all(&groups(20)), Ok(0));
    // The paths of these would be two gigabytes.
    let error = message(read_all(&groups(5000)));
    assert!(error.contains("more, in paths"), "{error}");
}

/// Links that all say their names go on to the end of the file.
#[test]
fn names_that_overlap() {
    let count = 2000_u16;
    let link = |length: u32| {
        let message = [&[1, 2][..], &length.to_le_bytes(), &[b'n'; 18]].concat();
        [&[6, 0, 24, 0, 0, 0, 0, 0][..], &message].concat()
    };
    let length = 16 + 32 * u64::from(count);
    let words = [0, u64::MAX, 48 + length, 48]
        .map(u64::to_le_bytes)
        .concat();
    let mut bytes = [
        b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00",
        &words[..],
        &[0, 0, 0, 0, 1, 0],
        &count.to_le_bytes(),
        &[1, 0, 0, 0],
        &(length as u32 - 16).to_le_bytes(),
        &[0; 4],
    ]
    .concat();
    for number in 0..u32::from(count) {
        bytes.extend(link(32 * (u32::from(count) - 1 - number) + 10));
    }
    let error = message(read_all(&bytes));
    assert!(
        error.contains("bytes of a name, found 18 up to the end"),
        "{error}"
    );
}

#[test]
fn a_filter_twice() {
    let mut bytes = at("storage.h5");
    // Shuffled, then deflated.
    let both = find(&bytes, &[1, 2, 0, 0, 0, 0, 0, 0, 2, 0]);
    assert!(!both.is_empty());
    for place in both {
        bytes[place + 8] = 1;
    }
    let error = message(numbers(&bytes));
    assert!(error.contains("filter 1 a second time"), "{error}");
}

#[test]
fn shapes_that_lie() {
    let bytes = at("storage.h5");
    let shape = [7_u64.to_le_bytes(), 10_u64.to_le_bytes()].concat();
    let places = find(&bytes, &shape);
    assert!(places.len() >= 5);
    let right = numbers(&bytes).unwrap();
    let mut refused = 0;
    for axis in [1_u64 << 20, 1 << 40, u64::MAX] {
        for place in &places {
            let mut bytes = bytes.clone();
            put(&mut bytes, *place, &axis.to_le_bytes());
            match numbers(&bytes) {
                Err(error) => {
                    refused += 1;
                    let words = error.to_string();
                    assert!(words.starts_with("damaged"), "{words}");
                }
                // How large the dataset may become stands beside how large it is.
                Ok(found) => assert_eq!(found, right),
            }
        }
    }
    assert!(refused >= 15, "{refused}");
}

#[test]
fn a_chunk_that_is_a_bomb() {
    // Deflated zeros, much more than the chunk has.
    let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; 1 << 22], 9);
    let mut bytes = at("storage.h5");
    let stream = find(&bytes, &[0x78, 0x5e])
        .into_iter()
        .chain(find(&bytes, &[0x78, 0x9c]));
    let stream: Vec<usize> = stream.collect();
    assert!(!stream.is_empty());
    for place in stream {
        let end = bytes.len().min(place + bomb.len().min(60));
        let part = &bomb[..end - place];
        put(&mut bytes, place, part);
    }
    let file = File::open(&bytes).unwrap();
    let gzip = file.root().unwrap().at_path("storage/gzip");
    assert!(
        gzip.and_then(|n| n.map(|n| n.tensor()).transpose())
            .is_err()
    );
}

#[test]
fn what_is_read_is_in_proportion_to_the_file() {
    // A dataset of no chunk that says it has 2^34 numbers.
    let mut bytes = at("storage.h5");
    let shape = [6_u64.to_le_bytes(), 4_u64.to_le_bytes()].concat();
    for place in find(&bytes, &shape) {
        put(&mut bytes, place, &(1_u64 << 32).to_le_bytes());
    }
    // What was unpacked counts from what it was unpacked from.
    for (file, most) in [
        (File::open(&bytes), 16 * bytes.len()),
        (File::unpacked(&bytes, 100), bytes.len() + 1600),
        (File::unpacked(&bytes, bytes.len() * 20), 16 * bytes.len()),
    ] {
        let file = file.unwrap();
        let partly = file.root().unwrap().at_path("storage/partly");
        let words = message(partly.unwrap().unwrap().tensor());
        let expected = format!("structures and data of at most {} bytes", most + (1 << 20));
        assert!(words.contains(&expected), "{words}");
    }
}
