//! Arguments: names, places, types, ranges.
use recurrent::rnn_model;

fn main() {
    // Names and places.
    rnn_model!(Input(_, 8) -> LSTM());
    rnn_model!(Embedding(1000) -> LSTM(8));
    rnn_model!(Input(_, 8) -> LSTM(unit = 8));
    rnn_model!(Input(_, 8) -> LSTM(8, size = 8));
    rnn_model!(Input(_, 8) -> LSTM(8, units = 9));
    rnn_model!(Input(_, 8) -> LSTM(units = 8, relu));
    rnn_model!(Input(_, 8) -> LSTM(8, dropout = 0.2));
    rnn_model!(Input(_, 8) -> LSTM(8, return_state, kernel_regularizer = l2(0.1)));
    rnn_model!(Input(_, 8) -> LSTM(8, use_cudnn = true));
    rnn_model!(Input(8) -> Dense(8, input_shape = 8));
    rnn_model!(Input(8) -> Dropout(0.5, seed = 1));
    rnn_model!(Input(8) -> Dense(8, activation));
    rnn_model!(Input(8) -> Activation(relu, tanh));
    rnn_model!(Input(28, 28, 3) -> LSTM(8));
    rnn_model!(Input((28, 28)) -> LSTM(8));
    rnn_model!(Input(shape = (28, 28)) -> LSTM(8));
    rnn_model!(Input(shape = 28) -> Dense(8));
    rnn_model!(Input(_, 8) -> LSTM(8, use_bias: false));
    rnn_model!(Input(_, 8) -> LSTM(2 * 8));
    rnn_model!(Input(_, 8) -> LSTM(8 return_sequences));

    // Types.
    rnn_model!(Input(_, 8) -> LSTM(8.5));
    rnn_model!(Input(_, 8) -> LSTM(-8));
    rnn_model!(Input(_, 8) -> LSTM("8"));
    rnn_model!(Input(_, 8) -> LSTM(units));
    rnn_model!(Input(_, 8) -> LSTM(hidden));
    rnn_model!(Input(_, 8) -> LSTM(_));
    rnn_model!(Input(_, 8) -> LSTM(8u8));
    rnn_model!(Input(_, 8) -> LSTM(8, return_sequences = 1));
    rnn_model!(Input(_, 8) -> LSTM(8, return_sequences = True));
    rnn_model!(Input(8) -> Dense(8, activation = None));
    rnn_model!(Input(8) -> Dense(8, activation = "rellu"));
    rnn_model!(Input(8) -> Dense(8, activation = 3));
    rnn_model!(Input(8) -> Dense(8, rellu));
    rnn_model!(Input(_, 8) -> LSTM(8, return_sequence));
    rnn_model!(Input(8) -> Dense(8, activation = quick));
    rnn_model!(Input(8) -> Dense(8, activation = relu(6)));
    rnn_model!(Input(8) -> Dense(8, activation = leaky_relu(0.1, 0.2)));
    rnn_model!(Input(8) -> Dense(8, activation = leaky_relu(slope = 0.1)));
    rnn_model!(Input(8) -> Dense(8, kernel_initializer = xavier_uniform));
    rnn_model!(Input(8) -> Dense(8, kernel_initializer = glorot_unifrom));
    rnn_model!(Input(8) -> Dropout(RATE));
    rnn_model!(Input(_, 8) -> LSTM(8, bias_initializer = orthogonal));

    // Ranges.
    rnn_model!(Input(_, 8) -> LSTM(0));
    rnn_model!(Input(_, 0) -> LSTM(8));
    rnn_model!(Input(8) -> Dense(3000000000));
    rnn_model!(Input(8) -> Dense(99999999999999999999));
    rnn_model!(Input(1000000) -> Dense(1000000));
    rnn_model!(Embedding(1000000, 1000000) -> LSTM(8));
    rnn_model!(Input(100000, 100000) -> Flatten);
    rnn_model!(Input(8) -> Dropout(1.0));
    rnn_model!(Input(8) -> Dropout(20));
    rnn_model!(Input(8) -> Dropout(-0.1));
    rnn_model!(Input(8) -> BatchNormalization(epsilon = 0));

    // Names of layers.
    rnn_model!(Input(8) -> Dense(8, name = "a") -> Dense(8, name = "a"));
    rnn_model!(Input(8) -> Dense(8) -> Dense(8, name = "dense"));
    rnn_model!(Input(8) -> Dense(8, name = "a/b"));
    rnn_model!(Input(8) -> Dense(8, name = encoder));
    rnn_model!(Input(8) -> Dense(8, name = "a", name = "b"));
}
