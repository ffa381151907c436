//! What stateful layers keep, on the device until somebody asks.

use std::sync::MutexGuard;

use rnn_tables::BufferRef;

use crate::{
    cuda::Engine,
    error::Error,
    model::{ModelData, ModelInfo, StateSpec, stateful::Store},
};

/// The states of stateful layers, which are on the host as long as the lock is held.
pub(in crate::model) fn fetch_states(data: &ModelData) -> MutexGuard<'_, Store> {
    let Some(resident) = &data.resident else {
        return data.states.lock();
    };
    // Whoever locks both locks the engine first.
    let engine = resident.engine();
    let mut store = data.states.lock();
    let Some(rows) = store.far() else {
        return store;
    };
    let copy = |(i, state): (usize, &StateSpec)| {
        let len = rows * state.width();
        engine.kept_state(i, len).unwrap_or_else(|e| {
            resident.fail(e);
            vec![f32::NAN; len]
        })
    };
    let all = resident.info.states.iter().enumerate().map(copy).collect();
    store.save(resident.info, rows, all);
    store
}

/// Puts the states that a batch starts with where its run reads them: `to` says where.
pub(super) fn start_states(
    info: &ModelInfo,
    data: &ModelData,
    engine: &mut Engine,
    batch: usize,
    to: impl Fn(&StateSpec) -> BufferRef,
) -> Result<(), Error> {
    let (stored, far) = {
        let store = data.states.lock();
        (store.load(info, batch)?, store.far().is_some())
    };
    for (i, state) in info.states.iter().enumerate() {
        match far {
            true => engine.restore_state(i, &to(state), state.width())?,
            false => engine.copy_in(&to(state), state.width(), None, &stored[i])?,
        }
    }
    Ok(())
}

/// Keeps the states that a batch ended with: on the device, until somebody asks.
pub(super) fn end_states(
    info: &ModelInfo,
    data: &ModelData,
    engine: &mut Engine,
    batch: usize,
    from: impl Fn(&StateSpec) -> BufferRef,
) -> Result<(), Error> {
    for (i, state) in info.states.iter().enumerate() {
        engine.keep_state(i, &from(state), state.width())?;
    }
    data.states.lock().save_far(info, batch);
    Ok(())
}
