//! Decides whether kernels call the longer parts of their code (`cpu::simd::CALLED`).

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RECURRENT_CALLS");
    println!("cargo::rustc-check-cfg=cfg(recurrent_calls)");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|v| v == value);
    // A crate cannot see how the crates that use it are optimised, but mostly they are optimised as it is itself. Where
    // that is not so, as in this repository, the variable says it.
    if is("PROFILE", "debug") && (is("OPT_LEVEL", "0") || is("RECURRENT_CALLS", "1")) {
        println!("cargo::rustc-cfg=recurrent_calls");
    }
}
