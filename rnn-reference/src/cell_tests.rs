//! Cells on random numbers: gradients against finite differences of a step, and all forms of a
//! cell against its graph.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    cell::{evaluate, known, side_by_side, step},
    kernel_tests::Machine,
};
use rnn_compiler::{
    cell::{
        Cell, CellAst, CellUse, Value,
        graph::{LeafSource, NodeId},
        size::Size,
    },
    diagnostics::{Diagnostic, Diagnostics},
    emit::CPU,
    kernels::{Destination, forms},
    layers::LAYERS,
};

/// Numbers between -1 and 1, always the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1u32 << 30) - 1.0
    }

    fn vector(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next()).collect()
    }
}

pub(super) fn build(
    text: &str,
    arguments: &[(&str, Value)],
    inputs: &[&[usize]],
) -> Result<Cell, Vec<String>> {
    let mut found = Diagnostics::new();
    let shape = |s: &&[usize]| s.iter().map(|&n| Size::known(n)).collect();
    let inputs: Vec<Vec<Size>> = inputs.iter().map(shape).collect();
    let cell = CellAst::parse(text.parse().unwrap(), &mut found).and_then(|cell| {
        let span = proc_macro2::Span::call_site();
        let arguments = arguments
            .iter()
            .map(|(n, v)| ((*n).into(), v.clone(), span));
        let layer = CellUse {
            cell,
            arguments: arguments.collect(),
        };
        Cell::build(&layer, &inputs, &mut found)
    });
    let messages: Vec<String> = found.take().iter().map(Diagnostic::text).collect();
    match cell {
        Some(cell) if messages.is_empty() => Ok(cell),
        _ => Err(messages),
    }
}

/// All numbers that a step of a cell reads.
pub(super) struct Numbers {
    pub weights: Vec<Vec<f64>>,
    states: Vec<Vec<f64>>,
    pub inputs: Vec<Vec<f64>>,
    dropout_masks: Vec<Vec<f64>>,
}

pub(super) fn size(s: &Size) -> usize {
    known(s).unwrap()
}

impl Numbers {
    pub fn of(cell: &Cell) -> Self {
        let mut r = Random(7);
        let floats = |shape: &[Size]| shape.iter().map(size).product::<usize>();
        let dropout_masks = cell.dropout_masks.iter().map(|n| {
            let mut mask = vec![1.0 / (1.0 - n.rate); size(&n.width)];
            // At least one is dropped and, of several, one is kept.
            mask.iter_mut().step_by(2).for_each(|x| *x = 0.0);
            mask
        });
        Numbers {
            dropout_masks: dropout_masks.collect(),
            weights: cell
                .params
                .iter()
                .map(|p| r.vector(floats(&p.shape)))
                .collect(),
            states: cell
                .states
                .iter()
                .map(|s| r.vector(size(&s.size)))
                .collect(),
            inputs: cell
                .inputs
                .iter()
                .map(|i| r.vector(size(&i.width)))
                .collect(),
        }
    }

    fn weights(&self) -> Vec<&[f64]> {
        self.weights.iter().map(Vec::as_slice).collect()
    }

    /// States and outputs after the step.
    pub fn step(&self, cell: &Cell) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let inputs: Vec<&[f64]> = self.inputs.iter().map(Vec::as_slice).collect();
        step(
            cell,
            &self.weights(),
            &self.states,
            &inputs,
            &self.dropout_masks,
        )
        .unwrap()
    }

    fn slot(&self, slot: LeafSource) -> Option<&[f64]> {
        match slot {
            LeafSource::Input(i) => Some(&self.inputs[i]),
            LeafSource::State(i) => Some(&self.states[i]),
            LeafSource::DropoutMask(i) => Some(&self.dropout_masks[i]),
            _ => None,
        }
    }
}

pub(super) fn close(what: &str, a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        let scale = 1.0 + x.abs().max(y.abs());
        assert!(
            (x - y).abs() < tolerance * scale,
            "{what}, {i}: {x} and {y}"
        );
    }
}

