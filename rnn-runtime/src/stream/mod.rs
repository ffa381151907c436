//! Streaming: one row, one step at a time. Needs neither std nor an allocator.

mod id;
mod pack;
mod program;

use core::marker::PhantomData;

pub use id::Id;
pub use pack::{PackedWeights, floats, pack};
pub use program::{Computed, Nothing, StreamInfo, StreamProgram, StreamState, Streamable};

use crate::cpu::{
    arena::{Arena, Storage},
    kernel::{Memory, NativeF32, PanelFormat, Panels, PortableF32},
    simd::{Isa, Op, Simd},
};

/// A stream: its own states, the model's weights. Made by `Model::stream`, or by
/// [`PackedWeights::stream`] where there is no allocator: then it is an [`InlineStream`].
///
/// `W` is how the weights are stored, `V` where the values are kept.
pub struct Stream<'m, P: StreamProgram, W: PanelFormat = NativeF32, V = Arena> {
    /// Weights that are not packed.
    weights: &'m [f32],
    panels: Panels<'m, W>,
    isa: Isa,
    values: V,
    time: usize,
    program: PhantomData<P>,
}

/// A stream whose values are within itself.
pub type InlineStream<'m, P, W = PortableF32> = Stream<'m, P, W, <P as StreamProgram>::Values>;

/// A copy goes on from the same states: to come back to them, or to look ahead.
impl<P: StreamProgram, W: PanelFormat, V: Clone> Clone for Stream<'_, P, W, V> {
    fn clone(&self) -> Self {
        Stream {
            values: self.values.clone(),
            ..*self
        }
    }
}

impl<'m, P: StreamProgram, W: PanelFormat, V: Storage> Stream<'m, P, W, V> {
    pub(crate) fn over(weights: &'m [f32], panels: Panels<'m, W>, isa: Isa) -> Self {
        Stream {
            weights,
            panels,
            isa,
            values: V::zeros(P::STREAM.len),
            time: 0,
            program: PhantomData,
        }
    }

    /// Runs one step and returns its output. A step of features is an array (`&[0.0; 8]`), one of a
    /// class id an [`Id`]: `stream.step(&Id::new(3)?)`. Allocates nothing, locks nothing, cannot fail.
    #[inline]
    pub fn step(&mut self, x: &P::StepInput) -> P::StepOutput<'_> {
        self.isa.dispatch(Step::<P, W> {
            values: self.values.floats_mut(),
            panels: self.panels,
            weights: self.weights,
            t: self.time,
            x,
        });
        self.time = 1 - self.time;
        P::step_output(self.values.floats())
    }

    /// Back to the start of a sequence: all states zero.
    pub fn reset(&mut self) {
        self.values.floats_mut().fill(0.0);
        self.time = 0;
    }

    /// The state `name` of the layer called `layer` before the next step, such as `h` of `lstm`; `None` if
    /// there is none. Of a layer that is used several times it is the first one.
    pub fn state(&self, layer: &str, name: &str) -> Option<&[f32]> {
        let (at, len) = self.find(layer, name)?;
        self.values.floats().get(at..at + len)
    }

    /// The same, to change: what [`Self::state`] gave goes on from there.
    pub fn state_mut(&mut self, layer: &str, name: &str) -> Option<&mut [f32]> {
        let (at, len) = self.find(layer, name)?;
        self.values.floats_mut().get_mut(at..at + len)
    }

    /// Where a state lies among the values, and how long it is.
    fn find(&self, layer: &str, name: &str) -> Option<(usize, usize)> {
        let states = P::STREAM.states.iter();
        let state = states
            .into_iter()
            .find(|s| s.layer == layer && s.name == name)?;
        let buffer = P::STREAM.buffers.get(state.buf.buffer)?;
        let at = buffer.at(&state.buf, self.time);
        Some((at, state.shape.iter().product()))
    }

    /// The parity of the steps so far, and the values at that step.
    #[cfg(feature = "std")]
    pub(crate) fn memory(&mut self) -> (usize, Memory<'_>) {
        let m = Memory::new(self.values.floats_mut(), P::STREAM.buffers, 1, 1);
        (self.time, m)
    }
}

struct Step<'a, P: StreamProgram, W: PanelFormat> {
    values: &'a mut [f32],
    panels: Panels<'a, W>,
    weights: &'a [f32],
    t: usize,
    x: &'a P::StepInput,
}

impl<P: StreamProgram, W: PanelFormat> Op for Step<'_, P, W> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // Made here and not by the caller: a function that is compiled for an instruction set is
        // not inlined, and the tables must be constants in it.
        let mut m = Memory::new(self.values, P::STREAM.buffers, 1, 1);
        P::step(s, &mut m, self.panels, self.weights, self.t, self.x);
    }
}
