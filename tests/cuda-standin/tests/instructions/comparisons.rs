//! Comparisons, selections and moves.

use super::*;

#[test]
fn comparisons() {
    for (name, reference) in [
        ("eq", (|a, b| a == b) as fn(f32, f32) -> bool),
        ("ne", |a, b| {
            a.partial_cmp(&b).is_some_and(|order| order.is_ne())
        }),
        ("lt", |a, b| a < b),
        ("le", |a, b| a <= b),
        ("gt", |a, b| a > b),
        ("ge", |a, b| a >= b),
        ("equ", |a, b| a == b || a.is_nan() || b.is_nan()),
        ("neu", |a, b| a != b),
        ("ltu", |a, b| {
            a.partial_cmp(&b).is_none_or(|order| order.is_lt())
        }),
        ("leu", |a, b| {
            a.partial_cmp(&b).is_none_or(|order| order.is_le())
        }),
        ("gtu", |a, b| {
            a.partial_cmp(&b).is_none_or(|order| order.is_gt())
        }),
        ("geu", |a, b| {
            a.partial_cmp(&b).is_none_or(|order| order.is_ge())
        }),
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
        |a, b, _| u64::from(d(a).partial_cmp(&d(b)).is_none_or(|order| order.is_ge())),
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
