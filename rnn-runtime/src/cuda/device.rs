//! One GPU: its context and its streams, and what starts kernels there.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, IsTerminal as _},
    panic::resume_unwind,
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use cudarc::{
    driver::{
        CudaContext, CudaFunction, CudaGraph, CudaModule, CudaSlice, CudaStream, DevicePtr,
        DeviceRepr, DriverError, LaunchConfig, PushKernelArg, sys,
    },
    nvrtc::Ptx,
};

use super::{
    compile::{compile, compile_all},
    operations::{OPERATIONS, group_of, text_of},
    parameters::{self, Operation},
    slice::{Slice, bind},
    staging::{self, Staging, Streams},
};
use crate::{error::Error, precision::Precision};

/// A GPU that a program uses.
pub struct CudaDevice {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    /// For what may run at the same time.
    side: Arc<CudaStream>,
    /// Copies from the host run here while kernels run on `stream`.
    copies: Arc<CudaStream>,
    name: String,
    ordinal: usize,
    architecture: i32,
    multiprocessors: usize,
    /// Bytes that a block may have.
    shared_memory: usize,
    /// Whether steps may run as persistent kernels.
    persistent: bool,
    /// Those of [`OPERATIONS`] that have been needed.
    operations: [Mutex<Option<Arc<CudaModule>>>; OPERATIONS.len()],
    /// Kernels by name, found when first used.
    functions: Mutex<BTreeMap<&'static str, CudaFunction>>,
    staging: Mutex<Staging>,
    /// How often the host has waited.
    waits: AtomicU64,
    /// Kernels that have been started, or recorded.
    started: AtomicUsize,
}

impl fmt::Debug for CudaDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cuda:{} ({})", self.ordinal, self.name)
    }
}

/// The oldest architecture with what `kernels/tensor.cuh` needs.
const TENSOR_ARCHITECTURE: i32 = 80;

/// Threads of a block of every kernel.
pub(super) const THREADS: u32 = 256;

/// An error of the driver.
pub(super) fn failed(what: &str, e: DriverError) -> Error {
    let name = e.error_name().map_or("an unknown error".into(), |n| {
        n.to_string_lossy().into_owned()
    });
    let words = e
        .error_string()
        .map_or(String::new(), |s| format!(": {}", s.to_string_lossy()));
    Error::Device(format!("cuda: {what}: {name}{words}"))
}

impl CudaDevice {
    /// GPU number `ordinal`.
    ///
    /// # Errors
    /// [`Error::Device`] says what is missing: the driver, NVRTC, such a GPU.
    pub fn new(ordinal: usize) -> Result<CudaDevice, Error> {
        // SAFETY: it only tries to load the library. Without this question the first call would panic.
        if !unsafe { sys::is_culib_present() } {
            return Err(Error::Device(
                "cuda: NVIDIA's driver is not there (libcuda.so.1, on Windows nvcuda.dll): this machine has no NVIDIA GPU, \
                 or its driver is not installed"
                    .to_owned(),
            ));
        }
        let start = |e: DriverError| match e.0 {
            sys::CUresult::CUDA_ERROR_NO_DEVICE => {
                Error::Device("cuda: the driver finds no NVIDIA GPU on this machine".to_owned())
            }
            sys::CUresult::CUDA_ERROR_INVALID_DEVICE => {
                let count = CudaContext::device_count().unwrap_or(0);
                Error::Device(format!(
                    "cuda: there is no GPU number {ordinal}; the driver finds {count}, counted from 0"
                ))
            }
            _ => failed("the driver does not start", e),
        };
        let context = CudaContext::new(ordinal).map_err(start)?;
        // SAFETY: everything runs on one stream, and what runs beside it is joined to it before anything is freed or
        // used again: no event of a slice has to say what waits for what. `staging.rs` sees to copies from the host.
        unsafe { context.disable_event_tracking() };
        let stream = context.new_stream().map_err(start)?;
        let side = context.new_stream().map_err(start)?;
        let copies = context.new_stream().map_err(start)?;
        let (major, minor) = context.compute_capability().map_err(start)?;
        let architecture = 10 * major + minor;
        let attribute = |which| {
            let value = context.attribute(which).map_err(start)?;
            Ok::<_, Error>(usize::try_from(value).unwrap_or(0))
        };
        let multiprocessors =
            attribute(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
        let shared_memory = attribute(
            sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
        )?;
        let name = context.name().map_err(start)?;
        let device = CudaDevice {
            context,
            stream,
            side,
            copies,
            name,
            ordinal,
            architecture,
            multiprocessors: multiprocessors.max(1),
            shared_memory,
            // To see what persistent kernels gain, and for tests of what runs without them.
            persistent: std::env::var_os("RECURRENT_CUDA_PERSISTENT").is_none_or(|v| v != "0"),
            operations: Default::default(),
            functions: Mutex::default(),
            staging: Mutex::default(),
            waits: AtomicU64::new(0),
            started: AtomicUsize::new(0),
        };
        // A machine without NVRTC, or with one that does not go with the driver, has no device.
        device.operations(0)?;
        Ok(device)
    }

    /// Says on a terminal, once, why there is no device, unless there is no driver or no GPU: the CPU is slower, and nothing else
    /// shows.
    pub(crate) fn say_why_not(reason: &Error) {
        static ONCE: Once = Once::new();
        // SAFETY: it only tries to load the library.
        let driver = unsafe { sys::is_culib_present() };
        // A driver that does not start may have one.
        let found = driver
            && match CudaContext::device_count() {
                Ok(count) => count > 0,
                Err(DriverError(e)) => e != sys::CUresult::CUDA_ERROR_NO_DEVICE,
            };
        if found && io::stderr().is_terminal() {
            ONCE.call_once(|| eprintln!("on the CPU, though there is a driver for GPUs: {reason}"));
        }
    }

    /// Its name, as the driver gives it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which of the machine's GPUs it is.
    pub fn ordinal(&self) -> usize {
        self.ordinal
    }

    /// How often the host has waited for it.
    pub fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }

