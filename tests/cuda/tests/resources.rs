//! What the kernels of some models take on real GPUs: the code that NVRTC makes for them uses no stack and no local
//! memory, and no more registers and instructions than `resources.txt` says; and on the stand-in they execute no more
//! instructions a step than `steps.txt` says. RECURRENT_BLESS=1 writes these files anew.

#[path = "support/cubin.rs"]
mod cubin;
#[path = "support/sass.rs"]
mod sass;
#[path = "support/table.rs"]
mod table;

use std::{
    env,
    num::NonZero,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use cuda::compiler::Compiler;
use recurrent::{
    cells::*,
    learner::{InputView, StepSeed, Values},
    prelude::*,
    rnn_model,
};
use recurrent_test_cuda::{device, executed, numbers};
use rnn_runtime::{
    cuda::{OPTIONS, operations},
    model::{Program, cuda_sources},
    precision::Precision,
};
use table::Table;

/// Most registers of a thread. A multiprocessor has 256 for each of 256 threads; a kernel that comes near them is about to
/// spill, with the next NVRTC if not with this one.
const MOST: u32 = 192;

/// A GPU: its architecture, and the bytes of shared memory that a block may have.
const GPUS: [(u32, usize); 2] = [(80, 163 * 1024), (90, 227 * 1024)];

/// Of inference and of training, the texts that are compiled one by one.
type Sources = fn(usize, Precision) -> [Vec<String>; 2];

fn sources<P: Program>(shared: usize, precision: Precision) -> [Vec<String>; 2] {
    cuda_sources::<P>(shared, precision).unwrap_or_else(|e| panic!("{e}"))
}

/// Models that are compiled for other precisions, too.
const PRECISIONS: [(&str, Precision); 5] = [
    ("Both32", Precision::Tf32),
    ("Gru64", Precision::Bf16),
    ("Lstm128", Precision::Tf32),
    ("NormalisedCell64", Precision::Bf16),
    ("Masked", Precision::F16),
];

/// A model: its name, its kernels, and what they execute in a step of inference and of training.
type Entry = (&'static str, Sources, fn(&Device) -> Option<[u32; 2]>);

macro_rules! models {
    ($($name:ident: $model:tt;)*) => {
        $(models!(@one $name $model);)*
        const MODELS: &[Entry] = &[$((
            stringify!($name),
            sources::<$name>,
            |device| executed_a_step($name::with_seed(1), device),
        )),*];
    };
    (@one $name:ident { $($model:tt)* }) => { rnn_model! { struct $name = $($model)*; } };
}
models! {
    Dense64: { Input(64) -> Dense(64, relu) -> Dense(10, softmax) };
    Normalised: { Input(_, 32) -> LayerNormalization -> LSTM(32) -> BatchNormalization -> Dense(4) };
    Simple64: { Input(_, 32) -> SimpleRNN(64) };
    Gru64: { Input(_, 32) -> GRU(64) };
    Gru256: { Input(_, 32) -> GRU(256) };
    Lstm32: { Input(_, 32) -> LSTM(32) };
    Lstm64: { Input(_, 32) -> LSTM(64, return_sequences) };
    Lstm128: { Input(_, 32) -> LSTM(128) };
    Lstm256: { Input(_, 32) -> LSTM(256) };
    Masked: { Embedding(100, 16, mask_zero) -> Bidirectional(LSTM(32)) -> Dense(2) };
    Both32: { Input(_, 32) -> Bidirectional(GRU(32)) };
    Dropped: { Input(_, 32) -> GRU(32, dropout = 0.1, recurrent_dropout = 0.1) };
    NormalisedCell64: { Input(_, 32) -> RNN(LayerNormLstm(64)) };
    Liquid32: { Input(_, 8) -> RNN(LiquidTimeConstant(32)) };
}

/// A text to be compiled: the program that it is of, and the number of its GPU.
struct Task {
    program: String,
    text: String,
    gpu: usize,
}

/// Whether every model is compiled for every GPU: `cargo xtask check slow`, and RECURRENT_BLESS=1. Else each is for one of them,
/// the next one for the other: NVRTC takes most of the time of these tests.
fn all_gpus() -> bool {
    ["RECURRENT_TEST_ALL", "RECURRENT_BLESS"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|v| v == "1"))
}

/// Whether a program is compiled for this GPU. A program's first word is its model.
fn is_compiled(program: &str, gpu: usize) -> bool {
    let model = program.split(' ').next().unwrap_or_default();
    let number = MODELS.iter().position(|(name, ..)| *name == model);
    all_gpus() || number.unwrap_or(1) % GPUS.len() == gpu
}

/// All that is compiled, what takes long first.
fn tasks() -> Vec<Task> {
    let mut tasks = Vec::new();
    for (gpu, (_, shared)) in GPUS.into_iter().enumerate() {
        let mut add = |program: &str, texts: Vec<String>| {
            if !is_compiled(program, gpu) {
                return;
            }
            tasks.extend(texts.into_iter().map(|text| Task {
                program: program.to_owned(),
                text,
                gpu,
            }));
        };
        add("operations", operations().into());
        for (name, sources, _) in MODELS {
            let [inference, training] = sources(shared, Precision::Float32);
            add(&format!("{name} inference"), inference);
            add(&format!("{name} training"), training);
            for (_, precision) in PRECISIONS.iter().filter(|(model, _)| model == name) {
                let [inference, training] = sources(shared, *precision);
                add(&format!("{name} {precision} inference"), inference);
                add(&format!("{name} {precision} training"), training);
            }
        }
    }
    tasks.sort_by_key(|task| std::cmp::Reverse(task.text.len()));
    tasks
}

/// Numbers of a kernel on a GPU.
const COUNTED: usize = 5;

/// The file with these numbers.
const FILE: &str = "resources.txt";

/// What the kernels of a text take: their names, and a number for each of [`COLUMNS`].
fn measure_one(compiler: &Compiler, task: &Task) -> Vec<(String, [u32; COUNTED])> {
    let (program, architecture) = (&task.program, GPUS[task.gpu].0);
    let option = format!("--gpu-architecture=sm_{architecture}");
    let options = [&OPTIONS[..], &[&option]].concat();
    let code = compiler.cubin(&task.text, &options);
    let code = code.unwrap_or_else(|e| panic!("{program}: {e}"));
    let kernels = cubin::kernels(&code).into_iter();
    let kernels = kernels.filter(|kernel| !kernel.name.starts_with('$'));
    let measured = kernels.map(|kernel| {
        let name = format!("{program} {}", kernel.name);
        assert_eq!(kernel.stack, 0, "{name} takes stack on sm_{architecture}");
        assert!(kernel.registers <= MOST, "{name}: {}", kernel.registers);
        let slots = sass::slots(&kernel.code, &kernel.jumps, architecture);
        let takes_steps = ["persistent", "single"]
            .iter()
            .any(|start| kernel.name.starts_with(start));
        assert!(
            slots.stepped > 0 || !takes_steps,
            "{name}: no barrier in its loop over the steps"
        );
        let numbers = [
            kernel.registers,
            slots.all as u32,
            slots.looped as u32,
            slots.innermost as u32,
            slots.stepped as u32,
        ];
        (name, numbers)
    });
    measured.collect()
}

/// A row before it is known: zeros, on a GPU that the model is not compiled for nothing.
fn row(name: &str) -> Vec<u32> {
    let column = |i: usize| match is_compiled(name, i % GPUS.len()) {
        true => 0,
        false => table::UNSEEN,
    };
    (0..COUNTED * GPUS.len()).map(column).collect()
}

/// For each kernel, by its name: what it takes on each GPU, column after column of [`COLUMNS`]; zeros on a GPU that runs another
/// kernel instead.
fn measure(compiler: &Compiler) -> Table {
    let (tasks, next) = (tasks(), AtomicUsize::new(0));
    let work = || {
        let mut found = Vec::new();
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push((task.gpu, measure_one(compiler, task)));
        }
        found
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let found: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let found = threads.into_iter().flat_map(|thread| {
            let found = thread.join();
            found.unwrap_or_else(|panic| resume_unwind(panic))
        });
        found.collect()
    });
    // A kernel of one GPU alone has a row as well: nothing tells which, if its model is not compiled for that one.
    let mut all = Table::new();
    for (name, numbers) in table::known(FILE) {
        let other =
            |(column, n): (usize, &u32)| *n == 0 || !is_compiled(&name, column % GPUS.len());
        if !all_gpus() && numbers.iter().enumerate().all(other) {
            all.insert(name.clone(), row(&name));
        }
    }
    for (gpu, kernels) in found {
        for (name, numbers) in kernels {
            let row = all.entry(name.clone()).or_insert_with(|| row(&name));
            for (column, number) in numbers.into_iter().enumerate() {
                row[column * GPUS.len() + gpu] = number;
            }
        }
    }
    all
}

