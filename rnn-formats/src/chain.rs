//! Layers of a file that has weights and no architecture: the chains that they could be.

use crate::listed::{MOST_NAMED, listed};

/// What is known of the layers of a file that has weights alone.
///
/// ```
/// # #[cfg(feature = "all")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rnn_formats::{Tensor, safetensors, write};
///
/// let file = write::safetensors(&[
///     Tensor::new("dense/bias", [1], vec![0.0])?,
///     Tensor::new("dense/kernel", [8, 1], vec![0.0; 8])?,
///     Tensor::new("gru/bias", [2, 24], vec![0.0; 48])?,
///     Tensor::new("gru/kernel", [3, 24], vec![0.0; 72])?,
///     Tensor::new("gru/recurrent_kernel", [8, 24], vec![0.0; 192])?,
/// ])?;
/// let proposal = safetensors::read(&file.bytes)?.proposal.expect("all parameters are known");
/// assert_eq!(proposal.layers.as_deref(), Some("Input(_, 3) -> GRU(8, return_sequences) -> Dense(1)"));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "all"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The text of a chain that the weights fit, `Input(_, 1) -> LSTM(16) -> Dense(1)`. `None` if no order of the layers
    /// makes one, or if several do and none is the plain one. `None` also of more than 24 layers that are no chain as they stand
    /// in the file, of layers with so many orders that the search for them is given up, and of a text above 20,000 bytes.
    pub layers: Option<String>,
    /// What speaks against this chain: that others fit as well.
    pub doubt: Option<String>,
    /// All that is known of the order, in one text that has the chain. A chain above 2000 bytes is not in it, and of many layers
    /// the first 20 are.
    pub note: String,
}

/// What a layer does to the row that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Recurrent,
    Dense,
    Other,
}

/// A layer, as far as its weights tell it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its name: `lstm_1`.
    pub name: String,
    /// What `rnn_model!` writes.
    pub text: String,
    /// Parts of one series stand in the order in which they are given.
    pub series: String,
    pub kind: Kind,
    /// How many features it reads; `None` of ids.
    pub reads: Option<usize>,
    /// How many features it gives.
    pub gives: Option<usize>,
}

/// How people call such a file and what is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// `a state dict`
    pub file: &'static str,
    /// `modules`
    pub parts: &'static str,
    /// Where the order stands: ``the module's `forward` ``
    pub source: &'static str,
}

/// The most bytes of a chain that a note has.
const MOST_IN_NOTE: usize = 2000;

/// The most bytes of a chain that is proposed.
const MOST_PROPOSED: usize = 20_000;

/// How many steps the search for orders takes at most.
const MAX_STEPS: usize = 5000;

/// The most parts whose order is searched: each is a call within the one before.
const MAX_SEARCHED: usize = 24;

/// How many orders are looked at.
const MAX_ORDERS: usize = 64;

/// The chain that a file's layers are. `ordered`: they stand in the order in which the program made them. This order counts if
/// each layer reads what the one before gives, unless it ends with a recurrent layer and another one has all recurrent layers
/// before the dense ones. Else it is the only order that there is, or the only one with the recurrent layers first.
pub(crate) fn proposal(parts: &[Part], ordered: bool, words: Words) -> Proposal {
    let Words {
        file,
        parts: what,
        source,
    } = words;
    let own: Vec<usize> = (0..parts.len()).collect();
    let in_file = ordered && parts.windows(2).all(follows);
    let orders = Orders::of(parts);
    let first = orders.recurrent_first(parts);
    let several = orders.found.len() > 1;
    let check = format!("check it against {source}");
    let start = format!("{file} has no architecture");
    let chosen = |order: &[usize], doubt: Option<String>, how: &str| {
        let layers = row(parts, order);
        let said = match layers.len() <= MOST_IN_NOTE {
            true => format!("`{layers}`"),
            false => format!("a chain of {} layers", order.len()),
        };
        let layers = Some(layers).filter(|layers| layers.len() <= MOST_PROPOSED);
        let doubt = doubt.filter(|_| layers.is_some());
        Proposal {
            note: format!("{start}. {how} {said}: {check}"),
            layers,
            doubt: doubt.map(|doubt| format!("{doubt}: {check}")),
        }
    };
    let first_words = format!(
        "the file's {what} fit in several orders by their sizes, and this is the one with the recurrent layers first"
    );
    let with_first = |order: &[usize]| {
        let how = format!(
            "Its {what} fit in several orders by their sizes; the one with the recurrent layers first is"
        );
        chosen(order, Some(first_words.clone()), &how)
    };
    if in_file {
        let ends = |kind| parts.iter().rposition(|part| part.kind == kind);
        let turned = ends(Kind::Recurrent) > ends(Kind::Dense) && ends(Kind::Dense).is_some();
        return match (turned, first) {
            (true, Some(order)) if several => with_first(order),
            _ => {
                let doubt = several.then(|| {
                    format!("the file's {what} fit in several orders by their sizes, and this is the file's own")
                });
                let how = match several {
                    true => format!(
                        "Its {what} fit in several orders by their sizes; the file's own is"
                    ),
                    false => format!("Its {what} in a row would be"),
                };
                chosen(&own, doubt, &how)
            }
        };
    }
    match (&orders.found[..], first) {
        ([only], _) if orders.whole => {
            let gaps = gaps(parts);
            let how = match ordered && !gaps.is_empty() {
                true => format!(
                    "Its {what} do not stand in a row ({gaps}); the one order that fits their sizes is"
                ),
                false => format!("The one order of its {what} that fits their sizes is"),
            };
            chosen(only, None, &how)
        }
        (_, Some(order)) => with_first(order),
        (found, None) => {
            let why = match (found, orders.whole) {
                ([], true) => "in no order of them each reads what the one before gives",
                (_, true) => "they fit in several orders by their sizes",
                (_, false) => "there are too many of them to look for their order",
            };
            let each = listed(parts.iter().map(Part::sizes), "; ", MOST_NAMED);
            Proposal {
                layers: None,
                doubt: None,
                note: format!(
                    "{start}. Its {what} are {each}. They do not tell their order: {why}. Write them in the order of {source}"
                ),
            }
        }
    }
}

