//! The arguments of a layer, found by position and by name.

use super::words::{Argument, Word, argument};
use crate::network::FLAGS;

/// Arguments that may stand without a name, by class, in Keras's order.
fn positions(class: &str) -> &'static [&'static str] {
    match class {
        "Dense" => &["units", "activation"],
        "LSTM" | "LSTMCell" | "GRU" | "GRUCell" => &["units", "activation", "recurrent_activation"],
        "SimpleRNN" | "SimpleRNNCell" => &["units", "activation"],
        "RNN" => &["cell"],
        "Bidirectional" => &["layer", "merge_mode"],
        "TimeDistributed" => &["layer"],
        "Embedding" => &["input_dim", "output_dim"],
        "Activation" => &["activation"],
        "BatchNormalization" => &["axis", "momentum", "epsilon"],
        "LayerNormalization" => &["axis", "epsilon"],
        "Masking" => &["mask_value"],
        "Dropout" | "SpatialDropout1D" | "GaussianDropout" | "AlphaDropout" => &["rate"],
        "GaussianNoise" => &["stddev"],
        "ActivityRegularization" => &["l1", "l2"],
        "RepeatVector" => &["n"],
        "Concatenate" => &["axis"],
        _ => &[],
    }
}

/// The argument that has all values without a name: `Reshape(2, 3)`.
fn several(class: &str) -> Option<&'static str> {
    match class {
        "Reshape" => Some("target_shape"),
        "Permute" => Some("dims"),
        _ => None,
    }
}

/// The arguments of a layer, each with its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Arguments {
    /// In the order written.
    pub all: Vec<(String, Word)>,
}

impl Arguments {
    /// Names what stands without a name.
    ///
    /// # Errors
    /// What is not understood.
    pub fn of(class: &str, written: Vec<Argument>) -> Result<Self, String> {
        let mut all: Vec<(String, Word)> = Vec::new();
        let mut free = positions(class).iter();
        let mut list = Vec::new();
        for argument in written {
            let flag = match (&argument.name, &argument.value) {
                (None, Word::Name(name)) => FLAGS.contains(&name.as_str()).then(|| name.clone()),
                _ => None,
            };
            match (argument.name, flag) {
                (Some(name), _) => all.push((name, argument.value)),
                (None, Some(flag)) => all.push((flag, Word::Name("true".into()))),
                (None, None) if several(class).is_some() => list.push(argument.value),
                (None, None) => match free.next() {
                    Some(name) => all.push(((*name).to_owned(), argument.value)),
                    None if positions(class).is_empty() => {
                        return Err(format!("`{class}` is a cell or a layer of its own"));
                    }
                    None => {
                        let word = argument.value.text();
                        return Err(format!("the argument `{word}` has no name"));
                    }
                },
            }
        }
        if let Some(name) = several(class).filter(|_| !list.is_empty()) {
            all.push((name.to_owned(), Word::List(list)));
        }
        Ok(Arguments { all })
    }

    /// Reads texts.
    ///
    /// # Errors
    /// As [`Arguments::of`].
    pub fn read(class: &str, texts: &[String]) -> Result<Self, String> {
        let read = texts
            .iter()
            .map(|text| argument(text).ok_or_else(|| format!("`{text}` is not understood")));
        Arguments::of(class, read.collect::<Result<_, _>>()?)
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Word> {
        let mut all = self.all.iter();
        all.find(|(own, _)| own == name).map(|(_, word)| word)
    }

    /// Takes an argument out.
    pub fn take(&mut self, name: &str) -> Option<Word> {
        let at = self.all.iter().position(|(own, _)| own == name)?;
        Some(self.all.remove(at).1)
    }

    /// A flag, or its default.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        match self.get(name) {
            Some(Word::Name(word)) => word == "true",
            _ => default,
        }
    }

    /// A number, or its default.
    pub fn number(&self, name: &str, default: f64) -> f64 {
        self.get(name).and_then(Word::number).unwrap_or(default)
    }

    /// A size.
    ///
    /// # Errors
    /// If it is missing, or is the name of a `const`.
    pub fn size(&self, name: &str) -> Result<usize, String> {
        let word = self.get(name);
        word.and_then(Word::size).ok_or_else(|| match word {
            Some(word) => format!("`{name}` = `{}` is no number", word.text()),
            None => format!("`{name}` is missing"),
        })
    }

    /// A list of sizes.
    ///
    /// # Errors
    /// As [`Arguments::size`].
    pub fn sizes(&self, name: &str) -> Result<Vec<usize>, String> {
        let all = match self.get(name) {
            Some(Word::List(all)) => all.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let sizes: Option<Vec<usize>> = all.iter().map(Word::size).collect();
        match sizes {
            Some(sizes) if !sizes.is_empty() => Ok(sizes),
            _ => Err(format!("`{name}` are no numbers")),
        }
    }

    /// A word of several: `merge_mode = sum`.
    pub fn choice(&self, name: &str, default: &'static str) -> String {
        match self.get(name) {
            Some(Word::Name(word) | Word::Text(word)) => word.clone(),
            _ => default.to_owned(),
        }
    }

    /// An activation, or its default.
    pub fn activation(&self, name: &str, default: &'static str) -> Activation {
        self.get(name)
            .map_or_else(|| Activation::named(default), Activation::of)
    }
}

/// An activation: a name, and the number that it is given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Activation {
    /// `leaky_relu`
    pub name: String,
    /// `0.1`
    pub number: Option<f64>,
}

impl Activation {
    /// One without a number.
    pub fn named(name: &str) -> Self {
        Activation {
            name: name.to_owned(),
            number: None,
        }
    }

    fn of(word: &Word) -> Self {
        match word {
            Word::Call(name, arguments) => Activation {
                name: name.clone(),
                number: arguments.first().and_then(|a| a.value.number()),
            },
            other => match other.text().as_str() {
                "swish" => Activation::named("silu"),
                "exp" => Activation::named("exponential"),
                name => Activation::named(name),
            },
        }
    }

    /// Whether it is this one, without a number.
    pub fn is(&self, name: &str) -> bool {
        self.name == name && self.number.is_none()
    }

    /// As it is written.
    pub fn text(&self) -> String {
        match self.number {
            Some(x) => format!("{}({x})", self.name),
            None => self.name.clone(),
        }
    }
}

/// A layer or a cell in the argument of another: `LSTM(64)`.
///
/// # Errors
/// If it is none, or one of its arguments is not understood.
pub(crate) fn inner(word: Option<&Word>) -> Result<(String, Arguments), String> {
    match word {
        Some(Word::Call(class, arguments)) => {
            Ok((class.clone(), Arguments::of(class, arguments.clone())?))
        }
        Some(Word::Name(class)) => Ok((class.clone(), Arguments::default())),
        Some(other) => Err(format!("`{}` is no layer", other.text())),
        None => Err("the layer in it is missing".into()),
    }
}
