//! Cells: how they are written, and how models use them. A mistake in a cell is shown once, at the
//! cell, however many models use it.
use recurrent::{rnn_cell, rnn_model};

mod cells {
    recurrent::rnn_cell! {
        pub cell Broken(units) {
            state h [units];
            next h = x @ kernel;
            ouput h;
        }
    }
    recurrent::rnn_cell! {
        pub cell Good(units, slope = 0.1, use_bias = true, activation = tanh, init = zeros) {
            param kernel: [input, units] = init;
            state h: [units];
            next h = activation(slope * h + x @ kernel);
            output h;
        }
    }
    recurrent::rnn_cell! {
        pub cell NoState(units) {
            param kernel: [input, units] = zeros;
            output x @ kernel;
        }
    }
    recurrent::rnn_cell! {
        pub cell Half(units) {
            param kernel: [input, units] = zeros;
            state h: [units];
            let [a, b] = split(x @ kernel);
            next h = concat(a, b);
            output h;
        }
    }
}

// What a cell computes is checked where it is defined; what depends on sizes, in the model.
mod meaning {
    use recurrent::rnn_cell;
    rnn_cell! { pub cell Unknown(units) { state h: [units]; next h = sigmoid(h + y); output h; } }
    rnn_cell! { pub cell NoOutput(units) { state h: [units]; next h = h; } }
    rnn_cell! { pub cell NoNext(units) { state h: [units]; output h; } }
    rnn_cell! { pub cell NoFunction(units) { state h: [units]; next h = sigmod(h); output h; } }
    rnn_cell! { pub cell Residual(units) { state h: [units]; next h = h + x; output h; } }
}

rnn_cell! {}
rnn_cell! { pub fn NotACell() {} }
rnn_cell! { pub cell (units) {} }
rnn_cell! { cell NoHead { output x; } }
rnn_cell! { cell NoBody(units) }
rnn_cell! { cell Typed(units: usize) { output x; } }
rnn_cell! { cell Assigns(units) { state h: [units]; h = x; output h; } }
rnn_cell! { cell Methods(units) { let y = x.tanh(); output y; } }
rnn_cell! { cell NoElse(units) { let y = if units > 1 { x }; output y; } }

// Follow-on mistakes of rustc's would show here.
rnn_model! { struct UsesBroken = Input(_, 8) -> RNN(cells::Broken(32)) -> Dense(1); }

fn main() {
    let model = rnn_model!(Input(_, 8) -> RNN(cells::Broken(32)) -> Dense(1));
    model.step(1);
    let _ = UsesBroken::new().step(1);
    let _: cells::Broken;
    // The rest of a model with a broken cell is checked.
    rnn_model!(Input(_, 8) -> RNN(cells::Broken(32)) -> Dense(0));

    rnn_model!(Input(_, 8) -> RNN(cells::Good()));
    rnn_model!(Input(_, 8) -> RNN(cells::Good(8, 0.5, false, relu, ones, 7)));
    rnn_model!(Input(_, 8) -> RNN(cells::Good(8, slop = 0.5)));
    rnn_model!(Input(_, 8) -> RNN(cells::Good(8, units = 3)));
    rnn_model!(Input(_, 8) -> RNN(cells::Good(8, slope = 1, false)));
    rnn_model!(Input(_, 8) -> RNN(cells::Good(8, slope = relu)));
    rnn_model!(Input(_, 8) -> RNN(cells::Good(8, use_bias = 3)));
    rnn_model!(Input(_, 8) -> RNN(cells::Good(8, activation = rellu)));
    rnn_model!(Input(_, 8) -> RNN(cells::Good(8, init = zeroes)));
    rnn_model!(Input(_, 8) -> RNN(cells::Good(8, init)));
    rnn_model!(Input(_, 8) -> RNN(cells::NoState(8)));
    rnn_model!(Input(_, 8) -> RNN(cells::Half(7)));
    rnn_model!(Input(8) -> RNN(cells::Good(7)));
    rnn_model!(Input(_, 8) -> RNN(meaning::Unknown(3)));
    rnn_model!(Input(_, 8) -> RNN(meaning::Unknown(4)));
    rnn_model!(Input(_, 8) -> RNN(meaning::Residual(7)));
    rnn_model!(Input(_, 8) -> RNN(cells::Good(7, return_sequences)));
}
