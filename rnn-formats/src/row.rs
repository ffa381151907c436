//! Layers in a row, with their tensors.

use std::collections::BTreeMap;

use crate::{Error, Network, NetworkInput, NetworkLayer, Tensor, Value};

/// A model that is being put together.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub layers: Vec<NetworkLayer>,
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
    /// What the next layer reads.
    pub last: Value,
    /// Its features.
    pub width: usize,
    pub notes: Vec<String>,
    names: BTreeMap<String, usize>,
}

impl Row {
    /// Nothing but an input.
    pub(crate) fn new(width: usize) -> Row {
        Row {
            layers: Vec::new(),
            tensors: Vec::new(),
            last: Value::Input(0),
            width,
            notes: Vec::new(),
            names: BTreeMap::new(),
        }
    }

    /// A layer without tensors.
    pub(crate) fn plain(&mut self, class: &str, arguments: Vec<String>) {
        self.push(class, arguments, None);
    }

    /// A layer with tensors, whose name is counted as Keras does.
    pub(crate) fn layer(
        &mut self,
        class: &str,
        arguments: Vec<String>,
        stem: &str,
        tensors: Vec<(&'static str, Vec<usize>, Vec<f32>)>,
        units: usize,
    ) {
        let number = self.names.entry(stem.to_string()).or_default();
        let name = match *number {
            0 => stem.to_string(),
            n => format!("{stem}_{n}"),
        };
        *number += 1;
        for (own, shape, values) in tensors {
            self.tensors.push((format!("{name}/{own}"), shape, values));
        }
        self.push(class, arguments, Some(name));
        self.width = units;
    }

    /// A product with a matrix, and nothing else.
    pub(crate) fn factors(&mut self, name: &str, units: usize, values: Vec<f32>) {
        let shape = vec![self.width, units];
        let arguments = vec![units.to_string(), "use_bias = false".into()];
        self.layer(
            "Dense",
            arguments,
            name,
            vec![("kernel", shape, values)],
            units,
        );
    }

    fn push(&mut self, class: &str, arguments: Vec<String>, name: Option<String>) {
        self.layers.push(NetworkLayer {
            class: class.into(),
            arguments,
            name,
            inputs: vec![self.last],
            results: 1,
        });
        self.last = Value::Of {
            layer: self.layers.len() - 1,
            result: 0,
        };
    }

    /// Puts another row after this one. Their names differ.
    pub(crate) fn append(&mut self, row: Row) {
        let (offset, before) = (self.layers.len(), self.last);
        let moved = |value: Value| match value {
            Value::Input(_) => before,
            Value::Of { layer, result } => Value::Of {
                layer: layer + offset,
                result,
            },
        };
        for mut layer in row.layers {
            for value in &mut layer.inputs {
                *value = moved(*value);
            }
            self.layers.push(layer);
        }
        self.last = moved(row.last);
        self.width = row.width;
        self.tensors.extend(row.tensors);
        self.notes.extend(row.notes);
    }

    /// The model and its tensors.
    ///
    /// # Errors
    /// [`Error::NotUnderstood`] if a tensor does not have the shape that it was given.
    pub(crate) fn built(self, inputs: Vec<NetworkInput>) -> Result<(Network, Vec<Tensor>), Error> {
        let tensors = self.tensors.into_iter();
        let tensors = tensors.map(|(name, shape, values)| Tensor::new(name, shape, values));
        let network = Network {
            inputs,
            layers: self.layers,
            outputs: vec![("y".into(), self.last)],
            cells: Vec::new(),
        };
        Ok((network, tensors.collect::<Result<_, _>>()?))
    }
}
