//! Where and how a model runs on a device, in words.


use recurrent::{cells::*, prelude::*};
use recurrent_test_cuda::device;

/// Of a model whose recurrent weights fit into shared memory, of one whose do not, of maths without weights at a step.
#[test]
fn a_plan_says_which_kernels_run_and_why() {
    let Some(device) = device() else { return };
    let small = rnn_model!(Input(_, 8) -> Masking -> LSTM(16) -> Dense(2));
    println!("{}", small.plan_on(&device));
    let large = rnn_model!(Input(10, 8) -> GRU(256, return_sequences) -> Bidirectional(SimpleRNN(4)) -> BatchNormalization -> Dense(1));
    println!("{}", large.plan_on(&device));
    let own = rnn_model!(Input(_, 8) -> RNN(LayerNormLstm(8)));
    println!("{}", own.plan_on(&device));
    println!("{}", small.to(&device).unwrap().summary());
    println!("{}", large.to(&device).unwrap().summary());
}
