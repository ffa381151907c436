//! What a file is, by its first bytes.

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Safetensors,
    Hdf5,
    Zip,
    Pickle,
    Json,
    Onnx,
    /// None of the others.
    Other,
}

/// The longest header of safetensors.
const MOST_HEADER: u64 = 100_000_000;

impl Container {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match bytes {
            _ if is_safetensors(bytes) => Container::Safetensors,
            _ if bytes.starts_with(b"\x89HDF\r\n\x1a\n") => Container::Hdf5,
            _ if bytes.starts_with(b"PK\x03\x04") => Container::Zip,
            _ if bytes.starts_with(b"\x80") => Container::Pickle,
            _ if matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) => Container::Json,
            _ if is_onnx(bytes) => Container::Onnx,
            _ => Container::Other,
        }
    }
}

/// Eight bytes of length, then JSON. A file may end within its header.
fn is_safetensors(bytes: &[u8]) -> bool {
    let length = bytes.first_chunk().map(|n| u64::from_le_bytes(*n));
    let json = bytes.get(8..).unwrap_or_default();
    length.is_some_and(|n| match n <= bytes.len() as u64 {
        true => json.starts_with(b"{"),
        false => n <= MOST_HEADER && json.starts_with(b"{\""),
    })
}

/// Whether the first fields are those of a `ModelProto`: ONNX has no sign of its own.
fn is_onnx(bytes: &[u8]) -> bool {
    let (mut at, mut points, mut graph) = (0, 0, false);
    // The version, which all writers put first, is worth two fields: text begins with no byte 8.
    while points < 3 && at < bytes.len() {
        let Some((tag, value)) = varint(bytes, at) else {
            return points >= 2;
        };
        let (field, wire) = (tag >> 3, tag & 7);
        let known = match wire {
            0 => matches!(field, 1 | 5),
            2 => matches!(field, 2 | 3 | 4 | 6 | 7 | 8 | 14 | 20 | 25),
            _ => false,
        };
        if !known {
            return false;
        }
        let Some((number, next)) = varint(bytes, value) else {
            return points >= 2;
        };
        if field == 1 && number > 1000 {
            return false;
        }
        points += if field == 1 { 2 } else { 1 };
        graph |= field == 7;
        at = match wire {
            0 => next,
            _ => next.saturating_add(usize::try_from(number).unwrap_or(usize::MAX)),
        };
    }
    // A file that is cut off within a field is damaged, if it has shown before what it is.
    points >= 3 || (at == bytes.len() && (points == 2 || graph))
}

/// A number of protocol buffers, and where the next one is.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0;
    for (place, byte) in bytes.get(at..)?.iter().take(10).enumerate() {
        number |= u64::from(byte & 127).checked_shl(7 * place as u32)?;
        if byte & 128 == 0 {
            return Some((number, at + place + 1));
        }
    }
    None
}

