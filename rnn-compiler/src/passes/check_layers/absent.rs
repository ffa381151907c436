//! The layers of Keras 3 that are not here.

use crate::syntax::{LayerAst, ValueKind};

const CONV_LSTM: &str = "there are no convolutions: put the numbers of a step side by side, `TimeDistributed(Flatten) -> LSTM(64)`";

/// Those whose first argument is that of the layer to write instead.
const SAME_NUMBER: &[&str] = &[
    "AlphaDropout",
    "CuDNNGRU",
    "CuDNNLSTM",
    "GaussianDropout",
    "LeakyReLU",
];

/// By name, with what to write instead, if there is something.
const ABSENT: &[(&str, Option<&str>)] = &[
    (
        "ActivityRegularization",
        Some("write `activity_regularizer = l2(0.01)` in the layer before it"),
    ),
    ("AdditiveAttention", None),
    ("AlphaDropout", Some("write `Dropout(0.5)`")),
    ("Attention", None),
    ("AveragePooling1D", None),
    ("AveragePooling2D", None),
    ("AveragePooling3D", None),
    ("BatchNorm", Some("write `BatchNormalization`")),
    ("CategoryEncoding", None),
    ("CenterCrop", None),
    ("Conv1D", None),
    ("Conv1DTranspose", None),
    ("Conv2D", None),
    ("Conv2DTranspose", None),
    ("Conv3D", None),
    ("Conv3DTranspose", None),
    ("ConvLSTM1D", Some(CONV_LSTM)),
    ("ConvLSTM2D", Some(CONV_LSTM)),
    ("ConvLSTM3D", Some(CONV_LSTM)),
    ("Cropping1D", None),
    ("Cropping2D", None),
    ("Cropping3D", None),
    (
        "CuDNNGRU",
        Some("write `GRU(64)`: every cell takes the fast path"),
    ),
    (
        "CuDNNLSTM",
        Some("write `LSTM(64)`: every cell takes the fast path"),
    ),
    ("DepthwiseConv1D", None),
    ("DepthwiseConv2D", None),
    ("Discretization", None),
    ("Dot", None),
    ("ELU", Some("write `Activation(elu)`")),
    (
        "EinsumDense",
        Some(
            "over the last axis it is `Dense(64)`; other sums are a cell with `einsum` made by rnn_cell!: `RNN(MyCell(32))`",
        ),
    ),
    ("FlaxLayer", None),
    (
        "GaussianDropout",
        Some("write `Dropout(0.5)` or `GaussianNoise(0.1)`"),
    ),
    ("GlobalAveragePooling1D", None),
    ("GlobalAveragePooling2D", None),
    ("GlobalAveragePooling3D", None),
    ("GlobalMaxPooling1D", None),
    ("GlobalMaxPooling2D", None),
    ("GlobalMaxPooling3D", None),
    ("GroupNormalization", Some("write `LayerNormalization`")),
    ("GroupQueryAttention", None),
    ("HashedCrossing", None),
    ("Hashing", None),
    ("Identity", Some("leave it out")),
    ("IntegerLookup", None),
    ("JaxLayer", None),
    (
        "Lambda",
        Some(
            "a function of every number is `Activation(tanh)`; other maths of a step is a cell made by rnn_cell!: `RNN(MyCell(32))`",
        ),
    ),
    ("LeakyReLU", Some("write `Activation(leaky_relu(0.3))`")),
    ("MaxPooling1D", None),
    ("MaxPooling2D", None),
    ("MaxPooling3D", None),
    ("MelSpectrogram", None),
    ("MultiHeadAttention", None),
    ("Normalization", None),
    ("PReLU", Some("write `Activation(leaky_relu(0.3))`")),
    ("RMSNormalization", Some("write `LayerNormalization`")),
    ("RandomFourierFeatures", None),
    ("ReLU", Some("write `Activation(relu)`")),
    ("Rescaling", None),
    ("Resizing", None),
    ("STFTSpectrogram", None),
    ("SeparableConv1D", None),
    ("SeparableConv2D", None),
    ("Softmax", Some("write `Activation(softmax)`")),
    ("SpatialDropout2D", None),
    ("SpatialDropout3D", None),
    ("SpectralNormalization", None),
    ("StringLookup", None),
    ("TextVectorization", None),
    ("UnitNormalization", None),
    ("UpSampling1D", None),
    ("UpSampling2D", None),
    ("UpSampling3D", None),
    ("ZeroPadding1D", None),
    ("ZeroPadding2D", None),
    ("ZeroPadding3D", None),
];

/// What to write instead of a layer that Keras has and this project has not, if there is something;
/// `None` for any other.
pub(super) fn instead(layer: &LayerAst) -> Option<Option<String>> {
    let class = layer.name.to_string();
    let (_, instead) = ABSENT.iter().find(|(name, _)| *name == class)?;
    let number = layer.arguments.first().filter(|a| {
        let number = matches!(a.value.kind, ValueKind::Whole(_) | ValueKind::Number(_));
        number && SAME_NUMBER.contains(&class.as_str())
    });
    Some(instead.map(|text| match number {
        Some(a) => first_number(text, &a.value.to_string()),
        None => text.to_owned(),
    }))
}

/// A text with another number in its first parentheses that hold one.
fn first_number(text: &str, number: &str) -> String {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let from = text.match_indices('(').map(|(at, _)| at + 1);
    let mut from = from.filter(|&at| text[at..].starts_with(digits));
    match from.next() {
        Some(at) => {
            let rest = text[at..].trim_start_matches(digits);
            format!("{}{number}{rest}", &text[..at])
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_not_there() {
        assert!(ABSENT.is_sorted_by(|a, b| a.0 < b.0));
        for (name, _) in ABSENT {
            assert!(crate::layers::find(name).is_none(), "{name}");
        }
    }
}
