//! The order in which Keras counts the layers of a graph (`keras/src/ops/function.py`, `map_graph`).
//!
//! A file has weights by the class and the number of their layer, `layers/lstm_1`. The numbers follow the layers' distance from
//! the outputs, and then the order in which a search from the outputs meets them.

use std::collections::BTreeMap;

/// A call.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// What is called.
    pub operation: usize,
    /// The calls whose results it reads, in the order of its arguments.
    pub parents: Vec<usize>,
}

/// The operations that these outputs need, in Keras's order; those of `inputs` even if nothing reads them.
pub(super) fn order(nodes: &[Node], outputs: &[usize], inputs: &[usize]) -> Vec<usize> {
    let empty = Node::default();
    let node = |n: usize| nodes.get(n).unwrap_or(&empty);
    // A search in depth: calls after those that they read, and operations in the order in which they are met.
    let mut met = BTreeMap::<usize, i64>::new();
    let mut seen = vec![false; nodes.len()];
    let mut sorted = Vec::new();
    for &output in outputs {
        let mut path = vec![(output, 0)];
        while let Some((at, next)) = path.pop() {
            if next == 0 {
                match seen.get_mut(at) {
                    Some(seen) if !*seen => *seen = true,
                    _ => continue,
                }
                let count = met.len() as i64;
                met.entry(node(at).operation).or_insert(count);
            }
            match node(at).parents.get(next) {
                Some(&parent) => {
                    path.push((at, next + 1));
                    path.push((parent, 0));
                }
                None => sorted.push(at),
            }
        }
    }
    let mut depths = vec![0_usize; nodes.len()];
    let mut of_operations = BTreeMap::<usize, usize>::new();
    for &at in sorted.iter().rev() {
        let own = of_operations.entry(node(at).operation).or_insert(0);
        let depth = depths.get(at).copied().unwrap_or(0).max(*own);
        *own = depth;
        for &parent in &node(at).parents {
            if let Some(of) = depths.get_mut(parent) {
                *of = (*of).max(depth + 1);
            }
        }
    }
    for &input in inputs {
        let operation = node(input).operation;
        if let std::collections::btree_map::Entry::Vacant(place) = of_operations.entry(operation) {
            place.insert(0);
            met.insert(operation, -1);
        }
    }
    let mut all: Vec<usize> = of_operations.keys().copied().collect();
    all.sort_by_key(|operation| {
        let depth = of_operations.get(operation).copied().unwrap_or(0);
        (usize::MAX - depth, met.get(operation).copied().unwrap_or(0))
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(operation: usize, parents: &[usize]) -> Node {
        Node {
            operation,
            parents: parents.to_vec(),
        }
    }

    #[test]
    fn far_operations_come_first() {
        // x -> a -> c, y -> b, (c, b) -> d
        let nodes = [
            node(0, &[]),
            node(1, &[]),
            node(2, &[1]),
            node(3, &[0]),
            node(4, &[3]),
            node(5, &[4, 2]),
        ];
        assert_eq!(order(&nodes, &[5], &[0, 1]), [0, 3, 1, 4, 2, 5]);
        // Something that nobody reads is left out, but for an input.
        assert_eq!(order(&nodes, &[2], &[0, 1]), [1, 0, 2]);
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let nodes: Vec<Node> = (0..100_000_usize)
            .map(|n| node(n, &n.checked_sub(1).into_iter().collect::<Vec<_>>()))
            .collect();
        let found = order(&nodes, &[99_999], &[0]);
        assert!(found.is_sorted() && found.len() == 100_000);
    }
}
