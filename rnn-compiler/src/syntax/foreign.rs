//! Names of layers and arguments that people bring from Keras, PyTorch and others, and what is written here:
//! data for messages. One line adds a name.

use super::{
    ast::{ArgumentAst, LayerAst, ValueAst, ValueKind, path_text},
    class::{Class, find},
};
use crate::cell::{activations, is_const};

/// A name of a layer that is none here.
struct Layer {
    /// The name there.
    name: &'static str,
    /// Who calls it so.
    of: Of,
    /// What is written here.
    to: To,
}

/// Whose name it is.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    /// Keras has it and this project has not.
    Keras,
    /// Another name of the same, in Keras or elsewhere.
    Alias,
    /// PyTorch's; its layers get the size of their input first.
    PyTorch,
}
use Of::{Alias, Keras, PyTorch};

/// What is written here instead of a layer.
enum To {
    /// A class of this project, with the same arguments.
    Class(&'static str),
    /// This code, whatever the arguments were.
    Code(&'static str),
    /// This code with the user's first number for `{}`, or with the number here.
    Number(&'static str, &'static str),
    /// Nothing does the same; a sentence with the nearest.
    Nearest(&'static str),
}
use To::{Class as Is, Code, Nearest, Number};

const CONVOLUTION: &str = "there are no convolutions; the nearest is a recurrent layer that returns its sequence: `LSTM(64, return_sequences)`";
const IMAGE: &str = "there are no layers of images; the nearest puts the numbers of a step side by side: `TimeDistributed(Flatten)`";
const CONV_LSTM: &str = "there are no convolutions; the nearest puts the numbers of a step side by side: `TimeDistributed(Flatten) -> LSTM(64)`";
const AVERAGE: &str =
    "there are no windows; the nearest is the mean over all steps: `GlobalAveragePooling1D`";
const MAX: &str =
    "there are no windows; the nearest is the largest over all steps: `GlobalMaxPooling1D`";
const AVERAGE_2D: &str = "pooling here is over the steps of a sequence; the nearest is the mean over all of them: `GlobalAveragePooling1D`";
const MAX_2D: &str = "pooling here is over the steps of a sequence; the nearest is the largest over all of them: `GlobalMaxPooling1D`";
const ATTENTION: &str = "there is no attention; the nearest takes the mean over all steps, `GlobalAveragePooling1D`, or reads in both directions: `Bidirectional(LSTM(64))`";
const DATA: &str = "this belongs to the data: do it in Rust before `predict` or `Dataset::new`, and leave the layer out";
const VIEW: &str =
    "all axes after the batch become one by `Flatten`, and get other sizes by `Reshape(4, 6)`";
const NOTHING: &str = "nothing here does the same; the nearest is a cell of your own for one step, made by rnn_cell!: `RNN(MyCell(32))`";

/// By name.
#[rustfmt::skip] // a table
const LAYERS: &[Layer] = &[
    layer("AdaptiveAveragePooling1D", Keras, Nearest(AVERAGE)),
    layer("AdaptiveAveragePooling2D", Keras, Nearest(AVERAGE_2D)),
    layer("AdaptiveAveragePooling3D", Keras, Nearest(AVERAGE_2D)),
    layer("AdaptiveAvgPool1d", PyTorch, Nearest("of output size 1 it is `GlobalAveragePooling1D`")),
    layer("AdaptiveMaxPool1d", PyTorch, Nearest("of output size 1 it is `GlobalMaxPooling1D`")),
    layer("AdaptiveMaxPooling1D", Keras, Nearest(MAX)),
    layer("AdaptiveMaxPooling2D", Keras, Nearest(MAX_2D)),
    layer("AdaptiveMaxPooling3D", Keras, Nearest(MAX_2D)),
    layer("AdditiveAttention", Keras, Nearest(ATTENTION)),
    layer("Attention", Keras, Nearest(ATTENTION)),
    layer("AveragePooling1D", Keras, Nearest(AVERAGE)),
    layer("AveragePooling2D", Keras, Nearest(AVERAGE_2D)),
    layer("AveragePooling3D", Keras, Nearest(AVERAGE_2D)),
    layer("AvgPool1D", Keras, Nearest(AVERAGE)),
    layer("AvgPool1d", PyTorch, Nearest(AVERAGE)),
    layer("AvgPool2D", Keras, Nearest(AVERAGE_2D)),
    layer("AvgPool3D", Keras, Nearest(AVERAGE_2D)),
    layer("BLSTM", Alias, Number("Bidirectional(LSTM({}))", "64")),
    layer("BatchNorm", Alias, Is("BatchNormalization")),
    layer("BatchNorm1d", PyTorch, Code("BatchNormalization(epsilon = 1e-5, momentum = 0.9)")),
    layer("BiGRU", Alias, Number("Bidirectional(GRU({}))", "64")),
    layer("BiLSTM", Alias, Number("Bidirectional(LSTM({}))", "64")),
    layer("CategoryEncoding", Keras, Nearest(DATA)),
    layer("CenterCrop", Keras, Nearest(DATA)),
    layer("Conv1D", Keras, Nearest(CONVOLUTION)),
    layer("Conv1DTranspose", Keras, Nearest(CONVOLUTION)),
    layer("Conv1d", PyTorch, Nearest(CONVOLUTION)),
    layer("Conv2D", Keras, Nearest(IMAGE)),
    layer("Conv2DTranspose", Keras, Nearest(IMAGE)),
    layer("Conv2d", PyTorch, Nearest(IMAGE)),
    layer("Conv3D", Keras, Nearest(IMAGE)),
    layer("Conv3DTranspose", Keras, Nearest(IMAGE)),
    layer("ConvLSTM1D", Keras, Nearest(CONV_LSTM)),
    layer("ConvLSTM2D", Keras, Nearest(CONV_LSTM)),
    layer("ConvLSTM3D", Keras, Nearest(CONV_LSTM)),
    layer("Cropping1D", Keras, Nearest(DATA)),
    layer("Cropping2D", Keras, Nearest(DATA)),
    layer("Cropping3D", Keras, Nearest(DATA)),
    layer("CuDNNGRU", Alias, Is("GRU")),
    layer("CuDNNLSTM", Alias, Is("LSTM")),
    layer("DepthwiseConv1D", Keras, Nearest(CONVOLUTION)),
    layer("DepthwiseConv2D", Keras, Nearest(IMAGE)),
    layer("Discretization", Keras, Nearest(DATA)),
    layer("Dot", Keras, Nearest("there is no product over axes; the nearest multiplies value by value: `(a, b) -> Multiply`")),
    layer("EinsumDense", Keras, Nearest("over the last axis it is `Dense(64)`; other sums are a cell with `einsum` made by rnn_cell!: `RNN(MyCell(32))`")),
    layer("FlaxLayer", Keras, Nearest(NOTHING)),
    layer("GlobalAveragePooling2D", Keras, Nearest(AVERAGE_2D)),
    layer("GlobalAveragePooling3D", Keras, Nearest(AVERAGE_2D)),
    layer("GlobalAvgPool1D", Alias, Is("GlobalAveragePooling1D")),
    layer("GlobalAvgPool2D", Keras, Nearest(AVERAGE_2D)),
    layer("GlobalAvgPool3D", Keras, Nearest(AVERAGE_2D)),
    layer("GlobalMaxPool1D", Alias, Is("GlobalMaxPooling1D")),
    layer("GlobalMaxPool2D", Keras, Nearest(MAX_2D)),
    layer("GlobalMaxPool3D", Keras, Nearest(MAX_2D)),
    layer("GlobalMaxPooling2D", Keras, Nearest(MAX_2D)),
    layer("GlobalMaxPooling3D", Keras, Nearest(MAX_2D)),
    layer("GroupNorm", PyTorch, Nearest("the nearest is one group of all features: `LayerNormalization`")),
    layer("GroupNormalization", Keras, Nearest("the nearest is one group of all features: `LayerNormalization`")),
    layer("GroupQueryAttention", Keras, Nearest(ATTENTION)),
    layer("HashedCrossing", Keras, Nearest(DATA)),
    layer("Hashing", Keras, Nearest(DATA)),
    layer("Identity", Keras, Nearest("leave it out")),
    layer("IntegerLookup", Keras, Nearest(DATA)),
    layer("JaxLayer", Keras, Nearest(NOTHING)),
    layer("Lambda", Keras, Nearest("a function of every number is `Activation(tanh)`; other maths of a step is a cell made by rnn_cell!: `RNN(MyCell(32))`")),
    layer("LayerNorm", PyTorch, Code("LayerNormalization(epsilon = 1e-5)")),
    layer("LazyLinear", PyTorch, Is("Dense")),
    layer("LeakyReLU", Alias, Number("Activation(leaky_relu({}))", "0.3")),
    layer("Linear", PyTorch, Is("Dense")),
    layer("LogSoftmax", PyTorch, Nearest("the loss takes the logarithm: write `Activation(softmax)` here, and `SparseCategoricalCrossentropy::default()` in the trainer")),
    layer("MaxPool1D", Keras, Nearest(MAX)),
    layer("MaxPool1d", PyTorch, Nearest(MAX)),
    layer("MaxPool2D", Keras, Nearest(MAX_2D)),
    layer("MaxPool2d", PyTorch, Nearest(MAX_2D)),
    layer("MaxPool3D", Keras, Nearest(MAX_2D)),
    layer("MaxPooling1D", Keras, Nearest(MAX)),
    layer("MaxPooling2D", Keras, Nearest(MAX_2D)),
    layer("MaxPooling3D", Keras, Nearest(MAX_2D)),
    layer("MelSpectrogram", Keras, Nearest(DATA)),
    layer("MultiHeadAttention", Keras, Nearest(ATTENTION)),
    layer("MultiheadAttention", PyTorch, Nearest(ATTENTION)),
    layer("Normalization", Keras, Nearest("statistics of the data are taken before the model, by `Normalization::adapt`; the nearest layer is `BatchNormalization`")),
    layer("PReLU", Keras, Nearest("a slope that is learned is not supported; the nearest is `Activation(leaky_relu(0.3))`")),
    layer("RMSNorm", PyTorch, Nearest("the nearest takes the mean off, too: `LayerNormalization`")),
    layer("RMSNormalization", Keras, Nearest("the nearest takes the mean off, too: `LayerNormalization`")),
    // With sizes: with a cell it is the class of that name.
    layer("RNN", PyTorch, Is("SimpleRNN")),
    layer("RandomFourierFeatures", Keras, Nearest(NOTHING)),
    layer("Rearrange", PyTorch, Nearest("axes change places by `Permute(2, 1)`, and numbers get other axes by `Reshape(4, 6)`")),
    layer("Rescaling", Keras, Nearest(DATA)),
    layer("Resizing", Keras, Nearest(DATA)),
    layer("STFTSpectrogram", Keras, Nearest(DATA)),
    layer("SeparableConv1D", Keras, Nearest(CONVOLUTION)),
    layer("SeparableConv2D", Keras, Nearest(IMAGE)),
    layer("SpatialDropout2D", Keras, Nearest("the nearest drops whole features of a sequence: `SpatialDropout1D(0.5)`")),
    layer("SpatialDropout3D", Keras, Nearest("the nearest drops whole features of a sequence: `SpatialDropout1D(0.5)`")),
    layer("SpectralNormalization", Keras, Nearest("the nearest bounds the norm of weights: `kernel_constraint = max_norm(2)`")),
    layer("StringLookup", Keras, Nearest(DATA)),
    layer("TextVectorization", Keras, Nearest(DATA)),
    layer("Transformer", PyTorch, Nearest(ATTENTION)),
    layer("TransformerEncoder", PyTorch, Nearest(ATTENTION)),
    layer("TransformerEncoderLayer", PyTorch, Nearest(ATTENTION)),
    layer("Unflatten", PyTorch, Nearest("write the sizes alone: `Reshape(4, 6)`")),
    layer("UnitNormalization", Keras, Nearest("the nearest is `LayerNormalization`")),
    layer("UpSampling1D", Keras, Nearest("steps are not repeated; the nearest repeats a vector: `RepeatVector(10)`")),
    layer("UpSampling2D", Keras, Nearest(IMAGE)),
    layer("UpSampling3D", Keras, Nearest(IMAGE)),
    layer("ZeroPadding1D", Keras, Nearest(DATA)),
    layer("ZeroPadding2D", Keras, Nearest(DATA)),
    layer("ZeroPadding3D", Keras, Nearest(DATA)),
    layer("add", Alias, Is("Add")),
    layer("average", Alias, Is("Average")),
    layer("cat", PyTorch, Code("Concatenate")),
    layer("concat", Alias, Is("Concatenate")),
    layer("concatenate", Alias, Is("Concatenate")),
    layer("flatten", Alias, Code("Flatten")),
    layer("matmul", PyTorch, Nearest("there is no product of two values; the nearest multiplies value by value: `(a, b) -> Multiply`")),
    layer("max", PyTorch, Code("GlobalMaxPooling1D")),
    layer("maximum", Alias, Is("Maximum")),
    layer("mean", PyTorch, Code("GlobalAveragePooling1D")),
    layer("minimum", Alias, Is("Minimum")),
    layer("multiply", Alias, Is("Multiply")),
    layer("reduce_max", Alias, Code("GlobalMaxPooling1D")),
    layer("reduce_mean", Alias, Code("GlobalAveragePooling1D")),
    layer("reshape", PyTorch, Nearest(VIEW)),
    layer("subtract", Alias, Is("Subtract")),
    layer("view", PyTorch, Nearest(VIEW)),
];

const fn layer(name: &'static str, of: Of, to: To) -> Layer {
    Layer { name, of, to }
}

/// What is written here instead of an argument.
enum Instead {
    /// The argument of this name.
    Name(&'static str),
    /// This flag.
    Flag(&'static str),
    /// These arguments, with the value for `{}`.
    Arguments(&'static str),
    /// Nothing, because of this.
    Leave(&'static str),
    /// A layer around this one, for `{}`, unless it is false.
    Around(&'static str),
    /// A layer after this one, with the value for `{}`.
    After(&'static str),
    /// As many layers, one after another.
    Layers,
}
use Instead::{After, Arguments, Around, Flag, Layers, Leave, Name};

const FEATURES: &str = "the number of features comes from what stands before the layer";

/// Names of arguments elsewhere, in no order: a layer's own arguments are looked up first. The first that fits
/// the layer counts.
#[rustfmt::skip] // a table
const ARGUMENTS: &[(&str, Instead)] = &[
    ("affine", Arguments("center = {}, scale = {}")),
    ("batch_first", Leave("the batch is the first axis everywhere")),
    ("batch_size", Leave("a model takes batches of any size")),
    ("bias", Name("use_bias")),
    ("bidirectional", Around("Bidirectional({})")),
    ("device", Leave("a model moves as a whole: `model.to(&Device::auto())?`")),
    ("dim", Leave("it works on the last axis")),
    ("embedding_dim", Name("output_dim")),
    ("eps", Name("epsilon")),
    ("features", Name("units")),
    ("hidden_dim", Name("units")),
    ("hidden_size", Name("units")),
    ("hidden_units", Name("units")),
    ("in_features", Leave(FEATURES)),
    ("init", Name("kernel_initializer")),
    ("inner_activation", Name("recurrent_activation")),
    ("input_size", Leave(FEATURES)),
    ("merge", Name("merge_mode")),
    ("n_units", Name("units")),
    ("nb_units", Name("units")),
    ("nonlinearity", Name("activation")),
    ("num_embeddings", Name("input_dim")),
    ("num_layers", Layers),
    ("num_units", Name("units")),
    ("out_features", Name("units")),
    ("output_dim", Name("units")),
    ("p", Name("rate")),
    ("padding_idx", Flag("mask_zero")),
    ("proj_size", After("Dense({})")),
    ("start_dim", Leave("all axes after the batch are joined")),
    ("vocab_size", Name("input_dim")),
    ("vocabulary_size", Name("input_dim")),
    ("weight_decay", Arguments("kernel_regularizer = l2({})")),
    ("weight_initializer", Name("kernel_initializer")),
    ("weights", Leave("weights are set after the model is made, or loaded by `model.load(\"model.safetensors\")?`")),
];

/// What a layer of another library is here, for a message.
pub(crate) struct Here {
    /// What is wrong, in one sentence.
    pub(crate) words: String,
    /// Why parts of it are left out.
    pub(crate) notes: Vec<String>,
    /// What to write, as a sentence.
    pub(crate) help: String,
    /// The code alone, if there is one that does the same.
    pub(crate) code: Option<String>,
    /// The message's code.
    pub(crate) id: &'static str,
}

/// Whether a name is one of another library's layers, whose arguments need not be readable.
pub(super) fn is_layer(name: &str) -> bool {
    LAYERS.iter().any(|l| l.name == name)
}

/// What a layer is here whose name is none of the classes; `None` for a name that nobody uses. An activation
/// that stands as a layer is one of them.
pub(crate) fn layer_here(layer: &LayerAst, classes: &[Class]) -> Option<Here> {
    let name = layer.name.to_string();
    let Some(known) = LAYERS.iter().find(|l| l.name == name) else {
        let own = activation(&name)?;
        return Some(Here {
            words: format!(
                "there is no layer `{name}`: an activation stands in a layer of its own"
            ),
            notes: Vec::new(),
            help: format!("write `Activation({own})`"),
            code: Some(format!("Activation({own})")),
            id: "RNN0101",
        });
    };
    let mut notes = Vec::new();
    let code = match known.to {
        To::Class(class) => {
            let (code, why) = written(&as_class(layer, class), classes);
            notes = why;
            code
        }
        To::Code(code) => code.to_owned(),
        To::Number(code, example) => {
            let own = layer.arguments.iter().map(|a| &a.value);
            let mut own =
                own.filter(|v| matches!(v.kind, ValueKind::Whole(_) | ValueKind::Number(_)));
            let number = own.next().map_or(example.to_owned(), ToString::to_string);
            code.replacen("{}", &number, 1)
        }
        To::Nearest(help) => {
            return Some(Here {
                words: match known.of {
                    Keras | Alias => format!("Keras's layer {name} is not supported yet"),
                    PyTorch => format!("PyTorch's layer {name} is not supported"),
                },
                notes,
                help: help.to_owned(),
                code: None,
                id: match known.of {
                    PyTorch => "RNN0101",
                    Keras | Alias => "RNN0100",
                },
            });
        }
    };
    let class = match known.to {
        To::Class(class) => class,
        _ => code.as_str(),
    };
    let (words, id) = match known.of {
        // Keras's class of that name runs a cell.
        PyTorch if find(classes, &name).is_some() => (
            format!("{name} runs a cell, found sizes: PyTorch's `{name}` is `{class}` here"),
            "RNN0133",
        ),
        PyTorch => (
            format!("there is no layer `{name}`: PyTorch's `{name}` is `{class}` here"),
            "RNN0101",
        ),
        Keras | Alias => (
            format!("there is no layer `{name}`: it is called `{class}` here"),
            "RNN0101",
        ),
    };
    Some(Here {
        words,
        notes,
        help: format!("write `{code}`"),
        code: Some(code),
        id,
    })
}

/// The activation that a name means: `relu` of `ReLU`, `leaky_relu` of `LeakyReLU`.
pub(crate) fn activation(name: &str) -> Option<String> {
    let plain = name.to_lowercase().replace('_', "");
    let same = |one: &&str| one.replace('_', "") == plain;
    let own = activations().find(same);
    let other = match plain.as_str() {
        "hardswish" => Some("hard_silu"),
        "logistic" => Some("sigmoid"),
        _ => None,
    };
    own.or(other).map(str::to_owned)
}

/// A cell of PyTorch's in the place of a layer, as it is written here.
pub(super) fn cell(layer: &LayerAst) -> Option<String> {
    let name = match layer.name.to_string().as_str() {
        "LSTMCell" => "LSTMCell",
        "GRUCell" => "GRUCell",
        "RNNCell" | "SimpleRNNCell" => "SimpleRNNCell",
        _ => return None,
    };
    // Input and output, or the output alone.
    let own = |a: &&ArgumentAst| is_size(&a.value) && !a.is_named("input_size");
    let own = layer.arguments.iter().rfind(own);
    let own = own.map_or("64".to_owned(), |a| a.value.to_string());
    Some(format!("RNN({name}({own}))"))
}

/// Whether a value is a size: a whole number or the name of a `const`.
fn is_size(value: &ValueAst) -> bool {
    match &value.kind {
        ValueKind::Whole(_) => true,
        // A `const` is all capitals; an activation's class is not.
        ValueKind::Path(path) => {
            let text = path_text(path);
            is_const(path) && text.len() > 1 && !text.contains(char::is_lowercase)
        }
        _ => false,
    }
}

/// The sizes that a layer gets without names, first of its arguments: PyTorch's layers get those of input and output.
fn sizes(layer: &LayerAst) -> usize {
    let mut arguments = layer.arguments.iter();
    arguments
        .position(|a| a.name.is_some() || !is_size(&a.value))
        .unwrap_or(layer.arguments.len())
}

/// Whether a layer has PyTorch's two sizes, or is one of PyTorch's that has a class of the same name here.
pub(crate) fn has_two_sizes(layer: &LayerAst) -> bool {
    sizes(layer) >= 2
}

/// A layer of PyTorch's with sizes where the class of that name here takes something else: `RNN(16)`.
pub(crate) fn sized(layer: &LayerAst, classes: &[Class]) -> Option<Here> {
    find(classes, &layer.name.to_string())?;
    sized_name(layer)?;
    layer_here(layer, classes)
}

/// The line of a layer of PyTorch's that has sizes.
fn sized_name(layer: &LayerAst) -> Option<&'static Layer> {
    let known = |l: &&Layer| l.of == PyTorch && layer.name == l.name;
    let sized = sizes(layer) > 0 || layer.arguments.iter().any(|a| a.is_named("hidden_size"));
    LAYERS.iter().find(known).filter(|_| sized)
}

fn as_class(layer: &LayerAst, class: &str) -> LayerAst {
    LayerAst {
        name: proc_macro2::Ident::new(class, layer.name.span()),
        arguments: layer.arguments.clone(),
    }
}

/// What a name of an argument means for a class that has not got it.
fn argument(class: &Class, name: &str) -> Option<&'static Instead> {
    let fits = |to: &Instead| match to {
        Name(own) | Flag(own) => class.takes(own),
        Arguments(all) => {
            let own = all.split(" = ").next().unwrap_or_default();
            class.takes(own)
        }
        Leave(_) => true,
        Around(_) | After(_) | Layers => class.takes("return_sequences"),
    };
    let mut known = ARGUMENTS.iter().filter(|(n, _)| *n == name);
    known.find(|(_, to)| fits(to)).map(|(_, to)| to)
}

/// Whether an argument is known from elsewhere, and no class here has it.
pub(super) fn is_foreign_argument(name: &str, classes: &[Class]) -> bool {
    ARGUMENTS.iter().any(|(n, _)| *n == name) && !classes.iter().any(|class| class.takes(name))
}

/// Whether an argument that a class has not got is known from elsewhere.
pub(crate) fn is_argument(class: &Class, name: &str) -> bool {
    !class.takes(name) && argument(class, name).is_some()
}

/// A layer as it is written here, with all its arguments, and why some are left out. A layer of a
/// class of this project's keeps what it has; one of another library's is translated.
pub(crate) fn written(layer: &LayerAst, classes: &[Class]) -> (String, Vec<String>) {
    let class = find(classes, &layer.name.to_string());
    let Some(class) = class.filter(|_| sized_name(layer).is_none()) else {
        return match layer_here(layer, classes) {
            Some(Here {
                code: Some(code),
                notes,
                ..
            }) => (code, notes),
            _ => (layer.to_string(), Vec::new()),
        };
    };
    let mut own = layer.clone();
    own.arguments.clear();
    let (mut notes, mut around, mut after, mut times) = (Vec::new(), None, None, 1);
    let sizes = match class.takes("units") {
        true => sizes(layer),
        false => 0,
    };
    if sizes >= 2 {
        notes.push(format!("{} gets its own size only: {FEATURES}", class.name));
    }
    for (index, a) in layer.arguments.iter().enumerate() {
        // Input, output, layers.
        if index < sizes {
            match (index, &a.value.kind) {
                (0, _) if sizes >= 2 => {}
                (2, ValueKind::Whole(n)) if class.takes("return_sequences") => times = *n,
                (0 | 1, _) => own.arguments.push(a.clone()),
                _ => {}
            }
            continue;
        }
        let name = match &a.name {
            Some(name) => name.to_string(),
            None => {
                own.arguments.push(a.clone());
                continue;
            }
        };
        if class.takes(&name) {
            own.arguments.push(a.clone());
            continue;
        }
        let is_false = matches!(a.value.kind, ValueKind::Flag(false));
        match argument(class, &name) {
            Some(Name(to)) => own.arguments.push(ArgumentAst {
                name: Some(proc_macro2::Ident::new(to, a.span())),
                value: a.value.clone(),
            }),
            Some(Flag(flag)) => own.arguments.extend(read(flag)),
            Some(Arguments(all)) => {
                own.arguments
                    .extend(read(&all.replace("{}", &a.value.to_string())));
            }
            Some(Leave(why)) => notes.push(format!("`{name}`: {why}")),
            Some(Around(_)) if is_false => {}
            Some(Around(code)) => around = Some(*code),
            Some(After(code)) => after = Some(code.replace("{}", &a.value.to_string())),
            Some(Layers) => match a.value.kind {
                ValueKind::Whole(n) => times = n,
                _ => times = 2,
            },
            None => own.arguments.push(a.clone()),
        }
    }
    let sequences = |l: &LayerAst| {
        let mut l = l.clone();
        l.arguments.retain(|a| !a.is_named("return_sequences"));
        l.arguments.extend(read("return_sequences"));
        l.to_string()
    };
    let mut chain: Vec<String> = (1..times.min(8)).map(|_| sequences(&own)).collect();
    chain.push(own.to_string());
    if let Some(around) = around {
        chain = chain.iter().map(|l| around.replace("{}", l)).collect();
    }
    chain.extend(after);
    (chain.join(" -> "), notes)
}

/// The arguments in a text.
fn read(text: &str) -> Vec<ArgumentAst> {
    LayerAst::of_text(&format!("X({text})")).map_or(Vec::new(), |l| l.arguments)
}

impl ArgumentAst {
    /// Whether it has this name before `=`, or is this name alone.
    fn is_named(&self, name: &str) -> bool {
        match (&self.name, &self.value.kind) {
            (Some(own), _) => own == name,
            (None, ValueKind::Path(path)) => path.is_ident(name),
            _ => false,
        }
    }
}

/// The classes that the table names, with the name that stands for each: for a test that they exist.
#[cfg(test)]
pub(crate) fn targets() -> impl Iterator<Item = (&'static str, &'static str)> {
    LAYERS.iter().filter_map(|l| match l.to {
        To::Class(class) => Some((l.name, class)),
        To::Code(code) | To::Number(code, _) => {
            Some((l.name, code.split('(').next().unwrap_or_default()))
        }
        To::Nearest(_) => None,
    })
}

/// The names of layers that the table knows.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    LAYERS.iter().map(|l| l.name)
}
