//! The code of a model, without its type.

use crate::{
    cpu::{
        kernel::{NativeF32, pack_matrix, pack_vector},
        layout::is_narrow,
        run::RunScan,
        simd::Isa,
    },
    error::Error,
    model::{ModelInfo, Program},
    stream::{StreamInfo, pack},
};

/// What the CPU needs of a [`Program`] to pack the weights of inference: all that a stream needs. A program that only
/// streams never names [`CpuCode`], so no kernel of a batch is compiled for it.
#[derive(Clone, Copy)]
pub(in crate::model) struct StreamCode {
    pub stream: &'static StreamInfo,
    pack: fn(Isa, &[f32], &mut [f32]),
    /// Whether half of a wide vector's lanes would stay empty.
    narrow: bool,
}

impl StreamCode {
    pub fn of<P: Program>() -> Self {
        StreamCode {
            stream: &P::STREAM,
            pack: pack::<P, NativeF32>,
            narrow: const { is_narrow(P::STREAM.matrices) },
        }
    }

    /// The instruction set that suits the model best.
    ///
    /// # Errors
    /// [`Error::Isa`] if `RECURRENT_ISA` names one that this machine has not.
    pub fn best_isa(&self) -> Result<Isa, Error> {
        Isa::best_for(self.narrow)
    }

    /// Packs the weights that inference reads. `packed` must be zero where nothing was packed before, and packed for
    /// the same instruction set elsewhere.
    pub fn pack(&self, isa: Isa, weights: &[f32], packed: &mut [f32]) {
        (self.pack)(isa, weights, packed);
    }
}

/// What the CPU needs of a [`Program`] to run batches in inference. It is one type for all models, so that this is
/// compiled once, with this crate, and only kernels are compiled for each model.
#[derive(Clone, Copy)]
pub(in crate::model) struct CpuCode {
    pub info: &'static ModelInfo,
    pub scan: RunScan,
    pub weights: StreamCode,
}

impl CpuCode {
    pub fn of<P: Program>() -> Self {
        Self::with::<P>(P::scan)
    }

    fn with<P: Program>(scan: RunScan) -> Self {
        CpuCode {
            info: &P::INFO,
            scan,
            weights: StreamCode::of::<P>(),
        }
    }
}

/// What the CPU needs of a [`Program`] to train, [`CpuProgram::scan_training`](crate::cpu::run::CpuProgram) among it. A
/// program that only infers never names this type, so no kernel of training is compiled for it.
#[derive(Clone, Copy)]
pub(in crate::model) struct TrainingCode(pub CpuCode);

impl TrainingCode {
    pub fn of<P: Program>() -> Self {
        TrainingCode(CpuCode::with::<P>(P::scan_training))
    }

    /// Packs all weights, those that only training reads included. See [`StreamCode::pack`].
    pub fn pack_training(&self, isa: Isa, weights: &[f32], packed: &mut [f32]) {
        self.0.weights.pack(isa, weights, packed);
        for m in self.0.info.matrices_training {
            pack_matrix(isa.lanes(), m, weights, packed);
        }
        for v in self.0.info.vectors_training {
            pack_vector(v, weights, packed);
        }
    }
}
