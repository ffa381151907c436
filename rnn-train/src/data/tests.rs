use ndarray::{Array2, Array3, array, s};

use super::*;
use crate::predictions::{TargetKind, TargetView};
use rnn_runtime::learner::{ValueSpec, Values};

const FLOATS: ValueSpec = ValueSpec {
    name: "input",
    ids: false,
    time: Some(None),
    features: &[2],
};
const IDS: ValueSpec = ValueSpec {
    name: "input",
    ids: true,
    time: Some(Some(3)),
    features: &[],
};
const OUTPUT: ValueSpec = ValueSpec {
    name: "output",
    ids: false,
    time: None,
    features: &[4],
};

fn takes(kind: TargetKind) -> LossTargets {
    LossTargets {
        kind,
        loss: "a_loss".to_owned(),
        classes: true,
    }
}

fn prepared<'a>(
    data: &'a Dataset,
    input: ValueSpec,
    kind: TargetKind,
) -> Result<Prepared<'a>, Error> {
    Prepared::new(
        "data",
        data,
        &[input],
        &[OUTPUT],
        &[Some(takes(kind))],
        None,
    )
}

fn ids(data: &Dataset) -> Vec<u32> {
    let prepared = prepared(data, IDS, TargetKind::Labels).unwrap();
    let mut batch = Batch::new(&prepared, data.len());
    batch.gather(&prepared, &prepared.order);
    let Some(TargetView::Labels(labels)) = batch.targets(0) else {
        panic!()
    };
    let inputs: Vec<_> = batch.inputs().collect();
    let Values::Ids(ids) = inputs[0].values else {
        panic!()
    };
    assert_eq!((inputs[0].batch, inputs[0].time), (data.len(), 3));
    // The sample's number is in its ids and its label: they must stay together.
    for (sample, &label) in ids.chunks_exact(3).zip(labels) {
        assert!(sample.iter().all(|&id| id % 4 == label && id == sample[0]));
    }
    ids.chunks_exact(3).map(|sample| sample[0]).collect()
}

fn numbered(n: usize) -> Dataset {
    let input = Array2::from_shape_fn((n, 3), |(i, _)| i as i64);
    Dataset::new(&input, (0..n as u8).map(|i| i % 4).collect::<Vec<_>>()).unwrap()
}

mod inputs;
mod properties;

#[test]
fn orders_and_parts() {
    let data = numbered(10);
    assert_eq!(ids(&data), (0..10).collect::<Vec<_>>());
    let (a, b) = data.split(0.25).unwrap();
    assert_eq!((ids(&a), ids(&b)), ((0..7).collect(), (7..10).collect()));
    assert_eq!(ids(&data.skip(2).take(3)), [2, 3, 4]);
    assert_eq!(data.take(99).len(), 10);
    assert!(data.skip(10).is_empty());
    let shuffled = ids(&data.shuffle(1));
    assert_ne!(shuffled, ids(&data));
    assert_eq!(shuffled, ids(&data.shuffle(1)));
    assert_ne!(shuffled, ids(&data.shuffle(2)));
    let mut sorted = shuffled;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..10).collect::<Vec<_>>());
    for fraction in [0.0, 1.0, -0.5, 2.0, f64::NAN] {
        assert!(data.split(fraction).is_err(), "{fraction}");
    }
    assert!(data.take(1).split(0.5).is_err());
}

#[test]
fn views_are_read_in_their_own_order() {
    let all = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as f64);
    let view = all.slice(s![.., ..;-1, 1..3]);
    let data = Dataset::new(view, array![1, 2]).unwrap();
    let prepared = prepared(&data, FLOATS, TargetKind::Labels).unwrap();
    let mut batch = Batch::new(&prepared, 1);
    batch.gather(&prepared, &[1]);
    let inputs: Vec<_> = batch.inputs().collect();
    let Values::Floats(values) = inputs[0].values else {
        panic!()
    };
    assert_eq!(values, [121.0, 122.0, 111.0, 112.0, 101.0, 102.0]);
}

