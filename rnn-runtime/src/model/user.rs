//! What a user calls.

use ndarray::Array;

use super::{
    Core, Program, Stream, Streamable,
    infer::{check_input, infer, output_len},
    input::IntoInput,
    learn, summary,
};
use crate::{cpu::simd::Isa, error::Error, init::initialise, learner::InputView};

/// A compiled model. Everything that `rnn_model!` makes implements it.
pub trait Model: Program {
    /// A model with fresh weights from seed 0. See [`Model::with_seed`].
    fn new() -> Self {
        Self::with_seed(0)
    }

    /// A model with fresh weights. The same seed gives the same weights, on every machine.
    fn with_seed(seed: u64) -> Self {
        Self::from_core(Core::new(initialise(Self::SPEC.params, seed)))
    }

    /// The output for a batch: `[batch, features]`, or `[batch, time, features]` if the model ends
    /// in a sequence.
    ///
    /// `x` is `[batch, time, features]`, `[batch, features]` or ids `[batch, time]`, by the model's
    /// input.
    ///
    /// # Errors
    /// [`Error::Shape`] for another shape than the model was compiled for, an empty batch or a
    /// sequence of no steps; [`Error::Id`] for an id outside of the vocabulary.
    fn predict<'a>(
        &self,
        x: impl IntoInput<'a, Self::Input>,
    ) -> Result<Array<f32, Self::OutputDim>, Error> {
        let batch = x.into_input()?;
        let view: InputView<'_> = batch.view(&Self::SPEC.inputs[0], Self::SPEC.vocabulary)?;
        check_input::<Self>(&view)?;
        let mut y = vec![0.0; output_len::<Self>(&view)];
        infer::<Self>(self.core(), view, &mut y)?;
        let out = &Self::SPEC.outputs[0];
        let mut shape = vec![view.batch];
        if out.time.is_some() {
            shape.push(view.time);
        }
        shape.extend(out.features);
        Array::from_shape_vec(shape, y)
            .and_then(Array::into_dimensionality)
            .map_err(|e| Error::Argument(e.to_string()))
    }

    /// A stream with states of its own, at the start of a sequence. Borrows the weights.
    ///
    /// # Errors
    /// [`Error::Isa`] if `RECURRENT_ISA` names an instruction set that this machine has not.
    fn stream(&self) -> Result<Stream<'_, Self>, Error>
    where
        Self: Streamable,
    {
        Stream::new(self.core())
    }

    /// Keras's table of layers, output shapes and parameters.
    fn summary(&self) -> String {
        summary::summary(&Self::SPEC)
    }

    /// What the compiler decided, and why.
    fn plan() -> &'static str {
        Self::SPEC.plan
    }

    /// The weights of one parameter, such as `lstm/kernel`: its shape and its floats, row-major.
    fn param(&self, name: &str) -> Option<(&'static [usize], &[f32])> {
        let (spec, range) = find(Self::SPEC.params, name)?;
        Some((spec.shape, &self.core().weights[range]))
    }

    /// The weights of one parameter, to change.
    fn param_mut(&mut self, name: &str) -> Option<(&'static [usize], &mut [f32])> {
        let (spec, range) = find(Self::SPEC.params, name)?;
        Some((spec.shape, &mut self.core_mut().weights_mut()[range]))
    }

    /// Runs on this instruction set from now on, whatever `RECURRENT_ISA` says.
    fn set_isa(&mut self, isa: Isa) {
        self.core_mut().isa = Some(isa);
    }

    /// Asks backward passes for the gradient of the input too ([`Model::input_gradient`]).
    fn want_input_gradient(&mut self, wanted: bool) {
        learn::want_input_gradient(self, wanted);
    }

    /// The gradient of the input from the last backward pass, `[batch, (time,) features]`; `None`
    /// for ids, or if it was not asked for.
    fn input_gradient(&self, _index: usize) -> Option<&[f32]> {
        learn::input_gradient(self)
    }

    /// Writes the weights as safetensors, under Keras's names. The file is written to the side
    /// and renamed: an interrupted write leaves the old file whole.
    ///
    /// # Errors
    /// [`Error::Io`].
    #[cfg(feature = "weights")]
    fn save(&self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        crate::weights::save(path, Self::SPEC.params, &self.core().weights)
    }

    /// Reads weights from safetensors. Everything missing, extra, of the wrong shape or not finite
    /// is reported together, and then nothing has changed.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Weights`].
    #[cfg(feature = "weights")]
    fn load(&mut self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        crate::weights::load(path, Self::SPEC.params, self.core_mut().weights_mut())
    }
}

impl<P: Program> Model for P {}

fn find<'a>(
    params: &'a [crate::params::ParamSpec],
    name: &str,
) -> Option<(&'a crate::params::ParamSpec, std::ops::Range<usize>)> {
    let mut at = 0;
    for p in params {
        if p.name == name {
            return Some((p, at..at + p.len()));
        }
        at += p.len();
    }
    None
}
