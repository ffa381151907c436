//! `LSTM`, `GRU` and `RNN`: their attributes and weights, in Keras's order of gates.

use std::rc::Rc;

use super::activation::{Act, Numbers};
use super::array::{Array, Budget};
use super::dim::Dim;
use super::flow::{Axis, Flow, Kind, Part, Src};
use super::graph::Node;
use super::inputs::{Inputs, Use};
use super::maths::Val;
use super::net::{Family, Initial, Net, Op, Recurrent, Shape, Way};

type Done<T> = Result<T, String>;

/// What these nodes need.
pub(super) struct Layers<'m> {
    pub net: &'m mut Net,
    pub budget: &'m mut Budget,
    pub inputs: &'m mut Inputs,
}

/// What every direction shares.
struct Sizes {
    family: Family,
    ways: usize,
    units: usize,
    input: usize,
}

/// For each of Keras's gates its number among ONNX's.
fn gates(family: Family) -> &'static [usize] {
    match family {
        // Input, output, forget, cell become input, forget, cell, output.
        Family::Lstm => &[0, 2, 3, 1],
        Family::Gru => &[0, 1, 2],
        Family::Rnn => &[0],
    }
}

/// The operator of a node.
pub(super) fn family(op: &str) -> Option<Family> {
    match op {
        "LSTM" => Some(Family::Lstm),
        "GRU" => Some(Family::Gru),
        "RNN" => Some(Family::Rnn),
        _ => None,
    }
}

