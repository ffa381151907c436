//! Arithmetic of numbers.

use super::*;

/// Checks an instruction of two numbers of 32 bits, with and without `.ftz`.
fn check_f32(stem: &str, rounding: &str, reference: impl Fn(f32, f32) -> f32) {
    let plain = format!("{stem}{rounding}.f32 $d, $a, $b;");
    check(&plain, F32, &[F32, F32], |a, b, _| {
        of(reference(f(a), f(b)))
    });
    let flushed = format!("{stem}{rounding}.ftz.f32 $d, $a, $b;");
    check(&flushed, F32, &[F32, F32], |a, b, _| {
        of(z(reference(z(f(a)), z(f(b)))))
    });
}

#[test]
fn arithmetic_of_f32() {
    check_f32("add", "", |a, b| a + b);
    check_f32("add", ".rn", |a, b| a + b);
    check_f32("sub", "", |a, b| a - b);
    check_f32("mul", "", |a, b| a * b);
    check_f32("div", ".rn", |a, b| a / b);
    check_f32("div", ".approx", |a, b| a / b);
    let three = [F32, F32, F32];
    check("fma.rn.f32 $d, $a, $b, $c;", F32, &three, |a, b, c| {
        of(f(a).mul_add(f(b), f(c)))
    });
    check("fma.rn.ftz.f32 $d, $a, $b, $c;", F32, &three, |a, b, c| {
        of(z(z(f(a)).mul_add(z(f(b)), z(f(c)))))
    });
    check("mad.rn.f32 $d, $a, $b, $c;", F32, &three, |a, b, c| {
        of(f(a).mul_add(f(b), f(c)))
    });
    let saturated = |x: f32| {
        if x.is_nan() {
            0.0
        } else {
            x.clamp(0.0, 1.0) + 0.0
        }
    };
    check("add.sat.f32 $d, $a, $b;", F32, &[F32, F32], |a, b, _| {
        of(saturated(f(a) + f(b)))
    });
    check("neg.f32 $d, $a;", F32, &[F32], |a, _, _| of(-f(a)));
    check("abs.f32 $d, $a;", F32, &[F32], |a, _, _| of(f(a).abs()));
    check("abs.ftz.f32 $d, $a;", F32, &[F32], |a, _, _| {
        of(z(f(a)).abs())
    });
    check(
        "sqrt.rn.f32 $d, $a;",
        F32,
        &[F32],
        |a, _, _| of(f(a).sqrt()),
    );
    check("rcp.rn.f32 $d, $a;", F32, &[F32], |a, _, _| of(1.0 / f(a)));
    check("copysign.f32 $d, $a, $b;", F32, &[F32, F32], |a, b, _| {
        of(f(b).copysign(f(a)))
    });
}

#[test]
fn minimum_and_maximum_of_floats() {
    // Zeros are ordered by their signs, and a NaN loses.
    let smaller = |a: f32, b: f32| match (a.is_nan(), b.is_nan()) {
        (true, _) => b,
        (_, true) => a,
        _ => match a.total_cmp(&b).is_lt() {
            true => a,
            false => b,
        },
    };
    let larger = move |a: f32, b: f32| -smaller(-a, -b);
    check_f32("min", "", smaller);
    check_f32("max", "", larger);
    let nan = move |a: f32, b: f32| {
        if a.is_nan() || b.is_nan() {
            f32::NAN
        } else {
            smaller(a, b)
        }
    };
    check("min.NaN.f32 $d, $a, $b;", F32, &[F32, F32], |a, b, _| {
        of(nan(f(a), f(b)))
    });
    check("min.f64 $d, $a, $b;", F64, &[F64, F64], |a, b, _| {
        let (a, b) = (d(a), d(b));
        if a == b {
            a.to_bits() | b.to_bits()
        } else {
            a.min(b).to_bits()
        }
    });
    check("max.f64 $d, $a, $b;", F64, &[F64, F64], |a, b, _| {
        let (a, b) = (d(a), d(b));
        if a == b {
            a.to_bits() & b.to_bits()
        } else {
            a.max(b).to_bits()
        }
    });
}

