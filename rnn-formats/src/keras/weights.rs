//! The parameters of a model, from the two forms in which Keras stores them.

use std::collections::{BTreeMap, BTreeSet};

use super::{builder::Weighted, report::Report, spec::Param};
use crate::{
    Error, Tensor,
    hdf5::{Attribute, File, Node},
};

/// All groups and datasets of a file, by path.
pub(super) struct Tree<'a, 'f> {
    nodes: BTreeMap<String, Node<'a, 'f>>,
    used: BTreeSet<String>,
}

impl<'a, 'f> Tree<'a, 'f> {
    pub fn of(file: &'a File<'f>) -> Result<Self, Error> {
        let root = file.root()?;
        let mut nodes: BTreeMap<String, Node<'a, 'f>> = root
            .walk()?
            .into_iter()
            .map(|node| (node.path().to_owned(), node))
            .collect();
        nodes.insert(String::new(), root);
        Ok(Tree {
            nodes,
            used: BTreeSet::new(),
        })
    }

    pub fn get(&self, path: &str) -> Option<&Node<'a, 'f>> {
        self.nodes.get(path)
    }

    /// The paths of all datasets that nobody has read, by the order of their names.
    pub fn left(&self) -> Vec<&str> {
        let all = self.nodes.iter().filter(|(_, node)| node.is_dataset());
        let all = all.map(|(path, _)| path.as_str());
        all.filter(|path| !self.used.contains(*path)).collect()
    }

    /// The numbers of a dataset; `None` if there is none.
    pub fn tensor(&mut self, path: &str) -> Result<Option<Tensor>, Error> {
        let Some(node) = self.nodes.get(path).filter(|n| n.is_dataset()) else {
            return Ok(None);
        };
        self.used.insert(path.to_owned());
        node.tensor().map(Some)
    }

    /// An attribute that is a text.
    pub fn text(&self, path: &str, name: &str) -> Result<Option<String>, Error> {
        let Some(node) = self.get(path) else {
            return Ok(None);
        };
        Ok(match node.attribute(name)? {
            Some(Attribute::Text(text)) => Some(text),
            _ => None,
        })
    }

    /// A list of texts, which Keras cuts into several attributes where it is long: `weight_names0`, `weight_names1`.
    pub fn texts(&self, path: &str, name: &str) -> Result<Option<Vec<String>>, Error> {
        let Some(node) = self.get(path) else {
            return Ok(None);
        };
        let mut known: BTreeMap<String, Attribute> = node.attributes()?.into_iter().collect();
        let mut texts = |name: &str| match known.remove(name)? {
            Attribute::Texts(texts) => Some(texts),
            _ => Some(Vec::new()),
        };
        if let Some(all) = texts(name) {
            return Ok(Some(all));
        }
        let Some(mut all) = texts(&format!("{name}0")) else {
            return Ok(None);
        };
        let mut part = 1_usize;
        while let Some(mut more) = texts(&format!("{name}{part}")) {
            all.append(&mut more);
            part += 1;
        }
        Ok(Some(all))
    }
}

/// Takes a tensor as a parameter, if it has its shape.
fn take(
    layer: &Weighted,
    param: &Param,
    found: Option<Tensor>,
    at: &str,
    report: &mut Report,
) -> Option<Tensor> {
    let name = format!("{}/{}", layer.name, param.name);
    match found {
        None => {
            report.wrong(format!(
                "{name} {} is not in the file, at `{at}`",
                param.axes()
            ));
            None
        }
        Some(tensor) if !param.fits(&tensor.shape) => {
            report.wrong(format!(
                "{name} is {} by the model's configuration, and {:?} in the file, at `{at}`",
                param.axes(),
                tensor.shape
            ));
            None
        }
        Some(tensor) => Some(Tensor { name, ..tensor }),
    }
}

/// The tensors of `.weights.h5`: layers are counted, parameters numbered.
pub(super) fn counted(
    tree: &mut Tree<'_, '_>,
    layers: &[Weighted],
    report: &mut Report,
) -> Result<Vec<Tensor>, Error> {
    // Parameters of layers that are not understood would be called unknown, too.
    if !report.is_right() {
        return Ok(Vec::new());
    }
    let mut tensors = Vec::new();
    for layer in layers {
        let store = &layer.place.store;
        // Early versions have other words for the layers of a model.
        let other = store.replace("layers/", "_layer_checkpoint_dependencies/");
        let known = |path: &str| tree.get(path).is_some();
        let base = if known(store) || !known(&other) {
            store
        } else {
            &other
        };
        let base = named(tree, base, &layer.place.name)?;
        for param in &layer.params {
            let inside = match param.place.is_empty() {
                true => String::new(),
                false => format!("/{}", param.place),
            };
            let path = format!("{base}{inside}/vars/{}", param.index);
            let found = tree.tensor(&path)?;
            tensors.extend(take(layer, param, found, &path, report));
        }
    }
    unread(tree, report);
    Ok(tensors)
}

