//! The layers of Keras 3 that are not here, with what to write instead: data for messages.

use crate::syntax::{LayerAst, ValueKind};

/// A class of Keras's that is no layer here.
pub(super) struct Absent {
    /// Keras's name.
    pub(super) class: &'static str,
    /// What to write instead, if there is something; `{}` stands for a number.
    instead: Option<&'static str>,
    /// The number in the example, used where the user gave none.
    number: Option<&'static str>,
}

/// A layer with no counterpart here.
const fn nothing(class: &'static str) -> Absent {
    Absent {
        class,
        instead: None,
        number: None,
    }
}

/// A layer with a counterpart.
const fn write(class: &'static str, instead: &'static str) -> Absent {
    Absent {
        class,
        instead: Some(instead),
        number: None,
    }
}

/// A layer with a counterpart that has the same first argument.
const fn with_number(class: &'static str, instead: &'static str, number: &'static str) -> Absent {
    Absent {
        class,
        instead: Some(instead),
        number: Some(number),
    }
}

const CONV_LSTM: &str = "there are no convolutions: put the numbers of a step side by side, `TimeDistributed(Flatten) -> LSTM(64)`";

const AVERAGE_POOLING: &str = "the mean over all steps is `GlobalAveragePooling1D`";
const MAX_POOLING: &str = "the largest values over all steps are `GlobalMaxPooling1D`";

/// By name.
#[rustfmt::skip] // a table
pub(super) const ABSENT: &[Absent] = &[
    write("AdaptiveAveragePooling1D", AVERAGE_POOLING),
    nothing("AdaptiveAveragePooling2D"),
    nothing("AdaptiveAveragePooling3D"),
    write("AdaptiveMaxPooling1D", MAX_POOLING),
    nothing("AdaptiveMaxPooling2D"),
    nothing("AdaptiveMaxPooling3D"),
    nothing("AdditiveAttention"),
    nothing("Attention"),
    write("AveragePooling1D", AVERAGE_POOLING),
    nothing("AveragePooling2D"),
    nothing("AveragePooling3D"),
    write("AvgPool1D", AVERAGE_POOLING),
    nothing("AvgPool2D"),
    nothing("AvgPool3D"),
    write("BatchNorm", "write `BatchNormalization`"),
    nothing("CategoryEncoding"),
    nothing("CenterCrop"),
    nothing("Conv1D"),
    nothing("Conv1DTranspose"),
    nothing("Conv2D"),
    nothing("Conv2DTranspose"),
    nothing("Conv3D"),
    nothing("Conv3DTranspose"),
    write("ConvLSTM1D", CONV_LSTM),
    write("ConvLSTM2D", CONV_LSTM),
    write("ConvLSTM3D", CONV_LSTM),
    nothing("Cropping1D"),
    nothing("Cropping2D"),
    nothing("Cropping3D"),
    with_number("CuDNNGRU", "write `GRU({})`: every cell takes the fast path", "64"),
    with_number("CuDNNLSTM", "write `LSTM({})`: every cell takes the fast path", "64"),
    nothing("DepthwiseConv1D"),
    nothing("DepthwiseConv2D"),
    nothing("Discretization"),
    nothing("Dot"),
    write("ELU", "write `Activation(elu)`"),
    write("EinsumDense", "over the last axis it is `Dense(64)`; other sums are a cell with `einsum` made by rnn_cell!: `RNN(MyCell(32))`"),
    nothing("FlaxLayer"),
    nothing("GlobalAveragePooling2D"),
    nothing("GlobalAveragePooling3D"),
    write("GlobalAvgPool1D", "write `GlobalAveragePooling1D`"),
    nothing("GlobalAvgPool2D"),
    nothing("GlobalAvgPool3D"),
    write("GlobalMaxPool1D", "write `GlobalMaxPooling1D`"),
    nothing("GlobalMaxPool2D"),
    nothing("GlobalMaxPool3D"),
    nothing("GlobalMaxPooling2D"),
    nothing("GlobalMaxPooling3D"),
    write("GroupNormalization", "write `LayerNormalization`"),
    nothing("GroupQueryAttention"),
    nothing("HashedCrossing"),
    nothing("Hashing"),
    write("Identity", "leave it out"),
    nothing("IntegerLookup"),
    nothing("JaxLayer"),
    write("Lambda", "a function of every number is `Activation(tanh)`; other maths of a step is a cell made by rnn_cell!: `RNN(MyCell(32))`"),
    with_number("LeakyReLU", "write `Activation(leaky_relu({}))`", "0.3"),
    write("MaxPool1D", MAX_POOLING),
    nothing("MaxPool2D"),
    nothing("MaxPool3D"),
    write("MaxPooling1D", MAX_POOLING),
    nothing("MaxPooling2D"),
    nothing("MaxPooling3D"),
    nothing("MelSpectrogram"),
    nothing("MultiHeadAttention"),
    nothing("Normalization"),
    write("PReLU", "write `Activation(leaky_relu(0.3))`"),
    write("RMSNormalization", "write `LayerNormalization`"),
    nothing("RandomFourierFeatures"),
    write("ReLU", "write `Activation(relu)`"),
    nothing("Rescaling"),
    nothing("Resizing"),
    nothing("STFTSpectrogram"),
    nothing("SeparableConv1D"),
    nothing("SeparableConv2D"),
    write("Softmax", "write `Activation(softmax)`"),
    nothing("SpatialDropout2D"),
    nothing("SpatialDropout3D"),
    nothing("SpectralNormalization"),
    nothing("StringLookup"),
    nothing("TextVectorization"),
    nothing("UnitNormalization"),
    nothing("UpSampling1D"),
    nothing("UpSampling2D"),
    nothing("UpSampling3D"),
    nothing("ZeroPadding1D"),
    nothing("ZeroPadding2D"),
    nothing("ZeroPadding3D"),
];

/// What to write instead of an absent layer, if there is something; `None` for any other.
pub(super) fn instead(layer: &LayerAst) -> Option<Option<String>> {
    let absent = ABSENT.iter().find(|a| layer.name == a.class)?;
    let own = layer.arguments.first().map(|a| &a.value);
    let own = own.filter(|v| matches!(v.kind, ValueKind::Whole(_) | ValueKind::Number(_)));
    Some(absent.instead.map(|text| match absent.number {
        Some(example) => {
            let number = own.map_or(example.to_owned(), ToString::to_string);
            text.replacen("{}", &number, 1)
        }
        None => text.to_owned(),
    }))
}
