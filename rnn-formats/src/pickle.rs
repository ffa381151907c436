//! Python's pickles as data. Nothing in them is executed: a call stays a call, for others to look at.
//!
//! Protocols 2 to 5. Objects stand in one list and name each other by number, so that an object which contains itself, or
//! a thousand objects in each other, cost nothing.

use std::collections::BTreeMap;

use crate::{Bytes, Error};

/// An object, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectId(u32);

/// What an object is.
#[derive(Clone, Debug, PartialEq)]
pub enum Object<'f> {
    /// `None`.
    None,
    /// `True` and `False`.
    Bool(bool),
    /// An integer of up to 64 bits.
    Int(i64),
    /// A larger one.
    LongInt,
    /// A float.
    Float(f64),
    /// A text.
    Text(&'f str),
    /// Bytes.
    Bytes(&'f [u8]),
    /// A tuple, a list or a set.
    Row(Vec<ObjectId>),
    /// A dictionary, and what was set on it as attributes.
    Dict {
        /// Keys and values, in order. A key that was set again is there again.
        entries: Vec<(ObjectId, ObjectId)>,
        /// What Python's `__setstate__` would get.
        state: Option<ObjectId>,
    },
    /// A class or a function: `torch`, `FloatStorage`.
    Global(&'f str, &'f str),
    /// What a function or a class would be called with.
    Call {
        /// The function.
        function: ObjectId,
        /// A [`Object::Row`].
        arguments: ObjectId,
    },
    /// What the program that reads the file knows under this name.
    Persistent(ObjectId),
    /// What is made by a class that is refused.
    Refused,
}

/// The objects of a pickle.
#[derive(Clone, Debug)]
pub struct Pickle<'f> {
    objects: Vec<Object<'f>>,
    top: ObjectId,
    end: usize,
}

/// A class that is not among those allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'f> {
    /// The module, `torch.nn.modules.rnn`.
    pub module: &'f str,
    /// The name, `LSTM`.
    pub name: &'f str,
    /// Where it is named: bytes from the start of the pickle's file.
    pub at: usize,
}

/// Refused classes are listed up to this number.
const MOST_REFUSALS: usize = 16;

/// A pickle, or the classes that it names and that are not allowed.
#[derive(Debug)]
pub enum Unpickled<'f> {
    /// Nothing in it is refused.
    Whole(Pickle<'f>),
    /// What is refused, each once.
    Refused(Vec<Refusal<'f>>),
}

/// Reads the pickle at a place in a file.
///
/// # Errors
/// [`Error::Damaged`] if it is cut off, has an unknown instruction, or takes what is not there.
pub fn read<'f>(
    bytes: Bytes<'f>,
    allowed: &dyn Fn(&str, &str) -> bool,
) -> Result<Unpickled<'f>, Error> {
    let mut machine = Machine {
        bytes,
        objects: vec![Object::None, Object::Bool(false), Object::Bool(true)],
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
        refused: Vec::new(),
        copied: 0,
        allowed,
    };
    let top = loop {
        match machine.step() {
            Ok(None) => {}
            Ok(Some(top)) => break top,
            // Which class is refused says more than what follows from it.
            Err(_) if !machine.refused.is_empty() => {
                return Ok(Unpickled::Refused(machine.refused));
            }
            Err(error) => return Err(error),
        }
    };
    match machine.refused.is_empty() {
        true => Ok(Unpickled::Whole(Pickle {
            objects: machine.objects,
            top,
            end: machine.bytes.at(),
        })),
        false => Ok(Unpickled::Refused(machine.refused)),
    }
}

impl<'f> Pickle<'f> {
    /// The object that was pickled.
    pub fn top(&self) -> ObjectId {
        self.top
    }

    /// Where the file goes on.
    pub fn end(&self) -> usize {
        self.end
    }

