//! Weights as the kernels read them.

use rnn_tables::Extent;

use super::program::{Computed, Program};
use crate::cpu::{
    arena::Arena,
    phase::{Buf, Memory, pack_matrix, pack_vector},
    simd::{Isa, Op, Simd},
};

/// Packs all weights. `packed` must be zero where nothing was packed before, and packed for the same
/// instruction set elsewhere.
pub(super) fn pack<P: Program>(isa: Isa, weights: &[f32], packed: &mut [f32], training: bool) {
    let spec = &P::SPEC;
    for m in spec.matrices {
        pack_matrix(isa, m, weights, packed);
    }
    for v in spec.vectors {
        pack_vector(v, weights, packed);
    }
    let (at, len) = spec.computed;
    if len > 0 {
        let mut values = Arena::new(len);
        let bufs = [Buf::new(0, len, 1, 1, Extent::One)];
        let mut m = Memory::new(values.floats_mut(), packed, &bufs, 1, 1);
        // Products among them read what was just packed.
        isa.dispatch(Compute::<P>(&mut m, std::marker::PhantomData));
        packed[at..at + len].copy_from_slice(&values.floats()[..len]);
    }
    if training {
        for m in spec.matrices_training {
            pack_matrix(isa, m, weights, packed);
        }
        for v in spec.vectors_training {
            pack_vector(v, weights, packed);
        }
    }
}

struct Compute<'a, 'b, P>(&'a mut Memory<'b>, std::marker::PhantomData<P>);

impl<P: Program> Op for Compute<'_, '_, P> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        P::Computed::run(s, self.0);
    }
}
