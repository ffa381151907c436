//! What a step of a stream runs on.

use core::marker::PhantomData;

use super::{StreamSlice, StreamTables};
use crate::cpu::{
    arena::Storage,
    kernel::{PanelFormat, Panels},
};

/// The values of a stream of `P`: as many floats as its [`Length`](crate::cpu::arena::Length) says, at least.
pub struct StepValues<'a, P> {
    first: *mut f32,
    floats: PhantomData<&'a mut [f32]>,
    program: PhantomData<fn() -> P>,
}

// SAFETY: it is a `&mut [f32]`.
unsafe impl<P> Send for StepValues<'_, P> {}

impl<'a, P: StreamTables> StepValues<'a, P> {
    /// Those that are kept in `values`.
    #[inline(always)]
    pub fn new(values: &'a mut impl Storage) -> Self {
        StepValues {
            first: values.floats_for::<P>().as_mut_ptr(),
            floats: PhantomData,
            program: PhantomData,
        }
    }

    /// The same values for a shorter time.
    #[inline(always)]
    pub fn reborrow(&mut self) -> StepValues<'_, P> {
        StepValues {
            first: self.first,
            floats: PhantomData,
            program: PhantomData,
        }
    }

    /// The same values, to read.
    #[inline(always)]
    pub fn results(self) -> StepResults<'a, P> {
        StepResults {
            first: self.first,
            floats: PhantomData,
            program: PhantomData,
        }
    }
}

/// The values of a stream after a step, to read.
pub struct StepResults<'a, P> {
    first: *const f32,
    floats: PhantomData<&'a [f32]>,
    program: PhantomData<fn() -> P>,
}

impl<P> Clone for StepResults<'_, P> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for StepResults<'_, P> {}

impl<'a, P: StreamTables> StepResults<'a, P> {
    /// The floats of an output.
    #[inline(always)]
    pub fn array<const N: usize>(self, at: StreamSlice<P, N>) -> &'a [f32; N] {
        // SAFETY: a `StreamSlice` of `P` is within `P::LEN` floats, which are here and borrowed for `'a`.
        unsafe { &*self.first.add(at.address.at(0)).cast() }
    }
}

/// The packed weights of `P`: [`StreamTables::PACKED`] elements at least.
pub struct StepPanels<'a, P, W: PanelFormat> {
    panels: Panels<'a, W>,
    program: PhantomData<fn() -> P>,
}

impl<P, W: PanelFormat> Clone for StepPanels<'_, P, W> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, W: PanelFormat> Copy for StepPanels<'_, P, W> {}

impl<'a, P, W: PanelFormat> StepPanels<'a, P, W> {
    /// The elements.
    #[inline(always)]
    pub const fn panels(self) -> Panels<'a, W> {
        self.panels
    }
}

impl<'a, P: StreamTables, W: PanelFormat> StepPanels<'a, P, W> {
    /// These elements; `None` if there are too few.
    #[inline(always)]
    pub const fn new(panels: Panels<'a, W>) -> Option<Self> {
        if panels.len() < P::PACKED {
            return None;
        }
        Some(StepPanels {
            panels,
            program: PhantomData,
        })
    }
}

/// The values of a stream and its packed weights, at an even or an odd time.
pub struct StepMemory<'a, P, W: PanelFormat> {
    pub(super) values: *mut f32,
    pub(super) weights: *const W::Element,
    /// 0 or 1.
    pub(super) time: usize,
    both: PhantomData<(StepValues<'a, P>, StepPanels<'a, P, W>)>,
}

impl<'a, P: StreamTables, W: PanelFormat> StepMemory<'a, P, W> {
    /// For the step at `time`, of which only the parity counts.
    #[inline(always)]
    pub fn new(values: StepValues<'a, P>, weights: StepPanels<'a, P, W>, time: usize) -> Self {
        StepMemory {
            values: values.first,
            weights: weights.panels.elements().as_ptr(),
            time: time & 1,
            both: PhantomData,
        }
    }

    /// The first float at a place.
    #[inline(always)]
    fn at<const N: usize>(&self, at: StreamSlice<P, N>) -> *mut f32 {
        // SAFETY: a `StreamSlice` of `P` is within `P::LEN` floats at every time, and so many are here.
        unsafe { self.values.add(at.address.at(self.time)) }
    }

    /// Writes the input of a step.
    #[inline(always)]
    pub fn set<const N: usize>(&mut self, to: StreamSlice<P, N>, x: &[f32; N]) {
        // SAFETY: there are `N` floats at a `StreamSlice`, and `self` is borrowed.
        unsafe { self.at(to).cast::<[f32; N]>().write(*x) }
    }

    /// Writes row `id` of a table of so many `rows` as the input of a step; zeros if there is none. Other weights may stand
    /// after the table.
    #[inline(always)]
    pub fn embed<const N: usize>(
        &mut self,
        to: StreamSlice<P, N>,
        table: &[f32],
        rows: usize,
        id: u32,
    ) {
        let id = id as usize;
        let row = id
            .checked_mul(N)
            .and_then(|first| table.get(first..))
            .and_then(|row| row.first_chunk::<N>());
        match row {
            Some(x) if id < rows => self.set(to, x),
            _ => self.clear(to),
        }
    }

    /// Writes zeros.
    #[inline(always)]
    pub fn clear<const N: usize>(&mut self, to: StreamSlice<P, N>) {
        self.set(to, &[0.0; N]);
    }

    /// Copies floats from one place to another.
    #[inline(always)]
    pub fn copy<const N: usize>(&mut self, from: StreamSlice<P, N>, to: StreamSlice<P, N>) {
        // SAFETY: there are `N` floats at both, and `self` is borrowed; `copy` allows an overlap.
        unsafe { core::ptr::copy(self.at(from), self.at(to), N) }
    }

    /// Whether a step is padding, by its mask.
    #[inline(always)]
    pub fn is_padding(&self, mask: StreamSlice<P, 1>) -> bool {
        // SAFETY: there is a float.
        unsafe { *self.at(mask) == 0.0 }
    }

    /// Holds an output over a step of padding. One of a single step holds itself, and the first is what the values of a
    /// stream start with: zeros.
    #[inline(always)]
    pub fn hold_output<const N: usize>(&mut self, output: StreamSlice<P, N>) {
        if !output.is_one() {
            self.copy(output.other_step(), output);
        }
    }
}
