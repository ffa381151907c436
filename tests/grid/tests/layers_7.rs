//! Made by tests/keras/layers.py. Do not edit.
#![cfg(feature = "exhaustive")]
use recurrent_test_grid::grid;
grid!(mask_zero_flatten, "layers", { input x: ids[5]; output y = x -> Embedding(9, 4, mask_zero) -> Flatten -> Dense(2); });
grid!(mask_zero_dense, "layers", { input x: ids; output y = x -> Embedding(9, 4, mask_zero) -> LSTM(4) -> Dense(2); });
grid!(mask_given_over_masking, "layers", { input x: [time, 3]; input m: mask[time]; output y = x -> Masking(0.0) -> LSTM(4, mask = m, return_sequences); });
grid!(mask_given_twice, "layers", { input x: [time, 3]; input m: mask[time]; let a = x -> LSTM(4, mask = m, return_sequences); output y = a -> GRU(3); output z = x -> GRU(3, return_sequences); });
grid!(residual, "layers", { input x: [_, 3]; let a = x -> Dense(4); let b = a -> LSTM(4, return_sequences); let c = (a, b) -> Add; let d = c -> LSTM(4, return_sequences); output y = (c, d) -> Add -> Dense(2); });
grid!(encoder_decoder_lstm, "layers", { input source: ids; input target: ids; let (_, h, c) = source -> Embedding(9, 3) -> LSTM(5, return_state); output logits = target -> Embedding(9, 4) -> LSTM(5, initial_state = [h, c]) -> Dense(3); });
grid!(encoder_decoder_gru, "layers", { input source: ids; input target: ids; let (_, h) = source -> Embedding(9, 3) -> GRU(5, return_state); output logits = target -> Embedding(9, 4) -> GRU(5, initial_state = [h]) -> Dense(3); });
grid!(encoder_decoder_masked, "layers", { input source: ids; input target: ids; let (_, h, c) = source -> Embedding(9, 3, mask_zero) -> LSTM(5, return_state); output logits = target -> Embedding(9, 4) -> LSTM(5, initial_state = [h, c]) -> Dense(3); });
grid!(states_from_dense, "layers", { input x: [_, 3]; input z: [2]; let h = z -> Dense(4, activation = tanh); output y = x -> GRU(4, initial_state = h, return_sequences); });
grid!(state_as_output, "layers", { input x: [_, 3]; let (_, h, c) = x -> LSTM(3, return_state, return_sequences); output cell = c; output sum = (h, c) -> Add -> Dense(2); });
grid!(shared_lstm, "layers", { input x: [_, 3]; input z: [_, 3]; layer shared = LSTM(4); let a = x -> shared; let b = z -> shared; output y = (a, b) -> Concatenate -> Dense(2); });
grid!(shared_embedding_and_dense, "layers", { input x: ids; input z: ids; layer words = Embedding(9, 4); layer middle = GRU(3); layer last = Dense(2); output y = x -> words -> middle -> last; output w = z -> words -> GRU(3) -> last; });
grid!(shared_batch_normalization, "layers", { input x: [4]; input z: [4]; layer norm = BatchNormalization; output y = x -> norm -> Dense(2); output w = z -> norm; });
grid!(two_outputs, "layers", { input x: [_, 3]; let a = x -> LSTM(4, return_sequences); output every = a -> Dense(2); output last = a -> GRU(3) -> Dense(1); });
grid!(copy_of_an_input, "layers", { input x: [_, 3]; output copy = x; output y = x -> GRU(3); });
#[test]
fn every_instruction_set() {
    recurrent_test_grid::every_instruction_set();
}
