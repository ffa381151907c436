//! Functions of modules, kernels and launches.

#![allow(non_snake_case)]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use super::{
    Status,
    entry::{api, need_context, store},
    errors,
    launches::Request,
    objects::Function,
    state::{State, state},
};
use crate::{program::GlobalVariable, ptx};

/// A text that the program hands over.
fn text<'a>(pointer: *const c_char) -> Option<&'a str> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the program hands the driver texts that end with a zero byte and outlive the call.
    unsafe { CStr::from_ptr(pointer) }.to_str().ok()
}

fn load(state: &mut State, source: &str, result: *mut usize) -> Status {
    let memory = &mut state.memory;
    let place = |global: &GlobalVariable| Ok(memory.allocate_variable(&global.initial));
    let module = match ptx::parse(source, place) {
        Ok(module) => module,
        Err(message) => return state.refuse(errors::INVALID_PTX, message),
    };
    let device = state.device;
    if module.version > device.newest_ptx {
        let message = format!("PTX {} is newer than the driver", module.version);
        return state.refuse(errors::UNSUPPORTED_PTX_VERSION, message);
    }
    if module.target > device.capability {
        let message = format!(
            "a program for sm_{} on sm_{}",
            module.target, device.capability
        );
        return state.refuse(errors::NO_BINARY_FOR_GPU, message);
    }
    let handle = state.handle();
    state.modules.insert(handle, module);
    store(result, handle);
    errors::SUCCESS
}

/// The parameters of a launch, read from an array of pointers.
fn launch(request: &Request, parameters: *mut *mut c_void) -> Status {
    need_context!();
    state().launch(request, |index, bytes| {
        if parameters.is_null() {
            return false;
        }
        // SAFETY: the program hands the driver a pointer for each parameter of the kernel.
        let from = unsafe { *parameters.add(index) };
        if from.is_null() {
            return false;
        }
        // SAFETY: it points at a value of the parameter's size.
        unsafe { std::ptr::copy_nonoverlapping(from.cast(), bytes.as_mut_ptr(), bytes.len()) };
        true
    })
}

/// `CUlaunchConfig`.
#[repr(C)]
pub struct LaunchConfiguration {
    grid: [c_uint; 3],
    block: [c_uint; 3],
    dynamic_shared: c_uint,
    stream: usize,
    attributes: *const LaunchAttribute,
    count: c_uint,
}

/// `CUlaunchAttribute`.
#[repr(C)]
pub struct LaunchAttribute {
    number: c_uint,
    padding: c_uint,
    value: [c_uint; 16],
}

const COOPERATIVE: c_uint = 2;
const CLUSTER_DIMENSION: c_uint = 4;

