//! The driver through cudarc: what a program does with a device, and what it sees when something fails.

#[path = "support/bench.rs"]
mod loading;

use std::sync::Arc;

use cuda::bench::{Bench, Config, Device};
use cudarc::{
    driver::{
        CudaContext, CudaFunction, CudaSlice, CudaStream, DriverError, LaunchConfig, PushKernelArg,
        result,
        sys::{self, CUresult},
    },
    nvrtc::{CompileOptions, Ptx, compile_ptx, compile_ptx_with_opts},
};

const ADD: &str = r#"
extern "C" __global__ void add(const float* a, const float* b, float* c, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) c[i] = a[i] + b[i];
}
extern "C" __global__ void scale(float* a, float by, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) a[i] *= by;
}
__device__ float table[4];
extern "C" __global__ void look(float* a) { a[threadIdx.x] = table[threadIdx.x]; }
"#;

/// A context of a device that is as new.
fn context() -> Arc<CudaContext> {
    CudaContext::new(0).unwrap()
}

fn function(context: &Arc<CudaContext>, name: &str) -> CudaFunction {
    let module = context.load_module(compile_ptx(ADD).unwrap()).unwrap();
    module.load_function(name).unwrap()
}

fn scale(
    stream: &Arc<CudaStream>,
    function: &CudaFunction,
    values: &mut CudaSlice<f32>,
    by: f32,
) -> Result<(), DriverError> {
    let n = values.len() as i32;
    let mut launch = stream.launch_builder(function);
    launch.arg(values).arg(&by).arg(&n);
    // SAFETY: the arguments are the kernel's parameters.
    unsafe { launch.launch(LaunchConfig::for_num_elems(n as u32)) }.map(|_| ())
}

fn is_clean(bench: &Bench) {
    assert_eq!(bench.reports(), [""; 0]);
    assert_eq!(bench.live_allocations(), 0);
}

#[test]
fn vectors_are_added() {
    let Some(bench) = loading::load("vectors_are_added") else {
        return;
    };
    let context = context();
    let stream = context.default_stream();
    let add = function(&context, "add");
    let a: Vec<f32> = (0..1000).map(|i| i as f32).collect();
    let b: Vec<f32> = (0..1000).map(|i| 0.5 * i as f32).collect();
    let (x, y) = (
        stream.clone_htod(&a).unwrap(),
        stream.clone_htod(&b).unwrap(),
    );
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
    assert_eq!(bench.counters().launches, 1);
    assert_eq!(bench.live_allocations(), 3);
    drop((x, y, z));
    is_clean(&bench);
}

#[test]
fn a_cubin_is_ptx_here() {
    let Some(bench) = loading::load("a_cubin_is_ptx_here") else {
        return;
    };
    let context = context();
    // The product asks NVRTC for a CUBIN of the device's own architecture.
    let options = CompileOptions {
        arch: Some("sm_90"),
        ..CompileOptions::default()
    };
    assert!(compile_ptx_with_opts(ADD, options).is_ok());
    let program =
        cudarc::nvrtc::result::create_program(&std::ffi::CString::new(ADD).unwrap(), None).unwrap();
    // SAFETY: the program was made just now, and the sizes are NVRTC's own.
    let cubin = unsafe {
        cudarc::nvrtc::result::compile_program(program, &["--gpu-architecture=sm_90"]).unwrap();
        let mut size = 0;
        cudarc::nvrtc::sys::nvrtcGetCUBINSize(program, &mut size)
            .result()
            .unwrap();
        let mut cubin = vec![0_u8; size];
        cudarc::nvrtc::sys::nvrtcGetCUBIN(program, cubin.as_mut_ptr().cast())
            .result()
            .unwrap();
        cudarc::nvrtc::result::destroy_program(program).unwrap();
        cubin
    };
    let module = context.load_module(Ptx::from_binary(cubin)).unwrap();
    assert!(module.load_function("add").is_ok());
    assert!(module.load_function("subtract").is_err());
    drop(module);
    is_clean(&bench);
}

