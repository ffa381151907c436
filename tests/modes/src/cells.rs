//! Cells of one's own, with everything that the language has.

/// Defines cells, and keeps their text for the interpreter.
macro_rules! cells {
    ($($(#[$doc:meta])* cell $name:ident $arguments:tt $body:tt)*) => {
        $(recurrent::rnn_cell! { $(#[$doc])* pub cell $name $arguments $body })*
        /// The text of all of them, by name.
        pub const CELLS: &[(&str, &str)] = &[
            $((stringify!($name), stringify!(cell $name $arguments $body))),*
        ];
    };
}

/// A size that models name.
pub const UNITS: usize = 6;
/// Another one.
pub const HALF: usize = 3;
/// Both, for the interpreter.
pub const CONSTS: &[(&str, usize)] = &[("UNITS", UNITS), ("HALF", HALF)];

cells! {
    /// A gated recurrent unit with one gate.
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
    /// States of one axis and of two that start with parameters, one of them also read at every step, and one that starts at
    /// zero.
    cell Learned(units) {
        param kernel: [input, units] = glorot_uniform;
        param recurrent_kernel: [units, units] = orthogonal;
        param first: [units] = random_normal(0.0, 0.5);
        param corner: [2, 3] = random_normal(0.0, 0.5);
        state h: [units] = first;
        state before: [units];
        state m: [2, 3] = corner;
        next h = tanh(x @ kernel + h @ recurrent_kernel + 0.1 * first);
        next before = 0.5 * before + h;
        next m = 0.9 * m + 0.01;
        output h + before * sum(m);
    }
    /// Two products, one after the other.
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
    /// Normalised before the activation.
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
    /// Gates are normalised, too, and the output is a distribution.
    cell Attentive(units) {
        param kernel: [input, 2 * units] = glorot_uniform;
        param recurrent_kernel: [units, 2 * units] = orthogonal;
        state h: [units];
        let [a, b] = split(x @ kernel + h @ recurrent_kernel);
        let a = softmax(a);
        next h = a * tanh(b) + (1 - a) * h;
        output softmax(h * 2);
    }
    /// Products of what `concat` has joined.
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
    /// Functions and a bias that arguments choose.
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
    /// States of different sizes.
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
    /// The output is a product that no state waits for.
    cell Read(units, out) {
        param kernel: [input, units] = glorot_uniform;
        param recurrent_kernel: [units, units] = orthogonal;
        param p: [units, out] = glorot_uniform;
        state h: [units];
        next h = tanh(x @ kernel + h @ recurrent_kernel);
        output h @ p;
    }
    /// Maths on parameters alone is done when weights are packed; `frozen` gets no gradient.
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
    /// Most of the functions of the language.
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
    /// Row scalars: sums and largest units, and parameters inside of them.
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
    /// An input that is used as it is, and a state from a state that has changed already.
    cell Counter(units) {
        state h: [input];
        state total: [input];
        next h = 0.5 * h + x;
        next total = total + h * h;
        output concat(total, x);
    }
    /// A state that nothing multiplies, and the old value of another.
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
    /// Nobody reads the old state; half of the other one and of the input.
    cell Forgetful(units) {
        param kernel: [units, units] = glorot_uniform;
        param mix: [units, units] = glorot_uniform;
        state h: [units];
        state wide: [2 * units];
        let [a, _b] = split(wide);
        let [p, _q] = split(x);
        let seen = sigmoid(a @ mix);
        next h = tanh(p @ kernel) * seen;
        next wide = concat(h + 0.3 * a, h * h);
        output concat(h, a) + 0.1 * sum(p @ mix);
    }
    /// The output needs old states, products of them, and what only later is known.
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
    /// A state of several axes.
    cell Grid(rows, columns) {
        param kernel: [input, rows, columns] = glorot_uniform;
        param mixing: [rows, rows] = orthogonal;
        state s: [rows, columns];
        next s = tanh(einsum("bi,irc->brc", x, kernel) + einsum("brc,rk->bkc", s, mixing));
        output s;
    }
    /// The same, of any sizes.
    cell Faded(rows, columns) {
        state s: [rows, columns];
        next s = 0.5 * s + sum(x);
        output s;
    }
    /// States of one and of three axes.
    cell Cube(a, b, c) {
        param kernel: [input, b] = glorot_uniform;
        param mixing: [c, c] = orthogonal;
        state h: [b];
        state s: [a, b, c];
        next h = tanh(x @ kernel) + 0.5 * h;
        next s = tanh(einsum("nabc,cd->nabd", s, mixing)) + 0.3 * s;
        output einsum("nabc,nb->nac", s, h);
    }
    /// `GRU`, by hand.
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
