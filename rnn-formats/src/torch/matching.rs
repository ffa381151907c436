//! Which module is which layer of a given model.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    StateDict,
    modules::modules,
    outline, series,
    units::{Class, Unit},
};
use crate::{Error, Module, Tensor};

/// A layer of the model, or one cell or direction of it: the part of the names before the last slash.
struct Slot<'p> {
    name: &'p str,
    /// Names and shapes of its parameters.
    params: Vec<(&'p str, &'p [usize])>,
}

impl<'p> Slot<'p> {
    /// The layer.
    fn layer(&self) -> &'p str {
        self.name.split('/').next().unwrap_or(self.name)
    }

    /// Whether it is the backward half of a `Bidirectional`: `Some(false)` for the forward half.
    fn backward(&self) -> Option<bool> {
        let (_, inner) = self.name.split_once('/')?;
        match inner {
            inner if inner.starts_with("forward_") => Some(false),
            inner if inner.starts_with("backward_") => Some(true),
            _ => None,
        }
    }

    /// The class that a unit has to be taken for to have these parameters.
    fn fits(&self, unit: &Unit<'_>) -> Option<Class> {
        if self.backward().unwrap_or(false) != unit.reverse {
            return None;
        }
        let classes = [Some(unit.class), unit.or];
        classes.into_iter().flatten().find(|class| {
            let shapes = unit.shapes(*class);
            shapes.len() == self.params.len()
                && self
                    .params
                    .iter()
                    .all(|(name, shape)| shapes.iter().any(|(n, s)| n == name && s == shape))
        })
    }

    fn title(&self) -> String {
        let params = self.params.iter();
        let each = params.map(|(name, shape)| format!("{name} {shape:?}"));
        format!("`{}` ({})", self.name, each.collect::<Vec<_>>().join(", "))
    }
}

/// What a state dict is for a given model.
#[derive(Clone, Debug, PartialEq)]
pub struct Matched {
    /// The tensors of its parameters, in their order.
    pub tensors: Vec<Tensor>,
    /// Which module is which layer, and what the file does not say.
    pub notes: Vec<String>,
    /// The modules, by the layers that have their weights from them.
    pub modules: Vec<Module>,
}

/// The tensors of a model whose parameters have these names and shapes, in the order given.
///
/// A module is a layer's if it is called as the layer is, whole (`encoder.lstm`) or by its last part (`lstm`; layer 1 of it
/// is `lstm_1`). Names that layers get by counting (`lstm`, `lstm_1`) are such names only if the file has the same ones.
/// Other modules are taken in the order of the file, each for the first layer whose parameters have its names
/// and shapes. All modules and all layers have to have a partner.
///
/// ```
/// use rnn_formats::torch::{Parameter, StateDict, tensors_for};
///
/// // A `Linear` of two features and one unit: PyTorch has a row for each unit, and here is a column for each.
/// let weight = Parameter { name: "fc.weight".into(), shape: vec![1, 2], values: vec![0.5, 2.0], integers: false };
/// let bias = Parameter { name: "fc.bias".into(), shape: vec![1], values: vec![1.0], integers: false };
/// let dict = StateDict::new(vec![weight, bias])?;
/// let wanted = [("dense/kernel".to_owned(), vec![2, 1]), ("dense/bias".to_owned(), vec![1])];
/// let tensors = tensors_for(&dict, &wanted)?;
/// assert_eq!((tensors[0].name.as_str(), &tensors[0].shape[..]), ("dense/kernel", &[2, 1][..]));
/// // A model with other sizes is an error.
/// assert!(tensors_for(&dict, &[("dense/kernel".to_owned(), vec![3, 1])]).is_err());
/// # Ok::<(), rnn_formats::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotUnderstood`] with every layer and module that is left over, and shapes of both; and with layers that could have
/// several modules whose order a sorted file does not say.
pub fn tensors_for(
    dict: &StateDict,
    params: &[(String, Vec<usize>)],
) -> Result<Vec<Tensor>, Error> {
    Ok(matched(dict, params)?.tensors)
}

