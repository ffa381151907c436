//! Edits of one layer or one value: add an argument, remove it, put the layer inside another.

use proc_macro2::{Ident, Span};
use syn::{ext::IdentExt, parse::Parser};

use crate::{
    diagnostics::did_you_mean,
    syntax::{ArgumentAst, LayerAst, ValueAst, ValueKind},
};

/// A name in proposed code.
pub(super) fn ident(name: &str) -> Ident {
    // Names come from the user's own tokens or from this compiler, so parsing cannot fail.
    let parsed = Ident::parse_any.parse_str(name);
    parsed.unwrap_or_else(|_| Ident::new("name", Span::call_site()))
}

impl LayerAst {
    /// A layer without arguments: `Flatten`.
    pub fn bare(class: &str) -> LayerAst {
        LayerAst {
            name: ident(class),
            arguments: Vec::new(),
        }
    }

    /// Adds an argument at the end.
    #[must_use]
    pub fn and(mut self, argument: ArgumentAst) -> LayerAst {
        self.arguments.push(argument);
        self
    }

    /// Adds the arguments of an example at the end.
    #[must_use]
    pub fn with_text(mut self, arguments: &str) -> LayerAst {
        if let Some(example) = LayerAst::of_text(&format!("X({arguments})")) {
            self.arguments.extend(example.arguments);
        }
        self
    }

    /// Adds this argument at the end, or replaces the one of the same name. A flag also replaces a name
    /// that looks like a slip of the pen for it.
    #[must_use]
    pub fn with(mut self, argument: ArgumentAst) -> LayerAst {
        let name = argument.named().unwrap_or_default();
        let flag = argument.name.is_none();
        self.arguments.retain(|a| match a.named() {
            Some(own) if flag => did_you_mean(&own, [name.as_str()]).is_none(),
            Some(own) => own != name,
            None => true,
        });
        self.and(argument)
    }

    /// Removes the argument of this name, also if it is a bare flag.
    #[must_use]
    pub fn without(mut self, name: &str) -> LayerAst {
        self.arguments.retain(|a| !a.is(name));
        self
    }

    /// The same arguments of another class.
    #[must_use]
    pub fn as_class(self, class: &str) -> LayerAst {
        LayerAst {
            name: ident(class),
            ..self
        }
    }

    /// Whether a flag is set, by its name or by `= true`.
    pub fn sets(&self, flag: &str) -> bool {
        let mut arguments = self.arguments.iter();
        arguments.any(|a| a.is(flag) && !matches!(a.value.kind, ValueKind::Flag(false)))
    }

    /// The layer as the argument of another.
    pub fn as_value(&self) -> ValueAst {
        let path = syn::Path::from(self.name.clone());
        let kind = match self.arguments.as_slice() {
            [] => ValueKind::Path(path),
            all => ValueKind::Call(path, all.to_vec()),
        };
        ValueAst {
            kind,
            span: self.name.span(),
        }
    }
}

impl ArgumentAst {
    /// `return_sequences`
    pub fn flag(name: &str) -> ArgumentAst {
        ArgumentAst::of(ValueAst::name(name))
    }

    /// A value without a name.
    pub fn of(value: ValueAst) -> ArgumentAst {
        ArgumentAst { name: None, value }
    }

    /// `name = value`
    pub fn set(name: &str, value: ValueAst) -> ArgumentAst {
        ArgumentAst {
            name: Some(ident(name)),
            value,
        }
    }

    /// The name that it sets: the name before `=`, or a name alone, which may be a flag.
    pub fn named(&self) -> Option<String> {
        match (&self.name, &self.value.kind) {
            (Some(name), _) => Some(name.to_string()),
            (None, ValueKind::Path(path)) => path.get_ident().map(ToString::to_string),
            _ => None,
        }
    }

    /// Whether this is the argument `name`, also as a bare flag.
    pub fn is(&self, name: &str) -> bool {
        self.named().is_some_and(|own| own == name)
    }
}

impl ValueAst {
    /// `state`, `tanh`
    pub fn name(name: &str) -> ValueAst {
        ValueAst::new(ValueKind::Path(ident(name).into()))
    }

    /// A value that stands nowhere in the user's code.
    pub fn new(kind: ValueKind) -> ValueAst {
        ValueAst {
            kind,
            span: Span::call_site(),
        }
    }

    /// A cell or a layer without one of its arguments.
    #[must_use]
    pub fn without(&self, argument: &ArgumentAst) -> ValueAst {
        let kind = match &self.kind {
            ValueKind::Call(path, arguments) => {
                let written = argument.to_string();
                let mut left = arguments.clone();
                if let Some(at) = left.iter().position(|a| a.to_string() == written) {
                    left.remove(at);
                }
                match left.is_empty() {
                    true => ValueKind::Path(path.clone()),
                    false => ValueKind::Call(path.clone(), left),
                }
            }
            other => other.clone(),
        };
        ValueAst {
            kind,
            span: self.span,
        }
    }

    /// A cell or a layer with one more argument.
    #[must_use]
    pub fn and(&self, argument: ArgumentAst) -> ValueAst {
        let kind = match &self.kind {
            ValueKind::Path(path) => ValueKind::Call(path.clone(), vec![argument]),
            ValueKind::Call(path, arguments) => {
                let arguments = arguments.iter().cloned().chain([argument]);
                ValueKind::Call(path.clone(), arguments.collect())
            }
            other => other.clone(),
        };
        ValueAst {
            kind,
            span: self.span,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diagnostics::Diagnostics,
        layers,
        syntax::{BodyAst, ModelAst},
    };

    fn layer(text: &str) -> LayerAst {
        let mut found = Diagnostics::new();
        let model = ModelAst::parse(text.parse().unwrap(), &layers::classes(), &mut found);
        assert!(found.take().is_empty(), "{text}");
        match model.body {
            BodyAst::Chain(mut layers) => layers.remove(0).unwrap(),
            BodyAst::Graph(_) => panic!("{text} is a graph"),
        }
    }

    #[test]
    fn a_flag_is_set_once_and_takes_the_place_of_a_slip() {
        for (text, right) in [
            ("LSTM(4)", "LSTM(4, return_state)"),
            ("LSTM(4, return_state)", "LSTM(4, return_state)"),
            ("LSTM(4, return_state = false)", "LSTM(4, return_state)"),
            (
                "LSTM(4, return_stat, unroll)",
                "LSTM(4, unroll, return_state)",
            ),
            ("LSTM", "LSTM(return_state)"),
        ] {
            let edited = layer(text).with(ArgumentAst::flag("return_state"));
            assert_eq!(edited.to_string(), right);
        }
    }

    #[test]
    fn arguments_are_taken_out_whole() {
        let text =
            "LSTM(4, name = \"a, return_state)\", return_state = true, initial_state = [h, c])";
        let edited = layer(text).without("return_state").without("initial_state");
        assert_eq!(edited.to_string(), "LSTM(4, name = \"a, return_state)\")");
        assert_eq!(
            layer("LSTM(return_state)")
                .without("return_state")
                .to_string(),
            "LSTM"
        );
    }

    #[test]
    fn what_is_no_name_does_no_harm() {
        assert_eq!(ident("r#type").to_string(), "r#type");
        assert_eq!(ident("a b").to_string(), "name");
    }
}
