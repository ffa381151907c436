//! Tests that a machine cannot run say so where nobody overlooks it.

use std::{env, fs, io::Write};

/// Says that a test is skipped and why, and writes that to the file that `RECURRENT_SKIPPED` names:
/// `cargo test` shows nothing of a test that passes, `cargo xtask check` ends with these lines.
///
/// # Panics
/// If the file cannot be written.
pub fn skipped(what: &str, why: &str) {
    let line = format!("SKIPPED: {what}: {why}\n");
    print!("{line}");
    if let Some(path) = env::var_os("RECURRENT_SKIPPED") {
        let file = fs::File::options().append(true).create(true).open(path);
        let mut file = file.expect("the folder of RECURRENT_SKIPPED is there");
        // In one piece, as tests run side by side.
        file.write_all(line.as_bytes())
            .expect("the line is written");
    }
}
