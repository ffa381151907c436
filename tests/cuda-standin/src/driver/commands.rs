//! What streams execute.

use std::{ffi::c_void, time::Instant};

use super::{
    Status, errors,
    objects::{Command, HostBytes, KernelLaunch},
    state::State,
};
use crate::{
    machine::{self, Launch},
    memory::{UNWRITTEN, WRITTEN},
};

impl State {
    /// Runs a command, unless the device has failed.
    pub fn execute(&mut self, command: Command) {
        if self.sticky != errors::SUCCESS {
            return;
        }
        if let (Some(trace), Some(what)) = (&mut self.trace, command.describe()) {
            trace.push(what);
        }
        let result = match command {
            Command::Kernel(launch) => return self.execute_kernel(&launch),
            Command::ToDevice { to, from } => self.copy_in(to, from),
            Command::ToHost {
                to,
                from,
                bytes,
                is_pinned,
            } => match is_pinned && !self.is_pinned(to, bytes) {
                true => Err("a copy writes pinned memory that has been freed".into()),
                false => self.copy_out(to, from, bytes),
            },
            Command::OnDevice { to, from, bytes } => self.copy_within(to, from, bytes),
            Command::Fill { to, pattern, count } => {
                let filled = self.memory.write(to, pattern.len() * count);
                filled.map(|(bytes, states)| {
                    for part in bytes.chunks_mut(pattern.len()) {
                        part.copy_from_slice(&pattern);
                    }
                    states.fill(WRITTEN);
                })
            }
            Command::HostFunction { function, data } => {
                call_host(function, data);
                Ok(())
            }
            Command::RecordEvent { event } => {
                if let Some(event) = self.events.get_mut(&event) {
                    event.time = Some(Instant::now());
                }
                Ok(())
            }
            Command::Wait { stream, ticket } => {
                self.run_until(stream, ticket);
                Ok(())
            }
            Command::Free { address } => self.memory.free(address),
            Command::Graph(graph) => {
                self.execute_graph(&graph);
                Ok(())
            }
        };
        if let Err(message) = result {
            self.fail(errors::INVALID_VALUE, &message);
        }
    }

    /// From now on every call fails.
    fn fail(&mut self, status: Status, message: &str) {
        self.sticky = self.refuse(status, message);
    }

    fn copy_in(&mut self, to: u64, from: HostBytes) -> Result<(), String> {
        let source = match from {
            HostBytes::Staged(bytes) => bytes,
            HostBytes::Pinned { address, bytes } => {
                if !self.is_pinned(address, bytes) {
                    return Err("a copy reads pinned memory that has been freed".into());
                }
                read_host(address, bytes)
            }
        };
        let (bytes, states) = self.memory.write(to, source.len())?;
        bytes.copy_from_slice(&source);
        states.fill(WRITTEN);
        Ok(())
    }

    fn copy_out(&mut self, to: usize, from: u64, bytes: usize) -> Result<(), String> {
        let (source, states) = self.memory.read(from, bytes)?;
        let source = source.to_vec();
        let unwritten = states.iter().filter(|state| **state == UNWRITTEN).count();
        write_host(to, &source);
        if self.checks.uninitialised && unwritten > 0 {
            self.say(format!(
                "warning: copy of {bytes} bytes to the host, {unwritten} of which nobody has written"
            ));
        }
        Ok(())
    }

    fn copy_within(&mut self, to: u64, from: u64, bytes: usize) -> Result<(), String> {
        let (source, states) = self.memory.read(from, bytes)?;
        let (source, known) = (source.to_vec(), states.to_vec());
        let (bytes, states) = self.memory.write(to, bytes)?;
        bytes.copy_from_slice(&source);
        states.copy_from_slice(&known);
        Ok(())
    }

    /// Whether all of these bytes of the host are pinned.
    pub fn is_pinned(&self, address: usize, bytes: usize) -> bool {
        let before = self.pinned.range(..=address).next_back();
        before.is_some_and(|(start, length)| address + bytes <= start + length)
    }

    fn execute_kernel(&mut self, command: &KernelLaunch) {
        if command.fails {
            return self.fail(errors::LAUNCH_FAILED, "a test wants this launch to fail");
        }
        let launch = Launch {
            kernel: &command.kernel,
            grid: command.grid,
            block: command.block,
            dynamic_shared: command.dynamic_shared,
            parameters: &command.parameters,
            is_cooperative: command.is_cooperative,
            cluster: command.cluster,
        };
        let outcome = machine::run(&launch, &mut self.memory, &self.checks);
        self.counters.add(&outcome.counters);
        if self.log {
            let counters = &outcome.counters;
            let million = counters.lane_instructions as f64 * 1e3 / counters.nanoseconds as f64;
            eprintln!(
                "cuda-standin: {} grid {:?} block {:?}: {million:.0} million lane instructions a second, {counters:?}",
                command.kernel.name, command.grid, command.block,
            );
        }
        for message in outcome.messages {
            self.say(message);
        }
        // The launch itself has succeeded; a later call tells.
        if let Err(fault) = outcome.result {
            self.fail(fault.code, &fault.message);
        }
    }
}

/// Bytes of the program, as it asked for.
fn read_host(address: usize, bytes: usize) -> Vec<u8> {
    // SAFETY: the program has handed these bytes to a copy and they are pinned memory that is not freed.
    unsafe { std::slice::from_raw_parts(address as *const u8, bytes) }.to_vec()
}

fn write_host(address: usize, bytes: &[u8]) {
    // SAFETY: the program has handed as many bytes to a copy, which must stay valid until it has waited for the copy.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) };
}

fn call_host(function: usize, data: usize) {
    // SAFETY: `cuLaunchHostFunc` was given this function and its argument; the driver's contract is to call it.
    let function: unsafe extern "C" fn(*mut c_void) = unsafe { std::mem::transmute(function) };
    // SAFETY: as above.
    unsafe { function(data as *mut c_void) };
}
