//! Mistakes in kernels, planted one by one. Each has to be seen, and its twin without the mistake has to pass under every
//! order of warps.

mod support;

use cuda::machine::{Checks, codes};
use support::{Device, Shape, kernel};

/// Shared memory for 256 words.
const BUFFER: &str = ".shared .align 16 .b8 buffer[1024];";

/// A kernel and how it is launched.
struct Case<'a> {
    declarations: &'a str,
    body: String,
    shape: Shape,
}

impl Case<'_> {
    /// What is reported, first the error's code; none if there is nothing to say.
    fn run(&self, checks: Checks) -> (u32, Vec<String>) {
        let mut device = Device::new();
        let words = (self.shape.blocks * self.shape.threads) as usize;
        let to = device.empty(4 * words);
        let input: Vec<u32> = (0..words as u32 + 64).collect();
        let (from, flags) = (device.words(&input), device.words(&[0; 16]));
        let source = kernel(self.declarations, &self.body);
        let outcome = device.run(
            &source,
            &self.shape.clone().checks(checks),
            &[to, from, flags],
        );
        let mut messages = outcome.messages;
        let code = match outcome.result {
            Ok(()) => 0,
            Err(fault) => {
                messages.insert(0, fault.message);
                fault.code
            }
        };
        (code, messages)
    }
}

/// Orders in which warps may run.
fn orders() -> Vec<Checks> {
    let budget = 2_000_000;
    let seeds = (0..4).map(|seed| Checks {
        seed,
        starve: seed > 1,
        budget,
        ..Checks::default()
    });
    seeds.collect()
}

/// `template` with `$`-marked lines: `$good` lines stand in the twin only, `$bad` lines in the mistake only.
fn variant(template: &str, mistake: bool) -> String {
    let (keep, leave) = if mistake {
        ("$bad", "$good")
    } else {
        ("$good", "$bad")
    };
    let lines = template
        .lines()
        .filter(|line| !line.trim_start().starts_with(leave));
    let lines: Vec<String> = lines.map(|line| line.replace(keep, "")).collect();
    lines.join("\n")
}

/// The mistake is seen with `code` and a message that has `words`; the twin passes.
fn planted(template: &str, declarations: &str, shape: Shape, code: u32, words: &str) {
    let case = |mistake| Case {
        declarations,
        body: variant(template, mistake),
        shape: shape.clone(),
    };
    for checks in orders() {
        let (found, messages) = case(false).run(checks);
        assert_eq!(
            (found, messages),
            (0, vec![]),
            "the twin, seed {}",
            checks.seed
        );
    }
    for checks in orders() {
        let (found, messages) = case(true).run(checks);
        assert_eq!(found, code, "seed {}: {messages:?}", checks.seed);
        assert!(
            messages[0].contains(words),
            "seed {}: {messages:?}",
            checks.seed
        );
        assert!(messages[0].contains("PTX line"), "{messages:?}");
    }
}

/// Each thread's word of the buffer, and that of the thread on the other side.
const OWN_AND_OTHER: &str = "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 2;
  add.u32 %r2, %r0, %r1;
  sub.u32 %r3, %n, %i;
  sub.u32 %r3, %r3, 1;
  shl.b32 %r3, %r3, 2;
  add.u32 %r3, %r0, %r3;";

#[test]
fn a_barrier_of_the_block_is_missing() {
    let template = format!(
        "{OWN_AND_OTHER}
  st.shared.u32 [%r2], %i;
  st.shared.u32 [%r2+512], %i;
  bar.sync 0;
  ld.shared.u32 %r4, [%r3];
  $good bar.sync 0;
  st.shared.u32 [%r2], %r4;
  st.global.u32 [%at0], %r4;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(128),
        codes::LAUNCH_FAILED,
        "race: ",
    );
}

#[test]
fn a_barrier_before_reading_is_missing() {
    let template = format!(
        "{OWN_AND_OTHER}
  st.shared.u32 [%r2], %i;
  bar.sync 0;
  st.shared.u32 [%r2], %g;
  $good bar.sync 0;
  ld.shared.u32 %r4, [%r3];
  st.global.u32 [%at0], %r4;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "race: ",
    );
}

