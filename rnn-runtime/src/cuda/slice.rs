//! Numbers on the device.

use std::ops::{Deref, DerefMut};

use cudarc::driver::{CudaContext, CudaSlice};

/// Numbers on the device, which are freed in the order of its stream, on whatever thread they are dropped.
pub(super) struct Slice<T>(pub(super) CudaSlice<T>);

impl<T> Deref for Slice<T> {
    type Target = CudaSlice<T>;

    fn deref(&self) -> &CudaSlice<T> {
        &self.0
    }
}

impl<T> DerefMut for Slice<T> {
    fn deref_mut(&mut self) -> &mut CudaSlice<T> {
        &mut self.0
    }
}

impl<T> Drop for Slice<T> {
    fn drop(&mut self) {
        bind(self.0.context());
    }
}

/// Gives the thread the context, which cudarc does not do before it drops everything: nothing would be freed, and the next call
/// of whoever uses the device would fail. An error that waits for that call goes on waiting.
pub(super) fn bind(context: &CudaContext) {
    let earlier = context.bind_to_thread();
    if earlier.is_err() {
        let _ = context.bind_to_thread();
        context.record_err(earlier);
    }
}
