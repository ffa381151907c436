//! The printer of the syntax tree. Messages show the user's code and propose code in this form.

use std::fmt;

use super::{
    ast::{ArgumentAst, LayerAst, ValueAst, ValueKind, path_text},
    model::BodyAst,
    statement::{ChainAst, InputKind, StatementAst, TargetAst},
};

/// Writes items with `, ` between them.
fn separated(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item: fmt::Display>,
) -> fmt::Result {
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

fn list(f: &mut fmt::Formatter<'_>, arguments: &[ArgumentAst]) -> fmt::Result {
    f.write_str("(")?;
    separated(f, arguments)?;
    f.write_str(")")
}

impl fmt::Display for LayerAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if self.arguments.is_empty() {
            Ok(())
        } else {
            list(f, &self.arguments)
        }
    }
}

impl fmt::Display for ArgumentAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name} = ")?;
        }
        write!(f, "{}", self.value)
    }
}

impl fmt::Display for ValueAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ValueKind::Open => f.write_str("_"),
            ValueKind::Whole(n) => write!(f, "{n}"),
            ValueKind::Number(x) => write!(f, "{x}"),
            ValueKind::Flag(b) => write!(f, "{b}"),
            ValueKind::Text(s) => write!(f, "{s:?}"),
            ValueKind::Path(p) => f.write_str(&path_text(p)),
            ValueKind::Call(p, arguments) => {
                f.write_str(&path_text(p))?;
                list(f, arguments)
            }
            ValueKind::List(values) => {
                f.write_str("[")?;
                separated(f, values)?;
                f.write_str("]")
            }
            ValueKind::Struct(parts) => {
                f.write_str("{ ")?;
                separated(f, parts.iter().map(|(name, v)| format!("{name}: {v}")))?;
                f.write_str(" }")
            }
        }
    }
}

impl fmt::Display for InputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, axes) = match self {
            InputKind::Ids(axis) => ("ids", axis.as_slice()),
            InputKind::Mask(axis) => ("mask", axis.as_slice()),
            InputKind::Floats(axes) => ("", axes.as_slice()),
        };
        f.write_str(word)?;
        if axes.is_empty() {
            return Ok(());
        }
        f.write_str("[")?;
        separated(f, axes)?;
        f.write_str("]")
    }
}

impl fmt::Display for TargetAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetAst::Name(name) => write!(f, "{name}"),
            TargetAst::Skip(_) => f.write_str("_"),
        }
    }
}

impl fmt::Display for ChainAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        names(f, &self.sources, self.tuple)?;
        if !self.layers.is_empty() {
            f.write_str(" -> ")?;
        }
        chain(f, &self.layers)
    }
}

impl fmt::Display for StatementAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StatementAst::Input { name, kind, .. } => write!(f, "input {name}: {kind};"),
            StatementAst::Layer { name, layer } => match layer {
                Some(layer) => write!(f, "layer {name} = {layer};"),
                None => write!(f, "layer {name} = …;"),
            },
            StatementAst::Let {
                targets,
                tuple,
                value,
            } => {
                f.write_str("let ")?;
                names(f, targets, *tuple)?;
                write!(f, " = {value};")
            }
            StatementAst::Output { name, value } => write!(f, "output {name} = {value};"),
            StatementAst::Unreadable { .. } => f.write_str("…;"),
        }
    }
}

fn names(f: &mut fmt::Formatter<'_>, names: &[impl fmt::Display], tuple: bool) -> fmt::Result {
    if tuple {
        f.write_str("(")?;
    }
    separated(f, names)?;
    if tuple {
        f.write_str(")")?;
    }
    Ok(())
}

impl fmt::Display for BodyAst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyAst::Chain(layers) => chain(f, layers),
            BodyAst::Graph(statements) => {
                for (i, statement) in statements.iter().enumerate() {
                    let space = if i > 0 { " " } else { "" };
                    write!(f, "{space}{statement}")?;
                }
                Ok(())
            }
        }
    }
}

/// Writes layers with ` -> ` between them; `…` stands for a layer that could not be read.
fn chain(f: &mut fmt::Formatter<'_>, layers: &[Option<LayerAst>]) -> fmt::Result {
    for (i, layer) in layers.iter().enumerate() {
        if i > 0 {
            f.write_str(" -> ")?;
        }
        match layer {
            Some(layer) => write!(f, "{layer}")?,
            None => f.write_str("…")?,
        }
    }
    Ok(())
}
