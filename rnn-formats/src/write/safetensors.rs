//! Safetensors, with Keras's names or with PyTorch's.

use std::collections::HashMap;

use ::safetensors::{Dtype, serialize, tensor::TensorView};

use super::{
    Written,
    keras::params::params,
    layer::{Activation, Arguments, inner},
    model::{IDENTITIES, Layer, Model},
};
use crate::{Error, Network, Tensor};

/// The tensors under the names here, `lstm/kernel`.
///
/// ```
/// use rnn_formats::{Tensor, safetensors, write};
///
/// let kernel = Tensor::new("dense/kernel", vec![1, 2], vec![0.5, -2.0])?;
/// let file = write::safetensors(&[kernel.clone()])?;
/// assert_eq!(safetensors::read(&file.bytes)?.tensors, [kernel]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NotUnderstood`] if two tensors have one name.
pub fn safetensors(tensors: &[Tensor]) -> Result<Written, Error> {
    let bytes = file(tensors)?;
    Ok(Written {
        bytes,
        notes: Vec::new(),
    })
}

/// The tensors under PyTorch's names, `lstm.weight_ih_l0`: matrices the other way round, gates in PyTorch's order, two
/// biases. A note says the modules.
///
/// ```
/// use rnn_formats::{read, safetensors, write};
///
/// # let json = br#"{"in_shape": [null, null, 1], "layers": [
/// #     {"type": "dense", "shape": [null, null, 1], "activation": "", "weights": [[[2.0]], [0.5]]}]}"#;
/// let model = read(json, &mut |name| std::fs::read(name))?;
/// let network = model.network.ok_or("the file has layers")?;
/// let file = write::pytorch(&network, &model.tensors)?;
/// let dict = safetensors::state_dict(&file.bytes)?;
/// let names: Vec<&str> = dict.parameters.iter().map(|p| p.name.as_str()).collect();
/// assert_eq!(names, ["dense.bias", "dense.weight"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NotUnderstood`] with all layers that no module of PyTorch computes.
pub fn pytorch(network: &Network, tensors: &[Tensor]) -> Result<Written, Error> {
    let model = Model::of(network, tensors)?;
    let (mut all, mut modules, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for (number, layer) in model.layers.iter().enumerate() {
        if layer.first != number {
            continue;
        }
        match module(&model, layer, &mut all) {
            Ok(said) => modules.extend(said),
            Err(why) => wrong.push(format!("{}: {why}", layer.title())),
        }
    }
    if !wrong.is_empty() {
        return Err(Error::NotUnderstood(wrong));
    }
    let mut notes = vec!["a state dict has no architecture; these are the modules:".to_owned()];
    notes.extend(modules);
    Ok(Written {
        bytes: file(&all)?,
        notes,
    })
}

fn file(tensors: &[Tensor]) -> Result<Vec<u8>, Error> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|t| t.values.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let mut views = Vec::new();
    for (tensor, bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
        let view = view.map_err(|e| Error::not_understood(format!("`{}`: {e}", tensor.name)))?;
        views.push((tensor.name.as_str(), view));
    }
    let names: HashMap<&str, ()> = views.iter().map(|(name, _)| (*name, ())).collect();
    if names.len() < views.len() {
        return Err(Error::not_understood("two tensors have one name"));
    }
    serialize(views, None).map_err(|e| Error::not_understood(e.to_string()))
}

/// Layers that have no parameters and that a module, or a function of PyTorch, stands for.
const SILENT: &[&str] = &[
    "Activation",
    "Add",
    "Average",
    "Concatenate",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling1D",
    "Masking",
    "Maximum",
    "Minimum",
    "Multiply",
    "Permute",
    "RepeatVector",
    "Reshape",
    "Subtract",
];

