use super::*;

fn draw(init: Init, shape: &'static [usize], seed: u64) -> Vec<f32> {
    initialise(&[ParamSpec::new("layer/kernel", shape, init)], seed)
}

fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>()
        / n;
    (mean, variance.sqrt())
}

#[test]
fn fans_follow_keras() {
    assert_eq!(fans(&[]), (1.0, 1.0));
    assert_eq!(fans(&[7]), (7.0, 7.0));
    assert_eq!(fans(&[3, 5]), (3.0, 5.0));
    assert_eq!(fans(&[2, 3, 5]), (6.0, 10.0));
}

#[test]
fn every_distribution_has_the_deviation_and_the_bound_of_keras() {
    // 300 x 500: fan_in 300, fan_out 500, mean 400. 150 000 draws, so the deviation is
    // known to about 0.2 % (one sigma); 1 % is five sigmas.
    let uniform = |scale: f64, fan: f64| ((scale / fan).sqrt(), (3.0 * scale / fan).sqrt());
    let truncated = |scale: f64, fan: f64| {
        (
            (scale / fan).sqrt(),
            2.0 * (scale / fan).sqrt() / TRUNCATED_DEVIATION,
        )
    };
    let scaling = |scale, mode, distribution| Init::VarianceScaling {
        scale,
        mode,
        distribution,
    };
    let normal = |deviation: f64| (deviation, 6.0 * deviation);
    let random = |minval, maxval| Init::RandomUniform { minval, maxval };
    use {Distribution::*, FanMode::*};
    // Initialiser, mean, deviation and how far from the mean a value can be.
    let cases = [
        (Init::GlorotUniform, 0.0, uniform(1.0, 400.0)),
        (Init::HeUniform, 0.0, uniform(2.0, 300.0)),
        (Init::LecunUniform, 0.0, uniform(1.0, 300.0)),
        (Init::GlorotNormal, 0.0, truncated(1.0, 400.0)),
        (Init::HeNormal, 0.0, truncated(2.0, 300.0)),
        (Init::LecunNormal, 0.0, truncated(1.0, 300.0)),
        (scaling(3.0, FanIn, Uniform), 0.0, uniform(3.0, 300.0)),
        (scaling(0.5, FanOut, Uniform), 0.0, uniform(0.5, 500.0)),
        (
            scaling(0.5, FanAvg, TruncatedNormal),
            0.0,
            truncated(0.5, 400.0),
        ),
        (
            scaling(2.0, FanOut, TruncatedNormal),
            0.0,
            truncated(2.0, 500.0),
        ),
        (
            scaling(2.0, FanIn, UntruncatedNormal),
            0.0,
            normal((2.0f64 / 300.0).sqrt()),
        ),
        (random(-0.05, 0.05), 0.0, (0.05 / 3f64.sqrt(), 0.05)),
        (random(1.0, 4.0), 2.5, (3.0 / 12f64.sqrt(), 1.5)),
        (
            Init::RandomNormal {
                mean: 0.0,
                stddev: 0.05,
            },
            0.0,
            normal(0.05),
        ),
        (
            Init::RandomNormal {
                mean: -2.0,
                stddev: 3.0,
            },
            -2.0,
            normal(3.0),
        ),
        (
            Init::TruncatedNormal {
                mean: 0.0,
                stddev: 0.05,
            },
            0.0,
            (0.05 * TRUNCATED_DEVIATION, 0.1),
        ),
        (
            Init::TruncatedNormal {
                mean: 5.0,
                stddev: 2.0,
            },
            5.0,
            (2.0 * TRUNCATED_DEVIATION, 4.0),
        ),
    ];
    for (init, centre, (expected, bound)) in cases {
        let values = draw(init, &[300, 500], 1);
        let (mean, deviation) = mean_and_deviation(&values);
        assert!(
            (mean - centre).abs() < 5.0 * expected / 150_000f64.sqrt(),
            "{init:?}: mean {mean}"
        );
        assert!(
            (deviation / expected - 1.0).abs() < 0.01,
            "{init:?}: deviation {deviation}"
        );
        let distance = |v: f32| (f64::from(v) - centre).abs();
        let widest = values.iter().fold(0f64, |w, &v| w.max(distance(v)));
        assert!(
            widest <= bound * (1.0 + 1e-6),
            "{init:?}: {widest} beyond {bound}"
        );
        if bound < 5.0 * expected {
            assert!(
                widest > 0.99 * bound,
                "{init:?}: {widest} never comes near {bound}"
            );
        }
    }
}

/// The names of Keras are members of the family, bit for bit.
#[test]
fn variance_scaling_is_what_the_names_are() {
    use {Distribution::*, FanMode::*};
    let family = [
        (Init::GlorotUniform, 1.0, FanAvg, Uniform),
        (Init::GlorotNormal, 1.0, FanAvg, TruncatedNormal),
        (Init::HeUniform, 2.0, FanIn, Uniform),
        (Init::HeNormal, 2.0, FanIn, TruncatedNormal),
        (Init::LecunUniform, 1.0, FanIn, Uniform),
        (Init::LecunNormal, 1.0, FanIn, TruncatedNormal),
    ];
    for (name, scale, mode, distribution) in family {
        let scaling = Init::VarianceScaling {
            scale,
            mode,
            distribution,
        };
        assert_eq!(draw(name, &[3, 4, 5], 2), draw(scaling, &[3, 4, 5], 2));
    }
}

