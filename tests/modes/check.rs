//! What is compared with what.

use crate::{
    gradients::gradients,
    numbers::{Batch, Content, Data, Random, close, largest, same_bits, weights},
    oracle::{Run, SEED},
    steps::{StepInput, StepOutput},
};
use recurrent::{
    learner::{Learner, StepSeed, ValueSpec},
    model::{Model, Program, Streamable},
    rt::cpu::simd::Isa,
};
use rnn_compiler::interpret;

/// Of the largest number of the output.
const OUTPUT: f64 = 1e-5;

/// A batch that the model takes; `time` steps where their number is open, one more on each further
/// axis.
pub fn batch<M: Program>(rows: usize, time: usize, seed: u64) -> Data {
    let mut r = Random::new(seed);
    let masking = M::SPEC.layers.iter().any(|l| l.class == "Masking");
    let one = |(i, spec): (usize, &ValueSpec)| {
        let open = time + M::SPEC.input_axes[i].unwrap_or(0);
        let time = spec.time.map_or(1, |t| t.unwrap_or(open));
        let vocabulary = M::SPEC.vocabulary.iter().filter(|v| v.0 == i).map(|v| v.2);
        let content = match (spec.ids, spec.features) {
            (true, _) => Content::Ids(vocabulary.min().unwrap()),
            (false, []) if spec.time.is_some() => Content::Mask,
            _ => Content::Floats,
        };
        let padded = spec.ids || masking && spec.time.is_some();
        let width = spec.features.iter().product();
        Batch::new((rows, time, width), content, padded, &mut r)
    };
    let inputs = M::SPEC.inputs.iter().enumerate().map(one).collect();
    Data { inputs }
}

/// All outputs of inference from zero states, and their masks.
pub fn infer<M: Learner>(model: &mut M, x: &Data) -> Vec<Vec<f32>> {
    model.reset_states();
    model.infer(&x.views()).unwrap();
    outputs(model)
}

/// All outputs of the last run.
pub fn outputs<M: Learner>(model: &M) -> Vec<Vec<f32>> {
    let all = 0..model.outputs().len();
    all.map(|i| model.output(i).to_vec()).collect()
}

/// Everything about a model that can stream.
pub fn stream<M>(mut model: M, oracle: &interpret::Model)
where
    M: Model + Streamable,
    M::StepInput: StepInput,
    for<'s> M::StepOutput<'s>: StepOutput,
{
    prepare(&mut model, oracle);
    for &isa in Isa::available() {
        model.set_isa(isa);
        agree(&mut model, oracle, isa, &[(7, 5), (1, 9), (2, 1)]);
        for time in [1, 6] {
            streamed(&mut model, &batch::<M>(5, time, 3), isa);
        }
    }
    gradients(&mut model, oracle, &batch::<M>(3, 4, 4));
}

/// Everything about a model that needs its whole sequence.
pub fn whole<M: Model>(mut model: M, oracle: &interpret::Model) {
    prepare(&mut model, oracle);
    for &isa in Isa::available() {
        model.set_isa(isa);
        agree(&mut model, oracle, isa, &[(7, 5), (1, 9), (2, 1)]);
    }
    gradients(&mut model, oracle, &batch::<M>(3, 4, 4));
}

/// So many rows and steps that there are several blocks of both, and of units.
const LONG: (usize, usize) = (9, 70);

/// [`stream`] for a model of many units, over many steps.
pub fn long_stream<M>(mut model: M, oracle: &interpret::Model)
where
    M: Model + Streamable,
    M::StepInput: StepInput,
    for<'s> M::StepOutput<'s>: StepOutput,
{
    prepare(&mut model, oracle);
    for &isa in Isa::available() {
        model.set_isa(isa);
        agree(&mut model, oracle, isa, &[LONG]);
        streamed(&mut model, &batch::<M>(LONG.0, LONG.1, 3), isa);
    }
    threads(&mut model);
    gradients(&mut model, oracle, &batch::<M>(LONG.0, LONG.1, 4));
}

/// [`whole`] for a model of many units, over many steps.
pub fn long<M: Model>(mut model: M, oracle: &interpret::Model) {
    prepare(&mut model, oracle);
    for &isa in Isa::available() {
        model.set_isa(isa);
        agree(&mut model, oracle, isa, &[LONG]);
    }
    threads(&mut model);
    gradients(&mut model, oracle, &batch::<M>(LONG.0, LONG.1, 4));
}

