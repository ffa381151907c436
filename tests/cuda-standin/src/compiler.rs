//! The real NVRTC, for tests that look at the code that it makes for GPUs.

use std::{
    ffi::{CString, c_char, c_int, c_void},
    ptr,
};

use libloading::Library;

use crate::bench::{Skipped, open_nvrtc};

type Program = *mut c_void;

/// NVRTC, which stays loaded to the end of the program.
pub struct Compiler(Library);

impl Compiler {
    /// Loads it.
    ///
    /// # Errors
    /// It is not on this machine; the message says how to get it.
    pub fn load() -> Result<Compiler, Skipped> {
        open_nvrtc().map(Compiler)
    }

    /// The CUBIN of a source.
    ///
    /// # Errors
    /// What NVRTC says about the source.
    pub fn cubin(&self, source: &str, options: &[&str]) -> Result<Vec<u8>, String> {
        let text = |text: &str| CString::new(text).map_err(|_| "a zero in a text".to_owned());
        let source = text(source)?;
        let options = options.iter().map(|o| text(o));
        let options: Vec<CString> = options.collect::<Result<_, _>>()?;
        let pointers: Vec<*const c_char> = options.iter().map(|o| o.as_ptr()).collect();
        let mut program: Program = ptr::null_mut();
        // SAFETY: the types are those that NVRTC declares; texts and lists outlive the calls, and NVRTC writes as many bytes
        // as it says.
        unsafe {
            let create = self.function::<unsafe extern "C" fn(
                *mut Program,
                *const c_char,
                *const c_char,
                c_int,
                *const *const c_char,
                *const *const c_char,
            ) -> c_int>(b"nvrtcCreateProgram")?;
            let none = ptr::null();
            create(
                &raw mut program,
                source.as_ptr(),
                none,
                0,
                ptr::null(),
                ptr::null(),
            );
            let compile = self.function::<unsafe extern "C" fn(
                Program,
                c_int,
                *const *const c_char,
            ) -> c_int>(b"nvrtcCompileProgram")?;
            let status = compile(program, pointers.len() as c_int, pointers.as_ptr());
            let (size, get): (&[u8], &[u8]) = match status {
                0 => (b"nvrtcGetCUBINSize", b"nvrtcGetCUBIN"),
                _ => (b"nvrtcGetProgramLogSize", b"nvrtcGetProgramLog"),
            };
            let size = self.function::<unsafe extern "C" fn(Program, *mut usize) -> c_int>(size)?;
            let get = self.function::<unsafe extern "C" fn(Program, *mut c_char) -> c_int>(get)?;
            let mut length = 0;
            size(program, &raw mut length);
            let mut bytes = vec![0_u8; length];
            get(program, bytes.as_mut_ptr().cast());
            let destroy = self
                .function::<unsafe extern "C" fn(*mut Program) -> c_int>(b"nvrtcDestroyProgram")?;
            destroy(&raw mut program);
            match status {
                0 => Ok(bytes),
                _ => Err(String::from_utf8_lossy(&bytes).into_owned()),
            }
        }
    }

    /// A function of NVRTC.
    ///
    /// # Safety
    /// `F` is the type that NVRTC declares.
    unsafe fn function<F: Copy>(&self, name: &[u8]) -> Result<F, String> {
        // SAFETY: the caller's promise.
        let function = unsafe { self.0.get::<F>(name) };
        function.map(|f| *f).map_err(|e| e.to_string())
    }
}
