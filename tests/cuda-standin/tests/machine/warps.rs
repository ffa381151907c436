//! Matrices and exchanges of a warp.

use super::*;

#[test]
fn matrices_are_loaded() {
    for (suffix, transposed) in [("", false), (".trans", true)] {
        let body = format!(
            "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 4;
  add.u32 %r0, %r0, %r1;
  mul.wide.u32 %x0, %i, 16;
  add.s64 %x0, %x0, %p1;
  ld.global.v4.u32 {{%r2, %r3, %r4, %r5}}, [%x0];
  st.shared.v4.u32 [%r0], {{%r2, %r3, %r4, %r5}};
  bar.warp.sync -1;
  ldmatrix.sync.aligned.m8n8.x4{suffix}.shared.b16 {{%r6, %r7, %r8, %r9}}, [%r0];
  mul.wide.u32 %x1, %i, 16;
  add.s64 %x1, %x1, %p0;
  st.global.v4.u32 [%x1], {{%r6, %r7, %r8, %r9}};"
        );
        // Element (row, column) of matrix m is m·64 + row·8 + column.
        let input: Vec<u32> = (0..128)
            .map(|pair| (2 * pair) | ((2 * pair + 1) << 16))
            .collect();
        let mut device = Device::new();
        let (to, from) = (device.empty(512), device.words(&input));
        device.run_clean(
            &kernel(REVERSE, &body),
            &Shape::threads(32),
            &[to, from, to],
        );
        let found = device.read_words(to, 128);
        for lane in 0..32 {
            for matrix in 0..4 {
                let element = |row: u32, column: u32| matrix * 64 + row * 8 + column;
                let (row, column) = (lane / 4, 2 * (lane % 4));
                let expected = match transposed {
                    false => element(row, column) | element(row, column + 1) << 16,
                    true => element(column, row) | element(column + 1, row) << 16,
                };
                assert_eq!(found[(4 * lane + matrix) as usize], expected);
            }
        }
    }
}

/// A number that is not like its neighbours.
fn number(index: u32) -> f32 {
    let hash = (index + 1).wrapping_mul(2_654_435_761) >> 8;
    hash as f32 / 8_388_608.0 - 1.0
}

/// A product of 16 rows and 8 columns, its fragments laid out as the manual says.
fn matrix_product(name: &str, depth: usize, perturb: u32) -> (Vec<f32>, Vec<f64>) {
    let halves = name != "tf32";
    let round = |x: f32| match name {
        "bf16" => u32::from(bf16(x)),
        "f16" => u32::from(half(f64::from(x), Type::F16, Rounding::Nearest)),
        _ => x.to_bits() & 0xffff_e000,
    };
    let value = |bits: u32| match name {
        "bf16" => bf16_to_f32(bits as u16),
        "f16" => f16_to_f32(bits as u16),
        _ => f32::from_bits(bits),
    };
    let a = |row: usize, k: usize| round(number((row * depth + k) as u32));
    let b = |k: usize, column: usize| round(number((1000 + k * 8 + column) as u32));
    let c = |row: usize, column: usize| number((2000 + row * 8 + column) as u32);
    let (of_a, of_b) = if halves {
        (depth / 4, depth / 8)
    } else {
        (depth / 2, depth / 4)
    };
    let mut input = Vec::new();
    for lane in 0..32 {
        let (group, thread) = (lane / 4, lane % 4);
        for register in 0..of_a {
            let row = group + if register % 2 == 1 { 8 } else { 0 };
            input.push(if halves {
                let k = 2 * thread + if register >= 2 { 8 } else { 0 };
                a(row, k) | a(row, k + 1) << 16
            } else {
                a(row, thread + if register >= 2 { 4 } else { 0 })
            });
        }
        for register in 0..of_b {
            input.push(if halves {
                let k = 2 * thread + if register >= 1 { 8 } else { 0 };
                b(k, group) | b(k + 1, group) << 16
            } else {
                b(thread + if register >= 1 { 4 } else { 0 }, group)
            });
        }
        for part in 0..4 {
            let row = group + if part >= 2 { 8 } else { 0 };
            input.push(c(row, 2 * thread + part % 2).to_bits());
        }
        input.resize((lane + 1) * 12, 0);
    }
    let list = |first: usize, count: usize| -> String {
        let names: Vec<String> = (first..first + count).map(|r| format!("%r{r}")).collect();
        names.join(", ")
    };
    let loads: String = (0..of_a + of_b + 4)
        .map(|r| format!("  ld.global.u32 %r{r}, [%x0+{}];\n", 4 * r))
        .collect();
    let body = format!(
        "
  mul.wide.u32 %x0, %i, 48;
  add.s64 %x0, %x0, %p1;
{loads}
  mma.sync.aligned.m16n8k{depth}.row.col.f32.{name}.{name}.f32 {{%f0, %f1, %f2, %f3}}, {{{}}}, {{{}}}, {{{}}};
  mul.wide.u32 %x1, %i, 16;
  add.s64 %x1, %x1, %p0;
  st.global.v4.f32 [%x1], {{%f0, %f1, %f2, %f3}};",
        list(0, of_a),
        list(of_a, of_b),
        list(of_a + of_b, 4)
    );
    let mut device = Device::new();
    let (to, from) = (device.empty(512), device.words(&input));
    let shape = Shape::threads(32).checks(Checks {
        perturb,
        ..Checks::default()
    });
    device.run_clean(&kernel("", &body), &shape, &[to, from, to]);
    let words = device.read_floats(to, 128);
    let (mut found, mut expected) = (Vec::new(), Vec::new());
    for row in 0..16 {
        for column in 0..8 {
            let lane = row % 8 * 4 + column / 2;
            found.push(words[4 * lane + column % 2 + if row >= 8 { 2 } else { 0 }]);
            let products =
                (0..depth).map(|k| f64::from(value(a(row, k))) * f64::from(value(b(k, column))));
            expected.push(f64::from(c(row, column)) + products.sum::<f64>());
        }
    }
    (found, expected)
}

