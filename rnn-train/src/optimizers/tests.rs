use super::*;
use rnn_runtime::params::{Init, ParamSpec};

const SPECS: [ParamSpec; 3] = [
    ParamSpec::new("a", &[2, 2], Init::Zeros),
    ParamSpec::new("frozen", &[3], Init::Zeros).frozen(),
    ParamSpec::new("b", &[11], Init::Zeros),
];

fn all() -> Vec<Box<dyn Optimizer>> {
    vec![
        Box::new(
            SGD::default()
                .momentum(0.9)
                .nesterov(true)
                .weight_decay(0.1),
        ),
        Box::new(SGD::default()),
        Box::new(
            RMSprop::default()
                .momentum(0.5)
                .centered(true)
                .clipnorm(1.0),
        ),
        Box::new(Adam::default().amsgrad(true).global_clipnorm(1.0)),
        Box::new(AdamW::default().clipvalue(0.1)),
        Box::new(Adagrad::default()),
    ]
}

/// Some numbers, different at every step.
fn gradients(step: usize) -> Vec<f32> {
    (0..18)
        .map(|i| ((i * 7 + step * 13) % 11) as f32 * 0.3 - 1.5)
        .collect()
}

#[test]
fn a_learning_rate_is_any_float() {
    let rates = [Adam::new(0.25), Adam::new(0.25_f32), Adam::new(0.25_f64)];
    for adam in rates {
        assert!(matches!(adam.learning_rate, LearningRate::Constant(0.25)));
    }
    let sgd = SGD {
        learning_rate: 0.5.into(),
        ..SGD::default()
    };
    assert_eq!(sgd.learning_rate.at(3), 0.5);
}

#[test]
fn what_is_not_trainable_never_changes() {
    for optimizer in all() {
        let mut stepper = Stepper::new(optimizer, &SPECS).unwrap();
        let mut weights = vec![1.0; 18];
        for step in 0..5 {
            stepper.step(&mut weights, &mut gradients(step)).unwrap();
        }
        assert_eq!(weights[4..7], [1.0; 3]);
        assert!(weights[..4].iter().chain(&weights[7..]).all(|&w| w != 1.0));
    }
}

#[test]
fn a_restored_optimizer_goes_on_with_the_same_bits() {
    for (first, second) in all().into_iter().zip(all()) {
        let mut whole = Stepper::new(first, &SPECS).unwrap();
        let mut weights = vec![1.0; 18];
        for step in 0..5 {
            whole.step(&mut weights, &mut gradients(step)).unwrap();
        }
        let (state, mut resumed) = (whole.state(), weights.clone());
        let mut other = Stepper::new(second, &SPECS).unwrap();
        other.restore(&state).unwrap();
        for step in 5..9 {
            whole.step(&mut weights, &mut gradients(step)).unwrap();
            other.step(&mut resumed, &mut gradients(step)).unwrap();
        }
        assert_eq!(weights, resumed);
        assert_eq!(whole.state(), other.state());
    }
}

#[test]
fn a_foreign_state_is_refused_and_changes_nothing() {
    let mut adam = Stepper::new(Box::new(Adam::default()), &SPECS).unwrap();
    let before = adam.state();
    let sgd = Stepper::new(Box::new(SGD::default()), &SPECS)
        .unwrap()
        .state();
    let smaller = Stepper::new(Box::new(Adam::default()), &SPECS[..1])
        .unwrap()
        .state();
    let amsgrad = Stepper::new(Box::new(Adam::default().amsgrad(true)), &SPECS)
        .unwrap()
        .state();
    for state in [sgd, smaller, amsgrad] {
        assert!(matches!(adam.restore(&state), Err(Error::Argument(_))));
        assert_eq!(adam.state(), before);
    }
}

