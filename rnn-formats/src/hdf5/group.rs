//! Groups: names and the addresses of what they name.

use super::{Node, UNDEFINED, header, unsupported};
use crate::{Bytes, Error};

/// The children of a group, in the order of the file.
pub(super) fn links(node: &Node<'_, '_>) -> Result<Vec<(String, u64)>, Error> {
    if node.is_dataset() {
        return Ok(Vec::new());
    }
    if let Some(table) = node.message(header::SYMBOL_TABLE) {
        let mut at = table.open()?;
        let tree = at.u64("the address of a group's B-tree")?;
        let heap = at.u64("the address of a group's names")?;
        return symbols(node, tree, heap);
    }
    if let Some(info) = node.message(header::LINK_INFO) {
        let mut at = info.open()?;
        at.u8("the version of a group")?;
        let flags = at.u8("the flags of a group")?;
        if flags & 1 != 0 {
            at.u64("the largest index of a group")?;
        }
        if at.u64("the address of a group's fractal heap")? != UNDEFINED {
            return Err(unsupported(format!(
                "the group `{}` with links in a fractal heap",
                node.path
            )));
        }
    }
    node.messages(header::LINK)
        .map(|m| link(node, m.open()?))
        .collect()
}

/// A link of a new group, in its header.
fn link(node: &Node<'_, '_>, mut at: Bytes<'_>) -> Result<(String, u64), Error> {
    let version = at.u8("the version of a link")?;
    if version != 1 {
        return Err(unsupported(format!("a link of version {version}")));
    }
    let flags = at.u8("the flags of a link")?;
    let kind = match flags & 8 != 0 {
        true => at.u8("the kind of a link")?,
        false => 0,
    };
    if flags & 4 != 0 {
        at.u64("the order of a link")?;
    }
    if flags & 0x10 != 0 {
        at.u8("the characters of a link")?;
    }
    let length = match flags & 3 {
        0 => u64::from(at.u8("the length of a name")?),
        1 => u64::from(at.u16("the length of a name")?),
        2 => u64::from(at.u32("the length of a name")?),
        _ => at.u64("the length of a name")?,
    };
    let name = text(at.take(length, "a name")?);
    if kind != 0 {
        return Err(unsupported(format!(
            "`{}`, a soft or external link,",
            node.below(&name)
        )));
    }
    Ok((name, at.u64("the address of an object")?))
}

/// The entries of an old group: a B-tree of symbol tables, and a heap of names.
fn symbols(node: &Node<'_, '_>, tree: u64, heap: u64) -> Result<Vec<(String, u64)>, Error> {
    let file = node.file;
    let mut at = file.at(heap, "a local heap")?;
    signature(&mut at, b"HEAP")?;
    at.take(4, "a local heap")?;
    let size = at.u64("the size of a heap")?;
    at.u64("the free list of a heap")?;
    let address = at.u64("the address of a heap's data")?;
    file.count(32, "heaps of names")?;
    let names = file.at(address, "a heap of names")?.take(size, "names")?;
    let mut found = Vec::new();
    let mut rest = vec![(tree, None)];
    while let Some((address, level)) = rest.pop() {
        let mut at = file.at(address, "a B-tree of a group")?;
        let (children, own) = node_of_tree(&mut at, 0, level)?;
        file.count(24 + 16 * u64::from(children), "B-trees of groups")?;
        let mut below = Vec::new();
        for _ in 0..children {
            at.u64("a key of a B-tree")?;
            below.push(at.u64("a child of a B-tree")?);
        }
        if own > 0 {
            rest.extend(below.into_iter().rev().map(|address| (address, Some(own))));
            continue;
        }
        for address in below {
            let mut at = file.at(address, "a table of symbols")?;
            signature(&mut at, b"SNOD")?;
            at.take(2, "a table of symbols")?;
            let count = at.u16("the number of symbols")?;
            file.count(8 + 40 * u64::from(count), "tables of symbols")?;
            for _ in 0..count {
                let place = at.at();
                let name = at.u64("the place of a name")?;
                let address = at.u64("the address of an object")?;
                let kind = at.u32("the kind of a symbol")?;
                at.take(20, "a symbol")?;
                let bytes = usize::try_from(name).ok().and_then(|n| names.get(n..));
                let bytes = bytes.and_then(|b| b.split(|&byte| byte == 0).next());
                let bytes = bytes.ok_or_else(|| {
                    Error::damaged(
                        place,
                        format!("the place of a name in a heap of {size} bytes"),
                        name.to_string(),
                    )
                })?;
                file.count(bytes.len() as u64, "names")?;
                let name = text(bytes);
                if kind == 2 {
                    return Err(unsupported(format!(
                        "`{}`, a soft link,",
                        node.below(&name)
                    )));
                }
                found.push((name, address));
            }
        }
    }
    Ok(found)
}

/// Reads the head of a node of a B-tree 1; gives how many children it has and its level, which is one below that of the node
/// above.
pub(super) fn node_of_tree(
    at: &mut Bytes<'_>,
    kind: u8,
    above: Option<u8>,
) -> Result<(u16, u8), Error> {
    signature(at, b"TREE")?;
    let place = at.at();
    let found = at.u8("the kind of a B-tree")?;
    if found != kind {
        return Err(Error::damaged(
            place,
            format!("a B-tree of kind {kind}"),
            found.to_string(),
        ));
    }
    let level = at.u8("the level of a B-tree")?;
    if let Some(above) = above
        && Some(level) != above.checked_sub(1)
    {
        return Err(Error::damaged(
            place,
            format!("a level of a B-tree below {above}"),
            level.to_string(),
        ));
    }
    let children = at.u16("the number of children")?;
    at.take(16, "the neighbours in a B-tree")?;
    Ok((children, level))
}

/// Reads a signature.
pub(super) fn signature(at: &mut Bytes<'_>, wanted: &[u8; 4]) -> Result<(), Error> {
    let place = at.at();
    let found = at.take(4, "a signature")?;
    match found == wanted {
        true => Ok(()),
        false => Err(Error::damaged(
            place,
            format!("the signature `{}`", text(wanted)),
            format!("{found:02x?}"),
        )),
    }
}

/// Bytes as text; what is no UTF-8 is shown as such.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
