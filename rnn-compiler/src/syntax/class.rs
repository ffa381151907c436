//! What the parser knows about the layers' classes. It reads any name as a layer; the classes only help
//! messages to translate programs for Keras.

/// What the name of a layer's class alone tells.
#[derive(Clone, Debug)]
pub struct Class {
    /// Keras's name: `LSTM`.
    pub name: &'static str,
    /// What it reads.
    pub reads: Reads,
    /// The argument that is a tuple in Keras and a list of sizes here: `target_shape`.
    pub sizes: Option<&'static str>,
    /// The operator of Python's that it stands for: `+`.
    pub operator: Option<&'static str>,
    /// The names of its arguments.
    pub arguments: Vec<&'static str>,
}

impl Class {
    /// Whether it has an argument of this name.
    pub(crate) fn takes(&self, argument: &str) -> bool {
        self.arguments.contains(&argument)
    }
}

/// What a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Nothing: it is an input of the model.
    Nothing,
    /// Class ids; before the first layer of a chain they need not be declared.
    Ids,
    /// Numbers with or without a time axis.
    Numbers,
    /// A sequence of any length.
    Sequence,
    /// A sequence, or several with the same steps.
    Sequences,
    /// A sequence whose number of steps is known.
    KnownSteps,
    /// Several values.
    Several,
}

impl Reads {
    /// Whether a layer may read more than one value.
    pub fn several(self) -> bool {
        matches!(self, Reads::Sequences | Reads::Several)
    }

    /// The input of a chain with this many features, to write before a layer that reads this. `None` where
    /// a chain needs no input or cannot have one.
    pub fn example(self, features: usize) -> Option<String> {
        match self {
            Reads::Nothing | Reads::Ids | Reads::Several => None,
            Reads::Numbers => Some(format!("Input({features})")),
            Reads::Sequence | Reads::Sequences => Some(format!("Input(_, {features})")),
            Reads::KnownSteps => Some(format!("Input({features}, {features})")),
        }
    }
}

/// The class of that name.
pub(super) fn find<'c>(classes: &'c [Class], name: &str) -> Option<&'c Class> {
    classes.iter().find(|class| class.name == name)
}

/// Whether this is the class of a model's inputs.
pub(super) fn is_input(classes: &[Class], name: &str) -> bool {
    find(classes, name).is_some_and(|class| class.reads == Reads::Nothing)
}
