//! Conversions.

use super::*;

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
            let half = |bits: u64| u64::from(cuda::bits::bf16(f(bits)));
            half(a) << 16 | half(b)
        },
    );
    check("cvt.rn.relu.bf16.f32 $d, $a;", BF16, &[F32], |a, _, _| {
        let value = f(a);
        u64::from(cuda::bits::bf16(if value < 0.0 { 0.0 } else { value }))
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
