//! Modules, told by the names and shapes of their parameters.

use std::collections::BTreeMap;

use super::{
    Parameter, StateDict,
    units::{Class, Parts, Unit},
};
use crate::{
    Error,
    listed::{MOST_NAMED, listed},
};

/// What a state dict has.
#[derive(Debug)]
pub(crate) struct Modules<'s> {
    /// Layers of modules, in the order of the file; the layers of a recurrent module in a row, the backward direction after
    /// the forward one.
    pub units: Vec<Unit<'s>>,
    /// Counters of training, which nothing reads.
    pub counters: Vec<&'s str>,
}

/// Parameters of one module, by their own names.
type Group<'s> = BTreeMap<&'s str, &'s Parameter>;

/// The modules of a state dict.
///
/// # Errors
/// [`Error::NotUnderstood`] with all parameters that are none of a known module.
pub(crate) fn modules(dict: &StateDict) -> Result<Modules<'_>, Error> {
    let mut order: Vec<&str> = Vec::new();
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for parameter in &dict.parameters {
        let (path, own) = parameter
            .name
            .rsplit_once('.')
            .unwrap_or(("", &parameter.name));
        let group = groups.entry(path).or_default();
        if group.is_empty() {
            order.push(path);
        }
        group.insert(own, parameter);
    }
    let mut found = Modules {
        units: Vec::new(),
        counters: Vec::new(),
    };
    let mut refused = Vec::new();
    for path in order {
        let Some(group) = groups.remove(path) else {
            continue;
        };
        module(path, group, &mut found, &mut refused);
    }
    guess_matrices(&mut found.units);
    match refused.is_empty() {
        true => Ok(found),
        false => Err(Error::NotUnderstood(refused)),
    }
}

fn module<'s>(
    path: &'s str,
    mut group: Group<'s>,
    found: &mut Modules<'s>,
    refused: &mut Vec<String>,
) {
    if let Some(counter) = group.remove("num_batches_tracked") {
        found.counters.push(&counter.name);
    }
    group.retain(|_, p| {
        if p.integers {
            refused.push(format!(
                "`{}` {:?}: numbers that are no floats",
                p.name, p.shape
            ));
        }
        !p.integers
    });
    let recurrent = |own: &str| own.starts_with("weight_ih") || own.starts_with("weight_hh");
    if group.keys().any(|own| recurrent(own)) {
        return recurrent_module(path, group, found, refused);
    }
    let weight = group.remove("weight");
    let bias = group.remove("bias");
    let statistics = match (group.remove("running_mean"), group.remove("running_var")) {
        (Some(mean), Some(variance)) => Some([mean, variance]),
        (None, None) => None,
        (Some(one), _) | (_, Some(one)) => {
            refused.push(format!(
                "`{}`: one of mean and variance is missing",
                one.name
            ));
            return;
        }
    };
    refused.extend(group.values().map(|p| unknown(p)));
    let unit = |class, or, parts| Unit {
        path,
        layer: 0,
        both: false,
        reverse: false,
        class,
        or,
        parts,
    };
    let axes = weight.map(|w| w.shape.len());
    let all = || [weight, bias].into_iter().flatten();
    let one_size = |sizes: &[Option<&Parameter>]| {
        let mut shapes = sizes.iter().flatten().map(|p| &p.shape);
        let first = shapes.next();
        first.is_some_and(|s| s.len() == 1) && shapes.all(|s| Some(s) == first)
    };
    match (axes, bias, statistics) {
        (None, None, None) => {}
        (None | Some(1), _, Some([mean, variance])) => {
            match one_size(&[weight, bias, Some(mean), Some(variance)]) {
                true => found.units.push(unit(
                    Class::BatchNorm,
                    None,
                    Parts::Norm {
                        weight,
                        bias,
                        statistics,
                    },
                )),
                false => refused.push(format!(
                    "`{path}`: expected a normalisation's parameters of one size, found {}",
                    shapes(&[weight, bias, Some(mean), Some(variance)])
                )),
            }
        }
        (Some(1), None, None) if weight.is_some_and(|w| w.shape == [1]) => {
            refused.extend(weight.map(|w| {
                format!(
                    "`{}` [1]: a `PReLU`, whose slope is learned; there is no layer for it here",
                    w.name
                )
            }));
        }
        (Some(1), _, None) => match one_size(&[weight, bias]) {
            true => found.units.push(unit(
                Class::LayerNorm,
                None,
                Parts::Norm {
                    weight,
                    bias,
                    statistics: None,
                },
            )),
            false => refused.push(format!(
                "`{path}`: expected a normalisation's parameters of one size, found {}",
                shapes(&[weight, bias])
            )),
        },
        (Some(2), _, None) => {
            let Some(weight) = weight else { return };
            let fits = bias.is_none_or(|bias| bias.shape[..] == weight.shape[..1]);
            match fits {
                true => found.units.push(unit(
                    Class::Dense,
                    bias.is_none().then_some(Class::Embedding),
                    Parts::Matrix { weight, bias },
                )),
                false => refused.push(format!(
                    "`{path}`: expected a bias for each row of the weight, found {}",
                    shapes(&[Some(weight), bias])
                )),
            }
        }
        (Some(3..), ..) => refused.extend(all().map(|p| {
            format!(
                "`{}` {:?}: of a convolution; there is no layer for it here",
                p.name, p.shape
            )
        })),
        _ => refused.extend(all().map(unknown)),
    }
}