#[test]
fn sample_weights_follow_their_samples() {
    let data = numbered(6).shuffle(4).take(4);
    let order = ids(&data);
    let weights: Vec<f32> = order.iter().map(|&id| id as f32 + 0.5).collect();
    let data = data.sample_weight(&weights).unwrap();
    let again = data.shuffle(9);
    let prepared = prepared(&again, IDS, TargetKind::Labels).unwrap();
    let mut batch = Batch::new(&prepared, 4);
    batch.gather(&prepared, &prepared.order);
    let expected: Vec<f32> = ids(&again).iter().map(|&id| id as f32 + 0.5).collect();
    assert_eq!(batch.weights(0), Some(expected.as_slice()));
    assert!(numbered(3).sample_weight([1.0, 2.0]).is_err());
    assert!(numbered(2).sample_weight([1.0, -2.0]).is_err());
    assert!(numbered(2).sample_weight([1.0, f32::NAN]).is_err());
    assert!(
        numbered(2)
            .sample_weight(Column::floats(vec![1.0; 8], &[2, 2, 2]).unwrap())
            .is_err()
    );
    // Weights for steps that a target does not have.
    let data = numbered(2)
        .sample_weight(Column::floats(vec![1.0; 4], &[2, 2]).unwrap())
        .unwrap();
    assert!(super::tests::prepared(&data, IDS, TargetKind::Labels).is_err());
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let error = |column: Result<Column, Error>| column.unwrap_err().to_string();
    assert_eq!(
        error([1u64 << 32].into_column()),
        "4294967296 is too large for a class number or an id"
    );
    assert!(error(Column::floats(vec![0.0; 3], &[2, 2])).contains("[2, 2]"));
    assert!(Column::floats(vec![], &[]).is_err());
    assert!(Column::integers(vec![], &[usize::MAX, 2]).is_err());
    // Negative whole numbers are no ids, but fine as numbers.
    assert_eq!(
        [-1i32, 2].into_column().unwrap(),
        Column::floats(vec![-1.0, 2.0], &[2]).unwrap()
    );
    assert!(Dataset::new([0.0f32; 3], [0; 2]).is_err());
    assert!(Dataset::with_columns(vec![], vec![[0].into_column().unwrap()]).is_err());
}

#[test]
fn shapes_and_kinds_are_checked() {
    let good = numbered(4);
    let words = |data: &Dataset, input, kind| match prepared(data, input, kind) {
        Err(error) => error.to_string(),
        Ok(_) => "fine".to_owned(),
    };
    assert_eq!(words(&good, IDS, TargetKind::Labels), "fine");
    let longer = ValueSpec {
        time: Some(Some(5)),
        ..IDS
    };
    assert_eq!(
        words(&good, longer, TargetKind::Labels),
        "data, input: expected shape [n, 5], found [4, 3]"
    );
    assert_eq!(
        words(&good, FLOATS, TargetKind::Labels),
        "data, input: expected shape [n, time, 2], found [4, 3]"
    );
    assert_eq!(
        words(&good, IDS, TargetKind::Floats),
        "data, target of output: expected shape [n, 4], found [4]; a_loss takes one-hot targets: use \
         SparseCategoricalCrossentropy for class numbers"
    );
    let negative = Dataset::new(array![[0, 1, -1]], [0]).unwrap();
    assert_eq!(
        words(&negative, IDS, TargetKind::Labels),
        "data, input: ids are whole numbers from 0 on, found floats or negative ones"
    );
    // [n, 1] for labels [n]; floats that are whole for labels; whole numbers for floats.
    for targets in [
        Column::integers(vec![3], &[1, 1]),
        Column::floats(vec![3.0], &[1]),
    ] {
        let data = Dataset::new(array![[0, 1, 2]], targets.unwrap()).unwrap();
        assert_eq!(words(&data, IDS, TargetKind::Labels), "fine");
    }
    let data = Dataset::new(array![[[0, 1], [2, 3]]], array![[0, 1, 0, 0]]).unwrap();
    assert_eq!(words(&data, FLOATS, TargetKind::Floats), "fine");
    let infinite = Dataset::new(array![[0, 1, 2]], array![[0.0, f32::INFINITY, 0.0, 0.0]]).unwrap();
    assert_eq!(
        words(&infinite, IDS, TargetKind::Floats),
        "data, target of output: inf in sample 0"
    );
}

