//! Made by tests/keras/goldens.py. Do not edit.
use recurrent_test_goldens::golden;
golden!(lstm_linear, "lstm_linear", Input(4, 3) -> LSTM(5, activation = linear, return_sequences));
golden!(lstm_relu, "lstm_relu", Input(4, 3) -> LSTM(5, activation = relu, return_sequences));
golden!(lstm_relu6, "lstm_relu6", Input(4, 3) -> LSTM(5, activation = relu6, return_sequences));
golden!(lstm_leaky_relu, "lstm_leaky_relu", Input(4, 3) -> LSTM(5, activation = leaky_relu, return_sequences));
golden!(lstm_elu, "lstm_elu", Input(4, 3) -> LSTM(5, activation = elu, return_sequences));
golden!(lstm_selu, "lstm_selu", Input(4, 3) -> LSTM(5, activation = selu, return_sequences));
golden!(lstm_gelu, "lstm_gelu", Input(4, 3) -> LSTM(5, activation = gelu, return_sequences));
golden!(lstm_silu, "lstm_silu", Input(4, 3) -> LSTM(5, activation = silu, return_sequences));
golden!(lstm_softplus, "lstm_softplus", Input(4, 3) -> LSTM(5, activation = softplus, return_sequences));
golden!(lstm_softsign, "lstm_softsign", Input(4, 3) -> LSTM(5, activation = softsign, return_sequences));
golden!(lstm_tanh, "lstm_tanh", Input(4, 3) -> LSTM(5, activation = tanh, return_sequences));
golden!(lstm_sigmoid, "lstm_sigmoid", Input(4, 3) -> LSTM(5, activation = sigmoid, return_sequences));
golden!(lstm_hard_sigmoid, "lstm_hard_sigmoid", Input(4, 3) -> LSTM(5, activation = hard_sigmoid, return_sequences));
golden!(lstm_hard_tanh, "lstm_hard_tanh", Input(4, 3) -> LSTM(5, activation = hard_tanh, return_sequences));
golden!(lstm_exponential, "lstm_exponential", Input(2, 3) -> LSTM(5, activation = exponential, return_sequences));
golden!(lstm_softmax, "lstm_softmax", Input(4, 3) -> LSTM(5, activation = softmax, return_sequences));
golden!(lstm_log_softmax, "lstm_log_softmax", Input(4, 3) -> LSTM(5, activation = log_softmax, return_sequences));
golden!(lstm_tanh_hard_sigmoid, "lstm_tanh_hard_sigmoid", Input(4, 3) -> LSTM(5, activation = tanh, recurrent_activation = hard_sigmoid));
golden!(lstm_relu_hard_sigmoid, "lstm_relu_hard_sigmoid", Input(4, 3) -> LSTM(5, activation = relu, recurrent_activation = hard_sigmoid));
golden!(lstm_sigmoid_tanh, "lstm_sigmoid_tanh", Input(4, 3) -> LSTM(5, activation = sigmoid, recurrent_activation = tanh));
golden!(lstm_linear_relu6, "lstm_linear_relu6", Input(4, 3) -> LSTM(5, activation = linear, recurrent_activation = relu6));
golden!(lstm_hard_tanh_linear, "lstm_hard_tanh_linear", Input(4, 3) -> LSTM(5, activation = hard_tanh, recurrent_activation = linear));
golden!(lstm_elu_softsign, "lstm_elu_softsign", Input(4, 3) -> LSTM(5, activation = elu, recurrent_activation = softsign));
golden!(lstm_selu_hard_tanh, "lstm_selu_hard_tanh", Input(4, 3) -> LSTM(5, activation = selu, recurrent_activation = hard_tanh));
golden!(lstm_softplus_silu, "lstm_softplus_silu", Input(4, 3) -> LSTM(5, activation = softplus, recurrent_activation = silu));
golden!(lstm_gelu_elu, "lstm_gelu_elu", Input(4, 3) -> LSTM(5, activation = gelu, recurrent_activation = elu));
golden!(lstm_leaky_relu_gelu, "lstm_leaky_relu_gelu", Input(4, 3) -> LSTM(5, activation = leaky_relu, recurrent_activation = gelu));
golden!(lstm_tanh_softmax, "lstm_tanh_softmax", Input(4, 3) -> LSTM(5, activation = tanh, recurrent_activation = softmax));
golden!(lstm_softmax_relu, "lstm_softmax_relu", Input(4, 3) -> LSTM(5, activation = softmax, recurrent_activation = relu));
#[test]
fn every_instruction_set() {
    recurrent_test_goldens::every_instruction_set();
}
