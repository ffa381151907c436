//! Weights without a model: what a layer is shows in the names and the shapes of its parameters.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    report::Report,
    weights::{Tree, below, unneeded, unread},
};
use crate::{Error, Tensor};

/// All tensors of a file of weights alone.
pub(super) fn read(tree: &mut Tree<'_, '_>, report: &mut Report) -> Result<Vec<Tensor>, Error> {
    if tree.texts("", "layer_names")?.is_some() {
        return by_names(tree, report);
    }
    let counted =
        tree.get("layers").is_some() || tree.get("_layer_checkpoint_dependencies").is_some();
    match counted {
        true => by_counters(tree, report),
        false => Err(Error::Unknown(
            "no weights of Keras: the HDF5 file has neither `layer_names` nor `layers`".into(),
        )),
    }
}

/// A file of names: the paths of Keras.
fn by_names(tree: &mut Tree<'_, '_>, report: &mut Report) -> Result<Vec<Tensor>, Error> {
    let (mut tensors, mut known) = (Vec::new(), BTreeSet::new());
    let mut groups = tree.texts("", "layer_names")?.unwrap_or_default();
    groups.push("top_level_model_weights".into());
    for group in groups {
        for name in tree.texts(&group, "weight_names")?.unwrap_or_default() {
            let at = below(&group, &name);
            if let Some(what) = unneeded(&name) {
                tree.tensor(&at)?;
                report.note(format!("{what} are left out"));
                continue;
            }
            match tree.tensor(&at)? {
                None => report.wrong(format!("`{at}` is not in the file")),
                Some(tensor) => {
                    let clean = name.split(':').next().unwrap_or(&name).to_owned();
                    // Models in models may have layers of one name.
                    let clean = match known.contains(&clean) {
                        true => below(&group, &clean),
                        false => clean,
                    };
                    if !known.insert(clean.clone()) {
                        report.wrong(format!("two parameters are called `{clean}`"));
                    }
                    tensors.push(Tensor {
                        name: clean,
                        ..tensor
                    });
                }
            }
        }
    }
    unread(tree, report);
    Ok(tensors)
}

/// A file of counters: the names here, `lstm`, `lstm_1`, and those that a user gave, where the file says them.
fn by_counters(tree: &mut Tree<'_, '_>, report: &mut Report) -> Result<Vec<Tensor>, Error> {
    // The parameters of each layer: by place in it, in the order of their numbers.
    let mut layers = BTreeMap::<Counted, BTreeMap<String, Vec<(usize, String)>>>::new();
    for path in tree.left() {
        if unneeded(path).is_some() {
            continue;
        }
        let Some((layer, place, number)) = apart(path) else {
            continue;
        };
        let places = layers.entry(Counted(layer.to_owned())).or_default();
        places
            .entry(place.to_owned())
            .or_default()
            .push((number, path.to_owned()));
    }
    let mut counts = BTreeMap::<String, usize>::new();
    let mut names = BTreeSet::new();
    let mut tensors = Vec::new();
    for (Counted(layer), places) in layers {
        let (stem, _) = counter(layer.rsplit('/').next().unwrap_or(&layer));
        let said = tree.text(&format!("{layer}/vars"), "name")?;
        // Keras's own names only tell the order, which the counters tell, too.
        let own = said.filter(|name| counter(name).0 != stem);
        let name = own.unwrap_or_else(|| {
            let count = counts.entry(stem.clone()).or_insert(0);
            *count += 1;
            match *count {
                1 => stem.clone(),
                n => format!("{stem}_{}", n - 1),
            }
        });
        // Models in models may have layers of one name.
        let name = match names.contains(&name) {
            false => name,
            true => format!("{}_{name}", outer(tree, &layer)?),
        };
        if !names.insert(name.clone()) {
            report.wrong(format!(
                "two layers are called `{name}`, the second at `{layer}`"
            ));
            continue;
        }
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_by_key(|(place, _)| place.starts_with("backward"));
        for (place, mut all) in places {
            all.sort();
            let mut found = Vec::new();
            for (_, path) in &all {
                found.extend(tree.tensor(path)?);
            }
            let prefix = prefix(tree, &layer, &place, &found)?;
            let Some((params, guessed)) = params(&stem, &found) else {
                let shapes: Vec<&Vec<usize>> = found.iter().map(|t| &t.shape).collect();
                report.wrong(format!(
                    "`{layer}`: which parameters {shapes:?} are is not known"
                ));
                continue;
            };
            if guessed {
                report.note(format!(
                    "`{name}/gamma` was guessed: the file does not tell it from `{name}/beta`"
                ));
            }
            for (tensor, param) in found.into_iter().zip(params) {
                tensors.push(Tensor {
                    name: format!("{name}/{prefix}{param}"),
                    ..tensor
                });
            }
        }
    }
    unread(tree, report);
    Ok(tensors)
}

