//! Numbers of the program that a parameter cannot start with: rustc knows their types.
use recurrent::{rnn_cell, rnn_model};

const SQUARE: [[f32; 3]; 3] = [[0.0; 3]; 3];
const WHOLE: [i32; 4] = [0; 4];
const FITS: [f64; 4] = [0.0; 4];

fn no_shape(values: &mut [f32]) {
    values.fill(0.0);
}

rnn_cell! {
    cell OtherShape(units) {
        frozen param a: [units, units] = SQUARE;
        frozen param b: [4] = FITS;
        state h: [units];
        next h = h @ a + x + sum(b);
        output h;
    }
}

rnn_cell! {
    cell OtherTypes(units) {
        frozen param a: [units] = WHOLE;
        frozen param b: [units] = self::no_shape;
        frozen param c: [units] = NOWHERE;
        state h: [units];
        next h = a * h + b * x + c;
        output h;
    }
}

fn main() {
    let _ = rnn_model!(Input(_, 4) -> RNN(OtherShape(4)));
    let _ = rnn_model!(Input(_, 3) -> RNN(OtherShape(3)));
}
