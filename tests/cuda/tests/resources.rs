//! What the kernels of some models take on real GPUs: the code that NVRTC makes for them uses no stack and no local
//! memory, and no more registers than `resources.txt` says. RECURRENT_BLESS=1 writes that file anew.

#[path = "support/cubin.rs"]
mod cubin;

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

use cuda::compiler::Compiler;
use recurrent::{cells::*, rnn_model};
use rnn_runtime::{
    cuda::{OPTIONS, operations, tensor_operations},
    model::{Program, cuda_sources},
    precision::Precision,
};

/// Most registers of a thread of a block of 256, so that a multiprocessor holds one block at least.
const MOST: u32 = 255;

/// A GPU: its architecture, and the bytes of shared memory that a block may have.
const GPUS: [(u32, usize); 2] = [(80, 163 * 1024), (90, 227 * 1024)];

type Sources = fn(usize, Precision) -> [String; 2];

fn sources<P: Program>(shared: usize, precision: Precision) -> [String; 2] {
    cuda_sources::<P>(shared, precision).unwrap_or_else(|e| panic!("{e}"))
}

/// Models that are compiled for other precisions, too.
const PRECISIONS: [(&str, Precision); 3] = [
    ("Lstm128", Precision::Tf32),
    ("NormalisedCell64", Precision::Bf16),
    ("Masked", Precision::F16),
];

/// Models by name.
macro_rules! models {
    ($($name:ident: $model:tt;)*) => {
        $(models!(@one $name $model);)*
        const MODELS: &[(&str, Sources)] = &[$((stringify!($name), sources::<$name>)),*];
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
    Dropped: { Input(_, 32) -> GRU(32, dropout = 0.1, recurrent_dropout = 0.1) };
    NormalisedCell64: { Input(_, 32) -> RNN(LayerNormLstm(64)) };
    Liquid32: { Input(_, 8) -> RNN(LiquidTimeConstant(32)) };
}

/// Registers of each kernel on each GPU, by the kernel's name.
fn measure(compiler: &Compiler) -> BTreeMap<String, [u32; 2]> {
    let mut all: BTreeMap<String, [u32; 2]> = BTreeMap::new();
    for (gpu, (architecture, shared)) in GPUS.into_iter().enumerate() {
        let mut texts = vec![
            ("operations".to_owned(), operations()),
            ("tensor operations".to_owned(), tensor_operations()),
        ];
        for (name, sources) in MODELS {
            let [inference, training] = sources(shared, Precision::Float32);
            texts.push((format!("{name} inference"), inference));
            texts.push((format!("{name} training"), training));
            for (_, precision) in PRECISIONS.iter().filter(|(model, _)| model == name) {
                let [inference, training] = sources(shared, *precision);
                texts.push((format!("{name} {precision} inference"), inference));
                texts.push((format!("{name} {precision} training"), training));
            }
        }
        let option = format!("--gpu-architecture=sm_{architecture}");
        for (program, text) in texts {
            let options = [&OPTIONS[..], &[&option]].concat();
            let code = compiler.cubin(&text, &options);
            let code = code.unwrap_or_else(|e| panic!("{program}: {e}"));
            for kernel in cubin::kernels(&code) {
                if kernel.name.starts_with('$') {
                    continue;
                }
                let name = format!("{program} {}", kernel.name);
                assert_eq!(kernel.stack, 0, "{name} takes stack on sm_{architecture}");
                assert!(kernel.registers <= MOST, "{name}: {}", kernel.registers);
                all.entry(name).or_default()[gpu] = kernel.registers;
            }
        }
    }
    all
}

fn table(all: &BTreeMap<String, [u32; 2]>) -> String {
    let mut text =
        "# Registers of a thread on sm_80 and sm_90, by program and kernel: tests/resources.rs\n"
            .to_owned();
    for (name, [ampere, hopper]) in all {
        let _ = writeln!(text, "{ampere:4} {hopper:4} {name}");
    }
    text
}

/// Also those of kernels that only one of the GPUs has: the other has them as one persistent kernel.
#[test]
fn kernels_take_no_stack_and_no_more_registers_than_before() {
    let compiler = match Compiler::load() {
        Ok(compiler) => compiler,
        Err(reason) => {
            skip::skipped("the registers of kernels", &reason.to_string());
            return;
        }
    };
    let found = measure(&compiler);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/resources.txt");
    if env::var_os("RECURRENT_BLESS").is_some_and(|v| v == "1") {
        fs::write(&path, table(&found)).unwrap_or_else(|e| panic!("{e}"));
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    let mut seen = 0;
    for line in known.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let numbers: Vec<u32> = words
            .by_ref()
            .take(2)
            .filter_map(|n| n.parse().ok())
            .collect();
        let name: Vec<&str> = words.collect();
        let name = name.join(" ");
        let Some(now) = found.get(&name) else {
            panic!("{name} is gone: RECURRENT_BLESS=1 writes the table anew");
        };
        seen += 1;
        for (now, before) in now.iter().zip(numbers) {
            // More than one in twenty.
            assert!(
                f64::from(*now) <= 1.05 * f64::from(before),
                "{name} takes {now} registers, it took {before}"
            );
        }
    }
    assert_eq!(
        seen,
        found.len(),
        "new kernels: RECURRENT_BLESS=1 writes the table anew"
    );
}

#[path = "../../support/skip.rs"]
mod skip;
