//! Habits of Keras, PyTorch and Python outside of the macros, in graded cases: the words around ours are rustc's.
//!
//! A case is `//~ grade: what is wrong`, lines `//~ ` with words that its one error has, and the mistake. The grades are
//! given as in `rnn-compiler/tests/mistakes.rs`, whose tests make the table of them.
use ndarray::{Array2, Array3};
use recurrent::prelude::*;

rnn_model!(struct Rows = Input(_, 8) -> LSTM(4) -> Dense(1););
rnn_model!(struct Short = Input(_, 8) -> GRU(4););

fn main() {
    let mut model = Rows::new();
    let (x, y) = (Array3::<f32>::zeros((4, 2, 8)), Array2::<f32>::zeros((4, 1)));
    let data = Dataset::new(&x, &y).unwrap();

    //~ 3: fit of a model
    //~ a model has no `fit`: a `Trainer` trains it
    //~ .fit(&Dataset::new(&x, &y)?, Fit { epochs: 10, ..Fit::default() })?
    model.fit(&x, &y);
    //~ 3: compile
    //~ a model is compiled already
    //~ write `let mut trainer = Trainer::new(&mut model)
    model.compile("adam", "mse");
    //~ 3: train()
    //~ `predict` is inference, and a `Trainer` trains
    //~ leave `train()` out
    model.train();
    //~ 3: eval()
    //~ `predict` is inference always
    //~ leave `eval()` out
    model.eval();
    //~ 3: add of a Sequential
    //~ layers are not added later
    //~ write the layers in the macro
    model.add(1);
    //~ 3: zero_grad
    //~ gradients need not be cleared
    //~ leave `zero_grad()` out
    model.zero_grad();
    //~ 3: state_dict
    //~ the weights of a model are its `params`
    //~ write `model.params()`
    model.state_dict();
    //~ 3: load_state_dict
    //~ weights are loaded from a file of safetensors
    //~ write `model.load("model.safetensors")?`
    model.load_state_dict(1);
    //~ 3: load_weights
    //~ a model has no `load_weights`: it is `load` here
    model.load_weights("w.safetensors");
    //~ 3: save_weights
    //~ a model has no `save_weights`: it is `save` here
    model.save_weights("w.safetensors");
    //~ 3: get_weights
    //~ a model has no `get_weights`
    //~ write `model.param_view("lstm/kernel")`
    model.get_weights();
    //~ 3: set_weights
    //~ a model has no `set_weights`
    //~ write `model.set_param("lstm/kernel", &array)?`
    model.set_weights(&x);
    //~ 3: count_params
    //~ a model has no `count_params`
    //~ write `println!("{}", model.summary());`
    model.count_params();
    //~ 3: cuda()
    //~ a model has no `cuda`: it is moved by `to`
    model.cuda();
    //~ 3: cpu()
    //~ a model has no `cpu`: it is moved by `to`
    model.cpu();
    //~ 1: forward
    //~ expected `&[InputView<'_>]`
    let _ = model.forward(&x);
    //~ 3: predict_on_batch
    //~ `predict` takes a batch
    let _ = model.predict_on_batch(&x);
    //~ 3: predict_classes
    //~ the class is the place of the largest output
    let _ = model.predict_classes(&x);
    //~ 3: train_on_batch
    //~ a model has no `train_on_batch`: a `Trainer` trains it
    let _ = model.train_on_batch(&x, &y);
    //~ 3: parameters of PyTorch, for an optimizer
    //~ the weights of a model are its `params`
    //~ an optimizer is given to a `Trainer` without them
    let _ = Adam::new(model.parameters());
    //~ 3: get_layer
    //~ write `model.param("lstm/kernel")`
    let _ = model.get_layer("lstm");
    //~ 3: build
    //~ its sizes are in the macro
    //~ leave `build(…)` out
    model.build((2, 8));
    //~ 1: a model that is called
    //~ expected function, found `Rows`
    let _ = model(&x);
    //~ 2: a device by its name
    //~ expected `&Device`, found `&str`
    let _ = Short::new().to("cuda");
    //~ 2: evaluate of arrays
    //~ expected `&Dataset`
    //~ expected `&Scores`
    let _ = model.evaluate(&x, &y);
    //~ 1: print of a model
    //~ `Rows` doesn't implement `std::fmt::Display`
    println!("{}", model);
    //~ 2: a seed in the constructor
    //~ this function takes 0 arguments but 1 argument was supplied
    let _ = Rows::new(42);
    //~ 3: a field of a model
    //~ use parentheses to call the method
    let _ = model.summary;

    //~ 3: predict of a value
    //~ this model takes
    //~ consider borrowing here
    let _ = model.predict(x.clone());
    //~ 3: predict of a Vec
    //~ write `model.predict(&x)?`; numbers in a `Vec` become one by `Array3::from_shape_vec
    let _ = model.predict(vec![0.0f32; 8]);
    //~ 3: predict of a reference to a Vec
    //~ numbers in a `Vec` become one by `Array3::from_shape_vec
    let _ = model.predict(&vec![0.0f32; 8]);
    //~ 2: predict of an array of arrays
    //~ Sequence: &Array3<f32> [batch, time, features]
    let _ = model.predict(&[[[0.0f32; 8]; 2]; 4]);
    //~ 3: predict of a data set
    //~ its array is `let x: Array3<f32> = data.input(0)?;`
    let _ = model.predict(&data);
    //~ 3: sequences of different lengths
    //~ become one array by `pad_sequences(&sequences, Padding::default())`
    let _ = Dataset::new(vec![vec![1u32, 2], vec![3]], [0, 1]);
    //~ 2: predict of one row without its batch
    //~ Sequence: &Array3<f32> [batch, time, features]
    let _ = model.predict(&Array2::<f32>::zeros((2, 8)));
    //~ 2: a prediction of other axes
    //~ expected an array with a size of 3, found one with a size of 2
    let _: Array3<f32> = model.predict(&x).unwrap();
    //~ 3: a prediction that may be an error
    //~ method not found in `Result<
    //~ consider using `Result::expect`
    let _ = model.predict(&x).dim();
    //~ 3: a stream that may be an error
    //~ method not found in `Result<
    //~ consider using `Result::expect`
    let _ = model.stream().step(&[0.0; 8]);
    //~ 3: a step of f64
    //~ expected `f32`, found `f64`
    let _ = model.stream().unwrap().step(&[0.0f64; 8]);
    //~ 3: a step of too few features
    //~ expected an array with a size of 8, found one with a size of 7
    let _ = model.stream().unwrap().step(&[0.0; 7]);
    //~ 3: a step by value
    //~ expected `&[f32; 8]`
    //~ consider borrowing here
    let _ = model.stream().unwrap().step([0.0; 8]);

    //~ 3: an optimizer by its name alone
    //~ an optimizer is a value of its type, found the name of the type
    //~ write `Adam::new(0.001)` with your learning rate, or `Adam::default()`
    let _ = Trainer::new(&mut model).optimizer(Adam);
    //~ 2: an optimizer as a call
    //~ expected `WriteAdamNewOrDefault`
    let _ = Trainer::new(&mut model).optimizer(Adam(0.01));
    //~ 2: an optimizer as a call without arguments
    //~ WriteAdamNewOrDefault
    let _ = Trainer::new(&mut model).optimizer(Adam());
    //~ 3: an optimizer in quotes
    //~ `&str` is no optimizer
    //~ write `Adam::default()`, `Adam::new(0.01)`
    let _ = Trainer::new(&mut model).optimizer("adam");
    //~ 3: an optimizer without a learning rate
    //~ /* learning_rate */
    let _ = Trainer::new(&mut model).optimizer(Adam::new());
    //~ 3: an optimizer's field of a number
    //~ expected `LearningRate`, found floating-point number
    let _ = Adam { learning_rate: 0.01, ..Adam::default() };
    //~ 3: a loss by its name alone
    //~ a loss with options is a value of its type
    //~ write `BinaryCrossentropy::default()` after a sigmoid
    let _ = Trainer::new(&mut model).loss(BinaryCrossentropy);
    //~ 2: a loss as a call
    //~ expected `WriteSparseCategoricalCrossentropyDefault`
    let _ = Trainer::new(&mut model).loss(SparseCategoricalCrossentropy(true));
    //~ 3: a loss in quotes
    //~ `&str` is no loss
    //~ write `MeanSquaredError`
    let _ = Trainer::new(&mut model).loss("mse");
    //~ 3: a loss without options as a call
    //~ is a unit struct, and does not take parentheses
    let _ = Trainer::new(&mut model).loss(MeanSquaredError());
    //~ 2: from_logits as a keyword
    //~ from_logits
    let _ = Trainer::new(&mut model).loss(BinaryCrossentropy::new(true));
    //~ 3: a metric in quotes
    //~ `&str` is no metric
    //~ write `Accuracy`
    let _ = Trainer::new(&mut model).metric("accuracy");
    //~ 3: several metrics in a list
    //~ is no metric
    //~ several are several calls
    let _ = Trainer::new(&mut model).metric([Accuracy, Accuracy]);
    //~ 3: a callback by its name
    //~ `&str` is no callback
    //~ write `EarlyStopping::new("val_loss")`
    let _ = Trainer::new(&mut model).callback("early_stopping");
    //~ 2: EarlyStopping with some fields
    //~ missing fields `baseline`
    let _ = EarlyStopping { patience: 5 };
    //~ 3: Trainer of a shared reference
    //~ types differ in mutability
    //~ expected mutable reference
    let _ = Trainer::new(&model);
    //~ 3: Trainer of a value
    //~ consider mutably borrowing here
    let _ = Trainer::new(model);
    let mut model = Rows::new();
    let mut trainer = Trainer::new(&mut model).loss(MeanSquaredError);
    //~ 2: fit of arrays
    //~ expected `&Dataset`
    //~ expected `Fit<'_>`
    let _ = trainer.fit(&x, &y);
    //~ 2: epochs alone
    //~ expected `Fit<'_>`, found integer
    let _ = trainer.fit(&data, 10);
    //~ 2: Fit with some fields
    //~ missing fields `batch_size`
    let _ = trainer.fit(&data, Fit { epochs: 10 });
    //~ 2: fit without options
    //~ is missing
    let _ = trainer.fit(&data);
    //~ 3: a data set by value
    //~ consider borrowing here
    let _ = trainer.fit(data.clone(), Fit::default());
    //~ 2: a data set that may be an error
    //~ expected `&Dataset`, found `&Result<Dataset, Error>`
    let _ = trainer.fit(&Dataset::new(&x, &y), Fit::default());
    //~ 2: validation data as a pair
    //~ expected `&Dataset`, found `(
    let _ = Fit { validation: Some((&x, &y)), ..Fit::default() };
    //~ 2: batch_size of i32
    //~ expected `usize`, found `i32`
    let _ = Fit { batch_size: 32i32, ..Fit::default() };
    let history = trainer.fit(&data, Fit::default()).unwrap();
    // Keras's `history["loss"]`.
    let _ = history["loss"].last();
    //~ 3: history.history
    //~ attempted to take value of method `history` on type `History`
    //~ use parentheses to call the method
    let _ = &history.history;
    //~ 3: a data set of one argument
    //~ /* targets */
    let _ = Dataset::new((&x, &y));

    //~ 2: models of two types in a list
    //~ expected `Rows`, found `Short`
    let _ = [Rows::new(), Short::new()];
    //~ 1: a cell that does not exist
    //~ cannot find macro `Nowhere` in this scope
    let _ = rnn_model!(Input(_, 8) -> RNN(Nowhere(8)));
}

//~ 2: a function that returns a model by the trait's name
//~ expected a type, found a trait
//~ impl Model
fn by_name() -> Model {
    Rows::new()
}

//~ 1: a box of any model
//~ is not dyn compatible
fn boxed() -> Box<dyn Model<Input = Sequence, Output = Array2<f32>>> {
    Box::new(Rows::new())
}

//~ 1: impl Model without its input
//~ Program>::Input
fn anonymous() -> impl Model {
    Rows::new()
}

fn uses() {
    let _ = anonymous().predict(&Array3::<f32>::zeros((1, 2, 8)));
}

//~ 3: a size from a function's const generics
//~ [RNN0179]: the size `UNITS` is a const generic of `sized`
//~ write `const UNITS: usize = 64;` outside of `sized`
fn sized<const UNITS: usize>() {
    let _ = rnn_model!(Input(_, 8) -> GRU(UNITS));
}
