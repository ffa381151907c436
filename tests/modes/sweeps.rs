//! Looped and unrolled; long sequences, which are cut into blocks of time.

use crate::check::{batch, infer, streamed};
use crate::numbers::{close, largest, named, weights};
use recurrent::{learner::Learner, model::Model, rt::cpu::simd::Isa};

same! {
    unrolled: same { Input(5, 3) -> LSTM(4, unroll = true) -> Dense(2) } { Input(5, 3) -> LSTM(4, unroll = false) -> Dense(2) }
    unrolled_all_steps: same { Input(4, 3) -> GRU(5, unroll, return_sequences) -> GRU(9, unroll, reset_after = false) } { Input(4, 3) -> GRU(5, return_sequences) -> GRU(9, reset_after = false) }
    unrolled_backwards: same { Input(3, 3) -> SimpleRNN(17, unroll, go_backwards, return_sequences) -> LSTM(3, unroll) } { Input(3, 3) -> SimpleRNN(17, go_backwards, return_sequences) -> LSTM(3) }
    unrolled_once: same { Input(1, 3) -> LSTM(4, unroll = true) } { Input(_, 3) -> LSTM(4) }
}

check! {
    unrolled_is_right: stream { Input(4, 3) -> LSTM(5, unroll, return_sequences) -> GRU(4, unroll) -> Dense(2) }
}

/// 300 steps, an odd number of blocks, with the last one short: the stream's bits.
macro_rules! long {
    ($($name:ident: { $($model:tt)* })*) => {
        $(#[test]
        fn $name() {
            let mut model = recurrent::rnn_model!($($model)*);
            let w = weights(Learner::specs(&model), 11);
            model.weights_mut().copy_from_slice(&w);
            for &isa in Isa::available() {
                model.set_isa(isa);
                for (rows, time) in [(1, 300), (3, 301), (33, 300), (2, 257), (2, 256)] {
                    let x = batch_of(&model, rows, time);
                    streamed(&mut model, &x, isa);
                }
            }
            let oracle = crate::check::oracle(stringify!($($model)*));
            let x = batch_of(&model, 2, 300);
            let y = infer(&mut model, &x);
            let named = named(Learner::specs(&model), model.weights());
            let expected = oracle.run(&named, &x.for_oracle(), false).unwrap();
            close("300 steps", &y, &expected, 1e-5, largest(&expected));
        })*
    };
}

fn batch_of<M: Model>(_: &M, rows: usize, time: usize) -> crate::numbers::Batch {
    batch::<M>(rows, time, 10)
}

long! {
    long_last: { Input(_, 3) -> LSTM(9, return_sequences) -> GRU(12) -> Dense(2) }
    long_all: { Input(_, 3) -> SimpleRNN(9, return_sequences) -> Dense(3) -> BatchNormalization -> GRU(12, reset_after = false, return_sequences) }
    long_ids: { Embedding(20, 8) -> GRU(9, return_sequences) -> LSTM(17) -> Dense(2, softmax) }
}
