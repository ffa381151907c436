//! What one layer of a PyTorch module has, and the tensors that it is here.

use super::Parameter;
use crate::{Error, Tensor};

/// A layer here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Lstm,
    Gru,
    SimpleRnn,
    Dense,
    Embedding,
    LayerNorm,
    BatchNorm,
}

impl Class {
    /// How `rnn_model!` writes it.
    pub(crate) fn here(self) -> &'static str {
        match self {
            Class::Lstm => "LSTM",
            Class::Gru => "GRU",
            Class::SimpleRnn => "SimpleRNN",
            Class::Dense => "Dense",
            Class::Embedding => "Embedding",
            Class::LayerNorm => "LayerNormalization",
            Class::BatchNorm => "BatchNormalization",
        }
    }

    /// What layers of it are called.
    pub(crate) fn stem(self) -> &'static str {
        match self {
            Class::Lstm => "lstm",
            Class::Gru => "gru",
            Class::SimpleRnn => "simple_rnn",
            Class::Dense => "dense",
            Class::Embedding => "embedding",
            Class::LayerNorm => "layer_normalization",
            Class::BatchNorm => "batch_normalization",
        }
    }

    /// The module of PyTorch.
    pub(crate) fn there(self) -> &'static str {
        match self {
            Class::Lstm => "LSTM",
            Class::Gru => "GRU",
            Class::SimpleRnn => "RNN",
            Class::Dense => "Linear",
            Class::Embedding => "Embedding",
            Class::LayerNorm => "LayerNorm",
            Class::BatchNorm => "BatchNorm1d",
        }
    }

    /// Keras's gates, by their places in PyTorch's order.
    fn gates(self) -> &'static [usize] {
        match self {
            Class::Lstm => &[0, 1, 2, 3],
            // PyTorch has reset before update.
            Class::Gru => &[1, 0, 2],
            _ => &[0],
        }
    }
}

/// The parameters of a unit.
#[derive(Clone, Debug)]
pub(crate) enum Parts<'s> {
    /// One layer and direction of a recurrent module.
    Recurrent {
        input: &'s Parameter,
        recurrent: &'s Parameter,
        biases: Option<[&'s Parameter; 2]>,
    },
    /// `weight [a, b]` and perhaps `bias [a]`.
    Matrix {
        weight: &'s Parameter,
        bias: Option<&'s Parameter>,
    },
    /// A normalisation.
    Norm {
        weight: Option<&'s Parameter>,
        bias: Option<&'s Parameter>,
        statistics: Option<[&'s Parameter; 2]>,
    },
}

/// One layer and direction of a module.
#[derive(Clone, Debug)]
pub(crate) struct Unit<'s> {
    /// `encoder.lstm`
    pub path: &'s str,
    /// Which layer of a recurrent module.
    pub layer: usize,
    /// Whether the module has both directions.
    pub both: bool,
    /// Whether it is the backward one.
    pub reverse: bool,
    /// What it is.
    pub class: Class,
    /// What it could be as well.
    pub or: Option<Class>,
    pub parts: Parts<'s>,
}

