//! Graphs against real Keras: outputs, states, masks, and the gradients of every weight, input and
//! initial state.
//!
//! `cases.rs` holds random combinations of the options of the recurrent layers, `layers.rs` what
//! the other layers do; both are written by `tests/keras/`, with the numbers. How close is close
//! enough is defined in `../support/golden.rs`.

#[path = "../support/golden.rs"]
mod golden;
mod harness;

use std::process::Command;

use recurrent::rt::cpu::simd::Isa;

/// One test: a graph against its tensors in a file of `tests/keras/grid/`.
macro_rules! grid {
    ($test:ident, $file:literal, { $($model:tt)+ }) => {
        #[test]
        fn $test() {
            use recurrent::prelude::Model as _;
            let mut model = recurrent::rnn_model!($($model)+);
            model.want_input_gradient(true);
            crate::harness::check(&mut model, $file, stringify!($test), |model, index| {
                model.input_gradient(index)
            });
        }
    };
}

mod cases;
mod layers;

/// A process chooses its instruction set once, so every further one is a process of its own.
#[test]
fn every_instruction_set() {
    let this = std::env::current_exe().expect("the path of this test");
    for isa in Isa::available() {
        let run = Command::new(&this)
            .args(["cases::", "layers::", "--quiet"])
            .env("RECURRENT_ISA", isa.name())
            .output()
            .expect("this test runs again");
        let report = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "{}:\n{report}", isa.name());
        assert!(
            !report.contains("running 0 tests"),
            "{}: nothing ran",
            isa.name()
        );
    }
}