/// The name of the model that a layer is in.
fn outer(tree: &Tree<'_, '_>, layer: &str) -> Result<String, Error> {
    let model = layer.rsplitn(3, '/').nth(2).unwrap_or("model");
    let said = tree.text(&format!("{model}/vars"), "name")?;
    Ok(said.unwrap_or_else(|| model.rsplit('/').next().unwrap_or(model).to_owned()))
}

/// The layer, the place in it and the number of a path: `layers/lstm/cell/vars/0` is `layers/lstm`, `cell` and 0.
fn apart(path: &str) -> Option<(&str, &str, usize)> {
    let (place, number) = path.rsplit_once("/vars/")?;
    // The last `layers` is that of the innermost model.
    let (mut end, mut list) = (0, None);
    for part in place.split('/') {
        end += part.len();
        if matches!(part, "layers" | "_layer_checkpoint_dependencies") {
            list = Some(end);
        }
        end += 1;
    }
    let start = list? + 1;
    let length = place.get(start..)?.split('/').next()?.len();
    let (layer, inside) = place.split_at_checked(start + length)?;
    let inside = inside.strip_prefix('/').unwrap_or_default();
    Some((layer, inside, number.parse().ok()?))
}

/// A path of names that stand in the order of their counters. Its parts stay in it: it may have very many.
#[derive(PartialEq, Eq)]
struct Counted(String);

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> Ordering {
        let own = self.0.split('/').map(counter);
        own.cmp(other.0.split('/').map(counter))
            .then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A name and its counter: `lstm_1` is `lstm` and 1.
fn counter(name: &str) -> (String, usize) {
    match name.rsplit_once('_') {
        Some((stem, number)) => match number.parse() {
            Ok(number) => (stem.to_owned(), number),
            Err(_) => (name.to_owned(), 0),
        },
        None => (name.to_owned(), 0),
    }
}

/// What stands between the layer and the parameter here: the direction, the cell of a stack.
fn prefix(
    tree: &Tree<'_, '_>,
    layer: &str,
    place: &str,
    found: &[Tensor],
) -> Result<String, Error> {
    let mut prefix = String::new();
    for (part, way) in [("forward_layer", "forward"), ("backward_layer", "backward")] {
        if place.split('/').next() != Some(part) {
            continue;
        }
        // New versions say the layer's name, `forward_lstm`; in others the shapes tell its class.
        let said = tree.text(&format!("{layer}/{part}/vars"), "name")?;
        let class = said
            .as_deref()
            .and_then(|s| s.strip_prefix(way)?.strip_prefix('_'));
        let class = class.map(|class| counter(class).0);
        let known = class.filter(|c| matches!(c.as_str(), "lstm" | "gru" | "simple_rnn" | "rnn"));
        let stacked = place.contains("/cells/");
        let class =
            known.unwrap_or_else(|| if stacked { "rnn" } else { class_of(found) }.to_owned());
        prefix = format!("{way}_{class}/");
    }
    if let Some((_, cell)) = place
        .rsplit_once("/cells/")
        .or(place.strip_prefix("cells/").map(|c| ("", c)))
    {
        prefix.push_str(cell);
        prefix.push('/');
    }
    Ok(prefix)
}

/// The recurrent layer with these shapes.
fn class_of(found: &[Tensor]) -> &'static str {
    let wide = match found.get(1).map(|t| &t.shape[..]) {
        Some([units, wide]) if *units > 0 => wide / units,
        _ => 0,
    };
    match wide {
        4 => "lstm",
        3 => "gru",
        _ => "simple_rnn",
    }
}

/// The parameters of these shapes, in Keras's order, and whether one of them was guessed.
fn params(stem: &str, found: &[Tensor]) -> Option<(Vec<&'static str>, bool)> {
    let ranks: Vec<usize> = found.iter().map(|t| t.shape.len()).collect();
    let batch = stem == "batch_normalization";
    let all: &[&str] = match ranks[..] {
        [2, 2] => &["kernel", "recurrent_kernel"],
        [2, 2, 1 | 2] => &["kernel", "recurrent_kernel", "bias"],
        [2] if stem == "embedding" => &["embeddings"],
        [2] => &["kernel"],
        [2, 1] => &["kernel", "bias"],
        [1] => &["gamma"],
        [1, 1] if batch => &["moving_mean", "moving_variance"],
        [1, 1] => &["gamma", "beta"],
        [1, 1, 1] if batch => &["gamma", "moving_mean", "moving_variance"],
        [1, 1, 1, 1] if batch => &["gamma", "beta", "moving_mean", "moving_variance"],
        _ => return None,
    };
    Some((all.to_vec(), matches!(ranks[..], [1] | [1, 1, 1])))
}
