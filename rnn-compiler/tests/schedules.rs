//! The schedules of small models: every instruction, buffer and kernel, as text to read.
//!
//! After a change of the scheduling, `INSTA_UPDATE=always cargo test -p rnn-compiler --test schedules`
//! rewrites the snapshots: read the difference before committing it.

use rnn_compiler::{diagnostics::Diagnostics, emit, layers, passes, schedule, syntax::ModelAst};

fn listing(model: &str) -> String {
    let tokens = format!("@krate(recurrent) {model}").parse().unwrap();
    let mut found = Diagnostics::new();
    let ast = ModelAst::parse(tokens, &layers::classes(), &mut found);
    let graph = passes::run(&ast, &mut found);
    let found = found.take();
    let messages: Vec<String> = found.iter().map(|d| d.text()).collect();
    assert!(messages.is_empty(), "{messages:#?}");
    let plan = schedule::plan(graph.unwrap(), &emit::CPU).unwrap();
    format!("{model}\n\n{}\n{}", plan.text, schedule::listing(&plan))
}

macro_rules! schedules {
    ($($name:ident: $model:literal;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(listing($model));
        }
    )*};
}

schedules! {
    a_recurrent_layer_and_a_dense_one: "Input(_, 3) -> LSTM(4) -> Dense(2, softmax)";
    a_mask_and_the_last_valid_step: "Embedding(9, 3, mask_zero) -> GRU(4)";
    directions_at_once: "Input(_, 3) -> Bidirectional(LSTM(4, return_sequences)) -> Dense(2)";
    what_only_training_does: "Input(_, 3) -> Dropout(0.5) -> BatchNormalization -> SpatialDropout1D(0.25) -> GaussianNoise(0.1) -> SimpleRNN(4, dropout = 0.2, activity_regularizer = l2(0.1), return_sequences)";
    states_that_go_on: "Input(_, 3) -> LSTM(4, stateful, return_sequences)";
    other_shapes: "Input(4, 3) -> Permute(2, 1) -> LSTM(4, go_backwards, return_sequences) -> Flatten -> RepeatVector(2) -> GRU(3)";
    an_encoder_and_a_decoder: "input x: [_, 3]; input y: [_, 2]; let (_, h) = x -> GRU(4, return_state); output z = y -> GRU(4, initial_state = h, return_sequences);";
    frozen_in_front_of_trained: "Input(_, 3) -> Dense(4, trainable = false) -> Masking -> LSTM(4, return_sequences) -> Dense(1)";
}
