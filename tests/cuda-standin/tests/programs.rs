//! Mistakes in CUDA source, from NVRTC through cudarc to the report; and launches that only the driver's own functions make.

#[path = "support/bench.rs"]
mod loading;

use std::sync::Arc;

use cuda::bench::{Bench, Config};
use cudarc::{
    driver::{
        CudaContext, CudaSlice, CudaStream, DevicePtr, DriverError, LaunchConfig, PushKernelArg,
        result,
        sys::{self, CUresult},
    },
    nvrtc::{CompileOptions, compile_ptx_with_opts},
};

/// Runs kernel `k` of `source` on 256 words in blocks of `threads`, and returns the words.
fn run(
    context: &Arc<CudaContext>,
    source: &str,
    options: &[&str],
    blocks: u32,
    threads: u32,
) -> Result<Vec<u32>, DriverError> {
    let stream = context.new_stream()?;
    let options = CompileOptions {
        arch: Some("compute_90"),
        options: options.iter().map(|option| option.to_string()).collect(),
        ..CompileOptions::default()
    };
    let ptx = compile_ptx_with_opts(source, options).expect("the source compiles");
    let kernel = context.load_module(ptx)?.load_function("k")?;
    let input: Vec<u32> = (0..256).collect();
    let from = stream.clone_htod(&input)?;
    let mut to = stream.alloc_zeros::<u32>(256)?;
    let shape = LaunchConfig {
        grid_dim: (blocks, 1, 1),
        block_dim: (threads, 1, 1),
        shared_mem_bytes: 0,
    };
    let mut launch = stream.launch_builder(&kernel);
    launch.arg(&from).arg(&mut to);
    // SAFETY: the arguments are the kernel's parameters.
    unsafe { launch.launch(shape) }?;
    stream.clone_dtoh(&to)
}

/// The kernel passes without `-DMISTAKE`, and with it fails with `error` and a report that has `words`.
fn planted(bench: &Bench, source: &str, blocks: u32, threads: u32, error: CUresult, words: &str) {
    let context = CudaContext::new(0).unwrap();
    for seed in 0..3 {
        bench.configure(Config {
            seed,
            starve: seed > 1,
            ..Config::default()
        });
        run(&context, source, &[], blocks, threads).unwrap();
        assert_eq!(bench.reports(), [""; 0]);
        let found = run(&context, source, &["-DMISTAKE"], blocks, threads).unwrap_err();
        assert_eq!(found.0, error, "{found:?}");
        // cudarc shows the report.
        assert!(format!("{found:?}").contains(words), "{found:?}");
        assert!(bench.reports().iter().any(|report| report.contains(words)));
        bench.reset();
        let _ = context.check_err();
    }
}

#[test]
fn a_sum_over_a_block() {
    let Some(bench) = loading::load("a_sum_over_a_block") else {
        return;
    };
    let source = r#"
extern "C" __global__ void k(const unsigned* in, unsigned* out) {
    __shared__ unsigned sums[8];
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned sum = in[i];
    for (int lane = 16; lane > 0; lane /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lane);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
#ifndef MISTAKE
    __syncthreads();
#endif
    unsigned total = 0;
    for (int warp = 0; warp < blockDim.x / 32; warp++) total += sums[warp];
    out[i] = total;
}"#;
    let words = "shared memory";
    planted(
        &bench,
        source,
        2,
        128,
        CUresult::CUDA_ERROR_LAUNCH_FAILED,
        words,
    );
    let context = CudaContext::new(0).unwrap();
    let found = run(&context, source, &[], 2, 128).unwrap();
    let sum = |block: u32| (128 * block..128 * (block + 1)).sum::<u32>();
    assert_eq!((found[0], found[255]), (sum(0), sum(1)));
}

#[test]
fn an_index_outside_of_an_array() {
    let Some(bench) = loading::load("an_index_outside_of_an_array") else {
        return;
    };
    let source = r#"
extern "C" __global__ void k(const unsigned* in, unsigned* out) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
#ifdef MISTAKE
    out[i] = in[i + 1];
#else
    out[i] = in[i + 1 < 256 ? i + 1 : i];
#endif
}"#;
    let error = CUresult::CUDA_ERROR_ILLEGAL_ADDRESS;
    planted(
        &bench,
        source,
        2,
        128,
        error,
        "after an allocation of 1024 bytes",
    );
}

