//! What threads do together: divergence, barriers, clusters, matrices, exchanges; and calls and memory of each thread.

mod support;

use cuda::{
    machine::Checks,
    numbers::{bf16, bf16_to_f32, f16_to_f32, half},
    ptx::types::{Rounding, Type},
};
use support::{Device, HEADER, Shape, kernel};

/// Runs a kernel that writes a word a thread to its first address, and returns the words.
fn words(body: &str, shape: &Shape) -> Vec<u32> {
    words_of(&kernel("", body), shape, &[])
}

fn words_of(source: &str, shape: &Shape, input: &[u32]) -> Vec<u32> {
    let mut device = Device::new();
    let count = (shape.blocks * shape.threads) as usize;
    let to = device.empty(4 * count);
    let from = device.words(if input.is_empty() { &[0] } else { input });
    let more = device.words(&[0; 64]);
    device.run_clean(source, shape, &[to, from, more]);
    device.read_words(to, count)
}

/// All orders in which warps may run, and without the race check.
fn orders(shape: &Shape) -> Vec<Shape> {
    let mut shapes = vec![shape.clone().checks(Checks {
        races: false,
        ..Checks::default()
    })];
    for seed in 0..4 {
        let starve = seed > 1;
        shapes.push(shape.clone().checks(Checks {
            seed,
            starve,
            ..Checks::default()
        }));
    }
    shapes
}

fn triangle(n: u32) -> u32 {
    n * (n + 1) / 2
}

#[test]
fn lanes_diverge_and_meet_again() {
    // Each lane counts up to its own number, odd lanes double the result, and a shuffle needs all of them.
    let body = "
  mov.u32 %r0, 0;  mov.u32 %r1, 0;
LOOP:
  setp.gt.u32 %q0, %r0, %i;
  @%q0 bra DONE;
  add.u32 %r1, %r1, %r0;
  add.u32 %r0, %r0, 1;
  bra LOOP;
DONE:
  and.b32 %r2, %i, 1;
  setp.eq.u32 %q1, %r2, 0;
  @%q1 bra EVEN;
  shl.b32 %r1, %r1, 1;
EVEN:
  shfl.sync.bfly.b32 %r3, %r1, 1, 31, -1;
  add.u32 %r1, %r1, %r3;
  st.global.u32 [%at0], %r1;";
    let value = |lane: u32| triangle(lane) * if lane % 2 == 1 { 2 } else { 1 };
    let expected: Vec<u32> = (0..32).map(|lane| value(lane) + value(lane ^ 1)).collect();
    for shape in orders(&Shape::threads(32)) {
        assert_eq!(words(body, &shape), expected);
    }
}

#[test]
fn a_table_of_branches() {
    let body = "
  and.b32 %r0, %i, 3;
TABLE: .branchtargets A, B, C, D;
  brx.idx %r0, TABLE;
A: mov.u32 %r1, 10;  bra END;
B: mov.u32 %r1, 20;  bra END;
C: mov.u32 %r1, 30;  bra END;
D: mov.u32 %r1, 40;
END:
  st.global.u32 [%at0], %r1;";
    let expected: Vec<u32> = (0..32).map(|lane| 10 * (lane % 4 + 1)).collect();
    assert_eq!(words(body, &Shape::threads(32)), expected);
}

#[test]
fn some_threads_end_early() {
    let body = "
  st.global.u32 [%at0], 7;
  setp.ge.u32 %q0, %i, 20;
  @%q0 exit;
  bar.sync 0;
  st.global.u32 [%at0], 8;";
    let expected: Vec<u32> = (0..32).map(|lane| if lane < 20 { 8 } else { 7 }).collect();
    assert_eq!(words(body, &Shape::threads(32)), expected);
}

const REVERSE: &str = ".shared .align 4 .b8 buffer[1024];";