    /// An object.
    pub fn get(&self, id: ObjectId) -> &Object<'f> {
        self.objects.get(id.0 as usize).unwrap_or(&Object::None)
    }

    /// All objects.
    pub fn objects(&self) -> impl Iterator<Item = &Object<'f>> {
        self.objects.iter()
    }

    /// The text that it is.
    pub fn text(&self, id: ObjectId) -> Option<&'f str> {
        match self.get(id) {
            Object::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer that it is.
    pub fn int(&self, id: ObjectId) -> Option<i64> {
        match self.get(id) {
            Object::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// The objects in a tuple, list or set.
    pub fn row(&self, id: ObjectId) -> Option<&[ObjectId]> {
        match self.get(id) {
            Object::Row(row) => Some(row),
            _ => None,
        }
    }

    /// What a dictionary has under texts, in order; of a key that was set twice the last value, as in Python.
    pub fn entries(&self, id: ObjectId) -> Option<Vec<(&'f str, ObjectId)>> {
        let Object::Dict { entries, .. } = self.get(id) else {
            return None;
        };
        let (mut places, mut found) = (BTreeMap::new(), Vec::new());
        for (key, value) in entries {
            let Some(key) = self.text(*key) else { continue };
            let place = *places.entry(key).or_insert(found.len());
            match found.get_mut(place) {
                Some((_, old)) => *old = *value,
                None => found.push((key, *value)),
            }
        }
        Some(found)
    }
}

const NONE: ObjectId = ObjectId(0);

struct Machine<'f, 'a> {
    bytes: Bytes<'f>,
    objects: Vec<Object<'f>>,
    stack: Vec<ObjectId>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: BTreeMap<u32, ObjectId>,
    refused: Vec<Refusal<'f>>,
    /// Entries of dictionaries that were made of lists.
    copied: usize,
    allowed: &'a dyn Fn(&str, &str) -> bool,
}

impl<'f> Machine<'f, '_> {
    /// Runs an instruction; at the last one gives the object.
    fn step(&mut self) -> Result<Option<ObjectId>, Error> {
        let at = self.bytes.at();
        let code = self.bytes.u8("an instruction of a pickle")?;
        match code {
            // PROTO, FRAME
            0x80 => {
                let protocol = self.bytes.u8("the protocol")?;
                if !(2..=5).contains(&protocol) {
                    return Err(Error::damaged(
                        at,
                        "a pickle of protocol 2 to 5",
                        format!("protocol {protocol}"),
                    ));
                }
            }
            0x95 => {
                self.bytes.u64("the length of a frame")?;
            }
            b'.' => return self.pop(at).map(Some),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => {
                self.pop(at)?;
            }
            b'1' => {
                self.since_mark(at)?;
            }
            b'2' => {
                let top = self.peek(at)?;
                self.stack.push(top);
            }
            b'N' => self.stack.push(NONE),
            0x89 => self.stack.push(ObjectId(1)),
            0x88 => self.stack.push(ObjectId(2)),
            b'K' | b'M' | b'J' | 0x8a | 0x8b | b'G' => self.number(code, at)?,
            b'X' | 0x8c | 0x8d | b'U' | b'T' => self.text(code, at)?,
            b'C' | b'B' | 0x8e | 0x96 => {
                let n = self.length(code)?;
                let bytes = self.bytes.take(n, "bytes")?;
                self.push(Object::Bytes(bytes), at)?;
            }
            // Empty tuple, list, set, dictionary.
            b')' | b']' | 0x8f => self.push(Object::Row(Vec::new()), at)?,
            b'}' => self.push_dict(Vec::new(), at)?,
            b't' | b'l' | 0x91 => {
                let row = self.since_mark(at)?;
                self.push(Object::Row(row), at)?;
            }
            0x85..=0x87 => {
                let n = usize::from(code - 0x84);
                let row = self.last(n, at)?;
                self.push(Object::Row(row), at)?;
            }
            b'd' => {
                let row = self.since_mark(at)?;
                let entries = pairs(&row, at)?;
                self.push_dict(entries, at)?;
            }
            b'a' => {
                let item = self.last(1, at)?;
                self.append(item, at)?;
            }
            b'e' | 0x90 => {
                let items = self.since_mark(at)?;
                self.append(items, at)?;
            }
            b's' => {
                let items = self.last(2, at)?;
                self.set_items(&items, at)?;
            }
            b'u' => {
                let items = self.since_mark(at)?;
                self.set_items(&items, at)?;
            }
            b'c' => {
                let module = self.line("a module's name")?;
                let name = self.line("a class's name")?;
                self.global(module, name, at)?;
            }
            0x93 => {
                let names = self.last(2, at)?;
                let text = |id: &ObjectId| match self.objects.get(id.0 as usize) {
                    Some(Object::Text(text)) => Some(*text),
                    _ => None,
                };
                match names
                    .iter()
                    .map(text)
                    .collect::<Option<Vec<_>>>()
                    .as_deref()
                {
                    Some([module, name]) => self.global(module, name, at)?,
                    _ => return Err(Error::damaged(at, "a class's name", "no text")),
                }
            }
            // REDUCE and NEWOBJ: both call.
            b'R' | 0x81 => {
                let call = self.last(2, at)?;
                self.call(&call, at)?;
            }
            0x92 => {
                let call = self.last(3, at)?;
                self.call(call.get(..2).unwrap_or_default(), at)?;
            }
            b'b' => {
                let state = self.pop(at)?;
                let top = self.peek(at)?;
                if let Some(Object::Dict { state: place, .. }) =
                    self.objects.get_mut(top.0 as usize)
                {
                    *place = Some(state);
                }
            }
            b'Q' => {
                let name = self.pop(at)?;
                self.push(Object::Persistent(name), at)?;
            }
            b'q' | b'r' | 0x94 => {
                let place = match code {
                    b'q' => u32::from(self.bytes.u8("a number of the memo")?),
                    b'r' => self.bytes.u32("a number of the memo")?,
                    _ => u32::try_from(self.memo.len()).unwrap_or(u32::MAX),
                };
                let top = self.peek(at)?;
                self.memo.insert(place, top);
            }
            b'h' | b'j' => {
                let place = match code {
                    b'h' => u32::from(self.bytes.u8("a number of the memo")?),
                    _ => self.bytes.u32("a number of the memo")?,
                };
                let Some(object) = self.memo.get(&place) else {
                    let n = self.memo.len();
                    let expected = format!("one of the {n} objects of the memo");
                    return Err(Error::damaged(at, expected, format!("number {place}")));
                };
                self.stack.push(*object);
            }
            _ => {
                return Err(Error::damaged(
                    at,
                    "an instruction of a pickle of protocol 2 to 5, as PyTorch writes them",
                    format!("0x{code:02x}"),
                ));
            }
        }
        Ok(None)
    }

    fn push(&mut self, object: Object<'f>, at: usize) -> Result<(), Error> {
        let Ok(id) = u32::try_from(self.objects.len()) else {
            return Err(Error::damaged(at, "at most 2^32 objects", "more"));
        };
        self.objects.push(object);
        self.stack.push(ObjectId(id));
        Ok(())
    }

    fn push_dict(&mut self, entries: Vec<(ObjectId, ObjectId)>, at: usize) -> Result<(), Error> {
        let state = None;
        self.push(Object::Dict { entries, state }, at)
    }

    /// The lowest place that may be taken: what is under a mark is not to be had without it.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn peek(&self, at: usize) -> Result<ObjectId, Error> {
        match self.stack.last() {
            Some(id) if self.stack.len() > self.floor() => Ok(*id),
            _ => Err(Error::damaged(at, "an object on the stack", "none")),
        }
    }

    fn pop(&mut self, at: usize) -> Result<ObjectId, Error> {
        let top = self.peek(at)?;
        self.stack.pop();
        Ok(top)
    }

    fn last(&mut self, n: usize, at: usize) -> Result<Vec<ObjectId>, Error> {
        match self.stack.len().checked_sub(n) {
            Some(from) if from >= self.floor() => Ok(self.stack.split_off(from)),
            _ => Err(Error::damaged(
                at,
                format!("{n} objects on the stack"),
                (self.stack.len() - self.floor()).to_string(),
            )),
        }
    }

    fn since_mark(&mut self, at: usize) -> Result<Vec<ObjectId>, Error> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => Err(Error::damaged(at, "a mark on the stack", "none")),
        }
    }

    fn number(&mut self, code: u8, at: usize) -> Result<(), Error> {
        let what = "a number";
        let object = match code {
            b'K' => Object::Int(i64::from(self.bytes.u8(what)?)),
            b'M' => Object::Int(i64::from(self.bytes.u16(what)?)),
            b'J' => Object::Int(i64::from(self.bytes.u32(what)? as i32)),
            // Floats are big-endian.
            b'G' => Object::Float(f64::from_bits(self.bytes.u64(what)?.swap_bytes())),
            _ => {
                let n = match code {
                    0x8a => u64::from(self.bytes.u8("the length of a number")?),
                    _ => u64::from(self.bytes.u32("the length of a number")?),
                };
                let digits = self.bytes.take(n, what)?;
                // The last byte has the sign.
                let sign = digits.last().is_some_and(|b| b & 0x80 != 0);
                let mut all = [if sign { 0xff } else { 0 }; 8];
                match all.get_mut(..digits.len()) {
                    Some(low) => {
                        low.copy_from_slice(digits);
                        Object::Int(i64::from_le_bytes(all))
                    }
                    None => Object::LongInt,
                }
            }
        };
        self.push(object, at)
    }

    /// How many bytes follow.
    fn length(&mut self, code: u8) -> Result<u64, Error> {
        let what = "a length";
        match code {
            0x8c | b'C' | b'U' => self.bytes.u8(what).map(u64::from),
            b'X' | b'B' | b'T' => self.bytes.u32(what).map(u64::from),
            _ => self.bytes.u64(what),
        }
    }

    fn text(&mut self, code: u8, at: usize) -> Result<(), Error> {
        let n = self.length(code)?;
        let bytes = self.bytes.take(n, "a text")?;
        let object = match (std::str::from_utf8(bytes), code) {
            (Ok(text), _) => Object::Text(text),
            // A string of Python 2 is any bytes.
            (Err(_), b'U' | b'T') => Object::Bytes(bytes),
            (Err(e), _) => return Err(Error::damaged(at, "a text in UTF-8", e.to_string())),
        };
        self.push(object, at)
    }

    /// Up to the end of a line.
    fn line(&mut self, what: &str) -> Result<&'f str, Error> {
        let start = self.bytes;
        let mut n = 0;
        while self.bytes.u8(what)? != b'\n' {
            n += 1;
        }
        let bytes = { start }.take(n, what)?;
        std::str::from_utf8(bytes)
            .map_err(|e| Error::damaged(start.at(), format!("{what} in UTF-8"), e.to_string()))
    }

    fn append(&mut self, items: Vec<ObjectId>, at: usize) -> Result<(), Error> {
        let top = self.peek(at)?;
        match self.objects.get_mut(top.0 as usize) {
            Some(Object::Row(row)) => row.extend(items),
            Some(Object::Refused | Object::Call { .. }) => {}
            _ => return Err(Error::damaged(at, "a list to append to", "none")),
        }
        Ok(())
    }

    fn set_items(&mut self, items: &[ObjectId], at: usize) -> Result<(), Error> {
        let pairs = pairs(items, at)?;
        let top = self.peek(at)?;
        match self.objects.get_mut(top.0 as usize) {
            Some(Object::Dict { entries, .. }) => entries.extend(pairs),
            Some(Object::Refused | Object::Call { .. }) => {}
            _ => return Err(Error::damaged(at, "a dictionary to put into", "none")),
        }
        Ok(())
    }

    fn global(&mut self, module: &'f str, name: &'f str, at: usize) -> Result<(), Error> {
        if (self.allowed)(module, name) {
            return self.push(Object::Global(module, name), at);
        }
        let known = |r: &Refusal<'_>| r.module == module && r.name == name;
        if self.refused.len() < MOST_REFUSALS && !self.refused.iter().any(known) {
            self.refused.push(Refusal { module, name, at });
        }
        self.push(Object::Refused, at)
    }

    /// An ordered dictionary or a set is made here, everything else stays a call.
    fn call(&mut self, call: &[ObjectId], at: usize) -> Result<(), Error> {
        let [function, arguments] = call else {
            return Err(Error::damaged(at, "a function and its arguments", "less"));
        };
        let object = |id: &ObjectId| self.objects.get(id.0 as usize);
        let Some(Object::Row(given)) = object(arguments) else {
            return Err(Error::damaged(at, "a tuple of arguments", "none"));
        };
        match object(function) {
            Some(Object::Global("collections", "OrderedDict")) => {
                let mut entries = Vec::new();
                // Python 2 gives the pairs as one argument.
                if let [all] = given[..]
                    && let Some(Object::Row(all)) = object(&all)
                {
                    for pair in all {
                        let Some(Object::Row(pair)) = object(pair) else {
                            return Err(Error::damaged(at, "keys and values", "other objects"));
                        };
                        entries.extend(pairs(pair, at)?);
                        // Pairs that are named often cost little in the file, and much here.
                        if self.copied + entries.len() > self.bytes.at() {
                            return Err(Error::damaged(at, "entries that the file has", "more"));
                        }
                    }
                    self.copied += entries.len();
                }
                self.push_dict(entries, at)
            }
            Some(Object::Refused) => self.push(Object::Refused, at),
            Some(Object::Global(..)) => self.push(
                Object::Call {
                    function: *function,
                    arguments: *arguments,
                },
                at,
            ),
            _ => Err(Error::damaged(at, "a function to call", "another object")),
        }
    }
}

