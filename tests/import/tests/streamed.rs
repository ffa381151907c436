//! Graphs of ONNX that take states and give them back, imported with `states = stream`: the stream keeps them, and gives the
//! numbers of PyTorch step by step from the states that PyTorch was given.

use recurrent::prelude::*;
use recurrent_test_import::arrays;

include!(concat!(env!("OUT_DIR"), "/streamed.rs"));

fn close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-5, "{what}: {a} and {b}");
    }
}

/// Streams each row of the numbers. `states` are the layer, the state, and its names as an input and an output of the graph.
macro_rules! streams {
    ($module:ident, $states:expr) => {
        let numbers = arrays($module::NUMBERS);
        let model = $module::Imported::new();
        let (x, y) = (&numbers["in/x"], &numbers["out/y"]);
        let [rows, steps, 3] = x.shape[..] else {
            panic!("{:?}", x.shape);
        };
        assert!(rows > 1 && steps > 1, "{:?}", x.shape);
        for row in 0..rows {
            let mut stream = model.stream().unwrap();
            for (layer, state, input, _) in $states {
                let values = stream.state_mut(layer, state);
                let values = values.unwrap_or_else(|| panic!("{}", $module::Imported::plan()));
                values.copy_from_slice(numbers[input].values.chunks(4).nth(row).unwrap());
                assert!(values.iter().any(|v| v.abs() > 0.01), "{input}");
            }
            for step in row * steps..(row + 1) * steps {
                let x: [f32; 3] = x.values[step * 3..][..3].try_into().unwrap();
                close(stream.step(&x), &y.values[step * 2..][..2], "y");
            }
            for (layer, state, _, output) in $states {
                let expected = numbers[output].values.chunks(4).nth(row).unwrap();
                close(stream.state(layer, state).unwrap(), expected, output);
            }
        }
    };
}

#[test]
fn two_layers() {
    streams!(
        gru_states_2_script_open,
        [
            ("rnn", "h", "in/h_0", "out/hn_0"),
            ("rnn_1", "h", "in/h_1", "out/hn_1"),
        ]
    );
}

#[test]
fn two_states() {
    streams!(
        lstm_states_1_dynamo_open,
        [
            ("lstm", "h", "in/h", "out/hn"),
            ("lstm", "c", "in/c", "out/cn"),
        ]
    );
}

/// What was left out is said where the model says what it was read from.
#[test]
fn the_plan_says_what_was_left_out() {
    let plan = lstm_states_1_dynamo_open::Imported::plan();
    let words = "states that came in and went out are left out";
    assert!(plan.contains(words), "{plan}");
}
