//! Layers of a file of Keras's that has weights alone, told by the names and the shapes of their parameters.

use std::collections::BTreeMap;

use crate::{
    Tensor,
    chain::{self, Kind, Part, Proposal, Words},
    network::stem,
};

const WORDS: Words = Words {
    file: "a file of weights alone",
    parts: "layers",
    source: "the model in Keras",
};

/// The parameters of a layer, or of one direction of it.
type Params<'t> = BTreeMap<&'t str, &'t [usize]>;

/// A layer's path in the file, and its parameters by direction (of which most layers have one, without a name).
#[derive(Debug)]
struct Group<'t> {
    path: &'t str,
    directions: BTreeMap<&'t str, Params<'t>>,
}

/// The layers of such tensors, in a row. `ordered`: they stand in the order of the model. `None` if a parameter is of no known
/// layer.
pub(crate) fn proposal(tensors: &[Tensor], ordered: bool) -> Option<Proposal> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for tensor in tensors {
        let (path, direction, own) = apart(&tensor.name)?;
        let place = *places.entry(path).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group {
                path,
                directions: BTreeMap::new(),
            });
        }
        let all = groups.get_mut(place)?;
        let params = all.directions.entry(direction).or_default();
        params.insert(own, &tensor.shape);
    }
    if !ordered {
        // Layers of one class stand in the order in which Keras counted them.
        groups.sort_by_cached_key(|group| {
            let (of, number) = counted(last(group.path));
            (of.to_owned(), number)
        });
    }
    let parts = groups.iter().map(Group::part);
    let parts = parts.collect::<Option<Vec<Part>>>()?;
    let mut names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).any(|pair| pair.first() == pair.last());
    (!parts.is_empty() && !twice).then(|| chain::proposal(&parts, ordered, WORDS))
}

/// A name as the layer's path, the direction, and the parameter: `sequential/gru/gru_cell/kernel` is `sequential/gru` and
/// `kernel`. `None` for a name without a layer, and for cells in a stack.
fn apart(name: &str) -> Option<(&str, &str, &str)> {
    // A name may be megabytes of slashes: its parts stay in it.
    let (mut path, own) = name.rsplit_once('/')?;
    if let Some((before, cell)) = path.rsplit_once('/')
        && counted(cell).0.ends_with("_cell")
    {
        path = before;
    }
    let mut direction = "";
    if let Some((before, way)) = path.rsplit_once('/')
        && ["forward_", "backward_"].iter().any(|w| way.starts_with(w))
    {
        (path, direction) = (before, way);
    }
    let mut above = Some(path);
    while let Some(layer) = above {
        if counted(last(layer)).0 == "time_distributed" {
            path = layer;
            break;
        }
        above = layer.rsplit_once('/').map(|(above, _)| above);
    }
    let (of, _) = counted(last(path));
    (!matches!(of, "rnn" | "stacked_rnn_cells")).then_some((path, direction, own))
}

/// The part of a path after its last slash.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A name without its number, and the number.
fn counted(name: &str) -> (&str, usize) {
    let number = name.rsplit_once('_');
    let number = number.and_then(|(stem, n)| Some((stem, n.parse().ok()?)));
    number.unwrap_or((name, 0))
}

impl Group<'_> {
    fn part(&self) -> Option<Part> {
        let name = last(self.path);
        let (own, _) = counted(name);
        let mut directions = self.directions.iter();
        let (direction, params) = directions.next()?;
        let one = Layer::of(params)?;
        let (mut class, mut text) = (one.class, one.text());
        let mut gives = Some(one.gives);
        match (*direction, directions.next()) {
            ("", None) if own == "time_distributed" => {
                text = format!("TimeDistributed({text})");
                class = "TimeDistributed";
            }
            ("", None) => {}
            (_, Some((_, other))) if !direction.is_empty() && directions.next().is_none() => {
                if Layer::of(other)? != one || one.kind() != Kind::Recurrent {
                    return None;
                }
                gives = one.gives.checked_mul(2);
                text = format!("Bidirectional({text})");
                class = "Bidirectional";
            }
            _ => return None,
        }
        // A name that counting gives needs not be written.
        if stem(class) != own {
            let end = format!(", name = {name:?})");
            text = match text.strip_suffix(')') {
                Some(start) if !start.ends_with('(') => format!("{start}{end}"),
                _ => format!("{}(name = {name:?})", text.trim_end_matches("()")),
            };
        }
        Some(Part {
            name: name.to_owned(),
            text,
            series: own.to_owned(),
            kind: one.kind(),
            reads: one.reads,
            gives,
        })
    }
}

/// A layer that is told by its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layer {
    class: &'static str,
    arguments: Vec<String>,
    reads: Option<usize>,
    gives: usize,
}

