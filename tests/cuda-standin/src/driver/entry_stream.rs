//! Functions of streams, events and graphs.

#![allow(non_snake_case)]

use std::ffi::{c_int, c_uint, c_void};

use super::{
    Status,
    entry::{api, need_context, store},
    errors,
    objects::{Command, Event, Stream},
    state::{DEFAULT_STREAM, state},
};

/// `CU_STREAM_NON_BLOCKING`.
const NON_BLOCKING: c_uint = 1;

fn create(result: *mut usize, flags: c_uint) -> Status {
    let mut state = state();
    let handle = state.handle();
    let stream = Stream::new(flags & NON_BLOCKING == 0);
    state.streams.insert(handle, stream);
    store(result, handle);
    errors::SUCCESS
}

fn elapsed(result: *mut f32, start: usize, end: usize) -> Status {
    let state = state();
    let time = |event: usize| state.events.get(&event).and_then(|event| event.time);
    match (time(start), time(end)) {
        (Some(start), Some(end)) => {
            let elapsed = end.saturating_duration_since(start);
            store(result, elapsed.as_secs_f32() * 1e3);
            errors::SUCCESS
        }
        _ => errors::NOT_READY,
    }
}

api! {
    cuStreamCreate(result: *mut usize, flags: c_uint) {
        need_context!();
        create(result, flags)
    }
    cuStreamCreateWithPriority(result: *mut usize, flags: c_uint, priority: c_int) {
        need_context!();
        create(result, flags)
    }
    cuStreamDestroy_v2(stream: usize) {
        state().destroy_stream(stream)
    }
    cuStreamSynchronize(stream: usize) {
        need_context!();
        state().synchronise(stream)
    }
    // Work is not ready when it is asked for the first time, and done when it is asked for again.
    cuStreamQuery(stream: usize) {
        need_context!();
        let mut state = state();
        let Some(found) = state.streams.get_mut(&stream) else {
            return errors::INVALID_HANDLE;
        };
        found.was_asked = !found.was_asked;
        if found.was_asked && !found.is_idle() {
            return errors::NOT_READY;
        }
        state.synchronise(stream)
    }
    cuStreamWaitEvent(stream: usize, event: usize, flags: c_uint) {
        state().wait_event(stream, event)
    }
    cuStreamAttachMemAsync(stream: usize, address: u64, bytes: usize, flags: c_uint) {
        errors::SUCCESS
    }
    cuStreamBeginCapture_v2(stream: usize, mode: c_int) {
        need_context!();
        if stream == DEFAULT_STREAM {
            return errors::CAPTURE_IMPLICIT;
        }
        state().begin_capture(stream)
    }
    cuStreamEndCapture(stream: usize, graph: *mut usize) {
        match state().end_capture(stream) {
            Ok(handle) => {
                store(graph, handle);
                errors::SUCCESS
            }
            Err(error) => {
                store(graph, 0);
                error
            }
        }
    }
    cuStreamIsCapturing(stream: usize, result: *mut c_int) {
        let state = state();
        let capture = state.streams.get(&stream).and_then(|stream| stream.capture);
        store(result, c_int::from(capture.is_some()));
        errors::SUCCESS
    }
    cuGraphInstantiateWithFlags(result: *mut usize, graph: usize, flags: u64) {
        let mut state = state();
        let Some(graph) = state.graphs.get(&graph).cloned() else {
            return errors::INVALID_HANDLE;
        };
        let handle = state.handle();
        state.executables.insert(handle, graph);
        store(result, handle);
        errors::SUCCESS
    }
    cuGraphLaunch(executable: usize, stream: usize) {
        need_context!();
        let mut state = state();
        match state.executables.get(&executable).cloned() {
            Some(graph) => state.submit(stream, Command::Graph(graph)),
            None => errors::INVALID_HANDLE,
        }
    }
    cuGraphUpload(executable: usize, stream: usize) {
        errors::SUCCESS
    }
    cuGraphDestroy(graph: usize) {
        match state().graphs.remove(&graph) {
            Some(_) => errors::SUCCESS,
            None => errors::INVALID_HANDLE,
        }
    }
    cuGraphExecDestroy(executable: usize) {
        match state().executables.remove(&executable) {
            Some(_) => errors::SUCCESS,
            None => errors::INVALID_HANDLE,
        }
    }
    cuEventCreate(result: *mut usize, flags: c_uint) {
        need_context!();
        let mut state = state();
        let handle = state.handle();
        state.events.insert(handle, Event::default());
        store(result, handle);
        errors::SUCCESS
    }
    cuEventDestroy_v2(event: usize) {
        match state().events.remove(&event) {
            Some(_) => errors::SUCCESS,
            None => errors::INVALID_HANDLE,
        }
    }
    cuEventRecord(event: usize, stream: usize) {
        state().record_event(event, stream)
    }
    cuEventRecordWithFlags(event: usize, stream: usize, flags: c_uint) {
        state().record_event(event, stream)
    }
    cuEventSynchronize(event: usize) {
        state().synchronise_event(event)
    }
    cuEventQuery(event: usize) {
        let mut state = state();
        let Some(found) = state.events.get_mut(&event) else {
            return errors::INVALID_HANDLE;
        };
        found.was_asked = !found.was_asked;
        if found.was_asked && found.recorded.is_some() && found.time.is_none() {
            return errors::NOT_READY;
        }
        state.synchronise_event(event)
    }
    cuEventElapsedTime(result: *mut f32, start: usize, end: usize) {
        elapsed(result, start, end)
    }
    cuEventElapsedTime_v2(result: *mut f32, start: usize, end: usize) {
        elapsed(result, start, end)
    }
    cuLaunchHostFunc(stream: usize, function: *mut c_void, data: *mut c_void) {
        let command = Command::HostFunction {
            function: function as usize,
            data: data as usize,
        };
        state().submit(stream, command)
    }
}
