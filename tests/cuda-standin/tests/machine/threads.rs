//! Barriers, clusters and grids.

use super::*;

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