/// [`tensors_for`], with notes.
///
/// # Errors
/// As [`tensors_for`].
///
/// ```
/// use rnn_formats::torch::{Parameter, StateDict, matched};
///
/// let parameter = |name: &str, shape: &[usize], values: &[f32]| Parameter {
///     name: name.into(), shape: shape.into(), values: values.into(), integers: false,
/// };
/// let dict = StateDict::new(vec![parameter("head.weight", &[1, 2], &[1.0, 2.0]), parameter("head.bias", &[1], &[3.0])])?;
/// let wanted = [("dense/kernel".to_owned(), vec![2, 1]), ("dense/bias".to_owned(), vec![1])];
/// let matched = matched(&dict, &wanted)?;
/// assert_eq!(matched.tensors[0].values, [1.0, 2.0]);
/// assert_eq!(matched.notes[0], "modules as layers: the Linear `head` is `dense`");
/// # Ok::<(), rnn_formats::Error>(())
/// ```
pub fn matched(dict: &StateDict, params: &[(String, Vec<usize>)]) -> Result<Matched, Error> {
    let found = modules(dict)?;
    let mut matching = Matching::new(&found.units, slots(params));
    matching.by_name();
    if dict.sorted {
        matching.without_order();
    }
    matching.in_order();
    let (units, slots, partners) = (&found.units, &matching.slots, &matching.partners);
    if !matching.wrong.is_empty() {
        return Err(Error::NotUnderstood(matching.wrong));
    }
    let mut tensors = BTreeMap::new();
    let mut pairs = Vec::new();
    for (slot, partner) in slots.iter().zip(partners) {
        if let Some((unit, class)) = partner.and_then(|(u, class)| Some((units.get(u)?, class))) {
            for tensor in unit.tensors(class, slot.name)? {
                tensors.insert(tensor.name.clone(), tensor);
            }
            pairs.push((unit, class, slot.name));
        }
    }
    let tensors = params
        .iter()
        .map(|(name, _)| {
            tensors.remove(name).ok_or_else(|| {
                Error::not_understood(format!("`{name}` has no parameter in the file"))
            })
        })
        .collect::<Result<Vec<Tensor>, Error>>()?;
    let modules = pairs.iter().map(|(unit, _, layer)| Module {
        layer: (*layer).to_owned(),
        title: unit.title(),
    });
    Ok(Matched {
        modules: modules.collect(),
        tensors,
        notes: outline::of_pairs(dict, &found, &pairs),
    })
}

/// Modules and layers that look for each other.
struct Matching<'u, 's, 'p> {
    units: &'u [Unit<'s>],
    slots: Vec<Slot<'p>>,
    /// For each slot its unit, and what it is.
    partners: Vec<Option<(usize, Class)>>,
    /// Slots of which something wrong has been said.
    blocked: Vec<bool>,
    /// Units that have a slot, or of which something wrong has been said.
    taken: Vec<bool>,
    wrong: Vec<String>,
}