#[test]
fn a_block_reverses_its_words() {
    let body = "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 2;
  add.u32 %r2, %r0, %r1;
  st.shared.u32 [%r2], %g;
  bar.sync 0;
  sub.u32 %r3, %n, %i;
  shl.b32 %r3, %r3, 2;
  add.u32 %r3, %r3, %r0;
  ld.shared.u32 %r4, [%r3-4];
  st.global.u32 [%at0], %r4;";
    let expected: Vec<u32> = (0..3)
        .flat_map(|block| (0..100).rev().map(move |i| 100 * block + i))
        .collect();
    for shape in orders(&Shape::threads(100).blocks(3)) {
        assert_eq!(words_of(&kernel(REVERSE, body), &shape, &[]), expected);
    }
}

#[test]
fn barriers_with_numbers_and_reductions() {
    // Two pairs of warps have a barrier each; then all threads count, and ask whether all or any hold.
    let body = "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 2;
  add.u32 %r2, %r0, %r1;
  st.shared.u32 [%r2], %i;
  shr.u32 %r5, %i, 6;
  add.u32 %r5, %r5, 1;
  bar.sync %r5, 64;
  xor.b32 %r3, %r1, 128;
  add.u32 %r3, %r3, %r0;
  ld.shared.u32 %r4, [%r3];
  setp.lt.u32 %q0, %i, 50;
  bar.red.popc.u32 %r6, 0, %q0;
  bar.red.and.pred %q1, 0, %q0;
  bar.red.or.pred %q2, 0, %q0;
  selp.u32 %r7, 1000, 0, %q1;
  selp.u32 %r8, 2000, 0, %q2;
  add.u32 %r4, %r4, %r6;
  add.u32 %r4, %r4, %r7;
  add.u32 %r4, %r4, %r8;
  st.global.u32 [%at0], %r4;";
    let expected: Vec<u32> = (0..128).map(|i| (i ^ 32) + 50 + 2000).collect();
    for shape in orders(&Shape::threads(128)) {
        assert_eq!(words_of(&kernel(REVERSE, body), &shape, &[]), expected);
    }
}

#[test]
fn a_producer_arrives_without_waiting() {
    // The second warp waits for what the first has written.
    let body = "
  mov.u32 %r0, buffer;
  and.b32 %r1, %i, 31;
  shl.b32 %r1, %r1, 2;
  add.u32 %r0, %r0, %r1;
  mov.u32 %r2, 5;
  setp.ge.u32 %q0, %i, 32;
  @%q0 bra CONSUMER;
  st.shared.u32 [%r0], %i;
  bar.arrive 1, 64;
  bra END;
CONSUMER:
  bar.sync 1, 64;
  ld.shared.u32 %r2, [%r0];
END:
  st.global.u32 [%at0], %r2;";
    let expected: Vec<u32> = (0..64).map(|i| if i < 32 { 5 } else { i - 32 }).collect();
    for shape in orders(&Shape::threads(64)) {
        assert_eq!(words_of(&kernel(REVERSE, body), &shape, &[]), expected);
    }
}

#[test]
fn a_cluster_shares_its_memory() {
    // Each block writes into its neighbour's memory, and reads what the other neighbour has written.
    let body = "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 2;
  add.u32 %r2, %r0, %r1;
  mov.u32 %r3, %cluster_ctarank;
  mov.u32 %r4, %cluster_nctarank;
  add.u32 %r5, %r3, 1;
  rem.u32 %r5, %r5, %r4;
  barrier.cluster.arrive.relaxed.aligned;
  barrier.cluster.wait.aligned;
  mapa.shared::cluster.u32 %r6, %r2, %r5;
  st.shared::cluster.u32 [%r6], %g;
  barrier.cluster.arrive.release.aligned;
  barrier.cluster.wait.acquire.aligned;
  ld.shared.u32 %r7, [%r2];
  st.global.u32 [%at0], %r7;
  getctarank.shared::cluster.u32 %r8, %r6;
  setp.ne.u32 %q0, %r8, %r5;
  @%q0 trap;";
    let from = |block: u32| block / 4 * 4 + (block + 3) % 4;
    let expected: Vec<u32> = (0..8)
        .flat_map(|b| (0..64).map(move |i| 64 * from(b) + i))
        .collect();
    for shape in orders(&Shape::threads(64).blocks(8).cluster(4)) {
        assert_eq!(words_of(&kernel(REVERSE, body), &shape, &[]), expected);
    }
}

