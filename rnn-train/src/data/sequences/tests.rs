use ndarray::{Array1, Array2, s};

use super::*;

fn integers(column: &Column) -> Vec<u32> {
    column.as_integers().unwrap().to_vec()
}

/// Row `b` of batch `k` goes on where row `b` of batch `k - 1` ended.
#[test]
fn continuing_batches_go_on() {
    // Three pieces of 8 out of 26, in batches of 4 steps.
    let series: Vec<u32> = (0..27).collect();
    let data = Dataset::continuing(&series[..26], &series[1..], 3, 4).unwrap();
    assert_eq!((data.len(), data.batch_size()), (6, Some(3)));
    let (input, target) = (&data.columns.inputs[0], &data.columns.targets[0]);
    assert_eq!(input.shape(), [6, 4]);
    let starts = [0, 8, 16, 4, 12, 20];
    let expected: Vec<u32> = starts.iter().flat_map(|&s| s..s + 4).collect();
    assert_eq!(integers(input), expected);
    let next: Vec<u32> = expected.iter().map(|i| i + 1).collect();
    assert_eq!(integers(target), next);
    for (now, then) in integers(input)[..12].iter().zip(&integers(input)[12..]) {
        assert_eq!(now + 4, *then);
    }
}

#[test]
fn continuing_takes_what_each_step_holds() {
    let x = Array2::from_shape_fn((10, 2), |(i, j)| (10 * i + j) as f32);
    let real = Array1::from_elem(10, true);
    let data = Dataset::continuing((&x, &real), (&x, Array1::<u8>::zeros(10)), 2, 2).unwrap();
    assert_eq!(data.len(), 4);
    assert_eq!(data.columns.inputs[0].shape(), [4, 2, 2]);
    assert_eq!(
        data.columns.inputs[1],
        Column::integers(vec![1; 8], &[4, 2]).unwrap()
    );
    // Two pieces of four steps: the second begins with step 4.
    let floats = data.columns.targets[0].as_floats().unwrap();
    assert_eq!(floats[4..8], [40.0, 41.0, 50.0, 51.0]);
}

#[test]
fn parts_of_continuing_data_keep_their_batches_where_they_can() {
    let series: Vec<u32> = (0..24).collect();
    let data = Dataset::continuing(&series, &series, 3, 2).unwrap();
    assert_eq!(data.len(), 12);
    let size = |data: Dataset| data.batch_size();
    assert_eq!(size(data.take(6)), Some(3));
    assert_eq!(size(data.skip(6)), Some(3));
    assert_eq!(size(data.skip(4)), None);
    assert_eq!(size(data.shuffle(1)), None);
    let (first, last) = data.split(0.25).unwrap();
    assert_eq!((first.batch_size(), last.batch_size()), (Some(3), Some(3)));
}

#[test]
fn continuing_refuses_what_it_cannot_cut() {
    let words = |n: usize, m: usize, batch_size, steps| {
        let (x, y) = (vec![0u32; n], vec![0u32; m]);
        Dataset::continuing(x, y, batch_size, steps)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        words(9, 9, 2, 5),
        "a sequence of 9 steps is too short for 2 rows of 5 steps"
    );
    assert_eq!(
        words(9, 9, 0, 5),
        "batch_size and steps must be at least 1, found 0 and 5"
    );
    assert_eq!(
        words(9, 8, 1, 1),
        "sequence: expected shape 9 steps, as the first input, found [8]"
    );
    assert_eq!(
        words(9, 9, usize::MAX, 2),
        format!(
            "a sequence of 9 steps is too short for {} rows of 2 steps",
            usize::MAX
        )
    );
}

