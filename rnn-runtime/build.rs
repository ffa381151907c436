//! Decides whether kernels call the longer parts of their code (`cpu::simd::CALLED`), and which instruction sets there are.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RECURRENT_CALLS");
    println!("cargo::rustc-check-cfg=cfg(recurrent_calls, plain, simd128)");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|v| v == value);
    // A crate cannot see how the crates that use it are optimised, but mostly they are optimised as it is itself. Where
    // that is not so, as in this repository, the variable says it.
    if is("PROFILE", "debug") && (is("OPT_LEVEL", "0") || is("RECURRENT_CALLS", "1")) {
        println!("cargo::rustc-cfg=recurrent_calls");
    }
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let simd128 = arch == "wasm32" && features.split(',').any(|f| f == "simd128");
    if simd128 {
        println!("cargo::rustc-cfg=simd128");
    }
    // Where nobody can ask the CPU, code for one instruction set is enough.
    if !simd128 && (arch != "aarch64" || env::var_os("CARGO_FEATURE_STD").is_some()) {
        println!("cargo::rustc-cfg=plain");
    }
}
