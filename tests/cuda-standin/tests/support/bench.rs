//! The stand-in for a test, or a line that says why there is none.

#[path = "../../../support/skip.rs"]
mod skip;

use cuda::bench::{self, Bench};

/// The stand-in; none where this machine lacks NVRTC.
pub fn load(test: &str) -> Option<Bench> {
    let bench = bench::load();
    let bench =
        bench.inspect_err(|why| skip::skipped(&format!("cuda-standin {test}"), &why.to_string()));
    bench.ok()
}
