//! Which tensor of a file is which parameter.
//!
//! A file has the names of this library, `gru/kernel`, or Keras's own paths,
//! `sequential/gru/gru_cell/kernel`: `{v.path: v.numpy() for v in model.variables}` in Python. A path has parts that
//! the names here leave out: models around a layer, the cell inside of it, the layer inside of a wrapper. So both are
//! read as trees, and matched from the outside to the inside.
//!
//! Keras counts the layers of a whole program: the second `GRU` of a script is `gru_1`, even if it is the first of its
//! model. Layers of one stem are therefore matched by the order of their numbers, if both sides have as many.

use std::collections::{BTreeMap, BTreeSet};

/// How many parts a path may have. Keras's have about six; matching goes down by recursion.
const MAX_PARTS: usize = 16;

/// What a file has for one parameter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Assigned<'f> {
    /// The tensor of this name.
    Tensor(&'f str),
    /// Nothing.
    Missing,
    /// Layers or cells that could all be its own.
    OneOf(Vec<&'f str>),
}

/// The tensors of a file, by parameter.
#[derive(Debug)]
pub(super) struct Assignment<'f> {
    /// What each parameter has, in the order of the parameters.
    pub of: Vec<Assigned<'f>>,
    /// The tensors that are no parameter's, by name.
    pub left: Vec<&'f str>,
}

/// Finds the parameters among the tensors `names`. `whole`: the file is to have all of them and no others. It may be so
/// anyway; then it is read that way.
pub(super) fn assign<'f>(names: &[&'f str], ours: &[&str], whole: bool) -> Assignment<'f> {
    let optimizers = optimizers(names);
    let kept = |name: &&&str| {
        let mut parts = name.split('/');
        let first = parts.next().unwrap_or_default();
        let seed = name.split('/').any(|part| stem(part).0 == "seed_generator");
        !(seed || optimizers.contains(first)) || ours.contains(*name)
    };
    let names: BTreeSet<&'f str> = names.iter().filter(kept).copied().collect();
    if ours.iter().all(|own| names.contains(own)) {
        return Assignment::new(ours.iter().map(|own| exact(&names, own)).collect(), &names);
    }
    let all = Assignment::new(by_path(&names, ours, true), &names);
    let complete = all.left.is_empty() && all.of.iter().all(Assigned::is_tensor);
    match whole || complete {
        true => all,
        false => Assignment::new(by_path(&names, ours, false), &names),
    }
}

impl Assigned<'_> {
    fn is_tensor(&self) -> bool {
        matches!(self, Assigned::Tensor(_))
    }
}

impl<'f> Assignment<'f> {
    fn new(of: Vec<Assigned<'f>>, names: &BTreeSet<&'f str>) -> Self {
        let used = of.iter().filter_map(|a| match a {
            Assigned::Tensor(name) => Some(*name),
            _ => None,
        });
        let used: BTreeSet<&str> = used.collect();
        let left = names.iter().filter(|n| !used.contains(*n)).copied();
        let left = left.collect();
        Assignment { of, left }
    }
}

/// The tensor of exactly this name.
fn exact<'f>(names: &BTreeSet<&'f str>, name: &str) -> Assigned<'f> {
    names
        .get(name)
        .map_or(Assigned::Missing, |name| Assigned::Tensor(name))
}

/// The first parts of the variables of Keras's optimizers: `adam/iteration`, `adam/learning_rate`, ….
pub(crate) fn optimizers<'f>(names: &[&'f str]) -> BTreeSet<&'f str> {
    let of = |what: &str| -> BTreeSet<&'f str> {
        let own = names.iter().filter_map(|n| n.split_once('/'));
        own.filter(|(_, rest)| *rest == what)
            .map(|(first, _)| first)
            .collect()
    };
    &of("iteration") & &of("learning_rate")
}

/// A part without its number, and the number: `gru_1` is `("gru", 1)`, `gru` is `("gru", 0)`.
fn stem(part: &str) -> (&str, u64) {
    match part.rsplit_once('_') {
        Some((stem, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().map_or((part, 0), |number| (stem, number))
        }
        _ => (part, 0),
    }
}

/// Names cut into their parts.
#[derive(Default)]
struct Node<'n> {
    /// Up to here.
    path: &'n str,
    /// What ends here: the last part, and the number of the name.
    values: BTreeMap<&'n str, usize>,
    /// What goes on.
    parts: BTreeMap<&'n str, Node<'n>>,
}

