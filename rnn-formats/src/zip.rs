//! Zip archives, in which Keras and PyTorch keep their files.

use std::{cell::Cell, collections::BTreeMap};

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use rawzip::{CompressionMethod, ErrorKind, ZipArchive, ZipSliceArchive, crc32};

use crate::Error;

/// Deflate makes at most this many bytes of one: 258 bytes take two bits.
const MOST_PER_BYTE: u64 = 1032;
/// How often the size of the archive may be made of it. Weights and configurations shrink to a tenth at most, while
/// [`MOST_PER_BYTE`] is for files that are nothing but one byte again and again.
const TIMES: u64 = 16;
/// What may be made of an archive however small it is.
const LEAST: u64 = 1 << 20;

/// An archive whose directory was read.
///
/// What is read of it is counted: all files together, however often each is read, may be at most 16 times as large as the
/// archive and a megabyte. What a file says to be larger than what is left is refused before it is unpacked.
///
/// ```
/// use rnn_formats::zip::Archive;
///
/// // An archive without files: its end alone.
/// let bytes = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
/// let archive = Archive::open(&bytes)?;
/// assert_eq!(archive.names().count(), 0);
/// let error = archive.read("config.json").unwrap_err();
/// assert_eq!(error.to_string(), "damaged: expected the file `config.json` in the archive, found no file");
/// # Ok::<(), rnn_formats::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Archive<'f> {
    files: BTreeMap<String, Entry<'f>>,
    /// Names in the order of the directory.
    order: Vec<String>,
    /// Bytes of the archive.
    all: u64,
    /// Bytes that may still be read.
    left: Cell<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Entry<'f> {
    /// Where the file's bytes begin in the archive.
    at: usize,
    stored: &'f [u8],
    method: CompressionMethod,
    size: u64,
    crc: u32,
}

impl<'f> Archive<'f> {
    /// The directory of an archive.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is none, if two files have one name or share bytes, or if a file's bytes are not there;
    /// [`Error::NotUnderstood`] if a file is encrypted or compressed by anything but Deflate.
    pub fn open(bytes: &'f [u8]) -> Result<Archive<'f>, Error> {
        let archive = ZipArchive::from_slice(bytes).map_err(|e| {
            // The directory stands after the files, and its own end at the end.
            let ends = matches!(
                e.kind(),
                ErrorKind::Eof | ErrorKind::MissingEndOfCentralDirectory
            );
            if ends && bytes.starts_with(b"PK\x03\x04") {
                return Error::cut_off(bytes.len(), "the directory of a zip archive");
            }
            let at = e.eocd_offset().unwrap_or(bytes.len() as u64);
            damaged(at, "the directory of a zip archive", e.to_string())
        })?;
        let mut found = Archive {
            files: BTreeMap::new(),
            order: Vec::new(),
            all: bytes.len() as u64,
            left: Cell::new(most(bytes.len() as u64)),
        };
        let (mut ranges, mut unknown, mut records) = (Vec::new(), Vec::new(), 0_u64);
        for record in archive.entries() {
            let record = record.map_err(|e| {
                let at = archive.directory_offset();
                damaged(
                    at,
                    "a record of the directory of a zip archive",
                    e.to_string(),
                )
            })?;
            records += 1;
            let at = record.central_directory_offset();
            let name = std::str::from_utf8(record.file_path().as_bytes())
                .map_err(|e| damaged(at, "a file's name in UTF-8", e.to_string()))?;
            let entry = entry(bytes, &archive, &record, name)?;
            let local = record.local_header_offset();
            ranges.push((local, (entry.at + entry.stored.len()) as u64));
            if record.is_dir() {
                continue;
            }
            if record.flags().is_encrypted() {
                unknown.push(format!("{name}: the file is encrypted"));
            } else if ![CompressionMethod::STORE, CompressionMethod::DEFLATE]
                .contains(&entry.method)
            {
                unknown.push(format!(
                    "{name}: expected a file that is stored or deflated, found the compression {:?}",
                    entry.method
                ));
            }
            if found.files.insert(name.to_string(), entry).is_some() {
                return Err(damaged(
                    at,
                    "a name for each file",
                    format!("{name:?} for two files"),
                ));
            }
            found.order.push(name.to_string());
        }
        if records != archive.entries_hint() {
            return Err(damaged(
                archive.eocd_offset(),
                format!(
                    "{} files, as the end of the archive says",
                    archive.entries_hint()
                ),
                records.to_string(),
            ));
        }
        ranges.sort_unstable();
        for pair in ranges.windows(2) {
            if let [(_, end), (start, _)] = pair
                && start < end
            {
                return Err(damaged(
                    *start,
                    format!("files that do not overlap: one reaches to byte {end}"),
                    "another one's start",
                ));
            }
        }
        match unknown.is_empty() {
            true => Ok(found),
            false => Err(Error::NotUnderstood(unknown)),
        }
    }

    /// The names of its files, without folders, in the order of its directory.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str)
    }

