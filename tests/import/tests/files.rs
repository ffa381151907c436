//! One test for each file: build.rs writes them.

include!(concat!(env!("OUT_DIR"), "/files.rs"));