/// Adds the parameters of a module; gives it in words.
fn module(
    model: &Model<'_>,
    layer: &Layer<'_>,
    all: &mut Vec<Tensor>,
) -> Result<Option<String>, String> {
    let (name, a) = (&layer.name, &layer.arguments);
    if IDENTITIES.contains(&layer.class) {
        return Ok(None);
    }
    if SILENT.contains(&layer.class) {
        let all: Vec<String> = a.all.iter().map(|(_, word)| word.text()).collect();
        return Ok(Some(match all.is_empty() {
            true => layer.class.to_owned(),
            false => format!("{}({})", layer.class, all.join(", ")),
        }));
    }
    let mut found = Vec::new();
    for param in params(model, layer)? {
        let tensor = model.tensor(name, &param.name, &param.shape)?;
        found.push((param.name, tensor));
    }
    let width = |value: usize| {
        let of = layer.inputs.get(value).and_then(|v| model.shape(*v));
        of.and_then(|shape| shape.axes.last().copied()).unwrap_or(0)
    };
    let masked = match (layer.inputs.first()).is_some_and(|v| model.masked.contains_key(v)) {
        true => ", of padded sequences: `pack_padded_sequence` says which steps are valid",
        false => "",
    };
    match layer.class {
        "TimeDistributed" => {
            let (class, a) = inner(a.get("layer"))?;
            of_step(&class, name, &a, &found, width(0), all)
        }
        "LSTM" | "GRU" | "SimpleRNN" | "RNN" => {
            let (class, own) = cell(layer.class, a)?;
            let module = recurrent(&class, &own, name, &found, ("", ""), all)?;
            let backwards = match a.flag("go_backwards", false) {
                true => ", which reads from the last step to the first",
                false => "",
            };
            let last = match a.flag("return_sequences", false) {
                true => "",
                false => ", and its last step",
            };
            Ok(Some(format!(
                "{name} = nn.{module}({}, {}{}){backwards}{last}{masked}",
                width(0),
                own.size("units")?,
                options(module, &own)
            )))
        }
        "Bidirectional" => {
            let (class, forward) = inner(a.get("layer"))?;
            let (class, own) = cell(&class, &forward)?;
            if let Some(word) = a.get("backward_layer") {
                let (other, mut backward) = inner(Some(word))?;
                backward.take("go_backwards");
                let (other, backward) = cell(&other, &backward)?;
                let module = recurrent(&other, &backward, "", &[], ("", ""), &mut Vec::new())?;
                if other != class
                    || backward.size("units")? != own.size("units")?
                    || options(module, &backward) != options(module, &own)
                {
                    return Err("PyTorch's module has two directions of one kind".into());
                }
            }
            let mode = a.choice("merge_mode", "concat");
            for (way, suffix) in [("forward", ""), ("backward", "_reverse")] {
                let all_of = found.iter().filter(|(own, _)| own.starts_with(way));
                let own_params: Vec<(String, &Tensor)> = all_of.cloned().collect();
                let prefix = own_params.first().and_then(|(own, _)| own.rsplit_once('/'));
                let prefix = prefix.map_or(String::new(), |(prefix, _)| format!("{prefix}/"));
                recurrent(&class, &own, name, &own_params, (&prefix, suffix), all)?;
            }
            let module = recurrent(&class, &own, "", &[], ("", ""), &mut Vec::new())?;
            let merged = match mode.as_str() {
                "concat" => String::new(),
                mode => format!(", and the {mode} of both directions"),
            };
            let last = match forward.flag("return_sequences", false) {
                true => "",
                false => ", and the last state of each direction",
            };
            Ok(Some(format!(
                "{name} = nn.{module}({}, {}{}, bidirectional=True){merged}{last}{masked}",
                width(0),
                own.size("units")?,
                options(module, &own)
            )))
        }
        class => of_step(class, name, a, &found, width(0), all),
    }
}

fn bias(a: &Arguments) -> &'static str {
    match a.flag("use_bias", true) {
        true => "",
        false => ", bias=False",
    }
}

/// What the constructor of a recurrent module is told.
fn options(module: &str, a: &Arguments) -> String {
    let relu = module == "RNN" && a.activation("activation", "tanh").is("relu");
    let nonlinearity = if relu { ", nonlinearity='relu'" } else { "" };
    format!(", batch_first=True{nonlinearity}{}", bias(a))
}

/// The one cell of a recurrent layer, as the layer of that cell.
fn cell(class: &str, a: &Arguments) -> Result<(String, Arguments), String> {
    if class != "RNN" {
        return Ok((class.to_owned(), a.clone()));
    }
    let all = super::model::cells(a)?;
    match &all[..] {
        [(class, a)] if !matches!(a.get("cell"), Some(super::words::Word::List(_))) => {
            Ok((class.trim_end_matches("Cell").to_owned(), a.clone()))
        }
        _ => Err("PyTorch has no module for a stack of cells".into()),
    }
}

