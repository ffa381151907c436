//! Padding does not count.

use super::*;

fn logs(model: &mut Linear, data: &Dataset) -> Logs {
    let scores = Scores::new().loss(sparse()).metric(Accuracy);
    model.evaluate(data, &scores).unwrap()
}

/// Two sequences of three steps, of which four are real: the same as those four alone.
#[test]
fn masked_steps_are_as_if_they_were_not_there() {
    let (points, mut labels) = clouds(6);
    let mask = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0];
    let real = |i: &usize| mask[*i] == 1.0;
    let kept: Vec<f32> = (0..6)
        .filter(real)
        .flat_map(|i| [points[2 * i], points[2 * i + 1]])
        .collect();
    let kept_labels: Vec<u32> = (0..6).filter(real).map(|i| labels[i]).collect();
    let alone = Dataset::new(Column::floats(kept, &[4, 2]).unwrap(), kept_labels).unwrap();
    let expected = logs(&mut Linear::new(3), &alone);

    let sequences = |labels: &[u32]| {
        let targets = Column::integers(labels.to_vec(), &[2, 3]).unwrap();
        Dataset::new(Column::floats(points.clone(), &[2, 3, 2]).unwrap(), targets).unwrap()
    };
    let mut model = Linear::sequence(3).masked(&mask);
    let found = logs(&mut model, &sequences(&labels));
    assert!((found.get("loss").unwrap() - expected.get("loss").unwrap()).abs() < 1e-12);
    assert_eq!(found.get("accuracy"), expected.get("accuracy"));
    // Whatever stands in the padding.
    labels[2] = (labels[2] + 1) % 3;
    assert_eq!(logs(&mut model, &sequences(&labels)), found);

    // Training, too.
    let step = |model: &mut Linear, data: &Dataset| {
        let mut trainer = Trainer::new(model).optimizer(SGD::new(0.5)).loss(sparse());
        trainer.fit(data, quiet(1)).unwrap();
        model.weights().to_vec()
    };
    let data = sequences(&labels);
    let a = step(&mut model, &data);
    let b = step(&mut Linear::new(3), &alone);
    assert!(
        a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6),
        "{a:?} {b:?}"
    );

    // Nothing is real: nothing is learned, and the loss is 0.
    model.mask = Some(vec![0.0; 6]);
    let before = model.weights().to_vec();
    let mut after = step(&mut model, &data);
    assert_eq!(logs(&mut model, &data).get("loss"), Some(0.0));
    after[6] = before[6]; // counts the training steps
    assert_eq!(after, before);
}

#[test]
fn a_mask_of_another_length_is_an_error() {
    let mask = [1.0, 0.0];
    let targets = crate::train::TargetView::Labels(&[0, 1, 2]);
    let scored = crate::train::Scored::new(&[0.5; 9], 3, targets, None).unwrap();
    let error = scored.masked(&mask).unwrap_err().to_string();
    assert_eq!(error, "mask: expected shape [3], found [2]");
}
