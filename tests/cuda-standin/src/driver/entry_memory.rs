//! Functions of memory and copies.

#![allow(non_snake_case)]

use std::{
    alloc::{Layout, alloc_zeroed, dealloc},
    ffi::{c_int, c_uint, c_void},
};

use super::{
    Status,
    entry::{api, need_context, store},
    errors,
    objects::{Command, HostBytes},
    state::{DEFAULT_STREAM, State, state},
};

/// The pool that every device has.
const POOL: usize = 0x900;

fn allocate(result: *mut u64, bytes: usize) -> Status {
    let mut state = state();
    if state.sticky != errors::SUCCESS {
        return state.sticky;
    }
    if bytes == 0 {
        return errors::INVALID_VALUE;
    }
    // Memory that a stream has yet to free counts as free, as it does for a pool.
    if state.memory.is_full(bytes) {
        state.run_all();
    }
    match state.memory.allocate(bytes) {
        Some(address) => {
            store(result, address);
            errors::SUCCESS
        }
        None => errors::OUT_OF_MEMORY,
    }
}

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1), 64).ok()
}

/// The bytes of a copy from the host: those of pageable memory are read at once.
fn from_host(state: &State, source: *const u8, bytes: usize) -> HostBytes {
    let address = source as usize;
    if state.is_pinned(address, bytes) {
        return HostBytes::Pinned { address, bytes };
    }
    // SAFETY: the program hands the driver bytes that are valid while the call runs.
    HostBytes::Staged(unsafe { std::slice::from_raw_parts(source, bytes) }.to_vec())
}

