//! The text of a layer, taken apart: `LSTM(16, activation = relu, return_sequences)`.

use crate::network::FLAGS;

/// How deep calls are read within calls.
const MAX_DEPTH: usize = 16;

/// A call, or a name alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call<'t> {
    pub name: &'t str,
    pub arguments: Vec<Argument<'t>>,
}

/// `units = 16`, `16`, `return_sequences`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Argument<'t> {
    pub name: Option<&'t str>,
    pub value: &'t str,
}

impl<'t> Call<'t> {
    /// Takes a text apart; `None` if it is no call.
    pub fn of(text: &'t str) -> Option<Call<'t>> {
        let text = text.trim();
        let Some((name, rest)) = text.split_once('(') else {
            let plain = !text.is_empty() && text.chars().all(is_name);
            return plain.then(|| Call {
                name: text,
                arguments: Vec::new(),
            });
        };
        let name = name.trim();
        let whole = !name.is_empty() && name.chars().all(is_name);
        let inner = rest.strip_suffix(')').filter(|_| whole)?;
        let arguments = list(inner)?.into_iter().map(Argument::of).collect();
        Some(Call { name, arguments })
    }

    /// The value of an argument, by its name or its place among those without one. A flag's is `true`.
    pub fn get(&self, name: &str, place: Option<usize>) -> Option<&'t str> {
        let named = self.arguments.iter().find(|a| a.name == Some(name));
        let flag = || {
            let alone = |a: &&Argument<'_>| a.name.is_none() && a.value == name;
            self.arguments.iter().find(alone).map(|_| "true")
        };
        let plain = || {
            let argument = self.arguments.get(place?)?;
            let before = self.arguments.iter().take(place? + 1);
            // Flags may stand anywhere, and are no place.
            let places = before
                .filter(|a| a.name.is_none() && !FLAGS.contains(&a.value))
                .count();
            (places == place? + 1).then_some(argument.value)
        };
        named.map(|a| a.value).or_else(flag).or_else(plain)
    }
}

impl<'t> Argument<'t> {
    fn of(text: &'t str) -> Argument<'t> {
        let text = text.trim();
        let named = text.split_once('=').filter(|(name, _)| {
            let name = name.trim();
            !name.is_empty() && name.chars().all(is_name)
        });
        match named {
            Some((name, value)) => Argument {
                name: Some(name.trim()),
                value: value.trim(),
            },
            None => Argument {
                name: None,
                value: text,
            },
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == ':'
}

/// The items between commas that are in no brackets and no quotes. `None` if brackets or quotes do not fit, or are too many.
pub(super) fn list(text: &str) -> Option<Vec<&str>> {
    let (mut items, mut from, mut depth) = (Vec::new(), 0, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' if depth == MAX_DEPTH => return None,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                items.push(text.get(from..at)?);
                from = at + 1;
            }
            _ => {}
        }
    }
    let last = text.get(from..)?;
    if !last.trim().is_empty() {
        items.push(last);
    }
    (depth == 0 && !quoted).then_some(items)
}

/// A value in one form: numbers as `f32`, without quotes and spaces, `elu(alpha = 1.0)` as `elu(1)`.
pub(super) fn value(text: &str) -> String {
    let text = text.trim().trim_matches('"');
    if let Ok(number) = text.parse::<f64>() {
        return (number as f32).to_string();
    }
    match Call::of(text) {
        Some(call) if !call.arguments.is_empty() => {
            let each: Vec<String> = call
                .arguments
                .iter()
                .map(|a| match a.value.parse::<f64>() {
                    Ok(number) => (number as f32).to_string(),
                    Err(_) => a.value.split_whitespace().collect(),
                })
                .collect();
            format!("{}({})", call.name, each.join(","))
        }
        _ => text.split_whitespace().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_taken_apart() {
        let call = Call::of("LSTM(16, relu, use_bias = false, return_sequences, name = \"a, (b\")");
        let call = call.unwrap();
        assert_eq!(call.name, "LSTM");
        assert_eq!(call.get("units", Some(0)), Some("16"));
        assert_eq!(call.get("activation", Some(1)), Some("relu"));
        assert_eq!(call.get("recurrent_activation", Some(2)), None);
        assert_eq!(call.get("return_sequences", None), Some("true"));
        assert_eq!(call.get("use_bias", None), Some("false"));
        assert_eq!(call.get("name", None), Some("\"a, (b\""));
        assert_eq!(Call::of("Add").unwrap().arguments, []);
        for broken in ["", "LSTM(16", "(16)", "LSTM(16))", "a b", "LSTM(\"16)"] {
            assert_eq!(Call::of(broken), None, "{broken}");
        }
        let deep = format!("A({}{})", "[".repeat(99), "]".repeat(99));
        assert_eq!(Call::of(&deep), None);
    }

    #[test]
    fn values_have_one_form() {
        for (one, other) in [
            ("1e-3", "0.001"),
            ("elu(alpha = 1.0)", "elu(1)"),
            ("\"relu\"", "relu"),
            ("0.000009999999747378752", "0.00001"),
        ] {
            assert_eq!(value(one), value(other));
        }
        assert_ne!(value("leaky_relu(0.1)"), value("leaky_relu(0.2)"));
    }
}
