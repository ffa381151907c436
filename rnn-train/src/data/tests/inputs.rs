//! Data sets of several inputs.

use super::*;

/// Ids, a mask and a vector as the inputs of one model; what is wrong is said with the input's own
/// name.
#[test]
fn inputs_of_every_kind() {
    const SOURCE: ValueSpec = ValueSpec {
        name: "source",
        ids: true,
        time: Some(None),
        features: &[],
    };
    const REAL: ValueSpec = ValueSpec {
        name: "real",
        ids: false,
        ..SOURCE
    };
    const SETTINGS: ValueSpec = ValueSpec {
        name: "settings",
        ids: false,
        time: None,
        features: &[2],
    };
    const LOAD: ValueSpec = ValueSpec {
        name: "load",
        features: &[1],
        ..REAL
    };
    let check = |inputs: Vec<Column>| {
        let data = Dataset::with_columns(inputs, vec![[0, 1].into_column().unwrap()]).unwrap();
        let specs = [SOURCE, REAL, SETTINGS, LOAD];
        let kinds = [Some(takes(TargetKind::Labels))];
        let prepared = Prepared::new("data", &data, &specs, &[OUTPUT], &kinds, None);
        let prepared = prepared.map_err(|error| error.to_string())?;
        let mut batch = Batch::new(&prepared, 2);
        batch.gather(&prepared, &[1, 0]);
        let inputs = batch.inputs().map(|input| match input.values {
            Values::Floats(floats) => (input.time, floats.to_vec()),
            Values::Ids(ids) => (input.time, ids.iter().map(|&id| id as f32).collect()),
        });
        Ok::<_, String>(inputs.collect::<Vec<_>>())
    };
    let ids = || array![[1u8, 2, 3], [4, 5, 6]].into_column().unwrap();
    let real = || {
        let real = array![[true, true, false], [true, false, false]];
        real.into_column().unwrap()
    };
    let settings = || array![[0.5, 1.5], [2.5, 3.5]].into_column().unwrap();
    // An axis of one number can be there or not.
    let load = || array![[7.0, 8.0, 9.0], [10.0, 11.0, 12.0]];
    let with_axis = load().into_shape_with_order((2, 3, 1)).unwrap();
    let expected = vec![
        (3, vec![4.0, 5.0, 6.0, 1.0, 2.0, 3.0]),
        (3, vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0]),
        (1, vec![2.5, 3.5, 0.5, 1.5]),
        (3, vec![10.0, 11.0, 12.0, 7.0, 8.0, 9.0]),
    ];
    for load in [load().into_column(), with_axis.into_column()] {
        let inputs = vec![ids(), real(), settings(), load.unwrap()];
        assert_eq!(check(inputs).as_ref(), Ok(&expected));
    }
    let words = |inputs: Vec<Column>| check(inputs).unwrap_err();
    let load = || load().into_column().unwrap();
    assert_eq!(
        words(vec![ids(), real(), load(), load()]),
        "data, settings: expected shape [n, 2], found [2, 3]"
    );
    assert_eq!(
        words(vec![settings(), real(), settings(), load()]),
        "data, source: ids are whole numbers from 0 on, found floats or negative ones"
    );
    let half = array![[1.0, 0.0, 1.0], [1.0, 0.5, 0.0]];
    assert_eq!(
        words(vec![ids(), half.into_column().unwrap(), settings(), load()]),
        "data, real: a mask is 1 where a step is valid and 0 where it is padding, found 0.5 in sample 1, \
         step 1"
    );
    assert_eq!(
        words(vec![ids(), settings(), settings()]),
        "data: the model takes 4 inputs (source, real, settings, load), the data set has 3 inputs"
    );
}

#[test]
fn tuples_are_several_columns() {
    let floats = Array2::<f64>::zeros((3, 4));
    let list = vec![1, 2, 3];
    let one = Dataset::new(&floats, &list).unwrap();
    assert_eq!(
        (one.columns.inputs.len(), one.columns.targets.len()),
        (1, 1)
    );
    let eight = (
        &list,
        [1, 2, 3],
        &floats,
        vec![0.5; 3],
        &list,
        &list,
        &list,
        &list,
    );
    let many = Dataset::new(eight, (&list, floats.view())).unwrap();
    assert_eq!(
        (many.columns.inputs.len(), many.columns.targets.len()),
        (8, 2)
    );
    assert_eq!(many.columns.inputs[2].shape(), [3, 4]);
    let short = Dataset::new((&list, [1, 2]), &list)
        .unwrap_err()
        .to_string();
    assert_eq!(
        short,
        "input 1: expected shape [3, …], as many rows as the first input, found [2]"
    );
}