    /// How many bytes a file has when it is unpacked, as its header says. `None` if there is no such file.
    pub fn size(&self, name: &str) -> Option<u64> {
        self.files.get(name).map(|entry| entry.size)
    }

    /// Whether it has a file of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`Error::Damaged`] if there is none of this name, it has another size or checksum than its header says, or it says
    /// that it has more bytes than can be made of those that are there, or than are left of what may be read.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let Some(entry) = self.files.get(name) else {
            let all: Vec<&str> = self.names().take(20).collect();
            return Err(Error::damaged_somewhere(
                format!("the file `{name}` in the archive"),
                match all.is_empty() {
                    true => "no file".to_owned(),
                    false => all.join(", "),
                },
            ));
        };
        let Some(left) = self.left.get().checked_sub(entry.size) else {
            return Err(damaged(
                entry.at as u64,
                format!(
                    "files of at most {} bytes in an archive of {}",
                    most(self.all),
                    self.all
                ),
                format!("more: {name:?} alone says {}", entry.size),
            ));
        };
        self.left.set(left);
        let contents = entry.contents(name)?;
        let crc = crc32(&contents);
        if crc != entry.crc {
            return Err(damaged(
                entry.at as u64,
                format!("{name:?} with the checksum {:08x}", entry.crc),
                format!("{crc:08x}"),
            ));
        }
        Ok(contents)
    }
}

impl Entry<'_> {
    fn contents(&self, name: &str) -> Result<Vec<u8>, Error> {
        let stored = self.stored.len() as u64;
        let wrong = |found: String| {
            let expected = format!("{} bytes of {name:?}, as its header says", self.size);
            Err(damaged(self.at as u64, expected, found))
        };
        if self.method == CompressionMethod::STORE {
            return match stored == self.size {
                true => Ok(self.stored.to_vec()),
                false => wrong(stored.to_string()),
            };
        }
        let most = stored.saturating_mul(MOST_PER_BYTE);
        let Some(limit) = usize::try_from(self.size)
            .ok()
            .filter(|_| self.size <= most)
        else {
            return wrong(format!(
                "{stored} bytes, of which Deflate makes at most {most}"
            ));
        };
        match decompress_to_vec_with_limit(self.stored, limit) {
            Ok(contents) if contents.len() == limit => Ok(contents),
            Ok(contents) => wrong(contents.len().to_string()),
            Err(e) if e.status == TINFLStatus::HasMoreOutput => wrong("more".into()),
            Err(e) => wrong(format!("no Deflate ({:?})", e.status)),
        }
    }
}