#[test]
fn a_grid_has_a_barrier() {
    let body = "
  st.global.u32 [%at0], %g;
  bar.sync 0;
  setp.ne.u32 %q0, %i, 0;
  @%q0 bra WAITED;
  red.release.gpu.global.add.u32 [%p2], 1;
  mov.u32 %r0, %nctaid.x;
SPIN:
  ld.acquire.gpu.global.u32 %r1, [%p2];
  setp.lt.u32 %q1, %r1, %r0;
  @%q1 bra SPIN;
WAITED:
  bar.sync 0;
  add.u32 %r2, %b, 1;
  rem.u32 %r2, %r2, %r0;
  mov.u32 %r0, %nctaid.x;
  add.u32 %r2, %b, 1;
  rem.u32 %r2, %r2, %r0;
  mad.lo.u32 %r2, %r2, %n, %i;
  mul.wide.u32 %x0, %r2, 4;
  add.s64 %x0, %x0, %p0;
  ld.global.u32 %r3, [%x0];
  bar.sync 0;
  setp.ne.u32 %q0, %i, 0;
  @%q0 bra AGAIN;
  red.release.gpu.global.add.u32 [%p2], 1;
  shl.b32 %r4, %r0, 1;
SPIN2:
  ld.acquire.gpu.global.u32 %r1, [%p2];
  setp.lt.u32 %q1, %r1, %r4;
  @%q1 bra SPIN2;
AGAIN:
  bar.sync 0;
  st.global.u32 [%at0], %r3;";
    let expected: Vec<u32> = (0..6)
        .flat_map(|b| (0..64).map(move |i| 64 * ((b + 1) % 6) + i))
        .collect();
    for shape in orders(&Shape::threads(64).blocks(6).cooperative()) {
        assert_eq!(words_of(&kernel("", body), &shape, &[]), expected);
    }
}

#[test]
fn asynchronous_copies() {
    // Two groups; the second reads 4 of 16 bytes and fills the rest with zeros.
    let body = "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 4;
  add.u32 %r0, %r0, %r1;
  mul.wide.u32 %x0, %i, 16;
  add.s64 %x0, %x0, %p1;
  cp.async.cg.shared.global [%r0], [%x0], 16;
  cp.async.commit_group;
  cp.async.ca.shared.global [%r0+512], [%x0], 16, 4;
  cp.async.commit_group;
  cp.async.wait_group 1;
  ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%r0];
  cp.async.wait_all;
  ld.shared.v4.u32 {%r6, %r7, %r8, %r9}, [%r0+512];
  add.u32 %r2, %r2, %r3;
  add.u32 %r2, %r2, %r4;
  add.u32 %r2, %r2, %r5;
  add.u32 %r6, %r6, %r7;
  add.u32 %r6, %r6, %r8;
  add.u32 %r6, %r6, %r9;
  mad.lo.u32 %r2, %r6, 1000, %r2;
  st.global.u32 [%at0], %r2;";
    let input: Vec<u32> = (0..128).collect();
    let expected: Vec<u32> = (0..32).map(|i| 16 * i + 6 + 1000 * 4 * i).collect();
    assert_eq!(
        words_of(&kernel(REVERSE, body), &Shape::threads(32), &input),
        expected
    );
}

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
            .map(|pair| 2 * pair | (2 * pair + 1) << 16)
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

