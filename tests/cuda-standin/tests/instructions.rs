//! Each instruction of each type by itself, over the edge cases of its operands, against plain Rust.

mod support;

use support::{Device, HEADER, Shape};

/// The type of an operand in a test.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Predicate,
    B16,
    F16,
    BF16,
    B32,
    F32,
    B64,
    F64,
}

use Kind::{B16, B32, B64, BF16, F16, F32, F64, Predicate};

impl Kind {
    fn register(self) -> &'static str {
        match self {
            Predicate => "pred",
            B16 | F16 | BF16 => "b16",
            B32 | F32 => "b32",
            B64 | F64 => "b64",
        }
    }

    fn mask(self) -> u64 {
        match self {
            Predicate => 1,
            B16 | F16 | BF16 => 0xffff,
            B32 | F32 => 0xffff_ffff,
            B64 | F64 => u64::MAX,
        }
    }

    /// Values at which an instruction may go wrong.
    fn edges(self) -> Vec<u64> {
        let floats = [
            0.0,
            1.0,
            1.5,
            -2.25,
            3.0,
            0.1,
            1e-3,
            1e10,
            -1e10,
            7.5,
            2.5,
            -0.5,
            123456.79,
            1e-40,
            -1e-42,
            3.4e38,
            1.17549435e-38,
        ];
        match self {
            Predicate => vec![0, 1],
            F32 => {
                let mut edges: Vec<u64> = floats
                    .iter()
                    .map(|x| u64::from((*x as f32).to_bits()))
                    .collect();
                edges.extend([0x8000_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000]);
                edges
            }
            F64 => {
                let mut edges: Vec<u64> = floats.iter().map(|x: &f64| x.to_bits()).collect();
                let special = [
                    -0.0,
                    f64::INFINITY,
                    f64::NEG_INFINITY,
                    f64::NAN,
                    1e300,
                    5e-324,
                    1e-310,
                ];
                edges.extend(special.map(f64::to_bits));
                edges
            }
            F16 => vec![
                0, 0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x03ff, 0x7c00, 0xfc00, 0x7e00, 0x8000,
                0x4248,
            ],
            BF16 => vec![
                0, 0x3f80, 0xc000, 0x3eab, 0x7f7f, 0x0001, 0x7f80, 0xff80, 0x7fc0, 0x8000, 0x4049,
            ],
            B16 => vec![
                0, 1, 2, 7, 15, 16, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0xabcd,
            ],
            B32 => vec![
                0,
                1,
                2,
                5,
                31,
                32,
                33,
                63,
                64,
                255,
                0x7fff,
                0x8000,
                0xffff,
                0x1_0000,
                0x7fff_ffff,
                0x8000_0000,
                0xffff_ffff,
                0xdead_beef,
                0x1234_5678,
            ],
            B64 => vec![
                0,
                1,
                3,
                31,
                63,
                64,
                0xffff_ffff,
                0x1_0000_0000,
                0x7fff_ffff_ffff_ffff,
                1 << 63,
                u64::MAX,
                0x0123_4567_89ab_cdef,
            ],
        }
    }

    /// Whether two results count as the same: any NaN is one.
    fn same(self, a: u64, b: u64) -> bool {
        let nan = |bits: u64| match self {
            F32 => f32::from_bits(bits as u32).is_nan(),
            F64 => f64::from_bits(bits).is_nan(),
            F16 => bits & 0x7fff > 0x7c00,
            BF16 => bits & 0x7fff > 0x7f80,
            _ => false,
        };
        a == b || nan(a) && nan(b)
    }
}

