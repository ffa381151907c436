//! Every function on every instruction set against f64: strided over all floats always,
//! over each of the 2³² bit patterns with
//! `cargo test --release -p rnn-runtime every_float -- --ignored --nocapture`
//! (half a minute to a minute a function on two cores; `FUNCTION=tanh` runs that one only).

use super::*;
use crate::cpu::simd::{Isa, Op};

/// `out[i] = f(x[i])`, `f` by its place in `FUNCTIONS`.
struct Map<'a> {
    function: usize,
    x: &'a [f32],
    out: &'a mut [f32],
}

#[inline(always)]
fn map<S: Simd>(s: S, op: Map<'_>, f: impl Fn(S::V) -> S::V) {
    for (x, out) in op.x.chunks(S::LANES).zip(op.out.chunks_mut(S::LANES)) {
        // SAFETY: both chunks hold x.len() <= LANES floats.
        unsafe {
            s.store_partial(
                out.as_mut_ptr(),
                f(s.load_partial(x.as_ptr(), x.len())),
                x.len(),
            )
        }
    }
}

/// A function's name, its reference, and where the bound holds.
type Function = (&'static str, fn(f64) -> f64, fn(f64) -> bool);

macro_rules! functions {
    ($($name:ident, $reference:expr, $domain:expr;)*) => {
        const FUNCTIONS: &[Function] = &[$((stringify!($name), $reference, $domain)),*];
        impl Op for Map<'_> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd>(self, s: S) {
                let mut i = 0..;
                $(if i.next() == Some(self.function) { return map(s, self, |x| $name(s, x)); })*
            }
        }
    };
}

functions! {
    exp, f64::exp, |_| true;
    expm1, f64::exp_m1, |_| true;
    sigmoid, |x| 1.0 / (1.0 + (-x).exp()), |x| x > -87.33 || x == f64::NEG_INFINITY;
    tanh, f64::tanh, |_| true;
    log, f64::ln, |_| true;
    log1p, f64::ln_1p, |_| true;
    erf, libm::erf, |_| true;
    sin, f64::sin, |x| x.abs() <= 8192.0 || x.is_infinite();
    cos, f64::cos, |x| x.abs() <= 8192.0 || x.is_infinite();
    rsqrt, |x| 1.0 / x.sqrt(), |_| true;
}

fn apply(isa: Isa, function: usize, x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    isa.dispatch(Map {
        function,
        x,
        out: &mut out,
    });
    out
}

/// `|y - exact|` in units in the last place of `exact`; infinite for a NaN or an infinity that
/// should not be one, or is missing.
fn ulp_error(y: f32, exact: f64) -> f64 {
    if exact.is_nan() || y.is_nan() {
        return if exact.is_nan() && y.is_nan() {
            0.0
        } else {
            f64::INFINITY
        };
    }
    let rounded = exact as f32;
    if rounded.is_infinite() || y.is_infinite() {
        // Results that overflow count as 2¹²⁸, the next float if there were one.
        let clamp = |v: f64| v.clamp(-(2f64.powi(128)), 2f64.powi(128));
        return (clamp(y.into()) - clamp(exact)).abs() / 2f64.powi(104);
    }
    let exponent = (exact.abs().log2().floor() as i32).max(-126);
    (f64::from(y) - exact).abs() / 2f64.powi(exponent - 23)
}

/// The largest error on each available instruction set, with its x, over the bit patterns
/// `first, first + stride, …` of `function`'s domain.
fn worst(function: usize, bits: std::ops::RangeInclusive<u32>, stride: usize) -> Vec<(f64, f32)> {
    let (_, reference, domain) = FUNCTIONS[function];
    let mut worst = vec![(0.0, 0.0); Isa::available().len()];
    let mut all = bits.step_by(stride).map(f32::from_bits).peekable();
    while all.peek().is_some() {
        let x: Vec<f32> = all
            .by_ref()
            .take(4096)
            .filter(|&x| domain(x.into()) || x.is_nan())
            .collect();
        let exact: Vec<f64> = x.iter().map(|&x| reference(x.into())).collect();
        for (isa, worst) in Isa::available().iter().zip(&mut worst) {
            for ((&x, y), &exact) in x.iter().zip(apply(*isa, function, &x)).zip(&exact) {
                let error = if y == exact as f32 {
                    0.0
                } else {
                    ulp_error(y, exact)
                };
                if error > worst.0 {
                    *worst = (error, x);
                }
            }
        }
    }
    worst
}

