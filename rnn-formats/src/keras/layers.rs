//! The layers of a configuration as layers here.

use serde_json::Value;

use super::{
    config::Config,
    functions::whole,
    object::{Object, items},
    recurrent,
    spec::{Mask, Masked, Param, Shape, Spec, features, width, with_features},
};

/// What a layer becomes.
pub(super) enum Built {
    /// A layer.
    Layer(Box<Spec>),
    /// Nothing: it gives what it reads.
    Same,
}

/// The layer of that class, which reads values of these shapes. `None` after something that was reported.
pub(super) fn build(class: &str, config: Config<'_, '_>, inputs: &[Shape]) -> Option<Built> {
    let none = None;
    let input = inputs.first().unwrap_or(&none);
    let several = matches!(
        class,
        "Add" | "Subtract" | "Multiply" | "Average" | "Maximum" | "Minimum" | "Concatenate"
    );
    let mut config = config;
    if !several && inputs.len() > 1 {
        config.wrong(format!(
            "it reads {} values, and one is understood",
            inputs.len()
        ));
        return None;
    }
    let spec = match class {
        "SimpleRNN" | "GRU" | "LSTM" | "RNN" => recurrent::layer(class, config, input)?,
        "Bidirectional" => recurrent::bidirectional(config, input)?,
        "TimeDistributed" => time_distributed(config, input)?,
        "Embedding" => embedding(config, input)?,
        "Dense" => dense(config, input)?,
        "BatchNormalization" => batch_normalization(config, input)?,
        "LayerNormalization" => layer_normalization(config, input)?,
        "Identity" => {
            config.everywhere();
            config.finish();
            return Some(Built::Same);
        }
        _ if several => merge(class, config, inputs)?,
        _ => plain(class, config, input)?,
    };
    Some(Built::Layer(Box::new(spec)))
}

fn embedding(mut config: Config<'_, '_>, input: &Shape) -> Option<Spec> {
    let (rows, units) = (config.size("input_dim")?, config.size("output_dim")?);
    config.arguments = vec![rows.to_string(), units.to_string()];
    config.push_initializers(&[("embeddings_initializer", "random_uniform")]);
    config.push_penalties(&["embeddings_regularizer", "embeddings_constraint"]);
    let masks = config.push_flag("mask_zero", false);
    let trained = config.everywhere();
    if input.as_ref().is_some_and(|axes| axes.len() != 1) {
        config.wrong("it reads one id a step, and nothing else is understood");
        return None;
    }
    let steps = input
        .as_ref()
        .and_then(|axes| axes.first().copied().flatten());
    let mut param = Param::new("embeddings", vec![Some(rows), Some(units)], 0);
    param.trained = trained;
    Some(Spec {
        params: vec![param],
        ids: true,
        mask: if masks { Mask::Ids } else { Mask::Lost },
        ..Spec::new("Embedding", config.finish(), Some(vec![steps, Some(units)]))
    })
}

fn dense(mut config: Config<'_, '_>, input: &Shape) -> Option<Spec> {
    let units = config.size("units")?;
    config.arguments.push(units.to_string());
    config.push_activation("activation", "linear");
    let bias = config.push_flag("use_bias", true);
    config.push_initializers(&[
        ("kernel_initializer", "glorot_uniform"),
        ("bias_initializer", "zeros"),
    ]);
    config.push_penalties(&[
        "kernel_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "bias_constraint",
    ]);
    let trained = config.everywhere();
    let mut params = vec![Param::new("kernel", vec![features(input), Some(units)], 0)];
    if bias {
        params.push(Param::new("bias", vec![Some(units)], 1));
    }
    params.iter_mut().for_each(|p| p.trained = trained);
    let result = with_features(input, Some(units));
    Some(Spec {
        params,
        ..Spec::new("Dense", config.finish(), result)
    })
}

/// Checks that `axis` is the last one of the input.
fn last_axis(config: &mut Config<'_, '_>, input: &Shape) -> Option<()> {
    let Some(value) = config.get("axis") else {
        return Some(());
    };
    // Axes are counted from the batch.
    let last = input
        .as_ref()
        .and_then(|axes| i64::try_from(axes.len()).ok());
    let given = whole(value);
    let fits = given.as_deref().is_some_and(|axes| match axes {
        [axis] => *axis == -1 || last.is_none_or(|last| *axis == last),
        _ => false,
    });
    if !fits {
        config.wrong(format!(
            "`axis` = {value} is not understood, only the last one"
        ));
    }
    fits.then_some(())
}

