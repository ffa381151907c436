//! What all layers share: how arguments are declared and bound, what a layer's `build` is given and
//! returns, how a cell becomes a layer. The layers themselves are in `layers/`.

mod arguments;
mod bind;
mod cell_argument;
mod cells;
mod context;
mod mask_argument;
mod names;
mod nested;
mod of_params;
mod options;
mod own_cell;
mod pooling;
mod state_argument;
mod values;

pub(crate) use arguments::OF_CALL;
pub use arguments::{Argument, EVERYWHERE, Kind, LayerArguments};
pub use bind::bind;
pub use cell_argument::missing_cell;
pub use context::{Before, Built, Context, Incoming, Origin, OutMask, Scope};
pub use names::Names;
pub(crate) use {
    cell_argument::cells_of,
    cells::{
        Merged, fits, fold_valid, last_axis, merge, parse, pointwise, reads, recurrent,
        side_by_side,
    },
    nested::inner,
    pooling::{POOLING, pooling},
};

pub use crate::syntax::Reads;
use crate::{
    diagnostics::{Diagnostic, Diagnostics},
    help::Inside,
    syntax::{Class, Here},
};

/// The message for a layer with the name that another library gives it.
pub(crate) fn foreign(span: proc_macro2::Span, here: Here) -> Diagnostic {
    let d = Diagnostic::new(here.id, span, here.words);
    here.notes
        .into_iter()
        .fold(d, Diagnostic::note)
        .help(here.help)
}

/// The definition of a layer. A file in `layers/` sets the fields that differ from
/// [`LayerDef::ORDINARY`].
#[derive(Debug)]
pub struct LayerDef {
    /// Keras's class: `LSTM`.
    pub class: &'static str,
    /// The stem of Keras's automatic names: `lstm`, `lstm_1`.
    pub stem: &'static str,
    /// All arguments of Keras's layer, in Keras's order.
    pub arguments: &'static [Argument],
    /// Arguments that the layer cannot have, with what to write instead.
    pub refused: &'static [(&'static str, &'static str)],
    /// What it reads.
    pub reads: Reads,
    /// How it turns a sequence into a vector, if it does.
    pub drops_time: Option<DropsTime>,
    /// The class and the text of the cell that it scans over time: what `RNN(LSTMCell(64))` finds.
    pub cell: Option<(&'static str, &'static str)>,
    /// Keras's class for a list of cells: `RNN(StackedRNNCells([LSTMCell(3), GRUCell(4)]))`.
    pub stack: Option<&'static str>,
    /// The operator of Python's that it stands for: `+`.
    pub operator: Option<&'static str>,
    /// Keras's class in a summary, if it is another one: `InputLayer`.
    pub summary: Option<&'static str>,
    /// Makes the layer, and the shapes of its results, from its arguments and its surroundings.
    pub build: fn(&LayerArguments<'_>, &Context<'_>, &mut Diagnostics) -> Built,
}

/// How a layer turns a sequence into a vector.
#[derive(Clone, Copy, Debug)]
pub struct DropsTime {
    /// What it does to the steps: `joins all steps into one vector`.
    pub does: &'static str,
    /// The flag that keeps them, if there is one: `return_sequences`.
    pub unless: Option<&'static str>,
}

impl DropsTime {
    /// Recurrent layers.
    pub const LAST: DropsTime = DropsTime {
        does: "returns only its last output",
        unless: Some("return_sequences"),
    };
    /// Layers that put all numbers side by side.
    pub const JOINED: DropsTime = DropsTime {
        does: "joins all steps into one vector",
        unless: None,
    };
    /// Layers that make one step of all.
    pub const POOLED: DropsTime = DropsTime {
        does: "takes all steps together",
        unless: None,
    };
}

impl LayerDef {
    /// A layer of numbers that keeps time and has no arguments.
    pub const ORDINARY: LayerDef = LayerDef {
        class: "",
        stem: "",
        arguments: &[],
        refused: &[],
        reads: Reads::Numbers,
        drops_time: None,
        cell: None,
        stack: None,
        operator: None,
        summary: None,
        build: |_, context, _| Built::failed(context.input().cloned()),
    };

    /// Whether `class` is the class of its cell.
    pub fn is_cell(&self, class: &str) -> bool {
        self.cell.is_some_and(|(cell, _)| cell == class)
    }

    /// Whether it is an input of the model.
    pub fn is_input(&self) -> bool {
        self.reads == Reads::Nothing
    }

    /// Whether it has an argument of this name.
    pub fn takes(&self, argument: &str) -> bool {
        self.arguments.iter().any(|a| a.name == argument)
    }

    /// Its argument that is a cell.
    pub fn cell_argument(&self) -> Option<&'static Argument> {
        self.arguments.iter().find(|a| a.kind == Kind::Cell)
    }

    /// Its arguments that are layers.
    pub fn inside(&self) -> Inside {
        let arguments = self.arguments.iter().enumerate();
        let layers = arguments.filter(|(_, a)| a.kind == Kind::Layer);
        Inside {
            arguments: layers.map(|(index, a)| (index, a.name)).collect(),
        }
    }

    /// What the parser has to know about its class.
    pub fn as_class(&self) -> Class {
        let own = self.arguments.iter().chain(arguments::EVERYWHERE);
        let sizes = self.arguments.iter().find(|a| a.kind == Kind::Sizes);
        Class {
            name: self.class,
            reads: self.reads,
            sizes: sizes.map(|a| a.name),
            operator: self.operator,
            arguments: own.map(|a| a.name).chain(["name"]).collect(),
        }
    }
}
