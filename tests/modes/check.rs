//! What is compared with what.

use crate::numbers::{Batch, Random, close, largest, named, same_bits, weights};
use recurrent::{
    learner::{Learner, StepSeed},
    model::{Id, Model, Program, Streamable},
    rt::cpu::simd::Isa,
};
use rnn_compiler::interpret;

/// Of the largest number of the output.
const OUTPUT: f64 = 1e-5;
/// Of the largest gradient of the parameter.
const GRADIENT: f64 = 1e-4;
/// Above so many weights, finite differences go along random directions and some axes only.
const MANY: usize = 2000;

/// The interpreter's model of the same text.
pub fn oracle(text: &str) -> interpret::Model {
    let scope = interpret::Scope {
        cells: crate::cells::CELLS,
        consts: crate::cells::CONSTS,
    };
    match interpret::Model::parse_in(text, scope) {
        Ok(model) => model,
        Err(e) => panic!("{text}: {e}"),
    }
}

/// The input of one step, from the user's row.
pub trait StepInput {
    fn of(x: &Batch, row: usize, t: usize) -> Self;
}

impl<const N: usize> StepInput for [f32; N] {
    fn of(x: &Batch, row: usize, t: usize) -> Self {
        let from = (row * x.time + t) * N;
        x.floats[from..from + N].try_into().unwrap()
    }
}

impl<const N: usize> StepInput for Id<N> {
    fn of(x: &Batch, row: usize, t: usize) -> Self {
        Id::new(x.ids[row * x.time + t]).unwrap()
    }
}

/// A batch that the model takes; `time` steps if their number is open.
pub fn batch<M: Program>(rows: usize, time: usize, seed: u64) -> Batch {
    let spec = &M::SPEC.inputs[0];
    let time = match spec.time {
        None => 1,
        Some(None) => time,
        Some(Some(t)) => t,
    };
    let vocabulary = M::SPEC.vocabulary.first().filter(|_| spec.ids).map(|v| v.2);
    let width = spec.features.iter().product();
    Batch::new(rows, time, width, vocabulary, seed)
}

pub fn infer<M: Learner>(model: &mut M, x: &Batch) -> Vec<f32> {
    model.infer(&[x.view()]).unwrap();
    model.output(0).to_vec()
}

/// Everything about a model that can stream.
pub fn stream<M>(mut model: M, oracle: &interpret::Model)
where
    M: Model + Streamable,
    M::StepInput: StepInput,
    for<'s> M::StepOutput<'s>: AsRef<[f32]>,
{
    prepare(&mut model, oracle);
    for &isa in Isa::available() {
        model.set_isa(isa);
        outputs(&mut model, oracle, isa);
        for time in [1, 6] {
            streamed(&mut model, &batch::<M>(3, time, 3), isa);
        }
    }
    gradients(&mut model, oracle);
}

/// Everything about a model that needs its whole sequence.
pub fn whole<M: Model>(mut model: M, oracle: &interpret::Model) {
    prepare(&mut model, oracle);
    for &isa in Isa::available() {
        model.set_isa(isa);
        outputs(&mut model, oracle, isa);
    }
    gradients(&mut model, oracle);
}

/// A stream of each row gives the bits of the batch.
pub fn streamed<M>(model: &mut M, x: &Batch, isa: Isa)
where
    M: Model + Streamable,
    M::StepInput: StepInput,
    for<'s> M::StepOutput<'s>: AsRef<[f32]>,
{
    let y = infer(model, x);
    let out = &M::SPEC.outputs[0];
    let width: usize = out.features.iter().product();
    let steps = if out.time.is_some() { x.time } else { 1 };
    let mut s = model.stream().unwrap();
    for row in 0..x.batch {
        s.reset();
        for t in 0..x.time {
            let step = s.step(&M::StepInput::of(x, row, t));
            let step = step.as_ref();
            if t + steps >= x.time {
                let from = (row * steps + t + steps - x.time) * width;
                let what = format!("{isa}: stream, row {row}, step {t}");
                same_bits(&what, step, &y[from..from + width]);
            }
        }
    }
}

fn prepare<M: Model>(model: &mut M, oracle: &interpret::Model) {
    let specs = Learner::specs(model);
    let ours: Vec<_> = specs
        .iter()
        .map(|s| (s.name, s.shape.to_vec(), s.trainable))
        .collect();
    let theirs = oracle.specs().iter();
    let theirs: Vec<_> = theirs
        .map(|s| (&*s.name, s.shape.clone(), s.trainable))
        .collect();
    assert_eq!(ours, theirs, "parameters");
    let w = weights(specs, 1);
    model.weights_mut().copy_from_slice(&w);
}

