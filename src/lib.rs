//! Recurrent neural networks compiled into Rust programs.
#![cfg_attr(not(feature = "std"), no_std)]

pub mod cells;

mod macros;

#[doc(hidden)]
pub use macros::__private_0_1;

#[cfg(feature = "weights")]
pub use rnn_runtime::weights;
pub use rnn_runtime::{Error, cpu::simd::Isa};
#[cfg(feature = "std")]
pub use rnn_runtime::{device::Device, init, learner, params, precision::Precision};
#[cfg(feature = "training")]
pub use rnn_train::{self as train, callbacks, losses, metrics, optimizers};

/// Streams over weights that the program keeps, without std and without an allocator; and how weights are
/// stored. [`PackedWeights`](stream::PackedWeights) is where to start.
pub mod stream {
    #[doc(hidden)]
    pub use rnn_runtime::stream::StreamProgram;
    pub use rnn_runtime::{
        cpu::{
            kernel::{NativeF32, PanelFormat, PortableF32},
            simd::Simd,
        },
        stream::{
            CallOutput, CallWith, Id, InProgram, InlineStream, PackedWeights, ProgramModel,
            ProgramStream, Stream, StreamOver, StreamWeights, Streamable, floats,
        },
    };
}

/// A compiled model, its inputs and its outputs.
#[cfg(feature = "std")]
pub mod model {
    #[doc(hidden)]
    pub use rnn_runtime::model::Program;
    pub use rnn_runtime::model::{
        AnyStream, Batch, CallWith, Feature, FromNumbers, Id, Ids, IntoInput, IntoStream, Kind,
        LayerState, Masks, Model, Outputs, OwnedStream, Real, Rows, Rows2, Rows3, Sequence,
        Sequence2, Sequence3, SharedStream, Stream, StreamOver, Streamable, Token,
    };
}

/// The interface that training needs of a model, for models whose numbers are not in host memory: implement
/// [`Trainable`](trainable::Trainable), and a `Trainer` trains them.
///
/// Models of [`rnn_model!`] are [`Learner`](learner::Learner)s, which are trainable already.
#[cfg(feature = "std")]
pub mod trainable {
    pub use rnn_runtime::{
        host::{UpdateTables, loss_row},
        loss::*,
        trainable::*,
        update::*,
    };
}

/// The items that programs with models usually name, such as the traits for a function that returns a model:
///
/// ```
/// use ndarray::{Array2, Array3};
/// use recurrent::prelude::*;
///
/// fn model() -> impl Model<Input = Sequence, Output = Array2<f32>> + Learner {
///     rnn_model!(Input(_, 1) -> GRU(4) -> Dense(1))
/// }
///
/// fn main() -> Result<(), Error> {
///     let mut model = model();
///     let (x, y) = (Array3::<f32>::zeros((8, 5, 1)), Array2::<f32>::zeros((8, 1)));
///     let history = Trainer::new(&mut model)
///         .loss(MeanSquaredError)
///         .fit(&Dataset::new(&x, &y)?, Fit { epochs: 2, ..Fit::default() })?;
///     // The figures: of one name, or all of every epoch.
///     assert_eq!(history["loss"].len(), 2);
///     assert_eq!(history.history()["loss"], history.get("loss"));
///     assert!(history["accuracy"].is_empty());
///     for logs in history.logs() {
///         println!("{logs}");
///     }
///     assert_eq!(model.predict(&x)?.dim(), (8, 1));
///     // What has been learned, by Keras's names: shapes of all parameters, numbers of one.
///     for p in model.params() {
///         println!("{} {:?}{}", p.name, p.shape, if p.trainable { "" } else { " (fixed)" });
///     }
///     assert_eq!(model.params()[0].name, "gru/kernel");
///     assert_eq!(model.param("gru/kernel").map(|(shape, _)| shape), Some(&[1, 12][..]));
///     Ok(())
/// }
/// ```
pub mod prelude {
    pub use crate::{rnn_cell, rnn_model};
    pub use rnn_runtime::{
        Error,
        stream::{Id, InlineStream, PackedWeights, ProgramStream, Stream, Streamable},
    };
    #[cfg(feature = "std")]
    pub use rnn_runtime::{
        device::Device,
        learner::Learner,
        model::{
            AnyStream, Ids, IntoStream, LayerState, Masks, Model, OwnedStream, Sequence, Sequence2,
            Sequence3, SharedStream,
        },
        precision::Precision,
    };
    // Methods of Keras's and PyTorch's models, for messages.
    #[cfg(feature = "std")]
    #[doc(hidden)]
    pub use rnn_runtime::model::elsewhere::methods::*;
    #[cfg(feature = "training")]
    pub use rnn_train::{
        ClassificationReport, Column, ConfusionMatrix, Dataset, Evaluate, Fit, History, Logs,
        Normalization, Pad, Padding, Scores, Trainer, Verbose, Windows,
        callbacks::*,
        losses::*,
        metrics::{
            Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy,
            SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy,
        },
        optimizers::*,
        pad_sequences, read_npy,
    };
    #[cfg(feature = "csv")]
    pub use rnn_train::{Csv, Table};
}
