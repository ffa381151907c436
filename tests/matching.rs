//! Weights of one model for another that shares a part of it.

use ndarray::{Array2, Axis};
use recurrent::prelude::*;

rnn_model! {
    /// Learns with the right answer as the decoder's input.
    pub struct Training {
        input question: ids;
        input answer: ids;
        let (_, state) = question -> Embedding(12, 8, name = "words")
            -> LSTM(16, return_state, name = "encoder");
        output next = answer -> Embedding(12, 8, name = "answers")
            -> LSTM(16, return_sequences, initial_state = state, name = "decoder")
            -> Dense(12, name = "logits");
    }
}

rnn_model! {
    /// Reads the question.
    pub struct Encoder {
        input question: ids;
        let (_, h, c) = question -> Embedding(12, 8, name = "words")
            -> LSTM(16, return_state, name = "encoder");
        output h = h;
        output c = c;
    }
}

rnn_model! {
    /// Writes the answer, one step at a time.
    pub struct Decoder = Embedding(12, 8, name = "answers") -> LSTM(16, name = "decoder") -> Dense(12, name = "logits");
}

fn ids(rows: usize, steps: usize) -> Array2<u32> {
    Array2::from_shape_fn((rows, steps), |(r, t)| ((3 * r + 5 * t) % 12) as u32)
}

fn state(name: &str, value: Array2<f32>) -> recurrent::model::LayerState {
    recurrent::model::LayerState {
        layer: "decoder".into(),
        name: name.into(),
        value: value.into_dyn(),
    }
}

/// Trained as one model, used as two: the same bits.
#[test]
fn an_encoder_and_a_decoder_take_over_what_they_share() {
    let trained = Training::with_seed(7);
    let (question, answer) = (ids(1, 5), ids(1, 4));
    let whole = trained.predict((&question, &answer)).unwrap();

    let (mut encoder, mut decoder) = (Encoder::with_seed(1), Decoder::with_seed(2));
    assert_eq!(
        encoder.copy_weights_from(&trained),
        [
            "words/embeddings",
            "encoder/kernel",
            "encoder/recurrent_kernel",
            "encoder/bias"
        ]
    );
    let taken = decoder.copy_weights_from(&trained);
    assert_eq!(taken.len(), decoder.specs().len(), "all of them");

    let EncoderOutput { h, c } = encoder.predict(&question).unwrap();
    let mut stream = decoder.stream().unwrap();
    stream.set_states(&[state("h", h), state("c", c)]).unwrap();
    for (t, &id) in answer.iter().enumerate() {
        let logits = stream.step(&Id::new(id).unwrap());
        let expected = whole.index_axis(Axis(1), t);
        assert_eq!(logits.as_slice(), expected.row(0).as_slice().unwrap());
    }
}

#[test]
fn what_does_not_match_stays() {
    let from = rnn_model!(Input(_, 3) -> GRU(4) -> Dense(2));
    let mut to = rnn_model!(Input(_, 3) -> GRU(4) -> Dense(5));
    let before = to.weights().to_vec();
    let mut other = Decoder::new();
    assert_eq!(other.copy_weights_from(&from), [""; 0]);
    let taken = to.copy_weights_from(&from);
    assert_eq!(taken, ["gru/kernel", "gru/recurrent_kernel", "gru/bias"]);
    let shared: usize = 3 * 12 + 4 * 12 + 2 * 12;
    assert_eq!(to.weights()[..shared], from.weights()[..shared]);
    assert_eq!(to.weights()[shared..], before[shared..]);
}

#[test]
fn a_file_gives_what_matches() {
    let file = format!("recurrent-matching-{}.safetensors", std::process::id());
    let file = std::env::temp_dir().join(file);
    let trained = Training::with_seed(7);
    trained.save(&file).unwrap();
    let mut decoder = Decoder::with_seed(2);
    assert!(decoder.load(&file).is_err(), "the encoder is too much");
    let taken = decoder.load_matching(&file);
    let mut stranger = rnn_model!(Input(_, 3) -> GRU(4));
    let nothing = stranger.load_matching(&file);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(taken.unwrap().len(), 6);
    let mut copied = Decoder::with_seed(3);
    copied.copy_weights_from(&trained);
    assert_eq!(decoder.weights(), copied.weights());
    assert!(matches!(nothing, Err(Error::Weights { .. })));
}