impl<'n> Node<'n> {
    fn of(names: impl Iterator<Item = &'n str>) -> Self {
        let mut root = Node::default();
        for (index, name) in names.enumerate() {
            if name.split('/').count() > MAX_PARTS {
                continue;
            }
            let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
            let (mut node, mut end) = (&mut root, 0);
            for part in folder.split('/').filter(|_| !folder.is_empty()) {
                end += part.len();
                let path = &name[..end];
                end += 1;
                node = node.parts.entry(part).or_default();
                node.path = path;
            }
            node.values.insert(last, index);
        }
        root
    }

    /// The only part that goes on, if nothing ends here.
    fn only_part(&self) -> Option<&Node<'n>> {
        match self.parts.first_key_value() {
            Some((_, part)) if self.values.is_empty() && self.parts.len() == 1 => Some(part),
            _ => None,
        }
    }

    /// The names of all that ends here or further on.
    fn numbers(&self) -> Vec<usize> {
        let parts = self.parts.values().flat_map(Node::numbers);
        self.values.values().copied().chain(parts).collect()
    }
}

/// Parts side by side, each with its name.
type Parts<'a, 'n> = Vec<(&'n str, &'a Node<'n>)>;

fn parts<'a, 'n>(node: &'a Node<'n>) -> Parts<'a, 'n> {
    node.parts
        .iter()
        .map(|(name, part)| (*name, part))
        .collect()
}

/// Parts of one stem, in the order of their numbers.
fn of_stem<'a, 'n>(all: &Parts<'a, 'n>, which: &str) -> Parts<'a, 'n> {
    let mut found: Parts<'a, 'n> = all
        .iter()
        .filter(|(name, _)| stem(name).0 == which)
        .copied()
        .collect();
    found.sort_by_key(|(name, _)| stem(name).1);
    found
}

struct Matching<'f> {
    names: Vec<&'f str>,
    of: Vec<Assigned<'f>>,
    whole: bool,
}

fn by_path<'f>(names: &BTreeSet<&'f str>, ours: &[&str], whole: bool) -> Vec<Assigned<'f>> {
    let count = ours.len();
    let ours = Node::of(ours.iter().copied());
    let theirs = Node::of(names.iter().copied());
    let matched = |theirs: &Node<'f>| {
        let mut matching = Matching {
            names: names.iter().copied().collect(),
            of: vec![Assigned::Missing; count],
            whole,
        };
        matching.model(&ours, theirs);
        matching.of
    };
    let found = |of: &[Assigned<'_>]| of.iter().filter(|a| a.is_tensor()).count();
    let all = matched(&theirs);
    // A model may be named as one of its layers is.
    let inside = theirs.only_part().map(matched);
    inside.filter(|i| found(i) > found(&all)).unwrap_or(all)
}

impl<'f> Matching<'f> {
    /// A model: its layers stand in the models around them.
    fn model(&mut self, ours: &Node<'_>, theirs: &Node<'f>) {
        let ours = parts(ours);
        let stems: BTreeSet<&str> = ours.iter().map(|(name, _)| stem(name).0).collect();
        let (mut layers, mut models) = (Vec::new(), parts(theirs));
        while let Some((name, node)) = models.pop() {
            match stems.contains(stem(name).0) {
                true => layers.push((name, node)),
                false => models.extend(parts(node)),
            }
        }
        self.side_by_side(&ours, &layers);
    }

