//! Writes down the bits that a test's model computes, so that `cargo xtask bits` can compare two
//! versions of this repository.

use std::{env, fs, io::Write, path::Path, thread};

/// Appends a hash of `numbers` to the record of this test, if `RECURRENT_BITS` names a folder.
///
/// The folder has a file for each test program, with lines `test isa what hash`. Tests run on
/// several threads and in several processes at once, so each line is written in one piece.
pub fn record(isa: &str, what: &str, numbers: &[f32]) {
    let Some(folder) = env::var_os("RECURRENT_BITS") else {
        return;
    };
    let program = env::current_exe().expect("the path of this test");
    let program = program.file_stem().expect("its name").to_string_lossy();
    let program = program.rsplit_once('-').map_or(&*program, |(name, _)| name);
    let thread = thread::current();
    let test = thread.name().expect("tests run on threads of their names");
    let what = what.replace(' ', "_");
    let line = format!("{test} {isa} {what} {:016x}\n", hash(numbers));
    let path = Path::new(&folder).join(program).with_extension("txt");
    let mut file = fs::File::options().append(true).create(true).open(path);
    let file = file.as_mut().expect("the folder RECURRENT_BITS is there");
    file.write_all(line.as_bytes())
        .expect("the line is written");
}

/// [`record`] for a test program that runs again on every instruction set: what its own choice
/// computes is not written down a second time.
#[allow(dead_code)] // Not every package runs its programs again.
pub fn record_here(what: &str, numbers: &[f32]) {
    if let Ok(isa) = env::var("RECURRENT_ISA") {
        record(&isa, what, numbers);
    }
}

/// FNV-1a over the words.
fn hash(numbers: &[f32]) -> u64 {
    numbers.iter().fold(0xcbf2_9ce4_8422_2325, |hash, number| {
        let hash = hash ^ u64::from(number.to_bits());
        // Twice, so that a difference in the highest bits reaches all of them.
        let hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        (hash ^ hash >> 32).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