impl Layers<'_> {
    /// `Y`, `Y_h` and, of an LSTM, `Y_c`.
    pub fn node(
        &mut self,
        node: &Node<'_>,
        family: Family,
        inputs: &[Option<Val>],
    ) -> Done<Vec<Flow>> {
        let get = |index: usize| inputs.get(index).and_then(Option::as_ref);
        let Some(Val::Flow(x)) = get(0) else {
            return Err("its sequence has to be computed from the model's inputs".to_owned());
        };
        let batch_first = match node.int("layout").unwrap_or(0) {
            0 => false,
            1 => true,
            other => return Err(format!("its layout is {other}")),
        };
        let (time, rows) = if batch_first { (1, 0) } else { (0, 1) };
        let mut wanted = [Kind::Feature, Kind::Feature, Kind::Feature];
        wanted[time] = Kind::Time;
        wanted[rows] = Kind::Batch;
        self.inputs.demand(x, &wanted)?;
        let constant = |index: usize, what: &str, budget: &mut Budget| match get(index) {
            Some(Val::Const(a)) => a.whole(budget).map(Some),
            Some(Val::Flow(_)) => Err(format!("its {what} has to be a constant")),
            None => Ok(None),
        };
        let w = constant(1, "W", self.budget)?.ok_or("its W is left out")?;
        let r = constant(2, "R", self.budget)?.ok_or("its R is left out")?;
        let b = constant(3, "B", self.budget)?;
        let p = match family {
            Family::Lstm => constant(7, "P", self.budget)?,
            _ => None,
        };
        let backward: &[bool] = match node.string("direction").as_deref() {
            None | Some("forward") => &[false],
            Some("reverse") => &[true],
            Some("bidirectional") => &[false, true],
            Some(other) => return Err(format!("its direction is {other:?}")),
        };
        let sizes = sizes(node, family, backward.len(), &w, &r, x.width())?;
        let activations = activations(node, &sizes)?;
        let clip = node.float("clip").filter(|c| *c != 0.0);
        if clip.is_some_and(|c| !(c > 0.0 && c.is_finite())) {
            return Err(format!("its clip is {}", clip.unwrap_or(0.0)));
        }
        let reset_after = node.int("linear_before_reset").unwrap_or(0) != 0;
        let mask = match get(4) {
            None => None,
            Some(Val::Const(a)) => {
                all_steps(&a.whole(self.budget)?, &x.axes[time].size)?;
                None
            }
            Some(Val::Flow(lengths)) => Some(self.mask(lengths, x, time)?),
        };
        let mut src = self.net.whole(&x.parts, self.budget)?;
        if !self.net.shape(src).timed {
            let shape = Shape {
                timed: true,
                ..self.net.shape(src)
            };
            src = self.net.add(Op::Plain("RepeatVector(1)"), vec![src], shape);
        }
        if self.net.shape(src).mask != mask && self.net.shape(src).mask.is_some() {
            return Err("it reads padded rows as if they were not".to_owned());
        }
        let mut initial = Vec::new();
        for state in 0..family.states() {
            initial.push(self.initial(get(5 + state), &sizes, batch_first)?);
        }
        let mut ways = Vec::new();
        for (way, activations) in activations.into_iter().enumerate() {
            let starts = initial.iter().map(|s| s.get(way).cloned());
            let starts: Option<Vec<Initial>> = starts.collect();
            ways.push(Way {
                backward: backward.get(way).copied().unwrap_or(false),
                kernel: weights(&w, &sizes, way, sizes.input)?,
                recurrent: weights(&r, &sizes, way, sizes.units)?,
                bias: bias(b.as_ref(), &sizes, way, reset_after)?,
                peephole: peephole(p.as_ref(), &sizes, way, &mut self.net.notes)?,
                activations,
                initial: starts.ok_or("its states do not start")?,
            });
        }
        self.same_kind(&mut ways)?;
        // A mask is in the order of time: only `Bidirectional` gives padded steps from the last to the first in this order.
        let ghost = backward == [true] && mask.is_some() && node.gives(0);
        if ghost {
            let forward = ways.first().map(|w| Way {
                backward: false,
                ..w.clone()
            });
            ways.splice(0..0, forward);
            self.net.notes.push(format!(
                "{}: runs forwards, too, to bring padded steps into the order of time",
                node.title
            ));
        }
        let recurrent = Recurrent {
            title: node.title.clone(),
            family,
            input: sizes.input,
            units: sizes.units,
            ways,
            clip,
            coupled: family == Family::Lstm && node.int("input_forget").unwrap_or(0) != 0,
            reset_after: family == Family::Gru && reset_after,
            mask,
            bare: false,
        };
        Ok(self.results(recurrent, src, x, batch_first, ghost))
    }

    /// Adds the layer, and gives its results with ONNX's axes.
    pub fn results(
        &mut self,
        r: Recurrent,
        src: Src,
        x: &Flow,
        batch_first: bool,
        ghost: bool,
    ) -> Vec<Flow> {
        let (time, rows) = if batch_first { (1, 0) } else { (0, 1) };
        let (units, ways, states) = (r.units, r.ways.len(), r.family.states());
        // The first direction of these is nobody's.
        let first = usize::from(ghost);
        let vector = Shape {
            width: units,
            timed: false,
            mask: None,
        };
        let sequence = Shape {
            timed: true,
            mask: r.mask,
            ..vector.clone()
        };
        let mut results = Vec::new();
        for _ in 0..ways {
            results.push(sequence.clone());
            results.extend(std::iter::repeat_n(vector.clone(), states));
        }
        let mut reads = vec![src];
        for start in r.ways.iter().flat_map(|w| &w.initial) {
            if let Initial::Value(v) = start {
                reads.push(*v);
            }
        }
        reads.extend(r.mask);
        let part = |layer: usize, result: usize| Part {
            src: Src { layer, result },
            start: 0,
            len: units,
        };
        let numbers: Vec<Vec<usize>> = (0..=states)
            .map(|k| {
                (first..ways)
                    .map(|w| match k.checked_sub(1) {
                        None => r.sequence(w),
                        Some(state) => r.state(w, state),
                    })
                    .collect()
            })
            .collect();
        let layer = self
            .net
            .add_several(Op::Recurrent(Box::new(r)), reads, results);
        let rows = x.axes.get(rows).cloned().unwrap_or(Axis::feature(1));
        let steps = match x.axes.get(time) {
            Some(axis) if axis.kind == Kind::Time => axis.clone(),
            _ => Axis {
                kind: Kind::Time,
                size: Dim::N(1),
                from: None,
            },
        };
        let (direction, features) = (Axis::feature(ways - first), Axis::feature(units));
        numbers
            .into_iter()
            .enumerate()
            .map(|(k, numbers)| Flow {
                axes: match (k, batch_first) {
                    (0, false) => vec![
                        steps.clone(),
                        direction.clone(),
                        rows.clone(),
                        features.clone(),
                    ],
                    (0, true) => vec![
                        rows.clone(),
                        steps.clone(),
                        direction.clone(),
                        features.clone(),
                    ],
                    (_, false) => vec![direction.clone(), rows.clone(), features.clone()],
                    (_, true) => vec![rows.clone(), direction.clone(), features.clone()],
                },
                parts: numbers.into_iter().map(|n| part(layer.layer, n)).collect(),
                whole: false,
            })
            .collect()
    }

    fn mask(&mut self, lengths: &Flow, x: &Flow, time: usize) -> Done<Src> {
        self.inputs.demand(lengths, &[Kind::Batch])?;
        self.inputs.uses(lengths, self.net, Use::Lengths)?;
        let Some(part) = lengths.parts.first() else {
            return Err("its lengths are none".to_owned());
        };
        let steps = x.axes.get(time).map(|a| a.size.clone());
        if let Some(Op::Input(number)) = self.net.layers.get(part.src.layer).map(|l| &l.op)
            && let Some(input) = self.inputs.all.get_mut(*number)
        {
            if input.steps.is_some() && input.steps != steps {
                return Err("its lengths are those of another sequence".to_owned());
            }
            input.steps = steps;
        }
        Ok(part.src)
    }

    /// Where a state starts, for each direction.
    fn initial(&mut self, given: Option<&Val>, s: &Sizes, batch_first: bool) -> Done<Vec<Initial>> {
        let array = match given {
            None => return Ok(vec![Initial::Zero; s.ways]),
            Some(Val::Const(a)) => a,
            Some(Val::Flow(flow)) => return self.initial_values(flow, s, batch_first),
        };
        let rows = if batch_first { 0 } else { 1 };
        let shape = match batch_first {
            true => [array.shape.get(1), array.shape.get(2)],
            false => [array.shape.first(), array.shape.get(2)],
        };
        let wanted = [Dim::N(s.ways as i64), Dim::N(s.units as i64)];
        if array.shape.len() != 3 || shape[0] != Some(&wanted[0]) || shape[1] != Some(&wanted[1]) {
            return Err(format!(
                "its first state does not have {} numbers for each direction",
                s.units
            ));
        }
        let mut dims = [s.ways, s.ways, s.units];
        dims[rows] = array.dims.get(rows).copied().unwrap_or(1);
        let values = array.stretched(&dims, self.budget)?;
        let values = values.floats().ok_or("its first state is not known")?;
        let count = dims[rows];
        let at = |way: usize, row: usize, k: usize| {
            let place = match batch_first {
                true => (row * s.ways + way) * s.units + k,
                false => (way * count + row) * s.units + k,
            };
            values.get(place).copied().unwrap_or(0.0)
        };
        let mut all = Vec::new();
        for way in 0..s.ways {
            let first: Vec<f32> = (0..s.units).map(|k| at(way, 0, k)).collect();
            let differs = (1..count).any(|row| (0..s.units).any(|k| at(way, row, k) != first[k]));
            if differs {
                return Err("its first state is a constant that differs from row to row".to_owned());
            }
            all.push(match first.iter().all(|v| *v == 0.0) {
                true => Initial::Zero,
                false => Initial::Constant(first),
            });
        }
        Ok(all)
    }

    fn initial_values(&mut self, flow: &Flow, s: &Sizes, batch_first: bool) -> Done<Vec<Initial>> {
        let wanted = match batch_first {
            true => [Kind::Batch, Kind::Feature, Kind::Feature],
            false => [Kind::Feature, Kind::Batch, Kind::Feature],
        };
        self.inputs.demand(flow, &wanted)?;
        if flow.width() != s.ways * s.units {
            return Err(format!(
                "its first state does not have {} numbers for each direction",
                s.units
            ));
        }
        let mut all = Vec::new();
        for way in 0..s.ways {
            let parts = flow.pick(way * s.units..(way + 1) * s.units, self.budget)?;
            let src = self.net.whole(&parts, self.budget)?;
            if self.net.shape(src).timed {
                return Err("its first state has steps".to_owned());
            }
            all.push(Initial::Value(src));
        }
        Ok(all)
    }

    /// Starts that are values and starts that are not become all values.
    fn same_kind(&mut self, ways: &mut [Way]) -> Done<()> {
        let starts = || ways.iter().flat_map(|w| &w.initial);
        let like = starts().find_map(|s| match s {
            Initial::Value(src) => Some(*src),
            _ => None,
        });
        let Some(like) = like else { return Ok(()) };
        for way in ways {
            for start in &mut way.initial {
                let width = self.net.shape(like).width;
                let values = match start {
                    Initial::Value(_) => continue,
                    Initial::Zero => vec![0.0; width],
                    Initial::Constant(values) => values.clone(),
                };
                *start = Initial::Value(self.net.constant(like, values, self.budget)?);
            }
        }
        Ok(())
    }
}