/// Runs `instruction`, with `$d`, `$a`, `$b` and `$c` for its operands, on all tuples of `cases`.
fn results(instruction: &str, result: Kind, sources: &[Kind], cases: &[[u64; 3]]) -> Vec<u64> {
    let mut text = String::new();
    for (index, kind) in sources.iter().enumerate() {
        let name = ["a", "b", "c"][index];
        text += &format!("  ld.global.u64 %w, [%p+{}];\n", 8 * index);
        text += &match kind {
            Predicate => format!("  setp.ne.u64 %{name}, %w, 0;\n"),
            B16 | F16 | BF16 => format!("  cvt.u16.u64 %{name}, %w;\n"),
            B32 | F32 => format!("  cvt.u32.u64 %{name}, %w;\n"),
            B64 | F64 => format!("  mov.b64 %{name}, %w;\n"),
        };
    }
    let registers: String = sources
        .iter()
        .zip(["a", "b", "c"])
        .map(|(kind, name)| format!("  .reg .{} %{name};\n", kind.register()))
        .collect();
    let back = match result {
        Predicate => "selp.u64 %w, 1, 0, %d;",
        B16 | F16 | BF16 => "cvt.u64.u16 %w, %d;",
        B32 | F32 => "cvt.u64.u32 %w, %d;",
        B64 | F64 => "mov.b64 %w, %d;",
    };
    let statement = instruction.replace('$', "%");
    let source = format!(
        "{HEADER}.visible .entry k(.param .u64 from, .param .u64 to)
{{
  .reg .b64 %p, %o, %w, %x0, %x1;
  .reg .b32 %i, %r0, %r1;
  .reg .pred %q0;
  .reg .{} %d;
{registers}
  ld.param.u64 %p, [from];
  ld.param.u64 %o, [to];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %p, %i, 24, %p;
  mad.wide.u32 %o, %i, 8, %o;
{text}  {statement}
  {back}
  st.global.u64 [%o], %w;
  ret;
}}
",
        result.register()
    );
    let mut device = Device::new();
    let mut all = Vec::new();
    for part in cases.chunks(1024) {
        let bytes: Vec<u8> = part
            .iter()
            .flatten()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        let from = device.bytes(&bytes);
        let to = device.empty(8 * part.len());
        device.run_clean(&source, &Shape::threads(part.len() as u32), &[from, to]);
        let (bytes, _) = device.memory.read(to, 8 * part.len()).unwrap();
        let words = bytes.chunks_exact(8);
        all.extend(words.map(|word| u64::from_le_bytes(word.try_into().unwrap())));
    }
    all
}

/// All tuples of edge cases; of three operands every third one.
fn tuples(sources: &[Kind]) -> Vec<[u64; 3]> {
    let edges = |index: usize| sources.get(index).map_or(vec![0], |kind| kind.edges());
    let mut all = Vec::new();
    for a in edges(0) {
        for b in edges(1) {
            for c in edges(2) {
                all.push([a, b, c]);
            }
        }
    }
    let step = if sources.len() == 3 { 3 } else { 1 };
    all.into_iter().step_by(step).collect()
}

/// Compares an instruction with `reference`.
fn check(
    instruction: &str,
    result: Kind,
    sources: &[Kind],
    reference: impl Fn(u64, u64, u64) -> u64,
) {
    let cases = tuples(sources);
    let found = results(instruction, result, sources, &cases);
    for ([a, b, c], found) in cases.iter().zip(found) {
        let expected = reference(*a, *b, *c) & result.mask();
        assert!(
            result.same(found, expected),
            "{instruction} of {a:#x}, {b:#x}, {c:#x}: {found:#x}, expected {expected:#x}"
        );
    }
}

fn f(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}
fn d(bits: u64) -> f64 {
    f64::from_bits(bits)
}
fn of(value: f32) -> u64 {
    u64::from(value.to_bits())
}
/// A denormal number as the zero of its sign.
fn z(value: f32) -> f32 {
    if value.is_subnormal() {
        0_f32.copysign(value)
    } else {
        value
    }
}

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

