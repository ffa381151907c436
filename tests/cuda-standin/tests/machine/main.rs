//! What threads do together: divergence, barriers, clusters, matrices, exchanges; and calls and memory of each thread.

mod memory;
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod warps;

use cuda::{
    bits::{bf16, bf16_to_f32},
    machine::Checks,
    numbers::{f16_to_f32, half},
    program::{Rounding, Type},
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
