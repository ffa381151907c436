//! Writes a kernel down: what it reads, computes and writes, in order.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    CellProgram, Destination, FusedKernel, KernelTarget, Location, PackedGates, PackedVectorSource,
    Product, Root, Statement, Vector,
    order::{Class, Key, Order},
    work::{Emitter, Work},
};
use crate::{
    cell::{
        graph::{Graph, MatrixPart, NodeExtent, NodeId, NodeOp},
        size::Size,
    },
    diagnostics::{Bug, OrBug, Sound},
};

/// A product and the matrix part of each of its terms.
type Member = (NodeId, Vec<MatrixPart>);

/// The kernels that give the results.
pub(super) fn emit(
    g: &Graph,
    roots: &[Root],
    s: &Order,
    target: &KernelTarget,
) -> Sound<CellProgram> {
    let mut e = Emitter::new(g, roots, s, target);
    for (key, work) in &e.find_work()? {
        let kernel = e.kernel(key, work)?;
        match key.0 {
            Class::WeightTime => e.out.weight_time.push(kernel),
            Class::Prologue => e.out.prologue.push(kernel),
            Class::Step => e.out.step.push(kernel),
            Class::PostLoop => e.out.post_loop.push(kernel),
        }
    }
    Ok(e.out)
}

impl Emitter<'_> {
    /// Where a stored node lies for class `reader`.
    fn locate(&self, n: NodeId, reader: Class) -> Sound<Vector> {
        if let Some(root) = self.readable_destination(n, reader) {
            return Ok(Vector {
                location: Location::Destination(root.destination),
                offset: root.offset.clone(),
                exact: false,
            });
        }
        let temp = self.temps.get(&n);
        let temp = temp.or_bug("a value that is read and stored nowhere")?;
        Ok(Vector {
            location: Location::Temp(*temp),
            offset: Size::known(0),
            exact: false,
        })
    }

    fn kernel(&mut self, key: &Key, work: &Work) -> Sound<FusedKernel> {
        let mut p = Writer {
            key,
            done: BTreeSet::new(),
            epilogue: false,
            kernel: FusedKernel {
                width: key.2.clone(),
                products: Vec::new(),
                loads: Vec::new(),
                vectors: Vec::new(),
                scalars: Vec::new(),
                stores: Vec::new(),
                reductions: Vec::new(),
                body: Vec::new(),
                epilogue: Vec::new(),
                only_input_gradient: false,
                only_state_gradients: false,
            },
        };
        self.products(&mut p, work)?;
        for &n in &work.stored {
            self.node(&mut p, n)?;
            if key.0 == Class::WeightTime {
                let index = self.packed_vector(PackedVectorSource::Computed(n, key.2.clone()));
                p.kernel.body.push(Statement::Store(index, n));
            } else if let Some(&temp) = self.temps.get(&n) {
                let to = Vector {
                    location: Location::Temp(temp),
                    offset: Size::known(0),
                    exact: false,
                };
                let index = position(&mut p.kernel.stores, to);
                p.kernel.body.push(Statement::Store(index, n));
            }
        }
        for &r in &work.reduced {
            let NodeOp::Reduce(how, operand) = self.g.node(r).op else {
                return Err(Bug::new("what is reduced is not a reduction"));
            };
            self.node(&mut p, operand)?;
            let to = self.locate(r, key.0)?;
            let index = position(&mut p.kernel.reductions, to);
            p.kernel.body.push(Statement::Reduce(how, index, operand));
        }
        for &i in &work.roots {
            let root = &self.roots[i];
            self.node(&mut p, root.node)?;
            let to = Vector {
                location: Location::Destination(root.destination),
                offset: root.offset.clone(),
                exact: root.exact,
            };
            let index = position(&mut p.kernel.stores, to);
            p.kernel.body.push(match root.destination {
                Destination::Accumulator(_) => Statement::Add(index, root.node),
                _ => Statement::Store(index, root.node),
            });
        }
        self.epilogue(&mut p, work)?;
        p.kernel.only_input_gradient = p.kernel.reductions.is_empty()
            && !p.kernel.stores.is_empty()
            && p.kernel.stores.iter().all(|s| {
                matches!(
                    s.location,
                    Location::Destination(Destination::InputGradient(_))
                )
            });
        p.kernel.only_state_gradients = p.kernel.reductions.is_empty()
            && !p.kernel.stores.is_empty()
            && p.kernel.stores.iter().all(|s| {
                matches!(
                    s.location,
                    Location::Destination(Destination::StateGradient(_))
                )
            });
        Ok(p.kernel)
    }

    /// Maths on row scalars. Reductions of this kernel are read again, now complete.
    fn epilogue(&mut self, p: &mut Writer<'_>, work: &Work) -> Sound<()> {
        if work.epilogue.is_empty() {
            return Ok(());
        }
        let body = std::mem::take(&mut p.kernel.body);
        p.done.clear();
        p.epilogue = true;
        for &n in &work.epilogue {
            self.node(p, n)?;
            let to = self.locate(n, p.key.0)?;
            let index = position(&mut p.kernel.reductions, to);
            p.kernel.body.push(Statement::Set(index, n));
        }
        p.kernel.epilogue = std::mem::replace(&mut p.kernel.body, body);
        Ok(())
    }

    /// Groups the products of a kernel that have the same operands.
    fn products(&mut self, p: &mut Writer<'_>, work: &Work) -> Sound<()> {
        let mut products: BTreeMap<(Vec<NodeId>, Size), Vec<Member>> = BTreeMap::new();
        for &n in &work.products {
            let NodeOp::Product(terms) = &self.g.node(n).op else {
                return Err(Bug::new("what is multiplied is not a product"));
            };
            let operands = terms.iter().map(|(v, _)| *v).collect();
            let width = self.g.units(n)?.clone();
            let parts = terms.iter().map(|(_, m)| m.clone()).collect();
            products
                .entry((operands, width))
                .or_default()
                .push((n, parts));
        }
        for ((operands, width), mut members) in products {
            members.sort_by(|a, b| a.1.cmp(&b.1));
            let calls = members.len().div_ceil(self.target.gates);
            for gates in members.chunks(members.len().div_ceil(calls)) {
                let index = p.kernel.products.len();
                let mut segments = Vec::new();
                for (term, &v) in operands.iter().enumerate() {
                    let k = self.g.units(v)?.clone();
                    let packed = PackedGates {
                        gates: gates.iter().map(|(_, parts)| parts[term].clone()).collect(),
                        k: k.clone(),
                        width: width.clone(),
                    };
                    let matrix = match self.out.matrices.iter().position(|m| *m == packed) {
                        Some(i) => i,
                        None => {
                            self.out.matrices.push(packed);
                            self.out.matrices.len() - 1
                        }
                    };
                    segments.push((self.source(v, p.key.0)?, k, matrix));
                }
                for (gate, (n, _)) in gates.iter().enumerate() {
                    p.done.insert(*n);
                    p.kernel.body.push(Statement::Gate(*n, index, gate));
                }
                p.kernel.products.push(Product {
                    segments,
                    gates: gates.iter().map(|(n, _)| *n).collect(),
                });
            }
        }
        Ok(())
    }

    /// Where a vector is read from.
    fn source(&self, n: NodeId, reader: Class) -> Sound<Vector> {
        match &self.g.node(n).op {
            NodeOp::Leaf(slot, offset) => Ok(Vector {
                location: Location::Leaf(*slot),
                offset: offset.clone(),
                exact: false,
            }),
            _ => self.locate(n, reader),
        }
    }

    /// Whether the epilogue that is being written computes `n`.
    fn is_in_epilogue(&self, p: &Writer<'_>, n: NodeId) -> Sound<bool> {
        Ok(p.epilogue && self.s.epilogue[n] && self.row_key(n)? == *p.key)
    }

    fn packed_vector(&mut self, v: PackedVectorSource) -> usize {
        position(&mut self.out.vectors, v)
    }

    /// Emits the statements that compute or load `n`.
    fn node(&mut self, p: &mut Writer<'_>, n: NodeId) -> Sound<()> {
        if !p.done.insert(n) {
            return Ok(());
        }
        let node = self.g.node(n);
        let statement = match &node.op {
            NodeOp::Param(i, offset) => {
                let width = self.g.units(n)?.clone();
                let v = self.packed_vector(PackedVectorSource::Param(*i, offset.clone(), width));
                Statement::Vector(n, position(&mut p.kernel.vectors, v))
            }
            NodeOp::Leaf(..) if node.extent == NodeExtent::Row => {
                let from = self.source(n, p.key.0)?;
                Statement::Scalar(n, position(&mut p.kernel.scalars, from))
            }
            NodeOp::Leaf(..) => {
                let from = self.source(n, p.key.0)?;
                Statement::Load(n, position(&mut p.kernel.loads, from))
            }
            _ if self.s.is_row(self.g, n) && !self.is_in_epilogue(p, n)? => {
                let from = self.locate(n, p.key.0)?;
                Statement::Scalar(n, position(&mut p.kernel.scalars, from))
            }
            _ if self.is_loaded(n, p.key)? => {
                if self.s.class[n] == Class::WeightTime {
                    let width = self.g.units(n)?.clone();
                    let v = self.packed_vector(PackedVectorSource::Computed(n, width));
                    Statement::Vector(n, position(&mut p.kernel.vectors, v))
                } else {
                    let from = self.locate(n, p.key.0)?;
                    Statement::Load(n, position(&mut p.kernel.loads, from))
                }
            }
            op => {
                // The longest chain first: a CPU begins with what stands first, and the state waits for that chain.
                let mut operands = op.operands();
                operands.sort_by_key(|&o| Reverse(self.s.depth[o]));
                for o in operands {
                    self.node(p, o)?;
                }
                Statement::Compute(n)
            }
        };
        p.kernel.body.push(statement);
        Ok(())
    }
}

struct Writer<'a> {
    key: &'a Key,
    done: BTreeSet<NodeId>,
    /// The epilogue is being written: the blocks of units are done.
    epilogue: bool,
    kernel: FusedKernel,
}

/// The index of `x`, added if it is not there.
fn position<T: PartialEq>(list: &mut Vec<T>, x: T) -> usize {
    match list.iter().position(|y| *y == x) {
        Some(i) => i,
        None => {
            list.push(x);
            list.len() - 1
        }
    }
}
