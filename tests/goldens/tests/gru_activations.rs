//! Made by tests/keras/goldens.py. Do not edit.
use recurrent_test_goldens::golden;
golden!(gru_linear, "gru_linear", Input(4, 3) -> GRU(5, activation = linear, return_sequences));
golden!(gru_relu, "gru_relu", Input(4, 3) -> GRU(5, activation = relu, return_sequences));
golden!(gru_relu6, "gru_relu6", Input(4, 3) -> GRU(5, activation = relu6, return_sequences));
golden!(gru_leaky_relu, "gru_leaky_relu", Input(4, 3) -> GRU(5, activation = leaky_relu, return_sequences));
golden!(gru_elu, "gru_elu", Input(4, 3) -> GRU(5, activation = elu, return_sequences));
golden!(gru_selu, "gru_selu", Input(4, 3) -> GRU(5, activation = selu, return_sequences));
golden!(gru_gelu, "gru_gelu", Input(4, 3) -> GRU(5, activation = gelu, return_sequences));
golden!(gru_silu, "gru_silu", Input(4, 3) -> GRU(5, activation = silu, return_sequences));
golden!(gru_softplus, "gru_softplus", Input(4, 3) -> GRU(5, activation = softplus, return_sequences));
golden!(gru_softsign, "gru_softsign", Input(4, 3) -> GRU(5, activation = softsign, return_sequences));
golden!(gru_tanh, "gru_tanh", Input(4, 3) -> GRU(5, activation = tanh, return_sequences));
golden!(gru_sigmoid, "gru_sigmoid", Input(4, 3) -> GRU(5, activation = sigmoid, return_sequences));
golden!(gru_hard_sigmoid, "gru_hard_sigmoid", Input(4, 3) -> GRU(5, activation = hard_sigmoid, return_sequences));
golden!(gru_hard_tanh, "gru_hard_tanh", Input(4, 3) -> GRU(5, activation = hard_tanh, return_sequences));
golden!(gru_exponential, "gru_exponential", Input(2, 3) -> GRU(5, activation = exponential, return_sequences));
golden!(gru_softmax, "gru_softmax", Input(4, 3) -> GRU(5, activation = softmax, return_sequences));
golden!(gru_log_softmax, "gru_log_softmax", Input(4, 3) -> GRU(5, activation = log_softmax, return_sequences));
golden!(gru_tanh_hard_sigmoid, "gru_tanh_hard_sigmoid", Input(4, 3) -> GRU(5, activation = tanh, recurrent_activation = hard_sigmoid));
golden!(gru_relu_hard_sigmoid, "gru_relu_hard_sigmoid", Input(4, 3) -> GRU(5, activation = relu, recurrent_activation = hard_sigmoid));
golden!(gru_sigmoid_tanh, "gru_sigmoid_tanh", Input(4, 3) -> GRU(5, activation = sigmoid, recurrent_activation = tanh));
golden!(gru_linear_relu6, "gru_linear_relu6", Input(4, 3) -> GRU(5, activation = linear, recurrent_activation = relu6));
golden!(gru_hard_tanh_linear, "gru_hard_tanh_linear", Input(4, 3) -> GRU(5, activation = hard_tanh, recurrent_activation = linear));
golden!(gru_elu_softsign, "gru_elu_softsign", Input(4, 3) -> GRU(5, activation = elu, recurrent_activation = softsign));
golden!(gru_selu_hard_tanh, "gru_selu_hard_tanh", Input(4, 3) -> GRU(5, activation = selu, recurrent_activation = hard_tanh));
golden!(gru_softplus_silu, "gru_softplus_silu", Input(4, 3) -> GRU(5, activation = softplus, recurrent_activation = silu));
golden!(gru_gelu_elu, "gru_gelu_elu", Input(4, 3) -> GRU(5, activation = gelu, recurrent_activation = elu));
golden!(gru_leaky_relu_gelu, "gru_leaky_relu_gelu", Input(4, 3) -> GRU(5, activation = leaky_relu, recurrent_activation = gelu));
golden!(gru_tanh_softmax, "gru_tanh_softmax", Input(4, 3) -> GRU(5, activation = tanh, recurrent_activation = softmax));
golden!(gru_softmax_relu, "gru_softmax_relu", Input(4, 3) -> GRU(5, activation = softmax, recurrent_activation = relu));
#[test]
fn every_instruction_set() {
    recurrent_test_goldens::every_instruction_set();
}
