//! Keras's guide "Working with RNNs", section by section, with this crate.
//!
//! ```text
//! cargo run --release --example guide
//! cargo run --release --features cuda --example guide -- --device cuda
//! ```
//!
//! The guide is <https://keras.io/guides/working_with_rnns/> (Scott Zhu and François Chollet), best
//! read beside this file. Every section here does what the guide does there, with weights and
//! inputs on which real Keras ran, too, and compares the results (`guide/README.md` tells how they
//! were made). `keras.weights(…)` stands where a program would `load` weights or train, and
//! `keras.compare(…)` where it would use what it got.

#[allow(dead_code, reason = "the guide has few options")]
#[path = "support/arguments.rs"]
mod arguments;
#[path = "support/keras.rs"]
mod keras;
#[path = "support/nested.rs"]
mod nested;
#[path = "support/performance.rs"]
mod performance;

use std::{error::Error, process::ExitCode};

use ndarray::{Array2, Axis, Ix2, concatenate, s};
use recurrent::{learner::Learner, model::Sequence, prelude::*};

use arguments::Arguments;
use keras::{Keras, seed};

const HELP: &str = "\
Keras's guide \"Working with RNNs\", section by section, compared with Keras.

Usage: guide [options]

  --device DEVICE    cpu (default), cuda, cuda:1 and so on, or auto
  --section N        only that section, counted from 1
  --help             print this

Ends with the number of sections that match Keras; the exit code is 1 if any does not.
";

type Done = Result<(), Box<dyn Error>>;
/// Title, number in the formula of weights and inputs, file of results, what it does.
type Section = (&'static str, u32, &'static str, fn(&mut Keras) -> Done);

const SECTIONS: &[Section] = &[
    (
        "Built-in RNN layers: a simple example",
        1,
        "simple_example",
        simple_example,
    ),
    (
        "Outputs and states",
        2,
        "outputs_and_states",
        outputs_and_states,
    ),
    (
        "RNN layers and RNN cells",
        3,
        "layers_and_cells",
        layers_and_cells,
    ),
    ("Cross-batch statefulness", 4, "statefulness", statefulness),
    ("RNN State Reuse", 5, "state_reuse", state_reuse),
    ("Bidirectional RNNs", 6, "bidirectional", bidirectional),
    (
        "Performance optimization and CuDNN kernels",
        7,
        "performance",
        performance::options,
    ),
    (
        "Using CuDNN kernels when available",
        8,
        "digits",
        performance::digits,
    ),
    (
        "RNNs with list/dict inputs, or nested inputs",
        9,
        "nested",
        nested::structures,
    ),
    (
        "Define a custom cell that supports nested input/output",
        9,
        "nested",
        nested::cell,
    ),
    (
        "Build a RNN model with nested input/output",
        9,
        "nested",
        nested::model,
    ),
    (
        "Train the model with randomly generated data",
        9,
        "nested",
        nested::train,
    ),
];

fn main() -> ExitCode {
    arguments::run(HELP, run)
}

fn run(mut arguments: Arguments) -> Done {
    let only = arguments.number("--section", 0)?;
    let device = arguments.device()?;
    arguments.end()?;
    let sections = match only {
        0 => SECTIONS,
        n => SECTIONS.get(n - 1..n).ok_or("there is no such section")?,
    };
    println!("# Introduction\n");
    println!("  SimpleRNN, GRU and LSTM, and cells of one's own: layers of `rnn_model!`.\n");
    println!("# Setup\n");
    println!("  use recurrent::prelude::*;\n");
    let mut matching = 0;
    for &(title, number, file, section) in sections {
        println!("# {title}\n");
        let run = || -> Result<bool, Box<dyn Error>> {
            let mut keras = Keras::read(number, file, &device)?;
            section(&mut keras)?;
            Ok(keras.verdict())
        };
        match run() {
            Ok(matches) => matching += usize::from(matches),
            Err(error) => println!("  error: {error}\n"),
        }
    }
    let all = sections.len();
    println!("{matching} of {all} sections match Keras");
    match matching == all {
        true => Ok(()),
        false => Err(format!("{} sections do not match Keras", all - matching).into()),
    }
}

