//! What the device says of itself.

use super::state::Device;

impl Device {
    pub fn multiprocessors(&self) -> u32 {
        match (self.multiprocessors, self.capability) {
            (0, 90..) => 132,
            (0, _) => 108,
            (few, _) => few,
        }
    }

    /// Bytes of shared memory that a block can have.
    pub fn most_shared(&self) -> u32 {
        match self.capability {
            90 | 100 => 227 * 1024,
            80 | 87 => 163 * 1024,
            70 => 96 * 1024,
            75 => 64 * 1024,
            _ => 99 * 1024,
        }
    }

    /// Blocks of a kernel that fit into a multiprocessor.
    pub fn blocks_at_once(&self, threads: u32, shared: u32) -> u32 {
        let by_threads = 2048 / threads.next_multiple_of(32).max(32);
        let by_shared = (self.most_shared() + 1024) / (shared + 1024);
        by_threads.min(by_shared).min(32)
    }

    /// `CUdevice_attribute`.
    pub fn attribute(&self, number: i32) -> i32 {
        let value = match number {
            // Threads of a block, and along its axes.
            1..=3 => 1024,
            4 => 64,
            // Blocks along the axes of a grid.
            5 => i32::MAX as u32,
            6 | 7 => 65535,
            8 => 48 * 1024,
            9 => 65536,
            10 => 32,
            12 => 65536,
            13 => 1_755_000,
            14 => 512,
            15 => 1,
            16 => self.multiprocessors(),
            19 => 1,
            31 => 1,
            36 => 2_619_000,
            37 => 5120,
            38 => 50 << 20,
            39 => 2048,
            40 => 3,
            41 => 1,
            75 => self.capability / 10,
            76 => self.capability % 10,
            // Managed memory, which the stand-in does not have, is 83.
            78 | 79 => 1,
            81 => self.most_shared() + 1024,
            82 => 65536,
            95 => 1,
            97 => self.most_shared(),
            106 => 32,
            111 => 1024,
            115 => u32::from(self.has_pools),
            120 => u32::from(self.capability >= 90),
            _ => 0,
        };
        value as i32
    }
}