fn check(function: usize, worst: &[(f64, f32)]) {
    for (isa, (error, x)) in Isa::available().iter().zip(worst) {
        let name = FUNCTIONS[function].0;
        println!("{name} {isa}: {error:.3} ULP at {x:e}");
        assert!(
            *error <= MAX_ULP,
            "{name} on {isa}: {error} ULP at {x:e} ({:#x})",
            x.to_bits()
        );
    }
}

#[test]
fn errors_are_within_the_bound_all_over_the_floats() {
    for function in 0..FUNCTIONS.len() {
        check(function, &worst(function, 0..=u32::MAX, 5_003));
        // Where all of these functions bend: floats of magnitude 2⁻⁶ to 2⁷.
        for sign in [0, 1 << 31] {
            let (low, high) = (0.015_625f32.to_bits(), 128f32.to_bits());
            check(
                function,
                &worst(function, (low | sign)..=(high | sign), 503),
            );
        }
    }
}

#[test]
#[ignore = "exhaustive"]
fn errors_are_within_the_bound_on_every_float() {
    let only = std::env::var("FUNCTION").ok();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()) as u64;
    for (function, (name, ..)) in FUNCTIONS.iter().enumerate() {
        if only.as_deref().is_some_and(|only| only != *name) {
            continue;
        }
        let parts: Vec<_> = std::thread::scope(|scope| {
            let spawn = |part: u64| {
                let (from, to) = (part << 32, (part + 1) << 32);
                scope.spawn(move || {
                    worst(
                        function,
                        (from / threads) as u32..=(to / threads - 1) as u32,
                        1,
                    )
                })
            };
            let handles: Vec<_> = (0..threads).map(spawn).collect();
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap())
                .collect()
        });
        let mut worst = vec![(0.0, 0.0); Isa::available().len()];
        for part in &parts {
            for (worst, part) in worst.iter_mut().zip(part) {
                if part.0 > worst.0 {
                    *worst = *part;
                }
            }
        }
        check(function, &worst);
    }
}

#[test]
fn special_values_are_exact() {
    const INF: f32 = f32::INFINITY;
    let expected: &[(&str, &[(f32, f32)])] = &[
        (
            "exp",
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (INF, INF),
                (-INF, 0.0),
                (1e30, INF),
                (-1e30, 0.0),
            ],
        ),
        (
            "expm1",
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, INF),
                (-INF, -1.0),
                (1e-45, 1e-45),
            ],
        ),
        (
            "sigmoid",
            &[
                (0.0, 0.5),
                (-0.0, 0.5),
                (INF, 1.0),
                (-INF, 0.0),
                (1e30, 1.0),
                (-1e30, 0.0),
            ],
        ),
        (
            "tanh",
            &[
                (0.0, 0.0),
                (-0.0, 0.0),
                (INF, 1.0),
                (-INF, -1.0),
                (1e-45, 1e-45),
            ],
        ),
        (
            "log",
            &[
                (0.0, -INF),
                (-0.0, -INF),
                (1.0, 0.0),
                (INF, INF),
                (-1.0, f32::NAN),
                (-INF, f32::NAN),
            ],
        ),
        (
            "log1p",
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (-1.0, -INF),
                (INF, INF),
                (-2.0, f32::NAN),
                (-INF, f32::NAN),
            ],
        ),
        ("erf", &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0)]),
        (
            "sin",
            &[(0.0, 0.0), (-0.0, -0.0), (INF, f32::NAN), (-INF, f32::NAN)],
        ),
        (
            "cos",
            &[(0.0, 1.0), (-0.0, 1.0), (INF, f32::NAN), (-INF, f32::NAN)],
        ),
        (
            "rsqrt",
            &[
                (0.0, INF),
                (-0.0, -INF),
                (1.0, 1.0),
                (INF, 0.0),
                (-1.0, f32::NAN),
            ],
        ),
    ];
    assert_eq!(expected.len(), FUNCTIONS.len());
    for (function, (name, cases)) in expected.iter().enumerate() {
        assert_eq!(*name, FUNCTIONS[function].0);
        for &isa in Isa::available() {
            for &(x, y) in *cases {
                let found = apply(isa, function, &[x])[0];
                let same = found.to_bits() == y.to_bits() || (found.is_nan() && y.is_nan());
                assert!(same, "{name}({x}) on {isa}: {found}, not {y}");
            }
            assert!(
                apply(isa, function, &[f32::NAN])[0].is_nan(),
                "{name}(NaN) on {isa}"
            );
        }
    }
}

