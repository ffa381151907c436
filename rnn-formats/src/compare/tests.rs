use super::*;
use crate::{NetworkInput, NetworkLayer, Value};

/// Layers in a row.
fn chain(texts: &[&str]) -> Network {
    let of = |n: usize| match n {
        0 => Value::Input(0),
        n => Value::Of {
            layer: n - 1,
            result: 0,
        },
    };
    let layer = |(n, text): (usize, &&str)| {
        let (class, rest) = text.split_once('(').unwrap_or((text, ")"));
        let arguments = rest.strip_suffix(')').unwrap();
        NetworkLayer {
            class: class.into(),
            arguments: arguments
                .split(", ")
                .filter(|a| !a.is_empty())
                .map(str::to_owned)
                .collect(),
            name: Some(format!("l{n}")),
            inputs: vec![of(n)],
            results: 1,
        }
    };
    Network {
        inputs: vec![NetworkInput {
            name: "x".into(),
            text: "[_, 1]".into(),
        }],
        layers: texts.iter().enumerate().map(layer).collect(),
        outputs: vec![("y".into(), of(texts.len()))],
        cells: vec![],
    }
}

fn compared(file: &Network, texts: &[&str]) -> Differences {
    let written: Vec<Written<'_>> = texts
        .iter()
        .map(|text| Written { name: "own", text })
        .collect();
    differences(file, &written)
}

#[test]
fn what_training_and_shapes_need_is_no_difference() {
    let file = chain(&[
        "LSTM(4, return_sequences)",
        "Dropout(0.5)",
        "Dense(2, activation = relu)",
        "Reshape(2)",
    ]);
    let same = [
        &["LSTM(4)", "Dense(2, activation = relu)"][..],
        &[
            "LSTM(4, kernel_initializer = zeros)",
            "Dense(2)",
            "Activation(relu)",
        ],
        &[
            "GaussianNoise(0.1)",
            "RNN(LSTMCell(4))",
            "TimeDistributed(Dense(units = 2, activation = relu))",
        ],
    ];
    for texts in same {
        assert_eq!(compared(&file, texts), Differences::default(), "{texts:?}");
    }
}

#[test]
fn arguments_that_differ_are_said() {
    let file = chain(&[
        "LSTM(4, recurrent_activation = hard_sigmoid(0.2))",
        "BatchNormalization(epsilon = 0.00001)",
    ]);
    assert_eq!(
        compared(&file, &["LSTM(4)", "BatchNormalization"]).lines,
        [
            "`own`: the file's layer has `recurrent_activation = hard_sigmoid(0.2)` and `LSTM(4)` here has `sigmoid`: write \
             `recurrent_activation = hard_sigmoid(0.2)`",
            "`own`: the file's layer has `epsilon = 0.00001` and `BatchNormalization` here has `0.001`: write `epsilon = \
             0.00001`",
        ]
    );
    let same = compared(
        &file,
        &[
            "LSTM(4, recurrent_activation = hard_sigmoid(0.2))",
            "BatchNormalization(epsilon = EPSILON)",
        ],
    );
    assert_eq!(same.lines, [""; 0]);
    assert!(
        same.notes[0].contains("was not compared with `EPSILON`"),
        "{same:?}"
    );
}

#[test]
fn layers_that_one_side_lacks_are_said() {
    let file = chain(&["GRU(4)", "Activation(relu)", "Dense(4)", "Dense(1)"]);
    assert_eq!(
        compared(
            &file,
            &["GRU(4)", "Dense(4)", "Dense(1)", "Activation(tanh)"]
        )
        .lines,
        [
            "the file computes `relu` after its `l1`, which the layers here do not: add `Activation(relu)`",
            "`Activation(tanh)` here computes `tanh`, which the file does not: leave it out",
        ]
    );
    // The order of a chain counts.
    let file = chain(&["LSTM(4)", "GRU(4)"]);
    assert_eq!(compared(&file, &["GRU(4)", "LSTM(4)"]).lines.len(), 2);
}

#[test]
fn of_a_graph_layers_count_and_not_their_order() {
    let mut file = chain(&["LSTM(4)", "Dense(4)"]);
    file.layers.push(NetworkLayer {
        class: "Add".into(),
        arguments: vec![],
        name: None,
        inputs: vec![
            Value::Input(0),
            Value::Of {
                layer: 1,
                result: 0,
            },
        ],
        results: 1,
    });
    file.outputs = vec![(
        "y".into(),
        Value::Of {
            layer: 2,
            result: 0,
        },
    )];
    assert_eq!(
        compared(&file, &["LSTM(4)", "Dense(4)"]).lines,
        ["the file has `Add`, which the layers here have not: add it"]
    );
    let same = compared(&file, &["Add", "Dense(4)", "LSTM(4)"]);
    assert_eq!(same.lines, [""; 0]);
    assert_eq!(same.notes.len(), 1);
}

#[test]
fn beside_a_layer_that_is_not_understood_nothing_is_missing() {
    let file = chain(&["Lambda(3)", "Dense(4)"]);
    let same = compared(&file, &["LSTM(3)", "Dense(4)"]);
    assert_eq!(same.lines, [""; 0]);
    assert_eq!(
        same.notes,
        [
            "`Lambda(3)` of the file was not compared",
            "`LSTM(3)` here is no layer of the file's: leave it out",
        ]
    );
}
