//! Steps of a simple recurrence that an exporter wrote out one by one.

use std::rc::Rc;

use super::activation::Act;
use super::dim::Dim;
use super::flow::{Axis, Flow, Kind};
use super::graph::Node;
use super::maths::Val;
use super::net::{Family, Initial, Op, Recurrent, Way};
use super::patterns;
use super::recurrent::Layers;

type Done<T> = Result<T, String>;

impl Layers<'_> {
    /// All outputs `[steps, rows, units]`, and the last one `[1, rows, units]`.
    pub fn unrolled(&mut self, node: &Node<'_>, inputs: &[Option<Val>]) -> Done<Vec<Flow>> {
        let get = |index: usize| inputs.get(index).and_then(Option::as_ref);
        let Some(Val::Flow(x)) = get(0) else {
            return Err("its sequence has to be computed from the model's inputs".to_owned());
        };
        self.inputs
            .demand(x, &[Kind::Time, Kind::Batch, Kind::Feature])?;
        let units = x.width();
        let steps = &x.axes[0].size;
        let count = patterns::told(node, "steps");
        if !patterns::has_steps(steps, count) {
            return Err(format!("{count} steps of its sequence are written out"));
        }
        if steps.known().is_none() {
            self.net.notes.push(format!(
                "{}: the exporter wrote out {count} steps, and the file is right for as many; here are any number of the same",
                node.title
            ));
        }
        let matrix = match get(2) {
            Some(Val::Const(a)) => a.whole(self.budget)?,
            _ => return Err("its matrix has to be a constant".to_owned()),
        };
        let recurrent = matrix
            .floats()
            .filter(|_| matrix.dims[..] == [units, units]);
        let recurrent = recurrent.ok_or("its matrix does not have a row for each unit")?;
        let bias = match get(3) {
            None => None,
            Some(Val::Const(a)) => {
                let bias = a
                    .whole(self.budget)?
                    .floats()
                    .ok_or("its bias is not known")?;
                if bias.len() != units {
                    return Err("its bias has other units".to_owned());
                }
                Some(bias.to_vec())
            }
            Some(Val::Flow(_)) => return Err("its bias has to be a constant".to_owned()),
        };
        let initial = self.first_state(get(1), units)?;
        // The steps are those of a projection, which becomes the kernel where nothing else reads it.
        self.budget.shape(&[units, units])?;
        let mut identity = vec![0.0; units * units];
        identity
            .iter_mut()
            .step_by(units + 1)
            .for_each(|v| *v = 1.0);
        let turned = patterns::told(node, "turned") == 1.0;
        let mut src = self.net.whole(&x.parts, self.budget)?;
        let mut backward = false;
        if turned
            && let Some(layer) = self.net.layers.get(src.layer)
            && let (Op::Reverse, [before]) = (&layer.op, &layer.inputs[..])
        {
            src = *before;
            backward = true;
        }
        let act = match patterns::told(node, "relu") == 1.0 {
            true => Act::Relu,
            false => Act::Tanh,
        };
        let r = Recurrent {
            title: node.title.clone(),
            family: Family::Rnn,
            input: units,
            units,
            ways: vec![Way {
                backward,
                kernel: Rc::new(identity),
                recurrent,
                bias,
                peephole: None,
                activations: vec![act],
                initial: vec![initial],
            }],
            clip: None,
            coupled: false,
            reset_after: false,
            mask: None,
            bare: true,
        };
        let mut results = self.results(r, src, x, false, false);
        if let Some(all) = results.first_mut() {
            // Without the axis of directions.
            all.axes.remove(1);
            if turned && !backward {
                for part in &mut all.parts {
                    let shape = self.net.shape(part.src);
                    part.src = self.net.add(Op::Reverse, vec![part.src], shape);
                }
            }
        }
        Ok(results)
    }

    fn first_state(&mut self, given: Option<&Val>, units: usize) -> Done<Initial> {
        match given {
            Some(Val::Const(a)) => {
                let values = a.floats().ok_or("its first state is not known")?;
                match values.iter().all(|v| *v == 0.0) {
                    true => Ok(Initial::Zero),
                    false if a.dims.last() == Some(&units) && values.len() == units => {
                        Ok(Initial::Constant(values.to_vec()))
                    }
                    false => Err("its first state is not the same for all rows".to_owned()),
                }
            }
            Some(Val::Flow(flow)) => {
                let mut flow = flow.clone();
                if flow.axes.len() == 2 {
                    flow.axes.insert(0, Axis::feature(1));
                }
                self.inputs
                    .demand(&flow, &[Kind::Feature, Kind::Batch, Kind::Feature])?;
                if flow.width() != units || flow.axes[0].size != Dim::N(1) {
                    return Err("its first state has other units".to_owned());
                }
                Ok(Initial::Value(self.net.whole(&flow.parts, self.budget)?))
            }
            None => Ok(Initial::Zero),
        }
    }
}
