//! Functions for tests, which no driver has.

use std::ffi::c_char;

use super::{
    Status,
    entry::{api, store},
    errors,
    state::state,
};
use crate::machine::{Checks, Counters};

/// What a test sets, as C has it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub races: u32,
    pub uninitialised: u32,
    pub profile: u32,
    pub seed: u32,
    pub starve: u32,
    pub perturb: u32,
    pub budget: u64,
    pub trace: u32,
}

/// What device a test sees.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DeviceSettings {
    pub count: i32,
    pub capability: u32,
    pub newest_ptx: u32,
    pub has_pools: u32,
    pub memory: u64,
}

api! {
    standin_configure(settings: *const Settings) {
        // SAFETY: the loader hands over its own settings.
        let settings = unsafe { &*settings };
        let mut state = state();
        state.trace = (settings.trace != 0).then(Vec::new);
        state.checks = Checks {
            races: settings.races != 0,
            uninitialised: settings.uninitialised != 0,
            profile: settings.profile != 0,
            seed: settings.seed,
            starve: settings.starve != 0,
            perturb: settings.perturb,
            budget: settings.budget,
        };
        errors::SUCCESS
    }
    standin_device(settings: *const DeviceSettings) {
        // SAFETY: the loader hands over its own settings.
        let settings = unsafe { &*settings };
        let mut state = state();
        state.device.count = settings.count;
        state.device.capability = settings.capability;
        state.device.newest_ptx = settings.newest_ptx;
        state.device.has_pools = settings.has_pools != 0;
        state.memory.limit = settings.memory as usize;
        errors::SUCCESS
    }
    standin_fail_allocation(number: u64) {
        let mut state = state();
        state.memory.fail_at = if number == 0 { 0 } else { state.memory.count + number };
        errors::SUCCESS
    }
    standin_fail_launch(number: u64) {
        let mut state = state();
        state.fail_launch = if number == 0 { 0 } else { state.launches + number };
        errors::SUCCESS
    }
    standin_fail_copy(number: u64) {
        let mut state = state();
        state.fail_copy = if number == 0 { 0 } else { state.copies + number };
        errors::SUCCESS
    }
    standin_reset() {
        state().reset();
        errors::SUCCESS
    }
    standin_counters(result: *mut Counters) {
        store(result, state().counters);
        errors::SUCCESS
    }
    standin_live_allocations(result: *mut u64) {
        let mut state = state();
        // What a stream has yet to free is no leak.
        state.run_all();
        store(result, state.memory.live() as u64);
        errors::SUCCESS
    }
    standin_allocations(result: *mut u64) {
        store(result, state().memory.count);
        errors::SUCCESS
    }
    standin_run() {
        let mut state = state();
        state.run_all();
        state.sticky
    }
    standin_reports(buffer: *mut c_char, length: usize, bytes: *mut usize) {
        write_lines(&state().reports, buffer, length, bytes)
    }
    standin_trace(buffer: *mut c_char, length: usize, bytes: *mut usize) {
        write_lines(state().trace.as_deref().unwrap_or_default(), buffer, length, bytes)
    }
}

/// Stores the number of bytes of all lines, and as many of the bytes as `length` allows.
fn write_lines(lines: &[String], buffer: *mut c_char, length: usize, bytes: *mut usize) -> Status {
    let text: Vec<String> = lines.iter().map(|line| line.replace('\n', " ")).collect();
    let text = text.join("\n");
    store(bytes, text.len());
    for (index, byte) in text.bytes().take(length).enumerate() {
        store(buffer.wrapping_add(index), byte as c_char);
    }
    errors::SUCCESS
}