/// Where a file's bytes are. Both of its headers have to give it the same name, so that no reader sees another file.
fn entry<'f>(
    bytes: &'f [u8],
    archive: &ZipSliceArchive<&'f [u8]>,
    record: &rawzip::ZipFileHeaderRecord<'_>,
    name: &str,
) -> Result<Entry<'f>, Error> {
    let local = record.local_header_offset();
    let missing = |found: String| {
        damaged(
            local,
            format!("the header of {name:?} and its bytes"),
            found,
        )
    };
    let found = archive
        .get_entry(record.wayfinder())
        .map_err(|e| missing(e.to_string()))?;
    let its = found.local_header();
    if its.file_path().as_bytes() != name.as_bytes() {
        let other = String::from_utf8_lossy(its.file_path().as_bytes()).into_owned();
        return Err(missing(format!("the header of {other:?}")));
    }
    let (start, end) = found.compressed_data_range();
    let at = usize::try_from(start).unwrap_or(usize::MAX);
    let stored = usize::try_from(end)
        .ok()
        .and_then(|end| bytes.get(at..end))
        .ok_or_else(|| missing(format!("the bytes {start} to {end}")))?;
    Ok(Entry {
        at,
        stored,
        method: record.compression_method(),
        size: record.uncompressed_size_hint(),
        crc: record.crc32(),
    })
}

/// The bytes that may be read of an archive.
fn most(archive: u64) -> u64 {
    archive.saturating_mul(TIMES).saturating_add(LEAST)
}

