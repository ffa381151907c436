//! Values that training changes at random: `Dropout` and its kin. Inference leaves them alone.

use rnn_tables::Perturbation;

use super::one;
use crate::{
    diagnostics::Sound,
    ir::{Draws, Instruction, OpCall, OpDef, Pass, PerStep, Reference, Shape, Shares},
};

/// Changes values at random in training.
#[derive(Debug)]
pub struct Perturb {
    /// How.
    pub how: Perturbation,
    /// It draws for every step; otherwise once for all steps.
    pub every_step: bool,
    /// The layer's `seed`.
    pub seed: Option<u64>,
    /// What training does, for the plan: "rate 0.5".
    pub what: String,
}

impl Perturb {
    /// `Dropout`: a value becomes 0 with probability `rate`; the others are scaled up so that the mean
    /// stays.
    pub fn dropout(rate: f64, every_step: bool, seed: Option<u64>) -> Perturb {
        let what = format!("rate {rate}");
        let rate = rate as f32;
        Perturb {
            how: Perturbation::Bernoulli {
                rate,
                scale: if rate < 1.0 { 1.0 / (1.0 - rate) } else { 0.0 },
                offset: 0.0,
                dropped: 0.0,
            },
            every_step,
            seed,
            what,
        }
    }
}

impl OpDef for Perturb {
    fn shares(&self) -> Shares {
        Shares {
            inference: true,
            training: false,
            // Added noise does not change the gradient.
            gradient: matches!(self.how, Perturbation::Additive { .. }),
        }
    }

    fn per_step(&self) -> PerStep {
        match self.every_step {
            true => PerStep::Same,
            false => PerStep::Never,
        }
    }

    fn is_identity(&self, _: &Shape, _: &Shape) -> bool {
        match self.how {
            Perturbation::Bernoulli { rate, .. } => rate == 0.0,
            Perturbation::Additive { stddev } | Perturbation::Multiplicative { stddev } => {
                stddev == 0.0
            }
        }
    }

    fn draws(&self) -> Option<Draws> {
        Some(Draws {
            how: self.how,
            every_step: self.every_step,
            seed: self.seed,
        })
    }

    fn keeps_numbers(&self) -> bool {
        true
    }

    fn explain(&self) -> Option<String> {
        Some(format!("nothing in inference, {} in training", self.what))
    }

    fn forward(&self, call: &OpCall, pass: Pass) -> Sound<Option<Instruction>> {
        if pass == Pass::Inference {
            return Ok(None);
        }
        let (input, output) = one(call)?;
        Ok(Some(Instruction::Perturb {
            how: self.how,
            from: input.at.clone(),
            to: output.at.clone(),
            width: input.width.clone(),
            every_step: self.every_step,
            stream: call.stream,
            axis: input.axis,
        }))
    }

    fn backward(&self, call: &OpCall) -> Sound<Option<Instruction>> {
        if self.shares().gradient {
            return Ok(None);
        }
        let (input, output) = one(call)?;
        Ok(Some(Instruction::PerturbBackward {
            how: self.how,
            from: output.gradient.clone(),
            to: input.gradient.clone(),
            width: input.width.clone(),
            every_step: self.every_step,
            stream: call.stream,
            axis: input.axis,
        }))
    }

    fn reference(&self, x: &Reference<'_>) -> Vec<f64> {
        let Some(drawn) = x.drawn else {
            return x.data.to_vec();
        };
        let row = x.steps * x.width;
        let number = |i: usize| match self.every_step {
            true => drawn[i],
            false => drawn[i / row * x.width + i % x.width],
        };
        let one = |(i, &v): (usize, &f64)| match self.how {
            Perturbation::Bernoulli { dropped, .. } if number(i) == 0.0 => f64::from(dropped),
            Perturbation::Bernoulli { scale, offset, .. } => {
                v * f64::from(scale) + f64::from(offset)
            }
            Perturbation::Additive { stddev } => v + f64::from(stddev) * number(i),
            Perturbation::Multiplicative { stddev } => v * (1.0 + f64::from(stddev) * number(i)),
        };
        x.data.iter().enumerate().map(one).collect()
    }
}
