//! Loads the stand-in into a test program, and controls it.
//!
//! cudarc asks for `libcuda.so` and `libnvrtc.so` by these names. The loader opens both libraries by their full paths
//! first; glibc then answers cudarc with them, since they call themselves so. No variable of the environment is needed.

use std::{
    env,
    ffi::{CStr, CString, c_char, c_int},
    fmt,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, OnceLock, PoisonError},
};

use libloading::{Library, Symbol};

pub use crate::machine::Counters;
use crate::{
    driver::control::{DeviceSettings, Settings},
    machine::Checks,
};

/// The folder of `libnvrtc.so.*`, where it is not the one that `cargo xtask nvrtc` fills.
const NVRTC: &str = "RECURRENT_NVRTC";

/// Why a test cannot run here.
#[derive(Clone, Debug)]
pub struct Skipped(String);

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What is checked, and in which order warps run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Looks for accesses that nothing orders. Kernels take two to four times as long.
    pub races: bool,
    /// Refuses reads of memory that nobody has written.
    pub uninitialised: bool,
    /// Counts bank conflicts and sectors.
    pub profile: bool,
    /// The order of blocks and warps; zero is the plain one. Whenever the host waits, streams have gone as far as events let
    /// them if it is odd, and only what is waited for has run if it is even.
    pub seed: u32,
    /// Lets single blocks and warps wait for long.
    pub starve: bool,
    /// Moves approximate functions by up to two units in the last place, and reorders the sums of `mma`; zero does not.
    pub perturb: u32,
    /// The most warp instructions of a launch.
    pub budget: u64,
    /// Writes down what streams execute: [`Bench::trace`].
    pub trace: bool,
}

impl Default for Config {
    fn default() -> Config {
        let checks = Checks::default();
        Config {
            races: checks.races,
            uninitialised: checks.uninitialised,
            profile: checks.profile,
            seed: checks.seed,
            starve: checks.starve,
            perturb: checks.perturb,
            budget: checks.budget,
            trace: false,
        }
    }
}

/// The device that a program finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// With none, `cuInit` fails with 100.
    pub count: i32,
    /// 90 for compute capability 9.0. Programs for a newer one fail with 209.
    pub capability: u32,
    /// The newest PTX that the driver takes, 805 for 8.5. A newer one fails with 222.
    pub newest_ptx: u32,
    /// Whether `cuMemAllocAsync` is there.
    pub has_pools: bool,
    /// Bytes of memory.
    pub memory: u64,
}

impl Default for Device {
    fn default() -> Device {
        Device {
            count: 1,
            capability: 90,
            newest_ptx: u32::MAX,
            has_pools: true,
            memory: 4 << 30,
        }
    }
}

/// The libraries, which stay loaded to the end of the program.
struct Libraries {
    driver: Library,
    nvrtc: Library,
}

/// The stand-in, as new, for one test of the program at a time.
pub struct Bench {
    libraries: &'static Libraries,
}

/// Whether somebody has the stand-in. It is no guard of a lock, so that a program may keep a [`Bench`] in a `static`.
static TAKEN: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

impl Drop for Bench {
    fn drop(&mut self) {
        *TAKEN.0.lock().unwrap_or_else(PoisonError::into_inner) = false;
        TAKEN.1.notify_one();
    }
}

/// Loads the stand-in and NVRTC, and makes the device as new. Waits until no other test of this program has it.
///
/// # Errors
/// Something is missing on this machine; the message says what, and how to get it.
pub fn load() -> Result<Bench, Skipped> {
    static LIBRARIES: OnceLock<Result<Libraries, Skipped>> = OnceLock::new();
    let libraries = LIBRARIES.get_or_init(open_all);
    let libraries = libraries.as_ref().map_err(Skipped::clone)?;
    let taken = TAKEN.0.lock().unwrap_or_else(PoisonError::into_inner);
    let free = TAKEN.1.wait_while(taken, |taken| *taken);
    *free.unwrap_or_else(PoisonError::into_inner) = true;
    let bench = Bench { libraries };
    bench.reset();
    Ok(bench)
}

impl Bench {
    /// Sets checks and the order of warps. [`Bench::reset`] sets them back.
    pub fn configure(&self, config: Config) {
        let settings = Settings {
            races: config.races.into(),
            uninitialised: config.uninitialised.into(),
            profile: config.profile.into(),
            seed: config.seed,
            starve: config.starve.into(),
            perturb: config.perturb,
            budget: config.budget,
            trace: config.trace.into(),
        };
        self.call(b"standin_configure", &settings);
    }

    /// Sets the device that programs find from now on.
    pub fn set_device(&self, device: Device) {
        let settings = DeviceSettings {
            count: device.count,
            capability: device.capability,
            newest_ptx: device.newest_ptx,
            has_pools: device.has_pools.into(),
            memory: device.memory,
        };
        self.call(b"standin_device", &settings);
    }

