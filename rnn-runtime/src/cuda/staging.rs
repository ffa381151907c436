//! Host memory that the device copies from by itself, while the host goes on. From other memory the driver copies only
//! after the kernels before have ended.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use cudarc::driver::{CudaContext, CudaEvent, CudaStream, DriverError, PinnedHostSlice, result};

/// The smallest block, in bytes.
const SMALLEST: usize = 4096;
/// What is larger than this is copied from where it is: such a copy takes long by itself.
const LARGEST: usize = 1 << 26;
/// Blocks of a size up to which there may be as many as [`MANY`]; there are [`FEW`] of the larger ones.
const SMALL: usize = 1 << 20;
const MANY: usize = 32;
const FEW: usize = 4;

/// Blocks by their size. Those of a size are used in turn, so the first has been copied first.
#[derive(Default)]
pub(super) struct Staging {
    blocks: BTreeMap<usize, VecDeque<Block>>,
}

struct Block {
    memory: PinnedHostSlice<u8>,
    /// After the last copy from it.
    copied: CudaEvent,
}

impl Drop for Block {
    fn drop(&mut self) {
        // The memory is freed after this. If waiting fails, so has the device.
        let _ = self.copied.synchronize();
    }
}

impl Block {
    fn new(context: &Arc<CudaContext>, len: usize) -> Result<Block, DriverError> {
        Ok(Block {
            // SAFETY: nobody reads it but copies of what has been written before.
            memory: unsafe { context.alloc_pinned(len)? },
            copied: context.new_event(None)?,
        })
    }
}

impl Staging {
    /// Copies bytes to an address on the device. They have been read when this returns, the copy may still be to come.
    /// `false` if there is no memory for that.
    ///
    /// # Safety
    /// There are as many bytes at `to`, on the device of `stream`, and they stay until the stream has been waited for.
    pub unsafe fn copy(
        &mut self,
        stream: &Arc<CudaStream>,
        bytes: &[u8],
        to: u64,
    ) -> Result<bool, DriverError> {
        let size = bytes.len().next_power_of_two().max(SMALLEST);
        if size > LARGEST {
            return Ok(false);
        }
        let context = stream.context();
        context.bind_to_thread()?;
        let blocks = self.blocks.entry(size).or_default();
        let most = if size <= SMALL { MANY } else { FEW };
        let is_free = blocks.front().is_some_and(|b| b.copied.is_complete());
        if !is_free && blocks.len() < most {
            match Block::new(context, size) {
                Ok(block) => blocks.push_front(block),
                // The machine has no more memory of this kind.
                Err(_) if blocks.is_empty() => return Ok(false),
                Err(_) => {}
            }
        }
        let Some(mut block) = blocks.pop_front() else {
            return Ok(false);
        };
        block.copied.synchronize()?;
        let memory = block.memory.as_mut_ptr()?;
        // SAFETY: the block has at least so many bytes, and the last copy from it has ended. The caller's promise is about
        // those at `to`; the block stays as it is until `copied`, which everybody waits for.
        unsafe {
            memory.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            let filled = std::slice::from_raw_parts(memory, bytes.len());
            result::memcpy_htod_async(to, filled, stream.cu_stream())?;
        }
        block.copied.record(stream)?;
        blocks.push_back(block);
        Ok(true)
    }
}
