//! Streams whatever owns the model, without their model's type, and calls on arrays: the bits of the
//! stream that borrows, and of `predict`.

use std::{sync::Arc, thread};

use ndarray::{Array2, Array3, ArrayView2, ArrayView3};
use recurrent::{Isa, model::CallWith, prelude::*};

rnn_model! { #[derive(Clone)] struct Forecast = Input(_, 2) -> LSTM(20, return_sequences) -> GRU(5) -> Dense(3); }
rnn_model! { struct Small = Input(6, 2) -> SimpleRNN(4, return_sequences) -> Dense(3); }
rnn_model! { struct Words = Embedding(12, 8) -> LSTM(7) -> Dense(2); }
rnn_model! {
    struct Mixed {
        input x: [time, 3];
        input word: ids[time];
        input real: mask[time];
        let w = word -> Embedding(9, 4);
        let h = (x, w) -> Concatenate;
        output last = h -> GRU(5, mask = real);
        output each = h -> LSTM(6, return_sequences, mask = real) -> Dense(2);
    }
}

/// The numbers at step `t`.
fn row<const N: usize>(t: usize) -> [f32; N] {
    std::array::from_fn(|i| ((3 * t + 5 * i + 1) % 11) as f32 * 0.2 - 1.0)
}

/// What the first `steps` steps give, from a stream that borrows.
fn steps(model: &Forecast, steps: usize) -> Vec<[f32; 3]> {
    let mut stream = model.stream().unwrap();
    (0..steps).map(|t| *stream.step(&row(t))).collect()
}

#[test]
fn streams_that_own_their_model_go_anywhere_and_give_the_same_bits() {
    fn goes_anywhere<T: Send + 'static>(_: &T) {}
    let mut model = Forecast::with_seed(3);
    let expected: Vec<_> = Isa::available()
        .iter()
        .map(|&isa| {
            model.set_isa(isa);
            steps(&model, 30)
        })
        .collect();
    for (&isa, expected) in Isa::available().iter().zip(expected) {
        let mut model = model.clone();
        model.set_isa(isa);
        let shared = Arc::new(model.clone());
        let mut owned: OwnedStream<Forecast> = model.into_stream().unwrap();
        let one: SharedStream<Forecast> = Arc::clone(&shared).into_stream().unwrap();
        let two = shared.into_stream().unwrap();
        goes_anywhere(&owned);
        goes_anywhere(&one);
        let own: Vec<_> = (0..30).map(|t| *owned.step(&row(t))).collect();
        assert_eq!(own, expected, "{isa}");
        // A clone goes on from the same states.
        let mut later = one.clone();
        let runs = [one, two].map(|mut stream| {
            thread::spawn(move || (0..30).map(|t| *stream.step(&row(t))).collect::<Vec<_>>())
        });
        for run in runs {
            assert_eq!(run.join().unwrap(), expected, "{isa}");
        }
        assert_eq!(*later.step(&row(0)), expected[0]);
        // The model comes back as it was.
        assert_eq!(steps(owned.model(), 30), expected);
        assert_eq!(steps(&owned.into_model(), 30), expected);
    }
}

#[test]
fn another_model_goes_on_from_the_states() {
    let old = Arc::new(Forecast::with_seed(3));
    let sets = Isa::available();
    // Each from the widest instruction set to another, at an odd and at an even step.
    for (&isa, before) in sets.iter().zip([4, 5, 6, 7]) {
        let mut new = Forecast::with_seed(8);
        new.set_isa(isa);
        let mut expected = new.stream().unwrap();
        let mut stream = Arc::clone(&old).into_stream().unwrap();
        for t in 0..before {
            stream.step(&row(t));
        }
        let kept = stream.states();
        expected.set_states(&kept).unwrap();
        let expected: Vec<_> = (0..9).map(|t| *expected.step(&row(t))).collect();
        let back = stream.reload(Arc::new(new)).unwrap();
        assert!(Arc::ptr_eq(&back, &old));
        assert_eq!(stream.states(), kept);
        let found: Vec<_> = (0..9).map(|t| *stream.step(&row(t))).collect();
        assert_eq!(found, expected, "{isa}");
        assert_ne!(
            found,
            (before..before + 9)
                .map(|t| steps(&old, t + 1)[t])
                .collect::<Vec<_>>()
        );
    }
    // A stream that owns its model takes another one, too.
    let mut stream = Forecast::with_seed(3).into_stream().unwrap();
    let expected = steps(&Forecast::with_seed(8), 1)[0];
    assert_ne!(*stream.clone().step(&row(0)), expected);
    let back = stream.reload(Forecast::with_seed(8)).unwrap();
    assert_eq!(*stream.step(&row(0)), expected);
    assert_eq!(back.weights(), Forecast::with_seed(3).weights());
}

#[test]
fn models_of_several_sizes_are_one_type() {
    let (forecast, words, mixed) = (
        Forecast::with_seed(3),
        Words::with_seed(4),
        Mixed::with_seed(5),
    );
    let mut typed = forecast.stream().unwrap();
    let (mut letters, mut both) = (words.stream().unwrap(), mixed.stream().unwrap());
    let mut all: Vec<Box<dyn AnyStream>> = vec![
        Forecast::with_seed(3).into_stream().unwrap().boxed(),
        Arc::new(Words::with_seed(4)).into_stream().unwrap().boxed(),
        Mixed::with_seed(5).into_stream().unwrap().boxed(),
    ];
    let lens: Vec<_> = all
        .iter()
        .map(|s| (s.input_len(), s.output_len()))
        .collect();
    assert_eq!(lens, [(2, 3), (1, 2), (5, 7)]);
    for t in 0..12 {
        let x = row::<2>(t);
        assert_eq!(all[0].step(&x).unwrap(), typed.step(&x));
        assert_eq!(
            all[1].step(&[t as f32]).unwrap(),
            letters.step(&Id::new(t as u32).unwrap())
        );
        let (x, word, real) = (row::<3>(t), (t % 9) as u32, t % 4 != 1);
        let y = both.step(&MixedStep {
            x,
            word: Id::new(word).unwrap(),
            real,
        });
        let mut found = [0.0; 7];
        let numbers = [x[0], x[1], x[2], word as f32, f32::from(real)];
        all[2].step_into(&numbers, &mut found).unwrap();
        assert_eq!(found[..5], y.last[..]);
        assert_eq!(found[5..], y.each[..]);
    }
    // States go from one to the other, and to the start.
    assert_eq!(all[0].states(), typed.states());
    let kept = typed.states();
    let next = *typed.step(&row(12));
    all[0].reset();
    assert_ne!(all[0].step(&row::<2>(12)).unwrap(), next);
    all[0].set_states(&kept).unwrap();
    assert_eq!(all[0].step(&row::<2>(12)).unwrap(), next);
    // One that borrows, which is no longer than what it borrows.
    let mut borrows: Box<dyn AnyStream + '_> = forecast.stream().unwrap().boxed();
    assert_eq!(borrows.step(&row::<2>(0)).unwrap(), steps(&forecast, 1)[0]);
}

#[test]
fn what_no_step_can_be_made_of_is_an_error_and_no_step() {
    let says = |result: Result<&[f32], Error>, words: &str| {
        assert_eq!(result.unwrap_err().to_string(), words);
    };
    let mut numbers = Forecast::new().into_stream().unwrap().boxed();
    numbers.step(&row::<2>(0)).unwrap();
    let kept = numbers.states();
    says(
        numbers.step(&[]),
        "input of a step: expected 2 numbers, found 0",
    );
    says(
        numbers.step(&[0.5; 3]),
        "input of a step: expected 2 numbers, found 3",
    );
    let error = numbers.step_into(&[0.5; 2], &mut [0.0; 4]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "room for the output of a step: expected 3 numbers, found 4"
    );
    assert!(
        numbers
            .set_states(&[LayerState {
                layer: "gru".into(),
                ..kept[0].clone()
            }])
            .is_err()
    );
    assert_eq!(numbers.states(), kept);

    let mut ids = Words::new().into_stream().unwrap().boxed();
    says(
        ids.step(&[12.0]),
        "id 12 is outside of the vocabulary 0..12",
    );
    for (id, words) in [
        (0.5, "0.5"),
        (-1.0, "-1"),
        (f32::NAN, "NaN"),
        (f32::INFINITY, "inf"),
    ] {
        says(
            ids.step(&[id]),
            &format!("a class id is a whole number below 12, found {words}"),
        );
    }
    assert!(
        ids.states()
            .iter()
            .all(|s| s.value.iter().all(|v| *v == 0.0))
    );
}

#[test]
fn nan_is_found_in_the_states_until_they_are_reset() {
    let mut stream = Forecast::new().into_stream().unwrap();
    assert!(stream.is_finite());
    stream.step(&row(0));
    let kept = stream.states();
    assert!(stream.is_finite());
    assert!(stream.step(&[f32::NAN, 0.0]).iter().all(|y| y.is_nan()));
    // Odd steps and even ones.
    for t in 1..4 {
        assert!(!stream.is_finite());
        assert!(stream.step(&row(t)).iter().all(|y| y.is_nan()));
    }
    stream.set_states(&kept).unwrap();
    assert!(stream.is_finite());
    let expected = steps(stream.model(), 2)[1];
    assert_eq!(*stream.step(&row(1)), expected);
    stream.state_mut("gru", "h").unwrap()[4] = f32::NEG_INFINITY;
    assert!(!stream.is_finite());
    stream.reset();
    assert!(stream.is_finite());
    let mut boxed = stream.boxed();
    boxed.step(&[f32::NAN, 0.0]).unwrap();
    assert!(!boxed.is_finite());
}

/// A batch of one row.
fn batch<const N: usize>(x: &[[f32; N]]) -> Array3<f32> {
    Array3::from_shape_fn((1, x.len(), N), |(_, t, i)| x[t][i])
}

#[test]
fn a_call_gives_what_predict_gives() {
    let mut model = Forecast::with_seed(3);
    for &isa in Isa::available() {
        model.set_isa(isa);
        let x: [[f32; 2]; 17] = std::array::from_fn(row);
        let y: [f32; 3] = model.call(&x);
        assert_eq!(
            y[..],
            model
                .predict(&batch(&x))
                .unwrap()
                .into_raw_vec_and_offset()
                .0,
            "{isa}"
        );
        assert_eq!(model.call(&[row(0)]), steps(&model, 1)[0]);
    }

    // All steps, as many as the model says.
    let small = Small::with_seed(6);
    let x: [[f32; 2]; 6] = std::array::from_fn(row);
    let y: [[f32; 3]; 6] = small.call(&x);
    assert_eq!(
        y.concat(),
        small
            .predict(&batch(&x))
            .unwrap()
            .into_raw_vec_and_offset()
            .0
    );

    // Ids.
    let words = Words::with_seed(4);
    let y: [f32; 2] = words.call(&[3, 1, 11].map(|id| Id::new(id).unwrap()));
    let ids = ArrayView2::from_shape((1, 3), &[3u32, 1, 11]).unwrap();
    assert_eq!(
        y[..],
        words.predict(ids).unwrap().into_raw_vec_and_offset().0
    );

    // Without time.
    let dense = rnn_model!(Input(3) -> Dense(4, tanh) -> Dense(2));
    let y: [f32; 2] = dense.call(&[0.5, -1.0, 2.0]);
    let x = ArrayView2::from_shape((1, 3), &[0.5, -1.0, 2.0]).unwrap();
    assert_eq!(y[..], dense.predict(x).unwrap().into_raw_vec_and_offset().0);
}

#[test]
fn a_call_of_several_inputs_gives_a_tuple_of_outputs() {
    const STEPS: usize = 9;
    let model = Mixed::with_seed(5);
    let step = |t| MixedStep {
        x: row(t),
        word: Id::new((t % 9) as u32).unwrap(),
        real: t % 3 != 1 && t != STEPS - 1,
    };
    let (last, each): ([f32; 5], [[f32; 2]; STEPS]) =
        model.call(&std::array::from_fn::<_, STEPS, _>(step));
    let all: Vec<MixedStep> = (0..STEPS).map(step).collect();
    let x: Vec<f32> = all.iter().flat_map(|s| s.x).collect();
    let y = model
        .predict(MixedInput {
            x: ArrayView3::from_shape((1, STEPS, 3), &x).unwrap(),
            word: Array2::from_shape_fn((1, STEPS), |(_, t)| all[t].word.get()).view(),
            real: Array2::from_shape_fn((1, STEPS), |(_, t)| all[t].real).view(),
        })
        .unwrap();
    assert_eq!(last[..], y.last.into_raw_vec_and_offset().0);
    assert_eq!(each.concat(), y.each.into_raw_vec_and_offset().0);
}

/// What the types of a function's result have to say.
#[test]
fn models_without_a_name_stream_where_their_type_says_so() {
    fn model(
        units: bool,
    ) -> impl Model + CallWith<[[f32; 1]; 4], StepInput = [f32; 1], Output = [f32; 1]> {
        let _ = units;
        rnn_model!(Input(_, 1) -> GRU(4) -> Dense(1))
    }
    fn boxed<M: Model + Streamable + Send + Sync + 'static>(model: M) -> Box<dyn AnyStream> {
        Arc::new(model).into_stream().unwrap().boxed()
    }
    let y = model(true).call(&[[0.5], [0.25], [0.0], [1.0]]);
    let mut stream = boxed(rnn_model!(Input(_, 1) -> GRU(4) -> Dense(1)));
    for x in [0.5, 0.25, 0.0] {
        stream.step(&[x]).unwrap();
    }
    assert_eq!(stream.step(&[1.0]).unwrap(), y);
    let mut stream = model(false).into_stream().unwrap();
    stream.step(&[0.5]);
}

/// The types that programs named before there were others, and arguments as they were written.
#[test]
fn what_was_written_before_still_compiles() {
    fn through<'m, M: Model + Streamable>(model: &'m M) -> Result<Stream<'m, M>, Error> {
        model.stream()
    }
    fn first<M: Streamable>(stream: &mut Stream<'_, M>, x: &M::StepInput) -> bool {
        stream.step(x);
        stream.state("lstm", "h").is_some()
    }
    struct Holder<'m> {
        stream: Stream<'m, Forecast>,
    }
    let model = Forecast::with_seed(3);
    let mut holder = Holder {
        stream: through(&model).unwrap(),
    };
    assert!(first(&mut holder.stream, &row(0)));
    let expected = steps(&model, 6);
    let boxed = Box::new(row::<2>(1));
    assert_eq!(holder.stream.step(&boxed), &expected[1]);
    let reference = &&row::<2>(2);
    assert_eq!(holder.stream.step(reference), &expected[2]);
    let samples = row::<2>(3).to_vec();
    assert_eq!(
        holder.stream.step(samples[..].try_into().unwrap()),
        &expected[3]
    );
    assert_eq!(holder.stream.step(&samples.try_into().unwrap()).len(), 3);
}