fn sizes(
    node: &Node<'_>,
    family: Family,
    ways: usize,
    w: &Array,
    r: &Array,
    input: usize,
) -> Done<Sizes> {
    let [_, _, units] = r.dims[..] else {
        return Err(format!("its R {:?} does not have three axes", r.dims));
    };
    if units == 0 || input == 0 {
        return Err("it has no units or no features".to_owned());
    }
    let rows = units.saturating_mul(family.gates());
    if r.dims[..] != [ways, rows, units] {
        return Err(format!(
            "its R is {:?} in place of {:?}",
            r.dims,
            [ways, rows, units]
        ));
    }
    if w.dims[..] != [ways, rows, input] {
        return Err(format!(
            "its W is {:?} in place of {:?}",
            w.dims,
            [ways, rows, input]
        ));
    }
    match node.int("hidden_size") {
        Some(n) if usize::try_from(n) != Ok(units) => {
            Err(format!("its hidden_size is {n} and its R has {units}"))
        }
        _ => Ok(Sizes {
            family,
            ways,
            units,
            input,
        }),
    }
}

/// The activations of each direction.
fn activations(node: &Node<'_>, s: &Sizes) -> Done<Vec<Vec<Act>>> {
    let usual: &[&str] = match s.family {
        Family::Lstm => &["Sigmoid", "Tanh", "Tanh"],
        Family::Gru => &["Sigmoid", "Tanh"],
        Family::Rnn => &["Tanh"],
    };
    let mut names = node.strings("activations");
    if names.is_empty() {
        names = (0..s.ways)
            .flat_map(|_| usual.iter().map(|n| (*n).to_owned()))
            .collect();
    }
    if names.len() != s.ways * usual.len() {
        return Err(format!(
            "it has {} activations in place of {}",
            names.len(),
            s.ways * usual.len()
        ));
    }
    let mut numbers = Numbers::new(
        node.floats("activation_alpha"),
        node.floats("activation_beta"),
    );
    let mut all = Vec::new();
    for of_way in names.chunks(usual.len()) {
        let mut way = Vec::new();
        for name in of_way {
            way.push(Act::named(name, &mut numbers)?);
        }
        all.push(way);
    }
    Ok(all)
}

