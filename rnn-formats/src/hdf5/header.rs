//! Object headers: the messages that say what an object is.

use super::{File, unsupported};
use crate::{Bytes, Error};

pub(super) const DATASPACE: u16 = 0x01;
pub(super) const LINK_INFO: u16 = 0x02;
pub(super) const DATATYPE: u16 = 0x03;
pub(super) const FILL: u16 = 0x05;
pub(super) const LINK: u16 = 0x06;
pub(super) const EXTERNAL: u16 = 0x07;
pub(super) const LAYOUT: u16 = 0x08;
pub(super) const FILTERS: u16 = 0x0B;
pub(super) const ATTRIBUTE: u16 = 0x0C;
const CONTINUATION: u16 = 0x10;
pub(super) const SYMBOL_TABLE: u16 = 0x11;
pub(super) const ATTRIBUTE_INFO: u16 = 0x15;

/// Bytes that a message takes in memory.
const OF_MESSAGE: u64 = 64;

/// One message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'f> {
    pub kind: u16,
    /// Its bytes.
    at: Bytes<'f>,
    /// Whether it stands elsewhere, and here is only where.
    shared: bool,
}

impl<'f> Message<'f> {
    /// Its bytes, and nothing after them: places in it count from the start of the file.
    pub fn open(&self) -> Result<Bytes<'f>, Error> {
        match self.shared {
            true => Err(unsupported(format!(
                "a message of kind {:#x} that several objects share",
                self.kind
            ))),
            false => Ok(self.at),
        }
    }
}

/// All messages of the object at an address, those of continuation blocks, too.
pub(super) fn read<'f>(file: &File<'f>, address: u64) -> Result<Vec<Message<'f>>, Error> {
    let at = file.at(address, "an object header")?;
    let mut peek = at;
    match peek.take(4, "an object header")? {
        b"OHDR" => second(file, at),
        [1, ..] => first(file, at),
        other => Err(Error::damaged(
            at.at(),
            "an object header of version 1 or 2",
            format!("{other:02x?}"),
        )),
    }
}

/// Version 1: messages in multiples of 8 bytes.
fn first<'f>(file: &File<'f>, mut at: Bytes<'f>) -> Result<Vec<Message<'f>>, Error> {
    at.take(2, "an object header")?;
    let count = at.u16("the number of messages")?;
    at.u32("the number of links")?;
    let size = at.u32("the size of an object header")?;
    at.take(4, "an object header")?;
    let mut blocks = vec![(at, u64::from(size))];
    let mut messages = Vec::new();
    while let Some((start, size)) = blocks.pop() {
        let end = block(file, start, size)?;
        let mut at = start;
        while end.saturating_sub(at.at()) >= 8 && messages.len() < usize::from(count) {
            let kind = at.u16("the kind of a message")?;
            let size = at.u16("the size of a message")?;
            let flags = at.u8("the flags of a message")?;
            at.take(3, "a message")?;
            let message = message(&mut at, end, (kind, u64::from(size), flags))?;
            follow(file, &message, &mut blocks, 0)?;
            file.count(OF_MESSAGE, "messages")?;
            messages.push(message);
        }
    }
    Ok(messages)
}

/// Version 2: `OHDR`, continued in `OCHK`, each with a checksum at its end.
fn second<'f>(file: &File<'f>, mut at: Bytes<'f>) -> Result<Vec<Message<'f>>, Error> {
    at.take(4, "an object header")?;
    let version = at.u8("the version of an object header")?;
    if version != 2 {
        return Err(unsupported(format!(
            "an object header of version {version}"
        )));
    }
    let flags = at.u8("the flags of an object header")?;
    if flags & 0x20 != 0 {
        at.take(16, "the times of an object")?;
    }
    if flags & 0x10 != 0 {
        at.take(4, "the limits of attributes")?;
    }
    let size = match flags & 3 {
        0 => u64::from(at.u8("the size of an object header")?),
        1 => u64::from(at.u16("the size of an object header")?),
        2 => u64::from(at.u32("the size of an object header")?),
        _ => at.u64("the size of an object header")?,
    };
    let head = if flags & 4 != 0 { 6 } else { 4 };
    let mut blocks = vec![(at, size)];
    let mut messages = Vec::new();
    while let Some((start, size)) = blocks.pop() {
        let end = block(file, start, size)?;
        let mut at = start;
        while end.saturating_sub(at.at()) >= head {
            let kind = u16::from(at.u8("the kind of a message")?);
            let size = at.u16("the size of a message")?;
            let flags = at.u8("the flags of a message")?;
            at.take(head as u64 - 4, "the order of a message")?;
            let message = message(&mut at, end, (kind, u64::from(size), flags))?;
            follow(file, &message, &mut blocks, 4)?;
            file.count(OF_MESSAGE, "messages")?;
            messages.push(message);
        }
    }
    Ok(messages)
}

/// Counts a block of messages; gives where it ends.
fn block(file: &File<'_>, start: Bytes<'_>, size: u64) -> Result<usize, Error> {
    let mut at = start;
    at.take(size, "a block of messages")?;
    // Every block costs something, so that empty ones cannot go round for ever.
    file.count(size.saturating_add(16), "object headers")?;
    Ok(at.at())
}

/// The message with that kind, size and flags, which has to end before `end`.
fn message<'f>(
    at: &mut Bytes<'f>,
    end: usize,
    (kind, size, flags): (u16, u64, u8),
) -> Result<Message<'f>, Error> {
    let start = *at;
    at.take(size, "a message of an object header")?;
    if at.at() > end {
        return Err(Error::damaged(
            start.at(),
            format!("a message that ends with its block at {end}"),
            format!("one that ends at {}", at.at()),
        ));
    }
    Ok(Message {
        kind,
        at: start.until(at.at()),
        shared: flags & 2 != 0,
    })
}

/// Notes the block that a message says goes on elsewhere. `edge`: bytes of signature before it, and of checksum after it.
fn follow<'f>(
    file: &File<'f>,
    message: &Message<'f>,
    blocks: &mut Vec<(Bytes<'f>, u64)>,
    edge: u64,
) -> Result<(), Error> {
    if message.kind != CONTINUATION {
        return Ok(());
    }
    let mut at = message.open()?;
    let address = at.u64("the address of more messages")?;
    let place = at.at();
    let size = at.u64("the size of more messages")?;
    let mut start = file.at(address, "more messages")?;
    let inside = size.checked_sub(2 * edge).ok_or_else(|| {
        Error::damaged(
            place,
            format!("at least {} bytes of messages", 2 * edge),
            size.to_string(),
        )
    })?;
    if edge > 0 {
        let signature = start.take(edge, "more messages")?;
        if signature != b"OCHK" {
            return Err(Error::damaged(
                start.at(),
                "the signature `OCHK`",
                format!("{signature:02x?}"),
            ));
        }
    }
    blocks.push((start, inside));
    Ok(())
}
