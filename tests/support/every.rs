//! A test program on every instruction set.

use std::process::Command;

use recurrent::Isa;

/// Runs the tests of this process again on every instruction set: a process chooses its own once.
///
/// # Panics
/// With the report of a run that failed.
pub fn every_instruction_set() {
    // Instruction sets are the CPU's.
    if std::env::var_os("RECURRENT_TEST_DEVICE").is_some() {
        return;
    }
    let this = std::env::current_exe().expect("the path of this test");
    for isa in Isa::available() {
        let run = Command::new(&this)
            .args(["--skip", "every_instruction_set", "--quiet"])
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
