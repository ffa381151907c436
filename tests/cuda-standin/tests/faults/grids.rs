//! Mistakes among blocks.

use super::*;

/// A block writes, raises a flag, and another block waits for the flag and reads.
fn message(release: &str, acquire: &str) -> String {
    format!(
        "
  setp.ne.u32 %q0, %b, 0;
  @%q0 bra READER;
  st.global.u32 [%p0], 5;
  {release}
  bra END;
READER:
  {acquire}
  setp.eq.u32 %q1, %r0, 0;
  @%q1 bra READER;
  $FENCE
  ld.global.u32 %r1, [%p0];
END:
  mov.u32 %r2, 0;"
    )
}

#[test]
fn a_flag_is_relaxed() {
    let release = "st.release.gpu.global.u32 [%p2], 1;";
    let acquire = "ld.acquire.gpu.global.u32 %r0, [%p2];";
    let relaxed_store = "st.relaxed.gpu.global.u32 [%p2], 1;";
    let relaxed_load = "ld.relaxed.gpu.global.u32 %r0, [%p2];";
    let fence = "fence.acq_rel.gpu;";
    let fenced_store = format!("{fence} {relaxed_store}");
    let shape = Shape::threads(1).blocks(2).cooperative();
    let run = |release: &str, acquire: &str, fence: &str, checks| {
        let body = message(release, acquire).replace("$FENCE", fence);
        Case {
            declarations: "",
            body,
            shape: shape.clone(),
        }
        .run(checks)
    };
    for checks in orders() {
        // Both ways of doing it right.
        assert_eq!(run(release, acquire, "", checks), (0, vec![]));
        assert_eq!(run(&fenced_store, relaxed_load, fence, checks), (0, vec![]));
        // Each half of either way is not enough.
        for (release, acquire, fence) in [
            (relaxed_store, acquire, ""),
            (release, relaxed_load, ""),
            (relaxed_store, relaxed_load, fence),
            (fenced_store.as_str(), relaxed_load, ""),
        ] {
            let (code, messages) = run(release, acquire, fence, checks);
            assert_eq!(code, codes::LAUNCH_FAILED, "{release} {acquire} {fence}");
            assert!(
                messages[0].contains("race: read of global memory"),
                "{messages:?}"
            );
        }
        let weak = run("st.global.u32 [%p2], 1;", acquire, "", checks);
        assert!(weak.1[0].contains("race"), "{weak:?}");
    }
}

#[test]
fn blocks_write_the_same_word() {
    let template = "
  $good st.global.u32 [%at0], %b;
  $good atom.global.add.u32 %r0, [%p2], 1;
  $bad setp.ne.u32 %q0, %i, 0;
  $bad @%q0 exit;
  $bad st.global.u32 [%p0], %b;";
    // They run one after another, and nothing says so.
    planted(
        template,
        "",
        Shape::threads(32).blocks(3),
        codes::LAUNCH_FAILED,
        "race: write of global memory",
    );
}

#[test]
fn the_grid_has_no_barrier() {
    let template = "
  st.global.u32 [%at0], %g;
  bar.sync 0;
  setp.ne.u32 %q0, %i, 0;
  @%q0 bra WAITED;
  red.release.gpu.global.add.u32 [%p2], 1;
  mov.u32 %r0, %nctaid.x;
  $good SPIN: ld.acquire.gpu.global.u32 %r1, [%p2];
  $good setp.lt.u32 %q1, %r1, %r0;
  $good @%q1 bra SPIN;
WAITED:
  bar.sync 0;
  mov.u32 %r0, %nctaid.x;
  add.u32 %r2, %b, 1;
  rem.u32 %r2, %r2, %r0;
  mad.lo.u32 %r2, %r2, %n, %i;
  mul.wide.u32 %x0, %r2, 4;
  add.s64 %x0, %x0, %p0;
  ld.global.u32 %r3, [%x0];";
    let shape = Shape::threads(64).blocks(4).cooperative();
    let case = |mistake| Case {
        declarations: "",
        body: variant(template, mistake),
        shape: shape.clone(),
    };
    for checks in orders() {
        assert_eq!(case(false).run(checks), (0, vec![]));
        // Either nobody has written the word yet, or nothing says that somebody has.
        let (code, messages) = case(true).run(checks);
        assert_eq!(code, codes::LAUNCH_FAILED, "{messages:?}");
    }
}

#[test]
fn a_grid_barrier_without_a_cooperative_launch() {
    let body = "
  setp.ne.u32 %q0, %i, 0;
  @%q0 exit;
  red.release.gpu.global.add.u32 [%p2], 1;
  mov.u32 %r0, %nctaid.x;
SPIN: ld.acquire.gpu.global.u32 %r1, [%p2];
  setp.lt.u32 %q1, %r1, %r0;
  @%q1 bra SPIN;";
    let case = |shape| Case {
        declarations: "",
        body: body.into(),
        shape,
    };
    let shape = Shape::threads(32).blocks(4);
    for checks in orders() {
        assert_eq!(case(shape.clone().cooperative()).run(checks).0, 0);
        let (code, messages) = case(shape.clone()).run(checks);
        assert_eq!(code, codes::LAUNCH_TIMEOUT, "{messages:?}");
        assert!(messages[0].contains("not cooperative"));
    }
}

/// Writes into the next block's memory between two barriers of the cluster.
fn push(before: bool, after: bool) -> String {
    let barrier = "barrier.cluster.arrive.aligned;\n barrier.cluster.wait.aligned;";
    format!(
        "{OWN_AND_OTHER}
  mov.u32 %r5, %cluster_ctarank;
  xor.b32 %r5, %r5, 1;
  {}
  mapa.shared::cluster.u32 %r6, %r2, %r5;
  st.shared::cluster.u32 [%r6], %g;
  {}
  ld.shared.u32 %r7, [%r2];
  st.global.u32 [%at0], %r7;",
        if before { barrier } else { "" },
        if after { barrier } else { "" },
    )
}

#[test]
fn a_peer_has_not_started_or_has_ended() {
    let run = |before, after, checks| {
        let shape = Shape::threads(32).blocks(2).cluster(2);
        Case {
            declarations: BUFFER,
            body: push(before, after),
            shape,
        }
        .run(checks)
    };
    for checks in orders() {
        assert_eq!(run(true, true, checks), (0, vec![]));
        let (code, messages) = run(false, true, checks);
        assert_eq!(code, codes::ILLEGAL_ADDRESS);
        assert!(messages[0].contains("before the cluster's first barrier"));
        // Without the last barrier a peer reads too early, or has ended.
        assert_ne!(run(true, false, checks).0, 0);
    }
}

#[test]
fn a_barrier_of_the_cluster_is_relaxed() {
    let release = push(true, true);
    let relaxed = release.replace("cluster.arrive.aligned", "cluster.arrive.relaxed.aligned");
    let shape = Shape::threads(32).blocks(2).cluster(2);
    for checks in orders() {
        let case = Case {
            declarations: BUFFER,
            body: relaxed.clone(),
            shape: shape.clone(),
        };
        let (code, messages) = case.run(checks);
        assert_eq!(code, codes::LAUNCH_FAILED, "{messages:?}");
        assert!(messages[0].contains("race"), "{messages:?}");
    }
}
