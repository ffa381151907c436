//! The cells of `recurrent::cells` against their papers' formulas in double precision: outputs, final
//! states, and the gradients of every weight, input and initial state. `cases.rs` is written by
//! `tests/keras/cells.py`, with the numbers.

#[path = "../support/golden.rs"]
mod golden;
#[path = "../grid/harness.rs"]
mod harness;

use std::process::Command;

use recurrent::rt::cpu::simd::Isa;

/// Absolute, as the harness looks for files from the folder of another crate.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keras/grid/cells");

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