#[test]
fn windows_look_ahead() {
    let series: Vec<f32> = (0..7).map(|i| i as f32).collect();
    let data = Dataset::windows(&series, 4, 2).unwrap();
    let floats = |values: &[f32], shape: &[usize]| Column::floats(values.to_vec(), shape).unwrap();
    assert_eq!(
        data.columns.inputs,
        [floats(&[0.0, 1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0], &[2, 4])]
    );
    assert_eq!(
        data.columns.targets,
        [floats(&[4.0, 5.0, 5.0, 6.0], &[2, 2])]
    );
    let wide = Array2::from_shape_fn((5, 3), |(i, j)| (10 * i + j) as f32);
    let data = Dataset::windows(&wide, 3, 1).unwrap();
    assert_eq!(data.columns.inputs[0].shape(), [2, 3, 3]);
    assert_eq!(
        data.columns.targets,
        [floats(&[30.0, 31.0, 32.0, 40.0, 41.0, 42.0], &[2, 1, 3])]
    );
    assert_eq!(Dataset::windows(&series, 5, 2).unwrap().len(), 1);
    let words = |steps, ahead| {
        Dataset::windows(&series, steps, ahead)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        words(6, 2),
        "a series of 7 steps is too short for a window of 6 and 2 ahead"
    );
    assert_eq!(
        words(0, 2),
        "steps and ahead must be at least 1, found 0 and 2"
    );
    assert!(words(usize::MAX, usize::MAX).contains("too short"));
}

/// Example 1 of Keras's documentation of `timeseries_dataset_from_array`.
#[test]
fn timeseries_is_the_one_of_keras() {
    let indices: Vec<u32> = (0..99).collect();
    let windows = Windows {
        sequence_length: 10,
        sequence_stride: 3,
        sampling_rate: 2,
        ..Windows::default()
    };
    let data = Dataset::timeseries(&indices, &indices, windows).unwrap();
    let rows: Vec<Vec<u32>> = integers(&data.columns.inputs[0])
        .chunks(10)
        .map(<[u32]>::to_vec)
        .collect();
    let window = |start: u32| (0..10).map(|i| start + 2 * i).collect::<Vec<_>>();
    assert_eq!(rows.len(), 27);
    assert_eq!(rows[0], window(0));
    assert_eq!(rows[1], window(3));
    assert_eq!(rows[26], window(78));
    let starts: Vec<u32> = (0..27).map(|i| 3 * i).collect();
    assert_eq!(integers(&data.columns.targets[0]), starts);
}

/// Example 2, and a part of the series: numbers of Keras 3.15.1 for
/// `timeseries_dataset_from_array(np.arange(30), np.arange(100, 130), 4, sequence_stride=5,
/// sampling_rate=2, start_index=3, end_index=25)`.
#[test]
fn timeseries_with_targets_and_bounds() {
    let hours: Array1<u32> = (0..100).collect();
    let windows = Windows {
        sequence_length: 10,
        ..Windows::default()
    };
    let data = Dataset::timeseries(hours.slice(s![..-10]), hours.slice(s![10..]), windows).unwrap();
    assert_eq!(data.len(), 81);
    assert_eq!(
        integers(&data.columns.targets[0]),
        (10..91).collect::<Vec<_>>()
    );

    let (series, targets): (Vec<u32>, Vec<u32>) = ((0..30).collect(), (100..130).collect());
    let windows = Windows {
        sequence_length: 4,
        sequence_stride: 5,
        sampling_rate: 2,
        start_index: 3,
        end_index: Some(25),
    };
    let data = Dataset::timeseries(&series, &targets, windows).unwrap();
    assert_eq!(
        integers(&data.columns.inputs[0]),
        [3, 5, 7, 9, 8, 10, 12, 14, 13, 15, 17, 19, 18, 20, 22, 24]
    );
    assert_eq!(integers(&data.columns.targets[0]), [103, 108, 113, 118]);
    let words = |windows| {
        let error = Dataset::timeseries(&series, &targets, windows).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        words(Windows {
            sequence_length: 40,
            ..windows
        }),
        "there is no window of 40 steps, every 2, in 3..25 with a target of its own"
    );
    assert_eq!(
        words(Windows {
            sampling_rate: 0,
            ..windows
        }),
        "sequence_length, sequence_stride and sampling_rate must be at least 1, found 4, 5 and 0"
    );
}