/// How files begin that people take for models, and what they are.
const OTHERS: [(usize, &[u8], &str); 14] = [
    (
        0,
        b"version https://git-lfs",
        "a pointer of Git LFS to the file, not the file: `git lfs pull` fetches it",
    ),
    (0, b"PK\x05\x06", "a zip archive without files"),
    (0, b"\x93NUMPY", "an array of NumPy"),
    (0, b"\x1f\x8b", "compressed by gzip: unpack it first"),
    (0, b"BZh", "compressed by bzip2: unpack it first"),
    (0, b"\xfd7zXZ", "compressed by xz: unpack it first"),
    (0, b"(\xb5/\xfd", "compressed by Zstandard: unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (257, b"ustar", "a tar archive: unpack it first"),
    (0, b"GGUF", "a file of GGUF, which has language models"),
    (4, b"TFL3", "a model of TensorFlow Lite"),
    (0, b"RIFF", "sound or another file of RIFF"),
    (
        0,
        b"<!DOCTYPE",
        "a web page: a server has answered in place of the file",
    ),
    (
        0,
        b"<html",
        "a web page: a server has answered in place of the file",
    ),
];

/// What a file of no known format is, as far as its first bytes say.
pub(crate) fn seen(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "the file is empty".to_owned();
    }
    let begins = |at: usize, sign: &[u8]| {
        let part = bytes.get(at..at.saturating_add(sign.len()));
        part.is_some_and(|part| part.eq_ignore_ascii_case(sign))
    };
    if let Some((.., what)) = OTHERS.iter().find(|(at, sign, _)| begins(*at, sign)) {
        return format!("it is {what}");
    }
    let start = bytes.get(..64).unwrap_or(bytes);
    // A letter may be cut off at the end.
    let text = match std::str::from_utf8(start) {
        Ok(text) => Some(text),
        Err(e) if e.error_len().is_none() => start
            .get(..e.valid_up_to())
            .and_then(|start| std::str::from_utf8(start).ok()),
        Err(_) => None,
    };
    let plain = |c: char| !c.is_control() || c.is_ascii_whitespace();
    match text.filter(|text| !text.is_empty() && text.chars().all(plain)) {
        Some(text) => {
            let line = text.trim_start().lines().next().unwrap_or_default();
            let line: String = line.chars().take(40).collect();
            format!("it is none of the known formats, but text that begins with {line:?}")
        }
        None => {
            let start = start.get(..8).unwrap_or(start);
            let all: Vec<String> = start.iter().map(|byte| format!("{byte:02x}")).collect();
            format!(
                "it is none of the known formats: its first bytes are {}",
                all.join(" ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart() {
        let safetensors = [&8_u64.to_le_bytes()[..], b"{}      "].concat();
        let cut = [&5000_u64.to_le_bytes()[..], b"{\"a\":"].concat();
        for (bytes, container) in [
            (&safetensors[..], Container::Safetensors),
            (&cut, Container::Safetensors),
            (b"\x89HDF\r\n\x1a\n", Container::Hdf5),
            (b"PK\x03\x04", Container::Zip),
            (b"\x80\x02", Container::Pickle),
            (b"{}", Container::Json),
            (b"\xef\xbb\xbf \n[", Container::Json),
            (b"        {\"layers\": []}", Container::Json),
            // A version and a name; a version alone; a graph alone; a name that is cut off.
            (b"\x08\x07\x12\x02ab", Container::Onnx),
            (b"\x08\x07", Container::Onnx),
            (b"\x3a\x02\x0a\x00", Container::Onnx),
            (b"\x08\x07\x12\x07py", Container::Onnx),
            (b"\x08\x07\x12", Container::Onnx),
            // Fields in another order.
            (b"\x12\x01a\x1a\x01b\x42\x00", Container::Onnx),
            // A version that is none, a field that there is not, and one of another type.
            (b"\x08\xff\x7f\x12\x02ab", Container::Other),
            (b"\x08\x07\x4a\x02ab", Container::Other),
            (b"\x08\x07\x10\x02ab", Container::Other),
        ] {
            assert_eq!(Container::of(bytes), container, "{bytes:?}");
        }
    }

    /// The letters `"`, `(`, `2`, `:`, `B` and `r` are fields of a model, too.
    #[test]
    fn text_is_no_onnx() {
        for text in [
            "version https://git-lfs.github.com/spec/v1",
            "read me first",
            "\"a quotation\" and more of it",
            "(see below)",
            "2024-01-01 a log of what has happened",
            ": nothing",
            "BEGIN",
            "<!doctype html>",
            "",
        ] {
            assert_eq!(Container::of(text.as_bytes()), Container::Other, "{text}");
        }
    }

    #[test]
    fn what_was_seen_is_said() {
        for (bytes, words) in [
            (&b""[..], "the file is empty"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid",
                "`git lfs pull`",
            ),
            (b"<!doctype html>", "a web page"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"\x20\0\0\0TFL3", "TensorFlow Lite"),
            (b"read me\nfirst", "text that begins with \"read me\""),
            (b"\x00\x01\xfe", "its first bytes are 00 01 fe"),
        ] {
            let text = seen(bytes);
            assert!(text.contains(words), "{text}");
        }
        // A letter of two bytes that the 64th byte cuts.
        let text = format!("{}é", "a".repeat(63));
        assert!(seen(text.as_bytes()).contains("text that begins with"));
    }
}
