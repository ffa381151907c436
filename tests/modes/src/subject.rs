//! A model under test, whatever its type.

use crate::{
    numbers::{Data, same_bits},
    steps::{StepInput, StepOutput},
};
use recurrent::{
    __private_0_1::ModelInfo,
    Isa,
    learner::Learner,
    model::{Model, Streamable},
};

/// What the checks call of a [`Model`], which cannot be a trait object itself.
pub trait Subject: Learner + Send {
    /// What is known about the model.
    fn spec(&self) -> &'static ModelInfo;
    /// Runs on this instruction set from now on.
    fn use_isa(&mut self, isa: Isa);
    /// The instruction set that it runs on.
    fn chosen_isa(&self) -> Isa;
    /// Whether it is on a device. Streams, instruction sets and threads are the CPU's.
    fn is_on_device(&self) -> bool;
    /// Starts sequences from zero states.
    fn start(&self);
    /// Asks backward passes for the gradients of inputs.
    fn want_input_gradients(&mut self);
    /// The gradient of an input from the last backward pass.
    fn gradient_of_input(&self, index: usize) -> Option<&[f32]>;
}

impl<M: Model> Subject for M {
    fn spec(&self) -> &'static ModelInfo {
        const { &M::INFO }
    }
    fn use_isa(&mut self, isa: Isa) {
        self.set_isa(isa);
    }
    fn chosen_isa(&self) -> Isa {
        self.isa().expect("an instruction set of this machine")
    }
    fn is_on_device(&self) -> bool {
        !self.device().is_cpu()
    }
    fn start(&self) {
        self.reset_states();
    }
    fn want_input_gradients(&mut self) {
        self.want_input_gradient(true);
    }
    fn gradient_of_input(&self, index: usize) -> Option<&[f32]> {
        self.input_gradient(index)
    }
}

/// The instruction sets that a model can run on; a device has one of its own, which is none of these.
pub fn isas<M: Subject + ?Sized>(model: &M) -> &'static [Isa] {
    match model.is_on_device() {
        true => &Isa::available()[..1],
        false => Isa::available(),
    }
}

/// A model that can run step by step.
pub trait Streaming: Subject {
    /// What a stream gives for each row of a batch: `[row][step][output]`.
    fn steps(&self, x: &Data) -> Vec<Vec<Vec<Vec<f32>>>>;
}

impl<M> Streaming for M
where
    M: Model + Streamable,
    M::StepInput: StepInput,
    for<'s> M::StepOutput<'s>: StepOutput,
{
    fn steps(&self, x: &Data) -> Vec<Vec<Vec<Vec<f32>>>> {
        let mut s = self.stream().unwrap();
        let mut of_numbers = self.stream().unwrap().boxed();
        let mut row = |row| {
            s.reset();
            of_numbers.reset();
            let mut step = |t| {
                let y = s.step(&M::StepInput::of(x, row, t));
                let outputs: Vec<_> = y.outputs().into_iter().map(<[f32]>::to_vec).collect();
                let numbers = x.inputs.iter().flat_map(|i| i.step(row, t));
                let all = of_numbers.step(&numbers.collect::<Vec<_>>()).unwrap();
                same_bits("a stream of plain numbers", all, &outputs.concat());
                outputs
            };
            (0..x.time()).map(&mut step).collect()
        };
        (0..x.batch()).map(&mut row).collect()
    }
}