/// Checks all forms of a cell.
pub(super) fn check(text: &str, arguments: &[(&str, Value)], inputs: &[&[usize]]) {
    let plain = build(text, arguments, inputs).unwrap_or_else(|m| panic!("{text}: {m:?}"));
    let mut cell = plain.clone();
    cell.optimize();
    let numbers = Numbers::of(&cell);
    let (next, out) = numbers.step(&plain);
    let mut r = Random(99);
    let d_next: Vec<Vec<f64>> = next.iter().map(|s| r.vector(s.len())).collect();
    let d_out: Vec<Vec<f64>> = out.iter().map(|o| r.vector(o.len())).collect();
    let loss = |n: &Numbers| -> f64 {
        let (next, out) = n.step(&plain);
        let values = next.iter().chain(&out).flatten();
        values
            .zip(d_next.iter().chain(&d_out).flatten())
            .map(|(x, d)| x * d)
            .sum()
    };

    // Forward, as a graph and as kernels.
    let weights = numbers.weights();
    let values = evaluate(&cell.graph, &weights, |s| numbers.slot(s)).unwrap();
    let backward = cell.backward().unwrap();
    let mut results: BTreeMap<Destination, Vec<f64>> = BTreeMap::new();
    for (i, s) in next.iter().enumerate() {
        results.insert(Destination::State(i), s.clone());
    }
    for (i, o) in out.iter().enumerate() {
        results.insert(Destination::Output(i), o.clone());
    }
    for hoist in [false, true] {
        let program = forms::inference(&cell, hoist, &CPU).unwrap();
        Machine::new(&program, &weights, |s| numbers.slot(s)).check(&results);
    }
    for &k in &backward.saved {
        results.insert(Destination::Saved(k), values[k].clone());
    }
    let program = forms::training(&cell, &backward, &CPU).unwrap();
    Machine::new(&program, &weights, |s| numbers.slot(s)).check(&results);

    // Backward.
    let saved: BTreeSet<NodeId> = backward.saved.iter().copied().collect();
    let slot = |s: LeafSource| match s {
        LeafSource::NextState(i) => Some(next[i].as_slice()),
        LeafSource::Forward(n) if saved.contains(&n) => Some(values[n].as_slice()),
        LeafSource::OutputGradient(i) => Some(d_out[i].as_slice()),
        LeafSource::NextStateGradient(i) => Some(d_next[i].as_slice()),
        s => numbers.slot(s),
    };
    let deltas = evaluate(&backward.graph, &weights, slot).unwrap();
    let joined = |parts: &[rnn_compiler::cell::Part], whole: &Size| {
        let mut end = 0;
        for p in parts {
            assert_eq!(size(&p.offset), end, "{text}");
            end += size(&p.width);
        }
        assert_eq!(end, size(whole), "{text}");
        let nodes: Vec<NodeId> = parts.iter().map(|p| p.node).collect();
        match nodes.as_slice() {
            // Zero for all units.
            [_] => side_by_side(&backward.graph, &deltas, &nodes, whole).unwrap(),
            _ => (parts.iter())
                .flat_map(|p| side_by_side(&backward.graph, &deltas, &[p.node], &p.width).unwrap())
                .collect(),
        }
    };
    let mut results = BTreeMap::new();
    let gradients = |of: &dyn Fn(&mut Numbers) -> &mut f64| -> f64 {
        let mut n = Numbers::of(&cell);
        const H: f64 = 1e-5;
        *of(&mut n) += H;
        let up = loss(&n);
        *of(&mut n) -= 2.0 * H;
        (up - loss(&n)) / (2.0 * H)
    };
    for (i, (parts, state)) in backward.states.iter().zip(&cell.states).enumerate() {
        let found = joined(parts, &state.size);
        let expected: Vec<f64> = (0..found.len())
            .map(|j| gradients(&|n| &mut n.states[i][j]))
            .collect();
        close(&format!("{text}\nstate {i}"), &found, &expected, 1e-7);
        results.insert(Destination::StateGradient(i), found);
    }
    for (i, (parts, input)) in backward.inputs.iter().zip(&cell.inputs).enumerate() {
        let found = joined(parts, &input.width);
        let expected: Vec<f64> = (0..found.len())
            .map(|j| gradients(&|n| &mut n.inputs[i][j]))
            .collect();
        close(&format!("{text}\ninput {i}"), &found, &expected, 1e-7);
        results.insert(Destination::InputGradient(i), found);
    }
    let mut found: Vec<Vec<f64>> = numbers.weights.iter().map(|w| vec![0.0; w.len()]).collect();
    for m in &backward.matrices {
        let (from, k, width) = (size(&m.operand.1), size(&m.k), size(&m.width));
        let operand = &slot(m.operand.0).unwrap()[from..from + k];
        let (row, column, columns) = (
            size(&m.part.row),
            size(&m.part.column),
            size(&m.part.columns),
        );
        assert!(
            column + width <= columns && !m.part.transposed,
            "{text}: {m:?}"
        );
        let delta = &deltas[m.delta];
        for (i, x) in operand.iter().enumerate() {
            for j in 0..width {
                let d = if delta.len() == 1 { delta[0] } else { delta[j] };
                found[m.part.param][(row + i) * columns + column + j] += x * d;
            }
        }
        if !matches!(
            backward.graph.node(m.delta).op,
            rnn_compiler::cell::graph::NodeOp::Leaf(..)
        ) {
            results.insert(Destination::Saved(m.delta), delta.clone());
        }
    }
    for v in &backward.vectors {
        let delta = &deltas[v.delta];
        for j in 0..size(&v.width) {
            let d = if delta.len() == 1 { delta[0] } else { delta[j] };
            found[v.param][size(&v.offset) + j] += d;
        }
        if !matches!(
            backward.graph.node(v.delta).op,
            rnn_compiler::cell::graph::NodeOp::Leaf(..)
        ) {
            let kept = results.contains_key(&Destination::Saved(v.delta));
            if !kept {
                results.insert(Destination::Accumulator(v.delta), delta.clone());
            }
        }
    }
    for (i, (found, p)) in found.iter().zip(&cell.params).enumerate() {
        let expected: Vec<f64> = (0..found.len())
            .map(|j| match p.trainable {
                true => gradients(&|n| &mut n.weights[i][j]),
                false => 0.0,
            })
            .collect();
        close(
            &format!("{text}\nparameter {}", p.name),
            found,
            &expected,
            1e-7,
        );
    }
    let program = forms::gradient(&backward, &CPU).unwrap();
    Machine::new(&program, &weights, slot).check(&results);
}

