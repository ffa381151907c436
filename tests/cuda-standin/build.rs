//! Gives the library the name under which a program asks for CUDA's driver.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // glibc answers `dlopen("libcuda.so")` with a library that it has loaded already and that calls itself so.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libcuda.so");
    }
}