    /// Such as 90 for `sm_90`.
    pub fn architecture(&self) -> i32 {
        self.architecture
    }

    /// Bytes of shared memory that the weights of a persistent kernel may take; 0 if nobody wants one.
    pub(super) fn persistent_room(&self) -> usize {
        match self.persistent {
            true => self.shared_memory,
            false => 0,
        }
    }

    /// Whether products can be made in this precision.
    ///
    /// # Errors
    /// [`Error::Device`] if the GPU is too old for it.
    pub fn check_precision(&self, precision: Precision) -> Result<(), Error> {
        if precision == Precision::Float32 || self.architecture >= TENSOR_ARCHITECTURE {
            return Ok(());
        }
        Err(Error::Device(format!(
            "cuda:{}: {precision} needs a GPU of compute capability 8.0 or later; {} has {}.{}, and computes in float32",
            self.ordinal,
            self.name,
            self.architecture / 10,
            self.architecture % 10
        )))
    }

    /// How many blocks run at once, at least.
    pub(super) fn multiprocessors(&self) -> usize {
        self.multiprocessors
    }

    /// Bytes of shared memory that a block may have.
    pub(super) fn shared_memory(&self) -> usize {
        self.shared_memory
    }

    /// Compiles texts, all at once, and loads them.
    pub(super) fn modules<const N: usize>(
        &self,
        sources: [Option<String>; N],
    ) -> Result<[Option<Arc<CudaModule>>; N], Error> {
        let codes = compile_all(&sources, self.architecture);
        let mut modules = [const { None }; N];
        for (module, code) in modules.iter_mut().zip(codes) {
            if let Some(code) = code {
                *module = Some(load(&self.context, code?)?);
            }
        }
        Ok(modules)
    }

    /// Room for so many values; not written yet.
    ///
    /// # Errors
    /// [`Error::Device`] says how much was asked for, if the device has not so much.
    pub(super) fn room<T: DeviceRepr>(&self, len: usize, what: &str) -> Result<Slice<T>, Error> {
        // SAFETY: nothing reads what nothing has written: kernels write before they read, and `copy_out` reads what kernels wrote.
        let room = unsafe { self.stream.alloc::<T>(len.max(1)) };
        room.map(Slice).map_err(|e| {
            if e.0 != sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY {
                return failed(what, e);
            }
            let asked = len * size_of::<T>();
            let free = self
                .context
                .mem_get_info()
                .map_or(String::new(), |(free, total)| {
                    format!("; {} MiB of {} MiB are free", free >> 20, total >> 20)
                });
            Error::Device(format!(
                "cuda: out of memory: {what} would take {} MiB ({asked} bytes){free}",
                asked >> 20
            ))
        })
    }

