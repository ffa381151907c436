//! All that the driver knows, in one place.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

use super::{
    Status, errors,
    objects::{Capture, Command, Event, Function, Graph, Stream},
};
use crate::{
    machine::{Checks, Counters},
    memory::Memory,
    program::Module,
};

/// Bytes of the device, unless the environment says otherwise.
const MEMORY: u64 = 4 << 30;

/// The stream that has no handle.
pub const DEFAULT_STREAM: usize = 0;

/// What a test can make go wrong, and what device it sees.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    pub count: i32,
    /// 90 for compute capability 9.0.
    pub capability: u32,
    /// The newest PTX that the driver takes, 805 for 8.5.
    pub newest_ptx: u32,
    /// 0 for as many as a GPU of this capability has.
    pub multiprocessors: u32,
    pub has_pools: bool,
}

#[derive(Debug)]
pub struct State {
    pub memory: Memory,
    pub checks: Checks,
    pub device: Device,
    /// The error that a kernel has left: every later call returns it.
    pub sticky: Status,
    pub streams: BTreeMap<usize, Stream>,
    pub events: HashMap<usize, Event>,
    pub modules: HashMap<usize, Module>,
    pub functions: HashMap<usize, Function>,
    pub captures: HashMap<usize, Capture>,
    pub graphs: HashMap<usize, Arc<Graph>>,
    pub executables: HashMap<usize, Arc<Graph>>,
    /// Memory of the host that the driver has allocated, with its bytes.
    pub pinned: BTreeMap<usize, usize>,
    /// The launch that fails, counted from one; none if it is zero.
    pub fail_launch: u64,
    pub launches: u64,
    /// The copy to the host that fails, counted from one; none if it is zero.
    pub fail_copy: u64,
    /// Copies to the host.
    pub copies: u64,
    pub counters: Counters,
    /// Errors, races and warnings so far.
    pub reports: Vec<String>,
    /// What streams have executed, in order, if a test wants to know.
    pub trace: Option<Vec<String>>,
    pub log: bool,
    next_handle: usize,
    pub next_ticket: u64,
}

thread_local!(static CONTEXT: Cell<usize> = const { Cell::new(0) });

/// The context of this thread; zero if there is none.
pub fn context() -> usize {
    CONTEXT.with(Cell::get)
}

pub fn set_context(context: usize) {
    CONTEXT.with(|current| current.set(context));
}

/// A number that the environment sets, `CUDA_STANDIN_…`.
fn variable(name: &str, default: u64) -> u64 {
    let value = std::env::var(format!("CUDA_STANDIN_{name}")).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

impl Device {
    fn from_environment() -> Device {
        Device {
            count: variable("DEVICES", 1) as i32,
            capability: variable("CC", 90) as u32,
            newest_ptx: variable("PTX_VERSION", u64::from(u32::MAX)) as u32,
            multiprocessors: variable("MULTIPROCESSORS", 0) as u32,
            has_pools: variable("POOLS", 1) != 0,
        }
    }
}

fn checks_from_environment() -> Checks {
    Checks {
        races: variable("RACES", 1) != 0,
        uninitialised: variable("UNINITIALISED", 1) != 0,
        profile: variable("PROFILE", 0) != 0,
        seed: variable("SEED", 0) as u32,
        starve: variable("STARVE", 0) != 0,
        perturb: variable("PERTURB", 0) as u32,
        budget: variable("BUDGET", Checks::default().budget),
    }
}

impl State {
    fn new() -> State {
        let checks = checks_from_environment();
        let mut memory = Memory::new(variable("MEMORY", MEMORY) as usize);
        memory.fail_at = variable("FAIL_ALLOCATION", 0);
        let mut state = State {
            memory,
            checks,
            device: Device::from_environment(),
            sticky: errors::SUCCESS,
            streams: BTreeMap::new(),
            events: HashMap::new(),
            modules: HashMap::new(),
            functions: HashMap::new(),
            captures: HashMap::new(),
            graphs: HashMap::new(),
            executables: HashMap::new(),
            pinned: BTreeMap::new(),
            fail_launch: variable("FAIL_LAUNCH", 0),
            launches: 0,
            fail_copy: 0,
            copies: 0,
            counters: Counters::default(),
            reports: Vec::new(),
            trace: None,
            log: variable("LOG", 0) != 0,
            next_handle: 0x1000,
            next_ticket: 1,
        };
        state.streams.insert(DEFAULT_STREAM, Stream::new(true));
        state
    }

    /// A handle that no object has had.
    pub fn handle(&mut self) -> usize {
        self.next_handle += 16;
        self.next_handle
    }

    /// Writes down what went wrong, and returns `status`.
    pub fn refuse(&mut self, status: Status, message: impl AsRef<str>) -> Status {
        self.say(format!("error {status}: {}", message.as_ref()));
        status
    }

    pub fn say(&mut self, message: String) {
        if self.log {
            eprintln!("cuda-standin: {message}");
        }
        self.reports.push(message);
    }

    /// Makes the device as new: nothing waits, and no error is left. Modules and memory stay, since a program may still
    /// hold them.
    pub fn reset(&mut self) {
        self.sticky = errors::SUCCESS;
        let waiting: Vec<Command> = self
            .streams
            .values_mut()
            .flat_map(|stream| stream.forget())
            .collect();
        for command in waiting {
            if let Command::Free { address } = command {
                // A mistake of an earlier test is none of the next.
                let _ = self.memory.free(address);
            }
        }
        self.captures.clear();
        self.memory.mark();
        self.memory.fail_at = variable("FAIL_ALLOCATION", 0);
        self.memory.limit = variable("MEMORY", MEMORY) as usize;
        self.fail_launch = variable("FAIL_LAUNCH", 0);
        self.launches = 0;
        self.fail_copy = 0;
        self.copies = 0;
        self.counters = Counters::default();
        self.reports.clear();
        self.trace = None;
        self.device = Device::from_environment();
        self.checks = checks_from_environment();
    }

    /// Counts a copy to the host, and tells whether it is the one that a test wants to fail.
    pub fn copy_fails(&mut self) -> bool {
        self.copies += 1;
        self.copies == self.fail_copy
    }
}

/// The state, locked.
pub fn state() -> MutexGuard<'static, State> {
    static STATE: OnceLock<Mutex<State>> = OnceLock::new();
    let state = STATE.get_or_init(|| Mutex::new(State::new()));
    state
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