impl<'u, 's, 'p> Matching<'u, 's, 'p> {
    fn new(units: &'u [Unit<'s>], slots: Vec<Slot<'p>>) -> Self {
        Matching {
            partners: vec![None; slots.len()],
            blocked: vec![false; slots.len()],
            taken: vec![false; units.len()],
            wrong: Vec::new(),
            units,
            slots,
        }
    }

    /// The free units that a slot could have.
    fn free(&self, slot: &Slot<'_>) -> Vec<(usize, Class)> {
        let units = self.units.iter().zip(&self.taken).enumerate();
        let free = units.filter(|(_, (_, taken))| !**taken);
        free.filter_map(|(u, (unit, _))| Some((u, slot.fits(unit)?)))
            .collect()
    }

    fn open(&self, number: usize) -> bool {
        self.partners.get(number) == Some(&None) && self.blocked.get(number) == Some(&false)
    }

    fn pair(&mut self, number: usize, partner: (usize, Class)) {
        if let Some(place) = self.partners.get_mut(number) {
            *place = Some(partner);
        }
        self.take(partner.0);
    }

    fn take(&mut self, unit: usize) {
        if let Some(place) = self.taken.get_mut(unit) {
            *place = true;
        }
    }

    fn block(&mut self, number: usize) {
        if let Some(place) = self.blocked.get_mut(number) {
            *place = true;
        }
    }

    /// The units that are called as a slot's layer is: by their whole names, or else by the last parts of them.
    fn called(&self, slot: &Slot<'_>) -> Vec<usize> {
        let of = |last: bool| -> Vec<usize> {
            let half = |unit: &Unit<'_>| slot.backward().is_none_or(|b| b == unit.reverse);
            let units = self.units.iter().enumerate();
            units
                .filter(|(_, unit)| half(unit) && name(unit, last) == slot.layer())
                .map(|(u, _)| u)
                .collect()
        };
        match of(false) {
            whole if whole.is_empty() => of(true),
            whole => whole,
        }
    }

    /// A model that says a name means that module, even if it does not fit.
    fn by_name(&mut self) {
        let counted = self.counted();
        for number in 0..self.slots.len() {
            let Some(slot) = self.slots.get(number) else {
                continue;
            };
            let called = self.called(slot);
            let by_count = counted.get(stem(slot.layer()));
            if by_count == Some(&false) {
                continue;
            }
            let free = self.free(slot);
            let fitting: Vec<(usize, Class)> = free
                .into_iter()
                .filter(|(u, _)| called.contains(u))
                .collect();
            match (&fitting[..], &called[..]) {
                ([one], _) => self.pair(number, *one),
                ([], [only]) => {
                    let Some(unit) = self.units.get(*only) else {
                        continue;
                    };
                    let line = format!(
                        "{} is called as {}, which has {}",
                        slot.title(),
                        unit.title(),
                        has(unit)
                    );
                    self.wrong.push(line);
                    self.block(number);
                    self.take(*only);
                }
                _ => {}
            }
        }
    }

    /// The stems of names that nobody need have meant, since layers get them by counting; and whether the file has the very
    /// same names, of modules that fit: a file that counts from 1 has `lstm_1`, too, and means another layer.
    fn counted(&self) -> BTreeMap<String, bool> {
        let mut layers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for slot in &self.slots {
            let names = layers.entry(stem(slot.layer())).or_default();
            names.insert(slot.layer());
        }
        let counted = layers.into_iter().filter(|(stem, names)| {
            is_class(stem)
                && (0..names.len()).all(|n| match n {
                    0 => names.contains(stem),
                    n => names.contains(format!("{stem}_{n}").as_str()),
                })
        });
        let same = |of: &str, ours: &BTreeSet<&str>| {
            let theirs: BTreeSet<String> = (self.units.iter().map(|unit| name(unit, true)))
                .filter(|name| stem(name) == of)
                .collect();
            let mut slots = self.slots.iter().filter(|s| stem(s.layer()) == of);
            theirs.iter().map(String::as_str).eq(ours.iter().copied())
                && slots.all(|slot| {
                    let unit = match self.called(slot)[..] {
                        [one] => self.units.get(one),
                        _ => None,
                    };
                    unit.is_some_and(|unit| slot.fits(unit).is_some())
                })
        };
        counted
            .map(|(stem, ours)| (stem.to_owned(), same(stem, &ours)))
            .collect()
    }

    /// Where the file has no order: slots with one choice take it, and of those that have several it is an error unless the
    /// modules are numbered.
    fn without_order(&mut self) {
        let mut more = true;
        while more {
            more = false;
            for number in 0..self.slots.len() {
                let slot = self.slots.get(number).filter(|_| self.open(number));
                if let Some([one]) = slot.map(|slot| self.free(slot)).as_deref() {
                    self.pair(number, *one);
                    more = true;
                }
            }
        }
        // Slots by the modules that they could have.
        let mut groups: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        for (number, slot) in self.slots.iter().enumerate() {
            let free: Vec<usize> = match self.open(number) {
                true => self.free(slot).into_iter().map(|(u, _)| u).collect(),
                false => continue,
            };
            let mut all = free.iter().filter_map(|u| self.units.get(*u));
            let first = all.next().map(|unit| series(unit.path));
            if all.any(|unit| Some(series(unit.path)) != first) {
                groups.entry(free).or_default().push(number);
            }
        }
        for (units, numbers) in groups {
            let layers = numbers.iter().filter_map(|n| self.slots.get(*n));
            let layers: Vec<String> = layers.map(|slot| format!("`{}`", slot.name)).collect();
            let choices = units.iter().filter_map(|u| self.units.get(*u));
            let example = choices.clone().next().map(|unit| self.own_name(unit));
            let choices: Vec<String> = choices.map(Unit::title).collect();
            self.wrong.push(format!(
                "{}: could be {}, which are of one shape, and the file is sorted by names, which says no order; name the \
                 layers as their modules: `name = {:?}`",
                layers.join(" and "),
                choices.join(" or "),
                example.unwrap_or_default()
            ));
            for number in numbers {
                self.block(number);
            }
            for unit in units {
                self.take(unit);
            }
        }
    }

    /// A name that means this module alone.
    fn own_name(&self, unit: &Unit<'_>) -> String {
        let last = name(unit, true);
        let others = self.units.iter().filter(|u| name(u, true) == last);
        match others.map(|u| u.path).collect::<BTreeSet<_>>().len() {
            1 => last,
            _ => name(unit, false),
        }
    }

    /// The others in their order; then what is left on both sides.
    fn in_order(&mut self) {
        for number in 0..self.slots.len() {
            let Some(slot) = self.slots.get(number).filter(|_| self.open(number)) else {
                continue;
            };
            match self.free(slot).first() {
                Some(first) => self.pair(number, *first),
                None => {
                    let line = format!("{} has no module of its shapes", slot.title());
                    self.wrong.push(line);
                }
            }
        }
        for (unit, _) in self.units.iter().zip(&self.taken).filter(|(_, t)| !**t) {
            let line = format!("{} ({}) has no layer", unit.title(), has(unit));
            self.wrong.push(line);
        }
    }
}

