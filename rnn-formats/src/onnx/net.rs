//! The layers that a graph becomes, before they are put in words.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use super::activation::Act;
use super::array::Budget;
use super::flow::{Part, Src};

/// An epsilon that changes no number of 32 bits beside 1.
pub(super) const EXACT: f32 = 1e-12;

/// Which recurrent operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Lstm,
    Gru,
    Rnn,
}

impl Family {
    /// How many gates there are.
    pub fn gates(self) -> usize {
        match self {
            Family::Lstm => 4,
            Family::Gru => 3,
            Family::Rnn => 1,
        }
    }

    /// How many states there are.
    pub fn states(self) -> usize {
        match self {
            Family::Lstm => 2,
            Family::Gru | Family::Rnn => 1,
        }
    }
}

/// Where a state starts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Initial {
    Zero,
    /// The same numbers for all rows.
    Constant(Vec<f32>),
    Value(Src),
}

/// One direction of a recurrent layer. Gates are in Keras's order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Way {
    pub backward: bool,
    /// `[input, gates * units]`
    pub kernel: Rc<Vec<f32>>,
    /// `[units, gates * units]`
    pub recurrent: Rc<Vec<f32>>,
    /// `[gates * units]`, or `[2, gates * units]` of a GRU with `reset_after`.
    pub bias: Option<Vec<f32>>,
    /// `[3 * units]`: input, forget, output.
    pub peephole: Option<Vec<f32>>,
    pub activations: Vec<Act>,
    pub initial: Vec<Initial>,
}

/// A recurrent layer. Its results are, for each direction, the outputs of all steps in the order of time, and the states.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recurrent {
    /// The node in the file, for messages.
    pub title: String,
    pub family: Family,
    pub input: usize,
    pub units: usize,
    pub ways: Vec<Way>,
    pub clip: Option<f32>,
    /// The forget gate is what the input gate leaves.
    pub coupled: bool,
    pub reset_after: bool,
    pub mask: Option<Src>,
    /// The kernel is the identity: what stands before may become it.
    pub bare: bool,
}

impl Recurrent {
    /// The number of the result that has the outputs of all steps.
    pub fn sequence(&self, way: usize) -> usize {
        way * (1 + self.family.states())
    }

    /// The number of the result that is a state.
    pub fn state(&self, way: usize, state: usize) -> usize {
        self.sequence(way) + 1 + state
    }
}

/// What a layer does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    /// An input of the model, by its number in [`super::inputs::Inputs`].
    Input(usize),
    Recurrent(Box<Recurrent>),
    /// `kernel` is `[input, units]`.
    Dense {
        kernel: Rc<Vec<f32>>,
        bias: Option<Vec<f32>>,
        activation: Option<String>,
    },
    Embedding {
        rows: usize,
        table: Rc<Vec<f32>>,
    },
    Activation(String),
    /// A product with a constant for each feature.
    Scale(Vec<f32>),
    /// A sum with a constant for each feature.
    Shift(Vec<f32>),
    BatchNorm {
        gamma: Vec<f32>,
        beta: Vec<f32>,
        mean: Vec<f32>,
        variance: Vec<f32>,
        epsilon: f32,
    },
    LayerNorm {
        gamma: Option<Vec<f32>>,
        beta: Option<Vec<f32>>,
        epsilon: f32,
    },
    /// `Add`, `Concatenate`, …: several values become one.
    Merge(&'static str),
    /// The last step of a sequence, or the first.
    Edge {
        last: bool,
    },
    /// The steps in the opposite order.
    Reverse,
    /// A layer without weights: `GlobalMaxPooling1D`, `Flatten`, `RepeatVector(1)`.
    Plain(&'static str),
}

/// A result of a layer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    pub width: usize,
    /// Whether it has steps.
    pub timed: bool,
    /// The mask that its steps have.
    pub mask: Option<Src>,
}

/// A layer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    pub op: Op,
    /// What it reads: the value, then the starts of states, then the mask.
    pub inputs: Vec<Src>,
    pub results: Vec<Shape>,
    /// What it may be called.
    pub hint: Option<String>,
}

/// All layers.
#[derive(Debug, Default)]
pub(super) struct Net {
    pub layers: Vec<Layer>,
    joined: HashMap<Vec<Part2>, Src>,
    edges: HashMap<(Src, bool), Src>,
    /// What a layer of the node that is being read may be called.
    pub hint: Option<String>,
    pub notes: Vec<String>,
    /// What somebody has to know about the axes of inputs.
    pub layouts: HashMap<String, String>,
}

/// A part as a key.
type Part2 = (Src, usize, usize);

type Done<T> = Result<T, String>;

impl Net {
    /// A layer of one result.
    pub fn add(&mut self, op: Op, inputs: Vec<Src>, result: Shape) -> Src {
        self.add_several(op, inputs, vec![result])
    }

    /// A layer; its first result.
    pub fn add_several(&mut self, op: Op, inputs: Vec<Src>, results: Vec<Shape>) -> Src {
        self.layers.push(Layer {
            op,
            inputs,
            results,
            hint: self.hint.clone(),
        });
        Src {
            layer: self.layers.len() - 1,
            result: 0,
        }
    }

    /// What a value is like.
    pub fn shape(&self, src: Src) -> Shape {
        let found = self
            .layers
            .get(src.layer)
            .and_then(|l| l.results.get(src.result));
        found.cloned().unwrap_or(Shape {
            width: 0,
            timed: false,
            mask: None,
        })
    }

    /// A layer from one value to one of the same steps.
    pub fn after(&mut self, src: Src, op: Op, width: usize) -> Src {
        let shape = Shape {
            width,
            ..self.shape(src)
        };
        self.add(op, vec![src], shape)
    }

