//! What stateful layers keep, on the device until somebody asks.

use std::sync::MutexGuard;

use rnn_tables::BufferRef;

use crate::{
    cuda::Engine,
    error::Error,
    model::{ModelData, ModelInfo, StateSpec, stateful::Store},
};

/// What [`ModelData::host_states`] does.
pub(in crate::model) fn fetch_states(data: &ModelData) -> Result<MutexGuard<'_, Store>, Error> {
    let Some(resident) = &data.resident else {
        return Ok(data.states.lock());
    };
    // Whoever locks both locks the engine first.
    let engine = resident.engine();
    let mut store = data.states.lock();
    let Some(rows) = store.far() else {
        return Ok(store);
    };
    let states = resident.info.states.iter().enumerate();
    let copies = states.map(|(i, state)| engine.kept_state(i, rows * state.width()));
    let all = copies.collect::<Result<Vec<_>, Error>>()?;
    store.save(resident.info, rows, all);
    Ok(store)
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
