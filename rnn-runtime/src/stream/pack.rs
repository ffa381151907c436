//! Weights as the kernels read them.

use core::marker::PhantomData;

use rnn_tables::Extent;

use super::{CallOutput, CallWith, Computed, InlineStream, StreamProgram, Tables};
use crate::{
    Error,
    cpu::{
        kernel::{
            Buf, Memory, PanelFormat, Panels, PortableF32, StepPanels, pack_matrix, pack_vector,
            panel_units,
        },
        simd::{Isa, Op, Simd},
    },
};

/// Packs all weights of inference in the format `W`, of which an element is a float. `packed` must be
/// zero where nothing was packed before, and packed in the same way elsewhere. Vectors that are
/// computed from parameters are computed on `isa`.
///
/// # Panics
/// If there are fewer weights or less room than [`StreamInfo`](super::StreamInfo) says.
///
/// Example: [`PackedWeights`].
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
/// use recurrent::prelude::*;
///
/// rnn_model! { struct Gate = Input(_, 1) -> LSTM(4) -> Dense(1); }
///
/// let weights = [0.1; PackedWeights::<Gate>::WEIGHTS];
/// let mut room = [0.0; PackedWeights::<Gate>::LEN];
/// let packed = PackedWeights::<Gate>::pack(&weights, &mut room)?;
/// let mut stream = packed.stream();          // weights and states are on the stack
/// let sum: f32 = [0.5, 0.25].iter().map(|&x| stream.step(&[x])[0]).sum();
/// assert!(sum.is_finite());
/// # Ok::<(), Error>(())
/// ```
pub struct PackedWeights<'w, P, W: PanelFormat = PortableF32> {
    tables: Tables<'w>,
    panels: StepPanels<'w, P, W>,
}

impl<P, W: PanelFormat> Clone for PackedWeights<'_, P, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, W: PanelFormat> Copy for PackedWeights<'_, P, W> {}

impl<P, W: PanelFormat> core::fmt::Debug for PackedWeights<'_, P, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PackedWeights")
            .field("weights", &self.tables.floats().len())
            .field("packed", &self.panels.panels().len())
            .finish()
    }
}

/// An error if there are not as many as are needed.
fn count(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    match found == expected {
        true => Ok(()),
        false => Err(Error::Length {
            what,
            expected,
            found,
        }),
    }
}

impl<'w, P: StreamProgram, W: PanelFormat> PackedWeights<'w, P, W> {
    /// Elements of the packed weights.
    pub const LEN: usize = P::STREAM.packed;

    /// Floats of the weights, in the order of the model's parameters.
    pub const WEIGHTS: usize = P::STREAM.weights;

    /// Whether a step also reads weights that are not packed (rows of an `Embedding`): otherwise
    /// `weights` may be empty.
    pub const READS_WEIGHTS: bool = P::STREAM.reads_tables;

    /// These elements, which were packed for this model in the format `W`; `weights` in the order of the
    /// model's parameters, or none if [`Self::READS_WEIGHTS`] is false. Elements of another model or
    /// another format give other numbers, and no error.
    ///
    /// # Errors
    /// [`Error::Length`] if there are not as many weights as [`Self::WEIGHTS`] or elements as
    /// [`Self::LEN`].
    pub fn new(weights: &'w [f32], elements: &'w [W::Element]) -> Result<Self, Error> {
        if P::STREAM.reads_tables || !weights.is_empty() {
            count("weights", P::STREAM.weights, weights.len())?;
        }
        let (expected, found) = (P::STREAM.packed, elements.len());
        match StepPanels::new(Panels::new(elements)) {
            Some(panels) if expected == found => Ok(PackedWeights {
                tables: Tables::new(weights, 0),
                panels,
            }),
            _ => Err(Error::Length {
                what: "packed weights",
                expected,
                found,
            }),
        }
    }

    /// A stream at the start of a sequence, on the instruction set `isa`.
    ///
    /// Vectors that were computed from parameters when the weights were packed are those of the
    /// instruction set that packed them.
    pub fn stream_on(&self, isa: Isa) -> InlineStream<'w, P, W>
    where
        P: super::Streamable,
    {
        InlineStream::over(*self, isa)
    }