#[test]
fn bounded_functions_stay_in_their_range() {
    let all: Vec<f32> = (0..=u32::MAX)
        .step_by(30_011)
        .map(f32::from_bits)
        .filter(|x| x.is_finite())
        .collect();
    for (function, (name, ..)) in FUNCTIONS.iter().enumerate() {
        let range = match *name {
            "sigmoid" => 0.0..=1.0,
            "tanh" | "erf" | "sin" | "cos" => -1.0..=1.0,
            _ => continue,
        };
        for &isa in Isa::available() {
            for (x, y) in all.iter().zip(apply(isa, function, &all)) {
                assert!(range.contains(&y), "{name}({x:e}) on {isa}: {y:e}");
            }
        }
    }
}

#[test]
fn sigmoid_flushes_what_would_be_subnormal() {
    let sigmoid = FUNCTIONS.iter().position(|f| f.0 == "sigmoid").unwrap();
    let x: Vec<f32> = (0..2000).map(|i| -87.3 - 0.01 * i as f32).collect();
    for &isa in Isa::available() {
        for (x, y) in x.iter().zip(apply(isa, sigmoid, &x)) {
            assert!((0.0..=1.3e-38).contains(&y), "sigmoid({x}) on {isa}: {y:e}");
        }
    }
}

/// x^y and sign(x), in one call.
struct PowAndSign(f32, f32);

impl Op for PowAndSign {
    type Output = (f32, f32);
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> (f32, f32) {
        let first = |v| {
            let mut lane = 0.0;
            // SAFETY: there is room for the one float.
            unsafe { s.store_partial(&mut lane, v, 1) };
            lane
        };
        let x = s.splat(self.0);
        (first(pow(s, x, s.splat(self.1))), first(sign(s, x)))
    }
}

#[test]
fn pow_is_within_its_bound_and_has_the_special_cases_of_powf() {
    let special = [
        0.0,
        0.5,
        1.0,
        2.0,
        3.0,
        1e-40,
        7.5,
        1e9,
        3e38,
        f32::INFINITY,
        f32::NAN,
    ];
    let special: Vec<f32> = special.iter().flat_map(|&x| [x, -x]).collect();
    let ordinary: Vec<f32> = (1..60).map(|i| 1.17f32.powi(i - 30)).collect();
    let exponents: Vec<f32> = (-30..30).map(|i| i as f32 * 0.73).collect();
    let pairs = special
        .iter()
        .flat_map(|&x| special.iter().map(move |&y| (x, y)));
    let more = ordinary
        .iter()
        .flat_map(|&x| exponents.iter().map(move |&y| (x, y)));
    for (x, y) in pairs.chain(more) {
        let exact = f64::from(x).powf(y.into());
        for &isa in Isa::available() {
            let found = isa.dispatch(PowAndSign(x, y)).0;
            if (exact as f32).to_bits() == found.to_bits() || (exact.is_nan() && found.is_nan()) {
                continue;
            }
            let relative = (f64::from(found) - exact).abs() / exact.abs();
            let bound = (4.0 + 4.0 * exact.abs().ln().abs()) * 2f64.powi(-24);
            let subnormal = exact.abs() < 1.2e-38 && (f64::from(found) - exact).abs() < 3e-43;
            assert!(
                relative <= bound || subnormal,
                "{x}^{y} on {isa}: {found}, not {exact}"
            );
        }
    }
}

#[test]
fn sign_keeps_zeros_and_nan() {
    for &isa in Isa::available() {
        let sign = |x| isa.dispatch(PowAndSign(x, 1.0)).1;
        assert_eq!([3.0, -1e-40, f32::INFINITY].map(sign), [1.0, -1.0, 1.0]);
        assert_eq!(
            [0.0, -0.0].map(|x: f32| sign(x).to_bits()),
            [0.0f32.to_bits(), (-0.0f32).to_bits()]
        );
        assert!(sign(f32::NAN).is_nan());
    }
}
