//! The code of a model, without its type.

use crate::{
    cpu::{
        kernel::{NativeF32, pack_matrix, pack_vector},
        layout::is_narrow,
        run::RunScan,
        simd::Isa,
    },
    model::{ModelInfo, Program},
    stream::{StreamInfo, pack},
};

/// What the CPU needs to know of a [`Program`]. It is one type for all models, so that batches and training are compiled
/// once, with this crate, and only kernels are compiled for each model.
#[derive(Clone, Copy)]
pub(in crate::model) struct CpuCode {
    pub info: &'static ModelInfo,
    pub stream: &'static StreamInfo,
    pub scan: RunScan,
    /// Packs what inference reads.
    pack: fn(Isa, &[f32], &mut [f32]),
    /// Whether half of a wide vector's lanes would stay empty.
    narrow: bool,
}

impl CpuCode {
    pub fn of<P: Program>() -> Self {
        CpuCode {
            info: &P::INFO,
            stream: &P::STREAM,
            scan: P::scan,
            pack: pack::<P, NativeF32>,
            narrow: const { is_narrow(P::STREAM.matrices) },
        }
    }

    /// The instruction set that suits the model best.
    ///
    /// # Errors
    /// [`Error::Isa`](crate::Error::Isa) if `RECURRENT_ISA` names one that this machine has not.
    pub fn best_isa(&self) -> Result<Isa, crate::Error> {
        Isa::best_for(self.narrow)
    }

    /// Packs the weights that inference reads. `packed` must be zero where nothing was packed before, and packed for
    /// the same instruction set elsewhere.
    pub fn pack(&self, isa: Isa, weights: &[f32], packed: &mut [f32]) {
        (self.pack)(isa, weights, packed);
    }

    /// The same for all weights, those that only training reads included.
    pub fn pack_training(&self, isa: Isa, weights: &[f32], packed: &mut [f32]) {
        self.pack(isa, weights, packed);
        for m in self.info.matrices_training {
            pack_matrix(isa.lanes(), m, weights, packed);
        }
        for v in self.info.vectors_training {
            pack_vector(v, weights, packed);
        }
    }
}