    /// The `number`-th allocation from now fails with 2; none does if it is zero.
    pub fn fail_allocation(&self, number: u64) {
        self.number(b"standin_fail_allocation", number);
    }

    /// The `number`-th launch from now fails with 719, and every call after it; none does if it is zero.
    pub fn fail_launch(&self, number: u64) {
        self.number(b"standin_fail_launch", number);
    }

    /// The `number`-th copy to the host from now fails with 2, as one for which the driver finds no memory of its own, and the
    /// device goes on; none does if it is zero.
    pub fn fail_copy(&self, number: u64) {
        self.number(b"standin_fail_copy", number);
    }

    /// Makes the device as new: nothing waits, no error is left, counts begin at zero; checks and the device are the usual
    /// ones, or those of the environment. Memory stays as it is, since a program may still hold it.
    pub fn reset(&self) {
        type Reset = unsafe extern "C" fn() -> u32;
        if let Some(function) = self.symbol::<Reset>(b"standin_reset") {
            // SAFETY: it takes nothing.
            unsafe { function() };
        }
    }

    /// What launches have done since the reset.
    pub fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        self.call(b"standin_counters", &raw mut counters);
        counters
    }

    /// Allocations since the reset that are not freed. All streams are run for it.
    pub fn live_allocations(&self) -> u64 {
        let mut live = 0;
        self.call(b"standin_live_allocations", &raw mut live);
        live
    }

    /// Allocations since the reset, those that have failed among them.
    pub fn allocations(&self) -> u64 {
        let mut count = 0;
        self.call(b"standin_allocations", &raw mut count);
        count
    }

    /// Programs that NVRTC has compiled since this program has started, those that it refused among them.
    pub fn compiled(&self) -> u64 {
        type Count = unsafe extern "C" fn() -> u64;
        // SAFETY: the function is declared so in `nvrtc/lib.rs`.
        match unsafe { self.libraries.nvrtc.get::<Count>(b"nvrtc_standin_compiled") } {
            // SAFETY: it takes nothing.
            Ok(count) => unsafe { count() },
            Err(_) => 0,
        }
    }

    /// An option that NVRTC compiles all programs with from now on, such as one that spoils them; an empty one takes it away.
    pub fn compile_with(&self, option: &CStr) {
        type Set = unsafe extern "C" fn(*const c_char);
        // SAFETY: the function is declared so in `nvrtc/lib.rs`.
        if let Ok(set) = unsafe { self.libraries.nvrtc.get::<Set>(b"nvrtc_standin_option") } {
            // SAFETY: the text ends with a zero byte.
            unsafe { set(option.as_ptr()) };
        }
    }

    /// Runs everything that waits in streams, the last stream first.
    pub fn run(&self) {
        type Run = unsafe extern "C" fn() -> u32;
        if let Some(function) = self.symbol::<Run>(b"standin_run") {
            // SAFETY: it takes nothing.
            unsafe { function() };
        }
    }

    /// All errors, races and warnings since the reset, one a line.
    pub fn reports(&self) -> Vec<String> {
        self.lines(b"standin_reports")
    }

    /// Kernels and copies since [`Config::trace`] was set, in the order in which they ran.
    pub fn trace(&self) -> Vec<String> {
        self.lines(b"standin_trace")
    }

    fn lines(&self, name: &[u8]) -> Vec<String> {
        type Lines = unsafe extern "C" fn(*mut c_char, usize, *mut usize) -> u32;
        let Some(function) = self.symbol::<Lines>(name) else {
            return Vec::new();
        };
        let mut length = 0;
        // SAFETY: no byte is written for a length of zero.
        unsafe { function(std::ptr::null_mut(), 0, &mut length) };
        let mut text = vec![0_u8; length];
        // SAFETY: the buffer has as many bytes as are said.
        unsafe { function(text.as_mut_ptr().cast(), length, &mut length) };
        let text = String::from_utf8_lossy(&text);
        text.lines().map(String::from).collect()
    }

    fn symbol<T>(&self, name: &[u8]) -> Option<Symbol<'_, T>> {
        // SAFETY: every caller names the type that the function is declared with in `driver/control.rs`.
        unsafe { self.libraries.driver.get::<T>(name) }.ok()
    }

    fn number(&self, name: &[u8], number: u64) {
        if let Some(function) = self.symbol::<unsafe extern "C" fn(u64) -> u32>(name) {
            // SAFETY: it takes a number.
            unsafe { function(number) };
        }
    }

    /// Calls a function of one pointer.
    fn call<P>(&self, name: &[u8], argument: P) {
        if let Some(function) = self.symbol::<unsafe extern "C" fn(P) -> u32>(name) {
            // SAFETY: every caller hands over what the function is declared with.
            unsafe { function(argument) };
        }
    }
}

