//! Streaming: one row, one step at a time. Needs neither std nor an allocator.

mod call;
mod id;
mod in_program;
mod pack;
mod process;
mod program;
mod tables;

pub use call::{CallOutput, CallWith};
pub use id::Id;
pub use in_program::{InProgram, ProgramModel, ProgramStream, ProgramWeights};
pub use pack::{PackedWeights, floats, pack};
pub use program::{Computed, Nothing, StreamInfo, StreamProgram, StreamState, Streamable};
pub use tables::Tables;

use core::ops::Range;

#[cfg(feature = "std")]
use crate::cpu::kernel::Memory;
use crate::cpu::{
    arena::{Arena, Storage},
    kernel::{NativeF32, PanelFormat, PortableF32, StepMemory, StepValues},
    simd::{Isa, Op, Simd},
};

/// What a stream reads its weights from: [`PackedWeights`], a model, or an `Arc` of one.
///
/// ```
/// use recurrent::prelude::*;
///
/// use recurrent::stream::{StreamOver, StreamWeights};
/// use std::sync::Arc;
///
/// /// A wave that any stream can go through: borrowed, owned or shared.
/// fn silence<O: StreamWeights>(stream: &mut StreamOver<O>) -> bool {
///     stream.reset();
///     stream.is_finite()
/// }
/// rnn_model! { struct Amp = Input(_, 1) -> GRU(4) -> Dense(1); }
/// let model = Arc::new(Amp::new());
/// assert!(silence(&mut model.stream()?) && silence(&mut model.into_stream()?));
/// # Ok::<(), Error>(())
/// ```
pub trait StreamWeights {
    /// The model.
    type Program: StreamProgram;
    /// How its weights are packed.
    type Format: PanelFormat;

    /// The weights, packed for `isa`. A stream asks at every step, with the instruction set that it
    /// was made for.
    fn packed_weights(&self, isa: Isa) -> PackedWeights<'_, Self::Program, Self::Format>;

    /// What a step runs on, for a stream that was made for `isa`.
    #[doc(hidden)]
    #[inline(always)]
    fn runs_on(&self, isa: Isa) -> Isa {
        isa
    }
}

impl<P: StreamProgram, W: PanelFormat> StreamWeights for PackedWeights<'_, P, W> {
    type Program = P;
    type Format = W;

    #[inline(always)]
    fn packed_weights(&self, _: Isa) -> PackedWeights<'_, P, W> {
        *self
    }
}

type In<O> = <<O as StreamWeights>::Program as StreamProgram>::StepInput;
type Out<'s, O> = <<O as StreamWeights>::Program as StreamProgram>::StepOutput<'s>;

/// A stream: states of its own, over the weights of `O`.
///
/// | type | weights | made by |
/// |---|---|---|
/// | [`Stream<'_, Rows>`](Stream) | borrowed from a model | `model.stream()?` |
/// | `StreamOver<Rows>`, or `OwnedStream<Rows>` | the model is within the stream | `model.into_stream()?` |
/// | `StreamOver<Arc<Rows>>`, or `SharedStream<Rows>` | shared with other streams and threads | `Arc::clone(&model).into_stream()?` |
/// | [`InlineStream<Rows>`](InlineStream) | borrowed from [`PackedWeights`], no allocator | `packed.stream()` |
/// | [`ProgramStream<Rows>`](ProgramStream) | constants of the program, no allocator | `Rows::stream()` |
///
/// The second and the third are `Send` and `'static`: a struct can hold one and go to another thread.
/// `V` is where the values are kept.
///
/// ```
/// use recurrent::prelude::*;
///
/// rnn_model! { struct Amp = Input(_, 1) -> GRU(4) -> Dense(1); }
///
/// /// A plug-in, which can be sent to another thread.
/// struct Plugin {
///     stream: OwnedStream<Amp>,
/// }
/// let mut plugin = Plugin { stream: Amp::new().into_stream()? };
/// let [y] = *plugin.stream.step(&[0.5]);
/// assert!(y.is_finite());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct StreamOver<O, V = Arena> {
    weights: O,
    isa: Isa,
    values: V,
    time: usize,
}