/// Rows of a batch whose instructions are counted: one block of a persistent kernel.
const ROWS: usize = 4;

/// Instructions that warps execute for a step more; `None` if the model has no steps. Inference comes first, then training, forward
/// and backward.
fn executed_a_step<M: Model + Learner>(model: M, device: &Device) -> Option<[u32; 2]> {
    let input = model.inputs()[0];
    let Some(None) = input.time else {
        return None;
    };
    let mut model = model.to(device).unwrap_or_else(|e| panic!("{e}"));
    let width: usize = input.features.iter().product();
    let mut run = |steps: usize, training: bool| -> Result<u64, Error> {
        let floats = numbers(ROWS * steps * width, 7);
        let ids: Vec<u32> = (0..ROWS * steps).map(|i| 1 + i as u32 % 9).collect();
        let values = match input.ids {
            true => Values::Ids(&ids),
            false => Values::Floats(&floats),
        };
        let inputs = [InputView {
            batch: ROWS,
            time: steps,
            values,
        }];
        let before = executed().unwrap_or(0);
        if training {
            model.forward(&inputs, StepSeed { seed: 1, step: 1 })?;
            let ones = vec![1.0; model.output(0).len()];
            let mut gradients = vec![0.0; Learner::weights(&model).len()];
            model.backward(&[&ones], &mut gradients)?;
        } else {
            model.infer(&inputs)?;
        }
        // What is still waiting runs now.
        let _ = model.output(0).len();
        device.synchronize()?;
        Ok(executed().unwrap_or(0) - before)
    };
    let mut difference = |training| {
        // The first one packs weights.
        run(3, training)?;
        let [short, long] = [run(3, training)?, run(9, training)?];
        Ok::<u32, Error>((long.saturating_sub(short) / 6) as u32)
    };
    let both = difference(false).and_then(|inference| Ok([inference, difference(true)?]));
    Some(both.unwrap_or_else(|e| panic!("{e}")))
}

