//! Arithmetic of integers, and bits.

use super::*;

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
    let quotient = |x: u64, by: u64| x.checked_div(by).unwrap_or(u64::MAX);
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
        a.checked_div(b).unwrap_or(u64::MAX)
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
