//! A model's data: weights as the user sees them, and as the kernels read them.

use std::sync::{Mutex, MutexGuard, OnceLock};

use super::{
    LayerState, ModelInfo,
    cpu::{State, StreamCode},
    stateful::{States, Store},
};
use crate::{
    cpu::{arena::Arena, simd::Isa},
    error::Error,
};

/// A model's data.
pub struct ModelData {
    /// Empty after a device has changed them: they are copied from there when somebody asks.
    weights: OnceLock<Vec<f32>>,
    /// NaN, for weights that could not be copied; and the same packed.
    #[cfg(feature = "cuda")]
    lost: OnceLock<Vec<f32>>,
    #[cfg(feature = "cuda")]
    lost_packed: OnceLock<Arena>,
    /// The weights are NaN, since those of the model that this is a clone of could not be copied.
    #[cfg(feature = "cuda")]
    is_lost: bool,
    /// The model on a device; `None` on the CPU.
    #[cfg(feature = "cuda")]
    pub(super) resident: Option<Box<super::cuda::Resident>>,
    /// Packed when first needed after a change.
    packed: OnceLock<Arena>,
    pub(in crate::model) isa: Option<Isa>,
    /// Buffers of the last batch, for the next.
    pub(in crate::model) scratch: Mutex<Arena>,
    pub(in crate::model) training: Option<Box<State>>,
    /// What stateful layers keep.
    pub(in crate::model) states: States,
}

impl Clone for ModelData {
    /// The weights and the chosen instruction set, on the CPU; states start at zero.
    fn clone(&self) -> Self {
        let clone = |weights: &[f32]| ModelData {
            isa: self.isa,
            ..ModelData::new(weights.to_vec())
        };
        match self.host_weights() {
            Ok(weights) => clone(weights),
            #[cfg(feature = "cuda")]
            Err(e) => ModelData {
                is_lost: true,
                ..clone(self.lose(e))
            },
            #[cfg(not(feature = "cuda"))]
            Err(_) => clone(&[]),
        }
    }
}

impl std::fmt::Debug for ModelData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelData")
            .field("weights", &self.len())
            .finish_non_exhaustive()
    }
}

impl ModelData {
    /// Data with these weights, in the order of the model's parameters.
    pub fn new(weights: Vec<f32>) -> Self {
        // There is no `Default`, since a model without weights would fail only later.
        ModelData {
            weights: OnceLock::from(weights),
            #[cfg(feature = "cuda")]
            lost: OnceLock::new(),
            #[cfg(feature = "cuda")]
            lost_packed: OnceLock::new(),
            #[cfg(feature = "cuda")]
            is_lost: false,
            #[cfg(feature = "cuda")]
            resident: None,
            packed: OnceLock::new(),
            isa: None,
            scratch: Mutex::default(),
            training: None,
            states: States::default(),
        }
    }

    /// How many weights there are.
    fn len(&self) -> usize {
        #[cfg(feature = "cuda")]
        if let Some(resident) = &self.resident {
            return resident.weights_len();
        }
        self.weights.get().map_or(0, Vec::len)
    }

    /// The instruction set that runs.
    pub(in crate::model) fn isa(&self, code: &StreamCode) -> Result<Isa, Error> {
        self.check()?;
        match self.isa {
            Some(isa) => Ok(isa),
            None => code.best_isa(),
        }
    }

    /// The weights. If they cannot be copied from a device, NaN stands for them, and the next call that can return an error
    /// does.
    pub(in crate::model) fn weights(&self) -> &[f32] {
        match self.host_weights() {
            Ok(weights) => weights,
            #[cfg(feature = "cuda")]
            Err(e) => self.lose(e),
            #[cfg(not(feature = "cuda"))]
            Err(_) => &[],
        }
    }

    /// The weights.
    ///
    /// # Errors
    /// [`Error::Device`] if they cannot be copied from the device that has them.
    pub(in crate::model) fn host_weights(&self) -> Result<&[f32], Error> {
        if let Some(weights) = self.weights.get() {
            return Ok(weights);
        }
        #[cfg(feature = "cuda")]
        if let Some(resident) = &self.resident {
            let weights = resident.weights()?;
            return Ok(self.weights.get_or_init(|| weights));
        }
        // Only a device takes them away.
        Ok(&[])
    }

    /// NaN in place of weights that cannot be copied. They are asked for again by the next call: NaN is never taken for them.
    #[cfg(feature = "cuda")]
    fn lose(&self, e: Error) -> &[f32] {
        let Some(resident) = &self.resident else {
            return &[];
        };
        resident.fail(e);
        self.lost
            .get_or_init(|| vec![f32::NAN; resident.weights_len()])
    }

