//! Methods that models of Keras and PyTorch have and a [`Model`](super::Model) has not.
//!
//! Who calls one is told what to write. Each is a method of a trait that every model would have under a bound that never
//! holds, and rustc shows the message of that bound before it looks at arguments.

use super::Program;

/// One line adds a method: the trait that has it, the bound with the message, the method, what to write. A brace is
/// written twice, as in `format!`.
macro_rules! elsewhere {
    ($($with:ident $bound:ident $method:ident: $what:literal, $write:literal;)*) => {
        /// The bounds.
        pub mod bounds {
            $(
                #[doc = $write]
                #[diagnostic::on_unimplemented(message = $what, label = "not a method of a model", note = $write)]
                pub trait $bound {}
            )*
        }
        $(
            #[doc = $write]
            pub trait $with {
                #[doc = $write]
                fn $method(&mut self) {}
            }
            impl<M: Program + bounds::$bound> $with for M {}
        )*
        /// The traits without their names, for the prelude of programs.
        pub mod methods {
            pub use super::{$($with as _),*};
        }
    };
}

elsewhere! {
    WithFit FitIsOfTheTrainer fit:
        "a model has no `fit`: a `Trainer` trains it",
        "write `Trainer::new(&mut model).optimizer(Adam::default()).loss(MeanSquaredError).fit(&Dataset::new(&x, &y)?, Fit {{ epochs: 10, ..Fit::default() }})?`";
    WithCompile CompileIsOfTheMacro compile:
        "a model is compiled already: loss and optimizer are given to a `Trainer`",
        "write `let mut trainer = Trainer::new(&mut model).optimizer(Adam::default()).loss(MeanSquaredError);`";
    WithTrain TrainIsOfTheTrainer train:
        "a model has no modes: `predict` is inference, and a `Trainer` trains",
        "leave `train()` out; write `Trainer::new(&mut model).loss(MeanSquaredError).fit(&Dataset::new(&x, &y)?, Fit::default())?`";
    WithEval EvalIsPredict eval:
        "a model has no modes: `predict` is inference always",
        "leave `eval()` out, and write `model.predict(&x)?`";
    WithAdd AddIsOfTheMacro add:
        "a model is whole when it is made: layers are not added later",
        "write the layers in the macro: `rnn_model!(Input(_, 8) -> LSTM(64) -> Dense(1))`";
    WithZeroGrad ZeroGradIsOfTheTrainer zero_grad:
        "gradients need not be cleared: every step of a `Trainer` starts from none",
        "leave `zero_grad()` out";
    WithStateDict StateDictIsParams state_dict:
        "the weights of a model are its `params`",
        "write `model.params()` for their names and shapes, `model.param(\"lstm/kernel\")` for one, `model.save(\"model.safetensors\")?` for a file";
    WithLoadStateDict LoadStateDictIsLoad load_state_dict:
        "weights are loaded from a file of safetensors",
        "write `model.load(\"model.safetensors\")?`";
    WithLoadWeights LoadWeightsIsLoad load_weights:
        "a model has no `load_weights`: it is `load` here",
        "write `model.load(\"model.safetensors\")?`";
    WithSaveWeights SaveWeightsIsSave save_weights:
        "a model has no `save_weights`: it is `save` here",
        "write `model.save(\"model.safetensors\")?`";
    WithGetWeights GetWeightsIsParam get_weights:
        "a model has no `get_weights`: weights have names",
        "write `model.param_view(\"lstm/kernel\")` for an array of one, `model.params()` for the names of all";
    WithSetWeights SetWeightsIsParamMut set_weights:
        "a model has no `set_weights`: weights have names",
        "write `model.set_param(\"lstm/kernel\", &array)?` for one, or `model.load(\"model.safetensors\")?` for all";
    WithCountParams CountParamsIsSummary count_params:
        "a model has no `count_params`: the numbers are in `summary`",
        "write `println!(\"{{}}\", model.summary());`";
    WithCuda CudaIsTo cuda:
        "a model has no `cuda`: it is moved by `to`",
        "write `let model = model.to(&Device::auto())?;`";
    WithCpu CpuIsTo cpu:
        "a model has no `cpu`: it is moved by `to`",
        "write `let model = model.to(&Device::cpu())?;`";
    WithPredictOnBatch PredictOnBatchIsPredict predict_on_batch:
        "a model has no `predict_on_batch`: `predict` takes a batch",
        "write `model.predict(&x)?`";
    WithPredictClasses PredictClassesIsPredict predict_classes:
        "a model has no `predict_classes`: the class is the place of the largest output",
        "write `model.predict(&x)?`, and for each row of it `(0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]))`";
    WithTrainOnBatch TrainOnBatchIsOfTheTrainer train_on_batch:
        "a model has no `train_on_batch`: a `Trainer` trains it",
        "write `Trainer::new(&mut model).optimizer(Adam::default()).loss(MeanSquaredError).fit(&Dataset::new(&x, &y)?, Fit::default())?`";
    WithParameters ParametersIsParams parameters:
        "the weights of a model are its `params`",
        "write `model.params()` for their names and shapes; an optimizer is given to a `Trainer` without them: `Trainer::new(&mut model).optimizer(Adam::default())`";
    WithGetLayer GetLayerIsParam get_layer:
        "the layers of a model are compiled into one program: its weights have names",
        "write `model.param(\"lstm/kernel\")` for shape and numbers of one, `model.summary()` for a table of the layers";
    WithBuild BuildIsOfTheMacro build:
        "a model is built when it is made: its sizes are in the macro",
        "leave `build(…)` out";
}