/// Inference and the forward pass of training against the interpreter; any split of a batch.
fn outputs<M: Model>(model: &mut M, oracle: &interpret::Model, isa: Isa) {
    let specs = Learner::specs(model);
    for (rows, time) in [(7, 5), (1, 9), (2, 1)] {
        let x = batch::<M>(rows, time, 2);
        let w = model.weights().to_vec();
        let theirs = named(specs, &w);
        let y = infer(model, &x);
        let expected = oracle.run(&theirs, &x.for_oracle(), false).unwrap();
        close(
            &format!("{isa}: inference"),
            &y,
            &expected,
            OUTPUT,
            largest(&expected),
        );
        let per_row = y.len() / rows;
        for cut in 1..rows {
            let mut parts = infer(model, &x.rows(0..cut));
            parts.extend(infer(model, &x.rows(cut..rows)));
            same_bits(
                &format!("{isa}: batch cut at row {cut} of {per_row}"),
                &parts,
                &y,
            );
        }
        if rows == 1 && !x.floats.is_empty() && time == 1 {
            continue;
        }
        model.forward(&[x.view()], StepSeed::default()).unwrap();
        let expected = oracle.run(&theirs, &x.for_oracle(), true).unwrap();
        close(
            &format!("{isa}: training"),
            model.output(0),
            &expected,
            OUTPUT,
            largest(&expected),
        );
        // Training has moved the moving statistics.
        model.weights_mut().copy_from_slice(&w);
    }
}

/// Gradients on every instruction set against central differences of the interpreter.
fn gradients<M: Model>(model: &mut M, oracle: &interpret::Model) {
    let specs = Learner::specs(model);
    let x = batch::<M>(3, 4, 4);
    let w = model.weights().to_vec();
    let y = infer(model, &x);
    let d = Random::new(5).floats(y.len());
    let differences = Differences {
        oracle,
        weights: named(specs, &w),
        x: x.for_oracle(),
        d: d.iter().map(|&d| d.into()).collect(),
    };
    let all = w.len() + x.floats.len() <= MANY;
    let mut along = Vec::new();
    for s in specs.iter().filter(|s| s.trainable) {
        along.push(directions(s.len(), all));
    }
    let input_directions = directions(x.floats.len(), all);
    let expected: Vec<Vec<f64>> = specs
        .iter()
        .filter(|s| s.trainable)
        .zip(&along)
        .map(|(s, along)| {
            along
                .iter()
                .map(|v| differences.weight(s.name, v))
                .collect()
        })
        .collect();
    let of_input: Vec<f64> = input_directions
        .iter()
        .map(|v| differences.input(v))
        .collect();
    let whole = expected.iter().map(|e| largest(e)).fold(0.0, f64::max);
    model.want_input_gradient(true);
    for &isa in Isa::available() {
        model.set_isa(isa);
        let mut g = vec![f32::NAN; w.len()];
        model.forward(&[x.view()], StepSeed::default()).unwrap();
        model.backward(&[&d], &mut g).unwrap();
        let mut at = 0;
        let mut turn = along.iter().zip(&expected);
        for s in specs {
            let own = &g[at..at + s.len()];
            at += s.len();
            if !s.trainable {
                assert!(
                    own.iter().all(|&g| g == 0.0),
                    "{}: gradient of a frozen one",
                    s.name
                );
                continue;
            }
            let (along, expected) = turn.next().unwrap();
            let found: Vec<f32> = along.iter().map(|v| project(own, v)).collect();
            // A parameter that hardly matters is as exact as the sums that it is a part of.
            let scale = largest(expected).max(1e-3 * whole);
            close(
                &format!("{isa}: gradient of {}", s.name),
                &found,
                expected,
                GRADIENT,
                scale,
            );
        }
        if !x.floats.is_empty() {
            let dx = model.input_gradient(0).unwrap();
            let found: Vec<f32> = input_directions.iter().map(|v| project(dx, v)).collect();
            let scale = largest(&of_input).max(1e-3 * whole);
            close(
                &format!("{isa}: gradient of the input"),
                &found,
                &of_input,
                GRADIENT,
                scale,
            );
        }
        model.weights_mut().copy_from_slice(&w);
    }
}

/// A direction: places and how far to go there.
type Direction = Vec<(usize, f64)>;

/// Every axis, or random directions that go along all of them at once and some axes.
fn directions(n: usize, all: bool) -> Vec<Direction> {
    if all {
        return (0..n).map(|i| vec![(i, 1.0)]).collect();
    }
    let mut r = Random::new(6);
    let mut some: Vec<Direction> = (0..3)
        .map(|_| (0..n).map(|i| (i, r.float().into())).collect())
        .collect();
    some.extend((0..6).map(|_| vec![(r.below(n), 1.0)]));
    some
}