/// The neighbours of an exact value that a direction chooses from: `exact` is the value itself in 64 bits.
fn directed(exact: f64, rounding: &str) -> f32 {
    let nearest = exact as f32;
    let toward = match rounding {
        "rm" => f64::NEG_INFINITY,
        "rp" => f64::INFINITY,
        _ => 0.0,
    };
    let wrong = match toward {
        0.0 => f64::from(nearest).abs() > exact.abs(),
        t if t < 0.0 => f64::from(nearest) > exact,
        _ => f64::from(nearest) < exact,
    };
    match (wrong, rounding) {
        (false, _) => nearest,
        (true, "rm") => nearest.next_down(),
        (true, "rp") => nearest.next_up(),
        (true, _) if nearest > 0.0 => nearest.next_down(),
        (true, _) => nearest.next_up(),
    }
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

#[test]
fn approximate_functions() {
    let functions: [(&str, fn(f64) -> f64); 8] = [
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
        let nearest = |ty| cuda::numbers::half(value, ty, cuda::ptx::types::Rounding::Nearest);
        u64::from(nearest(cuda::ptx::types::Type::F16))
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

#[test]
fn comparisons() {
    for (name, reference) in [
        ("eq", (|a, b| a == b) as fn(f32, f32) -> bool),
        ("ne", |a, b| a < b || a > b),
        ("lt", |a, b| a < b),
        ("le", |a, b| a <= b),
        ("gt", |a, b| a > b),
        ("ge", |a, b| a >= b),
        ("equ", |a, b| a == b || a.is_nan() || b.is_nan()),
        ("neu", |a, b| a != b),
        ("ltu", |a, b| !(a >= b)),
        ("leu", |a, b| !(a > b)),
        ("gtu", |a, b| !(a <= b)),
        ("geu", |a, b| !(a < b)),
        ("num", |a, b| !a.is_nan() && !b.is_nan()),
        ("nan", |a, b| a.is_nan() || b.is_nan()),
    ] {
        let plain = format!("setp.{name}.f32 $d, $a, $b;");
        check(&plain, Predicate, &[F32, F32], |a, b, _| {
            reference(f(a), f(b)).into()
        });
        let flushed = format!("setp.{name}.ftz.f32 $d, $a, $b;");
        check(&flushed, Predicate, &[F32, F32], |a, b, _| {
            reference(z(f(a)), z(f(b))).into()
        });
        let combined = format!("setp.{name}.and.f32 $d, $a, $b, !$c;");
        check(&combined, Predicate, &[F32, F32, Predicate], |a, b, c| {
            u64::from(reference(f(a), f(b)) && c == 0)
        });
        // The second result is the opposite.
        let second = format!("{{ .reg .pred t; setp.{name}.f32 t|$d, $a, $b; }}");
        check(&second, Predicate, &[F32, F32], |a, b, _| {
            (!reference(f(a), f(b))).into()
        });
    }
    for (name, order) in [
        ("lt", [1, 0, 0]),
        ("le", [1, 1, 0]),
        ("gt", [0, 0, 1]),
        ("ge", [0, 1, 1]),
        ("eq", [0, 1, 0]),
        ("ne", [1, 0, 1]),
    ] {
        let holds = |ordering: std::cmp::Ordering| order[(ordering as i8 + 1) as usize];
        check(
            &format!("setp.{name}.s32 $d, $a, $b;"),
            Predicate,
            &[B32, B32],
            |a, b, _| holds((a as i32).cmp(&(b as i32))),
        );
        check(
            &format!("setp.{name}.u32 $d, $a, $b;"),
            Predicate,
            &[B32, B32],
            |a, b, _| holds(a.cmp(&b)),
        );
        check(
            &format!("setp.{name}.s64 $d, $a, $b;"),
            Predicate,
            &[B64, B64],
            |a, b, _| holds((a as i64).cmp(&(b as i64))),
        );
        check(
            &format!("setp.{name}.u64 $d, $a, $b;"),
            Predicate,
            &[B64, B64],
            |a, b, _| holds(a.cmp(&b)),
        );
        check(
            &format!("setp.{name}.s16 $d, $a, $b;"),
            Predicate,
            &[B16, B16],
            |a, b, _| holds((a as i16).cmp(&(b as i16))),
        );
        check(
            &format!("setp.{name}.or.u32 $d, $a, $b, $c;"),
            Predicate,
            &[B32, B32, Predicate],
            |a, b, c| holds(a.cmp(&b)) | c,
        );
    }
    check("set.lt.u32.f32 $d, $a, $b;", B32, &[F32, F32], |a, b, _| {
        if f(a) < f(b) { 0xffff_ffff } else { 0 }
    });
    check(
        "setp.lt.f64 $d, $a, $b;",
        Predicate,
        &[F64, F64],
        |a, b, _| (d(a) < d(b)).into(),
    );
    check(
        "setp.geu.f64 $d, $a, $b;",
        Predicate,
        &[F64, F64],
        |a, b, _| u64::from(!(d(a) < d(b))),
    );
}

#[test]
fn properties_of_numbers() {
    check("testp.finite.f32 $d, $a;", Predicate, &[F32], |a, _, _| {
        f(a).is_finite().into()
    });
    check(
        "testp.infinite.f32 $d, $a;",
        Predicate,
        &[F32],
        |a, _, _| f(a).is_infinite().into(),
    );
    check("testp.number.f32 $d, $a;", Predicate, &[F32], |a, _, _| {
        u64::from(!f(a).is_nan())
    });
    check(
        "testp.notanumber.f64 $d, $a;",
        Predicate,
        &[F64],
        |a, _, _| d(a).is_nan().into(),
    );
    check("testp.normal.f32 $d, $a;", Predicate, &[F32], |a, _, _| {
        f(a).is_normal().into()
    });
    check(
        "testp.subnormal.f32 $d, $a;",
        Predicate,
        &[F32],
        |a, _, _| f(a).is_subnormal().into(),
    );
}

#[test]
fn integers() {
    let two = [B32, B32];
    let three = [B32, B32, B32];
    check("add.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        a.wrapping_add(b)
    });
    check("add.sat.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        (a as i32).saturating_add(b as i32) as u64
    });
    check("sub.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        a.wrapping_sub(b)
    });
    check("sub.sat.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        (a as i32).saturating_sub(b as i32) as u64
    });
    check("mul.lo.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        a.wrapping_mul(b)
    });
    check("mul.hi.u32 $d, $a, $b;", B32, &two, |a, b, _| (a * b) >> 32);
    check("mul.hi.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        ((a as i32 as i64 * b as i32 as i64) >> 32) as u64
    });
    check("mul.wide.s32 $d, $a, $b;", B64, &two, |a, b, _| {
        (a as i32 as i64 * b as i32 as i64) as u64
    });
    check("mul.wide.u32 $d, $a, $b;", B64, &two, |a, b, _| a * b);
    check("mul.wide.u16 $d, $a, $b;", B32, &[B16, B16], |a, b, _| {
        a * b
    });
    check("mul.wide.s16 $d, $a, $b;", B32, &[B16, B16], |a, b, _| {
        (a as i16 as i32 * b as i16 as i32) as u64
    });
    check("mad.lo.s32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        a.wrapping_mul(b).wrapping_add(c)
    });
    check("mad.hi.u32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        ((a * b) >> 32).wrapping_add(c)
    });
    check(
        "mad.wide.s32 $d, $a, $b, $c;",
        B64,
        &[B32, B32, B64],
        |a, b, c| (a as i32 as i64 * b as i32 as i64).wrapping_add(c as i64) as u64,
    );
    check(
        "mad.wide.u32 $d, $a, $b, $c;",
        B64,
        &[B32, B32, B64],
        |a, b, c| (a * b).wrapping_add(c),
    );
    check("mul24.lo.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        (((a as i32) << 8 >> 8) as i64 * ((b as i32) << 8 >> 8) as i64) as u64
    });
    check("mad24.lo.u32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        ((a & 0xff_ffff) * (b & 0xff_ffff)).wrapping_add(c)
    });
    check("min.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        (a as i32).min(b as i32) as u64
    });
    check("max.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        (a as i32).max(b as i32) as u64
    });
    check("min.u32 $d, $a, $b;", B32, &two, |a, b, _| a.min(b));
    check("max.u32 $d, $a, $b;", B32, &two, |a, b, _| a.max(b));
    check("max.s64 $d, $a, $b;", B64, &[B64, B64], |a, b, _| {
        (a as i64).max(b as i64) as u64
    });
    check("neg.s32 $d, $a;", B32, &[B32], |a, _, _| a.wrapping_neg());
    check("abs.s32 $d, $a;", B32, &[B32], |a, _, _| {
        (a as i32).wrapping_abs() as u64
    });
    check("sad.u32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        a.abs_diff(b).wrapping_add(c)
    });
    check("sad.s32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        u64::from((a as i32).abs_diff(b as i32)).wrapping_add(c)
    });
    // Division by zero is left open by the language.
    let quotient = |x: u64, by: u64| if by == 0 { u64::MAX } else { x / by };
    check("div.u32 $d, $a, $b;", B32, &two, |a, b, _| quotient(a, b));
    check("div.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        if b == 0 {
            u64::MAX
        } else {
            (a as i32).wrapping_div(b as i32) as u64
        }
    });
    check("rem.u32 $d, $a, $b;", B32, &two, |a, b, _| {
        if b == 0 { a } else { a % b }
    });
    check("rem.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        if b == 0 {
            a
        } else {
            (a as i32).wrapping_rem(b as i32) as u64
        }
    });
}

