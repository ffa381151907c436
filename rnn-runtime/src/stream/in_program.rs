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
#[derive(Clone, Copy, Debug)]
pub struct ProgramWeights {
    /// Packed in panels of 16.
    pub packed: &'static [f32],
    /// Tables that a stream reads.
    pub tables: Tables<'static>,
}

/// A model with its weights in the program: `rnn_model!(struct Amp = import("amp.keras");)`.
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

/// Bytes that floats are read from, where floats may lie.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Aligned<const N: usize>(pub [u8; N]);

impl<const N: usize> Aligned<N> {
    /// The little-endian floats.
    ///
    /// # Panics
    /// Which makes it an error of the compiler: if the number of bytes is no multiple of 4, or the target is big-endian.
    pub const fn floats(&'static self) -> &'static [f32] {
        assert!(N.is_multiple_of(4), "bytes that are no floats");
        assert!(
            cfg!(target_endian = "little"),
            "weights in the program are little-endian, and the target is not: use `load_bytes`"
        );
        // SAFETY: there are N bytes, aligned to more than a float, and every four bytes are a float.
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast(), N / 4) }
    }
}
