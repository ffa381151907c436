//! Made by tests/keras/goldens.py. Do not edit.
use recurrent_test_goldens::golden;
golden!(gru_default, "gru_default", Input(5, 3) -> GRU(4));
golden!(gru_default_any_length, "gru_default", Input(_, 3) -> GRU(4));
golden!(gru_default_named_units, "gru_default", Input(5, 3) -> GRU(units = 4));
golden!(gru_default_flags, "gru_default", Input(5, 3) -> GRU(4, return_sequences = false, go_backwards = false, use_bias));
golden!(gru_default_initializers, "gru_default", Input(5, 3) -> GRU(4, kernel_initializer = he_normal, recurrent_initializer = glorot_uniform, bias_initializer = ones));
golden!(gru_default_unrolled, "gru_default", Input(5, 3) -> GRU(4, unroll));
golden!(gru_default_looped, "gru_default", Input(5, 3) -> GRU(4, unroll = false));
golden!(gru_sequences, "gru_sequences", Input(5, 3) -> GRU(4, return_sequences));
golden!(gru_sequences_unrolled, "gru_sequences", Input(5, 3) -> GRU(4, unroll, return_sequences));
golden!(gru_backwards, "gru_backwards", Input(5, 3) -> GRU(4, go_backwards));
golden!(gru_backwards_unrolled, "gru_backwards", Input(5, 3) -> GRU(4, unroll, go_backwards));
golden!(gru_backwards_sequences, "gru_backwards_sequences", Input(5, 3) -> GRU(4, go_backwards, return_sequences));
golden!(gru_backwards_sequences_unrolled, "gru_backwards_sequences", Input(5, 3) -> GRU(4, unroll, go_backwards, return_sequences));
golden!(gru_no_bias, "gru_no_bias", Input(5, 3) -> GRU(4, use_bias = false));
golden!(gru_no_bias_unrolled, "gru_no_bias", Input(5, 3) -> GRU(4, unroll, use_bias = false));
golden!(gru_no_bias_sequences, "gru_no_bias_sequences", Input(5, 3) -> GRU(4, use_bias = false, return_sequences));
golden!(gru_no_bias_sequences_unrolled, "gru_no_bias_sequences", Input(5, 3) -> GRU(4, unroll, use_bias = false, return_sequences));
golden!(gru_1_units_1_features_7_steps_1_rows, "gru_1_units_1_features_7_steps_1_rows", Input(7, 1) -> GRU(1));
golden!(gru_1_units_5_features_2_steps_16_rows, "gru_1_units_5_features_2_steps_16_rows", Input(2, 5) -> GRU(1, return_sequences));
golden!(gru_7_units_9_features_7_steps_3_rows, "gru_7_units_9_features_7_steps_3_rows", Input(7, 9) -> GRU(7));
golden!(gru_8_units_1_features_33_steps_1_rows, "gru_8_units_1_features_33_steps_1_rows", Input(33, 1) -> GRU(8));
golden!(gru_8_units_9_features_1_steps_5_rows, "gru_8_units_9_features_1_steps_5_rows", Input(1, 9) -> GRU(8));
golden!(gru_17_units_1_features_33_steps_3_rows, "gru_17_units_1_features_33_steps_3_rows", Input(33, 1) -> GRU(17, return_sequences));
golden!(gru_32_units_5_features_2_steps_16_rows, "gru_32_units_5_features_2_steps_16_rows", Input(2, 5) -> GRU(32));
golden!(gru_40_units_9_features_7_steps_5_rows, "gru_40_units_9_features_7_steps_5_rows", Input(7, 9) -> GRU(40));
#[test]
fn every_instruction_set() {
    recurrent_test_goldens::every_instruction_set();
}