fn project(g: &[f32], along: &Direction) -> f32 {
    along.iter().map(|&(i, v)| f64::from(g[i]) * v).sum::<f64>() as f32
}

/// Central differences of the loss `Σ output · d`.
struct Differences<'a> {
    oracle: &'a interpret::Model,
    weights: interpret::Weights,
    x: interpret::Input,
    d: Vec<f64>,
}

impl Differences<'_> {
    const STEP: f64 = 1e-5;

    fn loss(&self, weights: &interpret::Weights, x: &interpret::Input) -> f64 {
        let y = self.oracle.run(weights, x, true).unwrap();
        y.iter().zip(&self.d).map(|(y, d)| y * d).sum()
    }

    fn weight(&self, name: &str, along: &Direction) -> f64 {
        let at = |h: f64| {
            let mut w = self.weights.clone();
            let own = w.get_mut(name).unwrap();
            along.iter().for_each(|&(i, v)| own[i] += h * v);
            self.loss(&w, &self.x)
        };
        (at(Self::STEP) - at(-Self::STEP)) / (2.0 * Self::STEP)
    }

    fn input(&self, along: &Direction) -> f64 {
        let at = |h: f64| {
            let mut x = self.x.clone();
            along.iter().for_each(|&(i, v)| x.floats[i] += h * v);
            self.loss(&self.weights, &x)
        };
        (at(Self::STEP) - at(-Self::STEP)) / (2.0 * Self::STEP)
    }
}

/// The plan without the names of the layers: what stands before the colon of each title.
fn decisions<M: Model>() -> String {
    let lines = M::plan().lines().map(|line| match line.starts_with(' ') {
        true => line,
        false => line.split_once(": ").map_or(line, |(_, what)| what),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What streams give for a batch, row by row and step by step.
fn stream_bits<M>(model: &M, x: &Batch) -> Vec<f32>
where
    M: Model + Streamable,
    M::StepInput: StepInput,
    for<'s> M::StepOutput<'s>: AsRef<[f32]>,
{
    let mut s = model.stream().unwrap();
    let mut y = Vec::new();
    for row in 0..x.batch {
        s.reset();
        for t in 0..x.time {
            y.extend_from_slice(s.step(&M::StepInput::of(x, row, t)).as_ref());
        }
    }
    y
}

/// [`same`], and more: the compiler decided the same, and streams give the same bits.
pub fn same_program<A, B>(a: &mut A, b: &mut B)
where
    A: Model + Streamable,
    B: Model + Streamable,
    A::StepInput: StepInput,
    B::StepInput: StepInput,
    for<'s> A::StepOutput<'s>: AsRef<[f32]>,
    for<'s> B::StepOutput<'s>: AsRef<[f32]>,
{
    assert_eq!(decisions::<A>(), decisions::<B>());
    assert!(decisions::<A>().contains("at every step"), "{}", A::plan());
    same(a, b);
    let x = batch::<A>(5, 8, 10);
    for &isa in Isa::available() {
        a.set_isa(isa);
        b.set_isa(isa);
        let (one, two) = (stream_bits(a, &x), stream_bits(b, &x));
        assert!(one.iter().any(|&y| y != 0.0));
        same_bits(&format!("{isa}: stream"), &one, &two);
    }
}

/// Two models with parameters of the same shapes compute the same bits.
pub fn same<A: Model, B: Model>(a: &mut A, b: &mut B) {
    let shapes = |specs: &[recurrent::params::ParamSpec]| -> Vec<Vec<usize>> {
        specs.iter().map(|s| s.shape.to_vec()).collect()
    };
    assert_eq!(shapes(A::SPEC.params), shapes(B::SPEC.params));
    let w = weights(A::SPEC.params, 7);
    let x = batch::<A>(5, 8, 8);
    for &isa in Isa::available() {
        let run = |m: &mut dyn Learner| {
            m.weights_mut().copy_from_slice(&w);
            m.infer(&[x.view()]).unwrap();
            let y = m.output(0).to_vec();
            m.forward(&[x.view()], StepSeed::default()).unwrap();
            let trained = m.output(0).to_vec();
            let mut g = vec![0.0; w.len()];
            let d = Random::new(9).floats(trained.len());
            m.backward(&[&d], &mut g).unwrap();
            (y, trained, g)
        };
        a.set_isa(isa);
        b.set_isa(isa);
        let (one, two) = (run(a), run(b));
        same_bits(&format!("{isa}: inference"), &one.0, &two.0);
        same_bits(&format!("{isa}: training"), &one.1, &two.1);
        same_bits(&format!("{isa}: gradients"), &one.2, &two.2);
    }
}
