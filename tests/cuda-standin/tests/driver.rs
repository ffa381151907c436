//! The driver through cudarc: what a program does with a device.

use cuda::bench::{self, Bench};
use cudarc::{
    driver::{CudaContext, LaunchConfig, PushKernelArg},
    nvrtc::compile_ptx,
};

/// The stand-in; none where this machine lacks NVRTC.
fn load() -> Option<Bench> {
    match bench::load() {
        Ok(bench) => Some(bench),
        Err(reason) => {
            println!("skipped: {reason}");
            None
        }
    }
}

const ADD: &str = r#"
extern "C" __global__ void add(const float* a, const float* b, float* c, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) c[i] = a[i] + b[i];
}"#;

#[test]
fn vectors_are_added() {
    let Some(bench) = load() else { return };
    let context = CudaContext::new(0).unwrap();
    let stream = context.default_stream();
    let module = context.load_module(compile_ptx(ADD).unwrap()).unwrap();
    let add = module.load_function("add").unwrap();
    let a: Vec<f32> = (0..1000).map(|i| i as f32).collect();
    let b: Vec<f32> = (0..1000).map(|i| 0.5 * i as f32).collect();
    let (x, y) = (stream.clone_htod(&a).unwrap(), stream.clone_htod(&b).unwrap());
    let mut z = stream.alloc_zeros::<f32>(1000).unwrap();
    let n = 1000_i32;
    let mut launch = stream.launch_builder(&add);
    launch.arg(&x).arg(&y).arg(&mut z).arg(&n);
    // SAFETY: the arguments are the kernel's parameters.
    unsafe { launch.launch(LaunchConfig::for_num_elems(1000)) }.unwrap();
    let c = stream.clone_dtoh(&z).unwrap();
    for i in 0..1000 {
        assert_eq!(c[i], a[i] + b[i]);
    }
    assert_eq!(bench.reports(), [""; 0]);
    assert_eq!(bench.counters().launches, 1);
    drop((x, y, z));
    assert_eq!(bench.live_allocations(), 0);
}
