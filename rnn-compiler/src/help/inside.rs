//! Edits of a layer that has other layers inside: arguments about states and steps belong to those.

use crate::syntax::{ArgumentAst, LayerAst};

/// Which arguments of a class are layers: position and name of each. Most classes have none.
#[derive(Clone, Debug, Default)]
pub struct Inside {
    /// As the class declares them.
    pub arguments: Vec<(usize, &'static str)>,
}

impl Inside {
    /// Whether a class has layers inside.
    pub fn any(&self) -> bool {
        !self.arguments.is_empty()
    }

    /// The argument at this position as a layer, if it is one.
    fn layer(&self, index: usize, argument: &ArgumentAst) -> Option<LayerAst> {
        let is = match &argument.name {
            // Classes start with a capital; flags and activations do not.
            None => {
                self.arguments.iter().any(|(at, _)| *at == index)
                    && argument
                        .named()
                        .is_none_or(|n| n.starts_with(char::is_uppercase))
            }
            Some(name) => self.arguments.iter().any(|(_, known)| name == known),
        };
        argument.value.as_layer().filter(|_| is)
    }

    /// The layers inside.
    fn layers<'a>(&'a self, layer: &'a LayerAst) -> impl Iterator<Item = LayerAst> + 'a {
        let arguments = layer.arguments.iter().enumerate();
        arguments.filter_map(|(index, a)| self.layer(index, a))
    }

    /// Edits the layers inside. Without any, edits the layer itself.
    fn edit(&self, mut layer: LayerAst, edit: impl Fn(LayerAst) -> LayerAst) -> LayerAst {
        if !self.any() {
            return edit(layer);
        }
        for (index, a) in layer.arguments.iter_mut().enumerate() {
            if let Some(inside) = self.layer(index, a) {
                a.value = edit(inside).as_value();
            }
        }
        layer
    }

    /// Whether a flag is set that belongs to the layers inside, if there are some.
    pub fn sets(&self, layer: &LayerAst, flag: &str) -> bool {
        match self.any() {
            true => self.layers(layer).any(|l| l.sets(flag)),
            false => layer.sets(flag),
        }
    }

    /// Whether the layer returns its states.
    pub(super) fn returns_state(&self, layer: &LayerAst) -> bool {
        self.sets(layer, STATES)
    }

    /// The layer with its states returned, without its name, which another layer of the proposal has.
    pub(super) fn with_states(&self, layer: LayerAst) -> LayerAst {
        let edit = |l: LayerAst| {
            l.without("name")
                .without(STATES)
                .and(ArgumentAst::flag(STATES))
        };
        self.edit(layer.without("name"), edit)
    }

    /// The layer without its states returned.
    pub fn without_states(&self, layer: LayerAst) -> LayerAst {
        self.edit(layer, |l| l.without(STATES))
    }

    /// The layer without an argument that belongs to the layers inside, if it has some.
    pub fn without(&self, layer: LayerAst, name: &str) -> LayerAst {
        self.edit(layer, |l| l.without(name))
    }

    /// The layer with an argument that belongs to the layers inside, if it has some.
    pub fn with(&self, layer: LayerAst, argument: &ArgumentAst) -> LayerAst {
        let written = argument.to_string();
        let layer = match argument.named() {
            Some(name) if self.any() => layer.without(&name),
            _ if self.any() => LayerAst {
                arguments: layer
                    .arguments
                    .into_iter()
                    .filter(|a| a.to_string() != written)
                    .collect(),
                ..layer
            },
            _ => layer,
        };
        self.edit(layer, |l| l.with(argument.clone()))
    }
}

const STATES: &str = "return_state";
