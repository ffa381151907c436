//! Attributes: small values beside an object.

use super::{
    Node, UNDEFINED,
    group::text,
    header::{self, Message},
    types::{Datatype, dataspace},
    unsupported,
};
use crate::{Error, elements};

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// One text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// One number.
    Number(f64),
    /// Numbers, in the order of rows.
    Numbers(Vec<f64>),
    /// No value.
    Empty,
    /// A type that is not read: structures, references, bytes.
    Other,
}

/// All attributes, by name.
pub(super) fn all(node: &Node<'_, '_>) -> Result<Vec<(String, Attribute)>, Error> {
    whole(node)?;
    node.messages(header::ATTRIBUTE)
        .filter_map(|m| read(node, m, None).transpose())
        .collect()
}

/// The attribute of that name. Those of other names are not read.
pub(super) fn find(node: &Node<'_, '_>, name: &str) -> Result<Option<Attribute>, Error> {
    whole(node)?;
    node.file
        .count(8 * node.messages.len() as u64, "attributes")?;
    for message in node.messages(header::ATTRIBUTE) {
        if let Some((_, value)) = read(node, message, Some(name))? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Refuses attributes that are not in the header.
fn whole(node: &Node<'_, '_>) -> Result<(), Error> {
    let Some(info) = node.message(header::ATTRIBUTE_INFO) else {
        return Ok(());
    };
    let mut at = info.open()?;
    at.u8("the version of attributes")?;
    let flags = at.u8("the flags of attributes")?;
    if flags & 1 != 0 {
        at.u16("the largest index of attributes")?;
    }
    match at.u64("the address of a fractal heap")? {
        UNDEFINED => Ok(()),
        _ => Err(unsupported(format!(
            "`{}` with attributes in a fractal heap",
            node.path
        ))),
    }
}

/// The attribute of a message, if it is the one that is wanted.
fn read(
    node: &Node<'_, '_>,
    message: &Message<'_>,
    wanted: Option<&str>,
) -> Result<Option<(String, Attribute)>, Error> {
    let mut at = message.open()?;
    let version = at.u8("the version of an attribute")?;
    if !(1..=3).contains(&version) {
        return Err(unsupported(format!("an attribute of version {version}")));
    }
    let flags = at.u8("the flags of an attribute")?;
    let mut sizes = [0_u64; 3];
    for size in &mut sizes {
        *size = u64::from(at.u16("the sizes of an attribute")?);
    }
    if version == 3 {
        at.u8("the characters of an attribute's name")?;
    }
    // Only version 1 fills up to multiples of 8.
    let padded = |n: u64| match version {
        1 => n.div_ceil(8) * 8,
        _ => n,
    };
    let name = at.take(padded(sizes[0]), "the name of an attribute")?;
    let name = text(name.split(|&byte| byte == 0).next().unwrap_or(name));
    if wanted.is_some_and(|wanted| wanted != name) {
        return Ok(None);
    }
    if version > 1 && flags & 3 != 0 {
        return Err(unsupported(format!(
            "the attribute `{name}` of `{}`, which has the type of another object,",
            node.path
        )));
    }
    let kind = at;
    at.take(padded(sizes[1]), "the type of an attribute")?;
    let space = at;
    at.take(padded(sizes[2]), "the shape of an attribute")?;
    let kind = Datatype::read(kind)?;
    let Some(shape) = dataspace(space)? else {
        return Ok(Some((name, Attribute::Empty)));
    };
    let count = elements(&shape).unwrap_or(usize::MAX);
    let bytes = (count as u64).saturating_mul(kind.size as u64);
    let data = at.take(bytes, "the value of an attribute")?;
    node.file.count(bytes.saturating_mul(8), "attributes")?;
    let scalar = shape.is_empty();
    let numbers = || {
        let all = data.chunks_exact(kind.size);
        all.map(|b| kind.number(b)).collect::<Option<Vec<f64>>>()
    };
    let value = match (kind.texts(node.file, data)?, numbers()) {
        (Some(mut texts), _) if scalar => Attribute::Text(texts.pop().unwrap_or_default()),
        (Some(texts), _) => Attribute::Texts(texts),
        (None, Some(numbers)) => match numbers[..] {
            [one] if scalar => Attribute::Number(one),
            _ => Attribute::Numbers(numbers),
        },
        (None, None) => Attribute::Other,
    };
    Ok(Some((name, value)))
}
