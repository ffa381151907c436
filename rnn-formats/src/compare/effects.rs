//! What a layer computes that no shape of a parameter says.

use super::call::{Call, list, value};

/// A layer, as far as it changes numbers: what `Dense(4, activation = relu)` is are two of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effect {
    /// `LSTM`, `Activation`, `Bidirectional of LSTM`
    pub class: String,
    /// The layer's name; a layer without one has none.
    pub name: String,
    /// As it was written.
    pub text: String,
    /// The arguments that are compared, with their defaults, in one form.
    pub arguments: Vec<(String, String)>,
}

/// An argument: its name, its place among those without a name, and its default.
type Visible = (&'static str, Option<usize>, &'static str);

const TANH: Visible = ("activation", Some(1), "tanh");
const RECURRENT: Visible = ("recurrent_activation", Some(2), "sigmoid");
const BACKWARDS: Visible = ("go_backwards", None, "false");

/// The arguments of a class that change numbers and no shape. `None`: the class is not compared.
fn visible(class: &str) -> Option<&'static [Visible]> {
    Some(match class {
        "LSTM" | "LSTMCell" => &[TANH, RECURRENT, BACKWARDS],
        "GRU" | "GRUCell" => &[TANH, RECURRENT, BACKWARDS, ("reset_after", None, "true")],
        "SimpleRNN" | "SimpleRNNCell" => &[TANH, BACKWARDS],
        "BatchNormalization" => &[("axis", Some(0), "-1"), ("epsilon", Some(2), "0.001")],
        "LayerNormalization" => &[
            ("axis", Some(0), "-1"),
            ("epsilon", Some(1), "0.001"),
            ("rms_scaling", None, "false"),
        ],
        "Activation" => &[("activation", Some(0), "linear")],
        "Concatenate" => &[("axis", Some(0), "-1")],
        "Dense"
        | "Embedding"
        | "Add"
        | "Subtract"
        | "Multiply"
        | "Average"
        | "Maximum"
        | "Minimum"
        | "GlobalMaxPooling1D"
        | "GlobalAveragePooling1D" => &[],
        _ => return None,
    })
}

/// Layers that give what they read while a model is used, or the same numbers in another shape; and those that say which
/// steps are padding, which a stream has none of.
const SILENT: [&str; 12] = [
    "Dropout",
    "SpatialDropout1D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
    "Input",
    "Masking",
    "Flatten",
    "Reshape",
    "Permute",
    "RepeatVector",
];

/// What a layer does, in parts. `None` if its text is not understood.
pub(super) fn effects(name: &str, text: &str) -> Option<Vec<Effect>> {
    let mut all = Vec::new();
    parts(name, text, text, &mut all).then_some(all)
}

fn parts(name: &str, whole: &str, text: &str, all: &mut Vec<Effect>) -> bool {
    let Some(call) = Call::of(text) else {
        return false;
    };
    let one = |class: String, arguments: Vec<(String, String)>| Effect {
        class,
        name: name.to_owned(),
        text: whole.to_owned(),
        arguments,
    };
    match call.name {
        class if SILENT.contains(&class) => {}
        "TimeDistributed" => {
            // One layer within another, so this ends where the text does.
            return call
                .get("layer", Some(0))
                .is_some_and(|inner| parts(name, whole, inner, all));
        }
        "Bidirectional" => {
            let Some(inner) = call.get("layer", Some(0)).and_then(Call::of) else {
                return false;
            };
            let Some(mut arguments) = compared(&inner, "") else {
                return false;
            };
            // Without a layer of its own the backward direction is the same layer.
            let backward = call.get("backward_layer", None).and_then(Call::of);
            let backward = compared(
                &backward.unwrap_or_else(|| inner.clone()),
                "of the backward layer: ",
            );
            arguments.extend(backward.unwrap_or_default());
            arguments.retain(|(name, _)| name != "of the backward layer: go_backwards");
            let merge = call.get("merge_mode", Some(1)).unwrap_or("concat");
            arguments.push(("merge_mode".into(), value(merge)));
            all.push(one(format!("Bidirectional of {}", inner.name), arguments));
        }
        "RNN" => {
            let Some(cell) = call.get("cell", Some(0)) else {
                return false;
            };
            let inside = cell.strip_prefix('[').and_then(|c| c.strip_suffix(']'));
            let cells = match inside {
                Some(cells) => list(cells),
                None => Some(vec![cell]),
            };
            let backwards = call.get("go_backwards", None).unwrap_or("false");
            for cell in cells.unwrap_or_default() {
                let Some(cell) = Call::of(cell) else {
                    return false;
                };
                all.push(match compared(&cell, "") {
                    Some(mut arguments) => {
                        for (name, own) in &mut arguments {
                            if name == "go_backwards" {
                                *own = value(backwards);
                            }
                        }
                        one(cell.name.trim_end_matches("Cell").to_owned(), arguments)
                    }
                    // A cell that somebody has written.
                    None => one(OWN.to_owned(), Vec::new()),
                });
            }
        }
        class => {
            let Some(arguments) = compared(&call, "") else {
                return false;
            };
            let linear = ("activation".to_owned(), "linear".to_owned());
            if class != "Activation" || !arguments.contains(&linear) {
                all.push(one(class.to_owned(), arguments));
            }
            let after = call.get("activation", Some(1)).map(activation);
            if let Some(after) = after.filter(|a| class == "Dense" && a != "linear") {
                all.push(one(
                    "Activation".to_owned(),
                    vec![("activation".to_owned(), after)],
                ));
            }
        }
    }
    true
}

