//! HDF5, the part of it that Keras writes.
//!
//! Superblocks 0 to 3, groups of symbol tables and of compact links, object headers 1 and 2, datasets that are compact,
//! contiguous or chunked (B-trees 1) with deflate and shuffle, numbers of 16 to 64 bits, texts of fixed and variable length,
//! attributes 1 to 3. What is not in this list is an error that names it.
//!
//! What is read is counted. A file in which structures point at each other again and again, or that declares more than it
//! has, is an error once the count is a multiple of its size, so neither time nor memory run away.

mod attribute;
mod data;
mod group;
mod header;
mod types;

pub use attribute::Attribute;

use std::{cell::Cell, collections::BTreeSet};

use crate::{Bytes, Error, Tensor};
use header::Message;

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
/// The address of what is not there.
const UNDEFINED: u64 = u64::MAX;
/// How often the size of the file may be read, or made of it: deflated zeros and half floats grow.
const TIMES: u64 = 16;
/// What may be read of a file however small it is.
const LEAST: u64 = 1 << 20;

/// An opened file.
#[derive(Debug)]
pub struct File<'f> {
    bytes: Bytes<'f>,
    /// Bytes that may still be read or made.
    budget: Cell<u64>,
    /// Bytes that may be read or made in all.
    most: u64,
    root: u64,
}

/// A group or a dataset.
#[derive(Debug)]
pub struct Node<'a, 'f> {
    file: &'a File<'f>,
    path: String,
    address: u64,
    messages: Vec<Message<'f>>,
}

/// Whether these bytes are HDF5.
pub fn is_hdf5(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
}

/// What a file has that is not in the subset.
fn unsupported(what: impl std::fmt::Display) -> Error {
    Error::not_understood(format!("HDF5: {what} is not understood"))
}

impl<'f> File<'f> {
    /// Reads the superblock.
    ///
    /// # Errors
    /// If it is no HDF5, is cut off, or has a superblock of another kind.
    pub fn open(bytes: &'f [u8]) -> Result<Self, Error> {
        let size = bytes.len() as u64;
        Self::open_with(bytes, size.saturating_mul(TIMES))
    }

    /// A file that was unpacked from `archive` bytes. What is made of those counts, so that a file that was deflated twice grows
    /// no more than one that was deflated once.
    ///
    /// # Errors
    /// As [`File::open`].
    pub fn unpacked(bytes: &'f [u8], archive: usize) -> Result<Self, Error> {
        // The file itself is read once.
        let (size, archive) = (bytes.len() as u64, archive as u64);
        let most = size.saturating_add(archive.saturating_mul(TIMES));
        Self::open_with(bytes, most.min(size.saturating_mul(TIMES)))
    }

    fn open_with(bytes: &'f [u8], most: u64) -> Result<Self, Error> {
        if !is_hdf5(bytes) {
            return Err(Error::Unknown(
                "no HDF5: the file does not start with its signature".into(),
            ));
        }
        let size = bytes.len() as u64;
        let mut file = File {
            bytes: Bytes::new(bytes),
            budget: Cell::new(most.saturating_add(LEAST)),
            most: most.saturating_add(LEAST),
            root: 0,
        };
        let mut at = file.bytes.seek(SIGNATURE.len() as u64, "the superblock")?;
        let version = at.u8("the superblock's version")?;
        let sizes = match version {
            0 | 1 => {
                at.take(4, "the superblock's versions")?;
                at
            }
            2 | 3 => at,
            other => return Err(unsupported(format!("a superblock of version {other}"))),
        };
        let mut at = sizes;
        let widths = [at.u8("the size of offsets")?, at.u8("the size of lengths")?];
        if widths != [8, 8] {
            return Err(unsupported(format!(
                "offsets of {} and lengths of {} bytes",
                widths[0], widths[1]
            )));
        }
        // Flags of version 2 and 3 are one byte; before them there are the sizes of B-trees.
        at.take(
            match version {
                0 => 9,
                1 => 13,
                _ => 1,
            },
            "the superblock's flags",
        )?;
        let base = at.u64("the base address")?;
        if base != 0 {
            return Err(unsupported(format!("a base address of {base}")));
        }
        at.u64("an address in the superblock")?;
        let place = at.at();
        let end = at.u64("the end of the file")?;
        if end > size {
            return Err(Error::damaged(
                place,
                format!("an end of the file within its {size} bytes"),
                format!("{end}: it is cut off after {size} bytes; copy or download it again"),
            ));
        }
        if version < 2 {
            at.u64("the address of the driver")?;
            at.u64("the root's name")?;
        }
        file.root = at.u64("the address of the root")?;
        Ok(file)
    }