    /// Copies numbers to the device. They have been read when this returns, the copy may still be to come.
    pub(super) fn upload<T: DeviceRepr>(
        &self,
        from: &[T],
        to: &mut CudaSlice<T>,
    ) -> Result<(), Error> {
        if from.is_empty() {
            return Ok(());
        }
        if from.len() > to.len() {
            return Err(Error::Device(
                "cuda: more numbers than there is room for".to_owned(),
            ));
        }
        // SAFETY: these are the bytes of the numbers, which have no padding: CUDA knows their types.
        let bytes = unsafe { std::slice::from_raw_parts(from.as_ptr().cast(), size_of_val(from)) };
        let mut staging = self.staging.lock().unwrap_or_else(PoisonError::into_inner);
        let streams = Streams {
            copies: &self.copies,
            kernels: &self.stream,
        };
        let mut staged = true;
        for (i, part) in bytes.chunks(staging::LARGEST).enumerate() {
            let place = self.address(to) + (i * staging::LARGEST) as u64;
            // SAFETY: `to` has room for all parts, and is freed by the stream, after the copy.
            let done = unsafe { staging.copy(streams, part, place) };
            staged &= done.map_err(|e| failed("copying to the device", e))?;
        }
        drop(staging);
        if staged {
            return Ok(());
        }
        let copied = self.stream.memcpy_htod(from, to);
        copied.map_err(|e| failed("copying to the device", e))?;
        // Where the GPU reads the host's memory by itself, it may not have read it yet.
        self.wait()
    }

    /// Copies the first numbers of a slice from the device, and waits for them.
    pub(super) fn download<T: DeviceRepr>(
        &self,
        from: &CudaSlice<T>,
        to: &mut [T],
    ) -> Result<(), Error> {
        if to.is_empty() {
            return self.wait();
        }
        let Some(from) = from.try_slice(..to.len()) else {
            return Err(Error::Device(
                "cuda: more numbers are asked for than there are".to_owned(),
            ));
        };
        let copied = self.stream.memcpy_dtoh(&from, to);
        copied.map_err(|e| failed("copying from the device", e))?;
        self.wait()
    }

    /// Fills a slice with zeros.
    pub(super) fn zero<T: DeviceRepr + cudarc::driver::ValidAsZeroBits>(
        &self,
        slice: &mut CudaSlice<T>,
    ) -> Result<(), Error> {
        let done = self.stream.memset_zeros(slice);
        done.map_err(|e| failed("filling with zeros", e))
    }

    /// Fills a slice with NaN.
    pub(super) fn poison(&self, slice: &CudaSlice<f32>) -> Result<(), Error> {
        // Training runs on another thread than the one that has made the device.
        let bound = self.context.bind_to_thread();
        bound.map_err(|e| failed("filling with NaN", e))?;
        let (address, bytes) = (self.address(slice), 4 * slice.len());
        // SAFETY: the bytes are those of the slice, and whatever uses it runs on this stream.
        let done = unsafe {
            cudarc::driver::result::memset_d8_async(address, 0xff, bytes, self.stream.cu_stream())
        };
        done.map_err(|e| failed("filling with NaN", e))
    }

    /// Where a slice lies.
    pub(super) fn address<T>(&self, slice: &CudaSlice<T>) -> u64 {
        slice.device_ptr(&self.stream).0
    }

    /// Waits for everything that was started. What failed on the way is found here.
    pub fn wait(&self) -> Result<(), Error> {
        self.waits.fetch_add(1, Ordering::Relaxed);
        self.stream
            .synchronize()
            .map_err(|e| failed("a kernel fails, and the program has to be started again", e))
    }

    /// Starts one of the kernels that belong to no model.
    pub(super) fn run<P: Operation>(
        &self,
        parameters: &P,
        blocks: (u32, u32, u32),
    ) -> Result<(), Error> {
        self.launcher().run(parameters, blocks)
    }

