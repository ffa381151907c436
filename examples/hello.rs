use recurrent::prelude::*;
use recurrent::rt::learner::*;
fn main() {
    let mut model = rnn_model!(Input(_, 8) -> LSTM(16) -> Dense(10));
    let x = vec![0.5f32; 3 * 5 * 8];
    model
        .forward(
            &[InputView {
                batch: 3,
                time: 5,
                values: Values::Floats(&x),
            }],
            StepSeed::default(),
        )
        .unwrap();
    let mut g = vec![0.0; model.weights().len()];
    model.backward(&[&[1.0; 30]], &mut g).unwrap();
    println!("{:?}", &g[..4]);
}