/// [n] for [n, 1], as Keras has it, also over time.
#[test]
fn single_numbers_need_no_axis() {
    let output = |time| ValueSpec {
        name: "y",
        ids: false,
        time,
        features: &[1],
    };
    let check = |time, shape: &[usize]| {
        let targets = Column::floats(vec![0.5; shape.iter().product()], shape).unwrap();
        let data = Dataset::new(
            Column::floats(vec![0.0; 2 * 3 * 2], &[2, 3, 2]).unwrap(),
            targets,
        )
        .unwrap();
        Prepared::new(
            "data",
            &data,
            &[FLOATS],
            &[output(time)],
            &[Some(takes(TargetKind::Floats))],
            None,
        )
        .ok()
        .and_then(|prepared| prepared.steps(0))
    };
    assert_eq!(check(None, &[2]), Some(1));
    assert_eq!(check(None, &[2, 1]), Some(1));
    assert_eq!(check(None, &[2, 3]), None);
    assert_eq!(check(Some(None), &[2, 3]), Some(3));
    assert_eq!(check(Some(Some(3)), &[2, 3, 1]), Some(3));
    assert_eq!(check(Some(Some(4)), &[2, 3, 1]), None);
    assert_eq!(check(Some(None), &[2, 3, 2]), None);
    assert_eq!(check(Some(None), &[2]), None);
}

/// After the first batch the buffers stay where they are.
#[test]
fn gathering_reuses_its_buffers() {
    let data = numbered(9);
    let prepared = prepared(&data, IDS, TargetKind::Labels).unwrap();
    let mut batch = Batch::new(&prepared, 4);
    let mut places = Vec::new();
    for samples in prepared.order.chunks(4) {
        batch.gather(&prepared, samples);
        let inputs: Vec<_> = batch.inputs().collect();
        let Values::Ids(ids) = inputs[0].values else {
            panic!()
        };
        assert_eq!(ids.len(), 3 * samples.len());
        places.push(ids.as_ptr());
    }
    assert!(places.iter().all(|&place| place == places[0]));
}

#[test]
fn several_inputs_and_targets_stay_together() {
    let ids = Array2::from_shape_fn((5, 3), |(i, _)| i as u16);
    let floats = Array3::from_shape_fn((5, 2, 2), |(i, ..)| i as f32);
    let labels = [0u8, 1, 2, 3, 0];
    let one_hot = Array2::from_shape_fn((5, 4), |(i, j)| f32::from(i % 4 == j));
    let inputs = vec![ids.into_column().unwrap(), floats.into_column().unwrap()];
    let targets = vec![
        labels.into_column().unwrap(),
        one_hot.into_column().unwrap(),
    ];
    let data = Dataset::with_columns(inputs, targets)
        .unwrap()
        .shuffle(3)
        .take(4);
    let kinds = [TargetKind::Labels, TargetKind::Floats].map(|kind| Some(takes(kind)));
    let prepared = Prepared::new(
        "data",
        &data,
        &[IDS, FLOATS],
        &[OUTPUT, OUTPUT],
        &kinds,
        None,
    )
    .unwrap();
    let mut batch = Batch::new(&prepared, 4);
    batch.gather(&prepared, &prepared.order);
    let inputs: Vec<_> = batch.inputs().collect();
    assert_eq!((inputs[0].time, inputs[1].time), (3, 2));
    let (Values::Ids(ids), Values::Floats(floats)) = (inputs[0].values, inputs[1].values) else {
        panic!()
    };
    let (Some(TargetView::Labels(labels)), Some(TargetView::Floats(one_hot))) =
        (batch.targets(0), batch.targets(1))
    else {
        panic!()
    };
    for sample in 0..4 {
        let id = ids[3 * sample];
        assert_eq!(floats[4 * sample..4 * sample + 4], [id as f32; 4]);
        assert_eq!(labels[sample], id % 4);
        assert_eq!(one_hot[4 * sample + labels[sample] as usize], 1.0);
    }
    assert!(batch.weights(0).is_none() && batch.weights(1).is_none());
}

