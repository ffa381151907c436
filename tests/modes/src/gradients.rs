//! Gradients on every instruction set against central differences of the interpreter.

use crate::{
    bits::record,
    numbers::{Content, Data, Random, close, largest},
    oracle::{Run, SEED},
    run::infer,
    subject::{Subject, isas},
};
use recurrent::{Isa, params::ParamSpec};
use rnn_tables::Perturbation;

/// Of the largest gradient of the parameter.
const GRADIENT: f64 = 1e-4;
/// Above so many weights, finite differences go along random directions and some axes only.
const MANY: usize = 2000;

/// Compares the gradients of all weights and inputs for this batch.
pub fn gradients(model: &mut dyn Subject, oracle: &rnn_reference::ReferenceModel, x: &Data) {
    let w = model.weights().to_vec();
    let specs = model.specs();
    let y = infer(model, x);
    let mut r = Random::new(5);
    let d: Vec<Vec<f32>> = y.iter().map(|y| r.floats(y.len())).collect();
    let numbers = w.len() + x.inputs.iter().map(|b| b.floats.len()).sum::<usize>();
    let along = Along::new(specs, x, numbers <= MANY);
    model.want_input_gradients();
    let mut same = None;
    for &isa in isas(model) {
        // What noise adds differs between instruction sets in its last bits.
        let expected = match same.take() {
            Some(expected) => expected,
            None => along.expected(
                specs,
                &Differences {
                    run: Run::training(oracle, specs, &w, x, isa),
                    d: d.iter().flatten().map(|&d| d.into()).collect(),
                },
            ),
        };
        model.use_isa(isa);
        compare(model, x, &d, &along, &expected, isa);
        model.weights_mut().copy_from_slice(&w);
        let noise = |d: &rnn_reference::Draw| {
            let normal = |how: &Perturbation| !matches!(how, Perturbation::Bernoulli { .. });
            matches!(&d.drawn, rnn_reference::Drawn::Perturbation(how) if normal(how))
        };
        if !oracle.draws().iter().any(noise) {
            same = Some(expected);
        }
    }
}

fn compare(
    model: &mut dyn Subject,
    x: &Data,
    d: &[Vec<f32>],
    along: &Along,
    expected: &Expected,
    isa: Isa,
) {
    let all = expected.weights.iter().chain(&expected.inputs);
    let whole = all.map(|e| largest(e)).fold(0.0, f64::max);
    assert!(whole > 0.0, "nothing has a gradient");
    let mut g = vec![f32::NAN; model.weights().len()];
    model.start();
    model.forward(&x.views(), SEED).unwrap();
    let d: Vec<&[f32]> = d.iter().map(Vec::as_slice).collect();
    model.backward(&d, &mut g).unwrap();
    record(isa.name(), "gradients", &g);
    for i in 0..x.inputs.len() {
        let dx = model.gradient_of_input(i).unwrap_or_default();
        record(isa.name(), "gradient of an input", dx);
    }
    // A parameter that hardly matters is as exact as the sums that it is a part of.
    let check = |what: &str, g: &[f32], along: &[Direction], expected: &[f64]| {
        let found: Vec<f32> = along.iter().map(|v| project(g, v)).collect();
        let scale = largest(expected).max(1e-3 * whole);
        let what = format!("{isa}: gradient of {what}");
        close(&what, &found, expected, GRADIENT, scale);
    };
    let mut at = 0;
    let params = model.specs().iter().zip(&along.weights);
    for ((s, along), expected) in params.zip(&expected.weights) {
        let own = &g[at..at + s.len()];
        at += s.len();
        if s.trainable {
            check(s.name, own, along, expected);
        } else {
            let zero = own.iter().all(|&g| g == 0.0);
            assert!(zero, "{}: gradient of a frozen one", s.name);
        }
    }
    for (i, (batch, spec)) in x.inputs.iter().zip(model.inputs()).enumerate() {
        let dx = model.gradient_of_input(i);
        match batch.content {
            Content::Floats => {
                let what = format!("the input {}", spec.name);
                check(&what, dx.unwrap(), &along.inputs[i], &expected.inputs[i]);
            }
            Content::Ids(_) | Content::Mask => {
                let zero = dx.is_none_or(|dx| dx.iter().all(|&g| g == 0.0));
                assert!(zero, "{}: a gradient of ids or a mask", spec.name);
            }
        }
    }
}

