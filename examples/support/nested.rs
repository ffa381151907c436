//! The last sections of the guide: steps that consist of several parts.

use ndarray::{Array2, Array3, s};
use recurrent::{learner::Learner, prelude::*};

use super::{
    Done,
    keras::{Keras, ranges, seed},
};

const STEPS: usize = 50;
const BATCH: usize = 64;

/// A step of two parts, a vector and a matrix, of which Keras has the last numbers.
fn inputs(keras: &mut Keras, batch: u32) -> (Array3<f32>, ndarray::Array4<f32>) {
    let check = |name: &str| match batch {
        0 => format!("check/in.0/{name}"),
        _ => String::new(),
    };
    (
        keras.floats(&check("location"), seed(0, batch), (BATCH, STEPS, 32)),
        keras.floats(&check("pressure"), seed(1, batch), (BATCH, STEPS, 64, 32)),
    )
}

/// A structure is an input with named parts: `Input(_, { … })`. A cell takes them by name.
pub fn structures(keras: &mut Keras) -> Done {
    let mut model = rnn_model!(
        Input(_, { location: 32, pressure: [64, 32] }) -> RNN(NestedCell(10, 20, 30))
    )
    .to(keras.device())?;
    println!("{}", model.summary());
    keras.weights("", 0, &mut model);
    let (location, pressure) = inputs(keras, 0);
    let rows = s![..4, .., ..];
    let (y0, y1) = model.predict((&location.slice(rows), &pressure.slice(s![..4, .., .., ..])))?;
    keras.compare("out/y0", &y0);
    keras.compare("out/y1", &y1);
    Ok(())
}

rnn_cell! {
    /// The guide's cell: two inputs, two states, two outputs.
    pub cell NestedCell(unit_1, unit_2, unit_3) {
        input input_1: [i1];
        input input_2: [i2, i3];
        param kernel_1: [i1, unit_1] = random_uniform;
        param kernel_2_3: [i2, i3, unit_2, unit_3] = random_uniform;
        state s1: [unit_1];
        state s2: [unit_2, unit_3];
        let output_1 = input_1 @ kernel_1;
        let output_2_3 = einsum("bij,ijkl->bkl", input_2, kernel_2_3);
        next s1 = s1 + output_1;
        next s2 = s2 + output_2_3;
        output output_1, output_2_3;
    }
}

/// What the cell does, step by step.
pub fn cell(keras: &mut Keras) -> Done {
    let mut model = rnn_model! {
        input location: [time, 32];
        input pressure: [time, 64, 32];
        let (y0, y1) = (location, pressure) -> RNN(NestedCell(10, 20, 30));
        output first = y0;
        output second = y1;
    }
    .to(keras.device())?;
    keras.weights("", 0, &mut model);
    let (location, pressure) = inputs(keras, 0);
    let mut stream = model.stream()?;
    let (mut y0, mut y1) = (Vec::new(), Vec::new());
    let mut states = [Vec::new(), Vec::new()];
    for row in 0..4 {
        stream.reset();
        for step in 0..STEPS {
            let (mut input_1, mut input_2) = ([0.0; 32], [0.0; 64 * 32]);
            let parts = (
                location.slice(s![row, step, ..]),
                pressure.slice(s![row, step, .., ..]),
            );
            input_1
                .iter_mut()
                .zip(parts.0)
                .for_each(|(to, &from)| *to = from);
            input_2
                .iter_mut()
                .zip(parts.1)
                .for_each(|(to, &from)| *to = from);
            let (first, second) = stream.step(&(input_1, input_2));
            if step + 1 == STEPS {
                y0.extend_from_slice(first);
                y1.extend_from_slice(second);
            }
        }
        for (all, state) in states.iter_mut().zip(stream.states()) {
            all.extend(state.value.iter().copied());
        }
    }
    println!(
        "  50 steps of a stream: 10 + 600 outputs, {} states",
        states.len()
    );
    keras.compare("out/y0", &y0);
    keras.compare("out/y1", &y1);
    keras.compare("state/s0", &states[0]);
    keras.compare("state/s1", &states[1]);
    Ok(())
}

rnn_model! {
    /// The guide's model, with its states.
    pub struct Nested {
        input location: [time, 32];
        input pressure: [time, 64, 32];
        let (y0, y1, s0, s1) = (location, pressure) -> RNN(NestedCell(10, 20, 30), return_state);
        output first = y0;
        output second = y1;
        output first_state = s0;
        output second_state = s1;
    }
}

/// Inputs and outputs by name, of every rank.
pub fn model(keras: &mut Keras) -> Done {
    let mut model = Nested::new().to(keras.device())?;
    println!("{}", model.summary());
    keras.weights("", 0, &mut model);
    let (location, pressure) = inputs(keras, 0);
    let y = model.predict(NestedInput {
        location: location.slice(s![..4, .., ..]),
        pressure: pressure.slice(s![..4, .., .., ..]),
    })?;
    println!("  {:?} and {:?}", y.first.dim(), y.second.dim());
    keras.compare("out/y0", &y.first);
    keras.compare("out/y1", &y.second);
    keras.compare("state/s0", &y.first_state);
    keras.compare("state/s1", &y.second_state);
    Ok(())
}

/// One epoch of ten batches with Adam; the loss is the sum of the mean squared errors of both
/// outputs.
pub fn train(keras: &mut Keras) -> Done {
    let mut model = rnn_model! {
        input location: [time, 32];
        input pressure: [time, 64, 32];
        let (y0, y1) = (location, pressure) -> RNN(NestedCell(10, 20, 30));
        output first = y0;
        output second = y1;
    }
    .to(keras.device())?;
    keras.weights("", 0, &mut model);
    let mut trainer = Trainer::new(&mut model)
        .optimizer(Adam::default())
        .loss(MeanSquaredError);
    let mut losses = Vec::new();
    // A batch at a time: all ten are 260 MB.
    for batch in 0..10 {
        let (location, pressure) = inputs(keras, batch);
        let check = |name: &str| {
            if batch == 0 {
                format!("check/in.0/{name}")
            } else {
                String::new()
            }
        };
        let target_1: Array2<f32> = keras.floats(&check("target_1"), seed(2, batch), (BATCH, 10));
        let target_2: Array3<f32> =
            keras.floats(&check("target_2"), seed(3, batch), (BATCH, 20, 30));
        let data = Dataset::new((location, pressure), (target_1, target_2))?;
        let history = trainer.fit(
            &data,
            Fit {
                batch_size: BATCH,
                shuffle: false,
                ..Fit::default()
            },
        )?;
        losses.extend(history.last("loss"));
    }
    drop(trainer);
    println!("  losses: {losses:.4?}");
    keras.compare_all("losses", &losses);
    for (spec, range) in ranges(model.specs()) {
        let weights = &model.weights()[range];
        match spec.name.ends_with("kernel_1") {
            true => keras.compare("trained/kernel_1", weights),
            // Of this one Keras's numbers at [0, 0] are stored.
            false => keras.compare("trained/kernel_2_3", &weights[..20 * 30]),
        }
    }
    Ok(())
}
