//! Several layers that one layer of Keras does.

use std::collections::HashMap;
use std::rc::Rc;

use super::array::Budget;
use super::flow::Src;
use super::net::{EXACT, Layer, Net, Op, Shape};

/// Names in the file, parts, and values.
type Outputs = Vec<(String, Option<usize>, Src)>;

/// Joins layers.
pub(super) fn fuse(
    net: &mut Net,
    outputs: &mut Outputs,
    budget: &mut Budget,
) -> Result<(), String> {
    edges(net, outputs)?;
    let uses = uses(net, outputs);
    for number in 0..net.layers.len() {
        let Some(joined) = joined(net, number, &uses, budget)? else {
            continue;
        };
        if let Some(place) = net.layers.get_mut(number) {
            *place = joined;
        }
    }
    Ok(())
}

/// Which layers an output needs.
pub(super) fn live(net: &Net, outputs: &Outputs) -> Vec<bool> {
    let mut live = vec![false; net.layers.len()];
    let mut todo: Vec<usize> = outputs.iter().map(|(_, _, src)| src.layer).collect();
    while let Some(number) = todo.pop() {
        match live.get_mut(number) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        if let Some(layer) = net.layers.get(number) {
            todo.extend(layer.inputs.iter().map(|src| src.layer));
        }
    }
    live
}

/// How often a value is read by layers that are needed, and by outputs.
pub(super) fn uses(net: &Net, outputs: &Outputs) -> HashMap<Src, usize> {
    let live = live(net, outputs);
    let mut uses = HashMap::new();
    let needed = net.layers.iter().zip(&live).filter(|(_, live)| **live);
    let read = needed.flat_map(|(layer, _)| layer.inputs.iter().copied());
    for src in read.chain(outputs.iter().map(|(_, _, src)| *src)) {
        *uses.entry(src).or_insert(0) += 1;
    }
    uses
}

/// The last step of what a layer without a memory computes is what it computes of the last step.
fn edges(net: &mut Net, outputs: &Outputs) -> Result<(), String> {
    let uses = uses(net, outputs);
    let mut number = 0;
    while number < net.layers.len() {
        let here = number;
        number += 1;
        let Op::Edge { last } = net.layers[here].op else {
            continue;
        };
        let Some(&src) = net.layers[here].inputs.first() else {
            continue;
        };
        let Some(before) = net.layers.get(src.layer).cloned() else {
            continue;
        };
        let moves = matches!(
            before.op,
            Op::Dense { .. }
                | Op::Activation(_)
                | Op::Scale(_)
                | Op::Shift(_)
                | Op::BatchNorm { .. }
                | Op::LayerNorm { .. }
                | Op::Merge(_)
        );
        // Layers that were made here are read once.
        if !moves || uses.get(&src).copied().unwrap_or(1) > 1 {
            continue;
        }
        let mut inputs = Vec::new();
        for src in &before.inputs {
            inputs.push(net.edge(*src, last)?);
        }
        net.layers[here] = Layer {
            inputs,
            results: before
                .results
                .iter()
                .map(|s| Shape {
                    timed: false,
                    ..s.clone()
                })
                .collect(),
            ..before
        };
    }
    Ok(())
}

/// A layer together with the one that it reads, if nobody else reads that one.
fn joined(
    net: &Net,
    number: usize,
    uses: &HashMap<Src, usize>,
    budget: &mut Budget,
) -> Result<Option<Layer>, String> {
    let Some(layer) = net.layers.get(number) else {
        return Ok(None);
    };
    let Some(&src) = layer.inputs.first() else {
        return Ok(None);
    };
    let Some(before) = net.layers.get(src.layer) else {
        return Ok(None);
    };
    if uses.get(&src).copied().unwrap_or(1) > 1 {
        return Ok(None);
    }
    let with = |op: Op| {
        Some(Layer {
            op,
            inputs: before.inputs.clone(),
            results: layer.results.clone(),
            hint: before.hint.clone().or(layer.hint.clone()),
        })
    };
    Ok(match (&layer.op, &before.op) {
        (
            Op::Shift(by),
            Op::Dense {
                kernel,
                bias,
                activation: None,
            },
        ) => with(Op::Dense {
            kernel: kernel.clone(),
            bias: Some(match bias {
                None => by.clone(),
                Some(bias) => bias.iter().zip(by).map(|(a, b)| a + b).collect(),
            }),
            activation: None,
        }),
        (
            Op::Activation(name),
            Op::Dense {
                kernel,
                bias,
                activation: None,
            },
        ) => with(Op::Dense {
            kernel: kernel.clone(),
            bias: bias.clone(),
            activation: Some(name.clone()),
        }),
        (
            Op::Scale(by),
            Op::LayerNorm {
                gamma: None,
                beta: None,
                epsilon,
            },
        ) => with(Op::LayerNorm {
            gamma: Some(by.clone()),
            beta: None,
            epsilon: *epsilon,
        }),
        (
            Op::Shift(by),
            Op::LayerNorm {
                gamma,
                beta: None,
                epsilon,
            },
        ) => with(Op::LayerNorm {
            gamma: gamma.clone(),
            beta: Some(by.clone()),
            epsilon: *epsilon,
        }),
        (Op::Shift(by), Op::Scale(scale)) => with(Op::BatchNorm {
            gamma: scale.clone(),
            beta: by.clone(),
            mean: vec![0.0; by.len()],
            variance: vec![1.0; by.len()],
            epsilon: EXACT,
        }),
        // A projection before steps that were written out is their kernel.
        (
            Op::Recurrent(r),
            Op::Dense {
                kernel,
                bias,
                activation: None,
            },
        ) if r.bare => {
            let mut r = r.clone();
            let rows = before.inputs.first().map_or(0, |s| net.shape(*s).width);
            budget.spend(kernel.len())?;
            r.bare = false;
            r.input = rows;
            for way in &mut r.ways {
                way.kernel = Rc::clone(kernel);
                way.bias = match (&way.bias, bias) {
                    (Some(a), Some(b)) => Some(a.iter().zip(b).map(|(a, b)| a + b).collect()),
                    (a, b) => a.clone().or(b.clone()),
                };
            }
            let mut layer = layer.clone();
            if let (Some(place), Some(from)) = (layer.inputs.first_mut(), before.inputs.first()) {
                *place = *from;
            }
            layer.op = Op::Recurrent(r);
            Some(layer)
        }
        _ => None,
    })
}