#[test]
fn wrong_options_are_refused() {
    let nan = f64::NAN;
    let wrong: Vec<Box<dyn Optimizer>> = vec![
        Box::new(SGD::new(-0.1)),
        Box::new(SGD::new(nan)),
        Box::new(SGD::default().momentum(1.5)),
        Box::new(SGD::default().weight_decay(-1.0)),
        Box::new(SGD::default().clipnorm(nan)),
        Box::new(SGD::default().clipnorm(1.0).global_clipnorm(1.0)),
        Box::new(RMSprop::default().rho(2.0)),
        Box::new(RMSprop::default().epsilon(-1.0)),
        Box::new(Adam::default().beta_1(-0.1)),
        Box::new(AdamW::default().beta_2(1.1)),
        Box::new(Adagrad::default().initial_accumulator_value(-1.0)),
        Box::new(Adam::new(PiecewiseConstantDecay {
            boundaries: vec![1],
            values: vec![0.1],
        })),
        Box::new(Adam::new(PiecewiseConstantDecay {
            boundaries: vec![2, 1],
            values: vec![0.1; 3],
        })),
        Box::new(Adam::new(CosineDecay::new(0.1, 0))),
    ];
    for optimizer in wrong {
        assert!(matches!(
            Stepper::new(optimizer, &SPECS),
            Err(Error::Argument(_))
        ));
    }
}

#[test]
fn slices_must_be_as_long_as_the_weights() {
    let mut stepper = Stepper::new(Box::new(SGD::default()), &SPECS).unwrap();
    assert!(stepper.step(&mut [0.0; 17], &mut [0.0; 18]).is_err());
    assert!(stepper.step(&mut [0.0; 18], &mut [0.0; 19]).is_err());
    assert_eq!(stepper.iterations(), 0);
}

#[test]
fn a_learning_rate_can_be_set_but_not_that_of_a_schedule() {
    let specs = &SPECS[..1];
    let mut stepper = Stepper::new(Box::new(SGD::new(1.0)), specs).unwrap();
    stepper.set_learning_rate(0.25).unwrap();
    let mut weights = [1.0; 4];
    stepper.step(&mut weights, &mut [1.0; 4]).unwrap();
    assert_eq!(weights, [0.75; 4]);
    assert!(stepper.set_learning_rate(-1.0).is_err());
    assert_eq!(stepper.learning_rate(), 0.25);

    let schedule = PiecewiseConstantDecay {
        boundaries: vec![0, 1],
        values: vec![1.0, 0.5, 0.0],
    };
    let mut stepper = Stepper::new(Box::new(SGD::new(schedule)), specs).unwrap();
    assert!(
        stepper
            .set_learning_rate(0.1)
            .unwrap_err()
            .to_string()
            .contains("PiecewiseConstantDecay")
    );
    let mut weights = [1.0; 4];
    for expected in [0.0, -0.5, -0.5] {
        stepper.step(&mut weights, &mut [1.0; 4]).unwrap();
        assert_eq!(weights, [expected; 4]);
    }
    assert_eq!(stepper.state().learning_rate, None);
}

#[test]
fn clipping_leaves_what_is_short_alone_and_shows_what_is_lost() {
    for optimizer in [
        SGD::new(1.0).clipnorm(100.0),
        SGD::new(1.0).global_clipnorm(100.0),
    ] {
        let mut stepper = Stepper::new(Box::new(optimizer), &SPECS).unwrap();
        let (mut weights, mut clipped) = (vec![0.0; 18], gradients(3));
        stepper.step(&mut weights, &mut clipped).unwrap();
        assert_eq!(clipped, gradients(3), "bit for bit");
    }
    let mut stepper = Stepper::new(Box::new(SGD::new(1.0).global_clipnorm(1.0)), &SPECS).unwrap();
    let mut weights = vec![0.0; 18];
    let mut wild = gradients(1);
    wild[0] = f32::INFINITY;
    stepper.step(&mut weights, &mut wild).unwrap();
    assert!(weights[7..].iter().all(|w| w.is_nan()));
    // What is not trainable does not count for the norm.
    let mut stepper = Stepper::new(Box::new(SGD::new(1.0).global_clipnorm(1.0)), &SPECS).unwrap();
    let (mut weights, mut frozen) = (vec![0.0; 18], vec![0.0; 18]);
    (frozen[0], frozen[5]) = (0.5, 1e9);
    stepper.step(&mut weights, &mut frozen).unwrap();
    assert_eq!(weights[0], -0.5);
}