#[test]
fn a_variable_of_a_module_is_written() {
    let Some(bench) = loading::load("a_variable_of_a_module_is_written") else {
        return;
    };
    let context = context();
    let stream = context.default_stream();
    let module = context.load_module(compile_ptx(ADD).unwrap()).unwrap();
    let mut global = module.get_global("table", &stream).unwrap();
    let bytes = [1.0_f32, 2.0, 3.0, 4.0].map(f32::to_ne_bytes).concat();
    stream.memcpy_htod(&bytes, &mut global).unwrap();
    let mut values = stream.alloc_zeros::<f32>(4).unwrap();
    let look = module.load_function("look").unwrap();
    let mut launch = stream.launch_builder(&look);
    launch.arg(&mut values);
    // SAFETY: the argument is the kernel's parameter.
    unsafe { launch.launch(small(4)) }.unwrap();
    assert_eq!(stream.clone_dtoh(&values).unwrap(), [1.0, 2.0, 3.0, 4.0]);
    drop(values);
    is_clean(&bench);
}

/// One block.
fn small(threads: u32) -> LaunchConfig {
    LaunchConfig {
        grid_dim: (1, 1, 1),
        block_dim: (threads, 1, 1),
        shared_mem_bytes: 0,
    }
}

#[test]
fn streams_wait_for_events_only() {
    let Some(bench) = loading::load("streams_wait_for_events_only") else {
        return;
    };
    let context = context();
    // SAFETY: this test orders streams by itself.
    unsafe { context.disable_event_tracking() };
    let (first, second) = (context.new_stream().unwrap(), context.new_stream().unwrap());
    let scaled = function(&context, "scale");
    for ordered in [true, false] {
        let mut values = first.clone_htod(&[1.0_f32; 64]).unwrap();
        first.synchronize().unwrap();
        scale(&first, &scaled, &mut values, 3.0).unwrap();
        if ordered {
            second.wait(&first.record_event(None).unwrap()).unwrap();
        }
        // Without the event nothing says that the first stream runs before the second.
        let seen = second.clone_dtoh(&values).unwrap();
        assert_eq!(seen[0], if ordered { 3.0 } else { 1.0 });
        first.synchronize().unwrap();
        assert_eq!(second.clone_dtoh(&values).unwrap()[0], 3.0);
    }
    first.synchronize().unwrap();
    is_clean(&bench);
}

/// A copy that has to come after a kernel of another stream, without an event that says so: it overtakes the kernel where
/// streams run ahead, as they may under an odd seed.
#[test]
fn an_odd_seed_lets_streams_run_ahead() {
    let Some(bench) = loading::load("an_odd_seed_lets_streams_run_ahead") else {
        return;
    };
    let context = context();
    // SAFETY: this test orders streams by itself.
    unsafe { context.disable_event_tracking() };
    let (first, second) = (context.new_stream().unwrap(), context.new_stream().unwrap());
    let scaled = function(&context, "scale");
    // SAFETY: all bits are numbers.
    let mut host = unsafe { context.alloc_pinned::<f32>(8) }.unwrap();
    host.as_mut_slice().unwrap().fill(10.0);
    let mut values = first.clone_htod(&[1.0_f32; 8]).unwrap();
    first.synchronize().unwrap();
    for (seed, ordered, expected) in [
        (0, false, 10.0),
        (1, false, 30.0),
        (0, true, 10.0),
        (1, true, 10.0),
    ] {
        bench.configure(Config {
            seed,
            trace: true,
            ..Config::default()
        });
        scale(&first, &scaled, &mut values, 3.0).unwrap();
        if ordered {
            second.wait(&first.record_event(None).unwrap()).unwrap();
        }
        second.memcpy_htod(&host, &mut values).unwrap();
        first.synchronize().unwrap();
        second.synchronize().unwrap();
        assert_eq!(second.clone_dtoh(&values).unwrap()[0], expected);
        let trace = bench.trace();
        let mut order = ["kernel scale", "copy 32 bytes to the device"];
        if expected == 30.0 {
            order.reverse();
        }
        assert_eq!(trace[..2], order);
    }
    drop((values, host));
    first.synchronize().unwrap();
    is_clean(&bench);
}

