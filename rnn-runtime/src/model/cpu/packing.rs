//! Weights as the kernels of training read them.

use crate::{
    cpu::{
        kernel::{NativeF32, pack_matrix, pack_vector},
        simd::Isa,
    },
    model::Program,
    stream::pack,
};

/// Packs all weights, those that only training reads included. `packed` must be zero where nothing was
/// packed before, and packed for the same instruction set elsewhere.
pub(in crate::model) fn pack_training<P: Program>(isa: Isa, weights: &[f32], packed: &mut [f32]) {
    pack::<P, NativeF32>(isa, weights, packed);
    for m in P::INFO.matrices_training {
        pack_matrix(isa.lanes(), m, weights, packed);
    }
    for v in P::INFO.vectors_training {
        pack_vector(v, weights, packed);
    }
}
