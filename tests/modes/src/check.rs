//! What is compared with what.

use crate::{
    bits::record,
    gradients::gradients,
    numbers::{Data, Random, close, largest, same_bits, weights},
    oracle::{Run, SEED},
    run::outputs,
    subject::{Streaming, Subject, isas},
};
use recurrent::Isa;

pub use crate::run::{batch, infer};

/// Of the largest number of the output.
const OUTPUT: f64 = 1e-5;

/// Rows and steps of the batches.
const SIZES: [(usize, usize); 3] = [(7, 5), (1, 9), (2, 1)];

/// Everything about a model that can stream.
pub fn stream(model: &mut dyn Streaming, oracle: &rnn_reference::ReferenceModel) {
    prepare(model, oracle);
    let spec = model.spec();
    for &isa in isas(model) {
        model.use_isa(isa);
        agree(model, oracle, isa, &SIZES);
        for time in [1, 6] {
            streamed(model, &batch(spec, 5, time, 3), isa);
        }
    }
    gradients(model, oracle, &batch(spec, 3, 4, 4));
}

/// Everything about a model that needs its whole sequence.
pub fn whole(model: &mut dyn Subject, oracle: &rnn_reference::ReferenceModel) {
    prepare(model, oracle);
    let spec = model.spec();
    for &isa in isas(model) {
        model.use_isa(isa);
        agree(model, oracle, isa, &SIZES);
    }
    gradients(model, oracle, &batch(spec, 3, 4, 4));
}

/// So many rows and steps that there are several blocks of both, and of units.
const LONG: (usize, usize) = (9, 70);

/// [`stream`] for a model of many units, over many steps.
pub fn long_stream(model: &mut dyn Streaming, oracle: &rnn_reference::ReferenceModel) {
    prepare(model, oracle);
    let spec = model.spec();
    for &isa in isas(model) {
        model.use_isa(isa);
        agree(model, oracle, isa, &[LONG]);
        streamed(model, &batch(spec, LONG.0, LONG.1, 3), isa);
    }
    threads(model, &batch(spec, LONG.0, LONG.1, 13), &[2, 4, 16]);
    gradients(model, oracle, &batch(spec, LONG.0, LONG.1, 4));
}

/// [`whole`] for a model of many units, over many steps.
pub fn long(model: &mut dyn Subject, oracle: &rnn_reference::ReferenceModel) {
    prepare(model, oracle);
    let spec = model.spec();
    for &isa in isas(model) {
        model.use_isa(isa);
        agree(model, oracle, isa, &[LONG]);
    }
    threads(model, &batch(spec, LONG.0, LONG.1, 13), &[2, 4, 16]);
    gradients(model, oracle, &batch(spec, LONG.0, LONG.1, 4));
}

/// Sequences that inference cuts into blocks of time: the bits of the stream and the numbers of the
/// interpreter, which know of no blocks. The sizes give an odd and an even number of blocks, a last
/// one that is short, of one step, and whole, and every kind of row of
/// [`is_valid`](crate::numbers::is_valid).
pub fn blocks(model: &mut dyn Streaming, oracle: &rnn_reference::ReferenceModel) {
    prepare(model, oracle);
    let spec = model.spec();
    assert!(spec.blocks, "this model is not cut into blocks");
    for &isa in isas(model) {
        model.use_isa(isa);
        for (rows, time) in [(1, 300), (3, 301), (33, 300), (2, 257), (5, 256)] {
            streamed(model, &batch(spec, rows, time, 10), isa);
        }
        let x = batch(spec, 5, 300, 10);
        infer(model, &x);
        let run = Run::inference(oracle, spec.params, model.weights(), &x);
        compare(isa, "300 steps", model, &run.answer());
    }
}

