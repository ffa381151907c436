//! Every operation on every instruction set, and on `Wide` of it, against plain floats.

use super::*;

/// What a test does with one instruction set.
trait Check {
    fn run<S: Simd>(s: S, isa: &str);
}

struct On<C>(std::marker::PhantomData<C>, Isa);

impl<C: Check> Op for On<C> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        C::run(s, self.1.name());
        C::run(Wide(s), &format!("wide {}", self.1));
        C::run(s.half(), &format!("half {}", self.1));
    }
}

fn everywhere<C: Check>() {
    for &isa in Isa::available() {
        isa.dispatch(On::<C>(std::marker::PhantomData, isa));
    }
    // What microcontrollers run.
    C::run(Plain::<1>, "one lane");
    C::run(Wide(Plain::<1>), "wide one lane");
    C::run(Plain::<4>, "four lanes");
}

/// All lanes.
#[inline(always)]
fn lanes<S: Simd>(s: S, v: S::V) -> Vec<f32> {
    let mut out = vec![0.0; S::LANES];
    // SAFETY: there is room for LANES floats.
    unsafe { s.store(out.as_mut_ptr(), v) };
    out
}

/// `values[first..]`, wrapping around, in the lanes of a vector, and the same as floats.
#[inline(always)]
fn vector<S: Simd>(s: S, values: &[f32], first: usize) -> (S::V, Vec<f32>) {
    let x: Vec<f32> = (0..S::LANES)
        .map(|i| values[(first + i) % values.len()])
        .collect();
    // SAFETY: x holds LANES floats.
    (unsafe { s.load(x.as_ptr()) }, x)
}

/// Equal bits, or both NaN.
#[track_caller]
fn assert_same(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        let same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(same, "{what}, lane {i}: {a:e}, not {b:e}");
    }
}

const INF: f32 = f32::INFINITY;
/// Signs, sizes, halves (ties), integers around the limits of rounding tricks, special values.
/// A prime number of them, so that pairs at all distances meet in all lanes.
const VALUES: [f32; 39] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    -1.5,
    2.5,
    -2.5,
    0.49999997,
    -0.49999997,
    3.7,
    -3.7,
    1e-45,
    -1e-45,
    1.1754942e-38,
    f32::MIN_POSITIVE,
    1e-20,
    1e20,
    f32::from_bits(64 << 23),
    -f32::from_bits((64 << 23) - 1),
    3e38,
    -3e38,
    INF,
    -INF,
    f32::NAN,
    4194303.5,
    -4194303.5,
    4194304.5,
    8388607.5,
    -8388607.5,
    8388608.0,
    16777217.0,
    2147483600.0,
    -5e9,
    0.1,
    123.456,
    -7.25,
];

#[test]
fn lane_wise_operations_are_those_of_f32() {
    struct LaneWise;
    impl Check for LaneWise {
        #[inline(always)]
        fn run<S: Simd>(s: S, isa: &str) {
            for first in 0..VALUES.len() {
                let (a, x) = vector(s, &VALUES, first);
                let one = |name: &str, v: S::V, f: fn(f32) -> f32| {
                    let expected: Vec<f32> = x.iter().map(|&x| f(x)).collect();
                    assert_same(&lanes(s, v), &expected, &format!("{name}({x:?}) on {isa}"));
                };
                one("neg", s.neg(a), |x| -x);
                one("abs", s.abs(a), f32::abs);
                one("sqrt", s.sqrt(a), f32::sqrt);
                one("round", s.round(a), f32::round_ties_even);
                one("floor", s.floor(a), f32::floor);
                one("flush", s.flush(a), |x| match x.abs() < 2f32.powi(-63) {
                    true => 0.0,
                    false => x,
                });
                for distance in 0..VALUES.len() {
                    let (b, y) = vector(s, &VALUES, first + distance);
                    let two = |name: &str, v: S::V, f: fn(f32, f32) -> f32| {
                        let expected: Vec<f32> = x.iter().zip(&y).map(|(&x, &y)| f(x, y)).collect();
                        assert_same(
                            &lanes(s, v),
                            &expected,
                            &format!("{name}({x:?}, {y:?}) on {isa}"),
                        );
                    };
                    two("add", s.add(a, b), |x, y| x + y);
                    two("sub", s.sub(a, b), |x, y| x - y);
                    two("mul", s.mul(a, b), |x, y| x * y);
                    two("div", s.div(a, b), |x, y| x / y);
                    two("min", s.min(a, b), |x, y| if x < y { x } else { y });
                    two("max", s.max(a, b), |x, y| if x > y { x } else { y });
                    two("copysign", s.copysign(a, b), f32::copysign);
                    let (yes, no) = (s.splat(1.0), s.splat(0.0));
                    two("lt", s.select(s.lt(a, b), yes, no), |x, y| f32::from(x < y));
                    two("le", s.select(s.le(a, b), yes, no), |x, y| {
                        f32::from(x <= y)
                    });
                    two("gt", s.select(s.gt(a, b), yes, no), |x, y| f32::from(x > y));
                    two("ge", s.select(s.ge(a, b), yes, no), |x, y| {
                        f32::from(x >= y)
                    });
                    two("eq", s.select(s.eq(a, b), yes, no), |x, y| {
                        f32::from(x == y)
                    });
                }
            }
        }
    }
    everywhere::<LaneWise>();
}