/// Words become vectors of 64 numbers, an LSTM reads them, its last output becomes ten logits.
fn simple_example(keras: &mut Keras) -> Done {
    let mut model = rnn_model!(Embedding(1000, 64) -> LSTM(128) -> Dense(10)).to(keras.device())?;
    println!("{}", model.summary());

    keras.weights("model/", 0, &mut model);
    let texts = keras.ids("model/check/in.0/x", seed(0, 0), 1000, (4, 12));
    let y = model.predict(&texts)?; // [batch, 10]
    println!("  logits of the first text: {:.3}", y.row(0));
    keras.compare("model/out.0/y", &y);
    Ok(())
}

rnn_model! {
    /// Reads a text, then another one with what it has understood. Ten classes.
    pub struct EncoderDecoder {
        input source: ids;
        input target: ids;
        let (_, h, c) = source -> Embedding(1000, 64) -> LSTM(64, return_state);
        output logits = target -> Embedding(2000, 64) -> LSTM(64, initial_state = [h, c]) -> Dense(10);
    }
}

/// `return_sequences` gives the output of every step, `return_state` the states after the last
/// one, and `initial_state` begins with given ones.
fn outputs_and_states(keras: &mut Keras) -> Done {
    // The output of GRU is [batch, time, 256], that of SimpleRNN [batch, 128].
    let mut model = rnn_model!(Embedding(1000, 64) -> GRU(256, return_sequences) -> SimpleRNN(128) -> Dense(10)).to(keras.device())?;
    println!("{}", model.summary());
    keras.weights("model/", 0, &mut model);
    let texts = keras.ids("model/check/in.0/x", seed(0, 0), 1000, (4, 12));
    keras.compare("model/out.0/y", &model.predict(&texts)?);

    let mut model = EncoderDecoder::new().to(keras.device())?;
    println!("{}", model.summary());
    keras.weights("encoder_decoder/", 1, &mut model);
    let source = keras.ids(
        "encoder_decoder/check/in.0/source",
        seed(0, 0),
        1000,
        (4, 12),
    );
    let target = keras.ids(
        "encoder_decoder/check/in.0/target",
        seed(1, 0),
        2000,
        (4, 9),
    );
    // The lengths of the two need not be the same. Inputs by name:
    let logits = model.predict(EncoderDecoderInput {
        source: source.view(),
        target: target.view(),
    })?;
    keras.compare("encoder_decoder/out.0/logits", &logits);
    // … or in their order:
    let again = model.predict((&source, &target))?;
    keras.expect("by name and in order the same bits", again == logits);
    Ok(())
}

/// A layer is a loop around a cell: `RNN(LSTMCell(10))` is `LSTM(10)`.
fn layers_and_cells(keras: &mut Keras) -> Done {
    fn pair<A, B>(keras: &mut Keras, name: &str, layer: A, cell: B) -> Done
    where
        A: Model<Input = Sequence, Output = Array2<f32>> + Learner,
        B: Model<Input = Sequence, Output = Array2<f32>> + Learner,
    {
        let (mut layer, mut cell) = (layer.to(keras.device())?, cell.to(keras.device())?);
        keras.weights(&format!("{name}/"), 0, &mut layer);
        keras.weights(&format!("{name}_cell/"), 0, &mut cell);
        let x = keras.floats(&format!("{name}/check/in.0/x"), seed(0, 0), (4, 7, 8));
        let (of_layer, of_cell) = (layer.predict(&x)?, cell.predict(&x)?);
        keras.compare(&format!("{name}/out.0/y"), &of_layer);
        keras.compare(&format!("{name}_cell/out.0/y"), &of_cell);
        keras.expect(
            &format!("{name}: layer and cell give the same bits"),
            of_layer == of_cell,
        );
        Ok(())
    }
    let lstm = rnn_model!(Input(_, 8) -> LSTM(10));
    let gru = rnn_model!(Input(_, 8) -> GRU(10));
    let simple_rnn = rnn_model!(Input(_, 8) -> SimpleRNN(10));
    pair(
        keras,
        "lstm",
        lstm,
        rnn_model!(Input(_, 8) -> RNN(LSTMCell(10))),
    )?;
    pair(
        keras,
        "gru",
        gru,
        rnn_model!(Input(_, 8) -> RNN(GRUCell(10))),
    )?;
    pair(
        keras,
        "simple_rnn",
        simple_rnn,
        rnn_model!(Input(_, 8) -> RNN(SimpleRNNCell(10))),
    )
}