#[test]
fn a_missing_synchronisation_shows() {
    let Some(bench) = loading::load("a_missing_synchronisation_shows") else {
        return;
    };
    let context = context();
    let stream = context.new_stream().unwrap();
    let scaled = function(&context, "scale");
    let mut values = stream.clone_htod(&[2.0_f32; 16]).unwrap();
    scale(&stream, &scaled, &mut values, 4.0).unwrap();
    assert_eq!(bench.counters().launches, 0, "nobody has waited");
    // SAFETY: all bits are numbers.
    let mut host = unsafe { context.alloc_pinned::<f32>(16) }.unwrap();
    host.as_mut_slice().unwrap().fill(-1.0);
    stream.memcpy_dtoh(&values, &mut host).unwrap();
    assert_eq!(
        bench.counters().launches,
        0,
        "a copy to pinned memory does not wait either"
    );
    assert_eq!(host.as_slice().unwrap()[0], 8.0, "reading it does");
    drop(values);
    stream.synchronize().unwrap();
    is_clean(&bench);
}

#[test]
fn pinned_memory_that_is_freed_too_early_is_seen() {
    let Some(bench) = loading::load("pinned_memory_that_is_freed_too_early_is_seen") else {
        return;
    };
    let context = context();
    let stream = context.new_stream().unwrap();
    let values = stream.clone_htod(&[2.0_f32; 16]).unwrap();
    // SAFETY: the calls are what a program must not do, and the stand-in refuses the copy.
    unsafe {
        let host = result::malloc_host(64, 0).unwrap();
        let slice = std::slice::from_raw_parts_mut(host.cast::<f32>(), 16);
        let (address, _guard) = cudarc::driver::DevicePtr::device_ptr(&values, &stream);
        result::memcpy_dtoh_async(slice, address, stream.cu_stream()).unwrap();
        result::free_host(host).unwrap();
    }
    let error = stream.synchronize().unwrap_err();
    assert_eq!(error.0, CUresult::CUDA_ERROR_INVALID_VALUE);
    assert!(bench.reports()[0].contains("pinned memory that has been freed"));
    bench.reset();
    drop(values);
}

#[test]
fn graphs_are_captured_and_run_again() {
    let Some(bench) = loading::load("graphs_are_captured_and_run_again") else {
        return;
    };
    let context = context();
    // SAFETY: this test orders streams by itself.
    unsafe { context.disable_event_tracking() };
    let (stream, other) = (context.new_stream().unwrap(), context.new_stream().unwrap());
    let scaled = function(&context, "scale");
    let mut a = stream.clone_htod(&[1.0_f32; 8]).unwrap();
    let mut b = stream.clone_htod(&[1.0_f32; 8]).unwrap();
    stream.synchronize().unwrap();
    stream
        .begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)
        .unwrap();
    scale(&stream, &scaled, &mut a, 2.0).unwrap();
    // A second stream takes part by an event, and comes back by another.
    let fork = stream.record_event(None).unwrap();
    other.wait(&fork).unwrap();
    scale(&other, &scaled, &mut b, 3.0).unwrap();
    scale(&stream, &scaled, &mut a, 2.0).unwrap();
    let join = other.record_event(None).unwrap();
    stream.wait(&join).unwrap();
    stream.memcpy_dtod(&a, &mut b).unwrap();
    scale(&stream, &scaled, &mut b, 10.0).unwrap();
    let flags = sys::CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
    let graph = stream.end_capture(flags).unwrap().expect("a graph");
    assert_eq!(
        stream.clone_dtoh(&a).unwrap()[0],
        1.0,
        "a capture runs nothing"
    );
    for times in 1..=3 {
        graph.launch().unwrap();
        let expected = 4.0_f32.powi(times);
        assert_eq!(stream.clone_dtoh(&a).unwrap(), [expected; 8]);
        assert_eq!(stream.clone_dtoh(&b).unwrap(), [10.0 * expected; 8]);
    }
    assert_eq!(bench.counters().launches, 12);
    drop((graph, a, b));
    stream.synchronize().unwrap();
    is_clean(&bench);
}

