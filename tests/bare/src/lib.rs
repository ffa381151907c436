//! Streams as firmware has them: no std, no allocator, weights in read-only memory.
//!
//! [`run`] is the same code on a host and on a microcontroller, and has to give the same bits.
#![no_std]

use recurrent::{prelude::*, stream::ProgramModel};
use rnn_runtime::stream::{ProgramWeights, Tables};

rnn_model! {
    /// Panels of every kind: 20 units, 5 and 1.
    pub struct Gates = Input(_, 3) -> LSTM(20, return_sequences) -> GRU(5) -> Dense(1);
}

rnn_model! {
    /// Reads rows of a table, and holds states at masked steps.
    pub struct Words = Embedding(50, 6, mask_zero) -> SimpleRNN(9) -> Dense(4, activation = softmax);
}

rnn_model! {
    /// Vectors that are computed when weights are packed, and sums over units.
    pub struct Normalised = Input(_, 4)
        -> BatchNormalization
        -> RNN(recurrent::cells::LayerNormLstm(7), return_sequences)
        -> LayerNormalization
        -> Dense(3, activation = gelu);
}

rnn_cell! {
    /// Functions that no other model here calls.
    pub cell Curves(units) {
        param kernel: [input, units] = glorot_uniform;
        param recurrent_kernel: [units, units] = orthogonal;
        state h: [units];
        let z = x @ kernel + h @ recurrent_kernel;
        let a = sin(z) * exp(-z * z) + log(1.5 + abs(z));
        next h = a / sqrt(1 + a * a) + 0.1 * softplus(z);
        output h;
    }
}

rnn_model! {
    /// A cell of one's own.
    pub struct Curved = Input(_, 2) -> RNN(Curves(6), return_sequences) -> Activation(tanh);
}

/// Numbers in -0.5..0.5 that are the same everywhere: `i` hashed, exact in a float.
pub const fn number(i: usize) -> f32 {
    let mut x = (i as u32).wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995;
    x ^= x >> 15;
    x = x.wrapping_mul(0x2c1b_3c6d);
    x ^= x >> 12;
    (x >> 8) as f32 / 16_777_216.0 - 0.5
}

/// `N` of them, from number `start` on.
pub const fn numbers<const N: usize>(start: usize) -> [f32; N] {
    let mut all = [0.0; N];
    let mut i = 0;
    while i < N {
        all[i] = number(start + i);
        i += 1;
    }
    all
}

/// Weights of [`Normalised`], whose variances have to be positive.
pub fn positive<const N: usize>(start: usize) -> [f32; N] {
    numbers(start).map(|x| x.abs() + 0.1)
}

/// Where the weights of each model start among the numbers.
pub const STARTS: [usize; 4] = [0, 10_000, 20_000, 30_000];

/// Steps of each stream.
pub const STEPS: usize = 40;

/// Input `i` of step `t` of the stream number `model`.
pub const fn input(model: usize, t: usize, i: usize) -> f32 {
    4.0 * number(50_000 + 10_000 * model + 16 * t + i)
}

/// The id that the stream of words reads at step `t`: 0, which is masked, now and then.
pub const fn word(t: usize) -> u32 {
    if t % 5 == 3 { 0 } else { (t as u32 * 7) % 50 }
}

/// Packed by the compiler: these weights are never in RAM.
pub static GATES: [f32; PackedWeights::<Gates>::LEN] =
    PackedWeights::<Gates>::packed(&numbers::<{ PackedWeights::<Gates>::WEIGHTS }>(STARTS[0]));

// What the macro writes for weights in the program.
impl ProgramModel for Gates {
    const WEIGHTS: ProgramWeights = ProgramWeights {
        packed: &GATES,
        tables: Tables::NONE,
    };
}

/// Read as they are: rows of the table.
pub static WORDS: [f32; PackedWeights::<Words>::WEIGHTS] = numbers(STARTS[1]);
/// The same for these; the table stays as it is.
pub static WORDS_PACKED: [f32; PackedWeights::<Words>::LEN] =
    PackedWeights::<Words>::packed(&WORDS);

/// Runs all streams, and hands over each number that they give, with the model that gives it.
///
/// # Errors
/// If weights do not fit a model.
pub fn run(mut give: impl FnMut(&str, f32)) -> Result<(), Error> {
    let packed = PackedWeights::<Gates>::new(&[], &GATES)?;
    let mut stream = packed.stream();
    for t in 0..STEPS {
        let y = stream.step(&core::array::from_fn(|i| input(0, t, i)));
        y.iter().for_each(|&y| give("Gates", y));
    }

    let packed = PackedWeights::<Words>::new(&WORDS, &WORDS_PACKED)?;
    let mut stream = packed.stream();
    for t in 0..STEPS {
        let y = stream.step(&Id::new(word(t))?);
        y.iter().for_each(|&y| give("Words", y));
    }

    // Packed when the program starts.
    let weights = positive::<{ PackedWeights::<Normalised>::WEIGHTS }>(STARTS[2]);
    let mut room = [0.0; PackedWeights::<Normalised>::LEN];
    let packed = PackedWeights::<Normalised>::pack(&weights, &mut room)?;
    let mut stream = packed.stream();
    for t in 0..STEPS {
        let y = stream.step(&core::array::from_fn(|i| input(2, t, i)));
        y.iter().for_each(|&y| give("Normalised", y));
    }

    let weights = numbers::<{ PackedWeights::<Curved>::WEIGHTS }>(STARTS[3]);
    let mut room = [0.0; PackedWeights::<Curved>::LEN];
    let packed = PackedWeights::<Curved>::pack(&weights, &mut room)?;
    let mut stream = packed.stream();
    for t in 0..STEPS {
        let y = stream.step(&core::array::from_fn(|i| input(3, t, i)));
        y.iter().for_each(|&y| give("Curved", y));
    }
    Ok(())
}