#[test]
fn a_cluster_leaves_too_early() {
    let Some(bench) = loading::load("a_cluster_leaves_too_early") else {
        return;
    };
    let source = r#"
__device__ void barrier() {
    asm volatile("barrier.cluster.arrive.release.aligned;\n barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
extern "C" __global__ void __cluster_dims__(4, 1, 1) k(const unsigned* in, unsigned* out) {
    __shared__ unsigned own[64];
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x, rank, peer, value;
    own[threadIdx.x] = in[i];
    barrier();
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    unsigned address = (unsigned)__cvta_generic_to_shared(own + threadIdx.x);
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(peer) : "r"(address), "r"((rank + 1) % 4));
    asm volatile("ld.shared::cluster.u32 %0, [%1];" : "=r"(value) : "r"(peer) : "memory");
#ifndef MISTAKE
    barrier();
#else
    own[threadIdx.x] = 0;
#endif
    out[i] = value;
}"#;
    let context = CudaContext::new(0).unwrap();
    let found = run(&context, source, &[], 4, 64).unwrap();
    assert_eq!((found[0], found[255]), (64, 63));
    for seed in 0..3 {
        bench.configure(Config {
            seed,
            ..Config::default()
        });
        // A peer has ended, or has overwritten what is read.
        assert!(run(&context, source, &["-DMISTAKE"], 4, 64).is_err());
        bench.reset();
        let _ = context.check_err();
    }
}

/// Launches `k` by `cuLaunchKernelEx` with clusters of `size` blocks.
fn launch_clusters(
    stream: &Arc<CudaStream>,
    function: sys::CUfunction,
    values: &CudaSlice<u32>,
    size: u32,
) -> CUresult {
    let (mut address, _guard) = values.device_ptr(stream);
    let mut parameters = [(&raw mut address).cast::<std::ffi::c_void>()];
    // SAFETY: the configuration is C's, for which zeros are valid; its pointers live while the call runs, and the kernel
    // has one parameter.
    unsafe {
        let mut attribute: sys::CUlaunchAttribute = std::mem::zeroed();
        attribute.id = sys::CUlaunchAttributeID::CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
        attribute.value.clusterDim.x = size;
        attribute.value.clusterDim.y = 1;
        attribute.value.clusterDim.z = 1;
        let mut configuration: sys::CUlaunchConfig = std::mem::zeroed();
        configuration.gridDimX = 8;
        configuration.gridDimY = 1;
        configuration.gridDimZ = 1;
        configuration.blockDimX = 1;
        configuration.blockDimY = 1;
        configuration.blockDimZ = 1;
        configuration.hStream = stream.cu_stream();
        configuration.attrs = &mut attribute;
        configuration.numAttrs = 1;
        let none = std::ptr::null_mut();
        sys::cuLaunchKernelEx(&configuration, function, parameters.as_mut_ptr(), none)
    }
}

#[test]
fn clusters_are_chosen_at_the_launch() {
    let Some(bench) = loading::load("clusters_are_chosen_at_the_launch") else {
        return;
    };
    let source = r#"
extern "C" __global__ void k(unsigned* out) {
    unsigned rank;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    out[blockIdx.x] = rank;
}"#;
    let context = CudaContext::new(0).unwrap();
    let stream = context.new_stream().unwrap();
    let options = CompileOptions {
        arch: Some("compute_90"),
        ..CompileOptions::default()
    };
    let ptx = compile_ptx_with_opts(source, options).unwrap();
    let text = std::ffi::CString::new(ptx.to_src()).unwrap();
    // SAFETY: the text ends with a zero byte, and the module has this kernel.
    let function = unsafe {
        let module = result::module::load_data(text.as_ptr().cast()).unwrap();
        result::module::get_function(module, c"k".to_owned()).unwrap()
    };
    let values = stream.alloc_zeros::<u32>(8).unwrap();
    for (size, expected) in [
        (2, CUresult::CUDA_SUCCESS),
        (3, CUresult::CUDA_ERROR_INVALID_CLUSTER_SIZE),
    ] {
        assert_eq!(launch_clusters(&stream, function, &values, size), expected);
    }
    assert_eq!(
        stream.clone_dtoh(&values).unwrap(),
        [0, 1, 0, 1, 0, 1, 0, 1]
    );
    assert_eq!(bench.counters().launches, 1);
}