impl Layer {
    fn of(params: &Params<'_>) -> Option<Layer> {
        let names: Vec<&str> = params.keys().copied().collect();
        let shape = |name: &str| params.get(name).copied();
        let argument = |wanted: bool, text: &str| wanted.then(|| text.to_owned());
        let no_bias = argument(shape("bias").is_none(), "use_bias = false");
        let all = |all: [Option<String>; 3]| all.into_iter().flatten().collect();
        let layer = |class, arguments, reads, gives| Layer {
            class,
            arguments,
            reads,
            gives,
        };
        let row = |wide: usize| shape("bias").is_none_or(|bias| bias == [wide]);
        match &names[..] {
            ["kernel", "recurrent_kernel"] | ["bias", "kernel", "recurrent_kernel"] => {
                let ([reads, wide], [units, same]) = (shape("kernel")?, shape("recurrent_kernel")?)
                else {
                    return None;
                };
                let gates = wide.checked_div(*units)?;
                let both = shape("bias") == Some(&[2, *wide]);
                let class = match gates {
                    1 => "SimpleRNN",
                    3 => "GRU",
                    4 => "LSTM",
                    _ => return None,
                };
                let fits = wide == same && wide % units == 0;
                let old = class == "GRU" && shape("bias").is_some() && !both;
                let biased = row(*wide) || (class == "GRU" && both);
                let mut arguments: Vec<String> = all([Some(units.to_string()), no_bias, None]);
                arguments.extend(argument(old, "reset_after = false"));
                arguments.push("return_sequences".to_owned());
                (fits && biased).then(|| layer(class, arguments, Some(*reads), *units))
            }
            ["kernel"] | ["bias", "kernel"] => {
                let [reads, units] = shape("kernel")? else {
                    return None;
                };
                let arguments = all([Some(units.to_string()), no_bias, None]);
                row(*units).then(|| layer("Dense", arguments, Some(*reads), *units))
            }
            ["embeddings"] => {
                let [ids, units] = shape("embeddings")? else {
                    return None;
                };
                let arguments = all([Some(ids.to_string()), Some(units.to_string()), None]);
                Some(layer("Embedding", arguments, None, *units))
            }
            _ => {
                let (_, first) = params.first_key_value()?;
                let [units] = first else { return None };
                let same = params.values().all(|shape| shape == first);
                let statistics =
                    ["moving_mean", "moving_variance"].map(|name| shape(name).is_some());
                let (shifts, scales) = (shape("beta").is_some(), shape("gamma").is_some());
                let counted = [shifts, scales, statistics[0], statistics[1]];
                let known = counted.iter().filter(|there| **there).count() == names.len();
                let class = match statistics {
                    [true, true] => "BatchNormalization",
                    [false, false] => "LayerNormalization",
                    _ => return None,
                };
                let arguments = all([
                    argument(!shifts, "center = false"),
                    argument(!scales, "scale = false"),
                    None,
                ]);
                (same && known).then(|| layer(class, arguments, Some(*units), *units))
            }
        }
    }

    fn kind(&self) -> Kind {
        match self.class {
            "LSTM" | "GRU" | "SimpleRNN" => Kind::Recurrent,
            "Dense" => Kind::Dense,
            _ => Kind::Other,
        }
    }

    /// What `rnn_model!` writes.
    fn text(&self) -> String {
        match self.arguments.is_empty() {
            true => self.class.to_owned(),
            false => format!("{}({})", self.class, self.arguments.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(tensors: &[(&str, &[usize])], ordered: bool) -> Option<String> {
        let tensor = |(name, shape): &(&str, &[usize])| {
            let numbers = vec![0.5; shape.iter().product()];
            Tensor::new(*name, shape.to_vec(), numbers).unwrap()
        };
        let tensors: Vec<Tensor> = tensors.iter().map(tensor).collect();
        proposal(&tensors, ordered).and_then(|found| found.layers)
    }

    #[test]
    fn layers_are_told_by_their_parameters() {
        let tensors: &[(&str, &[usize])] = &[
            ("dense/bias", &[1]),
            ("dense/kernel", &[9, 1]),
            ("model/embedding/embeddings", &[20, 5]),
            ("norm/gamma", &[6]),
            ("reader/lstm_cell/kernel", &[6, 36]),
            ("reader/lstm_cell/recurrent_kernel", &[9, 36]),
            ("bidirectional/backward_gru/gru_cell/bias", &[9]),
            ("bidirectional/backward_gru/gru_cell/kernel", &[5, 9]),
            (
                "bidirectional/backward_gru/gru_cell/recurrent_kernel",
                &[3, 9],
            ),
            ("bidirectional/forward_gru/gru_cell/bias", &[9]),
            ("bidirectional/forward_gru/gru_cell/kernel", &[5, 9]),
            (
                "bidirectional/forward_gru/gru_cell/recurrent_kernel",
                &[3, 9],
            ),
        ];
        assert_eq!(
            layers(tensors, false).unwrap(),
            "Embedding(20, 5) -> Bidirectional(GRU(3, reset_after = false, return_sequences)) -> \
             LayerNormalization(center = false, name = \"norm\") -> \
             LSTM(9, use_bias = false, return_sequences, name = \"reader\") -> Dense(1)"
        );
        // A cell of somebody's own, and names without layers.
        assert_eq!(
            layers(&[("a/kernel", &[1, 2]), ("a/peephole", &[2])], false),
            None
        );
        assert_eq!(layers(&[("kernel", &[1, 2])], false), None);
        assert_eq!(layers(&[], false), None);
    }

    #[test]
    fn an_order_that_counting_says_is_kept() {
        let tensors: &[(&str, &[usize])] = &[
            ("dense/kernel", &[4, 4]),
            ("time_distributed/dense_9/kernel", &[4, 3]),
            ("simple_rnn_10/kernel", &[4, 4]),
            ("simple_rnn_10/recurrent_kernel", &[4, 4]),
            ("simple_rnn_9/kernel", &[2, 4]),
            ("simple_rnn_9/recurrent_kernel", &[4, 4]),
        ];
        let found = layers(&tensors[1..], false).unwrap();
        assert_eq!(
            found,
            "Input(_, 2) -> SimpleRNN(4, use_bias = false, return_sequences) -> SimpleRNN(4, use_bias = false, \
             return_sequences) -> TimeDistributed(Dense(3, use_bias = false))"
        );
        // The dense layer fits between them, too.
        let several = layers(tensors, false).unwrap();
        assert!(
            several.contains("return_sequences) -> Dense(4, use_bias = false) -> TimeDistributed"),
            "{several}"
        );
    }
}