const NORMALIZED: &[(&str, &str)] = &[("beta_initializer", "zeros"), ("gamma_initializer", "ones")];
const NORMALIZED_PENALTIES: &[&str] = &[
    "beta_regularizer",
    "gamma_regularizer",
    "beta_constraint",
    "gamma_constraint",
];

/// `epsilon`, which is above 0.
fn epsilon(config: &mut Config<'_, '_>) {
    let x = config.number("epsilon", 0.001);
    if x <= 0.0 || !x.is_finite() {
        config.wrong(format!("`epsilon` = {x} is not above 0"));
    } else if x != 0.001 {
        config.push("epsilon", super::functions::number(x));
    }
}

fn batch_normalization(mut config: Config<'_, '_>, input: &Shape) -> Option<Spec> {
    last_axis(&mut config, input)?;
    let momentum = config.number("momentum", 0.99);
    match (0.0..1.0).contains(&momentum) {
        true if momentum == 0.99 => {}
        true => config.push("momentum", super::functions::number(momentum)),
        false => config.note(format!(
            "`momentum` = {momentum} is left out: it only matters in training"
        )),
    }
    epsilon(&mut config);
    let center = config.push_flag("center", true);
    let scale = config.push_flag("scale", true);
    config.push_initializers(NORMALIZED);
    config.push_initializers(&[
        ("moving_mean_initializer", "zeros"),
        ("moving_variance_initializer", "ones"),
    ]);
    config.push_penalties(NORMALIZED_PENALTIES);
    if config.flag("synchronized", false) {
        config.note("`synchronized` is left out: it only matters in training");
    }
    if config.flag("renorm", false) {
        config.wrong("`renorm` is not understood");
    }
    for unused in ["renorm_momentum", "renorm_clipping", "virtual_batch_size"] {
        config.get(unused);
    }
    let trained = config.everywhere();
    let mut params = affine(scale, center, input);
    params.iter_mut().for_each(|p| p.trained = trained);
    for name in ["moving_mean", "moving_variance"] {
        let mut moving = Param::new(name, vec![features(input)], params.len());
        moving.trained = false;
        params.push(moving);
    }
    Some(Spec {
        params,
        ..Spec::new("BatchNormalization", config.finish(), input.clone())
    })
}

fn layer_normalization(mut config: Config<'_, '_>, input: &Shape) -> Option<Spec> {
    last_axis(&mut config, input)?;
    epsilon(&mut config);
    let rms = config.push_flag("rms_scaling", false);
    let center = config.push_flag("center", true);
    let scale = config.push_flag("scale", true);
    config.push_initializers(NORMALIZED);
    config.push_penalties(NORMALIZED_PENALTIES);
    let trained = config.everywhere();
    let mut params = affine(scale || rms, center && !rms, input);
    params.iter_mut().for_each(|p| p.trained = trained);
    Some(Spec {
        params,
        ..Spec::new("LayerNormalization", config.finish(), input.clone())
    })
}

/// `gamma` and `beta`, those that there are.
fn affine(scale: bool, center: bool, input: &Shape) -> Vec<Param> {
    let all = [("gamma", scale), ("beta", center)];
    let used = all
        .into_iter()
        .filter(|(_, used)| *used)
        .map(|(name, _)| name);
    used.enumerate()
        .map(|(i, name)| Param::new(name, vec![features(input)], i))
        .collect()
}