#[test]
fn directed_rounding_of_f32() {
    // Products of two numbers of 32 bits are exact in 64, and so are sums of numbers of like size.
    let values = [
        1.0, -1.0, 0.1, -0.3, 1.5e5, -7.0, 3.3, 16777217.0, 0.7, -123.456, 1e-20, 2e19, 3e38, -3e38,
    ];
    let cases: Vec<[u64; 3]> = values
        .iter()
        .flat_map(|a| {
            values
                .iter()
                .map(move |b| [of(*a as f32), of(*b as f32), 0])
        })
        .collect();
    for rounding in ["rz", "rm", "rp"] {
        let found = results(
            &format!("mul.{rounding}.f32 $d, $a, $b;"),
            F32,
            &[F32, F32],
            &cases,
        );
        for ([a, b, _], found) in cases.iter().zip(found) {
            let exact = f64::from(f(*a)) * f64::from(f(*b));
            let expected = directed(exact, rounding);
            assert_eq!(
                f(found).to_bits(),
                expected.to_bits(),
                "mul.{rounding} {} {}",
                f(*a),
                f(*b)
            );
        }
        let found = results(
            &format!("add.{rounding}.f32 $d, $a, $b;"),
            F32,
            &[F32, F32],
            &cases,
        );
        for ([a, b, _], found) in cases.iter().zip(found) {
            let (a, b) = (f64::from(f(*a)), f64::from(f(*b)));
            let sum = a + b;
            let exact = sum - a == b && sum - b == a && sum != 0.0;
            if exact {
                assert_eq!(f(found), directed(sum, rounding), "add.{rounding} {a} {b}");
            }
        }
        let found = results(
            &format!("cvt.{rounding}.f32.f64 $d, $a;"),
            F32,
            &[F64],
            &wide(&cases),
        );
        for ([a, ..], found) in wide(&cases).iter().zip(found) {
            assert_eq!(
                f(found),
                directed(d(*a), rounding),
                "cvt.{rounding} {}",
                d(*a)
            );
        }
        // The division that undoes an exact product is exact; others are bounded by it.
        let found = results(
            &format!("div.{rounding}.f32 $d, $a, $b;"),
            F32,
            &[F32, F32],
            &cases,
        );
        for ([a, b, _], found) in cases.iter().zip(found) {
            let (a, b, found) = (f64::from(f(*a)), f64::from(f(*b)), f(found));
            // The remainder tells on which side of the quotient the result lies.
            let side = (f64::from(found)).mul_add(b, -a) * b.signum();
            match rounding {
                "rm" => assert!(side <= 0.0, "div.rm {a} {b}"),
                "rp" => assert!(side >= 0.0, "div.rp {a} {b}"),
                _ => assert!(side * (a * b).signum() <= 0.0, "div.rz {a} {b}"),
            }
        }
    }
}

/// Numbers that 32 bits do not hold.
fn wide(cases: &[[u64; 3]]) -> Vec<[u64; 3]> {
    let double = |case: &[u64; 3]| [(f64::from(f(case[0])) * 1.000_000_01).to_bits(), 0, 0];
    let fits = |case: &[u64; 3]| d(case[0]).abs() < 3.4e38;
    cases.iter().map(double).filter(fits).collect()
}

