//! Models against real Keras: outputs, and the gradients of every weight and of the input.
//!
//! `tests/` and the numbers come from `tests/keras/goldens.py`, cut into programs that rustc compiles
//! with little memory. How close is close enough is defined in `../support/golden.rs`.

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

/// One test: a model against a golden file of `tests/keras/goldens/`.
#[macro_export]
macro_rules! golden {
    ($test:ident, $golden:literal, $($model:tt)+) => {
        #[test]
        fn $test() {
            use recurrent::prelude::Model as _;
            let mut model = $crate::on_device(recurrent::rnn_model!($($model)+));
            model.want_input_gradient(true);
            $crate::check(&mut model, $golden, |model| model.input_gradient(0));
            $crate::check_device();
        }
    };
}
