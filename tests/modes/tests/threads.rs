//! The same bits whatever the number of threads.

use ndarray::Array3;
use recurrent::{Isa, prelude::*};
use recurrent_test_modes::{
    check::{self, batch},
    numbers::weights,
    subject::Subject,
};

/// Several shapes of a batch, each of enough work for several threads, in inference and in training.
fn threads(model: &mut dyn Subject) {
    let spec = model.spec();
    let w = weights(spec.params, 12);
    model.weights_mut().copy_from_slice(&w);
    for (rows, time) in [(64, 40), (37, 60), (3, 700), (1, 900)] {
        assert!(rows * time * spec.cost > 4 * 400_000, "{}", spec.cost);
        check::threads(model, &batch(spec, rows, time, 13), &[2, 3, 4]);
    }
}

#[test]
fn recurrent_layers() {
    let mut model = recurrent::rnn_model!(Input(_, 5) -> LSTM(40, return_sequences) -> BatchNormalization -> GRU(33, return_sequences) -> Dropout(0.3) -> Dense(20));
    model.set_isa(*Isa::available().last().unwrap());
    threads(&mut model);
}

#[test]
fn ids_and_reductions() {
    use recurrent_test_modes::cells::Normalised;
    threads(
        &mut recurrent::rnn_model!(Embedding(50, 16) -> RNN(Normalised(40), return_sequences) -> Dropout(0.2) -> LSTM(30, go_backwards) -> Dense(3, softmax)),
    );
}

/// With fewer rows than threads both directions run at once: chains of cells, masks, dropout,
/// states that others read, outputs that are not merged.
#[test]
fn both_directions() {
    threads(
        &mut recurrent::rnn_model!(Input(_, 5) -> Bidirectional(LSTM(36, return_sequences)) -> Bidirectional(GRU(20), merge_mode = sum) -> Dense(3)),
    );
    threads(
        &mut recurrent::rnn_model!(Embedding(9, 12, mask_zero) -> Bidirectional(RNN([LSTMCell(24, dropout = 0.2), GRUCell(30, recurrent_dropout = 0.1)], return_sequences)) -> Dense(4)),
    );
    threads(&mut recurrent::rnn_model! {
        input x: [_, 6];
        let (f, b, fh, fc, bh, bc) = x -> Bidirectional(LSTM(28, return_sequences, return_state), merge_mode = none, backward_layer = LSTM(28, return_sequences, return_state, go_backwards, trainable = false));
        let both = (f, b) -> Add;
        let h = (fh, bh) -> Multiply;
        let c = (fc, bc) -> Add;
        let _other = x -> Bidirectional(GRU(30, return_sequences), merge_mode = ave);
        let y = (both, f, b) -> Concatenate;
        output end = y -> LSTM(28, initial_state = [h, c]);
    });
}

/// The example's digits, `[images, 8, 8]` of 0 to 1, and what they show.
fn digits() -> Dataset {
    const FILE: &str = "../../examples/data/digits.csv";
    let built = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    // On a machine that this program was carried to, beside the folder of its package.
    let text = std::fs::read_to_string(built).or_else(|_| std::fs::read_to_string(FILE));
    let text = text.unwrap();
    let (mut pixels, mut labels) = (Vec::new(), Vec::<u32>::new());
    for line in text.lines() {
        let (image, label) = line.rsplit_once(',').unwrap();
        labels.push(label.parse().unwrap());
        pixels.extend(
            image
                .split(',')
                .map(|p| p.parse::<u8>().unwrap())
                .map(|p| f32::from(p) / 16.0),
        );
    }
    assert_eq!(labels.len(), 1797);
    let images = Array3::from_shape_vec((labels.len(), 8, 8), pixels).unwrap();
    Dataset::new(&images, &labels).unwrap()
}

/// The whole way of a user: shuffled batches, loss, optimizer, moving statistics, the file.
#[test]
fn a_training_saves_the_same_file() {
    rnn_model! { struct Rows = Input(8, 8) -> LSTM(64) -> BatchNormalization -> Dense(10); }
    let data = digits();
    let folder = std::env::temp_dir().join(format!("recurrent-threads-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            assert_eq!(rayon::current_num_threads(), threads);
            let mut model = Rows::with_seed(3);
            let fresh = model.weights().to_vec();
            let history = Trainer::new(&mut model)
                .optimizer(Adam::default())
                .loss(SparseCategoricalCrossentropy::from_logits())
                .metric(Accuracy)
                .fit(
                    &data,
                    Fit {
                        epochs: 2,
                        // Enough work in a step for several threads.
                        batch_size: 128,
                        validation_split: 0.2,
                        seed: 4,
                        verbose: Verbose::Silent,
                        ..Fit::default()
                    },
                )
                .unwrap();
            assert_ne!(model.weights(), fresh, "nothing was trained");
            let path = folder.join(format!("{threads}.safetensors"));
            model.save(&path).unwrap();
            let losses = ["loss", "val_loss"].map(|name| history.last(name).unwrap().to_bits());
            (std::fs::read(&path).unwrap(), losses)
        })
    };
    let (one, two) = (run(1), run(2));
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(one.1, two.1, "losses of the last epoch");
    let differs = one.0.iter().zip(&two.0).position(|(a, b)| a != b);
    assert_eq!(differs, None, "first byte of the files that differs");
    assert_eq!(one.0.len(), two.0.len());
}
