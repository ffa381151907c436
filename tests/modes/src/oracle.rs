//! The interpreter's side: the same model, and the random numbers that training draws.

use crate::numbers::{Data, named};
use recurrent::{Isa, learner::StepSeed, params::ParamSpec};
use rnn_reference::{Answer, Call, Definitions, Draw, Drawn, ReferenceModel, Weights};
use rnn_runtime::cpu::{
    arena::Arena,
    kernel::{Buf, Memory, padded},
    ops::{Perturb, Times, copy_out, perturb},
};
use rnn_tables::{BufferRef, Extent, Perturbation};

/// The step of training that is compared.
pub const SEED: StepSeed = StepSeed { seed: 3, step: 4 };

/// The interpreter's model of the same text.
pub fn oracle(text: &str) -> ReferenceModel {
    let scope = Definitions {
        cells: crate::cells::CELLS,
        consts: crate::cells::CONSTS,
    };
    match ReferenceModel::parse_in(text, scope) {
        Ok(model) => model,
        Err(e) => panic!("{text}: {e}"),
    }
}

/// Weights and a batch that the interpreter runs.
pub struct Run<'a> {
    /// The model.
    pub oracle: &'a ReferenceModel,
    /// Its weights by name.
    pub weights: Weights,
    /// The batch, and what is drawn for it.
    pub call: Call,
}

impl Run<'_> {
    /// Inference.
    pub fn inference<'a>(
        oracle: &'a ReferenceModel,
        specs: &[ParamSpec],
        weights: &[f32],
        x: &Data,
    ) -> Run<'a> {
        Run {
            oracle,
            weights: named(specs, weights),
            call: Call {
                inputs: x.for_oracle(),
                ..Call::default()
            },
        }
    }

    /// The forward pass of training, with the numbers that this instruction set draws.
    pub fn training<'a>(
        oracle: &'a ReferenceModel,
        specs: &[ParamSpec],
        weights: &[f32],
        x: &Data,
        isa: Isa,
    ) -> Run<'a> {
        let mut run = Run::inference(oracle, specs, weights, x);
        run.call.training = true;
        run.call.draws = (oracle.draws().iter())
            .map(|d| drawn(d, isa, x.batch(), x.time()))
            .collect();
        run
    }

    /// What the interpreter computes.
    pub fn answer(&self) -> Answer {
        self.oracle.call(&self.weights, &self.call).unwrap()
    }
}

/// What the runtime draws in step [`SEED`]: read from ones that a dropout has multiplied, and from
/// zeros to which noise was added. A layer with a `seed` draws the same wherever it stands.
fn drawn(draw: &Draw, isa: Isa, rows: usize, time: usize) -> Vec<f64> {
    let Some(seed) = draw.seed else {
        panic!("give {} a seed", draw.layer)
    };
    // The numbering of `passes/lower.rs` and `schedule/forward.rs`.
    let of_call = ((1 << 63) | seed).wrapping_add((draw.call as u64) << 48);
    let layer = of_call + ((draw.cell as u64) << 32) + ((draw.mask as u64) << 40);
    let steps = if draw.every_step { time } else { 1 };
    let row = padded(draw.width);
    let buf = |offset: usize| Buf::new(offset, row, rows, steps, Extent::All);
    let bufs = [buf(0), buf(buf(0).len())];
    let mut arena = Arena::new(2 * bufs[0].len());
    // What the interpreter is given: factors of ones, ones that stay, or normal numbers beside zeros.
    let (how, start) = match draw.drawn {
        Drawn::Factors { rate } => (bernoulli(rate as f32, 1.0 / (1.0 - rate as f32)), 1.0),
        Drawn::Perturbation(Perturbation::Bernoulli { rate, .. }) => (bernoulli(rate, 1.0), 1.0),
        Drawn::Perturbation(_) => (Perturbation::Additive { stddev: 1.0 }, 0.0),
    };
    arena.floats_mut().fill(start);
    let mut m = Memory::new(arena.floats_mut(), &bufs, steps, rows);
    let place = |buffer: usize| BufferRef {
        buffer,
        offset: 0,
        after: false,
        exact: false,
    };
    let (from, to, times) = (&place(0), &place(1), Times::all(steps));
    let p = Perturb {
        how,
        every_step: draw.every_step,
        stream: layer,
        seed: SEED,
    };
    perturb(isa, &mut m, from, to, draw.width, &p, times);
    let mut all = vec![0.0; rows * steps * draw.width];
    copy_out(&mut m, to, draw.width, &mut all, steps, 0, times);
    all.into_iter().map(f64::from).collect()
}

fn bernoulli(rate: f32, scale: f32) -> Perturbation {
    Perturbation::Bernoulli {
        rate,
        scale,
        offset: 0.0,
        dropped: 0.0,
    }
}