#[test]
fn a_gain_multiplies() {
    let orthogonal = |gain| draw(Init::Orthogonal { gain }, &[6, 6], 4);
    let (once, half) = (orthogonal(1.0), orthogonal(0.5));
    assert!(
        once.iter()
            .zip(&half)
            .all(|(once, half)| 0.5 * once == *half)
    );
    assert!(once.iter().any(|w| *w != 0.0));
    assert_eq!(
        draw(Init::Identity { gain: 3.0 }, &[2, 2], 0),
        [3.0, 0.0, 0.0, 3.0]
    );
}

#[test]
fn constants() {
    assert_eq!(draw(Init::Zeros, &[2, 2], 0), [0.0; 4]);
    assert_eq!(draw(Init::Ones, &[3], 0), [1.0; 3]);
    assert_eq!(draw(Init::Constant(-2.5), &[2], 0), [-2.5; 2]);
    assert_eq!(
        draw(Init::Identity { gain: 1.0 }, &[2, 3], 0),
        [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    );
    assert_eq!(
        draw(Init::Identity { gain: 1.0 }, &[3, 2], 0),
        [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    );
    assert_eq!(
        draw(
            Init::OnesIn {
                start: 1,
                end: 3,
                rest: &Init::Zeros
            },
            &[4],
            0
        ),
        [0.0, 1.0, 1.0, 0.0]
    );
    assert_eq!(
        draw(
            Init::OnesIn {
                start: 0,
                end: 1,
                rest: &Init::Zeros
            },
            &[2, 2],
            0
        ),
        [1.0, 0.0, 1.0, 0.0]
    );
    assert!(draw(Init::Identity { gain: 1.0 }, &[0, 0], 0).is_empty());
    assert!(draw(Init::Orthogonal { gain: 1.0 }, &[3, 0], 0).is_empty());
}

#[test]
fn order_and_neighbours_do_not_matter_but_seed_and_name_do() {
    let a = ParamSpec::new("a", &[4, 4], Init::GlorotUniform);
    let b = ParamSpec::new(
        "b",
        &[3],
        Init::RandomNormal {
            mean: 0.0,
            stddev: 0.05,
        },
    );
    let ab = initialise(&[a, b], 9);
    let ba = initialise(&[b, a], 9);
    assert_eq!(ab[..16], ba[3..]);
    assert_eq!(ab[16..], ba[..3]);
    assert_eq!(ab[..16], initialise(&[a], 9));
    assert_ne!(ab[..16], initialise(&[a], 10));
    let renamed = ParamSpec { name: "c", ..a };
    assert_ne!(ab[..16], initialise(&[renamed], 9));
}

/// Pins the stream: a change here changes every user's models.
#[test]
fn a_seed_keeps_its_numbers() {
    let drawn = draw(Init::GlorotUniform, &[2, 2], 42);
    let bits: Vec<u32> = drawn.iter().map(|v| v.to_bits()).collect();
    assert_eq!(
        bits,
        [3_209_258_848, 3_203_640_425, 3_214_381_511, 1_067_128_598]
    );
}

#[test]
fn orthogonal_is_orthogonal_both_ways() {
    for shape in [
        &[16, 16][..],
        &[8, 32],
        &[32, 8],
        &[1, 4],
        &[4, 1],
        &[64, 192],
        &[2, 3, 5],
    ] {
        let spec = ParamSpec::new("k", leak(shape), Init::Orthogonal { gain: 1.0 });
        let q = initialise(&[spec], 3);
        let columns = shape[shape.len() - 1];
        let rows = q.len() / columns;
        let at = |r: usize, c: usize| f64::from(q[r * columns + c]);
        let short = rows.min(columns);
        for i in 0..short {
            for j in 0..short {
                let dot: f64 = if rows <= columns {
                    (0..columns).map(|k| at(i, k) * at(j, k)).sum()
                } else {
                    (0..rows).map(|k| at(k, i) * at(k, j)).sum()
                };
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((dot - expected).abs() < 1e-6, "{shape:?} ({i}, {j}): {dot}");
            }
        }
    }
}

fn leak(shape: &[usize]) -> &'static [usize] {
    Box::leak(shape.to_vec().into_boxed_slice())
}

/// Without the sign fix the first column would nearly always point to one side.
#[test]
fn orthogonal_has_no_preferred_sign() {
    let positive = (0..400)
        .filter(|&seed| draw(Init::Orthogonal { gain: 1.0 }, &[4, 4], seed)[0] > 0.0)
        .count();
    // 400 coin tosses: five sigmas are 50.
    assert!((150..=250).contains(&positive), "{positive} of 400");
}
