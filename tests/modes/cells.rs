//! Cells of one's own, with everything that the language has.

/// Defines cells, and keeps their text for the interpreter.
macro_rules! cells {
    ($(cell $name:ident $arguments:tt $body:tt)*) => {
        $(recurrent::rnn_cell! { pub cell $name $arguments $body })*
        pub const CELLS: &[(&str, &str)] = &[
            $((stringify!($name), stringify!(cell $name $arguments $body))),*
        ];
    };
}

pub const UNITS: usize = 6;
const HALF: usize = 3;
pub const CONSTS: &[(&str, usize)] = &[("UNITS", UNITS), ("HALF", HALF)];

cells! {
    cell MinimalGru(units) {
        param kernel: [input, 2 * units] = glorot_uniform;
        param recurrent_kernel: [units, 2 * units] = orthogonal;
        state h: [units];
        let [f, g] = split(x @ kernel);
        let [uf, ug] = split(h @ recurrent_kernel);
        let f = sigmoid(f + uf);
        next h = f * h + (1 - f) * tanh(g + f * ug);
        output h;
    }
    // Two products, one behind the other.
    cell TwoStages(units, inner) {
        param kernel: [input, inner] = glorot_uniform;
        param first: [units, inner] = orthogonal;
        param second: [inner, units] = orthogonal;
        param bias: [units] = zeros;
        state h: [units];
        let z = tanh(x @ kernel + h @ first);
        next h = tanh(z @ second + bias) + 0.5 * h;
        output h;
    }
    cell Normalised(units, epsilon = 0.01) {
        param kernel: [input, units] = glorot_uniform;
        param recurrent_kernel: [units, units] = orthogonal;
        param gamma: [units] = ones;
        param beta: [units] = zeros;
        state h: [units];
        let z = x @ kernel + h @ recurrent_kernel;
        let z = (z - mean(z)) * rsqrt(variance(z) + epsilon);
        next h = tanh(z * gamma + beta);
        output h;
    }
    // Gates are normalised, too, and the output is a distribution.
    cell Attentive(units) {
        param kernel: [input, 2 * units] = glorot_uniform;
        param recurrent_kernel: [units, 2 * units] = orthogonal;
        state h: [units];
        let [a, b] = split(x @ kernel + h @ recurrent_kernel);
        let a = softmax(a);
        next h = a * tanh(b) + (1 - a) * h;
        output softmax(h * 2);
    }
    cell Joined(units) {
        param kernel: [input + 2 * units, units] = glorot_uniform;
        param other: [2 * units, 2 * units] = glorot_uniform;
        state h: [units];
        state c: [units];
        let z = tanh(concat(x, h, c) @ kernel);
        let [p, q] = split(concat(c, z) @ other);
        next h = sigmoid(p) * z;
        next c = tanh(q) + 0.5 * c;
        output concat(h, c);
    }
    cell Chosen(units, activation = tanh, gate = sigmoid, use_bias = true) {
        param kernel: [input, 2 * units] = glorot_uniform;
        param recurrent_kernel: [units, 2 * units] = orthogonal;
        state h: [units];
        let z = x @ kernel + h @ recurrent_kernel;
        if use_bias {
            param bias: [2 * units] = zeros;
            let z = z + bias;
        }
        let [f, g] = split(z);
        next h = gate(f) * h + (1 - gate(f)) * activation(g);
        output h;
    }
    // States of different sizes.
    cell Projected(units, size) {
        param kernel: [input, 4 * units] = glorot_uniform;
        param recurrent_kernel: [size, 4 * units] = orthogonal;
        param projection: [units, size] = glorot_uniform;
        state h: [size];
        state c: [units];
        let [i, f, g, o] = split(x @ kernel + h @ recurrent_kernel);
        next c = sigmoid(f + 1) * c + sigmoid(i) * tanh(g);
        next h = (sigmoid(o) * tanh(c)) @ projection;
        output h;
    }
    // The output is a product that no state waits for.
    cell Read(units, out) {
        param kernel: [input, units] = glorot_uniform;
        param recurrent_kernel: [units, units] = orthogonal;
        param p: [units, out] = glorot_uniform;
        state h: [units];
        next h = tanh(x @ kernel + h @ recurrent_kernel);
        output h @ p;
    }
    // Maths on parameters alone is done when weights are packed; `frozen` gets no gradient.
    cell Decay(units) {
        param kernel: [input, units] = glorot_uniform;
        param decay: [units] = zeros;
        frozen param scale: [units] = ones;
        frozen param mixing: [units, units] = orthogonal;
        state h: [units];
        let a = exp(-exp(decay));
        next h = a * h + sqrt(1 - a * a) * scale * (x @ kernel) + 0.1 * tanh(h @ mixing);
        output h;
    }
    cell Functions(units) {
        param kernel: [input, 2 * units] = glorot_uniform;
        param recurrent_kernel: [units, 2 * units] = orthogonal;
        param power: [units] = zeros;
        state h: [units];
        let [a, b] = split(x @ kernel + h @ recurrent_kernel);
        let m = min(a, b * 0.5) + max(a * a, 0.3);
        let p = pow(1.5 + abs(a), power + 1.2) + log1p(b * b) + log(2 + cos(a));
        let q = sin(b) * cos(a) + sqrt(1 + a * a) + erf(b) + expm1(a) * 0.1 + softplus(b);
        next h = tanh(0.3 * m + 0.2 * q - 0.1 * p) + select(a > b, 0.2 * a, b / 4);
        output h;
    }
    // Numbers of a row: sums and largest units, and parameters inside of them.
    cell Rows(units) {
        param kernel: [input, units] = glorot_uniform;
        param recurrent_kernel: [units, units] = orthogonal;
        param weight: [units] = ones;
        param bias: [units] = zeros;
        state h: [units];
        let z = x @ kernel + h @ recurrent_kernel;
        let s = sum(weight * z + bias);
        let top = max_of(z) - min_of(z);
        next h = tanh(z + 0.1 * s) * sigmoid(top) + 0.2 * mean(h);
        output h + mean(x);
    }
    // An input that is used as it is, and a state from a state that has changed already.
    cell Counter(units) {
        state h: [input];
        state total: [input];
        next h = 0.5 * h + x;
        next total = total + h * h;
        output concat(total, x);
    }
    // A state that nothing multiplies, and the old value of another.
    cell Delay(units) {
        param kernel: [input, units] = glorot_uniform;
        state before: [units];
        state older: [units];
        let now = tanh(x @ kernel);
        let one = before;
        next older = one;
        next before = now;
        output now + 0.5 * older;
    }
    // Nobody reads the old state; half of the other one and of the input.
    cell Forgetful(units) {
        param kernel: [units, units] = glorot_uniform;
        param mix: [units, units] = glorot_uniform;
        state h: [units];
        state wide: [2 * units];
        let [a, b] = split(wide);
        let [p, q] = split(x);
        let seen = sigmoid(a @ mix);
        next h = tanh(p @ kernel) * seen;
        next wide = concat(h + 0.3 * a, h * h);
        output concat(h, a) + 0.1 * sum(p @ mix);
    }
    // The output needs old states, products of them, and what only later is known.
    cell Late(units) {
        param kernel: [input, units] = glorot_uniform;
        param recurrent_kernel: [units, units] = orthogonal;
        param look: [units, units] = orthogonal;
        state h: [units];
        let before = h;
        let z = tanh(h @ look);
        next h = tanh(x @ kernel + h @ recurrent_kernel);
        output before * z + h + mean(before * z) + softmax(h @ look) @ look;
    }
    // `GRU`, by hand.
    cell HandGru(units) {
        param kernel: [input, 3 * units] = glorot_uniform;
        param recurrent_kernel: [units, 3 * units] = orthogonal;
        param bias: [2, 3 * units] = zeros;
        state h: [units];
        let [xz, xr, xh] = split(x @ kernel + bias[0]);
        let [hz, hr, hh] = split(h @ recurrent_kernel + bias[1]);
        let z = sigmoid(xz + hz);
        let r = sigmoid(xr + hr);
        next h = z * h + (1 - z) * tanh(xh + r * hh);
        output h;
    }
}

