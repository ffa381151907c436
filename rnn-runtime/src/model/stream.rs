//! Streaming: one row, one step at a time.

use std::marker::PhantomData;

use super::{
    Core, LayerState, Program,
    stateful::{checked, find, named},
};
use crate::{
    cpu::{
        arena::Arena,
        phase::Memory,
        simd::{Isa, Op, Simd},
    },
    error::Error,
};

/// A model that can run step by step. Implemented by the compiler where nothing needs the whole
/// sequence at once.
#[diagnostic::on_unimplemented(
    message = "[RNN0300]: `{Self}` cannot stream: one of its layers needs the whole sequence",
    note = "`Bidirectional` and `go_backwards` start at the last step; `Flatten`, `Reshape` and `Permute` of a sequence need all of them; `RepeatVector`, `initial_state` and several axes of time have no single step",
    note = "help: use `predict`, or leave these layers out"
)]
pub trait Streamable: Program {}

/// A stream: its own states, the model's weights. Made by [`super::Model::stream`].
pub struct Stream<'m, P: Program> {
    core: &'m Core,
    packed: &'m [f32],
    isa: Isa,
    values: Arena,
    time: usize,
    program: PhantomData<P>,
}

impl<'m, P: Program> Stream<'m, P> {
    pub(super) fn new(core: &'m Core) -> Result<Self, Error> {
        let isa = core.isa::<P>()?;
        Ok(Stream {
            core,
            packed: core.packed::<P>(isa),
            isa,
            values: Arena::new(P::SPEC.stream_len),
            time: 0,
            program: PhantomData,
        })
    }

    /// Runs one step and returns its output. A step of features is an array (`&[0.0; 8]`), one of a
    /// class id an [`Id`](super::Id): `stream.step(&Id::new(3)?)`. Allocates nothing, locks nothing, cannot fail.
    #[inline]
    pub fn step(&mut self, x: &P::StepInput) -> P::StepOutput<'_> {
        self.isa.dispatch(Step::<P> {
            values: self.values.floats_mut(),
            packed: self.packed,
            weights: &self.core.weights,
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

    /// All states, layer by layer: those before the next step. Each has one row.
    pub fn states(&mut self) -> Vec<LayerState> {
        let t = self.time;
        let m = Memory::new(self.values.floats_mut(), self.packed, P::SPEC.stream, 1, 1);
        let one = |s: &super::StreamState| {
            let width = s.shape.iter().product();
            named(s.layer, s.name, 1, s.shape, m.row(&s.buf, width, t, 0))
        };
        P::SPEC.stream_states.iter().map(one).collect()
    }

    /// Replaces the states that are named; the others stay. The states of a stream, of one row
    /// of a stateful model, or anybody's of the right shape. A layer that is used several times has
    /// several states of one name: the first that is given is that of its first use, and so on.
    ///
    /// # Errors
    /// [`Error::Argument`] if no layer of the stream has such a state, or not so many as are given
    /// under one name, [`Error::Shape`] if it has another shape; then nothing has changed.
    pub fn set_states(&mut self, states: &[LayerState]) -> Result<(), Error> {
        let specs = P::SPEC.stream_states;
        let known: Vec<_> = specs.iter().map(|s| (s.layer, s.name)).collect();
        let mut all = Vec::with_capacity(states.len());
        for (state, i) in states.iter().zip(find(&known, &P::SPEC, states)?) {
            all.push((i, checked(state, 1, specs[i].shape)?));
        }
        let t = self.time;
        let mut m = Memory::new(self.values.floats_mut(), self.packed, P::SPEC.stream, 1, 1);
        for (i, values) in &all {
            m.row_mut(&specs[*i].buf, values.len(), t, 0)
                .copy_from_slice(values);
        }
        Ok(())
    }
}

struct Step<'a, P: Program> {
    values: &'a mut [f32],
    packed: &'a [f32],
    weights: &'a [f32],
    t: usize,
    x: &'a P::StepInput,
}

impl<P: Program> Op for Step<'_, P> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // Made here and not by the caller: a function that is compiled for an instruction set is
        // not inlined, and the tables must be constants in it.
        let mut m = Memory::new(self.values, self.packed, P::SPEC.stream, 1, 1);
        P::step(s, &mut m, self.weights, self.t, self.x);
    }
}
