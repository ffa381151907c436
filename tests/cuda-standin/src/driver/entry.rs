//! Functions of devices, contexts and errors.

#![allow(non_snake_case)]

use std::{
    collections::BTreeMap,
    ffi::{CString, c_char, c_int, c_uint, c_void},
    sync::Mutex,
};

use super::{
    Status, errors,
    state::{context, set_context, state},
};

/// Declares functions that programs find by their names.
macro_rules! api {
    ($($name:ident($($argument:ident: $ty:ty),* $(,)?) $body:block)*) => { $(
        /// As CUDA's driver documents it.
        ///
        /// # Safety
        /// Pointers are valid for what the driver's function reads or writes.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $ty),*) -> $crate::driver::Status {
            $( let _ = &$argument; )*
            $body
        }
    )* };
}
pub(super) use api;

/// Writes a result through a pointer of the program, unless it is null.
pub(super) fn store<T>(pointer: *mut T, value: T) {
    if !pointer.is_null() {
        // SAFETY: the program hands the driver a pointer that is null or valid for the result.
        unsafe { pointer.write(value) };
    }
}

/// Leaves the function unless the thread has a context.
macro_rules! need_context {
    () => {
        if $crate::driver::state::context() == 0 {
            return $crate::driver::errors::INVALID_CONTEXT;
        }
    };
}
pub(super) use need_context;

/// The last report of an error, so that a test that fails says what the kernel did. Texts live for ever, each once.
fn explanation(error: Status) -> *const c_char {
    static TEXTS: Mutex<BTreeMap<String, CString>> = Mutex::new(BTreeMap::new());
    let start = format!("error {error}: ");
    let state = state();
    let mut reports = state.reports.iter().rev();
    let Some(report) = reports.find(|report| report.starts_with(&start)) else {
        return c"the stand-in of the tests has no more to say".as_ptr();
    };
    let mut texts = TEXTS
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let text = texts.entry(report.clone()).or_insert_with(|| {
        let bytes: Vec<u8> = report.bytes().filter(|byte| *byte != 0).collect();
        CString::new(bytes).unwrap_or_default()
    });
    // Nothing is taken out of the map, and a `CString` does not move its bytes.
    text.as_ptr()
}