/// Adds the parameters of one direction of a recurrent layer; gives the class of the module.
fn recurrent(
    class: &str,
    a: &Arguments,
    name: &str,
    found: &[(String, &Tensor)],
    (prefix, suffix): (&str, &str),
    all: &mut Vec<Tensor>,
) -> Result<&'static str, String> {
    let activation = a.activation("activation", "tanh");
    let gates_by = a.activation("recurrent_activation", "sigmoid");
    let refused = |activation: &Activation| {
        Err(format!(
            "PyTorch's module does not compute `{}` here",
            activation.text()
        ))
    };
    if a.flag("learn_initial_state", false) {
        return Err("PyTorch's module has no start states that are learned".into());
    }
    if class != "SimpleRNN" && !gates_by.is("sigmoid") {
        return refused(&gates_by);
    }
    // Ours of each of PyTorch's gates.
    let (module, gates): (_, &[usize]) = match class {
        "LSTM" if activation.is("tanh") => ("LSTM", &[0, 1, 2, 3]),
        "GRU" if !a.flag("reset_after", true) => {
            return Err(
                "PyTorch's module resets after the product; this is `reset_after = false`".into(),
            );
        }
        // PyTorch has reset before update.
        "GRU" if activation.is("tanh") => ("GRU", &[1, 0, 2]),
        "SimpleRNN" if activation.is("tanh") => ("RNN", &[0]),
        "SimpleRNN" if activation.is("relu") => ("RNN", &[0]),
        _ => return refused(&activation),
    };
    let own = |own: &str| {
        let name = format!("{prefix}{own}");
        found.iter().find(|(n, _)| *n == name).map(|(_, t)| *t)
    };
    let mut add = |own: &str, shape: Vec<usize>, values: Vec<f32>| {
        let tensor = Tensor::new(format!("{name}.{own}_l0{suffix}"), shape, values);
        tensor.map(|t| all.push(t)).map_err(|e| e.to_string())
    };
    for (theirs, ours) in [("weight_ih", "kernel"), ("weight_hh", "recurrent_kernel")] {
        if let Some(tensor) = own(ours) {
            let turned = tensor.transposed().map_err(|e| e.to_string())?;
            let rows = turned.shape.first().copied().unwrap_or(0);
            let columns = turned.shape.get(1).copied().unwrap_or(0);
            let values = regated(&turned.values, rows / gates.len() * columns, gates);
            add(theirs, vec![rows, columns], values)?;
        }
    }
    if let Some(tensor) = own("bias") {
        let wide = tensor.shape.last().copied().unwrap_or(0);
        let zeros = vec![0.0; wide];
        let (one, two) = match tensor.shape.len() {
            2 => tensor.values.split_at(wide),
            _ => (&tensor.values[..], &zeros[..]),
        };
        let unit = wide / gates.len();
        add("bias_ih", vec![wide], regated(one, unit, gates))?;
        add("bias_hh", vec![wide], regated(two, unit, gates))?;
    }
    Ok(module)
}

/// Blocks of `size` numbers in another order.
fn regated(values: &[f32], size: usize, order: &[usize]) -> Vec<f32> {
    let block = |gate: &usize| values.get(gate * size..(gate + 1) * size);
    order.iter().filter_map(block).flatten().copied().collect()
}

/// Adds the parameters of a layer of one step.
fn of_step(
    class: &str,
    name: &str,
    a: &Arguments,
    found: &[(String, &Tensor)],
    width: usize,
    all: &mut Vec<Tensor>,
) -> Result<Option<String>, String> {
    let mut add = |own: &str, tensor: &Tensor| {
        all.push(Tensor {
            name: format!("{name}.{own}"),
            ..tensor.clone()
        });
    };
    let theirs = |own: &str| match own {
        "gamma" | "embeddings" => "weight",
        "beta" => "bias",
        "moving_mean" => "running_mean",
        "moving_variance" => "running_var",
        _ => "bias",
    };
    for (own, tensor) in found {
        match own.as_str() {
            "kernel" => add("weight", &tensor.transposed().map_err(|e| e.to_string())?),
            own => add(theirs(own), tensor),
        }
    }
    let epsilon = a.number("epsilon", 0.001);
    Ok(Some(match class {
        "Dense" => {
            let then = match a.activation("activation", "linear") {
                a if a.is("linear") => String::new(),
                a => format!(", then {}", a.text()),
            };
            format!(
                "{name} = nn.Linear({width}, {}{}){then}",
                a.size("units")?,
                bias(a)
            )
        }
        "Embedding" => format!(
            "{name} = nn.Embedding({}, {})",
            a.size("input_dim")?,
            a.size("output_dim")?
        ),
        "LayerNormalization" | "BatchNormalization" => {
            let (scale, center) = (a.flag("scale", true), a.flag("center", true));
            if a.flag("rms_scaling", false) {
                return Err("PyTorch's module has no `rms_scaling`".into());
            }
            let (module, affine) = match class {
                "BatchNormalization" => ("BatchNorm1d", "affine"),
                _ => ("LayerNorm", "elementwise_affine"),
            };
            let more = match (scale, center, class) {
                (true, true, _) => String::new(),
                (false, false, _) => format!(", {affine}=False"),
                (true, false, "LayerNormalization") => ", bias=False".to_owned(),
                _ => {
                    return Err("PyTorch's module has both `scale` and `center`, or none".into());
                }
            };
            format!("{name} = nn.{module}({width}, eps={epsilon}{more})")
        }
        class if SILENT.contains(&class) || IDENTITIES.contains(&class) => return Ok(None),
        other => return Err(format!("PyTorch has no module for {other}")),
    }))
}
