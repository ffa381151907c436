//! Protocol buffers, written; the messages of ONNX by the numbers of their fields (`onnx/onnx.proto`).

/// A message.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub fn new() -> Self {
        Message::default()
    }

    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn tag(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    pub fn int(mut self, field: u64, value: i64) -> Self {
        self.tag(field, 0);
        // A negative number is its two's complement.
        self.varint(value as u64);
        self
    }

    pub fn float(mut self, field: u64, value: f32) -> Self {
        self.tag(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn data(mut self, field: u64, bytes: &[u8]) -> Self {
        self.tag(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub fn text(self, field: u64, text: &str) -> Self {
        self.data(field, text.as_bytes())
    }

    pub fn message(self, field: u64, message: &Message) -> Self {
        self.data(field, &message.0)
    }

    /// The same field once for each.
    pub fn each<T>(self, all: impl IntoIterator<Item = T>, one: impl Fn(Self, T) -> Self) -> Self {
        all.into_iter().fold(self, one)
    }
}

/// An attribute of a node.
#[derive(Clone, Debug)]
pub(super) enum Attribute {
    Int(i64),
    Float(f32),
    Text(String),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Texts(Vec<String>),
}

impl Attribute {
    fn message(&self, name: &str) -> Message {
        let m = Message::new().text(1, name);
        match self {
            Attribute::Float(x) => m.float(2, *x).int(20, 1),
            Attribute::Int(n) => m.int(3, *n).int(20, 2),
            Attribute::Text(t) => m.text(4, t).int(20, 3),
            Attribute::Floats(all) => m.each(all, |m, x| m.float(7, *x)).int(20, 6),
            Attribute::Ints(all) => m.each(all, |m, n| m.int(8, *n)).int(20, 7),
            Attribute::Texts(all) => m.each(all, |m, t| m.text(9, t)).int(20, 8),
        }
    }
}

/// A node: what it computes of which values.
pub(super) fn node(
    kind: &str,
    name: &str,
    inputs: &[String],
    outputs: &[String],
    attributes: &[(String, Attribute)],
) -> Message {
    Message::new()
        .each(inputs, |m, input| m.text(1, input))
        .each(outputs, |m, output| m.text(2, output))
        .text(3, name)
        .text(4, kind)
        .each(attributes, |m, (name, a)| m.message(5, &a.message(name)))
}

/// The types of elements that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Float = 1,
    Int = 7,
}

/// A constant.
pub(super) fn tensor(name: &str, kind: Kind, shape: &[usize], bytes: &[u8]) -> Message {
    Message::new()
        .each(shape, |m, axis| m.int(1, *axis as i64))
        .int(2, kind as i64)
        .text(8, name)
        .data(9, bytes)
}

/// An input or an output; axes without a number have a name.
pub(super) fn value(name: &str, kind: Kind, axes: &[Result<usize, String>]) -> Message {
    let shape = Message::new().each(axes, |m, axis| {
        let dim = match axis {
            Ok(n) => Message::new().int(1, *n as i64),
            Err(name) => Message::new().text(2, name),
        };
        m.message(1, &dim)
    });
    let of = Message::new().int(1, kind as i64).message(2, &shape);
    Message::new()
        .text(1, name)
        .message(2, &Message::new().message(1, &of))
}