/// Layers `l0` and up of `nn.LSTM`, `nn.GRU` and `nn.RNN`, or a cell.
fn recurrent_module<'s>(
    path: &'s str,
    group: Group<'s>,
    found: &mut Modules<'s>,
    refused: &mut Vec<String>,
) {
    let mut layers: BTreeMap<(u32, bool), Group<'s>> = BTreeMap::new();
    for (own, parameter) in group {
        match place(own) {
            Some((kind, layer, reverse)) => {
                layers
                    .entry((layer, reverse))
                    .or_default()
                    .insert(kind, parameter);
            }
            None => refused.push(unknown(parameter)),
        }
    }
    let both = layers.keys().any(|(_, reverse)| *reverse);
    let mut before = None;
    for (number, ((layer, reverse), parts)) in layers.iter().enumerate() {
        let directions = 1 + usize::from(both);
        if (number / directions, both && number % 2 == 1) != (*layer as usize, *reverse) {
            let wanted = match both && number % 2 == 1 {
                true => format!("`l{}_reverse`", number / directions),
                false => format!("`l{}`", number / directions),
            };
            refused.push(format!(
                "`{path}`: the parameters of its layer {wanted} are missing"
            ));
            return;
        }
        match recurrent_unit(path, parts) {
            Ok((class, parts)) => {
                let unit = Unit {
                    path,
                    layer: *layer as usize,
                    both,
                    reverse: *reverse,
                    class,
                    or: None,
                    parts,
                };
                let width = unit.gives().and_then(|n| n.checked_mul(directions));
                if *layer > 0 && unit.reads() != before {
                    refused.push(format!(
                        "{}: expected {} features to read, as the layer before gives, found {}",
                        unit.title(),
                        before.unwrap_or(0),
                        unit.reads().unwrap_or(0)
                    ));
                }
                if *reverse || !both {
                    before = width;
                }
                found.units.push(unit);
            }
            Err(line) => refused.push(line),
        }
    }
}

/// What a parameter of a recurrent module is: `weight_ih_l0_reverse` is the `weight_ih` of layer 0, backward.
fn place(own: &str) -> Option<(&str, u32, bool)> {
    let (own, reverse) = match own.strip_suffix("_reverse") {
        Some(own) => (own, true),
        None => (own, false),
    };
    let (kind, layer) = match own.rsplit_once("_l") {
        Some((kind, layer)) => (kind, layer.parse().ok()?),
        // A cell.
        None if !reverse => (own, 0),
        None => return None,
    };
    let kinds = ["weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"];
    kinds.contains(&kind).then_some((kind, layer, reverse))
}