#[test]
fn a_barrier_of_the_warp_is_missing() {
    let template = format!(
        "{OWN_AND_OTHER}
  st.shared.u32 [%r2], %i;
  $good bar.warp.sync -1;
  ld.shared.u32 %r4, [%r3];
  st.global.u32 [%at0], %r4;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "race: read of shared memory",
    );
}

#[test]
fn a_barrier_stands_in_a_branch() {
    let template = "
  setp.lt.u32 %q0, %i, 16;
  $good bar.sync 0;
  @%q0 bra SKIP;
  $bad bar.sync 0;
  st.global.u32 [%at0], %i;
SKIP:
  bar.warp.sync -1;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "divergent",
    );
}

#[test]
fn half_of_a_warp_never_comes_to_a_shuffle() {
    let template = "
  setp.lt.u32 %q0, %i, 16;
  $bad @%q0 bra OTHER;
  shfl.sync.bfly.b32 %r1, %i, 1, 31, -1;
  st.global.u32 [%at0], %r1;
  bra END;
OTHER:
  bar.warp.sync -1;
END:
  bar.warp.sync -1;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "divergent Shuffle",
    );
}

#[test]
fn a_shuffle_names_lanes_that_do_not_execute_it() {
    let template = "
  setp.lt.u32 %q0, %i, 16;
  $good shfl.sync.bfly.b32 %r1, %i, 1, 31, 0xffffffff;
  $bad @!%q0 exit;
  $bad shfl.sync.idx.b32 %r1, %i, 20, 31, 0xffff;
  st.global.u32 [%at0], %r1;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "shfl.sync reads lane 20",
    );
}

#[test]
fn one_word_too_many_of_global_memory() {
    let template = "
  $good ld.global.u32 %r0, [%at1];
  $bad ld.global.u32 %r0, [%at1+260];
  st.global.u32 [%at0], %r0;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::ILLEGAL_ADDRESS,
        "after an allocation of 384 bytes",
    );
}

#[test]
fn a_write_before_an_allocation() {
    let template = "
  $good st.global.u32 [%at0], %i;
  $bad st.global.u32 [%at0+-4], %i;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::ILLEGAL_ADDRESS,
        "outside every allocation",
    );
}

#[test]
fn one_word_too_many_of_shared_memory() {
    let template = format!(
        "{OWN_AND_OTHER}
  $good st.shared.u32 [%r2], %i;
  $bad st.shared.u32 [%r2+900], %i;
  st.global.u32 [%at0], %i;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(32),
        codes::ILLEGAL_ADDRESS,
        "shared memory: 4 bytes at 1024",
    );
}

#[test]
fn a_null_pointer() {
    let template = "
  $good mov.u64 %x0, %at1;
  $bad mov.u64 %x0, 0;
  ld.global.u32 %r0, [%x0];
  st.global.u32 [%at0], %r0;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::ILLEGAL_ADDRESS,
        "outside every allocation",
    );
}

#[test]
fn local_memory_is_left() {
    let template = "
  .local .align 8 .b8 stack[16];
  mov.u64 %x0, stack;
  $good st.local.u32 [%x0+12], %i;
  $bad st.local.u32 [%x0+16], %i;
  st.global.u32 [%at0], %i;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::ILLEGAL_ADDRESS,
        "local memory",
    );
}

#[test]
fn memory_is_used_after_it_was_freed() {
    let mut device = Device::new();
    let (to, from) = (device.empty(128), device.words(&[1; 32]));
    let source = kernel(
        "",
        "ld.global.u32 %r0, [%at1];\n st.global.u32 [%at0], %r0;",
    );
    device.run_clean(&source, &Shape::threads(32), &[to, from, to]);
    device.memory.free(from).unwrap();
    let outcome = device.run(&source, &Shape::threads(32), &[to, from, to]);
    let fault = outcome.result.unwrap_err();
    assert_eq!(fault.code, codes::ILLEGAL_ADDRESS);
    assert!(fault.message.contains("freed memory"), "{}", fault.message);
    assert!(
        device
            .memory
            .free(from)
            .unwrap_err()
            .contains("double free")
    );
    assert!(
        device
            .memory
            .free(to + 4)
            .unwrap_err()
            .contains("no allocation begins")
    );
}