#[test]
fn a_module_that_is_in_use_is_not_unloaded_silently() {
    let Some(bench) = loading::load("a_module_that_is_in_use_is_not_unloaded_silently") else {
        return;
    };
    let context = context();
    let stream = context.new_stream().unwrap();
    let mut a = stream.clone_htod(&[1.0_f32; 8]).unwrap();
    let scaled = function(&context, "scale");
    scale(&stream, &scaled, &mut a, 2.0).unwrap();
    drop(scaled);
    assert!(bench.reports()[0].contains("waits in a stream"));
    stream.synchronize().unwrap();
    let earlier = bench.reports().len();

    let scaled = function(&context, "scale");
    let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
    stream.begin_capture(mode).unwrap();
    scale(&stream, &scaled, &mut a, 2.0).unwrap();
    let flags = sys::CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
    let graph = stream.end_capture(flags).unwrap().expect("a graph");
    drop(scaled);
    assert!(bench.reports()[earlier].contains("a graph runs a kernel of it"));

    // In the right order there is nothing to say.
    let reports = bench.reports().len();
    drop(graph);
    let scaled = function(&context, "scale");
    scale(&stream, &scaled, &mut a, 2.0).unwrap();
    stream.synchronize().unwrap();
    drop(scaled);
    assert_eq!(bench.reports().len(), reports);
}

