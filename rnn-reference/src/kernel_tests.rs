//! A machine that runs the kernels of a cell as the kernel does, for one row and one step.

use std::collections::BTreeMap;

use super::cell::{Lanes, known, pointwise, reduce};
use rnn_compiler::{
    cell::{
        graph::{LeafSource, MatrixPart, NodeId},
        size::Size,
    },
    kernels::{
        CellProgram, Destination, FusedKernel, Location, PackedVectorSource, Statement, Vector,
    },
};

fn size(s: &Size) -> usize {
    known(s).unwrap()
}

pub(super) struct Machine<'a, F> {
    program: &'a CellProgram,
    weights: &'a [&'a [f64]],
    slot: F,
    temps: Vec<Vec<f64>>,
    destinations: BTreeMap<Destination, Vec<f64>>,
    /// By index in the program's vectors.
    packed: BTreeMap<usize, Vec<f64>>,
}

impl<'a, F: Fn(LeafSource) -> Option<&'a [f64]>> Machine<'a, F> {
    pub fn new(program: &'a CellProgram, weights: &'a [&'a [f64]], slot: F) -> Self {
        let temps = (program.temps.iter()).map(|t| vec![f64::NAN; size(&t.width)]);
        Machine {
            temps: temps.collect(),
            program,
            weights,
            slot,
            destinations: BTreeMap::new(),
            packed: BTreeMap::new(),
        }
    }

    /// Runs all kernels. Exactly the expected results have to be there.
    pub fn check(mut self, expected: &BTreeMap<Destination, Vec<f64>>) {
        for (destination, values) in expected {
            self.destinations
                .insert(*destination, vec![f64::NAN; values.len()]);
        }
        let p = self.program;
        for (pack, kernels) in [
            (true, &p.weight_time),
            (false, &p.prologue),
            (false, &p.step),
            (false, &p.post_loop),
        ] {
            for kernel in kernels {
                self.run(kernel, pack);
            }
        }
        for (destination, values) in expected {
            let found = &self.destinations[destination];
            for (i, (x, y)) in found.iter().zip(values).enumerate() {
                // A stored row scalar is the same in all units.
                let close = (x - y).abs() < 1e-12 * (1.0 + y.abs());
                assert!(close, "{destination:?}, {i}: {found:?} and {values:?}");
            }
        }
    }

    fn read(&self, v: &Vector, width: usize) -> Lanes {
        let whole: &[f64] = match v.location {
            Location::Leaf(slot) => (self.slot)(slot).unwrap_or_else(|| panic!("no {slot:?}")),
            Location::Temp(i) => &self.temps[i],
            Location::Destination(destination) => &self.destinations[&destination],
        };
        let from = size(&v.offset);
        whole[from..from + width].to_vec()
    }

    fn write(&mut self, v: &Vector, x: &[f64]) {
        let whole = match v.location {
            Location::Temp(i) => &mut self.temps[i],
            Location::Destination(destination) => match self.destinations.get_mut(&destination) {
                Some(whole) => whole,
                None => panic!("nobody wants {destination:?}"),
            },
            Location::Leaf(slot) => panic!("{slot:?} is written"),
        };
        let from = size(&v.offset);
        whole[from..from + x.len()].copy_from_slice(x);
        if !v.exact {
            // A kernel writes whole vectors, so floats after the store are lost.
            whole[from + x.len()..].fill(f64::NAN);
        }
    }

    fn run(&mut self, kernel: &FusedKernel, pack: bool) {
        let width = size(&kernel.width);
        let mut values: BTreeMap<NodeId, Lanes> = BTreeMap::new();
        // After the blocks, names start anew: the epilogue reads values of the body again.
        for s in kernel.body.iter().chain(&kernel.epilogue) {
            match *s {
                Statement::Load(n, i) => {
                    values.insert(n, self.read(&kernel.loads[i], width));
                }
                Statement::Scalar(n, i) => {
                    values.insert(n, self.read(&kernel.scalars[i], 1));
                }
                Statement::Vector(n, i) => {
                    let index = kernel.vectors[i];
                    let vector = match &self.program.vectors[index] {
                        PackedVectorSource::Param(p, from, w) => {
                            self.weights[*p][size(from)..size(from) + size(w)].to_vec()
                        }
                        PackedVectorSource::Computed(..) => self.packed[&index].clone(),
                    };
                    values.insert(n, vector);
                }
                Statement::Gate(n, product, gate) => {
                    let mut sum = vec![0.0; width];
                    for (src, k, matrix) in &kernel.products[product].segments {
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
                // There is one step, so an accumulator holds what is added to it.
                Statement::Store(i, n) | Statement::Add(i, n) => {
                    let x = broadcast(&values[&n], width);
                    if pack {
                        self.packed.insert(i, x);
                    } else {
                        self.write(&kernel.stores[i], &x);
                    }
                }
                Statement::Reduce(how, i, n) => {
                    let x = reduce(how, &broadcast(&values[&n], width));
                    let to = Vector {
                        exact: true,
                        ..kernel.reductions[i].clone()
                    };
                    self.write(&to, &[x]);
                }
                Statement::Set(i, n) => {
                    let x = values[&n][0];
                    self.write(&kernel.reductions[i], &[x]);
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
fn broadcast(x: &[f64], width: usize) -> Lanes {
    match x {
        [one] => vec![*one; width],
        x => x.to_vec(),
    }
}
