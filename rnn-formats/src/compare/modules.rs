//! Layers beside PyTorch's recurrent modules, each of which computes one thing.

use super::{Differences, Written, effects::effects, title};
use crate::Module;

/// What a class of PyTorch's computes, by the argument here: one value, or one of several.
fn values(class: &str, argument: &str) -> &'static [&'static str] {
    match (class, argument) {
        ("LSTM" | "GRU", "activation") => &["tanh"],
        ("LSTM" | "GRU", "recurrent_activation") => &["sigmoid"],
        ("GRU", "reset_after") => &["true"],
        ("SimpleRNN", "activation") => &["tanh", "relu"],
        _ => &[],
    }
}

/// What an argument of the second direction is called.
const BACKWARD: &str = "of the backward layer: ";

/// Compares the layers of a model with the modules that they have their weights from. Activations between modules are no
/// modules of a state dict, so none of those is compared.
pub(crate) fn of_modules(modules: &[Module], written: &[Written<'_>]) -> Differences {
    let mut found = Differences::default();
    for layer in written {
        let own = |m: &&Module| m.layer.split('/').next() == Some(layer.name);
        let titles: Vec<&str> = (modules.iter().filter(own))
            .map(|m| m.title.as_str())
            .collect();
        if titles.is_empty() {
            continue;
        }
        let Some(parts) = effects(layer.name, layer.text) else {
            let text = format!("`{}` of the model was not compared", layer.text);
            found.notes.push(text);
            continue;
        };
        for (number, part) in parts.iter().enumerate() {
            let (class, both) = match part.class.strip_prefix("Bidirectional of ") {
                Some(class) => (class, true),
                None => (&part.class[..], false),
            };
            for (argument, value) in &part.arguments {
                let (argument, backward) = match argument.strip_prefix(BACKWARD) {
                    Some(argument) => (argument, true),
                    None => (&argument[..], false),
                };
                let all = values(class, argument);
                let Some(first) = all.first().filter(|_| !all.contains(&value.as_str())) else {
                    continue;
                };
                // Cells of a stack are modules in their order, and so are the two directions.
                let place = if both { usize::from(backward) } else { number };
                let module = titles.get(place).or(titles.first()).unwrap_or(&"a module");
                let computes: Vec<String> =
                    all.iter().map(|v| format!("`{argument} = {v}`")).collect();
                let computes = computes.join(" or ");
                found.lines.push(format!(
                    "`{}`: {module} of the file is PyTorch's, which computes {computes}, and `{}` here has `{value}`: \
                     write `{argument} = {first}`{}",
                    title(part),
                    part.text,
                    match all.len() {
                        1 => "",
                        _ => ", or what `nonlinearity` of the module says",
                    }
                ));
            }
        }
    }
    found
}
