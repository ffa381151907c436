//! The forms of a cell that programs are made of: inference, the forward pass that saves what the
//! backward pass needs, and the backward pass.

use std::collections::BTreeSet;

use super::{
    Backward, Cell,
    graph::{NodeId, Op},
    size::Size,
    stages::{Program, Root, Sink, stage},
};
use crate::{diagnostics::Sound, kernels::Target};

/// The results of a forward pass, and the nodes that it saves for all steps.
fn forward_roots(cell: &Cell, keep: &[NodeId]) -> Vec<Root> {
    let mut roots = Vec::new();
    for (state, parts) in cell.next.iter().enumerate() {
        side_by_side(
            cell,
            parts,
            &cell.states[state].size,
            Sink::State(state),
            &mut roots,
        );
    }
    for (output, parts) in cell.out.iter().enumerate() {
        let whole = &cell.outputs[output].width;
        side_by_side(cell, parts, whole, Sink::Output(output), &mut roots);
    }
    for &node in keep {
        roots.push(Root {
            node,
            sink: Sink::Keep(node),
            offset: Size::known(0),
            width: cell.graph.floats(node),
            exact: false,
        });
    }
    roots
}

fn side_by_side(cell: &Cell, parts: &[NodeId], whole: &Size, sink: Sink, roots: &mut Vec<Root>) {
    let mut offset = Size::known(0);
    for &node in parts {
        let width = cell.graph.width(node).unwrap_or(whole).clone();
        let next = &offset + &width;
        roots.push(Root {
            node,
            sink,
            offset,
            width,
            exact: parts.len() > 1,
        });
        offset = next;
    }
}

/// Inference: with `hoist`, what can be is computed for many steps at once.
///
/// # Errors
/// As [`stage`].
pub fn inference(cell: &Cell, hoist: bool, target: &Target) -> Sound<Program> {
    stage(&cell.graph, &forward_roots(cell, &[]), hoist, target)
}

/// The forward pass of training.
///
/// # Errors
/// As [`stage`].
pub fn training(cell: &Cell, backward: &Backward, target: &Target) -> Sound<Program> {
    let roots = forward_roots(cell, &backward.keep);
    stage(&cell.graph, &roots, true, target)
}

/// The backward pass.
///
/// # Errors
/// As [`stage`].
pub fn gradient(backward: &Backward, target: &Target) -> Sound<Program> {
    let mut roots = Vec::new();
    for (state, parts) in backward.states.iter().enumerate() {
        for p in parts {
            roots.push(Root {
                node: p.node,
                sink: Sink::StateGradient(state),
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
                sink: Sink::InputGradient(input),
                offset: p.offset.clone(),
                width: p.width.clone(),
                exact: parts.len() > 1,
            });
        }
    }
    let mut done = BTreeSet::new();
    let matrices = backward.matrices.iter().map(|m| (m.delta, &m.width, true));
    let vectors = backward.vectors.iter().map(|v| (v.delta, &v.width, false));
    for (node, width, keep) in matrices.chain(vectors) {
        if matches!(backward.graph.node(node).op, Op::Leaf(..)) || !done.insert(node) {
            continue;
        }
        roots.push(Root {
            node,
            // A product with the operand needs every step, a sum does not.
            sink: match keep {
                true => Sink::Keep(node),
                false => Sink::Total(node),
            },
            offset: Size::known(0),
            width: width.clone(),
            exact: false,
        });
    }
    stage(&backward.graph, &roots, true, target)
}
