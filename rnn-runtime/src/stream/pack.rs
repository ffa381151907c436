//! Weights as the kernels read them.

use core::marker::PhantomData;

use rnn_tables::Extent;

use super::{Computed, InlineStream, StreamProgram};
use crate::cpu::{
    kernel::{
        Buf, Memory, PanelFormat, Panels, PortableF32, pack_matrix, pack_vector, panel_units,
    },
    simd::{Isa, Op, Simd},
};

/// Packs all weights of inference in the format `W`, of which an element is a float. `packed` must be
/// zero where nothing was packed before, and packed in the same way elsewhere. Vectors that are
/// computed from parameters are computed on `isa`.
///
/// # Panics
/// If there are fewer weights or less room than [`StreamInfo`](super::StreamInfo) says.
pub fn pack<P: StreamProgram, W: PanelFormat<Element = f32>>(
    isa: Isa,
    weights: &[f32],
    packed: &mut [f32],
) {
    pack_given::<P>(panel_units::<W>(isa.lanes()), weights, packed);
    let (at, len) = P::STREAM.computed;
    if len > 0 {
        let (given, computed) = packed.split_at_mut(at);
        let buffers = [Buf::new(0, len, 1, 1, Extent::One)];
        isa.dispatch(Compute::<P, W> {
            m: &mut Memory::new(&mut computed[..len], &buffers, 1, 1),
            // Products among them read what was just packed.
            panels: Panels::new(given),
            program: PhantomData,
        });
    }
}

/// Packs what is given in the weights, in panels of `units` units: all but the vectors that are computed.
const fn pack_given<P: StreamProgram>(units: usize, weights: &[f32], packed: &mut [f32]) {
    let (matrices, vectors) = (P::STREAM.matrices, P::STREAM.vectors);
    let mut i = 0;
    while i < matrices.len() {
        pack_matrix(units, &matrices[i], weights, packed);
        i += 1;
    }
    let mut i = 0;
    while i < vectors.len() {
        pack_vector(&vectors[i], weights, packed);
        i += 1;
    }
}

struct Compute<'a, 'm, P, W: PanelFormat> {
    m: &'a mut Memory<'m>,
    panels: Panels<'a, W>,
    program: PhantomData<P>,
}

impl<P: StreamProgram, W: PanelFormat> Op for Compute<'_, '_, P, W> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        P::Computed::run(s, self.m, self.panels);
    }
}

/// Weights of the model `P` that somebody else keeps, packed in the format `W`: in a `static`, in
/// read-only memory, or in a buffer. Streams read them in place.
///
/// ```
/// # use rnn_runtime::stream::{PackedWeights, StreamProgram, Streamable};
/// /// The sum of what a model gives for a few steps, with weights and states on the stack.
/// fn first<P, const N: usize>(weights: &[f32], x: &[P::StepInput]) -> Option<f32>
/// where
///     P: Streamable + for<'s> StreamProgram<StepOutput<'s> = &'s [f32; 1]>,
/// {
///     let mut room = [0.0; N];
///     let packed = PackedWeights::<P>::pack(weights, &mut room)?;
///     let mut stream = packed.stream();
///     Some(x.iter().map(|x| stream.step(x)[0]).sum())
/// }
/// ```
pub struct PackedWeights<'w, P, W: PanelFormat = PortableF32> {
    weights: &'w [f32],
    panels: Panels<'w, W>,
    program: PhantomData<P>,
}

impl<'w, P: StreamProgram, W: PanelFormat> PackedWeights<'w, P, W> {
    /// Elements of the packed weights.
    pub const LEN: usize = P::STREAM.packed;

    /// Floats of the weights, in the order of the model's parameters.
    pub const WEIGHTS: usize = P::STREAM.weights;

    /// Whether a step also reads weights that are not packed (rows of an `Embedding`): otherwise
    /// `weights` may be empty.
    pub const READS_WEIGHTS: bool = P::STREAM.reads_tables;

    /// These elements, which were packed in the format `W`; `weights` in the order of the model's
    /// parameters, or none if the model has no table. `None` if there are too few of one of them.
    pub const fn new(weights: &'w [f32], elements: &'w [W::Element]) -> Option<Self> {
        let weights_fit = weights.len() == P::STREAM.weights || !P::STREAM.reads_tables;
        if !weights_fit || elements.len() < P::STREAM.packed {
            return None;
        }
        Some(PackedWeights {
            weights,
            panels: Panels::new(elements),
            program: PhantomData,
        })
    }

    /// A stream at the start of a sequence, on the instruction set `isa`.
    ///
    /// Vectors that were computed from parameters when the weights were packed are those of the
    /// instruction set that packed them.
    pub fn stream_on(&self, isa: Isa) -> InlineStream<'w, P, W>
    where
        P: super::Streamable,
    {
        InlineStream::over(self.weights, self.panels, isa)
    }
}

impl<'w, P: StreamProgram> PackedWeights<'w, P> {
    /// Packs weights, which are in the order of the model's parameters, into `room`, with plain code
    /// ([`Isa::SCALAR`]). `None` if there are not [`Self::WEIGHTS`] of them, or less room than
    /// [`Self::LEN`].
    pub fn pack(weights: &'w [f32], room: &'w mut [f32]) -> Option<Self> {
        if weights.len() != P::STREAM.weights || room.len() < P::STREAM.packed {
            return None;
        }
        room.fill(0.0);
        pack::<P, PortableF32>(Isa::SCALAR, weights, room);
        Self::new(weights, room)
    }

    /// Packs weights while the program is compiled: into a `static`, which takes no room in RAM.
    ///
    /// # Panics
    /// Which makes it an error of the compiler there: if there are not [`Self::WEIGHTS`] weights, if `N`
    /// is not [`Self::LEN`], or if the model has vectors to compute from its weights, as
    /// `BatchNormalization` has. Such a model is packed by [`Self::pack`].
    pub const fn packed<const N: usize>(weights: &[f32]) -> [f32; N] {
        assert!(
            weights.len() == P::STREAM.weights,
            "not as many weights as the model has"
        );
        assert!(
            N == P::STREAM.packed,
            "the array has another length than `LEN`"
        );
        assert!(
            P::STREAM.computed.1 == 0,
            "this model computes vectors from its weights: pack it with `PackedWeights::pack`"
        );
        let mut packed = [0.0; N];
        pack_given::<P>(panel_units::<PortableF32>(0), weights, &mut packed);
        packed
    }

    /// A stream at the start of a sequence, with plain code: the only choice without std. A binary for
    /// x86-64 takes [`Self::stream_on`] with an instruction set of the CPU.
    pub fn stream(&self) -> InlineStream<'w, P>
    where
        P: super::Streamable,
    {
        self.stream_on(Isa::SCALAR)
    }
}
