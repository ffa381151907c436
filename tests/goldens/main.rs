//! Models against real Keras: outputs, and the gradients of every weight and of the input.
//!
//! `cases.rs` and the numbers come from `tests/keras/goldens.py`; how close is close enough is
//! defined in `../support/golden.rs`.

#[path = "../support/golden.rs"]
mod golden;
mod harness;

use std::process::Command;

use recurrent::rt::cpu::simd::Isa;

/// One test: a model against a golden file of `tests/keras/goldens/`.
macro_rules! golden {
    ($test:ident, $golden:literal, $($model:tt)+) => {
        #[test]
        fn $test() {
            use recurrent::prelude::Model as _;
            let mut model = recurrent::rnn_model!($($model)+);
            model.want_input_gradient(true);
            crate::harness::check(&mut model, $golden, |model| model.input_gradient(0));
        }
    };
}

mod cases;

/// A process chooses its instruction set once, so every further one is a process of its own.
#[test]
fn every_instruction_set() {
    let this = std::env::current_exe().expect("the path of this test");
    for isa in Isa::available() {
        let run = Command::new(&this)
            .args(["cases::", "--quiet"])
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