/// The group of the layer of that name. The counters are in the order of the configuration, and new versions say the name,
/// too; if it is another's, the group with this name is meant.
fn named(tree: &Tree<'_, '_>, base: &str, name: &str) -> Result<String, Error> {
    let said = tree.text(&format!("{base}/vars"), "name")?;
    if said.as_deref().is_none_or(|said| said == name) {
        return Ok(base.to_owned());
    }
    let (parent, own) = base.rsplit_once('/').unwrap_or(("", base));
    let stem = own.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let start = format!("{parent}/{stem}");
    let siblings = tree.nodes.range(start.clone()..);
    for (path, _) in siblings.take_while(|(path, _)| path.starts_with(&start)) {
        if let Some(group) = path.strip_suffix("/vars")
            && group.matches('/').count() == base.matches('/').count()
            && tree.text(path, "name")?.as_deref() == Some(name)
        {
            return Ok(group.to_owned());
        }
    }
    Ok(base.to_owned())
}

/// Reports datasets that no layer has, and notes those that inference does not need.
pub(super) fn unread(tree: &Tree<'_, '_>, report: &mut Report) {
    let mut wrong = Vec::new();
    for path in tree.left() {
        match unneeded(path) {
            Some(what) => report.note(format!("{what} are left out")),
            None => wrong.push(path.to_owned()),
        }
    }
    for path in wrong {
        report.wrong(format!("`{path}` belongs to no layer that is understood"));
    }
}

/// What inference does not need, by its path.
pub(super) fn unneeded(path: &str) -> Option<&'static str> {
    let mut parts = path.split('/');
    let first = parts.next().unwrap_or_default();
    if matches!(first, "optimizer" | "optimizer_weights" | "_optimizer") {
        return Some("the states of the optimizer");
    }
    let seed = |part: &str| part.starts_with("seed_generator") || part.contains("random_generator");
    if path.split('/').any(seed) {
        return Some("the states of random generators");
    }
    let metric = |part: &str| {
        matches!(
            part,
            "metrics" | "_metrics" | "_compile_metrics" | "_loss_tracker"
        )
    };
    path.split('/')
        .any(metric)
        .then_some("the states of metrics")
}

/// The tensors of a whole `.h5`: a group for each layer, in it the names of its weights.
pub(super) fn by_names(
    tree: &mut Tree<'_, '_>,
    root: &str,
    layers: &[Weighted],
    report: &mut Report,
) -> Result<Vec<Tensor>, Error> {
    if !report.is_right() {
        return Ok(Vec::new());
    }
    let mut found = BTreeMap::new();
    let mut groups: Vec<&str> = layers.iter().map(|l| l.place.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let path = below(root, group);
        let Some(names) = tree.texts(&path, "weight_names")? else {
            report.wrong(format!(
                "the layer `{group}` has no weights in the file, at `{path}`"
            ));
            continue;
        };
        let mut names: Vec<Option<String>> = names.into_iter().map(Some).collect();
        let own = || layers.iter().filter(|l| l.place.group == group);
        let all = || own().flat_map(|l| l.params.iter().map(move |p| (l, p)));
        // Keras writes what is trained first, over all layers of the group.
        let trained = all().filter(|(_, p)| p.trained);
        for (layer, param) in trained.chain(all().filter(|(_, p)| !p.trained)) {
            let name = pick(&mut names, layer, param);
            let at = below(&path, name.as_deref().unwrap_or(param.last));
            let tensor = match name {
                Some(_) => tree.tensor(&at)?,
                None => None,
            };
            if let Some(tensor) = take(layer, param, tensor, &at, report) {
                found.insert(tensor.name.clone(), tensor);
            }
        }
        for name in names.into_iter().flatten() {
            match unneeded(&name) {
                Some(what) => {
                    tree.used.insert(below(&path, &name));
                    report.note(format!("{what} are left out"));
                }
                None => report.wrong(format!(
                    "`{}` belongs to no parameter that is understood",
                    below(&path, &name)
                )),
            }
        }
    }
    unread(tree, report);
    let order = layers.iter().flat_map(|l| {
        l.params
            .iter()
            .map(move |p| format!("{}/{}", l.name, p.name))
    });
    Ok(order.filter_map(|name| found.remove(&name)).collect())
}

/// A path in a path.
pub(super) fn below(path: &str, name: &str) -> String {
    match path.is_empty() {
        true => name.to_owned(),
        false => format!("{path}/{name}"),
    }
}

/// The first name that is left and is that of the parameter: with the layer's name in it, or else with any.
fn pick(names: &mut [Option<String>], layer: &Weighted, param: &Param) -> Option<String> {
    let fits = |name: &str| {
        let (above, last) = name.rsplit_once('/').unwrap_or(("", name));
        let last = last.split(':').next().unwrap_or_default();
        let way = |other: &str| above.split('/').any(|p| p.starts_with(other));
        last == param.last
            && match param.direction {
                Some("forward") => !way("backward_"),
                Some(_) => !way("forward_"),
                None => true,
            }
    };
    let own = |name: &str| name.split('/').any(|part| part == layer.place.name);
    let find = |names: &[Option<String>], strict: bool| {
        names
            .iter()
            .position(|n| n.as_deref().is_some_and(|n| fits(n) && (!strict || own(n))))
    };
    let at = find(names, true).or_else(|| find(names, false))?;
    names.get_mut(at)?.take()
}