#[test]
fn multiply_add_rounds_as_often_as_it_says() {
    struct MultiplyAdd;
    impl Check for MultiplyAdd {
        #[inline(always)]
        fn run<S: Simd>(s: S, isa: &str) {
            for first in 0..VALUES.len() {
                for distance in 0..VALUES.len() {
                    let (a, x) = vector(s, &VALUES, first);
                    let (b, y) = vector(s, &VALUES, first + distance);
                    let (c, z) = vector(s, &VALUES, first + 2 * distance + 5);
                    let plain = |x: f32, y: f32, z: f32| {
                        if S::FUSED { x.mul_add(y, z) } else { x * y + z }
                    };
                    let sums: Vec<f32> = (0..S::LANES).map(|i| plain(x[i], y[i], z[i])).collect();
                    assert_same(&lanes(s, s.mul_add(a, b, c)), &sums, isa);
                    let rest: Vec<f32> = (0..S::LANES).map(|i| plain(-x[i], y[i], z[i])).collect();
                    assert_same(&lanes(s, s.neg_mul_add(a, b, c)), &rest, isa);
                }
            }
        }
    }
    everywhere::<MultiplyAdd>();
}

#[test]
fn partial_loads_and_stores_touch_n_floats_only() {
    struct Partial;
    impl Check for Partial {
        #[inline(always)]
        fn run<S: Simd>(s: S, isa: &str) {
            for n in 0..=S::LANES {
                // Exactly n floats, so that a sanitizer sees any access past them.
                let x: Vec<f32> = (0..n).map(|i| i as f32 + 1.0).collect();
                // SAFETY: x holds n <= LANES floats.
                let v = unsafe { s.load_partial(x.as_ptr(), n) };
                let mut expected = x.clone();
                expected.resize(S::LANES, 0.0);
                assert_same(
                    &lanes(s, v),
                    &expected,
                    &format!("load_partial {n} on {isa}"),
                );

                let mut out = vec![-1.0; S::LANES + 1];
                // SAFETY: out holds more than n <= LANES floats.
                unsafe { s.store_partial(out.as_mut_ptr(), s.splat(7.0), n) };
                let stored: Vec<f32> = (0..S::LANES + 1)
                    .map(|i| if i < n { 7.0 } else { -1.0 })
                    .collect();
                assert_same(&out, &stored, &format!("store_partial {n} on {isa}"));
            }
            for n in (0..=S::LANES + 3).chain([usize::MAX]) {
                let v = s.select(s.first_lanes(n), s.splat(1.0), s.splat(0.0));
                let expected: Vec<f32> = (0..S::LANES).map(|i| f32::from(i < n)).collect();
                assert_same(
                    &lanes(s, v),
                    &expected,
                    &format!("first_lanes {n} on {isa}"),
                );
            }
        }
    }
    everywhere::<Partial>();
}

#[test]
fn loads_and_stores_need_no_alignment() {
    struct Unaligned;
    impl Check for Unaligned {
        #[inline(always)]
        fn run<S: Simd>(s: S, isa: &str) {
            let x: Vec<f32> = (0..S::LANES + 16).map(|i| i as f32).collect();
            for start in 0..16 {
                let mut out = vec![-1.0; S::LANES + 17];
                // SAFETY: start + LANES floats are there on both sides.
                unsafe { s.store(out.as_mut_ptr().add(start), s.load(x.as_ptr().add(start))) };
                let mut expected = vec![-1.0; S::LANES + 17];
                expected[start..start + S::LANES].copy_from_slice(&x[start..start + S::LANES]);
                assert_same(&out, &expected, isa);
            }
        }
    }
    everywhere::<Unaligned>();
}