check! {
    minimal_gru: stream { Input(_, 3) -> RNN(MinimalGru(5)) -> Dense(2) }
    two_stages: stream { Input(_, 3) -> RNN(TwoStages(4, 7), return_sequences) }
    normalised: stream { Input(_, 3) -> RNN(Normalised(5), return_sequences) -> RNN(Normalised(17)) }
    attentive: stream { Input(_, 3) -> RNN(Attentive(5), return_sequences) -> Dense(2) }
    attentive_wide: stream { Input(_, 3) -> RNN(Attentive(35), return_sequences) -> Dense(31) -> RNN(Attentive(19)) }
    forgetful: stream { Input(_, 8) -> RNN(Forgetful(4), return_sequences) -> Dense(3) }
    forgetful_input: stream { Input(_, 10) -> RNN(Forgetful(5), return_sequences) }
    late: stream { Input(_, 3) -> RNN(Late(5), return_sequences) -> RNN(Late(19), return_sequences) -> Dense(2) }
    joined: stream { Input(_, 3) -> RNN(Joined(4), return_sequences) -> RNN(Joined(3)) }
    chosen: stream { Input(_, 3) -> RNN(Chosen(4, relu, gate = hard_sigmoid, use_bias = false), return_sequences) -> RNN(Chosen(5, softmax)) }
    projected: stream { Input(_, 3) -> RNN(Projected(7, 4), return_sequences) -> RNN(Projected(3, 5)) }
    read: stream { Input(_, 3) -> RNN(Read(5, 4), return_sequences) -> RNN(Read(3, 2)) }
    decay: stream { Input(_, 3) -> RNN(Decay(5), return_sequences) -> Dense(2) }
    functions: stream { Input(_, 3) -> RNN(Functions(5), return_sequences) }
    rows: stream { Input(_, 3) -> RNN(Rows(5), return_sequences) -> RNN(Rows(19)) }
    counter: stream { Input(_, 3) -> RNN(Counter(1), return_sequences) -> Dense(2) }
    delay: stream { Input(_, 3) -> RNN(Delay(4), return_sequences) -> Dense(2) }
    consts: stream { Input(_, HALF) -> RNN(MinimalGru(UNITS), return_sequences) -> LSTM(HALF) -> Dense(UNITS) }
}

same! {
    gru_by_hand: same_program { Input(_, 3) -> GRU(7, return_sequences) -> Dense(2) } { Input(_, 3) -> RNN(HandGru(7), return_sequences) -> Dense(2) }
    gru_by_hand_wide: same_program { Input(_, 9) -> GRU(40) } { Input(_, 9) -> RNN(HandGru(40)) }
}