#[test]
fn wide_integers() {
    let two = [B64, B64];
    check("add.s64 $d, $a, $b;", B64, &two, |a, b, _| {
        a.wrapping_add(b)
    });
    check("sub.s64 $d, $a, $b;", B64, &two, |a, b, _| {
        a.wrapping_sub(b)
    });
    check("mul.lo.s64 $d, $a, $b;", B64, &two, |a, b, _| {
        a.wrapping_mul(b)
    });
    check(
        "mad.lo.s64 $d, $a, $b, $c;",
        B64,
        &[B64, B64, B64],
        |a, b, c| a.wrapping_mul(b).wrapping_add(c),
    );
    check("mul.hi.u64 $d, $a, $b;", B64, &two, |a, b, _| {
        ((u128::from(a) * u128::from(b)) >> 64) as u64
    });
    check("mul.hi.s64 $d, $a, $b;", B64, &two, |a, b, _| {
        ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
    });
    check("div.u64 $d, $a, $b;", B64, &two, |a, b, _| {
        if b == 0 { u64::MAX } else { a / b }
    });
    check("div.s64 $d, $a, $b;", B64, &two, |a, b, _| {
        if b == 0 {
            u64::MAX
        } else {
            (a as i64).wrapping_div(b as i64) as u64
        }
    });
    check("rem.s64 $d, $a, $b;", B64, &two, |a, b, _| {
        if b == 0 {
            a
        } else {
            (a as i64).wrapping_rem(b as i64) as u64
        }
    });
    check("min.u64 $d, $a, $b;", B64, &two, |a, b, _| a.min(b));
    check("neg.s64 $d, $a;", B64, &[B64], |a, _, _| a.wrapping_neg());
    check("abs.s64 $d, $a;", B64, &[B64], |a, _, _| {
        (a as i64).wrapping_abs() as u64
    });
}

