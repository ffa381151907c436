//! The reader of MNIST's files that the examples share, on good files and on hostile ones.

#[path = "../examples/support/idx.rs"]
mod idx;

use flate2::{Compression, write::GzEncoder};
use std::{fs, io::Write, path::PathBuf};

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("recurrent-idx-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("a temporary file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn idx_bytes(axes: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, axes.len() as u8];
    axes.iter()
        .for_each(|axis| bytes.extend(axis.to_be_bytes()));
    bytes.extend(body);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Two images of 2 x 3 pixels.
fn images() -> Vec<u8> {
    idx_bytes(&[2, 2, 3], &[0, 51, 102, 153, 204, 255, 255, 0, 0, 0, 0, 0])
}

fn labels() -> Vec<u8> {
    idx_bytes(&[2], &[7, 0])
}

/// What reading `images` and `labels` says is wrong.
fn problem(name: &str, images: &[u8], labels: &[u8]) -> String {
    let folder = Folder::new(name);
    let (images, labels) = (folder.file("images", images), folder.file("labels", labels));
    let error = idx::labelled(&images, &labels, 10).expect_err("a hostile file was read");
    assert!(error.path == images || error.path == labels, "{error}");
    error.problem
}

#[test]
fn plain_and_gzipped_files_hold_the_same() {
    let folder = Folder::new("plain");
    let (a, b) = (folder.file("i", &images()), folder.file("l", &labels()));
    let plain = idx::labelled(&a, &b, 10).expect("two good files");
    assert_eq!(
        (plain.height, plain.width, plain.labels.as_slice()),
        (2, 3, [7, 0].as_slice())
    );
    assert_eq!(
        plain.pixels,
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    );
    let (a, b) = (
        folder.file("i.gz", &gzip(&images())),
        folder.file("l.gz", &gzip(&labels())),
    );
    assert_eq!(idx::labelled(&a, &b, 10), Ok(plain));
}

#[test]
fn the_four_files_are_found_under_either_name() {
    let folder = Folder::new("mnist");
    folder.file("train-images-idx3-ubyte", &images());
    folder.file("train-labels.idx1-ubyte.gz", &gzip(&labels()));
    folder.file("t10k-images-idx3-ubyte.gz", &gzip(&images()));
    let error = idx::mnist(&folder.0).expect_err("a file is missing");
    assert!(error.problem.contains("t10k-labels-idx1-ubyte"), "{error}");
    folder.file("t10k-labels-idx1-ubyte", &labels());
    let (train, test) = idx::mnist(&folder.0).expect("four good files");
    assert_eq!(train, test);
    folder.file(
        "t10k-images-idx3-ubyte.gz",
        &gzip(&idx_bytes(&[2, 1, 1], &[1, 2])),
    );
    let error = idx::mnist(&folder.0).expect_err("sizes differ");
    assert!(error.problem.contains("2 x 3"), "{error}");
}

#[test]
fn every_prefix_of_a_file_is_refused() {
    for length in 0..images().len() {
        let found = problem("prefix", &images()[..length], &labels());
        assert!(found.contains("ends "), "{length}: {found}");
    }
    let packed = gzip(&images());
    for length in 0..packed.len() {
        problem("gz-prefix", &packed[..length], &labels());
    }
}

#[test]
fn a_file_that_goes_on_is_refused() {
    let longer = [images(), vec![0]].concat();
    assert!(problem("longer", &longer, &labels()).contains("goes on"));
    assert!(problem("gz-longer", &gzip(&longer), &labels()).contains("goes on"));
}

#[test]
fn a_damaged_gzip_is_refused() {
    let mut packed = gzip(&images());
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    problem("checksum", &packed, &labels());
}

#[test]
fn a_header_cannot_ask_for_the_moon() {
    for axes in [[u32::MAX; 3], [1 << 16, 1 << 16, 1 << 16], [1 << 29, 1, 1]] {
        let found = problem("moon", &idx_bytes(&axes, &[0; 16]), &labels());
        assert!(found.contains("promises"), "{found}");
    }
    // Allowed by the header, but not there: only what is there is set aside.
    let found = problem("absent", &idx_bytes(&[1 << 28, 1, 1], &[0; 16]), &labels());
    assert!(found.contains("ends after 16 of 268435456"), "{found}");
}

#[test]
fn other_formats_are_named() {
    let expect = |name: &str, bytes: &[u8], part: &str| {
        let found = problem(name, bytes, &labels());
        assert!(found.contains(part), "{found}");
    };
    expect("png", b"\x89PNG\r\n\x1a\n", "no IDX file");
    expect("floats", &[0, 0, 0x0d, 3, 0, 0, 0, 1], "0x0d");
    expect("rank", &labels(), "has 1 axes, expected 3");
    expect("many", &[0, 0, 8, 255], "has 255 axes");
    expect("none", &idx_bytes(&[0, 2, 3], &[]), "empty");
}

#[test]
fn labels_belong_to_the_images_and_classes() {
    let found = problem("count", &images(), &idx_bytes(&[3], &[1, 2, 3]));
    assert!(found.contains("3 labels for the 2 images"), "{found}");
    let found = problem("class", &images(), &idx_bytes(&[2], &[9, 10]));
    assert!(
        found.contains("label 10 of image 1 is not in 0..10"),
        "{found}"
    );
}
