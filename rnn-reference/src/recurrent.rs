//! Recurrent layers: where their states start and end, and both directions.

use super::{
    Wrong,
    build::{Part, Ready},
    layers::{Running, cost},
    pointwise::apply,
    scan::Scan,
    value::Value,
};
use rnn_compiler::ir::{Layer, Regularizer, Rnn};

impl Running<'_> {
    pub(super) fn recurrent(
        &mut self,
        layer: &Layer,
        part: &Part,
        rnn: &Rnn,
        inputs: &[Value],
    ) -> Result<Vec<Value>, Wrong> {
        let initial: Vec<Value> = layer
            .initial
            .iter()
            .map(|&p| self.value(p).clone())
            .collect();
        let (mut results, states) =
            self.scan(layer, rnn, &part.cells, inputs, initial, part.states)?;
        // Keras's `keepdims`: the last output is a sequence of one step.
        for (value, shape) in results.iter_mut().zip(&layer.outputs) {
            if shape.is_sequence() {
                value.steps.get_or_insert(1);
            }
        }
        if rnn.return_state {
            results.extend(states);
        }
        Ok(results)
    }

    /// One direction: from the states given, those that stayed from the call before, or zero.
    fn scan(
        &mut self,
        layer: &Layer,
        rnn: &Rnn,
        cells: &[Ready],
        inputs: &[Value],
        mut initial: Vec<Value>,
        kept: usize,
    ) -> Result<(Vec<Value>, Vec<Value>), Wrong> {
        let kept = kept..kept + rnn.states.len();
        if rnn.stateful && initial.is_empty() {
            initial = self.states[kept.clone()].to_vec();
        }
        let scan = Scan {
            rnn,
            cells,
            weights: &self.weights,
            draws: self.draws,
            mask: layer.mask.map(|p| self.value(p)),
        };
        let inputs: Vec<&Value> = inputs.iter().collect();
        let (outputs, states) = scan.run(&inputs, &initial)?;
        if rnn.stateful {
            self.states[kept].clone_from_slice(&states);
        }
        Ok((outputs, states))
    }

    pub(super) fn bidirectional(
        &mut self,
        layer: &Layer,
        part: &Part,
        (forward, backward): (&Rnn, &Rnn),
        activity: [Option<Regularizer>; 2],
        inputs: &[Value],
    ) -> Result<Vec<Value>, Wrong> {
        let mut initial: Vec<Value> = layer
            .initial
            .iter()
            .map(|&p| self.value(p).clone())
            .collect();
        let of_backward = initial.split_off(initial.len().min(forward.states.len()));
        let kept = part.states;
        let (f, f_states) = self.scan(layer, forward, &part.cells, inputs, initial, kept)?;
        let kept = match forward.stateful {
            true => kept + forward.states.len(),
            false => kept,
        };
        let (b, b_states) =
            self.scan(layer, backward, &part.backward, inputs, of_backward, kept)?;
        for (r, outputs, states) in [(activity[0], &f, &f_states), (activity[1], &b, &b_states)] {
            let states = states.iter().filter(|_| forward.return_state);
            self.penalty += cost(r, outputs.iter().chain(states));
        }
        // Keras brings the outputs of the second layer back into the order of time.
        let b: Vec<Value> = match backward.return_sequences {
            true => b.iter().map(Value::reversed).collect(),
            false => b,
        };
        let mut results = match (&part.merge, f.first(), b.first()) {
            (Some(cell), Some(f), Some(b)) => apply(cell, &[], &[f, b])?,
            _ => [f, b].concat(),
        };
        if forward.return_state {
            results.extend(f_states);
            results.extend(b_states);
        }
        Ok(results)
    }
}
