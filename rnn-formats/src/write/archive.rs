//! Zip archives whose files are stored, as Keras writes `.keras`.

use rawzip::crc32;

use crate::Error;

/// 1980-01-01, so that the same model is the same file.
const DATE: u16 = 0x21;
/// Version 2.0 of the format.
const VERSION: u16 = 20;

/// An archive of these files.
///
/// # Errors
/// If a file or the archive is larger than the format can say without its 64-bit form.
pub(crate) fn archive(files: &[(&str, Vec<u8>)]) -> Result<Vec<u8>, Error> {
    let large = || Error::not_understood("an archive of 4 GB or more is not written");
    let size = |n: usize| {
        u32::try_from(n)
            .ok()
            .filter(|n| *n < u32::MAX)
            .ok_or_else(large)
    };
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let at = size(out.len())?;
        let length = size(bytes.len())?;
        let mut common = Vec::new();
        // Flags, method, time.
        for word in [VERSION, 0, 0, 0, DATE] {
            common.extend(word.to_le_bytes());
        }
        for word in [crc32(bytes), length, length] {
            common.extend(word.to_le_bytes());
        }
        let letters = u16::try_from(name.len()).map_err(|_| large())?;
        common.extend(letters.to_le_bytes());
        // No extra field.
        common.extend([0; 2]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(bytes);
        directory.extend(b"PK\x01\x02");
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&common);
        // No comment, the first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, length) = (size(out.len())?, size(directory.len())?);
    let count = u16::try_from(files.len()).map_err(|_| large())?;
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0; 2]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zip::Archive;

    #[test]
    fn what_is_written_is_read() {
        let files = [
            ("a.json", b"{}".to_vec()),
            ("empty", vec![]),
            ("b", vec![7; 1000]),
        ];
        let bytes = archive(&files).unwrap();
        let read = Archive::open(&bytes).unwrap();
        assert_eq!(read.names().collect::<Vec<_>>(), ["a.json", "empty", "b"]);
        for (name, bytes) in files {
            assert_eq!(read.read(name).unwrap(), bytes);
        }
    }
}