/// A cell that is none of Keras's.
pub(super) const OWN: &str = "RNN of a cell";

/// The arguments of a call that are compared.
fn compared(call: &Call<'_>, before: &str) -> Option<Vec<(String, String)>> {
    let all = visible(call.name)?.iter();
    let each = all.map(|(name, place, default)| {
        let own = call.get(name, *place).unwrap_or(default);
        let own = match name.ends_with("activation") {
            true => activation(own),
            false => value(own),
        };
        (format!("{before}{name}"), own)
    });
    Some(each.collect())
}

/// An activation in one form.
fn activation(text: &str) -> String {
    let own = value(text);
    match own.as_str() {
        "leaky_relu" => "leaky_relu(0.2)".into(),
        "elu" => "elu(1)".into(),
        "leaky_relu(0)" => "relu".into(),
        "swish" => "silu".into(),
        "hard_sigmoid" => value(&format!("hard_sigmoid({})", 1.0_f64 / 6.0)),
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let all = effects("x", text).unwrap();
        let one = |s: &Effect| {
            let each: Vec<String> = s
                .arguments
                .iter()
                .map(|(n, v)| format!("{n}={v}"))
                .collect();
            format!("{}({})", s.class, each.join(" "))
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn defaults_are_those_of_the_layers() {
        assert_eq!(
            texts("GRU(4, return_sequences)"),
            [
                "GRU(activation=tanh recurrent_activation=sigmoid go_backwards=false reset_after=true)"
            ]
        );
        assert_eq!(texts("GRU(4)"), texts("GRU(units = 4, tanh, reset_after)"));
        assert_eq!(
            texts("LSTM(4, go_backwards)"),
            texts("RNN(LSTMCell(4), go_backwards)")
        );
        assert_eq!(
            texts("RNN([LSTMCell(4), GRUCell(3)])"),
            [texts("LSTM(4)"), texts("GRU(3)")].concat()
        );
        assert_eq!(texts("RNN(cells::Mine(4))"), ["RNN of a cell()"]);
        assert_eq!(
            texts("Bidirectional(SimpleRNN(4, relu), merge_mode = sum)"),
            [
                "Bidirectional of SimpleRNN(activation=relu go_backwards=false of the backward layer: activation=relu \
             merge_mode=sum)"
            ]
        );
    }

    #[test]
    fn one_maths_is_one_thing() {
        assert_eq!(
            texts("Dense(4, activation = relu)"),
            [texts("Dense(4)"), texts("Activation(relu)")].concat()
        );
        assert_eq!(
            texts("TimeDistributed(Dense(4))"),
            texts("Dense(4, linear)")
        );
        assert_eq!(texts("Activation(linear)"), texts("Dropout(0.5)"));
        assert_eq!(
            texts("Activation(hard_sigmoid)"),
            texts("Activation(hard_sigmoid(0.16666667))")
        );
        assert_eq!(effects("x", "Lambda(4)"), None);
        assert_eq!(effects("x", "LSTM(4"), None);
    }
}