    /// A stream at the start of a sequence, with plain code: the only choice without std. A program for
    /// a CPU with better instruction sets takes [`Self::stream_on`] and [`Isa::available`].
    pub fn stream(&self) -> InlineStream<'w, P, W>
    where
        P: super::Streamable,
    {
        self.stream_on(Isa::BASELINE)
    }

    /// The output for an array of known size, as `Model::call` gives it, on the instruction set `isa`. No
    /// allocator: states and output are on the stack.
    pub fn call_on<X>(&self, isa: Isa, x: &X) -> P::Output
    where
        P: CallWith<X>,
    {
        let mut stream = self.stream_on(isa);
        let mut y = P::Output::ZEROS;
        for (t, x) in P::steps(x).iter().enumerate() {
            stream.step(x);
            y.keep(t, |index| stream.output(index));
        }
        y
    }

    /// The output for an array of known size, with plain code.
    ///
    /// ```
    /// use recurrent::prelude::*;
    ///
    /// rnn_model! { struct Gate = Input(_, 1) -> LSTM(2) -> Dense(1); }
    /// static PACKED: [f32; PackedWeights::<Gate>::LEN] = PackedWeights::<Gate>::packed(&[0.1; PackedWeights::<Gate>::WEIGHTS]);
    ///
    /// let weights = PackedWeights::<Gate>::new(&[], &PACKED)?;
    /// let y: [f32; 1] = weights.call(&[[0.5], [0.25], [0.0]]);
    /// assert!(y[0].is_finite());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn call<X>(&self, x: &X) -> P::Output
    where
        P: CallWith<X>,
    {
        self.call_on(Isa::SCALAR, x)
    }

    /// The packed ones.
    #[inline(always)]
    pub(super) fn panels(&self) -> StepPanels<'w, P, W> {
        self.panels
    }

    /// Those that are not packed.
    #[inline(always)]
    pub(super) fn tables(&self) -> Tables<'w> {
        self.tables
    }

    /// Tables of the right length, and packed weights.
    #[inline(always)]
    pub(crate) fn known(tables: Tables<'w>, panels: StepPanels<'w, P, W>) -> Self {
        PackedWeights { tables, panels }
    }
}

impl<'w, P: StreamProgram> PackedWeights<'w, P> {
    /// Packs weights, which are in the order of the model's parameters, into `room`, with plain code
    /// ([`Isa::BASELINE`]).
    ///
    /// # Errors
    /// [`Error::Length`] if there are not [`Self::WEIGHTS`] of them, or `room` is not [`Self::LEN`] long.
    pub fn pack(weights: &'w [f32], room: &'w mut [f32]) -> Result<Self, Error> {
        count("weights", P::STREAM.weights, weights.len())?;
        count("room for packed weights", P::STREAM.packed, room.len())?;
        room.fill(0.0);
        pack::<P, PortableF32>(Isa::BASELINE, weights, room);
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

    /// The same weights in another format, rounded to it, in `room`.
    ///
    /// # Errors
    /// [`Error::Length`] if `room` is not [`Self::LEN`] long.
    pub fn encode<W: PanelFormat>(
        &self,
        room: &'w mut [W::Element],
    ) -> Result<PackedWeights<'w, P, W>, Error> {
        const { assert!(W::PORTABLE, "its layout is that of one instruction set") };
        count("room for packed weights", P::STREAM.packed, room.len())?;
        for (element, &weight) in room.iter_mut().zip(self.panels.panels().elements()) {
            *element = W::encode(weight);
        }
        PackedWeights::new(self.tables.floats(), room)
    }
}

/// The floats of a file of little-endian f32, such as `include_bytes!` gives: for
/// [`PackedWeights::packed`].
///
/// ```
/// use recurrent::stream::floats;
/// const TWO: [f32; 2] = floats(&[0, 0, 128, 63, 0, 0, 0, 192]);
/// assert_eq!(TWO, [1.0, -2.0]);
/// ```
///
/// # Panics
/// Which makes it an error of the compiler in a `const`: if there are not 4 `N` bytes.
pub const fn floats<const N: usize>(bytes: &[u8]) -> [f32; N] {
    assert!(
        bytes.len() / 4 == N && bytes.len().is_multiple_of(4),
        "the file has another number of floats"
    );
    let mut all = [0.0; N];
    let mut i = 0;
    while i < N {
        let at = 4 * i;
        all[i] = f32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        i += 1;
    }
    all
}
