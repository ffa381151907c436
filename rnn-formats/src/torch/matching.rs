//! Which module is which layer of a given model.

use std::collections::BTreeMap;

use super::{
    StateDict,
    modules::modules,
    units::{Class, Unit},
};
use crate::{Error, Tensor};

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

/// The tensors of a model whose parameters have these names and shapes, in the order given.
///
/// A module is a layer's if it is called as the layer is, whole (`encoder.lstm`) or by its last part (`lstm`; layer 1 of it
/// is `lstm_1`). Other modules are taken in the order of the file, each for the first layer whose parameters have its names
/// and shapes. All modules and all layers have to have a partner.
///
/// # Errors
/// [`Error::NotUnderstood`] with every layer and module that is left over, and shapes of both.
pub fn tensors_for(
    dict: &StateDict,
    params: &[(String, Vec<usize>)],
) -> Result<Vec<Tensor>, Error> {
    let found = modules(dict)?;
    let units = &found.units;
    let slots = slots(params);
    let mut partners: Vec<Option<(usize, Class)>> = vec![None; slots.len()];
    let mut taken = vec![false; units.len()];
    let mut wrong = Vec::new();
    // A model that says a name means that module, even if it does not fit.
    let mut blocked = vec![false; slots.len()];
    for (number, slot) in slots.iter().enumerate() {
        let named = (0..units.len())
            .filter(|u| units.get(*u).is_some_and(|unit| called(slot, unit)))
            .collect::<Vec<_>>();
        let fitting: Vec<(usize, Class)> = named
            .iter()
            .filter(|u| taken.get(**u) == Some(&false))
            .filter_map(|u| Some((*u, slot.fits(units.get(*u)?)?)))
            .collect();
        match (&fitting[..], &named[..]) {
            ([one], _) => {
                if let Some(place) = partners.get_mut(number) {
                    *place = Some(*one);
                }
                if let Some(place) = taken.get_mut(one.0) {
                    *place = true;
                }
            }
            ([], [only]) if !counted(slot.layer()) => {
                if let (Some(unit), Some(place), Some(of)) = (
                    units.get(*only),
                    blocked.get_mut(number),
                    taken.get_mut(*only),
                ) {
                    wrong.push(format!(
                        "{} is called as {}, which has {}",
                        slot.title(),
                        unit.title(),
                        has(unit)
                    ));
                    (*place, *of) = (true, true);
                }
            }
            _ => {}
        }
    }
    for (number, slot) in slots.iter().enumerate() {
        let Some(place) = partners.get_mut(number) else {
            continue;
        };
        if place.is_some() || blocked.get(number) == Some(&true) {
            continue;
        }
        let free = units.iter().enumerate().zip(&mut taken);
        let mut free = free.filter(|(_, taken)| !**taken);
        let first = free.find_map(|((u, unit), taken)| Some(((u, slot.fits(unit)?), taken)));
        match first {
            Some((partner, taken)) => {
                *place = Some(partner);
                *taken = true;
            }
            None => wrong.push(format!("{} has no module of its shapes", slot.title())),
        }
    }
    for (unit, _) in units.iter().zip(&taken).filter(|(_, taken)| !**taken) {
        wrong.push(format!("{} ({}) has no layer", unit.title(), has(unit)));
    }
    if !wrong.is_empty() {
        return Err(Error::NotUnderstood(wrong));
    }
    let mut tensors = BTreeMap::new();
    for (slot, partner) in slots.iter().zip(&partners) {
        if let Some((unit, class)) = partner.and_then(|(u, class)| Some((units.get(u)?, class))) {
            for tensor in unit.tensors(class, slot.name)? {
                tensors.insert(tensor.name.clone(), tensor);
            }
        }
    }
    params
        .iter()
        .map(|(name, _)| {
            tensors.remove(name).ok_or_else(|| {
                Error::not_understood(format!("`{name}` has no parameter in the file"))
            })
        })
        .collect()
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

/// Whether a layer and a module have one name.
fn called(slot: &Slot<'_>, unit: &Unit<'_>) -> bool {
    let with_layer = |name: &str| match unit.layer {
        0 => name.to_string(),
        n => format!("{name}_{n}"),
    };
    let last = unit.path.rsplit('.').next().unwrap_or_default();
    let names = [with_layer(unit.path), with_layer(last)];
    let half = slot
        .backward()
        .is_none_or(|backward| backward == unit.reverse);
    half && names.iter().any(|name| name == slot.layer())
}

/// Whether a name is one that layers get by counting, so that nobody may have meant anything by it.
fn counted(layer: &str) -> bool {
    let stem = match layer.rsplit_once('_') {
        Some((stem, number)) if number.parse::<u32>().is_ok() => stem,
        _ => layer,
    };
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
