//! The machine that runs kernels. A warp is 32 lanes wide: an instruction is decoded once for 32 threads. Lanes that
//! diverge become groups with a place each; the lowest place runs first, so that groups meet again. A barrier is a state
//! of a warp: it needs neither threads nor fibers.

mod access;
mod arithmetic;
mod atomics;
mod block;
mod convert;
mod exchange;
mod execute;
mod launch;
mod matrix;
mod quick;
mod synchronise;
mod warp;

pub use launch::{Launch, Outcome, run};

/// The error codes of CUDA that a kernel can cause.
pub mod codes {
    pub const ILLEGAL_ADDRESS: u32 = 700;
    pub const LAUNCH_TIMEOUT: u32 = 702;
    pub const ASSERT: u32 = 710;
    pub const MISALIGNED_ADDRESS: u32 = 716;
    pub const LAUNCH_FAILED: u32 = 719;
}

/// Why a kernel was stopped.
#[derive(Debug)]
pub struct Fault {
    /// The error that the driver returns for it.
    pub code: u32,
    pub message: String,
}

impl Fault {
    pub fn new(code: u32, message: impl Into<String>) -> Fault {
        Fault {
            code,
            message: message.into(),
        }
    }

    pub fn failed(message: impl Into<String>) -> Fault {
        Fault::new(codes::LAUNCH_FAILED, message)
    }

    pub fn illegal(message: impl Into<String>) -> Fault {
        Fault::new(codes::ILLEGAL_ADDRESS, message)
    }
}

/// What is checked, and in which order warps run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// Looks for accesses that are not ordered.
    pub races: bool,
    /// Refuses reads of memory that nobody has written.
    pub uninitialised: bool,
    /// Counts bank conflicts and sectors.
    pub profile: bool,
    /// The order of warps; zero is the plain one.
    pub seed: u32,
    /// Lets single blocks and warps wait for long.
    pub starve: bool,
    /// Moves the last bits of approximations and the order of products; zero leaves them exact.
    pub perturb: u32,
    /// The most warp instructions of a launch.
    pub budget: u64,
}

impl Default for Checks {
    fn default() -> Checks {
        Checks {
            races: true,
            uninitialised: true,
            profile: false,
            seed: 0,
            starve: false,
            perturb: 0,
            budget: 400_000_000,
        }
    }
}

/// What launches have done.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub launches: u64,
    pub warp_instructions: u64,
    pub lane_instructions: u64,
    pub matrix_products: u64,
    pub special_functions: u64,
    pub barriers: u64,
    pub memory_accesses: u64,
    /// With profiling: requests of shared memory, and how often the banks had to be asked for them.
    pub shared_requests: u64,
    pub shared_wavefronts: u64,
    /// With profiling: requests of global memory, and the sectors of 32 bytes that they touched.
    pub global_requests: u64,
    pub global_sectors: u64,
    pub races: u64,
    /// Nanoseconds in which launches ran here.
    pub nanoseconds: u64,
}

impl Counters {
    pub fn add(&mut self, other: &Counters) {
        self.launches += other.launches;
        self.warp_instructions += other.warp_instructions;
        self.lane_instructions += other.lane_instructions;
        self.matrix_products += other.matrix_products;
        self.special_functions += other.special_functions;
        self.barriers += other.barriers;
        self.memory_accesses += other.memory_accesses;
        self.shared_requests += other.shared_requests;
        self.shared_wavefronts += other.shared_wavefronts;
        self.global_requests += other.global_requests;
        self.global_sectors += other.global_sectors;
        self.races += other.races;
        self.nanoseconds += other.nanoseconds;
    }
}