/// Only the samples of the data set are looked at, and each is named by its row in the column.
#[test]
fn ids_are_looked_up_before_they_are_used() {
    let ids = array![[1u32, 2, 3], [0, 7, 1], [1, 1, 8]];
    let data = Dataset::new(ids, [0, 1, 2]).unwrap();
    let check = |data: &Dataset, size| {
        let prepared = prepared(data, IDS, TargetKind::Labels).unwrap();
        let words = prepared.check_ids("data", &[IDS], &[(0, "embedding", size)]);
        words.map_err(|error| error.to_string())
    };
    let wrong = |place: &str, size| {
        let name = IDS.name;
        Err(format!(
            "data, {name}: id {place} is outside of the vocabulary 0..{size} of embedding"
        ))
    };
    assert_eq!(check(&data, 9), Ok(()));
    assert_eq!(check(&data, 8), wrong("8 in sample 2, step 2", 8));
    assert_eq!(check(&data, 7), wrong("7 in sample 1, step 1", 7));
    assert_eq!(check(&data.take(2), 8), Ok(()));
    assert_eq!(check(&data.skip(2), 7), wrong("8 in sample 2, step 2", 7));
}

/// Weights of steps are broadcast to the rows of a step, as masks are.
#[test]
fn steps_have_weights_where_a_step_has_several_rows() {
    let output = ValueSpec {
        time: Some(None),
        features: &[2, 4],
        ..OUTPUT
    };
    let x = Column::floats(vec![0.0; 2 * 3 * 2], &[2, 3, 2]).unwrap();
    let labels = Column::integers(vec![1; 2 * 3 * 2], &[2, 3, 2]).unwrap();
    let data = Dataset::new(x, labels).unwrap();
    let weights = |values: Vec<f32>, shape: &[usize]| {
        let data = data.clone();
        let data = data.sample_weight(Column::floats(values, shape).unwrap());
        let kinds = [Some(takes(TargetKind::Labels))];
        let data = data.unwrap();
        let prepared = Prepared::new("data", &data, &[FLOATS], &[output], &kinds, None);
        let prepared = prepared.map_err(|error| error.to_string())?;
        let mut batch = Batch::new(&prepared, 2);
        batch.gather(&prepared, &prepared.order);
        Ok::<_, String>(batch.weights(0).map(<[f32]>::to_vec))
    };
    let steps: Vec<f32> = (0..6).map(|i| i as f32).collect();
    let broadcast: Vec<f32> = (0..12).map(|i| (i / 2) as f32).collect();
    assert_eq!(weights(steps, &[2, 3]), Ok(Some(broadcast)));
    let rows: Vec<f32> = (0..12).map(|i| i as f32).collect();
    assert_eq!(weights(rows.clone(), &[2, 6]), Ok(Some(rows)));
    let samples = [vec![5.0; 6], vec![7.0; 6]].concat();
    assert_eq!(weights(vec![5.0, 7.0], &[2]), Ok(Some(samples)));
    assert_eq!(
        weights(vec![1.0; 4], &[2, 2]).unwrap_err(),
        "data, target of output, sample weights: expected shape [n] or [n, 3] or [n, 6], found \
         [2, 2]"
    );
}