    /// What starts kernels on the device's stream.
    pub(super) fn launcher(&self) -> Launcher<'_> {
        Launcher {
            device: self,
            stream: &self.stream,
            side: &self.side,
        }
    }

    /// Writes down what `f` starts, without running it.
    pub(super) fn record(
        &self,
        f: impl FnOnce(Launcher<'_>) -> Result<(), Error>,
    ) -> Result<Recording, Error> {
        let recorded = |e| failed("recording a graph", e);
        // Streams of its own, since another thread may be using the device's.
        let stream = self.context.new_stream().map_err(recorded)?;
        let side = self.context.new_stream().map_err(recorded)?;
        stream
            .begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)
            .map_err(recorded)?;
        let done = f(Launcher {
            device: self,
            stream: &stream,
            side: &side,
        });
        // It ends whatever happened.
        let graph = stream.end_capture(sys::CUgraphInstantiate_flags(0));
        done?;
        match graph.map_err(recorded)? {
            Some(graph) => Ok(Recording {
                graph,
                context: Arc::clone(&self.context),
            }),
            None => Err(Error::Device("cuda: nothing was recorded".to_owned())),
        }
    }

    /// Starts what has been recorded.
    pub(super) fn replay(&self, recording: &Recording) -> Result<(), Error> {
        let bound = self.context.bind_to_thread();
        // SAFETY: the graph is the recording's; the driver keeps what runs of it when it is destroyed. The slices that its
        // kernels name are those of the engine, whose addresses are part of what a recording is known by; they are freed in
        // the order of the stream, after the graph.
        let started = bound.and_then(|()| unsafe {
            cudarc::driver::result::graph::launch(
                recording.graph.cu_graph_exec(),
                self.stream.cu_stream(),
            )
        });
        started.map_err(|e| failed("a graph does not start", e))
    }

    /// A group of [`OPERATIONS`]. Whoever needs another one does not wait while this one is compiled.
    fn operations(&self, group: usize) -> Result<Arc<CudaModule>, Error> {
        let operations = self.operations[group].lock();
        let mut operations = operations.unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = &*operations {
            return Ok(Arc::clone(module));
        }
        let code = compile(&text_of(OPERATIONS[group]), self.architecture)?;
        let module = load(&self.context, code)?;
        *operations = Some(Arc::clone(&module));
        Ok(module)
    }

    /// Compiles groups of [`OPERATIONS`] that will be needed, at once rather than each when it is.
    pub(super) fn prepare(&self, groups: &[usize]) -> Result<(), Error> {
        thread::scope(|scope| {
            let threads = groups.iter().map(|&group| {
                let prepare = move || self.operations(group).map(drop);
                scope.spawn(prepare)
            });
            // All of them are started before one is waited for.
            let threads: Vec<_> = threads.collect();
            let mut done = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            done.try_for_each(|result| result)
        })
    }

    /// A fused kernel of a module, over so many buffers and with so many bytes of shared memory.
    pub(super) fn fused_function(
        &self,
        module: &Arc<CudaModule>,
        name: &str,
        offsets: usize,
        shared: u32,
    ) -> Result<FusedFunction, Error> {
        let bound = self.context.bind_to_thread();
        let function = bound.and_then(|()| module.load_function(name));
        let function = function.map_err(|e| failed("a kernel is missing", e))?;
        if shared > 0 {
            // More than 48 KiB have to be asked for.
            let attribute =
                sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            let set = function.set_attribute(attribute, shared as i32);
            set.map_err(|e| failed("asking for shared memory", e))?;
        }
        Ok(FusedFunction {
            function,
            offsets,
            shared,
        })
    }
}

/// Kernels that were started once, as a graph that can be started again.
pub(super) struct Recording {
    graph: CudaGraph,
    context: Arc<CudaContext>,
}

impl Drop for Recording {
    fn drop(&mut self) {
        // The graph is dropped after this, on whatever thread this is.
        bind(&self.context);
    }
}

// SAFETY: the driver lets any thread use a graph, one at a time; there is no way to a shared one but `replay`, and whoever
// calls it has the engine alone.
unsafe impl Send for Recording {}

/// What starts kernels, on the device's stream or on one that records.
#[derive(Clone, Copy)]
pub(super) struct Launcher<'a> {
    device: &'a CudaDevice,
    stream: &'a Arc<CudaStream>,
    side: &'a Arc<CudaStream>,
}

impl std::ops::Deref for Launcher<'_> {
    type Target = CudaDevice;

    fn deref(&self) -> &CudaDevice {
        self.device
    }
}