impl Unit<'_> {
    /// ``the LSTM `encoder.lstm`, layer 1, backward``
    pub(crate) fn title(&self) -> String {
        let class = self.class.there();
        let mut title = match self.path {
            "" => format!("the {class} itself"),
            path => format!("the {class} `{path}`"),
        };
        if self.layer > 0 {
            title.push_str(&format!(", layer {}", self.layer));
        }
        if self.both {
            title.push_str(if self.reverse {
                ", backward"
            } else {
                ", forward"
            });
        }
        title
    }

    /// How many features it reads, if it is a layer of numbers.
    pub(crate) fn reads(&self) -> Option<usize> {
        match (&self.parts, self.class) {
            (_, Class::Embedding) => None,
            (Parts::Recurrent { input, .. }, _) => input.shape.get(1).copied(),
            (Parts::Matrix { weight, .. }, _) => weight.shape.get(1).copied(),
            (Parts::Norm { .. }, _) => self.gives(),
        }
    }

    /// How many features it gives.
    pub(crate) fn gives(&self) -> Option<usize> {
        match (&self.parts, self.class) {
            (Parts::Recurrent { recurrent, .. }, _) => recurrent.shape.get(1).copied(),
            (Parts::Matrix { weight, .. }, Class::Embedding) => weight.shape.get(1).copied(),
            (Parts::Matrix { weight, .. }, _) => weight.shape.first().copied(),
            (
                Parts::Norm {
                    weight,
                    bias,
                    statistics,
                },
                _,
            ) => {
                let any = statistics.map(|[mean, _]| mean).or(*weight).or(*bias)?;
                any.shape.first().copied()
            }
        }
    }

    /// Whether it has a bias, or what a normalisation adds.
    pub(crate) fn biased(&self) -> bool {
        match &self.parts {
            Parts::Recurrent { biases, .. } => biases.is_some(),
            Parts::Matrix { bias, .. } | Parts::Norm { bias, .. } => bias.is_some(),
        }
    }

    /// Whether a normalisation multiplies.
    pub(crate) fn scaled(&self) -> bool {
        !matches!(&self.parts, Parts::Norm { weight: None, .. })
    }

    /// Names and shapes of its tensors, if it is of this class.
    pub(crate) fn shapes(&self, class: Class) -> Vec<(&'static str, Vec<usize>)> {
        let mirrored = |p: &Parameter| p.shape.iter().rev().copied().collect::<Vec<_>>();
        match &self.parts {
            Parts::Recurrent {
                input,
                recurrent,
                biases,
            } => {
                let mut all = vec![
                    ("kernel", mirrored(input)),
                    ("recurrent_kernel", mirrored(recurrent)),
                ];
                if let Some([bias, _]) = biases {
                    let pair = [&[2][..], &bias.shape[..]].concat();
                    let both = class == Class::Gru;
                    all.push(("bias", if both { pair } else { bias.shape.clone() }));
                }
                all
            }
            Parts::Matrix { weight, .. } if class == Class::Embedding => {
                vec![("embeddings", weight.shape.clone())]
            }
            Parts::Matrix { weight, bias } => {
                let bias = bias.map(|bias| ("bias", bias.shape.clone()));
                let kernel = ("kernel", mirrored(weight));
                [Some(kernel), bias].into_iter().flatten().collect()
            }
            Parts::Norm {
                weight,
                bias,
                statistics,
            } => {
                let [mean, variance] = statistics.map_or([None, None], |both| both.map(Some));
                [
                    ("gamma", *weight),
                    ("beta", *bias),
                    ("moving_mean", mean),
                    ("moving_variance", variance),
                ]
                .into_iter()
                .filter_map(|(name, p)| Some((name, p?.shape.clone())))
                .collect()
            }
        }
    }

    /// Its tensors, if it is of this class, under this name of a layer.
    pub(crate) fn tensors(&self, class: Class, layer: &str) -> Result<Vec<Tensor>, Error> {
        let gates = class.gates();
        let values = match &self.parts {
            Parts::Recurrent {
                input,
                recurrent,
                biases,
            } => {
                let mut all = vec![
                    transposed(&gated(input, gates)?, &input.shape),
                    transposed(&gated(recurrent, gates)?, &recurrent.shape),
                ];
                if let Some([one, two]) = biases {
                    let (one, two) = (gated(one, gates)?, gated(two, gates)?);
                    all.push(match class {
                        Class::Gru => [one, two].concat(),
                        _ => one.iter().zip(&two).map(|(a, b)| a + b).collect(),
                    });
                }
                all
            }
            Parts::Matrix { weight, .. } if class == Class::Embedding => {
                vec![weight.values.clone()]
            }
            Parts::Matrix { weight, bias } => {
                let kernel = transposed(&weight.values, &weight.shape);
                let bias = bias.map(|bias| bias.values.clone());
                [Some(kernel), bias].into_iter().flatten().collect()
            }
            Parts::Norm {
                weight,
                bias,
                statistics,
            } => {
                let [mean, variance] = statistics.map_or([None, None], |both| both.map(Some));
                [*weight, *bias, mean, variance]
                    .into_iter()
                    .flatten()
                    .map(|p| p.values.clone())
                    .collect()
            }
        };
        self.shapes(class)
            .into_iter()
            .zip(values)
            .map(|((name, shape), values)| Tensor::new(format!("{layer}/{name}"), shape, values))
            .collect()
    }
}

/// The rows of a parameter with its gates in another order.
fn gated(parameter: &Parameter, gates: &[usize]) -> Result<Vec<f32>, Error> {
    let size = parameter.values.len() / gates.len();
    let mut all = Vec::with_capacity(parameter.values.len());
    for gate in gates {
        let part = parameter.values.get(gate * size..(gate + 1) * size);
        all.extend_from_slice(part.ok_or_else(|| {
            Error::not_understood(format!("`{}`: {} gates", parameter.name, gates.len()))
        })?);
    }
    Ok(all)
}

/// Columns as rows. Shapes were checked when the unit was made.
fn transposed(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let columns = shape.get(1).copied().unwrap_or(1);
    (0..columns)
        .flat_map(|column| values.iter().skip(column).step_by(columns).copied())
        .collect()
}