const COLUMNS: &str = "\
What kernels take on sm_80 and sm_90, by program and kernel: tests/resources.rs. Two columns each, of sm_80 and of sm_90:
registers of a thread; instructions (issue slots of a warp that comes to each of them once); those in loops; those in
innermost loops; those in loops that wait at barriers, which of a persistent kernel is the loop over the steps. How often
a loop is repeated is not in these numbers: steps.txt counts what is executed.";

/// Also those of kernels that only one of the GPUs has: the other has them as one persistent kernel.
#[test]
fn kernels_take_no_stack_and_no_more_registers_and_instructions_than_before() {
    let compiler = match Compiler::load() {
        Ok(compiler) => compiler,
        Err(reason) => {
            skip::skipped("registers and instructions of kernels", &reason.to_string());
            return;
        }
    };
    // Some instructions more are nothing, and more than a twentieth of a small kernel.
    let slack = [0, 0, 4, 4, 4, 4, 4, 4, 4, 4];
    table::compare(FILE, COLUMNS, &measure(&compiler), &slack);
}

const STEPS: &str = "\
Instructions of PTX that all warps of all kernels together execute for a step more of a batch of 4 rows, counted by the
stand-in for a GPU of sm_90: in inference; in training, forward and backward. PTX is what a GPU's instructions are made from, so these
numbers tell which way is shorter, not how long it takes: tests/resources.rs.";

#[test]
fn a_step_executes_no_more_instructions_than_before() {
    let Some(device) = device() else { return };
    if executed().is_none() {
        skip::skipped(
            "instructions that are executed",
            "only the stand-in counts them",
        );
        return;
    }
    let mut found = Table::new();
    for (name, _, count) in MODELS {
        if let Some(numbers) = count(&device) {
            found.insert((*name).to_owned(), numbers.to_vec());
        }
    }
    table::compare("steps.txt", STEPS, &found, &[4, 4]);
}

#[path = "../../support/skip.rs"]
mod skip;
