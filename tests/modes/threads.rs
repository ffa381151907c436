//! The same bits whatever the number of threads.

use crate::{
    check::batch,
    numbers::{Random, same_bits, weights},
};
use recurrent::{
    learner::{Learner, StepSeed},
    model::Model,
    rt::cpu::simd::Isa,
};

fn threads<M: Model>(mut model: M) {
    let w = weights(M::SPEC.params, 12);
    for (rows, time) in [(64, 40), (37, 60), (3, 700)] {
        let x = batch::<M>(rows, time, 13);
        // Enough work for several threads, in inference and in training.
        assert!(rows * time * M::SPEC.cost > 4 * 400_000, "{}", M::SPEC.cost);
        let mut run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                model.weights_mut().copy_from_slice(&w);
                model.infer(&[x.view()]).unwrap();
                let y = model.output(0).to_vec();
                model.want_input_gradient(true);
                model
                    .forward(&[x.view()], StepSeed { seed: 1, step: 2 })
                    .unwrap();
                let trained = model.output(0).to_vec();
                let mut g = vec![0.0; w.len()];
                let d = Random::new(14).floats(y.len());
                model.backward(&[&d], &mut g).unwrap();
                let dx = model.input_gradient(0).map(<[f32]>::to_vec);
                let w = model.weights().to_vec();
                [y, trained, g, dx.unwrap_or_default(), w]
            })
        };
        let one = run(1);
        for n in [2, 3, 4] {
            let what = [
                "inference",
                "training",
                "gradients",
                "input",
                "moving statistics",
            ];
            for ((what, a), b) in what.iter().zip(&one).zip(&run(n)) {
                same_bits(&format!("{what}, {n} threads, {rows} rows"), a, b);
            }
        }
    }
}

#[test]
fn recurrent_layers() {
    let mut model = recurrent::rnn_model!(Input(_, 5) -> LSTM(40, return_sequences) -> BatchNormalization -> GRU(33, return_sequences) -> Dropout(0.3) -> Dense(20));
    model.set_isa(*Isa::available().last().unwrap());
    threads(model);
}

#[test]
fn ids_and_reductions() {
    use crate::cells::Normalised;
    threads(
        recurrent::rnn_model!(Embedding(50, 16) -> RNN(Normalised(40), return_sequences) -> Dropout(0.2) -> LSTM(30, go_backwards) -> Dense(3, softmax)),
    );
}
