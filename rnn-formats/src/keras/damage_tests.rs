//! Configurations with values exchanged, left out and made absurd: reported or understood, and never a panic.

use serde_json::{Value, json};

use super::{model, report::Report};
use crate::{Error, zip::Archive};

fn configurations() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for file in ["keras.zip", "tf_keras.zip"] {
        let path = format!(
            "{}/../tests/formats/keras/{file}",
            env!("CARGO_MANIFEST_DIR")
        );
        let bytes = std::fs::read(path).unwrap();
        let archive = Archive::open(&bytes).unwrap();
        for name in archive.names().filter(|n| n.ends_with(".keras")) {
            let inner = archive.read(name).unwrap();
            let inner = Archive::open(&inner).unwrap();
            let config = inner.read("config.json").unwrap();
            all.push((name.to_owned(), serde_json::from_slice(&config).unwrap()));
        }
    }
    all
}

/// The text of a configuration, or all that is wrong with it.
fn text(config: &Value) -> Result<String, Error> {
    let mut report = Report::default();
    let (builder, outputs) = model(config, false, &mut report);
    let (network, _) = builder.finish(outputs, &mut report);
    report.finish()?;
    Ok(format!("{:?}", network.body()))
}

/// The value with that number, of all in a configuration.
fn nth<'v>(value: &'v mut Value, n: &mut usize) -> Option<&'v mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Array(all) => all.iter_mut().find_map(|v| nth(v, n)),
        Value::Object(all) => all.values_mut().find_map(|v| nth(v, n)),
        _ => None,
    }
}

fn draw(state: &mut u64, n: usize) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap() % n
}

#[test]
fn values_exchanged() {
    let all = configurations();
    assert!(all.len() > 40);
    let (mut state, mut understood, mut refused) = (7, 0, 0);
    for (_, config) in &all {
        let size = super::count(config);
        for _ in 0..150 {
            let mut other = config.clone();
            let from = draw(&mut state, size);
            let copy = nth(&mut other, &mut { from }).cloned().unwrap_or_default();
            let absurd = [
                json!(null),
                json!(0),
                json!(-1),
                json!(1.5),
                json!(u64::MAX),
                json!(1e308),
                json!("x"),
                json!(true),
                json!([]),
                json!({}),
                json!([["dense", 0, 0]]),
                copy,
            ];
            let to = draw(&mut state, size);
            if let Some(place) = nth(&mut other, &mut { to }) {
                *place = absurd[draw(&mut state, absurd.len())].clone();
            }
            match text(&other) {
                Ok(_) => understood += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(
        understood > 100 && refused > 1000,
        "{understood}, {refused}"
    );
}

/// A dense layer that reads `from`.
fn dense(name: &str, from: &[&str]) -> Value {
    let nodes: Vec<Value> = from.iter().map(|from| json!([[from, 0, 0, {}]])).collect();
    json!({
        "class_name": "Dense", "name": name, "inbound_nodes": nodes,
        "config": {"name": name, "trainable": true, "units": 2, "activation": "linear"},
    })
}

fn functional(layers: Vec<Value>, output: &str) -> Value {
    let mut all = vec![json!({
        "class_name": "InputLayer", "name": "x", "inbound_nodes": [],
        "config": {"name": "x", "batch_input_shape": [null, 2]},
    })];
    all.extend(layers);
    json!({"class_name": "Functional", "config": {
        "name": "m", "layers": all, "input_layers": [["x", 0, 0]], "output_layers": [[output, 0, 0]],
    }})
}

#[test]
fn layers_that_wait_for_each_other() {
    let config = functional(vec![dense("a", &["b"]), dense("b", &["a"])], "b");
    let words = text(&config).unwrap_err().to_string();
    assert!(
        words.contains("Dense `a`: it waits for itself\nDense `b`: it waits for itself"),
        "{words}"
    );
}

#[test]
fn layers_and_outputs_that_are_not_there() {
    let words = text(&functional(vec![dense("a", &["c"])], "d"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        words,
        "Dense `a`: it reads `c`, which gives no such value\nthe output `d` is no result of a layer"
    );
}

#[test]
fn models_that_call_models_again_and_again() {
    // Each model calls the one in it twice: 2^14 layers from a small file.
    let mut inner = functional(vec![dense("a", &["x"])], "a");
    for depth in 0..14 {
        let name = format!("m{depth}");
        inner["name"] = json!(name);
        inner["config"]["name"] = json!(name);
        inner["inbound_nodes"] = json!([[["x", 0, 0, {}]], [[name, 0, 0, {}]]]);
        inner = functional(vec![inner], &name);
        inner["config"]["output_layers"] = json!([[name, 1, 0]]);
    }
    let words = text(&inner).unwrap_err().to_string();
    assert_eq!(
        words,
        "models are called more often than the size of the file allows"
    );
}

#[test]
fn a_layer_that_nobody_reads_is_left_out() {
    let config = functional(vec![dense("a", &["x"]), dense("b", &["x"])], "b");
    let mut report = Report::default();
    let (builder, outputs) = model(&config, true, &mut report);
    let (network, weighted) = builder.finish(outputs, &mut report);
    assert_eq!(network.layers.len(), 1);
    assert_eq!(weighted.len(), 1);
    assert_eq!(
        report.finish().unwrap(),
        ["`a` is left out: nothing reads what it gives"]
    );
}