#[test]
fn powers_exponents_and_mantissas() {
    struct Exponents;
    impl Check for Exponents {
        #[inline(always)]
        fn run<S: Simd>(s: S, isa: &str) {
            for n in -127..=128 {
                let expected = match n {
                    -127 => 0.0,
                    128 => INF,
                    n => 2f64.powi(n) as f32,
                };
                let found = lanes(s, s.exp2i(s.splat(n as f32)));
                assert_same(
                    &found,
                    &vec![expected; S::LANES],
                    &format!("exp2i({n}) on {isa}"),
                );
            }
            for n in -252..=252 {
                for a in [1.0, 1.999_999_9, -0.5, 0.700_000_05] {
                    let expected = (f64::from(a) * 2f64.powi(n)) as f32;
                    let found = lanes(s, s.scale_exp2(s.splat(a), s.splat(n as f32)));
                    assert_same(
                        &found,
                        &vec![expected; S::LANES],
                        &format!("{a} * 2^{n} on {isa}"),
                    );
                }
            }
            for e in -126..=127 {
                for m in [1.0, 1.25, 1.999_999_9] {
                    let a = s.splat((f64::from(m) * 2f64.powi(e)) as f32);
                    let what = format!("{m} * 2^{e} on {isa}");
                    assert_same(&lanes(s, s.exponent(a)), &vec![e as f32; S::LANES], &what);
                    assert_same(&lanes(s, s.mantissa(a)), &vec![m; S::LANES], &what);
                }
            }
        }
    }
    everywhere::<Exponents>();
}

#[test]
fn reductions_are_trees() {
    struct Reductions;
    impl Check for Reductions {
        #[inline(always)]
        fn run<S: Simd>(s: S, isa: &str) {
            // Sizes that make another order of additions another sum.
            let values: Vec<f32> = (0..31)
                .map(|i| (i as f32 * 0.37 - 4.1) * 3f32.powi(i % 7))
                .collect();
            for first in 0..values.len() {
                let (v, x) = vector(s, &values, first);
                let mut sums = x.clone();
                while sums.len() > 1 {
                    let (low, high) = sums.split_at(sums.len() / 2);
                    sums = low.iter().zip(high).map(|(a, b)| a + b).collect();
                }
                assert_same(
                    &[s.reduce_add(v)],
                    &sums,
                    &format!("reduce_add({x:?}) on {isa}"),
                );
                let max = x.iter().copied().fold(-INF, f32::max);
                let min = x.iter().copied().fold(INF, f32::min);
                assert_same(&[s.reduce_max(v), s.reduce_min(v)], &[max, min], isa);
            }
        }
    }
    everywhere::<Reductions>();
}

#[test]
fn names_find_the_available_sets_and_explain_the_others() {
    for &isa in Isa::available() {
        assert_eq!(Isa::from_name(isa.name()).unwrap(), isa);
        assert_eq!(format!("{isa:>8}").trim(), isa.name());
    }
    assert_eq!(Isa::available()[0], Isa::SCALAR);
    let message = Isa::from_name("avx3").unwrap_err().to_string();
    assert!(
        message.contains("avx3: there is no such instruction set; available: scalar"),
        "{message}"
    );
    let message = Isa::from_name("simd128").unwrap_err().to_string();
    assert!(message.contains("it belongs to WebAssembly"), "{message}");
}

/// Prints what `best` says; `the_variable_overrides_the_choice` runs it in processes of its own.
#[test]
#[ignore = "run by another test"]
fn print_best() {
    match Isa::best() {
        Ok(isa) => println!("best is {isa}"),
        Err(error) => println!("error is {error}"),
    }
}

#[test]
fn the_variable_overrides_the_choice() {
    let best_with = |value: &str| {
        // What runs programs of another machine (`cargo xtask check aarch64`), and this program.
        let runner = std::env::var("RECURRENT_TEST_RUNNER").unwrap_or_default();
        let exe = std::env::current_exe().unwrap();
        let mut words = runner.split_whitespace().map(Into::into).chain([exe]);
        let mut child = std::process::Command::new(words.next().unwrap());
        child.args(words).args([
            "cpu::simd::tests::print_best",
            "--exact",
            "--ignored",
            "--nocapture",
        ]);
        let output = child.env("RECURRENT_ISA", value).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for isa in Isa::available() {
        assert!(best_with(isa.name()).contains(&format!("best is {isa}\n")));
    }
    let best = Isa::available().last().unwrap();
    assert!(best_with("").contains(&format!("best is {best}\n")));
    let error = best_with("sse9");
    assert!(
        error.contains("error is RECURRENT_ISA=sse9: there is no such"),
        "{error}"
    );
}
