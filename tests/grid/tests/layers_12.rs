//! Made by tests/keras/layers.py. Do not edit.
use recurrent_test_grid::grid;
grid!(average_pooling_mask_given, "layers", { input x: [time, 3]; input m: mask[time]; output y = x -> LSTM(4, return_sequences) -> GlobalAveragePooling1D(mask = m); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