/// A stream that borrows its weights. Made by `Model::stream`, or by [`PackedWeights::stream`] where
/// there is no allocator: then it is an [`InlineStream`].
///
/// `W` is how the weights are stored, `V` where the values are kept. A clone goes on from the same
/// states: to come back to them, or to look ahead.
///
/// ```
/// use recurrent::prelude::*;
///
/// let model = rnn_model!(Input(_, 1) -> GRU(4) -> Dense(1));
/// let mut stream = model.stream()?;
/// let before = stream.clone();
/// let [y] = *stream.step(&[0.5]);
/// // From the same states once more.
/// let mut stream = before;
/// assert_eq!(*stream.step(&[0.5]), [y]);
/// # Ok::<(), Error>(())
/// ```
pub type Stream<'m, P, W = NativeF32, V = Arena> = StreamOver<PackedWeights<'m, P, W>, V>;

/// A stream whose values are within itself.
///
/// Example: [`PackedWeights`].
pub type InlineStream<'m, P, W = PortableF32> = Stream<'m, P, W, <P as StreamProgram>::Values>;

impl<O: StreamWeights, V: Storage> StreamOver<O, V> {
    /// What is known about the model's stream.
    const INFO: StreamInfo = O::Program::STREAM;

    pub(crate) fn over(weights: O, isa: Isa) -> Self {
        let mut stream = StreamOver {
            weights,
            isa,
            values: V::zeros(Self::INFO.len),
            time: 0,
        };
        stream.start();
        stream
    }

    /// States that start with parameters; everything else is zero.
    #[inline]
    fn start(&mut self) {
        if const { !Self::INFO.starts } {
            return;
        }
        let isa = self.weights.runs_on(self.isa);
        isa.dispatch(Start::<O::Program, O::Format> {
            values: StepValues::new(&mut self.values),
            weights: self.weights.packed_weights(isa),
        });
    }

    /// Runs one step and returns its output. A step of features is an array (`&[0.0; 8]`), one of a
    /// class id an [`Id`]: `stream.step(&Id::new(3)?)`. Allocates nothing, locks nothing, cannot fail.
    ///
    /// What is no array becomes one: `stream.step(v[..].try_into()?)` of a `Vec` or a slice, which is an
    /// error for another length; `stream.step(&std::array::from_fn(|i| row[i]))` of an ndarray's row.
    ///
    /// NaN or an infinity in `x` is no error. The output becomes NaN, as that of `predict` does, and so
    /// do the states that it reaches: **they stay NaN, and with them the outputs of all later steps**,
    /// until [`reset`](Self::reset) or `set_states`. What comes from outside is yours to check before a
    /// step; [`is_finite`](Self::is_finite) tells afterwards whether the states have kept clear of it.
    #[inline]
    // Where an argument has another type, rustc shows the next line up to column 131.
    pub fn step(&mut self, x: &In<O>) -> Out<'_, O> /* Vec: v[..].try_into()?, Array1: &array::from_fn(|i| r[i]), id: &Id::new(3)? */
    {
        let isa = self.weights.runs_on(self.isa);
        let weights = self.weights.packed_weights(isa);
        let mut values = StepValues::new(&mut self.values);
        isa.dispatch(Step::<O::Program, O::Format> {
            values: values.reborrow(),
            weights,
            t: self.time,
            x,
        });
        self.time ^= 1;
        O::Program::step_output(values.results())
    }

    /// Back to the start of a sequence: all states zero, or as they were learned (`learn_initial_state`).
    pub fn reset(&mut self) {
        self.values.floats_mut().fill(0.0);
        self.time = 0;
        self.start();
    }

