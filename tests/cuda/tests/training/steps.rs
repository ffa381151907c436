//! Steps of optimizers: with every option, from the same gradients as on the host.

use ndarray::Array2;
use recurrent::{
    learner::StepSeed,
    params::Constraint,
    prelude::*,
    trainable::{
        Clip, HostRule, OutputGradient, Rule, Slot, Step, Trainable, Update, UpdateRule,
        UpdateTables,
    },
};
use recurrent_test_cuda::{device, numbers};

use crate::{ROWS, STEPS, close, same, view};

/// A parameter of every kind that an update has to do something about.
fn many() -> impl Model<Input = Sequence, Output = Array2<f32>> + Learner {
    rnn_model!(Input(_, 3)
        -> LSTM(4, kernel_regularizer = l1_l2(0.01, 0.02), recurrent_regularizer = l2(0.03),
            recurrent_constraint = unit_norm(axis = 1), bias_constraint = non_neg,
            kernel_constraint = max_norm(0.5))
        -> BatchNormalization
        -> Dense(6, kernel_constraint = min_max_norm(0.4, 0.9, 0.7), bias_regularizer = l1(0.1))
        -> Dense(5, kernel_constraint = unit_norm(axis = 0), trainable = false)
        -> Dense(70, name = "last"))
}

const NO_SLOT: [Slot; 0] = [];

