//! Graphs against real Keras: outputs, states, masks, and the gradients of every weight, input and
//! initial state.
//!
//! `tests/` holds random combinations of the options of the recurrent layers (`simple_rnn_0.rs`,
//! `lstm_2.rs`, …) and what the other layers do (`layers_0.rs`, …); all are written by
//! `tests/keras/`, with the numbers, and cut into files that rustc compiles with little memory. How
//! close is close enough is defined in `../support/golden.rs`.

#[path = "../support/bits.rs"]
mod bits;
#[path = "../support/device.rs"]
mod device;
#[path = "../support/every.rs"]
mod every;
#[path = "../support/golden.rs"]
mod golden;
mod harness;

pub use device::{check_device, on_device};
pub use every::every_instruction_set;
pub use harness::check;

/// One test: a graph against its tensors in a file of `tests/keras/grid/`.
#[macro_export]
macro_rules! grid {
    ($test:ident, $file:literal, { $($model:tt)+ }) => {
        #[test]
        fn $test() {
            use recurrent::prelude::Model as _;
            let mut model = $crate::on_device(recurrent::rnn_model!($($model)+));
            model.want_input_gradient(true);
            $crate::check(&mut model, $file, stringify!($test), |model, index| {
                model.input_gradient(index)
            });
            $crate::check_device();
        }
    };
}

recurrent::rnn_cell! {
    /// The cell of Keras's guide "Working with RNNs".
    pub cell NestedCell(unit_1, unit_2, unit_3) {
        input input_1: [i1];
        input input_2: [i2, i3];
        param kernel_1: [i1, unit_1] = random_uniform;
        param kernel_2_3: [i2, i3, unit_2, unit_3] = random_uniform;
        state s1: [unit_1];
        state s2: [unit_2, unit_3];
        let output_1 = input_1 @ kernel_1;
        let output_2_3 = einsum("bij,ijkl->bkl", input_2, kernel_2_3);
        next s1 = s1 + output_1;
        next s2 = s2 + output_2_3;
        output output_1, output_2_3;
    }
}