#[test]
fn matrices_are_multiplied() {
    for (name, depth) in [
        ("bf16", 16),
        ("bf16", 8),
        ("f16", 16),
        ("f16", 8),
        ("tf32", 8),
        ("tf32", 4),
    ] {
        let (found, expected) = matrix_product(name, depth, 0);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (f64::from(*found) - expected).abs() < 2e-6,
                "{name} {depth}: {found} {expected}"
            );
        }
        // Another order of the sums changes last bits at most.
        let (perturbed, _) = matrix_product(name, depth, 5);
        for (a, b) in found.iter().zip(&perturbed) {
            assert!((a - b).abs() < 2e-6);
        }
    }
    assert_ne!(
        matrix_product("tf32", 8, 0).0,
        matrix_product("tf32", 8, 5).0
    );
}

/// A mode of `shfl`, its offset and limits, and the lane that a lane reads.
type Exchange = (&'static str, u32, u32, fn(u32) -> u32);

#[test]
fn lanes_exchange_words() {
    let shuffles: [Exchange; 6] = [
        (
            "down",
            3,
            31,
            |lane| if lane + 3 < 32 { lane + 3 } else { lane },
        ),
        ("up", 2, 0, |lane| if lane >= 2 { lane - 2 } else { lane }),
        ("bfly", 8, 31, |lane| lane ^ 8),
        ("idx", 5, 31, |_| 5),
        // In segments of 8 lanes.
        ("down", 3, 0x181f, |lane| {
            if lane % 8 + 3 < 8 { lane + 3 } else { lane }
        }),
        ("idx", 2, 0x181f, |lane| lane / 8 * 8 + 2),
    ];
    for (mode, offset, limits, reference) in shuffles {
        let body = format!(
            "  mul.lo.u32 %r0, %i, 3;
  shfl.sync.{mode}.b32 %r1|%q0, %r0, {offset}, {limits}, -1;
  selp.u32 %r2, 1000, 0, %q0;
  add.u32 %r1, %r1, %r2;
  st.global.u32 [%at0], %r1;"
        );
        let found = words(&body, &Shape::threads(32));
        for (lane, found) in (0..32).zip(found) {
            let inside = mode == "idx" || reference(lane) != lane;
            let expected = 3 * reference(lane) + if inside { 1000 } else { 0 };
            assert_eq!(found, expected, "{mode} {offset} {limits:#x}, lane {lane}");
        }
    }
}

#[test]
fn lanes_vote_and_reduce() {
    let one = |statement: &str| {
        words(
            &format!("  setp.lt.u32 %q0, %i, 10;\n  {statement}\n  st.global.u32 [%at0], %r0;"),
            &Shape::threads(32),
        )
    };
    let pred = |statement: &str| one(&format!("{statement} selp.u32 %r0, 1, 0, %q1;"));
    assert_eq!(one("vote.sync.ballot.b32 %r0, %q0, -1;"), [0x3ff; 32]);
    assert_eq!(one("vote.sync.ballot.b32 %r0, !%q0, -1;"), [!0x3ff; 32]);
    assert_eq!(pred("vote.sync.all.pred %q1, %q0, -1;"), [0; 32]);
    assert_eq!(pred("vote.sync.any.pred %q1, %q0, -1;"), [1; 32]);
    assert_eq!(pred("vote.sync.uni.pred %q1, %q0, -1;"), [0; 32]);
    assert_eq!(one("redux.sync.add.u32 %r0, %i, -1;"), [triangle(31); 32]);
    assert_eq!(
        one("sub.s32 %r1, %i, 5; redux.sync.min.s32 %r0, %r1, -1;"),
        [-5_i32 as u32; 32]
    );
    assert_eq!(one("redux.sync.max.u32 %r0, %i, -1;"), [31; 32]);
    assert_eq!(
        one("or.b32 %r1, %i, 4; redux.sync.and.b32 %r0, %r1, -1;"),
        [4; 32]
    );
    assert_eq!(one("redux.sync.xor.b32 %r0, %i, -1;"), [0; 32]);
    assert_eq!(one("activemask.b32 %r0;"), [u32::MAX; 32]);
    assert_eq!(pred("elect.sync _|%q1, -1;")[..3], [1, 0, 0]);
    let matching = one("shr.u32 %r1, %i, 3; match.any.sync.b32 %r0, %r1, -1;");
    assert_eq!((matching[0], matching[31]), (0xff, 0xff00_0000));
    assert_eq!(pred("match.all.sync.b32 %r0|%q1, %i, -1;"), [0; 32]);
}