    /// The states of stateful layers, which are on the host as long as the lock is held.
    ///
    /// # Errors
    /// [`Error::Device`] if they cannot be copied; the device has them still.
    pub(in crate::model) fn host_states(&self) -> Result<MutexGuard<'_, Store>, Error> {
        #[cfg(feature = "cuda")]
        return super::cuda::fetch_states(self);
        #[cfg(not(feature = "cuda"))]
        Ok(self.states.lock())
    }

    /// The states of stateful layers by name. If they cannot be copied from a device they are NaN, and the next call that can
    /// return an error does.
    pub(in crate::model) fn named_states(&self, info: &ModelInfo) -> Vec<LayerState> {
        match self.host_states() {
            Ok(store) => store.named(info),
            #[cfg(feature = "cuda")]
            Err(e) => {
                if let Some(resident) = &self.resident {
                    resident.fail(e);
                }
                let store = self.states.lock();
                match store.far() {
                    Some(_) => store.lost(info).named(info),
                    // Somebody else has fetched or reset them meanwhile.
                    None => store.named(info),
                }
            }
            #[cfg(not(feature = "cuda"))]
            Err(_) => Vec::new(),
        }
    }

    /// Sees to it that the host has weights and states, which a device may have alone.
    ///
    /// # Errors
    /// [`Error::Device`] if they cannot be copied, or if something went wrong before; nothing has changed then.
    #[cfg(feature = "cuda")]
    pub(super) fn fetch(&mut self) -> Result<(), Error> {
        let Some(resident) = &self.resident else {
            return Ok(());
        };
        resident.check()?;
        self.host_weights()?;
        self.host_states().map(drop)
    }

    /// What went wrong on a device in a call that could not return an error.
    ///
    /// # Errors
    /// [`Error::Device`], once.
    pub(in crate::model) fn check(&self) -> Result<(), Error> {
        #[cfg(feature = "cuda")]
        if self.is_lost {
            return Err(Error::Device(
                "cuda: the weights of the model that this is a clone of could not be copied from its device".to_owned(),
            ));
        }
        #[cfg(feature = "cuda")]
        if let Some(resident) = &self.resident {
            return resident.check();
        }
        Ok(())
    }

    /// Replaces all weights by as many others.
    #[cfg(any(feature = "cuda", feature = "weights"))]
    pub(super) fn replace_weights(&mut self, weights: Vec<f32>) {
        self.packed.take();
        self.weights = OnceLock::from(weights);
        #[cfg(feature = "cuda")]
        {
            self.is_lost = false;
            if let Some(resident) = &mut self.resident {
                resident.set_stale();
            }
        }
    }

    /// The weights, to change: they are packed again before their next use.
    pub(in crate::model) fn weights_mut(&mut self) -> &mut [f32] {
        self.packed.take();
        #[cfg(feature = "cuda")]
        {
            if let Err(e) = self.host_weights().map(drop) {
                self.lose(e);
                // What is written there is gone with the next call.
                let mut lost = self.lost.take().unwrap_or_default();
                lost.fill(f32::NAN);
                self.lost = OnceLock::from(lost);
                return self.lost.get_mut().map_or(&mut [], |lost| lost);
            }
            if let Some(resident) = &mut self.resident {
                resident.set_stale();
            }
        }
        self.packed_weights_mut()
    }

    /// The weights, to change where that takes no effect on what was packed of them.
    pub(super) fn packed_weights_mut(&mut self) -> &mut [f32] {
        self.weights.get_mut().map_or(&mut [], |w| w)
    }

    /// A device has changed the weights.
    #[cfg(feature = "cuda")]
    pub(super) fn forget_host_weights(&mut self) {
        self.weights.take();
        self.packed.take();
    }

    /// Runs on this instruction set from now on: weights are packed for it before their next use.
    pub(in crate::model) fn set_isa(&mut self, isa: Isa) {
        self.isa = Some(isa);
        self.packed.take();
        if let Some(training) = &mut self.training {
            training.unpack();
        }
    }

    /// The weights as the kernels of inference on `isa`, which is this model's, read them.
    #[inline]
    pub(in crate::model) fn packed(&self, code: &StreamCode, isa: Isa) -> &[f32] {
        match self.packed.get() {
            Some(packed) => packed.floats(),
            None => self.pack(code, isa).floats(),
        }
    }

    /// Packs the weights. If they cannot be copied from a device, NaN: the next call tries again.
    #[cold]
    fn pack(&self, code: &StreamCode, isa: Isa) -> &Arena {
        let pack = |weights: &[f32]| {
            let mut packed = Arena::new(code.stream.packed);
            code.pack(isa, weights, packed.floats_mut());
            packed
        };
        match self.host_weights() {
            Ok(weights) => self.packed.get_or_init(|| pack(weights)),
            #[cfg(feature = "cuda")]
            Err(e) => {
                let lost = self.lose(e);
                self.lost_packed.get_or_init(|| pack(lost))
            }
            #[cfg(not(feature = "cuda"))]
            Err(_) => self.packed.get_or_init(|| pack(&[])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_runs_on_the_same_instruction_set() {
        let mut data = ModelData::new(vec![1.0]);
        assert_eq!(data.clone().isa, None);
        for &isa in Isa::available() {
            data.set_isa(isa);
            assert_eq!(data.clone().isa, Some(isa));
            assert_eq!(data.clone().weights(), [1.0]);
        }
    }
}
