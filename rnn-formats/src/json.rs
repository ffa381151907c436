//! What the readers of JSON share: numbers in nested arrays, and metadata.

use serde_json::Value;

use crate::{Error, torch::not_finite};

/// How deep arrays of numbers nest.
const MOST_AXES: usize = 8;

/// A file as JSON.
///
/// # Errors
/// [`Error::Damaged`] with the place where it is none.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Error> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(text).map_err(|e| {
        // serde_json counts lines and columns from 1.
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        let before = lines.take(e.line().saturating_sub(1)).map(<[u8]>::len);
        let at = before.sum::<usize>() + e.column() + bytes.len() - text.len();
        Error::damaged(at.min(bytes.len()), "JSON", e.to_string())
    })
}

/// The shape and the numbers of nested arrays, or what is wrong with them.
pub(crate) fn numbers(value: &Value) -> Result<(Vec<usize>, Vec<f32>), String> {
    let mut shape = Vec::new();
    let mut inner = value;
    while let Value::Array(all) = inner {
        if shape.len() == MOST_AXES {
            return Err(format!("arrays in each other, more than {MOST_AXES}"));
        }
        shape.push(all.len());
        match all.first() {
            Some(first) => inner = first,
            None => break,
        }
    }
    if shape.is_empty() {
        return Err(format!("{}, which is no array of numbers", kind(value)));
    }
    let mut values = Vec::new();
    collect(value, &shape, &mut values)?;
    match not_finite(&values) {
        None => Ok((shape, values)),
        Some((at, value)) => Err(format!("{value} as number {at}")),
    }
}

/// Goes as deep as the shape is long, which is at most [`MOST_AXES`].
fn collect(value: &Value, shape: &[usize], values: &mut Vec<f32>) -> Result<(), String> {
    match (value, shape) {
        (Value::Array(all), [length, rest @ ..]) if all.len() == *length => {
            all.iter().try_for_each(|v| collect(v, rest, values))
        }
        (Value::Array(all), [length, ..]) => Err(format!(
            "an array of {} among arrays of {length}",
            all.len()
        )),
        (Value::Number(number), []) => match number.as_f64() {
            Some(number) => {
                values.push(number as f32);
                Ok(())
            }
            None => Err("a number that is no float".into()),
        },
        (other, _) => Err(format!("{} among the numbers", kind(other))),
    }
}

/// What a value is, in a word.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The size under a key, or what is wrong with it.
pub(crate) fn size(value: &Value, key: &str) -> Result<usize, String> {
    let found = value.get(key);
    let number = found.and_then(Value::as_u64);
    match number.and_then(|n| usize::try_from(n).ok()) {
        Some(size) => Ok(size),
        None => Err(format!(
            "`{key}`: expected a size, found {}",
            found.map_or("nothing".into(), short)
        )),
    }
}

/// A value in a few letters.
pub(crate) fn short(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        Value::Array(_) | Value::Object(_) => kind(value).into(),
        other => other.to_string(),
    }
}

/// Objects in each other whose keys become one name.
const MOST_PARTS: usize = 6;
/// Letters of a key that are kept: a long one would stand in the name of each value within.
const MOST_LETTERS: usize = 40;

/// What a file says of itself: objects become names with dots.
pub(crate) fn metadata(name: &str, value: &Value, all: &mut Vec<(String, String)>) {
    let name: String = name.chars().take(MOST_LETTERS).collect();
    inner(name, value, MOST_PARTS, all);
}

fn inner(name: String, value: &Value, parts: usize, all: &mut Vec<(String, String)>) {
    match value {
        Value::Object(entries) if parts > 0 => {
            for (key, value) in entries {
                let key: String = key.chars().take(MOST_LETTERS).collect();
                inner(format!("{name}.{key}"), value, parts - 1, all);
            }
        }
        Value::String(text) => all.push((name, text.clone())),
        Value::Null => {}
        other => all.push((name, other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arrays_have_one_shape() {
        assert_eq!(
            numbers(&json!([[1, 2.5], [3, -4]])),
            Ok((vec![2, 2], vec![1.0, 2.5, 3.0, -4.0]))
        );
        assert_eq!(numbers(&json!([])), Ok((vec![0], vec![])));
        for (value, wrong) in [
            (json!([[1, 2], [3]]), "an array of 1 among arrays of 2"),
            (json!([[1, 2], 3]), "a number among the numbers"),
            (json!([1, [2]]), "an array among the numbers"),
            (json!([1, "a"]), "a text among the numbers"),
            (json!([1, null]), "null among the numbers"),
            (json!("a"), "a text, which is no array of numbers"),
            (json!([1e39]), "inf as number 0"),
            (
                json!([[[[[[[[[1]]]]]]]]]),
                "arrays in each other, more than 8",
            ),
        ] {
            assert_eq!(numbers(&value), Err(wrong.to_string()), "{value}");
        }
    }

    #[test]
    fn metadata_are_names_with_dots_and_stay_small() {
        let mut all = Vec::new();
        metadata(
            "a",
            &json!({"b": {"c": 1.5, "d": null}, "e": [1, 2]}),
            &mut all,
        );
        let expected = [("a.b.c", "1.5"), ("a.e", "[1,2]")];
        assert_eq!(all, expected.map(|(k, v)| (k.to_string(), v.to_string())));
        // A long key around many values, and objects deep in each other.
        let many: serde_json::Map<_, _> = (0..1000).map(|n| (n.to_string(), json!(n))).collect();
        let mut value = json!({ "k".repeat(100_000): many });
        for _ in 0..100 {
            value = json!({ "k".repeat(1000): value });
        }
        let mut all = Vec::new();
        metadata("a", &value, &mut all);
        let bytes = all.iter().map(|(k, v)| k.len() + v.len());
        assert!(bytes.sum::<usize>() < 2 * value.to_string().len());
    }

    #[test]
    fn damage_has_its_place() {
        let error = parse(b"\xef\xbb\xbf{\n\"a\": [1, NaN]}").unwrap_err();
        match error {
            Error::Damaged { at, .. } => assert_eq!(at, Some(15)),
            other => panic!("{other}"),
        }
        let deep = "[".repeat(100_000);
        assert!(parse(deep.as_bytes()).is_err());
    }
}
