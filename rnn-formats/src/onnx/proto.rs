//! The messages of ONNX that matter here, as parts of the file.

use rten_onnx::protobuf::{Field, Fields, ProtobufError, ReadValue};

use super::wire::{Borrowed, Place};
use crate::Error;

/// A whole file.
#[derive(Default)]
pub(super) struct Model<'f> {
    pub ir_version: i64,
    pub producer: &'f str,
    pub producer_version: &'f str,
    /// Domains and versions; the domain of ONNX itself is empty.
    pub opsets: Vec<(&'f str, i64)>,
    pub metadata: Vec<(&'f str, &'f str)>,
    pub graph: Option<Graph<'f>>,
    /// How many functions the file defines.
    pub functions: usize,
}

/// A graph, as it is written.
#[derive(Default)]
pub(super) struct Graph<'f> {
    pub nodes: Vec<Node<'f>>,
    pub initializers: Vec<TensorProto<'f>>,
    pub inputs: Vec<ValueInfo<'f>>,
    pub outputs: Vec<ValueInfo<'f>>,
    /// How many sparse initialisers there are.
    pub sparse: usize,
}

/// A node.
#[derive(Default)]
pub(super) struct Node<'f> {
    pub name: &'f str,
    pub op: &'f str,
    pub domain: &'f str,
    pub inputs: Vec<&'f str>,
    pub outputs: Vec<&'f str>,
    pub attributes: Vec<Attribute<'f>>,
}

/// An attribute of a node.
#[derive(Clone, Default)]
pub(super) struct Attribute<'f> {
    pub name: &'f str,
    pub float: Option<f32>,
    pub int: Option<i64>,
    pub string: Option<&'f [u8]>,
    pub tensor: Option<Box<TensorProto<'f>>>,
    pub floats: Vec<f32>,
    pub ints: Vec<i64>,
    pub strings: Vec<&'f [u8]>,
}

/// A tensor, as it is stored.
#[derive(Clone, Default)]
pub(super) struct TensorProto<'f> {
    pub name: &'f str,
    pub dims: Vec<i64>,
    pub data_type: i32,
    pub floats: Vec<f32>,
    pub int32s: Vec<i32>,
    pub int64s: Vec<i64>,
    pub doubles: Vec<f64>,
    pub uint64s: Vec<u64>,
    pub raw: Option<&'f [u8]>,
    /// Keys and values that say where the data lies.
    pub external: Vec<(&'f str, &'f str)>,
    /// Whether the data lies in another file.
    pub elsewhere: bool,
    /// Bytes from the start of the file.
    pub at: usize,
}

/// An axis of an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Extent<'f> {
    Known(i64),
    Named(&'f str),
    Unknown,
}

/// An input or an output of the graph.
#[derive(Default)]
pub(super) struct ValueInfo<'f> {
    pub name: &'f str,
    /// The type of the elements; `None` for what is no tensor.
    pub data_type: Option<i32>,
    pub shape: Option<Vec<Extent<'f>>>,
}

/// Reads a file.
pub(super) fn model(file: &[u8]) -> Result<Model<'_>, Error> {
    let place = Place::new(file);
    let mut source = place.source();
    read_model(&place, Fields::new(&mut source, None))
}

type Read<T> = Result<T, Error>;

/// `place.string(field)`, with the error of this place.
fn got<T>(place: &Place<'_>, what: &str, value: Result<T, ProtobufError>) -> Read<T> {
    value.map_err(|e| place.error(what, &e))
}

/// Reads the message in a field with a function.
macro_rules! message {
    ($place:expr, $field:expr, $read:expr) => {{
        let outer = $place.enter(&$field)?;
        let read = $read($place, got($place, "a message", $field.read_message(None))?)?;
        $place.leave(outer)?;
        read
    }};
}

fn string<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    field: &mut Field<'_, R>,
) -> Read<&'f str> {
    got(place, "a string", field.read_string())
}

fn bytes<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    field: &mut Field<'_, R>,
) -> Read<&'f [u8]> {
    got(place, "bytes", field.read_bytes())
}

fn skip<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    field: &mut Field<'_, R>,
) -> Read<()> {
    got(place, "a field", field.skip())
}

fn read_model<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<Model<'f>> {
    let mut model = Model::default();
    while let Some(mut field) = place.next(&mut fields)? {
        match field.number() {
            1 => model.ir_version = got(place, "a version", field.get_int64())?,
            2 => model.producer = string(place, &mut field)?,
            3 => model.producer_version = string(place, &mut field)?,
            7 => model.graph = Some(message!(place, field, read_graph)),
            8 => model.opsets.push(message!(place, field, read_opset)),
            14 => model.metadata.push(message!(place, field, read_entry)),
            25 => {
                model.functions += 1;
                skip(place, &mut field)?;
            }
            _ => skip(place, &mut field)?,
        }
    }
    Ok(model)
}

fn read_opset<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<(&'f str, i64)> {
    let mut opset = ("", 0);
    while let Some(mut field) = place.next(&mut fields)? {
        match field.number() {
            1 => opset.0 = string(place, &mut field)?,
            2 => opset.1 = got(place, "a version", field.get_int64())?,
            _ => skip(place, &mut field)?,
        }
    }
    Ok(opset)
}

fn read_entry<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<(&'f str, &'f str)> {
    let mut entry = ("", "");
    while let Some(mut field) = place.next(&mut fields)? {
        match field.number() {
            1 => entry.0 = string(place, &mut field)?,
            2 => entry.1 = string(place, &mut field)?,
            _ => skip(place, &mut field)?,
        }
    }
    Ok(entry)
}

