//! A file's layers beside those of a model that only takes its weights: what no shape tells apart.

mod call;
mod effects;
mod modules;

use std::collections::{BTreeMap, BTreeSet};

use crate::{Body, Network};
use effects::{Effect, OWN, effects};
pub(crate) use modules::of_modules;

/// A layer as a model here has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'m> {
    /// Its name: `lstm`.
    pub name: &'m str,
    /// Its text: `LSTM(16, return_sequences)`.
    pub text: &'m str,
}

/// What is not the same in a file and in a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// What the model computes otherwise: one line for each layer, with what to write.
    pub lines: Vec<String>,
    /// What could not be compared.
    pub notes: Vec<String>,
}

/// How many pairs of layers are looked at to find which ones belong together.
const MAX_PAIRS: usize = 1 << 22;

/// Compares the layers of a file with those of a model that its weights fit: classes in their order, activations, epsilons,
/// directions. What training alone needs is left out, and so are layers that change shapes or say which steps are padding.
/// Whether sequences or last steps are returned is left out, too: a stream makes no difference between them.
///
/// ```
/// use rnn_formats::{Network, NetworkInput, NetworkLayer, Value, Written, differences};
///
/// let dense = NetworkLayer {
///     class: "Dense".into(),
///     arguments: vec!["1".into(), "activation = tanh".into()],
///     name: Some("dense".into()),
///     inputs: vec![Value::Input(0)],
///     results: 1,
/// };
/// let network = Network {
///     inputs: vec![NetworkInput { name: "x".into(), text: "[_, 1]".into() }],
///     layers: vec![dense],
///     outputs: vec![("y".into(), Value::Of { layer: 0, result: 0 })],
///     cells: vec![],
/// };
/// let same = [Written { name: "dense", text: "Dense(1, activation = tanh)" }];
/// assert!(differences(&network, &same).lines.is_empty());
///
/// let other = [Written { name: "dense", text: "Dense(1)" }];
/// assert_eq!(
///     differences(&network, &other).lines,
///     ["the file computes `tanh` after its `dense`, which the layers here do not: add `Activation(tanh)`"],
/// );
/// ```
pub fn differences(network: &Network, written: &[Written<'_>]) -> Differences {
    let mut found = Differences::default();
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut known = BTreeSet::new();
    for layer in &network.layers {
        // Two calls of one layer are one layer.
        let again = layer.name.as_ref().map(|name| (&layer.class, name));
        if again.is_none_or(|layer| known.insert(layer)) {
            let text = crate::NetworkLayer {
                name: None,
                ..layer.clone()
            };
            texts.push((layer.name.clone().unwrap_or_default(), text.text()));
        }
    }
    let theirs = texts.iter().map(|(n, t)| (n.as_str(), t.as_str()));
    let theirs = all(theirs, "the file", &mut found.notes);
    let ours = written.iter().map(|w| (w.name, w.text));
    let ours = all(ours, "the model", &mut found.notes);
    let chain = matches!(network.body(), Body::Chain(_));
    let pairs = match chain && theirs.len().saturating_mul(ours.len()) <= MAX_PAIRS {
        true => in_a_row(&theirs, &ours),
        false => by_class(&theirs, &ours),
    };
    // A layer that is missing may be one that was not understood.
    let partly = !found.notes.is_empty();
    found.judge(&theirs, &ours, &pairs, partly);
    if !chain {
        found.notes.push(
            "how the file's layers are connected was not compared with the layers here: its network is no chain".into(),
        );
    }
    found
}

/// What all layers do. Those that are not understood are noted.
fn all<'t>(
    layers: impl Iterator<Item = (&'t str, &'t str)>,
    whose: &str,
    notes: &mut Vec<String>,
) -> Vec<Effect> {
    let mut parts = Vec::new();
    for (name, text) in layers {
        match effects(name, text) {
            Some(own) => parts.extend(own),
            None => notes.push(format!("`{text}` of {whose} was not compared")),
        }
    }
    parts
}

/// Layers of both sides that belong together, by their numbers.
type Pairs = Vec<(usize, usize)>;

