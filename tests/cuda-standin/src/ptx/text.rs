//! Pieces of PTX text: comments, lists, numbers, declarations.

use crate::program::Type;

/// `source` without comments. Line ends stay, so that line numbers hold.
pub fn without_comments(source: &str) -> String {
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('/') {
        result.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").map_or(rest.len(), |end| end + 2);
            result.extend(rest[..end].chars().filter(|c| *c == '\n'));
            rest = &rest[end..];
        } else {
            result.push('/');
            rest = &rest[1..];
        }
    }
    result + rest
}

/// Splits at commas that stand in no bracket.
pub fn split_list(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() {
        parts.push(text[start..].trim());
    }
    parts
}

/// The bits of a number that is an operand of type `ty`.
pub fn literal(text: &str, ty: Type) -> Option<u64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits.trim()),
        None => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_end_matches('U');
    let prefix = digits.get(..2).unwrap_or("");
    let value = match prefix {
        "0x" | "0X" => u64::from_str_radix(&digits[2..], 16).ok()?,
        "0b" | "0B" => u64::from_str_radix(&digits[2..], 2).ok()?,
        "0f" | "0F" => {
            let bits = u32::from_str_radix(&digits[2..], 16).ok()?;
            let bits = if negative { bits ^ (1 << 31) } else { bits };
            return Some(match ty {
                Type::F64 => f64::from(f32::from_bits(bits)).to_bits(),
                _ => u64::from(bits),
            });
        }
        "0d" | "0D" => {
            let bits = u64::from_str_radix(&digits[2..], 16).ok()?;
            let bits = if negative { bits ^ (1 << 63) } else { bits };
            return Some(match ty {
                Type::F32 => u64::from((f64::from_bits(bits) as f32).to_bits()),
                _ => bits,
            });
        }
        _ if digits.contains('.') || ty.is_float() => {
            let number: f64 = digits.parse().ok()?;
            let number = if negative { -number } else { number };
            return Some(match ty {
                Type::F64 => number.to_bits(),
                _ => u64::from((number as f32).to_bits()),
            });
        }
        _ => digits.parse().ok()?,
    };
    Some(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// `name+8` or `name-8` as a name and a number.
pub fn split_offset(text: &str) -> (&str, i64) {
    let number = |text: &str| literal(text.trim(), Type::S64).unwrap_or(0) as i64;
    if let Some((base, offset)) = text.split_once('+') {
        return (base.trim(), number(offset));
    }
    match text.char_indices().skip(1).find(|(_, c)| *c == '-') {
        Some((at, _)) => (text[..at].trim(), number(&text[at..])),
        None => (text, 0),
    }
}

/// A variable that PTX declares.
#[derive(Debug, Default)]
pub struct Variable {
    pub name: String,
    pub size: usize,
    pub align: usize,
    pub initial: Vec<u8>,
    /// `name[]`: as large as the launch says.
    pub is_open: bool,
}

/// Reads a declaration without its state space: `.align 4 .b8 name[24] = {…}`.
pub fn variable(declaration: &str) -> Result<Variable, String> {
    let (head, initial) = match declaration.split_once('=') {
        Some((head, initial)) => (head, Some(initial)),
        None => (declaration, None),
    };
    let mut variable = Variable {
        align: 1,
        ..Variable::default()
    };
    let (mut ty, mut count) = (Type::U8, 1);
    let mut words = head.split_whitespace();
    while let Some(word) = words.next() {
        if word == ".align" {
            let align = words.next().and_then(|word| word.parse().ok());
            variable.align = align.ok_or_else(|| format!("alignment of `{declaration}`"))?;
        } else if let Some(name) = word.strip_prefix('.') {
            ty = Type::parse(name).unwrap_or(ty);
        } else {
            let (name, dimensions) = word.split_at(word.find('[').unwrap_or(word.len()));
            if !name.is_empty() {
                variable.name = name.into();
            }
            for length in dimensions.split('[').skip(1) {
                let length = length.trim_end_matches(']');
                variable.is_open |= length.is_empty();
                count *= match length {
                    "" => 0,
                    digits => digits
                        .parse()
                        .map_err(|_| format!("length of `{declaration}`"))?,
                };
            }
        }
    }
    let size = ty.size();
    variable.size = count * size;
    variable.align = variable.align.max(size);
    variable.initial = vec![0; variable.size];
    let values = initial.unwrap_or("").replace(['{', '}'], " ");
    let values = values.split(',').map(str::trim).filter(|v| !v.is_empty());
    for (value, place) in values.zip(variable.initial.chunks_mut(size)) {
        let bits = literal(value, ty).ok_or_else(|| format!("initial value `{value}`"))?;
        place.copy_from_slice(&bits.to_le_bytes()[..size]);
    }
    Ok(variable)
}