    /// The root group.
    ///
    /// # Errors
    /// If its header is damaged or not understood.
    pub fn root(&self) -> Result<Node<'_, 'f>, Error> {
        self.node(String::new(), self.root)
    }

    fn node(&self, path: String, address: u64) -> Result<Node<'_, 'f>, Error> {
        // A group in a group in a group repeats the names of all above it.
        self.count(path.len() as u64, "paths")?;
        let messages = header::read(self, address)?;
        Ok(Node {
            file: self,
            path,
            address,
            messages,
        })
    }

    /// A place in the file.
    fn at(&self, address: u64, what: &str) -> Result<Bytes<'f>, Error> {
        self.bytes.seek(address, what)
    }

    /// Counts bytes that are read or made.
    fn count(&self, bytes: u64, what: &str) -> Result<(), Error> {
        match self.budget.get().checked_sub(bytes) {
            Some(left) => {
                self.budget.set(left);
                Ok(())
            }
            None => Err(Error::damaged_somewhere(
                format!(
                    "structures and data of at most {} bytes in a file of {}",
                    self.most,
                    self.bytes.left()
                ),
                format!("more, in {what}"),
            )),
        }
    }
}

impl<'a, 'f> Node<'a, 'f> {
    /// Names from the root, joined by slashes.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The payloads of all messages of a kind.
    fn messages(&self, kind: u16) -> impl Iterator<Item = &Message<'f>> {
        self.messages.iter().filter(move |m| m.kind == kind)
    }

    fn message(&self, kind: u16) -> Option<&Message<'f>> {
        self.messages(kind).next()
    }

    /// Whether it is a dataset.
    pub fn is_dataset(&self) -> bool {
        self.message(header::LAYOUT).is_some()
    }

    /// The names of its attributes.
    ///
    /// # Errors
    /// If one is damaged, or they are stored in a way that is not understood.
    pub fn attributes(&self) -> Result<Vec<(String, Attribute)>, Error> {
        attribute::all(self)
    }

    /// The attribute of that name.
    ///
    /// # Errors
    /// As [`Node::attributes`].
    pub fn attribute(&self, name: &str) -> Result<Option<Attribute>, Error> {
        attribute::find(self, name)
    }

    /// The names of its children, in the order of the file.
    ///
    /// # Errors
    /// If the group is damaged, or is stored in a way that is not understood.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        Ok(group::links(self)?.into_iter().map(|(n, _)| n).collect())
    }

    /// Its children, in the order of the file.
    ///
    /// # Errors
    /// As [`Node::names`].
    pub fn children(&self) -> Result<Vec<Node<'a, 'f>>, Error> {
        let links = group::links(self)?;
        links
            .into_iter()
            .map(|(name, address)| self.file.node(self.below(&name), address))
            .collect()
    }

    /// The child of that name.
    ///
    /// # Errors
    /// As [`Node::names`].
    pub fn child(&self, name: &str) -> Result<Option<Node<'a, 'f>>, Error> {
        let links = group::links(self)?;
        let found = links.into_iter().find(|(n, _)| n == name);
        found
            .map(|(name, address)| self.file.node(self.below(&name), address))
            .transpose()
    }

    /// What a path of names, joined by slashes, leads to.
    ///
    /// # Errors
    /// As [`Node::names`].
    pub fn at_path(&self, path: &str) -> Result<Option<Node<'a, 'f>>, Error> {
        let mut node = self.file.node(self.path.clone(), self.address)?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            match node.child(name)? {
                Some(child) => node = child,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// All groups and datasets below, each after the group that it is in.
    ///
    /// # Errors
    /// As [`Node::names`], and if an object has two names, as a group in itself has.
    pub fn walk(&self) -> Result<Vec<Node<'a, 'f>>, Error> {
        let mut seen = BTreeSet::from([self.address]);
        let mut rest = self.children()?;
        rest.reverse();
        let mut found = Vec::new();
        while let Some(node) = rest.pop() {
            if !seen.insert(node.address) {
                return Err(Error::damaged(
                    usize::try_from(node.address).unwrap_or(usize::MAX),
                    "an object with one name",
                    format!("a second one, `{}`", node.path),
                ));
            }
            if !node.is_dataset() {
                let mut children = node.children()?;
                children.reverse();
                rest.append(&mut children);
            }
            found.push(node);
        }
        Ok(found)
    }

    /// The numbers of a dataset, named by its path.
    ///
    /// # Errors
    /// If it is no dataset of numbers, is damaged, or is stored in a way that is not understood.
    pub fn tensor(&self) -> Result<Tensor, Error> {
        data::tensor(self)
    }

    fn below(&self, name: &str) -> String {
        match self.path.is_empty() {
            true => name.to_owned(),
            false => format!("{}/{name}", self.path),
        }
    }
}
