//! The weights for callbacks: a slice on the host, wherever the model keeps them.

use std::{borrow::Cow, cell::OnceCell};

use rnn_runtime::{error::Error, trainable::Trainable};

/// A model. If its weights are not in host memory and a callback has read them, also their copy.
pub(crate) struct HostWeights<'a> {
    model: &'a mut dyn Trainable,
    copy: OnceCell<Vec<f32>>,
    /// Whether the copy may differ from the weights.
    changed: bool,
}

impl<'a> HostWeights<'a> {
    pub fn new(model: &'a mut dyn Trainable) -> Self {
        HostWeights {
            model,
            copy: OnceCell::new(),
            changed: false,
        }
    }

    pub fn model(&self) -> &dyn Trainable {
        self.model
    }

    pub fn model_mut(&mut self) -> &mut dyn Trainable {
        self.model
    }

    pub fn get(&self) -> &[f32] {
        if let Some(copy) = self.copy.get() {
            return copy;
        }
        match self.model.weights() {
            Cow::Borrowed(weights) => weights,
            Cow::Owned(weights) => self.copy.get_or_init(|| weights),
        }
    }

    pub fn get_mut(&mut self) -> &mut [f32] {
        if self.copy.get().is_none() && self.model.host_weights_mut().is_none() {
            self.copy = OnceCell::from(self.model.weights().into_owned());
        }
        match self.copy.get_mut() {
            Some(copy) => {
                self.changed = true;
                copy
            }
            None => self.model.host_weights_mut().unwrap_or(&mut []),
        }
    }

    pub fn set(&mut self, weights: &[f32]) -> Result<(), Error> {
        self.model.set_weights(weights)?;
        (self.copy, self.changed) = (OnceCell::new(), false);
        Ok(())
    }

    /// Writes weights that a callback has changed to the model.
    pub fn write_back(self) -> Result<(), Error> {
        match self.copy.into_inner() {
            Some(copy) if self.changed => self.model.set_weights(&copy),
            _ => Ok(()),
        }
    }
}