    /// Whether all states are finite. NaN and infinities that a step has let in are found here before
    /// they are heard: one look at each state, no allocation.
    ///
    /// ```
    /// use recurrent::prelude::*;
    ///
    /// let model = rnn_model!(Input(_, 1) -> GRU(4) -> Dense(1));
    /// let mut stream = model.stream()?;
    /// stream.step(&[0.5]);
    /// assert!(stream.is_finite());
    /// stream.step(&[f32::NAN]);
    /// assert!(!stream.is_finite());
    /// stream.reset();
    /// assert!(stream.is_finite());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn is_finite(&self) -> bool {
        let mut states = Self::INFO.states.iter();
        states.all(|s| {
            let values = self
                .place(s)
                .and_then(|range| self.values.floats().get(range));
            values.is_none_or(|values| values.iter().all(|v| v.is_finite()))
        })
    }

    /// The state `name` of the layer called `layer` before the next step, such as `h` of `lstm`; `None` if
    /// there is none. Of a layer that is used several times it is the first one.
    pub fn state(&self, layer: &str, name: &str) -> Option<&[f32]> {
        self.values.floats().get(self.find(layer, name)?)
    }

    /// The same, to change: what [`Self::state`] gave goes on from there.
    pub fn state_mut(&mut self, layer: &str, name: &str) -> Option<&mut [f32]> {
        let range = self.find(layer, name)?;
        self.values.floats_mut().get_mut(range)
    }

    /// Where the state of these names lies among the values.
    fn find(&self, layer: &str, name: &str) -> Option<Range<usize>> {
        let mut states = Self::INFO.states.iter();
        let state = states.find(|s| s.layer == layer && s.name == name)?;
        self.place(state)
    }

    /// Where a state lies among the values.
    fn place(&self, state: &StreamState) -> Option<Range<usize>> {
        let buffer = Self::INFO.buffers.get(state.buf.buffer)?;
        let at = buffer.at(&state.buf, self.time);
        Some(at..at + state.shape.iter().product::<usize>())
    }

    /// The output number `index` of the step before.
    pub(crate) fn output(&self, index: usize) -> &[f32] {
        let place = Self::INFO.outputs.get(index);
        let output = place.and_then(|&(at, len)| self.values.floats().get(at..at + len));
        output.unwrap_or(&[])
    }

    /// The parity of the steps so far, and the values at that step.
    #[cfg(feature = "std")]
    pub(crate) fn memory(&mut self) -> (usize, Memory<'_>) {
        let m = Memory::new(self.values.floats_mut(), Self::INFO.buffers, 1, 1);
        (self.time, m)
    }

    /// What it reads its weights from.
    #[cfg(feature = "std")]
    pub(crate) fn weights(&self) -> &O {
        &self.weights
    }

    /// What it read its weights from.
    #[cfg(feature = "std")]
    pub(crate) fn into_weights(self) -> O {
        self.weights
    }

    /// Reads other weights from now on, on `isa`; the states stay.
    #[cfg(feature = "std")]
    pub(crate) fn replace(&mut self, weights: O, isa: Isa) -> O {
        self.isa = isa;
        core::mem::replace(&mut self.weights, weights)
    }
}

struct Start<'a, P, W: PanelFormat> {
    values: StepValues<'a, P>,
    weights: PackedWeights<'a, P, W>,
}

impl<P: StreamProgram, W: PanelFormat> Op for Start<'_, P, W> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut m = StepMemory::new(self.values, self.weights.panels(), 0);
        P::start(s, &mut m);
    }
}

struct Step<'a, P: StreamProgram, W: PanelFormat> {
    values: StepValues<'a, P>,
    weights: PackedWeights<'a, P, W>,
    t: usize,
    x: &'a P::StepInput,
}

impl<P: StreamProgram, W: PanelFormat> Op for Step<'_, P, W> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut m = StepMemory::new(self.values, self.weights.panels(), self.t);
        P::step(s, &mut m, self.weights.tables(), self.x);
    }
}