/// Keys and values in turn.
fn pairs(items: &[ObjectId], at: usize) -> Result<Vec<(ObjectId, ObjectId)>, Error> {
    let (pairs, rest) = items.as_chunks::<2>();
    match rest {
        [] => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
        _ => Err(Error::damaged(
            at,
            "keys and values in pairs",
            "a key alone",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Result<Unpickled<'_>, Error> {
        read(Bytes::new(bytes), &|module, _| module == "collections")
    }

    fn whole(bytes: &[u8]) -> Pickle<'_> {
        match of(bytes) {
            Ok(Unpickled::Whole(pickle)) => pickle,
            other => panic!("{other:?}"),
        }
    }

    fn refused(bytes: &[u8]) -> Vec<(String, usize)> {
        match of(bytes) {
            Ok(Unpickled::Refused(all)) => all
                .iter()
                .map(|r| (format!("{}.{}", r.module, r.name), r.at))
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn dictionaries_keep_their_order_and_the_last_value() {
        // {"b": 1, "a": -2, "b": 3}
        let pickle =
            whole(b"\x80\x02}(X\x01\0\0\0bK\x01X\x01\0\0\0aJ\xfe\xff\xff\xffX\x01\0\0\0bK\x03u.");
        let entries = pickle.entries(pickle.top()).unwrap();
        let entries: Vec<_> = entries
            .iter()
            .map(|(key, value)| (*key, pickle.int(*value).unwrap()))
            .collect();
        assert_eq!(entries, [("b", 3), ("a", -2)]);
    }

    #[test]
    fn numbers_have_their_signs_and_sizes() {
        let pickle = whole(b"\x80\x02(\x8a\x00\x8a\x01\xff\x8a\x02\x00\x80\x8a\x09\x01\0\0\0\0\0\0\0\x01G\x3f\xf8\0\0\0\0\0\0t.");
        let row = pickle.row(pickle.top()).unwrap();
        let all: Vec<&Object<'_>> = row.iter().map(|id| pickle.get(*id)).collect();
        let ints = [0, -1, -32768].map(Object::Int);
        assert_eq!(all[..3], ints.iter().collect::<Vec<_>>());
        assert_eq!(all[3..], [&Object::LongInt, &Object::Float(1.5)]);
    }

    #[test]
    fn a_program_in_a_pickle_is_named_and_not_run() {
        // os.system("true"), in protocols 2 and 4, and by INST of protocol 0.
        let old = b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.";
        assert_eq!(refused(old), [("os.system".to_string(), 2)]);
        let new = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.";
        assert_eq!(refused(new), [("posix.system".to_string(), 17)]);
        let inst = b"\x80\x02(X\x04\0\0\0trueios\nsystem\n.";
        assert!(of(inst).unwrap_err().to_string().contains("found 0x69"));
        // Each is named once, whatever comes after.
        let several = b"\x80\x02cos\nsystem\ncos\nsystem\ncbuiltins\neval\n\xff";
        let names: Vec<String> = refused(several).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["os.system", "builtins.eval"]);
    }

    #[test]
    fn a_list_in_itself_is_a_list() {
        let pickle = whole(b"\x80\x02]q\x00h\x00a.");
        assert_eq!(pickle.row(pickle.top()), Some(&[pickle.top()][..]));
    }

    #[test]
    fn a_million_lists_in_each_other() {
        let mut bytes = b"\x80\x02N".to_vec();
        bytes.extend(std::iter::repeat_n(0x85, 1_000_000));
        bytes.push(b'.');
        drop(whole(&bytes));
    }

    #[test]
    fn copies_are_bounded() {
        // A list of 1000 pairs, of which 1000 dictionaries are made.
        let mut bytes = b"\x80\x02ccollections\nOrderedDict\nq\x00]q\x01(".to_vec();
        bytes.extend(b"NN\x86".repeat(1000));
        bytes.push(b'e');
        bytes.extend(b"h\x00h\x01\x85R0".repeat(1000));
        bytes.extend(b"N.");
        let error = of(&bytes).unwrap_err().to_string();
        assert!(error.contains("entries that the file has"), "{error}");
    }

    #[test]
    fn what_is_not_there_is_an_error_with_its_place() {
        for (bytes, at, expected) in [
            (&b"\x80\x02."[..], 2, "an object on the stack"),
            (b"\x80\x02h\x05.", 2, "one of the 0 objects of the memo"),
            (
                b"\x80\x02X\xff\xff\xff\xffabc",
                7,
                "4294967295 bytes of a text",
            ),
            (
                b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc",
                11,
                "18446744073709551615 bytes of a text",
            ),
            (b"\x80\x02Nu.", 3, "a mark on the stack"),
            (b"\x80\x02N(0.", 4, "an object on the stack"),
            (b"\x80\x02}(Nu.", 5, "keys and values in pairs"),
            (b"\x80\x06N.", 0, "a pickle of protocol 2 to 5"),
            (b"\x80\x02NNR.", 4, "a tuple of arguments"),
            (b"\x80\x02N)R.", 4, "a function to call"),
        ] {
            match of(bytes) {
                Err(Error::Damaged {
                    at: found,
                    expected: what,
                    ..
                }) => assert_eq!((found, &*what), (Some(at), expected), "{bytes:?}"),
                other => panic!("{bytes:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let mut seed = 7_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize
        };
        let codes = b"\x80\x95.(012N\x88\x89KMJ\x8a\x8bGX\x8cUTCB)]\x8f}tl\x91\x85\x86\x87daesuc\x93R\x81\x92bQqrhj\x94\n\x00\x01";
        for _ in 0..20_000 {
            let n = random() % 40;
            let bytes: Vec<u8> = (0..n).map(|_| codes[random() % codes.len()]).collect();
            let _ = of(&bytes);
        }
    }
}