/// A direction: places and how far to go there.
type Direction = Vec<(usize, f64)>;

/// Where differences are taken: of each parameter, and of each input.
struct Along {
    weights: Vec<Vec<Direction>>,
    inputs: Vec<Vec<Direction>>,
}

/// The differences there.
struct Expected {
    weights: Vec<Vec<f64>>,
    inputs: Vec<Vec<f64>>,
}

impl Along {
    fn new(specs: &[ParamSpec], x: &Data, all: bool) -> Along {
        let weights = specs.iter().map(|s| match s.trainable {
            true => directions((0..s.len()).collect(), all),
            false => vec![],
        });
        let inputs = x.inputs.iter().map(|b| match b.content {
            // Another number at a step that `Masking` hides would show it.
            Content::Floats => {
                let places = (0..b.floats.len()).filter(|&i| b.floats[i] != 0.0);
                directions(places.collect(), all)
            }
            Content::Ids(_) | Content::Mask => vec![],
        });
        Along {
            weights: weights.collect(),
            inputs: inputs.collect(),
        }
    }

    fn expected(&self, specs: &[ParamSpec], of: &Differences<'_>) -> Expected {
        let weights = specs.iter().zip(&self.weights);
        let weights = weights.map(|(s, along)| {
            let one = |v: &Direction| {
                of.along(v, |run| run.weights.get_mut(s.name).unwrap().as_mut_slice())
            };
            along.iter().map(one).collect()
        });
        let inputs = self.inputs.iter().enumerate().map(|(i, along)| {
            let one = |v: &Direction| of.along(v, |run| &mut run.call.inputs[i].floats);
            along.iter().map(one).collect()
        });
        Expected {
            weights: weights.collect(),
            inputs: inputs.collect(),
        }
    }
}

/// Every axis, or random directions that go along all of them at once and some axes.
fn directions(places: Vec<usize>, all: bool) -> Vec<Direction> {
    if all || places.is_empty() {
        return places.iter().map(|&i| vec![(i, 1.0)]).collect();
    }
    let mut r = Random::new(6);
    let mut some: Vec<Direction> = (0..3)
        .map(|_| places.iter().map(|&i| (i, r.float().into())).collect())
        .collect();
    some.extend((0..6).map(|_| vec![(places[r.below(places.len())], 1.0)]));
    some
}

fn project(g: &[f32], along: &Direction) -> f32 {
    along.iter().map(|&(i, v)| f64::from(g[i]) * v).sum::<f64>() as f32
}

/// Central differences of the loss: `Σ output · d`, and what activity regularisers add.
struct Differences<'a> {
    run: Run<'a>,
    d: Vec<f64>,
}

impl Differences<'_> {
    const STEP: f64 = 1e-5;

    fn along(
        &self,
        along: &Direction,
        of: impl for<'a> Fn(&'a mut Run<'_>) -> &'a mut [f64],
    ) -> f64 {
        let at = |h: f64| {
            let mut run = Run {
                oracle: self.run.oracle,
                weights: self.run.weights.clone(),
                call: self.run.call.clone(),
            };
            let numbers = of(&mut run);
            along.iter().for_each(|&(i, v)| numbers[i] += h * v);
            let answer = run.answer();
            let y = answer.outputs.iter().flat_map(|o| &o.data);
            answer.penalty + y.zip(&self.d).map(|(y, d)| y * d).sum::<f64>()
        };
        (at(Self::STEP) - at(-Self::STEP)) / (2.0 * Self::STEP)
    }
}
