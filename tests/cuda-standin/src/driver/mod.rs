//! The driver: contexts, memory, streams, modules, launches, as functions with C's calling convention.
//!
//! Streams are lazy: work waits in its stream until something waits for it, so that a missing synchronisation shows in
//! results.

mod attributes;
mod capture;
mod commands;
pub mod control;
mod entry;
mod entry_memory;
mod entry_module;
mod entry_stream;
mod launches;
mod objects;
mod state;
mod streams;

/// What driver functions return.
pub type Status = u32;

/// The error codes of the driver.
pub mod errors {
    use super::Status;

    pub const SUCCESS: Status = 0;
    pub const INVALID_VALUE: Status = 1;
    pub const OUT_OF_MEMORY: Status = 2;
    pub const NO_DEVICE: Status = 100;
    pub const INVALID_DEVICE: Status = 101;
    pub const INVALID_IMAGE: Status = 200;
    pub const INVALID_CONTEXT: Status = 201;
    pub const NO_BINARY_FOR_GPU: Status = 209;
    pub const INVALID_PTX: Status = 218;
    pub const UNSUPPORTED_PTX_VERSION: Status = 222;
    pub const FILE_NOT_FOUND: Status = 301;
    pub const INVALID_HANDLE: Status = 400;
    pub const ILLEGAL_STATE: Status = 401;
    pub const NOT_FOUND: Status = 500;
    pub const NOT_READY: Status = 600;
    pub const LAUNCH_OUT_OF_RESOURCES: Status = 701;
    pub const LAUNCH_FAILED: Status = 719;
    pub const COOPERATIVE_LAUNCH_TOO_LARGE: Status = 720;
    pub const NOT_SUPPORTED: Status = 801;
    pub const CAPTURE_UNSUPPORTED: Status = 900;
    pub const CAPTURE_INVALIDATED: Status = 901;
    pub const CAPTURE_UNMATCHED: Status = 903;
    pub const CAPTURE_UNJOINED: Status = 904;
    pub const CAPTURE_IMPLICIT: Status = 906;
    pub const INVALID_CLUSTER_SIZE: Status = 912;
}