/// Layers in the order of their first parameters.
fn slots(params: &[(String, Vec<usize>)]) -> Vec<Slot<'_>> {
    let (mut slots, mut places): (Vec<Slot<'_>>, BTreeMap<&str, usize>) = Default::default();
    for (name, shape) in params {
        let (layer, own) = name.rsplit_once('/').unwrap_or(("", name));
        let place = *places.entry(layer).or_insert(slots.len());
        match slots.get_mut(place) {
            Some(slot) => slot.params.push((own, shape)),
            None => slots.push(Slot {
                name: layer,
                params: vec![(own, shape)],
            }),
        }
    }
    slots
}

/// What a layer here is called if it is called as a module: by its whole name, or the last part of that.
fn name(unit: &Unit<'_>, last: bool) -> String {
    let own = match last {
        true => unit.path.rsplit('.').next().unwrap_or_default(),
        false => unit.path,
    };
    match unit.layer {
        0 => own.to_owned(),
        n => format!("{own}_{n}"),
    }
}

/// A name without the number at its end.
fn stem(layer: &str) -> &str {
    match layer.rsplit_once('_') {
        Some((stem, number)) if number.parse::<u32>().is_ok() => stem,
        _ => layer,
    }
}

/// Whether layers get this name if a model gives them none.
fn is_class(stem: &str) -> bool {
    let classes = [
        Class::Lstm,
        Class::Gru,
        Class::SimpleRnn,
        Class::Dense,
        Class::Embedding,
        Class::LayerNorm,
        Class::BatchNorm,
    ];
    ["bidirectional", "time_distributed", "rnn"].contains(&stem)
        || classes.iter().any(|class| class.stem() == stem)
}

/// Names and shapes that a unit would have here.
fn has(unit: &Unit<'_>) -> String {
    let shapes = unit.shapes(unit.class);
    let each = shapes
        .iter()
        .map(|(name, shape)| format!("{name} {shape:?}"));
    each.collect::<Vec<_>>().join(", ")
}