    /// One value that has these features in this order.
    pub fn whole(&mut self, parts: &[Part], budget: &mut Budget) -> Done<Src> {
        let key: Vec<Part2> = parts.iter().map(|p| (p.src, p.start, p.len)).collect();
        if let Some(found) = self.joined.get(&key) {
            return Ok(*found);
        }
        let src = self.make_whole(parts, budget)?;
        self.joined.insert(key, src);
        Ok(src)
    }

    fn is_whole(&self, part: &Part) -> bool {
        part.start == 0 && part.len == self.shape(part.src).width
    }

    fn make_whole(&mut self, parts: &[Part], budget: &mut Budget) -> Done<Src> {
        let Some(first) = parts.first() else {
            return Err("a value without features has no layer".to_owned());
        };
        let timed = self.shape(first.src).timed;
        if parts.iter().any(|p| self.shape(p.src).timed != timed) {
            return Err("sequences and vectors are side by side in one value".to_owned());
        }
        if let ([only], true) = (parts, self.is_whole(first)) {
            return Ok(only.src);
        }
        if parts.iter().all(|p| self.is_whole(p)) {
            return self.concatenate(parts.iter().map(|p| p.src).collect());
        }
        // Some features of some values: a matrix of zeros and ones picks them, exactly.
        let mut sources: Vec<Src> = Vec::new();
        let mut starts: HashMap<Src, usize> = HashMap::new();
        let mut width = 0_usize;
        for part in parts {
            if let Entry::Vacant(start) = starts.entry(part.src) {
                start.insert(width);
                sources.push(part.src);
                width = width.saturating_add(self.shape(part.src).width);
            }
        }
        let units: usize = parts.iter().map(|p| p.len).sum();
        let cells = budget.shape(&[width, units])?;
        let mut kernel = vec![0.0; cells];
        let mut column = 0;
        for part in parts {
            let start = starts.get(&part.src).copied().unwrap_or(0);
            for k in 0..part.len {
                if let Some(cell) = kernel.get_mut((start + part.start + k) * units + column) {
                    *cell = 1.0;
                }
                column += 1;
            }
        }
        let source = self.concatenate(sources)?;
        let hint = self.hint.replace("pick".to_owned());
        self.notes.push(format!(
            "{units} of {width} features are picked by a `Dense` of zeros and ones"
        ));
        let op = Op::Dense {
            kernel: Rc::new(kernel),
            bias: None,
            activation: None,
        };
        let src = self.after(source, op, units);
        self.hint = hint;
        Ok(src)
    }

    fn concatenate(&mut self, sources: Vec<Src>) -> Done<Src> {
        let [first, ..] = sources[..] else {
            return Err("a value without features has no layer".to_owned());
        };
        if sources.len() == 1 {
            return Ok(first);
        }
        let masks: Vec<Option<Src>> = sources.iter().map(|s| self.shape(*s).mask).collect();
        if masks.iter().any(|m| *m != masks[0]) {
            return Err("its values have different lengths of their rows".to_owned());
        }
        let width = sources.iter().map(|s| self.shape(*s).width).sum();
        let shape = Shape {
            width,
            ..self.shape(first)
        };
        Ok(self.add(Op::Merge("Concatenate"), sources, shape))
    }

    /// Several values number by number.
    pub fn merge(&mut self, class: &'static str, sources: Vec<Src>) -> Done<Src> {
        let shapes: Vec<Shape> = sources.iter().map(|s| self.shape(*s)).collect();
        let Some((first, rest)) = shapes.split_first() else {
            return Err("it reads nothing".to_owned());
        };
        if let Some(other) = rest.iter().find(|s| *s != first) {
            return Err(match other.timed == first.timed {
                true => "its values have different lengths of their rows".to_owned(),
                false => "a sequence and a vector meet, which no layer does".to_owned(),
            });
        }
        Ok(self.add(Op::Merge(class), sources, first.clone()))
    }

    /// The last or the first step of a sequence.
    pub fn edge(&mut self, src: Src, last: bool) -> Done<Src> {
        if let Some(found) = self.edges.get(&(src, last)) {
            return Ok(*found);
        }
        let shape = self.shape(src);
        if !shape.timed {
            return Ok(src);
        }
        if shape.mask.is_some() {
            return Err("it takes the last step of padded rows".to_owned());
        }
        let state = match self.layers.get(src.layer).map(|l| &l.op) {
            Some(Op::Recurrent(r)) => {
                let way = r.ways.iter().position(|w| w.backward != last);
                way.filter(|&w| r.sequence(w) == src.result)
                    .map(|w| r.state(w, 0))
            }
            _ => None,
        };
        let edge = match state {
            // The last output is the state.
            Some(result) => Src {
                layer: src.layer,
                result,
            },
            None => self.add(
                Op::Edge { last },
                vec![src],
                Shape {
                    timed: false,
                    ..shape
                },
            ),
        };
        self.edges.insert((src, last), edge);
        Ok(edge)
    }

    /// A vector of constants for each row of another value.
    pub fn constant(&mut self, like: Src, values: Vec<f32>, budget: &mut Budget) -> Done<Src> {
        let width = values.len();
        let zeros = budget.shape(&[self.shape(like).width, width])?;
        let hint = self.hint.replace("constant".to_owned());
        let op = Op::Dense {
            kernel: Rc::new(vec![0.0; zeros]),
            bias: Some(values),
            activation: None,
        };
        let src = self.after(like, op, width);
        self.hint = hint;
        Ok(src)
    }
}