api! {
    cuModuleLoadData(module: *mut usize, image: *const c_char) {
        need_context!();
        let mut state = state();
        if image.is_null() {
            return errors::INVALID_VALUE;
        }
        // SAFETY: an image is a text or an ELF file, both longer than a byte.
        if unsafe { *image } == 0x7f {
            let message = "a CUBIN cannot run on the stand-in, which interprets PTX";
            return state.refuse(errors::NO_BINARY_FOR_GPU, message);
        }
        match text(image) {
            Some(source) => load(&mut state, source, module),
            None => errors::INVALID_IMAGE,
        }
    }
    cuModuleLoadDataEx(module: *mut usize, image: *const c_char, count: c_uint, options: *mut c_int, values: *mut *mut c_void) {
        // SAFETY: the arguments are the program's.
        unsafe { cuModuleLoadData(module, image) }
    }
    cuModuleLoad(module: *mut usize, path: *const c_char) {
        need_context!();
        match text(path).and_then(|path| std::fs::read_to_string(path).ok()) {
            Some(source) => load(&mut state(), &source, module),
            None => errors::FILE_NOT_FOUND,
        }
    }
    cuModuleUnload(module: usize) {
        let mut state = state();
        let Some(found) = state.modules.get(&module) else {
            return errors::INVALID_HANDLE;
        };
        let mut queues = state.streams.values().map(|stream| &stream.queue);
        let waits = queues.any(|queue| queue.iter().any(|(_, command)| command.runs(found)));
        let recorded = state.executables.values().any(|graph| graph.runs(found));
        if waits {
            state.say("a module is unloaded while a kernel of it waits in a stream".to_owned());
        }
        if recorded {
            state.say("a module is unloaded, and a graph runs a kernel of it".to_owned());
        }
        state.run_all();
        let Some(removed) = state.modules.remove(&module) else {
            return errors::INVALID_HANDLE;
        };
        state.functions.retain(|_, function| function.module != module);
        for global in &removed.globals {
            // The module owns them, so that they are allocated.
            let _ = state.memory.free(global.address);
        }
        errors::SUCCESS
    }
    cuModuleGetFunction(result: *mut usize, module: usize, name: *const c_char) {
        let mut state = state();
        let Some(found) = state.modules.get(&module) else {
            return errors::INVALID_HANDLE;
        };
        let Some(kernel) = text(name).and_then(|name| found.kernels.get(name)).cloned() else {
            return errors::NOT_FOUND;
        };
        let handle = state.handle();
        let function = Function {
            kernel,
            module,
            dynamic_shared: 0,
            is_nonportable: false,
        };
        state.functions.insert(handle, function);
        store(result, handle);
        errors::SUCCESS
    }
    cuModuleGetGlobal_v2(address: *mut u64, bytes: *mut usize, module: usize, name: *const c_char) {
        let state = state();
        let Some(found) = state.modules.get(&module) else {
            return errors::INVALID_HANDLE;
        };
        let name = text(name).unwrap_or("");
        match found.globals.iter().find(|global| global.name == name) {
            Some(global) => {
                store(address, global.address);
                store(bytes, global.size);
                errors::SUCCESS
            }
            None => errors::NOT_FOUND,
        }
    }
    cuFuncGetAttribute(value: *mut c_int, attribute: c_int, function: usize) {
        let state = state();
        let Some(found) = state.functions.get(&function) else {
            return errors::INVALID_HANDLE;
        };
        let kernel = &found.kernel;
        let fixed = kernel.static_shared as i32;
        store(value, match attribute {
            0 => kernel.most_threads as i32,
            1 => fixed,
            3 => kernel.stack as i32,
            // PTX does not say how many registers the hardware takes.
            4 => 64,
            5 | 6 => state.device.capability as i32,
            8 => found.dynamic_shared.max(48 * 1024 - fixed),
            _ => 0,
        });
        errors::SUCCESS
    }
    cuFuncSetAttribute(function: usize, attribute: c_int, value: c_int) {
        let mut state = state();
        let most = state.device.most_shared() as i32;
        let Some(found) = state.functions.get_mut(&function) else {
            return errors::INVALID_HANDLE;
        };
        match attribute {
            8 if value + found.kernel.static_shared as i32 > most => {
                let message = format!("{value} bytes of dynamic shared memory, a block can have {most}");
                return state.refuse(errors::INVALID_VALUE, message);
            }
            8 => found.dynamic_shared = value,
            14 => found.is_nonportable = value != 0,
            9 | 10 => {}
            _ => return errors::INVALID_VALUE,
        }
        errors::SUCCESS
    }
    cuFuncSetCacheConfig(function: usize, value: c_int) {
        errors::SUCCESS
    }
    cuFuncGetName(name: *mut *const c_char, function: usize) {
        errors::NOT_SUPPORTED
    }
    cuLaunchKernel(
        function: usize,
        grid_x: c_uint,
        grid_y: c_uint,
        grid_z: c_uint,
        block_x: c_uint,
        block_y: c_uint,
        block_z: c_uint,
        dynamic_shared: c_uint,
        stream: usize,
        parameters: *mut *mut c_void,
        extra: *mut *mut c_void,
    ) {
        let request = Request {
            function,
            grid: [grid_x, grid_y, grid_z],
            block: [block_x, block_y, block_z],
            dynamic_shared,
            stream,
            is_cooperative: false,
            cluster: None,
        };
        launch(&request, parameters)
    }
    cuLaunchCooperativeKernel(
        function: usize,
        grid_x: c_uint,
        grid_y: c_uint,
        grid_z: c_uint,
        block_x: c_uint,
        block_y: c_uint,
        block_z: c_uint,
        dynamic_shared: c_uint,
        stream: usize,
        parameters: *mut *mut c_void,
    ) {
        let request = Request {
            function,
            grid: [grid_x, grid_y, grid_z],
            block: [block_x, block_y, block_z],
            dynamic_shared,
            stream,
            is_cooperative: true,
            cluster: None,
        };
        launch(&request, parameters)
    }
    cuLaunchKernelEx(
        configuration: *const LaunchConfiguration,
        function: usize,
        parameters: *mut *mut c_void,
        extra: *mut *mut c_void,
    ) {
        // SAFETY: the program hands over a configuration with as many attributes as it says.
        let configuration = unsafe { &*configuration };
        let attributes = match configuration.count {
            0 => &[][..],
            // SAFETY: as above.
            count => unsafe { std::slice::from_raw_parts(configuration.attributes, count as usize) },
        };
        let value = |number: c_uint| {
            let attribute = attributes.iter().find(|attribute| attribute.number == number);
            attribute.map(|attribute| attribute.value)
        };
        let request = Request {
            function,
            grid: configuration.grid,
            block: configuration.block,
            dynamic_shared: configuration.dynamic_shared,
            stream: configuration.stream,
            is_cooperative: value(COOPERATIVE).is_some_and(|value| value[0] != 0),
            cluster: value(CLUSTER_DIMENSION).map(|value| [value[0], value[1], value[2]]),
        };
        launch(&request, parameters)
    }
    cuOccupancyMaxActiveBlocksPerMultiprocessor(result: *mut c_int, function: usize, threads: c_int, dynamic_shared: usize) {
        occupancy(result, function, threads, dynamic_shared)
    }
    cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(result: *mut c_int, function: usize, threads: c_int, dynamic_shared: usize, flags: c_uint) {
        occupancy(result, function, threads, dynamic_shared)
    }
    cuOccupancyAvailableDynamicSMemPerBlock(result: *mut usize, function: usize, blocks: c_int, threads: c_int) {
        let shared = state().device.most_shared() as usize;
        store(result, shared / blocks.max(1) as usize);
        errors::SUCCESS
    }
}

fn occupancy(result: *mut c_int, function: usize, threads: c_int, dynamic_shared: usize) -> Status {
    let state = state();
    let Some(found) = state.functions.get(&function) else {
        return errors::INVALID_HANDLE;
    };
    let shared = (dynamic_shared + found.kernel.static_shared) as u32;
    let blocks = state.device.blocks_at_once(threads.max(1) as u32, shared);
    store(result, blocks as c_int);
    errors::SUCCESS
}