#[test]
fn bits_of_words() {
    let two = [B32, B32];
    for (name, reference) in [
        ("and", (|a, b| a & b) as fn(u64, u64) -> u64),
        ("or", |a, b| a | b),
        ("xor", |a, b| a ^ b),
    ] {
        check(&format!("{name}.b32 $d, $a, $b;"), B32, &two, |a, b, _| {
            reference(a, b)
        });
        check(
            &format!("{name}.b64 $d, $a, $b;"),
            B64,
            &[B64, B64],
            |a, b, _| reference(a, b),
        );
        check(
            &format!("{name}.b16 $d, $a, $b;"),
            B16,
            &[B16, B16],
            |a, b, _| reference(a, b),
        );
        check(
            &format!("{name}.pred $d, $a, $b;"),
            Predicate,
            &[Predicate, Predicate],
            |a, b, _| reference(a, b),
        );
    }
    check("not.b32 $d, $a;", B32, &[B32], |a, _, _| !a);
    check("not.b64 $d, $a;", B64, &[B64], |a, _, _| !a);
    check("not.pred $d, $a;", Predicate, &[Predicate], |a, _, _| 1 - a);
    check("mov.pred $d, $a;", Predicate, &[Predicate], |a, _, _| a);
    check("cnot.b32 $d, $a;", B32, &[B32], |a, _, _| u64::from(a == 0));
    let shift = |a: u64, n: u64, width: u32| if n >= u64::from(width) { 0 } else { a << n };
    check("shl.b32 $d, $a, $b;", B32, &two, |a, b, _| shift(a, b, 32));
    check("shl.b64 $d, $a, $b;", B64, &[B64, B32], |a, b, _| {
        shift(a, b, 64)
    });
    check("shl.b16 $d, $a, $b;", B16, &[B16, B32], |a, b, _| {
        shift(a, b, 16)
    });
    check("shr.u32 $d, $a, $b;", B32, &two, |a, b, _| {
        if b > 31 { 0 } else { a >> b }
    });
    check("shr.s32 $d, $a, $b;", B32, &two, |a, b, _| {
        ((a as i32) >> b.min(31)) as u64
    });
    check("shr.u64 $d, $a, $b;", B64, &[B64, B32], |a, b, _| {
        if b > 63 { 0 } else { a >> b }
    });
    check("shr.s64 $d, $a, $b;", B64, &[B64, B32], |a, b, _| {
        ((a as i64) >> b.min(63)) as u64
    });
    check("shr.s16 $d, $a, $b;", B16, &[B16, B32], |a, b, _| {
        ((a as i16) >> b.min(15)) as u64
    });
    check("popc.b32 $d, $a;", B32, &[B32], |a, _, _| {
        u64::from(a.count_ones())
    });
    check("popc.b64 $d, $a;", B32, &[B64], |a, _, _| {
        u64::from(a.count_ones())
    });
    check("clz.b32 $d, $a;", B32, &[B32], |a, _, _| {
        u64::from((a as u32).leading_zeros())
    });
    check("clz.b64 $d, $a;", B32, &[B64], |a, _, _| {
        u64::from(a.leading_zeros())
    });
    check("brev.b32 $d, $a;", B32, &[B32], |a, _, _| {
        u64::from((a as u32).reverse_bits())
    });
    check("brev.b64 $d, $a;", B64, &[B64], |a, _, _| a.reverse_bits());
    check("bfind.u32 $d, $a;", B32, &[B32], |a, _, _| {
        u64::from(31_u32.wrapping_sub((a as u32).leading_zeros()))
    });
    check("bfind.shiftamt.u32 $d, $a;", B32, &[B32], |a, _, _| {
        if a == 0 {
            0xffff_ffff
        } else {
            u64::from((a as u32).leading_zeros())
        }
    });
    check("bfind.s32 $d, $a;", B32, &[B32], |a, _, _| {
        let a = a as i32;
        u64::from(31_u32.wrapping_sub(if a < 0 { !a } else { a }.leading_zeros()))
    });
    let three = [B32, B32, B32];
    check("lop3.b32 $d, $a, $b, $c, 0xe8;", B32, &three, |a, b, c| {
        (a & b) | (a & c) | (b & c)
    });
    check("lop3.b32 $d, $a, $b, $c, 0x96;", B32, &three, |a, b, c| {
        a ^ b ^ c
    });
    check("shf.l.wrap.b32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        ((b << 32 | a) << (c & 31)) >> 32
    });
    check("shf.r.wrap.b32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        (b << 32 | a) >> (c & 31)
    });
    check("shf.l.clamp.b32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        (((u128::from(b) << 32 | u128::from(a)) << c.min(32)) >> 32) as u64
    });
    check("shf.r.clamp.b32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        (b << 32 | a) >> c.min(32)
    });
    let bytes = |a: u64, b: u64| [(a as u32).to_le_bytes(), (b as u32).to_le_bytes()].concat();
    check("prmt.b32 $d, $a, $b, 0x5410;", B32, &two, |a, b, _| {
        a & 0xffff | (b & 0xffff) << 16
    });
    check("prmt.b32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        (0..4).fold(0, |word, place| {
            let selector = c >> (4 * place) & 15;
            let byte = bytes(a, b)[(selector & 7) as usize];
            let byte = if selector & 8 == 0 {
                byte
            } else {
                (byte as i8 >> 7) as u8
            };
            word | u64::from(byte) << (8 * place)
        })
    });
}

