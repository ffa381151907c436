//! The forms of a cell: inference, the forward pass of training, which saves what the backward pass
//! needs, and the backward pass.

use std::collections::BTreeSet;

use super::{CellProgram, Destination, KernelTarget, Root, cut};
use crate::{
    cell::{
        Backward, Cell,
        graph::{NodeId, NodeOp},
        size::Size,
    },
    diagnostics::Sound,
};

/// The results of a forward pass, and the nodes that it saves for all steps.
fn forward_roots(cell: &Cell, saved: &[NodeId]) -> Vec<Root> {
    let mut roots = Vec::new();
    for (state, parts) in cell.next.iter().enumerate() {
        side_by_side(
            cell,
            parts,
            &cell.states[state].size,
            Destination::State(state),
            &mut roots,
        );
    }
    for (output, parts) in cell.out.iter().enumerate() {
        let whole = &cell.outputs[output].width;
        side_by_side(cell, parts, whole, Destination::Output(output), &mut roots);
    }
    for &node in saved {
        roots.push(Root {
            node,
            destination: Destination::Saved(node),
            offset: Size::known(0),
            width: cell.graph.floats(node),
            exact: false,
        });
    }
    roots
}

fn side_by_side(
    cell: &Cell,
    parts: &[NodeId],
    whole: &Size,
    destination: Destination,
    roots: &mut Vec<Root>,
) {
    let mut offset = Size::known(0);
    for &node in parts {
        let width = cell.graph.width(node).unwrap_or(whole).clone();
        let next = &offset + &width;
        roots.push(Root {
            node,
            destination,
            offset,
            width,
            exact: parts.len() > 1,
        });
        offset = next;
    }
}

/// Inference. With `hoist`, maths that does not depend on the states is computed for many steps at
/// once.
///
/// # Errors
/// As [`cut`].
pub fn inference(cell: &Cell, hoist: bool, target: &KernelTarget) -> Sound<CellProgram> {
    cut(&cell.graph, &forward_roots(cell, &[]), hoist, target)
}

/// The forward pass of training.
///
/// # Errors
/// As [`cut`].
pub fn training(cell: &Cell, backward: &Backward, target: &KernelTarget) -> Sound<CellProgram> {
    let roots = forward_roots(cell, &backward.saved);
    cut(&cell.graph, &roots, true, target)
}

/// The backward pass.
///
/// # Errors
/// As [`cut`].
pub fn gradient(backward: &Backward, target: &KernelTarget) -> Sound<CellProgram> {
    let mut roots = Vec::new();
    for (state, parts) in backward.states.iter().enumerate() {
        for p in parts {
            roots.push(Root {
                node: p.node,
                destination: Destination::StateGradient(state),
                offset: p.offset.clone(),
                width: p.width.clone(),
                exact: parts.len() > 1,
            });
        }
    }
    for (input, parts) in backward.inputs.iter().enumerate() {
        for p in parts {
            roots.push(Root {
                node: p.node,
                destination: Destination::InputGradient(input),
                offset: p.offset.clone(),
                width: p.width.clone(),
                exact: parts.len() > 1,
            });
        }
    }
    let mut done = BTreeSet::new();
    let matrices = backward.matrices.iter().map(|m| (m.delta, &m.width, true));
    let vectors = backward.vectors.iter().map(|v| (v.delta, &v.width, false));
    for (node, width, save) in matrices.chain(vectors) {
        if matches!(backward.graph.node(node).op, NodeOp::Leaf(..)) || !done.insert(node) {
            continue;
        }
        roots.push(Root {
            node,
            // The gradient of a matrix multiplies every step by its operand; that of a vector is a sum.
            destination: match save {
                true => Destination::Saved(node),
                false => Destination::Accumulator(node),
            },
            offset: Size::known(0),
            width: width.clone(),
            exact: false,
        });
    }
    cut(&backward.graph, &roots, true, target)
}
