//! Stands before NVRTC in tests. All calls go to the real library, but a program that asks for a CUBIN gets PTX, which
//! the stand-in for CUDA's driver can run.

#![allow(non_snake_case)]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use libloading::Library;

/// `nvrtcProgram`.
type Program = *mut c_void;

/// `NVRTC_ERROR_INTERNAL_ERROR`.
const INTERNAL_ERROR: c_int = 11;
/// The variable that names the real library where no test has done so.
const VARIABLE: &str = "CUDA_STANDIN_NVRTC";

static REAL: OnceLock<Option<Library>> = OnceLock::new();

fn open(path: &str) -> Option<Library> {
    // SAFETY: the path is NVRTC's, which runs nothing of note when it is loaded.
    unsafe { Library::new(path) }.ok()
}

/// The real library; none if there is none.
fn real() -> Option<&'static Library> {
    let open = || std::env::var(VARIABLE).ok().and_then(|path| open(&path));
    REAL.get_or_init(open).as_ref()
}

/// Names the real library, and returns whether it is loaded.
///
/// # Safety
/// `path` is a text that ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvrtc_standin_real(path: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    let path = unsafe { CStr::from_ptr(path) }.to_string_lossy();
    c_int::from(REAL.get_or_init(|| open(&path)).is_some())
}

/// Programs that have been compiled, those that were refused among them.
static COMPILED: AtomicU64 = AtomicU64::new(0);

/// How many programs have been compiled.
#[unsafe(no_mangle)]
pub extern "C" fn nvrtc_standin_compiled() -> u64 {
    COMPILED.load(Ordering::Relaxed)
}

/// An option that all programs are compiled with from now on, beside their own.
static OPTION: Mutex<Option<CString>> = Mutex::new(None);

/// Sets the option; an empty text takes it away.
///
/// # Safety
/// `option` is a text that ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvrtc_standin_option(option: *const c_char) {
    // SAFETY: the caller's promise.
    let option = unsafe { CStr::from_ptr(option) };
    let option = (!option.is_empty()).then(|| option.to_owned());
    *OPTION.lock().unwrap_or_else(PoisonError::into_inner) = option;
}

/// Functions that go to the real library, each with the name that it has there.
macro_rules! forward {
    ($($name:ident = $real:literal ($($argument:ident: $ty:ty),*);)*) => { $(
        /// As NVRTC documents it.
        ///
        /// # Safety
        /// Pointers are valid for what NVRTC's function reads or writes.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $ty),*) -> c_int {
            let Some(library) = real() else {
                return INTERNAL_ERROR;
            };
            // SAFETY: the type is the one that NVRTC declares.
            let function = unsafe { library.get::<unsafe extern "C" fn($($ty),*) -> c_int>($real) };
            match function {
                // SAFETY: the arguments are the caller's.
                Ok(function) => unsafe { function($($argument),*) },
                Err(_) => INTERNAL_ERROR,
            }
        }
    )* };
}

forward! {
    nvrtcVersion = b"nvrtcVersion" (major: *mut c_int, minor: *mut c_int);
    nvrtcGetNumSupportedArchs = b"nvrtcGetNumSupportedArchs" (count: *mut c_int);
    nvrtcGetSupportedArchs = b"nvrtcGetSupportedArchs" (list: *mut c_int);
    nvrtcCreateProgram = b"nvrtcCreateProgram" (program: *mut Program, source: *const c_char, name: *const c_char, count: c_int, headers: *const *const c_char, names: *const *const c_char);
    nvrtcDestroyProgram = b"nvrtcDestroyProgram" (program: *mut Program);
    nvrtcGetPTXSize = b"nvrtcGetPTXSize" (program: Program, size: *mut usize);
    nvrtcGetPTX = b"nvrtcGetPTX" (program: Program, text: *mut c_char);
    nvrtcGetCUBINSize = b"nvrtcGetPTXSize" (program: Program, size: *mut usize);
    nvrtcGetCUBIN = b"nvrtcGetPTX" (program: Program, text: *mut c_char);
    nvrtcGetProgramLogSize = b"nvrtcGetProgramLogSize" (program: Program, size: *mut usize);
    nvrtcGetProgramLog = b"nvrtcGetProgramLog" (program: Program, text: *mut c_char);
    nvrtcAddNameExpression = b"nvrtcAddNameExpression" (program: Program, name: *const c_char);
    nvrtcGetLoweredName = b"nvrtcGetLoweredName" (program: Program, name: *const c_char, lowered: *mut *const c_char);
}

/// As NVRTC documents it. Nobody here runs a CUBIN, so none is made: `sm_90` becomes `compute_90`, which takes half the time.
///
/// # Safety
/// There are `count` options, which are texts that end with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvrtcCompileProgram(
    program: Program,
    count: c_int,
    options: *const *const c_char,
) -> c_int {
    type Compile = unsafe extern "C" fn(Program, c_int, *const *const c_char) -> c_int;
    let Some(library) = real() else {
        return INTERNAL_ERROR;
    };
    COMPILED.fetch_add(1, Ordering::Relaxed);
    let option = OPTION
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let mut texts: Vec<CString> = option.into_iter().collect();
    for i in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the caller's promise.
        let option = unsafe { CStr::from_ptr(*options.add(i)) }.to_bytes();
        let text = match option.strip_prefix(b"--gpu-architecture=sm_") {
            Some(architecture) => [b"--gpu-architecture=compute_", architecture].concat(),
            None => option.to_vec(),
        };
        match CString::new(text) {
            Ok(text) => texts.push(text),
            Err(_) => return INTERNAL_ERROR,
        }
    }
    let pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
    // SAFETY: the type is the one that NVRTC declares.
    let compile = unsafe { library.get::<Compile>(b"nvrtcCompileProgram") };
    match (compile, c_int::try_from(pointers.len())) {
        // SAFETY: the program is the caller's; there are as many options as is said.
        (Ok(compile), Ok(count)) => unsafe { compile(program, count, pointers.as_ptr()) },
        _ => INTERNAL_ERROR,
    }
}

/// As NVRTC documents it.
///
/// # Safety
/// None; the result is a text that lives for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvrtcGetErrorString(error: c_int) -> *const c_char {
    type Describe = unsafe extern "C" fn(c_int) -> *const c_char;
    // SAFETY: the type is the one that NVRTC declares.
    let function =
        real().and_then(|real| unsafe { real.get::<Describe>(b"nvrtcGetErrorString") }.ok());
    match function {
        // SAFETY: any number is allowed.
        Some(function) => unsafe { function(error) },
        None => c"the real NVRTC is missing".as_ptr(),
    }
}
