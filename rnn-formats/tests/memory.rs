//! Files that are small and unpack to a lot: what reading one takes is bounded by its size, and measured here.
#![cfg(feature = "all")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    io::Write,
};

use rawzip::{CompressionMethod, ZipArchiveWriter};
use rnn_formats::{Error, Unfit, read, tensors};

/// The system's allocator, counting what each thread holds.
struct Counting;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

fn add(bytes: usize) {
    // A thread that is ending has no counter any more.
    let _ = NOW.try_with(|now| {
        now.set(now.get() + bytes);
        let _ = MOST.try_with(|most| most.set(most.get().max(now.get())));
    });
}

fn remove(bytes: usize) {
    // What another thread has allocated may be freed here.
    let _ = NOW.try_with(|now| now.set(now.get().saturating_sub(bytes)));
}

// SAFETY: everything is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        remove(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(p, layout) }
    }
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old bytes may have to be copied.
        add(size);
        remove(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.realloc(p, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that are held at once while `f` runs, beyond those that were before.
fn most<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.get();
    MOST.set(before);
    let value = f();
    (value, MOST.get() - before)
}

/// An archive with these files, deflated or stored.
fn packed(files: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    for (name, contents, method) in files {
        let (mut entry, config) = archive
            .new_file(name)
            .compression_method(*method)
            .start()
            .unwrap();
        let mut writer = config.wrap(Vec::new());
        writer.write_all(contents).unwrap();
        let (plain, descriptor) = writer.finish().unwrap();
        let written = match *method == CompressionMethod::DEFLATE {
            true => miniz_oxide::deflate::compress_to_vec(&plain, 6),
            false => plain,
        };
        entry.write_all(&written).unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

const DEFLATED: CompressionMethod = CompressionMethod::DEFLATE;
const STORED: CompressionMethod = CompressionMethod::STORE;
const MB: usize = 1 << 20;

/// Reads a file in both ways; gives the words of the error, and the most memory.
fn refused(bytes: &[u8]) -> (String, usize) {
    let none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let (whole, first) = most(|| read(bytes, &mut none.clone()));
    let (weights, second) = most(|| tensors(bytes, &mut none.clone(), Some(&[])));
    let error = whole.unwrap_err();
    assert!(!matches!(error, Error::Unknown(_)), "{error}");
    match weights {
        Err(Unfit::Unread(e)) => assert_eq!(e, error),
        Err(Unfit::Differs(lines)) => assert_eq!(Error::NotUnderstood(lines), error),
        Ok(_) => panic!("its weights are read"),
    }
    (error.to_string(), first.max(second))
}

#[test]
fn the_counter_counts() {
    let (length, bytes) = most(|| std::hint::black_box(vec![0_u8; 3 * MB]).len());
    assert_eq!(bytes, length);
    let (_, bytes) = most(|| ());
    assert_eq!(bytes, 0);
}

/// Each pair of brackets becomes a value that is twenty times as large.
#[test]
fn a_configuration_of_brackets() {
    let config = [b"[".as_slice(), &b"[],".repeat(4 * MB), b"1]"].concat();
    let bytes = packed(&[
        ("config.json", &config, DEFLATED),
        ("model.weights.h5", b"none", STORED),
    ]);
    assert!(bytes.len() < 20_000, "{}", bytes.len());
    let (words, bytes) = refused(&bytes);
    assert!(words.contains("alone says 12582915"), "{words}");
    assert!(bytes < MB, "{bytes}");
}

/// A configuration that may be read takes what it takes, which does not grow with what was packed.
#[test]
fn the_largest_configuration() {
    let config = [b"[".as_slice(), &b"[],".repeat(MB / 3 - 8), b"1]"].concat();
    let bytes = packed(&[
        ("config.json", &config, DEFLATED),
        ("model.weights.h5", b"none", STORED),
    ]);
    let (error, bytes) = most(|| {
        let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
        read(&bytes, &mut none).map(|_| "a model").unwrap_err()
    });
    assert!(error.to_string().contains("no HDF5"), "{error}");
    assert!(bytes < 96 * MB, "{bytes}");
}

/// All files count together.
#[test]
fn many_files_of_nothing() {
    let zeros = vec![b' '; MB];
    let bytes = packed(&[
        ("config.json", &zeros, DEFLATED),
        ("metadata.json", &zeros, DEFLATED),
        ("model.weights.h5", &zeros, DEFLATED),
    ]);
    let (words, bytes) = refused(&bytes);
    assert!(words.contains("damaged"), "{words}");
    assert!(bytes < 3 * MB, "{bytes}");
}

/// Each byte of this pickle is a tuple.
#[test]
fn a_pickle_of_tuples() {
    let pickle = [b"\x80\x02".as_slice(), &b")".repeat(12 * MB), b"."].concat();
    let bytes = packed(&[("a/data.pkl", &pickle, DEFLATED)]);
    assert!(bytes.len() < 20_000, "{}", bytes.len());
    let (words, bytes) = refused(&bytes);
    assert!(
        words.contains("in its `a/data.pkl`: expected a pickle of at most"),
        "{words}"
    );
    assert!(bytes < MB, "{bytes}");
    // Stored, it takes what its bytes are.
    let pickle = [b"\x80\x02".as_slice(), &b")".repeat(MB / 4), b"."].concat();
    let bytes = packed(&[("a/data.pkl", &pickle, STORED)]);
    let (words, most) = refused(&bytes);
    assert!(words.contains("expected a state dict"), "{words}");
    assert!(most < 200 * bytes.len(), "{most} for {}", bytes.len());
}

/// A tensor that is a number of a storage which is not one.
#[test]
fn a_storage_of_zeros() {
    let pickle = [
        b"\x80\x02}X\x0a\0\0\0lin.weight".as_slice(),
        b"ctorch._utils\n_rebuild_tensor_v2\n(",
        b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ",
        b"K\x00(K\x01t(K\x01t\x89}tRs.",
    ]
    .concat();
    let bytes = packed(&[
        ("a/data.pkl", &pickle, STORED),
        ("a/data/0", &vec![0; 12 * MB], DEFLATED),
    ]);
    assert!(bytes.len() < 20_000, "{}", bytes.len());
    let (words, bytes) = refused(&bytes);
    assert!(
        words.contains("\"a/data/0\" alone says 12582912"),
        "{words}"
    );
    assert!(bytes < MB, "{bytes}");
}

/// A name may be nothing but separators. Its parts are no list.
#[test]
fn names_of_millions_of_parts() {
    for (part, last) in [
        ("/", "/dense/kernel"),
        ("a/", "dense/kernel"),
        (".", ".weight"),
        ("9.", "_orig_mod.weight"),
    ] {
        let names = ["", "9"].map(|start| format!("{start}{}{last}", part.repeat(MB / part.len())));
        let tensor = |name: &String, at: usize| {
            format!(
                r#""{name}":{{"dtype":"F32","shape":[1,1],"data_offsets":[{at},{}]}}"#,
                at + 4
            )
        };
        let header = format!("{{{},{}}}", tensor(&names[0], 0), tensor(&names[1], 4));
        let length = header.len() as u64;
        let bytes = [&length.to_le_bytes(), header.as_bytes(), &[0; 8]].concat();
        let none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
        let (_, whole) = most(|| read(&bytes, &mut none.clone()));
        let (_, weights) = most(|| tensors(&bytes, &mut none.clone(), None));
        assert!(
            whole < 16 * bytes.len(),
            "{part}{last}: {whole} of {}",
            bytes.len()
        );
        assert!(
            weights < 16 * bytes.len(),
            "{part}{last}: {weights} of {}",
            bytes.len()
        );
    }
}

/// JSON is parsed once: its values take far more than its text, and would be there twice.
#[test]
fn json_is_parsed_once() {
    let row = format!("[{}]", ["0.5"; 256].join(","));
    let rows = [row.as_str(); 256].join(",");
    let zeros = ["0"; 256].join(",");
    let dense = format!(
        r#"{{"type": "dense", "activation": "", "shape": [null, null, 256], "weights": [[{rows}], [{zeros}]]}}"#
    );
    let text = format!(r#"{{"in_shape": [null, null, 256], "layers": [{dense}]}}"#);
    let (_, once) = most(|| serde_json::from_str::<serde_json::Value>(&text).unwrap());
    let none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let (imported, whole) = most(|| read(text.as_bytes(), &mut none.clone()).unwrap());
    let (tensors, weights) = most(|| tensors(text.as_bytes(), &mut none.clone(), None).unwrap());
    assert_eq!(imported.tensors, tensors);
    assert!(whole < once + once / 2, "{whole} of {once}");
    assert!(weights < once + once / 2, "{weights} of {once}");
}
