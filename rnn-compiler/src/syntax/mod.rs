//! Parses what the user wrote: tokens to [`ModelAst`], every part with its span.
//!
//! A model is a chain of layers or a graph. A model without a name is an expression, one with a name a
//! type.
//!
//! ```text
//! model     = { attribute } [ visibility ] "struct" Name "=" chain ";"
//!           | { attribute } [ visibility ] "struct" Name "{" graph "}"
//!           | "<" chain ">" | chain | graph
//! chain     = layer { "->" layer }
//! graph     = statement { statement }          at least one input and one output
//! statement = "input" name ":" kind ";"
//!           | "layer" name "=" layer ";"
//!           | "let" ( name | "(" target { "," target } ")" ) "=" values ";"
//!           | "output" name "=" values ";"
//! target    = name | "_"
//! values    = ( name | "(" name { "," name } ")" ) { "->" layer }
//! kind      = "ids" [ "[" axis "]" ]           class ids, one a step
//!           | "mask" [ "[" axis "]" ]          booleans, one a step
//!           | "[" axis { "," axis } "]"        one axis: a vector; more: steps, then features
//! axis      = size                             fixed
//!           | name                             open, the same for all that name it
//!           | "_"                              open, an axis of its own
//!           | structure                        the last one only: named parts of a step
//! layer     = Name [ "(" [ argument { "," argument } ] ")" ]
//!           | name                             of a `layer` statement, its weights shared
//! argument  = [ name "=" ] value               `return_sequences` alone sets a flag
//! value     = size | number | "true" | "false" | text | path | "_"
//!           | path "(" [ argument { "," argument } ] ")"
//!           | "[" [ value { "," value } ] "]"  a list
//!           | structure
//! structure = "{" name ":" value { "," name ":" value } "}"
//! size      = whole number | path of a `const`
//! ```
//!
//! A `Name` starts with a capital, a `name` with a small letter; a `,` may follow the last item of a
//! list. The parser does not look up names: it reads `shared` in `x -> shared` as a layer without
//! arguments.
//!
//! All mistakes of a model are reported in one build: after a mistake the parser goes on at the next
//! `->`, `,` or `;`. A layer that could not be read is `None`, a statement
//! [`StatementAst::Unreadable`], so that later passes do not report consequences of the mistake.
//!
//! ```
//! use rnn_compiler::{diagnostics::Diagnostics, layers, syntax::{BodyAst, ModelAst}};
//!
//! let text = "input x: [time, 2]; input real: mask[time];
//!             let (y, _) = x -> LSTM(4, return_state, mask = real); output z = (y, y) -> Add;";
//! let mut found = Diagnostics::new();
//! let model = ModelAst::parse(text.parse()?, &layers::classes(), &mut found);
//! assert!(found.take().is_empty());
//! let BodyAst::Graph(statements) = model.body else { panic!("a chain") };
//! assert_eq!(statements[3].to_string(), "output z = (y, y) -> Add;");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ast;
mod chain;
mod class;
mod foreign;
mod functional;
mod graph;
mod input;
mod model;
mod parse;
mod print;
mod python;
mod source;
mod statement;
#[cfg(test)]
mod tests;
mod value;

pub use ast::{ArgumentAst, LayerAst, ValueAst, ValueKind, path_text};
pub use class::{Class, Reads};
pub(crate) use foreign::{
    Here, activation, has_two_sizes, is_argument, layer_here, sized, written,
};
#[cfg(test)]
pub(crate) use foreign::{names as foreign_names, targets as foreign_targets};
pub use model::{BodyAst, FetchedCell, ModelAst, SourceAst, SourceKind};
pub use parse::read_body;
pub use statement::{ChainAst, InputKind, StatementAst, TargetAst};