api! {
    cuInit(flags: c_uint) {
        match state().device.count {
            0 => errors::NO_DEVICE,
            _ => errors::SUCCESS,
        }
    }
    cuDriverGetVersion(version: *mut c_int) {
        store(version, 13050);
        errors::SUCCESS
    }
    cuDeviceGetCount(count: *mut c_int) {
        store(count, state().device.count);
        errors::SUCCESS
    }
    cuDeviceGet(device: *mut c_int, ordinal: c_int) {
        if ordinal < 0 || ordinal >= state().device.count {
            return errors::INVALID_DEVICE;
        }
        store(device, ordinal);
        errors::SUCCESS
    }
    cuDeviceGetName(name: *mut c_char, length: c_int, device: c_int) {
        let text = b"CUDA stand-in\0";
        for (index, byte) in text.iter().take(length.max(0) as usize).enumerate() {
            store(name.wrapping_add(index), *byte as c_char);
        }
        errors::SUCCESS
    }
    cuDeviceGetUuid(uuid: *mut [u8; 16], device: c_int) {
        store(uuid, [7; 16]);
        errors::SUCCESS
    }
    cuDeviceGetUuid_v2(uuid: *mut [u8; 16], device: c_int) {
        store(uuid, [7; 16]);
        errors::SUCCESS
    }
    cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int) {
        store(bytes, state().memory.limit);
        errors::SUCCESS
    }
    cuDeviceGetAttribute(value: *mut c_int, attribute: c_int, device: c_int) {
        store(value, state().device.attribute(attribute));
        errors::SUCCESS
    }
    cuDevicePrimaryCtxRetain(result: *mut usize, device: c_int) {
        store(result, 0x100 + device as usize);
        errors::SUCCESS
    }
    cuDevicePrimaryCtxRelease_v2(device: c_int) {
        errors::SUCCESS
    }
    cuDevicePrimaryCtxReset_v2(device: c_int) {
        state().sticky = errors::SUCCESS;
        errors::SUCCESS
    }
    cuCtxCreate_v4(result: *mut usize, parameters: *mut c_void, flags: c_uint, device: c_int) {
        let handle = state().handle();
        set_context(handle);
        store(result, handle);
        errors::SUCCESS
    }
    cuCtxDestroy_v2(handle: usize) {
        set_context(0);
        errors::SUCCESS
    }
    cuCtxGetCurrent(result: *mut usize) {
        store(result, context());
        errors::SUCCESS
    }
    cuCtxSetCurrent(handle: usize) {
        set_context(handle);
        errors::SUCCESS
    }
    cuCtxGetDevice(device: *mut c_int) {
        need_context!();
        store(device, 0);
        errors::SUCCESS
    }
    cuCtxSynchronize() {
        need_context!();
        state().synchronise_all()
    }
    cuCtxSetFlags(flags: c_uint) {
        errors::SUCCESS
    }
    cuCtxGetLimit(value: *mut usize, limit: c_int) {
        store(value, 1024);
        errors::SUCCESS
    }
    cuCtxSetLimit(limit: c_int, value: usize) {
        errors::SUCCESS
    }
    cuCtxGetCacheConfig(value: *mut c_int) {
        store(value, 0);
        errors::SUCCESS
    }
    cuCtxSetCacheConfig(value: c_int) {
        errors::SUCCESS
    }
    cuCtxGetStreamPriorityRange(least: *mut c_int, greatest: *mut c_int) {
        store(least, 0);
        store(greatest, -5);
        errors::SUCCESS
    }
    cuGetErrorName(error: Status, name: *mut *const c_char) {
        let text = match error {
            errors::SUCCESS => c"CUDA_SUCCESS",
            errors::INVALID_VALUE => c"CUDA_ERROR_INVALID_VALUE",
            errors::OUT_OF_MEMORY => c"CUDA_ERROR_OUT_OF_MEMORY",
            errors::NO_DEVICE => c"CUDA_ERROR_NO_DEVICE",
            errors::INVALID_DEVICE => c"CUDA_ERROR_INVALID_DEVICE",
            errors::INVALID_IMAGE => c"CUDA_ERROR_INVALID_IMAGE",
            errors::INVALID_CONTEXT => c"CUDA_ERROR_INVALID_CONTEXT",
            errors::NO_BINARY_FOR_GPU => c"CUDA_ERROR_NO_BINARY_FOR_GPU",
            errors::INVALID_PTX => c"CUDA_ERROR_INVALID_PTX",
            errors::UNSUPPORTED_PTX_VERSION => c"CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
            errors::FILE_NOT_FOUND => c"CUDA_ERROR_FILE_NOT_FOUND",
            errors::INVALID_HANDLE => c"CUDA_ERROR_INVALID_HANDLE",
            errors::ILLEGAL_STATE => c"CUDA_ERROR_ILLEGAL_STATE",
            errors::NOT_FOUND => c"CUDA_ERROR_NOT_FOUND",
            errors::NOT_READY => c"CUDA_ERROR_NOT_READY",
            700 => c"CUDA_ERROR_ILLEGAL_ADDRESS",
            errors::LAUNCH_OUT_OF_RESOURCES => c"CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
            702 => c"CUDA_ERROR_LAUNCH_TIMEOUT",
            710 => c"CUDA_ERROR_ASSERT",
            716 => c"CUDA_ERROR_MISALIGNED_ADDRESS",
            errors::LAUNCH_FAILED => c"CUDA_ERROR_LAUNCH_FAILED",
            errors::COOPERATIVE_LAUNCH_TOO_LARGE => c"CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE",
            errors::NOT_SUPPORTED => c"CUDA_ERROR_NOT_SUPPORTED",
            errors::CAPTURE_UNSUPPORTED => c"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
            errors::CAPTURE_INVALIDATED => c"CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
            errors::CAPTURE_UNMATCHED => c"CUDA_ERROR_STREAM_CAPTURE_UNMATCHED",
            errors::CAPTURE_UNJOINED => c"CUDA_ERROR_STREAM_CAPTURE_UNJOINED",
            errors::CAPTURE_IMPLICIT => c"CUDA_ERROR_STREAM_CAPTURE_IMPLICIT",
            errors::INVALID_CLUSTER_SIZE => c"CUDA_ERROR_INVALID_CLUSTER_SIZE",
            _ => c"CUDA_ERROR_UNKNOWN",
        };
        store(name, text.as_ptr());
        errors::SUCCESS
    }
    cuGetErrorString(error: Status, text: *mut *const c_char) {
        store(text, explanation(error));
        errors::SUCCESS
    }
    cuProfilerStart() {
        errors::SUCCESS
    }
    cuProfilerStop() {
        errors::SUCCESS
    }
}