/// The longest row of layers that both sides have in this order.
fn in_a_row(theirs: &[Effect], ours: &[Effect]) -> Pairs {
    let (rows, columns) = (theirs.len() + 1, ours.len() + 1);
    // How many pairs there are from here to the ends.
    let mut most = vec![0_u32; rows * columns];
    let at = |most: &[u32], i: usize, j: usize| most.get(i * columns + j).copied().unwrap_or(0);
    let same = |i: usize, j: usize| {
        let classes = (
            theirs.get(i).map(|s| &s.class),
            ours.get(j).map(|s| &s.class),
        );
        matches!(classes, (Some(one), Some(other)) if one == other)
    };
    for i in (0..theirs.len()).rev() {
        for j in (0..ours.len()).rev() {
            let best = match same(i, j) {
                true => at(&most, i + 1, j + 1) + 1,
                false => at(&most, i + 1, j).max(at(&most, i, j + 1)),
            };
            if let Some(place) = most.get_mut(i * columns + j) {
                *place = best;
            }
        }
    }
    let (mut pairs, mut i, mut j) = (Vec::new(), 0, 0);
    while i < theirs.len() && j < ours.len() {
        if same(i, j) {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if at(&most, i + 1, j) >= at(&most, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// Of a graph, whose branches have no order: layers of one class and one name, then those that are the same, then the others
/// of a class in their order.
fn by_class(theirs: &[Effect], ours: &[Effect]) -> Pairs {
    let mut of: BTreeMap<&str, [Vec<usize>; 2]> = BTreeMap::new();
    for (side, layers) in [theirs, ours].into_iter().enumerate() {
        for (number, layer) in layers.iter().enumerate() {
            let both = of.entry(&layer.class).or_default();
            if let Some(all) = both.get_mut(side) {
                all.push(number);
            }
        }
    }
    let mut pairs = Vec::new();
    for [mut left, mut right] in of.into_values() {
        let names = |a: &Effect, b: &Effect| !a.name.is_empty() && a.name == b.name;
        let equal = |a: &Effect, b: &Effect| a.arguments == b.arguments;
        let any = |_: &Effect, _: &Effect| true;
        let rules: [fn(&Effect, &Effect) -> bool; 3] = [names, equal, any];
        if left.len().saturating_mul(right.len()) > MAX_PAIRS {
            pairs.extend(left.into_iter().zip(right));
            continue;
        }
        for rule in rules {
            left.retain(|&i| {
                let mut places = right.iter();
                let place = places.position(|&j| match (theirs.get(i), ours.get(j)) {
                    (Some(a), Some(b)) => rule(a, b),
                    _ => false,
                });
                if let Some(place) = place {
                    pairs.push((i, right.remove(place)));
                }
                place.is_none()
            });
        }
    }
    pairs.sort_unstable();
    pairs
}

impl Differences {
    fn judge(
        &mut self,
        theirs: &[Effect],
        ours: &[Effect],
        pairs: &[(usize, usize)],
        partly: bool,
    ) {
        let right = pairs.iter().map(|(_, j)| *j).collect::<BTreeSet<_>>();
        let partner: BTreeMap<usize, usize> = pairs.iter().copied().collect();
        let mut alone = Differences::default();
        for (number, layer) in theirs.iter().enumerate() {
            match partner.get(&number).and_then(|j| ours.get(*j)) {
                Some(own) => self.arguments(layer, own),
                None => alone.missing(layer),
            }
        }
        for (number, layer) in ours.iter().enumerate() {
            if !right.contains(&number) {
                alone.more(layer);
            }
        }
        match partly {
            true => self.notes.append(&mut alone.lines),
            false => self.lines.append(&mut alone.lines),
        }
        self.notes.append(&mut alone.notes);
    }

    fn arguments(&mut self, theirs: &Effect, ours: &Effect) {
        let both = theirs.arguments.iter().zip(&ours.arguments);
        let differ = both.filter(|(a, b)| a != b);
        for ((name, value), (_, own)) in differ {
            let line = format!(
                "`{}`: the file's layer has `{name} = {value}` and `{}` here has `{own}`: write `{name} = {value}`",
                title(ours),
                ours.text
            );
            // The number of a constant is not known here.
            match own.contains(|c: char| c.is_ascii_uppercase()) {
                true => self.notes.push(format!(
                    "`{}`: the file's layer has `{name} = {value}`, which was not compared with `{own}`",
                    title(ours)
                )),
                false => self.lines.push(line),
            }
        }
    }

    /// A layer of the file that the model has not.
    fn missing(&mut self, layer: &Effect) {
        let activation = layer.arguments.first().map(|(_, value)| value);
        match (&layer.class[..], activation) {
            (OWN | "Concatenate", _) => self
                .notes
                .push(format!("the file has `{}`, which the layers here have not", layer.text)),
            ("Activation", Some(value)) => self.lines.push(match layer.name.is_empty() {
                true => format!(
                    "the file computes `{value}`, which the layers here do not: add `Activation({value})`"
                ),
                false => format!(
                    "the file computes `{value}` after its `{}`, which the layers here do not: add `Activation({value})`",
                    layer.name
                ),
            }),
            _ => self.lines.push(format!(
                "the file has `{}`, which the layers here have not: add it",
                layer.text
            )),
        }
    }

    /// A layer of the model that the file has not.
    fn more(&mut self, layer: &Effect) {
        let activation = layer.arguments.first().map(|(_, value)| value);
        match (&layer.class[..], activation) {
            (OWN | "Concatenate", _) => self
                .notes
                .push(format!("`{}` here is no layer of the file's", layer.text)),
            ("Activation", Some(value)) => self.lines.push(format!(
                "`{}` here computes `{value}`, which the file does not: leave it out",
                layer.text
            )),
            _ => self.lines.push(format!(
                "`{}` here is no layer of the file's: leave it out",
                layer.text
            )),
        }
    }
}

/// A layer's name, or what it is.
fn title(layer: &Effect) -> &str {
    match layer.name.is_empty() {
        true => &layer.text,
        false => &layer.name,
    }
}

#[cfg(test)]
mod tests;