/// `TimeDistributed`: a layer of one step at every step.
fn time_distributed(mut config: Config<'_, '_>, input: &Shape) -> Option<Spec> {
    let object = Object::of(config.get("layer")?);
    let Some(object) = object else {
        config.wrong("its layer is not understood");
        return None;
    };
    let step: Shape = input
        .as_ref()
        .and_then(|axes| Some(axes.split_first()?.1.to_vec()));
    let what = format!("{}, {}", config.what, object.class);
    let own = Config::new(&what, object.config, config.old, config.report);
    let fits = matches!(
        object.class,
        "Dense"
            | "Activation"
            | "LayerNormalization"
            | "BatchNormalization"
            | "Dropout"
            | "Flatten"
            | "Reshape"
            | "GaussianNoise"
            | "GaussianDropout"
            | "AlphaDropout"
            | "LeakyReLU"
            | "ReLU"
            | "ELU"
            | "Softmax"
    );
    if !fits {
        let mut own = own;
        own.wrong("this layer is not understood at every step");
        return None;
    }
    let Built::Layer(mut inner) = build(object.class, own, std::slice::from_ref(&step))? else {
        return None;
    };
    let cost = "activity_regularizer";
    if inner.arguments.iter().any(|a| a.starts_with(cost)) {
        inner.arguments.retain(|a| !a.starts_with(cost));
        config.note(format!(
            "`{cost}` of the layer in it is left out: Keras does not add it, either"
        ));
    }
    let result = |inner: &Spec| -> Shape {
        let axes = inner.results.first()?.as_ref()?;
        let steps = input.as_ref()?.first().copied()?;
        Some([&[steps], &axes[..]].concat())
    };
    let params = std::mem::take(&mut inner.params);
    let result = result(&inner);
    // Moving statistics are of features, so every step has the same; here it is written without the wrapper.
    let bare = inner.class == "BatchNormalization";
    config.arguments = match bare {
        true => std::mem::take(&mut inner.arguments),
        false => vec![inner.text()],
    };
    let trained = config.everywhere();
    let class = if bare {
        "BatchNormalization"
    } else {
        "TimeDistributed"
    };
    Some(Spec {
        params: params
            .into_iter()
            .map(|p| Param {
                trained: p.trained && trained,
                ..p.inside("", "layer")
            })
            .collect(),
        ..Spec::new(class, config.finish(), result)
    })
}

/// Layers that make one value of several.
fn merge(class: &str, mut config: Config<'_, '_>, inputs: &[Shape]) -> Option<Spec> {
    if inputs.len() < 2 || class == "Subtract" && inputs.len() > 2 {
        config.wrong(format!("it reads {} values", inputs.len()));
        return None;
    }
    let first = inputs.first().cloned().flatten();
    if class != "Concatenate" {
        if let Some(other) = inputs.iter().flatten().find(|s| {
            first
                .as_ref()
                .is_some_and(|f| f.len() != s.len() || f.last() != s.last())
        }) {
            config.wrong(format!(
                "values of one shape are understood, found {first:?} and {other:?}"
            ));
            return None;
        }
        config.everywhere();
        return Some(Spec {
            mask: Mask::Any,
            ..Spec::new(class, config.finish(), first)
        });
    }
    last_axis(&mut config, &first)?;
    config.everywhere();
    let all: Option<Vec<usize>> = inputs.iter().map(features).collect();
    let sum = all.and_then(|all| all.iter().try_fold(0_usize, |sum, n| sum.checked_add(*n)));
    let result = with_features(&first, sum);
    Some(Spec {
        mask: Mask::Joined,
        ..Spec::new("Concatenate", config.finish(), result)
    })
}

