//! Made by tests/keras/goldens.py. Do not edit.
use recurrent_test_goldens::golden;
golden!(lstm_default, "lstm_default", Input(5, 3) -> LSTM(4));
golden!(lstm_default_any_length, "lstm_default", Input(_, 3) -> LSTM(4));
golden!(lstm_default_named_units, "lstm_default", Input(5, 3) -> LSTM(units = 4));
golden!(lstm_default_flags, "lstm_default", Input(5, 3) -> LSTM(4, return_sequences = false, go_backwards = false, use_bias));
golden!(lstm_default_initializers, "lstm_default", Input(5, 3) -> LSTM(4, kernel_initializer = he_normal, recurrent_initializer = glorot_uniform, bias_initializer = ones));
golden!(lstm_default_unrolled, "lstm_default", Input(5, 3) -> LSTM(4, unroll));
golden!(lstm_default_looped, "lstm_default", Input(5, 3) -> LSTM(4, unroll = false));
golden!(lstm_default_no_forget_bias, "lstm_default", Input(5, 3) -> LSTM(4, unit_forget_bias = false));
golden!(lstm_sequences, "lstm_sequences", Input(5, 3) -> LSTM(4, return_sequences));
golden!(lstm_sequences_unrolled, "lstm_sequences", Input(5, 3) -> LSTM(4, unroll, return_sequences));
golden!(lstm_backwards, "lstm_backwards", Input(5, 3) -> LSTM(4, go_backwards));
golden!(lstm_backwards_unrolled, "lstm_backwards", Input(5, 3) -> LSTM(4, unroll, go_backwards));
golden!(lstm_backwards_sequences, "lstm_backwards_sequences", Input(5, 3) -> LSTM(4, go_backwards, return_sequences));
golden!(lstm_backwards_sequences_unrolled, "lstm_backwards_sequences", Input(5, 3) -> LSTM(4, unroll, go_backwards, return_sequences));
golden!(lstm_no_bias, "lstm_no_bias", Input(5, 3) -> LSTM(4, use_bias = false));
golden!(lstm_no_bias_unrolled, "lstm_no_bias", Input(5, 3) -> LSTM(4, unroll, use_bias = false));
golden!(lstm_no_bias_sequences, "lstm_no_bias_sequences", Input(5, 3) -> LSTM(4, use_bias = false, return_sequences));
golden!(lstm_no_bias_sequences_unrolled, "lstm_no_bias_sequences", Input(5, 3) -> LSTM(4, unroll, use_bias = false, return_sequences));
golden!(lstm_1_units_1_features_7_steps_1_rows, "lstm_1_units_1_features_7_steps_1_rows", Input(7, 1) -> LSTM(1));
golden!(lstm_1_units_5_features_2_steps_16_rows, "lstm_1_units_5_features_2_steps_16_rows", Input(2, 5) -> LSTM(1, return_sequences));
golden!(lstm_7_units_9_features_7_steps_3_rows, "lstm_7_units_9_features_7_steps_3_rows", Input(7, 9) -> LSTM(7));
golden!(lstm_8_units_1_features_33_steps_1_rows, "lstm_8_units_1_features_33_steps_1_rows", Input(33, 1) -> LSTM(8));
golden!(lstm_8_units_9_features_1_steps_5_rows, "lstm_8_units_9_features_1_steps_5_rows", Input(1, 9) -> LSTM(8));
golden!(lstm_17_units_1_features_33_steps_3_rows, "lstm_17_units_1_features_33_steps_3_rows", Input(33, 1) -> LSTM(17, return_sequences));
golden!(lstm_32_units_5_features_2_steps_16_rows, "lstm_32_units_5_features_2_steps_16_rows", Input(2, 5) -> LSTM(32));
golden!(lstm_40_units_9_features_7_steps_5_rows, "lstm_40_units_9_features_7_steps_5_rows", Input(7, 9) -> LSTM(40));
#[test]
fn every_instruction_set() {
    recurrent_test_goldens::every_instruction_set();
}