fn open_all() -> Result<Libraries, Skipped> {
    if !cfg!(target_os = "linux") {
        return Err(Skipped("the stand-in for CUDA needs Linux".into()));
    }
    let driver = open(&beside_program("libcuda.so")?)?;
    let shim = open(&beside_program("libnvrtc.so")?)?;
    let nvrtc = find_nvrtc()?;
    open_builtins(&nvrtc)?;
    let path = CString::new(nvrtc.to_string_lossy().as_bytes())
        .map_err(|_| Skipped("the path of NVRTC has a zero byte".into()))?;
    type SetReal = unsafe extern "C" fn(*const c_char) -> c_int;
    // SAFETY: the function is declared so in `nvrtc/lib.rs`.
    let loaded = match unsafe { shim.get::<SetReal>(b"nvrtc_standin_real") } {
        // SAFETY: the path ends with a zero byte.
        Ok(set_real) => unsafe { set_real(path.as_ptr()) != 0 },
        Err(_) => false,
    };
    match loaded {
        true => Ok(Libraries {
            driver,
            nvrtc: shim,
        }),
        false => Err(Skipped(format!("{} cannot be loaded", nvrtc.display()))),
    }
}

/// Loads the driver alone, for a program that finds no NVRTC. Nothing else of it may load the stand-in.
///
/// # Errors
/// As [`load`]; or the loader of this machine finds an NVRTC, as programs do.
pub fn load_without_nvrtc() -> Result<(), Skipped> {
    if !cfg!(target_os = "linux") {
        return Err(Skipped("the stand-in for CUDA needs Linux".into()));
    }
    for name in ["libnvrtc.so", "libnvrtc.so.12", "libnvrtc.so.13"] {
        if open(Path::new(name)).is_ok() {
            return Err(Skipped(format!("this machine has {name}")));
        }
    }
    std::mem::forget(open(&beside_program("libcuda.so")?)?);
    Ok(())
}

/// NVRTC looks for its builtins by name, too.
fn open_builtins(nvrtc: &Path) -> Result<(), Skipped> {
    let folder = nvrtc.parent().map(Path::read_dir);
    for entry in folder.into_iter().flatten().flatten().flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("libnvrtc-builtins.so") {
            std::mem::forget(open(&entry.path())?);
        }
    }
    Ok(())
}

/// The real NVRTC.
pub(crate) fn open_nvrtc() -> Result<Library, Skipped> {
    let nvrtc = find_nvrtc()?;
    open_builtins(&nvrtc)?;
    open(&nvrtc)
}

fn open(path: &Path) -> Result<Library, Skipped> {
    // SAFETY: the libraries are this workspace's and NVRTC, none of which runs anything of note when it is loaded.
    let library = unsafe { Library::new(path) };
    library.map_err(|error| Skipped(format!("{} cannot be loaded: {error}", path.display())))
}

/// A library that cargo has built with this program: in the program's folder, or in `deps` beside it.
fn beside_program(name: &str) -> Result<PathBuf, Skipped> {
    let program = env::current_exe().map_err(|error| Skipped(error.to_string()))?;
    for folder in program.ancestors().skip(1).take(2) {
        for path in [folder.join(name), folder.join("deps").join(name)] {
            if path.is_file() {
                return Ok(path);
            }
        }
    }
    Err(Skipped(format!(
        "{name} is not beside {}: the package needs `recurrent-test-cuda-standin` and `recurrent-test-cuda-nvrtc` as dev-dependencies",
        program.display()
    )))
}

/// The real NVRTC: in the folder that `RECURRENT_NVRTC` names, or below `target/nvrtc` of the workspace.
fn find_nvrtc() -> Result<PathBuf, Skipped> {
    let folder = match env::var_os(NVRTC) {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/nvrtc"),
    };
    find_library(&folder, 6).ok_or_else(|| {
        Skipped(format!(
            "NVRTC is not in {}: install it with `cargo xtask nvrtc`, or name its folder in {NVRTC}",
            folder.display()
        ))
    })
}

/// A file `libnvrtc.so.*` below `folder`.
fn find_library(folder: &Path, depth: usize) -> Option<PathBuf> {
    let mut paths: Vec<PathBuf> = folder
        .read_dir()
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    let is_nvrtc = |path: &&PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        path.is_file() && name.is_some_and(|name| name.starts_with("libnvrtc.so"))
    };
    if let Some(path) = paths.iter().find(is_nvrtc) {
        return Some(path.clone());
    }
    let folders = paths.iter().filter(|path| depth > 0 && path.is_dir());
    let mut found = folders.filter_map(|folder| find_library(folder, depth - 1));
    found.next()
}
