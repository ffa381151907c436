//! What a layer of a file is here: its text, its parameters, the shapes that it gives.

use crate::elements;

/// The axes of a value without the batch, open ones as `None`; `None` if they are not known.
pub(super) type Shape = Option<Vec<Option<usize>>>;

/// A layer here.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    /// `LSTM`
    pub class: String,
    /// `16`, `return_sequences`
    pub arguments: Vec<String>,
    /// In the order in which the model here has them.
    pub params: Vec<Param>,
    /// The shapes of its outputs, then of its states.
    pub results: Vec<Shape>,
    /// How many of the results are outputs.
    pub outputs: usize,
    /// How many states it takes as `initial_state`; 0 for a layer without any.
    pub states: usize,
    /// Whether it reads class ids.
    pub ids: bool,
    /// Whether what it gives depends on the mask.
    pub masked: Masked,
    /// What its outputs have as a mask.
    pub mask: Mask,
    /// Whether its outputs have the steps of its input.
    pub steps: bool,
}

/// What a mask does to what a layer gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Masked {
    /// Nothing.
    No,
    /// Padded steps are left out, here and in Keras.
    Yes,
    /// Padded steps are left out here, and Keras takes them.
    HereOnly,
}

/// The mask of a layer's outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mask {
    /// That of the input.
    Kept,
    /// None.
    Lost,
    /// Steps whose id is not 0.
    Ids,
    /// Steps that are not all this value.
    Value(f64),
    /// Steps that are valid in one of several inputs, if all have masks.
    Any,
    /// Steps that are valid in one of several inputs, where one without a mask is valid everywhere.
    Joined,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Param {
    /// Its name below the layer's: `kernel`, `forward_lstm/kernel`.
    pub name: String,
    /// Keras's own name for it: `kernel`.
    pub last: &'static str,
    /// Its axes; `None` for one that depends on a shape that is not known.
    pub shape: Vec<Option<usize>>,
    /// Where `.weights.h5` has it, below the layer: `cell`, `forward_layer/cell`.
    pub place: String,
    /// Its number there.
    pub index: usize,
    /// Whether an optimizer changes it.
    pub trained: bool,
    /// What the direction's name in the file starts with: `forward`, `backward`.
    pub direction: Option<&'static str>,
}

impl Param {
    pub fn new(last: &'static str, shape: Vec<Option<usize>>, index: usize) -> Self {
        Param {
            name: last.to_owned(),
            last,
            shape,
            place: String::new(),
            index,
            trained: true,
            direction: None,
        }
    }

    /// The same parameter of a layer inside another: `prefix` in its name here, `place` before its place in the file.
    pub fn inside(mut self, prefix: &str, place: &str) -> Self {
        if !prefix.is_empty() {
            self.name = format!("{prefix}/{}", self.name);
        }
        self.place = match self.place.is_empty() {
            true => place.to_owned(),
            false => format!("{place}/{}", self.place),
        };
        self
    }

    /// Whether a tensor of this shape fits.
    pub fn fits(&self, shape: &[usize]) -> bool {
        shape.len() == self.shape.len()
            && (shape.iter().zip(&self.shape)).all(|(n, wanted)| wanted.is_none_or(|w| w == *n))
    }

    /// The axes for a message: `[3, 16]`, `[_, 16]`.
    pub fn axes(&self) -> String {
        let all = self.shape.iter();
        let all: Vec<String> = all
            .map(|n| n.map_or("_".to_owned(), |n| n.to_string()))
            .collect();
        format!("[{}]", all.join(", "))
    }
}

impl Spec {
    /// A layer of one result that does nothing to masks.
    pub fn new(class: &str, arguments: Vec<String>, result: Shape) -> Self {
        Spec {
            class: class.to_owned(),
            arguments,
            params: Vec::new(),
            results: vec![result],
            outputs: 1,
            states: 0,
            ids: false,
            masked: Masked::No,
            mask: Mask::Kept,
            steps: true,
        }
    }

    /// The same without the steps and the mask of its input.
    pub fn without_steps(self) -> Self {
        Spec {
            mask: Mask::Lost,
            steps: false,
            ..self
        }
    }

    /// What stands inside another layer: `Dense(4)`.
    pub fn text(&self) -> String {
        match self.arguments.is_empty() {
            true => self.class.clone(),
            false => format!("{}({})", self.class, self.arguments.join(", ")),
        }
    }
}

/// The last axis.
pub(super) fn features(shape: &Shape) -> Option<usize> {
    shape.as_ref()?.last().copied().flatten()
}

/// The same shape with another last axis.
pub(super) fn with_features(shape: &Shape, features: Option<usize>) -> Shape {
    let mut axes = shape.clone()?;
    *axes.last_mut()? = features;
    Some(axes)
}

/// The product of all axes, if they are known.
pub(super) fn width(axes: &[Option<usize>]) -> Option<usize> {
    let known: Option<Vec<usize>> = axes.iter().copied().collect();
    elements(&known?)
}
