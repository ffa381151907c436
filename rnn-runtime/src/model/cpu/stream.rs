//! Streams of a model whose weights are its own, and their states by name.

use super::StreamCode;
use crate::{
    cpu::{
        arena::Storage,
        kernel::{PanelFormat, Panels},
    },
    error::Error,
    model::{
        LayerState, ModelData, Program,
        stateful::{checked, find, named},
    },
    stream::{Stream, StreamState},
};

impl<'m, P: Program> Stream<'m, P> {
    pub(in crate::model) fn new(data: &'m ModelData) -> Result<Self, Error> {
        let code = StreamCode::of::<P>();
        let isa = data.isa(&code)?;
        let panels = Panels::new(data.packed(&code, isa));
        Ok(Stream::over(data.weights(), panels, isa))
    }
}

impl<P: Program, W: PanelFormat, V: Storage> Stream<'_, P, W, V> {
    /// All states, layer by layer: those before the next step. Each has one row.
    pub fn states(&mut self) -> Vec<LayerState> {
        let (t, m) = self.memory();
        let one = |s: &StreamState| {
            let width = s.shape.iter().product();
            named(s.layer, s.name, 1, s.shape, m.row(&s.buf, width, t, 0))
        };
        P::STREAM.states.iter().map(one).collect()
    }

    /// Replaces the states that are named; the others stay. The states of a stream, of one row
    /// of a stateful model, or anybody's of the right shape. A layer that is used several times has
    /// several states of one name: the first that is given is that of its first use, and so on.
    ///
    /// # Errors
    /// [`Error::Argument`] if no layer of the stream has such a state, or not so many as are given
    /// under one name, [`Error::Shape`] if it has another shape; then nothing has changed.
    pub fn set_states(&mut self, states: &[LayerState]) -> Result<(), Error> {
        let specs = P::STREAM.states;
        let known: Vec<_> = specs.iter().map(|s| (s.layer, s.name)).collect();
        let mut all = Vec::with_capacity(states.len());
        for (state, i) in states.iter().zip(find(&known, &P::INFO, states)?) {
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
