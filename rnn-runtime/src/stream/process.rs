//! A block of steps.

use super::{PackedWeights, StreamOver, StreamProgram, StreamWeights, Streamable};
use crate::{
    Error,
    cpu::{
        arena::Storage,
        kernel::{PanelFormat, StepMemory, StepValues},
        simd::{Op, Simd},
    },
};

impl<O: StreamWeights, V: Storage> StreamOver<O, V> {
    /// Runs a step for each `N` numbers of `input`, and writes the `M` numbers of each to `output`: the bits of as many calls of
    /// [`step`](Self::step), for a block of audio, or of any other signal. Allocates nothing and locks nothing.
    ///
    /// A model of one input and one output with features. Its states go on from one block to the next, however long they are.
    ///
    /// ```
    /// use recurrent::prelude::*;
    ///
    /// let model = rnn_model!(Input(_, 1) -> GRU(4) -> Dense(1));
    /// let (mut blocks, mut steps) = (model.stream()?, model.stream()?);
    /// let input = [0.5, -0.25, 0.125];
    /// let mut output = [0.0; 3];
    /// blocks.process(&input, &mut output)?;
    /// assert_eq!(output, input.map(|x| steps.step(&[x])[0]));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] if `input` is no whole number of steps, or `output` has not as many; then nothing has run.
    pub fn process<const N: usize, const M: usize>(
        &mut self,
        input: &[f32],
        output: &mut [f32],
    ) -> Result<(), Error>
    where
        O::Program: Streamable + StreamProgram<StepInput = [f32; N]>,
        for<'s> O::Program: StreamProgram<StepOutput<'s> = &'s [f32; M]>,
    {
        let (steps, rest) = input.as_chunks::<N>();
        let expected = steps.len().saturating_mul(N);
        if !rest.is_empty() {
            return Err(Error::Length {
                what: "input of whole steps",
                expected,
                found: input.len(),
            });
        }
        let (found, expected) = (output.len(), steps.len().saturating_mul(M));
        let (outputs, _) = output.as_chunks_mut::<M>();
        if found != expected {
            return Err(Error::Length {
                what: "output",
                expected,
                found,
            });
        }
        let isa = self.weights.runs_on(self.isa);
        let weights = self.weights.packed_weights(isa);
        self.time = isa.dispatch(Block::<O::Program, O::Format, N, M> {
            values: StepValues::new(&mut self.values),
            weights,
            t: self.time,
            steps,
            outputs,
        });
        Ok(())
    }
}

struct Block<'a, P: StreamProgram, W: PanelFormat, const N: usize, const M: usize> {
    values: StepValues<'a, P>,
    weights: PackedWeights<'a, P, W>,
    t: usize,
    steps: &'a [[f32; N]],
    outputs: &'a mut [[f32; M]],
}

impl<P, W: PanelFormat, const N: usize, const M: usize> Op for Block<'_, P, W, N, M>
where
    P: StreamProgram<StepInput = [f32; N]>,
    for<'s> P: StreamProgram<StepOutput<'s> = &'s [f32; M]>,
{
    /// The parity of the next step.
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) -> usize {
        let mut t = self.t;
        for (x, y) in self.steps.iter().zip(self.outputs) {
            let mut m = StepMemory::new(self.values.reborrow(), self.weights.panels(), t);
            P::step(s, &mut m, self.weights.tables(), x);
            *y = *P::step_output(self.values.reborrow().results());
            t ^= 1;
        }
        t
    }
}
