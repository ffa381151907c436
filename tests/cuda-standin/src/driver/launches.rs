//! Launches: limits, and what waits in the stream.

use super::{
    Status, errors,
    objects::{Command, KernelLaunch},
    state::State,
};

/// The most dynamic shared memory that a kernel has without asking for more.
const USUAL_SHARED: i32 = 48 * 1024;

/// What a program asks for.
pub struct Request {
    pub function: usize,
    pub grid: [u32; 3],
    pub block: [u32; 3],
    pub dynamic_shared: u32,
    pub stream: usize,
    pub is_cooperative: bool,
    pub cluster: Option<[u32; 3]>,
}

impl State {
    /// Checks the limits of a launch and appends it to its stream. `parameter` reads the bytes of a parameter.
    pub fn launch(
        &mut self,
        request: &Request,
        parameter: impl Fn(usize, &mut [u8]) -> bool,
    ) -> Status {
        if self.sticky != errors::SUCCESS {
            return self.sticky;
        }
        let Some(function) = self.functions.get(&request.function) else {
            return errors::INVALID_HANDLE;
        };
        let kernel = function.kernel.clone();
        let (allowed, is_nonportable) = (function.dynamic_shared, function.is_nonportable);
        let name = kernel.name.clone();
        let (grid, block) = (request.grid, request.block);
        let blocks: u64 = grid.iter().map(|n| u64::from(*n)).product();
        let threads: u64 = block.iter().map(|n| u64::from(*n)).product();
        if blocks == 0 || threads == 0 {
            return self.refuse(errors::INVALID_VALUE, format!("{name}: an empty launch"));
        }
        let too_large = threads > 1024 || block[2] > 64;
        if too_large || grid[0] > i32::MAX as u32 || grid[1] > 65535 || grid[2] > 65535 {
            let message = format!("{name}: grid {grid:?} of blocks {block:?} is too large");
            return self.refuse(errors::INVALID_VALUE, message);
        }
        if threads > u64::from(kernel.most_threads) {
            let most = kernel.most_threads;
            let message = format!("{name}: {threads} threads, its bounds allow {most}");
            return self.refuse(errors::INVALID_VALUE, message);
        }
        let fixed = kernel.static_shared as i32;
        let most = allowed.max(USUAL_SHARED - fixed);
        if request.dynamic_shared as i64 > i64::from(most) {
            let message = format!(
                "{name}: {} bytes of dynamic shared memory, {most} are allowed",
                request.dynamic_shared
            );
            return self.refuse(errors::INVALID_VALUE, message);
        }
        let cluster = request.cluster.or(kernel.cluster);
        if let Some(cluster) = cluster {
            let size: u32 = cluster.iter().product();
            let divides = (0..3).all(|axis| cluster[axis] > 0 && grid[axis] % cluster[axis] == 0);
            if self.device.capability < 90 {
                let message = format!("{name}: clusters need compute capability 9.0");
                return self.refuse(errors::NO_BINARY_FOR_GPU, message);
            }
            if !divides || size > 16 || size > 8 && !is_nonportable {
                let message = format!("{name}: clusters of {cluster:?} in a grid of {grid:?}");
                return self.refuse(errors::INVALID_CLUSTER_SIZE, message);
            }
        }
        let shared = request.dynamic_shared + fixed as u32;
        if request.is_cooperative {
            let each = self.device.blocks_at_once(threads as u32, shared);
            let most = u64::from(each * self.device.multiprocessors());
            if blocks > most {
                let message = format!("{name}: {blocks} blocks together, {most} fit");
                return self.refuse(errors::COOPERATIVE_LAUNCH_TOO_LARGE, message);
            }
        }
        let mut parameters = vec![0; kernel.parameter_bytes()];
        for (index, place) in kernel.parameters.iter().enumerate() {
            let bytes = &mut parameters[place.offset..place.offset + place.size];
            if !parameter(index, bytes) {
                let message = format!("{name}: parameter {index} is missing");
                return self.refuse(errors::INVALID_VALUE, message);
            }
        }
        self.launches += 1;
        let launch = KernelLaunch {
            kernel,
            grid,
            block,
            dynamic_shared: request.dynamic_shared as usize,
            parameters,
            is_cooperative: request.is_cooperative,
            cluster,
            fails: self.launches == self.fail_launch,
        };
        self.submit(request.stream, Command::Kernel(launch))
    }
}
