//! Every layer with every option that changes what it computes.

use recurrent_test_modes::check;

check! {
    simple_rnn: stream { Input(_, 3) -> SimpleRNN(5) }
    simple_rnn_all_steps: stream { Input(_, 3) -> SimpleRNN(4, relu, use_bias = false, return_sequences) }
    lstm: stream { Input(_, 3) -> LSTM(5) -> Dense(2) }
    lstm_other_activations: stream { Input(4, 3) -> LSTM(3, activation = softsign, recurrent_activation = hard_sigmoid, use_bias = false, return_sequences) }
    gru: stream { Input(_, 3) -> GRU(5) -> Dense(2) }
    gru_reset_before: stream { Input(_, 3) -> GRU(4, reset_after = false, return_sequences) }
    gru_reset_before_without_bias: stream { Input(_, 2) -> GRU(3, reset_after = false, use_bias = false) }
    gru_without_bias: stream { Input(_, 2) -> GRU(3, use_bias = false, activation = gelu) }
    gru_softmax: stream { Input(_, 2) -> GRU(5, activation = softmax, return_sequences) }
    log_softmax: stream { Input(_, 2) -> GRU(5, activation = log_softmax, return_sequences) -> Dense(9, log_softmax) -> Activation(log_softmax) }
    backwards: whole { Input(_, 3) -> LSTM(4, go_backwards, return_sequences) -> GRU(3, go_backwards) }
    embedding: stream { Embedding(11, 6) -> LSTM(5) -> Dense(3) }
    embedding_backwards: whole { Input(4) -> Embedding(7, 3) -> SimpleRNN(4, go_backwards) }
    embedding_flat: whole { Input(4) -> Embedding(7, 3) -> Flatten -> Dense(3, tanh) }
    rows: stream { Input(5) -> Dense(7, elu) -> Dense(3, softmax) }
    dense_of_steps: stream { Input(_, 4) -> Dense(6, tanh) -> GRU(3, return_sequences) -> Dense(2, sigmoid) }
    batch_normalization: stream { Input(_, 3) -> LSTM(4) -> BatchNormalization -> Dense(2) }
    batch_normalization_of_steps: stream { Input(_, 3) -> GRU(4, return_sequences) -> BatchNormalization(scale = false) -> LSTM(3) -> BatchNormalization(center = false, epsilon = 0.01) }
    batch_normalization_first: stream { Input(_, 3) -> BatchNormalization -> SimpleRNN(4, return_sequences) }
    dropout_of_nothing: stream { Input(_, 3) -> LSTM(4, return_sequences) -> Dropout(0) -> Dense(2) }
    flatten: whole { Input(4, 3) -> LSTM(3, return_sequences) -> Flatten -> Dense(4, selu) -> Dense(2) }
    flatten_input: whole { Input(4, 3) -> Flatten -> Dense(4) }
    activations: stream { Input(6) -> Dense(5) -> Activation(silu) -> Dense(5) -> Activation(mish) -> Activation(softplus) -> Dense(5, leaky_relu(0.1)) -> Dense(5, log_sigmoid) -> Dense(6, exponential) -> Activation(softmax) }
    gates_of_keras_2: stream { Input(5, 3) -> LSTM(5, recurrent_activation = hard_sigmoid(0.2), return_sequences) -> GRU(3, activation = hard_sigmoid(1.5), recurrent_activation = hard_sigmoid(0.2)) -> Dense(2, hard_sigmoid(0.2)) }
    more_activations: stream { Input(6) -> Dense(9, relu6) -> Dense(9, hard_tanh) -> Dense(9, hard_silu) -> Dense(7, softsign) -> Dense(5, gelu) -> Activation(elu(0.5)) -> Dense(3, swish) }
    max_pooling: stream { Input(_, 3) -> GRU(5, return_sequences) -> GlobalMaxPooling1D -> Dense(2) }
    max_pooling_of_known_steps: stream { Input(4, 3) -> Dense(9) -> GlobalMaxPooling1D }
    max_pooling_as_a_step: whole { Input(_, 3) -> Dense(4) -> GlobalMaxPooling1D(keepdims) -> GRU(3, return_sequences) }
    average_pooling: stream { Input(_, 3) -> GRU(5, return_sequences) -> GlobalAveragePooling1D -> Dense(2) }
    average_pooling_of_known_steps: stream { Input(4, 3) -> Dense(9) -> GlobalAveragePooling1D }
    average_pooling_as_a_step: whole { Input(_, 3) -> Dense(4) -> GlobalAveragePooling1D(keepdims) -> LSTM(3, return_sequences) }
    stack: stream { Input(_, 3) -> LSTM(4, return_sequences) -> GRU(5, return_sequences) -> SimpleRNN(3, return_sequences) -> LSTM(2) -> Dense(3, softmax) }
}
