//! The oracle itself, against numbers computed by hand: graphs, masks, states and draws.
//!
//! `SimpleRNN(1, activation = linear)` with kernel 1, recurrent kernel 10 and bias 0 makes
//! `h = x + 10 h`, so that the digits of an output are the steps that it has seen, the last one
//! first.

use super::*;

fn floats(batch: usize, time: usize, floats: &[f64]) -> Input {
    Input {
        batch,
        time,
        floats: floats.to_vec(),
        ids: vec![],
    }
}

/// Digits for every recurrent layer of one unit; other weights are those of the test.
fn weights(model: &ReferenceModel, others: &[(&str, &[f64])]) -> Weights {
    let of = |s: &ParamInfo| {
        let value = match others.iter().find(|(name, _)| *name == s.name) {
            Some((_, w)) => w.to_vec(),
            None => match s.name.rsplit('/').next() {
                Some("kernel") => vec![1.0; s.shape.iter().product()],
                Some("recurrent_kernel") => vec![10.0],
                _ => vec![0.0; s.shape.iter().product()],
            },
        };
        (s.name.clone(), value)
    };
    model.specs().iter().map(of).collect()
}

fn call(text: &str, inputs: &[Input]) -> Answer {
    let model = ReferenceModel::parse(text).unwrap();
    let call = Call {
        inputs: inputs.to_vec(),
        ..Call::default()
    };
    model.call(&weights(&model, &[]), &call).unwrap()
}

/// The numbers of every output.
fn outputs(text: &str, inputs: &[Input]) -> Vec<Vec<f64>> {
    let answer = call(text, inputs);
    answer.outputs.into_iter().map(|o| o.data).collect()
}

const X: &str = "input x: [time, 1]; input m: mask[time];";
const DIGITS: [f64; 4] = [1.0, 2.0, 3.0, 4.0];

fn rnn(arguments: &str) -> String {
    format!("SimpleRNN(1, activation = linear{arguments})")
}

/// The outputs of a layer after `x`, with a mask.
fn masked(layer: &str, mask: [f64; 4]) -> Vec<Vec<f64>> {
    let (end, layer) = match layer.contains("return_state") {
        true => (
            "output y = y; output state = h;",
            format!("let (y, h) = x -> {layer};"),
        ),
        false => ("output y = y;", format!("let y = x -> {layer};")),
    };
    outputs(
        &format!("{X} {layer} {end}"),
        &[floats(1, 4, &DIGITS), floats(1, 4, &mask)],
    )
}

#[test]
fn values_are_read_by_name_and_layers_are_shared() {
    let text = "input a: [2]; input b: [2]; layer twice = Dense(2, use_bias = false); \
        let p = a -> twice; let q = b -> twice; \
        output sum = (p, q) -> Add; output product = (a, b) -> Multiply; \
        output joined = (a, p) -> Concatenate; output b = b;";
    let model = ReferenceModel::parse(text).unwrap();
    let names: Vec<&str> = model.specs().iter().map(|s| &*s.name).collect();
    assert_eq!(names, ["twice/kernel"]);
    let call = Call {
        inputs: vec![floats(1, 1, &[1.0, 2.0]), floats(1, 1, &[3.0, 5.0])],
        ..Call::default()
    };
    let w = weights(&model, &[("twice/kernel", &[1.0, 10.0, 0.0, 2.0])]);
    let answer = model.call(&w, &call).unwrap();
    let all: Vec<_> = answer
        .outputs
        .iter()
        .map(|o| (&*o.name, &*o.data))
        .collect();
    assert_eq!(
        all,
        [
            ("sum", &[4.0, 54.0][..]),
            ("product", &[3.0, 10.0]),
            ("joined", &[1.0, 2.0, 1.0, 14.0]),
            ("b", &[3.0, 5.0]),
        ]
    );
}