/// A slow loop over bits, as the manual has it.
fn extract(a: u64, start: u64, length: u64, width: u64, signed: bool) -> u64 {
    let (start, length) = (start & 255, length & 255);
    let last = (start + length).saturating_sub(1).min(width - 1);
    let sign = if signed && length > 0 {
        a >> last & 1
    } else {
        0
    };
    (0..width).fold(0, |result, place| {
        let inside = place < length && start + place < width;
        let bit = if inside {
            a >> (start + place) & 1
        } else {
            sign
        };
        result | bit << place
    })
}

#[test]
fn fields_of_bits() {
    let three = [B32, B32, B32];
    check("bfe.u32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        extract(a, b, c, 32, false)
    });
    check("bfe.s32 $d, $a, $b, $c;", B32, &three, |a, b, c| {
        extract(a, b, c, 32, true)
    });
    check(
        "bfe.u64 $d, $a, $b, $c;",
        B64,
        &[B64, B32, B32],
        |a, b, c| extract(a, b, c, 64, false),
    );
    check(
        "bfe.s64 $d, $a, $b, $c;",
        B64,
        &[B64, B32, B32],
        |a, b, c| extract(a, b, c, 64, true),
    );
    for (start, length) in [(0, 8), (4, 12), (16, 16), (31, 1), (8, 64), (40, 4), (3, 0)] {
        let instruction = format!("bfi.b32 $d, $a, $b, {start}, {length};");
        check(&instruction, B32, &[B32, B32], |a, b, _| {
            (0..32_u64).fold(0, |result, place| {
                let inside = place >= start && place < start + length;
                let bit = if inside {
                    a >> (place - start) & 1
                } else {
                    b >> place & 1
                };
                result | bit << place
            })
        });
    }
}

#[test]
fn selections_and_moves() {
    check(
        "selp.b32 $d, $a, $b, $c;",
        B32,
        &[B32, B32, Predicate],
        |a, b, c| if c == 1 { a } else { b },
    );
    check(
        "selp.f64 $d, $a, $b, $c;",
        F64,
        &[F64, F64, Predicate],
        |a, b, c| if c == 1 { a } else { b },
    );
    check(
        "selp.b16 $d, $a, $b, $c;",
        B16,
        &[B16, B16, Predicate],
        |a, b, c| if c == 1 { a } else { b },
    );
    check(
        "slct.s32.s32 $d, $a, $b, $c;",
        B32,
        &[B32, B32, B32],
        |a, b, c| if c as i32 >= 0 { a } else { b },
    );
    check("mov.b32 $d, $a;", B32, &[B32], |a, _, _| a);
    check("mov.b64 $d, $a;", B64, &[B64], |a, _, _| a);
    check("mov.b64 $d, {$a, $b};", B64, &[B32, B32], |a, b, _| {
        a | b << 32
    });
    check("mov.b32 $d, {$a, $b};", B32, &[B16, B16], |a, b, _| {
        a | b << 16
    });
    check("mov.b64 {%r0, $d}, $a;", B32, &[B64], |a, _, _| a >> 32);
    check("mov.b64 {$d, _}, $a;", B32, &[B64], |a, _, _| a);
    check("mov.u32 $d, 0x7fffffff;", B32, &[], |_, _, _| 0x7fff_ffff);
    check("mov.f32 $d, 0f3F800000;", F32, &[], |_, _, _| of(1.0));
    check("mov.f64 $d, 0d3FF8000000000000;", F64, &[], |_, _, _| {
        1.5_f64.to_bits()
    });
    check("mov.u32 $d, -5;", B32, &[], |_, _, _| -5_i32 as u32 as u64);
    check(
        "{ setp.ne.u32 %q0, $a, 0; mov.u32 $d, 1; @!%q0 mov.u32 $d, 2; }",
        B32,
        &[B32],
        |a, _, _| if a != 0 { 1 } else { 2 },
    );
}

