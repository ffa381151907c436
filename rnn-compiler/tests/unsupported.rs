//! Everything that works in Keras and not here is a compile error with a code and a line of help. Other
//! tests have what works. A stream of a model that needs the whole sequence is a missing trait
//! (`tests/ui/fail_stream.rs`, RNN0300).

mod support;

use rnn_compiler::{diagnostics::explain, expand_model};
use support::{messages, proposed};

/// Models, and the code of the first message that each gives.
#[rustfmt::skip] // a table reads best with a line for each row
const UNSUPPORTED: &[(&str, &str)] = &[
    // LSTM
    ("Input(_, 8) -> LSTM(4, use_cudnn = true)", "RNN0121"),
    ("Input(_, 8) -> LSTM(4, implementation = 2)", "RNN0121"),
    ("Input(_, 8) -> LSTM(4) -> Dense(4, zero_output_for_mask)", "RNN0121"),
    ("Input(_, 8) -> LSTM(4, time_major)", "RNN0121"),
    ("Input(_, 8) -> LSTM(4, unroll)", "RNN0113"),
    ("Input(_, 8) -> LSTM(4, dropout = 1)", "RNN0129"),
    (r#"Input(_, 8) -> LSTM(4, dtype = "float64")"#, "RNN0121"),
    ("Input(_, 8) -> LSTM(4, activation = none)", "RNN0130"),
    ("Input(_, 8) -> LSTM(4, activation = None)", "RNN0043"),
    ("Input(_, 8) -> LSTM(4, activation = celu)", "RNN0130"),
    ("Input(_, 8) -> LSTM(4, activation = glu)", "RNN0130"),
    ("Input(_, 8) -> LSTM(4, bias_initializer = orthogonal)", "RNN0132"),
    ("Input(_, 8) -> LSTM(4, kernel_initializer = STFT)", "RNN0131"),
    (r#"Input(_, 8) -> LSTM(4, kernel_initializer = "stft")"#, "RNN0131"),
    ("Input(_, 8) -> LSTM(4, kernel_regularizer = l3)", "RNN0135"),
    ("Input(_, 8) -> LSTM(4, kernel_regularizer = l2(-1))", "RNN0134"),
    ("Input(_, 8) -> LSTM(4, kernel_regularizer = 0.01)", "RNN0135"),
    ("Input(_, 8) -> LSTM(4, kernel_regularizer = orthogonal_regularizer(0.01))", "RNN0135"),
    ("Input(_, 8) -> LSTM(4, kernel_constraint = max_norm(2, axis = 2))", "RNN0134"),
    ("Input(_, 8) -> LSTM(4, kernel_constraint = maxnorm)", "RNN0136"),
    ("Input(_, 8) -> LSTM(4, initial_state = s)", "RNN0150"),
    ("Input(_, 8) -> LSTM(4, mask = m)", "RNN0150"),
    ("Input(_, 8) -> LSTM(4, seed = -1)", "RNN0126"),
    ("Input(_, 8) -> LSTM(4, seed = 1.5)", "RNN0126"),
    ("Input(_, 8) -> LSTM", "RNN0122"),
    ("Input(_, 8) -> LSTM(_)", "RNN0126"),
    ("Input(_, 8) -> LSTM(units)", "RNN0126"),
    (r#"Input(_, 8) -> LSTM("4")"#, "RNN0126"),
    ("Input(_, 8) -> LSTM(-4)", "RNN0126"),
    ("Input(_, 8) -> LSTM(4.5)", "RNN0126"),
    ("Input(8) -> LSTM(4)", "RNN0107"),
    ("Input(_) -> LSTM(4)", "RNN0106"),
    ("Input(_, _) -> LSTM(4)", "RNN0126"),
    ("Input(8, _) -> LSTM(4)", "RNN0126"),
    ("Input(_, 4, 5) -> LSTM(4)", "RNN0156"),
    ("Embedding(300000, 400000) -> LSTM(4)", "RNN0110"),
    ("Input(_, { a: 3, b: 4 }) -> LSTM(4)", "RNN0115"),
    ("Input(_, { a: _ }) -> LSTM(4)", "RNN0172"),
    ("Input(_, 6) -> LSTM(3, mask_zero)", "RNN0120"),
    ("Input(_, 6) -> LSTM(3, units)", "RNN0126"),
    ("Input(_, 6) -> LSTM(3, seed = 4294967296)", "RNN0126"),
    ("Input(_, 6) -> Dropout(0.5, seed = -1)", "RNN0126"),
    ("Input(_, 6) -> LSTM(3, kernel_regularizer)", "RNN0126"),
    ("Input(_, 4, 5) -> LSTM(3)", "RNN0156"),
    ("Input(99999999, 2) -> LSTM(99999999)", "RNN0110"),
    ("Input(_, 6) -> LSTM(3, trainable = false) -> Bidirectional(GRU(3), trainable = false)", "RNN0107"),
    ("Input(_, 6) -> LSTM(4, activation = celu)", "RNN0130"),
    // Dense
    ("Input(_, 4, 5) -> Dense(4)", "RNN0156"),
    ("Input(_, 6) -> Dense(3, lora_rank = 3)", "RNN0121"),
    ("Input(_, 6) -> Dense(3, axis = 1)", "RNN0120"),
    ("Input(_, 6) -> Dense(3, quantization_config = 3)", "RNN0121"),
    ("Input(_) -> Dense(3)", "RNN0106"),
    ("Input(6) -> Dense(3) -> Embedding(3, 4)", "RNN0105"),
    ("Input(shape = 3) -> Dense(3)", "RNN0121"),
    ("Input(3, batch_size = 3) -> Dense(3)", "RNN0121"),
    ("Input(3, sparse) -> Dense(3)", "RNN0121"),
    (r#"Input(3, dtype = "int32") -> Dense(3)"#, "RNN0121"),
    // TimeDistributed
    ("Input(_, 4, 5) -> TimeDistributed(Dense(4))", "RNN0156"),
    ("Input(_, 4, 5) -> TimeDistributed(LSTM(3)) -> LSTM(3)", "RNN0107"),
    ("Input(4, 5) -> TimeDistributed(LSTM(3))", "RNN0107"),
    ("Input(4, 5) -> TimeDistributed(BatchNormalization)", "RNN0163"),
    ("Input(4, 5) -> TimeDistributed(Embedding(3, 4))", "RNN0105"),
    ("Input(4, 5) -> TimeDistributed(Add)", "RNN0157"),
    ("Input(4, 5) -> TimeDistributed(Concatenate)", "RNN0157"),
    ("Input(4, 5) -> TimeDistributed(Input(3))", "RNN0103"),
    ("Input(4, 5) -> TimeDistributed(RepeatVector(3))", "RNN0163"),
    ("Input(4, 5) -> TimeDistributed(Permute(2, 1))", "RNN0161"),
    ("Input(4, 6) -> TimeDistributed(Reshape(2, 4))", "RNN0162"),
    ("Input(4, 6) -> TimeDistributed(Masking)", "RNN0107"),
    ("Input(4, 6) -> TimeDistributed(SpatialDropout1D(0.2))", "RNN0107"),
    ("Input(4, 6) -> TimeDistributed(Bidirectional(LSTM(4)))", "RNN0107"),
    ("Input(4, 6) -> TimeDistributed(TimeDistributed(Dense(4)))", "RNN0107"),
    ("Input(4, 6) -> TimeDistributed(LSTMCell(4))", "RNN0137"),
    ("Input(4, 6) -> TimeDistributed(Foo(4))", "RNN0137"),
    ("Input(4, 6) -> TimeDistributed(4)", "RNN0137"),
    ("Input(4, 6) -> TimeDistributed", "RNN0122"),
    ("Input(4, 6) -> TimeDistributed(Dense)", "RNN0122"),
    ("Input(6) -> TimeDistributed(Dense(3))", "RNN0107"),
    ("Input(4, 6) -> TimeDistributed([Dense(3)])", "RNN0137"),
    ("Input(4, 6) -> TimeDistributed(LSTM(3))", "RNN0107"),
    ("Input(4, 5) -> TimeDistributed(dense)", "RNN0137"),
    ("Input(4, 6) -> TimeDistributed(Dense(3, activity_regularizer = l2(0.1)))", "RNN0120"),
    ("Input(4, 6) -> TimeDistributed(Dense(3, activity_regularizer = l1), activity_regularizer = l1)", "RNN0120"),
    // Bidirectional
    ("Input(_, 6) -> Bidirectional(Dense(3))", "RNN0164"),
    ("Input(_, 6) -> Bidirectional(LSTM(3, go_backwards))", "RNN0165"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), backward_layer = LSTM(3))", "RNN0165"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), backward_layer = Dense(3))", "RNN0164"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), backward_layer = LSTM(3, go_backwards, return_sequences))", "RNN0165"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), backward_layer = LSTM(3, go_backwards, return_state))", "RNN0165"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), backward_layer = LSTM(3, go_backwards, stateful))", "RNN0165"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), backward_layer = GRU(4, go_backwards), merge_mode = sum)", "RNN0166"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), merge_mode = max)", "RNN0126"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), merge_mode = None)", "RNN0043"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), merge_mode = none) -> Dense(3)", "RNN0115"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), weights = 3)", "RNN0121"),
    ("Input(_, 6) -> Bidirectional(LSTMCell(3))", "RNN0137"),
    ("Input(_, 6) -> Bidirectional(Bidirectional(LSTM(3)))", "RNN0164"),
    ("Input(_, 6) -> Bidirectional(LSTM(3), return_sequences)", "RNN0120"),
    (r#"Input(_, 6) -> Bidirectional(LSTM(3, name = "b"))"#, "RNN0112"),
    ("Input(_, 6) -> Bidirectional(LSTM(3, initial_state = s))", "RNN0150"),
    ("Input(_, 6) -> Bidirectional(LSTM(3, mask = s))", "RNN0150"),
    ("Input(6) -> Bidirectional(LSTM(3))", "RNN0107"),
    ("Input(_, 6) -> Bidirectional(LSTM(3, unroll))", "RNN0113"),
    ("Input(_, 6) -> Bidirectional(TimeDistributed(Dense(3)))", "RNN0164"),
    ("Input(_, 6) -> Bidirectional", "RNN0122"),
    ("Input(_, 4, 5) -> Bidirectional(LSTM(3))", "RNN0156"),
    // RNN
    ("Input(_, 6) -> RNN(LSTM(3))", "RNN0133"),
    ("Input(_, 6) -> RNN", "RNN0122"),
    ("Input(_, 6) -> RNN(3)", "RNN0133"),
    ("Input(_, 6) -> RNN([])", "RNN0133"),
    ("Input(_, 6) -> RNN([LSTM(3)])", "RNN0133"),
    ("Input(_, 6) -> RNN([LSTMCell(3), 4])", "RNN0133"),
    ("Input(_, 6) -> RNN(LSTMCell)", "RNN0122"),
    ("Input(_, 6) -> RNN(LSTMCell(3, return_sequences))", "RNN0120"),
    ("Input(_, 6) -> RNN(LSTMCell(3), 4)", "RNN0126"),
    ("Input(_, 6) -> RNN(LSTMCell(3), units = 4)", "RNN0120"),
    ("Input(_, 6) -> RNN(StackedRNNCells())", "RNN0133"),
    ("Input(_, 6) -> RNN(LSTMCell(3, activity_regularizer = l1))", "RNN0120"),
    (r#"Input(_, 6) -> RNN(LSTMCell(3, name = "a"))"#, "RNN0120"),
    ("Input(_, 6) -> RNN(LSTMCell(3, implementation = 1))", "RNN0121"),
    ("Input(_, 6) -> RNN(LSTMCell(3), activation = relu)", "RNN0120"),
    ("Input(_, 6) -> RNN(LSTMCell(3), seed = 3)", "RNN0120"),
    ("Input(_, 6) -> RNN(StackedRNNCells)", "RNN0133"),
    ("Input(_, 4) -> RNN([LSTMCell(2), LSTMCell(2), LSTMCell(2), LSTMCell(2), LSTMCell(2), LSTMCell(2), LSTMCell(2), LSTMCell(2)], return_state)", "RNN0177"),
    ("Input(_, 4) -> Bidirectional(RNN([LSTMCell(2), LSTMCell(2), LSTMCell(2), LSTMCell(2)], return_state), merge_mode = sum)", "RNN0177"),
    // LSTMCell
    ("Input(_, 6) -> LSTMCell(3)", "RNN0101"),
    // StackedRNNCells
    ("Input(_, 6) -> StackedRNNCells([LSTMCell(3)])", "RNN0101"),
    // ConvLSTM1D
    ("Input(_, 6) -> ConvLSTM1D(3, 3)", "RNN0100"),
    // ConvLSTM2D
    ("Input(_, 6) -> ConvLSTM2D(3, 3)", "RNN0100"),
    // ConvLSTM3D
    ("Input(_, 6) -> ConvLSTM3D(3, 3)", "RNN0100"),
    // Conv1D
    ("Input(_, 6) -> Conv1D(3, 3)", "RNN0100"),
    // Conv2D
    ("Input(_, 6) -> Conv2D(3, 3)", "RNN0100"),
    // CuDNNLSTM
    ("Input(_, 6) -> CuDNNLSTM(3)", "RNN0101"),
    // Lambda
    ("Input(_, 6) -> Lambda(3)", "RNN0100"),
    // Softmax
    ("Input(_, 6) -> Softmax", "RNN0101"),
    // GroupNormalization
    ("Input(_, 6) -> GroupNormalization(2)", "RNN0100"),
    // UnitNormalization
    ("Input(_, 6) -> UnitNormalization", "RNN0100"),
    // ActivityRegularization
    ("Input(_, 6) -> ActivityRegularization(-0.1)", "RNN0129"),
    ("Input(_, 6) -> ActivityRegularization(l2 = COST)", "RNN0126"),
    ("Input(_, 6) -> ActivityRegularization(activity_regularizer = l2(0.1))", "RNN0121"),
    ("Input(_, 6) -> ActivityRegularization(0.1, 0.1, 0.1)", "RNN0123"),
    ("Input(_) -> ActivityRegularization(0.1)", "RNN0106"),
    ("Input(4, 6) -> TimeDistributed(ActivityRegularization(0.1))", "RNN0120"),
    // Identity
    ("Input(_, 6) -> Identity", "RNN0100"),
    // EinsumDense
    ("Input(_, 6) -> EinsumDense(3)", "RNN0100"),
    // Embedding
    ("Input(_, 6) -> Embedding(3, 4)", "RNN0105"),
    ("Input(_) -> Embedding(3)", "RNN0122"),
    ("Input(_) -> Embedding(3, 4, lora_rank = 3)", "RNN0121"),
    ("Input(_) -> Embedding(3, 4, weights = 3)", "RNN0121"),
    ("Input(_) -> Embedding(3, 4, input_length = 3)", "RNN0121"),
    ("Input(_) -> Embedding(3, 4, mask_zero) -> Flatten", "RNN0108"),
    // BatchNormalization
    ("Input(_, 6) -> BatchNormalization(axis = 1)", "RNN0159"),
    ("Input(_, 6) -> BatchNormalization(momentum = 2)", "RNN0129"),
    ("Input(_, 6) -> BatchNormalization(synchronized)", "RNN0121"),
    ("Input(_, 6) -> BatchNormalization(renorm)", "RNN0121"),
    ("Input(_, 4, 5) -> BatchNormalization", "RNN0156"),
    // LayerNormalization
    ("Input(_, 6) -> LayerNormalization(axis = 1)", "RNN0159"),
    ("Input(_, 6) -> LayerNormalization(axis = [1, 2])", "RNN0126"),
    ("Input(_, 6) -> LayerNormalization(epsilon = 0)", "RNN0129"),
    ("Input(_, 4, 5) -> LayerNormalization", "RNN0156"),
    // Masking
    (r#"Input(_, 6) -> Masking(mask_value = "a")"#, "RNN0126"),
    ("Input(6) -> Masking", "RNN0107"),
    ("Input(_) -> Masking", "RNN0106"),
    ("Input(_) -> Masking -> Embedding(3, 4)", "RNN0106"),
    ("Input(_, 2, 3) -> Masking -> LSTM(3)", "RNN0156"),
    // Dropout
    ("Input(_) -> Dropout(0.2) -> Embedding(3, 4)", "RNN0106"),
    ("Input(_, 6) -> Dropout(0.3, noise_shape = 3)", "RNN0121"),
    ("Input(_, 6) -> Dropout(1)", "RNN0129"),
    ("Input(_, 6) -> Dropout(20)", "RNN0129"),
    ("Input(_, 6) -> Dropout(-1)", "RNN0129"),
    ("Input(_, 6) -> Dropout", "RNN0122"),
    (r#"Input(_, 6) -> Dropout(0.1, seed = "a")"#, "RNN0126"),
    // SpatialDropout1D
    ("Input(6) -> SpatialDropout1D(0.2)", "RNN0107"),
    ("Input(_, 6) -> SpatialDropout1D(0.2, noise_shape = 3)", "RNN0120"),
    // GaussianNoise
    ("Input(_, 6) -> GaussianNoise(-1)", "RNN0129"),
    ("Input(_, 6) -> GaussianNoise(0)", "RNN0129"),
    ("Input(_, 6) -> GaussianNoise", "RNN0122"),
    // GaussianDropout
    ("Input(_, 6) -> GaussianDropout", "RNN0122"),
    ("Input(_, 6) -> GaussianDropout(1)", "RNN0129"),
    ("Input(_, 6) -> GaussianDropout(-0.1)", "RNN0129"),
    ("Input(_, 6) -> GaussianDropout(0.2, noise_shape = 3)", "RNN0120"),
    ("Input(_) -> GaussianDropout(0.2)", "RNN0106"),
    // AlphaDropout
    ("Input(_, 6) -> AlphaDropout", "RNN0122"),
    ("Input(_, 6) -> AlphaDropout(1)", "RNN0129"),
    ("Input(_, 6) -> AlphaDropout(30)", "RNN0129"),
    ("Input(_, 6) -> AlphaDropout(0.2, noise_shape = 3)", "RNN0121"),
    ("Input(_) -> AlphaDropout(0.2)", "RNN0106"),
    // GlobalMaxPooling1D
    ("Input(6) -> GlobalMaxPooling1D", "RNN0107"),
    ("Input(_) -> GlobalMaxPooling1D", "RNN0106"),
    ("Input(_, 4, 5) -> GlobalMaxPooling1D", "RNN0156"),
    ("Input(_, 6) -> GlobalMaxPooling1D(4)", "RNN0123"),
    (r#"Input(_, 6) -> GlobalMaxPooling1D(data_format = "channels_first")"#, "RNN0121"),
    ("Input(_, 6) -> GlobalMaxPooling1D(keepdims = 1)", "RNN0126"),
    ("Input(_, 6) -> GlobalMaxPooling1D(return_sequences)", "RNN0120"),
    ("Input(_, 6) -> GlobalMaxPooling1D -> LSTM(3)", "RNN0107"),
    ("Input(4, 6) -> TimeDistributed(GlobalMaxPooling1D)", "RNN0107"),
    ("Input(_, 6) -> Bidirectional(GlobalMaxPooling1D)", "RNN0164"),
    ("Input(_, 6) -> Bidirectional(LSTM(6), backward_layer = GlobalMaxPooling1D)", "RNN0164"),
    ("Input(_, 6) -> RNN(GlobalMaxPooling1D)", "RNN0133"),
    ("input x: [5, 8]; input m: mask[4]; output y = x -> GlobalMaxPooling1D(mask = m);", "RNN0155"),
    ("input x: [5, 8]; output y = (x, x) -> GlobalMaxPooling1D;", "RNN0115"),
    // Other poolings
    ("Input(_, 6) -> MaxPooling1D(2)", "RNN0100"),
    ("Input(_, 6) -> AveragePooling1D(2)", "RNN0100"),
    ("Input(_, 6) -> AdaptiveMaxPooling1D(2)", "RNN0100"),
    ("Input(_, 6) -> GlobalMaxPool1D", "RNN0101"),
    ("Input(_, 4, 5) -> GlobalAveragePooling2D", "RNN0100"),
    // GlobalAveragePooling1D
    ("Input(6) -> GlobalAveragePooling1D", "RNN0107"),
    ("Input(_, 4, 5) -> GlobalAveragePooling1D", "RNN0156"),
    (r#"Input(_, 6) -> GlobalAveragePooling1D("channels_last")"#, "RNN0123"),
    ("Input(_, 6) -> GlobalAveragePooling1D(data_format = channels_first)", "RNN0121"),
    ("Input(_, 6) -> GlobalAveragePooling1D(stateful)", "RNN0120"),
    ("Input(_, 6) -> GlobalAveragePooling1D -> GRU(3)", "RNN0107"),
    ("Input(_, 6) -> Bidirectional(GlobalAveragePooling1D)", "RNN0164"),
    ("input x: [5, 8]; output y = x -> GlobalAveragePooling1D(mask = x);", "RNN0155"),
    // Flatten
    ("Input(_, 6) -> Flatten", "RNN0108"),
    (r#"Input(4, 6) -> Flatten(data_format = "channels_first")"#, "RNN0121"),
    ("Input(4, 6) -> Flatten(3)", "RNN0123"),
    ("Input(99999999, 99999999) -> Flatten -> Dense(3)", "RNN0110"),
    // Reshape
    ("Input(4, 6) -> Reshape((3, 8))", "RNN0042"),
    ("Input(4, 6) -> Reshape(3, 7)", "RNN0162"),
    ("Input(4, 6) -> Reshape(-1, 8)", "RNN0162"),
    ("Input(4, 6) -> Reshape(_, 8)", "RNN0126"),
    ("Input(_, 6) -> Reshape(2, 3)", "RNN0162"),
    ("Input(4, 6) -> Reshape", "RNN0122"),
    ("Input(4, 6) -> Reshape([])", "RNN0126"),
    ("Input(T, F) -> Reshape(F, 3)", "RNN0162"),
    ("Input(999999999, 4) -> Reshape(4, 999999999) -> Permute(2, 1) -> Flatten -> Dense(2)", "RNN0110"),
    // Permute
    ("Input(4, 6) -> Permute(2, 2)", "RNN0161"),
    ("Input(4, 6) -> Permute(0, 1)", "RNN0127"),
    ("Input(4, 6) -> Permute(3, 1, 2)", "RNN0161"),
    ("Input(4, 6) -> Permute", "RNN0122"),
    ("Input(_, 6) -> Permute(2, 1)", "RNN0161"),
    ("Input(6) -> Permute(2, 1)", "RNN0161"),
    ("Input(4, 2, 3) -> Permute(2, 1, 3)", "RNN0161"),
    // RepeatVector
    ("Input(_, 6) -> RepeatVector(3)", "RNN0160"),
    ("Input(6) -> RepeatVector(_)", "RNN0126"),
    ("Input(6) -> RepeatVector", "RNN0122"),
    ("Input(6) -> RepeatVector(0)", "RNN0127"),
    ("Input(999999999) -> RepeatVector(999999999) -> LSTM(3)", "RNN0110"),
    ("Input(999999999) -> RepeatVector(999999999) -> Flatten -> Dense(2)", "RNN0110"),
    // Activation
    ("Input(6) -> Activation", "RNN0122"),
    ("Input(6) -> Activation(relux)", "RNN0130"),
    (r#"Input(6) -> Activation("rellu")"#, "RNN0130"),
    ("Input(6) -> Activation(leaky_relu(0.1, 0.2))", "RNN0134"),
    ("Input(_, 4, 5) -> Activation(relu)", "RNN0156"),
    // Add
    ("Input(6) -> Add", "RNN0157"),
    ("Input(_, { a: 3, b: 4 }) -> Add -> LSTM(4)", "RNN0158"),
    // Subtract
    ("Input(6) -> Subtract", "RNN0157"),
    // Concatenate
    ("Input(6) -> Concatenate", "RNN0157"),
    ("Input(_, { a: [2, 3], b: 4 }) -> Concatenate -> LSTM(4)", "RNN0156"),
    ("Input(_, { type: 3, b: 4 }) -> Concatenate -> LSTM(2)", "RNN0047"),
    ("Input(_, { A: 3, b: 4 }) -> Concatenate -> LSTM(2)", "RNN0047"),
    // Inputs
    ("Input(6)", "RNN0104"),
    ("Input", "RNN0122"),
    ("Input()", "RNN0122"),
    ("Dense(3)", "RNN0102"),
    ("LSTM(3)", "RNN0102"),
    ("Add", "RNN0102"),
    // Input
    ("Input(3) -> Input(3)", "RNN0103"),
    ("Input(_, 8, trainable = false) -> LSTM(3)", "RNN0120"),
    ("Input(_, 8, activity_regularizer = l2(0.01)) -> LSTM(3)", "RNN0120"),
    ("Input(8, activity_regularizer = l2(0.01)) -> Dense(3)", "RNN0120"),
    // Graphs, states, masks and merges
    ("input x: [_, 8]; output y = x -> LSTM(4); output y = x -> GRU(4);", "RNN0173"),
    ("input x: [_, 8]; input x: [_, 8]; output y = x -> LSTM(4);", "RNN0173"),
    ("input x: [_, 8]; let y = x -> LSTM(4); output z = x -> GRU(4);", "RNN0170"),
    ("input x: [_, 8]; let (y, state) = x -> LSTM(4, return_state); output z = x -> Dense(3);", "RNN0170"),
    ("input x: [_, 8]; let (y, h) = x -> LSTM(4, return_state); output z = h;", "RNN0167"),
    ("input x: [_, 8]; let y = x -> LSTM(4, return_state); output z = y;", "RNN0167"),
    ("input x: [_, 8]; let (y, h) = x -> LSTM(4); output z = y;", "RNN0167"),
    ("input x: [_, 8]; let (y, a, b, c, d) = x -> LSTM(4, return_state); output z = y;", "RNN0167"),
    ("input x: [_, 8]; output z = x -> LSTM(4, return_state);", "RNN0167"),
    ("input x: [_, 8]; let (_, s) = x -> LSTM(4, return_state); output z = x -> GRU(4, initial_state = s);", "RNN0152"),
    ("input x: [_, 8]; let (_, s) = x -> LSTM(4, return_state); output z = x -> LSTM(5, initial_state = s);", "RNN0154"),
    ("input x: [_, 8]; let (_, s) = x -> GRU(4, return_state); output z = x -> LSTM(4, initial_state = s);", "RNN0152"),
    ("input x: [_, 8]; let (_, s) = x -> GRU(4, return_state); output z = x -> LSTM(4, initial_state = [s, s], stateful);", "RNN0153"),
    ("input x: [_, 8]; let s = x -> GRU(4, return_sequences); output z = x -> GRU(4, initial_state = s);", "RNN0154"),
    ("input x: [_, 8]; output z = x -> GRU(4, initial_state = x);", "RNN0154"),
    ("input x: [_, 8]; output z = x -> GRU(4, initial_state = 3);", "RNN0150"),
    ("input x: [_, 8]; input s: ids[4]; output z = x -> GRU(4, initial_state = s);", "RNN0154"),
    ("input x: [_, 8]; input s: mask[4]; output z = x -> GRU(4, initial_state = s);", "RNN0154"),
    ("input x: [_, 8]; input s: [2, 2]; output z = x -> GRU(4, initial_state = s);", "RNN0154"),
    // A call of a shared layer
    ("input x: [_, 8]; input s: [4]; layer l = GRU(4); output z = x -> l(4);", "RNN0178"),
    ("input x: [_, 8]; input s: [4]; layer l = GRU(4); output z = x -> l(initial_state = s, return_sequences);", "RNN0178"),
    ("input x: [_, 8]; input s: [4]; layer l = GRU(4); output z = x -> l(trainable = false);", "RNN0178"),
    ("input x: [_, 8]; layer l = GRU(4); output z = x -> l(training = true);", "RNN0178"),
    ("input x: [_, 8]; layer l = GRU(4); output z = x -> l(mask);", "RNN0178"),
    ("input x: [_, 8]; input s: [4]; layer l = GRU(4, initial_state = s); output z = x -> l(initial_state = s);", "RNN0124"),
    ("input x: [_, 8]; input s: [4]; layer l = Dense(4); output z = x -> l(initial_state = s);", "RNN0120"),
    ("input x: [_, 8]; input s: [3]; layer l = GRU(4); output z = x -> l(initial_state = s);", "RNN0154"),
    ("input x: [_, 8]; input m: mask; layer l = GRU(4); output z = x -> l(mask = m);", "RNN0155"),
    ("input x: [_, 8]; input m: mask; layer l = GRU(4, stateful); output z = x -> l(initial_state = m);", "RNN0153"),
    ("input x: [_, 8]; output z = x -> GRU(4, initial_state = [3, 4]);", "RNN0150"),
    ("input x: [_, 8]; output z = x -> GRU(4, initial_state = zeros);", "RNN0150"),
    ("input x: [_, 8]; output z = x -> GRU(4, initial_state = y);", "RNN0150"),
    ("input x: [_, 8]; output z = x -> GRU(4, initial_state = []);", "RNN0152"),
    ("input x: [_, 8]; output z = x -> GRU(4, mask = x);", "RNN0155"),
    ("input x: [_, 8]; input m: mask; output z = x -> GRU(4, mask = m);", "RNN0155"),
    ("input x: [20, 8]; input m: mask[19]; output z = x -> GRU(4, mask = m);", "RNN0155"),
    ("input x: [20, 8]; input m: mask[20]; output z = x -> GRU(4, mask = [m, m]);", "RNN0155"),
    ("input x: [20, 8]; input m: mask[20]; output z = x -> GRU(4, mask = true);", "RNN0150"),
    ("input x: [20, 8]; input m: mask[20]; output z = m -> GRU(4);", "RNN0106"),
    ("input x: [20, 8]; input m: mask[20]; output z = (x, m) -> Add;", "RNN0106"),
    ("input x: [20, 8]; input m: mask[20]; output z = (m, x) -> Add;", "RNN0106"),
    ("input x: [20, 8]; input m: mask[20]; output z = x -> Dense(4, mask = m);", "RNN0120"),
    ("input m: mask[20]; output z = m;", "RNN0175"),
    ("input a: [_, 8]; input b: [_, 8]; output z = (a, b) -> Add;", "RNN0151"),
    ("input a: [time, 8]; input b: [steps, 8]; output z = (a, b) -> Add;", "RNN0151"),
    ("input a: [time, 8]; input b: [time, 7]; output z = (a, b) -> Add;", "RNN0158"),
    ("input a: [time, 8]; input b: [8]; output z = (a, b) -> Add;", "RNN0151"),
    ("input a: [time, 8]; input b: [time, 7]; output z = (a, b) -> Concatenate(axis = 1);", "RNN0159"),
    ("input a: [time, 8]; input b: [time, 7]; output z = (a, b) -> Concatenate(axis = -2);", "RNN0159"),
    ("input a: [5, 8]; input b: [6, 8]; output z = (a, b) -> Concatenate;", "RNN0151"),
    ("input a: [5, 8]; input b: [8]; output z = (a, b) -> Concatenate;", "RNN0151"),
    ("input a: [5, 8]; input b: [5, 8]; output z = (a, b) -> LSTM(3);", "RNN0115"),
    ("input a: [5, 8]; input b: [5, 8]; output z = (a, b);", "RNN0167"),
    ("input a: [5, 8]; input b: [5, 8]; output z = (a, b) -> RNN(LSTMCell(3));", "RNN0247"),
    ("input a: [5, 8]; input b: [5, 8]; output z = (a, b) -> Subtract; output w = (a, b, a) -> Subtract;", "RNN0157"),
    ("input a: [5, 8]; output z = (a, b) -> Multiply;", "RNN0174"),
    ("input a: [5, 8]; output z = q -> Dense(3);", "RNN0174"),
    ("input a: [5, 8]; output z = a -> dense(3);", "RNN0101"),
    ("input a: [5, 8]; layer dense = Dense(3); output z = a -> dens;", "RNN0101"),
    ("input a: [5, 8]; layer dense = Dense(3); output z = a -> dense(4);", "RNN0178"),
    ("input a: [5, 8]; layer dense = Dense(3); output z = dense;", "RNN0174"),
    ("input a: [5, 8]; layer dense = Dense(3); output z = a;", "RNN0170"),
    ("input a: [5, 8]; layer dense = Dense(3); output z = a -> dense -> dense;", "RNN0169"),
    ("input a: [5, 8]; layer d = Dense(8); layer d = Dense(8); output z = a -> d;", "RNN0173"),
    ("input a: [5, 8]; layer d = LSTM(8, stateful); output z = a -> d; output w = a -> d;", "RNN0168"),
    ("input a: [5, 8]; input b: [_, 8]; layer d = LSTM(8, unroll); output z = a -> d; output w = b -> d;", "RNN0113"),
    ("input a: [5, 8]; layer d = LSTM; output z = a -> d;", "RNN0122"),
    ("input a: [5, 8]; let f = a -> Bidirectional(LSTM(3), merge_mode = none); output z = f;", "RNN0167"),
    ("input a: [5, 8]; let (y, s) = a -> Bidirectional(GRU(3, return_state)); output z = a -> Bidirectional(LSTM(3), initial_state = s); output w = y;", "RNN0152"),
    ("input a: [5, 8]; let (y, s) = a -> GRU(3, return_state); output z = a -> Bidirectional(GRU(3, initial_state = s)); output w = y;", "RNN0120"),
    ("input a: [5, 8]; let (y, s) = a -> GRU(3, return_state); output z = a -> Bidirectional(GRU(3), initial_state = s); output w = y;", "RNN0152"),
    ("input a: [5, 8]; input m: mask[5]; output z = a -> Bidirectional(GRU(3, mask = m));", "RNN0120"),
    ("input a: [5, 8]; input m: mask[5]; output z = a -> TimeDistributed(Dense(3), mask = m);", "RNN0120"),
    ("input a: [5, 8]; let y = a -> Embedding(3, 4); output w = y;", "RNN0105"),
    ("input a: ids[5]; let y = a -> Embedding(3, 4); output w = (a, y) -> Add;", "RNN0106"),
    ("input a: ids[5]; output w = a;", "RNN0175"),
    ("input a: ids[5]; output w = a -> LSTM(4);", "RNN0106"),
    ("input a: ids; output w = a -> Embedding(10, 4) -> Flatten;", "RNN0108"),
    ("input a: []; output w = a -> Dense(3);", "RNN0056"),
    ("input a: [_]; output w = a -> Dense(3);", "RNN0172"),
    ("input a: [_, _]; output w = a -> Dense(3);", "RNN0172"),
    ("input a: [8, _]; output w = a -> Dense(3);", "RNN0172"),
    ("input a: [time]; output w = a -> Dense(3);", "RNN0172"),
    ("input a: [0]; output w = a -> Dense(3);", "RNN0172"),
    ("input a: [_, 99999999999]; output w = a -> Dense(3);", "RNN0172"),
    ("input a: [_, 8, 9]; output w = a -> Flatten;", "RNN0108"),
    ("input a: [_, 8, 9]; output w = (a, a) -> Concatenate;", "RNN0156"),
    ("input a: [_, { p: 2, q: 3 }]; output w = a -> LSTM(3);", "RNN0115"),
    ("input a: [_, { p: 2, q: 3 }]; input a_p: [2]; output w = a -> Concatenate -> LSTM(3); output v = a_p -> Dense(2);", "RNN0173"),
    ("input a: [_, 8]; let b = c -> LSTM(3); let c = a -> LSTM(3); output w = b;", "RNN0174"),
    (r#"input a: [_, 8]; output w = a -> LSTM(3, name = "x") -> Dense(3, name = "x");"#, "RNN0111"),
    (r#"input a: [_, 8]; layer x = LSTM(3); output w = a -> x -> Dense(3, name = "x");"#, "RNN0111"),
    ("input a: [_, 8]; output w = a -> Input(3);", "RNN0103"),
    ("input a: [_, 8]; output W = a -> LSTM(3);", "RNN0048"),
    ("input a: [_, 8]; output w = LSTM(3);", "RNN0051"),
    (r#"input a: [_, 8]; output w = a -> LSTM(3, stateful); output v = a -> LSTM(4, stateful, name = "lstm");"#, "RNN0111"),
    ("input v: [8]; input x: [_, 8]; let r = v -> RepeatVector(5); output w = (r, x) -> Add;", "RNN0151"),
    ("input x: [T, 8]; input y: [5, 8]; output w = (x, y) -> Add;", "RNN0151"),
    ("input x: [_, A]; let (y, s) = x -> LSTM(U, return_state); output w = x -> LSTM(V, initial_state = s); output z = y;", "RNN0154"),
    ("input x: [_, A]; let (y, s) = x -> LSTM(U, return_state); output w = x -> Bidirectional(GRU(U, return_sequences), merge_mode = sum) -> Bidirectional(GRU(U, return_sequences), merge_mode = none); output z = y;", "RNN0167"),
    ("input a_p: [2]; input a: [_, { p: 2, q: 3 }]; output w = a -> Concatenate -> LSTM(3); output v = a_p -> Dense(2);", "RNN0173"),
    ("input type: [3]; output y = type -> Dense(3);", "RNN0046"),
    ("input self: [3]; output y = self -> Dense(3);", "RNN0046"),
    ("input x: [3]; output self = x -> Dense(3);", "RNN0048"),
    ("input x: [3]; let y = q -> Dropout(2); let a = y -> Masking; let b = y -> Masking; output z = (a, b) -> Add;", "RNN0174"),
    ("input x: [_, 3]; let y = x -> Dropout(2); let a = y -> Masking; let b = x -> Masking; output z = (a, b) -> Add; output w = (b, a) -> Add;", "RNN0129"),
    ("input a: [5, 8]; layer d = LSTM(8, stateful, return_sequences); output z = a -> d; output w = a -> d;", "RNN0168"),
    ("input a: ids[5]; let y = a -> Embedding(3, 4); output w = (y, a) -> Add;", "RNN0106"),
    ("input a: [8]; output w = a -> LSTM(3);", "RNN0107"),
    ("input a: ids; output w = a -> LSTM(3);", "RNN0106"),
    ("input a: [5, 8]; layer d = Dense(3); output z = a -> TimeDistributed(d);", "RNN0137"),
    ("input a: [5, 8]; layer d = LSTM(3); output z = a -> Bidirectional(d);", "RNN0137"),
    ("input a: [_, 999999999]; input b: [_, 999999999, 999999999, 999999999, 999999999]; output z = b -> Dropout(0.1); output y = a -> Dense(2);", "RNN0110"),
    ("input a: [2, 999999999, 999999999, 999999999, 999999999]; output z = a -> Flatten -> Dense(2);", "RNN0110"),
    ("input a: [2, 1999999999]; output z = (a, a, a) -> Concatenate -> LSTM(3);", "RNN0110"),
    ("input x: [_, 8]; let z = x; let z = x -> LSTM(4); output w = z -> Dense(4); output v = x;", "RNN0170"),
    ("input x: [_, 2, 3, 4, 5]; output y = x -> TimeDistributed(Flatten) -> LSTM(3);", "RNN0176"),
    ("input x: [2, 3, 4, 5, 6]; output y = x -> Flatten -> Dense(3);", "RNN0176"),
    ("Input(_, 2, 3, 4, 5) -> TimeDistributed(Flatten) -> LSTM(3)", "RNN0176"),
    ("input x: [_, { a: [2, 3, 4, 5], b: 6 }]; output y = x -> Concatenate -> LSTM(3);", "RNN0176"),
    // Cells of one's own
    ("@cell(C) { cell C(units) { param k: [input, units] = zeros; output x @ k; } } Input(_, 2) -> RNN(C(2))", "RNN0114"),
    ("@cell(C) { cell C(units) { input a: [n]; input b: [m]; state h: [units]; next h = h; output a, b; } } Input(_, { a: 2, b: 3 }) -> Bidirectional(RNN(C(2)))", "RNN0115"),
    ("@cell(C) { cell C(units) { input a: [n]; input b: [m]; state h: [units]; next h = h; output a; } } Input(_, { a: 2, b: 3 }) -> Bidirectional(RNN(C(2)))", "RNN0115"),
    ("@cell(C) { cell C(units, flag = true) { state h: [units]; next h = h; output h; } } Input(_, 2) -> RNN(C(2, flag = false, dropout = 0.1))", "RNN0120"),
];

#[test]
fn every_unsupported_combination_has_a_code_and_a_help() {
    let mut wrong = Vec::new();
    for (model, code) in UNSUPPORTED {
        let tokens = format!("@krate(k) {model}").parse().unwrap();
        let mut found = Vec::new();
        messages(expand_model(tokens), &mut found);
        let first = found.first().map_or("", String::as_str);
        if !first.starts_with(&format!("[{code}]")) {
            wrong.push(format!("{model}: no {code}, but {found:?}"));
        }
        for text in &found {
            if !text.contains("help: ") {
                wrong.push(format!("{model}: no help in {text}"));
            }
            for whole in proposed(text) {
                let mut again = Vec::new();
                let tokens = format!("@krate(k) {whole}").parse().unwrap();
                messages(expand_model(tokens), &mut again);
                if !again.is_empty() {
                    wrong.push(format!("{model} proposes {whole}: {again:?}"));
                }
            }
        }
        assert!(explain(code).is_some(), "{code}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// As many as there are tuples of arrays for, and one more.
#[test]
fn too_many_inputs_or_outputs_have_a_code() {
    let codes = |inputs: usize, outputs: usize| {
        let names = |n: usize| (0..n).map(|i| format!("x{i}")).collect::<Vec<_>>();
        let declared = names(inputs)
            .iter()
            .map(|x| format!("input {x}: [2]; "))
            .collect::<String>();
        let sum = match inputs {
            1 => "let s = x0 -> Dense(2); ".to_owned(),
            n => format!("let s = ({}) -> Add; ", names(n).join(", ")),
        };
        let outputs = (0..outputs)
            .map(|i| format!("output y{i} = s -> Dense(3); "))
            .collect::<String>();
        let model = format!("@krate(k) {declared}{sum}{outputs}");
        let mut found = Vec::new();
        messages(expand_model(model.parse().unwrap()), &mut found);
        found
    };
    for (inputs, outputs) in [(16, 1), (1, 16), (16, 16)] {
        assert_eq!(codes(inputs, outputs), [""; 0]);
    }
    for (inputs, outputs) in [(17, 1), (1, 17)] {
        let found = codes(inputs, outputs);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("[RNN0177]") && found[0].contains("help: "),
            "{found:?}"
        );
    }
}

#[test]
fn no_message_blames_the_compiler() {
    assert!(UNSUPPORTED.iter().all(|(_, code)| *code != "RNN0199"));
}