#[test]
fn global_memory_that_nobody_has_written() {
    let template = "
  $good st.global.u32 [%at0], 3;
  ld.global.u32 %r0, [%at0];
  st.global.u32 [%at0], %r0;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "uninitialised global",
    );
}

#[test]
fn shared_memory_that_nobody_has_written() {
    let template = format!(
        "{OWN_AND_OTHER}
  $good st.shared.u32 [%r2], %i;
  bar.sync 0;
  ld.shared.u32 %r4, [%r3];
  st.global.u32 [%at0], %r4;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "uninitialised shared",
    );
}

#[test]
fn a_vector_is_misaligned() {
    let template = "
  shl.b32 %r0, %i, 4;
  mul.wide.u32 %x0, %i, 8;
  add.s64 %x0, %x0, %p1;
  $good ld.global.v2.u32 {%r1, %r2}, [%x0];
  $bad ld.global.v2.u32 {%r1, %r2}, [%x0+4];
  st.global.u32 [%at0], %r1;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::MISALIGNED_ADDRESS,
        "misaligned access of 8 bytes",
    );
}

#[test]
fn a_row_of_a_matrix_is_misaligned() {
    let template = "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 4;
  add.u32 %r0, %r0, %r1;
  st.shared.v4.u32 [%r0], {%i, %i, %i, %i};
  bar.warp.sync -1;
  $bad add.u32 %r0, %r0, 4;
  ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%r0];
  st.global.u32 [%at0], %r2;";
    planted(
        template,
        BUFFER,
        Shape::threads(32),
        codes::MISALIGNED_ADDRESS,
        "misaligned row of ldmatrix",
    );
}

/// Copies 16 bytes a thread to shared memory.
const COPY: &str = "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 2;
  add.u32 %r0, %r0, %r1;
  cp.async.ca.shared.global [%r0], [%at1], 4;
  cp.async.commit_group;";

#[test]
fn nobody_waits_for_a_copy() {
    let template = format!(
        "{COPY}
  $good cp.async.wait_group 0;
  $bad cp.async.wait_group 1;
  bar.sync 0;
  ld.shared.u32 %r2, [%r0];
  st.global.u32 [%at0], %r2;
  cp.async.wait_all;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "while a cp.async to it is in flight",
    );
}

#[test]
fn a_copy_overwrites_what_is_read() {
    // The second copy into the same words has to come after everybody has read.
    let template = format!(
        "{COPY}
  cp.async.wait_all;
  bar.sync 0;
  xor.b32 %r3, %i, 32;
  shl.b32 %r3, %r3, 2;
  mov.u32 %r4, buffer;
  add.u32 %r3, %r3, %r4;
  ld.shared.u32 %r2, [%r3];
  $good bar.sync 0;
  cp.async.ca.shared.global [%r0], [%at1], 4;
  cp.async.wait_all;
  bar.sync 0;
  st.global.u32 [%at0], %r2;"
    );
    let shape = Shape::threads(64);
    let case = |mistake| Case {
        declarations: BUFFER,
        body: variant(&template, mistake),
        shape: shape.clone(),
    };
    for checks in orders() {
        assert_eq!(case(false).run(checks), (0, vec![]));
        let (code, messages) = case(true).run(checks);
        assert_eq!(code, codes::LAUNCH_FAILED, "{messages:?}");
    }
}

#[test]
fn a_copy_is_read_by_others_without_a_barrier() {
    let template = format!(
        "{COPY}
  cp.async.wait_all;
  $good bar.sync 0;
  $bad bar.warp.sync -1;
  xor.b32 %r3, %i, 32;
  shl.b32 %r3, %r3, 2;
  mov.u32 %r4, buffer;
  add.u32 %r3, %r3, %r4;
  st.shared.u32 [%r3+512], %r0;
  ld.shared.u32 %r2, [%r3];
  st.global.u32 [%at0], %r2;"
    );
    let case = |mistake| Case {
        declarations: BUFFER,
        body: variant(&template, mistake),
        shape: Shape::threads(64),
    };
    for checks in orders() {
        assert_eq!(case(false).run(checks), (0, vec![]));
        let (code, messages) = case(true).run(checks);
        assert_eq!(code, codes::LAUNCH_FAILED, "{messages:?}");
    }
}

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