fn read_graph<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<Graph<'f>> {
    let mut graph = Graph::default();
    while let Some(mut field) = place.next(&mut fields)? {
        match field.number() {
            1 => graph.nodes.push(message!(place, field, read_node)),
            5 => graph.initializers.push(message!(place, field, read_tensor)),
            11 => graph.inputs.push(message!(place, field, read_value)),
            12 => graph.outputs.push(message!(place, field, read_value)),
            15 => {
                graph.sparse += 1;
                skip(place, &mut field)?;
            }
            _ => skip(place, &mut field)?,
        }
    }
    Ok(graph)
}

fn read_node<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<Node<'f>> {
    let mut node = Node::default();
    while let Some(mut field) = place.next(&mut fields)? {
        match field.number() {
            1 => node.inputs.push(string(place, &mut field)?),
            2 => node.outputs.push(string(place, &mut field)?),
            3 => node.name = string(place, &mut field)?,
            4 => node.op = string(place, &mut field)?,
            5 => node.attributes.push(message!(place, field, read_attribute)),
            7 => node.domain = string(place, &mut field)?,
            _ => skip(place, &mut field)?,
        }
    }
    Ok(node)
}

fn read_attribute<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<Attribute<'f>> {
    let mut a = Attribute::default();
    while let Some(mut field) = place.next(&mut fields)? {
        let end = place.end_of(&field);
        match field.number() {
            1 => a.name = string(place, &mut field)?,
            2 => a.float = Some(got(place, "a float", field.get_float())?),
            3 => a.int = Some(got(place, "a whole number", field.get_int64())?),
            4 => a.string = Some(bytes(place, &mut field)?),
            5 => a.tensor = Some(Box::new(message!(place, field, read_tensor))),
            // Graphs in nodes are not followed: loops and branches are none of the layers here.
            7 => place.numbers(&mut a.floats, field.read_repeated_float(), end)?,
            8 => place.numbers(&mut a.ints, field.read_repeated_int64(), end)?,
            9 => a.strings.push(bytes(place, &mut field)?),
            _ => skip(place, &mut field)?,
        }
    }
    Ok(a)
}

fn read_tensor<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<TensorProto<'f>> {
    let mut t = TensorProto {
        at: place.at(),
        ..TensorProto::default()
    };
    while let Some(mut field) = place.next(&mut fields)? {
        let end = place.end_of(&field);
        match field.number() {
            1 => place.numbers(&mut t.dims, field.read_repeated_int64(), end)?,
            2 => t.data_type = got(place, "a type", field.get_int32())?,
            4 => place.numbers(&mut t.floats, field.read_repeated_float(), end)?,
            5 => place.numbers(&mut t.int32s, field.read_repeated_int32(), end)?,
            7 => place.numbers(&mut t.int64s, field.read_repeated_int64(), end)?,
            8 => t.name = string(place, &mut field)?,
            9 => t.raw = Some(bytes(place, &mut field)?),
            10 => place.numbers(&mut t.doubles, field.read_repeated_double(), end)?,
            11 => place.numbers(&mut t.uint64s, field.read_repeated_uint64(), end)?,
            13 => t.external.push(message!(place, field, read_entry)),
            14 => t.elsewhere = got(place, "a place", field.get_int32())? == 1,
            _ => skip(place, &mut field)?,
        }
    }
    Ok(t)
}

fn read_value<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<ValueInfo<'f>> {
    let mut value = ValueInfo::default();
    while let Some(mut field) = place.next(&mut fields)? {
        match field.number() {
            1 => value.name = string(place, &mut field)?,
            2 => (value.data_type, value.shape) = message!(place, field, read_type),
            _ => skip(place, &mut field)?,
        }
    }
    Ok(value)
}

/// The type of elements, and the axes.
type TypeOf<'f> = (Option<i32>, Option<Vec<Extent<'f>>>);

fn read_type<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<TypeOf<'f>> {
    let mut found = (None, None);
    while let Some(mut field) = place.next(&mut fields)? {
        match field.number() {
            1 => found = message!(place, field, read_tensor_type),
            // Sequences, maps and optional values stay without a type.
            _ => skip(place, &mut field)?,
        }
    }
    Ok(found)
}

fn read_tensor_type<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<TypeOf<'f>> {
    let mut found = (Some(0), None);
    while let Some(mut field) = place.next(&mut fields)? {
        match field.number() {
            1 => found.0 = Some(got(place, "a type", field.get_int32())?),
            2 => found.1 = Some(message!(place, field, read_shape)),
            _ => skip(place, &mut field)?,
        }
    }
    Ok(found)
}

fn read_shape<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<Vec<Extent<'f>>> {
    let mut shape = Vec::new();
    while let Some(mut field) = place.next(&mut fields)? {
        match field.number() {
            1 => shape.push(message!(place, field, read_extent)),
            _ => skip(place, &mut field)?,
        }
    }
    Ok(shape)
}

fn read_extent<'f, R: ReadValue<Types = Borrowed<'f>>>(
    place: &Place<'f>,
    mut fields: Fields<'_, R>,
) -> Read<Extent<'f>> {
    let mut extent = Extent::Unknown;
    while let Some(mut field) = place.next(&mut fields)? {
        match field.number() {
            1 => extent = Extent::Known(got(place, "a size", field.get_int64())?),
            2 => extent = Extent::Named(string(place, &mut field)?),
            _ => skip(place, &mut field)?,
        }
    }
    Ok(extent)
}