fn damaged(at: u64, expected: impl Into<String>, found: impl Into<String>) -> Error {
    Error::Damaged {
        at: Some(at),
        inner: None,
        expected: expected.into(),
        found: found.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rawzip::ZipArchiveWriter;
    use std::io::Write;

    /// An archive with one deflated and one stored file.
    fn two(deflated: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut bytes);
        for (name, method) in [
            ("a/deflated", CompressionMethod::DEFLATE),
            ("a/stored", CompressionMethod::STORE),
        ] {
            let (mut entry, config) = archive
                .new_file(name)
                .compression_method(method)
                .start()
                .unwrap();
            let mut writer = config.wrap(Vec::new());
            writer.write_all(deflated).unwrap();
            let (plain, descriptor) = writer.finish().unwrap();
            let packed = match method == CompressionMethod::DEFLATE {
                true => miniz_oxide::deflate::compress_to_vec(&plain, 6),
                false => plain,
            };
            entry.write_all(&packed).unwrap();
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap();
        bytes
    }

    fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let mut at = 0;
        while at + from.len() <= bytes.len() {
            if bytes[at..].starts_with(from) {
                bytes[at..at + to.len()].copy_from_slice(to);
            }
            at += 1;
        }
        bytes
    }

    #[test]
    fn files_are_read() {
        let contents = b"one two two two two two two two two three".repeat(9);
        let bytes = two(&contents);
        let archive = Archive::open(&bytes).unwrap();
        let names: Vec<&str> = archive.names().collect();
        assert_eq!(names, ["a/deflated", "a/stored"]);
        assert_eq!(archive.read("a/deflated").unwrap(), contents);
        assert_eq!(archive.read("a/stored").unwrap(), contents);
        let missing = archive.read("b").unwrap_err().to_string();
        assert!(
            missing.contains("`b`") && missing.contains("a/stored"),
            "{missing}"
        );
    }

    #[test]
    fn a_name_twice_is_refused() {
        // Both headers of the second file say the first one's name.
        let mut bytes = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut bytes);
        for name in ["a", "b"] {
            let (entry, config) = archive.new_file(name).start().unwrap();
            let (_, descriptor) = config.wrap(Vec::new()).finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap();
        let bytes = replaced(&bytes, b"b", b"a");
        let error = Archive::open(&bytes).unwrap_err().to_string();
        assert!(error.contains("\"a\" for two files"), "{error}");
    }

    #[test]
    fn a_header_of_another_name_is_refused() {
        let bytes = two(b"x");
        let at = bytes.windows(8).position(|w| w == b"a/stored").unwrap();
        let mut bytes = bytes;
        bytes[at] = b'b';
        let error = Archive::open(&bytes).unwrap_err().to_string();
        assert!(error.contains("the header of \"b/stored\""), "{error}");
    }

    /// The start of a file's record in the directory.
    fn record(bytes: &[u8], name: &[u8]) -> usize {
        let named = |window: &[u8]| window == name;
        bytes.windows(name.len()).rposition(named).unwrap() - 46
    }

    #[test]
    fn a_bomb_is_stopped() {
        let bytes = two(&vec![0; 500_000]);
        let size = record(&bytes, b"a/deflated") + 24;
        let read = |says: u32| {
            let mut bytes = bytes.clone();
            bytes[size..size + 4].copy_from_slice(&says.to_le_bytes());
            Archive::open(&bytes)
                .unwrap()
                .read("a/deflated")
                .map_err(|e| e.to_string())
        };
        assert_eq!(read(500_000).unwrap().len(), 500_000);
        // The header says less than Deflate makes.
        let error = read(400_000).unwrap_err();
        assert!(error.ends_with("found more"), "{error}");
        // More than it can make, and more than may be read: nothing is allocated.
        let error = read(1_000_000).unwrap_err();
        assert!(error.contains("of which Deflate makes at most"), "{error}");
        let error = read(4_000_000_000).unwrap_err();
        assert!(error.contains("alone says 4000000000"), "{error}");
    }

    /// What was read before counts.
    #[test]
    fn files_are_counted_together() {
        let bytes = two(&vec![0; 500_000]);
        let archive = Archive::open(&bytes).unwrap();
        let most = bytes.len() * 16 + (1 << 20);
        let times = most / 500_000;
        for _ in 0..times {
            assert_eq!(archive.read("a/deflated").unwrap().len(), 500_000);
        }
        let error = archive.read("a/deflated").unwrap_err().to_string();
        let expected = format!(
            "files of at most {most} bytes in an archive of {}",
            bytes.len()
        );
        assert!(error.contains(&expected), "{error}");
        assert_eq!(archive.size("a/deflated"), Some(500_000));
        assert_eq!(archive.size("b"), None);
    }

    #[test]
    fn files_that_overlap_are_refused() {
        let archive = |names: &[(&str, &[u8])]| {
            let mut bytes = Vec::new();
            let mut archive = ZipArchiveWriter::new(&mut bytes);
            for (name, contents) in names {
                let (mut entry, config) = archive.new_file(name).start().unwrap();
                let mut writer = config.wrap(&mut entry);
                writer.write_all(contents).unwrap();
                let (_, descriptor) = writer.finish().unwrap();
                entry.finish(descriptor).unwrap();
            }
            archive.finish().unwrap();
            bytes
        };
        let inside = archive(&[("b", b"the same")]);
        let mut bytes = archive(&[("a", &inside), ("b", b"the same")]);
        assert!(Archive::open(&bytes).is_ok());
        // The record of `b` points into the contents of `a`, where the same file is, too.
        let at = record(&bytes, b"b") + 42;
        let within = bytes
            .windows(4)
            .skip(1)
            .position(|w| w == b"PK\x03\x04")
            .unwrap()
            + 1;
        bytes[at..at + 4].copy_from_slice(&(within as u32).to_le_bytes());
        let error = Archive::open(&bytes).unwrap_err().to_string();
        assert!(error.contains("files that do not overlap"), "{error}");
    }

    #[test]
    fn damage_is_an_error() {
        let contents = b"some text that can be packed, packed, packed".to_vec();
        let bytes = two(&contents);
        for length in 0..bytes.len() {
            assert!(Archive::open(&bytes[..length]).is_err(), "{length}");
        }
        let read = |bytes: &[u8]| {
            let archive = Archive::open(bytes)?;
            archive
                .names()
                .map(|n| archive.read(n))
                .collect::<Result<Vec<_>, _>>()
        };
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                if let Ok(files) = read(&bytes) {
                    assert!(files.iter().all(|f| *f == contents), "byte {at}, bit {bit}");
                }
            }
        }
    }
}