fn slots(names: &[(&'static str, f32)]) -> Vec<Slot> {
    let slot = |&(name, initial)| Slot { name, initial };
    names.iter().map(slot).collect()
}

fn rules() -> Vec<(Rule, Vec<Slot>)> {
    let sgd = |momentum, nesterov| Rule::Sgd { momentum, nesterov };
    let rms = |momentum, centered| Rule::RmsProp {
        rho: 0.9,
        momentum,
        epsilon: 1e-7,
        centered,
    };
    let adam = Rule::Adam {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
    };
    let (m, v, a) = (
        ("momentum", 0.0),
        ("velocity", 0.0),
        ("average_gradient", 0.0),
    );
    vec![
        (sgd(0.0, false), NO_SLOT.to_vec()),
        (sgd(0.9, false), slots(&[m])),
        (sgd(0.9, true), slots(&[m])),
        (rms(0.0, false), slots(&[v])),
        (rms(0.9, false), slots(&[v, m])),
        (rms(0.0, true), slots(&[v, a])),
        (rms(0.9, true), slots(&[v, m, a])),
        (adam, slots(&[m, v])),
        (adam, slots(&[m, v, ("velocity_hat", 0.0)])),
        (
            Rule::Adagrad { epsilon: 1e-7 },
            slots(&[("accumulator", 0.1)]),
        ),
    ]
}

/// Sign descent, of the user's own.
struct Own;

impl HostRule for Own {
    fn update(&self, step: Step, weights: &mut [f32], gradients: &[f32], slots: &mut [&mut [f32]]) {
        for ((w, g), s) in weights.iter_mut().zip(gradients).zip(slots[0].iter_mut()) {
            *s += 1.0;
            *w -= step.learning_rate as f32 * g.signum() / *s;
        }
    }
}

/// Some steps of an update on the device and on the host, from the same gradients.
fn steps(
    model: &mut (impl Model + Learner),
    rule: UpdateRule<'_>,
    given: &[Slot],
    decay: Option<f64>,
    clip: Clip,
    penalties: bool,
    what: &str,
) {
    let x = numbers(ROWS * STEPS * 3, 21);
    let mut tables = UpdateTables::new(model.specs()).unwrap();
    let mut state = model.start_training(given).unwrap();
    let count = Learner::weights(model).len();
    let mut slots: Vec<Vec<f32>> = given.iter().map(|s| vec![s.initial; count]).collect();
    for number in 1..=3 {
        let d = numbers(ROWS * 70, number);
        let d: Vec<f32> = d.iter().map(|d| d * 3.0).collect();
        Trainable::forward(model, &view(&x), StepSeed::default()).unwrap();
        let mut gradients = vec![f32::NAN; count];
        Learner::backward(model, &[&d], &mut gradients).unwrap();
        Trainable::backward(model, &[OutputGradient::Host(&d)], state.as_mut()).unwrap();
        let update = Update {
            step: Step {
                number,
                learning_rate: 0.05 / number as f64,
            },
            rule,
            weight_decay: decay,
            clip,
            penalties,
        };
        let mut expected = Learner::weights(model).to_vec();
        tables
            .apply(&update, &mut expected, &mut gradients, &mut slots)
            .unwrap();
        model.apply(&update, state.as_mut()).unwrap();
        // Where sums are taken their order differs; all else has the same bits.
        let sums = matches!(clip, Clip::Norm(_) | Clip::GlobalNorm(_));
        let mut end = 0;
        for spec in model.specs() {
            let range = end..end + spec.len();
            end = range.end;
            let norms = spec.trainable && spec.constraint.is_some_and(|c| c != Constraint::NonNeg);
            let name = format!("{what}, step {number}: {}", spec.name);
            let found = &Learner::weights(model)[range.clone()];
            let expected = &expected[range.clone()];
            match (sums || norms) && !matches!(rule, UpdateRule::Own(_)) {
                true => found
                    .iter()
                    .zip(expected)
                    .for_each(|(f, e)| close((*f).into(), (*e).into(), 2e-6, &name)),
                false => same(found, expected, &name),
            }
            for (i, slot) in slots.iter().enumerate() {
                let found = &state.slot(i)[range.clone()];
                match sums {
                    true => found
                        .iter()
                        .zip(&slot[range.clone()])
                        .for_each(|(f, e)| close((*f).into(), (*e).into(), 2e-6, &name)),
                    false => same(found, &slot[range.clone()], &name),
                }
            }
        }
        for (i, slot) in slots.iter_mut().enumerate() {
            *slot = state.slot(i);
        }
    }
}

#[test]
fn steps_of_optimizers_are_those_of_the_host() {
    let Some(device) = device() else { return };
    let mut model = many().to(&device).unwrap();
    for (i, (rule, slots)) in rules().into_iter().enumerate() {
        let clip = [
            Clip::None,
            Clip::Value(0.05),
            Clip::Norm(0.3),
            Clip::GlobalNorm(0.5),
        ][i % 4];
        let decay = (i % 3 == 1).then_some(0.1);
        let what = format!("{rule:?}, {} slots, {clip:?}, {decay:?}", slots.len());
        steps(
            &mut model,
            UpdateRule::Keras(rule),
            &slots,
            decay,
            clip,
            i % 2 == 0,
            &what,
        );
    }
    let none = Rule::Sgd {
        momentum: 0.0,
        nesterov: false,
    };
    for (clip, decay) in [
        (Clip::Norm(f64::INFINITY), None),
        (Clip::GlobalNorm(1e9), Some(0.2)),
        (Clip::Value(0.1), None),
    ] {
        steps(
            &mut model,
            UpdateRule::Keras(none),
            &[],
            decay,
            clip,
            true,
            &format!("{clip:?}"),
        );
    }
    let own = slots(&[("count", 2.0)]);
    steps(
        &mut model,
        UpdateRule::Own(&Own),
        &own,
        Some(0.1),
        Clip::Norm(0.3),
        true,
        "own",
    );
    // Slots come and go.
    let mut state = model.start_training(&own).unwrap();
    assert!(state.set_slot(1, &state.slot(0)).is_err());
    assert!(state.set_slot(0, &[1.0]).is_err());
    let count = Learner::weights(&model).len();
    assert_eq!(state.slot(0), vec![2.0; count]);
    state.set_slot(0, &vec![3.0; count]).unwrap();
    assert_eq!(state.slot(0), vec![3.0; count]);
    // Those of the host, and those of a device.
    let mut cpu = many();
    let mut hosts = cpu.start_training(&[]).unwrap();
    assert!(Trainable::backward(&mut model, &[OutputGradient::Zero], hosts.as_mut()).is_err());
    assert!(Trainable::backward(&mut cpu, &[OutputGradient::Zero], state.as_mut()).is_err());
}