#[test]
fn lanes_exchange_words() {
    let shuffles: [(&str, u32, u32, fn(u32) -> u32); 6] = [
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

#[test]
fn atomics_of_all_kinds() {
    let operations: [(&str, u32, u32); 9] = [
        ("add.u32", 0, triangle(63)),
        ("min.s32", 50, 0),
        ("max.u32", 5, 63),
        ("and.b32", 0xff, 0),
        ("or.b32", 0, 63),
        ("xor.b32", 1, 1),
        ("inc.u32", 0, 20),
        ("dec.u32", 9, 0),
        ("add.f32", 0, (triangle(63) as f32).to_bits()),
    ];
    for (operation, start, expected) in operations {
        let operand = match operation {
            // Wraps at 63: 64 increments from 0 with the limit 43 end at 64 − 44.
            "inc.u32" => "43",
            "dec.u32" => "100",
            "add.f32" => "%f0",
            _ => "%i",
        };
        let body = format!(
            "  cvt.rn.f32.u32 %f0, %i;
  .reg .b32 %old;
  atom.global.{operation} %old, [%p2], {operand};
  st.global.u32 [%at0], %old;"
        );
        let mut device = Device::new();
        let (to, counter) = (device.empty(256), device.words(&[start]));
        device.run_clean(&kernel("", &body), &Shape::threads(64), &[to, to, counter]);
        let found = device.read_words(counter, 1)[0];
        let expected = if operation == "dec.u32" {
            decremented(start, 100, 64)
        } else {
            expected
        };
        assert_eq!(found, expected, "{operation}");
    }
    // A lock of compare and swap: each lane of the grid adds once.
    let body = "
SPIN:
  atom.acquire.gpu.global.cas.b32 %r0, [%p2], 0, 1;
  setp.ne.u32 %q0, %r0, 0;
  @%q0 bra SPIN;
  ld.global.u32 %r1, [%p2+4];
  add.u32 %r1, %r1, 1;
  st.global.u32 [%p2+4], %r1;
  atom.release.gpu.global.exch.b32 %r2, [%p2], 0;
  st.global.u32 [%at0], %r1;";
    for shape in orders(&Shape::threads(1).blocks(40).cooperative()) {
        let mut found = words(body, &shape);
        found.sort_unstable();
        assert_eq!(found, (1..=40).collect::<Vec<u32>>());
    }
}

/// `start` after `times` decrements that wrap to `limit`.
fn decremented(start: u32, limit: u32, times: u32) -> u32 {
    (0..times).fold(start, |value, _| {
        if value == 0 || value > limit {
            limit
        } else {
            value - 1
        }
    })
}

#[test]
fn functions_are_called() {
    let functions = ".func (.param .b32 result) scale(.param .b32 value, .param .b32 by)
{
  .reg .b32 %r<4>; .reg .pred %p;
  ld.param.b32 %r1, [value];
  ld.param.b32 %r2, [by];
  setp.gt.u32 %p, %r1, 20;
  @%p bra LARGE;
  mul.lo.u32 %r3, %r1, %r2;
  st.param.b32 [result], %r3;
  ret;
LARGE:
  st.param.b32 [result], 7;
  ret;
}
.func (.param .b32 result) twice(.param .b32 value)
{
  .reg .b32 %r<4>;
  ld.param.b32 %r1, [value];
  { .param .b32 p0; .param .b32 p1; .param .b32 q;
    st.param.b32 [p0], %r1; st.param.b32 [p1], 3;
    call.uni (q), scale, (p0, p1);
    ld.param.b32 %r2, [q]; }
  { .param .b32 p0; .param .b32 p1; .param .b32 q;
    st.param.b32 [p0], %r2; st.param.b32 [p1], 1;
    call.uni (q), scale, (p0, p1);
    ld.param.b32 %r2, [q]; }
  st.param.b32 [result], %r2;
  ret;
}";
    let body = "
  mov.u32 %r0, 1;
  setp.lt.u32 %q0, %i, 30;
  { .param .b32 p0; .param .b32 q;
    st.param.b32 [p0], %i;
    st.param.b32 [q], %r0;
    @%q0 call (q), twice, (p0);
    ld.param.b32 %r0, [q]; }
  st.global.u32 [%at0], %r0;";
    let scale = |value: u32, by: u32| if value > 20 { 7 } else { value * by };
    let expected: Vec<u32> = (0..32)
        .map(|i| if i < 30 { scale(scale(i, 3), 1) } else { 1 })
        .collect();
    assert_eq!(
        words_of(&kernel(functions, body), &Shape::threads(32), &[]),
        expected
    );
    let endless = ".func endless() { call endless, (); ret; }";
    let error = cuda::ptx::parse(&kernel(endless, "call endless, ();"), |_| Ok(0)).unwrap_err();
    assert!(error.contains("calls itself"), "{error}");
}

#[test]
fn local_memory_belongs_to_a_thread() {
    let body = "
  .local .align 4 .b8 stack[64];
  mov.u64 %x0, stack;
  cvta.local.u64 %x1, %x0;
  and.b32 %r0, %i, 15;
  mul.wide.u32 %x2, %r0, 4;
  add.s64 %x3, %x1, %x2;
  add.s64 %x4, %x0, %x2;
  st.u32 [%x3], %i;
  ld.local.u32 %r1, [%x4];
  st.global.u32 [%at0], %r1;";
    assert_eq!(
        words(body, &Shape::threads(64)),
        (0..64).collect::<Vec<u32>>()
    );
}

#[test]
fn tables_and_variables() {
    let declarations = ".const .align 4 .u32 table[4] = {10, 20, 30, 40};
.global .align 4 .f32 factor = 0f40000000;
.global .align 2 .b8 bytes[3] = {1, 2, 255};";
    let body = "
  and.b32 %r0, %i, 3;
  mul.wide.u32 %x0, %r0, 4;
  mov.u64 %x1, table;
  add.s64 %x1, %x1, %x0;
  ld.const.u32 %r1, [%x1];
  ld.global.f32 %f0, [factor];
  cvt.rn.f32.u32 %f1, %r1;
  mul.f32 %f1, %f1, %f0;
  cvt.rzi.u32.f32 %r2, %f1;
  ld.global.s8 %r3, [bytes+2];
  add.s32 %r2, %r2, %r3;
  st.global.u32 [%at0], %r2;";
    let expected: Vec<u32> = (0..32).map(|i| 20 * (i % 4 + 1) - 1).collect();
    assert_eq!(
        words_of(&kernel(declarations, body), &Shape::threads(32), &[]),
        expected
    );
}

#[test]
fn all_widths_of_memory() {
    let body = "
  mul.wide.u32 %x0, %i, 32;
  add.s64 %x0, %x0, %p1;
  ld.global.v2.u64 {%x1, %x2}, [%x0];
  ld.global.s16 %r0, [%x0];
  ld.global.u16 %h0, [%x0+2];
  ld.global.u8 %r1, [%x0+1];
  ld.global.v2.u32 {%r2, %r3}, [%x0+8];
  cvt.u32.u16 %r4, %h0;
  cvt.u32.u64 %r5, %x2;
  add.u32 %r0, %r0, %r1;
  add.u32 %r0, %r0, %r2;
  add.u32 %r0, %r0, %r4;
  add.u32 %r0, %r0, %r5;
  st.global.u32 [%at0], %r0;
  st.global.u8 [%x0+31], %r0;
  st.global.v2.u16 [%x0+16], {%h0, %h0};";
    let input: Vec<u32> = (0..256_u32)
        .map(|i| i.wrapping_mul(0x0102_0305).wrapping_add(0x8000))
        .collect();
    let expected: Vec<u32> = (0..32)
        .map(|i| {
            let w = &input[8 * i..8 * i + 8];
            (w[0] as i16 as u32)
                .wrapping_add(w[0] >> 8 & 255)
                .wrapping_add(w[2])
                .wrapping_add(w[0] >> 16)
                .wrapping_add(w[2])
        })
        .collect();
    assert_eq!(
        words_of(&kernel("", body), &Shape::threads(32), &input),
        expected
    );
}

#[test]
fn dynamic_shared_memory_follows_the_static_part() {
    let declarations = ".extern .shared .align 16 .b8 dynamic[];\n.shared .align 4 .b8 fixed[20];";
    let body = "
  mov.u32 %r0, fixed;
  mov.u32 %r1, dynamic;
  sub.u32 %r2, %r1, %r0;
  shl.b32 %r3, %i, 2;
  add.u32 %r4, %r1, %r3;
  st.shared.u32 [%r4], %r2;
  ld.shared.u32 %r5, [%r4];
  mov.u32 %r6, %dynamic_smem_size;
  add.u32 %r5, %r5, %r6;
  st.shared.u32 [fixed+16], %r6;
  st.global.u32 [%at0], %r5;";
    let shape = Shape::threads(1).shared(128);
    assert_eq!(
        words_of(&kernel(declarations, body), &shape, &[]),
        [32 + 128]
    );
}

#[test]
fn approximations_are_perturbed() {
    let body = "
  cvt.rn.f32.u32 %f0, %g;
  fma.rn.f32 %f0, %f0, 0f3C23D70A, 0f3DCCCCCD;
  ex2.approx.f32 %f1, %f0;
  st.global.f32 [%at0], %f1;";
    let run = |perturb| {
        words(
            body,
            &Shape::threads(1024).checks(Checks {
                perturb,
                ..Checks::default()
            }),
        )
    };
    let (exact, first, second) = (run(0), run(1), run(2));
    assert_eq!(first, run(1));
    assert_ne!(first, second);
    let distances: Vec<i64> = exact
        .iter()
        .zip(&first)
        .map(|(a, b)| i64::from(*a) - i64::from(*b))
        .collect();
    assert!(distances.iter().all(|d| d.abs() <= 2));
    for distance in -2..=2 {
        assert!(distances.contains(&distance), "{distance}");
    }
}

#[test]
fn conflicts_of_banks_are_counted() {
    let body = |stride: u32| {
        let body = format!(
            "
  mov.u32 %r0, buffer;
  mad.lo.u32 %r0, %i, {stride}, %r0;
  st.shared.u32 [%r0], %i;
  st.global.u32 [%at0], %i;"
        );
        kernel(".shared .align 4 .b8 buffer[4096];", &body)
    };
    for (stride, wavefronts) in [(4, 1), (8, 2), (128, 32)] {
        let mut device = Device::new();
        let to = device.empty(128);
        let shape = Shape::threads(32).checks(Checks {
            profile: true,
            ..Checks::default()
        });
        let outcome = device.run(&body(stride), &shape, &[to, to, to]);
        let counters = outcome.counters;
        assert_eq!(
            (counters.shared_requests, counters.shared_wavefronts),
            (1, wavefronts)
        );
        assert_eq!((counters.global_requests, counters.global_sectors), (1, 4));
    }
}

#[test]
fn special_registers_tell_where_a_thread_is() {
    let source = format!(
        "{HEADER}.visible .entry k(.param .u64 to, .param .u64 b, .param .u64 c)
.maxntid 64, 1, 1
{{
  .reg .b32 %r<9>; .reg .b64 %p, %o;
  ld.param.u64 %p, [to];
  mov.u32 %r0, %ctaid.x; mov.u32 %r1, %ntid.x; mov.u32 %r2, %tid.x;
  mad.lo.u32 %r3, %r0, %r1, %r2;
  mul.wide.u32 %o, %r3, 4; add.s64 %p, %p, %o;
  mov.u32 %r4, %laneid; mov.u32 %r5, %warpid; mov.u32 %r6, %nctaid.x; mov.u32 %r7, %lanemask_lt;
  popc.b32 %r7, %r7;
  mad.lo.u32 %r4, %r5, 100, %r4;
  mad.lo.u32 %r4, %r6, 1000, %r4;
  mad.lo.u32 %r4, %r7, 10000, %r4;
  st.global.u32 [%p], %r4;
  ret;
}}"
    );
    let found = words_of(&source, &Shape::threads(64).blocks(2), &[]);
    for (index, found) in (0..128).zip(found) {
        let (lane, warp) = (index % 32, index / 32 % 2);
        assert_eq!(found, lane + 100 * warp + 2000 + 10000 * lane);
    }
}
