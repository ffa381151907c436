//! Reads MNIST and what is written like it: pairs of IDX files, one of images and one of labels,
//! plain or gzipped.
//!
//! The format is big-endian: two zero bytes, the type of the numbers (`0x08`, unsigned byte), the
//! number of axes, the length of each axis (`u32`), then the numbers in row-major order
//! ([description](https://yann.lecun.com/exdb/mnist/)). A file from anywhere may be opened: what its
//! header promises is checked before a byte is set aside for it, and nothing is read after it.

use flate2::read::MultiGzDecoder;
use std::{
    fmt,
    fs::File,
    io::{BufRead, BufReader, ErrorKind, Read},
    path::{Path, PathBuf},
};

/// The most pixels or labels that a file may promise, five times MNIST: a small gzipped file can
/// hold any number of zeros.
pub const MOST_BYTES: usize = 1 << 28;

/// The first bytes of a gzipped file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The only type of numbers that is read.
const UNSIGNED_BYTE: u8 = 0x08;

/// Images with their labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// Pixels in each row.
    pub width: usize,
    /// Rows in each image.
    pub height: usize,
    /// `[images, height, width]`, row-major, each 0 to 1.
    pub pixels: Vec<f32>,
    /// `[images]`, each less than the number of classes.
    pub labels: Vec<u32>,
}

/// Why a file could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for IdxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.problem)
    }
}

impl std::error::Error for IdxError {}

/// MNIST's training and test images from `folder`, which holds the four files under their
/// published names, with or without `.gz`.
///
/// # Errors
/// When a file is missing or unreadable, is no IDX file of bytes, is shorter or longer than its
/// header says, or holds a label above 9; when there are not as many labels as images; and when
/// training and test images differ in size.
pub fn mnist(folder: &Path) -> Result<(Labelled, Labelled), IdxError> {
    let pair = |kind: &str| {
        let images = find(folder, &format!("{kind}-images-idx3-ubyte"))?;
        let labels = find(folder, &format!("{kind}-labels-idx1-ubyte"))?;
        labelled(&images, &labels, 10)
    };
    let (train, test) = (pair("train")?, pair("t10k")?);
    if (train.height, train.width) != (test.height, test.width) {
        return Err(IdxError {
            path: folder.into(),
            problem: format!(
                "training images are {} x {}, test images {} x {}",
                train.height, train.width, test.height, test.width
            ),
        });
    }
    Ok((train, test))
}

/// The images in one file with the labels, less than `classes`, in the other.
///
/// # Errors
/// As [`mnist`].
pub fn labelled(images: &Path, labels: &Path, classes: u32) -> Result<Labelled, IdxError> {
    let pixels = read(images, 3)?;
    let [count, height, width] = [pixels.axes[0], pixels.axes[1], pixels.axes[2]];
    let numbers = read(labels, 1)?;
    if numbers.axes[0] != count {
        let problem = format!(
            "{} labels for the {count} images of {}",
            numbers.axes[0],
            images.display()
        );
        return fail(labels, problem);
    }
    let labels_read: Vec<u32> = numbers
        .bytes
        .iter()
        .map(|label| u32::from(*label))
        .collect();
    if let Some(at) = labels_read.iter().position(|label| *label >= classes) {
        let problem = format!(
            "label {} of image {at} is not in 0..{classes}",
            labels_read[at]
        );
        return fail(labels, problem);
    }
    let pixels = pixels
        .bytes
        .iter()
        .map(|pixel| f32::from(*pixel) / 255.0)
        .collect();
    Ok(Labelled {
        width,
        height,
        pixels,
        labels: labels_read,
    })
}

/// A file's contents; the lengths of the axes multiply to the number of bytes.
struct Idx {
    axes: Vec<usize>,
    bytes: Vec<u8>,
}

fn fail<T>(path: &Path, problem: String) -> Result<T, IdxError> {
    Err(IdxError {
        path: path.into(),
        problem,
    })
}

/// `name`, or `name.gz`, or either with a dot before `idx`, as some mirrors write it.
fn find(folder: &Path, name: &str) -> Result<PathBuf, IdxError> {
    let dotted = name.replacen("-idx", ".idx", 1);
    let names = [
        name.to_string(),
        format!("{name}.gz"),
        dotted.clone(),
        format!("{dotted}.gz"),
    ];
    match names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
    {
        Some(path) => Ok(path),
        None => fail(folder, format!("holds neither {name} nor {name}.gz")),
    }
}

/// Reads the file at `path`, which has to have `rank` axes.
fn read(path: &Path, rank: usize) -> Result<Idx, IdxError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return fail(path, error.to_string()),
    };
    let mut reader = BufReader::new(file);
    let packed = match reader.fill_buf() {
        Ok(start) => start.starts_with(&GZIP),
        Err(error) => return fail(path, error.to_string()),
    };
    let contents = if packed {
        parse(MultiGzDecoder::new(reader), rank)
    } else {
        parse(reader, rank)
    };
    contents.or_else(|problem| fail(path, problem))
}

/// Reads a header with `rank` axes and exactly the bytes that it promises.
fn parse(mut reader: impl Read, rank: usize) -> Result<Idx, String> {
    let mut word = || {
        let mut bytes = [0; 4];
        match reader.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err("ends in its header".into())
            }
            Err(error) => Err(error.to_string()),
        }
    };
    let [zero, nought, kind, found] = word()?;
    if [zero, nought] != [0, 0] {
        return Err("is no IDX file: it does not begin with two zero bytes".into());
    }
    if kind != UNSIGNED_BYTE {
        return Err(format!(
            "holds numbers of type {kind:#04x}; only bytes, {UNSIGNED_BYTE:#04x}, are read"
        ));
    }
    if usize::from(found) != rank {
        return Err(format!(
            "has {found} axes, expected {rank}: images have 3, labels 1"
        ));
    }
    let mut axes = Vec::with_capacity(rank);
    for _ in 0..rank {
        axes.push(u32::from_be_bytes(word()?));
    }
    // Three lengths of 32 bits each overflow 64 bits, not 128.
    let promised: u128 = axes.iter().map(|axis| u128::from(*axis)).product();
    let length = usize::try_from(promised).unwrap_or(usize::MAX);
    if length > MOST_BYTES {
        return Err(format!(
            "promises {promised} bytes, more than the {MOST_BYTES} that are read"
        ));
    }
    if length == 0 {
        return Err("is empty: an axis has length 0".into());
    }
    // The vector grows with what is there, not with what is promised.
    let mut bytes = Vec::new();
    let mut body = reader.by_ref().take(length as u64);
    body.read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() < length {
        return Err(format!("ends after {} of {length} bytes", bytes.len()));
    }
    // In a gzipped file this also makes the decoder compare the checksum.
    match reader.read(&mut [0]) {
        Ok(0) => Ok(Idx {
            axes: axes.into_iter().map(|axis| axis as usize).collect(),
            bytes,
        }),
        Ok(_) => Err(format!(
            "goes on after the {length} bytes that its header promises"
        )),
        Err(error) => Err(error.to_string()),
    }
}