api! {
    cuMemGetInfo_v2(free: *mut usize, total: *mut usize) {
        need_context!();
        let state = state();
        store(total, state.memory.limit);
        store(free, state.memory.limit - state.memory.used);
        errors::SUCCESS
    }
    cuMemAlloc_v2(result: *mut u64, bytes: usize) {
        need_context!();
        allocate(result, bytes)
    }
    cuMemAllocAsync(result: *mut u64, bytes: usize, stream: usize) {
        need_context!();
        allocate(result, bytes)
    }
    cuMemFree_v2(address: u64) {
        need_context!();
        let mut state = state();
        let status = state.synchronise_all();
        if status != errors::SUCCESS || address == 0 {
            return status;
        }
        match state.memory.free(address) {
            Ok(()) => errors::SUCCESS,
            Err(message) => state.refuse(errors::INVALID_VALUE, message),
        }
    }
    cuMemFreeAsync(address: u64, stream: usize) {
        need_context!();
        state().submit(stream, Command::Free { address })
    }
    cuMemHostAlloc(result: *mut *mut c_void, bytes: usize, flags: c_uint) {
        let Some(layout) = layout(bytes) else {
            return errors::INVALID_VALUE;
        };
        // SAFETY: the layout has at least one byte.
        let memory = unsafe { alloc_zeroed(layout) };
        if memory.is_null() {
            return errors::OUT_OF_MEMORY;
        }
        state().pinned.insert(memory as usize, bytes);
        store(result, memory.cast());
        errors::SUCCESS
    }
    cuMemFreeHost(memory: *mut c_void) {
        let bytes = state().pinned.remove(&(memory as usize));
        match bytes.and_then(layout) {
            Some(layout) => {
                // SAFETY: `cuMemHostAlloc` has allocated it with this layout, and it was not freed before.
                unsafe { dealloc(memory.cast(), layout) };
                errors::SUCCESS
            }
            None => state().refuse(errors::INVALID_VALUE, "free of memory that is not pinned"),
        }
    }
    cuMemHostGetFlags(flags: *mut c_uint, memory: *mut c_void) {
        store(flags, 0);
        errors::SUCCESS
    }
    cuMemAllocManaged(result: *mut u64, bytes: usize, flags: c_uint) {
        errors::NOT_SUPPORTED
    }
    cuMemcpyHtoD_v2(to: u64, from: *const u8, bytes: usize) {
        need_context!();
        if bytes == 0 {
            return errors::SUCCESS;
        }
        let mut state = state();
        let from = from_host(&state, from, bytes);
        state.submit_and_wait(DEFAULT_STREAM, Command::ToDevice { to, from })
    }
    cuMemcpyHtoDAsync_v2(to: u64, from: *const u8, bytes: usize, stream: usize) {
        need_context!();
        if bytes == 0 {
            return errors::SUCCESS;
        }
        let mut state = state();
        let from = from_host(&state, from, bytes);
        state.submit(stream, Command::ToDevice { to, from })
    }
    cuMemcpyDtoH_v2(to: *mut u8, from: u64, bytes: usize) {
        need_context!();
        if bytes == 0 {
            return errors::SUCCESS;
        }
        if state().copy_fails() {
            return errors::OUT_OF_MEMORY;
        }
        let to = to as usize;
        let is_pinned = false;
        state().submit_and_wait(DEFAULT_STREAM, Command::ToHost { to, from, bytes, is_pinned })
    }
    cuMemcpyDtoHAsync_v2(to: *mut u8, from: u64, bytes: usize, stream: usize) {
        need_context!();
        if bytes == 0 {
            return errors::SUCCESS;
        }
        let mut state = state();
        if state.copy_fails() {
            return errors::OUT_OF_MEMORY;
        }
        let to = to as usize;
        let is_pinned = state.is_pinned(to, bytes);
        let command = Command::ToHost { to, from, bytes, is_pinned };
        // A copy to pageable memory is over when the call returns; one to pinned memory when the program has waited.
        match is_pinned || state.is_capturing(stream) {
            true => state.submit(stream, command),
            false => state.submit_and_wait(stream, command),
        }
    }
    cuMemcpyDtoD_v2(to: u64, from: u64, bytes: usize) {
        need_context!();
        if bytes == 0 {
            return errors::SUCCESS;
        }
        state().submit(DEFAULT_STREAM, Command::OnDevice { to, from, bytes })
    }
    cuMemcpyDtoDAsync_v2(to: u64, from: u64, bytes: usize, stream: usize) {
        need_context!();
        if bytes == 0 {
            return errors::SUCCESS;
        }
        state().submit(stream, Command::OnDevice { to, from, bytes })
    }
    cuMemsetD8_v2(to: u64, value: u8, count: usize) {
        need_context!();
        fill(to, &value.to_le_bytes(), count, DEFAULT_STREAM)
    }
    cuMemsetD8Async(to: u64, value: u8, count: usize, stream: usize) {
        need_context!();
        fill(to, &value.to_le_bytes(), count, stream)
    }
    cuMemsetD16Async(to: u64, value: u16, count: usize, stream: usize) {
        need_context!();
        fill(to, &value.to_le_bytes(), count, stream)
    }
    cuMemsetD32_v2(to: u64, value: u32, count: usize) {
        need_context!();
        fill(to, &value.to_le_bytes(), count, DEFAULT_STREAM)
    }
    cuMemsetD32Async(to: u64, value: u32, count: usize, stream: usize) {
        need_context!();
        fill(to, &value.to_le_bytes(), count, stream)
    }
    cuMemPoolTrimTo(pool: usize, bytes: usize) {
        errors::SUCCESS
    }
    cuMemPoolSetAttribute(pool: usize, attribute: c_int, value: *mut c_void) {
        errors::SUCCESS
    }
    cuMemPoolGetAttribute(pool: usize, attribute: c_int, value: *mut u64) {
        let state = state();
        // Bytes that are reserved and used, now and at most.
        store(value, match attribute {
            5 | 7 => state.memory.used as u64,
            6 | 8 => state.memory.peak as u64,
            _ => 0,
        });
        errors::SUCCESS
    }
    cuDeviceGetDefaultMemPool(pool: *mut usize, device: c_int) {
        store(pool, POOL);
        errors::SUCCESS
    }
    cuDeviceGetMemPool(pool: *mut usize, device: c_int) {
        store(pool, POOL);
        errors::SUCCESS
    }
    cuDeviceSetMemPool(device: c_int, pool: usize) {
        errors::SUCCESS
    }
}

fn fill(to: u64, pattern: &[u8], count: usize, stream: usize) -> Status {
    if count == 0 {
        return errors::SUCCESS;
    }
    let pattern = pattern.to_vec();
    state().submit(stream, Command::Fill { to, pattern, count })
}