/// A stream of each row gives the bits of the batch.
fn streamed(model: &mut dyn Streaming, x: &Data, isa: Isa) {
    // The CPU's, and other bits.
    if model.is_on_device() {
        return;
    }
    let y = infer(model, x);
    let time = x.time();
    for (row, steps) in model.steps(x).iter().enumerate() {
        for (t, step) in steps.iter().enumerate() {
            assert_eq!(step.len(), y.len(), "outputs of a step");
            for (i, (step, y)) in step.iter().zip(&y).enumerate() {
                let out = &model.spec().outputs[i];
                let width: usize = out.features.iter().product();
                record(isa.name(), &format!("stream, {}", out.name), step);
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

fn prepare(model: &mut dyn Subject, oracle: &rnn_reference::ReferenceModel) {
    let specs = model.specs();
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
fn agree(
    model: &mut dyn Subject,
    oracle: &rnn_reference::ReferenceModel,
    isa: Isa,
    sizes: &[(usize, usize)],
) {
    let spec = model.spec();
    for &(rows, time) in sizes {
        let x = batch(spec, rows, time, 2);
        let w = model.weights().to_vec();
        let y = infer(model, &x);
        let run = Run::inference(oracle, spec.params, &w, &x);
        compare(isa, "inference", model, &run.answer());
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
        model.start();
        model.forward(&x.views(), SEED).unwrap();
        let run = Run::training(oracle, spec.params, &w, &x, isa);
        compare(isa, "training", model, &run.answer());
        // Training has moved the moving statistics.
        model.weights_mut().copy_from_slice(&w);
    }
}

/// The outputs and masks of the last run.
fn compare(isa: Isa, what: &str, model: &dyn Subject, expected: &rnn_reference::Answer) {
    let specs = model.outputs();
    assert_eq!(specs.len(), expected.outputs.len());
    for (i, e) in expected.outputs.iter().enumerate() {
        assert_eq!(specs[i].name, e.name);
        let what = format!("{what}, {}", e.name);
        record(isa.name(), &what, model.output(i));
        let what = format!("{isa}: {what}");
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

/// Everything that a model computes is the same bits on one thread and on as many as `counts` says.
pub fn threads(model: &mut dyn Subject, x: &Data, counts: &[usize]) {
    if model.is_on_device() {
        return;
    }
    let isa = model.chosen_isa().name();
    let w = model.weights().to_vec();
    model.want_input_gradients();
    let mut run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let named = |what: &'static str, all: Vec<Vec<f32>>| {
                all.into_iter().map(move |numbers| (what, numbers))
            };
            let mut all: Vec<_> = named("inference", infer(model, x)).collect();
            model.start();
            model.forward(&x.views(), SEED).unwrap();
            let y = outputs(model);
            let mut r = Random::new(14);
            let d: Vec<Vec<f32>> = y.iter().map(|y| r.floats(y.len())).collect();
            let d: Vec<&[f32]> = d.iter().map(Vec::as_slice).collect();
            let mut g = vec![0.0; w.len()];
            model.backward(&d, &mut g).unwrap();
            all.extend(named("training", y));
            all.push(("gradients", g));
            all.extend((0..x.inputs.len()).map(|i| {
                let dx = model.gradient_of_input(i);
                ("input", dx.map(<[f32]>::to_vec).unwrap_or_default())
            }));
            all.push(("moving statistics", model.weights().to_vec()));
            model.weights_mut().copy_from_slice(&w);
            all
        })
    };
    let one = run(1);
    for (what, numbers) in &one {
        record(isa, &format!("threads, {what}"), numbers);
    }
    for &n in counts {
        for ((what, a), (_, b)) in one.iter().zip(&run(n)) {
            same_bits(&format!("{what}, {n} threads, {} rows", x.batch()), a, b);
        }
    }
}

/// The plan without the names of the layers: what stands before the colon of each title.
fn decisions(model: &dyn Subject) -> String {
    let lines = model.spec().plan.lines();
    let lines = lines.map(|line| match line.starts_with(' ') {
        true => line,
        false => line.split_once(": ").map_or(line, |(_, what)| what),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// [`same`], and more: the compiler decided the same, and streams give the same bits.
pub fn same_program(a: &mut dyn Streaming, b: &mut dyn Streaming) {
    assert_eq!(decisions(a), decisions(b));
    let plan = a.spec().plan;
    assert!(plan.contains("at every step"), "{plan}");
    same(a, b);
    let x = batch(a.spec(), 5, 8, 10);
    for &isa in isas(a) {
        a.use_isa(isa);
        b.use_isa(isa);
        let bits = |m: &dyn Streaming| m.steps(&x).concat().concat().concat();
        let (one, two) = (bits(a), bits(b));
        assert!(one.iter().any(|&y| y != 0.0));
        same_bits(&format!("{isa}: stream"), &one, &two);
    }
}

/// Two models with parameters of the same shapes compute the same bits.
pub fn same(a: &mut dyn Subject, b: &mut dyn Subject) {
    let shapes = |m: &dyn Subject| -> Vec<Vec<usize>> {
        m.specs().iter().map(|s| s.shape.to_vec()).collect()
    };
    assert_eq!(shapes(a), shapes(b));
    let w = weights(a.specs(), 7);
    let x = batch(a.spec(), 5, 8, 8);
    for &isa in isas(a) {
        let run = |m: &mut dyn Subject| {
            m.use_isa(isa);
            m.weights_mut().copy_from_slice(&w);
            let y = infer(m, &x).concat();
            m.start();
            m.forward(&x.views(), SEED).unwrap();
            let trained = outputs(m);
            let mut r = Random::new(9);
            let d: Vec<Vec<f32>> = trained.iter().map(|y| r.floats(y.len())).collect();
            let d: Vec<&[f32]> = d.iter().map(Vec::as_slice).collect();
            let mut g = vec![0.0; w.len()];
            m.backward(&d, &mut g).unwrap();
            (y, trained.concat(), g)
        };
        let (one, two) = (run(a), run(b));
        record(isa.name(), "same, inference", &one.0);
        record(isa.name(), "same, training", &one.1);
        record(isa.name(), "same, gradients", &one.2);
        same_bits(&format!("{isa}: inference"), &one.0, &two.0);
        same_bits(&format!("{isa}: training"), &one.1, &two.1);
        same_bits(&format!("{isa}: gradients"), &one.2, &two.2);
    }
}
