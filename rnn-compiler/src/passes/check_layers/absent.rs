//! The layers of Keras 3 that are not here.

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
    ("ConvLSTM1D", None),
    ("ConvLSTM2D", None),
    ("ConvLSTM3D", None),
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
        Some("write a cell with `einsum` by rnn_cell!: `RNN(MyCell(32))`"),
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
        Some("write a cell of your own with rnn_cell!: `RNN(MyCell(32))`"),
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

/// A layer that Keras has and this project has not.
pub(super) fn find(class: &str) -> Option<&'static (&'static str, Option<&'static str>)> {
    ABSENT.iter().find(|(name, _)| *name == class)
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