/// A stream of each row gives the bits of the batch.
pub fn streamed<M>(model: &mut M, x: &Data, isa: Isa)
where
    M: Model + Streamable,
    M::StepInput: StepInput,
    for<'s> M::StepOutput<'s>: StepOutput,
{
    let y = infer(model, x);
    let time = x.time();
    let mut s = model.stream().unwrap();
    for row in 0..x.batch() {
        s.reset();
        for t in 0..time {
            let step = s.step(&M::StepInput::of(x, row, t));
            for (i, (step, y)) in step.outputs().iter().zip(&y).enumerate() {
                let out = &M::SPEC.outputs[i];
                let width: usize = out.features.iter().product();
                let steps = if out.time.is_some() { time } else { 1 };
                if t + steps >= time {
                    let from = (row * steps + t + steps - time) * width;
                    let what = format!("{isa}: stream, {}, row {row}, step {t}", out.name);
                    same_bits(&what, step, &y[from..from + width]);
                }
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
fn agree<M: Model>(model: &mut M, oracle: &interpret::Model, isa: Isa, sizes: &[(usize, usize)]) {
    for &(rows, time) in sizes {
        let x = batch::<M>(rows, time, 2);
        let w = model.weights().to_vec();
        let y = infer(model, &x);
        let run = Run::inference(oracle, M::SPEC.params, &w, &x);
        compare(&format!("{isa}: inference"), model, &run.answer());
        for cut in 1..rows {
            let (mut parts, rest) = (
                infer(model, &x.rows(0..cut)),
                infer(model, &x.rows(cut..rows)),
            );
            for ((part, rest), y) in parts.iter_mut().zip(rest).zip(&y) {
                part.extend(rest);
                same_bits(&format!("{isa}: batch cut at row {cut}"), part, y);
            }
        }
        model.reset_states();
        model.forward(&x.views(), SEED).unwrap();
        let run = Run::training(oracle, M::SPEC.params, &w, &x, isa);
        compare(&format!("{isa}: training"), model, &run.answer());
        // Training has moved the moving statistics.
        model.weights_mut().copy_from_slice(&w);
    }
}

/// The outputs and masks of the last run.
fn compare<M: Model>(what: &str, model: &M, expected: &interpret::Answer) {
    assert_eq!(M::SPEC.outputs.len(), expected.outputs.len());
    for (i, e) in expected.outputs.iter().enumerate() {
        assert_eq!(M::SPEC.outputs[i].name, e.name);
        let what = format!("{what}, {}", e.name);
        close(&what, model.output(i), &e.data, OUTPUT, largest(&e.data));
        let ones = |mask: &Vec<bool>| mask.iter().all(|&real| real);
        let found = model.output_mask(i);
        let found = found.map(|m| m.iter().map(|&m| m != 0.0).collect::<Vec<bool>>());
        // No mask is a mask of ones.
        assert_eq!(
            found.filter(|m| !ones(m)),
            e.mask.clone().filter(|m| !ones(m)),
            "{what}: mask"
        );
    }
}

/// Everything that a model computes is the same bits on any number of threads.
fn threads<M: Model>(model: &mut M) {
    let x = batch::<M>(LONG.0, LONG.1, 13);
    let w = model.weights().to_vec();
    model.want_input_gradient(true);
    let mut run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let mut all = infer(model, &x);
            model.reset_states();
            model.forward(&x.views(), SEED).unwrap();
            let y = outputs(model);
            let mut r = Random::new(14);
            let d: Vec<Vec<f32>> = y.iter().map(|y| r.floats(y.len())).collect();
            let d: Vec<&[f32]> = d.iter().map(Vec::as_slice).collect();
            let mut g = vec![0.0; w.len()];
            model.backward(&d, &mut g).unwrap();
            all.extend(y);
            all.push(g);
            all.extend((0..x.inputs.len()).map(|i| {
                let dx = model.input_gradient(i);
                dx.map(<[f32]>::to_vec).unwrap_or_default()
            }));
            all.push(model.weights().to_vec());
            model.weights_mut().copy_from_slice(&w);
            all
        })
    };
    let one = run(1);
    for n in [2, 4, 16] {
        for (i, (a, b)) in one.iter().zip(&run(n)).enumerate() {
            same_bits(&format!("{n} threads, result {i}"), a, b);
        }
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
fn stream_bits<M>(model: &M, x: &Data) -> Vec<f32>
where
    M: Model + Streamable,
    M::StepInput: StepInput,
    for<'s> M::StepOutput<'s>: StepOutput,
{
    let mut s = model.stream().unwrap();
    let mut y = Vec::new();
    for row in 0..x.batch() {
        s.reset();
        for t in 0..x.time() {
            let step = s.step(&M::StepInput::of(x, row, t));
            y.extend(step.outputs().concat());
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
    for<'s> A::StepOutput<'s>: StepOutput,
    for<'s> B::StepOutput<'s>: StepOutput,
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
            m.infer(&x.views()).unwrap();
            let y = m.output(0).to_vec();
            m.forward(&x.views(), StepSeed::default()).unwrap();
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