/// Layers without parameters.
fn plain(class: &str, mut config: Config<'_, '_>, input: &Shape) -> Option<Spec> {
    if let Some(text) = config.as_activation(class) {
        match text {
            Ok(text) => config.arguments.push(text),
            Err(why) => config.wrong(why),
        }
        config.everywhere();
        return Some(Spec::new("Activation", config.finish(), input.clone()));
    }
    let mut spec = Spec::new(class, Vec::new(), input.clone());
    match class {
        "Activation" => {
            config.push_activation("activation", "");
            // By position.
            if let Some(text) = config.arguments.first_mut() {
                *text = text.trim_start_matches("activation = ").to_owned();
            }
        }
        "Masking" => {
            let value = config.number("mask_value", 0.0);
            config.push_number("mask_value", 0.0);
            spec.mask = Mask::Value(value);
        }
        "Dropout" | "SpatialDropout1D" | "GaussianDropout" | "AlphaDropout" => {
            let rate = config.number("rate", 0.0);
            match (0.0..1.0).contains(&rate) {
                true => config.arguments.push(super::functions::number(rate)),
                false => config.wrong(format!("`rate` = {rate} is not at least 0 and below 1")),
            }
            if config.get("noise_shape").is_some() {
                config.note("`noise_shape` is left out: it only matters in training");
            }
            config.push_seed(rate > 0.0);
        }
        "GaussianNoise" => {
            let deviation = config.number("stddev", 0.0);
            match deviation > 0.0 {
                true => config.arguments.push(super::functions::number(deviation)),
                false => config.wrong(format!("`stddev` = {deviation} is not above 0")),
            }
            config.push_seed(true);
        }
        "ActivityRegularization" => {
            // Keras also writes the penalty that is made of both.
            config.get("activity_regularizer");
            config.push_number("l1", 0.0);
            config.push_number("l2", 0.0);
        }
        "GlobalMaxPooling1D" | "GlobalAveragePooling1D" => {
            channels(&mut config);
            let keeps = config.push_flag("keepdims", false);
            let n = features(input);
            spec.results = vec![Some(if keeps { vec![Some(1), n] } else { vec![n] })];
            spec.masked = match class {
                "GlobalMaxPooling1D" => Masked::HereOnly,
                _ => Masked::Yes,
            };
            spec = spec.without_steps();
        }
        "Flatten" => {
            channels(&mut config);
            let all = input.as_ref().and_then(|axes| width(axes));
            spec.results = vec![Some(vec![all])];
            spec = spec.without_steps();
        }
        "Reshape" => {
            let sizes = target(&mut config, input)?;
            config.arguments = sizes.iter().map(ToString::to_string).collect();
            spec.results = vec![Some(sizes.into_iter().map(Some).collect())];
            spec = spec.without_steps();
        }
        "Permute" => {
            let dims = config.get("dims").and_then(whole).unwrap_or_default();
            let from = |axis: &i64| -> Option<Option<usize>> {
                let index = usize::try_from(*axis).ok()?.checked_sub(1)?;
                input.as_ref()?.get(index).copied()
            };
            let result: Shape = dims.iter().map(from).collect();
            config.arguments = dims.iter().map(ToString::to_string).collect();
            spec.results = vec![result];
            spec = spec.without_steps();
        }
        "RepeatVector" => {
            let n = config.size("n")?;
            config.arguments.push(n.to_string());
            spec.results = vec![Some(vec![Some(n), features(input)])];
            spec = spec.without_steps();
        }
        _ => {
            config.wrong("this layer is not understood");
            return None;
        }
    }
    if class != "ActivityRegularization" {
        config.everywhere();
    } else {
        config.precision();
        config.flag("trainable", true);
    }
    spec.arguments = config.finish();
    Some(spec)
}

/// Channels have to be last.
fn channels(config: &mut Config<'_, '_>) {
    if let Some(format) = config.get("data_format")
        && format.as_str() != Some("channels_last")
    {
        config.wrong(format!("`data_format` = {format} is not understood"));
    }
}

/// The sizes of `Reshape`, that which Keras infers, too.
fn target(config: &mut Config<'_, '_>, input: &Shape) -> Option<Vec<usize>> {
    let value = config.get("target_shape");
    let sizes: Option<Vec<i64>> = value
        .and_then(items)
        .and_then(|all| all.iter().map(Value::as_i64).collect());
    let sizes = sizes.unwrap_or_default();
    let all = input.as_ref().and_then(|axes| width(axes));
    let known: Option<usize> = sizes
        .iter()
        .filter(|n| **n != -1)
        .try_fold(1_usize, |n, s| {
            n.checked_mul(usize::try_from(*s).ok().filter(|s| *s > 0)?)
        });
    let inferred = all
        .zip(known)
        .filter(|(all, n)| *n > 0 && all % n == 0)
        .map(|(all, n)| all / n);
    let open = sizes.iter().filter(|n| **n == -1).count();
    let found: Option<Vec<usize>> = sizes
        .iter()
        .map(|n| match n {
            -1 => inferred.filter(|n| *n > 0 && open == 1),
            n => usize::try_from(*n).ok(),
        })
        .collect();
    match (found, known) {
        (Some(sizes), Some(_)) if !sizes.is_empty() => Some(sizes),
        _ => {
            let words = value.map_or("nothing".to_owned(), ToString::to_string);
            config.wrong(format!(
                "`target_shape` = {words} is not understood for {input:?}"
            ));
            None
        }
    }
}
