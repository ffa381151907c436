//! Models whose weights are a part of the program: constants, in read-only memory.

use core::marker::PhantomData;

use super::{PackedWeights, StreamOver, StreamProgram, StreamWeights, Tables};
use crate::cpu::{
    arena::Inline,
    kernel::{Panels, PortableF32, StepPanels},
    layout::is_narrow,
    simd::Isa,
};

/// The weights of a model as the compiler has written them into the program.
///
/// Example: [`ProgramStream`].
#[derive(Clone, Copy, Debug)]
pub struct ProgramWeights {
    /// Packed in panels of 16.
    pub packed: &'static [f32],
    /// Tables that a stream reads.
    pub tables: Tables<'static>,
}

/// A model with its weights in the program: `rnn_model!(struct Amp = import("amp.keras"));`.
///
/// Example: [`ProgramStream`].
pub trait ProgramModel: StreamProgram {
    /// They fit the model: the compiler has seen to that.
    const WEIGHTS: ProgramWeights;

    /// The states that do not start at zero, by their places among [`StreamInfo::states`](super::StreamInfo::states).
    const START_STATES: &'static [(usize, &'static [f32])] = &[];

    /// Those of [`Self::WEIGHTS`] that are packed, if there are as many as [`StreamProgram::STREAM`] says. rustc fails otherwise.
    #[doc(hidden)]
    const CHECKED: StepPanels<'static, Self, PortableF32> = {
        let packed = Self::WEIGHTS.packed;
        match StepPanels::new(Panels::new(packed)) {
            Some(panels) if packed.len() == Self::STREAM.packed => panels,
            _ => panic!("the packed weights in the program do not fit the model"),
        }
    };
}

/// The weights of `P` in the program. There is nothing in it: they are constants.
///
/// Example: [`ProgramStream`].
pub struct InProgram<P>(PhantomData<fn() -> P>);

impl<P> Clone for InProgram<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for InProgram<P> {}

impl<P: ProgramModel> StreamWeights for InProgram<P> {
    type Program = P;
    type Format = PortableF32;

    #[inline(always)]
    fn packed_weights(&self, _: Isa) -> PackedWeights<'_, P> {
        PackedWeights::known(const { P::WEIGHTS.tables }, const { P::CHECKED })
    }

    /// Asked at every step: a constant stream cannot know what it will run on.
    #[inline(always)]
    fn runs_on(&self, _: Isa) -> Isa {
        Isa::detected(const { is_narrow(P::STREAM.matrices) })
    }
}

/// A stream of a model with its weights in the program: `'static`, `Send`, a constant at its start. It is made by the
/// model's own `stream()`, which a `static` can call, too. Its values are within it.
///
/// It runs on the best instruction set that the CPU has; the environment variable `RECURRENT_ISA` is not read.
///
/// ```ignore
/// use recurrent::prelude::*;
///
/// // The feature `import`. The path starts at the folder of Cargo.toml.
/// rnn_model!(pub struct Amp = import("models/amp.nam"));
///
/// /// A plug-in without anything to load: its stream is a part of it.
/// pub struct Plugin {
///     stream: ProgramStream<Amp>,
/// }
/// const PLUGIN: Plugin = Plugin { stream: Amp::stream() };
///
/// fn block(plugin: &mut Plugin, input: &[f32], output: &mut [f32]) -> Result<(), Error> {
///     plugin.stream.process(input, output)
/// }
/// ```
pub type ProgramStream<P> = StreamOver<InProgram<P>, <P as StreamProgram>::Values>;

impl<P: ProgramModel, const LINES: usize> StreamOver<InProgram<P>, Inline<LINES>> {
    /// The values before the first step.
    const START: Inline<LINES> = {
        assert!(P::STREAM.len <= Inline::<LINES>::FLOATS);
        let mut values = Inline::ZEROS;
        let mut i = 0;
        while i < P::START_STATES.len() {
            let (state, floats) = P::START_STATES[i];
            let place = &P::STREAM.states[state].buf;
            values.write(P::STREAM.buffers[place.buffer].at(place, 0), floats);
            i += 1;
        }
        values
    };

    /// A stream at the start of a sequence.
    #[doc(hidden)]
    pub const fn at_start() -> Self {
        StreamOver {
            weights: InProgram(PhantomData),
            isa: Isa::BASELINE,
            values: Self::START,
            time: 0,
        }
    }
}
