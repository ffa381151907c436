//! Made by tests/keras/goldens.py. Do not edit.
use recurrent_test_goldens::golden;
golden!(simple_rnn_default, "simple_rnn_default", Input(5, 3) -> SimpleRNN(4));
golden!(simple_rnn_default_any_length, "simple_rnn_default", Input(_, 3) -> SimpleRNN(4));
golden!(simple_rnn_default_named_units, "simple_rnn_default", Input(5, 3) -> SimpleRNN(units = 4));
golden!(simple_rnn_default_flags, "simple_rnn_default", Input(5, 3) -> SimpleRNN(4, return_sequences = false, go_backwards = false, use_bias));
golden!(simple_rnn_default_initializers, "simple_rnn_default", Input(5, 3) -> SimpleRNN(4, kernel_initializer = he_normal, recurrent_initializer = glorot_uniform, bias_initializer = ones));
golden!(simple_rnn_default_unrolled, "simple_rnn_default", Input(5, 3) -> SimpleRNN(4, unroll));
golden!(simple_rnn_default_looped, "simple_rnn_default", Input(5, 3) -> SimpleRNN(4, unroll = false));
golden!(simple_rnn_sequences, "simple_rnn_sequences", Input(5, 3) -> SimpleRNN(4, return_sequences));
golden!(simple_rnn_sequences_unrolled, "simple_rnn_sequences", Input(5, 3) -> SimpleRNN(4, unroll, return_sequences));
golden!(simple_rnn_backwards, "simple_rnn_backwards", Input(5, 3) -> SimpleRNN(4, go_backwards));
golden!(simple_rnn_backwards_unrolled, "simple_rnn_backwards", Input(5, 3) -> SimpleRNN(4, unroll, go_backwards));
golden!(simple_rnn_backwards_sequences, "simple_rnn_backwards_sequences", Input(5, 3) -> SimpleRNN(4, go_backwards, return_sequences));
golden!(simple_rnn_backwards_sequences_unrolled, "simple_rnn_backwards_sequences", Input(5, 3) -> SimpleRNN(4, unroll, go_backwards, return_sequences));
golden!(simple_rnn_no_bias, "simple_rnn_no_bias", Input(5, 3) -> SimpleRNN(4, use_bias = false));
golden!(simple_rnn_no_bias_unrolled, "simple_rnn_no_bias", Input(5, 3) -> SimpleRNN(4, unroll, use_bias = false));
golden!(simple_rnn_no_bias_sequences, "simple_rnn_no_bias_sequences", Input(5, 3) -> SimpleRNN(4, use_bias = false, return_sequences));
golden!(simple_rnn_no_bias_sequences_unrolled, "simple_rnn_no_bias_sequences", Input(5, 3) -> SimpleRNN(4, unroll, use_bias = false, return_sequences));
golden!(simple_rnn_1_units_1_features_7_steps_1_rows, "simple_rnn_1_units_1_features_7_steps_1_rows", Input(7, 1) -> SimpleRNN(1));
golden!(simple_rnn_1_units_5_features_2_steps_16_rows, "simple_rnn_1_units_5_features_2_steps_16_rows", Input(2, 5) -> SimpleRNN(1, return_sequences));
golden!(simple_rnn_7_units_9_features_7_steps_3_rows, "simple_rnn_7_units_9_features_7_steps_3_rows", Input(7, 9) -> SimpleRNN(7));
golden!(simple_rnn_8_units_1_features_33_steps_1_rows, "simple_rnn_8_units_1_features_33_steps_1_rows", Input(33, 1) -> SimpleRNN(8));
golden!(simple_rnn_8_units_9_features_1_steps_5_rows, "simple_rnn_8_units_9_features_1_steps_5_rows", Input(1, 9) -> SimpleRNN(8));
golden!(simple_rnn_17_units_1_features_33_steps_3_rows, "simple_rnn_17_units_1_features_33_steps_3_rows", Input(33, 1) -> SimpleRNN(17, return_sequences));
golden!(simple_rnn_32_units_5_features_2_steps_16_rows, "simple_rnn_32_units_5_features_2_steps_16_rows", Input(2, 5) -> SimpleRNN(32));
golden!(simple_rnn_40_units_9_features_7_steps_5_rows, "simple_rnn_40_units_9_features_7_steps_5_rows", Input(7, 9) -> SimpleRNN(40));
#[test]
fn every_instruction_set() {
    recurrent_test_goldens::every_instruction_set();
}