impl Launcher<'_> {
    /// What starts kernels that may run at the same time as those that this one starts from now on, until it
    /// [joins](Launcher::join) them.
    pub(super) fn fork(&self) -> Result<Self, Error> {
        let forked = self.side.join(self.stream);
        forked.map_err(|e| failed("running two things at once", e))?;
        Ok(Launcher {
            stream: self.side,
            ..*self
        })
    }

    /// What is started from now on waits for what `other` has started.
    pub(super) fn join(&self, other: &Self) -> Result<(), Error> {
        let joined = self.stream.join(other.stream);
        joined.map_err(|e| failed("waiting for two things at once", e))
    }

    /// How many kernels have been started so far, by all who use the device.
    pub(super) fn started(&self) -> usize {
        self.device.started.load(Ordering::Relaxed)
    }

    /// Starts one of the kernels that belong to no model.
    pub(super) fn run<P: Operation>(
        &self,
        parameters: &P,
        blocks: (u32, u32, u32),
    ) -> Result<(), Error> {
        self.run_as(P::KERNEL, parameters, blocks)
    }

    /// The function of a kernel that belongs to no model.
    fn function(&self, kernel: &'static str) -> Result<CudaFunction, Error> {
        let device = self.device;
        let functions = || {
            device
                .functions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        // Nobody else waits while NVRTC compiles.
        let known = functions().get(kernel).cloned();
        if let Some(function) = known {
            return Ok(function);
        }
        let bound = device.context.bind_to_thread();
        bound.map_err(|e| failed(kernel, e))?;
        let module = device.operations(group_of(kernel))?;
        let found = module.load_function(kernel);
        let function = found.map_err(|e| failed(kernel, e))?;
        functions().insert(kernel, function.clone());
        Ok(function)
    }

    /// Starts another of them, which has the parameters of this one.
    pub(super) fn run_as<P: Operation>(
        &self,
        kernel: &'static str,
        parameters: &P,
        blocks: (u32, u32, u32),
    ) -> Result<(), Error> {
        let function = self.function(kernel)?;
        self.device.started.fetch_add(1, Ordering::Relaxed);
        let mut launch = self.stream.launch_builder(&function);
        launch.arg(parameters);
        // SAFETY: the kernel has this one parameter, a structure that was declared from this type. Its pointers are of
        // slices that live until the stream has been waited for, and its counts are theirs.
        let started = unsafe { launch.launch(config(blocks)) };
        started.map(drop).map_err(|e| failed(kernel, e))
    }

    /// The same for every float of a row, every row and every step: `EACH_FLOAT` in `kernels/memory.cuh`.
    ///
    /// # Errors
    /// [`Error::Device`] if a step has too many numbers to count.
    pub(super) fn each<P: Operation>(
        &self,
        parameters: &P,
        width: usize,
        rows: usize,
        steps: usize,
    ) -> Result<(), Error> {
        let Some(floats) = rows
            .checked_mul(width)
            .filter(|n| i32::try_from(*n).is_ok())
        else {
            return Err(Error::Device(format!(
                "cuda: {rows} rows of {width} numbers are too many for one batch"
            )));
        };
        if floats == 0 || steps == 0 {
            return Ok(());
        }
        let x = floats.div_ceil(THREADS as usize).min(1 << 16);
        self.run(parameters, (x as u32, steps.min(1 << 15) as u32, 1))
    }

    /// Starts a fused kernel over buffers that start at `offsets`.
    ///
    /// # Panics
    /// If the kernel was written for another number of buffers.
    pub(super) fn fused(
        &self,
        kernel: &FusedFunction,
        run: &parameters::Run,
        offsets: &[i64],
        blocks: (u32, u32),
        threads: u32,
    ) -> Result<(), Error> {
        const NONE: i64 = 0;
        assert_eq!(offsets.len(), kernel.offsets, "a kernel of other buffers");
        self.device.started.fetch_add(1, Ordering::Relaxed);
        let mut launch = self.stream.launch_builder(&kernel.function);
        launch.arg(run);
        // The driver copies as many bytes as the kernel's second parameter has.
        launch.arg(offsets.first().unwrap_or(&NONE));
        let config = LaunchConfig {
            block_dim: (threads, 1, 1),
            shared_mem_bytes: kernel.shared,
            ..config((blocks.0, blocks.1, 1))
        };
        // SAFETY: the parameters are those that the kernel was written with, and as many offsets as it has. They place its
        // buffers within the values that `run` names, which live until the stream has been waited for.
        let started = unsafe { launch.launch(config) };
        started
            .map(drop)
            .map_err(|e| failed("a kernel does not start", e))
    }
}

/// A fused kernel that has been loaded.
pub(super) struct FusedFunction {
    function: CudaFunction,
    /// Buffers that it is given.
    offsets: usize,
    /// Bytes of shared memory.
    shared: u32,
}

fn config((x, y, z): (u32, u32, u32)) -> LaunchConfig {
    LaunchConfig {
        grid_dim: (x, y, z),
        block_dim: (THREADS, 1, 1),
        shared_mem_bytes: 0,
    }
}

fn load(context: &Arc<CudaContext>, code: Vec<u8>) -> Result<Arc<CudaModule>, Error> {
    let module = context.load_module(Ptx::from_binary(code));
    module.map_err(|e| {
        let newer = matches!(
            e.0,
            sys::CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION
                | sys::CUresult::CUDA_ERROR_INVALID_IMAGE
                | sys::CUresult::CUDA_ERROR_INVALID_SOURCE
                | sys::CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU
        );
        let error = failed("loading kernels", e);
        match newer {
            true => Error::Device(format!(
                "{error}; NVRTC may be newer than the driver: update the driver, or take the NVRTC of CUDA 12 \
                 (`pip install nvidia-cuda-nvrtc-cu12`)"
            )),
            false => error,
        }
    })
}
