//! Streams of a model whose weights are its own, and their states by name.

use std::{borrow::Borrow, sync::Arc};

use super::StreamCode;
use crate::{
    cpu::{
        arena::Storage,
        kernel::{NativeF32, Panels, StepPanels},
        simd::Isa,
    },
    error::Error,
    model::{
        LayerState, Model, Program, Streamable,
        stateful::{checked, find, named},
    },
    stream::{PackedWeights, StreamOver, StreamProgram, StreamState, StreamWeights, Tables},
};

/// A model packs as many weights as its stream reads.
#[cold]
#[inline(never)]
fn fewer() -> ! {
    unreachable!("a model has packed fewer weights than its stream reads")
}

/// The packed weights of a model, which packs them if nobody has yet.
#[inline]
pub(in crate::model) fn packed_weights<M: Program>(
    model: &M,
    isa: Isa,
) -> PackedWeights<'_, M, NativeF32> {
    let data = model.data();
    let panels = Panels::new(data.packed(&StreamCode::of::<M>(), isa));
    let tables = match const { M::STREAM.reads_tables } {
        true => Tables::new(data.weights(), 0),
        false => Tables::NONE,
    };
    match StepPanels::new(panels) {
        Some(panels) => PackedWeights::known(tables, panels),
        None => fewer(),
    }
}

#[doc(hidden)]
impl<M: Program> StreamWeights for M {
    type Program = M;
    type Format = NativeF32;

    #[inline]
    fn packed_weights(&self, isa: Isa) -> PackedWeights<'_, M, NativeF32> {
        packed_weights(self, isa)
    }
}

impl<M: Program> StreamWeights for Arc<M> {
    type Program = M;
    type Format = NativeF32;

    #[inline]
    fn packed_weights(&self, isa: Isa) -> PackedWeights<'_, M, NativeF32> {
        packed_weights(&**self, isa)
    }
}

/// A stream that owns its model: `Send` and `'static`, so that a struct can hold it and a thread can have
/// it. Made by [`IntoStream::into_stream`].
///
/// Example: [`IntoStream`].
pub type OwnedStream<M> = StreamOver<M>;

/// A stream that shares its model with other streams and threads, and can go on with another one
/// ([`StreamOver::reload`]). Made by [`IntoStream::into_stream`] of an `Arc`.
///
/// Example: [`StreamOver::reload`].
pub type SharedStream<M> = StreamOver<Arc<M>>;

/// What a stream can own: a model, or an `Arc` of one.
///
/// ```
/// use recurrent::prelude::*;
/// use std::{sync::Arc, thread};
///
/// rnn_model! { pub struct Gain = Input(_, 1) -> GRU(4) -> Dense(1); }
///
/// struct Plugin {
///     left: SharedStream<Gain>,
///     right: SharedStream<Gain>,
/// }
///
/// fn main() -> Result<(), Error> {
///     // One that owns its model.
///     let mut alone: OwnedStream<Gain> = Gain::new().into_stream()?;
///     let first = *alone.step(&[0.5]);
///
///     // Two that share one.
///     let model = Arc::new(Gain::new());
///     let mut plugin = Plugin { left: Arc::clone(&model).into_stream()?, right: model.into_stream()? };
///     let y = thread::spawn(move || (*plugin.left.step(&[0.5]), *plugin.right.step(&[0.5])));
///     assert_eq!(y.join().unwrap(), (first, first));
///     Ok(())
/// }
/// ```
pub trait IntoStream:
    StreamWeights<Format = NativeF32, Program: Program> + Borrow<Self::Program> + Sized
{
    /// A stream at the start of a sequence, on the CPU, which owns `self`. Packs the weights if nothing has
    /// yet, and allocates the states.
    ///
    /// # Errors
    /// [`Error::Isa`] if `RECURRENT_ISA` names an instruction set that this machine has not, [`Error::Device`] if the weights
    /// cannot be copied from the device that has them.
    fn into_stream(self) -> Result<StreamOver<Self>, Error>
    where
        Self::Program: Streamable,
    {
        let isa = self.borrow().isa()?;
        self.borrow().data().host_weights()?;
        self.packed_weights(isa);
        Ok(StreamOver::over(self, isa))
    }
}

impl<M: Program> IntoStream for M {}
impl<M: Program> IntoStream for Arc<M> {}

impl<O: IntoStream, V: Storage> StreamOver<O, V> {
    /// The model.
    pub fn model(&self) -> &O::Program {
        self.weights().borrow()
    }

    /// The model, or the `Arc`; the states are gone.
    pub fn into_model(self) -> O {
        self.into_weights()
    }

    /// Goes on with another model of the same type: the weights of a new file, while sound is running. All
    /// states stay. Returns the model before, so that it can be dropped elsewhere.
    ///
    /// Weights are packed by the first stream or `predict` of a model. Where `reload` must not allocate, make
    /// a stream of the new model, and drop it, on the thread that loads: then this call only changes two
    /// fields.
    ///
    /// ```
    /// use recurrent::prelude::*;
    /// use std::sync::Arc;
    ///
    /// rnn_model! { struct Gain = Input(_, 1) -> GRU(4) -> Dense(1); }
    ///
    /// fn main() -> Result<(), Error> {
    ///     let mut stream = Arc::new(Gain::new()).into_stream()?;
    ///     stream.step(&[0.5]);
    ///     let kept = stream.states();
    ///
    ///     let new = Arc::new(Gain::with_seed(1));          // on another thread: `load`
    ///     drop(new.stream()?);                             // packs the weights there
    ///     let old = stream.reload(Arc::clone(&new))?;      // between two steps
    ///     assert_eq!(stream.states(), kept);
    ///     drop(old);                                       // where it may take time
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Isa`] and [`Error::Device`] as for [`IntoStream::into_stream`]; then nothing has changed.
    pub fn reload(&mut self, model: O) -> Result<O, Error> {
        let isa = model.borrow().isa()?;
        model.borrow().data().host_weights()?;
        model.packed_weights(isa);
        Ok(self.replace(model, isa))
    }
}

impl<O: StreamWeights<Program: Program>, V: Storage> StreamOver<O, V> {
    /// All states, layer by layer: those before the next step. Each has one row. Allocates.
    pub fn states(&mut self) -> Vec<LayerState> {
        let (t, m) = self.memory();
        let one = |s: &StreamState| {
            let width = s.shape.iter().product();
            named(s.layer, s.name, 1, s.shape, m.row(&s.buf, width, t, 0))
        };
        O::Program::STREAM.states.iter().map(one).collect()
    }

    /// Replaces the states that are named; the others stay. The states of a stream, of one row
    /// of a stateful model, or anybody's of the right shape. A layer that is used several times has
    /// several states of one name: the first that is given is that of its first use, and so on.
    ///
    /// # Errors
    /// [`Error::Argument`] if no layer of the stream has such a state, or not so many as are given
    /// under one name, [`Error::Shape`] if it has another shape; then nothing has changed.
    pub fn set_states(&mut self, states: &[LayerState]) -> Result<(), Error> {
        let specs = O::Program::STREAM.states;
        let known: Vec<_> = specs.iter().map(|s| (s.layer, s.name)).collect();
        let mut all = Vec::with_capacity(states.len());
        for (state, i) in states
            .iter()
            .zip(find(&known, &<O::Program as Program>::INFO, states)?)
        {
            all.push((i, checked(state, 1, specs[i].shape)?));
        }
        let (t, mut m) = self.memory();
        for (i, values) in &all {
            m.row_mut(&specs[*i].buf, values.len(), t, 0)
                .copy_from_slice(values);
        }
        Ok(())
    }
}
