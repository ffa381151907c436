//! A value of a configuration: an object, a list, or text for a message.

use serde_json::{Map, Value};

/// An object of a configuration: its class and its arguments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'c> {
    pub class: &'c str,
    pub config: &'c Map<String, Value>,
}

impl<'c> Object<'c> {
    /// An object with a class; `None` if the value is none.
    pub fn of(value: &'c Value) -> Option<Self> {
        Some(Object {
            class: value.get("class_name")?.as_str()?,
            config: value.get("config")?.as_object()?,
        })
    }
}

/// A list, or a tuple as Keras writes it.
pub(super) fn items(value: &Value) -> Option<&Vec<Value>> {
    match value {
        Value::Array(all) => Some(all),
        Value::Object(map) if map.get("class_name")?.as_str()? == "__tuple__" => {
            map.get("items")?.as_array()
        }
        _ => None,
    }
}

/// A value for a message.
pub(super) fn short(value: &Value) -> String {
    let text = match Object::of(value) {
        Some(object) => object.class.to_owned(),
        None => value.to_string(),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