#[test]
fn warps_wait_for_one_another() {
    let template = "
  setp.lt.u32 %q0, %i, 32;
  @%q0 bra FIRST;
  bar.sync 1, 64;
  bar.sync 2, 64;
  bra END;
FIRST:
  $good bar.sync 1, 64;
  bar.sync 2, 64;
  $bad bar.sync 1, 64;
END:
  st.global.u32 [%at0], %i;";
    planted(
        template,
        "",
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "deadlock",
    );
}

#[test]
fn a_warp_leaves_the_others_at_a_barrier() {
    // The hardware lets them pass; it is a mistake all the same where the barrier was meant for all.
    let body = "
  setp.lt.u32 %q0, %i, 32;
  @%q0 exit;
  bar.sync 0;
  st.global.u32 [%at0], %i;";
    for checks in orders() {
        let case = Case {
            declarations: "",
            body: body.into(),
            shape: Shape::threads(64),
        };
        let (code, messages) = case.run(checks);
        assert_eq!(code, 0);
        assert!(
            messages
                .iter()
                .all(|message| message.contains("have ended"))
        );
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

#[test]
fn a_double_buffer_has_one_barrier_too_few() {
    // One barrier a step is enough for two buffers, and not for one.
    let template = format!(
        "{OWN_AND_OTHER}
  mov.u32 %r8, 0;
  mov.u32 %r9, %i;
STEP:
  $good and.b32 %r10, %r8, 1;
  $bad mov.u32 %r10, 0;
  shl.b32 %r10, %r10, 9;
  add.u32 %r11, %r2, %r10;
  add.u32 %r12, %r3, %r10;
  st.shared.u32 [%r11], %r9;
  bar.sync 0;
  ld.shared.u32 %r9, [%r12];
  add.u32 %r8, %r8, 1;
  setp.lt.u32 %q0, %r8, 6;
  @%q0 bra STEP;
  st.global.u32 [%at0], %r9;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(128),
        codes::LAUNCH_FAILED,
        "race: ",
    );
}

#[test]
fn neighbouring_halves_and_bytes_are_no_race() {
    let template = "
  mov.u32 %r0, buffer;
  add.u32 %r1, %r0, %i;
  shl.b32 %r2, %i, 1;
  add.u32 %r2, %r0, %r2;
  cvt.u16.u32 %h0, %i;
  st.shared.u16 [%r2+512], %h0;
  $good st.shared.u8 [%r1], %i;
  $bad shr.u32 %r3, %i, 1;
  $bad add.u32 %r1, %r0, %r3;
  $bad st.shared.u8 [%r1], %i;
  bar.sync 0;
  st.global.u32 [%at0], %i;";
    planted(
        template,
        BUFFER,
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "race: write of shared memory",
    );
}

#[test]
fn an_endless_loop() {
    let template = "
LOOP:
  $bad bra LOOP;
  st.global.u32 [%at0], %i;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_TIMEOUT,
        "the budget of instructions is spent",
    );
}

#[test]
fn a_trap() {
    let template = "
  st.global.u32 [%at0], %i;
  setp.eq.u32 %q0, %i, 40;
  $bad @%q0 trap;";
    planted(
        template,
        "",
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "trap",
    );
}

#[test]
fn a_matrix_product_without_some_lanes() {
    let template = "
  mov.f32 %f0, 0f00000000;
  mov.u32 %r0, 0;
  setp.lt.u32 %q0, %i, 31;
  $bad @%q0 mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 {%f1, %f2, %f3, %f4}, {%r0, %r0}, {%r0}, {%f0, %f0, %f0, %f0};
  $good mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 {%f1, %f2, %f3, %f4}, {%r0, %r0}, {%r0}, {%f0, %f0, %f0, %f0};
  st.global.u32 [%at0], %i;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "mma without some lanes",
    );
}