type Approximation = (&'static str, fn(f64) -> f64);

#[test]
fn approximate_functions() {
    let functions: [Approximation; 8] = [
        ("ex2.approx.f32", f64::exp2),
        ("ex2.approx.ftz.f32", f64::exp2),
        ("lg2.approx.f32", f64::log2),
        ("rcp.approx.ftz.f32", |x| 1.0 / x),
        ("rsqrt.approx.f32", |x| 1.0 / x.sqrt()),
        ("sqrt.approx.f32", f64::sqrt),
        ("tanh.approx.f32", f64::tanh),
        ("sin.approx.f32", f64::sin),
    ];
    let values = [0.25, 1.0, 1.5, 3.0, 10.0, 0.1, 100.0, 2e-3];
    let cases: Vec<[u64; 3]> = values.iter().map(|x| [of(*x), 0, 0]).collect();
    for (name, function) in functions {
        let found = results(&format!("{name} $d, $a;"), F32, &[F32], &cases);
        for ([a, ..], found) in cases.iter().zip(found) {
            let expected = function(f64::from(f(*a)));
            let error = (f64::from(f(found)) - expected).abs();
            assert!(
                error <= 2e-7 * expected.abs().max(1e-2),
                "{name} of {}: {}",
                f(*a),
                f(found)
            );
        }
    }
}

#[test]
fn arithmetic_of_f64() {
    let two = [F64, F64];
    check("add.f64 $d, $a, $b;", F64, &two, |a, b, _| {
        (d(a) + d(b)).to_bits()
    });
    check("sub.f64 $d, $a, $b;", F64, &two, |a, b, _| {
        (d(a) - d(b)).to_bits()
    });
    check("mul.f64 $d, $a, $b;", F64, &two, |a, b, _| {
        (d(a) * d(b)).to_bits()
    });
    check("div.rn.f64 $d, $a, $b;", F64, &two, |a, b, _| {
        (d(a) / d(b)).to_bits()
    });
    check(
        "fma.rn.f64 $d, $a, $b, $c;",
        F64,
        &[F64, F64, F64],
        |a, b, c| d(a).mul_add(d(b), d(c)).to_bits(),
    );
    check("sqrt.rn.f64 $d, $a;", F64, &[F64], |a, _, _| {
        d(a).sqrt().to_bits()
    });
    check("rcp.rn.f64 $d, $a;", F64, &[F64], |a, _, _| {
        (1.0 / d(a)).to_bits()
    });
    check("neg.f64 $d, $a;", F64, &[F64], |a, _, _| (-d(a)).to_bits());
    check("abs.f64 $d, $a;", F64, &[F64], |a, _, _| {
        d(a).abs().to_bits()
    });
    check("copysign.f64 $d, $a, $b;", F64, &two, |a, b, _| {
        d(b).copysign(d(a)).to_bits()
    });
}

#[test]
fn halves() {
    // Sums and products of two halves are exact in 64 bits, and conversions are tested by themselves.
    let f16 = |bits: u64| cuda::numbers::f16_to_f64(bits as u16);
    let to_f16 = |value: f64| {
        let nearest = |ty| cuda::numbers::half(value, ty, cuda::program::Rounding::Nearest);
        u64::from(nearest(cuda::program::Type::F16))
    };
    check("add.f16 $d, $a, $b;", F16, &[F16, F16], |a, b, _| {
        to_f16(f16(a) + f16(b))
    });
    check("mul.f16 $d, $a, $b;", F16, &[F16, F16], |a, b, _| {
        to_f16(f16(a) * f16(b))
    });
    check("neg.f16 $d, $a;", F16, &[F16], |a, _, _| a ^ 0x8000);
    let pair = |a: u64| [f16(a & 0xffff), f16(a >> 16 & 0xffff)];
    let cases: Vec<[u64; 3]> = F16
        .edges()
        .windows(2)
        .map(|w| [w[0] | w[1] << 16, w[1] | w[0] << 16, 0])
        .collect();
    let found = results("add.f16x2 $d, $a, $b;", B32, &[B32, B32], &cases);
    for ([a, b, _], found) in cases.iter().zip(found) {
        for part in 0..2 {
            let expected = to_f16(pair(*a)[part] + pair(*b)[part]);
            assert!(F16.same(found >> (16 * part) & 0xffff, expected));
        }
    }
}
