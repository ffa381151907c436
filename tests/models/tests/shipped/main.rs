//! The cells of `recurrent::cells` against their papers' formulas in double precision: outputs, final
//! states, and the gradients of every weight, input and initial state. `cases.rs` is written by
//! `tests/keras/cells.py`, with the numbers.

#[path = "../../../support/bits.rs"]
mod bits;
#[path = "../../../support/every.rs"]
mod every;
#[path = "../../../support/golden.rs"]
mod golden;
#[path = "../../../grid/harness.rs"]
mod harness;

/// Absolute, as the harness looks for files from the folder of another crate.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../keras/grid/cells");

/// One test: a graph against its tensors.
macro_rules! shipped {
    ($test:ident, { $($model:tt)+ }) => {
        #[test]
        fn $test() {
            use recurrent::prelude::Model as _;
            let mut model = recurrent::rnn_model!($($model)+);
            model.want_input_gradient(true);
            crate::harness::check(&mut model, crate::FILE, stringify!($test), |model, index| {
                model.input_gradient(index)
            });
        }
    };
}

mod cases;
mod streams;

#[test]
fn every_instruction_set() {
    every::every_instruction_set();
}
