//! Made by tests/keras/goldens.py. Do not edit.
use recurrent_test_goldens::golden;
golden!(gru_plain_default, "gru_plain_default", Input(5, 3) -> GRU(4, reset_after = false));
golden!(gru_plain_default_any_length, "gru_plain_default", Input(_, 3) -> GRU(4, reset_after = false));
golden!(gru_plain_default_named_units, "gru_plain_default", Input(5, 3) -> GRU(reset_after = false, units = 4));
golden!(gru_plain_default_flags, "gru_plain_default", Input(5, 3) -> GRU(4, reset_after = false, return_sequences = false, go_backwards = false, use_bias));
golden!(gru_plain_default_initializers, "gru_plain_default", Input(5, 3) -> GRU(4, reset_after = false, kernel_initializer = he_normal, recurrent_initializer = glorot_uniform, bias_initializer = ones));
golden!(gru_plain_default_unrolled, "gru_plain_default", Input(5, 3) -> GRU(4, reset_after = false, unroll));
golden!(gru_plain_default_looped, "gru_plain_default", Input(5, 3) -> GRU(4, reset_after = false, unroll = false));
golden!(gru_plain_sequences, "gru_plain_sequences", Input(5, 3) -> GRU(4, reset_after = false, return_sequences));
golden!(gru_plain_sequences_unrolled, "gru_plain_sequences", Input(5, 3) -> GRU(4, reset_after = false, unroll, return_sequences));
golden!(gru_plain_backwards, "gru_plain_backwards", Input(5, 3) -> GRU(4, reset_after = false, go_backwards));
golden!(gru_plain_backwards_unrolled, "gru_plain_backwards", Input(5, 3) -> GRU(4, reset_after = false, unroll, go_backwards));
golden!(gru_plain_backwards_sequences, "gru_plain_backwards_sequences", Input(5, 3) -> GRU(4, reset_after = false, go_backwards, return_sequences));
golden!(gru_plain_backwards_sequences_unrolled, "gru_plain_backwards_sequences", Input(5, 3) -> GRU(4, reset_after = false, unroll, go_backwards, return_sequences));
golden!(gru_plain_no_bias, "gru_plain_no_bias", Input(5, 3) -> GRU(4, reset_after = false, use_bias = false));
golden!(gru_plain_no_bias_unrolled, "gru_plain_no_bias", Input(5, 3) -> GRU(4, reset_after = false, unroll, use_bias = false));
golden!(gru_plain_no_bias_sequences, "gru_plain_no_bias_sequences", Input(5, 3) -> GRU(4, reset_after = false, use_bias = false, return_sequences));
golden!(gru_plain_no_bias_sequences_unrolled, "gru_plain_no_bias_sequences", Input(5, 3) -> GRU(4, reset_after = false, unroll, use_bias = false, return_sequences));
golden!(gru_plain_1_units_1_features_7_steps_1_rows, "gru_plain_1_units_1_features_7_steps_1_rows", Input(7, 1) -> GRU(1, reset_after = false));
golden!(gru_plain_1_units_5_features_2_steps_16_rows, "gru_plain_1_units_5_features_2_steps_16_rows", Input(2, 5) -> GRU(1, reset_after = false, return_sequences));
golden!(gru_plain_7_units_9_features_7_steps_3_rows, "gru_plain_7_units_9_features_7_steps_3_rows", Input(7, 9) -> GRU(7, reset_after = false));
golden!(gru_plain_8_units_1_features_33_steps_1_rows, "gru_plain_8_units_1_features_33_steps_1_rows", Input(33, 1) -> GRU(8, reset_after = false));
golden!(gru_plain_8_units_9_features_1_steps_5_rows, "gru_plain_8_units_9_features_1_steps_5_rows", Input(1, 9) -> GRU(8, reset_after = false));
golden!(gru_plain_17_units_1_features_33_steps_3_rows, "gru_plain_17_units_1_features_33_steps_3_rows", Input(33, 1) -> GRU(17, reset_after = false, return_sequences));
golden!(gru_plain_32_units_5_features_2_steps_16_rows, "gru_plain_32_units_5_features_2_steps_16_rows", Input(2, 5) -> GRU(32, reset_after = false));
golden!(gru_plain_40_units_9_features_7_steps_5_rows, "gru_plain_40_units_9_features_7_steps_5_rows", Input(7, 9) -> GRU(40, reset_after = false));
#[test]
fn every_instruction_set() {
    recurrent_test_goldens::every_instruction_set();
}