/// `[gates * units, columns]` of one direction as `[columns, gates * units]`, gates in Keras's order.
fn weights(a: &Array, s: &Sizes, way: usize, columns: usize) -> Done<Rc<Vec<f32>>> {
    let values = a.floats().ok_or("its weights are not known")?;
    let rows = s.family.gates() * s.units;
    let own = values
        .get(way * rows * columns..(way + 1) * rows * columns)
        .ok_or("its weights are not all there")?;
    let mut out = Vec::with_capacity(own.len());
    for column in 0..columns {
        for gate in gates(s.family) {
            for k in 0..s.units {
                out.extend(own.get((gate * s.units + k) * columns + column));
            }
        }
    }
    Ok(Rc::new(out))
}

fn bias(b: Option<&Array>, s: &Sizes, way: usize, reset_after: bool) -> Done<Option<Vec<f32>>> {
    let Some(b) = b else { return Ok(None) };
    let n = s.family.gates() * s.units;
    if b.dims[..] != [s.ways, 2 * n] {
        return Err(format!(
            "its B is {:?} in place of {:?}",
            b.dims,
            [s.ways, 2 * n]
        ));
    }
    let values = b.floats().ok_or("its B is not known")?;
    let half = |which: usize| -> Vec<f32> {
        let from = way * 2 * n + which * n;
        let places = gates(s.family)
            .iter()
            .flat_map(|gate| (0..s.units).map(move |k| gate * s.units + k));
        places
            .filter_map(|k| values.get(from + k).copied())
            .collect()
    };
    let (of_input, of_state) = (half(0), half(1));
    Ok(Some(match s.family == Family::Gru && reset_after {
        true => [of_input, of_state].concat(),
        false => of_input.iter().zip(&of_state).map(|(a, b)| a + b).collect(),
    }))
}

/// Input, output, forget become input, forget, output.
fn peephole(
    p: Option<&Array>,
    s: &Sizes,
    way: usize,
    notes: &mut Vec<String>,
) -> Done<Option<Vec<f32>>> {
    let Some(p) = p else { return Ok(None) };
    if p.dims[..] != [s.ways, 3 * s.units] {
        return Err(format!(
            "its P is {:?} in place of {:?}",
            p.dims,
            [s.ways, 3 * s.units]
        ));
    }
    let values = p.floats().ok_or("its P is not known")?;
    let own: Vec<f32> = [0, 2, 1]
        .iter()
        .flat_map(|gate| (0..s.units).map(move |k| (way * 3 + gate) * s.units + k))
        .filter_map(|k| values.get(k).copied())
        .collect();
    if own.iter().all(|v| *v == 0.0) {
        notes.push("peepholes that are all zero are left out".to_owned());
        return Ok(None);
    }
    Ok(Some(own))
}

/// Lengths that are constants have to be those of the whole sequence.
fn all_steps(lengths: &Array, steps: &Dim) -> Done<()> {
    let all = lengths.ints().unwrap_or_default();
    match !all.is_empty() && all.iter().all(|l| l == steps) {
        true => Ok(()),
        false => {
            Err("its sequence_lens are constants that are not the number of all steps".to_owned())
        }
    }
}