/// A stateful layer goes on where the batch before ended, so that a long sequence can come in
/// parts.
fn statefulness(keras: &mut Keras) -> Done {
    let mut lstm_layer = rnn_model!(Input(_, 50) -> LSTM(64, stateful)).to(keras.device())?;
    keras.weights("model/", 0, &mut lstm_layer);
    let paragraph1 = keras.floats("model/check/in.0/x", seed(0, 0), (20, 10, 50));
    let paragraph2 = keras.floats("model/check/in.1/x", seed(0, 1), (20, 10, 50));
    let paragraph3 = keras.floats("model/check/in.2/x", seed(0, 2), (20, 10, 50));

    keras.compare("model/out.0/y", &lstm_layer.predict(&paragraph1)?);
    keras.compare("model/out.1/y", &lstm_layer.predict(&paragraph2)?);
    let parts = lstm_layer.predict(&paragraph3)?;
    keras.compare("model/out.2/y", &parts);

    // Back to zero states, as Keras's reset_states().
    lstm_layer.reset_states();
    keras.compare("model/out.3/y", &lstm_layer.predict(&paragraph1)?);
    for state in lstm_layer.states() {
        println!(
            "  {}/{}: {:?}",
            state.layer,
            state.name,
            state.value.shape()
        );
        keras.compare(&format!("model/state/{}", state.name), &state.value);
    }

    lstm_layer.reset_states();
    let paragraphs = [paragraph1.view(), paragraph2.view(), paragraph3.view()];
    let whole = lstm_layer.predict(&concatenate(Axis(1), &paragraphs)?)?;
    keras.expect(
        "three parts and one whole give the same bits",
        whole == parts,
    );
    let smaller = lstm_layer.predict(&paragraph1.slice(s![..5, .., ..]));
    if let Err(error) = &smaller {
        println!("  another batch size: {error}");
    }
    keras.expect("another batch size is an error", smaller.is_err());
    Ok(())
}

/// The states of one layer can be where another one starts.
fn state_reuse(keras: &mut Keras) -> Done {
    let mut lstm_layer = rnn_model!(Input(_, 50) -> LSTM(64, stateful)).to(keras.device())?;
    keras.weights("model/", 0, &mut lstm_layer);
    let paragraph1 = keras.floats("model/check/in.0/x", seed(0, 0), (20, 10, 50));
    let paragraph2 = keras.floats("model/check/in.1/x", seed(0, 1), (20, 10, 50));
    let paragraph3 = keras.floats("new/check/in.0/x", seed(0, 2), (20, 10, 50));
    keras.compare("model/out.0/y", &lstm_layer.predict(&paragraph1)?);
    keras.compare("model/out.1/y", &lstm_layer.predict(&paragraph2)?);

    let existing_state = lstm_layer.states();
    for state in &existing_state {
        let shape = state.value.shape();
        println!(
            "  {}/{} {shape:?} becomes the input {}",
            state.layer, state.name, state.name
        );
        keras.compare(&format!("model/state/{}", state.name), &state.value);
    }
    // States that come from outside are inputs.
    let mut new_lstm_layer = rnn_model! {
        input x: [_, 50];
        input h: [64];
        input c: [64];
        output y = x -> LSTM(64, initial_state = [h, c]);
    }
    .to(keras.device())?;
    keras.weights("new/", 1, &mut new_lstm_layer);
    let [h, c] = [0, 1].map(|i| existing_state[i].value.view().into_dimensionality::<Ix2>());
    keras.compare(
        "new/out.0/y",
        &new_lstm_layer.predict((&paragraph3, h?, c?))?,
    );
    Ok(())
}

/// A second copy of the layer reads backwards; by default their outputs stand side by side.
fn bidirectional(keras: &mut Keras) -> Done {
    let mut model = rnn_model!(
        Input(5, 10)
        -> Bidirectional(LSTM(64, return_sequences))
        -> Bidirectional(LSTM(32))
        -> Dense(10)
    )
    .to(keras.device())?;
    println!("{}", model.summary());
    keras.weights("model/", 0, &mut model);
    let x = keras.floats("model/check/in.0/x", seed(0, 0), (4, 5, 10));
    let y = model.predict(&x)?;
    println!("  logits of the first sequence: {:.3}", y.row(0));
    keras.compare("model/out.0/y", &y);
    Ok(())
}