#[test]
fn carries() {
    let wide = "{ .reg .b32 al, ah, bl, bh; mov.b64 {al, ah}, $a; mov.b64 {bl, bh}, $b;";
    let sum =
        format!("{wide} add.cc.u32 al, al, bl; addc.u32 ah, ah, bh; mov.b64 $d, {{al, ah}}; }}");
    check(&sum, B64, &[B64, B64], |a, b, _| a.wrapping_add(b));
    let difference =
        format!("{wide} sub.cc.u32 al, al, bl; subc.u32 ah, ah, bh; mov.b64 $d, {{al, ah}}; }}");
    check(&difference, B64, &[B64, B64], |a, b, _| a.wrapping_sub(b));
    let product = format!(
        "{wide} .reg .b32 l, h; mul.lo.u32 l, al, bl; mul.hi.u32 h, al, bl; mad.lo.cc.u32 l, al, bl, 7; madc.hi.u32 h, al, bl, 0; mov.b64 $d, {{l, h}}; }}"
    );
    check(&product, B64, &[B64, B64], |a, b, _| {
        (a & 0xffff_ffff)
            .wrapping_mul(b & 0xffff_ffff)
            .wrapping_add(7)
    });
}

#[test]
fn conversions_between_numbers() {
    check("cvt.f64.f32 $d, $a;", F64, &[F32], |a, _, _| {
        f64::from(f(a)).to_bits()
    });
    check("cvt.ftz.f64.f32 $d, $a;", F64, &[F32], |a, _, _| {
        f64::from(z(f(a))).to_bits()
    });
    check("cvt.rn.f32.f64 $d, $a;", F32, &[F64], |a, _, _| {
        of(d(a) as f32)
    });
    check("cvt.sat.f32.f32 $d, $a;", F32, &[F32], |a, _, _| {
        of(if f(a) > 0.0 { f(a).min(1.0) } else { 0.0 })
    });
    for (name, reference) in [
        ("rni", f32::round_ties_even as fn(f32) -> f32),
        ("rzi", f32::trunc),
        ("rmi", f32::floor),
        ("rpi", f32::ceil),
    ] {
        check(
            &format!("cvt.{name}.f32.f32 $d, $a;"),
            F32,
            &[F32],
            |a, _, _| of(reference(f(a))),
        );
        let zero_if_nan = |a: f32| if a.is_nan() { 0.0 } else { reference(a) };
        check(
            &format!("cvt.{name}.s32.f32 $d, $a;"),
            B32,
            &[F32],
            |a, _, _| zero_if_nan(f(a)) as i32 as u64,
        );
        check(
            &format!("cvt.{name}.u32.f32 $d, $a;"),
            B32,
            &[F32],
            |a, _, _| u64::from(zero_if_nan(f(a)) as u32),
        );
        let least_if_nan = |a: f32| {
            if a.is_nan() {
                i64::MIN
            } else {
                reference(a) as i64
            }
        };
        check(
            &format!("cvt.{name}.s64.f32 $d, $a;"),
            B64,
            &[F32],
            |a, _, _| least_if_nan(f(a)) as u64,
        );
    }
    check("cvt.rzi.s32.f64 $d, $a;", B32, &[F64], |a, _, _| {
        if d(a).is_nan() {
            0x8000_0000
        } else {
            d(a) as i32 as u64
        }
    });
    check("cvt.rzi.u64.f64 $d, $a;", B64, &[F64], |a, _, _| {
        if d(a).is_nan() { 1 << 63 } else { d(a) as u64 }
    });
    check("cvt.rmi.f64.f64 $d, $a;", F64, &[F64], |a, _, _| {
        d(a).floor().to_bits()
    });
    check("cvt.rn.f32.s32 $d, $a;", F32, &[B32], |a, _, _| {
        of(a as i32 as f32)
    });
    check("cvt.rn.f32.u32 $d, $a;", F32, &[B32], |a, _, _| {
        of(a as u32 as f32)
    });
    check(
        "cvt.rn.f32.u64 $d, $a;",
        F32,
        &[B64],
        |a, _, _| of(a as f32),
    );
    check("cvt.rn.f32.s64 $d, $a;", F32, &[B64], |a, _, _| {
        of(a as i64 as f32)
    });
    check("cvt.rz.f32.u32 $d, $a;", F32, &[B32], |a, _, _| {
        of(directed(a as f64, "rz"))
    });
    check("cvt.rp.f32.s32 $d, $a;", F32, &[B32], |a, _, _| {
        of(directed(f64::from(a as i32), "rp"))
    });
    check("cvt.rn.f64.s32 $d, $a;", F64, &[B32], |a, _, _| {
        f64::from(a as i32).to_bits()
    });
    check("cvt.rn.f64.u64 $d, $a;", F64, &[B64], |a, _, _| {
        (a as f64).to_bits()
    });
}

