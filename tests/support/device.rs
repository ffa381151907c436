//! The device that the models of a test program run on.
//!
//! RECURRENT_TEST_DEVICE is `cuda` for a GPU, or `standin` for the driver of `tests/cuda-standin`, which runs the kernels on
//! the CPU and checks every access. Without it models stay on the CPU, or where the program says.

#[allow(unused_imports, reason = "no package needs all of them")]
#[cfg(feature = "cuda")]
pub use with_cuda::{check_device, device, executed, on_device, reorder};

/// `model` as it is.
#[cfg(not(feature = "cuda"))]
pub fn on_device<M>(model: M) -> M {
    model
}

/// Nothing: there is no device.
#[cfg(not(feature = "cuda"))]
pub fn check_device() {}

#[cfg(feature = "cuda")]
#[path = "skip.rs"]
pub mod skip;

#[allow(dead_code, reason = "no package needs all of it")]
#[cfg(feature = "cuda")]
mod with_cuda {
    use std::{env, sync::OnceLock};

    use cuda::bench::{Bench, Config, load};
    use recurrent::prelude::{Device, Model};

    struct Standing {
        device: Device,
        /// The stand-in, if it is the device.
        bench: Option<Bench>,
    }

    static STANDING: OnceLock<Standing> = OnceLock::new();

    /// The device of this program, `usual` where RECURRENT_TEST_DEVICE names none.
    fn standing(usual: &str) -> &'static Standing {
        STANDING.get_or_init(|| {
            let name = env::var("RECURRENT_TEST_DEVICE").unwrap_or_else(|_| usual.to_owned());
            if name != "standin" {
                let device = name.parse().unwrap_or_else(|e| panic!("{e}"));
                return Standing {
                    device,
                    bench: None,
                };
            }
            match load() {
                Ok(bench) => {
                    let seed = env::var("RECURRENT_TEST_SEED").unwrap_or_default();
                    let seed = seed.parse().unwrap_or(0);
                    bench.configure(Config {
                        seed,
                        starve: seed > 1,
                        perturb: seed,
                        ..Config::default()
                    });
                    Standing {
                        device: Device::cuda(0)
                            .unwrap_or_else(|e| panic!("{e}\n{}", bench.reports().join("\n"))),
                        bench: Some(bench),
                    }
                }
                Err(reason) => {
                    let program = env::current_exe().unwrap_or_default();
                    let program = program.file_stem().unwrap_or_default().to_string_lossy();
                    super::skip::skipped(
                        &format!("the models of {program} on a device"),
                        &reason.to_string(),
                    );
                    Standing {
                        device: Device::cpu(),
                        bench: None,
                    }
                }
            }
        })
    }

    /// A device, the stand-in where RECURRENT_TEST_DEVICE names none; `None` if it cannot be had.
    pub fn device() -> Option<&'static Device> {
        let device = &standing("standin").device;
        (!device.is_cpu()).then_some(device)
    }

    /// From now on the stand-in runs blocks and warps in another order, and lets some starve. A GPU does as it likes.
    pub fn reorder(seed: u32) {
        if let Some(bench) = &standing("standin").bench {
            bench.configure(Config {
                seed,
                starve: seed > 1,
                ..Config::default()
            });
        }
    }

    /// Instructions of PTX that warps have executed since the program has its device; `None` if that is not the stand-in.
    pub fn executed() -> Option<u64> {
        let bench = standing("standin").bench.as_ref();
        bench.map(|b| b.counters().warp_instructions)
    }

    /// `model` on the device.
    ///
    /// # Panics
    /// If the device does not take it.
    pub fn on_device<M: Model>(model: M) -> M {
        let Standing { device, bench } = standing("cpu");
        let reports = || bench.as_ref().map(Bench::reports).unwrap_or_default();
        let moved = model.to(device);
        moved.unwrap_or_else(|e| panic!("{e}\n{}", reports().join("\n")))
    }

    /// Looks at what the stand-in has found so far: accesses out of bounds, races, reads of what nobody has written.
    ///
    /// # Panics
    /// If there is anything.
    pub fn check_device() {
        let reports = standing("cpu").bench.as_ref().map(Bench::reports);
        let reports = reports.unwrap_or_default();
        assert!(reports.is_empty(), "{}", reports.join("\n"));
    }
}
