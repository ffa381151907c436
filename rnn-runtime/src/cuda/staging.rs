//! How the host's numbers reach the device while it computes. They are written to pinned memory, from which a stream of its
//! own copies them to a landing block on the device; the stream of kernels waits for that, and copies them to their place. So the
//! next batch is on its way while the kernels of the last one run, and its inputs are always at the same addresses, which
//! recorded graphs name.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use cudarc::driver::{
    CudaEvent, CudaSlice, CudaStream, DevicePtr, DriverError, PinnedHostSlice, result,
};

/// The smallest block, in bytes.
const SMALLEST: usize = 4096;
/// The largest block: more than that is copied in parts.
pub(super) const LARGEST: usize = 1 << 24;
/// Blocks of a size up to which there may be as many as [`MANY`]; there are [`FEW`] of the larger ones.
const SMALL: usize = 1 << 20;
const MANY: usize = 32;
const FEW: usize = 4;

/// Blocks by their size. Those of a size are used in turn, so the first is free first.
#[derive(Default)]
pub(super) struct Staging {
    blocks: BTreeMap<usize, VecDeque<Block>>,
}

/// The streams of a device.
#[derive(Clone, Copy)]
pub(super) struct Streams<'a> {
    /// Only copies from the host run here.
    pub copies: &'a Arc<CudaStream>,
    /// Everything else.
    pub kernels: &'a Arc<CudaStream>,
}

/// Room for bytes on their way: on the host and on the device.
struct Block {
    host: PinnedHostSlice<u8>,
    landing: CudaSlice<u8>,
    /// After the copy to `landing`.
    landed: CudaEvent,
    /// After the copy from `landing` to where the bytes belong. The block is free then.
    taken: CudaEvent,
}

impl Drop for Block {
    fn drop(&mut self) {
        // Both memories are freed after this. If waiting fails, so has the device.
        let _ = self.landed.synchronize();
        let _ = self.taken.synchronize();
    }
}

impl Block {
    fn new(streams: Streams<'_>, len: usize) -> Result<Block, DriverError> {
        let context = streams.copies.context();
        Ok(Block {
            // SAFETY: nobody reads it but copies of what has been written before.
            host: unsafe { context.alloc_pinned(len)? },
            // SAFETY: likewise.
            landing: unsafe { streams.copies.alloc(len)? },
            landed: context.new_event(None)?,
            taken: context.new_event(None)?,
        })
    }
}

impl Staging {
    /// Copies at most [`LARGEST`] bytes to an address on the device. They have been read when this returns, the copy may still
    /// be to come; what is started on the stream of kernels from now on sees it. `false` if there is no memory for that.
    ///
    /// # Safety
    /// There are as many bytes at `to`, on the device of the streams, and they stay until the stream of kernels has been
    /// waited for.
    pub unsafe fn copy(
        &mut self,
        streams: Streams<'_>,
        bytes: &[u8],
        to: u64,
    ) -> Result<bool, DriverError> {
        let size = bytes.len().next_power_of_two().max(SMALLEST);
        let Streams { copies, kernels } = streams;
        copies.context().bind_to_thread()?;
        let blocks = self.blocks.entry(size).or_default();
        let most = if size <= SMALL { MANY } else { FEW };
        let is_free = blocks.front().is_some_and(|b| b.taken.is_complete());
        if !is_free && blocks.len() < most {
            match Block::new(streams, size) {
                Ok(block) => blocks.push_front(block),
                // Host or device have no more memory.
                Err(_) if blocks.is_empty() => return Ok(false),
                Err(_) => {}
            }
        }
        let Some(mut block) = blocks.pop_front() else {
            return Ok(false);
        };
        block.taken.synchronize()?;
        let memory = block.host.as_mut_ptr()?;
        let landing = block.landing.device_ptr(copies).0;
        // SAFETY: host memory and landing have at least so many bytes, and nothing copies to or from them any more, since `taken`
        // comes after both copies. Both stay as they are until `taken`, which everybody waits for. The caller's promise is about
        // the bytes at `to`.
        unsafe {
            memory.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            let filled = std::slice::from_raw_parts(memory, bytes.len());
            result::memcpy_htod_async(landing, filled, copies.cu_stream())?;
            block.landed.record(copies)?;
            kernels.wait(&block.landed)?;
            result::memcpy_dtod_async(to, landing, bytes.len(), kernels.cu_stream())?;
        }
        block.taken.record(kernels)?;
        blocks.push_back(block);
        Ok(true)
    }
}