#[test]
fn a_capture_refuses_what_it_cannot_take() {
    let Some(_bench) = loading::load("a_capture_refuses_what_it_cannot_take") else {
        return;
    };
    let context = context();
    let (stream, other) = (context.new_stream().unwrap(), context.new_stream().unwrap());
    let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
    let flags = sys::CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
    stream.begin_capture(mode).unwrap();
    assert_eq!(
        stream.synchronize().unwrap_err().0,
        CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED
    );
    assert!(stream.end_capture(flags).is_err());
    // A stream that takes part has to come back.
    let scaled = function(&context, "scale");
    let mut values = other.clone_htod(&[1.0_f32; 8]).unwrap();
    other.synchronize().unwrap();
    // SAFETY: nothing else uses the values.
    unsafe { context.disable_event_tracking() };
    stream.begin_capture(mode).unwrap();
    other.wait(&stream.record_event(None).unwrap()).unwrap();
    scale(&other, &scaled, &mut values, 2.0).unwrap();
    let error = stream.end_capture(flags).err().unwrap();
    assert_eq!(error.0, CUresult::CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
    assert_eq!(other.clone_dtoh(&values).unwrap()[0], 1.0);
}

#[test]
fn memory_comes_from_pools_or_not() {
    let Some(bench) = loading::load("memory_comes_from_pools_or_not") else {
        return;
    };
    for has_pools in [true, false] {
        bench.set_device(Device {
            has_pools,
            memory: 1 << 20,
            ..Device::default()
        });
        let context = context();
        assert_eq!(context.has_async_alloc(), has_pools);
        let stream = context.new_stream().unwrap();
        let (free, total) = context.mem_get_info().unwrap();
        assert!(free <= total && total == 1 << 20);
        // Memory that a stream has yet to free can be had again.
        for _ in 0..4 {
            let half = stream.alloc_zeros::<u8>(600_000).unwrap();
            drop(half);
        }
        let half = stream.alloc_zeros::<u8>(600_000).unwrap();
        let error = stream.alloc_zeros::<u8>(600_000).unwrap_err();
        assert_eq!(error.0, CUresult::CUDA_ERROR_OUT_OF_MEMORY);
        drop(half);
        assert!(stream.alloc_zeros::<u8>(600_000).is_ok());
        stream.synchronize().unwrap();
        is_clean(&bench);
    }
}

#[test]
fn devices_that_a_program_cannot_use() {
    let Some(bench) = loading::load("devices_that_a_program_cannot_use") else {
        return;
    };
    bench.set_device(Device {
        count: 0,
        ..Device::default()
    });
    // SAFETY: it takes flags only.
    assert_eq!(unsafe { sys::cuInit(0) }, CUresult::CUDA_ERROR_NO_DEVICE);
    bench.set_device(Device {
        newest_ptx: 700,
        ..Device::default()
    });
    let load = || context().load_module(compile_ptx(ADD).unwrap()).map(|_| ());
    assert_eq!(
        load().unwrap_err().0,
        CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION
    );
    bench.set_device(Device {
        capability: 80,
        ..Device::default()
    });
    assert_eq!(context().compute_capability().unwrap(), (8, 0));
    let options = CompileOptions {
        arch: Some("compute_90"),
        ..CompileOptions::default()
    };
    let ptx = compile_ptx_with_opts(ADD, options).unwrap();
    let error = context().load_module(ptx).expect_err("an error");
    assert_eq!(error.0, CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU);
    let error = context()
        .load_module(Ptx::from_binary(b"\x7fELF".to_vec()))
        .expect_err("an error");
    assert_eq!(error.0, CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU);
}

#[test]
fn allocations_and_launches_fail_when_told() {
    let Some(bench) = loading::load("allocations_and_launches_fail_when_told") else {
        return;
    };
    let context = context();
    let stream = context.new_stream().unwrap();
    bench.fail_allocation(2);
    let mut values = stream.alloc_zeros::<f32>(8).unwrap();
    assert_eq!(
        stream.alloc_zeros::<f32>(8).unwrap_err().0,
        CUresult::CUDA_ERROR_OUT_OF_MEMORY
    );
    assert!(stream.alloc_zeros::<f32>(8).is_ok());
    let scaled = function(&context, "scale");
    bench.fail_launch(2);
    scale(&stream, &scaled, &mut values, 2.0).unwrap();
    stream.synchronize().unwrap();
    // The second launch is taken, and fails when it runs; then everything does.
    scale(&stream, &scaled, &mut values, 2.0).unwrap();
    assert_eq!(
        stream.synchronize().unwrap_err().0,
        CUresult::CUDA_ERROR_LAUNCH_FAILED
    );
    assert_eq!(
        stream.clone_dtoh(&values).unwrap_err().0,
        CUresult::CUDA_ERROR_LAUNCH_FAILED
    );
    bench.reset();
    // cudarc keeps what failed in a `drop` for the next call.
    assert!(context.check_err().is_err());
    assert!(stream.clone_dtoh(&values).is_ok());
    drop(values);
}

#[test]
fn limits_of_launches() {
    let Some(bench) = loading::load("limits_of_launches") else {
        return;
    };
    let context = context();
    let stream = context.new_stream().unwrap();
    let source = r#"
extern "C" __global__ void __launch_bounds__(64) bounded(float* a) { a[threadIdx.x] = 1.0f; }
extern "C" __global__ void __cluster_dims__(4, 1, 1) clustered(float* a) {
    a[blockIdx.x * blockDim.x + threadIdx.x] = 1.0f;
}
"#;
    let options = CompileOptions {
        arch: Some("compute_90"),
        ..CompileOptions::default()
    };
    let module = context
        .load_module(compile_ptx_with_opts(source, options).unwrap())
        .unwrap();
    let (bounded, clustered) = (
        module.load_function("bounded").unwrap(),
        module.load_function("clustered").unwrap(),
    );
    let mut values = stream.alloc_zeros::<f32>(4096).unwrap();
    let mut run =
        |function: &CudaFunction, grid: u32, threads: u32, shared: u32, together: bool| {
            let mut launch = stream.launch_builder(function);
            launch.arg(&mut values);
            let shape = LaunchConfig {
                grid_dim: (grid, 1, 1),
                block_dim: (threads, 1, 1),
                shared_mem_bytes: shared,
            };
            // SAFETY: the argument is the kernel's parameter.
            let result = unsafe {
                match together {
                    true => launch.launch_cooperative(shape),
                    false => launch.launch(shape),
                }
            };
            result.map(|_| ()).map_err(|error| error.0)
        };
    let invalid = Err(CUresult::CUDA_ERROR_INVALID_VALUE);
    assert_eq!(run(&bounded, 1, 64, 0, false), Ok(()));
    assert_eq!(run(&bounded, 1, 65, 0, false), invalid, "__launch_bounds__");
    assert_eq!(run(&clustered, 4, 1025, 0, false), invalid, "threads");
    assert_eq!(
        run(&bounded, 1, 32, 49_153, false),
        invalid,
        "shared memory that was not asked for"
    );
    let most = sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
    assert!(
        bounded.set_attribute(most, 300_000).is_err(),
        "more than there is"
    );
    bounded.set_attribute(most, 200_000).unwrap();
    assert_eq!(run(&bounded, 1, 32, 200_000, false), Ok(()));
    assert_eq!(
        run(&bounded, 1000, 64, 200_000, true),
        Err(CUresult::CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE)
    );
    assert_eq!(
        run(&clustered, 6, 32, 0, false),
        Err(CUresult::CUDA_ERROR_INVALID_CLUSTER_SIZE),
        "not a multiple"
    );
    assert_eq!(run(&clustered, 8, 32, 0, false), Ok(()));
    stream.synchronize().unwrap();
    drop(values);
    assert_eq!(bench.live_allocations(), 0);
}

#[test]
fn leaks_and_double_frees_are_seen() {
    let Some(bench) = loading::load("leaks_and_double_frees_are_seen") else {
        return;
    };
    let context = context();
    let stream = context.default_stream();
    let leaked = stream.alloc_zeros::<f32>(8).unwrap().leak();
    assert_eq!(bench.live_allocations(), 1);
    // SAFETY: freeing twice is what the stand-in refuses.
    unsafe {
        result::free_sync(leaked).unwrap();
        assert_eq!(bench.live_allocations(), 0);
        assert_eq!(
            result::free_sync(leaked).unwrap_err().0,
            CUresult::CUDA_ERROR_INVALID_VALUE
        );
    }
    assert!(bench.reports()[0].contains("double free"));
}

#[test]
fn memory_that_nobody_has_written_is_not_copied_silently() {
    let Some(bench) = loading::load("memory_that_nobody_has_written_is_not_copied_silently") else {
        return;
    };
    let context = context();
    let stream = context.default_stream();
    // SAFETY: any bits are a number.
    let values = unsafe { stream.alloc::<f32>(8) }.unwrap();
    stream.clone_dtoh(&values).unwrap();
    assert!(bench.reports()[0].contains("32 of which nobody has written"));
    bench.reset();
    bench.configure(Config {
        uninitialised: false,
        ..Config::default()
    });
    stream.clone_dtoh(&values).unwrap();
    assert_eq!(bench.reports(), [""; 0]);
}

#[test]
fn events_measure_time() {
    let Some(_bench) = loading::load("events_measure_time") else {
        return;
    };
    let context = context();
    let stream = context.new_stream().unwrap();
    let scaled = function(&context, "scale");
    let mut values = stream.clone_htod(&vec![1.0_f32; 4096]).unwrap();
    let flags = Some(sys::CUevent_flags::CU_EVENT_DEFAULT);
    let start = stream.record_event(flags).unwrap();
    scale(&stream, &scaled, &mut values, 2.0).unwrap();
    let end = stream.record_event(flags).unwrap();
    assert!(!end.is_complete(), "nobody has waited");
    end.synchronize().unwrap();
    assert!(start.elapsed_ms(&end).unwrap() > 0.0);
}
