//! What programs have handles of, and the commands of streams.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Instant,
};

use crate::program::{Kernel, Module};

/// A launch that waits in a stream.
#[derive(Clone, Debug)]
pub struct KernelLaunch {
    pub kernel: Arc<Kernel>,
    pub grid: [u32; 3],
    pub block: [u32; 3],
    pub dynamic_shared: usize,
    pub parameters: Vec<u8>,
    pub is_cooperative: bool,
    pub cluster: Option<[u32; 3]>,
    /// A test wants it to fail.
    pub fails: bool,
}

/// Bytes of the host.
#[derive(Clone, Debug)]
pub enum HostBytes {
    /// The driver has copied them: pageable memory is read when the copy is submitted.
    Staged(Vec<u8>),
    /// They are read when the copy runs.
    Pinned { address: usize, bytes: usize },
}

#[derive(Clone, Debug)]
pub enum Command {
    Kernel(KernelLaunch),
    ToDevice {
        to: u64,
        from: HostBytes,
    },
    ToHost {
        to: usize,
        from: u64,
        bytes: usize,
        /// The memory is pinned, so that it can be seen whether it still is when the copy runs.
        is_pinned: bool,
    },
    OnDevice {
        to: u64,
        from: u64,
        bytes: usize,
    },
    Fill {
        to: u64,
        pattern: Vec<u8>,
        count: usize,
    },
    HostFunction {
        function: usize,
        data: usize,
    },
    RecordEvent {
        event: usize,
    },
    Wait {
        stream: usize,
        ticket: u64,
    },
    Free {
        address: u64,
    },
    Graph(Arc<Graph>),
}

impl Command {
    /// Whether a kernel of this module runs in it.
    pub fn runs(&self, module: &Module) -> bool {
        match self {
            Command::Kernel(launch) => {
                let mut kernels = module.kernels.values();
                kernels.any(|kernel| Arc::ptr_eq(kernel, &launch.kernel))
            }
            Command::Graph(graph) => graph.runs(module),
            _ => false,
        }
    }

    /// A line of the trace, for what computes or copies.
    pub fn describe(&self) -> Option<String> {
        match self {
            Command::Kernel(launch) => Some(format!("kernel {}", launch.kernel.name)),
            Command::ToDevice { from, .. } => {
                let bytes = match from {
                    HostBytes::Staged(bytes) => bytes.len(),
                    HostBytes::Pinned { bytes, .. } => *bytes,
                };
                Some(format!("copy {bytes} bytes to the device"))
            }
            Command::ToHost { bytes, .. } => Some(format!("copy {bytes} bytes to the host")),
            Command::OnDevice { bytes, .. } => Some(format!("copy {bytes} bytes on the device")),
            Command::Graph(_) => Some("graph".to_owned()),
            _ => None,
        }
    }
}

/// A command of a graph, and the nodes that it runs after.
#[derive(Clone, Debug)]
pub struct Node {
    pub command: Command,
    pub after: Vec<usize>,
}

#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub nodes: Vec<Node>,
}

impl Graph {
    /// Whether a kernel of this module runs in it.
    pub fn runs(&self, module: &Module) -> bool {
        self.nodes.iter().any(|node| node.command.runs(module))
    }
}

/// A graph in the making.
#[derive(Debug)]
pub struct Capture {
    /// The stream where it began and has to end.
    pub origin: usize,
    pub nodes: Vec<Node>,
    /// The last nodes of each stream that takes part.
    pub ends: HashMap<usize, Vec<usize>>,
    pub is_invalid: bool,
}

/// A kernel that a program has asked for.
#[derive(Debug)]
pub struct Function {
    pub kernel: Arc<Kernel>,
    pub module: usize,
    /// The most dynamic shared memory that the program has allowed.
    pub dynamic_shared: i32,
    /// Allows clusters of more than 8 blocks.
    pub is_nonportable: bool,
}

/// A place in a stream.
#[derive(Debug, Default)]
pub struct Event {
    /// The stream and its last command at the record.
    pub recorded: Option<(usize, u64)>,
    /// When the record ran.
    pub time: Option<Instant>,
    /// The capture and its nodes that the record stands after.
    pub captured: Option<(usize, Vec<usize>)>,
    pub was_asked: bool,
}

#[derive(Debug)]
pub struct Stream {
    /// Commands with their tickets, which grow over all streams.
    pub queue: VecDeque<(u64, Command)>,
    /// The capture that takes the stream's commands instead.
    pub capture: Option<usize>,
    /// Whether it waits for the default stream, and that one for it.
    pub is_blocking: bool,
    pub is_destroyed: bool,
    pub was_asked: bool,
}

impl Stream {
    pub fn new(is_blocking: bool) -> Stream {
        Stream {
            queue: VecDeque::new(),
            capture: None,
            is_blocking,
            is_destroyed: false,
            was_asked: false,
        }
    }

    /// Takes all that waits.
    pub fn forget(&mut self) -> Vec<Command> {
        self.capture = None;
        self.queue.drain(..).map(|(_, command)| command).collect()
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }
}