/// The text of the layers in this order.
fn row(parts: &[Part], order: &[usize]) -> String {
    let row: Vec<&Part> = order.iter().filter_map(|n| parts.get(*n)).collect();
    let reads = row.first().and_then(|part| part.reads);
    let input = reads.map(|n| format!("Input(_, {n})"));
    let texts = row.iter().map(|part| part.text.clone());
    let all: Vec<String> = input.into_iter().chain(texts).collect();
    all.join(" -> ")
}

/// Whether the second of two parts reads what the first gives.
fn follows(pair: &[Part]) -> bool {
    matches!(pair, [before, after] if after.reads.is_some() && after.reads == before.gives)
}

/// Where the order of the file is none.
fn gaps(parts: &[Part]) -> String {
    let gaps = parts.windows(2).filter(|pair| !follows(pair));
    let gaps = gaps.filter_map(|pair| {
        let [before, after] = pair else { return None };
        Some(match (before.gives, after.reads) {
            (Some(gives), Some(reads)) => format!(
                "`{}` gives {gives} features and `{}` reads {reads}",
                before.name, after.name
            ),
            _ => format!(
                "`{}` reads ids and stands after `{}`",
                after.name, before.name
            ),
        })
    });
    listed(gaps, "; ", MOST_NAMED)
}

impl Part {
    /// Its text, and what it reads and gives.
    fn sizes(&self) -> String {
        let gives = self.gives.unwrap_or(0);
        match self.reads {
            Some(reads) => format!("`{}` reads {reads} and gives {gives}", self.text),
            None => format!("`{}` reads ids and gives {gives}", self.text),
        }
    }
}

/// The orders in which each part reads what the one before gives.
struct Orders {
    found: Vec<Vec<usize>>,
    /// Whether these are all.
    whole: bool,
}

impl Orders {
    fn of(parts: &[Part]) -> Orders {
        if parts.len() > MAX_SEARCHED {
            return Orders {
                found: Vec::new(),
                whole: false,
            };
        }
        let first = |part: &Part| parts.iter().position(|other| other.series == part.series);
        let mut search = Search {
            parts,
            series: parts.iter().filter_map(first).collect(),
            row: Vec::new(),
            left: (0..parts.len()).collect(),
            found: Vec::new(),
            steps: 0,
        };
        search.on();
        Orders {
            whole: !search.ended(),
            found: search.found,
        }
    }

    /// The only order in which no recurrent part stands after a dense one.
    fn recurrent_first(&self, parts: &[Part]) -> Option<&[usize]> {
        let kind = |n: &usize| parts.get(*n).map(|part| part.kind);
        let plain = |order: &&Vec<usize>| {
            let dense = order.iter().position(|n| kind(n) == Some(Kind::Dense));
            let last = order.iter().rposition(|n| kind(n) == Some(Kind::Recurrent));
            matches!((last, dense), (Some(last), Some(dense)) if last < dense)
        };
        let mut all = self.found.iter().filter(plain);
        let first = all.next().filter(|_| self.whole)?;
        all.next().is_none().then_some(first)
    }
}

/// Looks for all orders.
struct Search<'p> {
    parts: &'p [Part],
    /// Of each part the first one of its series.
    series: Vec<usize>,
    row: Vec<usize>,
    left: Vec<usize>,
    found: Vec<Vec<usize>>,
    steps: usize,
}

impl Search<'_> {
    /// Whether it was given up.
    fn ended(&self) -> bool {
        self.steps > MAX_STEPS || self.found.len() > MAX_ORDERS
    }

    /// Puts another part after those of the row.
    fn on(&mut self) {
        self.steps += 1;
        if self.left.is_empty() {
            self.found.push(self.row.clone());
        }
        for place in 0..self.left.len() {
            if self.ended() {
                return;
            }
            let Some(&next) = self.left.get(place) else {
                return;
            };
            let of = |n: Option<&usize>| n.and_then(|n| self.parts.get(*n));
            let fits = match (of(self.row.last()), of(Some(&next))) {
                (Some(before), Some(after)) => after.reads.is_some() && after.reads == before.gives,
                // What reads ids stands first.
                (None, Some(first)) => {
                    let others = self.left.iter().filter(|n| **n != next);
                    let ids = |n: &usize| of(Some(n)).is_some_and(|part| part.reads.is_none());
                    first.reads.is_none() || !others.into_iter().any(ids)
                }
                _ => false,
            };
            let series = |n: &usize| self.series.get(*n);
            let mut earlier = self.left.iter().take(place);
            if fits && earlier.all(|n| series(n) != series(&next)) {
                self.left.remove(place);
                self.row.push(next);
                self.on();
                self.row.pop();
                self.left.insert(place, next);
            }
        }
    }
}