fn number(x: f64) -> Value {
    Value::Number(x)
}

/// Every layer that is a cell, with its defaults and with all that changes its maths.
#[test]
fn gradients_of_layers() {
    let size = || Value::Size(Size::known(3));
    let flag = |f| Value::Flag(f);
    for layer in LAYERS {
        let Some((name, text)) = layer.cell else {
            continue;
        };
        let has = |n: &str| layer.arguments.iter().any(|a| a.name == n);
        for dropout in [0.0, 0.4] {
            for recurrent in [0.0, 0.3] {
                for switch in [true, false] {
                    let mut arguments = vec![
                        ("units", size()),
                        ("use_bias", flag(switch)),
                        ("dropout", number(dropout)),
                        ("recurrent_dropout", number(recurrent)),
                    ];
                    if has("reset_after") {
                        arguments.push(("reset_after", flag(switch)));
                        check(text, &arguments, &[&[2]]);
                        arguments.pop();
                        arguments.push(("reset_after", flag(!switch)));
                    }
                    check(text, &arguments, &[&[2]]);
                }
            }
        }
        assert!(name.ends_with("Cell"));
    }
}

/// The cell of Keras's guide, word for word: nested inputs, states and outputs.
const NESTED: &str = "cell NestedCell(unit_1, unit_2, unit_3) {
    input location: [i1];
    input pressure: [i2, i3];
    param kernel_1: [i1, unit_1] = glorot_uniform;
    param kernel_2_3: [i2, i3, unit_2, unit_3] = glorot_uniform;
    state s1: [unit_1];
    state s2: [unit_2, unit_3];
    let output_1 = location @ kernel_1;
    let output_2_3 = einsum(\"bij,ijkl->bkl\", pressure, kernel_2_3);
    next s1 = output_1 + s1;
    next s2 = output_2_3 + s2;
    output location = output_1 + s1, pressure = tanh(output_2_3 + s2);
}";

#[test]
fn the_nested_cell_of_the_guide() {
    let size = |n| Value::Size(Size::known(n));
    let arguments = [
        ("unit_1", size(2)),
        ("unit_2", size(3)),
        ("unit_3", size(4)),
    ];
    check(NESTED, &arguments, &[&[5], &[2, 3]]);
    let cell = build(NESTED, &arguments, &[&[5], &[2, 3]]).unwrap();
    let shape = |s: &[Size]| s.iter().map(super::cell_tests::size).collect::<Vec<_>>();
    assert_eq!(shape(&cell.outputs[1].shape), [3, 4]);
    assert_eq!(cell.outputs[1].name.as_deref(), Some("pressure"));
    assert_eq!(shape(&cell.states[1].shape), [3, 4]);
    assert_eq!(shape(&cell.inputs[1].shape), [2, 3]);
    assert_eq!(cell.inputs[1].name, "pressure");
}