#[test]
fn at_a_masked_step_states_stay_and_outputs_repeat() {
    let all = rnn(", return_sequences, return_state, mask = m");
    let holes = masked(&all, [0.0, 1.0, 0.0, 1.0]);
    assert_eq!(holes, [vec![0.0, 2.0, 2.0, 24.0], vec![24.0]]);
    let right = masked(&all, [1.0, 1.0, 0.0, 0.0]);
    assert_eq!(right, [vec![1.0, 12.0, 12.0, 12.0], vec![12.0]]);
    let none = masked(&all, [0.0; 4]);
    assert_eq!(none, [vec![0.0; 4], vec![0.0]]);
    let last = masked(&rnn(", mask = m"), [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(last, [[13.0]]);
}

#[test]
fn masked_outputs_are_zero_where_the_layer_says_so() {
    let text = "RNN(SimpleRNNCell(1, activation = linear), return_sequences, return_state, \
        zero_output_for_mask, mask = m)";
    let found = masked(text, [0.0, 1.0, 0.0, 1.0]);
    assert_eq!(found, [vec![0.0, 2.0, 0.0, 24.0], vec![24.0]]);
    let last = masked(
        &text.replace("return_sequences, return_state, ", ""),
        [1.0, 1.0, 1.0, 0.0],
    );
    assert_eq!(last, [[0.0]]);
}

#[test]
fn backwards_the_mask_is_read_backwards_too() {
    let all = rnn(", return_sequences, return_state, go_backwards, mask = m");
    let found = masked(&all, [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(found, [vec![0.0, 3.0, 3.0, 31.0], vec![31.0]]);
}

#[test]
fn states_come_from_inputs_and_from_other_layers() {
    let text = format!(
        "{X} input s: [1]; let (_, h) = x -> {}; output a = x -> {}; output b = x -> {};",
        rnn(", return_state"),
        rnn(", initial_state = h"),
        rnn(", initial_state = s, mask = m, return_sequences"),
    );
    let x = floats(1, 2, &[1.0, 2.0]);
    let found = outputs(&text, &[x, floats(1, 2, &[0.0, 1.0]), floats(1, 1, &[7.0])]);
    // Before the first valid step the output is zero, whatever the state is.
    assert_eq!(found, [vec![1212.0], vec![0.0, 72.0]]);
}

#[test]
fn cells_are_stacked_within_a_step() {
    let cell = "SimpleRNNCell(1, activation = linear)";
    let text = format!(
        "{X} let (y, a, b) = x -> RNN([{cell}, {cell}], return_sequences, return_state, mask = m); \
         output y = y; output a = a; output b = b;"
    );
    let found = outputs(
        &text,
        &[
            floats(1, 3, &[1.0, 2.0, 3.0]),
            floats(1, 3, &[1.0, 0.0, 1.0]),
        ],
    );
    // First 1, 13; second 1, 10 + 13.
    assert_eq!(found, [vec![1.0, 1.0, 23.0], vec![13.0], vec![23.0]]);
    let model = ReferenceModel::parse(&text).unwrap();
    let names: Vec<&str> = model.specs().iter().map(|s| &*s.name).collect();
    assert_eq!(names[0], "rnn/simple_rnn_cell/kernel");
    assert_eq!(names[3], "rnn/simple_rnn_cell_1/kernel");
}

#[test]
fn both_directions_are_merged_in_the_order_of_time() {
    let x = [floats(1, 3, &[1.0, 2.0, 3.0])];
    let merged = |arguments: &str, end: &str| {
        let all = rnn(", return_sequences, return_state");
        let text =
            format!("input x: [_, 1]; let (y, {end}) = x -> Bidirectional({all}{arguments});");
        let names: Vec<&str> = std::iter::once("y").chain(end.split(", ")).collect();
        let ends: String = names.iter().map(|n| format!("output {n} = {n};")).collect();
        outputs(&format!("{text} {ends}"), &x)
    };
    let (f, b) = ([1.0, 12.0, 123.0], [321.0, 32.0, 3.0]);
    let both =
        |m: fn(f64, f64) -> f64| -> Vec<f64> { f.iter().zip(b).map(|(f, b)| m(*f, b)).collect() };
    let states = [vec![123.0], vec![321.0]];
    let concat = merged("", "f, b");
    assert_eq!(concat[0], [1.0, 321.0, 12.0, 32.0, 123.0, 3.0]);
    assert_eq!(concat[1..], states);
    assert_eq!(merged(", merge_mode = sum", "f, b")[0], both(|f, b| f + b));
    assert_eq!(merged(", merge_mode = mul", "f, b")[0], both(|f, b| f * b));
    assert_eq!(
        merged(", merge_mode = ave", "f, b")[0],
        both(|f, b| (f + b) / 2.0)
    );
    let none = merged(", merge_mode = none", "z, f, b");
    assert_eq!(
        none,
        [f.to_vec(), b.to_vec(), states[0].clone(), states[1].clone()]
    );
    // Without sequences: what both have read last.
    let last = format!(
        "input x: [_, 1]; output y = x -> Bidirectional({});",
        rnn("")
    );
    assert_eq!(outputs(&last, &x), [[123.0, 321.0]]);
}

#[test]
fn both_directions_skip_masked_steps_and_give_zeros_there() {
    let text = format!("Bidirectional({}, mask = m)", rnn(", return_sequences"));
    let found = masked(&text, [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(found, [[1.0, 31.0, 0.0, 0.0, 13.0, 3.0, 0.0, 0.0]]);
    let last = masked(
        &format!("Bidirectional({}, mask = m)", rnn("")),
        [0.0, 1.0, 1.0, 0.0],
    );
    assert_eq!(last, [[23.0, 32.0]]);
}

#[test]
fn both_directions_start_from_their_own_states() {
    let text = format!(
        "input x: [_, 1]; input f: [1]; input b: [1]; output y = x -> Bidirectional({}, initial_state = [f, b]);",
        rnn("")
    );
    let one = |x: f64| floats(1, 1, &[x]);
    let found = outputs(&text, &[one(1.0), one(2.0), one(3.0)]);
    assert_eq!(found, [[21.0, 31.0]]);
}

#[test]
fn directions_of_matrices_are_merged() {
    let scope = Definitions {
        cells: &[(
            "Sums",
            "cell Sums(a, b) { state s: [a, b]; next s = 10 * s + sum(x); output s; }",
        )],
        consts: &[],
    };
    let text = "input x: [_, 1]; output y = x -> Bidirectional(RNN(Sums(2, 3)), merge_mode = sum);";
    let model = ReferenceModel::parse_in(text, scope).unwrap();
    let call = Call {
        inputs: vec![floats(1, 2, &[1.0, 2.0])],
        ..Call::default()
    };
    let found = model.call(&Weights::new(), &call).unwrap();
    assert_eq!(found.outputs[0].data, [12.0 + 21.0; 6]);
}

#[test]
fn stateful_layers_go_on_where_they_ended() {
    let model = ReferenceModel::parse(&format!(
        "Input(_, 1) -> {} -> RNN([SimpleRNNCell(1, linear), SimpleRNNCell(1, linear)], stateful)",
        rnn(", stateful, return_sequences")
    ))
    .unwrap();
    let names: Vec<String> = model
        .states()
        .iter()
        .map(|s| format!("{}/{}", s.layer, s.name))
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let w = weights(&model, &[]);
    let mut call = Call {
        inputs: vec![floats(2, 4, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])],
        ..Call::default()
    };
    let whole = model.call(&w, &call).unwrap();
    call.inputs = vec![floats(2, 1, &[1.0, 5.0])];
    let first = model.call(&w, &call).unwrap();
    call.states = first.states;
    call.inputs = vec![floats(2, 3, &[2.0, 3.0, 4.0, 6.0, 7.0, 8.0])];
    assert_eq!(model.call(&w, &call).unwrap(), whole);
}

#[test]
fn ids_of_zero_and_steps_of_the_mask_value_are_masked() {
    let model = ReferenceModel::parse(&format!(
        "input s: ids; output y = s -> Embedding(4, 1, mask_zero) -> {};",
        rnn(", return_sequences")
    ))
    .unwrap();
    let table: &[(&str, &[f64])] = &[("embedding/embeddings", &[9.0, 1.0, 2.0, 3.0])];
    let call = Call {
        inputs: vec![Input {
            batch: 1,
            time: 4,
            floats: vec![],
            ids: vec![1, 0, 3, 0],
        }],
        ..Call::default()
    };
    let y = model
        .call(&weights(&model, table), &call)
        .unwrap()
        .outputs
        .remove(0);
    assert_eq!(y.data, [1.0, 1.0, 13.0, 13.0]);
    assert_eq!(y.mask, Some(vec![true, false, true, false]));

    let text = format!(
        "Input(_, 1) -> Masking(mask_value = 2) -> {}",
        rnn(", return_sequences")
    );
    assert_eq!(
        outputs(&text, &[floats(1, 4, &DIGITS)]),
        [[1.0, 1.0, 13.0, 134.0]]
    );
}

#[test]
fn shapes_change_and_numbers_stay() {
    let x = floats(1, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let text = "input x: [2, 3]; output permuted = x -> Permute(2, 1); \
        output flat = x -> Flatten; output wide = x -> Reshape(3, 2) -> Permute(2, 1); \
        output again = x -> Flatten -> RepeatVector(2);";
    let answer = call(text, &[x]);
    let all: Vec<_> = answer
        .outputs
        .iter()
        .map(|o| (o.steps, o.width, &*o.data))
        .collect();
    let (x, twice) = (
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].repeat(2),
    );
    assert_eq!(
        all,
        [
            (Some(3), 2, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0][..]),
            (None, 6, &x),
            (Some(2), 3, &[1.0, 3.0, 5.0, 2.0, 4.0, 6.0]),
            (Some(2), 6, &twice),
        ]
    );
}

#[test]
fn training_takes_what_it_draws() {
    let text = "input x: [2, 2]; output a = x -> Dropout(0.5); output b = x -> SpatialDropout1D(0.5); \
        output c = x -> GaussianNoise(0.5); output d = x -> Dropout(0);";
    let model = ReferenceModel::parse(text).unwrap();
    let x = [1.0, 2.0, 3.0, 4.0];
    let mut call = Call {
        inputs: vec![floats(1, 2, &x)],
        ..Call::default()
    };
    let data = |call: &Call| {
        let answer = model.call(&Weights::new(), call)?;
        Ok::<_, Wrong>(
            answer
                .outputs
                .into_iter()
                .map(|o| o.data)
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(data(&call).unwrap(), vec![x.to_vec(); 4]);
    call.training = true;
    assert!(
        data(&call)
            .unwrap_err()
            .0
            .contains("dropout, spatial_dropout1d, gaussian_noise")
    );
    let widths: Vec<_> = model
        .draws()
        .iter()
        .map(|d| (d.every_step, d.width))
        .collect();
    assert_eq!(widths, [(true, 2), (false, 2), (true, 2)]);
    call.draws = vec![
        vec![1.0, 0.0, 0.0, 1.0],
        vec![0.0, 1.0],
        vec![1.0, 0.5, 0.0, -2.0],
    ];
    assert_eq!(
        data(&call).unwrap(),
        [
            [2.0, 0.0, 0.0, 8.0],
            [0.0, 4.0, 0.0, 8.0],
            [1.5, 2.25, 3.0, 3.0],
            x,
        ]
    );
}

/// A cell that reads two values, keeps a matrix, drops its input and gives two outputs.
const NESTED: &str = "cell Nested() {
    input a: [n]; input b: [m];
    state sums: [n, m];
    let a = dropout(a, 0.5);
    let sums = sums + einsum(\"bi,bj->bij\", a, b);
    next sums = sums;
    output einsum(\"bij->bi\", sums), b;
}";

#[test]
fn cells_read_and_give_several_values_and_draw_masks() {
    let scope = Definitions {
        cells: &[("Nested", NESTED)],
        consts: &[],
    };
    let text = "input x: [_, { a: 2, b: 1 }]; \
        let (rows, last, sums) = x -> RNN(Nested(), return_state); \
        output rows = rows; output last = last; output sums = sums;";
    let model = ReferenceModel::parse_in(text, scope).unwrap();
    let names: Vec<String> = model
        .inputs()
        .unwrap()
        .into_iter()
        .map(|i| i.name)
        .collect();
    assert_eq!(names, ["x_a", "x_b"]);
    let mut call = Call {
        inputs: vec![
            floats(1, 2, &[1.0, 2.0, 3.0, 4.0]),
            floats(1, 2, &[10.0, 100.0]),
        ],
        ..Call::default()
    };
    let mut data = || {
        let answer = model.call(&Weights::new(), &call).unwrap();
        call.training = true;
        call.draws = vec![vec![2.0, 0.0]];
        answer
            .outputs
            .into_iter()
            .map(|o| o.data)
            .collect::<Vec<_>>()
    };
    let sums = vec![310.0, 420.0];
    assert_eq!(data(), [sums.clone(), vec![100.0], sums]);
    let dropped = vec![620.0, 0.0];
    assert_eq!(data(), [dropped.clone(), vec![100.0], dropped]);
}

#[test]
fn statistics_are_those_of_real_steps() {
    let text = "Input(_, 1) -> Masking -> BatchNormalization(epsilon = 0.5)";
    let model = ReferenceModel::parse(text).unwrap();
    let call = Call {
        inputs: vec![floats(2, 2, &[1.0, 0.0, 5.0, 0.0])],
        training: true,
        ..Call::default()
    };
    let w = weights(&model, &[("batch_normalization/gamma", &[1.0])]);
    let y = model.call(&w, &call).unwrap().outputs.remove(0).data;
    // Mean 3, variance 4, but for Keras's 1e-7; the other steps are normalised by them, too.
    let expected = [-2.0, -3.0, 2.0, -3.0].map(|d| d / 4.5f64.sqrt());
    for (y, e) in y.iter().zip(expected) {
        assert!((y - e).abs() < 1e-6, "{y} and {e}");
    }
}

#[test]
fn the_sizes_of_outputs_and_states_cost() {
    let penalty = |text: &str, kernel: (&str, &[f64]), input: Input| {
        let model = ReferenceModel::parse(text).unwrap();
        let call = Call {
            inputs: vec![input],
            ..Call::default()
        };
        model
            .call(&weights(&model, &[kernel]), &call)
            .unwrap()
            .penalty
    };
    let text = "Input(2) -> Dense(2, use_bias = false, activity_regularizer = l1_l2(0.5, 0.25))";
    let kernel = ("dense/kernel", &[1.0, 0.0, 0.0, -1.0][..]);
    let rows = floats(2, 1, &[1.0, 2.0, 0.0, 4.0]);
    assert_eq!(penalty(text, kernel, rows), (0.5 * 7.0 + 0.25 * 21.0) / 2.0);
    let text = format!(
        "input x: [_, 1]; let (y, _) = x -> {}; output y = y;",
        rnn(", return_state, activity_regularizer = l1(0.5)")
    );
    let kernel = ("simple_rnn/kernel", &[1.0][..]);
    assert_eq!(penalty(&text, kernel, floats(1, 2, &[1.0, 2.0])), 12.0);
}

#[test]
fn what_does_not_fit_is_said() {
    let model = ReferenceModel::parse(&format!(
        "{X} output y = x -> {};",
        rnn(", mask = m, stateful")
    ))
    .unwrap();
    let w = weights(&model, &[]);
    let good = Call {
        inputs: vec![floats(1, 2, &[1.0, 2.0]), floats(1, 2, &[1.0, 1.0])],
        ..Call::default()
    };
    assert!(model.call(&w, &good).is_ok());
    let with = |change: &dyn Fn(&mut Call)| {
        let mut call = good.clone();
        change(&mut call);
        model.call(&w, &call).unwrap_err().0
    };
    assert_eq!(with(&|c| drop(c.inputs.pop())), "1 inputs for 2");
    assert!(with(&|c| c.inputs[1] = floats(1, 3, &[1.0; 3])).contains("input m"));
    assert!(with(&|c| c.inputs[1].floats[0] = 0.5).contains("input m"));
    assert!(with(&|c| c.inputs[1] = floats(2, 2, &[1.0; 4])).contains("rows"));
    assert!(with(&|c| c.states = vec![vec![1.0, 2.0]]).contains("has 2 of 1"));
    assert!(model.run(&w, &good.inputs[0], false).is_err());
    assert!(model.call(&Weights::new(), &good).is_err());
}
