//! Made by tests/keras/goldens.py. Do not edit.
use recurrent_test_goldens::golden;
golden!(simple_rnn_linear, "simple_rnn_linear", Input(4, 3) -> SimpleRNN(5, activation = linear, return_sequences));
golden!(simple_rnn_relu, "simple_rnn_relu", Input(4, 3) -> SimpleRNN(5, activation = relu, return_sequences));
golden!(simple_rnn_relu6, "simple_rnn_relu6", Input(4, 3) -> SimpleRNN(5, activation = relu6, return_sequences));
golden!(simple_rnn_leaky_relu, "simple_rnn_leaky_relu", Input(4, 3) -> SimpleRNN(5, activation = leaky_relu, return_sequences));
golden!(simple_rnn_elu, "simple_rnn_elu", Input(4, 3) -> SimpleRNN(5, activation = elu, return_sequences));
golden!(simple_rnn_selu, "simple_rnn_selu", Input(4, 3) -> SimpleRNN(5, activation = selu, return_sequences));
golden!(simple_rnn_gelu, "simple_rnn_gelu", Input(4, 3) -> SimpleRNN(5, activation = gelu, return_sequences));
golden!(simple_rnn_silu, "simple_rnn_silu", Input(4, 3) -> SimpleRNN(5, activation = silu, return_sequences));
golden!(simple_rnn_softplus, "simple_rnn_softplus", Input(4, 3) -> SimpleRNN(5, activation = softplus, return_sequences));
golden!(simple_rnn_softsign, "simple_rnn_softsign", Input(4, 3) -> SimpleRNN(5, activation = softsign, return_sequences));
golden!(simple_rnn_tanh, "simple_rnn_tanh", Input(4, 3) -> SimpleRNN(5, activation = tanh, return_sequences));
golden!(simple_rnn_sigmoid, "simple_rnn_sigmoid", Input(4, 3) -> SimpleRNN(5, activation = sigmoid, return_sequences));
golden!(simple_rnn_hard_sigmoid, "simple_rnn_hard_sigmoid", Input(4, 3) -> SimpleRNN(5, activation = hard_sigmoid, return_sequences));
golden!(simple_rnn_hard_tanh, "simple_rnn_hard_tanh", Input(4, 3) -> SimpleRNN(5, activation = hard_tanh, return_sequences));
golden!(simple_rnn_exponential, "simple_rnn_exponential", Input(2, 3) -> SimpleRNN(5, activation = exponential, return_sequences));
golden!(simple_rnn_softmax, "simple_rnn_softmax", Input(4, 3) -> SimpleRNN(5, activation = softmax, return_sequences));
golden!(simple_rnn_log_softmax, "simple_rnn_log_softmax", Input(4, 3) -> SimpleRNN(5, activation = log_softmax, return_sequences));
#[test]
fn every_instruction_set() {
    recurrent_test_goldens::every_instruction_set();
}