/// Cells that use what the language has.
const CELLS: &[(&str, &[&[usize]])] = &[
    // A row scalar as an output, read by the step after it, and as a state.
    (
        "cell Rows(units = 3) {
            param k: [input, units] = zeros;
            state h: [units]; state n: [2];
            let z = x @ k + h;
            next h = z * sum(z) + sum(n);
            next n = sum(z * z);
            output tanh(h), max_of(z), sum(h) * mean(x);
        }",
        &[&[4]],
    ),
    // A mask of the steps that are not 0.5.
    (
        "cell Masking() { output x, max_of(select(x != 0.5, 1, 0)); }",
        &[&[4]],
    ),
    // Dropout of a vector, of parts of one, of a row scalar; one mask for each call.
    (
        "cell Drops(units = 4, rate = 0.5) {
            param k: [input, units] = zeros; param r: [units, units] = zeros;
            state h: [units];
            let [a, b] = split(h);
            let [ra, rb] = split(r);
            if rate > 0 { let h_ = dropout(concat(b, tanh(a)), rate); } else { let h_ = h; }
            let z = dropout(x, rate) @ k + concat(h_ @ ra, dropout(h_, 0.2) @ rb);
            next h = tanh(z) * if rate < 0.1 { 2 } else { dropout(sum(x), rate) };
            output dropout(h, 0);
        }",
        &[&[3]],
    ),
    // Rows of a parameter with three axes; a matrix among values of two axes; a matrix product of
    // each row of a value.
    (
        "cell Ranks(units = 3) {
            input x: [i, j];
            param k: [2, j, units] = zeros; param bias: [i, units] = zeros;
            state s: [i, units];
            let z = x @ k[0] + tanh(bias) * (s + bias);
            let v = flatten(z) * sum(k[1]) + sum(k[0][0]);
            next s = tanh(z);
            output z * sum(k), v;
        }",
        &[&[2, 1]],
    ),
    // Parts that end at different places.
    (
        "cell Joined(units = 2) {
            state h: [4];
            let [a, b] = split(h);
            let [p, q, r, s] = split(concat(x, b, x));
            let m = concat(p, q, r) * concat(a, x);
            next h = concat(s, tanh(sum(m) * b), r);
            output m;
        }",
        &[&[1]],
    ),
    // One matrix by parts of its columns, with a mask for each.
    (
        "cell Gates(units = 3) {
            param k: [input, 2 * units] = zeros; param r: [units, 2 * units] = zeros;
            state h: [units];
            let [ki, kf] = split(k); let [ri, rf] = split(r);
            let [rf1, rf2, rf3] = split(rf);
            let i = x @ ki + dropout(h, 0.4) @ ri;
            let f = x @ kf + concat(h @ rf1, h @ rf2, h @ rf3) + rf[1];
            next h = sigmoid(i) * h + tanh(f);
            output h;
        }",
        &[&[2]],
    ),
];

#[test]
fn gradients_of_cells() {
    for (text, inputs) in CELLS {
        check(text, &[], inputs);
    }
}

/// Without its masks a cell is what inference computes: as with rates of zero.
#[test]
fn inference_has_no_masks() {
    let lstm = LAYERS.iter().find(|l| l.class == "LSTM").unwrap();
    let text = lstm.cell.unwrap().1;
    let units = ("units", Value::Size(Size::known(3)));
    let rates = [
        units.clone(),
        ("dropout", number(0.5)),
        ("recurrent_dropout", number(0.25)),
    ];
    let noisy = build(text, &rates, &[&[2]]).unwrap();
    assert_eq!(noisy.dropout_masks.len(), 8);
    let (mut quiet, mut plain) = (
        noisy.without_dropout(),
        build(text, &[units], &[&[2]]).unwrap(),
    );
    assert!(quiet.dropout_masks.is_empty());
    quiet.optimize();
    plain.optimize();
    let nodes = |c: &Cell| c.graph.nodes().len();
    assert_eq!(nodes(&quiet), nodes(&plain));
    let numbers = Numbers::of(&plain);
    assert_eq!(numbers.step(&quiet), numbers.step(&plain));
}

/// A number times its mask is a vector in training and a broadcast number in inference: sums, products and
/// neighbours in a vector still find as many units.
#[test]
fn a_number_without_its_mask_fills_its_vector() {
    let text = |ones: &str| {
        format!(
            "cell Ones(units = 3) {{
                param k: [input, units] = zeros; state h: [units];
                let m = {ones};
                next h = m @ k + sum(m) * h;
                output concat(m, h), m;
            }}"
        )
    };
    let noisy = build(&text("dropout(x * 0 + 1, 0.5)"), &[], &[&[4]]).unwrap();
    // The left side of a product has to depend on an input or a state.
    let plain = build(&text("select(x == x, 1, x)"), &[], &[&[4]]).unwrap();
    let mut quiet = noisy.without_dropout();
    quiet.optimize();
    let numbers = Numbers::of(&plain);
    let (next, out) = numbers.step(&plain);
    assert_eq!(numbers.step(&quiet), (next.clone(), out.clone()));
    let mut results = BTreeMap::from([(Destination::State(0), next[0].clone())]);
    results.extend(
        out.into_iter()
            .enumerate()
            .map(|(i, o)| (Destination::Output(i), o)),
    );
    for hoist in [false, true] {
        let program = forms::inference(&quiet, hoist, &CPU).unwrap();
        Machine::new(&program, &numbers.weights(), |s| numbers.slot(s)).check(&results);
    }
}
