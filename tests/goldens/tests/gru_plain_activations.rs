//! Made by tests/keras/goldens.py. Do not edit.
use recurrent_test_goldens::golden;
golden!(gru_plain_tanh_hard_sigmoid, "gru_plain_tanh_hard_sigmoid", Input(4, 3) -> GRU(5, reset_after = false, activation = tanh, recurrent_activation = hard_sigmoid));
golden!(gru_plain_relu_hard_sigmoid, "gru_plain_relu_hard_sigmoid", Input(4, 3) -> GRU(5, reset_after = false, activation = relu, recurrent_activation = hard_sigmoid));
golden!(gru_plain_sigmoid_tanh, "gru_plain_sigmoid_tanh", Input(4, 3) -> GRU(5, reset_after = false, activation = sigmoid, recurrent_activation = tanh));
golden!(gru_plain_linear_relu6, "gru_plain_linear_relu6", Input(4, 3) -> GRU(5, reset_after = false, activation = linear, recurrent_activation = relu6));
golden!(gru_plain_hard_tanh_linear, "gru_plain_hard_tanh_linear", Input(4, 3) -> GRU(5, reset_after = false, activation = hard_tanh, recurrent_activation = linear));
golden!(gru_plain_elu_softsign, "gru_plain_elu_softsign", Input(4, 3) -> GRU(5, reset_after = false, activation = elu, recurrent_activation = softsign));
golden!(gru_plain_selu_hard_tanh, "gru_plain_selu_hard_tanh", Input(4, 3) -> GRU(5, reset_after = false, activation = selu, recurrent_activation = hard_tanh));
golden!(gru_plain_softplus_silu, "gru_plain_softplus_silu", Input(4, 3) -> GRU(5, reset_after = false, activation = softplus, recurrent_activation = silu));
golden!(gru_plain_gelu_elu, "gru_plain_gelu_elu", Input(4, 3) -> GRU(5, reset_after = false, activation = gelu, recurrent_activation = elu));
golden!(gru_plain_leaky_relu_gelu, "gru_plain_leaky_relu_gelu", Input(4, 3) -> GRU(5, reset_after = false, activation = leaky_relu, recurrent_activation = gelu));
golden!(gru_plain_tanh_softmax, "gru_plain_tanh_softmax", Input(4, 3) -> GRU(5, reset_after = false, activation = tanh, recurrent_activation = softmax));
golden!(gru_plain_softmax_relu, "gru_plain_softmax_relu", Input(4, 3) -> GRU(5, reset_after = false, activation = softmax, recurrent_activation = relu));
#[test]
fn every_instruction_set() {
    recurrent_test_goldens::every_instruction_set();
}
