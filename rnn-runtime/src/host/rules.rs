//! Keras's formulas of the optimizers.

use crate::update::{Rule, Step};

impl Rule {
    /// Moves `weights` against `gradients`, which are clipped already. All slices have the same
    /// length; `slots` stand in the order that the rule names.
    pub fn update(
        &self,
        step: Step,
        weights: &mut [f32],
        gradients: &[f32],
        slots: &mut [&mut [f32]],
    ) {
        let rate = step.learning_rate;
        match *self {
            Rule::Sgd { momentum, nesterov } => {
                sgd(
                    rate as f32,
                    momentum as f32,
                    nesterov,
                    weights,
                    gradients,
                    slots,
                );
            }
            Rule::RmsProp {
                rho,
                momentum,
                epsilon,
                centered,
            } => {
                let averages = Averages {
                    rate: rate as f32,
                    rho: rho as f32,
                    rest: (1.0 - rho) as f32,
                    epsilon: epsilon as f32,
                };
                rms_prop(
                    averages,
                    momentum as f32,
                    centered,
                    weights,
                    gradients,
                    slots,
                );
            }
            Rule::Adam {
                beta_1,
                beta_2,
                epsilon,
            } => {
                adam(step, [beta_1, beta_2, epsilon], weights, gradients, slots);
            }
            Rule::Adagrad { epsilon } => {
                adagrad(rate as f32, epsilon as f32, weights, gradients, slots);
            }
        }
    }
}

fn sgd(
    rate: f32,
    momentum: f32,
    nesterov: bool,
    weights: &mut [f32],
    gradients: &[f32],
    slots: &mut [&mut [f32]],
) {
    let each = weights.iter_mut().zip(gradients);
    match slots {
        [moments] if nesterov => {
            for ((w, g), m) in each.zip(moments.iter_mut()) {
                *m = *m * momentum - g * rate;
                *w += *m * momentum - g * rate;
            }
        }
        [moments] => {
            for ((w, g), m) in each.zip(moments.iter_mut()) {
                *m = *m * momentum - g * rate;
                *w += *m;
            }
        }
        _ => each.for_each(|(w, g)| *w -= g * rate),
    }
}

/// The options of [`Rule::RmsProp`] for its averages and its step.
#[derive(Clone, Copy)]
struct Averages {
    rate: f32,
    rho: f32,
    rest: f32,
    epsilon: f32,
}

fn rms_prop(
    averages: Averages,
    momentum: f32,
    is_centered: bool,
    weights: &mut [f32],
    gradients: &[f32],
    slots: &mut [&mut [f32]],
) {
    let Averages {
        rate,
        rho,
        rest,
        epsilon,
    } = averages;
    let increment = |v: &mut f32, g: f32| {
        *v = rho * *v + rest * (g * g);
        rate * g / (*v + epsilon).sqrt()
    };
    let centered = |v: &mut f32, a: &mut f32, g: f32| {
        *v = rho * *v + rest * (g * g);
        *a = rho * *a + rest * g;
        rate * g / (*v - *a * *a + epsilon).sqrt()
    };
    let each = weights.iter_mut().zip(gradients);
    match slots {
        [velocity, moments, average] => {
            let slots = velocity
                .iter_mut()
                .zip(moments.iter_mut())
                .zip(average.iter_mut());
            for ((w, &g), ((v, m), a)) in each.zip(slots) {
                *m = momentum * *m + centered(v, a, g);
                *w -= *m;
            }
        }
        [velocity, average] if is_centered => {
            let slots = velocity.iter_mut().zip(average.iter_mut());
            for ((w, &g), (v, a)) in each.zip(slots) {
                *w -= centered(v, a, g);
            }
        }
        [velocity, moments] => {
            let slots = velocity.iter_mut().zip(moments.iter_mut());
            for ((w, &g), (v, m)) in each.zip(slots) {
                *m = momentum * *m + increment(v, g);
                *w -= *m;
            }
        }
        [velocity] => {
            for ((w, &g), v) in each.zip(velocity.iter_mut()) {
                *w -= increment(v, g);
            }
        }
        _ => {}
    }
}

fn adam(
    step: Step,
    [beta_1, beta_2, epsilon]: [f64; 3],
    weights: &mut [f32],
    gradients: &[f32],
    slots: &mut [&mut [f32]],
) {
    let t = step.number as f64;
    // In f64: 1 - 0.999^t has lost four digits in f32.
    let correction = (1.0 - beta_2.powf(t)).sqrt() / (1.0 - beta_1.powf(t));
    let alpha = (step.learning_rate * correction) as f32;
    let (rest_1, rest_2) = ((1.0 - beta_1) as f32, (1.0 - beta_2) as f32);
    let epsilon = epsilon as f32;
    let average = |m: &mut f32, v: &mut f32, g: f32| {
        *m += (g - *m) * rest_1;
        *v += (g * g - *v) * rest_2;
    };
    let each = weights.iter_mut().zip(gradients);
    match slots {
        [momentum, velocity, hat] => {
            let slots = momentum
                .iter_mut()
                .zip(velocity.iter_mut())
                .zip(hat.iter_mut());
            for ((w, &g), ((m, v), hat)) in each.zip(slots) {
                average(m, v, g);
                *hat = hat.max(*v);
                *w -= *m * alpha / (hat.sqrt() + epsilon);
            }
        }
        [momentum, velocity] => {
            let slots = momentum.iter_mut().zip(velocity.iter_mut());
            for ((w, &g), (m, v)) in each.zip(slots) {
                average(m, v, g);
                *w -= *m * alpha / (v.sqrt() + epsilon);
            }
        }
        _ => {}
    }
}

fn adagrad(
    rate: f32,
    epsilon: f32,
    weights: &mut [f32],
    gradients: &[f32],
    slots: &mut [&mut [f32]],
) {
    let [sums] = slots else { return };
    for ((w, g), s) in weights.iter_mut().zip(gradients).zip(sums.iter_mut()) {
        *s += g * g;
        *w -= rate * g / (*s + epsilon).sqrt();
    }
}
