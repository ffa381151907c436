//! Hands the linker the memory map of the board.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=cortex-m.ld");
    println!("cargo::rerun-if-changed=riscv.ld");
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let script = match env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("arm") => "cortex-m.ld",
        Ok("riscv32") => "riscv.ld",
        _ => return,
    };
    println!("cargo::rustc-link-arg-bins=-T{folder}/{script}");
}