#[test]
fn conversions_between_integers() {
    check("cvt.s64.s32 $d, $a;", B64, &[B32], |a, _, _| {
        a as i32 as u64
    });
    check("cvt.u64.u32 $d, $a;", B64, &[B32], |a, _, _| a);
    check("cvt.u32.u64 $d, $a;", B32, &[B64], |a, _, _| a);
    check("cvt.s32.s16 $d, $a;", B32, &[B16], |a, _, _| {
        a as i16 as i32 as u64
    });
    check("cvt.s32.s8 $d, $a;", B32, &[B32], |a, _, _| {
        a as i8 as i32 as u64
    });
    check("cvt.u16.u32 $d, $a;", B16, &[B32], |a, _, _| a);
    check("cvt.s16.s8 $d, $a;", B16, &[B16], |a, _, _| {
        a as i8 as i16 as u64
    });
    check("cvt.sat.u8.s32 $d, $a;", B32, &[B32], |a, _, _| {
        (a as i32).clamp(0, 255) as u64
    });
    check("cvt.sat.s16.s32 $d, $a;", B16, &[B32], |a, _, _| {
        (a as i32).clamp(-32768, 32767) as u64
    });
}

#[test]
fn conversions_of_halves() {
    // A half from a number of 32 bits: the nearest of all halves, the even one of two.
    let halves = |kind: Kind| -> Vec<(u64, f64)> {
        let value = |bits: u64| match kind {
            F16 => cuda::numbers::f16_to_f64(bits as u16),
            _ => f64::from(f32::from_bits((bits as u32) << 16)),
        };
        let most = if kind == F16 { 0x7c00 } else { 0x7f80 };
        (0..most).map(|bits| (bits, value(bits))).collect()
    };
    for (kind, name) in [(F16, "f16"), (BF16, "bf16")] {
        let table = halves(kind);
        let (infinity, last) = (table.len() as u64, table[table.len() - 1].1);
        let step = last - table[table.len() - 2].1;
        check(
            &format!("cvt.rn.{name}.f32 $d, $a;"),
            kind,
            &[F32],
            |a, _, _| {
                let value = f64::from(f(a));
                let sign = u64::from(value.is_sign_negative()) << 15;
                let magnitude = value.abs();
                if value.is_nan() {
                    return 0x7fff;
                }
                if magnitude >= last + step / 2.0 {
                    return sign | infinity;
                }
                let above = table
                    .partition_point(|(_, half)| *half < magnitude)
                    .min(table.len() - 1);
                let below = above.saturating_sub(1);
                let (up, down) = (table[above].1 - magnitude, magnitude - table[below].1);
                let chosen = match up.total_cmp(&down) {
                    std::cmp::Ordering::Less => above,
                    std::cmp::Ordering::Greater => below,
                    _ => below + (below & 1),
                };
                sign | chosen as u64
            },
        );
        check(
            &format!("cvt.f32.{name} $d, $a;"),
            F32,
            &[kind],
            |a, _, _| {
                let infinity_or_nan = a & 0x7fff;
                if infinity_or_nan > infinity {
                    return of(f32::NAN);
                }
                let magnitude = match table.get(infinity_or_nan as usize) {
                    Some((_, value)) => *value as f32,
                    None => f32::INFINITY,
                };
                of(if a >> 15 != 0 { -magnitude } else { magnitude })
            },
        );
    }
    check(
        "cvt.rn.bf16x2.f32 $d, $a, $b;",
        B32,
        &[F32, F32],
        |a, b, _| {
            let half = |bits: u64| u64::from(cuda::numbers::bf16(f(bits)));
            half(a) << 16 | half(b)
        },
    );
    check("cvt.rn.relu.bf16.f32 $d, $a;", BF16, &[F32], |a, _, _| {
        let value = f(a);
        u64::from(cuda::numbers::bf16(if value < 0.0 { 0.0 } else { value }))
    });
    check(
        "cvt.rna.tf32.f32 $d, $a;",
        F32,
        &[F32],
        |a, _, _| match f(a).is_finite() {
            true => a.wrapping_add(0x1000) & 0xffff_e000,
            false => a,
        },
    );
}

#[test]
fn an_unknown_instruction_is_refused() {
    let source =
        format!("{HEADER}.visible .entry k() {{ .reg .b32 %r; frobnicate.b32 %r, 1; ret; }}");
    let error = cuda::ptx::parse(&source, |_| Ok(0)).unwrap_err();
    assert!(
        error.contains("line 4") && error.contains("frobnicate"),
        "{error}"
    );
}
