//! Applies an [`Update`] to host slices.

use std::ops::Range;

use super::{constrain::Constraints, penalize};
use crate::{
    error::Error,
    params::ParamSpec,
    update::{Update, UpdateRule},
};

/// What an update needs to know about a model's parameters, found once: which weights are trained, and which
/// of them are constrained.
///
/// Example: [`Trainable`](crate::trainable::Trainable).
pub struct UpdateTables {
    params: Vec<ParamSpec>,
    constraints: Constraints,
    /// The trainable parameters, as ranges of the weights.
    trainable: Vec<Range<usize>>,
    /// The same ranges with neighbours joined; a rule loops over each of them.
    runs: Vec<Range<usize>>,
    weights: usize,
}

impl UpdateTables {
    /// The tables of a model with these parameters.
    ///
    /// # Errors
    /// [`Error::Argument`] if a constraint is for an axis that its parameter does not have.
    pub fn new(params: &[ParamSpec]) -> Result<UpdateTables, Error> {
        let constraints = Constraints::new(params)?;
        let (mut trainable, mut runs) = (Vec::new(), Vec::<Range<usize>>::new());
        let mut weights = 0;
        for param in params {
            let range = weights..weights + param.len();
            weights = range.end;
            if !param.trainable {
                continue;
            }
            trainable.push(range.clone());
            match runs.last_mut() {
                Some(run) if run.end == range.start => run.end = range.end,
                _ => runs.push(range),
            }
        }
        Ok(UpdateTables {
            params: params.to_vec(),
            constraints,
            trainable,
            runs,
            weights,
        })
    }

    /// How many weights the model has.
    pub fn weights(&self) -> usize {
        self.weights
    }

    /// Applies `update`. `gradients` change as well, since they are clipped in place.
    ///
    /// # Errors
    /// [`Error::Shape`] if a slice is not as long as the model has weights.
    pub fn apply(
        &mut self,
        update: &Update<'_>,
        weights: &mut [f32],
        gradients: &mut [f32],
        slots: &mut [Vec<f32>],
    ) -> Result<(), Error> {
        self.check("weights", weights.len())?;
        self.check("gradients", gradients.len())?;
        for slot in slots.iter() {
            self.check("slot", slot.len())?;
        }
        if update.penalties {
            penalize::add_gradient(&self.params, weights, gradients);
        }
        update.clip.apply(gradients, &self.trainable);
        for run in &self.runs {
            let weights = &mut weights[run.clone()];
            if let Some(decay) = update.weight_decay {
                let decay = (decay * update.step.learning_rate) as f32;
                weights.iter_mut().for_each(|w| *w -= *w * decay);
            }
            let mut slots: Vec<&mut [f32]> = slots
                .iter_mut()
                .map(|slot| &mut slot[run.clone()])
                .collect();
            let gradients = &gradients[run.clone()];
            match update.rule {
                UpdateRule::Keras(rule) => rule.update(update.step, weights, gradients, &mut slots),
                UpdateRule::Own(rule) => rule.update(update.step, weights, gradients, &mut slots),
            }
        }
        self.constraints.apply(weights);
        Ok(())
    }

    /// An error unless `found` is the number of weights.
    pub(super) fn check(&self, what: &str, found: usize) -> Result<(), Error> {
        if found == self.weights {
            return Ok(());
        }
        Err(Error::Shape {
            what: what.to_owned(),
            expected: format!("[{}]", self.weights),
            found: format!("[{found}]"),
        })
    }
}
