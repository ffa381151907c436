//! A machine that runs the phases of a cell as the kernel does, for one row and one step.

use std::collections::BTreeMap;

use super::cell::{Lanes, known, pointwise, reduce};
use rnn_compiler::cell::{
    graph::{MatrixPart, NodeId, Slot},
    size::Size,
    stages::{PackedVector, Phase, Place, Program, Sink, Statement, Vector},
};

fn size(s: &Size) -> usize {
    known(s).unwrap()
}

pub(super) struct Machine<'a, F> {
    program: &'a Program,
    weights: &'a [&'a [f64]],
    slot: F,
    temps: Vec<Vec<f64>>,
    sinks: BTreeMap<Sink, Vec<f64>>,
    /// By index in the program's vectors.
    packed: BTreeMap<usize, Vec<f64>>,
}

impl<'a, F: Fn(Slot) -> Option<&'a [f64]>> Machine<'a, F> {
    pub fn new(program: &'a Program, weights: &'a [&'a [f64]], slot: F) -> Self {
        let temps = (program.temps.iter()).map(|t| vec![f64::NAN; size(&t.width)]);
        Machine {
            temps: temps.collect(),
            program,
            weights,
            slot,
            sinks: BTreeMap::new(),
            packed: BTreeMap::new(),
        }
    }

    /// Runs all phases: every result has to be there, and none besides.
    pub fn check(mut self, expected: &BTreeMap<Sink, Vec<f64>>) {
        for (sink, values) in expected {
            self.sinks.insert(*sink, vec![f64::NAN; values.len()]);
        }
        let p = self.program;
        for (pack, phases) in [
            (true, &p.pack),
            (false, &p.pre),
            (false, &p.step),
            (false, &p.post),
        ] {
            for phase in phases {
                self.run(phase, pack);
            }
        }
        for (sink, values) in expected {
            let found = &self.sinks[sink];
            for (i, (x, y)) in found.iter().zip(values).enumerate() {
                // A kept number is the same in all units.
                let close = (x - y).abs() < 1e-12 * (1.0 + y.abs());
                assert!(close, "{sink:?}, {i}: {found:?} and {values:?}");
            }
        }
    }

    fn read(&self, v: &Vector, width: usize) -> Lanes {
        let whole: &[f64] = match v.place {
            Place::Slot(slot) => (self.slot)(slot).unwrap_or_else(|| panic!("no {slot:?}")),
            Place::Temp(i) => &self.temps[i],
            Place::Sink(sink) => &self.sinks[&sink],
        };
        let from = size(&v.offset);
        whole[from..from + width].to_vec()
    }

    fn write(&mut self, v: &Vector, x: &[f64]) {
        let whole = match v.place {
            Place::Temp(i) => &mut self.temps[i],
            Place::Sink(sink) => match self.sinks.get_mut(&sink) {
                Some(whole) => whole,
                None => panic!("nobody wants {sink:?}"),
            },
            Place::Slot(slot) => panic!("{slot:?} is written"),
        };
        let from = size(&v.offset);
        whole[from..from + x.len()].copy_from_slice(x);
        if !v.exact {
            // Whole vectors are written: what stands behind is lost.
            whole[from + x.len()..].fill(f64::NAN);
        }
    }

    fn run(&mut self, phase: &Phase, pack: bool) {
        let width = size(&phase.width);
        let mut values: BTreeMap<NodeId, Lanes> = BTreeMap::new();
        // Behind the blocks, names start anew: what was a value of the body is read again.
        for s in phase.body.iter().chain(&phase.behind) {
            match *s {
                Statement::Load(n, i) => {
                    values.insert(n, self.read(&phase.loads[i], width));
                }
                Statement::Scalar(n, i) => {
                    values.insert(n, self.read(&phase.scalars[i], 1));
                }
                Statement::Vector(n, i) => {
                    let index = phase.vectors[i];
                    let vector = match &self.program.vectors[index] {
                        PackedVector::Param(p, from, w) => {
                            self.weights[*p][size(from)..size(from) + size(w)].to_vec()
                        }
                        PackedVector::Computed(..) => self.packed[&index].clone(),
                    };
                    values.insert(n, vector);
                }
                Statement::Gate(n, product, gate) => {
                    let mut sum = vec![0.0; width];
                    for (src, k, matrix) in &phase.products[product].segments {
                        let x = self.read(src, size(k));
                        self.multiply(&x, &self.program.matrices[*matrix].gates[gate], &mut sum);
                    }
                    values.insert(n, sum);
                }
                Statement::Compute(n) => {
                    let op = &self.program.graph.node(n).op;
                    let value = pointwise(op, width, &|id| &values[&id]).unwrap();
                    values.insert(n, value);
                }
                // One step: a sum over steps is what is added to it.
                Statement::Store(i, n) | Statement::Add(i, n) => {
                    let x = spread(&values[&n], width);
                    if pack {
                        self.packed.insert(i, x);
                    } else {
                        self.write(&phase.stores[i], &x);
                    }
                }
                Statement::Reduce(how, i, n) => {
                    let x = reduce(how, &spread(&values[&n], width));
                    let to = Vector {
                        exact: true,
                        ..phase.reductions[i].clone()
                    };
                    self.write(&to, &[x]);
                }
                Statement::Set(i, n) => {
                    let x = values[&n][0];
                    self.write(&phase.reductions[i], &[x]);
                }
            }
        }
    }

    fn multiply(&self, x: &[f64], m: &MatrixPart, sum: &mut [f64]) {
        let (row, column, columns) = (size(&m.row), size(&m.column), size(&m.columns));
        for (k, x) in x.iter().enumerate() {
            for (j, sum) in sum.iter_mut().enumerate() {
                let (k, j) = if m.transposed { (j, k) } else { (k, j) };
                *sum += x * self.weights[m.param][(row + k) * columns + column + j];
            }
        }
    }
}

/// A number in every unit.
fn spread(x: &[f64], width: usize) -> Lanes {
    match x {
        [one] => vec![*one; width],
        x => x.to_vec(),
    }
}