    /// A layer or a cell.
    fn layer(&mut self, ours: &Node<'_>, theirs: &Node<'f>) {
        let mut theirs = theirs;
        let goes_on = |theirs: &Node<'f>| {
            let known =
                |(name, _): &(&str, _)| ours.parts.keys().any(|o| stem(o).0 == stem(name).0);
            parts(theirs).iter().any(known)
        };
        // The cell inside of a layer, the layer inside of a wrapper, `stacked_rnn_cells`.
        while let Some(inside) = theirs.only_part().filter(|_| !goes_on(theirs)) {
            theirs = inside;
        }
        for (name, &parameter) in &ours.values {
            if let Some(&tensor) = theirs.values.get(name) {
                self.of[parameter] = Assigned::Tensor(self.names[tensor]);
            }
        }
        let (ours, theirs) = (parts(ours), parts(theirs));
        let (ours, theirs) = self.side_by_side(&ours, &theirs);
        // The directions of a `Bidirectional` are named after their layers, which may have names of their own.
        let (mut ours, mut theirs) = (ours, theirs);
        for direction in ["forward_", "backward_"] {
            let is = |(name, _): &(&str, _)| name.starts_with(direction);
            if let (Some(a), Some(b)) = (ours.iter().position(is), theirs.iter().position(is)) {
                self.layer(ours.remove(a).1, theirs.remove(b).1);
            }
        }
        if let ([(_, ours)], [(_, theirs)]) = (ours.as_slice(), theirs.as_slice()) {
            self.layer(ours, theirs);
        }
    }

    /// Layers of a model, or cells of a layer. Gives those whose stem the other side has not.
    fn side_by_side<'a, 'b, 'n>(
        &mut self,
        ours: &Parts<'a, 'n>,
        theirs: &Parts<'b, 'f>,
    ) -> (Parts<'a, 'n>, Parts<'b, 'f>) {
        let stems = |names: Vec<&'_ str>| -> BTreeSet<String> {
            names.iter().map(|name| stem(name).0.to_owned()).collect()
        };
        let a = stems(ours.iter().map(|(name, _)| *name).collect());
        let b = stems(theirs.iter().map(|(name, _)| *name).collect());
        for both in &a & &b {
            self.pair(&of_stem(ours, &both), &of_stem(theirs, &both));
        }
        let alone = |name: &str, other: &BTreeSet<String>| !other.contains(stem(name).0);
        (
            ours.iter()
                .filter(|(name, _)| alone(name, &b))
                .copied()
                .collect(),
            theirs
                .iter()
                .filter(|(name, _)| alone(name, &a))
                .copied()
                .collect(),
        )
    }

    /// Layers of one stem.
    fn pair(&mut self, ours: &Parts<'_, '_>, theirs: &Parts<'_, 'f>) {
        let names = |of: &Parts<'_, '_>| -> Vec<String> {
            of.iter().map(|(name, _)| (*name).to_owned()).collect()
        };
        let (a, b) = (names(ours), names(theirs));
        let ordered = theirs.windows(2).all(|w| stem(w[0].0).1 < stem(w[1].0).1);
        let common = a.iter().any(|name| b.contains(name));
        if a.len() == b.len() && ordered && (a == b || self.whole || !common) {
            for ((_, ours), (_, theirs)) in ours.iter().zip(theirs) {
                self.layer(ours, theirs);
            }
            return;
        }
        // `gru_1` and `gru_2` for `gru` and `gru_1`: the same name need not be the same layer.
        let shifted = a.len() == b.len() && ordered;
        for (name, ours) in ours {
            let same: Parts<'_, 'f> = match shifted {
                true => theirs.clone(),
                false => theirs.iter().filter(|(n, _)| n == name).copied().collect(),
            };
            match same.as_slice() {
                [] => {}
                [(_, theirs)] => self.layer(ours, theirs),
                several => {
                    let mut paths: Vec<&'f str> =
                        several.iter().map(|(_, node)| node.path).collect();
                    paths.sort_unstable();
                    for parameter in ours.numbers() {
                        self.of[parameter] = Assigned::OneOf(paths.clone());
                    }
                }
            }
        }
    }
}

/// Whether the names are those of a PyTorch module's `state_dict`: `lstm.weight_ih_l0`, `fc.weight`.
///
/// ```
/// use rnn_formats::are_pytorch;
///
/// assert!(are_pytorch(&["lstm.weight_ih_l0", "fc.weight"]));
/// assert!(!are_pytorch(&["lstm/kernel", "dense/kernel"]));
/// ```
pub fn are_pytorch(names: &[&str]) -> bool {
    const LAST: &[&str] = &[
        "weight",
        "bias",
        "running_mean",
        "running_var",
        "num_batches_tracked",
    ];
    const RECURRENT: &[&str] = &["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
    let own = |name: &&&str| {
        let last = name.rsplit('.').next().unwrap_or_default();
        RECURRENT.iter().any(|r| last.starts_with(r))
            || (name.contains('.') && LAST.contains(&last))
    };
    let found = names.iter().filter(own).count();
    found > 0 && 2 * found >= names.len() && !names.iter().any(|n| n.contains('/'))
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