fn recurrent_unit<'s>(path: &str, parts: &Group<'s>) -> Result<(Class, Parts<'s>), String> {
    let get = |kind: &str| parts.get(kind).copied();
    if let Some(projection) = get("weight_hr") {
        return Err(format!(
            "`{}` {:?}: a projection of the state (`proj_size`), which no layer here has",
            projection.name, projection.shape
        ));
    }
    let (Some(input), Some(recurrent)) = (get("weight_ih"), get("weight_hh")) else {
        let there = parts.values().map(|p| p.name.clone());
        return Err(format!(
            "`{path}`: expected `weight_ih` and `weight_hh` of a layer, found {}",
            listed(there, ", ", MOST_NAMED)
        ));
    };
    let biases = match (get("bias_ih"), get("bias_hh")) {
        (Some(one), Some(two)) => Some([one, two]),
        (None, None) => None,
        (Some(one), _) | (_, Some(one)) => {
            return Err(format!("`{}`: the other bias is missing", one.name));
        }
    };
    let wrong = || {
        let all = shapes(&[
            Some(input),
            Some(recurrent),
            biases.map(|b| b[0]),
            biases.map(|b| b[1]),
        ]);
        format!(
            "`{path}`: expected 1, 3 or 4 gates (an RNN, a GRU or an LSTM) of the size of the state in each of its \
             parameters, found {all}"
        )
    };
    let ([rows, _], [same, units]) = (&input.shape[..], &recurrent.shape[..]) else {
        return Err(wrong());
    };
    let gates = rows.checked_div(*units).unwrap_or(0);
    let biased = biases.is_none_or(|both| both.iter().all(|b| b.shape[..] == [*rows]));
    let class = match gates {
        1 => Class::SimpleRnn,
        3 => Class::Gru,
        4 => Class::Lstm,
        _ => return Err(wrong()),
    };
    match rows == same && rows % units == 0 && biased {
        true => Ok((
            class,
            Parts::Recurrent {
                input,
                recurrent,
                biases,
            },
        )),
        false => Err(wrong()),
    }
}

fn shapes(all: &[Option<&Parameter>]) -> String {
    let all = all.iter().flatten();
    let each = all.map(|p| format!("`{}` {:?}", p.name, p.shape));
    each.collect::<Vec<_>>().join(", ")
}

/// Why a parameter is none of a known module.
fn unknown(parameter: &Parameter) -> String {
    let Parameter { name, shape, .. } = parameter;
    let own = name.rsplit('.').next().unwrap_or_default();
    let what = match own {
        "in_proj_weight" | "in_proj_bias" => "of `MultiheadAttention`",
        "weight_g" | "weight_v" | "original0" | "original1" => {
            "of `weight_norm`: take it off before saving, \
             `torch.nn.utils.parametrize.remove_parametrizations(module, \"weight\")`"
        }
        "weight_hr" => "a projection of the state (`proj_size`)",
        "bias" => "of a module that is not known",
        _ => "of no module of PyTorch's that is known",
    };
    format!("`{name}` {shape:?}: {what}; there is no layer for it here")
}

/// Whether a matrix without a bias is an embedding: if it is called so, or if what follows reads its columns and not its rows.
fn guess_matrices(units: &mut [Unit<'_>]) {
    for number in 0..units.len() {
        let next = units.get(number + 1).and_then(Unit::reads);
        let before = number.checked_sub(1).and_then(|n| units.get(n));
        let before = before.and_then(Unit::gives);
        let Some(unit) = units.get_mut(number) else {
            continue;
        };
        let Parts::Matrix { weight, bias: None } = &unit.parts else {
            continue;
        };
        let [rows, columns] = weight.shape[..] else {
            continue;
        };
        let own = unit.path.rsplit('.').next().unwrap_or_default();
        let called = ["emb", "vocab", "wte", "words", "tokens"]
            .iter()
            .any(|word| own.to_lowercase().contains(word));
        // Ids are what a model reads first.
        let fits = number == 0 && next == Some(columns) && next != Some(rows);
        if called || (fits && before.is_none()) {
            (unit.class, unit.or) = (Class::Embedding, Some(Class::Dense));
        }
    }
}
