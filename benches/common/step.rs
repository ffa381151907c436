//! A training step.

use recurrent::{
    learner::{InputView, Learner, StepSeed},
    optimizers::Stepper,
    prelude::*,
    train::{Predictions, TargetView},
};

/// The steps that [`Trainer`] repeats, without its data set, its progress and its metrics.
pub struct Step<L> {
    model: L,
    loss: SparseCategoricalCrossentropy,
    optimizer: Stepper,
    targets: Vec<u32>,
    d_output: Vec<f32>,
    gradients: Vec<f32>,
    seed: StepSeed,
}

impl<L: Learner> Step<L> {
    /// `rows` rows of these classes.
    pub fn new(model: L, rows: usize, classes: u32) -> Result<Self, Error> {
        Ok(Step {
            optimizer: Stepper::new(Box::new(Adam::default()), model.specs())?,
            loss: SparseCategoricalCrossentropy::from_logits(),
            targets: super::labels(rows, classes),
            d_output: vec![0.0; rows * classes as usize],
            gradients: vec![0.0; model.weights().len()],
            seed: StepSeed::default(),
            model,
        })
    }

    /// Runs one, and returns its loss.
    pub fn run(&mut self, x: InputView<'_>) -> Result<f64, Error> {
        self.seed.step += 1;
        self.model.forward(&[x], self.seed)?;
        let target = TargetView::Labels(&self.targets);
        let classes = self.d_output.len() / self.targets.len();
        let predictions = Predictions::new(self.model.output(0), classes, target, None)?;
        let loss = self.loss.mean(&predictions, Some(&mut self.d_output))?;
        self.model
            .backward(&[&self.d_output], &mut self.gradients)?;
        self.optimizer
            .step(self.model.weights_mut(), &mut self.gradients)?;
        Ok(loss)
    }
}
